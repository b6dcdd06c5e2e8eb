//! Any graph: its order, its ranks, its loops, with petgraph as the judge.

use petgraph::algo::{is_cyclic_directed, tarjan_scc};
use petgraph::graph::DiGraph;
use proptest::prelude::*;

use super::{Cycle, Graph};
use crate::model::name::JobId;

/// `"a: b c; b: c; c"`: a needs b and c, b needs c. A name's job is its place among the names before the colons.
fn needs(text: &str) -> Vec<Vec<JobId>> {
    let lines: Vec<(&str, &str)> =
        text.split(';').map(|line| line.split_once(':').unwrap_or((line, ""))).collect();
    let place = |name: &str| lines.iter().position(|(of, _)| of.trim() == name).expect("a name of the text");
    lines
        .iter()
        .map(|(_, needs)| needs.split_whitespace().map(|name| JobId::new(place(name))).collect())
        .collect()
}

fn graph(text: &str) -> Result<Graph, Cycle> {
    let needs = needs(text);
    Graph::new(&needs, &vec![Vec::new(); needs.len()])
}

fn jobs(indexes: &[u32]) -> Vec<JobId> {
    indexes.iter().copied().map(JobId).collect()
}

#[test]
fn a_job_knows_its_needs_and_its_dependents() {
    let graph = graph("a: b c; b: c; c").unwrap();
    assert_eq!(graph.needs(JobId(0)), jobs(&[1, 2]));
    assert_eq!(graph.dependents(JobId(2)), jobs(&[0, 1]));
    assert_eq!(graph.order(), jobs(&[2, 1, 0]));
}

#[test]
fn what_only_comes_after_waits_without_need() {
    let graph = Graph::new(&[vec![], vec![]], &[vec![], jobs(&[0])]).unwrap();
    assert!(graph.needs(JobId(1)).is_empty());
    assert!(graph.dependents(JobId(0)).is_empty());
    assert_eq!(graph.waits(JobId(1)), jobs(&[0]));
    assert_eq!(graph.followers(JobId(0)), jobs(&[1]));
}

#[test]
fn the_rank_counts_the_longest_way_to_the_end() {
    let graph = graph("ship: build test; build: fetch; test; fetch; lint").unwrap();
    let ranks: Vec<u32> = graph.jobs().map(|job| graph.rank(job)).collect();
    assert_eq!(ranks, [1, 2, 2, 3, 1]);
}

#[test]
fn nothing_is_a_graph() {
    assert_eq!(graph("x").unwrap().len(), 1);
    assert_eq!(Graph::new(&[], &[]).unwrap().len(), 0);
}

#[test]
fn a_loop_is_told_from_its_earliest_job_on() {
    assert_eq!(graph("x: c; a: b; b: c; c: a").unwrap_err(), Cycle(jobs(&[1, 2, 3])));
    assert_eq!(graph("a: a").unwrap_err(), Cycle(jobs(&[0])));
}

#[test]
fn the_shortest_loop_is_told() {
    assert_eq!(graph("a: b; b: c; c: d; d: a e; e: d").unwrap_err(), Cycle(jobs(&[3, 4])));
}

#[test]
fn order_alone_can_make_a_loop() {
    assert_eq!(Graph::new(&[jobs(&[1]), vec![]], &[vec![], jobs(&[0])]).unwrap_err(), Cycle(jobs(&[0, 1])));
}

#[test]
fn a_chain_of_100_000_is_fine() {
    let mut needs: Vec<Vec<JobId>> = (0..100_000).map(|job| vec![JobId(job + 1)]).collect();
    needs.push(Vec::new());
    let nothing = vec![Vec::new(); needs.len()];
    let graph = Graph::new(&needs, &nothing).unwrap();
    assert_eq!(graph.rank(JobId(100_000)), 100_001);
    assert_eq!(graph.order().first(), Some(&JobId(100_000)));

    needs[100_000].push(JobId(0));
    assert_eq!(Graph::new(&needs, &nothing).unwrap_err().0.len(), 100_001);
}

#[test]
fn layers_of_1_000_are_fine() {
    let needs: Vec<Vec<JobId>> = (0..100_000)
        .map(|job: u32| match job.checked_sub(1_000) {
            Some(above) => {
                (0..10).map(|way| JobId((above / 1_000) * 1_000 + (above * 7 + way) % 1_000)).collect()
            }
            None => Vec::new(),
        })
        .collect();
    let graph = Graph::new(&needs, &vec![Vec::new(); needs.len()]).unwrap();
    assert_eq!(graph.jobs().map(|job| graph.rank(job)).max(), Some(100));
}

/// Any needs and any order, loops included.
fn any_edges() -> impl Strategy<Value = (Vec<Vec<JobId>>, Vec<Vec<JobId>>)> {
    (1_u32..12).prop_flat_map(|jobs| {
        let list = || prop::collection::vec((0..jobs).prop_map(JobId), 0..3);
        let sparse = || prop_oneof![2 => Just(Vec::new()), 1 => list()];
        (prop::collection::vec(list(), jobs as usize), prop::collection::vec(sparse(), jobs as usize))
    })
}

proptest! {
    #[test]
    fn a_graph_is_made_exactly_when_there_is_no_loop((needs, after) in any_edges()) {
        let all: Vec<Vec<JobId>> = needs.iter().zip(&after).map(|(a, b)| [a.as_slice(), b].concat()).collect();
        let edges = all.iter().enumerate().flat_map(|(job, waits)| waits.iter().map(move |on| (JobId::new(job).0, on.0)));
        let oracle = DiGraph::<(), ()>::from_edges(edges);
        match Graph::new(&needs, &after) {
            Ok(graph) => {
                prop_assert!(!is_cyclic_directed(&oracle));
                let mut place = vec![usize::MAX; all.len()];
                for (index, job) in graph.order().iter().enumerate() {
                    place[job.index()] = index;
                }
                prop_assert!(place.iter().all(|&place| place < all.len()));
                for job in graph.jobs() {
                    prop_assert_eq!(graph.needs(job), &needs[job.index()]);
                    for &on in graph.waits(job) {
                        prop_assert!(place[on.index()] < place[job.index()]);
                        prop_assert!(graph.rank(on) > graph.rank(job));
                        prop_assert!(graph.followers(on).contains(&job));
                    }
                }
            }
            Err(Cycle(jobs)) => {
                prop_assert!(is_cyclic_directed(&oracle));
                for (index, job) in jobs.iter().enumerate() {
                    let next = jobs[(index + 1) % jobs.len()];
                    prop_assert!(all[job.index()].contains(&next), "{:?}", jobs);
                }
                prop_assert_eq!(jobs.iter().min(), jobs.first());
                prop_assert_eq!(jobs.len(), shortest_loop_beside(&all, &oracle, jobs[0]));
            }
        }
    }
}

/// The length of the shortest loop in the component of `job`, by asking every job of it for every length.
fn shortest_loop_beside(waits: &[Vec<JobId>], oracle: &DiGraph<(), ()>, job: JobId) -> usize {
    let component =
        tarjan_scc(oracle).into_iter().find(|jobs| jobs.iter().any(|node| node.index() == job.index()));
    let comes_back = |start: usize, length: usize| {
        let mut at = vec![start];
        for _ in 0..length {
            at = at.iter().flat_map(|&job| waits[job].iter().map(|on| on.index())).collect();
            at.sort_unstable();
            at.dedup();
        }
        at.contains(&start)
    };
    let component = component.expect("every job is in a component");
    let starts = || component.iter().map(|node| node.index());
    (1..=waits.len())
        .find(|&length| starts().any(|start| comes_back(start, length)))
        .expect("there is a loop")
}
