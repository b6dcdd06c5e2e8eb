//! The whole file: its tables, and the set of names that tasks and environments share.

use std::path::Path;

use super::include::{self, Book, Include, Role};
use super::reader::{Item, Reader};
use super::{backup, environment, host, ledger, secret, store, task, value};
use crate::diagnostic::{Diagnostic, Span};
use crate::model::backup::Declared;
use crate::model::host::Host;
use crate::model::project::{File, Named, Output, Project, Settings};
use crate::model::secret::Secret;
use crate::model::store::Store;

/// No more jobs than this at once: each is a process and a thread.
const MOST_JOBS: i64 = 4096;

/// Adds what a file says to the book; and gives the files that it includes.
pub(crate) fn read(reader: &Reader<'_>, folder: &Path, role: &Role, book: &mut Book) -> Vec<Include> {
    let mut table = reader.root();
    let shell = book.project.files.first().map(|root| root.shell.clone());
    let mut own = File {
        folder: folder.to_owned(),
        prefix: role.prefix.clone(),
        vars: table.take("vars").map(value::variables).unwrap_or_default(),
        ..File::default()
    };
    own.shell = shell.unwrap_or(own.shell);
    let settings = table.take("settings").map(|item| settings(item, &mut own)).unwrap_or_default();
    book.project.files.push(own);
    let mut identified = Project::default();
    if let Some(item) = table.take("project") {
        identity(item, &mut identified);
    }
    let ledger = table.take("ledger").map(ledger::read).unwrap_or_default();
    // The name and the settings of an included file are for when it is used by itself.
    if role.is_root() {
        let Project { name, about, default, .. } = identified;
        book.project =
            Project { name, about, default, settings, ledger, ..std::mem::take(&mut book.project) };
    }
    for secret in table.take("secrets").map(secret::read).unwrap_or_default() {
        claim_secret(reader, &mut book.project, secret);
    }
    for store in table.take("stores").map(store::read).unwrap_or_default() {
        claim_store(reader, &mut book.project, store);
    }
    for backup in table.take("backups").map(backup::read).unwrap_or_default() {
        claim_backup(reader, &mut book.project, backup);
    }
    for host in table.take("hosts").map(host::read).unwrap_or_default() {
        claim_host(reader, &mut book.project, host);
    }
    if let Some(item) = table.take("environments") {
        environments(reader, item, role, book);
    }
    book.project.mentions.extend(reader.mentions());
    if let Some(tasks) = table.take("tasks").and_then(|item| item.table("`[tasks]`")) {
        let entries = tasks.entries();
        book.project.tasks.reserve(entries.len());
        book.project.names.reserve(entries.len());
        for (name, item) in entries {
            if let Some(mut task) = task::read(name, item) {
                let named = Named::Task(book.project.tasks.len());
                task.mentions = reader.mentions();
                task.name.insert_str(0, &role.prefix);
                claim(reader, &mut book.project, &task.name, named, item.key());
                for (alias, at) in &mut task.aliases {
                    alias.insert_str(0, &role.prefix);
                    claim(reader, &mut book.project, alias, named, *at);
                }
                book.project.tasks.push(task);
            }
        }
    }
    let includes = table.take("include").map(include::includes).unwrap_or_default();
    table.finish();
    includes
}

fn environments(reader: &Reader<'_>, item: Item<'_, '_>, role: &Role, book: &mut Book) {
    let Some(environments) = item.table("`[environments]`") else { return };
    if !role.prefix.is_empty() {
        item.problem(
            Diagnostic::new(
                "a file under a namespace can't have environments: their names are those of the project",
            )
            .at(item.key(), format!("its tasks are called `{}…`", role.prefix))
            .help("include it without `as`, or keep them in a file of their own"),
        );
    }
    for (name, item) in environments.entries() {
        if let Some((environment, heir)) = environment::read(name, item) {
            let named = Named::Environment(book.project.environments.len());
            claim(reader, &mut book.project, name, named, item.key());
            book.project.environments.push(environment);
            book.heirs.push(heir);
        }
    }
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
    file.env = table.take("env").map(value::env).unwrap_or_default();
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
fn claim(reader: &Reader<'_>, project: &mut Project, name: &str, named: Named, at: Span) {
    let Some(earlier) = project.names.insert(name.to_owned(), named) else { return };
    let (other, first) = match earlier {
        Named::Environment(index) => {
            ("an environment", project.environments.get(index).map(|environment| environment.at))
        }
        Named::Task(index) => ("another task", project.tasks.get(index).map(|task| task.at)),
    };
    let problem = Diagnostic::new(format!("the name `{name}` means two things"))
        .at(at, format!("there is {other} of this name"))
        .help("tasks, environments and aliases share one set of names: rename one of them");
    reader.problem(first.into_iter().fold(problem, |problem, first| problem.at(first, "here")));
}

fn claim_secret(reader: &Reader<'_>, project: &mut Project, secret: Secret) {
    if let Some(first) = project.secrets.iter().find(|known| known.name == secret.name) {
        reader.problem(
            Diagnostic::new(format!("the secret `{}` is kept in two places", secret.name))
                .at(secret.at, "declared once more")
                .at(first.at, "here")
                .help("all files of a project share one set of secrets: take one of them out"),
        );
        return;
    }
    project.secrets.push(secret);
}

fn claim_host(reader: &Reader<'_>, project: &mut Project, host: Host) {
    if let Some(first) = project.hosts.iter().find(|known| known.name == host.name) {
        reader.problem(
            Diagnostic::new(format!("the host `{}` is two machines", host.name))
                .at(host.at, "declared once more")
                .at(first.at, "here")
                .help("all files of a project share one set of hosts: rename one of them"),
        );
        return;
    }
    project.hosts.push(host);
}

fn claim_backup(reader: &Reader<'_>, project: &mut Project, backup: Declared) {
    if let Some(first) = project.backups.iter().find(|known| known.name == backup.name) {
        reader.problem(
            Diagnostic::new(format!("the backup `{}` saves two things", backup.name))
                .at(backup.at, "declared once more")
                .at(first.at, "here")
                .help("all files of a project share one set of backups: rename one of them"),
        );
        return;
    }
    project.backups.push(backup);
}

fn claim_store(reader: &Reader<'_>, project: &mut Project, store: Store) {
    if let Some(first) = project.stores.iter().find(|known| known.name == store.name) {
        reader.problem(
            Diagnostic::new(format!("the store `{}` is in two places", store.name))
                .at(store.at, "declared once more")
                .at(first.at, "here")
                .help("all files of a project share one set of stores: rename one of them"),
        );
        return;
    }
    project.stores.push(store);
}
