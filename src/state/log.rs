//! What a run told, kept in `.deploy/runs/ID/output`: a line of JSON for each event, and behind an event of output
//! its bytes as they came, so that the file can be searched. It is never synced, and nothing is recovered from it:
//! a log that breaks is written no further, and its run goes on.

mod replay;
#[cfg(test)]
mod tests;

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, IoSlice, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub(crate) use replay::Replay;

use super::StateDir;
use super::durable::{DurableError, PRIVATE_FILE, PRIVATE_FOLDER};
use crate::diagnostic::Source;
use crate::model::event::{Event, EventKind};
use crate::model::name::{JobId, RunId};

/// The format's version, in the first line.
const VERSION: u32 = 1;

/// The log's name in its run's folder.
pub(super) const FILE: &str = "output";

/// How many bytes of output a log keeps: a task that prints without end must not fill the disk that others need.
const LIMIT: u64 = 1024 * 1024 * 1024;

/// A log that can't be written, or not be read.
#[derive(Debug, Error)]
pub(crate) enum LogError {
    #[error(transparent)]
    Durable(#[from] DurableError),
    #[error("can't write `{}`: {source}", path.display())]
    Unwritable { path: PathBuf, source: io::Error },
    #[error("can't read `{}`: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("`{}` is damaged at byte {at}", path.display())]
    Damaged { path: PathBuf, at: u64 },
    #[error("`{}` was written by another version of deploy ({version})", path.display())]
    Version { path: PathBuf, version: u32 },
}

/// What a run was to do: the first line of its log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct About {
    pub(crate) run: RunId,
    pub(crate) began: Timestamp,
    pub(crate) environment: Option<String>,
    /// As they were asked for; empty: the environment's deploy.
    pub(crate) tasks: Vec<String>,
    /// The names of the plan's jobs.
    pub(crate) jobs: Vec<String>,
    /// The jobs, each behind all that it waits for.
    pub(crate) order: Vec<JobId>,
    pub(crate) sources: Vec<Outline>,
}

/// Where the lines of a source end, which is all that a place of a failure needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outline {
    path: String,
    /// How long each line is, in bytes.
    lines: Vec<u32>,
}

/// How a run ended: the last line of its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct End {
    pub(crate) succeeded: bool,
    /// The signal that ended it early.
    pub(crate) signal: Option<i32>,
    pub(crate) still_owed: usize,
    pub(crate) took: Duration,
    /// How many bytes of output were too many to keep.
    pub(crate) left_out: u64,
}

/// The log of a run that runs. It is locked until it is dropped: so others see that the run is not over.
pub(crate) struct Log {
    path: PathBuf,
    file: File,
    /// How many more bytes of output it takes, and how many it did not.
    room: u64,
    left_out: u64,
    end: Option<End>,
    error: Option<io::Error>,
    /// A line on its way out; kept for its memory.
    line: Vec<u8>,
}

impl Log {
    /// Creates the log of a run.
    pub(crate) fn begin(state: &StateDir, about: &About) -> Result<Log, LogError> {
        state.create()?;
        let folder = state.run(&about.run);
        let path = folder.join(FILE);
        let create = || {
            DirBuilder::new().recursive(true).mode(PRIVATE_FOLDER).create(&folder)?;
            let file = OpenOptions::new().append(true).create_new(true).mode(PRIVATE_FILE).open(&path)?;
            // Nobody else knows of the file yet.
            let _locked = file.try_lock();
            Ok(file)
        };
        let file = create().map_err(|source| LogError::Unwritable { path: path.clone(), source })?;
        let mut log = Log { path, file, room: LIMIT, left_out: 0, end: None, error: None, line: Vec::new() };
        log.write(&Head { version: VERSION, about }, None);
        Ok(log)
    }

    /// Keeps an event. What goes wrong is for `finish` to tell.
    pub(crate) fn event(&mut self, event: &Event) {
        let bytes =
            if let EventKind::Output { bytes, .. } = &event.kind { Some(bytes.as_slice()) } else { None };
        let length = bytes.map_or(0, |bytes| bytes.len() as u64);
        if length > self.room || (length > 0 && self.left_out > 0) {
            self.left_out += length;
            return;
        }
        self.room -= length;
        if let EventKind::RunEnded { summary } = &event.kind {
            self.end = Some(End {
                succeeded: summary.succeeded(),
                signal: summary.signal,
                still_owed: summary.still_owed,
                took: summary.took,
                left_out: 0,
            });
        }
        self.write(&Told { event, length: bytes.map(<[u8]>::len) }, bytes);
    }

    /// Says that the run is over. Gives how many bytes of output were left out.
    ///
    /// # Errors
    /// What kept it from being written, at any time.
    pub(crate) fn finish(mut self) -> Result<u64, LogError> {
        if let Some(end) = self.end {
            self.write(&Last { end: End { left_out: self.left_out, ..end } }, None);
        }
        match self.error {
            Some(source) => Err(LogError::Unwritable { path: self.path, source }),
            None => Ok(self.left_out),
        }
    }

    /// Writes at once: a run that is killed leaves all that it told.
    fn write(&mut self, line: &impl Serialize, bytes: Option<&[u8]>) {
        if self.error.is_some() {
            return;
        }
        self.line.clear();
        serde_json::to_writer(&mut self.line, line).expect("an event has no map with odd keys");
        self.line.push(b'\n');
        self.error = match bytes {
            // With what it is behind in one call, and not copied.
            Some(bytes) => write_all(&mut self.file, [&self.line, bytes, b"\n"]).err(),
            None => self.file.write_all(&self.line).err(),
        };
    }
}

fn write_all(file: &mut File, pieces: [&[u8]; 3]) -> io::Result<()> {
    let mut slices = pieces.map(IoSlice::new);
    let mut left = slices.as_mut_slice();
    while !left.is_empty() {
        match file.write_vectored(left) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => IoSlice::advance_slices(&mut left, count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[derive(Serialize)]
struct Head<'a> {
    version: u32,
    #[serde(flatten)]
    about: &'a About,
}

#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    event: &'a Event,
    /// How many bytes follow the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<usize>,
}

#[derive(Serialize)]
struct Last {
    end: End,
}

impl Outline {
    pub(crate) fn of(source: &Source) -> Outline {
        let length = |line: &str| u32::try_from(line.len()).unwrap_or(u32::MAX);
        Outline { path: source.path.clone(), lines: source.text.split('\n').map(length).collect() }
    }

    /// A source whose lines lie where those of the original did.
    pub(crate) fn source(&self) -> Source {
        let lines: Vec<String> = self.lines.iter().map(|length| " ".repeat(*length as usize)).collect();
        Source::new(self.path.clone(), lines.join("\n"))
    }
}
