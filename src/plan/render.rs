//! From steps as written to steps as planned: every text gets its values here, and nowhere later. Jobs and their
//! blocks are here; what they are made of is in `text`.

mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::scope::{Layer, Rendered, Scope};
use super::select::{DEPLOY, Node};
use super::{Check, Delivery, Facts, Freshness, Known, Needed, Request, Swapping, Unplanned, Want};
use crate::diagnostic::{Diagnostic, Diagnostics, Span};
use crate::model::environment::Environment;
use crate::model::name::JobId;
use crate::model::project::Project;
use crate::model::step::{Action, Planned, Step, Written};
use crate::model::task::{Block, Call, Task, Wanted};
use crate::model::text::Text;
use crate::model::value::Variable;

/// Renders the jobs of one plan and collects what is wrong with them.
pub(crate) struct Renderer<'a> {
    project: &'a Project,
    request: &'a Request,
    facts: &'a Facts,
    name: Arc<str>,
    problems: Diagnostics,
    wants: BTreeSet<Want>,
    /// The environments that the plan deploys to.
    delivers: BTreeSet<usize>,
    /// What every process of an environment gets; made once for each.
    surroundings: BTreeMap<Option<usize>, Arc<Vec<(String, Text)>>>,
    shell: Arc<Vec<String>>,
}

impl<'a> Renderer<'a> {
    pub(crate) fn new(project: &'a Project, request: &'a Request, facts: &'a Facts) -> Renderer<'a> {
        let folder =
            || facts.root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Renderer {
            project,
            request,
            facts,
            name: project.name.clone().unwrap_or_else(folder).into(),
            problems: Diagnostics::default(),
            wants: BTreeSet::new(),
            delivers: BTreeSet::new(),
            surroundings: BTreeMap::new(),
            shell: Arc::new(project.settings.shell.clone()),
        }
    }

    /// What is wrong, or missing, if anything is.
    pub(crate) fn finish(self) -> Result<(), Unplanned> {
        if !self.problems.is_empty() {
            return Err(Unplanned::Wrong(self.problems));
        }
        if !self.wants.is_empty() {
            return Err(Unplanned::Wants(self.wants.into_iter().collect()));
        }
        Ok(())
    }

    /// Whether the node's task is for other environments, or has an `if` that is false.
    pub(crate) fn is_left_out(&mut self, node: Node) -> bool {
        let Some(task) = node.declared(self.project) else { return false };
        if !task.belongs_to(node.environment.map(|index| self.project.environments[index].name.as_str())) {
            return true;
        }
        let scope = self.scope(node.environment, Some(task));
        !self.holds(&scope, task.condition.as_ref())
    }

    /// Notes which environments the plan deploys to; `release` has another meaning there.
    pub(crate) fn note_deliveries(&mut self, nodes: &[Node]) {
        for node in nodes {
            let Some(environment) = node.environment else { continue };
            let ships = |task: &Task| ships(self.project, &task.steps);
            if node.is_deploy(self.project) || node.declared(self.project).is_some_and(ships) {
                self.delivers.insert(environment);
            }
        }
    }

    pub(crate) fn job(&mut self, node: Node) -> Block {
        let mut block = match node.declared(self.project) {
            Some(task) => {
                let scope = self.scope(node.environment, Some(task));
                let outer = self.surroundings(node.environment);
                self.block(task, &scope, &outer)
            }
            None => self.built_in(node),
        };
        if node.is_deploy(self.project)
            && let Some(environment) = node.environment.map(|index| &self.project.environments[index])
            && let Some(health) = &environment.health
        {
            let scope = self.scope(node.environment, None);
            let action = Action::Check(Box::new(self.health(&scope, health)));
            block.steps.push(plain_step(action, "health", health.at));
        }
        block
    }

    /// What the node's task wants to have asked, its calls' questions included.
    pub(crate) fn questions(&mut self, node: Node) -> Vec<String> {
        let Some(task) = node.declared(self.project) else { return Vec::new() };
        let scope = self.scope(node.environment, Some(task));
        let mut questions = Vec::new();
        self.ask(task, &scope, &mut questions);
        questions
    }

    /// What must be so before the first job starts: the node's requirements, and those of the tasks that it calls.
    pub(crate) fn requirements(&mut self, node: Node, job: JobId) -> Vec<Needed> {
        let Some(task) = node.declared(self.project) else { return Vec::new() };
        let scope = self.scope(node.environment, Some(task));
        let mut needed = Vec::new();
        self.require(task, &scope, job, &mut needed);
        needed
    }

    pub(crate) fn deliveries(&mut self) -> Vec<Delivery> {
        let environments: Vec<usize> = self.delivers.iter().copied().collect();
        environments.into_iter().filter_map(|index| self.delivery(index)).collect()
    }

    fn delivery(&mut self, index: usize) -> Option<Delivery> {
        let environment = &self.project.environments[index];
        let scope = self.scope(Some(index), None);
        let target = environment.target.as_ref().map(|target| self.target(&scope, target));
        let swap = environment.swap.iter().map(|swap| self.swap(&scope, swap)).collect();
        let source = match &self.facts.source {
            Known::Is(source) => Some(source.clone()),
            Known::NotAsked => {
                self.wants.insert(Want::Source);
                None
            }
            // Whether that is a reason to refuse is decided where the delivery is surveyed.
            Known::Absent(..) => None,
        };
        let standing = self.facts.ledgers.get(&environment.name);
        if standing.is_none() {
            self.wants.insert(Want::Ledger(environment.name.clone()));
        }
        Some(Delivery {
            environment: environment.name.clone(),
            number: standing?.next(),
            source,
            target,
            swap,
            protect: environment.protect.clone(),
        })
    }

    fn scope(&self, environment: Option<usize>, task: Option<&'a Task>) -> Scope<'a> {
        let within = environment.map(|index| &self.project.environments[index]);
        let layers = [
            task.map(|task| &task.vars),
            within.map(|environment| &environment.vars),
            Some(&self.project.vars),
        ];
        Scope {
            layers: layers.into_iter().flatten().map(|variables| Layer::Variables(variables)).collect(),
            environment: within,
            project: Arc::clone(&self.name),
            request: self.request,
            facts: self.facts,
            delivers: environment.is_some_and(|index| self.delivers.contains(&index)),
        }
    }

    /// The deploy that an environment has without a task for it; its health check is added to every deploy.
    fn built_in(&mut self, node: Node) -> Block {
        let environment = node.environment.map(|index| &self.project.environments[index]);
        let at = environment.map_or(Span::default(), |environment| environment.at);
        let scope = self.scope(node.environment, None);
        let ship = match environment {
            Some(environment) => self.ship(&scope, environment, at),
            None => Action::Ship,
        };
        Block { steps: vec![plain_step(ship, "ship", at)], ..self.plain_block(DEPLOY, &scope, at) }
    }

    /// The release of an environment, made the way that was asked for.
    fn ship(&mut self, scope: &Scope<'a>, environment: &'a Environment, at: Span) -> Action<Planned> {
        match self.request.swapping {
            Swapping::Beside => Action::Ship,
            Swapping::InPlace => self.in_place(scope, environment, at),
        }
    }

    /// A block without steps in the project's folder.
    pub(super) fn plain_block(&mut self, name: &str, scope: &Scope<'a>, at: Span) -> Block {
        let index = scope.environment.and_then(|within| {
            self.project.environments.iter().position(|environment| environment.name == within.name)
        });
        Block {
            name: name.to_owned(),
            steps: Vec::new(),
            always: Vec::new(),
            env: self.surroundings(index),
            dir: self.facts.root.clone(),
            shell: Arc::clone(&self.shell),
            skip_if: None,
            timeout: None,
            retry: None,
            interactive: false,
            at,
        }
    }

    fn block(&mut self, task: &'a Task, scope: &Scope<'a>, outer: &Arc<Vec<(String, Text)>>) -> Block {
        let env = if task.env.is_empty() {
            Arc::clone(outer)
        } else {
            let own = self.env(scope, &task.env);
            Arc::new(outer.iter().cloned().chain(own).collect())
        };
        let dir = match &task.dir {
            Some(dir) => self.facts.root.join(self.string(scope, dir)),
            None => self.facts.root.clone(),
        };
        Block {
            name: task.name.clone(),
            steps: self.steps(scope, &task.steps, &env),
            always: self.steps(scope, &task.always, &env),
            env,
            dir,
            shell: task
                .shell
                .as_ref()
                .map_or_else(|| Arc::clone(&self.shell), |shell| Arc::new(shell.clone())),
            skip_if: match self.request.freshness {
                Freshness::Respect => task.skip_if.as_ref().map(|script| self.script(scope, script)),
                Freshness::Ignore => None,
            },
            timeout: task.timeout,
            retry: task.retry.clone(),
            interactive: task.interactive || self.calls_interactive(task),
            at: task.at,
        }
    }

    /// Whether a task that this one calls wants the terminal: then the whole job has it to itself.
    fn calls_interactive(&self, task: &Task) -> bool {
        task.steps.iter().any(|step| match &step.action {
            Action::Task(call) => self
                .project
                .task(&call.task)
                .is_some_and(|callee| callee.interactive || self.calls_interactive(callee)),
            Action::Run(_)
            | Action::Exec(_)
            | Action::Swap(_)
            | Action::Ship
            | Action::Check(_)
            | Action::PutBack(_) => false,
        })
    }

    fn ask(&mut self, task: &'a Task, scope: &Scope<'a>, questions: &mut Vec<String>) {
        if let Some(confirm) = &task.confirm {
            questions.push(self.string(scope, confirm));
        }
        for (callee, inner) in self.callees(task, scope) {
            self.ask(callee, &inner, questions);
        }
    }

    fn require(&mut self, task: &'a Task, scope: &Scope<'a>, job: JobId, needed: &mut Vec<Needed>) {
        for requirement in &task.require {
            let check = match &requirement.wanted {
                Wanted::Program(program) => Check::Program(program.clone()),
                Wanted::Line(line) => Check::Line(self.script(scope, line)),
            };
            let message = requirement.message.as_ref().map(|message| self.string(scope, message));
            needed.push(Needed { job, check, message });
        }
        for (callee, inner) in self.callees(task, scope) {
            self.require(callee, &inner, job, needed);
        }
    }

    fn steps(
        &mut self,
        scope: &Scope<'a>,
        steps: &'a [Step<Written>],
        env: &Arc<Vec<(String, Text)>>,
    ) -> Vec<Step<Planned>> {
        let kept = steps.iter().filter_map(|step| {
            if !self.is_done_here(scope, step) {
                return None;
            }
            Some(self.step(scope, step, env))
        });
        kept.collect()
    }

    fn step(
        &mut self,
        scope: &Scope<'a>,
        step: &'a Step<Written>,
        env: &Arc<Vec<(String, Text)>>,
    ) -> Step<Planned> {
        Step {
            name: step.name.clone(),
            action: self.action(scope, step, env),
            condition: (),
            dir: step.dir.as_ref().map(|dir| self.text(scope, dir)),
            env: self.env(scope, &step.env),
            timeout: step.timeout,
            retry: step.retry.clone(),
            allow_failure: step.allow_failure,
            undo: self.steps(scope, &step.undo, env),
            at: step.at,
        }
    }

    fn action(
        &mut self,
        scope: &Scope<'a>,
        step: &'a Step<Written>,
        env: &Arc<Vec<(String, Text)>>,
    ) -> Action<Planned> {
        match &step.action {
            Action::Run(script) => Action::Run(self.script(scope, script)),
            Action::Exec(words) => {
                Action::Exec(words.iter().flat_map(|word| self.words(scope, word)).collect())
            }
            Action::Task(call) => Action::Task(Box::new(self.call(scope, call, env))),
            Action::Swap(swaps) => Action::Swap(swaps.iter().map(|swap| self.swap(scope, swap)).collect()),
            Action::Check(health) => Action::Check(Box::new(self.health(scope, health))),
            Action::PutBack(never) => match *never {},
            Action::Ship => {
                let missing = match scope.environment {
                    None => Some((
                        "`ship` needs an environment".to_owned(),
                        "name one: deploy ENVIRONMENT TASK".to_owned(),
                    )),
                    Some(environment) if environment.target.is_none() => Some((
                        format!(
                            "there is nowhere to ship to: the environment `{}` has no target",
                            environment.name
                        ),
                        format!("[environments.{}]\ntarget = {{ git = \"…\" }}", environment.name),
                    )),
                    Some(_) => None,
                };
                if let Some((message, help)) = missing {
                    self.problems.push(Diagnostic::new(message).at(step.at, "ships").help(help));
                }
                scope.environment.map_or(Action::Ship, |environment| self.ship(scope, environment, step.at))
            }
        }
    }

    /// Whether a step is done: its own `if` holds, and that of a task which it calls, which must belong here too.
    fn is_done_here(&mut self, scope: &Scope<'a>, step: &'a Step<Written>) -> bool {
        if !self.holds(scope, step.condition.as_ref()) {
            return false;
        }
        let Action::Task(call) = &step.action else { return true };
        let Some(callee) = self.project.task(&call.task) else { return true };
        let inner = self.call_scope(scope, call, callee);
        callee.belongs_to(scope.environment.map(|environment| environment.name.as_str()))
            && self.holds(&inner, callee.condition.as_ref())
    }

    /// The tasks that a task calls, each with its scope, whenever that is: also when they are owed.
    fn callees(&mut self, task: &'a Task, scope: &Scope<'a>) -> Vec<(&'a Task, Scope<'a>)> {
        let undo = task.steps.iter().flat_map(|step| &step.undo);
        let steps: Vec<&'a Step<Written>> = task.steps.iter().chain(&task.always).chain(undo).collect();
        let mut callees = Vec::new();
        for step in steps {
            if let Action::Task(call) = &step.action
                && let Some(callee) = self.project.task(&call.task)
                && self.is_done_here(scope, step)
            {
                callees.push((callee, self.call_scope(scope, call, callee)));
            }
        }
        callees
    }

    /// Another task as part of this one: its own folder, shell and environment on top of the caller's.
    fn call(&mut self, scope: &Scope<'a>, call: &'a Call, env: &Arc<Vec<(String, Text)>>) -> Block {
        let callee = self.project.task(&call.task).expect("the file was checked: every called task exists");
        let inner = self.call_scope(scope, call, callee);
        self.block(callee, &inner, env)
    }

    fn call_scope(&mut self, scope: &Scope<'a>, call: &Call, callee: &'a Task) -> Scope<'a> {
        let given = call
            .with
            .iter()
            .filter_map(|variable| Some((variable.name.clone(), self.given(scope, variable)?)));
        let given = Layer::Given(given.collect());
        let within = scope.environment.map(|environment| Layer::Variables(&environment.vars));
        let layers = [
            Some(given),
            Some(Layer::Variables(&callee.vars)),
            within,
            Some(Layer::Variables(&self.project.vars)),
        ];
        Scope { layers: layers.into_iter().flatten().collect(), ..scope.clone() }
    }

    /// The value of a `with` entry, seen from the caller.
    fn given(&mut self, scope: &Scope<'a>, variable: &Variable) -> Option<Rendered> {
        scope.given(variable).map_err(|trouble| self.trouble(trouble, variable.at)).ok()
    }
}

fn plain_step(action: Action<Planned>, name: &str, at: Span) -> Step<Planned> {
    Step { name: Some(name.to_owned()), ..Step::bare(action, at) }
}

/// Whether one of the steps, or of the tasks that they call, ships.
fn ships(project: &Project, steps: &[Step<Written>]) -> bool {
    steps.iter().any(|step| match &step.action {
        Action::Ship => true,
        Action::Task(call) => project.task(&call.task).is_some_and(|task| ships(project, &task.steps)),
        Action::Run(_) | Action::Exec(_) | Action::Swap(_) | Action::Check(_) | Action::PutBack(_) => false,
    })
}
