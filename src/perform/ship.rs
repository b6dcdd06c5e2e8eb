//! The release of an environment: its commit is made, its target gets it, and the ledger says each step of it before
//! and after. Whether it may go out was decided before.

use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;

use super::{Hands, exec};
use crate::engine::Act;
use crate::facts::now;
use crate::model::event::{Failure, Told};
use crate::model::name::RunId;
use crate::model::release::{Release, Source};
use crate::model::target::Target;
use crate::plan::{Delivery, Swapping};
use crate::process::Stop;
use crate::release::commit::{Made, ReleaseCommit};
use crate::release::event::{Event, What};
use crate::release::holding::{Holding, HoldingError};
use crate::release::refs::Refs;
use crate::release::repository::Repository;
use crate::release::scratch::Scratch;
use crate::release::swap::Entry;
use crate::target::{self, Crew, Holds, NotShipped, Shipment};

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
    pub(crate) by: String,
    pub(crate) began: Timestamp,
    /// From before the first job until after the last word of the ledger.
    pub(crate) holding: Holding,
    pub(crate) stage: Mutex<Stage>,
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

/// Ships the release of the job's environment.
pub(super) fn ship(
    hands: &Hands<'_>,
    act: &Act<'_>,
    stop: &Stop,
    tell: &mut dyn FnMut(Told),
) -> Result<(), Failure> {
    let dock = hands.docks.of(act.environment).expect("a plan that ships has a dock for each environment");
    dock.ship(hands, act, stop, tell)
}

impl<'a> Docks<'a> {
    /// Says to the ledgers how it ended, live after success, failed otherwise, and lets go of the environments. Gives
    /// what could not be said.
    pub(crate) fn finish(&self, run: &RunId, failed_because: Option<&str>) -> Vec<String> {
        let finished = self.docks.iter().map(|dock| dock.finish(run, failed_because));
        finished.filter_map(Result::err).collect()
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

    /// What serves because of this run, by environment.
    pub(crate) fn live(&self, run: &RunId) -> Vec<(&str, Release)> {
        let of = |dock: &'_ Dock<'a>| dock.holding.tip().state.live.filter(|live| live.run == *run);
        let docks = self.docks.iter();
        docks.filter_map(|dock| Some((dock.delivery.environment.as_str(), of(dock)?))).collect()
    }

    fn of(&self, environment: Option<&str>) -> Option<&Dock<'a>> {
        self.docks.iter().find(|dock| Some(dock.delivery.environment.as_str()) == environment)
    }
}

impl Dock<'_> {
    fn ship(
        &self,
        hands: &Hands<'_>,
        act: &Act<'_>,
        stop: &Stop,
        tell: &mut dyn FnMut(Told),
    ) -> Result<(), Failure> {
        let (Some(source), Some(target)) = (&self.delivery.source, &self.delivery.target) else {
            unreachable!("what has no commit or no target is refused before the first job");
        };
        let mut stage = self.stage.lock().expect("no thread panics while it ships");
        let state = self.holding.tip().state;
        if self.again == Again::LeaveIt
            && let Some(live) = state.serves()
            && self.scratch.is_same(live, source, &self.entries).map_err(|error| unmet(error.to_string()))?
        {
            tell(Told::Note(format!(
                "{} is live already, as release {}",
                source.commit.short(),
                live.number
            )));
            *stage = Stage::Already;
            return Ok(());
        }
        let commit = ReleaseCommit {
            refs: &self.refs,
            number: self.delivery.number,
            run: &hands.run,
            source,
            entries: &self.entries,
            parent: state.shipped.as_ref(),
        };
        let made = match self.swapping {
            Swapping::Beside => commit.make(&self.scratch).map_err(|error| unmet(error.to_string()))?,
            // The commit with the swap is on the user's branch already.
            Swapping::InPlace => {
                let head = self.repository.source("HEAD").map_err(|error| unmet(error.to_string()))?;
                Made { commit: head.commit, tree: head.tree }
            }
        };
        let release = commit.record(&made, &self.by, now());
        self.say(&hands.run, What::Started(Box::new(release)), None)?;
        *stage = Stage::Started;
        let shipment = Shipment {
            environment: &self.delivery.environment,
            number: self.delivery.number,
            commit: &made.commit,
            before: state.shipped.as_ref(),
            live: state.live.as_ref().map(|live| live.number),
            root: &hands.root,
            room: &exec::room(hands),
            state: &hands.state,
            repository: self.repository,
            scratch: &self.scratch,
        };
        let crew = Crew {
            line: &|script, folder, tell| exec::line(hands, act, script, folder, stop, tell),
            program: &|words, folder, tell| exec::program_in(hands, act, words, folder, stop, tell),
            stop,
            tell,
        };
        let shipped = match target {
            Target::Git(git) => target::git::ship(git, &shipment, crew),
            Target::Server(server) => target::server::ship(server, &shipment, crew),
            Target::Command(command) => target::command::ship(command, &shipment, crew),
        };
        let holds = shipped.as_ref().map_or_else(|not| not.holds, |()| Holds::Release);
        match holds {
            Holds::Before => {}
            Holds::Unknown => *stage = Stage::Unknown,
            Holds::Foreign => self.say(&hands.run, What::Moved, None)?,
            Holds::Release => {
                self.say(&hands.run, What::Shipped, None)?;
                *stage = Stage::Shipped;
            }
        }
        shipped.map_err(|not: NotShipped| not.failure)
    }

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
            run: run.clone(),
            by: self.by.clone(),
            at: now(),
        }
    }

    /// Says how it ended, if there is anything to say, and lets go.
    fn finish(&self, run: &RunId, failed_because: Option<&str>) -> Result<(), String> {
        let outcome = if failed_because.is_some() { What::Failed } else { What::Live };
        let last = match *self.stage.lock().expect("no thread panics while it ships") {
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
        let unlocked = self.event(run, What::Unlocked, None);
        // Not even a second Ctrl-C keeps it from being said: others wait for it.
        let freed = self.holding.free(last, unlocked, &Stop::new(Duration::ZERO));
        freed.map_err(|error| self.unsaid(&error).0)
    }

    fn say(&self, run: &RunId, what: What, reason: Option<&str>) -> Result<(), Failure> {
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

fn unmet(message: String) -> Failure {
    Failure::Unmet { message, help: None }
}
