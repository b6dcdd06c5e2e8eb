//! The project: what a tasks.toml means.

use std::collections::HashMap;
use std::time::Duration;

use super::environment::Environment;
use super::task::Task;
use super::value::Variable;
use crate::diagnostic::Span;

/// What a tasks.toml means: names checked, values parsed, nothing decided.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    pub(crate) name: Option<String>,
    pub(crate) about: Option<String>,
    /// What a bare `deploy` runs.
    pub(crate) default: Option<(String, Span)>,
    pub(crate) settings: Settings,
    pub(crate) vars: Vec<Variable>,
    /// In the order of the file.
    pub(crate) environments: Vec<Environment>,
    /// In the order of the file.
    pub(crate) tasks: Vec<Task>,
    pub(crate) names: HashMap<String, Named>,
}

/// What a name of the user's stands for; tasks and environments share one set of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Task(usize),
    Environment(usize),
}

/// How to run things, unless a task says otherwise.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) shell: Vec<String>,
    /// How many jobs run at once; without it, as many as there are processors.
    pub(crate) jobs: Option<usize>,
    pub(crate) output: Option<Output>,
    /// From the first signal to SIGKILL.
    pub(crate) grace: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            // By path: a bare name would be looked up, and forked instead of spawned.
            shell: ["/bin/sh", "-eu", "-c"].map(String::from).to_vec(),
            jobs: None,
            output: None,
            grace: Duration::from_secs(10),
        }
    }
}

/// How a run is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Output {
    #[default]
    Auto,
    Stream,
    Prefixed,
    Grouped,
    Quiet,
    Json,
}

impl Output {
    /// Every way, under the name that flags and files use.
    pub(crate) const ALL: [(&str, Output); 6] = [
        ("auto", Output::Auto),
        ("stream", Output::Stream),
        ("prefixed", Output::Prefixed),
        ("grouped", Output::Grouped),
        ("quiet", Output::Quiet),
        ("json", Output::Json),
    ];
}

impl Project {
    /// The task of this name.
    pub(crate) fn task(&self, name: &str) -> Option<&Task> {
        match self.names.get(name)? {
            Named::Task(index) => Some(&self.tasks[*index]),
            Named::Environment(_) => None,
        }
    }

    /// The environment of this name.
    pub(crate) fn environment(&self, name: &str) -> Option<&Environment> {
        match self.names.get(name)? {
            Named::Environment(index) => Some(&self.environments[*index]),
            Named::Task(_) => None,
        }
    }
}
