//! Saving: one stream to the store, read back, then its manifest; then what `keep` does not keep goes.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Instant;

use super::meter::{Meter, rate};
use super::{Work, postgres, trial, unmet};
use crate::backup::manifest::{Manifest, Sealed, VERSION, Verified};
use crate::backup::seal::seal;
use crate::backup::{Shelf, ShelfError, Stock};
use crate::engine::Act;
use crate::facts::now;
use crate::model::amount::{count, size};
use crate::model::backup::{Backup, Compress, Matter};
use crate::model::event::{Failure, Told};
use crate::model::script::Script;
use crate::model::text::Text;
use crate::perform::Hands;
use crate::process::{Flow, Stop};
use crate::release::event::What;

/// From how many bytes on it is worth telling how fast they went.
const WORTH_A_RATE: u64 = 1 << 20;

/// Saves what a backup says, and tells the ledger.
pub(in crate::perform) fn save(
    hands: &Hands<'_>,
    act: &Act<'_>,
    backup: &Backup,
    stop: &Stop,
    tell: &mut dyn FnMut(Told),
) -> Result<(), Failure> {
    let work = Work::new(hands, act, backup, stop);
    let began = Instant::now();
    let store = work.store()?;
    let shelf = Shelf::new(&store, stop, &backup.environment, &backup.name);
    let stock = shelf.stock().map_err(|error| work.failed(&error))?;
    for why in &stock.damaged {
        tell(Told::Note(format!("an earlier backup is damaged, and is left alone: {why}")));
    }
    let mut manifest = work.manifest()?;
    let own = match &backup.matter {
        Matter::Dump(script) => Some(work.dumped(&shelf, script, &manifest.id, tell)?),
        Matter::Files(_) | Matter::Bucket { .. } => work.packed(&shelf, &stock, &mut manifest, tell)?,
    };
    let mut meter = Meter::new(format!("reads {} back", backup.name));
    for sealed in own.iter().chain(manifest.listing.iter().filter(|listing| listing.is_of(&manifest.id))) {
        shelf.prove(sealed, &mut |bytes| meter.add(bytes, tell)).map_err(|error| work.unproven(&error))?;
        stopped(stop)?;
    }
    manifest.packs.extend(own.clone());
    if let Some(scratch) = &backup.scratch {
        trial::brought_back(&work, &shelf, &manifest, scratch, tell)?;
        manifest.verified = Verified::Restored;
    }
    stopped(stop)?;
    shelf.conclude(&manifest).map_err(|error| work.unproven(&error))?;
    hands.note_saved(&backup.environment, &backup.name, &manifest.id);
    work.note(What::BackedUp { backup: backup.name.clone(), id: manifest.id.clone() })?;
    tell(Told::Note(work.summary(&manifest, own.as_ref(), began)));
    work.thin(&shelf, stock, manifest, tell);
    Ok(())
}

fn stopped(stop: &Stop) -> Result<(), Failure> {
    if stop.asked().is_some() { Err(Failure::Stopped) } else { Ok(()) }
}

impl Work<'_> {
    fn manifest(&self) -> Result<Manifest, Failure> {
        let at = now();
        let mut tail = [0; 4];
        getrandom::fill(&mut tail)
            .map_err(|error| unmet(format!("no random number is to be had: {error}")))?;
        let mut tools = BTreeMap::from([("deploy".to_owned(), env!("CARGO_PKG_VERSION").to_owned())]);
        if let Matter::Dump(script) = &self.backup.matter {
            tools.extend(postgres::versions(self, script)?);
        }
        let live = self.hands.live(&self.backup.environment);
        Ok(Manifest {
            version: VERSION,
            id: format!("{}-{:08x}", at.strftime("%Y%m%d-%H%M%S"), u32::from_be_bytes(tail)),
            environment: self.backup.environment.clone(),
            backup: self.backup.name.clone(),
            at,
            run: self.hands.run.clone(),
            by: self.hands.by.clone(),
            release: live.as_ref().map(|live| live.number),
            source: live.map(|live| live.source),
            tools,
            verified: Verified::ReadBack,
            packs: Vec::new(),
            listing: None,
        })
    }

    /// What the store gives back is not what it was sent, or can't be had.
    fn unproven(&self, error: &ShelfError) -> Failure {
        match (self.failed(error), error) {
            (Failure::Unmet { message, .. }, ShelfError::Altered { .. }) => {
                let help = "it does not count, and what was saved before is there; save again";
                Failure::Unmet { message, help: Some(help.to_owned()) }
            }
            (failure, _) => failure,
        }
    }

    /// Seals what `fill` writes for these recipients, and sends it.
    pub(super) fn sealed(
        &self,
        shelf: &Shelf<'_>,
        object: String,
        compress: Compress,
        recipients: &[String],
        fill: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> Result<Sealed, Failure> {
        let words = recipients.iter().flat_map(|who| ["-r".into(), who.into()]).collect();
        let age = if recipients.is_empty() { None } else { Some(self.age(words)?) };
        let mut plain = (0, String::new());
        let sent = shelf.send(&object, &mut |out| {
            plain = seal(compress, age.as_ref(), self.stop, out, fill)?;
            Ok(())
        });
        let (stored, sha256) = sent.map_err(|error| self.failed(&error))?;
        let (plain_size, plain_sha256) = plain;
        Ok(Sealed {
            object,
            size: stored,
            sha256,
            plain_size,
            plain_sha256,
            compressed: compress != Compress::NONE,
            recipients: recipients.to_vec(),
            files: None,
        })
    }

    /// How an object's name ends.
    pub(super) fn ending(&self, of: &str) -> String {
        let zstd = if self.backup.compress == Compress::NONE { "" } else { ".zst" };
        let age = if self.backup.recipients.is_empty() { "" } else { ".age" };
        format!("{of}{zstd}{age}")
    }

    /// What a command prints. Nothing at all is no dump, whatever the command says.
    fn dumped(
        &self,
        shelf: &Shelf<'_>,
        script: &Script<Text>,
        id: &str,
        tell: &mut dyn FnMut(Told),
    ) -> Result<Sealed, Failure> {
        let mut failure = None;
        let Backup { compress, recipients, .. } = self.backup;
        let object = shelf.object(id, &self.ending("dump"));
        let sealed = self.sealed(shelf, object, *compress, recipients, &mut |sink| {
            let mut meter = Meter::new(format!("saves {}", self.backup.name));
            let (mut wrong, mut any) = (None, false);
            let ran = self.run(script, &[], tell, &mut |bytes, tell| {
                any = true;
                // What is in its pipe still comes when it is killed; the first error is the one to tell.
                if wrong.is_none() {
                    meter.add(bytes.len() as u64, tell);
                    wrong = sink.write_all(bytes).err();
                }
                if wrong.is_some() { Flow::Kill } else { Flow::On }
            });
            let failed = match (ran, wrong, any) {
                (_, Some(error), _) => return Err(error),
                (Err(failed), None, _) => failed,
                (Ok(()), None, false) => Failure::Unmet {
                    message: format!("`{script}` printed nothing: that is no backup"),
                    help: Some("`dump` writes what it saves to its standard output".to_owned()),
                },
                (Ok(()), None, true) => return Ok(()),
            };
            failure = Some(failed);
            Err(io::Error::other("the dump failed"))
        });
        match failure {
            Some(failure) => Err(failure),
            None => sealed,
        }
    }

    fn summary(&self, manifest: &Manifest, own: Option<&Sealed>, began: Instant) -> String {
        let Manifest { id, .. } = manifest;
        let proven = match manifest.verified {
            Verified::ReadBack => "read back",
            Verified::Restored => "read back and brought back on trial",
        };
        let (plain, stored) = own.map_or((0, 0), |own| (own.plain_size, own.size));
        let what = match manifest.files() {
            None => size(plain),
            Some(files) => {
                let new = own.and_then(|own| own.files).unwrap_or_default();
                format!("{}, {new} of them new", count(files, "file"))
            }
        };
        let speed =
            if plain < WORTH_A_RATE { String::new() } else { format!(", {}", rate(plain, began.elapsed())) };
        let (name, place) = (&self.backup.name, &self.backup.place);
        format!("{name} is saved as {id}: {what}, {} sent to {place}, {proven}{speed}", size(stored))
    }

    /// Takes away what `keep` does not keep beside this new one. That is good whatever comes of it.
    fn thin(&self, shelf: &Shelf<'_>, mut stock: Stock, new: Manifest, tell: &mut dyn FnMut(Told)) {
        // One that can't be read may need any of the objects.
        let Some(keep) = self.backup.keep.filter(|_| stock.damaged.is_empty()) else { return };
        stock.manifests.insert(0, new);
        let surplus = stock.surplus(keep, None);
        match shelf.discard(&stock, &surplus, now()) {
            Ok(()) if surplus.is_empty() => {}
            Ok(()) => tell(Told::Note(format!(
                "{} of {} removed, as `keep` says",
                count(surplus.len(), "older backup"),
                self.backup.name
            ))),
            Err(error) => {
                tell(Told::Note(format!("what `keep` does not keep could not be removed: {error}")));
            }
        }
    }
}
