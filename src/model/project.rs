//! The project: what a tasks.toml means.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::backup::Declared;
use super::environment::Environment;
use super::host::Host;
use super::ledger::Sharing;
use super::secret::Secret;
use super::store::Store;
use super::task::{Dotenv, Task};
use super::template::{Expression, Template};
use super::value::Variable;
use crate::diagnostic::Span;

/// What a tasks.toml means: names checked, values parsed, nothing decided.
#[derive(Clone, Debug, Default)]
pub(crate) struct Project {
    pub(crate) name: Option<String>,
    pub(crate) about: Option<String>,
    /// What a bare `deploy` runs.
    pub(crate) default: Option<(String, Span)>,
    pub(crate) settings: Settings,
    pub(crate) ledger: Sharing,
    /// The files that it was read from, the root's first; a place's `source` is an index here.
    pub(crate) files: Vec<File>,
    pub(crate) secrets: Vec<Secret>,
    pub(crate) stores: Vec<Store>,
    pub(crate) backups: Vec<Declared>,
    pub(crate) hosts: Vec<Host>,
    /// In the order of the file.
    pub(crate) environments: Vec<Environment>,
    /// In the order of the file.
    pub(crate) tasks: Vec<Task>,
    pub(crate) names: HashMap<String, Named>,
    /// Every expression of the texts outside of tasks.
    pub(crate) mentions: Vec<Expression>,
}

/// What a tasks.toml says for its own tasks alone.
#[derive(Clone, Debug)]
pub(crate) struct File {
    /// Where its tasks run, relative to the root's folder; empty for the root's own.
    pub(crate) folder: PathBuf,
    /// What stands before the names of its tasks: nothing, or `backend:`.
    pub(crate) prefix: String,
    pub(crate) vars: Vec<Variable>,
    /// The shell and its flags.
    pub(crate) shell: Vec<String>,
    pub(crate) dotenv: Vec<Dotenv>,
    /// Variables for the processes of its tasks.
    pub(crate) env: Vec<(String, Template)>,
}

/// A folder of the project, relative to the root; the root itself stays as it is, without a `/` at its end.
pub(crate) fn inside(root: &Path, folder: &Path) -> PathBuf {
    if folder.as_os_str().is_empty() { root.to_owned() } else { root.join(folder) }
}

/// The shell of a file that names none. By path: a bare name would be looked up, and forked instead of spawned.
pub(crate) const SHELL: [&str; 3] = ["/bin/sh", "-eu", "-c"];

impl Default for File {
    /// The root's, when it says nothing.
    fn default() -> File {
        File {
            folder: PathBuf::new(),
            prefix: String::new(),
            vars: Vec::new(),
            shell: SHELL.map(String::from).to_vec(),
            dotenv: Vec::new(),
            env: Vec::new(),
        }
    }
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
    /// How many jobs run at once; without it, as many as there are processors.
    pub(crate) jobs: Option<usize>,
    pub(crate) output: Option<Output>,
    /// From the first signal to SIGKILL.
    pub(crate) grace: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { jobs: None, output: None, grace: Duration::from_secs(10) }
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
    /// The file that a place is in.
    pub(crate) fn file(&self, at: Span) -> &File {
        &self.files[at.source as usize]
    }

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

    /// Where a task or an environment was wanted and the name is the other one's: what it stands for instead.
    pub(crate) fn instead(&self, name: &str) -> Option<String> {
        Some(match self.names.get(name)? {
            Named::Task(_) => format!("`{name}` is a task"),
            Named::Environment(_) => format!("`{name}` is an environment; `deploy {name}` deploys to it"),
        })
    }
}
