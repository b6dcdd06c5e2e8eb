//! Tasks: named units of work, the nodes of the graph.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::files::Files;
use super::host::{Place, There};
use super::parameter::Parameter;
use super::project::Output;
use super::script::Script;
use super::step::{Action, Planned, Retry, Step, Written};
use super::template::{Expression, Template};
use super::text::Text;
use super::tracking::Tracking;
use super::value::Variable;
use crate::diagnostic::Span;

/// A task as tasks.toml declares it.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) name: String,
    pub(crate) about: Option<String>,
    /// The heading that it is listed under.
    pub(crate) group: Option<String>,
    pub(crate) listing: Listing,
    pub(crate) aliases: Vec<(String, Span)>,
    /// Environments; elsewhere it is left out. Empty: everywhere.
    pub(crate) only: Vec<(String, Span)>,
    pub(crate) require: Vec<Requirement>,
    /// In the order of the file, which is that of the positional ones.
    pub(crate) params: Vec<Parameter>,
    /// Variables that stand for each of their values in turn: one job a combination.
    pub(crate) each: Vec<Variable>,
    pub(crate) needs: Vec<Need>,
    /// Tasks that end first if they are in the plan too.
    pub(crate) after: Vec<(String, Span)>,
    pub(crate) steps: Vec<Step<Written>>,
    /// Owed from the task's begin, done at its end, last one first.
    pub(crate) always: Vec<Step<Written>>,
    pub(crate) vars: Vec<Variable>,
    /// Named secrets are in it too.
    pub(crate) env: Vec<(String, Template)>,
    pub(crate) dotenv: Vec<Dotenv>,
    /// Relative to the folder of its file.
    pub(crate) dir: Option<Template>,
    pub(crate) shell: Option<Vec<String>>,
    pub(crate) condition: Option<Expression>,
    pub(crate) confirm: Option<Template>,
    /// What it reads. With `outputs`, or alone, this tells whether there is something to do.
    pub(crate) inputs: Files<Template>,
    /// What it makes.
    pub(crate) outputs: Files<Template>,
    /// Where what it makes is kept for others: a folder, an address, or the name of a store.
    pub(crate) cache: Option<Template>,
    pub(crate) skip_if: Option<Script<Template>>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) retry: Option<Box<Retry>>,
    /// Where it is done.
    pub(crate) place: Place,
    pub(crate) interactive: bool,
    /// Whether it may see secrets although what it prints can't be masked.
    pub(crate) unmasked: bool,
    pub(crate) exclusive: Option<String>,
    /// Whether it holds its environment as a deploy does.
    pub(crate) lock: bool,
    /// How its output is shown, where it says so.
    pub(crate) output: Option<Output>,
    /// Every expression of its texts.
    pub(crate) mentions: Vec<Expression>,
    /// Its name, in the file.
    pub(crate) at: Span,
}

/// A file of variables for processes.
#[derive(Clone, Debug)]
pub(crate) struct Dotenv {
    /// Relative to the folder of the file that names it.
    pub(crate) path: Template,
    pub(crate) presence: Presence,
}

/// Whether a file must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Needed,
    Optional,
}

impl Task {
    /// The hosts and groups that it, or a step of it, is done on; each once.
    pub(crate) fn hosts(&self) -> Vec<&str> {
        let of_steps = self.steps.iter().filter_map(|step| step.place.on.as_ref());
        let mut hosts: Vec<&str> = Vec::new();
        for (name, _) in self.place.on.iter().chain(of_steps).flat_map(|on| &on.names) {
            if !hosts.contains(&name.as_str()) {
                hosts.push(name);
            }
        }
        hosts
    }

    /// Whether it may run there: everywhere, unless `only` names environments.
    pub(crate) fn belongs_to(&self, environment: Option<&str>) -> bool {
        self.only.is_empty() || self.only.iter().any(|(name, _)| Some(name.as_str()) == environment)
    }
}

/// Whether `deploy list` shows a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listing {
    Shown,
    /// `private`: other tasks need it, people don't.
    Hidden,
}

/// Something that must be so before the first job of a plan starts.
#[derive(Clone, Debug)]
pub(crate) struct Requirement {
    pub(crate) wanted: Wanted,
    /// What to tell if it is not so.
    pub(crate) message: Option<Template>,
}

/// What a requirement asks for.
#[derive(Clone, Debug)]
pub(crate) enum Wanted {
    /// A program in PATH.
    Program(String),
    /// A shell line that succeeds.
    Line(Script<Template>),
}

/// Another task that comes first.
#[derive(Clone, Debug)]
pub(crate) struct Need {
    pub(crate) task: String,
    /// Its parameters, said by the one that needs it.
    pub(crate) with: Vec<Variable>,
    /// The environment to run it in; without one, that of the task that needs it.
    pub(crate) environment: Option<(String, Span)>,
    pub(crate) at: Span,
}

/// A `task = …` step as written: another task, with other variables.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) task: String,
    pub(crate) with: Vec<Variable>,
    pub(crate) at: Span,
}

/// The steps of a task with all that they need, as planned: a job's body, or that of a task inside it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Block {
    /// The task's name, as messages say it.
    pub(crate) name: String,
    pub(crate) steps: Vec<Step<Planned>>,
    pub(crate) always: Vec<Step<Planned>>,
    /// What its processes get beside the caller's environment; the last of one name counts.
    pub(crate) env: Arc<Vec<(String, Text)>>,
    pub(crate) dir: PathBuf,
    /// The host that its processes run on, if not here.
    pub(crate) there: Option<Box<There>>,
    /// The shell and its flags; a line is added as the last argument.
    pub(crate) shell: Arc<Vec<String>>,
    /// How it is known to be done already. A block that is owed is done whatever there is.
    #[serde(skip)]
    pub(crate) tracking: Option<Arc<Tracking>>,
    pub(crate) skip_if: Option<Script<Text>>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) retry: Option<Box<Retry>>,
    pub(crate) interactive: bool,
    pub(crate) at: Span,
}

impl Block {
    /// Whether it, or a task that it calls, can be known to be done.
    pub(crate) fn is_tracked(&self) -> bool {
        let calls = |step: &Step<Planned>| matches!(&step.action, Action::Task(block) if block.is_tracked());
        self.tracking.is_some() || self.steps.iter().any(calls)
    }

    /// Whether a step of it, or of a task that it calls, is done on hosts.
    pub(crate) fn is_on_hosts(&self) -> bool {
        let is_on_hosts = |step: &Step<Planned>| match &step.action {
            Action::Fleet(_) => true,
            Action::Task(block) => block.is_on_hosts(),
            Action::Run(_)
            | Action::Exec(_)
            | Action::Swap(_)
            | Action::Ship
            | Action::Check(_)
            | Action::Http(_)
            | Action::Put(_)
            | Action::Get(_)
            | Action::Backup(_)
            | Action::Restore(_)
            | Action::PutBack(_) => step.place.is_some(),
        };
        self.there.is_some() || self.steps.iter().chain(&self.always).any(is_on_hosts)
    }

    /// Whether it does nothing by itself.
    pub(crate) fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.always.is_empty()
    }

    /// The names of the secrets that its processes see.
    pub(crate) fn secrets(&self) -> Vec<&str> {
        let env = self.env.iter().flat_map(|(_, value)| value.secrets());
        let condition = self.skip_if.iter().flat_map(|script| script.values().flat_map(Text::secrets));
        let there = self.there.iter().flat_map(|there| there.texts().flat_map(Text::secrets));
        env.chain(condition)
            .chain(there)
            .chain(self.steps.iter().chain(&self.always).flat_map(Step::secrets))
            .collect()
    }
}
