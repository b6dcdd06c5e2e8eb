//! DRIVE: the loop. It asks the schedule what may start, waits for one message, and tells what happened. It prints
//! nothing, renders nothing, looks up nothing by name, and no `?` leaves it while a child runs.

mod job;
mod masks;
mod settle;
mod stops;
mod tries;

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::model::event::{Event, EventKind, Failure, Outcome, StopReason, Summary, Told};
use crate::model::mask::Masker;
use crate::model::name::{JobId, RunId};
use crate::model::record::{Debt, Exit};
use crate::model::step::{Planned, Step};
use crate::model::task::Block;
use crate::model::tracking::Tracking;
use crate::model::tree::Tree;
use crate::plan::Plan;
use crate::plan::schedule::{OnFailure, Schedule};
use crate::process::signal::Signal;
use crate::process::{self, Stop};
use crate::state::journal::Journal;

use masks::Masks;
use settle::settle;
pub(crate) use stops::Stops;

/// How many messages may wait for the loop. Bounded, so that output never piles up in memory: a child that prints
/// faster than the terminal waits in its pipe.
const INBOX: usize = 16;

/// Everything that the engine can do to, or ask of, the outside.
pub(crate) trait World: Sync {
    /// What `step` will owe, judged by the world as it is now. May save copies; changes nothing that a user can see.
    fn owed_by(&self, act: &Act<'_>) -> Result<Vec<(Exit, Step<Planned>)>, Failure>;

    /// Does the step. What it has to say goes through `tell` while it acts.
    fn perform(&self, act: &Act<'_>, stop: &Stop, tell: &mut dyn FnMut(Told)) -> Result<(), Failure>;

    /// Whether the command of a `skip_if` says that there is nothing to do.
    fn is_done(&self, act: &Act<'_>, stop: &Stop) -> Result<bool, Failure>;

    /// What a tracked block reads, as it is before the act; none if its work is done already.
    fn inputs(&self, tracking: &Tracking, needs: Needs) -> Result<Option<Tree>, Failure>;

    /// Notes that a tracked block's work is not done: before it acts, and when it has failed.
    fn begun(&self, tracking: &Tracking) -> Result<(), Failure>;

    /// Does a tracked block's work by taking what was made of the same before, if that is kept: whether it was.
    fn fetched(&self, tracking: &Tracking, inputs: &Tree, note: &dyn Fn(String)) -> bool;

    /// Notes that a tracked block's work is done.
    fn done(&self, job: JobId, tracking: &Tracking, inputs: &Tree, how: How, note: &dyn Fn(String));
}

/// How a tracked block's work was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// By its steps.
    Made,
    /// It was made before, and kept.
    Fetched,
}

/// What the jobs did that a job needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Each had nothing to do; or there are none.
    Still,
    /// One at least did something.
    Ran,
}

/// One step in its surroundings: what a [`World`] needs to do it.
#[derive(Clone, Copy)]
pub(crate) struct Act<'a> {
    pub(crate) environment: Option<&'a str>,
    /// The block that the step stands in: the job's, or that of a task which it calls.
    pub(crate) block: &'a Block,
    pub(crate) step: &'a Step<Planned>,
    /// What the step's processes get beside the block's variables; these count more.
    pub(crate) extra: &'a [(String, String)],
    /// Until when it must be done.
    pub(crate) limit: Option<Limit>,
}

/// The end of a `timeout`, and how long that was in all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    pub(crate) at: Instant,
    pub(crate) whole: Duration,
}

impl Limit {
    /// The limit of something that begins now.
    fn new(whole: Duration) -> Limit {
        Limit { at: Instant::now() + whole, whole }
    }

    /// The one that ends first.
    fn earlier(one: Option<Limit>, other: Option<Limit>) -> Option<Limit> {
        match (one, other) {
            (Some(one), Some(other)) => Some(if one.at <= other.at { one } else { other }),
            (one, other) => one.or(other),
        }
    }
}

/// How to run a plan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    pub(crate) slots: NonZeroUsize,
    pub(crate) on_failure: OnFailure,
}

/// What the loop waits for.
pub(crate) enum Message {
    Event(EventKind),
    Ended {
        job: JobId,
        outcome: Outcome,
        took: Duration,
    },
    /// What a failed run owed has been done, or could not be.
    Settled,
    Signal(Signal),
}

/// The one channel, with its one consumer.
pub(crate) struct Inbox {
    sender: SyncSender<Message>,
    receiver: Receiver<Message>,
}

/// By which a run is asked to end from outside of it, without a signal.
#[derive(Default)]
pub(crate) struct Halt {
    state: Mutex<HaltState>,
}

#[derive(Default)]
struct HaltState {
    is_asked: bool,
    outbox: Option<SyncSender<Message>>,
}

impl Halt {
    /// Whom to ask. Who was asked before it began is asked now.
    pub(crate) fn attach(&self, inbox: &Inbox) {
        let mut state = self.state();
        state.outbox = Some(inbox.outbox());
        state.ask();
    }

    /// Asks the run to end, as SIGTERM does.
    pub(crate) fn end(&self) {
        let mut state = self.state();
        state.is_asked = true;
        state.ask();
    }

    fn state(&self) -> MutexGuard<'_, HaltState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HaltState {
    fn ask(&mut self) {
        if self.is_asked
            && let Some(outbox) = self.outbox.take()
        {
            // A run that is over need not be asked.
            let _sent = outbox.try_send(Message::Signal(Signal::Terminate));
        }
    }
}

impl Inbox {
    pub(crate) fn new() -> Inbox {
        let (sender, receiver) = sync_channel(INBOX);
        Inbox { sender, receiver }
    }

    pub(crate) fn outbox(&self) -> SyncSender<Message> {
        self.sender.clone()
    }
}

/// What a run is given beside its plan.
#[derive(Clone, Copy)]
pub(crate) struct Means<'a> {
    pub(crate) run: &'a RunId,
    pub(crate) world: &'a dyn World,
    pub(crate) journal: &'a Journal,
    pub(crate) stops: &'a Stops,
    /// For each job, whether there is nothing to do for certain; empty if that was not asked.
    pub(crate) fresh: &'a [bool],
    /// Takes the plan's secrets out of all that is told, if it has any.
    pub(crate) masker: Option<&'a Masker>,
}

/// Runs the plan's jobs to their ends, and settles what they owe. Returns a summary, never an error.
pub(crate) fn run(
    plan: &Plan,
    means: Means<'_>,
    inbox: &Inbox,
    manner: Manner,
    tell: &mut dyn FnMut(&Event),
) -> Summary {
    let mut drive = Drive::new(plan, means, inbox, manner, tell);
    drive.tell(EventKind::RunStarted { run: means.run.clone() });
    thread::scope(|scope| {
        loop {
            while let Some(id) = drive.schedule.next() {
                drive.tell(EventKind::JobStarted { job: id });
                let outbox = inbox.outbox();
                let job = &plan.jobs[id.index()];
                drive.interactive += usize::from(job.body.interactive);
                if means.fresh.get(id.index()) == Some(&true) {
                    drive.ended(id, Outcome::Fresh, Duration::ZERO);
                    continue;
                }
                let needs = drive.needs(id);
                scope.spawn(move || {
                    let begun = Instant::now();
                    // A panic is a bug of deploy's; the run must end all the same, and settle what it owes.
                    let outcome = catch_unwind(AssertUnwindSafe(|| job::run(id, job, needs, means, &outbox)))
                        .unwrap_or_else(|panic| job::panicked(job, panic.as_ref()));
                    // The loop outlives every job, so its end of the channel is open.
                    let _sent = outbox.send(Message::Ended { job: id, outcome, took: begun.elapsed() });
                });
            }
            if drive.schedule.is_over() {
                break;
            }
            drive.receive();
        }
    });
    drive.finish()
}

/// Settles debts of an unfinished run, newest first, by the code that settles a failed one. `plan` holds no job.
pub(crate) fn recover(
    plan: &Plan,
    means: Means<'_>,
    inbox: &Inbox,
    debts: Vec<Debt>,
    tell: &mut dyn FnMut(&Event),
) -> Summary {
    let manner = Manner { slots: NonZeroUsize::MIN, on_failure: OnFailure::KeepGoing };
    let mut drive = Drive::new(plan, means, inbox, manner, tell);
    drive.tell(EventKind::RunStarted { run: means.run.clone() });
    drive.settle(debts);
    drive.sum_up(Vec::new(), Succeeded::No)
}

/// Whether all that a run was to do was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Succeeded {
    Yes,
    No,
}

struct Drive<'a> {
    plan: &'a Plan,
    means: Means<'a>,
    inbox: &'a Inbox,
    started: Instant,
    tell: &'a mut dyn FnMut(&Event),
    masks: Masks<'a>,
    schedule: Schedule<'a>,
    on_failure: OnFailure,
    outcomes: Vec<Option<Outcome>>,
    signal: Option<i32>,
    killed: bool,
    /// How many interactive jobs run: one or none.
    interactive: usize,
}

impl<'a> Drive<'a> {
    fn new(
        plan: &'a Plan,
        means: Means<'a>,
        inbox: &'a Inbox,
        manner: Manner,
        tell: &'a mut dyn FnMut(&Event),
    ) -> Drive<'a> {
        Drive {
            plan,
            means,
            inbox,
            started: Instant::now(),
            tell,
            masks: Masks::new(means.masker),
            schedule: Schedule::new(&plan.graph, plan.demands.clone(), manner.slots, manner.on_failure),
            on_failure: manner.on_failure,
            outcomes: vec![None; plan.jobs.len()],
            signal: None,
            killed: false,
            interactive: 0,
        }
    }

    fn tell(&mut self, kind: EventKind) {
        let at = self.started.elapsed();
        self.masks.pass(kind, &mut |kind| (self.tell)(&Event { at, kind }));
    }

    /// Waits for one message, or for the end of the grace, and acts on it.
    fn receive(&mut self) {
        match self.wait() {
            Some(Message::Event(kind)) => self.tell(kind),
            Some(Message::Ended { job, outcome, took }) => self.ended(job, outcome, took),
            Some(Message::Signal(signal)) => self.signal(signal),
            Some(Message::Settled) => unreachable!("nothing is settled while jobs run"),
            None => {
                if !self.killed {
                    self.killed = true;
                    self.means.stops.run.kill();
                    self.tell(EventKind::Stopping { why: StopReason::Killing });
                }
            }
        }
    }

    /// The next message; none when the grace is over first.
    fn wait(&mut self) -> Option<Message> {
        let grace = self.means.stops.run.grace_ends().filter(|_| !self.killed);
        self.message(grace)
    }

    /// The next message; none if it does not come before `end`. Meanwhile a silence is noticed.
    fn message(&mut self, end: Option<Instant>) -> Option<Message> {
        let receiver = &self.inbox.receiver;
        loop {
            let Some(until) = end.into_iter().chain(self.masks.due).min() else {
                return Some(receiver.recv().expect("the inbox holds a sender"));
            };
            match receiver.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(message) => return Some(message),
                Err(RecvTimeoutError::Timeout) if self.masks.due == Some(until) => {
                    let at = self.started.elapsed();
                    self.masks.quiet(&mut |kind| (self.tell)(&Event { at, kind }));
                }
                Err(RecvTimeoutError::Timeout) => return None,
                Err(RecvTimeoutError::Disconnected) => unreachable!("the inbox holds a sender"),
            }
        }
    }

    fn ended(&mut self, job: JobId, outcome: Outcome, took: Duration) {
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
        self.tell(EventKind::JobEnded { job, outcome: outcome.clone(), took });
        self.outcomes[job.index()] = Some(outcome);
        for (job, outcome) in over {
            self.never_ran(job, outcome);
        }
    }

    /// What the jobs did that this one needs.
    fn needs(&self, job: JobId) -> Needs {
        let ran = |need: &JobId| self.outcomes[need.index()] == Some(Outcome::Succeeded);
        if self.plan.graph.needs(job).iter().any(ran) { Needs::Ran } else { Needs::Still }
    }

    fn never_ran(&mut self, job: JobId, outcome: Outcome) {
        self.tell(EventKind::JobEnded { job, outcome: outcome.clone(), took: Duration::ZERO });
        self.outcomes[job.index()] = Some(outcome);
    }

    fn signal(&mut self, signal: Signal) {
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
                        self.never_ran(job, Outcome::Stopped);
                    }
                }
            }
        }
    }

    /// Settles what is owed after a failure, and sums up.
    fn finish(mut self) -> Summary {
        let outcomes: Vec<Outcome> =
            self.outcomes.iter_mut().map(|outcome| outcome.take().expect("every job has ended")).collect();
        let succeeded = self.signal.is_none()
            && outcomes.iter().all(|outcome| matches!(outcome, Outcome::Succeeded | Outcome::Fresh));
        if succeeded {
            return self.sum_up(outcomes, Succeeded::Yes);
        }
        let owed = self.means.journal.owed(Exit::Failure);
        if !owed.is_empty() {
            self.settle(owed);
        }
        self.sum_up(outcomes, Succeeded::No)
    }

    fn sum_up(mut self, outcomes: Vec<Outcome>, succeeded: Succeeded) -> Summary {
        let still_owed = self.means.journal.finish(succeeded == Succeeded::Yes);
        if still_owed > 0 {
            self.tell(EventKind::SettleEnded { still_owed });
        }
        let summary = Summary { outcomes, signal: self.signal, still_owed, took: self.started.elapsed() };
        self.tell(EventKind::RunEnded { summary: summary.clone() });
        summary
    }

    /// Settles on a thread of its own, so that signals and output go on being heard.
    fn settle(&mut self, owed: Vec<Debt>) {
        self.tell(EventKind::SettleStarted { owed: owed.len() });
        let (means, inbox) = (self.means, self.inbox);
        thread::scope(|scope| {
            let outbox = inbox.outbox();
            scope.spawn(move || {
                settle(owed, means.world, means.journal, means.stops, &outbox);
                let _sent = outbox.send(Message::Settled);
            });
            loop {
                match self.message(None) {
                    Some(Message::Event(kind)) => self.tell(kind),
                    Some(Message::Signal(signal)) => self.signal(signal),
                    Some(Message::Ended { .. }) | None => unreachable!("every job has ended"),
                    Some(Message::Settled) => break,
                }
            }
        });
    }
}
