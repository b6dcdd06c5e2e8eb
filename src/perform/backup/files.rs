//! Files that are saved: those that the store does not have go to it in one pack, and the list of all beside it.

use std::collections::HashSet;
use std::io::{self, Write};

use super::meter::Meter;
use super::{Work, unmet};
use crate::backup::manifest::{Filed, Manifest, Mark, Sealed};
use crate::backup::pack::{Packing, Sighted};
use crate::backup::source::Source;
use crate::backup::{Shelf, ShelfError, Stock};
use crate::fresh;
use crate::model::backup::{Backup, Compress, Matter};
use crate::model::event::{Failure, Told};
use crate::model::files::{Files, Pattern};
use crate::model::store::Place;
use crate::model::tree::{Entry, Kind, Tree};
use crate::store::{Object, Store};

impl Work<'_> {
    /// The files that the store does not have yet; none if it has all.
    pub(super) fn packed(
        &self,
        shelf: &Shelf<'_>,
        stock: &Stock,
        manifest: &mut Manifest,
        tell: &mut dyn FnMut(Told),
    ) -> Result<Option<Sealed>, Failure> {
        let Backup { compress, recipients, .. } = self.backup;
        let earlier = stock.manifests.first();
        let had = earlier.map_or(Ok(Vec::new()), |earlier| self.had(shelf, earlier, tell))?;
        let (source, sighted) = self.sighted(&had)?;
        let packs = earlier.map_or(&[][..], |earlier| &earlier.packs);
        let packing = Packing::new(sighted, packs, &had, |pack| {
            // What others can read, or fewer can, is sent anew.
            stock.has(pack) && pack.recipients == *recipients
        });
        let own = packing.packs.len();
        manifest.packs = packing.packs;
        let mut filed = packing.known;
        let mut sealed = None;
        if !packing.new.is_empty() {
            let object = shelf.object(&manifest.id, &self.ending("tar"));
            let mut packed = Vec::new();
            let mut meter = Meter::new(format!("saves {}", self.backup.name));
            let mut sent = self.sealed(shelf, object, *compress, recipients, &mut |sink| {
                let mut told = Metered { sink, meter: &mut meter, tell };
                packed = source.pack(&packing.new, &mut told)?;
                Ok(())
            })?;
            sent.files = Some(packed.len());
            filed.extend(packed.into_iter().map(|(Sighted { path, kind, mark, .. }, digest)| Filed {
                path,
                kind,
                digest,
                pack: own,
                mark,
            }));
            sealed = Some(sent);
        }
        filed.sort_by(|one, other| one.path.cmp(&other.path));
        // Where nothing has changed, the earlier list says it all; it has just been read and compared.
        let same = earlier.filter(|earlier| filed == had && manifest.packs == earlier.packs);
        manifest.listing = Some(match same.and_then(|earlier| earlier.listing.clone()) {
            Some(listing) => listing,
            None => self.listed(shelf, &manifest.id, &filed)?,
        });
        Ok(sealed)
    }

    /// What the newest backup has. If that can't be told, the store has nothing of use.
    fn had(
        &self,
        shelf: &Shelf<'_>,
        earlier: &Manifest,
        tell: &mut dyn FnMut(Told),
    ) -> Result<Vec<Filed>, Failure> {
        shelf.files(earlier).or_else(|error| match error {
            ShelfError::Altered { .. } | ShelfError::Unopened { .. } => {
                let why = format!("all files are sent, for what the store has can't be told: {error}");
                tell(Told::Note(why));
                Ok(Vec::new())
            }
            ShelfError::Store(_) => Err(self.failed(&error)),
        })
    }

    /// Sends the list of all files. It tells the next backup what need not be sent, which may be made where no key is to
    /// read it with.
    fn listed(&self, shelf: &Shelf<'_>, id: &str, filed: &[Filed]) -> Result<Sealed, Failure> {
        let object = shelf.object(id, "files.zst");
        let listing = self.sealed(shelf, object, Compress::DEFAULT, &[], &mut |sink| {
            filed.iter().try_for_each(|file| {
                serde_json::to_writer(&mut *sink, file)?;
                sink.write_all(b"\n")
            })
        })?;
        Ok(Sealed { files: Some(filed.len()), ..listing })
    }

    /// The files that are there now; at least one.
    fn sighted(&self, had: &[Filed]) -> Result<(Source<'_>, Vec<Sighted>), Failure> {
        let Backup { name, dir, matter, .. } = self.backup;
        let (source, sighted, place) = match matter {
            Matter::Bucket { bucket, files } => {
                let store = self.open(bucket)?;
                let sighted = self.objects(&store, bucket, files)?;
                (Source::Bucket(store, self.stop), sighted, bucket.to_string())
            }
            Matter::Files(files) => (Source::Folder(dir), self.files(files, had)?, dir.display().to_string()),
            Matter::Dump(_) => unreachable!("a dump has no files"),
        };
        if !sighted.is_empty() {
            return Ok((source, sighted));
        }
        let help = match source {
            Source::Folder(_) => "look at its `files`, and at its `dir`",
            Source::Bucket(..) => "look at its `bucket`",
        };
        Err(Failure::Unmet {
            message: format!("no file in `{place}` is one of {name}'s: that is no backup"),
            help: Some(help.to_owned()),
        })
    }

    /// Those of a folder. What is known by its mark is not read.
    fn files(&self, files: &Files<Pattern>, had: &[Filed]) -> Result<Vec<Sighted>, Failure> {
        let known = had.iter().filter_map(|Filed { path, kind, digest, mark, .. }| match mark {
            Some(Mark::Stat(stat)) => {
                Some(Entry { path: path.clone(), kind: *kind, digest: *digest, stat: Some(*stat) })
            }
            Some(Mark::Tag(_)) | None => None,
        });
        let known = Tree { entries: known.collect() };
        let tree = fresh::found(&self.backup.dir, files, &known).map_err(|unreadable| Failure::Unmet {
            message: unreadable.to_string(),
            help: Some("leave it out of the backup's files: `!…`".to_owned()),
        })?;
        let sighted = tree.entries.into_iter().map(|Entry { path, kind, digest, stat }| Sighted {
            path,
            kind,
            digest: Some(digest),
            mark: stat.map(Mark::Stat),
        });
        Ok(sighted.collect())
    }

    /// The objects of a bucket. None is asked for what it holds: its tag tells whether that is known.
    fn objects(&self, store: &Store, place: &Place, files: &Files<Pattern>) -> Result<Vec<Sighted>, Failure> {
        let objects = store.list("", self.stop).map_err(|error| unmet(error.to_string()))?;
        let takes_in = fresh::taker(files);
        let named: Vec<Object> = objects.into_iter().filter(|object| takes_in(&object.name)).collect();
        let names: HashSet<&str> = named.iter().map(|object| object.name.as_str()).collect();
        for name in named.iter().map(|object| object.name.as_str()) {
            if !name.split('/').all(is_a_files) {
                return Err(self.no_file(place, name, "no file can be called so"));
            }
            let mut folders = name.match_indices('/').map(|(at, _)| &name[..at]);
            if let Some(folder) = folders.find(|folder| names.contains(folder)) {
                return Err(self.no_file(place, folder, "others lie beneath it, so it can't be a file"));
            }
        }
        let sighted = named.into_iter().map(|Object { name, tag, .. }| Sighted {
            path: name,
            kind: Kind::File,
            digest: None,
            mark: tag.map(Mark::Tag),
        });
        Ok(sighted.collect())
    }

    /// An object that could not come back to a folder.
    fn no_file(&self, place: &Place, name: &str, why: &str) -> Failure {
        Failure::Unmet {
            message: format!("`{name}` in {place} can't be saved: {why}"),
            help: Some(format!(
                "leave it out: files = [\"**\", \"!{name}\"] in the `bucket` of {}",
                self.backup.name
            )),
        }
    }
}

/// Whether a part of an object's name can be a file's or a folder's.
fn is_a_files(part: &str) -> bool {
    !matches!(part, "" | "." | "..") && !part.contains('\0')
}

/// A sink that tells how far it has come.
struct Metered<'a> {
    sink: &'a mut dyn Write,
    meter: &'a mut Meter,
    tell: &'a mut dyn FnMut(Told),
}

impl Write for Metered<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.sink.write(bytes)?;
        self.meter.add(written as u64, self.tell);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}
