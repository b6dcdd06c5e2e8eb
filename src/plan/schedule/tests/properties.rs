//! Any graph, any demands, any outcomes in any order of ends, against a slow and obvious reading of the rules.

use std::num::NonZeroUsize;

use proptest::prelude::*;
use proptest::sample::Index;

use super::{Demand, Graph, JobId, OnFailure, Outcome, Schedule, failed};

/// A run to come: what is planned, and how it will go.
#[derive(Clone, Debug)]
struct Script {
    needs: Vec<Vec<JobId>>,
    after: Vec<Vec<JobId>>,
    demands: Vec<Demand>,
    slots: NonZeroUsize,
    on_failure: OnFailure,
    /// Which of the running jobs ends next, and how.
    ends: Vec<(Index, Outcome)>,
    /// Before which end a signal comes.
    stop: Option<usize>,
}

fn any_script() -> impl Strategy<Value = Script> {
    (1_usize..14).prop_flat_map(|jobs| {
        let order = Just((0..jobs).collect::<Vec<_>>()).prop_shuffle();
        let edges = prop::collection::vec((any::<Index>(), any::<Index>(), any::<bool>()), 0..2 * jobs);
        let demand = (prop::option::weighted(0.4, 0_u32..3), prop::bool::weighted(0.15))
            .prop_map(|(exclusive, interactive)| Demand { exclusive, interactive });
        let demands = prop_oneof![Just(vec![Demand::default(); jobs]), prop::collection::vec(demand, jobs)];
        let outcome = prop_oneof![
            6 => Just(Outcome::Succeeded),
            1 => Just(Outcome::Fresh),
            1 => Just(failed()),
            1 => Just(Outcome::Stopped),
        ];
        let ends = prop::collection::vec((any::<Index>(), outcome), jobs);
        let on_failure =
            prop::sample::select(vec![OnFailure::Drain, OnFailure::KeepGoing, OnFailure::FailFast]);
        let stop = prop::option::weighted(0.2, 0..jobs);
        (order, edges, demands, 1_usize..5, on_failure, ends, stop).prop_map(
            move |(order, edges, demands, slots, on_failure, ends, stop)| {
                let mut needs = vec![Vec::new(); jobs];
                let mut after = needs.clone();
                for (one, other, is_need) in edges {
                    let (one, other) = (one.index(jobs), other.index(jobs));
                    let (low, high) = (one.min(other), one.max(other));
                    if low != high {
                        let list = if is_need { &mut needs } else { &mut after };
                        list[order[high]].push(JobId::new(order[low]));
                    }
                }
                let slots = NonZeroUsize::new(slots).expect("at least one");
                Script { needs, after, demands, slots, on_failure, ends, stop }
            },
        )
    })
}

/// What a slow and obvious reader of the rules knows.
struct Reader<'a> {
    script: &'a Script,
    graph: &'a Graph,
    running: Vec<JobId>,
    outcomes: Vec<Option<Outcome>>,
    closed: bool,
}

impl Reader<'_> {
    fn has_ended(&self, job: JobId) -> bool {
        self.outcomes[job.index()].is_some()
    }

    fn has_succeeded(&self, job: JobId) -> bool {
        matches!(self.outcomes[job.index()], Some(Outcome::Succeeded | Outcome::Fresh))
    }

    fn is_ready(&self, job: JobId) -> bool {
        !self.closed
            && !self.has_ended(job)
            && !self.running.contains(&job)
            && self.script.needs[job.index()].iter().all(|&need| self.has_succeeded(need))
            && self.script.after[job.index()].iter().all(|&other| self.has_ended(other))
    }

    fn fits_beside_those_that_run(&self, job: JobId) -> bool {
        let demand = self.script.demands[job.index()];
        let fits = |other: &JobId| {
            let other = self.script.demands[other.index()];
            !demand.interactive
                && !other.interactive
                && (demand.exclusive.is_none() || demand.exclusive != other.exclusive)
        };
        self.running.len() < self.script.slots.get() && self.running.iter().all(fits)
    }

    fn may_start(&self, job: JobId) -> bool {
        self.is_ready(job) && self.fits_beside_those_that_run(job)
    }

    fn best(&self) -> Option<JobId> {
        let startable = self.graph.jobs().filter(|&job| self.may_start(job));
        startable.max_by_key(|&job| (self.graph.rank(job), std::cmp::Reverse(job)))
    }

    fn an_interactive_job_waits(&self) -> bool {
        self.graph.jobs().any(|job| self.script.demands[job.index()].interactive && self.is_ready(job))
    }

    fn is_needed_by(&self, need: JobId, job: JobId) -> bool {
        self.script.needs[job.index()].iter().any(|&other| other == need || self.is_needed_by(need, other))
    }

    fn end(&mut self, job: JobId, outcome: Outcome) -> Result<(), TestCaseError> {
        prop_assert!(!self.has_ended(job), "{:?} ended twice", job);
        self.running.retain(|&other| other != job);
        self.outcomes[job.index()] = Some(outcome);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    #[test]
    fn every_rule_holds_in_every_run(script in any_script()) {
        let graph = Graph::new(&script.needs, &script.after).expect("edges go one way");
        let mut schedule = Schedule::new(&graph, script.demands.clone(), script.slots, script.on_failure);
        let outcomes = vec![None; graph.len()];
        let mut reader = Reader { script: &script, graph: &graph, running: Vec::new(), outcomes, closed: false };

        for (turn, (which, outcome)) in script.ends.iter().enumerate() {
            if script.stop == Some(turn) {
                let never = schedule.stop();
                prop_assert!(never.iter().all(|job| !reader.running.contains(job)));
                for job in never {
                    reader.end(job, Outcome::Stopped)?;
                }
                reader.closed = true;
            }
            start_all(&mut schedule, &mut reader)?;
            prop_assert_eq!(schedule.is_over(), reader.outcomes.iter().all(Option::is_some));
            if reader.running.is_empty() {
                break;
            }
            let job = reader.running[which.index(reader.running.len())];
            reader.end(job, outcome.clone())?;
            let over = schedule.ended(job, outcome);
            end_without_start(&over, job, &mut reader)?;
        }
        start_all(&mut schedule, &mut reader)?;
        prop_assert!(schedule.is_over(), "it hangs: {:?}", reader.outcomes);
        prop_assert!(reader.outcomes.iter().all(Option::is_some));
    }
}

fn start_all(schedule: &mut Schedule<'_>, reader: &mut Reader<'_>) -> Result<(), TestCaseError> {
    while let Some(job) = schedule.next() {
        prop_assert!(reader.may_start(job), "{:?} must not start", job);
        if !reader.an_interactive_job_waits() {
            prop_assert_eq!(Some(job), reader.best());
        }
        reader.running.push(job);
    }
    // A slot stays empty only for want of a job that fits, or because an interactive one has waited long enough.
    if !reader.an_interactive_job_waits() || reader.running.is_empty() {
        prop_assert_eq!(reader.best(), None);
    }
    Ok(())
}

fn end_without_start(
    over: &[(JobId, Outcome)],
    job: JobId,
    reader: &mut Reader<'_>,
) -> Result<(), TestCaseError> {
    for (never, outcome) in over {
        prop_assert!(!reader.running.contains(never));
        reader.end(*never, outcome.clone())?;
        let needed = reader.is_needed_by(job, *never);
        match outcome {
            Outcome::Skipped { because } => prop_assert!(needed && *because == job),
            Outcome::Stopped => prop_assert!(!needed && reader.script.on_failure != OnFailure::KeepGoing),
            Outcome::Succeeded | Outcome::Fresh | Outcome::Failed(_) => prop_assert!(false, "it never ran"),
        }
    }
    if !reader.has_succeeded(job) {
        reader.closed |= reader.script.on_failure != OnFailure::KeepGoing;
        for other in reader.graph.jobs() {
            prop_assert!(!reader.is_needed_by(job, other) || reader.has_ended(other));
        }
    }
    Ok(())
}
