//! What is in files now. One whose size, times and number are what they were is not read again; one that was changed a
//! moment ago may change once more within the same tick of the clock, so it is not known by those alone.

use std::collections::{BTreeMap, HashMap};
use std::fs::{File, Metadata};
use std::io;
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::find::{Found, Unreadable, find};
use crate::facts;
use crate::model::files::{Files, Pattern};
use crate::model::tree::{Digest, Entry, Kind, Stat, Tree};

/// A tick of the clock that files get their times from, in nanoseconds: no kernel's is longer than ten milliseconds.
const TICK: i64 = 20_000_000;

/// The same where a file system keeps whole seconds, or every second one.
const COARSE_TICK: i64 = 2_000_000_000;

const SECOND: i64 = 1_000_000_000;

/// From how many files on more than one thread looks at them.
const MANY: usize = 512;

/// What files hold that were read in this run, so that no two tasks read one twice.
#[derive(Default)]
pub(super) struct Seen(Mutex<HashMap<PathBuf, (Stat, Digest)>>);

/// The files that patterns name, and what is in them. `known` is what they held before.
pub(super) fn look(
    dir: &Path,
    files: &Files<Pattern>,
    besides: &Files<Pattern>,
    known: &Tree,
    seen: &Seen,
) -> Result<Tree, Unreadable> {
    if files.patterns.is_empty() {
        return Ok(Tree::default());
    }
    // Before the first file is looked at: whatever changes from here on has a later time.
    let now = i64::try_from(facts::now().as_nanosecond()).unwrap_or(i64::MAX);
    let found = find(dir, files, besides)?;
    let eyes = Eyes { dir, known, seen, now };
    let entries = if found.len() < MANY { eyes.entries(found)? } else { eyes.shared(found)? };
    Ok(Tree { entries })
}

struct Eyes<'a> {
    dir: &'a Path,
    known: &'a Tree,
    seen: &'a Seen,
    /// In nanoseconds since 1970.
    now: i64,
}

impl Eyes<'_> {
    /// The same on all processors.
    fn shared(&self, found: BTreeMap<String, Found>) -> Result<Vec<Entry>, Unreadable> {
        let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let size = found.len().div_ceil(threads);
        let mut found = found.into_iter();
        let parts: Vec<Vec<(String, Found)>> =
            (0..threads).map(|_| found.by_ref().take(size).collect()).collect();
        thread::scope(|scope| {
            let workers: Vec<_> =
                parts.into_iter().map(|part| scope.spawn(move || self.entries(part))).collect();
            let mut entries = Vec::new();
            for worker in workers {
                entries.extend(worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
            }
            Ok(entries)
        })
    }

    fn entries(&self, found: impl IntoIterator<Item = (String, Found)>) -> Result<Vec<Entry>, Unreadable> {
        let found = found.into_iter();
        let mut entries = Vec::with_capacity(found.size_hint().0);
        for (path, found) in found {
            match self.entry(&path, &found) {
                Ok((kind, digest, stat)) => entries.push(Entry { path, kind, digest, stat }),
                // It was there a moment ago.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(Unreadable { path: self.dir.join(path), source }),
            }
        }
        Ok(entries)
    }

    fn entry(&self, path: &str, found: &Found) -> io::Result<(Kind, Digest, Option<Stat>)> {
        let metadata = match found {
            Ok(metadata) => metadata,
            Err(to) => return Ok((Kind::Link, Digest::of(to.as_os_str().as_bytes()), None)),
        };
        let kind = if metadata.mode() & 0o111 == 0 { Kind::File } else { Kind::Executable };
        let stat = stat(metadata);
        let known = self.known.entry(path).filter(|known| known.stat == Some(stat));
        let digest = match known {
            Some(known) => known.digest,
            None => self.read(path, stat)?,
        };
        Ok((kind, digest, Some(stat).filter(|stat| is_settled(stat, self.now))))
    }

    fn read(&self, path: &str, stat: Stat) -> io::Result<Digest> {
        let path = self.dir.join(path);
        let seen = || self.seen.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, digest)) = seen().get(&path).filter(|(known, _)| *known == stat) {
            return Ok(*digest);
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(File::open(&path)?)?;
        let digest = Digest::from(hasher.finalize());
        if is_settled(&stat, self.now) {
            seen().insert(path, (stat, digest));
        }
        Ok(digest)
    }
}

fn stat(metadata: &Metadata) -> Stat {
    let nanoseconds = |seconds: i64, rest: i64| seconds.saturating_mul(SECOND).saturating_add(rest);
    Stat(
        metadata.size(),
        nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
        nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        metadata.ino(),
    )
}

/// Whether every later change of a file will show in its times.
fn is_settled(Stat(_, modified, changed, _): &Stat, now: i64) -> bool {
    let tick = if changed % SECOND == 0 { COARSE_TICK } else { TICK };
    modified.max(changed).saturating_add(tick) <= now
}
