//! `[secrets]`: where each secret is kept; and the lists that name them.

use super::reader::{Item, Table};
use crate::diagnostic::Diagnostic;
use crate::model::secret::{Keeper, Secret};
use crate::model::step::Written;
use crate::model::template::{Expression, Template, is_identifier};

pub(crate) fn read(item: Item<'_, '_>) -> Vec<Secret> {
    let Some(table) = item.table("`[secrets]`") else { return Vec::new() };
    table.entries().into_iter().filter_map(|(name, item)| secret(name, item)).collect()
}

fn secret(name: &str, item: Item<'_, '_>) -> Option<Secret> {
    if !is_identifier(name) {
        item.problem(
            Diagnostic::new(format!("`{name}` can't be a secret's name"))
                .at(item.key(), "letters, digits and `_`, not a digit first: it is also a variable's name"),
        );
        return None;
    }
    let mut table = item.table("a secret")?;
    let keeper = keeper(&mut table);
    table.finish();
    Some(Secret { name: name.to_owned(), keeper: keeper?, at: item.key() })
}

fn keeper(table: &mut Table<'_, '_>) -> Option<Keeper<Written>> {
    const KEEPERS: [&str; 5] = ["env", "file", "command", "dotenv", "age"];
    let found: Vec<(&str, Item<'_, '_>)> =
        KEEPERS.iter().filter_map(|key| Some((*key, table.take(key)?))).collect();
    let key = table.take("key");
    let identity = table.take("identity");
    let &[(kind, item)] = &found[..] else {
        table.problem(
            Diagnostic::new("a secret is kept in one place")
                .at(table.at(), if found.is_empty() { "none that is known" } else { "more than one" })
                .help("exactly one of `env`, `file`, `command`, `dotenv` (with `key`) and `age`"),
        );
        return None;
    };
    for (other, owner) in [(key, "dotenv"), (identity, "age")] {
        if let Some(other) = other.filter(|_| kind != owner) {
            other.problem(
                Diagnostic::new(format!("this belongs to a secret that is kept by `{owner}`"))
                    .at(other.key(), format!("beside `{kind}`")),
            );
        }
    }
    match kind {
        "env" => item.template().map(Keeper::Env),
        "file" => item.template().map(Keeper::File),
        "command" => {
            let words = item.templates();
            if words.is_empty() && item.value().is_array() {
                item.wrong("a program and its arguments, such as [\"op\", \"read\", \"…\"]");
            }
            (!words.is_empty()).then_some(Keeper::Command(words))
        }
        "dotenv" => {
            let Some(key) = key else {
                table.problem(
                    Diagnostic::new("a secret of a dotenv file needs `key`")
                        .at(item.at(), "which of its variables?")
                        .help("{ dotenv = \".env.secret\", key = \"TOKEN\" }"),
                );
                return None;
            };
            Some(Keeper::Dotenv { path: item.template()?, key: key.template()? })
        }
        _ => {
            let identity = match identity {
                Some(identity) => Some(identity.template()?),
                None => None,
            };
            Some(Keeper::Age { path: item.template()?, identity })
        }
    }
}

/// A text that is a secret: its name, or `{{ secret.NAME }}`. What a secret is does not stand in the file.
pub(crate) fn one(item: Item<'_, '_>) -> Option<Template> {
    let text = item.template()?;
    let Some(name) = text.as_plain() else { return Some(text) };
    if is_identifier(name) {
        let expression = Expression { source: format!("secret.{name}"), at: item.at() };
        item.mention(&expression);
        return Some(Template::value(expression));
    }
    let problem = Diagnostic::new("this is the name of a secret, and not what it is");
    item.problem(problem.at(item.at(), "not a name").help(
        "say where it is kept, [secrets] TOKEN = { env = \"TOKEN\" }, and name that: token = \"TOKEN\"",
    ));
    None
}

/// `secrets = ["NAME"]`: each becomes a variable of the processes, under its own name.
pub(crate) fn named(item: Item<'_, '_>) -> Vec<(String, Template)> {
    let items = item.list("a list of names of secrets").unwrap_or_default();
    let named = items.into_iter().filter_map(|item| {
        let name = item.text()?;
        let expression = Expression { source: format!("secret.{name}"), at: item.at() };
        item.mention(&expression);
        Some((name, Template::value(expression)))
    });
    named.collect()
}
