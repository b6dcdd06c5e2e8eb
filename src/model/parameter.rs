//! Parameters: what a task wants to be told, and which values it takes.

use std::ops::RangeInclusive;

use super::text::Text;
use super::value::{Definition, Value};
use crate::diagnostic::{Span, nearest};

/// A parameter as a `params` table declares it.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) about: Option<String>,
    pub(crate) kind: Kind,
    /// Without one it must be given; a `bool` is false then.
    pub(crate) default: Option<Definition>,
    /// The only values that it takes; empty: any of its kind.
    pub(crate) choices: Vec<String>,
    /// Given by its place among the words after the task's name.
    pub(crate) positional: bool,
    /// Takes several values, and is a list.
    pub(crate) many: bool,
    pub(crate) short: Option<char>,
    /// A variable of the caller's environment that gives it, if the command line doesn't.
    pub(crate) env: Option<String>,
    /// Whether a value may start with `-`, and so look like an option to the program that gets it.
    pub(crate) dashes: bool,
    /// Its name, in the file.
    pub(crate) at: Span,
}

/// What a parameter's value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Integer(RangeInclusive<i64>),
    Bool,
    /// A file or a folder; on the command line it is meant from where one stands.
    Path,
    /// Something that git knows as a commit.
    GitRef,
}

/// The flags of deploy itself, which no task may take: after a task's name, any flag that is not its own is deploy's.
pub(crate) const RESERVED: [&str; 25] = [
    "file",
    "directory",
    "environment",
    "dry_run",
    "jobs",
    "keep_going",
    "fail_fast",
    "force",
    "yes",
    "ref",
    "rebuild",
    "in_place",
    "override",
    "reason",
    "set",
    "output",
    "quiet",
    "verbose",
    "color",
    "no_deps",
    "help",
    "version",
    "watch",
    "json",
    "out",
];

impl Parameter {
    /// As it is written on the command line: `--dry-run`.
    pub(crate) fn flag(&self) -> String {
        format!("--{}", self.name.replace('_', "-"))
    }

    /// Whether it has a flag: not one that has a place, and is called as a flag of deploy.
    pub(crate) fn has_flag(&self) -> bool {
        !RESERVED.contains(&self.name.as_str())
    }

    /// Whether `word` is its name, as a flag may write it.
    pub(crate) fn is_called(&self, word: &str) -> bool {
        self.has_flag() && (self.name == word.replace('-', "_") || self.name == word)
    }

    /// A value in the parameter's kind; a list for one that takes many.
    ///
    /// # Errors
    /// Why it is none of its values, as the end of a sentence about it, and the mend.
    pub(crate) fn accept(&self, value: Value) -> Result<Value, (String, Option<String>)> {
        match (value, self.many) {
            (Value::List(words), true) => {
                let words: Result<Vec<Value>, _> =
                    words.into_iter().map(|word| self.accept_one(&Value::Text(word))).collect();
                Ok(Value::List(words?.into_iter().map(Value::into_text).collect()))
            }
            (Value::List(words), false) => {
                let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                Err((format!("takes one value, and was given {}: {}", words.len(), words.join(", ")), None))
            }
            (one, true) => Ok(Value::List(vec![self.accept_one(&one)?.into_text()])),
            (one, false) => self.accept_one(&one),
        }
    }

    fn accept_one(&self, value: &Value) -> Result<Value, (String, Option<String>)> {
        let text = value.clone().into_text();
        let Some(plain) = text.as_plain() else {
            // What a secret is, nobody can tell here.
            return match self.kind {
                Kind::Text if self.choices.is_empty() => Ok(Value::Text(text)),
                Kind::Text | Kind::Integer(_) | Kind::Bool | Kind::Path | Kind::GitRef => {
                    Err(("can't be a secret: only a parameter of type `string` can".to_owned(), None))
                }
            };
        };
        if !self.choices.is_empty() && !self.choices.iter().any(|choice| choice == plain) {
            let choices: Vec<String> = self.choices.iter().map(|choice| format!("`{choice}`")).collect();
            let near = nearest(plain, self.choices.iter().map(String::as_str));
            return Err((
                format!("is one of {}, not `{plain}`", choices.join(", ")),
                near.map(|near| format!("did you mean `{near}`?")),
            ));
        }
        match &self.kind {
            Kind::Integer(range) => match plain.trim().parse::<i64>() {
                Ok(number) if range.contains(&number) => Ok(Value::Integer(number)),
                Ok(_) | Err(_) => Err((format!("is {}, not `{plain}`", numbers(range)), None)),
            },
            Kind::Bool => match plain {
                "true" => Ok(Value::Bool(true)),
                "false" => Ok(Value::Bool(false)),
                _ => Err((format!("is true or false, not `{plain}`"), None)),
            },
            Kind::Text | Kind::Path | Kind::GitRef => {
                if plain.starts_with('-') && !self.dashes && self.choices.is_empty() {
                    return Err((
                        format!("can't be `{plain}`: a program that gets it could take it for an option"),
                        Some(format!(
                            "declare it with `dashes = true` if `{}` may start with `-`",
                            self.name
                        )),
                    ));
                }
                if plain.contains('\0') {
                    return Err(("can't hold a NUL: no program could get it".to_owned(), None));
                }
                Ok(Value::Text(Text::from(plain)))
            }
        }
    }
}

/// The numbers of a range, in words.
fn numbers(range: &RangeInclusive<i64>) -> String {
    match (*range.start(), *range.end()) {
        (i64::MIN, i64::MAX) => "a whole number".to_owned(),
        (start, i64::MAX) => format!("a whole number, {start} or more"),
        (i64::MIN, end) => format!("a whole number, {end} or less"),
        (start, end) => format!("a whole number from {start} to {end}"),
    }
}
