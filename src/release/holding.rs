//! An environment that a run holds: on this machine by a file, among the team by an event in the ledger. It is taken
//! before anything costly, tells the ledger what happens meanwhile, and is let go by nobody but the run that holds it.

use std::sync::{Mutex, MutexGuard};

use thiserror::Error;

use super::event::{Event, What};
use super::ledger::{Ledger, LedgerError, Tip};
use super::lock::Lock;
use super::state::{Hold, State};
use crate::model::name::RunId;
use crate::process::Stop;

/// How often an event is written on top of what others wrote meanwhile.
const TRIES: u32 = 10;

/// The right to change an environment, and the ledger that is told of it.
pub(crate) struct Holding {
    /// Held from before the first word in the ledger until after the last one.
    #[expect(dead_code, reason = "it is held, and freed when the holding goes")]
    lock: Lock,
    ledger: Ledger,
    tip: Mutex<Tip>,
    claim: Claim,
}

/// What the ledger says of who holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Claim {
    /// Nothing: the lock of this machine is enough.
    Unsaid,
    /// That this run does.
    Ours(RunId),
    /// That the run does which this one is a part of.
    Outer(RunId),
}

/// Why an environment can't be held, or is held no longer.
#[derive(Debug, Error)]
pub(crate) enum HoldingError {
    #[error("it is locked")]
    Locked(Box<Hold>),
    /// What was decided does not stand on what is so any more.
    #[error("it was changed by somebody else meanwhile")]
    Changed,
    /// The lock was broken.
    #[error("the lock was taken away from this run")]
    Lost,
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Holding {
    /// Takes hold: `locked` is the first word, where it is shared; `notes` follow. `tip` is what was decided upon: if the
    /// ledger has moved since in what counts, it is refused, and nothing was written. `within`: the run that this one is
    /// a part of. Gives also whose lock was broken for it, because that run is gone.
    pub(crate) fn take(
        lock: Lock,
        ledger: Ledger,
        tip: Tip,
        locked: &Event,
        notes: &[Event],
        within: Option<&RunId>,
        stop: &Stop,
    ) -> Result<(Holding, Option<Hold>), HoldingError> {
        let decided = tip.state.clone();
        // What is shared is decided by the remote when it takes the first word.
        let mut tip = if ledger.is_shared() { tip } else { ledger.look()? };
        for _ in 0..TRIES {
            let mut events = Vec::new();
            let mut broken = None;
            if let Some(hold) = &tip.state.lock {
                if let Some(outer) = hold.run.as_ref().filter(|run| Some(*run) == within) {
                    let claim = Claim::Outer(outer.clone());
                    let holding = Holding { lock, ledger, tip: Mutex::new(tip), claim };
                    holding.say(notes, stop)?;
                    return Ok((holding, None));
                }
                if !hold.seat.as_ref().is_some_and(|seat| seat.is_left()) {
                    return Err(HoldingError::Locked(Box::new(hold.clone())));
                }
                let reason = Some("its process is gone".to_owned());
                events.push(Event {
                    what: What::LockBroken { of: hold.run.clone() },
                    reason,
                    ..locked.clone()
                });
                broken = Some(hold.clone());
            }
            if !is_as_decided(&decided, &tip.state) {
                return Err(HoldingError::Changed);
            }
            let claim = match (&locked.run, ledger.is_shared()) {
                (Some(run), true) => {
                    events.push(locked.clone());
                    Claim::Ours(run.clone())
                }
                (Some(_) | None, _) => Claim::Unsaid,
            };
            events.extend_from_slice(notes);
            match ledger.append(tip, &events, stop) {
                Ok(tip) => return Ok((Holding { lock, ledger, tip: Mutex::new(tip), claim }, broken)),
                Err(LedgerError::Moved { tip: now, .. }) => tip = *now,
                Err(error) => return Err(error.into()),
            }
        }
        Err(HoldingError::Changed)
    }

    /// Writes what happened, behind all that is there.
    pub(crate) fn say(&self, events: &[Event], stop: &Stop) -> Result<(), HoldingError> {
        if events.is_empty() {
            return Ok(());
        }
        let mut tip = self.lock_tip();
        let mut at = tip.clone();
        for _ in 0..TRIES {
            match self.ledger.append(at, events, stop) {
                Ok(now) => {
                    *tip = now;
                    return Ok(());
                }
                Err(LedgerError::Moved { tip: now, .. }) if self.holds_still(&now.state) => at = *now,
                Err(LedgerError::Moved { .. }) => return Err(HoldingError::Lost),
                Err(error) => return Err(error.into()),
            }
        }
        Err(HoldingError::Changed)
    }

    /// Says the last words, and lets go. `unlocked` is written only where the ledger says that this run holds it.
    pub(crate) fn free(&self, last: Vec<Event>, unlocked: Event, stop: &Stop) -> Result<(), HoldingError> {
        let mut events = last;
        match &self.claim {
            Claim::Ours(_) => events.push(unlocked),
            Claim::Outer(_) | Claim::Unsaid => {}
        }
        self.say(&events, stop)
    }

    /// Whether others have a part in it.
    pub(crate) fn is_shared(&self) -> bool {
        self.ledger.is_shared()
    }

    /// Where the ledger ends.
    pub(crate) fn tip(&self) -> Tip {
        self.lock_tip().clone()
    }

    fn holds_still(&self, state: &State) -> bool {
        match &self.claim {
            // A person's lock keeps others away, not a run that is under way.
            Claim::Unsaid => true,
            Claim::Ours(run) | Claim::Outer(run) => {
                state.lock.as_ref().and_then(|hold| hold.run.as_ref()) == Some(run)
            }
        }
    }

    fn lock_tip(&self) -> MutexGuard<'_, Tip> {
        self.tip.lock().expect("no thread panics while it writes to the ledger")
    }
}

/// Whether a decision still stands: what is live, on its way, on the target, and frozen is as it was.
fn is_as_decided(decided: &State, now: &State) -> bool {
    decided.number == now.number
        && decided.live == now.live
        && decided.shipped == now.shipped
        && decided.pending == now.pending
        && decided.moved == now.moved
        && decided.frozen == now.frozen
}
