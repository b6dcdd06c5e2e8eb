//! The release of an environment: its commit is made, its target gets it, and the ledger says each step of it before
//! and after. Whether it may go out was decided before.

use std::sync::Mutex;

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
use crate::release::ledger::{Ledger, LedgerError, Tip};
use crate::release::lock::Lock;
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
    /// Held from before the first job until after the last word of the ledger.
    #[expect(dead_code, reason = "it is held, and freed when the dock goes")]
    pub(crate) lock: Lock,
    pub(crate) log: Mutex<Log>,
}

/// What to do with a commit that is live already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    LeaveIt,
    /// `--rebuild`.
    Ship,
}

/// What this run has said to the ledger.
pub(crate) struct Log {
    pub(crate) tip: Tip,
    pub(crate) stage: Stage,
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
    /// Says to the ledgers how it ended: live after success, failed otherwise. Gives what could not be said.
    pub(crate) fn finish(&self, run: &RunId, failed_because: Option<&str>) -> Vec<String> {
        self.docks
            .iter()
            .filter_map(|dock| dock.finish(run, failed_because).err())
            .map(|error| error.to_string())
            .collect()
    }

    /// Keeps deploy's own repository quick; what can't be tidied now is tidied another time.
    pub(crate) fn tidy(&self) {
        for dock in &self.docks {
            let _tidied = dock.scratch.tidy();
        }
    }

    /// What serves because of this run, by environment.
    pub(crate) fn live(&self, run: &RunId) -> Vec<(&str, Release)> {
        let of = |dock: &'_ Dock<'a>| {
            let log = dock.log.lock().expect("no thread panics while it ships");
            log.tip.state.live.clone().filter(|live| live.run == *run)
        };
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
        let mut log = self.log.lock().expect("no thread panics while it ships");
        if self.again == Again::LeaveIt
            && let Some(live) = log.tip.state.serves()
            && self.scratch.is_same(live, source, &self.entries).map_err(|error| unmet(error.to_string()))?
        {
            tell(Told::Note(format!(
                "{} is live already, as release {}",
                source.commit.short(),
                live.number
            )));
            log.stage = Stage::Already;
            return Ok(());
        }
        let commit = ReleaseCommit {
            refs: &self.refs,
            number: self.delivery.number,
            run: &hands.run,
            source,
            entries: &self.entries,
            parent: log.tip.state.shipped.as_ref(),
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
        let before = log.tip.state.shipped.clone();
        let live = log.tip.state.live.as_ref().map(|live| live.number);
        self.say(&hands.run, &mut log, What::Started(Box::new(release)), None)
            .map_err(|error| unmet(error.to_string()))?;
        log.stage = Stage::Started;
        let shipment = Shipment {
            environment: &self.delivery.environment,
            number: self.delivery.number,
            commit: &made.commit,
            before: before.as_ref(),
            live,
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
            Holds::Unknown => log.stage = Stage::Unknown,
            Holds::Foreign => {
                self.say(&hands.run, &mut log, What::Moved, None)
                    .map_err(|error| unmet(error.to_string()))?;
            }
            Holds::Release => {
                self.say(&hands.run, &mut log, What::Shipped, None)
                    .map_err(|error| unmet(error.to_string()))?;
                log.stage = Stage::Shipped;
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

    /// Writes what a look at the target has shown, or a rule that was overridden, before anything is shipped.
    pub(crate) fn note(&self, run: &RunId, what: What, reason: Option<&str>) -> Result<(), LedgerError> {
        self.say(run, &mut self.log.lock().expect("no thread panics while it ships"), what, reason)
    }

    /// Says how it ended, if there is anything to say.
    fn finish(&self, run: &RunId, failed_because: Option<&str>) -> Result<(), LedgerError> {
        let mut log = self.log.lock().expect("no thread panics while it ships");
        let outcome = if failed_because.is_some() { What::Failed } else { What::Live };
        match log.stage {
            Stage::Already | Stage::Unknown => Ok(()),
            Stage::Waiting if self.delivery.target.is_some() => Ok(()),
            // A deploy task without a target is a release all the same.
            Stage::Waiting => {
                let Some(source) = &self.delivery.source else { return Ok(()) };
                let release = self.unshipped(run, source);
                self.say(run, &mut log, What::Started(Box::new(release)), None)?;
                self.say(run, &mut log, outcome, failed_because)
            }
            Stage::Started => {
                self.say(run, &mut log, What::Failed, failed_because.or(Some("it did not arrive")))
            }
            Stage::Shipped => self.say(run, &mut log, outcome, failed_because),
        }
    }

    fn say(&self, run: &RunId, log: &mut Log, what: What, reason: Option<&str>) -> Result<(), LedgerError> {
        let at = now();
        let event = Event {
            what,
            at,
            by: self.by.clone(),
            run: Some(run.clone()),
            release: Some(self.delivery.number),
            reason: reason.map(str::to_owned),
            took: u64::try_from(at.duration_since(self.began).as_secs()).ok(),
        };
        log.tip = Ledger::new(&self.scratch, self.refs.clone()).append(log.tip.clone(), &event)?;
        Ok(())
    }
}

fn unmet(message: String) -> Failure {
    Failure::Unmet { message, help: None }
}
