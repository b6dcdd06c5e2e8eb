//! `[backups.NAME]`: what is saved of an environment, where to, and how it comes back.

use super::reader::{Item, Table, Toml};
use super::{files, task, value};
use crate::diagnostic::Diagnostic;
use crate::model::backup::{Compress, Declared, Keep, Matter, Said, Scratch};
use crate::model::files::{Files, Unless};
use crate::model::script::Script;
use crate::model::template::{Part, Template, is_identifier};

/// More backups than this of one kind are a mistake.
const MOST_KEPT: i64 = 10_000;

/// The levels of zstd that need no more memory than others can be expected to have.
const LEVELS: std::ops::RangeInclusive<i64> = 1..=19;

pub(crate) fn read(item: Item<'_, '_>) -> Vec<Declared> {
    let Some(backups) = item.table("`[backups]`") else { return Vec::new() };
    backups.entries().into_iter().filter_map(|(name, item)| backup(name, item)).collect()
}

fn backup(name: &str, item: Item<'_, '_>) -> Option<Declared> {
    if !value::is_name(name) {
        item.problem(
            Diagnostic::new(format!("`{name}` can't be a backup's name"))
                .at(item.key(), "letters, digits, `-`, `_` and `.`; not `-` or `.` first"),
        );
        return None;
    }
    let mut table = item.table("a backup")?;
    let matter = matter(&mut table);
    let restore = table.take("restore").and_then(|item| item.script());
    let store = table.require("store").and_then(|item| Some((item.text()?, item.at())));
    let keep = table.take("keep").map(keep);
    let compress = table.take("compress").and_then(compress).unwrap_or(Compress::DEFAULT);
    let recipients = table.take("encrypt").map(recipients).unwrap_or_default();
    let identity = table.take("identity").and_then(|item| item.template());
    let scratch = scratch(&mut table, restore.as_ref());
    let env = task::env(&mut table);
    let dir = table.take("dir").and_then(|item| item.template());
    if let (Some(Matter::Files(_) | Matter::Bucket { .. }), Some(scratch)) = (&matter, &scratch) {
        table.problem(
            Diagnostic::new("`verify = \"restore\"` is for a `dump`")
                .at(table.at(), format!("files are compared one by one; take `{}` out", scratch.variable)),
        );
    }
    table.finish();
    Some(Declared {
        name: name.to_owned(),
        matter: matter?,
        restore,
        store: store?,
        keep,
        compress,
        recipients,
        identity,
        scratch,
        env,
        dir,
        at: item.key(),
    })
}

fn matter(table: &mut Table<'_, '_>) -> Option<Said> {
    let dump = table.take("dump").map(|item| ("dump", item));
    let files = table.take("files").map(|item| ("files", item));
    let bucket = table.take("bucket").map(|item| ("bucket", item));
    let said: Vec<(&str, Item<'_, '_>)> = [dump, files, bucket].into_iter().flatten().collect();
    match said[..] {
        [("dump", item)] => Some(Matter::Dump(item.script()?)),
        [("files", item)] => Some(Matter::Files(files::files(item))),
        [(_, item)] => self::bucket(item),
        [] => {
            table.problem(
                Diagnostic::new("a backup says what it saves")
                    .at(table.at(), "neither `dump` nor `files` nor `bucket`")
                    .help("dump = \"pg_dump -Fc shop\", or files = [\"media/**\"], or bucket = \"uploads\""),
            );
            None
        }
        [(one, first), (other, second), ..] => {
            table.problem(
                Diagnostic::new("a backup saves one thing")
                    .at(second.key(), format!("`{other}`, beside `{one}`"))
                    .at(first.key(), "here")
                    .help("make two of it, [backups.db] and [backups.media]: an environment takes a list"),
            );
            None
        }
    }
}

/// The name of a store, all of whose objects are saved; or a table that says which.
fn bucket(item: Item<'_, '_>) -> Option<Said> {
    let all = || Files {
        patterns: vec![Template { parts: vec![Part::Plain("**".to_owned())], at: item.at() }],
        unless: Unless::Nothing,
        at: item.key(),
    };
    let Some(mut table) = item.maybe_table("a bucket") else {
        return Some(Matter::Bucket { bucket: (item.text()?, item.at()), files: all() });
    };
    let store = table.require("store").and_then(|item| Some((item.text()?, item.at())));
    let listed = table.take("files");
    let files =
        listed.map(|item| Files { patterns: files::patterns(item), unless: Unless::Nothing, at: item.key() });
    table.finish();
    Some(Matter::Bucket { bucket: store?, files: files.unwrap_or_else(all) })
}

/// How many are kept: of the newest, where it is a number.
pub(crate) fn keep(item: Item<'_, '_>) -> Keep {
    let mut keep = Keep::default();
    if let Toml::Integer(..) = item.value() {
        keep.last = item.integer(1..=MOST_KEPT).and_then(|last| u32::try_from(last).ok()).unwrap_or_default();
        return keep;
    }
    let Some(mut table) = item.table("`keep`") else { return keep };
    for (key, count) in [
        ("last", &mut keep.last),
        ("daily", &mut keep.daily),
        ("weekly", &mut keep.weekly),
        ("monthly", &mut keep.monthly),
    ] {
        if let Some(wanted) = table.take(key).and_then(|item| item.integer(0..=MOST_KEPT)) {
            *count = u32::try_from(wanted).unwrap_or_default();
        }
    }
    if keep == Keep::default() {
        table.problem(
            Diagnostic::new("`keep` keeps nothing").at(item.at(), "none of its counts is more than 0").help(
                "{ last = 7, weekly = 4, monthly = 12 }, or leave `keep` out: then nothing is ever removed",
            ),
        );
    }
    table.finish();
    keep
}

fn compress(item: Item<'_, '_>) -> Option<Compress> {
    match item.value() {
        Toml::Boolean(true) => Some(Compress::DEFAULT),
        Toml::Boolean(false) => Some(Compress::NONE),
        Toml::Integer(..) => item.integer(LEVELS).and_then(|level| i32::try_from(level).ok()).map(Compress),
        Toml::String(word) if *word == "zstd" => Some(Compress::DEFAULT),
        Toml::String(_) | Toml::Float(_) | Toml::Datetime(_) | Toml::Array(_) | Toml::Table(_) => {
            item.wrong("true, false, or a level of zstd from 1 to 19");
            None
        }
    }
}

/// One recipient, or several.
fn recipients(item: Item<'_, '_>) -> Vec<Template> {
    const WHAT: &str = "a recipient of age, such as \"age1…\", or a list of them";
    if item.value().as_str().is_some() {
        return item.template().into_iter().collect();
    }
    let Some(items) = item.list(WHAT) else { return Vec::new() };
    if items.is_empty() {
        item.wrong(WHAT);
    }
    items.iter().filter_map(Item::template).collect()
}

/// `verify` and `scratch`.
fn scratch(
    table: &mut Table<'_, '_>,
    restore: Option<&Script<Template>>,
) -> Option<Scratch<Script<Template>>> {
    let verify = table.take("verify");
    let wants = verify.and_then(|item| item.one_of(&[("digest", false), ("restore", true)])).unwrap_or(false);
    let scratch = table.take("scratch");
    match (wants, scratch) {
        (false, None) => None,
        (false, Some(item)) => {
            item.problem(
                Diagnostic::new("`scratch` is for `verify = \"restore\"`")
                    .at(item.key(), "nothing is brought back here")
                    .help("verify = \"restore\""),
            );
            None
        }
        (true, None) => {
            let at = verify.map_or(table.at(), |item| item.at());
            table.problem(
                Diagnostic::new("`verify = \"restore\"` needs a place to bring the backup back to")
                    .at(at, "no `scratch`")
                    .help("scratch = { create = \"./new-database\", as = \"DATABASE_URL\" }: what it prints is the address"),
            );
            None
        }
        (true, Some(item)) => {
            let mut inner = item.table("`scratch`")?;
            let create = inner.require("create").and_then(|item| item.script());
            let drop = inner.take("drop").and_then(|item| item.script());
            let variable = inner.require("as").and_then(|item| {
                let name = item.text()?;
                if !is_identifier(&name) {
                    item.wrong("the name of a variable, such as \"DATABASE_URL\"");
                    return None;
                }
                // Else a trial would go over what is there.
                if !restore.is_some_and(|restore| mentions(restore, &name)) {
                    item.problem(
                        Diagnostic::new(format!("`restore` does not heed `{name}`"))
                            .at(item.at(), "so a trial would not go to the scratch place")
                            .help(format!("restore = \"pg_restore --clean --if-exists -d \\\"${name}\\\"\"")),
                    );
                }
                Some(name)
            });
            inner.finish();
            Some(Scratch { create: create?, drop, variable: variable? })
        }
    }
}

/// Whether a script's code names a shell variable.
fn mentions(script: &Script<Template>, name: &str) -> bool {
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    script.code().any(|code| {
        code.match_indices(name).any(|(at, _)| {
            let (before, rest) = (&code[..at], &code[at + name.len()..]);
            (before.ends_with('$') || before.ends_with("${")) && ends(rest)
        })
    })
}
