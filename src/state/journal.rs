//! What one run still owes, on disk: JSON lines under `.deploy/runs/ID/journal`. A line counts only with its newline;
//! it is on disk before the act that it is about. A run that owes nothing has no journal.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use thiserror::Error;

use super::StateDir;
use super::durable::{self, Appended, DurableError};
use crate::model::event::Failure;
use crate::model::name::{JobId, RunId};
use crate::model::record::{Debt, Exit, Record};

/// The format's version, in the first line.
const VERSION: u32 = 1;

/// A journal that can't be trusted.
#[derive(Debug, Error)]
pub(crate) enum JournalError {
    #[error("can't read `{}`: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("line {line} of `{}` is damaged, and more follows it: nothing is guessed", path.display())]
    Damaged { path: PathBuf, line: usize },
    #[error("`{}` was written by another version of deploy ({version}); use that one to recover", path.display())]
    Version { path: PathBuf, version: u32 },
}

/// The journal of a run, opened at the first debt.
pub(crate) struct Journal {
    state: StateDir,
    run: RunId,
    environment: Option<String>,
    by: String,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    file: Option<Appended>,
    debts: Vec<Debt>,
    last: u64,
}

impl Journal {
    /// The journal of a run that begins; nothing is written before it owes something.
    pub(crate) fn new(state: StateDir, run: RunId, environment: Option<String>, by: String) -> Journal {
        Journal { state, run, environment, by, inner: Mutex::default() }
    }

    /// The journal of an unfinished run, to be gone on with; what it owes is given back by [`Journal::owed`].
    pub(crate) fn resume(unfinished: Unfinished, state: StateDir) -> Journal {
        let last = unfinished.owed.iter().map(|debt| debt.seq).max().unwrap_or(0);
        let inner = Inner { file: Some(unfinished.file), debts: unfinished.owed, last };
        Journal {
            state,
            run: unfinished.run,
            environment: unfinished.environment,
            by: unfinished.by,
            inner: Mutex::new(inner),
        }
    }

    /// Writes a debt down. When it returns, the debt is on disk and has its number.
    ///
    /// # Errors
    /// The step that would owe it must not act.
    pub(crate) fn defer(&self, mut debt: Debt) -> Result<Debt, Failure> {
        let mut inner = self.lock();
        inner.last += 1;
        debt.seq = inner.last;
        self.append(&mut inner, &Record::Deferred(Box::new(debt.clone())))
            .map_err(|error| not_written(&error))?;
        inner.debts.push(debt.clone());
        Ok(debt)
    }

    /// Notes that a debt was done.
    pub(crate) fn settled(&self, seq: u64) -> Result<(), DurableError> {
        let mut inner = self.lock();
        self.append(&mut inner, &Record::Settled { seq })?;
        inner.debts.retain(|debt| debt.seq != seq);
        Ok(())
    }

    /// All that is owed, newest first.
    pub(crate) fn all_owed(&self) -> Vec<Debt> {
        self.lock().debts.iter().rev().cloned().collect()
    }

    /// What is owed on this occasion, newest first.
    pub(crate) fn owed(&self, exit: Exit) -> Vec<Debt> {
        self.lock().debts.iter().rev().filter(|debt| debt.exit == exit).cloned().collect()
    }

    /// Ends the run: after success its undos are void. Gives how many debts are left; with none the journal is done.
    pub(crate) fn finish(&self, succeeded: bool) -> usize {
        let mut inner = self.lock();
        if succeeded {
            inner.debts.retain(|debt| debt.exit == Exit::Always);
        }
        let left = inner.debts.len();
        if inner.file.is_some() && left == 0 {
            // The copies of swapped files have served.
            let _removed = fs::remove_dir_all(self.state.swapped(&self.run));
            // If this line is lost, a recovery finds nothing to do.
            let _ended = self.append(&mut inner, &Record::Ended { succeeded });
        }
        left
    }

    fn append(&self, inner: &mut Inner, record: &Record) -> Result<(), DurableError> {
        let mut bytes = Vec::new();
        if inner.file.is_none() {
            let folder = self.state.run(&self.run);
            self.state.create()?;
            durable::create_folder(&folder)?;
            let file = Appended::open(&folder.join(FILE))?;
            // Held until this process ends, however: by that others know that the run is not unfinished.
            file.claim();
            inner.file = Some(file);
            let begun = Record::Begun {
                version: VERSION,
                run: self.run.0.clone(),
                environment: self.environment.clone(),
                by: self.by.clone(),
            };
            line(&begun, &mut bytes);
        }
        line(record, &mut bytes);
        inner.file.as_mut().expect("it was opened above").append(&bytes)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().expect("no thread panics while it writes the journal")
    }
}

/// The journal's name in its run's folder.
const FILE: &str = "journal";

fn line(record: &Record, bytes: &mut Vec<u8>) {
    serde_json::to_writer(&mut *bytes, record).expect("a record has no map with odd keys");
    bytes.push(b'\n');
}

fn not_written(error: &DurableError) -> Failure {
    Failure::Unmet {
        message: format!("the way to take it back could not be written down, so it was not done: {error}"),
        help: None,
    }
}

/// A run that ended without settling what it owes. While this lives, nobody else settles it.
pub(crate) struct Unfinished {
    pub(crate) run: RunId,
    pub(crate) environment: Option<String>,
    pub(crate) by: String,
    /// Newest last.
    pub(crate) owed: Vec<Debt>,
    file: Appended,
}

impl Unfinished {
    /// Whether files of the working tree want their own content back.
    pub(crate) fn owes_files(&self) -> bool {
        self.owed.iter().any(Debt::is_of_files)
    }

    /// Whether that is all that it owes.
    pub(crate) fn owes_files_alone(&self) -> bool {
        self.owed.iter().all(Debt::is_of_files)
    }
}

/// The runs that still owe something and are at work no more, oldest first.
pub(crate) fn unfinished(state: &StateDir) -> Result<Vec<Unfinished>, JournalError> {
    let Ok(entries) = fs::read_dir(state.runs()) else { return Ok(Vec::new()) };
    let mut folders: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    folders.sort();
    let mut found = Vec::new();
    for folder in folders {
        found.extend(read(&folder)?);
    }
    Ok(found)
}

/// Whether the run in a folder may still need it: there is a journal, and its last line is not the run's end.
pub(super) fn is_open(folder: &Path) -> bool {
    let text = match fs::read(folder.join(FILE)) {
        Ok(text) => text,
        Err(error) => return error.kind() != io::ErrorKind::NotFound,
    };
    let last = text.split_inclusive(|&byte| byte == b'\n').next_back().unwrap_or_default();
    !matches!(serde_json::from_slice(last), Ok(Record::Ended { .. }))
}

fn read(folder: &Path) -> Result<Option<Unfinished>, JournalError> {
    let path = folder.join(FILE);
    let unreadable = |source| JournalError::Unreadable { path: path.clone(), source };
    if !path.exists() {
        return Ok(None);
    }
    let file = Appended::open(&path).map_err(|error| unreadable(error.source))?;
    if !file.claim() {
        return Ok(None);
    }
    let text = fs::read(&path).map_err(unreadable)?;
    Ok(parse(&text, &path)?.map(|Open { run, environment, by, mut owed }| {
        for (index, debt) in owed.iter_mut().enumerate() {
            debt.id = JobId::new(index);
        }
        Unfinished { run, environment, by, owed, file }
    }))
}

/// A journal that has begun and not ended.
#[derive(Debug)]
struct Open {
    run: RunId,
    environment: Option<String>,
    by: String,
    owed: Vec<Debt>,
}

/// What a journal's bytes say. A torn tail is normal after a crash; a torn middle is refused.
fn parse(text: &[u8], path: &Path) -> Result<Option<Open>, JournalError> {
    // What stands after the last newline was never acted upon.
    let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    let mut open: Option<Open> = None;
    for (index, line) in text[..whole].split_inclusive(|&byte| byte == b'\n').enumerate() {
        let damaged = || JournalError::Damaged { path: path.to_owned(), line: index + 1 };
        let record: Record = serde_json::from_slice(line).map_err(|_| damaged())?;
        match (record, &mut open) {
            (Record::Begun { version, .. }, None) if version != VERSION => {
                return Err(JournalError::Version { path: path.to_owned(), version });
            }
            (Record::Begun { run, environment, by, .. }, None) => {
                open = Some(Open { run: RunId(run), environment, by, owed: Vec::new() });
            }
            (Record::Deferred(debt), Some(open)) => open.owed.push(*debt),
            (Record::Settled { seq }, Some(open)) => open.owed.retain(|debt| debt.seq != seq),
            (Record::Ended { .. }, Some(_)) => return Ok(None),
            (Record::Begun { .. }, Some(_)) | (_, None) => return Err(damaged()),
        }
    }
    Ok(open.filter(|open| !open.owed.is_empty()))
}

#[cfg(test)]
mod tests;
