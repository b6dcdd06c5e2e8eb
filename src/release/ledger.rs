//! The ledger of an environment: a chain of commits that only grows, one for each event. The newest one's tree holds
//! what it all comes to. A second writer is told so, and nothing of either is lost.

use thiserror::Error;

use super::Refusal;
use super::event::Event;
use super::git::GitError;
use super::object::{Mode, ObjectKind};
use super::refs::Refs;
use super::scratch::{Scratch, ScratchError, Update};
use super::state::{State, VERSION};
use super::stream::Stream;
use crate::model::release::ObjectId;

/// The file in each event's tree.
const STATE: &str = "state.json";

/// An environment's ledger.
pub(crate) struct Ledger<'s> {
    scratch: &'s Scratch,
    refs: Refs,
}

/// Where the ledger ended when it was read, and what it said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tip {
    /// The newest event's commit; `None` before the first.
    pub(crate) id: Option<ObjectId>,
    pub(crate) state: State,
}

/// Why an event was not written.
#[derive(Debug, Error)]
pub(crate) enum LedgerError {
    #[error("the ledger of {environment} was written by somebody else meanwhile")]
    Moved { environment: String, tip: Box<Tip> },
    #[error(transparent)]
    Scratch(#[from] ScratchError),
}

impl From<GitError> for LedgerError {
    fn from(error: GitError) -> LedgerError {
        LedgerError::Scratch(error.into())
    }
}

impl From<Refusal> for LedgerError {
    fn from(refusal: Refusal) -> LedgerError {
        LedgerError::Scratch(refusal.into())
    }
}

impl<'s> Ledger<'s> {
    pub(crate) fn new(scratch: &'s Scratch, refs: Refs) -> Ledger<'s> {
        Ledger { scratch, refs }
    }

    /// What it says now. One process.
    pub(crate) fn look(&self) -> Result<Tip, LedgerError> {
        let log = self.refs.log();
        let began_before = self.scratch.has_file_of(&log);
        match self.read()? {
            Some(tip) => Ok(tip),
            None if !self.scratch.has_file_of(&log) => Ok(Tip::default()),
            // Somebody wrote the first event while we looked.
            None if !began_before => self.read()?.ok_or_else(|| self.damaged("its ref").into()),
            // Not to be taken for a ledger that has not begun: numbers would be given twice.
            None => Err(self.damaged("its ref").into()),
        }
    }

    /// What git finds; none where it finds no ref that can be read.
    fn read(&self) -> Result<Option<Tip>, LedgerError> {
        let log = self.refs.log();
        let objects = self.scratch.objects(&[format!("{log}^{{commit}}"), format!("{log}:{STATE}")])?;
        let [commit, state] = <[_; 2]>::try_from(objects).unwrap_or_default();
        let Some(commit) = commit else { return Ok(None) };
        let state =
            state.filter(|state| state.kind == ObjectKind::Blob).ok_or_else(|| self.damaged(STATE))?;
        Ok(Some(Tip { id: Some(commit.id), state: self.state(&state.bytes)? }))
    }

    /// Writes an event after `tip`. `Moved` if that is not the newest any more: look again, and decide anew.
    pub(crate) fn append(&self, tip: Tip, event: &Event) -> Result<Tip, LedgerError> {
        let state = tip.state.after(event);
        let json =
            serde_json::to_vec_pretty(&state).expect("names, numbers and texts can be written as JSON");
        let date = format!("{} +0000", event.at.as_second());
        let log = self.refs.log();
        let message = event.message(self.refs.environment());
        let mut stream = Stream::commit(&log, &date, &message, tip.id.as_ref());
        stream.file(STATE, Mode::File, &json);
        // git moves the ref only forward, and only from what it read there: of two who go on from the same tip, or who
        // both begin, one is refused.
        match self.scratch.import(&log, stream, Update::FastForward) {
            Ok((id, _)) => Ok(Tip { id: Some(id), state }),
            Err(failed) => {
                let now = self.look()?;
                if now.id == tip.id {
                    return Err(failed.into());
                }
                Err(LedgerError::Moved {
                    environment: self.refs.environment().to_owned(),
                    tip: Box::new(now),
                })
            }
        }
    }

    /// The newest events, newest first. One process.
    pub(crate) fn events(&self, limit: usize) -> Result<Vec<Event>, LedgerError> {
        let log = self.refs.log();
        if !self.scratch.has_file_of(&log) && self.look()?.id.is_none() {
            return Ok(Vec::new());
        }
        let limit = format!("--max-count={limit}");
        let answer = self.scratch.ask(&["rev-list", "--header", &limit, &log, "--"])?;
        Ok(answer.commits()?.iter().filter_map(|(_, commit)| Event::read(commit)).collect())
    }

    fn state(&self, bytes: &[u8]) -> Result<State, Refusal> {
        #[derive(serde::Deserialize)]
        struct Version {
            version: u32,
        }
        let version: Version = serde_json::from_slice(bytes).map_err(|_| self.damaged(STATE))?;
        if version.version > VERSION {
            let environment = self.refs.environment();
            let message = format!("the ledger of {environment} was written by a newer deploy");
            return Err(Refusal::new(message, "install that version here too"));
        }
        serde_json::from_slice(bytes).map_err(|_| self.damaged(STATE))
    }

    fn damaged(&self, what: &str) -> Refusal {
        let (environment, path) = (self.refs.environment(), self.scratch.path().display());
        Refusal::new(
            format!("the ledger of {environment} is damaged: {what} can't be read"),
            format!(
                "nothing was changed; `git --git-dir={path} fsck --lost-found` names the events that are left, and \
                 `git --git-dir={path} update-ref {} ID` goes back to one",
                self.refs.log()
            ),
        )
    }
}
