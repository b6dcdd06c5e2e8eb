//! The environments that a run holds: what goes out to each, how far that has come, and what the ledger is told of it.

use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;

use crate::facts::now;
use crate::model::event::Failure;
use crate::model::name::RunId;
use crate::model::release::{Release, Source};
use crate::plan::{Delivery, Swapping};
use crate::process::Stop;
use crate::release::event::{Event, What};
use crate::release::holding::{Holding, HoldingError};
use crate::release::refs::Refs;
use crate::release::repository::Repository;
use crate::release::scratch::Scratch;
use crate::release::swap::Entry;

/// The environments that a plan deploys to, held by this run.
#[derive(Default)]
pub(crate) struct Docks<'a> {
    pub(crate) docks: Vec<Dock<'a>>,
}

/// One environment that is held: its ledger, and what goes out to it.
pub(crate) struct Dock<'a> {
    pub(crate) delivery: &'a Delivery,
    pub(crate) repository: &'a Repository,
    pub(crate) scratch: Scratch,
    pub(crate) refs: Refs,
    pub(crate) entries: Vec<Entry>,
    pub(crate) again: Again,
    pub(crate) swapping: Swapping,
    /// What a rollback takes away.
    pub(crate) away: Option<Away>,
    pub(crate) by: String,
    pub(crate) began: Timestamp,
    /// From before the first job until after the last word of the ledger.
    pub(crate) holding: Holding,
    pub(crate) stage: Mutex<Stage>,
}

/// A release that goes because an earlier one comes back.
pub(crate) struct Away {
    pub(crate) number: u32,
    pub(crate) why: String,
}

/// What to do with a commit that is live already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    LeaveIt,
    /// `--rebuild`.
    Ship,
}

/// How far a delivery has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Nothing has been shipped, and no number was used.
    Waiting,
    /// The commit is live already.
    Already,
    /// The ledger says that it is on its way, and it has not arrived, or nobody knows.
    Started,
    /// The target has it.
    Shipped,
    /// The connection was cut: only the target knows, and the next run asks it.
    Unknown,
}

impl<'a> Docks<'a> {
    /// Says to the ledgers how it ended, live after success, failed otherwise, and lets go of the environments. Gives
    /// what could not be said.
    pub(crate) fn finish(&self, run: &RunId, failed_because: Option<&str>) -> Vec<String> {
        let finished = self.docks.iter().map(|dock| {
            let unlocked = dock.event(run, What::Unlocked, None);
            dock.last_words(run, failed_because, Some(unlocked))
        });
        finished.filter_map(Result::err).collect()
    }

    /// Takes an environment out of those that are held, if `fits` says so.
    pub(crate) fn take(&mut self, environment: &str, fits: impl Fn(&Dock<'_>) -> bool) -> Option<Dock<'a>> {
        let is_it = |dock: &Dock<'_>| dock.delivery.environment == environment && fits(dock);
        let place = self.docks.iter().position(is_it)?;
        Some(self.docks.remove(place))
    }

    /// Lets go of the environments before anything was begun.
    pub(crate) fn let_go(&self, run: &RunId) {
        for dock in &self.docks {
            let unlocked = dock.event(run, What::Unlocked, None);
            // Who can't be told finds a lock whose run is gone.
            let _told = dock.holding.free(Vec::new(), unlocked, &Stop::new(Duration::ZERO));
        }
    }

    /// Keeps deploy's own repository quick; what can't be tidied now is tidied another time.
    pub(crate) fn tidy(&self) {
        for dock in &self.docks {
            let _tidied = dock.scratch.tidy();
        }
    }

    /// The environments that nothing was shipped to, each with the release that is live there.
    pub(crate) fn untouched(&self) -> Vec<(&str, Option<u32>)> {
        let docks = self.docks.iter();
        let waiting = docks.filter(|dock| dock.delivery.target.is_some() && dock.stage() == Stage::Waiting);
        let live = |dock: &Dock<'_>| dock.holding.tip().state.live.map(|live| live.number);
        waiting.map(|dock| (dock.delivery.environment.as_str(), live(dock))).collect()
    }

    /// What serves because of this run, by environment.
    pub(crate) fn live(&self, run: &RunId) -> Vec<(&str, Release)> {
        let of = |dock: &'_ Dock<'a>| dock.holding.tip().state.live.filter(|live| live.run == *run);
        let docks = self.docks.iter();
        docks.filter_map(|dock| Some((dock.delivery.environment.as_str(), of(dock)?))).collect()
    }

    pub(super) fn of(&self, environment: Option<&str>) -> Option<&Dock<'a>> {
        self.docks.iter().find(|dock| Some(dock.delivery.environment.as_str()) == environment)
    }
}

impl Dock<'_> {
    /// A release without a target: nothing was shipped as a commit.
    fn unshipped(&self, run: &RunId, source: &Source) -> Release {
        Release {
            number: self.delivery.number,
            source: source.commit.clone(),
            source_tree: source.tree.clone(),
            subject: source.subject.clone(),
            branch: source.branch.clone(),
            commit: None,
            tree: None,
            swapped: Vec::new(),
            restores: None,
            deployment: None,
            run: run.clone(),
            by: self.by.clone(),
            at: now(),
        }
    }

    /// Says how it ended, and keeps hold of the environment: what follows is another release.
    pub(crate) fn conclude(self, run: &RunId, failed_because: &str) -> Result<Holding, String> {
        self.last_words(run, Some(failed_because), None)?;
        Ok(self.holding)
    }

    /// How far it has come.
    pub(crate) fn stage(&self) -> Stage {
        *self.stage.lock().expect("no thread panics while it ships")
    }

    /// Says how it ended, if there is anything to say, and lets go with `unlocked`.
    fn last_words(
        &self,
        run: &RunId,
        failed_because: Option<&str>,
        unlocked: Option<Event>,
    ) -> Result<(), String> {
        let outcome = if failed_because.is_some() { What::Failed } else { What::Live };
        let mut last = match self.stage() {
            Stage::Already | Stage::Unknown => Vec::new(),
            Stage::Waiting if self.delivery.target.is_some() => Vec::new(),
            // A deploy task without a target is a release all the same.
            Stage::Waiting => match &self.delivery.source {
                None => Vec::new(),
                Some(source) => {
                    let started = What::Started(Box::new(self.unshipped(run, source)));
                    vec![self.event(run, started, None), self.event(run, outcome, failed_because)]
                }
            },
            Stage::Started => {
                vec![self.event(run, What::Failed, failed_because.or(Some("it did not arrive")))]
            }
            Stage::Shipped => vec![self.event(run, outcome, failed_because)],
        };
        if let (Some(Away { number, why }), Stage::Shipped, None) = (&self.away, self.stage(), failed_because)
        {
            let by = self.delivery.number;
            let gone = self.event(run, What::RolledBack { by }, Some(why));
            last.push(Event { release: Some(*number), took: None, ..gone });
            let why = format!("rolled back from release {number}: {why}");
            last.push(self.event(run, What::Frozen, Some(&why)));
        }
        // Not even a second Ctrl-C keeps it from being said: others wait for it.
        let stop = Stop::new(Duration::ZERO);
        let said = match unlocked {
            Some(unlocked) => self.holding.free(last, unlocked, &stop),
            None => self.holding.say(&last, &stop),
        };
        said.map_err(|error| self.unsaid(&error).0)
    }

    pub(super) fn say(&self, run: &RunId, what: What, reason: Option<&str>) -> Result<(), Failure> {
        let said = self.holding.say(&[self.event(run, what, reason)], &Stop::new(Duration::ZERO));
        said.map_err(|error| {
            let (message, help) = self.unsaid(&error);
            Failure::Unmet { message, help }
        })
    }

    fn event(&self, run: &RunId, what: What, reason: Option<&str>) -> Event {
        let at = now();
        Event {
            what,
            at,
            by: self.by.clone(),
            run: Some(run.clone()),
            release: Some(self.delivery.number),
            reason: reason.map(str::to_owned),
            took: u64::try_from(at.duration_since(self.began).as_secs()).ok(),
        }
    }

    /// Why the ledger was not told, and what to do about it.
    fn unsaid(&self, error: &HoldingError) -> (String, Option<String>) {
        let environment = &self.delivery.environment;
        match error {
            HoldingError::Ledger(error) => (error.to_string(), error.help()),
            HoldingError::Lost | HoldingError::Locked(_) | HoldingError::Changed => (
                format!("the lock of {environment} was taken away from this run"),
                Some(format!("deploy history {environment} --events tells by whom, and why")),
            ),
        }
    }
}
