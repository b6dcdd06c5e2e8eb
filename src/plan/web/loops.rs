//! Which edges of a web are parts of loops. Exactly those that would keep a run from being planned: where a task is
//! done (in which environment, as a job or inside its caller) is told apart. A work list, never a recursion.

use super::{Kind, Tie, Web};

/// Marks every edge that is a part of a loop.
pub(super) fn mark(web: &mut Web) {
    let states = States::new(web);
    let components = components(states.count(), |state| states.next(state).map(|(_, to)| to).collect());
    let mut looping = vec![false; web.edges.len()];
    for state in 0..states.count() {
        for (edge, to) in states.next(state) {
            looping[edge] |= components[state] == components[to];
        }
    }
    // What an environment needs comes before its deploy: a loop through the one is a loop through the other.
    for index in 0..web.edges.len() {
        let edge = &web.edges[index];
        let same = |other: &usize| web.edges[*other].from == edge.from;
        let is_on_one = || (0..index).rev().take_while(same).any(|other| looping[other]);
        looping[index] |= edge.tie == Tie::Deploys && is_on_one();
    }
    for (edge, looping) in web.edges.iter_mut().zip(looping) {
        edge.looping = looping;
    }
}

/// How a task is done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Job,
    /// By a step of another task: what it is `after` does not count then.
    Called,
}

/// All that can be done, numbered: each node in each place, in each manner. Environments without needs of their own
/// are one place, together with none: they change nothing about what waits for what.
struct States<'a> {
    web: &'a Web,
    /// For each environment, its place.
    places: Vec<usize>,
    /// How many places there are.
    count: usize,
    /// For each environment, the task that deploys to it, if it has needs.
    deploys: Vec<Option<usize>>,
}

impl<'a> States<'a> {
    fn new(web: &'a Web) -> States<'a> {
        let environments = web.nodes.iter().take_while(|node| node.kind == Kind::Environment).count();
        let mut states = States { web, places: vec![0; environments], count: 1, deploys: Vec::new() };
        for environment in 0..environments {
            let edges = web.edges_of(environment);
            let deploy = edges.iter().find(|edge| edge.tie == Tie::Deploys).map(|edge| edge.to);
            let needs = edges.iter().any(|edge| edge.tie == Tie::Needs);
            if needs {
                states.places[environment] = states.count;
                states.count += 1;
            }
            states.deploys.push(deploy.filter(|_| needs));
        }
        states
    }

    fn count(&self) -> usize {
        self.count * self.web.nodes.len() * 2
    }

    fn number(&self, place: usize, node: usize, manner: Manner) -> usize {
        (place * self.web.nodes.len() + node) * 2 + usize::from(manner == Manner::Called)
    }

    /// What a job is: the environment that it deploys to, or itself.
    fn job(&self, place: usize, node: usize) -> usize {
        if let Some(own) = self.places.get(node) {
            return self.number(*own, node, Manner::Job);
        }
        let is_deployed = |environment: &usize| {
            self.places[*environment] == place && self.deploys[*environment] == Some(node)
        };
        let environment = (0..self.places.len()).find(is_deployed);
        self.number(place, environment.unwrap_or(node), Manner::Job)
    }

    /// What must be done before: by which edge, and what.
    fn next(&self, state: usize) -> impl Iterator<Item = (usize, usize)> + '_ {
        let manner = if state.is_multiple_of(2) { Manner::Job } else { Manner::Called };
        let (place, node) = (state / 2 / self.web.nodes.len(), state / 2 % self.web.nodes.len());
        let first = self.web.edges.partition_point(|edge| edge.from < node);
        let edges = self.web.edges_of(node).iter().enumerate();
        edges.filter_map(move |(index, edge)| {
            let named = edge.place.as_ref().and_then(|name| self.place(name));
            let to = match (edge.tie, manner) {
                (Tie::Needs, _) => self.job(named.unwrap_or(place), edge.to),
                (Tie::After, Manner::Job) => self.job(place, edge.to),
                (Tie::After, Manner::Called) => return None,
                // The task itself: as a job it would be the environment again.
                (Tie::Deploys, _) => self.number(place, edge.to, Manner::Job),
                (Tie::Calls, _) => self.number(place, edge.to, Manner::Called),
            };
            Some((first + index, to))
        })
    }

    fn place(&self, environment: &str) -> Option<usize> {
        let index = self.web.nodes[..self.places.len()].iter().position(|node| node.name == environment)?;
        Some(self.places[index])
    }
}

/// For each state a number, the same for those that reach each other (Tarjan's algorithm, with a stack of its own).
fn components(count: usize, next: impl Fn(usize) -> Vec<usize>) -> Vec<usize> {
    const UNSEEN: usize = usize::MAX;
    let mut found = vec![UNSEEN; count];
    let mut lowest = vec![UNSEEN; count];
    let mut components = vec![UNSEEN; count];
    let mut path: Vec<(usize, Vec<usize>)> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut clock = 0;
    for start in 0..count {
        if found[start] != UNSEEN {
            continue;
        }
        let mut entered = Some(start);
        loop {
            if let Some(state) = entered.take() {
                (found[state], lowest[state]) = (clock, clock);
                clock += 1;
                open.push(state);
                path.push((state, next(state)));
            }
            let Some((state, left)) = path.last_mut() else { break };
            let state = *state;
            match left.pop() {
                Some(to) if found[to] == UNSEEN => entered = Some(to),
                Some(to) if components[to] == UNSEEN => lowest[state] = lowest[state].min(found[to]),
                Some(_) => {}
                None => {
                    path.pop();
                    if let Some((caller, _)) = path.last() {
                        lowest[*caller] = lowest[*caller].min(lowest[state]);
                    }
                    while lowest[state] == found[state]
                        && let Some(member) = open.pop()
                    {
                        components[member] = state;
                        if member == state {
                            break;
                        }
                    }
                }
            }
        }
    }
    components
}
