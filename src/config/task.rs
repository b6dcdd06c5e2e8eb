//! `[tasks.NAME]`.

use super::project::shell;
use super::reader::{Item, Table};
use super::{files, host, parameter, secret, step, value};
use crate::diagnostic::Diagnostic;
use crate::model::host::On;
use crate::model::project::Output;
use crate::model::task::{Listing, Need, Requirement, Task, Wanted};
use crate::model::template::Template;

/// How a task's output may be shown; `json` is for a whole run.
const OUTPUTS: [(&str, Output); 5] = [
    ("auto", Output::Auto),
    ("stream", Output::Stream),
    ("prefixed", Output::Prefixed),
    ("grouped", Output::Grouped),
    ("quiet", Output::Quiet),
];

pub(crate) fn read(name: &str, item: Item<'_, '_>) -> Option<Task> {
    if !value::is_name(name) {
        item.problem(
            Diagnostic::new(format!("`{name}` can't be a task's name"))
                .at(item.key(), "letters, digits, `-`, `_` and `.`; not `-` or `.` first"),
        );
        return None;
    }
    let mut table = item.table("a task")?;
    let run = table.take("run");
    let steps = table.take("steps");
    if let (Some(_), Some(steps)) = (run, steps) {
        steps.problem(
            Diagnostic::new(format!("task `{name}` has both `run` and `steps`"))
                .at(steps.key(), "and `run` beside it")
                .help("put the line of `run` into `steps` as a string"),
        );
    }
    let task = Task {
        name: name.to_owned(),
        about: table.take("about").and_then(|item| item.text()),
        group: table.take("group").and_then(|item| item.text()),
        listing: match table.take("private").and_then(|item| item.boolean()) {
            Some(true) => Listing::Hidden,
            Some(false) | None => Listing::Shown,
        },
        aliases: table.take("aliases").map(value::names).unwrap_or_default(),
        only: table.take("only").map(value::names).unwrap_or_default(),
        require: table.take("require").map(requirements).unwrap_or_default(),
        params: table.take("params").map(parameter::read).unwrap_or_default(),
        each: table.take("each").map(value::each).unwrap_or_default(),
        needs: table.take("needs").map(needs).unwrap_or_default(),
        after: table.take("after").map(value::names).unwrap_or_default(),
        steps: run.map(step::lines).or(steps.map(step::steps)).unwrap_or_default(),
        always: table.take("always").map(step::owed).unwrap_or_default(),
        vars: table.take("vars").map(value::variables).unwrap_or_default(),
        env: env(&mut table),
        dotenv: table.take("dotenv").map(value::dotenv).unwrap_or_default(),
        dir: table.take("dir").and_then(|item| item.template()),
        shell: table.take("shell").and_then(shell),
        condition: table.take("if").and_then(|item| item.expression()),
        confirm: table.take("confirm").and_then(|item| item.template()),
        inputs: table.take("inputs").map(files::files).unwrap_or_default(),
        outputs: table.take("outputs").map(files::files).unwrap_or_default(),
        cache: table.take("cache").and_then(|item| item.template()),
        skip_if: table.take("skip_if").and_then(|item| item.script()),
        timeout: table.take("timeout").and_then(|item| item.duration()),
        retry: table.take("retry").and_then(step::retry),
        place: host::place(&mut table),
        interactive: table.take("interactive").and_then(|item| item.boolean()).unwrap_or(false),
        unmasked: table.take("unmasked").and_then(|item| item.boolean()).unwrap_or(false),
        lock: table.take("lock").and_then(|item| item.boolean()).unwrap_or(false),
        mentions: Vec::new(),
        output: table.take("output").and_then(|item| item.one_of(&OUTPUTS)),
        exclusive: table.take("exclusive").and_then(|item| item.text()),
        at: item.key(),
    };
    if let Some(cache) = &task.cache
        && task.outputs.patterns.is_empty()
    {
        item.problem(
            Diagnostic::new(format!("there is nothing to cache: task `{name}` has no `outputs`"))
                .at(cache.at, "what would be kept?")
                .help("say what it makes: outputs = [\"…\"]"),
        );
    }
    if let Some(on) = &task.place.on {
        refuse_on_hosts(&item, &task, on);
    }
    for variable in &task.each {
        if task.params.iter().any(|parameter| parameter.name == variable.name) {
            let name = &variable.name;
            item.problem(
                Diagnostic::new(format!("`{name}` is a parameter and in `each`"))
                    .at(variable.at, "which of them is meant?")
                    .help("rename one of them"),
            );
        }
    }
    // A misspelt `run` is told as that alone.
    let is_idle = task.steps.is_empty() && task.needs.is_empty() && run.is_none() && steps.is_none();
    if is_idle && !table.has_unknown() {
        item.problem(
            Diagnostic::new(format!("task `{name}` does nothing"))
                .at(item.key(), "no `run`, no `steps`, no `needs`")
                .help("say what it does: run = \"…\""),
        );
    }
    table.finish();
    Some(task)
}

/// Refuses what a task can't be that is done on hosts.
fn refuse_on_hosts(item: &Item<'_, '_>, task: &Task, on: &On) {
    let (what, help) = if task.interactive {
        ("interactive", "a terminal is one machine's: open it yourself, ssh -t HOST, or take `on` out")
    } else if !task.inputs.patterns.is_empty() || !task.outputs.patterns.is_empty() {
        (
            "known by its files",
            "deploy looks at files of this machine alone: take `inputs` and `outputs` out, or use `skip_if`",
        )
    } else {
        return;
    };
    let name = &task.name;
    item.problem(
        Diagnostic::new(format!("task `{name}` can't be {what}: it is done on hosts"))
            .at(on.at, "says so here")
            .help(help),
    );
}

/// `env`, and the secrets that `secrets` names, which an `env` of the same name hides.
pub(crate) fn env(table: &mut Table<'_, '_>) -> Vec<(String, Template)> {
    let named = table.take("secrets").map(secret::named).unwrap_or_default();
    let env = table.take("env").map(value::env).unwrap_or_default();
    let is_hidden = |name: &String| env.iter().any(|(other, _)| other == name);
    named.into_iter().filter(|(name, _)| !is_hidden(name)).chain(env.clone()).collect()
}

/// `needs`: names, or tables that also say parameters and the environment.
pub(crate) fn needs(item: Item<'_, '_>) -> Vec<Need> {
    item.each("a list of tasks", need)
}

fn need(item: Item<'_, '_>) -> Option<Need> {
    let Some(mut table) = item.maybe_table("a need") else {
        return Some(Need { task: item.text()?, with: Vec::new(), environment: None, at: item.at() });
    };
    let task = table.require("task").and_then(|item| Some((item.text()?, item.at())));
    let with = table.take("with").map(value::variables).unwrap_or_default();
    let environment = table.take("environment").and_then(|item| Some((item.text()?, item.at())));
    table.finish();
    let (task, at) = task?;
    Some(Need { task, with, environment, at })
}

/// `require`: programs, or lines that must succeed.
fn requirements(item: Item<'_, '_>) -> Vec<Requirement> {
    item.each("a list of requirements", requirement)
}

fn requirement(item: Item<'_, '_>) -> Option<Requirement> {
    let Some(mut table) = item.maybe_table("a requirement") else {
        return Some(Requirement { wanted: Wanted::Program(item.text()?), message: None });
    };
    let line = table.require("run").and_then(|item| item.script());
    let message = table.take("message").and_then(|item| item.template());
    table.finish();
    Some(Requirement { wanted: Wanted::Line(line?), message })
}
