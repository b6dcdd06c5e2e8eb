//! How far a run has come: what was started and how it ended, and what that means for the rest. It waits for nothing;
//! the desk hands it what happens, one thing at a time.

use std::time::{Duration, Instant};

use super::masks::Masks;
use super::{Manner, Means, Needs, Tell};
use crate::model::event::{Event, EventKind, Outcome, StopReason, Summary};
use crate::model::name::JobId;
use crate::plan::Plan;
use crate::plan::schedule::{OnFailure, Schedule};
use crate::process;
use crate::process::signal::Signal;

pub(super) struct Drive<'a> {
    plan: &'a Plan,
    means: Means<'a>,
    started: Instant,
    tell: &'a mut Tell<'a>,
    masks: Masks<'a>,
    schedule: Schedule<'a>,
    on_failure: OnFailure,
    outcomes: Vec<Option<Outcome>>,
    signal: Option<i32>,
    killed: bool,
    /// Whether the run has succeeded: it is too late for signals.
    has_succeeded: bool,
    /// How many interactive jobs run: one or none.
    interactive: usize,
}

impl<'a> Drive<'a> {
    pub(super) fn new(plan: &'a Plan, means: Means<'a>, manner: Manner, tell: &'a mut Tell<'a>) -> Drive<'a> {
        Drive {
            plan,
            means,
            started: Instant::now(),
            tell,
            masks: Masks::new(means.masker),
            schedule: Schedule::new(&plan.graph, plan.demands.clone(), manner.slots, manner.on_failure),
            on_failure: manner.on_failure,
            outcomes: vec![None; plan.jobs.len()],
            signal: None,
            killed: false,
            has_succeeded: false,
            interactive: 0,
        }
    }

    pub(super) fn tell(&mut self, kind: EventKind) {
        let at = self.started.elapsed();
        self.masks.pass(kind, &mut |kind| (self.tell)(&Event { at, kind }));
    }

    /// A job that is to be started now, if there is one. Those that have nothing to do for certain end at once.
    pub(super) fn start(&mut self) -> Option<(JobId, Needs)> {
        loop {
            let job = self.schedule.next()?;
            self.tell(EventKind::JobStarted { job });
            self.interactive += usize::from(self.plan.jobs[job.index()].body.interactive);
            if self.means.fresh.get(job.index()) != Some(&true) {
                return Some((job, self.needs(job)));
            }
            self.ended(job, Outcome::Fresh, Duration::ZERO);
        }
    }

    /// What the jobs did that this one needs.
    fn needs(&self, job: JobId) -> Needs {
        let ran = |need: &JobId| self.outcomes[need.index()] == Some(Outcome::Succeeded);
        if self.plan.graph.needs(job).iter().any(ran) { Needs::Ran } else { Needs::Still }
    }

    /// Whether every job has ended.
    pub(super) fn is_over(&self) -> bool {
        self.schedule.is_over()
    }

    /// A job has ended.
    pub(super) fn ended(&mut self, job: JobId, outcome: Outcome, took: Duration) {
        self.interactive -= usize::from(self.plan.jobs[job.index()].body.interactive);
        let outcome = self.masks.outcome(outcome);
        let over = self.schedule.ended(job, &outcome);
        if matches!(outcome, Outcome::Failed(_))
            && self.on_failure == OnFailure::FailFast
            && self.signal.is_none()
        {
            self.means.stops.run.ask(Signal::Terminate.number());
            self.tell(EventKind::Stopping { why: StopReason::FailFast });
        }
        self.job_ended(job, outcome, took);
        for (job, outcome) in over {
            self.job_ended(job, outcome, Duration::ZERO);
        }
    }

    fn job_ended(&mut self, job: JobId, outcome: Outcome, took: Duration) {
        self.tell(EventKind::JobEnded { job, outcome: outcome.clone(), took });
        self.outcomes[job.index()] = Some(outcome);
    }

    /// We were sent a signal.
    pub(super) fn signal(&mut self, signal: Signal) {
        match signal {
            Signal::Suspend => {
                self.means.stops.run.suspend();
                self.means.stops.settling.suspend();
                process::signal::pause();
            }
            Signal::Continue => {
                self.means.stops.run.resume();
                self.means.stops.settling.resume();
            }
            // The terminal has told it already, and it may well take Ctrl-C for something else than its end.
            Signal::Interrupt if self.interactive > 0 => {}
            Signal::Interrupt | Signal::Terminate | Signal::Hangup | Signal::Quit if self.has_succeeded => {}
            Signal::Interrupt | Signal::Terminate | Signal::Hangup | Signal::Quit => {
                let number = signal.number();
                let is_first = self.signal.is_none();
                self.signal.get_or_insert(number);
                self.means.stops.signal(number);
                if is_first {
                    self.tell(EventKind::Stopping { why: StopReason::Signal(number) });
                } else if !std::mem::replace(&mut self.killed, true) {
                    self.tell(EventKind::Stopping { why: StopReason::Killing });
                }
                if is_first {
                    for job in self.schedule.stop() {
                        self.job_ended(job, Outcome::Stopped, Duration::ZERO);
                    }
                }
            }
        }
    }

    /// When there is something to do even if nothing happens: a grace ends, or a silence is long enough.
    pub(super) fn due(&self) -> Option<Instant> {
        self.grace_ends().into_iter().chain(self.masks.due).min()
    }

    /// Does what is due.
    pub(super) fn look_at_the_clock(&mut self) {
        let now = Instant::now();
        if self.masks.due.is_some_and(|due| now >= due) {
            let at = self.started.elapsed();
            self.masks.quiet(&mut |kind| (self.tell)(&Event { at, kind }));
        }
        if self.grace_ends().is_some_and(|ends| now >= ends) {
            self.killed = true;
            self.means.stops.run.kill();
            self.tell(EventKind::Stopping { why: StopReason::Killing });
        }
    }

    /// When jobs that were asked to end are killed.
    fn grace_ends(&self) -> Option<Instant> {
        if self.killed || self.is_over() { None } else { self.means.stops.run.grace_ends() }
    }

    /// How each job has ended, and whether the run has succeeded.
    pub(super) fn outcomes(&mut self) -> (Vec<Outcome>, bool) {
        let outcomes = self.outcomes.iter_mut().map(|outcome| outcome.take().expect("every job has ended"));
        let outcomes: Vec<Outcome> = outcomes.collect();
        let worked = |outcome: &Outcome| matches!(outcome, Outcome::Succeeded | Outcome::Fresh);
        self.has_succeeded = self.signal.is_none() && outcomes.iter().all(worked);
        (outcomes, self.has_succeeded)
    }

    /// Tells the end of the run.
    pub(super) fn sum_up(&mut self, outcomes: Vec<Outcome>, still_owed: usize) -> Summary {
        if still_owed > 0 {
            self.tell(EventKind::SettleEnded { still_owed });
        }
        let summary = Summary { outcomes, signal: self.signal, still_owed, took: self.started.elapsed() };
        self.tell(EventKind::RunEnded { summary: summary.clone() });
        summary
    }
}
