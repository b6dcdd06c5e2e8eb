//! SAVE: what a backup is in a store, and the way there and back. A backup is there when its manifest is, which is
//! written last and after all else was read back; so a half one is never listed.

pub(crate) mod manifest;
pub(crate) mod pack;
pub(crate) mod seal;
pub(crate) mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::model::backup::Keep;
use crate::process::Stop;
use crate::store::{Object, Store, StoreError};
use manifest::{Filed, Manifest, Sealed};
use seal::{Age, Counted};

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
    #[error("`{object}` can't be opened: {source}")]
    Unopened { object: String, source: io::Error },
}

impl ShelfError {
    /// What went wrong on the way from an object to who wants it: the store's own word may be in it.
    fn of(object: &str, error: io::Error) -> ShelfError {
        match error.downcast::<StoreError>() {
            Ok(error) => ShelfError::Store(error),
            Err(source) => ShelfError::Unopened { object: object.to_owned(), source },
        }
    }

    fn altered(object: &str, what: impl Into<String>) -> ShelfError {
        ShelfError::Altered { object: object.to_owned(), what: what.into() }
    }
}

/// What stands on a shelf.
#[derive(Default)]
pub(crate) struct Stock {
    /// The whole backups, newest first.
    pub(crate) manifests: Vec<Manifest>,
    /// What is listed and can't be understood: which, and why.
    pub(crate) damaged: Vec<String>,
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
                Err(error @ ShelfError::Altered { .. }) => stock.damaged.push(error.to_string()),
                // That it can't be had now does not mean that it is no good.
                Err(error @ (ShelfError::Store(_) | ShelfError::Unopened { .. })) => return Err(error),
            }
        }
        stock.manifests.sort_by(|one, other| (other.at, &other.id).cmp(&(one.at, &one.id)));
        // A manifest that can't be read may name any of the others.
        if stock.damaged.is_empty() {
            let named: BTreeSet<&str> = stock.manifests.iter().flat_map(Manifest::objects).collect();
            let names =
                objects.iter().map(|object| object.name.as_str()).filter(|name| !name.ends_with(ENDING));
            stock.strays = names.filter(|name| !named.contains(name)).map(str::to_owned).collect();
        }
        stock.sizes = objects.into_iter().map(|object| (object.name, object.size)).collect();
        Ok(stock)
    }

    fn manifest(&self, name: &str) -> Result<Manifest, ShelfError> {
        let mut text = Vec::new();
        let read = self.open(name)?.take(LONGEST).read_to_end(&mut text);
        read.map_err(|error| ShelfError::of(name, error))?;
        Manifest::read(&text).map_err(|what| ShelfError::altered(name, what))
    }

    fn open(&self, object: &str) -> Result<impl Read + Send, ShelfError> {
        self.store.read(object, self.stop)?.ok_or_else(|| ShelfError::altered(object, "it is gone"))
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
    pub(crate) fn prove(&self, sealed: &Sealed, heard: &mut dyn FnMut(u64)) -> Result<(), ShelfError> {
        let mut object = Counted::new(self.open(&sealed.object)?);
        let mut piece = vec![0; PIECE];
        loop {
            match object.read(&mut piece).map_err(|error| ShelfError::of(&sealed.object, error))? {
                0 => return sealed.agrees(object.finish()),
                read => heard(read as u64),
            }
        }
    }

    /// Opens an object, and gives `out` what is in it: all of it read and compared when this is done, not before.
    pub(crate) fn unseal(
        &self,
        sealed: &Sealed,
        age: Option<&Age>,
        out: &mut dyn Write,
    ) -> Result<(), ShelfError> {
        let object = sealed.object.as_str();
        let mut found = Counted::new(self.open(object)?);
        let opened = seal::open(sealed.compressed, age, self.stop, &mut found, out);
        // Where the object itself is another, that is what there is to say; whoever listens no more need not know.
        if !matches!(&opened, Err(error) if error.kind() == io::ErrorKind::BrokenPipe) {
            io::copy(&mut found, &mut io::sink()).map_err(|error| ShelfError::of(object, error))?;
            sealed.agrees(found.finish())?;
        }
        let plain = opened.map_err(|error| ShelfError::of(object, error))?;
        if plain == (sealed.plain_size, sealed.plain_sha256.clone()) {
            return Ok(());
        }
        Err(ShelfError::altered(object, "what is in it is other than what was saved"))
    }

    /// The files of a backup that is made of files.
    pub(crate) fn files(&self, manifest: &Manifest) -> Result<Vec<Filed>, ShelfError> {
        let Some(listing) = &manifest.listing else { return Ok(Vec::new()) };
        let mut text = Vec::new();
        self.unseal(listing, None, &mut text)?;
        let files: Result<Vec<Filed>, serde_json::Error> =
            serde_json::Deserializer::from_slice(&text).into_iter().collect();
        let files = files
            .map_err(|error| ShelfError::altered(&listing.object, format!("it lists no files: {error}")))?;
        if files.iter().any(|filed| filed.pack >= manifest.packs.len()) {
            return Err(ShelfError::altered(&listing.object, "it names a pack that there is not"));
        }
        Ok(files)
    }

    /// Writes the manifest, and sees that it is there: from here on the backup counts. One that is there and was not read
    /// back as it was written is removed, lest it be listed.
    pub(crate) fn conclude(&self, manifest: &Manifest) -> Result<(), ShelfError> {
        let name = format!("{}{}{ENDING}", self.folder, manifest.id);
        let text = manifest.written();
        let written = self.store.create(&name, self.stop, &mut |out| out.write_all(&text));
        let wrong = match (written, self.manifest(&name)) {
            // Perhaps only the answer was lost.
            (_, Ok(found)) if found.written() == text => return Ok(()),
            // Whose it is, is for that run to say.
            (Err(error), Ok(found)) if found.run != manifest.run => return Err(error.into()),
            (Err(error), Err(_)) => return Err(error.into()),
            (_, Ok(_)) | (Ok(()), Err(ShelfError::Altered { .. })) => {
                ShelfError::altered(&name, "it is not what was just written")
            }
            (Ok(()), Err(error @ (ShelfError::Store(_) | ShelfError::Unopened { .. }))) => error,
        };
        match (self.store.delete(&name, self.stop), wrong) {
            (Err(error), ShelfError::Altered { object, what }) => {
                Err(ShelfError::altered(&object, format!("{what}, and is still there: {error}")))
            }
            (_, wrong) => Err(wrong),
        }
    }

    /// Takes backups away: first what makes each count, then what nothing else needs.
    pub(crate) fn discard(&self, stock: &Stock, ids: &[String], now: Timestamp) -> Result<(), ShelfError> {
        let (gone, staying): (Vec<&Manifest>, Vec<&Manifest>) =
            stock.manifests.iter().partition(|manifest| ids.contains(&manifest.id));
        for manifest in &gone {
            self.store.delete(&format!("{}{}{ENDING}", self.folder, manifest.id), self.stop)?;
        }
        // What another run has begun is its own as long as it may live.
        let strays = stock.strays.iter().map(String::as_str).filter(|stray| is_old(stray, now));
        let mut objects: BTreeSet<&str> =
            gone.into_iter().flat_map(Manifest::objects).chain(strays).collect();
        for object in staying.into_iter().flat_map(Manifest::objects) {
            objects.remove(object);
        }
        objects.into_iter().try_for_each(|object| self.store.delete(object, self.stop))?;
        Ok(())
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

    /// The backups that `keep` does not keep, beside one that is yet to come if there is one.
    pub(crate) fn surplus(&self, keep: Keep, coming: Option<Timestamp>) -> Vec<String> {
        let known = self.manifests.iter().map(|manifest| manifest.at);
        let stays = keep.stays(&coming.into_iter().chain(known).collect::<Vec<_>>());
        let stays = &stays[usize::from(coming.is_some())..];
        let gone = self.manifests.iter().zip(stays).filter(|(_, stays)| !**stays);
        gone.map(|(manifest, _)| manifest.id.clone()).collect()
    }
}
