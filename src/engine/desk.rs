//! Where the threads of a run meet: one lock, and no messages. Whoever has news tells it here, and whoever has ended a
//! job takes the next. So a job costs no thread and wakes nobody, and output waits in its pipe while nobody reads it.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Scope};
use std::time::Instant;

use super::drive::Drive;
use super::settle::settle;
use super::{Means, Needs, job};
use crate::model::event::{EventKind, Summary, Told};
use crate::model::name::JobId;
use crate::model::record::{Debt, Exit};
use crate::plan::Plan;

/// The desk of a run.
pub(super) struct Desk<'a> {
    plan: &'a Plan,
    means: Means<'a>,
    /// On how many hosts a step is done at the same time.
    width: NonZeroUsize,
    floor: Mutex<Floor<'a>>,
    /// There is a job to take, or there is none any more.
    called: Condvar,
}

/// What is behind the lock.
struct Floor<'a> {
    drive: Drive<'a>,
    /// Jobs that have a slot and nobody yet who runs them.
    waiting: VecDeque<(JobId, Needs)>,
    /// How many threads have nothing to do, those that are only being started among them.
    idle: usize,
    is_closed: bool,
}

impl<'a> Desk<'a> {
    pub(super) fn new(drive: Drive<'a>, plan: &'a Plan, means: Means<'a>, width: NonZeroUsize) -> Desk<'a> {
        let floor = Floor { drive, waiting: VecDeque::new(), idle: 0, is_closed: false };
        Desk { plan, means, width, floor: Mutex::new(floor), called: Condvar::new() }
    }

    /// Tells that the run begins.
    pub(super) fn begin(&self) {
        self.tell(EventKind::RunStarted { run: self.means.run.clone() });
    }

    /// Tells an event.
    pub(super) fn tell(&self, kind: EventKind) {
        self.with(|drive| drive.tell(kind));
    }

    /// Tells what a step says.
    pub(super) fn told(&self, job: JobId, host: Option<Arc<str>>, step: &dyn Fn() -> String, told: Told) {
        self.tell(match told {
            Told::Output(stream, bytes) => EventKind::Output { job, host, stream, bytes },
            Told::Note(text) => EventKind::Note { job, host, text },
            Told::OnHost(host, told) => return self.told(job, Some(host), step, *told),
            Told::LeftRunning => EventKind::LeftRunning { job, host, step: step() },
        });
    }

    /// Runs jobs, one after the other, until all have ended. Other threads are started when more may run at once.
    pub(super) fn work<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>) {
        let _closing = OnPanic(self);
        while let Some((id, needs)) = self.take(scope) {
            let (job, begun) = (&self.plan.jobs[id.index()], Instant::now());
            // A panic is a bug of deploy's; the run must end all the same, and settle what it owes.
            let outcome =
                catch_unwind(AssertUnwindSafe(|| job::run(id, job, needs, self.means, self.width, self)))
                    .unwrap_or_else(|panic| job::panicked(job, panic.as_ref()));
            self.with(|drive| drive.ended(id, outcome, begun.elapsed()));
        }
    }

    /// Waits for a job; none when all have ended.
    fn take<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>) -> Option<(JobId, Needs)> {
        let mut floor = self.lock();
        loop {
            if floor.is_closed {
                return None;
            }
            let before = floor.drive.due();
            while let Some(job) = floor.drive.start() {
                floor.waiting.push_back(job);
            }
            self.ring_if_sooner(before, floor.drive.due());
            if let Some(job) = floor.waiting.pop_front() {
                self.call(&mut floor, scope);
                return Some(job);
            }
            if floor.drive.is_over() {
                self.called.notify_all();
                return None;
            }
            floor.idle += 1;
            floor = self.called.wait(floor).unwrap_or_else(PoisonError::into_inner);
            floor.idle -= 1;
        }
    }

    /// Sees to it that somebody takes what waits.
    fn call<'scope>(&'scope self, floor: &mut Floor<'_>, scope: &'scope Scope<'scope, '_>) {
        for _ in 0..floor.waiting.len().min(floor.idle) {
            self.called.notify_one();
        }
        for _ in floor.idle..floor.waiting.len() {
            let work = || {
                self.lock().idle -= 1;
                self.work(scope);
            };
            // Without another thread, those that are there take one job more each.
            if thread::Builder::new().spawn_scoped(scope, work).is_ok() {
                floor.idle += 1;
            }
        }
    }

    /// Acts upon signals and the passing of time, until the desk is closed.
    pub(super) fn listen(&self) {
        loop {
            let (is_closed, due) = {
                let floor = self.lock();
                (floor.is_closed, floor.drive.due())
            };
            if is_closed {
                return;
            }
            for signal in self.means.signals.wait(due) {
                self.with(|drive| drive.signal(signal));
            }
            self.with(Drive::look_at_the_clock);
        }
    }

    /// Settles what is owed after a failure, and sums up.
    pub(super) fn finish(&self) -> Summary {
        let (outcomes, has_succeeded) = self.with(Drive::outcomes);
        if !has_succeeded {
            let owed = self.means.journal.owed(Exit::Failure);
            if !owed.is_empty() {
                self.settle(owed);
            }
        }
        let still_owed = self.means.journal.finish(has_succeeded);
        self.with(|drive| drive.sum_up(outcomes, still_owed))
    }

    /// Settles what an earlier run owes, and sums up.
    pub(super) fn recover(&self, debts: Vec<Debt>) -> Summary {
        self.settle(debts);
        let still_owed = self.means.journal.finish(false);
        self.with(|drive| drive.sum_up(Vec::new(), still_owed))
    }

    fn settle(&self, owed: Vec<Debt>) {
        let Means { world, journal, stops, .. } = self.means;
        self.tell(EventKind::SettleStarted { owed: owed.len() });
        settle(owed, world, journal, stops, self);
    }

    /// What closes the desk when it is dropped.
    pub(super) fn closing(&self) -> Closing<'_, 'a> {
        Closing(self)
    }

    fn close(&self) {
        self.lock().is_closed = true;
        self.called.notify_all();
        self.means.signals.ring();
    }

    /// Does something under the lock.
    fn with<T>(&self, act: impl FnOnce(&mut Drive<'a>) -> T) -> T {
        let mut floor = self.lock();
        let before = floor.drive.due();
        let result = act(&mut floor.drive);
        let after = floor.drive.due();
        drop(floor);
        self.ring_if_sooner(before, after);
        result
    }

    /// Who waits for signals is woken when there is something to be done before that wait would end.
    fn ring_if_sooner(&self, before: Option<Instant>, after: Option<Instant>) {
        if after.is_some_and(|after| before.is_none_or(|before| after < before)) {
            self.means.signals.ring();
        }
    }

    /// A panic elsewhere must not keep the run from its end.
    fn lock(&self) -> MutexGuard<'_, Floor<'a>> {
        self.floor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes the desk when it is dropped.
pub(super) struct Closing<'d, 'a>(&'d Desk<'a>);

impl Drop for Closing<'_, '_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Closes the desk if deploy itself goes wrong: the job that this thread has will never end.
struct OnPanic<'d, 'a>(&'d Desk<'a>);

impl Drop for OnPanic<'_, '_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.close();
        }
    }
}
