//! From steps as written to steps as planned: every text gets its values here, and nowhere later. Jobs and
//! deliveries are here; their steps are in `block`, and what those are made of is in `text`.

mod backup;
mod block;
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
use super::scope::{EnvFile, Rendered, Scope, Seen};
use super::select::{DEPLOY, Node, Work};
use super::{Delivery, Facts, Known, Request, Swapping, Unplanned, Want};
use crate::diagnostic::{Diagnostics, Span};
use crate::model::environment::Environment;
use crate::model::health::Health;
use crate::model::project::Project;
use crate::model::step::{Action, Planned, Step, Written};
use crate::model::task::{Block, Task};
use crate::model::text::Text;
use block::plain_step;

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
