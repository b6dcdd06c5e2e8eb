//! Small values: durations, numbers, names, variables.

use std::time::Duration;

use super::reader::{Item, Toml};
use crate::diagnostic::{Diagnostic, Span};
use crate::model::task::{Dotenv, Presence};
use crate::model::template::{Template, is_identifier};
use crate::model::value::{Definition, Value, Variable};

/// Nothing here takes longer than a hundred years; times that can be added to the clock.
const LONGEST: Duration = Duration::from_hours(24 * 365 * 100);

/// A duration as people write it: `90s`, `1m 30s`, `2h`, `250ms`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let signed: jiff::SignedDuration = text.trim().parse().ok()?;
    Duration::try_from(signed).ok().filter(|duration| *duration <= LONGEST)
}

pub(crate) fn integer(value: &Toml<'_>) -> Option<i64> {
    match value {
        Toml::Integer(digits, radix) => i64::from_str_radix(digits, *radix).ok(),
        Toml::String(_)
        | Toml::Float(_)
        | Toml::Boolean(_)
        | Toml::Datetime(_)
        | Toml::Array(_)
        | Toml::Table(_) => None,
    }
}

pub(crate) fn float(value: &Toml<'_>) -> Option<f64> {
    match value {
        Toml::Float(float) => float.parse().ok(),
        // Whole numbers of a configuration are far below 2^53.
        Toml::Integer(..) => integer(value).and_then(|number| i32::try_from(number).ok()).map(f64::from),
        Toml::String(_) | Toml::Boolean(_) | Toml::Datetime(_) | Toml::Array(_) | Toml::Table(_) => None,
    }
}

/// The word of this language for one that other tools use.
pub(crate) fn synonym(word: &str) -> Option<&'static str> {
    let ours = match word {
        "deps" | "dependencies" | "depends" | "depends_on" | "requires" | "pre" => "needs",
        "cmd" | "cmds" | "command" | "commands" | "script" | "recipe" => "run",
        "desc" | "description" | "help" | "summary" => "about",
        "cwd" | "workdir" | "working_dir" | "working-directory" | "chdir" => "dir",
        "environment" | "environ" => "env",
        "parallel" => "jobs",
        "cleanup" | "finally" | "ensure" => "always",
        "ignore_errors" | "ignore_error" | "allow_fail" | "continue-on-error" => "allow_failure",
        _ => return None,
    };
    Some(ours)
}

/// Whether a task or an environment may be called so.
pub(crate) fn is_name(word: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    !word.is_empty() && !word.starts_with(['-', '.']) && word.chars().all(fits)
}

/// A `name=value` of the command line's `--set`; in the name, `-` may stand for `_`.
pub(crate) fn assignment(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once('=')?;
    let name = name.replace('-', "_");
    is_identifier(&name).then(|| (name, value.to_owned()))
}

/// A `vars` table.
pub(crate) fn variables(item: Item<'_, '_>) -> Vec<Variable> {
    let Some(table) = item.table("`vars`") else { return Vec::new() };
    table.entries().into_iter().filter_map(|(name, item)| variable(name, item)).collect()
}

fn variable(name: &str, item: Item<'_, '_>) -> Option<Variable> {
    if !is_identifier(name) {
        item.problem(
            Diagnostic::new(format!("`{name}` can't be a variable's name"))
                .at(item.key(), "letters, digits and `_`, not a digit first")
                .maybe_help(
                    Some(name.replace(['-', '.'], "_"))
                        .filter(|name| is_identifier(name))
                        .map(|name| format!("call it `{name}`")),
                ),
        );
        return None;
    }
    Some(Variable { name: name.to_owned(), definition: definition(&item)?, at: item.key() })
}

/// The right-hand side of a variable.
pub(crate) fn definition(item: &Item<'_, '_>) -> Option<Definition> {
    match item.value() {
        Toml::String(_) => Some(Definition::Text(item.template()?)),
        Toml::Array(_) => Some(Definition::List(words(item))),
        Toml::Boolean(truth) => Some(Definition::Plain(Value::Bool(*truth))),
        Toml::Integer(..) => Some(Definition::Plain(Value::Integer(item.integer(i64::MIN..=i64::MAX)?))),
        Toml::Float(float) => Some(Definition::Plain(Value::Float(float.parse().ok()?))),
        Toml::Table(_) => {
            let mut table = item.table("a value")?;
            let words = table.require("command").map(|item| item.templates());
            table.finish();
            Some(Definition::Command(words?))
        }
        Toml::Datetime(_) => {
            item.wrong("a string, a number, true or false, a list of strings, or { command = [\"…\"] }");
            None
        }
    }
}

/// A list's words; numbers and booleans are taken as they are written.
fn words(item: &Item<'_, '_>) -> Vec<Template> {
    item.each("a list", env_value)
}

/// An `each` table: variables, with the values that each has in turn.
pub(crate) fn each(item: Item<'_, '_>) -> Vec<Variable> {
    let variables = variables(item);
    for variable in &variables {
        let wrong = match &variable.definition {
            Definition::List(words) if words.is_empty() => "an empty list makes no job at all",
            // A lone `{{ expression }}` may be a list.
            Definition::Text(template) if template.as_value().is_some() => continue,
            Definition::List(_) => continue,
            Definition::Text(_) | Definition::Plain(_) | Definition::Command(_) => "this is one value",
        };
        item.problem(
            Diagnostic::new(format!("`{}` needs a list of values", variable.name))
                .at(variable.at, wrong)
                .help(format!("each = {{ {} = [\"…\", \"…\"] }}", variable.name)),
        );
    }
    variables
}

/// `dotenv`: a file, a list of them, and each may be a table that says it need not be there.
pub(crate) fn dotenv(item: Item<'_, '_>) -> Vec<Dotenv> {
    match item.value() {
        Toml::Array(_) => item.each("a list of files", dotenv_file),
        Toml::String(_)
        | Toml::Integer(..)
        | Toml::Float(_)
        | Toml::Boolean(_)
        | Toml::Datetime(_)
        | Toml::Table(_) => dotenv_file(item).into_iter().collect(),
    }
}

fn dotenv_file(item: Item<'_, '_>) -> Option<Dotenv> {
    let Some(mut table) = item.maybe_table("a dotenv file") else {
        return Some(Dotenv { path: item.template()?, presence: Presence::Needed });
    };
    let path = table.require("path").and_then(|item| item.template());
    let presence = match table.take("optional").and_then(|item| item.boolean()) {
        Some(true) => Presence::Optional,
        Some(false) | None => Presence::Needed,
    };
    table.finish();
    Some(Dotenv { path: path?, presence })
}

/// An `env` table: variables of processes.
pub(crate) fn env(item: Item<'_, '_>) -> Vec<(String, Template)> {
    let Some(table) = item.table("`env`") else { return Vec::new() };
    table
        .entries()
        .into_iter()
        .filter_map(|(name, item)| Some((env_name(name, item)?, env_value(item)?)))
        .collect()
}

fn env_name(name: &str, item: Item<'_, '_>) -> Option<String> {
    if name.is_empty() || name.contains(['=', '\0']) {
        item.problem(
            Diagnostic::new(format!("`{name}` can't be the name of an environment variable"))
                .at(item.key(), "no `=`, and not empty"),
        );
        return None;
    }
    Some(name.to_owned())
}

/// A string; numbers and booleans are taken as they are written.
fn env_value(item: Item<'_, '_>) -> Option<Template> {
    let plain = match item.value() {
        Toml::Integer(..) => item.integer(i64::MIN..=i64::MAX)?.to_string(),
        Toml::Boolean(truth) => truth.to_string(),
        Toml::Float(float) => float.to_string(),
        Toml::String(_) | Toml::Datetime(_) | Toml::Array(_) | Toml::Table(_) => {
            return item.template();
        }
    };
    Some(Template::plain(plain, item.at()))
}

/// A program and its arguments.
pub(crate) fn program(item: Item<'_, '_>) -> Option<Vec<Template>> {
    let words = item.templates();
    if words.is_empty() {
        if item.value().is_array() {
            item.wrong("a program and its arguments, such as [\"git\", \"push\", \"origin\"]");
        }
        return None;
    }
    Some(words)
}

/// A list of names with their places.
pub(crate) fn names(item: Item<'_, '_>) -> Vec<(String, Span)> {
    item.each("a list of names", |item| Some((item.text()?, item.at())))
}

/// A regular expression, checked; it is compiled again where it is used, so that nobody else pays for it.
pub(crate) fn pattern(item: Item<'_, '_>) -> Option<String> {
    let text = item.text()?;
    if let Err(error) = regex::Regex::new(&text) {
        let reason = error.to_string();
        let last = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
        item.problem(
            Diagnostic::new(format!("this is not a regular expression: {last}"))
                .at(item.at(), "")
                .help("in TOML, single quotes keep backslashes as they are: 'error: \\d+'"),
        );
        return None;
    }
    Some(text)
}

/// A branch's name, as git takes it (git-check-ref-format(1)); what stands in braces is known later.
pub(crate) fn branch(item: Item<'_, '_>) -> Option<Template> {
    let template = item.template()?;
    let forbidden = |c: char| c.is_whitespace() || c.is_control() || "~^:?*[\\".contains(c);
    let is_lock = |part: &str| part.rsplit_once('.').is_some_and(|(_, end)| end == "lock");
    let part = |part: &str| !part.is_empty() && !part.starts_with('.') && !is_lock(part);
    let good = |name: &str| {
        !name.starts_with(['-', '+'])
            && !name.ends_with('.')
            && !["..", "@{"].iter().any(|odd| name.contains(odd))
            && name != "@"
            && !name.chars().any(forbidden)
            && name.split('/').all(part)
    };
    if template.as_plain().is_some_and(|name| !good(name)) {
        let problem =
            Diagnostic::new("git has no branch of such a name").at(item.at(), "not a branch's name");
        item.problem(problem.help("such as \"main\" or \"release/2\""));
        return None;
    }
    Some(template)
}

/// A path that stays inside the folder of tasks.toml.
pub(crate) fn inner_path(text: &str, item: Item<'_, '_>, at: Span) -> Option<String> {
    let reason = if text.is_empty() {
        "an empty path"
    } else if text.starts_with('/') {
        "an absolute path"
    } else if text.split('/').any(|part| part == "..") {
        "it leaves the folder"
    } else if text.split('/').any(|part| part.is_empty() || part == ".") {
        "`.` or nothing between two `/`"
    } else if text.split('/').any(|part| part.eq_ignore_ascii_case(".git")) {
        "git's own folder"
    } else {
        return Some(text.to_owned());
    };
    item.problem(Diagnostic::new(format!("`{text}` is no path inside the project")).at(at, reason).help(
        "write it relative to the folder of tasks.toml, such as \"requirements.txt\" or \"config/app.ini\"",
    ));
    None
}
