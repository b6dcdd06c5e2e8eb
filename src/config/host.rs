//! `[hosts.NAME]`, an environment's `hosts`, and where a task or a step is done: `on` and what goes with it.

use super::reader::{Item, Table, Toml};
use super::{secret, value};
use crate::diagnostic::Diagnostic;
use crate::model::host::{Agent, Batch, Group, Host, On, PATIENCE, Place, Rollout, Unreachable};

/// More hosts than this at once, or in vain, nobody means.
const MOST_HOSTS: i64 = 10_000;

/// What may become of a host to which there is no connection.
const UNREACHABLE: [(&str, Unreachable); 2] = [("fail", Unreachable::Fail), ("skip", Unreachable::Skip)];

pub(crate) fn read(item: Item<'_, '_>) -> Vec<Host> {
    let Some(hosts) = item.table("`[hosts]`") else { return Vec::new() };
    hosts.entries().into_iter().filter_map(|(name, item)| host(name, item)).collect()
}

fn host(name: &str, item: Item<'_, '_>) -> Option<Host> {
    if !value::is_name(name) {
        item.problem(
            Diagnostic::new(format!("`{name}` can't be a host's name"))
                .at(item.key(), "letters, digits, `-`, `_` and `.`; not `-` or `.` first"),
        );
        return None;
    }
    let mut table = item.table("a host")?;
    let ssh = table.require("ssh").and_then(destination);
    let agent = match table.take("forward_agent").and_then(|item| item.boolean()) {
        Some(true) => Agent::Forwarded,
        Some(false) | None => Agent::Kept,
    };
    let patience = table.take("timeout").and_then(|item| item.duration()).unwrap_or(PATIENCE);
    let sudo_password = table.take("sudo_password").and_then(secret::one);
    table.finish();
    Some(Host { name: name.to_owned(), ssh: ssh?, agent, patience, sudo_password, at: item.key() })
}

/// Where a host is, as OpenSSH takes it. What it could take for an option, or for several words, is refused.
fn destination(item: Item<'_, '_>) -> Option<String> {
    let text = item.text()?;
    let wrong = if text.is_empty() {
        "it is empty"
    } else if text.starts_with('-') {
        "ssh would take it for an option"
    } else if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        "a blank, or what can't be seen, is in it"
    } else {
        return Some(text);
    };
    item.problem(Diagnostic::new("ssh knows no such place").at(item.at(), wrong).help(
        "\"deploy@web1.example.com\", \"ssh://deploy@web1.example.com:2222\", or a `Host` of your ssh config",
    ));
    None
}

/// `hosts = { web = ["web1", "web2"] }` of an environment.
pub(crate) fn groups(item: Item<'_, '_>) -> Vec<Group> {
    let Some(table) = item.table("`hosts`") else { return Vec::new() };
    table.entries().into_iter().filter_map(|(name, item)| group(name, item)).collect()
}

fn group(name: &str, item: Item<'_, '_>) -> Option<Group> {
    if !value::is_name(name) {
        item.problem(
            Diagnostic::new(format!("`{name}` can't be a group's name"))
                .at(item.key(), "letters, digits, `-`, `_` and `.`; not `-` or `.` first"),
        );
        return None;
    }
    let hosts = names(item, "a group")?;
    Some(Group { name: name.to_owned(), hosts, at: item.key() })
}

/// Names, one of which may stand without its list.
fn names(item: Item<'_, '_>, what: &str) -> Option<Vec<(String, crate::diagnostic::Span)>> {
    let names = match item.value() {
        Toml::String(_) => vec![(item.text()?, item.at())],
        Toml::Array(_)
        | Toml::Integer(..)
        | Toml::Float(_)
        | Toml::Boolean(_)
        | Toml::Datetime(_)
        | Toml::Table(_) => value::names(item),
    };
    if names.is_empty() && item.value().is_array() {
        item.problem(Diagnostic::new(format!("{what} needs a host")).at(item.at(), "none here"));
    }
    (!names.is_empty()).then_some(names)
}

/// `on`, and what says how one goes from host to host; `sudo`.
pub(crate) fn place(table: &mut Table<'_, '_>) -> Place {
    let on = table.take("on");
    let batch = table.take("batch");
    let canary = table.take("canary");
    let max_failures = table.take("max_failures");
    let unreachable = table.take("unreachable");
    let sudo = table.take("sudo").and_then(|item| Some((user(item)?, item.key())));
    let Some(on) = on else {
        for item in [batch, canary, max_failures, unreachable].into_iter().flatten() {
            item.problem(
                Diagnostic::new("only what is done on hosts goes from host to host")
                    .at(item.key(), "there is no `on` beside it")
                    .help("on = \"…\": hosts, or groups of them"),
            );
        }
        return Place { on: None, sudo };
    };
    let rollout = Rollout {
        batch: batch.and_then(batches),
        canary: canary.and_then(|item| count(item, 1)).unwrap_or(0),
        max_failures: max_failures.and_then(|item| count(item, 0)).unwrap_or(0),
        unreachable: unreachable.and_then(|item| item.one_of(&UNREACHABLE)).unwrap_or_default(),
    };
    let on = names(on, "`on`").map(|names| Box::new(On { names, rollout, at: on.at() }));
    Place { on, sudo }
}

fn count(item: Item<'_, '_>, least: i64) -> Option<usize> {
    item.integer(least..=MOST_HOSTS).and_then(|count| usize::try_from(count).ok())
}

/// `2` or `"25%"`.
fn batches(item: Item<'_, '_>) -> Option<Batch> {
    if matches!(item.value(), Toml::Integer(..)) {
        return count(item, 1).map(Batch::Hosts);
    }
    let share = match item.value() {
        Toml::String(text) => text.strip_suffix('%').and_then(|share| share.trim().parse().ok()),
        Toml::Integer(..)
        | Toml::Float(_)
        | Toml::Boolean(_)
        | Toml::Datetime(_)
        | Toml::Array(_)
        | Toml::Table(_) => None,
    };
    let share = share.filter(|share| (1..=100).contains(share)).map(Batch::Percent);
    if share.is_none() {
        item.wrong("a number of hosts, or a part of them such as \"25%\"");
    }
    share
}

/// `true`, or a user: as the names of users are, so that sudo and a shell see one word.
fn user(item: Item<'_, '_>) -> Option<String> {
    if let Toml::Boolean(truth) = item.value() {
        return truth.then(|| "root".to_owned());
    }
    let text = item.text()?;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if text.is_empty() || text.starts_with(['-', '.']) || !text.chars().all(fits) {
        item.problem(
            Diagnostic::new(format!("`{text}` can't be a user's name"))
                .at(item.at(), "letters, digits, `-`, `_` and `.`; not `-` or `.` first")
                .help("true for root, or a user: sudo = \"www-data\""),
        );
        return None;
    }
    Some(text)
}
