//! Steps: `run` lines, and tables with exactly one action.

use super::environment::swap;
use super::reader::{Item, Table, Toml};
use super::{health, host, http, task, transfer, value};
use crate::diagnostic::{Diagnostic, Span};
use crate::model::host::Place;
use crate::model::step::{Action, Retry, Step, Written};
use crate::model::task::Call;

/// More tries than this are a loop that somebody forgot.
const MOST_TRIES: i64 = 1000;

/// What `run` holds: one line, or several, each a step of its own.
pub(crate) fn lines(item: Item<'_, '_>) -> Vec<Step<Written>> {
    match item.value() {
        Toml::Array(_) => item.each("a shell line, or a list of them", line),
        Toml::String(_) => line(item).into_iter().collect(),
        Toml::Integer(..) | Toml::Float(_) | Toml::Boolean(_) | Toml::Datetime(_) | Toml::Table(_) => {
            item.wrong("a shell line, or a list of them");
            Vec::new()
        }
    }
}

/// What `steps`, `always` and `undo` hold: steps; a single one may stand without its list.
pub(crate) fn steps(item: Item<'_, '_>) -> Vec<Step<Written>> {
    match item.value() {
        Toml::Array(_) => item.each("a list of steps", step),
        Toml::String(_) | Toml::Table(_) => step(item).into_iter().collect(),
        Toml::Integer(..) | Toml::Float(_) | Toml::Boolean(_) | Toml::Datetime(_) => {
            item.wrong("a list of steps");
            Vec::new()
        }
    }
}

/// What `always` and `undo` hold: steps that are owed, and so can owe nothing themselves.
pub(crate) fn owed(item: Item<'_, '_>) -> Vec<Step<Written>> {
    let steps = steps(item);
    for step in &steps {
        let what = match &step.action {
            Action::Swap(_) => "swap",
            Action::Ship => "ship",
            Action::Backup(_) => "backup",
            Action::Restore(_) => "restore",
            Action::Run(_)
            | Action::Exec(_)
            | Action::Task(_)
            | Action::Check(_)
            | Action::Http(_)
            | Action::Put(_)
            | Action::Get(_)
            | Action::PutBack(_)
            | Action::Fleet(_) => continue,
        };
        item.problem(
            Diagnostic::new(format!("a `{what}` step can't be owed: nothing would take it back"))
                .at(step.at, "in `always` or `undo`")
                .help("do it among the task's own steps"),
        );
    }
    steps
}

pub(crate) fn retry(item: Item<'_, '_>) -> Option<Box<Retry>> {
    let mut retry = Box::<Retry>::default();
    if matches!(item.value(), Toml::Integer(..)) {
        retry.times = times(item)?;
        return Some(retry);
    }
    let mut table = item.table("`retry`")?;
    if let Some(times) = table.take("times").and_then(times) {
        retry.times = times;
    }
    if let Some(wait) = table.take("wait").and_then(|item| item.duration()) {
        retry.wait = wait;
    }
    if let Some(factor) = table.take("factor").and_then(|item| item.number()) {
        retry.factor = factor;
    }
    if let Some(jitter) = table.take("jitter").and_then(|item| item.boolean()) {
        retry.jitter = jitter;
    }
    if let Some(codes) = table.take("on_exit").and_then(|item| item.list("a list of exit codes")) {
        retry.on_exit = codes.iter().filter_map(|code| i32::try_from(code.integer(1..=255)?).ok()).collect();
    }
    table.finish();
    Some(retry)
}

fn times(item: Item<'_, '_>) -> Option<u32> {
    item.integer(1..=MOST_TRIES).and_then(|times| u32::try_from(times).ok())
}

fn line(item: Item<'_, '_>) -> Option<Step<Written>> {
    Some(bare(Action::Run(item.script()?), item.at()))
}

fn bare(action: Action<Written>, at: Span) -> Step<Written> {
    Step {
        name: None,
        action,
        condition: None,
        dir: None,
        place: Place::default(),
        env: Vec::new(),
        timeout: None,
        retry: None,
        allow_failure: false,
        undo: Vec::new(),
        at,
    }
}

fn step(item: Item<'_, '_>) -> Option<Step<Written>> {
    let Some(mut table) = item.maybe_table("a step") else { return line(item) };
    let action = action(&mut table);
    let step = action.map(|action| Step {
        name: table.take("name").and_then(|item| item.text()),
        action,
        condition: table.take("if").and_then(|item| item.expression()),
        dir: table.take("dir").and_then(|item| item.template()),
        place: host::place(&mut table),
        env: task::env(&mut table),
        timeout: table.take("timeout").and_then(|item| item.duration()),
        retry: table.take("retry").and_then(retry),
        allow_failure: table.take("allow_failure").and_then(|item| item.boolean()).unwrap_or(false),
        undo: table.take("undo").map(owed).unwrap_or_default(),
        at: item.at(),
    })?;
    table.finish();
    Some(step)
}

/// The one action of a step. Of none and of several it tells, and the step is left out.
fn action(table: &mut Table<'_, '_>) -> Option<Action<Written>> {
    const ACTIONS: [&str; 11] =
        ["run", "exec", "task", "swap", "ship", "check", "http", "put", "get", "backup", "restore"];
    let found: Vec<(&str, Item<'_, '_>)> =
        ACTIONS.iter().filter_map(|key| Some((*key, table.take(key)?))).collect();
    let with = table.take("with");
    let [(key, item)] = found[..] else {
        let actions = ACTIONS.map(|key| format!("`{key}`")).join(", ");
        table.problem(match found[..] {
            [] => Diagnostic::new("a step needs an action")
                .at(table.at(), "none here")
                .help(format!("one of {actions}")),
            [(first, _), (other, second), ..] => Diagnostic::new("a step has exactly one action")
                .at(second.key(), format!("`{other}`, after `{first}`"))
                .help("make two steps of it: they are done in order"),
            [_] => unreachable!("one action is the good case"),
        });
        return None;
    };
    if let (Some(with), true) = (with, key != "task") {
        with.problem(Diagnostic::new("`with` belongs to a `task` step").at(with.key(), "no `task` here"));
    }
    match key {
        "run" => Some(Action::Run(item.script()?)),
        "exec" => Some(Action::Exec(value::program(item)?)),
        "task" => Some(Action::Task(Call {
            task: item.text()?,
            with: with.map(value::variables).unwrap_or_default(),
            at: item.at(),
        })),
        "swap" => Some(Action::Swap(swap(item))),
        "check" => Some(Action::Check(Box::new(health::of_step(item)?))),
        "put" => Some(Action::Put(Box::new(transfer::put(item)?))),
        "get" => Some(Action::Get(Box::new(transfer::get(item)?))),
        "backup" => Some(Action::Backup((item.text()?, item.at()))),
        "restore" => Some(Action::Restore((item.text()?, item.at()))),
        "http" => Some(Action::Http(Box::new(http::read(item)?))),
        _ => {
            if item.boolean()? {
                Some(Action::Ship)
            } else {
                item.wrong("true");
                None
            }
        }
    }
}
