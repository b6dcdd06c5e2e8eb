//! DRIVE: jobs are started as the schedule says, and what happens is told, in one order, at one desk. It prints
//! nothing, renders nothing, looks up nothing by name, and no `?` leaves it while a child runs.

mod desk;
mod drive;
mod fleet;
mod halt;
mod job;
mod masks;
mod settle;
mod stops;
mod tries;

use std::num::NonZeroUsize;
use std::thread;
use std::time::{Duration, Instant};

use crate::model::event::{Event, Failure, Summary, Told};
use crate::model::host::There;
use crate::model::mask::Masker;
use crate::model::name::{JobId, RunId};
use crate::model::record::{Debt, Exit};
use crate::model::step::{Planned, Step};
use crate::model::task::Block;
use crate::model::tracking::Tracking;
use crate::model::tree::Tree;
use crate::plan::Plan;
use crate::plan::schedule::OnFailure;
use crate::process::Stop;
use crate::process::signal::Signals;
use crate::state::journal::Journal;

use desk::Desk;
use drive::Drive;
pub(crate) use halt::Halt;
pub(crate) use stops::Stops;

/// Everything that the engine can do to, or ask of, the outside.
pub(crate) trait World: Sync {
    /// What `step` will owe, judged by the world as it is now. May save copies; changes nothing that a user can see.
    fn owed_by(&self, act: &Act<'_>) -> Result<Vec<(Exit, Step<Planned>)>, Failure>;

    /// Sees to it that there is a connection to a host.
    fn reach(&self, there: &There, stop: &Stop) -> Result<(), Failure>;

    /// Does the step. What it has to say goes through `tell` while it acts.
    fn perform(&self, act: &Act<'_>, stop: &Stop, tell: &mut dyn FnMut(Told)) -> Result<(), Failure>;

    /// Whether the command of a `skip_if` says that there is nothing to do.
    fn is_done(&self, act: &Act<'_>, stop: &Stop) -> Result<bool, Failure>;

    /// What a tracked block reads, as it is before the act; none if its work is done already.
    fn inputs(&self, tracking: &Tracking, needs: Needs) -> Result<Option<Tree>, Failure>;

    /// Notes that a tracked block's work is not done: before it acts, and when it has failed.
    fn begun(&self, tracking: &Tracking) -> Result<(), Failure>;

    /// Does a tracked block's work by taking what was made of the same before, if that is kept: whether it was.
    fn fetched(&self, tracking: &Tracking, inputs: &Tree, stop: &Stop, note: &dyn Fn(String)) -> bool;

    /// Notes that a tracked block's work is done; what it made is kept for others unless it is stopped.
    fn done(
        &self,
        job: JobId,
        tracking: &Tracking,
        inputs: &Tree,
        how: How,
        stop: &Stop,
        note: &dyn Fn(String),
    );
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
    /// On how many hosts a step is done at the same time.
    pub(crate) width: NonZeroUsize,
}

/// On how many hosts a step is done at the same time, unless the user says how many jobs run at once: what is done there
/// needs nearly nothing here, and so many connections any machine has.
pub(crate) const WIDTH: NonZeroUsize = NonZeroUsize::new(64).expect("not 0");

/// What a run is given beside its plan.
#[derive(Clone, Copy)]
pub(crate) struct Means<'a> {
    pub(crate) run: &'a RunId,
    pub(crate) world: &'a dyn World,
    pub(crate) journal: &'a Journal,
    pub(crate) stops: &'a Stops,
    /// What we were sent, also before the run began.
    pub(crate) signals: &'a Signals,
    /// For each job, whether there is nothing to do for certain; empty if that was not asked.
    pub(crate) fresh: &'a [bool],
    /// Takes the plan's secrets out of all that is told, if it has any.
    pub(crate) masker: Option<&'a Masker>,
}

/// What is given every event of a run, by whichever thread it happens on, and one at a time.
pub(crate) type Tell<'a> = dyn FnMut(&Event) + Send + 'a;

/// Runs the plan's jobs to their ends, and settles what they owe. Returns a summary, never an error.
pub(crate) fn run(plan: &Plan, means: Means<'_>, manner: Manner, tell: &mut Tell<'_>) -> Summary {
    let desk = Desk::new(Drive::new(plan, means, manner, tell), plan, means, manner.width);
    thread::scope(|scope| {
        // Also if deploy itself goes wrong: who listens would be waited for.
        let _closing = desk.closing();
        scope.spawn(|| desk.listen());
        desk.begin();
        desk.work(scope);
        desk.finish()
    })
}

/// Settles debts of an unfinished run, newest first, by the code that settles a failed one. `plan` holds no job.
pub(crate) fn recover(plan: &Plan, means: Means<'_>, debts: Vec<Debt>, tell: &mut Tell<'_>) -> Summary {
    let manner = Manner { slots: NonZeroUsize::MIN, on_failure: OnFailure::KeepGoing, width: WIDTH };
    let desk = Desk::new(Drive::new(plan, means, manner, tell), plan, means, manner.width);
    thread::scope(|scope| {
        let _closing = desk.closing();
        scope.spawn(|| desk.listen());
        desk.begin();
        desk.recover(debts)
    })
}
