//! Reads a log again, event by event, however its run ended: what was told until then is told.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::{About, End, FILE, LogError, VERSION};
use crate::model::event::{Event, EventKind, Outcome};
use crate::model::name::JobId;

/// A log that is being read. Where it ends too early, the jobs that had not ended are told as stopped.
pub(crate) struct Replay {
    pub(crate) about: About,
    /// How the run ended: known once all events are read, if it ended by itself.
    pub(crate) end: Option<End>,
    path: PathBuf,
    reader: BufReader<File>,
    /// How many bytes have been read.
    read: u64,
    /// When the last event was.
    at: Duration,
    /// The jobs whose end has not been read.
    open: BTreeSet<JobId>,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Last {
        end: End,
    },
    Told {
        #[serde(flatten)]
        event: Event,
        #[serde(default)]
        length: u64,
    },
}

impl Replay {
    /// Opens the log in a run's folder.
    pub(crate) fn open(folder: &Path) -> Result<Replay, LogError> {
        let path = folder.join(FILE);
        let unreadable = |source| LogError::Unreadable { path: path.clone(), source };
        let mut reader = BufReader::new(File::open(&path).map_err(unreadable)?);
        let mut head = Vec::new();
        reader.read_until(b'\n', &mut head).map_err(unreadable)?;
        let damaged = |_| LogError::Damaged { path: path.clone(), at: 0 };
        let Version { version } = serde_json::from_slice(&head).map_err(damaged)?;
        if version != VERSION {
            return Err(LogError::Version { path, version });
        }
        let about: About = serde_json::from_slice(&head).map_err(damaged)?;
        let (open, read) = (about.order.iter().copied().collect(), head.len() as u64);
        Ok(Replay { about, end: None, path, reader, read, at: Duration::ZERO, open })
    }

    /// The next event that was kept; none where whole lines end.
    fn kept(&mut self) -> Result<Option<Event>, LogError> {
        let start = self.read;
        let unreadable = |source| LogError::Unreadable { path: self.path.clone(), source };
        let damaged = || LogError::Damaged { path: self.path.clone(), at: start };
        let mut line = Vec::new();
        self.read += self.reader.read_until(b'\n', &mut line).map_err(unreadable)? as u64;
        if line.last() != Some(&b'\n') {
            return Ok(None);
        }
        match serde_json::from_slice(&line).map_err(|_| damaged())? {
            Line::Last { end } => {
                self.end = Some(end);
                Ok(None)
            }
            Line::Told { mut event, length } => {
                if let EventKind::Output { bytes, .. } = &mut event.kind {
                    let mut output = (&mut self.reader).take(length + 1);
                    self.read += output.read_to_end(bytes).map_err(unreadable)? as u64;
                    if bytes.len() as u64 > length && bytes.pop() != Some(b'\n') {
                        return Err(damaged());
                    }
                }
                Ok(Some(event))
            }
        }
    }
}

impl Iterator for Replay {
    type Item = Result<Event, LogError>;

    fn next(&mut self) -> Option<Result<Event, LogError>> {
        let kept = match self.kept() {
            Ok(kept) => kept,
            Err(error) => return Some(Err(error)),
        };
        let stopped = || {
            let job = self.open.first().copied().filter(|_| self.end.is_none())?;
            let kind = EventKind::JobEnded { job, outcome: Outcome::Stopped, took: Duration::ZERO };
            Some(Event { at: self.at, kind })
        };
        let event = kept.or_else(stopped)?;
        if let EventKind::JobEnded { job, .. } = &event.kind {
            self.open.remove(job);
        }
        self.at = event.at;
        Some(Ok(event))
    }
}
