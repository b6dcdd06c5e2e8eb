//! deploy's own bare repository, `.deploy/repository.git`: the only one that deploy writes to. It borrows the objects
//! of the user's repository and adds release commits and ledgers. It knows nothing of what they mean.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::Refusal;
use super::answer::Answer;
use super::git::{Call, Git, GitError};
use super::object::Object;
use super::repository::Repository;
use super::stream::{self, Stream, quoted};
use crate::model::release::ObjectId;
use crate::state::StateDir;
use crate::state::durable::{self, DurableError, PRIVATE_FILE};

/// Nothing of the user's is run, nothing is tidied behind our back, and what is written is on disk when git ends.
/// `unpackLimit`: one small pack for each commit costs half of loose objects, for which git starts a second process.
/// `filesRefLockTimeout`, in ms: how long git waits for a ref that another process is writing.
const SETTINGS: [&str; 12] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.logAllRefUpdates=false",
    "core.filesRefLockTimeout=1000",
    "core.fsync=committed,loose-object,reference",
    "fastimport.unpackLimit=0",
    "transfer.unpackLimit=1",
    "repack.writeBitmaps=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "protocol.ext.allow=never",
    "i18n.logOutputEncoding=UTF-8",
];

/// git looks into each pack for each object: above this many they are made one.
const PACKS: usize = 50;

/// deploy's repository could not be used.
#[derive(Debug, Error)]
pub(crate) enum ScratchError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Git(#[from] GitError),
    #[error(transparent)]
    Durable(#[from] DurableError),
    #[error("can't lock `{}`: {source}", path.display())]
    Lock { path: PathBuf, source: io::Error },
}

/// deploy's repository, which exists.
#[derive(Clone)]
pub(crate) struct Scratch {
    pub(super) git: Git,
    path: PathBuf,
    /// Held while something is written: see [`Scratch::import`].
    writing: PathBuf,
    /// Where paths in URLs are meant from.
    folder: PathBuf,
}

/// Whether a ref may lose what it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Update {
    /// The new commit must have the old one among its ancestors, else nothing is changed.
    FastForward,
    Replace,
}

/// A ref, what it names, and what it is to name.
pub(super) struct Pointing<'a> {
    pub(super) reference: String,
    pub(super) old: Was<'a>,
    pub(super) new: &'a ObjectId,
}

/// What a ref must name, or it is left alone.
#[derive(Clone, Copy)]
pub(super) enum Was<'a> {
    Any,
    Nothing,
    This(&'a ObjectId),
}

impl<'a> From<Option<&'a ObjectId>> for Was<'a> {
    fn from(id: Option<&'a ObjectId>) -> Was<'a> {
        id.map_or(Was::Nothing, Was::This)
    }
}

impl Scratch {
    /// The repository, if there is one. Nothing is created.
    pub(crate) fn look(state: &StateDir, repository: &Repository) -> Result<Option<Scratch>, ScratchError> {
        Scratch::look_at(state.repository(), state, repository)
    }

    /// The repository, created if it is missing.
    pub(crate) fn open(state: &StateDir, repository: &Repository) -> Result<Scratch, ScratchError> {
        Scratch::open_at(state.repository(), state, repository)
    }

    fn look_at(
        path: PathBuf,
        state: &StateDir,
        repository: &Repository,
    ) -> Result<Option<Scratch>, ScratchError> {
        let scratch = Scratch {
            git: repository.git.clone().with_env([borrowed(&repository.checkout.objects())]),
            writing: state.path().join("repository.lock"),
            folder: repository.folder(),
            path,
        };
        if !scratch.path.join("HEAD").exists() {
            return Ok(None);
        }
        scratch.check_format(repository)?;
        Ok(Some(scratch))
    }

    /// Another repository of the same kind, at this place in `.deploy/`.
    pub(super) fn open_at(
        place: PathBuf,
        state: &StateDir,
        repository: &Repository,
    ) -> Result<Scratch, ScratchError> {
        if let Some(scratch) = Scratch::look_at(place.clone(), state, repository)? {
            return Ok(scratch);
        }
        state.create()?;
        create(&place, state, repository)?;
        let missing = || io::Error::new(io::ErrorKind::NotFound, "it was removed again");
        Scratch::look_at(place.clone(), state, repository)?
            .ok_or_else(|| ScratchError::Lock { path: place, source: missing() })
    }

    /// Makes a commit, and `reference` name it: its id and its tree.
    ///
    /// Only one process writes at a time, so a `.lock` of git's that stays is what a killed one left behind.
    pub(crate) fn import(
        &self,
        reference: &str,
        stream: Stream,
        update: Update,
    ) -> Result<(ObjectId, ObjectId), ScratchError> {
        let mut args = vec!["fast-import", "--quiet", "--done", "--date-format=raw-permissive"];
        match update {
            Update::FastForward => {}
            Update::Replace => args.push("--force"),
        }
        let script = stream.finish();
        let _held = lock(&self.writing)?;
        let mut answer = self.call(&args).reading(script.clone()).run()?;
        if answer.code != 0 && self.remove_lock_of(reference) {
            answer = self.call(&args).reading(script).run()?;
        }
        if answer.code != 0 {
            self.remove_crash_reports();
            return Err(answer.failure().into());
        }
        Ok(stream::answer(&answer.stdout).ok_or_else(|| answer.unreadable())?)
    }

    /// Makes refs name commits that are here, all or none.
    pub(super) fn point(&self, updates: &[Pointing<'_>]) -> Result<(), ScratchError> {
        let line = |update: &Pointing<'_>| {
            let old = match update.old {
                Was::Any => String::new(),
                Was::Nothing => format!(" {}", "0".repeat(update.new.as_str().len())),
                Was::This(id) => format!(" {id}"),
            };
            format!("update {} {}{old}\n", update.reference, update.new)
        };
        let script: String = updates.iter().map(line).collect();
        let _held = lock(&self.writing)?;
        let run = || self.call(&["update-ref", "--stdin"]).reading(script.clone().into_bytes()).run();
        let mut answer = run()?;
        // As with `import`: who holds the lock knows that a `.lock` of git's is a killed one's.
        if answer.code != 0
            && updates.iter().filter(|update| self.remove_lock_of(&update.reference)).count() > 0
        {
            answer = run()?;
        }
        answer.stdout()?;
        Ok(())
    }

    /// Whether one commit goes on from another; both are here.
    pub(super) fn goes_on_from(&self, later: &ObjectId, earlier: &ObjectId) -> Result<bool, GitError> {
        let answer = self.ask(&["merge-base", "--is-ancestor", earlier.as_str(), later.as_str()])?;
        match answer.code {
            0 => Ok(true),
            1 => Ok(false),
            _ => Err(answer.failure()),
        }
    }

    /// Reads objects; `None` for what is not there.
    pub(crate) fn objects(&self, queries: &[String]) -> Result<Vec<Option<Object>>, GitError> {
        self.git.objects(&self.folder, &self.before(), queries)
    }

    /// Joins what piled up, where that would begin to cost time. At the end of a run.
    pub(crate) fn tidy(&self) -> Result<(), ScratchError> {
        let packs = fs::read_dir(self.path.join("objects/pack")).map_or(0, |entries| {
            entries
                .flatten()
                .filter(|entry| entry.path().extension().is_some_and(|ext| ext == "pack"))
                .count()
        });
        if packs > PACKS {
            let _held = lock(&self.writing)?;
            self.call(&["repack", "-a", "-d", "-l", "-n", "-q"]).run()?.stdout()?;
        }
        Ok(())
    }

    pub(super) fn ask(&self, args: &[&str]) -> Result<Answer, GitError> {
        self.call(args).run()
    }

    pub(super) fn call(&self, args: &[&str]) -> Call {
        self.call_with(&self.git, args)
    }

    /// A call in this repository by a git with another environment.
    pub(super) fn call_with(&self, git: &Git, args: &[&str]) -> Call {
        git.call(&self.folder, &self.before(), args)
    }

    /// Whether the ref's file is there, whatever git makes of it.
    pub(super) fn has_file_of(&self, reference: &str) -> bool {
        self.path.join(reference).exists()
    }

    /// Removes the lock that a killed git left on a ref: whether there was one.
    pub(super) fn remove_lock_of(&self, reference: &str) -> bool {
        fs::remove_file(self.path.join(format!("{reference}.lock"))).is_ok()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn before(&self) -> Vec<OsString> {
        let mut before: Vec<OsString> = Vec::with_capacity(2 * SETTINGS.len() + 1);
        let mut git_dir = OsString::from("--git-dir=");
        git_dir.push(&self.path);
        before.push(git_dir);
        before.extend(SETTINGS.iter().flat_map(|setting| ["-c".into(), setting.into()]));
        before
    }

    fn remove_crash_reports(&self) {
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        for entry in
            entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("fast_import_crash_"))
        {
            // A report that stays is only clutter.
            drop(fs::remove_file(entry.path()));
        }
    }

    fn check_format(&self, repository: &Repository) -> Result<(), Refusal> {
        let config = fs::read_to_string(self.path.join("config")).unwrap_or_default().to_lowercase();
        if config.contains("objectformat = sha256") == repository.checkout.is_sha256() {
            return Ok(());
        }
        let path = self.path.display();
        Err(Refusal::new(
            format!("`{path}` was made for a repository with another kind of ids (SHA-1 or SHA-256)"),
            format!("its history can't go on here; move it away: mv {path} {path}.old"),
        ))
    }
}

/// Makes the repository under another name, then gives it its own, so that it is whole or not there.
fn create(place: &Path, state: &StateDir, repository: &Repository) -> Result<(), ScratchError> {
    let _held = lock(&state.path().join("repository.lock"))?;
    remove_unfinished(place, state);
    if place.exists() {
        return Ok(());
    }
    let made =
        durable::beside(place).map_err(|source| ScratchError::Lock { path: place.to_owned(), source })?;
    let format = if repository.checkout.is_sha256() { "sha256" } else { "sha1" };
    let format = format!("--object-format={format}");
    let mut args = ["init", "--quiet", "--bare", "--shared=0600", "--template=", &format, "--"]
        .map(OsString::from)
        .to_vec();
    args.push(made.clone().into_os_string());
    // Whatever the user prefers: a ref of ours is a file.
    let git = repository.git.clone().with_env([("GIT_DEFAULT_REF_FORMAT".into(), "files".into())]);
    git.call(state.path(), &[], &args).run()?.stdout()?;
    Ok(durable::publish(&made, place)?)
}

/// What a killed creation left. The lock is held, so nobody is at it.
fn remove_unfinished(place: &Path, state: &StateDir) {
    let start = format!("{}.", place.file_name().unwrap_or_default().to_string_lossy());
    let entries = fs::read_dir(state.path()).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(&start) && name.ends_with(".tmp") {
            // One that stays is only clutter.
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

/// Waits for the file's lock; it ends with the value. The file itself is never removed: another process may hold it.
pub(super) fn lock(path: &Path) -> Result<File, ScratchError> {
    let locked = File::options()
        .create(true)
        .append(true)
        .mode(PRIVATE_FILE)
        .open(path)
        .and_then(|file| file.lock().map(|()| file));
    locked.map_err(|source| ScratchError::Lock { path: path.to_owned(), source })
}

/// The variable that lends a repository's objects to another. Not the file `objects/info/alternates`: that would be
/// wrong as soon as the project is moved.
fn borrowed(objects: &Path) -> (OsString, OsString) {
    ("GIT_ALTERNATE_OBJECT_DIRECTORIES".into(), OsString::from_vec(quoted(objects.as_os_str().as_bytes())))
}
