//! Who may change an environment on this machine: a file that the running deploy holds. The system frees it when
//! its holder is gone, however it went. It says who; whether to wait or to give up is decided above.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::process::{Pid, test_kill_process};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::refs::Refs;
use super::state::Seat;
use crate::model::name::RunId;
use crate::state::StateDir;
use crate::state::durable::{self, DurableError, PRIVATE_FILE};

/// Who holds an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Holder {
    pub(crate) run: RunId,
    pub(crate) pid: u32,
    pub(crate) by: String,
    pub(crate) since: Timestamp,
    /// As it was typed.
    pub(crate) command: String,
}

/// The right to change an environment, until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    /// `None` inside of a run that holds it: the outer one lets go.
    held: Option<File>,
}

/// Why an environment may not be changed now.
#[derive(Debug, Error)]
pub(crate) enum LockError {
    /// `None` if the holder has not said yet who it is.
    #[error("somebody else is at work on it")]
    Held(Option<Box<Holder>>),
    #[error(transparent)]
    Durable(#[from] DurableError),
    #[error("can't lock `{}`: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

impl Lock {
    /// Takes the lock, at once or not at all. `within` is the run that this process was started by, if a run did.
    pub(crate) fn take(
        state: &StateDir,
        refs: &Refs,
        holder: &Holder,
        within: Option<&RunId>,
    ) -> Result<Lock, LockError> {
        state.create()?;
        durable::create_folder(&state.locks())?;
        let path = path(state, refs);
        let failed = |source| LockError::Io { path: path.clone(), source };
        let mut file = create(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => match read(&mut file) {
                Some(other) if within == Some(&other.run) => return Ok(Lock { held: None }),
                other => return Err(LockError::Held(other.map(Box::new))),
            },
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        write(&mut file, holder).map_err(failed)?;
        Ok(Lock { held: Some(file) })
    }

    /// Who holds it. Creates nothing.
    pub(crate) fn look(state: &StateDir, refs: &Refs) -> Option<Holder> {
        let mut file = File::open(path(state, refs)).ok()?;
        // What a killed holder wrote stays. Only if its number lives on (it may be another's) the lock itself is
        // tried: trying it keeps others away for a moment, which looking should not.
        let holder = read(&mut file).filter(|holder| is_alive(holder.pid))?;
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)).then_some(holder)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(file) = &self.held {
            // The lock itself ends with the file; a name that stays is that of somebody who is gone.
            drop(file.set_len(0));
        }
    }
}

/// The file is never removed: another process may hold it already.
fn create(path: &Path) -> io::Result<File> {
    File::options().read(true).write(true).create(true).truncate(false).mode(PRIVATE_FILE).open(path)
}

fn path(state: &StateDir, refs: &Refs) -> PathBuf {
    state.locks().join(refs.environment())
}

fn read(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn write(file: &mut File, holder: &Holder) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(&serde_json::to_vec(holder)?)
}

/// The running system in which process numbers mean something: none where it can't be told.
pub(crate) fn machine() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    // Containers of one machine number their processes each for itself.
    let space = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), space.display()))
}

impl Seat {
    /// Whether the run was in this very system, and its process is gone: then nobody else will ever let go.
    pub(crate) fn is_left(&self) -> bool {
        self.machine.is_some() && self.machine == machine() && !is_alive(self.pid)
    }
}

fn is_alive(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    // A process of somebody else's can't be signalled, and is there.
    pid.is_some_and(|pid| !matches!(test_kill_process(pid), Err(rustix::io::Errno::SRCH)))
}
