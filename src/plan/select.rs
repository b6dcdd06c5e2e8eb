//! Which tasks a request reaches, and what comes before what. A loop is refused here, whole.

use std::collections::HashMap;

use super::graph::{Cycle, Graph};
use super::render::Renderer;
use super::walk::Walk;
use super::{Data, Request, Unplanned};
use crate::diagnostic::{Diagnostic, Diagnostics, Span, nearest};
use crate::model::environment::Environment;
use crate::model::name::JobId;
use crate::model::project::{Named, Project};
use crate::model::task::Task;

/// The task that an environment's deploy runs, unless the environment names another.
pub(crate) const DEPLOY: &str = "deploy";

/// How deep `task` steps may be nested; deeper is a mistake, and would overflow the stack.
pub(crate) const DEEPEST_CALL: usize = 64;

/// One task with one set of parameters in one environment, before it is rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Node {
    pub(crate) work: Work,
    pub(crate) environment: Option<usize>,
    /// What it is given, by its number.
    pub(crate) arguments: u32,
}

/// What a node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Work {
    /// A task of the file, by its index.
    Task(usize),
    /// The deploy that an environment has without a task for it.
    BuiltIn,
    /// What `deploy backup` and `deploy restore` do with an environment's data.
    Data,
}

impl Node {
    /// The task of the file that it is, if it is one.
    pub(crate) fn declared<'a>(&self, project: &'a Project) -> Option<&'a Task> {
        match self.work {
            Work::Task(index) => Some(&project.tasks[index]),
            Work::BuiltIn | Work::Data => None,
        }
    }

    /// Whether this is the deploy of its environment.
    pub(crate) fn is_deploy(&self, project: &Project) -> bool {
        self.work == Work::BuiltIn
            || self.environment.is_some_and(|index| self.work == deploy_of(project, index))
    }
}

/// What deploys to an environment.
pub(super) fn deploy_of(project: &Project, environment: usize) -> Work {
    let name = project.environments[environment].deploy.as_ref().map_or(DEPLOY, |(name, _)| name);
    match project.names.get(name) {
        Some(Named::Task(index)) => Work::Task(*index),
        Some(Named::Environment(_)) | None => Work::BuiltIn,
    }
}

/// The task of the file that deploys to an environment, if one does.
pub(crate) fn deploy_task(project: &Project, environment: usize) -> Option<&Task> {
    Node { work: deploy_of(project, environment), environment: Some(environment), arguments: 0 }
        .declared(project)
}

/// Whether there is anything to deploy there: a target, or a task for it.
pub(crate) fn deploys(project: &Project, environment: &Environment) -> bool {
    let name = environment.deploy.as_ref().map_or(DEPLOY, |(name, _)| name);
    environment.target.is_some() || project.task(name).is_some()
}

/// The nodes that a request reaches, as a graph.
pub(crate) struct Selection {
    pub(crate) nodes: Vec<Node>,
    pub(crate) graph: Graph,
    roots: Vec<JobId>,
    needs: Vec<Vec<JobId>>,
    after: Vec<Vec<JobId>>,
}

impl Selection {
    /// # Errors
    /// Unknown names, parameters that don't fit, an environment without anything to deploy, the loop if there is one;
    /// and what must be known first.
    pub(crate) fn new<'a>(
        project: &'a Project,
        request: &'a Request,
        renderer: &mut Renderer<'a>,
    ) -> Result<Selection, Unplanned> {
        let mut walk = Walk::new(project, request.dependencies, renderer);
        let roots = walk.roots(request).map_err(Unplanned::Wrong)?;
        walk.renderer.settle()?;
        walk.renderer.note_deliveries(&roots);
        let roots: Vec<JobId> = roots.into_iter().map(|node| walk.number(node)).collect();
        let mut next = 0;
        while let Some(&node) = walk.nodes.get(next) {
            let needs = walk.needs_of(node).map_err(Unplanned::Wrong)?;
            walk.needs[next] = needs;
            next += 1;
        }
        walk.renderer.settle()?;
        let after = walk.after();
        match Graph::new(&walk.needs, &after) {
            Ok(graph) => Ok(Selection { nodes: walk.nodes, graph, roots, needs: walk.needs, after }),
            Err(cycle) => Err(Unplanned::Wrong(explain(project, &walk.nodes, &cycle).into())),
        }
    }

    /// Without the nodes that are left out, and what only they needed.
    ///
    /// # Errors
    /// None in fact: a part of a graph without loops has none.
    pub(crate) fn prune(self, mut left_out: impl FnMut(Node) -> bool) -> Result<Selection, Diagnostics> {
        let kept: Vec<bool> = self.nodes.iter().map(|node| !left_out(*node)).collect();
        if kept.iter().all(|kept| *kept) {
            return Ok(self);
        }
        let mut reached = vec![false; self.nodes.len()];
        let mut open: Vec<JobId> = self.roots.iter().copied().filter(|root| kept[root.index()]).collect();
        while let Some(job) = open.pop() {
            if !std::mem::replace(&mut reached[job.index()], true) {
                open.extend(self.needs[job.index()].iter().copied().filter(|need| kept[need.index()]));
            }
        }
        let mut numbers = vec![None; self.nodes.len()];
        for (number, index) in (0..self.nodes.len()).filter(|index| reached[*index]).enumerate() {
            numbers[index] = Some(JobId::new(number));
        }
        let renumber = |edges: &[Vec<JobId>]| -> Vec<Vec<JobId>> {
            let all = edges.iter().enumerate().filter(|(index, _)| reached[*index]);
            all.map(|(_, jobs)| jobs.iter().filter_map(|job| numbers[job.index()]).collect()).collect()
        };
        let (needs, after) = (renumber(&self.needs), renumber(&self.after));
        let graph = Graph::new(&needs, &after)
            .map_err(|_| Diagnostics::from(Diagnostic::new("a loop among the tasks")))?;
        let nodes =
            self.nodes.iter().zip(&reached).filter(|(_, reached)| **reached).map(|(node, _)| *node).collect();
        let roots = self.roots.iter().filter_map(|root| numbers[root.index()]).collect();
        Ok(Selection { nodes, graph, roots, needs, after })
    }

    /// What each node is called: its task's name, with what `each` gives it; with its parameters and its environment
    /// where the name alone would be ambiguous.
    pub(crate) fn labels(&self, project: &Project, renderer: &Renderer<'_>) -> Vec<String> {
        let built_in = renderer.request.data.as_ref().map_or(DEPLOY, Data::word);
        let name = |node: &Node| node.declared(project).map_or(built_in, |task| task.name.as_str());
        let mut uses: HashMap<&str, Vec<(Option<usize>, u32)>> = HashMap::new();
        for node in &self.nodes {
            uses.entry(name(node)).or_default().push((node.environment, node.arguments));
        }
        let label = |node: &Node| {
            let mut label = name(node).to_owned();
            let others = &uses[name(node)];
            if node.arguments != 0 {
                let each = node.declared(project).map_or(&[][..], |task| &task.each);
                let given = |arguments: u32, name: &str| {
                    renderer
                        .given(arguments)
                        .iter()
                        .find(|(other, _)| other == name)
                        .map(|(_, rendered)| rendered)
                };
                let tells = |name: &str| {
                    each.iter().any(|variable| variable.name == name)
                        || others.iter().any(|(_, other)| given(*other, name) != given(node.arguments, name))
                };
                let shown = renderer.given(node.arguments).iter().filter(|(name, _)| tells(name));
                let shown: Vec<String> = shown
                    .map(|(name, rendered)| format!("{name}={}", in_one_line(&rendered.value.to_string())))
                    .collect();
                if !shown.is_empty() {
                    label = format!("{label}[{}]", shown.join(","));
                }
            }
            match node.environment {
                Some(index) if others.iter().any(|(other, _)| *other != node.environment) => {
                    format!("{label}@{}", project.environments[index].name)
                }
                Some(_) | None => label,
            }
        };
        self.nodes.iter().map(label).collect()
    }
}

/// Says that a name of the command line means nothing, and what it may have meant.
pub(crate) fn unknown(project: &Project, what: &str, name: &str) -> Diagnostic {
    let near = || nearest(name, project.names.keys().map(String::as_str));
    let help = project.instead(name).or_else(|| Some(format!("did you mean `{}`?", near()?)));
    // A task of that name would be run.
    let list = if project.names.contains_key("list") { ":list" } else { "list" };
    Diagnostic::new(format!("there is no {what} `{name}`"))
        .help(help.unwrap_or_else(|| format!("`deploy {list}` shows what there is")))
}

/// The loop, whole: its tasks in order, and every place that makes it.
fn explain(project: &Project, nodes: &[Node], cycle: &Cycle) -> Diagnostic {
    let name = |job: JobId| nodes[job.index()].declared(project).map_or(DEPLOY, |task| task.name.as_str());
    let around: Vec<JobId> = cycle.0.iter().chain(cycle.0.first()).copied().collect();
    let way: Vec<&str> = around.iter().map(|job| name(*job)).collect();
    let mut problem = Diagnostic::new(format!("tasks need each other in a loop: {}", way.join(" -> ")));
    for pair in around.windows(2) {
        if let Some(at) = edge(project, nodes[pair[0].index()], name(pair[1])) {
            problem = problem.at(at, format!("`{}` waits for `{}`", name(pair[0]), name(pair[1])));
        }
    }
    problem.help("take one of them out; `after` alone gives order without need, and can't make a loop either")
}

/// Where `node` says that it waits for the task `other`.
fn edge(project: &Project, node: Node, other: &str) -> Option<Span> {
    let environment =
        node.environment.filter(|_| node.is_deploy(project)).map(|index| &project.environments[index]);
    let of_environment = environment.into_iter().flat_map(|environment| &environment.needs);
    let task = node.declared(project);
    let of_task = task.into_iter().flat_map(|task| &task.needs);
    let need = of_environment.chain(of_task).find(|need| need.task == other).map(|need| need.at);
    let after = || task?.after.iter().find(|(name, _)| name == other).map(|(_, at)| *at);
    need.or_else(after)
}

/// A value as it can stand in a line: what would move the cursor or end the line is written out.
fn in_one_line(value: &str) -> String {
    let write = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    value.chars().map(write).collect()
}
