//! Any schedule: needs first, slots kept, every job ends once.

mod properties;

use std::num::NonZeroUsize;

use super::{Demand, OnFailure, Schedule};
use crate::diagnostic::Span;
use crate::model::event::{Failed, Failure, Outcome};
use crate::model::name::JobId;
use crate::plan::graph::Graph;

const A: JobId = JobId(0);
const B: JobId = JobId(1);
const C: JobId = JobId(2);
const D: JobId = JobId(3);

const INTERACTIVE: Demand = Demand { exclusive: None, interactive: true };
const DATABASE: Demand = Demand { exclusive: Some(0), interactive: false };
const NOTHING: Demand = Demand { exclusive: None, interactive: false };

fn graph(needs: &[&[JobId]]) -> Graph {
    let needs: Vec<Vec<JobId>> = needs.iter().map(|needs| needs.to_vec()).collect();
    Graph::new(&needs, &vec![Vec::new(); needs.len()]).unwrap()
}

fn undemanding(graph: &Graph, slots: usize, on_failure: OnFailure) -> Schedule<'_> {
    schedule(graph, vec![NOTHING; graph.len()], slots, on_failure)
}

fn schedule(graph: &Graph, demands: Vec<Demand>, slots: usize, on_failure: OnFailure) -> Schedule<'_> {
    Schedule::new(graph, demands, NonZeroUsize::new(slots).unwrap(), on_failure)
}

/// All that can start now.
fn startable(schedule: &mut Schedule<'_>) -> Vec<JobId> {
    std::iter::from_fn(|| schedule.next()).collect()
}

fn failed() -> Outcome {
    Outcome::Failed(Failed { step: "false".into(), at: Span::default(), failure: Failure::Exit(1) })
}

fn skipped(job: JobId, because: JobId) -> (JobId, Outcome) {
    (job, Outcome::Skipped { because })
}

#[test]
fn the_longest_way_goes_first_and_the_plan_breaks_ties() {
    let graph = graph(&[&[], &[], &[], &[C]]);
    let mut schedule = undemanding(&graph, 8, OnFailure::Drain);
    assert_eq!(startable(&mut schedule), [C, A, B]);
}

#[test]
fn a_job_starts_when_its_last_need_has_succeeded() {
    let graph = graph(&[&[], &[], &[A, B]]);
    let mut schedule = undemanding(&graph, 8, OnFailure::Drain);
    assert_eq!(startable(&mut schedule), [A, B]);
    assert!(schedule.ended(B, &Outcome::Fresh).is_empty());
    assert_eq!(schedule.next(), None);
    assert!(schedule.ended(A, &Outcome::Succeeded).is_empty());
    assert_eq!(schedule.next(), Some(C));
    assert!(!schedule.is_over());
    schedule.ended(C, &Outcome::Succeeded);
    assert!(schedule.is_over());
}

#[test]
fn no_more_run_than_there_are_slots() {
    let graph = graph(&[&[], &[], &[]]);
    let mut schedule = undemanding(&graph, 2, OnFailure::Drain);
    assert_eq!(startable(&mut schedule), [A, B]);
    schedule.ended(A, &Outcome::Succeeded);
    assert_eq!(startable(&mut schedule), [C]);
}

#[test]
fn an_empty_plan_is_over() {
    let graph = graph(&[]);
    assert!(undemanding(&graph, 1, OnFailure::Drain).is_over());
}

#[test]
fn after_a_failure_dependents_are_skipped_and_nothing_starts() {
    let graph = graph(&[&[], &[A], &[B], &[]]);
    for on_failure in [OnFailure::Drain, OnFailure::FailFast] {
        let mut schedule = undemanding(&graph, 1, on_failure);
        assert_eq!(schedule.next(), Some(A));
        assert_eq!(schedule.ended(A, &failed()), [skipped(B, A), skipped(C, A), (D, Outcome::Stopped)]);
        assert!(schedule.is_over());
    }
}

#[test]
fn what_runs_when_another_fails_may_finish() {
    let graph = graph(&[&[], &[], &[B]]);
    let mut schedule = undemanding(&graph, 2, OnFailure::Drain);
    assert_eq!(startable(&mut schedule), [B, A]);
    assert_eq!(schedule.ended(A, &failed()), [(C, Outcome::Stopped)]);
    assert!(!schedule.is_over());
    assert!(schedule.ended(B, &Outcome::Succeeded).is_empty());
    assert!(schedule.is_over());
}

#[test]
fn keep_going_goes_on_with_what_does_not_depend_on_the_failed() {
    let graph = graph(&[&[], &[A], &[], &[C]]);
    let mut schedule = undemanding(&graph, 1, OnFailure::KeepGoing);
    assert_eq!(schedule.next(), Some(A));
    assert_eq!(schedule.ended(A, &failed()), [skipped(B, A)]);
    assert_eq!(schedule.next(), Some(C));
    schedule.ended(C, &Outcome::Succeeded);
    assert_eq!(schedule.next(), Some(D));
}

#[test]
fn what_only_comes_after_starts_whatever_the_end_was() {
    let graph = Graph::new(&[vec![], vec![A], vec![]], &[vec![], vec![], vec![B]]).unwrap();
    let mut schedule = undemanding(&graph, 2, OnFailure::KeepGoing);
    assert_eq!(startable(&mut schedule), [A]);
    assert_eq!(schedule.ended(A, &failed()), [skipped(B, A)]);
    assert_eq!(startable(&mut schedule), [C]);
}

#[test]
fn jobs_of_one_word_never_meet_and_hold_up_nobody_else() {
    let graph = graph(&[&[], &[], &[], &[]]);
    let mut schedule = schedule(&graph, vec![DATABASE, DATABASE, DATABASE, NOTHING], 2, OnFailure::Drain);
    assert_eq!(startable(&mut schedule), [A, D]);
    schedule.ended(D, &Outcome::Succeeded);
    assert_eq!(schedule.next(), None);
    schedule.ended(A, &Outcome::Succeeded);
    assert_eq!(startable(&mut schedule), [B]);
    schedule.ended(B, &Outcome::Succeeded);
    assert_eq!(startable(&mut schedule), [C]);
}

#[test]
fn an_interactive_job_runs_alone() {
    let graph = graph(&[&[], &[], &[]]);
    let mut schedule = schedule(&graph, vec![INTERACTIVE, NOTHING, NOTHING], 8, OnFailure::Drain);
    assert_eq!(startable(&mut schedule), [A]);
    schedule.ended(A, &Outcome::Succeeded);
    assert_eq!(startable(&mut schedule), [B, C]);
}

#[test]
fn slots_are_used_while_an_interactive_job_waits_but_not_for_ever() {
    // E to H are ready throughout; the interactive C is ready when A ends, and its turn comes before theirs.
    let needs: [&[JobId]; 9] = [&[], &[], &[A], &[C], &[], &[], &[], &[], &[D]];
    let graph = graph(&needs);
    let mut demands = vec![NOTHING; 9];
    demands[C.index()] = INTERACTIVE;
    let mut schedule = schedule(&graph, demands, 2, OnFailure::Drain);
    let [e, f, g] = [4, 5, 6].map(JobId);
    assert_eq!(startable(&mut schedule), [A, B]);
    schedule.ended(A, &Outcome::Succeeded);
    assert_eq!(startable(&mut schedule), [e], "B still runs, so C could not start anyway");
    schedule.ended(e, &Outcome::Succeeded);
    assert_eq!(startable(&mut schedule), [f]);
    schedule.ended(B, &Outcome::Succeeded);
    assert_eq!(startable(&mut schedule), [], "now C would wait for g");
    schedule.ended(f, &Outcome::Succeeded);
    assert_eq!(startable(&mut schedule), [C]);
    schedule.ended(C, &Outcome::Succeeded);
    assert_eq!(startable(&mut schedule), [D, g]);
}

#[test]
fn a_stop_ends_all_that_has_not_started() {
    let graph = graph(&[&[], &[A], &[], &[]]);
    let mut schedule =
        schedule(&graph, vec![DATABASE, NOTHING, DATABASE, INTERACTIVE], 4, OnFailure::KeepGoing);
    assert_eq!(startable(&mut schedule), [A]);
    assert_eq!(schedule.stop(), [B, C, D]);
    assert_eq!(schedule.stop(), []);
    assert!(!schedule.is_over());
    assert!(schedule.ended(A, &Outcome::Stopped).is_empty());
    assert_eq!(schedule.next(), None);
    assert!(schedule.is_over());
}

#[test]
#[should_panic(expected = "only a job that runs can end")]
fn no_job_ends_twice() {
    let graph = graph(&[&[], &[]]);
    let mut schedule = undemanding(&graph, 1, OnFailure::Drain);
    let job = schedule.next().unwrap();
    schedule.ended(job, &Outcome::Succeeded);
    schedule.ended(job, &Outcome::Succeeded);
}

const MANY: u32 = 100_000;

#[test]
fn a_chain_of_100_000_is_skipped_at_once_or_run_to_its_end() {
    let needs: Vec<Vec<JobId>> =
        (0..MANY).map(|job| job.checked_sub(1).map(JobId).into_iter().collect()).collect();
    let graph = Graph::new(&needs, &vec![Vec::new(); needs.len()]).unwrap();
    let mut schedule = undemanding(&graph, 2, OnFailure::KeepGoing);
    assert_eq!(schedule.next(), Some(A));
    let over = schedule.ended(A, &failed());
    assert_eq!(over.len(), MANY as usize - 1);
    assert_eq!(over.last(), Some(&skipped(JobId(MANY - 1), A)));
    assert!(schedule.is_over());

    let mut schedule = undemanding(&graph, 2, OnFailure::Drain);
    assert_eq!(run_all(&mut schedule), MANY);
}

#[test]
fn layers_of_100_000_run_to_their_end() {
    let above = |job: u32| (0..10).map(move |way| JobId((job / 1_000 - 1) * 1_000 + (job * 7 + way) % 1_000));
    let needs: Vec<Vec<JobId>> =
        (0..MANY).map(|job| if job < 1_000 { Vec::new() } else { above(job).collect() }).collect();
    let graph = Graph::new(&needs, &vec![Vec::new(); needs.len()]).unwrap();
    assert_eq!(run_all(&mut undemanding(&graph, 8, OnFailure::Drain)), MANY);
}

#[test]
fn no_job_is_looked_at_again_and_again() {
    let graph = Graph::new(&vec![Vec::new(); MANY as usize], &vec![Vec::new(); MANY as usize]).unwrap();
    // Half of them want one word, the others words of many or the terminal.
    let demand = |job: u32| match job % 4 {
        0 | 1 => DATABASE,
        2 => Demand { exclusive: Some(1 + job % 1_000), interactive: false },
        3.. => INTERACTIVE,
    };
    let mut schedule = schedule(&graph, (0..MANY).map(demand).collect(), 8, OnFailure::Drain);
    assert_eq!(run_all(&mut schedule), MANY);
}

/// Runs all there is, always ending what has run longest; gives how many ran.
fn run_all(schedule: &mut Schedule<'_>) -> u32 {
    let mut running = std::collections::VecDeque::new();
    let mut ran = 0;
    loop {
        while let Some(job) = schedule.next() {
            running.push_back(job);
            ran += 1;
        }
        match running.pop_front() {
            Some(job) => schedule.ended(job, &Outcome::Succeeded),
            None => break,
        };
    }
    assert!(schedule.is_over());
    ran
}
