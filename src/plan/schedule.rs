//! When each job of a run starts, and which never do: the run's state, without threads and without a clock.
//! The engine asks `next` until there is none, runs those jobs, and says how each has `ended`.

#[cfg(test)]
mod tests;
mod turn;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::num::NonZeroUsize;

use turn::Turn;

use super::graph::Graph;
use crate::model::event::Outcome;
use crate::model::name::JobId;

/// What a job asks of the jobs beside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Demand {
    /// Jobs with the same word never run together. Words are numbered from 0, without gaps.
    pub(crate) exclusive: Option<u32>,
    /// It has the terminal to itself: while it runs, nothing else does.
    pub(crate) interactive: bool,
}

/// What a failure means for jobs that don't depend on the failed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnFailure {
    /// None starts any more; those that run may finish.
    Drain,
    /// They go on.
    KeepGoing,
    /// None starts any more, and the engine stops those that run.
    FailFast,
}

/// Where each job of a run is.
#[derive(Debug)]
pub(crate) struct Schedule<'a> {
    graph: &'a Graph,
    demands: Vec<Demand>,
    slots: usize,
    on_failure: OnFailure,
    states: Vec<State>,
    /// Ready jobs that share the terminal with nobody's.
    ready: BinaryHeap<Rank>,
    /// Ready jobs that are to run alone.
    interactive: BinaryHeap<Rank>,
    words: Vec<Word>,
    turn: Turn,
    left: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// `unmet` of the jobs it waits for have not ended.
    Waiting { unmet: usize },
    /// All it waits for has ended, its needs with success.
    Ready,
    /// It has a slot; `place` others had started before it.
    Running { place: u64 },
    /// It has its one outcome.
    Ended,
}

/// A ready job; the greatest starts first: the longest remaining path, then the earliest of the plan.
type Rank = (u32, Reverse<JobId>);

/// A word that excludes.
#[derive(Clone, Debug, Default)]
struct Word {
    taken: bool,
    /// Jobs whose turn came while it was taken.
    parked: BinaryHeap<Rank>,
}

impl<'a> Schedule<'a> {
    /// Nothing has started; `demands` has one entry a job.
    pub(crate) fn new(
        graph: &'a Graph,
        demands: Vec<Demand>,
        slots: NonZeroUsize,
        on_failure: OnFailure,
    ) -> Schedule<'a> {
        assert_eq!(graph.len(), demands.len(), "every job makes its demands");
        let words =
            demands.iter().filter_map(|demand| demand.exclusive).max().map_or(0, |word| word as usize + 1);
        let mut schedule = Schedule {
            graph,
            demands,
            slots: slots.get(),
            on_failure,
            states: graph.jobs().map(|job| State::Waiting { unmet: graph.waits(job).len() }).collect(),
            ready: BinaryHeap::new(),
            interactive: BinaryHeap::new(),
            words: vec![Word::default(); words],
            turn: Turn::default(),
            left: graph.len(),
        };
        for job in graph.jobs().filter(|&job| graph.waits(job).is_empty()) {
            schedule.make_ready(job);
        }
        schedule
    }

    /// A job to start now, if there is one; it holds a slot from here until it has `ended`.
    pub(crate) fn next(&mut self) -> Option<JobId> {
        if self.turn.running() == self.slots || self.turn.is_taken() {
            return None;
        }
        loop {
            if self.turn.is_awaited() || self.interactive.peek() > self.ready.peek() {
                if self.turn.running() == 0 {
                    let (_, Reverse(job)) = self.interactive.pop()?;
                    return Some(self.start(job));
                }
                self.turn.wait();
            }
            if !self.turn.may_overtake() {
                return None;
            }
            let rank = self.ready.pop()?;
            let (_, Reverse(job)) = rank;
            match self.word(job) {
                Some(word) if word.taken => word.parked.push(rank),
                Some(_) | None => return Some(self.start(job)),
            }
        }
    }

    /// `job`, which was running, has ended. Gives the jobs that are thereby over without having run: those that
    /// need it are skipped, and those that a failure keeps from starting are stopped.
    ///
    /// Panics if `job` does not run: no job ends twice.
    pub(crate) fn ended(&mut self, job: JobId, outcome: &Outcome) -> Vec<(JobId, Outcome)> {
        let State::Running { place } = self.states[job.index()] else {
            panic!("only a job that runs can end")
        };
        self.turn.end(place);
        self.end(job);
        if let Some(word) = self.word(job) {
            word.taken = false;
            let next = word.parked.pop();
            self.ready.extend(next);
        }
        let because = match outcome {
            Outcome::Succeeded | Outcome::Fresh => {
                self.release(job);
                return Vec::new();
            }
            Outcome::Skipped { because } => *because,
            Outcome::Failed(_) | Outcome::Stopped => job,
        };
        let mut over = self.skip_dependents(job, because);
        match self.on_failure {
            OnFailure::Drain | OnFailure::FailFast => {
                over.extend(self.stop().into_iter().map(|job| (job, Outcome::Stopped)));
            }
            OnFailure::KeepGoing => {
                self.release(job);
                for (skipped, _) in &over {
                    self.release(*skipped);
                }
            }
        }
        over
    }

    /// Nothing starts any more. Gives the jobs that thereby never will; those that run are still to end.
    pub(crate) fn stop(&mut self) -> Vec<JobId> {
        let never: Vec<JobId> = self.graph.jobs().filter(|&job| self.is_to_come(job)).collect();
        for &job in &never {
            self.end(job);
        }
        self.ready.clear();
        self.interactive.clear();
        for word in &mut self.words {
            word.parked.clear();
        }
        never
    }

    /// Whether every job has its outcome.
    pub(crate) fn is_over(&self) -> bool {
        self.left == 0
    }

    fn is_to_come(&self, job: JobId) -> bool {
        match self.states[job.index()] {
            State::Waiting { .. } | State::Ready => true,
            State::Running { .. } | State::Ended => false,
        }
    }

    fn word(&mut self, job: JobId) -> Option<&mut Word> {
        let word = self.demands[job.index()].exclusive?;
        Some(&mut self.words[word as usize])
    }

    fn make_ready(&mut self, job: JobId) {
        self.states[job.index()] = State::Ready;
        let rank = (self.graph.rank(job), Reverse(job));
        if self.demands[job.index()].interactive {
            self.interactive.push(rank);
        } else {
            self.ready.push(rank);
        }
    }

    fn start(&mut self, job: JobId) -> JobId {
        let place = self.turn.start(self.demands[job.index()]);
        self.states[job.index()] = State::Running { place };
        if let Some(word) = self.word(job) {
            word.taken = true;
        }
        job
    }

    fn end(&mut self, job: JobId) {
        self.states[job.index()] = State::Ended;
        self.left -= 1;
    }

    /// Ends all that needs `job`, near or far, and has no outcome yet.
    fn skip_dependents(&mut self, job: JobId, because: JobId) -> Vec<(JobId, Outcome)> {
        let mut skipped = Vec::new();
        let mut open = vec![job];
        while let Some(job) = open.pop() {
            for &dependent in self.graph.dependents(job) {
                if self.is_to_come(dependent) {
                    self.end(dependent);
                    skipped.push((dependent, Outcome::Skipped { because }));
                    open.push(dependent);
                }
            }
        }
        skipped
    }

    /// Lets those that wait for the end of `job` come one job nearer.
    fn release(&mut self, job: JobId) {
        for &follower in self.graph.followers(job) {
            if let State::Waiting { unmet } = &mut self.states[follower.index()] {
                *unmet -= 1;
                if *unmet == 0 {
                    self.make_ready(follower);
                }
            }
        }
    }
}
