//! The ledger of an environment: a chain of commits that only grows, one for each event. The newest one's tree holds
//! what it all comes to. A second writer is told so, and nothing of either is lost. `team` shares it.

mod home;
pub(crate) mod team;
mod trouble;

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
use crate::process::Stop;
use team::Team;

/// The file in each event's tree.
const STATE: &str = "state.json";

/// An environment's ledger.
pub(crate) struct Ledger {
    scratch: Scratch,
    refs: Refs,
    /// With whom it is shared, if it is.
    team: Option<Team>,
}

/// Where the ledger ended when it was read, and what it said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tip {
    /// The newest event's commit; `None` before the first.
    pub(crate) id: Option<ObjectId>,
    pub(crate) state: State,
}

/// Why an event was not written, or the ledger not read.
#[derive(Debug, Error)]
pub(crate) enum LedgerError {
    #[error("the ledger of {environment} was written by somebody else meanwhile")]
    Moved { environment: String, tip: Box<Tip> },
    /// The team's remote can't be asked, or what it did is not known.
    #[error("the ledger of {environment} is shared through {remote}, which can't be reached: {reason}")]
    Unreached { environment: String, remote: String, reason: String, help: String },
    /// It can be asked, and takes no event.
    #[error(
        "the ledger of {environment} is shared through {remote}, which takes nothing from here: {reason}"
    )]
    Declined { environment: String, remote: String, reason: String, help: String },
    #[error(transparent)]
    Scratch(#[from] ScratchError),
}

impl LedgerError {
    /// What to do about it.
    pub(crate) fn help(&self) -> Option<String> {
        match self {
            LedgerError::Moved { .. } => Some("look at deploy status, and try again".to_owned()),
            LedgerError::Unreached { help, .. } | LedgerError::Declined { help, .. } => Some(help.clone()),
            LedgerError::Scratch(ScratchError::Refused(refusal)) => refusal.help.clone(),
            LedgerError::Scratch(ScratchError::Git(error)) => error.help().map(str::to_owned),
            LedgerError::Scratch(ScratchError::Durable(_) | ScratchError::Lock { .. }) => None,
        }
    }
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

impl Ledger {
    /// The ledger that is kept on this machine.
    pub(crate) fn new(scratch: &Scratch, refs: Refs) -> Ledger {
        Ledger { scratch: scratch.clone(), refs, team: None }
    }

    /// The ledger as it is shared with others.
    pub(crate) fn shared(scratch: &Scratch, refs: Refs, team: Team) -> Ledger {
        Ledger { scratch: scratch.clone(), refs, team: Some(team) }
    }

    pub(crate) fn environment(&self) -> &str {
        self.refs.environment()
    }

    pub(crate) fn is_shared(&self) -> bool {
        self.team.is_some()
    }

    /// What it says now, as far as this machine knows. One process.
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

    /// Writes events after `tip`, all or none. `Moved` if that is not the newest any more: look again, and decide anew.
    pub(crate) fn append(&self, tip: Tip, events: &[Event], stop: &Stop) -> Result<Tip, LedgerError> {
        match &self.team {
            Some(team) => self.append_shared(team, &tip, events, stop),
            None => events.iter().try_fold(tip, |tip, event| self.append_here(tip, event)),
        }
    }

    fn append_here(&self, tip: Tip, event: &Event) -> Result<Tip, LedgerError> {
        let before = tip.id.clone();
        // git moves the ref only forward, and only from what it read there: of two who go on from the same tip, or who
        // both begin, one is refused.
        self.write(&self.refs.log(), Update::FastForward, tip, event).or_else(|failed| {
            let now = self.look()?;
            if now.id == before { Err(failed) } else { Err(self.moved(now)) }
        })
    }

    /// Makes the commit of an event that goes on from `tip`, and `reference` name it.
    fn write(&self, reference: &str, update: Update, tip: Tip, event: &Event) -> Result<Tip, LedgerError> {
        let Tip { id, state } = tip;
        let mut state = state.after(event);
        if let Some(team) = &self.team {
            state.folder = Some(team.home.folder.clone());
        }
        let json =
            serde_json::to_vec_pretty(&state).expect("names, numbers and texts can be written as JSON");
        let date = format!("{} +0000", event.at.as_second());
        let mut unique = [0_u8; 8];
        // Two writers who say the same at the same time must not make the same commit: both would find it accepted.
        getrandom::fill(&mut unique).map_err(|error| Refusal {
            message: format!("the system has no random numbers: {error}"),
            help: None,
        })?;
        let mut message = event.message(self.refs.environment(), u64::from_be_bytes(unique));
        if self.team.as_ref().is_some_and(Team::keeps_branches) {
            message = message.replacen('\n', " [skip ci]\n", 1);
        }
        let mut stream = Stream::commit(reference, &date, &message, id.as_ref());
        stream.file(STATE, Mode::File, &json);
        let (id, _) = self.scratch.import(reference, stream, update)?;
        Ok(Tip { id: Some(id), state })
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

    fn moved(&self, tip: Tip) -> LedgerError {
        LedgerError::Moved { environment: self.refs.environment().to_owned(), tip: Box::new(tip) }
    }

    fn state(&self, bytes: &[u8]) -> Result<State, Refusal> {
        #[derive(serde::Deserialize)]
        struct Version {
            version: u32,
        }
        let version: Version = serde_json::from_slice(bytes).map_err(|_| self.damaged(STATE))?;
        let environment = self.refs.environment();
        if version.version > VERSION {
            let message = format!("the ledger of {environment} was written by a newer deploy");
            return Err(Refusal::new(message, "install that version here too"));
        }
        let state: State = serde_json::from_slice(bytes).map_err(|_| self.damaged(STATE))?;
        match &self.team {
            Some(team) => team.home.owns(environment, state),
            None => Ok(state),
        }
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
