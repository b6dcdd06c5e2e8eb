//! Where the variables of a task's processes come from: who gave each, and who was beaten.

use std::collections::BTreeMap;

use super::render::Renderer;
use super::select::{self, Node, Work};
use super::{Facts, Request, Unplanned};
use crate::diagnostic::Span;
use crate::model::project::{Named, Project};
use crate::model::step::{Step, Written};
use crate::model::text::Text;

/// Who gives processes a variable, the weakest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Giver {
    /// A dotenv file, by its path.
    Dotenv(String),
    Caller,
    Deploy,
    /// The `env` of `[settings]`.
    Settings,
    /// An environment's `env`.
    Environment(Span),
    /// A task's `env`.
    Task(Span),
    /// A step's `env`: for that step alone.
    Step(Span),
}

/// A variable as the processes of a task get it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) name: String,
    pub(crate) value: Text,
    pub(crate) giver: Giver,
    /// Who gives it too, and is not heard; the weakest first.
    pub(crate) beaten: Vec<Giver>,
}

/// The variables of a task, or of every task of an environment; and those that single steps have beside, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origins {
    /// By name.
    pub(crate) all: Vec<Origin>,
    pub(crate) of_steps: Vec<Origin>,
}

/// Who gives what to the processes of the request's task; without one, of its environment.
///
/// # Errors
/// As those of a plan.
pub(crate) fn origins(project: &Project, request: &Request, facts: &Facts) -> Result<Origins, Unplanned> {
    let mut renderer = Renderer::new(project, request, facts);
    let environment = match request.environment.as_ref().map(|name| (name, project.names.get(name))) {
        Some((_, Some(Named::Environment(index)))) => Some(*index),
        Some((name, _)) => {
            return Err(Unplanned::Wrong(select::unknown(project, "environment", name).into()));
        }
        None => None,
    };
    let node = match request.tasks.first() {
        Some(asked) => match project.names.get(&asked.task) {
            Some(Named::Task(index)) => Node { work: Work::Task(*index), environment, arguments: 0 },
            Some(Named::Environment(_)) | None => {
                return Err(Unplanned::Wrong(select::unknown(project, "task", &asked.task).into()));
            }
        },
        None => Node { work: Work::BuiltIn, environment, arguments: 0 },
    };
    let origins = renderer.origins(node);
    renderer.finish()?;
    Ok(origins)
}

impl<'a> Renderer<'a> {
    fn origins(&mut self, node: Node) -> Origins {
        let task = node.declared(self.project);
        let outer = self.scope(node.environment, task, 0);
        let arguments = match task {
            Some(task) => {
                let all = self.arguments(task, &outer, &[], None);
                all.into_iter().next().map_or(0, |given| self.number(given))
            }
            None => 0,
        };
        let mut scope = self.scope(node.environment, task, arguments);
        if let Some(task) = task {
            scope = self.on_first(&scope, &task.place);
        }
        let mut given: Vec<(Giver, Vec<(String, Text)>)> = Vec::new();
        for file in scope.dotenv.iter() {
            match self.facts.dotenv(file) {
                Ok(variables) => {
                    let texts =
                        variables.iter().map(|(name, value)| (name.clone(), Text::from(value.as_str())));
                    given.push((Giver::Dotenv(file.path.display().to_string()), texts.collect()));
                }
                Err(trouble) => self.trouble(trouble, file.at),
            }
        }
        // A variable that keeps a secret is taken from processes that don't name it.
        let is_kept = |name: &str| self.project.secrets.iter().any(|secret| secret.is_kept_by(name));
        let callers = self.facts.env.iter().filter_map(|(name, value)| {
            let (name, value) = (name.to_string_lossy(), value.to_string_lossy());
            (!is_kept(&name)).then(|| (name.into_owned(), Text::from(&*value)))
        });
        given.push((Giver::Caller, callers.collect()));
        given.push((Giver::Deploy, self.own_variables(node.environment)));
        let file = task.map_or(0, |task| task.at.source as usize);
        given.push((Giver::Settings, self.settings_env(node.environment, file)));
        if let Some(environment) = node.environment.map(|index| &self.project.environments[index]) {
            let within = self.scope(node.environment, None, 0);
            given.push((Giver::Environment(environment.at), self.env(&within, &environment.env)));
        }
        if let Some(task) = task {
            given.push((Giver::Task(task.at), self.env(&scope, &task.env)));
        }
        let steps = task.into_iter().flat_map(|task| task.steps.iter().chain(&task.always));
        let of_steps = steps.flat_map(|step: &'a Step<Written>| {
            let scope = self.on_first(&scope, &step.place);
            let variables = self.env(&scope, &step.env).into_iter();
            variables.map(|(name, value)| Origin {
                name,
                value,
                giver: Giver::Step(step.at),
                beaten: Vec::new(),
            })
        });
        Origins { of_steps: of_steps.collect(), all: strongest(given) }
    }
}

/// The strongest giver of each name.
fn strongest(given: Vec<(Giver, Vec<(String, Text)>)>) -> Vec<Origin> {
    let mut all: BTreeMap<String, Origin> = BTreeMap::new();
    for (giver, variables) in given {
        for (name, value) in variables {
            let beaten = match all.remove(&name) {
                Some(before) if before.giver == giver => before.beaten,
                Some(Origin { giver, mut beaten, .. }) => {
                    beaten.push(giver);
                    beaten
                }
                None => Vec::new(),
            };
            all.insert(name.clone(), Origin { name, value, giver: giver.clone(), beaten });
        }
    }
    all.into_values().collect()
}
