//! COMPARE: whether a task's work is done already. What it reads and makes, and what is said of it, is looked at as it is
//! now, and compared with what was so when it was last done. Nothing is decided here of what is run.

pub(crate) mod change;
pub(crate) mod events;
mod find;
mod look;
pub(crate) mod survey;
pub(crate) mod watch;

use std::collections::HashSet;
use std::path::Path;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use change::Change;
pub(crate) use find::{Unreadable, taker};
use find::{is_at, normal};
use look::{Seen, look};

use crate::facts;
use crate::model::files::{Files, Pattern, Sense};
use crate::model::name::RunId;
use crate::model::tracking::{Stamp, Tracking};
use crate::model::tree::{Digest, Entry, Tree};
use crate::state::StateDir;
use crate::state::durable::DurableError;
use crate::state::stamps::{Line, Noted, Stamps};

/// For how long the stamp of a job is kept that is not done again, in seconds: a quarter of a year. One with other
/// parameters is another job.
const KEPT: i64 = 90 * 24 * 60 * 60;

/// What was so when jobs were last done, and what is so now.
pub(crate) struct Records {
    stamps: RwLock<Stamps>,
    seen: Seen,
}

/// What a look at a job has found.
pub(crate) struct Finding {
    /// Empty: its work is done.
    pub(crate) changes: Vec<Change>,
    /// What it reads, as it is now.
    pub(crate) inputs: Tree,
    /// What is known better than it was: written down by who may.
    news: Vec<Line>,
}

/// The files that patterns name in a folder, and what is in each. What is known to be as it was is not read.
///
/// # Errors
/// A file or folder that can't be read.
pub(crate) fn found(dir: &Path, files: &Files<Pattern>, known: &Tree) -> Result<Tree, Unreadable> {
    look(dir, files, &Files::default(), known, &Seen::default())
}

impl Records {
    /// Reads what is known. Nothing is written.
    pub(crate) fn read(state: &StateDir) -> Records {
        Records { stamps: RwLock::new(Stamps::read(state)), seen: Seen::default() }
    }

    /// When a job was last done, and by which run, if that was its last end.
    pub(crate) fn last(&self, job: &str) -> Option<(i64, String)> {
        let stamps = self.stamps();
        let stamp = stamp(&stamps, job)?;
        Some((stamp.at, stamp.run))
    }

    /// Looks at a job, and at what it needs.
    ///
    /// # Errors
    /// A file or folder that can't be read.
    pub(crate) fn find(&self, tracking: &Tracking) -> Result<Finding, Unreadable> {
        let stamps = self.stamps();
        let stamp = match stamps.job(&tracking.job) {
            None => return self.open(tracking, vec![Change::NeverDone]),
            Some(Noted::Void) => return self.open(tracking, vec![Change::NotFinished]),
            Some(Noted::Stamp(json)) => match serde_json::from_str::<Stamp>(json) {
                Ok(stamp) => stamp,
                Err(_) => return self.open(tracking, vec![Change::NeverDone]),
            },
        };
        let is_as_it_was =
            |(job, run): &&(String, String)| self::stamp(&stamps, job).is_some_and(|stamp| stamp.run == *run);
        let needs = stamp.needs.iter().filter(|need| !is_as_it_was(need));
        let mut changes: Vec<Change> = needs.map(|(job, _)| Change::Need(job.clone())).collect();
        if stamp.said != tracking.said() {
            changes.extend(change::said(&stamp.facets(), &tracking.facets));
        }
        let (inputs, outputs) = (tree(&stamps, stamp.inputs), tree(&stamps, stamp.outputs));
        let (Some(inputs), Some(outputs)) = (inputs, outputs) else {
            return self.open(tracking, vec![Change::NeverDone]);
        };
        drop(stamps);
        let mut news = Vec::new();
        let nothing = Files::default();
        let inputs = Comparison { before: inputs, was: stamp.inputs, change: Change::Input };
        let inputs =
            self.compare(tracking, &tracking.inputs, &tracking.outputs, &inputs, &mut changes, &mut news)?;
        let outputs = Comparison { before: outputs, was: stamp.outputs, change: Change::Output };
        self.compare(tracking, &tracking.outputs, &nothing, &outputs, &mut changes, &mut news)?;
        Ok(Finding { changes, inputs, news })
    }

    /// Notes that a job's work is not done, before it is begun and when it has failed.
    pub(crate) fn void(&self, tracking: &Tracking) -> Result<(), DurableError> {
        self.change().add(&[Line::Void { job: tracking.job.clone() }])
    }

    /// Notes that a job's work is done: it read these inputs, and needs these jobs.
    ///
    /// # Errors
    /// What it made can't be read, or the note can't be written.
    pub(crate) fn keep(
        &self,
        tracking: &Tracking,
        inputs: &Tree,
        needs: &[String],
        run: &RunId,
    ) -> Result<(), KeepError> {
        let outputs =
            look(&tracking.dir, &tracking.outputs, &Files::default(), &Tree::default(), &self.seen)?;
        if let Some(path) = missing(&tracking.outputs, &outputs) {
            return Err(KeepError::Missing(path.to_owned()));
        }
        let mut stamps = self.change();
        let needs = needs.iter().filter_map(|job| Some((job.clone(), stamp(&stamps, job)?.run)));
        let made = Stamp {
            run: run.0.clone(),
            at: facts::now().as_second(),
            said: tracking.said(),
            facets: serde_json::value::to_raw_value(&tracking.facets).expect("plain data can be written"),
            inputs: inputs.digest(),
            outputs: outputs.digest(),
            needs: needs.collect(),
        };
        let mut lines = Vec::new();
        for tree in [inputs, &outputs] {
            let digest = tree.digest();
            let json = json(tree);
            if stamps.tree(&digest) != Some(&json) {
                lines.push(Line::Tree { digest, json });
            }
        }
        let json = serde_json::to_string(&made).expect("plain data can be written");
        lines.push(Line::Stamp { job: tracking.job.clone(), json });
        Ok(stamps.add(&lines)?)
    }

    /// Writes down what was found out better than it was known, and forgets what nobody needs. That it can't be written
    /// costs the next run a little time, and nothing else.
    pub(crate) fn note(&self, findings: impl IntoIterator<Item = Finding>) {
        let news: Vec<Line> = findings.into_iter().flat_map(|finding| finding.news).collect();
        let mut stamps = self.change();
        let noted = if news.is_empty() { Ok(()) } else { stamps.add(&news) };
        let oldest = facts::now().as_second() - KEPT;
        let _tidied = noted.and_then(|()| {
            stamps.tidy(|json| {
                let stamp: Stamp = serde_json::from_str(json).ok()?;
                (stamp.at >= oldest).then(|| vec![stamp.inputs, stamp.outputs])
            })
        });
    }

    fn open(&self, tracking: &Tracking, changes: Vec<Change>) -> Result<Finding, Unreadable> {
        let inputs = look(&tracking.dir, &tracking.inputs, &tracking.outputs, &Tree::default(), &self.seen)?;
        Ok(Finding { changes, inputs, news: Vec::new() })
    }

    fn compare(
        &self,
        tracking: &Tracking,
        files: &Files<Pattern>,
        besides: &Files<Pattern>,
        before: &Comparison,
        changes: &mut Vec<Change>,
        news: &mut Vec<Line>,
    ) -> Result<Tree, Unreadable> {
        let now = look(&tracking.dir, files, besides, &before.before, &self.seen)?;
        let found = change::files(&before.before, &now, before.change);
        let knows_more = || {
            now.entries
                .iter()
                .zip(&before.before.entries)
                .any(|(now, before)| now.stat.is_some() && now.stat != before.stat)
        };
        if found.is_empty() && knows_more() {
            news.push(Line::Tree { digest: before.was, json: json(&now) });
        }
        changes.extend(found);
        Ok(now)
    }

    fn stamps(&self) -> RwLockReadGuard<'_, Stamps> {
        self.stamps.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> RwLockWriteGuard<'_, Stamps> {
        self.stamps.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first path that the patterns name and at which, or beneath which, there is no file.
pub(crate) fn missing<'f>(files: &'f Files<Pattern>, tree: &Tree) -> Option<&'f str> {
    let taken = files.patterns.iter().filter(|pattern| pattern.sense == Sense::TakesIn);
    let is_there = |path: &str| tree.entries.iter().any(|entry| is_at(&entry.path, normal(path)));
    taken.filter_map(Pattern::as_path).find(|path| !is_there(path))
}

/// What a task has made, as it is now.
///
/// # Errors
/// A file or folder that can't be read.
pub(crate) fn made(tracking: &Tracking) -> Result<Tree, Unreadable> {
    look(&tracking.dir, &tracking.outputs, &Files::default(), &Tree::default(), &Seen::default())
}

/// The first of these paths that the outputs of a task don't name.
pub(crate) fn foreign<'p>(tracking: &Tracking, mut paths: impl Iterator<Item = &'p str>) -> Option<&'p str> {
    let is_named = find::namer(&tracking.outputs);
    paths.find(|path| !is_named(path))
}

/// The first of the files there now that the outputs of a task name, and that is none of these.
///
/// # Errors
/// A folder that can't be read.
pub(crate) fn besides(tracking: &Tracking, these: &[Entry]) -> Result<Option<String>, Unreadable> {
    let these: HashSet<&str> = these.iter().map(|entry| entry.path.as_str()).collect();
    let there = find::find(&tracking.dir, &tracking.outputs, &Files::default())?;
    Ok(there.into_keys().find(|path| !these.contains(path.as_str())))
}

/// What files are compared with.
struct Comparison {
    before: Tree,
    was: Digest,
    change: fn(String, change::How) -> Change,
}

/// Why a job whose work is done is not known to be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeepError {
    #[error("it did not make `{0}`, which its `outputs` name")]
    Missing(String),
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error(transparent)]
    Unwritten(#[from] DurableError),
}

fn stamp(stamps: &Stamps, job: &str) -> Option<Stamp> {
    match stamps.job(job)? {
        Noted::Stamp(json) => serde_json::from_str(json).ok(),
        Noted::Void => None,
    }
}

fn tree(stamps: &Stamps, digest: Digest) -> Option<Tree> {
    Some(Tree { entries: serde_json::from_str(stamps.tree(&digest)?).ok()? })
}

fn json(tree: &Tree) -> String {
    serde_json::to_string(&tree.entries).expect("plain data can be written")
}
