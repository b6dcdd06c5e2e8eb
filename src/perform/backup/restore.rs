//! Bringing back: the whole backup is read and compared first; then a dump goes to its command, files to a fresh folder.

use std::ffi::OsString;
use std::fs;
use std::io::{self, pipe};
use std::path::{Path, PathBuf};
use std::thread;

use super::{Work, unmet};
use crate::backup::manifest::{Filed, Manifest, Sealed};
use crate::backup::seal::Age;
use crate::backup::{Shelf, ShelfError, pack};
use crate::engine::Act;
use crate::model::amount::{count, size};
use crate::model::backup::{Matter, Restore};
use crate::model::event::{Failure, Told};
use crate::model::script::Script;
use crate::model::text::Text;
use crate::perform::Hands;
use crate::process::{Stdin, Stop};
use crate::release::event::What;
use crate::state::durable;

/// The caller's variable that names the file with the key, as for secrets that `age` encrypted.
const IDENTITY: &str = "DEPLOY_AGE_IDENTITY";

/// What tells the command of a backup of files where they are.
const RESTORED: &str = "DEPLOY_RESTORED";

/// Brings a backup back, and tells the ledger.
pub(in crate::perform) fn restore(
    hands: &Hands<'_>,
    act: &Act<'_>,
    restore: &Restore,
    stop: &Stop,
    tell: &mut dyn FnMut(Told),
) -> Result<(), Failure> {
    let backup = &restore.backup;
    let work = Work::new(hands, act, backup, stop);
    let store = work.store()?;
    let shelf = Shelf::new(&store, stop, &backup.environment, &backup.name);
    let manifest = work.chosen(&shelf, restore.from.as_deref(), tell)?;
    tell(Told::Note(format!("{} of {} is read, and compared with what was saved", backup.name, manifest.id)));
    for sealed in &manifest.packs {
        work.proven(&shelf, sealed)?;
        if stop.asked().is_some() {
            return Err(Failure::Stopped);
        }
    }
    match (&backup.matter, &backup.restore) {
        (Matter::Dump(_), Some(script)) => {
            work.brought_back(&shelf, &manifest, script, &[], tell)?;
            let at = manifest.at.strftime("%Y-%m-%d %H:%M:%S UTC");
            tell(Told::Note(format!("{} is what it was at {at} ({})", backup.name, manifest.id)));
        }
        (Matter::Dump(_), None) => {
            return Err(Failure::Unmet {
                message: format!("nothing says how {} comes back", backup.name),
                help: Some(format!(
                    "[backups.{}]\nrestore = \"…\", a command that reads the dump",
                    backup.name
                )),
            });
        }
        (Matter::Files(_) | Matter::Bucket { .. }, script) => {
            let folder = work.unpacked(&shelf, &manifest, tell)?;
            let files = count(manifest.files().unwrap_or_default(), "file");
            tell(Told::Note(format!("{files} of {} in {}", manifest.id, folder.display())));
            if let Some(script) = script {
                let extra = [(RESTORED.to_owned(), folder.to_string_lossy().into_owned())];
                work.feed(script, &extra, Stdin::Null, tell)?;
            }
        }
    }
    work.note(What::Restored { backup: backup.name.clone(), id: manifest.id })
}

impl Work<'_> {
    /// The backup of this id; or the newest that this run did not make itself.
    fn chosen(
        &self,
        shelf: &Shelf<'_>,
        from: Option<&str>,
        tell: &mut dyn FnMut(Told),
    ) -> Result<Manifest, Failure> {
        let stock = shelf.stock().map_err(|error| self.failed(&error))?;
        for why in &stock.damaged {
            tell(Told::Note(format!("a backup is damaged: {why}")));
        }
        let fits = |manifest: &Manifest| match from {
            Some(id) => manifest.id == id,
            None => manifest.run != self.hands.run,
        };
        stock.manifests.into_iter().find(fits).ok_or_else(|| {
            let (name, environment) = (&self.backup.name, &self.backup.environment);
            let what = from.map_or_else(|| "backup".to_owned(), |id| format!("backup {id}"));
            Failure::Unmet {
                message: format!("there is no {what} of {name} of {environment} in `{}`", self.backup.place),
                help: Some(format!("deploy backups {environment} shows what there is")),
            }
        })
    }

    /// Opens a pack to nowhere: from here on nothing is begun that could not be ended.
    fn proven(&self, shelf: &Shelf<'_>, sealed: &Sealed) -> Result<(), Failure> {
        let age = self.reader(sealed)?;
        shelf.unseal(sealed, age.as_ref(), &mut io::sink()).map_err(|error| self.failed(&error))
    }

    /// Gives a dump to a command.
    pub(super) fn brought_back(
        &self,
        shelf: &Shelf<'_>,
        manifest: &Manifest,
        script: &Script<Text>,
        extra: &[(String, String)],
        tell: &mut dyn FnMut(Told),
    ) -> Result<(), Failure> {
        let Some(dump) = manifest.packs.first() else { return Err(unmet("it holds no dump".to_owned())) };
        let (reader, mut writer) = pipe().map_err(|error| unmet(error.to_string()))?;
        let age = self.reader(dump)?;
        let (ran, opened) = thread::scope(|scope| {
            let opening = scope.spawn(move || shelf.unseal(dump, age.as_ref(), &mut writer));
            let ran = self.feed(script, extra, Stdin::pipe(reader), tell);
            (ran, opening.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        match (ran, opened) {
            (Err(failure), _) => Err(failure),
            (Ok(()), Err(ShelfError::Unopened { source, .. }))
                if source.kind() == io::ErrorKind::BrokenPipe =>
            {
                Err(unmet(format!("`{script}` did not read all of the dump, and says that all is well")))
            }
            (Ok(()), Err(error)) => Err(self.failed(&error)),
            (Ok(()), Ok(())) => Ok(()),
        }
    }

    /// What reads an object that is encrypted.
    fn reader(&self, sealed: &Sealed) -> Result<Option<Age>, Failure> {
        if sealed.recipients.is_empty() {
            return Ok(None);
        }
        let callers =
            || self.hands.env.iter().find(|(name, _)| name == IDENTITY).map(|(_, file)| file.clone());
        let identity = self.backup.identity.clone().map(OsString::from).or_else(callers);
        let Some(identity) = identity else {
            return Err(Failure::Unmet {
                message: format!("{} is encrypted, and nothing says who can read it", sealed.object),
                help: Some(format!("[backups.{}]\nidentity = \"the file with the key\"", self.backup.name)),
            });
        };
        self.age(vec!["--decrypt".into(), "--identity".into(), identity]).map(Some)
    }

    /// Puts all files into a folder that nobody has, whole or not at all.
    fn unpacked(
        &self,
        shelf: &Shelf<'_>,
        manifest: &Manifest,
        tell: &mut dyn FnMut(Told),
    ) -> Result<PathBuf, Failure> {
        let room = self.hands.state.restored();
        let name = format!("{}-{}-{}", self.backup.environment, self.backup.name, manifest.id);
        let folder = room.join(&name);
        if folder.exists() {
            return Err(Failure::Unmet {
                message: format!("`{}` is there already", folder.display()),
                help: Some("look at what is in it, and move it away".to_owned()),
            });
        }
        let draft = room.join(format!(".{name}.{}", self.hands.run));
        let filled = self.fill(shelf, manifest, &draft, tell);
        let placed = filled.and_then(|()| {
            durable::sync_file_system(&draft)
                .and_then(|()| durable::publish(&draft, &folder))
                .map_err(|error| unmet(error.to_string()))
        });
        if placed.is_err() {
            // What is there is of no use; what can't be removed is in nobody's way.
            let _removed = fs::remove_dir_all(&draft);
        }
        placed.map(|()| folder)
    }

    fn fill(
        &self,
        shelf: &Shelf<'_>,
        manifest: &Manifest,
        folder: &Path,
        tell: &mut dyn FnMut(Told),
    ) -> Result<(), Failure> {
        fs::create_dir_all(folder).map_err(|error| unmet(format!("`{}`: {error}", folder.display())))?;
        let files = shelf.files(manifest).map_err(|error| self.failed(&error))?;
        let mut links = Vec::new();
        for (index, sealed) in manifest.packs.iter().enumerate() {
            let wanted: Vec<&Filed> = files.iter().filter(|filed| filed.pack == index).collect();
            let (mut reader, mut writer) = pipe().map_err(|error| unmet(error.to_string()))?;
            let age = self.reader(sealed)?;
            tell(Told::Note(format!(
                "takes {} out of {} ({})",
                count(wanted.len(), "file"),
                sealed.object,
                size(sealed.size)
            )));
            let (unpacked, opened) = thread::scope(|scope| {
                let opening = scope.spawn(move || shelf.unseal(sealed, age.as_ref(), &mut writer));
                let unpacked = pack::unpack(&mut reader, &wanted, folder, &mut links);
                // What is behind the last file has its digest as well.
                let _rest = unpacked.is_ok().then(|| io::copy(&mut reader, &mut io::sink()));
                drop(reader);
                (unpacked, opening.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            });
            match (unpacked, opened) {
                // Why nobody listened any more is what there is to say.
                (Err(error), Err(ShelfError::Unopened { source, .. }))
                    if source.kind() == io::ErrorKind::BrokenPipe =>
                {
                    return Err(unmet(format!("{}: {error}", sealed.object)));
                }
                (_, Err(error)) => return Err(self.failed(&error)),
                (Err(error), Ok(())) => return Err(unmet(format!("{}: {error}", sealed.object))),
                (Ok(()), Ok(())) => {}
            }
        }
        pack::link(folder, links).map_err(|error| unmet(error.to_string()))
    }
}
