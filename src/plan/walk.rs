//! From the tasks that are asked for to all that they need, each with what it is given.

use std::collections::HashMap;

use super::arguments::{MOST_JOBS, Offer};
use super::render::Renderer;
use super::scope::Scope;
use super::select::{DEEPEST_CALL, DEPLOY, Node, Work, deploy_of, unknown};
use super::{Data, Dependencies, Request};
use crate::diagnostic::{Diagnostic, Diagnostics, Span, nearest};
use crate::model::name::JobId;
use crate::model::project::{Named, Project};
use crate::model::step::{Action, Step, Written};
use crate::model::task::{Need, Task};

/// The way through the file from what is asked for to all that it reaches.
pub(super) struct Walk<'w, 'a> {
    project: &'a Project,
    pub(super) renderer: &'w mut Renderer<'a>,
    dependencies: Dependencies,
    numbers: HashMap<Node, JobId>,
    /// The jobs of each task in each environment.
    uses: HashMap<(Work, Option<usize>), Vec<JobId>>,
    pub(super) nodes: Vec<Node>,
    pub(super) needs: Vec<Vec<JobId>>,
}

impl<'w, 'a> Walk<'w, 'a> {
    /// Nothing is reached yet.
    pub(super) fn new(
        project: &'a Project,
        dependencies: Dependencies,
        renderer: &'w mut Renderer<'a>,
    ) -> Walk<'w, 'a> {
        let (numbers, uses) = (HashMap::new(), HashMap::new());
        Walk { project, renderer, dependencies, numbers, uses, nodes: Vec::new(), needs: Vec::new() }
    }

    /// The nodes that the request names.
    pub(super) fn roots(&mut self, request: &Request) -> Result<Vec<Node>, Diagnostics> {
        let project = self.project;
        let environment = match &request.environment {
            Some(name) => match project.names.get(name) {
                Some(Named::Environment(index)) => Some(*index),
                Some(Named::Task(_)) | None => return Err(unknown(project, "environment", name).into()),
            },
            None => None,
        };
        if let (Some(_), Some(data)) = (environment, &request.data) {
            self.known(data)?;
            return Ok(self.nodes_of(Work::Data, environment, &[], None));
        }
        if let (Some(_), Some(_)) = (environment, &request.back) {
            return Ok(self.nodes_of(Work::BuiltIn, environment, &[], None));
        }
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

    /// Refuses names of backups that are none.
    fn known(&self, data: &Data) -> Result<(), Diagnostics> {
        let known = || self.project.backups.iter().map(|backup| backup.name.as_str());
        let mut problems = Diagnostics::default();
        for name in data.names.iter().filter(|name| !known().any(|known| known == **name)) {
            let near = nearest(name, known()).map(|near| format!("did you mean `{near}`?"));
            let all = || match &known().collect::<Vec<_>>()[..] {
                [] => "declare one: [backups.NAME] says what is saved".to_owned(),
                all => format!("there are: {}", all.join(", ")),
            };
            problems
                .push(Diagnostic::new(format!("there is no backup `{name}`")).help(near.unwrap_or_else(all)));
        }
        problems.or(())
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

    pub(super) fn number(&mut self, node: Node) -> JobId {
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
    pub(super) fn needs_of(&mut self, node: Node) -> Result<Vec<JobId>, Diagnostics> {
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
            let scope = self.renderer.on_first(&scope, &task.place);
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
            let scope = &self.renderer.on_first(scope, &step.place);
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
    pub(super) fn after(&self) -> Vec<Vec<JobId>> {
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

/// Says that a task is for other environments.
fn elsewhere(task: &Task) -> Diagnostic {
    let names: Vec<&str> = task.only.iter().map(|(name, _)| name.as_str()).collect();
    let at = task.only.first().map_or(task.at, |(_, at)| *at);
    Diagnostic::new(format!("`{}` runs only in {}", task.name, names.join(", ")))
        .at(at, "says so here")
        .help(format!("deploy {} {}", names[0], task.name))
}
