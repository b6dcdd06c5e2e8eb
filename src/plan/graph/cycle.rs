//! The loop that keeps a plan from being a graph: a short one, since a person has to read it.

use super::edges::Edges;
use crate::model::name::JobId;

/// How many edges are looked at in search of a shorter loop: a fraction of a second. Up to some 1,000 jobs it
/// ends before that, and the loop is the shortest of its component.
const SEARCH: usize = 4_000_000;

/// A loop: each job waits for the next, and the last for the first. The first is the earliest of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cycle(pub(crate) Vec<JobId>);

impl Cycle {
    /// A loop among the jobs that are `stuck`: those that are on a loop or behind one. There must be one.
    pub(super) fn find(waits: &Edges, followers: &Edges, stuck: &[bool]) -> Cycle {
        let start = on_a_loop(waits, stuck);
        let below = reached(waits, start);
        let above = reached(followers, start);
        let component: Vec<bool> = below.iter().zip(&above).map(|(below, above)| *below && *above).collect();

        let mut search =
            Search { waits, component: &component, from: vec![None; waits.len()], left: usize::MAX };
        let mut shortest = search.loop_through(start, usize::MAX).expect("the walk came back to it");
        search.left = SEARCH;
        for job in (0..waits.len()).map(JobId::new).filter(|job| component[job.index()]) {
            if search.left == 0 || shortest.len() == 1 {
                break;
            }
            if let Some(shorter) = search.loop_through(job, shortest.len() - 1) {
                shortest = shorter;
            }
        }
        let earliest = (0..shortest.len()).min_by_key(|&place| shortest[place]).unwrap_or(0);
        shortest.rotate_left(earliest);
        Cycle(shortest)
    }
}

/// From the first stuck job on to a stuck job that it waits for, until one comes a second time.
fn on_a_loop(waits: &Edges, stuck: &[bool]) -> JobId {
    let is_stuck = |job: &JobId| stuck[job.index()];
    let mut seen = vec![false; stuck.len()];
    let mut here = (0..stuck.len()).map(JobId::new).find(is_stuck).expect("a job is stuck");
    while !seen[here.index()] {
        seen[here.index()] = true;
        here = *waits.of(here).iter().find(|job| is_stuck(job)).expect("a stuck job waits for a stuck one");
    }
    here
}

fn reached(edges: &Edges, start: JobId) -> Vec<bool> {
    let mut reached = vec![false; edges.len()];
    let mut open = vec![start];
    while let Some(job) = open.pop() {
        if !std::mem::replace(&mut reached[job.index()], true) {
            open.extend(edges.of(job));
        }
    }
    reached
}

/// A breadth-first search, one start after the other.
struct Search<'a> {
    waits: &'a Edges,
    component: &'a [bool],
    /// For each job, the job from which the present search came to it.
    from: Vec<Option<JobId>>,
    /// How many more edges may be looked at.
    left: usize,
}

impl Search<'_> {
    /// The shortest loop through `start`, unless it has more than `longest` jobs or the search is used up.
    fn loop_through(&mut self, start: JobId, longest: usize) -> Option<Vec<JobId>> {
        let mut open = vec![(start, 1)];
        let mut next = 0;
        let mut found = None;
        while let Some(&(job, length)) = open.get(next)
            && length <= longest
            && self.left > 0
        {
            next += 1;
            self.left = self.left.saturating_sub(self.waits.of(job).len());
            if self.waits.of(job).contains(&start) {
                found = Some(self.way(start, job));
                break;
            }
            for &to in self.waits.of(job) {
                if self.component[to.index()] && self.from[to.index()].is_none() {
                    self.from[to.index()] = Some(job);
                    open.push((to, length + 1));
                }
            }
        }
        for (job, _) in open {
            self.from[job.index()] = None;
        }
        found
    }

    /// The jobs by which the search came from `start` to `end`, both included.
    fn way(&self, start: JobId, end: JobId) -> Vec<JobId> {
        let mut way = vec![end];
        while let Some(from) = way.last().filter(|&&job| job != start).and_then(|job| self.from[job.index()])
        {
            way.push(from);
        }
        way.reverse();
        way
    }
}
