//! SAVE: what a backup is in a store, and the way there and back. A backup is there when its manifest is, which is
//! written last and after all else was read back; so a half one is never listed.

pub(crate) mod manifest;
pub(crate) mod pack;
pub(crate) mod seal;

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::model::backup::Keep;
use crate::process::Stop;
use crate::store::{Object, Store, StoreError};
use manifest::{Manifest, Sealed};
use seal::Counted;

/// The longest manifest that is read: more is not ours.
const LONGEST: u64 = 1 << 30;

/// How much is read at once, in bytes.
const PIECE: usize = 256 * 1024;

/// How a manifest's name ends.
const ENDING: &str = ".json";

/// The backups of one name of one environment, in a store.
pub(crate) struct Shelf<'s> {
    store: &'s Store,
    stop: &'s Stop,
    /// With a `/` at its end.
    folder: String,
}

/// Why a backup is no good, or could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ShelfError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("`{object}`: {what}")]
    Altered { object: String, what: String },
    #[error("`{object}` can't be read: {source}")]
    Unreadable { object: String, source: io::Error },
}

/// What stands on a shelf.
#[derive(Default)]
pub(crate) struct Stock {
    /// The whole backups, newest first.
    pub(crate) manifests: Vec<Manifest>,
    /// What is listed but can't be read: its name, and why.
    pub(crate) damaged: Vec<(String, String)>,
    /// All objects, with their sizes in bytes.
    pub(crate) sizes: BTreeMap<String, u64>,
    /// Objects that belong to no backup: what was begun and not ended.
    pub(crate) strays: Vec<String>,
}

impl<'s> Shelf<'s> {
    pub(crate) fn new(store: &'s Store, stop: &'s Stop, environment: &str, name: &str) -> Shelf<'s> {
        Shelf { store, stop, folder: format!("{environment}/{name}/") }
    }

    /// Everything that is there.
    pub(crate) fn stock(&self) -> Result<Stock, ShelfError> {
        let objects = self.store.list(&self.folder, self.stop)?;
        let mut stock = Stock::default();
        for Object { name, .. } in objects.iter().filter(|object| object.name.ends_with(ENDING)) {
            match self.manifest(name) {
                Ok(manifest) => stock.manifests.push(manifest),
                Err(error @ (ShelfError::Altered { .. } | ShelfError::Unreadable { .. })) => {
                    stock.damaged.push((name.clone(), error.to_string()));
                }
                Err(error @ ShelfError::Store(_)) => return Err(error),
            }
        }
        stock.manifests.sort_by(|one, other| (other.at, &other.id).cmp(&(one.at, &one.id)));
        // A manifest that can't be read may name any of the others.
        if stock.damaged.is_empty() {
            let is_named = |name: &str| {
                let mut packs = stock.manifests.iter().flat_map(|manifest| &manifest.packs);
                packs.any(|pack| pack.object == name)
            };
            let names = objects.iter().map(|object| &object.name).filter(|name| !name.ends_with(ENDING));
            let strays: Vec<String> = names.filter(|name| !is_named(name)).cloned().collect();
            stock.strays = strays;
        }
        stock.sizes = objects.into_iter().map(|object| (object.name, object.size)).collect();
        Ok(stock)
    }

    fn manifest(&self, name: &str) -> Result<Manifest, ShelfError> {
        let unreadable = |source| ShelfError::Unreadable { object: name.to_owned(), source };
        let Some(object) = self.store.read(name, self.stop)? else {
            return Err(unreadable(io::ErrorKind::NotFound.into()));
        };
        let mut text = Vec::new();
        object.take(LONGEST).read_to_end(&mut text).map_err(unreadable)?;
        Manifest::read(&text).map_err(|what| ShelfError::Altered { object: name.to_owned(), what })
    }

    /// What an object of a backup is called.
    pub(crate) fn object(&self, id: &str, ending: &str) -> String {
        format!("{}{id}.{ending}", self.folder)
    }

    /// Sends an object, and gives what was sent. `fill` writes it, and its error is given back.
    pub(crate) fn send(
        &self,
        object: &str,
        fill: &mut dyn FnMut(&mut (dyn Write + Send)) -> io::Result<()>,
    ) -> Result<(u64, String), ShelfError> {
        let mut sent = None;
        self.store.create(object, self.stop, &mut |out| {
            let mut counted = Counted::new(out);
            fill(&mut counted)?;
            sent = Some(counted.finish());
            Ok(())
        })?;
        Ok(sent.expect("what was created was filled"))
    }

    /// Reads an object back, and compares it with what was sent; `heard` is told how much was read.
    pub(crate) fn prove(&self, pack: &Sealed, heard: &mut dyn FnMut(u64)) -> Result<(), ShelfError> {
        let mut found = Counted::new(io::sink());
        self.copy(&pack.object, &mut |bytes| {
            heard(bytes.len() as u64);
            found.write_all(bytes)
        })?;
        let (size, digest) = found.finish();
        let what = if size != pack.size {
            format!("it has {size} bytes, and had {} when it was saved", pack.size)
        } else if digest != pack.sha256 {
            "its digest is another than when it was saved".to_owned()
        } else {
            return Ok(());
        };
        Err(ShelfError::Altered { object: pack.object.clone(), what })
    }

    /// Gives an object piece by piece.
    pub(crate) fn copy(
        &self,
        object: &str,
        to: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), ShelfError> {
        let unreadable = |source| ShelfError::Unreadable { object: object.to_owned(), source };
        let Some(mut reader) = self.store.read(object, self.stop)? else {
            return Err(ShelfError::Altered { object: object.to_owned(), what: "it is gone".to_owned() });
        };
        let mut piece = vec![0; PIECE];
        loop {
            let read = reader.read(&mut piece).map_err(unreadable)?;
            if read == 0 {
                return Ok(());
            }
            to(&piece[..read]).map_err(unreadable)?;
        }
    }

    /// Writes the manifest, and sees that it is there: from here on the backup counts.
    pub(crate) fn conclude(&self, manifest: &Manifest) -> Result<(), ShelfError> {
        let name = format!("{}{}{ENDING}", self.folder, manifest.id);
        let text = manifest.written();
        self.store.create(&name, self.stop, &mut |out| out.write_all(&text))?;
        let found = self.manifest(&name)?;
        if found.written() == text {
            return Ok(());
        }
        Err(ShelfError::Altered { object: name, what: "it is not what was just written".to_owned() })
    }

    /// Takes backups away: first what makes each count, then what nothing else needs. The objects that went.
    pub(crate) fn discard(&self, stock: &Stock, ids: &[String], now: Timestamp) -> Result<usize, ShelfError> {
        let goes = |manifest: &&Manifest| ids.contains(&manifest.id);
        for manifest in stock.manifests.iter().filter(goes) {
            self.store.delete(&format!("{}{}{ENDING}", self.folder, manifest.id), self.stop)?;
        }
        let stays = |object: &str| {
            let mut staying = stock.manifests.iter().filter(|manifest| !goes(manifest));
            staying.any(|manifest| manifest.packs.iter().any(|pack| pack.object == object))
        };
        let of_gone = stock.manifests.iter().filter(goes).flat_map(|manifest| &manifest.packs);
        let mut objects: Vec<&str> = of_gone.map(|pack| pack.object.as_str()).collect();
        // What another run has begun is its own as long as it may live.
        objects.extend(stock.strays.iter().filter(|stray| is_old(stray, now)).map(String::as_str));
        objects.sort_unstable();
        objects.dedup();
        let gone: Vec<&str> = objects.into_iter().filter(|object| !stays(object)).collect();
        gone.iter().try_for_each(|object| self.store.delete(object, self.stop))?;
        Ok(gone.len())
    }
}

/// Whether what has this name was begun at least two days before: a name begins with its day.
fn is_old(object: &str, now: Timestamp) -> bool {
    let id = object.rsplit('/').next().unwrap_or_default();
    let begun = id.get(..8).and_then(|day| Date::strptime("%Y%m%d", day).ok());
    let today = now.to_zoned(TimeZone::UTC).date();
    begun.is_some_and(|begun| begun.saturating_add(2.days()) < today)
}

impl Stock {
    /// Whether an object is there, and as long as it was.
    pub(crate) fn has(&self, pack: &Sealed) -> bool {
        self.sizes.get(&pack.object) == Some(&pack.size)
    }

    /// The backups that `keep` does not keep.
    pub(crate) fn surplus(&self, keep: Keep) -> Vec<String> {
        let times: Vec<_> = self.manifests.iter().map(|manifest| manifest.at).collect();
        let stays = keep.stays(&times);
        let gone = self.manifests.iter().zip(stays).filter(|(_, stays)| !stays);
        gone.map(|(manifest, _)| manifest.id.clone()).collect()
    }
}
