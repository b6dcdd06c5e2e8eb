//! DO: each kind of step is done here, one file a kind. It prints nothing and writes no journal; what it has to say
//! goes through `tell`.

pub(crate) mod backup;
pub(crate) mod cache;
pub(crate) mod check;
pub(crate) mod dock;
mod errands;
pub(crate) mod exec;
mod host;
pub(crate) mod http;
pub(crate) mod ship;
mod surroundings;
pub(crate) mod swap;
mod transfer;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::engine::{Act, How, Needs, World};
use crate::fresh::{self, Records};
use crate::model::event::{Failure, Told};
use crate::model::host::There;
use crate::model::name::{JobId, RunId};
use crate::model::record::Exit;
use crate::model::release::Release;
use crate::model::secret::Vaults;
use crate::model::step::{Action, Planned, Step};
use crate::model::tracking::Tracking;
use crate::model::tree::Tree;
use crate::plan::{Check, Freshness, Job};
use crate::process::Stop;
use crate::process::program::Programs;
use crate::release::holding::Holding;
use crate::ssh::Connections;
use crate::state::StateDir;
use cache::Caches;
use dock::Docks;
pub(crate) use surroundings::Made;

/// The real world: processes, files, the network.
pub(crate) struct Hands<'a> {
    /// The folder of tasks.toml.
    pub(crate) root: PathBuf,
    pub(crate) state: StateDir,
    pub(crate) run: RunId,
    /// The caller's environment, which every process gets beneath its own variables.
    pub(crate) env: Arc<Vec<(OsString, OsString)>>,
    pub(crate) programs: Programs,
    /// The connections to hosts.
    pub(crate) hosts: Connections,
    /// From the first signal to SIGKILL.
    pub(crate) grace: Duration,
    pub(crate) made: Made,
    pub(crate) handing: Handing,
    /// What the secrets of the plan are.
    pub(crate) vaults: Vaults,
    /// What tells whether work is done, for the plans with tasks that can tell.
    pub(crate) tracked: Option<Tracked>,
    /// Where releases go, for the plans that ship.
    pub(crate) docks: Docks<'a>,
    /// The environments that are held and get no release.
    pub(crate) held: Vec<(&'a str, &'a Holding)>,
    /// Who runs it, as ledgers and backups call them; empty where no environment is held.
    pub(crate) by: String,
    pub(crate) saved: Mutex<Vec<Saved>>,
}

/// What a run has saved: what can come back by the end of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Saved {
    pub(crate) environment: String,
    pub(crate) backup: String,
    pub(crate) id: String,
}

/// Whether work is done already.
pub(crate) struct Tracked {
    pub(crate) records: Records,
    pub(crate) caches: Caches,
    /// The tracked jobs that each job of the plan needs.
    pub(crate) needs: Vec<Vec<String>>,
    pub(crate) freshness: Freshness,
}

/// What becomes of a process's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handing {
    /// It is read, so that it can be told apart, masked and kept.
    Read,
    /// The process writes to our own stdout and stderr: one job alone has nothing to be told apart from.
    Direct,
}

impl Hands<'_> {
    /// Whether a requirement of a job is met; why not.
    pub(crate) fn meets(&self, job: &Job, check: &Check) -> Result<(), String> {
        match check {
            Check::Program(program) => exec::find(self, &job.body, program),
            Check::Line(line) => {
                let step = Step::bare(Action::Run(line.clone()), job.body.at);
                let act = Act {
                    environment: job.environment.as_deref(),
                    block: &job.body,
                    step: &step,
                    extra: &[],
                    limit: None,
                };
                match self.is_done(&act, &Stop::new(Duration::ZERO)) {
                    Ok(true) => Ok(()),
                    Ok(false) => Err(format!("`{line}` fails")),
                    Err(failure) => Err(format!("`{line}` can't be run (exit code {})", failure.exit_code())),
                }
            }
        }
    }
}

impl World for Hands<'_> {
    fn owed_by(&self, act: &Act<'_>) -> Result<Vec<(Exit, Step<Planned>)>, Failure> {
        match &act.step.action {
            Action::Swap(swaps) => {
                let put_backs = swap::put_backs(self, swaps, act.step.at)?;
                Ok(put_backs.into_iter().map(|step| (Exit::Always, step)).collect())
            }
            Action::Run(_)
            | Action::Exec(_)
            | Action::Task(_)
            | Action::Ship
            | Action::Check(_)
            | Action::Http(_)
            | Action::Put(_)
            | Action::Get(_)
            | Action::Backup(_)
            | Action::Restore(_)
            | Action::PutBack(_)
            | Action::Fleet(_) => Ok(Vec::new()),
        }
    }

    fn reach(&self, there: &There, stop: &Stop) -> Result<(), Failure> {
        host::reach(self, there, stop).map(drop)
    }

    fn perform(&self, act: &Act<'_>, stop: &Stop, tell: &mut dyn FnMut(Told)) -> Result<(), Failure> {
        match &act.step.action {
            Action::Run(script) => match host::of(act) {
                Some(there) => host::shell(self, act, there, script, stop, tell),
                None => exec::shell(self, act, script, self.handing, stop, tell),
            },
            Action::Exec(words) => match host::of(act) {
                Some(there) => host::program(self, act, there, words, stop, tell),
                None => exec::program(self, act, words, stop, tell),
            },
            Action::Check(health) => check::check(
                health,
                self.vaults.of(act.environment),
                act.limit.map(|limit| limit.at),
                stop,
                tell,
            ),
            Action::Http(http) => http::send(http, self.vaults.of(act.environment), act, stop, tell),
            Action::Put(files) => transfer::put(self, act, files, stop, tell),
            Action::Get(files) => transfer::get(self, act, files, stop, tell),
            Action::Backup(backup) => backup::save(self, act, backup, stop, tell),
            Action::Restore(restore) => backup::restore(self, act, restore, stop, tell),
            Action::Ship => ship::ship(self, act, stop, tell),
            Action::Swap(swaps) => swap::swap(self, swaps),
            Action::PutBack(owed) => swap::restore(self, owed),
            Action::Task(_) | Action::Fleet(_) => unreachable!("the engine does steps one by one"),
        }
    }

    fn is_done(&self, act: &Act<'_>, stop: &Stop) -> Result<bool, Failure> {
        // What it prints is for nobody, also when a lone job writes to our own streams.
        let Action::Run(script) = &act.step.action else { unreachable!("a condition is a shell line") };
        let done = match host::of(act) {
            Some(there) => host::shell(self, act, there, script, stop, &mut |_| {}),
            None => exec::shell(self, act, script, Handing::Read, stop, &mut |_| {}),
        };
        match done {
            Ok(()) => Ok(true),
            Err(Failure::Exit(_) | Failure::Signal(_)) => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    fn inputs(&self, tracking: &Tracking, needs: Needs) -> Result<Option<Tree>, Failure> {
        let Tracked { records, freshness, .. } = self.tracked();
        let mut finding = records.find(tracking).map_err(|unreadable| Failure::Unmet {
            message: unreadable.to_string(),
            help: Some("leave it out of the task's files: `!…`".to_owned()),
        })?;
        let changes = std::mem::take(&mut finding.changes);
        if changes.is_empty() && needs == Needs::Still && *freshness == Freshness::Respect {
            records.note([finding]);
            return Ok(None);
        }
        Ok(Some(finding.inputs))
    }

    fn begun(&self, tracking: &Tracking) -> Result<(), Failure> {
        self.tracked().records.void(tracking).map_err(|error| Failure::Unmet {
            message: format!("that its work is not done can't be noted: {error}"),
            help: None,
        })
    }

    fn fetched(&self, tracking: &Tracking, inputs: &Tree, stop: &Stop, note: &dyn Fn(String)) -> bool {
        let Tracked { caches, freshness, .. } = self.tracked();
        if *freshness == Freshness::Ignore {
            return false;
        }
        match caches.fetch(tracking, inputs, stop) {
            Ok(Some(place)) => {
                note(format!("what it makes comes from the cache {place}"));
                true
            }
            Ok(None) => false,
            Err(why) => {
                note(why);
                false
            }
        }
    }

    fn done(
        &self,
        job: JobId,
        tracking: &Tracking,
        inputs: &Tree,
        how: How,
        stop: &Stop,
        note: &dyn Fn(String),
    ) {
        let Tracked { records, needs, caches, .. } = self.tracked();
        if let Some(path) = fresh::missing(&tracking.inputs, inputs) {
            note(format!("`{path}`, which its `inputs` name, was not there"));
        }
        match records.keep(tracking, inputs, &needs[job.index()], &self.run) {
            Ok(()) if how == How::Made => {
                if let Err(why) = caches.keep(tracking, inputs, stop) {
                    note(why);
                }
            }
            Ok(()) => {}
            Err(error) => note(format!("it will be run again although nothing changes: {error}")),
        }
    }
}

impl Hands<'_> {
    /// The ledger of an environment that is held, and the release that goes out to it.
    fn holding(&self, environment: &str) -> Option<(&Holding, Option<u32>)> {
        if let Some(dock) = self.docks.of(Some(environment)) {
            return Some((&dock.holding, Some(dock.delivery.number)));
        }
        let held = self.held.iter().find(|(name, _)| *name == environment);
        held.map(|(_, holding)| (*holding, None))
    }

    /// What serves in an environment that is held.
    fn live(&self, environment: &str) -> Option<Release> {
        self.holding(environment)?.0.tip().state.live
    }

    fn note_saved(&self, environment: &str, backup: &str, id: &str) {
        let (environment, backup, id) = (environment.to_owned(), backup.to_owned(), id.to_owned());
        let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        saved.push(Saved { environment, backup, id });
    }

    fn tracked(&self) -> &Tracked {
        self.tracked.as_ref().expect("a plan with tracked blocks has their records")
    }
}
