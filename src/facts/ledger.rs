//! The ledgers of a project, as a command sees them: a shared one is asked for once, and what can't be reached is noted.

use std::sync::Arc;
use std::time::Duration;

use super::{LookError, Site};
use crate::model::release::Standing;
use crate::process::{Stop, signal};
use crate::release::Refusal;
use crate::release::event::Event;
use crate::release::history;
use crate::release::ledger::team::Team;
use crate::release::ledger::{Ledger, LedgerError, Tip};
use crate::release::refs::Refs;
use crate::release::scratch::Scratch;

/// How many events of a ledger `history` goes back: some thousand releases.
const EVENTS_READ: usize = 10_000;

/// How long a program that waits for others may take to end, once we are asked to.
const GRACE: Duration = Duration::from_secs(2);

impl Site {
    /// The releases of an environment, newest first.
    pub(crate) fn history(&self, environment: &str) -> Result<Vec<history::Delivery>, LookError> {
        let tip = self.tip(environment)?;
        Ok(history::deliveries(&self.events(environment)?, &tip.state))
    }

    /// What an environment's ledger has been told, newest first.
    pub(crate) fn events(&self, environment: &str) -> Result<Vec<Event>, LookError> {
        self.tip(environment)?;
        match self.ledger(environment)? {
            Some(ledger) => Ok(ledger.events(EVENTS_READ)?),
            None => Ok(Vec::new()),
        }
    }

    /// An environment's ledger; none where nothing was ever written, and nothing is shared.
    pub(crate) fn ledger(&self, environment: &str) -> Result<Option<Ledger>, LookError> {
        let Ok(repository) = self.repository() else { return Ok(None) };
        let scratch = match self.sharing.remote {
            // What is looked at is fetched there.
            Some(_) => Some(Scratch::open(&self.state, repository)?),
            None => Scratch::look(&self.state, repository)?,
        };
        let Some(scratch) = scratch else { return Ok(None) };
        let refs = Refs::new(environment)?;
        if self.team.get().is_none() {
            let team = Team::of(&scratch, repository, &self.sharing)?;
            self.team.get_or_init(|| team);
        }
        Ok(Some(match self.team.get().cloned().flatten() {
            Some(team) => Ledger::shared(&scratch, refs, team),
            None => Ledger::new(&scratch, refs),
        }))
    }

    /// The ledger to write to, which is made if it is missing.
    pub(crate) fn open_ledger(&self, environment: &str) -> Result<Ledger, LookError> {
        Scratch::open(&self.state, self.repository()?)?;
        let ledger = self.ledger(environment)?.expect("there is a repository, and it was opened");
        // Who was told to go on without the others writes here, and is heard later.
        Ok(if self.unreached(environment).is_some() { ledger.alone() } else { ledger })
    }

    /// Where an environment's ledger ends: as the team's remote says, where it is shared and can be reached.
    pub(crate) fn tip(&self, environment: &str) -> Result<Tip, LookError> {
        let Some(ledger) = self.ledger(environment)? else { return Ok(Tip::default()) };
        if !ledger.is_shared() || self.asked.borrow().contains_key(environment) {
            return Ok(ledger.look()?);
        }
        let (synced, signal) = interruptible(|stop| ledger.sync(stop));
        if let Some(signal) = signal {
            return Err(LookError::Stopped(signal));
        }
        let (tip, unreached) = match synced {
            Ok(tip) => (tip, None),
            Err(error @ (LedgerError::Unreached { .. } | LedgerError::Declined { .. })) => {
                (ledger.look()?, Some(Refusal { message: error.to_string(), help: error.help() }))
            }
            Err(error @ (LedgerError::Moved { .. } | LedgerError::Scratch(_))) => return Err(error.into()),
        };
        self.asked.borrow_mut().insert(environment.to_owned(), unreached);
        Ok(tip)
    }

    /// Why what was found in a ledger may not be all.
    pub(crate) fn unreached(&self, environment: &str) -> Option<Refusal> {
        self.asked.borrow().get(environment).cloned().flatten()
    }

    /// Why what was found in the ledgers may not be all: each reason once.
    pub(crate) fn all_unreached(&self) -> Vec<Refusal> {
        let mut all: Vec<Refusal> = self.asked.borrow().values().flatten().cloned().collect();
        all.dedup();
        all
    }

    /// Looks at everything anew from now on.
    pub(crate) fn forget(&self) {
        self.asked.borrow_mut().clear();
    }
}

/// Does what may have to wait for others, so that a signal ends it; and the signal, if one came.
pub(crate) fn interruptible<T>(act: impl FnOnce(&Stop) -> T) -> (T, Option<i32>) {
    let stop = Arc::new(Stop::new(GRACE));
    let listener = signal::asking(&stop);
    let done = act(&stop);
    drop(listener);
    (done, stop.asked())
}

/// Where an environment stands, by its ledger.
pub(super) fn standing(tip: Tip) -> Standing {
    Standing { last: tip.state.number, live: tip.state.live }
}
