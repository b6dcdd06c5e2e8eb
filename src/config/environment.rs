//! `[environments.NAME]`: swap; targets, health and rules have files of their own.

use super::inherit::Heir;
use super::reader::Item;
use super::{backup, health, host, protect, target, task, value};
use crate::diagnostic::{Diagnostic, Span};
use crate::model::environment::Environment;
use crate::model::step::Written;
use crate::model::swap::{Content, Swap};

/// An environment as it stands, and what it says about its descent.
pub(crate) fn read(name: &str, item: Item<'_, '_>) -> Option<(Environment, Heir)> {
    if !value::is_name(name) || git_refuses(name) {
        item.problem(
            Diagnostic::new(format!("`{name}` can't be an environment's name"))
                .at(item.key(), "letters, digits, `-`, `_` and `.`; not `-` or `.` first"),
        );
        return None;
    }
    let mut table = item.table("an environment")?;
    let (health, on_failure) = table.take("health").map(health::of_environment).unwrap_or_default();
    let environment = Environment {
        name: name.to_owned(),
        about: table.take("about").and_then(|item| item.text()),
        target: table.take("target").and_then(|item| target::read(name, item)),
        swap: table.take("swap").map(swap).unwrap_or_default(),
        url: table.take("url").and_then(|item| item.template()),
        vars: table.take("vars").map(value::variables).unwrap_or_default(),
        inherited: Vec::new(),
        env: task::env(&mut table),
        dotenv: table.take("dotenv").map(value::dotenv).unwrap_or_default(),
        hosts: table.take("hosts").map(host::groups).unwrap_or_default(),
        needs: table.take("needs").map(task::needs).unwrap_or_default(),
        deploy: table.take("deploy").and_then(|item| Some((item.text()?, item.at()))),
        health,
        on_failure,
        backups: table.take("backups").map(backups).unwrap_or_default(),
        keep: table.take("keep").map(backup::keep),
        protect: table.take("protect").map(protect::read).unwrap_or_default(),
        at: item.key(),
    };
    let parent = table.take("inherits").and_then(|item| Some((item.text()?, item.at())));
    let heir = Heir { parent, said: table.said() };
    table.finish();
    Some((environment, heir))
}

/// What is saved before a release: names.
fn backups(item: Item<'_, '_>) -> Vec<(String, Span)> {
    item.each("a list of backups", |item| Some((item.text()?, item.at())))
}

/// Whether git could not keep a history under this name; see git-check-ref-format(1).
fn git_refuses(name: &str) -> bool {
    let is_lock = name.rsplit_once('.').is_some_and(|(_, end)| end == "lock");
    is_lock || name.ends_with('.') || name.contains("..")
}

/// A `swap` table: paths, and what they hold instead.
pub(crate) fn swap(item: Item<'_, '_>) -> Vec<Swap<Written>> {
    let Some(table) = item.table("`swap`") else { return Vec::new() };
    let swaps = table.entries().into_iter().filter_map(|(path, item)| {
        let path = value::inner_path(path, item, item.key())?;
        Some(Swap { path, content: content(item)?, at: item.key() })
    });
    swaps.collect()
}

fn content(item: Item<'_, '_>) -> Option<Content<Written>> {
    let Some(mut table) = item.maybe_table("a swap") else {
        return item.template().map(Content::Line);
    };
    let from = table.take("from");
    let text = table.take("text");
    let remove = table.take("remove");
    let content = match (from, text, remove) {
        (Some(item), None, None) => item.template().map(Content::From),
        (None, Some(item), None) => item.template().map(Content::Text),
        (None, None, Some(item)) => match item.boolean() {
            Some(true) => Some(Content::Remove),
            Some(false) => {
                item.wrong("true");
                None
            }
            None => None,
        },
        _ => {
            item.problem(
                Diagnostic::new("a swap says one thing about its file")
                    .at(item.at(), "exactly one of `from`, `text`, `remove`")
                    .help("\"a line\", { from = \"file\" }, { text = \"…\" } or { remove = true }"),
            );
            None
        }
    };
    table.finish();
    content
}
