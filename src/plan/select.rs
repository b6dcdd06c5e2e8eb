//! Which tasks a request reaches, and what comes before what. A loop is refused here, whole.

use std::collections::HashMap;

use super::graph::{Cycle, Graph};
use super::{Dependencies, Request};
use crate::diagnostic::{Diagnostic, Diagnostics, Span, nearest};
use crate::model::environment::Environment;
use crate::model::name::JobId;
use crate::model::project::{Named, Project};
use crate::model::step::{Action, Step, Written};
use crate::model::task::Task;

/// The task that an environment's deploy runs, unless the environment names another.
pub(crate) const DEPLOY: &str = "deploy";

/// How deep `task` steps may be nested; deeper is a mistake, and would overflow the stack.
pub(crate) const DEEPEST_CALL: usize = 64;

/// One task in one environment, before it is rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Node {
    pub(crate) work: Work,
    pub(crate) environment: Option<usize>,
}

/// What a node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Work {
    /// A task of the file, by its index.
    Task(usize),
    /// The deploy that an environment has without a task for it.
    BuiltIn,
}

impl Node {
    /// The task of the file that it is, if it is one.
    pub(crate) fn declared<'a>(&self, project: &'a Project) -> Option<&'a Task> {
        match self.work {
            Work::Task(index) => Some(&project.tasks[index]),
            Work::BuiltIn => None,
        }
    }

    /// Whether this is the deploy of its environment.
    pub(crate) fn is_deploy(&self, project: &Project) -> bool {
        self.environment.is_some_and(|index| self.work == deploy_of(project, index))
    }
}

/// What deploys to an environment.
fn deploy_of(project: &Project, environment: usize) -> Work {
    let name = project.environments[environment].deploy.as_ref().map_or(DEPLOY, |(name, _)| name);
    match project.names.get(name) {
        Some(Named::Task(index)) => Work::Task(*index),
        Some(Named::Environment(_)) | None => Work::BuiltIn,
    }
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
    /// Unknown names, an environment without anything to deploy, and the loop if there is one.
    pub(crate) fn new(project: &Project, request: &Request) -> Result<Selection, Diagnostics> {
        let roots = roots(project, request)?;
        let dependencies = request.dependencies;
        let mut walk =
            Walk { project, dependencies, numbers: HashMap::new(), nodes: Vec::new(), needs: Vec::new() };
        let roots: Vec<JobId> = roots.into_iter().map(|node| walk.number(node)).collect();
        let mut next = 0;
        while let Some(&node) = walk.nodes.get(next) {
            let needs = walk.needs_of(node)?;
            walk.needs[next] = needs;
            next += 1;
        }
        let after = walk.after();
        match Graph::new(&walk.needs, &after) {
            Ok(graph) => Ok(Selection { nodes: walk.nodes, graph, roots, needs: walk.needs, after }),
            Err(cycle) => Err(explain(project, &walk.nodes, &cycle).into()),
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

    /// What each node is called: its task's name, with the environment where that alone would be ambiguous.
    pub(crate) fn labels(&self, project: &Project) -> Vec<String> {
        let name = |node: &Node| node.declared(project).map_or(DEPLOY, |task| task.name.as_str());
        let mut uses: HashMap<&str, usize> = HashMap::new();
        for node in &self.nodes {
            *uses.entry(name(node)).or_default() += 1;
        }
        let label = |node: &Node| match node.environment {
            Some(index) if uses[name(node)] > 1 => {
                format!("{}@{}", name(node), project.environments[index].name)
            }
            Some(_) | None => name(node).to_owned(),
        };
        self.nodes.iter().map(label).collect()
    }
}

/// The nodes that the request names.
fn roots(project: &Project, request: &Request) -> Result<Vec<Node>, Diagnostics> {
    let environment = match &request.environment {
        Some(name) => match project.names.get(name) {
            Some(Named::Environment(index)) => Some(*index),
            Some(Named::Task(_)) | None => return Err(unknown(project, "environment", name).into()),
        },
        None => None,
    };
    if let (Some(index), true) = (environment, request.tasks.is_empty()) {
        let work = deploy_of(project, index);
        let environment = &project.environments[index];
        if work == Work::BuiltIn && environment.target.is_none() {
            return Err(Diagnostic::new(format!("there is nothing to deploy to `{}`", environment.name))
                .at(environment.at, "no `target`, and no task `deploy`")
                .help("give it a target, such as { git = \"…\" }, or declare [tasks.deploy]")
                .into());
        }
        return Ok(vec![Node { work, environment: Some(index) }]);
    }
    let mut problems = Diagnostics::default();
    let mut roots = Vec::new();
    for name in &request.tasks {
        match project.names.get(name) {
            Some(Named::Task(index)) => {
                let task = &project.tasks[*index];
                if !task.belongs_to(request.environment.as_deref()) {
                    problems.push(elsewhere(task));
                }
                roots.push(Node { work: Work::Task(*index), environment });
            }
            Some(Named::Environment(_)) | None if environment.is_some() && name == DEPLOY => {
                roots.push(Node { work: Work::BuiltIn, environment });
            }
            Some(Named::Environment(_)) | None => problems.push(unknown(project, "task", name)),
        }
    }
    problems.or(roots)
}

/// Says that a task is for other environments.
fn elsewhere(task: &Task) -> Diagnostic {
    let names: Vec<&str> = task.only.iter().map(|(name, _)| name.as_str()).collect();
    let at = task.only.first().map_or(task.at, |(_, at)| *at);
    Diagnostic::new(format!("`{}` runs only in {}", task.name, names.join(", ")))
        .at(at, "says so here")
        .help(format!("deploy {} {}", names[0], task.name))
}

/// Says that a name of the command line means nothing, and what it may have meant.
pub(crate) fn unknown(project: &Project, what: &str, name: &str) -> Diagnostic {
    let near = nearest(name, project.names.keys().map(String::as_str));
    Diagnostic::new(format!("there is no {what} `{name}`")).help(match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`deploy list` shows what there is".to_owned(),
    })
}

struct Walk<'a> {
    project: &'a Project,
    dependencies: Dependencies,
    numbers: HashMap<Node, JobId>,
    nodes: Vec<Node>,
    needs: Vec<Vec<JobId>>,
}

impl Walk<'_> {
    fn number(&mut self, node: Node) -> JobId {
        let next = JobId::new(self.nodes.len());
        let number = *self.numbers.entry(node).or_insert(next);
        if number == next {
            self.nodes.push(node);
            self.needs.push(Vec::new());
        }
        number
    }

    /// What must have ended before `node`: its own needs, its environment's if it deploys, and those of every task
    /// that it calls.
    fn needs_of(&mut self, node: Node) -> Result<Vec<JobId>, Diagnostics> {
        let project = self.project;
        let mut needs = Vec::new();
        if node.is_deploy(project) {
            let environment = &project.environments[node.environment.expect("a deploy has an environment")];
            self.add(&environment.needs, node.environment, &mut needs);
        }
        if let Some(task) = node.declared(project) {
            self.add(&task.needs, node.environment, &mut needs);
            let mut callers = vec![task.name.as_str()];
            self.calls(&task.steps, node.environment, &mut callers, &mut needs)?;
            self.calls(&task.always, node.environment, &mut callers, &mut needs)?;
        }
        needs.sort_unstable();
        needs.dedup();
        Ok(needs)
    }

    fn add(&mut self, needs: &[crate::model::task::Need], environment: Option<usize>, to: &mut Vec<JobId>) {
        if self.dependencies == Dependencies::LeaveOut {
            return;
        }
        for need in needs {
            let environment = match &need.environment {
                Some((name, _)) => self.project.environments.iter().position(|other| other.name == *name),
                None => environment,
            };
            if let Some(Named::Task(index)) = self.project.names.get(&need.task) {
                to.push(self.number(Node { work: Work::Task(*index), environment }));
            }
        }
    }

    /// The needs of the tasks that `steps` call. `callers` is the way here: a task that calls itself never ends.
    fn calls(
        &mut self,
        steps: &[Step<Written>],
        environment: Option<usize>,
        callers: &mut Vec<&str>,
        needs: &mut Vec<JobId>,
    ) -> Result<(), Diagnostics> {
        let project = self.project;
        for step in steps {
            self.calls(&step.undo, environment, callers, needs)?;
            let Action::Task(call) = &step.action else { continue };
            let Some(task) = project.task(&call.task) else { continue };
            if callers.contains(&task.name.as_str()) || callers.len() >= DEEPEST_CALL {
                let way = [&callers[..], &[task.name.as_str()]].concat().join(" -> ");
                return Err(Diagnostic::new(format!("tasks call each other in a loop: {way}"))
                    .at(call.at, "calls a task that is not done yet")
                    .help("take one of the calls out")
                    .into());
            }
            self.add(&task.needs, environment, needs);
            // The callee borrows from the project, as every name on the way does.
            let mut deeper: Vec<&str> = callers.clone();
            deeper.push(&task.name);
            self.calls(&task.steps, environment, &mut deeper, needs)?;
            self.calls(&task.always, environment, &mut deeper, needs)?;
        }
        Ok(())
    }

    /// Order without need: `after`, where the other is in the plan too.
    fn after(&self) -> Vec<Vec<JobId>> {
        let after = |node: &Node| {
            let Some(task) = node.declared(self.project) else { return Vec::new() };
            let others = task.after.iter().filter_map(|(name, _)| match self.project.names.get(name) {
                Some(Named::Task(index)) => self
                    .numbers
                    .get(&Node { work: Work::Task(*index), environment: node.environment })
                    .copied(),
                Some(Named::Environment(_)) | None => None,
            });
            others.collect()
        };
        self.nodes.iter().map(after).collect()
    }
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
