//! What needs what, as the file says it: all tasks and environments, and the ties between them. A loop is no mistake
//! here: it is marked, so that it can be shown. Nothing is selected, rendered or judged.

mod loops;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use super::select::DEPLOY;
use crate::model::project::{Named, Project};
use crate::model::step::{Action, Step, Written};
use crate::model::task::{Listing, Need};

/// Tasks and environments, and what ties them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Web {
    /// Environments first, each kind in the order of the file.
    pub(crate) nodes: Vec<Node>,
    /// In the order of the nodes that they come from.
    pub(crate) edges: Vec<Edge>,
    /// The nodes that were asked for, or those that no other needs.
    pub(crate) roots: Vec<usize>,
}

/// A task or an environment.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// The environments that a task is for; empty: all.
    pub(crate) only: Vec<String>,
    /// The hosts and groups that a task is done on.
    pub(crate) on: Vec<String>,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Environment,
    Task,
    /// A task that is not listed.
    Private,
}

/// One node says something about another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Edge {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) tie: Tie,
    /// The environment that the other is needed in, where the file names one.
    pub(crate) place: Option<String>,
    /// Whether it is a part of a loop.
    pub(crate) looping: bool,
}

/// What one node has to do with another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Tie {
    /// The other must have succeeded before.
    Needs,
    /// An environment is deployed to by a task.
    Deploys,
    /// The other's steps are done as a part of this one.
    Calls,
    /// The other ends first, if both run.
    After,
}

impl Web {
    /// All that a project has.
    pub(crate) fn new(project: &Project) -> Web {
        let environments = project.environments.iter().map(|environment| Node {
            name: environment.name.clone(),
            kind: Kind::Environment,
            only: Vec::new(),
            on: Vec::new(),
        });
        let tasks = project.tasks.iter().map(|task| Node {
            name: task.name.clone(),
            kind: match task.listing {
                Listing::Shown => Kind::Task,
                Listing::Hidden => Kind::Private,
            },
            only: task.only.iter().map(|(name, _)| name.clone()).collect(),
            on: task.hosts().into_iter().map(str::to_owned).collect(),
        });
        let mut spinner = Spinner { project, from: 0, edges: Vec::new(), known: HashSet::new() };
        spinner.environments();
        spinner.tasks();
        let mut web =
            Web { nodes: environments.chain(tasks).collect(), edges: spinner.edges, roots: Vec::new() };
        loops::mark(&mut web);
        let mut is_root = vec![true; web.nodes.len()];
        for edge in web.edges.iter().filter(|edge| edge.tie != Tie::After) {
            is_root[edge.to] = false;
        }
        web.roots = (0..web.nodes.len()).filter(|node| is_root[*node]).collect();
        web
    }

    /// What these nodes need, themselves included; as in a run, nothing is there only because something is `after` it.
    pub(crate) fn part(&self, roots: &[usize]) -> Web {
        let mut reached = vec![false; self.nodes.len()];
        let mut open = roots.to_vec();
        while let Some(node) = open.pop() {
            if !std::mem::replace(&mut reached[node], true) {
                let pulled = self.edges_of(node).iter().filter(|edge| edge.tie != Tie::After);
                open.extend(pulled.map(|edge| edge.to));
            }
        }
        let mut numbers = vec![0; self.nodes.len()];
        let kept: Vec<usize> = (0..self.nodes.len()).filter(|node| reached[*node]).collect();
        for (number, node) in kept.iter().enumerate() {
            numbers[*node] = number;
        }
        let edges = self.edges.iter().filter(|edge| reached[edge.from] && reached[edge.to]);
        let renumbered =
            |edge: &Edge| Edge { from: numbers[edge.from], to: numbers[edge.to], ..edge.clone() };
        Web {
            edges: edges.map(renumbered).collect(),
            nodes: kept.into_iter().map(|node| self.nodes[node].clone()).collect(),
            roots: roots.iter().map(|root| numbers[*root]).collect(),
        }
    }

    /// The edges that come from a node.
    pub(crate) fn edges_of(&self, node: usize) -> &[Edge] {
        let start = self.edges.partition_point(|edge| edge.from < node);
        let end = self.edges.partition_point(|edge| edge.from <= node);
        &self.edges[start..end]
    }
}

/// Makes the edges.
struct Spinner<'a> {
    project: &'a Project,
    /// The node whose edges are made.
    from: usize,
    edges: Vec<Edge>,
    /// The edges that the node has already.
    known: HashSet<Edge>,
}

impl Spinner<'_> {
    fn environments(&mut self) {
        let project = self.project;
        for (index, environment) in project.environments.iter().enumerate() {
            self.begin(index);
            self.needs(&environment.needs);
            self.tie(Tie::Deploys, environment.deploy.as_ref().map_or(DEPLOY, |(name, _)| name), None);
        }
    }

    fn tasks(&mut self) {
        let project = self.project;
        for (index, task) in project.tasks.iter().enumerate() {
            self.begin(project.environments.len() + index);
            self.needs(&task.needs);
            self.calls(&task.steps);
            self.calls(&task.always);
            for (name, _) in &task.after {
                self.tie(Tie::After, name, None);
            }
        }
    }

    fn begin(&mut self, node: usize) {
        self.from = node;
        self.known.clear();
    }

    fn needs(&mut self, needs: &[Need]) {
        for need in needs {
            self.tie(Tie::Needs, &need.task, need.environment.as_ref().map(|(name, _)| name.as_str()));
        }
    }

    fn calls(&mut self, steps: &[Step<Written>]) {
        for step in steps {
            if let Action::Task(call) = &step.action {
                self.tie(Tie::Calls, &call.task, None);
            }
            self.calls(&step.undo);
        }
    }

    /// Ties the present node to a task; to the environment itself, if that task in that place is its deploy.
    fn tie(&mut self, tie: Tie, task: &str, place: Option<&str>) {
        let Some(Named::Task(index)) = self.project.names.get(task) else { return };
        let mut edge = Edge {
            from: self.from,
            to: self.project.environments.len() + index,
            tie,
            place: place.map(str::to_owned),
            looping: false,
        };
        if let Some(environment) = place.and_then(|place| self.deployed_by(place, *index)) {
            edge = Edge { to: environment, place: None, ..edge };
        }
        if self.known.insert(edge.clone()) {
            self.edges.push(edge);
        }
    }

    /// The environment, if the task number `task` deploys to it.
    fn deployed_by(&self, environment: &str, task: usize) -> Option<usize> {
        let index = self.project.environments.iter().position(|other| other.name == environment)?;
        let deploy = self.project.environments[index].deploy.as_ref().map_or(DEPLOY, |(name, _)| name);
        (self.project.names.get(deploy) == Some(&Named::Task(task))).then_some(index)
    }
}
