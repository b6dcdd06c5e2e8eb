//! The whole file: its tables, and the set of names that tasks and environments share.

use std::collections::HashMap;

use toml::Spanned;
use toml::de::DeTable;

use super::reader::{Item, Reader, Table};
use super::{environment, secret, task, value};
use crate::diagnostic::{Diagnostic, Span};
use crate::model::project::{File, Named, Output, Project, Settings};

/// No more jobs than this at once: each is a process and a thread.
const MOST_JOBS: i64 = 4096;

pub(crate) fn read<'a>(reader: &Reader<'a>, file: &Spanned<DeTable<'a>>) -> Project {
    let mut table = Table::new(reader, file.get_ref(), "a tasks.toml", Span::default());
    let mut project = Project {
        name: None,
        about: None,
        default: None,
        settings: Settings::default(),
        files: Vec::new(),
        secrets: table.take("secrets").map(secret::read).unwrap_or_default(),
        environments: Vec::new(),
        tasks: Vec::new(),
        names: HashMap::new(),
    };
    let mut file =
        File { vars: table.take("vars").map(value::variables).unwrap_or_default(), ..File::default() };
    if let Some(item) = table.take("settings") {
        project.settings = settings(item, &mut file);
    }
    project.files.push(file);
    if let Some(item) = table.take("project") {
        identity(item, &mut project);
    }
    if let Some(environments) = table.take("environments").and_then(|item| item.table("`[environments]`")) {
        for (name, item) in environments.entries() {
            if let Some(environment) = environment::read(name, item) {
                let named = Named::Environment(project.environments.len());
                claim(&mut project.names, name, named, item, item.key());
                project.environments.push(environment);
            }
        }
    }
    if let Some(tasks) = table.take("tasks").and_then(|item| item.table("`[tasks]`")) {
        for (name, item) in tasks.entries() {
            if let Some(task) = task::read(name, item) {
                let named = Named::Task(project.tasks.len());
                claim(&mut project.names, name, named, item, item.key());
                for (alias, at) in &task.aliases {
                    claim(&mut project.names, alias, named, item, *at);
                }
                project.tasks.push(task);
            }
        }
    }
    table.finish();
    project
}

fn identity(item: Item<'_, '_>, project: &mut Project) {
    let Some(mut table) = item.table("`[project]`") else { return };
    project.name = table.take("name").and_then(|item| item.text());
    project.about = table.take("about").and_then(|item| item.text());
    project.default = table.take("default").and_then(|item| Some((item.text()?, item.at())));
    if let Some(item) = table.take("requires") {
        requires(item);
    }
    table.finish();
}

/// Refuses a file that wants a newer deploy than this one.
fn requires(item: Item<'_, '_>) {
    const OURS: &str = env!("CARGO_PKG_VERSION");
    let numbers =
        |text: &str| -> Option<Vec<u64>> { text.split('.').map(|part| part.parse().ok()).collect() };
    let Some(text) = item.text() else { return };
    match (numbers(&text), numbers(OURS)) {
        (Some(wanted), Some(ours)) if wanted > ours => item.problem(
            Diagnostic::new(format!("this file requires deploy {text}, and this is deploy {OURS}"))
                .at(item.at(), "newer than this program")
                .help(format!("install deploy {text} or later")),
        ),
        (Some(_), _) => {}
        (None, _) => item.wrong("a version such as \"0.1.0\""),
    }
}

fn settings(item: Item<'_, '_>, file: &mut File) -> Settings {
    let mut settings = Settings::default();
    let Some(mut table) = item.table("`[settings]`") else { return settings };
    if let Some(shell) = table.take("shell").and_then(shell) {
        file.shell = shell;
    }
    file.dotenv = table.take("dotenv").map(value::dotenv).unwrap_or_default();
    settings.jobs =
        table.take("jobs").and_then(|item| item.integer(1..=MOST_JOBS)).and_then(|n| usize::try_from(n).ok());
    settings.output = table.take("output").and_then(|item| item.one_of(&Output::ALL));
    if let Some(grace) = table.take("grace").and_then(|item| item.duration()) {
        settings.grace = grace;
    }
    table.finish();
    settings
}

/// A shell with its flags, such as `["bash", "-euo", "pipefail", "-c"]`.
pub(crate) fn shell(item: Item<'_, '_>) -> Option<Vec<String>> {
    let words = item.texts();
    if words.is_empty() {
        item.wrong("a shell and its flags, such as [\"bash\", \"-euc\"]");
        return None;
    }
    Some(words)
}

/// Gives a name its meaning. A second meaning is a problem.
fn claim(names: &mut HashMap<String, Named>, name: &str, named: Named, item: Item<'_, '_>, at: Span) {
    let Some(earlier) = names.insert(name.to_owned(), named) else { return };
    let other = match earlier {
        Named::Environment(_) => "an environment",
        Named::Task(_) => "another task",
    };
    item.problem(
        Diagnostic::new(format!("the name `{name}` means two things"))
            .at(at, format!("there is {other} of this name"))
            .help("tasks, environments and aliases share one set of names: rename one of them"),
    );
}
