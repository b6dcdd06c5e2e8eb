//! Which tasks a request reaches, and what comes before what. A loop is refused here, whole.

use std::collections::HashMap;

use super::arguments::{MOST_JOBS, Offer};
use super::graph::{Cycle, Graph};
use super::render::Renderer;
use super::scope::Scope;
use super::{Dependencies, Request, Unplanned};
use crate::diagnostic::{Diagnostic, Diagnostics, Span, nearest};
use crate::model::environment::Environment;
use crate::model::name::JobId;
use crate::model::project::{Named, Project};
use crate::model::step::{Action, Step, Written};
use crate::model::task::{Need, Task};

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
        let mut walk = Walk {
            project,
            renderer,
            dependencies: request.dependencies,
            numbers: HashMap::new(),
            uses: HashMap::new(),
            nodes: Vec::new(),
            needs: Vec::new(),
        };
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
        let name = |node: &Node| node.declared(project).map_or(DEPLOY, |task| task.name.as_str());
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
                let shown: Vec<String> =
                    shown.map(|(name, rendered)| format!("{name}={}", rendered.value)).collect();
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

struct Walk<'w, 'a> {
    project: &'a Project,
    renderer: &'w mut Renderer<'a>,
    dependencies: Dependencies,
    numbers: HashMap<Node, JobId>,
    /// The jobs of each task in each environment.
    uses: HashMap<(Work, Option<usize>), Vec<JobId>>,
    nodes: Vec<Node>,
    needs: Vec<Vec<JobId>>,
}

impl<'a> Walk<'_, 'a> {
    /// The nodes that the request names.
    fn roots(&mut self, request: &Request) -> Result<Vec<Node>, Diagnostics> {
        let project = self.project;
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
            return Ok(self.nodes_of(work, Some(index), &Offer::typed(&request.given), None));
        }
        let mut problems = Diagnostics::default();
        let mut roots = Vec::new();
        for asked in &request.tasks {
            match project.names.get(&asked.task) {
                Some(Named::Task(index)) => {
                    let task = &project.tasks[*index];
                    if !task.belongs_to(request.environment.as_deref()) {
                        problems.push(elsewhere(task));
                    }
                    let offers = Offer::typed(&asked.given);
                    roots.extend(self.nodes_of(Work::Task(*index), environment, &offers, None));
                }
                Some(Named::Environment(_)) | None if environment.is_some() && asked.task == DEPLOY => {
                    roots.extend(self.nodes_of(Work::BuiltIn, environment, &[], None));
                }
                Some(Named::Environment(_)) | None => {
                    problems.push(unknown(project, "task", &asked.task));
                    // What follows may be that task's parameters.
                    break;
                }
            }
        }
        problems.or(roots)
    }

    /// The nodes of a task that somebody names, with what is given to it there.
    fn nodes_of(
        &mut self,
        work: Work,
        environment: Option<usize>,
        offers: &[Offer],
        at: Option<Span>,
    ) -> Vec<Node> {
        let plain = Node { work, environment, arguments: 0 };
        let Some(task) = plain.declared(self.project) else { return vec![plain] };
        if task.params.is_empty() && task.each.is_empty() && offers.is_empty() {
            return vec![plain];
        }
        let outer = self.renderer.scope(environment, Some(task), 0);
        let all = self.renderer.arguments(task, &outer, offers, at);
        all.into_iter().map(|given| Node { arguments: self.renderer.number(given), ..plain }).collect()
    }

    fn number(&mut self, node: Node) -> JobId {
        let next = JobId::new(self.nodes.len());
        let number = *self.numbers.entry(node).or_insert(next);
        if number == next {
            self.nodes.push(node);
            self.needs.push(Vec::new());
            self.uses.entry((node.work, node.environment)).or_default().push(number);
        }
        number
    }

    /// What must have ended before `node`: its own needs, its environment's if it deploys, and those of every task
    /// that it calls.
    fn needs_of(&mut self, node: Node) -> Result<Vec<JobId>, Diagnostics> {
        let project = self.project;
        let mut needs = Vec::new();
        let task = node.declared(project);
        // What is left out needs nothing; a task that needs itself with other parameters ends by this.
        if node.arguments != 0 && self.renderer.is_left_out(node) {
            return Ok(needs);
        }
        if node.is_deploy(project) {
            let environment = &project.environments[node.environment.expect("a deploy has an environment")];
            let scope = self.renderer.scope(node.environment, None, 0);
            self.add(&environment.needs, node.environment, &scope, &mut needs)?;
        }
        if let Some(task) = task
            && (!task.needs.is_empty() || calls(&task.steps) || calls(&task.always))
        {
            let scope = self.renderer.scope(node.environment, Some(task), node.arguments);
            self.add(&task.needs, node.environment, &scope, &mut needs)?;
            let mut callers = vec![task.name.as_str()];
            self.calls(&task.steps, node.environment, &scope, &mut callers, &mut needs)?;
            self.calls(&task.always, node.environment, &scope, &mut callers, &mut needs)?;
        }
        needs.sort_unstable();
        needs.dedup();
        Ok(needs)
    }

    /// Adds the nodes of `needs`, which are said in `scope`.
    fn add(
        &mut self,
        needs: &'a [Need],
        environment: Option<usize>,
        scope: &Scope<'a>,
        to: &mut Vec<JobId>,
    ) -> Result<(), Diagnostics> {
        if self.dependencies == Dependencies::LeaveOut {
            return Ok(());
        }
        for need in needs {
            let environment = match &need.environment {
                Some((name, _)) => self.project.environments.iter().position(|other| other.name == *name),
                None => environment,
            };
            let Some(Named::Task(index)) = self.project.names.get(&need.task) else { continue };
            let offers = self.renderer.offers(scope, &need.with);
            for node in self.nodes_of(Work::Task(*index), environment, &offers, Some(need.at)) {
                if self.dependencies == Dependencies::Run || node.arguments != 0 {
                    to.push(self.number(node));
                }
            }
            if self.uses.get(&(Work::Task(*index), environment)).is_some_and(|jobs| jobs.len() > MOST_JOBS) {
                let problem = Diagnostic::new(format!("`{}` is needed without end", need.task));
                return Err(problem
                    .at(need.at, format!("more than {MOST_JOBS} times, each with other parameters"))
                    .help("a task that needs itself with other parameters ends by its `if`")
                    .into());
            }
        }
        Ok(())
    }

    /// The needs of the tasks that `steps` call. `callers` is the way here: a task that calls itself never ends.
    fn calls(
        &mut self,
        steps: &'a [Step<Written>],
        environment: Option<usize>,
        scope: &Scope<'a>,
        callers: &mut Vec<&'a str>,
        needs: &mut Vec<JobId>,
    ) -> Result<(), Diagnostics> {
        for step in steps {
            self.calls(&step.undo, environment, scope, callers, needs)?;
            let Action::Task(call) = &step.action else { continue };
            let Some(task) = self.project.task(&call.task) else { continue };
            if callers.contains(&task.name.as_str()) || callers.len() >= DEEPEST_CALL {
                let way = [&callers[..], &[task.name.as_str()]].concat().join(" -> ");
                return Err(Diagnostic::new(format!("tasks call each other in a loop: {way}"))
                    .at(call.at, "calls a task that is not done yet")
                    .help("take one of the calls out")
                    .into());
            }
            callers.push(&task.name);
            for inner in self.renderer.call_scopes(scope, call, task) {
                self.add(&task.needs, environment, &inner, needs)?;
                self.calls(&task.steps, environment, &inner, callers, needs)?;
                self.calls(&task.always, environment, &inner, callers, needs)?;
            }
            callers.pop();
        }
        Ok(())
    }

    /// Order without need: `after`, where the other is in the plan too.
    fn after(&self) -> Vec<Vec<JobId>> {
        let after = |node: &Node| {
            let Some(task) = node.declared(self.project) else { return Vec::new() };
            let others = task.after.iter().filter_map(|(name, _)| match self.project.names.get(name) {
                Some(Named::Task(index)) => self.uses.get(&(Work::Task(*index), node.environment)),
                Some(Named::Environment(_)) | None => None,
            });
            others.flatten().copied().collect()
        };
        self.nodes.iter().map(after).collect()
    }
}

/// Whether one of the steps calls a task.
fn calls(steps: &[Step<Written>]) -> bool {
    steps.iter().any(|step| matches!(step.action, Action::Task(_)) || calls(&step.undo))
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
