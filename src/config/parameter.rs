//! `params`: what a task wants to be told.

use super::reader::{Item, Table, Toml};
use super::value;
use crate::diagnostic::Diagnostic;
use crate::model::parameter::{Kind, Parameter, RESERVED};
use crate::model::template::is_identifier;
use crate::model::value::Definition;

/// The types, as the file names them; `enum` is a string with `choices`.
const TYPES: [(&str, &str); 6] = [
    ("string", "string"),
    ("int", "int"),
    ("bool", "bool"),
    ("path", "path"),
    ("git-ref", "git-ref"),
    ("enum", "enum"),
];

pub(crate) fn read(item: Item<'_, '_>) -> Vec<Parameter> {
    let Some(table) = item.table("`params`") else { return Vec::new() };
    let parameters: Vec<Parameter> =
        table.entries().into_iter().filter_map(|(name, item)| parameter(name, item)).collect();
    distinct(&parameters, item);
    ordered(&parameters, item);
    parameters
}

fn parameter(name: &str, item: Item<'_, '_>) -> Option<Parameter> {
    if !is_identifier(name) {
        item.problem(
            Diagnostic::new(format!("`{name}` can't be a parameter's name"))
                .at(item.key(), "letters, digits and `_`, not a digit first")
                .help(format!("on the command line, `--{name}` is the same as `{}`", name.replace('-', "_"))),
        );
        return None;
    }
    let mut table = item.table("a parameter")?;
    let kind = table.take("type").map_or(Some("string"), |item| item.one_of(&TYPES));
    let range = (bound(&mut table, "min"), bound(&mut table, "max"));
    let parameter = Parameter {
        name: name.to_owned(),
        about: table.take("about").and_then(|item| item.text()),
        default: table.take("default").and_then(|item| value::definition(&item)),
        choices: table.take("choices").map(choices).unwrap_or_default(),
        positional: table.take("positional").and_then(|item| item.boolean()).unwrap_or(false),
        many: table.take("many").and_then(|item| item.boolean()).unwrap_or(false),
        short: table.take("short").and_then(short),
        env: table.take("env").and_then(|item| item.text()),
        dashes: table.take("dashes").and_then(|item| item.boolean()).unwrap_or(false),
        kind: match kind.unwrap_or("string") {
            "int" => Kind::Integer(
                range.0.map_or(i64::MIN, |(min, _)| min)..=range.1.map_or(i64::MAX, |(max, _)| max),
            ),
            "bool" => Kind::Bool,
            "path" => Kind::Path,
            "git-ref" => Kind::GitRef,
            _ => Kind::Text,
        },
        at: item.key(),
    };
    table.finish();
    if let (Some((min, _)), Some((max, at))) = range
        && min > max
    {
        at.problem(Diagnostic::new("no number is in this range").at(at.at(), format!("`min` is {min}")));
    }
    if let (Some((_, at)), true) = (range.0.or(range.1), !matches!(parameter.kind, Kind::Integer(_))) {
        at.problem(
            Diagnostic::new("`min` and `max` belong to whole numbers")
                .at(at.key(), "this is no `int`")
                .help("type = \"int\""),
        );
    }
    fits(&parameter, kind, item);
    free(&parameter, item);
    Some(parameter)
}

fn bound<'r, 'a>(table: &mut Table<'r, 'a>, key: &'static str) -> Option<(i64, Item<'r, 'a>)> {
    let item = table.take(key)?;
    Some((item.integer(i64::MIN..=i64::MAX)?, item))
}

/// What can't be together.
fn fits(parameter: &Parameter, kind: Option<&str>, item: Item<'_, '_>) {
    let wrong = |message: &str, help: &str| {
        let name = &parameter.name;
        item.problem(
            Diagnostic::new(format!("the parameter `{name}` {message}")).at(item.key(), "").help(help),
        );
    };
    if kind == Some("enum") && parameter.choices.is_empty() {
        wrong("is an `enum` without `choices`", "choices = [\"…\", \"…\"]");
    }
    if parameter.kind == Kind::Bool {
        if parameter.positional || parameter.many {
            wrong(
                "is a `bool`, which is one flag",
                "take `positional` and `many` out, or make it an `enum` of \"true\" and \"false\"",
            );
        }
        if !parameter.choices.is_empty() {
            wrong("is a `bool`, which has its two choices already", "take `choices` out");
        }
    }
    if let Some(Definition::Plain(value)) = &parameter.default
        && let Err((why, help)) = parameter.accept(value.clone())
    {
        wrong(
            &format!("has a default that it does not take: it {why}"),
            &help.unwrap_or_else(|| "give another one".to_owned()),
        );
    }
}

/// Strings; numbers and booleans are taken as they are written.
fn choices(item: Item<'_, '_>) -> Vec<String> {
    let items = item.list("a list of values").unwrap_or_default();
    items
        .iter()
        .filter_map(|item| match item.value() {
            Toml::Integer(..) => Some(item.integer(i64::MIN..=i64::MAX)?.to_string()),
            Toml::Float(float) => Some(float.to_string()),
            Toml::Boolean(truth) => Some(truth.to_string()),
            Toml::String(_) | Toml::Datetime(_) | Toml::Array(_) | Toml::Table(_) => item.text(),
        })
        .collect()
}

fn short(item: Item<'_, '_>) -> Option<char> {
    let text = item.text()?;
    let letter = text.trim_start_matches('-');
    let mut letters = letter.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) if letter.is_ascii_alphabetic() => Some(letter),
        _ => {
            item.wrong("one letter, such as \"c\"");
            None
        }
    }
}

/// Their letters.
pub(crate) const RESERVED_LETTERS: &str = "fCenjkyqvhV";

fn free(parameter: &Parameter, item: Item<'_, '_>) {
    // One that has its place needs no flag.
    if RESERVED.contains(&parameter.name.as_str()) && !parameter.positional {
        let problem = Diagnostic::new(format!("`{}` is one of deploy's own flags", parameter.flag()));
        item.problem(problem.at(parameter.at, "can't be a parameter").help("give it another name"));
    }
    if let Some(short) = parameter.short.filter(|short| RESERVED_LETTERS.contains(*short)) {
        let problem = Diagnostic::new(format!("`-{short}` is one of deploy's own flags"));
        item.problem(problem.at(parameter.at, "").help("give it another letter, or none"));
    }
}

/// No letter and no flag of a task stands for two parameters.
fn distinct(parameters: &[Parameter], item: Item<'_, '_>) {
    for (index, parameter) in parameters.iter().enumerate() {
        let earlier = &parameters[..index];
        if let Some(short) = parameter.short
            && earlier.iter().any(|other| other.short == Some(short))
        {
            let problem = Diagnostic::new(format!("`-{short}` stands for two parameters of this task"));
            item.problem(
                problem.at(parameter.at, "the second of them").help("give it another letter, or none"),
            );
        }
        let off = parameter.name.strip_prefix("no_");
        let denied = |other: &&Parameter| {
            (other.kind == Kind::Bool && off == Some(&other.name))
                || (parameter.kind == Kind::Bool && other.name.strip_prefix("no_") == Some(&parameter.name))
        };
        if earlier.iter().any(|other| denied(&other)) {
            let problem = Diagnostic::new(format!(
                "`{}` means two things: it turns the other one off too",
                parameter.flag()
            ));
            item.problem(
                problem
                    .at(parameter.at, "a flag `--no-NAME` is there for every `bool`")
                    .help("rename one of them"),
            );
        }
    }
}

/// What takes many words takes all that follow; and none that must be given comes after one that need not.
fn ordered(parameters: &[Parameter], item: Item<'_, '_>) {
    let mut optional: Option<&Parameter> = None;
    let mut many: Option<&Parameter> = None;
    for parameter in parameters.iter().filter(|parameter| parameter.positional) {
        if let Some(many) = many {
            let problem = Diagnostic::new(format!("`{}` could never be given by its place", parameter.name));
            item.problem(
                problem
                    .at(parameter.at, "")
                    .at(many.at, "takes all the words that follow")
                    .help("put it first"),
            );
        }
        if let (Some(optional), None) = (optional, &parameter.default) {
            let problem = Diagnostic::new(format!(
                "`{}` must be given, and comes after one that need not be",
                parameter.name
            ));
            item.problem(
                problem
                    .at(parameter.at, "has no default")
                    .at(optional.at, "has one")
                    .help("change their order, or give it a default"),
            );
        }
        if parameter.many {
            many = Some(parameter);
        }
        if parameter.default.is_some() {
            optional = Some(parameter);
        }
    }
}
