//! The runs that are remembered: one folder each. Old ones are removed, but none that runs or still owes something.

#[cfg(test)]
mod tests;

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::log::{About, End, FILE, Replay};
use super::{StateDir, journal};

/// How many runs are kept: enough for yesterday's failure, and few enough to list on one screen.
const KEPT: usize = 20;

/// No last line of a log is longer.
const LAST_LINE: u64 = 1024;

/// A run whose log is kept.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) about: About,
    pub(crate) standing: Standing,
}

/// Whether a run is over, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Running,
    Ended(End),
    /// It was killed, or the machine stopped: nobody wrote its end.
    CutOff,
}

/// The runs whose logs are kept, newest first. A log that can't be read is none.
pub(crate) fn kept(state: &StateDir) -> Vec<Kept> {
    let folders = folders(state).into_iter();
    let mut kept: Vec<Kept> = folders
        .filter_map(|folder| {
            let about = Replay::open(&folder).ok()?.about;
            Some(Kept { about, standing: standing(&folder.join(FILE)).ok()? })
        })
        .collect();
    // Ids tell the second; two runs may have begun in the same one.
    kept.sort_by_key(|kept| std::cmp::Reverse(kept.about.began));
    kept
}

/// Removes the oldest runs. What can't be removed stays until the next time.
pub(crate) fn prune(state: &StateDir) {
    let mut folders = folders(state);
    folders.sort_unstable();
    let old = folders.len().saturating_sub(KEPT);
    for folder in folders.iter().take(old).filter(|folder| is_over(folder)) {
        drop(fs::remove_dir_all(folder));
    }
}

fn folders(state: &StateDir) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(state.runs()) else { return Vec::new() };
    entries.filter_map(Result::ok).map(|entry| entry.path()).collect()
}

/// Whether nobody needs a run's folder any more. One in which there is nothing yet belongs to a run that begins.
fn is_over(folder: &Path) -> bool {
    let log = folder.join(FILE);
    let is_running = matches!(standing(&log), Ok(Standing::Running));
    let is_empty = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
    !is_running && !is_empty && !journal::is_open(folder)
}

fn standing(log: &Path) -> io::Result<Standing> {
    let mut file = File::open(log)?;
    // Shared, and let go at once: those who look don't keep one another away, and the run that writes holds it already.
    if let Err(TryLockError::WouldBlock) = file.try_lock_shared() {
        return Ok(Standing::Running);
    }
    Ok(last_line(&mut file)?.map_or(Standing::CutOff, Standing::Ended))
}

fn last_line(file: &mut File) -> io::Result<Option<End>> {
    #[derive(Deserialize)]
    struct Last {
        end: End,
    }
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(LAST_LINE)))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let line = tail.split_inclusive(|&byte| byte == b'\n').next_back().unwrap_or_default();
    let last = line.ends_with(b"\n").then(|| serde_json::from_slice(line).ok()).flatten();
    Ok(last.map(|Last { end }| end))
}
