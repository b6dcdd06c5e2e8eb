//! Doing what is owed: `always` when a block ends, `undo` when a run failed, and both after a crash. Each debt is done
//! under a stop of its own, so that Ctrl-C never skips it, and is noted as settled only when it worked.

use super::desk::Desk;
use super::tries;
use super::{Act, Limit, Stops, World};
use crate::model::event::{EventKind, Failed, Failure};
use crate::model::record::Debt;
use crate::model::step::{Action, Planned, Retry, Step};
use crate::model::task::Block;
use crate::process::{Level, Stop};
use crate::state::journal::Journal;

/// What deferred steps are told of the block that they follow.
pub(crate) struct DeferredStatus {
    status: &'static str,
    exit_code: i32,
}

impl DeferredStatus {
    /// `signal`: the one that asked the run to end, if one did.
    pub(super) fn of(result: &Result<(), Failed>, signal: Option<i32>) -> DeferredStatus {
        match result {
            Ok(()) => DeferredStatus { status: "succeeded", exit_code: 0 },
            Err(failed) if failed.failure == Failure::Stopped => {
                DeferredStatus { status: "stopped", exit_code: signal.map_or(1, |signal| 128 + signal) }
            }
            Err(failed) => DeferredStatus { status: "failed", exit_code: failed.failure.exit_code() },
        }
    }

    fn env(&self) -> Vec<(String, String)> {
        vec![
            ("DEPLOY_STATUS".to_owned(), self.status.to_owned()),
            ("DEPLOY_EXIT_CODE".to_owned(), self.exit_code.to_string()),
        ]
    }
}

/// Settles debts, in the given order; one that fails does not stop the others.
pub(crate) fn settle(debts: Vec<Debt>, world: &dyn World, journal: &Journal, stops: &Stops, desk: &Desk<'_>) {
    settle_as(debts, world, journal, stops, desk, &DeferredStatus { status: "failed", exit_code: 1 });
}

/// Settles what a block owes always, newest first.
pub(super) fn settle_always(
    mut debts: Vec<Debt>,
    world: &dyn World,
    journal: &Journal,
    stops: &Stops,
    desk: &Desk<'_>,
    status: &DeferredStatus,
) {
    debts.reverse();
    settle_as(debts, world, journal, stops, desk, status);
}

fn settle_as(
    debts: Vec<Debt>,
    world: &dyn World,
    journal: &Journal,
    stops: &Stops,
    desk: &Desk<'_>,
    status: &DeferredStatus,
) {
    let extra = status.env();
    for debt in debts {
        let payer = Payer { debt: &debt, world, stop: &stops.settling, desk, extra: &extra };
        if stops.settling(|| payer.pay(&debt.block, None)) && journal.settled(debt.seq).is_err() {
            payer.event(EventKind::Note {
                job: debt.id,
                host: None,
                text: "done, but that could not be written down".to_owned(),
            });
        }
    }
}

struct Payer<'a, 'd> {
    debt: &'a Debt,
    world: &'a dyn World,
    stop: &'a Stop,
    desk: &'a Desk<'d>,
    extra: &'a [(String, String)],
}

impl Payer<'_, '_> {
    /// Does a block's steps in their written order, up to the first that fails. Whether all of them worked.
    fn pay(&self, block: &Block, limit: Option<Limit>) -> bool {
        let worked = block.steps.iter().all(|step| self.step(block, step, limit));
        // What a task inside owes always is done whatever became of its steps.
        let owed = block.always.iter().rev();
        let failed = owed.filter(|step| !self.step(block, step, None)).count();
        worked && failed == 0
    }

    /// Does a task inside, unless its `skip_if` says that there is nothing to do. What can't be told is done.
    fn task(&self, block: &Block, limit: Option<Limit>) -> bool {
        let environment = self.debt.environment.as_deref();
        let is_done = block.skip_if.as_ref().is_some_and(|skip_if| {
            let step = Step::bare(Action::Run(skip_if.clone()), block.at);
            let act = Act { environment, block, step: &step, extra: self.extra, limit };
            self.world.is_done(&act, self.stop).unwrap_or(false)
        });
        is_done || self.pay(block, Limit::earlier(limit, block.timeout.map(Limit::new)))
    }

    fn step(&self, block: &Block, step: &Step<Planned>, limit: Option<Limit>) -> bool {
        if self.stop.level() > Level::Drain {
            return false;
        }
        let limit = Limit::earlier(limit, step.timeout.map(Limit::new));
        match &step.action {
            Action::Task(inner) => return self.task(inner, limit),
            // What is owed is done on one host after the other, and on the others too where one fails.
            Action::Fleet(fleet) => {
                let failed = fleet.members.iter().filter(|member| !self.step(block, &member.step, limit));
                return failed.count() == 0;
            }
            Action::Run(_)
            | Action::Exec(_)
            | Action::Swap(_)
            | Action::Ship
            | Action::Check(_)
            | Action::Http(_)
            | Action::Put(_)
            | Action::Get(_)
            | Action::Backup(_)
            | Action::Restore(_)
            | Action::PutBack(_) => {}
        }
        let title = step.title();
        let host = step.host();
        self.event(EventKind::StepStarted { job: self.debt.id, host: host.cloned(), step: title.clone() });
        let once = Retry { times: 1, ..Retry::default() };
        let retry = step.retry.as_deref().unwrap_or(&once);
        let retrying = |failure: &Failure, attempt, wait| {
            let (step, failure) = (title.clone(), failure.clone());
            self.event(EventKind::StepRetrying {
                job: self.debt.id,
                host: host.cloned(),
                step,
                failure,
                attempt,
                times: retry.times,
                wait,
            });
        };
        let worked = tries::tries(
            retry,
            self.stop,
            None,
            |failure| failure,
            retrying,
            || {
                let act = Act {
                    environment: self.debt.environment.as_deref(),
                    block,
                    step,
                    extra: self.extra,
                    limit,
                };
                self.world.perform(&act, self.stop, &mut |told| {
                    self.desk.told(self.debt.id, host.cloned(), &|| step.title(), told);
                })
            },
        );
        match worked {
            Ok(()) => true,
            Err(failure) if step.allow_failure => {
                self.event(EventKind::StepForgiven {
                    job: self.debt.id,
                    host: host.cloned(),
                    step: title,
                    failure,
                });
                true
            }
            Err(failure) => {
                self.event(EventKind::DeferredFailed {
                    job: self.debt.id,
                    host: host.cloned(),
                    step: title,
                    at: step.at,
                    failure,
                });
                false
            }
        }
    }

    fn event(&self, kind: EventKind) {
        self.desk.tell(kind);
    }
}
