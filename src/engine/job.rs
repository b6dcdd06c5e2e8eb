//! One job, on its thread: its steps in order, their tries, and what they owe, on disk before they act.

use std::any::Any;
use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::sync::Arc;

use super::desk::Desk;
use super::settle::{self, DeferredStatus};
use super::tries;
use super::{Act, How, Limit, Means, Needs, Stops, World};
use crate::diagnostic::Span;
use crate::model::event::{EventKind, Failed, Failure, Outcome};
use crate::model::name::JobId;
use crate::model::record::{Debt, Exit};
use crate::model::step::{Action, Planned, Retry, Step};
use crate::model::task::Block;
use crate::plan::Job;
use crate::process::Level;
use crate::state::journal::Journal;

/// Runs a job to its end, and gives its outcome.
pub(super) fn run(
    id: JobId,
    job: &Job,
    needs: Needs,
    means: Means<'_>,
    width: NonZeroUsize,
    desk: &Desk<'_>,
) -> Outcome {
    let Means { world, journal, stops, .. } = means;
    let running = Running { id, job, needs, world, journal, stops, desk, width, host: None };
    match running.block(&job.body, None) {
        Ok(Done::Worked) => Outcome::Succeeded,
        Ok(Done::Fresh) => Outcome::Fresh,
        Err(failed) if failed.failure == Failure::Stopped => Outcome::Stopped,
        Err(failed) => Outcome::Failed(failed),
    }
}

/// The outcome of a job in which deploy itself went wrong.
pub(super) fn panicked(job: &Job, panic: &(dyn Any + Send)) -> Outcome {
    let said = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    let failure = Failure::Bug(said.unwrap_or("a panic without words").to_owned());
    Outcome::Failed(failed("deploy itself", job.body.at, failure))
}

/// What a block owes when it ends, newest last.
pub(super) type Owed = RefCell<Vec<Debt>>;

/// How a block ended when it did not fail.
enum Done {
    Worked,
    /// There was nothing to do.
    Fresh,
}

#[derive(Clone, Copy)]
pub(super) struct Running<'a, 'd> {
    pub(super) id: JobId,
    job: &'a Job,
    needs: Needs,
    pub(super) world: &'a dyn World,
    journal: &'a Journal,
    pub(super) stops: &'a Stops,
    /// On how many hosts something is done at the same time.
    pub(super) width: NonZeroUsize,
    desk: &'a Desk<'d>,
    /// The host that is acted on, of the several of a step.
    pub(super) host: Option<&'a Arc<str>>,
}

impl<'a, 'd> Running<'a, 'd> {
    /// The same, for one of several hosts.
    pub(super) fn on<'h>(&self, host: &'h Arc<str>) -> Running<'h, 'd>
    where
        'a: 'h,
    {
        Running { host: Some(host), ..*self }
    }

    /// A block, if its work is not done already. What is so before the act is noted when it has succeeded.
    fn block(&self, block: &Block, limit: Option<Limit>) -> Result<Done, Failed> {
        let Some(tracking) = &block.tracking else {
            if self.is_done(block, limit)? {
                return Ok(Done::Fresh);
            }
            return self.work(block, limit).map(|()| Done::Worked);
        };
        let at = tracking.inputs.at;
        let inputs = self.world.inputs(tracking, self.needs);
        let Some(inputs) = inputs.map_err(|failure| failed("inputs", at, failure))? else {
            return Ok(Done::Fresh);
        };
        let begun = || self.world.begun(tracking).map_err(|failure| failed("inputs", at, failure));
        let note = |text| self.event(EventKind::Note { job: self.id, host: self.host.cloned(), text });
        let done = |how| self.world.done(self.id, tracking, &inputs, how, &self.stops.run, &note);
        if self.is_done(block, limit)? {
            return Ok(Done::Fresh);
        }
        begun()?;
        if self.world.fetched(tracking, &inputs, &self.stops.run, &note) {
            done(How::Fetched);
            return Ok(Done::Worked);
        }
        let worked = self.work(block, limit);
        match &worked {
            Ok(()) => done(How::Made),
            // The first failure is the one to tell.
            Err(_) => drop(self.world.begun(tracking)),
        }
        worked.map(|()| Done::Worked)
    }

    /// A block's tries; its `always` steps are owed from before the first and done after the last.
    fn work(&self, block: &Block, limit: Option<Limit>) -> Result<(), Failed> {
        let retry = block.retry.as_deref().cloned().unwrap_or(Retry { times: 1, ..Retry::default() });
        let owed = RefCell::new(Vec::new());
        self.owe_always(block, &owed).map_err(|failure| failed("always", block.at, failure))?;
        let result = self.tries(&retry, &block.name, limit, |running| {
            let limit = Limit::earlier(limit, block.timeout.map(Limit::new));
            running.steps(block, limit, &owed)
        });
        let status = DeferredStatus::of(&result, self.stops.first());
        settle::settle_always(owed.into_inner(), self.world, self.journal, self.stops, self.desk, &status);
        result
    }

    /// Whether a block's `skip_if` says that there is nothing to do.
    fn is_done(&self, block: &Block, limit: Option<Limit>) -> Result<bool, Failed> {
        let Some(skip_if) = &block.skip_if else { return Ok(false) };
        let step = Step::bare(Action::Run(skip_if.clone()), block.at);
        let act = Act { environment: self.job.environment.as_deref(), block, step: &step, extra: &[], limit };
        let is_done = self.world.is_done(&act, &self.stops.run);
        is_done.map_err(|failure| failed("skip_if", block.at, failure))
    }

    fn steps(&self, block: &Block, limit: Option<Limit>, owed: &Owed) -> Result<(), Failed> {
        for step in &block.steps {
            if self.stops.run.level() > Level::Go {
                return Err(failed(&step.title(), step.at, Failure::Stopped));
            }
            self.step(block, step, limit, owed)?;
        }
        Ok(())
    }

    pub(super) fn step(
        &self,
        block: &Block,
        step: &Step<Planned>,
        limit: Option<Limit>,
        owed: &Owed,
    ) -> Result<(), Failed> {
        let title = step.title();
        self.event(EventKind::StepStarted { job: self.id, host: self.host.cloned(), step: title.clone() });
        let retry = step.retry.as_deref().cloned().unwrap_or(Retry { times: 1, ..Retry::default() });
        let result = self.tries(&retry, &title, limit, |running| {
            let limit = Limit::earlier(limit, step.timeout.map(Limit::new));
            running.act(block, step, limit, owed)
        });
        match result {
            Err(failed) if step.allow_failure && failed.failure != Failure::Stopped => {
                self.event(EventKind::StepForgiven {
                    job: self.id,
                    host: self.host.cloned(),
                    step: title,
                    failure: failed.failure,
                });
                Ok(())
            }
            result => result,
        }
    }

    /// One try of a step: what it owes is on disk first.
    fn act(
        &self,
        block: &Block,
        step: &Step<Planned>,
        limit: Option<Limit>,
        owed: &Owed,
    ) -> Result<(), Failed> {
        if let Action::Task(inner) = &step.action {
            self.owe_undo(block, step).map_err(|failure| failed(&step.title(), step.at, failure))?;
            return self.block(inner, limit).map(|_| ());
        }
        if let Action::Fleet(fleet) = &step.action {
            return self.fleet(fleet, block, step, limit, owed);
        }
        let act = Act { environment: self.job.environment.as_deref(), block, step, extra: &[], limit };
        let result = self.owe(&act, owed).and_then(|()| {
            self.world.perform(&act, &self.stops.run, &mut |told| {
                self.desk.told(self.id, self.host.cloned(), &|| step.title(), told);
            })
        });
        result.map_err(|failure| failed(&step.title(), step.at, failure))
    }

    fn owe(&self, act: &Act<'_>, owed: &Owed) -> Result<(), Failure> {
        for (exit, step) in self.world.owed_by(act)? {
            let debt = self.journal.defer(self.debt(exit, act.block, vec![step]))?;
            if exit == Exit::Always {
                owed.borrow_mut().push(debt);
            }
        }
        self.owe_undo(act.block, act.step)
    }

    fn owe_undo(&self, block: &Block, step: &Step<Planned>) -> Result<(), Failure> {
        if step.undo.is_empty() {
            return Ok(());
        }
        self.journal.defer(self.debt(Exit::Failure, block, step.undo.clone()))?;
        Ok(())
    }

    fn debt(&self, exit: Exit, block: &Block, steps: Vec<Step<Planned>>) -> Debt {
        Debt::new(self.id, &self.job.name, self.job.environment.as_deref(), exit, block, steps)
    }

    /// Puts a block's `always` on disk, before its first step; newest last.
    fn owe_always(&self, block: &Block, owed: &Owed) -> Result<(), Failure> {
        for step in &block.always {
            let debt = self.journal.defer(self.debt(Exit::Always, block, vec![step.clone()]))?;
            owed.borrow_mut().push(debt);
        }
        Ok(())
    }

    pub(super) fn tries(
        &self,
        retry: &Retry,
        what: &str,
        limit: Option<Limit>,
        act: impl Fn(&Self) -> Result<(), Failed>,
    ) -> Result<(), Failed> {
        let telling = |failure: &Failure, attempt, wait| {
            let (step, failure) = (what.to_owned(), failure.clone());
            self.event(EventKind::StepRetrying {
                job: self.id,
                host: self.host.cloned(),
                step,
                failure,
                attempt,
                times: retry.times,
                wait,
            });
        };
        let failure_of: fn(&Failed) -> &Failure = |failed| &failed.failure;
        tries::tries(retry, &self.stops.run, limit, failure_of, telling, || act(self))
    }

    pub(super) fn event(&self, kind: EventKind) {
        self.desk.tell(kind);
    }
}

pub(super) fn failed(step: &str, at: Span, failure: Failure) -> Failed {
    Failed { step: step.to_owned(), at, failure }
}
