//! From steps as written to steps as planned: every text gets its values here, and nowhere later. Jobs and their
//! blocks are here; what they are made of is in `text`.

mod backup;
pub(in crate::plan) mod data;
mod http;
mod platform;
mod secret;
mod sight;
mod text;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use super::arguments::Arguments;
use super::hosts::Way;
use super::scope::{EnvFile, Rendered, Scope, Seen};
use super::select::{DEPLOY, Node, Work};
use super::{Delivery, Facts, Freshness, Known, Request, Swapping, Unplanned, Want};
use crate::diagnostic::{Diagnostic, Diagnostics, Span};
use crate::model::backup::Restore;
use crate::model::environment::Environment;
use crate::model::health::Health;
use crate::model::host::There;
use crate::model::project::{Project, inside};
use crate::model::step::{Action, Planned, Step, Written};
use crate::model::task::{Block, Task};
use crate::model::text::Text;

/// What processes get beside the caller's environment; the last of one name counts.
pub(super) type Env = Arc<Vec<(String, Text)>>;

/// Renders the jobs of one plan and collects what is wrong with them.
pub(crate) struct Renderer<'a> {
    pub(super) project: &'a Project,
    pub(super) request: &'a Request,
    pub(super) facts: &'a Facts,
    name: Arc<str>,
    pub(super) problems: Diagnostics,
    pub(super) wants: BTreeSet<Want>,
    arguments: Arguments,
    /// How many calls of tasks were looked at.
    pub(super) calls: usize,
    /// The environments that the plan deploys to.
    delivers: BTreeSet<usize>,
    /// What every process of a file's tasks gets in an environment; made once for each.
    surroundings: BTreeMap<(Option<usize>, usize), Env>,
    /// The dotenv files that hold for every task of a file in an environment.
    dotenvs: BTreeMap<(Option<usize>, usize), Arc<[EnvFile]>>,
    /// When the release of an environment is healthy, where that was asked.
    healths: BTreeMap<usize, Health<Planned>>,
    /// The shell of each file.
    shells: Vec<Arc<Vec<String>>>,
    /// The secrets that were looked up, each with the environment that it is for.
    seen: Seen,
    guessed: Rc<Cell<bool>>,
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
            arguments: Arguments::default(),
            calls: 0,
            surroundings: BTreeMap::new(),
            dotenvs: BTreeMap::new(),
            healths: BTreeMap::new(),
            shells: project.files.iter().map(|file| Arc::new(file.shell.clone())).collect(),
            seen: Seen::default(),
            guessed: Rc::default(),
        }
    }

    /// What is wrong, or missing, if anything is.
    pub(crate) fn finish(mut self) -> Result<(), Unplanned> {
        self.settle()
    }

    /// The same, in the middle.
    pub(crate) fn settle(&mut self) -> Result<(), Unplanned> {
        if !self.problems.is_empty() {
            return Err(Unplanned::Wrong(std::mem::take(&mut self.problems)));
        }
        if !self.wants.is_empty() {
            return Err(Unplanned::Wants(std::mem::take(&mut self.wants).into_iter().collect()));
        }
        Ok(())
    }

    /// Whether the node's task is for other environments, or has an `if` that is false.
    pub(crate) fn is_left_out(&mut self, node: Node) -> bool {
        let Some(task) = node.declared(self.project) else { return false };
        if !task.belongs_to(node.environment.map(|index| self.project.environments[index].name.as_str())) {
            return true;
        }
        let scope = self.scope(node.environment, Some(task), node.arguments);
        match &task.place.on {
            None => !self.holds(&scope, task.condition.as_ref()),
            Some(on) => {
                let scopes = if task.condition.is_some() { self.on_each(&scope, on) } else { Vec::new() };
                !scopes.is_empty() && !scopes.iter().any(|scope| self.holds(scope, task.condition.as_ref()))
            }
        }
    }

    /// Notes which environments the plan deploys to; `release` has another meaning there.
    pub(crate) fn note_deliveries(&mut self, nodes: &[Node]) {
        for node in nodes {
            let Some(environment) = node.environment else { continue };
            let ships = |task: &Task| ships(self.project, &task.steps, &mut BTreeSet::new());
            if node.is_deploy(self.project) || node.declared(self.project).is_some_and(ships) {
                self.delivers.insert(environment);
            }
        }
    }

    pub(crate) fn job(&mut self, node: Node) -> Block {
        let mut block = match node.declared(self.project) {
            Some(task) => {
                let scope = self.scope(node.environment, Some(task), node.arguments);
                let outer = self.surroundings(node.environment, task.at.source as usize);
                self.block(task, &scope, &outer)
            }
            None => match &self.request.data {
                Some(data) if node.work == Work::Data => self.data(node, data),
                Some(_) | None => self.built_in(node),
            },
        };
        if node.is_deploy(self.project) {
            block.steps.splice(..0, self.before_release(node));
        }
        if node.is_deploy(self.project)
            && let Some(health) = node.environment.and_then(|index| self.health_of(index))
        {
            let at = health.at;
            block.steps.push(plain_step(Action::Check(Box::new(health)), "health", at));
        }
        block
    }

    /// When a release of an environment is healthy. Rendered once: its step and its delivery ask the same.
    fn health_of(&mut self, index: usize) -> Option<Health<Planned>> {
        let health = self.project.environments[index].health.as_ref()?;
        if let Some(known) = self.healths.get(&index) {
            return Some(known.clone());
        }
        let scope = self.scope(Some(index), None, 0);
        let planned = self.health(&scope, health);
        self.healths.insert(index, planned.clone());
        Some(planned)
    }

    pub(crate) fn deliveries(&mut self) -> Vec<Delivery> {
        let environments: Vec<usize> = self.delivers.iter().copied().collect();
        environments.into_iter().filter_map(|index| self.delivery(index)).collect()
    }

    fn delivery(&mut self, index: usize) -> Option<Delivery> {
        let environment = &self.project.environments[index];
        let scope = self.scope(Some(index), None, 0);
        let target = environment.target.as_ref().map(|target| self.target(&scope, target));
        // What comes back comes back as it was.
        let swap = match self.request.back {
            Some(_) => Vec::new(),
            None => environment.swap.iter().map(|swap| self.swap(&scope, swap)).collect(),
        };
        self.refuse_swap_without_branch(environment);
        let source = match &self.facts.source {
            Known::Is(source) => Some(source.clone()),
            Known::NotAsked => {
                self.wants.insert(Want::Source);
                None
            }
            // Whether that is a reason to refuse is decided where the delivery is surveyed.
            Known::Absent(..) => None,
        };
        let checks = self.checks(&scope, environment);
        let standing = self.facts.ledgers.get(&environment.name);
        if standing.is_none() {
            self.wants.insert(Want::Ledger(environment.name.clone()));
        }
        let health = self.health_of(index);
        Some(Delivery {
            environment: environment.name.clone(),
            number: standing?.next(),
            back: self.request.back.clone(),
            source,
            target,
            swap,
            protect: environment.protect.clone(),
            health,
            on_failure: environment.on_failure,
            saves: environment.backups.iter().map(|(name, _)| name.clone()).collect(),
            guarded: self.project.backups.iter().map(|backup| backup.name.clone()).collect(),
            checks,
        })
    }

    /// The lines of an environment's rule `checks`, which run as its deploy does that no task says.
    fn checks(&mut self, scope: &Scope<'a>, environment: &'a Environment) -> Block {
        let lines = environment.protect.checks.iter();
        let steps =
            lines.map(|line| Step::bare(Action::Run(self.script(scope, line)), environment.at)).collect();
        Block { steps, ..self.plain_block("checks", scope, environment.at) }
    }

    /// A set of arguments, by its number.
    pub(super) fn number(&mut self, arguments: Vec<(String, Rendered)>) -> u32 {
        self.arguments.number(arguments)
    }

    /// What a job is given.
    pub(super) fn given(&self, arguments: u32) -> &[(String, Rendered)] {
        self.arguments.of(arguments)
    }

    /// The deploy that an environment has without a task for it; its health check is added to every deploy.
    fn built_in(&mut self, node: Node) -> Block {
        let environment = node.environment.map(|index| &self.project.environments[index]);
        let at = environment.map_or(Span::default(), |environment| environment.at);
        let scope = self.scope(node.environment, None, 0);
        let ship = match environment {
            Some(environment) => self.ship(&scope, environment, at),
            None => Action::Ship,
        };
        let name = if self.request.back.is_some() { "rollback" } else { "ship" };
        Block { steps: vec![plain_step(ship, name, at)], ..self.plain_block(DEPLOY, &scope, at) }
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
            env: {
                let env = self.surroundings(index, 0);
                self.beneath(scope, &env)
            },
            dir: self.facts.root.clone(),
            there: None,
            shell: Arc::clone(&self.shells[0]),
            tracking: None,
            skip_if: None,
            timeout: None,
            retry: None,
            interactive: false,
            at,
        }
    }

    /// A task's steps with all that they need; of one that is done on hosts, a block with those of each. `outer` is what
    /// its processes get beneath the task's own variables, dotenv files aside.
    pub(super) fn block(&mut self, task: &'a Task, scope: &Scope<'a>, outer: &Env) -> Block {
        let Some(on) = &task.place.on else { return self.block_here(task, scope, outer) };
        let fleet = self.fleet(scope, on, task.at, |renderer, scope| {
            if !renderer.holds(scope, task.condition.as_ref()) {
                return None;
            }
            let block = renderer.block_here(task, scope, outer);
            Some(Step { name: Some(task.name.clone()), ..Step::bare(Action::Task(Box::new(block)), task.at) })
        });
        let block = self.plain_block(&task.name, scope, task.at);
        Block { steps: fleet.into_iter().collect(), ..block }
    }

    /// The same where it is done, which may be one host.
    fn block_here(&mut self, task: &'a Task, scope: &Scope<'a>, outer: &Env) -> Block {
        let there = self.there(scope, task.dir.as_ref(), task.place.sudo.as_ref());
        let scope = &Scope { there: there.map(Rc::new), ..scope.clone() };
        let env = if task.env.is_empty() && scope.there.is_none() {
            Arc::clone(outer)
        } else {
            let own = self.env(scope, &task.env);
            Arc::new(host_env(scope).into_iter().chain(outer.iter().cloned()).chain(own).collect())
        };
        if scope.there.is_some() && task.interactive {
            let problem =
                Diagnostic::new(format!("`{}` is interactive, and a host has no terminal", task.name));
            self.problems.push(
                problem
                    .at(task.at, "called by what is done on hosts")
                    .help("open it yourself: ssh -t HOST, or leave `on` out"),
            );
        }
        let folder = inside(&self.facts.root, &scope.file.folder);
        let interactive = task.interactive || self.calls_interactive(task);
        let mut block = Block {
            name: task.name.clone(),
            steps: self.steps(scope, &task.steps, &env),
            always: self.steps(scope, &task.always, &env),
            env: self.beneath(scope, &env),
            dir: match &task.dir {
                Some(dir) if scope.there.is_none() => {
                    folder.join(self.open(scope, dir, "a folder").unwrap_or_default())
                }
                Some(_) | None => folder,
            },
            there: scope.there.as_deref().cloned().map(Box::new),
            shell: match &task.shell {
                Some(shell) => Arc::new(shell.clone()),
                None => Arc::clone(&self.shells[task.at.source as usize]),
            },
            tracking: None,
            skip_if: match self.request.freshness {
                Freshness::Respect => task.skip_if.as_ref().map(|script| self.script(scope, script)),
                Freshness::Ignore => None,
            },
            timeout: task.timeout,
            retry: task.retry.clone(),
            interactive,
            at: task.at,
        };
        self.refuse_unmasked(task, &block);
        block.tracking = self.tracking(task, scope, &block);
        block
    }

    fn steps(&mut self, scope: &Scope<'a>, steps: &'a [Step<Written>], env: &Env) -> Vec<Step<Planned>> {
        let mut planned = Vec::with_capacity(steps.len());
        for step in steps {
            let Some(on) = &step.place.on else {
                planned.extend(self.step_here(scope, step, env));
                continue;
            };
            planned.extend(self.fleet(scope, on, step.at, |renderer, scope| {
                let mut steps = renderer.step_here(scope, step, env);
                if steps.len() < 2 {
                    return steps.pop();
                }
                // A task that is called several times, by its `each`.
                let block = renderer.plain_block(step.calls().unwrap_or_default(), scope, step.at);
                let block = Block { steps, ..block };
                Some(Step::bare(Action::Task(Box::new(block)), step.at))
            }));
        }
        planned
    }

    /// A step where it is done: nothing if its `if` is false, several if it calls a task with `each`.
    fn step_here(&mut self, scope: &Scope<'a>, step: &'a Step<Written>, env: &Env) -> Vec<Step<Planned>> {
        if !self.holds(scope, step.condition.as_ref()) {
            return Vec::new();
        }
        let Action::Task(call) = &step.action else {
            let action = self.action(scope, &step.action, step.at);
            return vec![self.step(scope, step, action, env)];
        };
        let mut planned = Vec::new();
        for (callee, inner) in self.called(scope, call) {
            let block = self.block(callee, &inner, env);
            planned.push(self.step(scope, step, Action::Task(Box::new(block)), env));
        }
        planned
    }

    fn step(
        &mut self,
        scope: &Scope<'a>,
        step: &'a Step<Written>,
        action: Action<Planned>,
        env: &Env,
    ) -> Step<Planned> {
        let there = match &action {
            Action::Run(_) | Action::Exec(_) | Action::Put(_) | Action::Get(_) => {
                self.there(scope, step.dir.as_ref(), step.place.sudo.as_ref())
            }
            Action::Task(_)
            | Action::Swap(_)
            | Action::Ship
            | Action::Check(_)
            | Action::Http(_)
            | Action::Backup(_)
            | Action::Restore(_)
            | Action::PutBack(_)
            | Action::Fleet(_) => None,
        };
        let own = self.env(scope, &step.env);
        Step {
            name: step.name.clone(),
            action,
            condition: (),
            dir: match &step.dir {
                Some(dir) if scope.there.is_none() => Some(self.inner_folder(scope, dir)),
                Some(_) | None => None,
            },
            env: if there.is_some() { host_env(scope).into_iter().chain(own).collect() } else { own },
            place: there.map(Box::new),
            timeout: step.timeout,
            retry: step.retry.clone(),
            allow_failure: step.allow_failure,
            undo: self.steps(scope, &step.undo, env),
            at: step.at,
        }
    }

    fn action(&mut self, scope: &Scope<'a>, action: &'a Action<Written>, at: Span) -> Action<Planned> {
        match action {
            Action::Run(script) => Action::Run(self.script(scope, script)),
            Action::Exec(words) => Action::Exec(self.program(scope, words)),
            Action::Task(_) => unreachable!("a call is rendered where its steps are"),
            Action::Swap(swaps) => Action::Swap(swaps.iter().map(|swap| self.swap(scope, swap)).collect()),
            Action::Check(health) => Action::Check(Box::new(self.health(scope, health))),
            Action::Http(http) => Action::Http(Box::new(self.http(scope, http))),
            Action::Put(files) => Action::Put(Box::new(self.transfer(scope, files, Way::There))),
            Action::Get(files) => Action::Get(Box::new(self.transfer(scope, files, Way::Back))),
            Action::Backup((name, at)) => {
                self.backup_action(scope, name, *at, |backup| Action::Backup(Box::new(backup)))
            }
            Action::Restore((name, at)) => self.backup_action(scope, name, *at, |backup| {
                Action::Restore(Box::new(Restore { backup, from: None }))
            }),
            Action::PutBack(never) | Action::Fleet(never) => match *never {},
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
                    self.problems.push(Diagnostic::new(message).at(at, "ships").help(help));
                }
                scope.environment.map_or(Action::Ship, |environment| self.ship(scope, environment, at))
            }
        }
    }
}

/// What processes on a host get of deploy's own.
fn host_env(scope: &Scope<'_>) -> Option<(String, Text)> {
    let there = scope.there.as_ref()?;
    Some((There::VARIABLE.to_owned(), Text::from(&*there.host)))
}

fn plain_step(action: Action<Planned>, name: &str, at: Span) -> Step<Planned> {
    Step { name: Some(name.to_owned()), ..Step::bare(action, at) }
}

/// Whether one of the steps, or of the tasks that they call, ships. `known` are the tasks that were looked at: calls in a
/// loop are refused elsewhere, and what many call is looked at once.
pub(super) fn ships<'a>(
    project: &'a Project,
    steps: &'a [Step<Written>],
    known: &mut BTreeSet<&'a str>,
) -> bool {
    steps.iter().any(|step| match &step.action {
        Action::Ship => true,
        Action::Task(call) => {
            let callee = project.task(&call.task).filter(|task| known.insert(&task.name));
            callee.is_some_and(|task| ships(project, &task.steps, known))
        }
        Action::Run(_)
        | Action::Exec(_)
        | Action::Swap(_)
        | Action::Check(_)
        | Action::Http(_)
        | Action::Put(_)
        | Action::Get(_)
        | Action::Backup(_)
        | Action::Restore(_)
        | Action::PutBack(_)
        | Action::Fleet(_) => false,
    })
}
