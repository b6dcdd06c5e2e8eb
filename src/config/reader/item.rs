//! A value of a table with its key: taken as what it must be, or told as what it is, at its place.

use std::cell::OnceCell;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use super::super::value;
use super::document::{Entry, Toml};
use super::{Reader, Table};
use crate::diagnostic::{Diagnostic, Span, nearest};
use crate::model::script::Script;
use crate::model::template::{Expression, Template};

/// A value with its key.
#[derive(Clone, Copy)]
pub(crate) struct Item<'r, 'a> {
    pub(super) reader: &'r Reader<'a>,
    pub(super) name: &'r str,
    pub(super) key: Span,
    pub(super) entry: &'r Entry<'a>,
}

impl<'r, 'a> Item<'r, 'a> {
    /// Where the value stands.
    pub(crate) fn at(&self) -> Span {
        self.entry.at
    }

    /// Where its key stands.
    pub(crate) fn key(&self) -> Span {
        self.key
    }

    pub(crate) fn value(&self) -> &'r Toml<'a> {
        &self.entry.value
    }

    pub(crate) fn problem(&self, problem: Diagnostic) {
        self.reader.problem(problem);
    }

    /// Says that the value is not what the key wants.
    pub(crate) fn wrong(&self, expected: &str) {
        let problem = Diagnostic::new(format!("`{}` must be {expected}", self.name));
        self.problem(problem.at(self.at(), format!("this is {}", kind(self.value()))));
    }

    pub(crate) fn text(&self) -> Option<String> {
        self.str("a string").map(str::to_owned)
    }

    pub(crate) fn boolean(&self) -> Option<bool> {
        let Toml::Boolean(truth) = self.value() else {
            self.wrong("true or false");
            return None;
        };
        Some(*truth)
    }

    /// A whole number within `range`.
    pub(crate) fn integer(&self, range: RangeInclusive<i64>) -> Option<i64> {
        let number = value::integer(self.value()).filter(|number| range.contains(number));
        if number.is_none() {
            match *range.end() {
                i64::MAX => self.wrong(&format!("a whole number, {} or more", range.start())),
                end => self.wrong(&format!("a whole number from {} to {end}", range.start())),
            }
        }
        number
    }

    /// A number that is not negative.
    pub(crate) fn number(&self) -> Option<f64> {
        let number = value::float(self.value()).filter(|number| number.is_finite() && *number >= 0.0);
        if number.is_none() {
            self.wrong("a number, 0 or more");
        }
        number
    }

    pub(crate) fn duration(&self) -> Option<Duration> {
        let duration = self.value().as_str().and_then(value::duration);
        if duration.is_none() {
            self.wrong("a duration such as \"90s\", \"1m 30s\" or \"2h\"");
        }
        duration
    }

    /// One of a few words.
    pub(crate) fn one_of<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let text = self.value().as_str();
        let found = text.and_then(|text| words.iter().find(|(word, _)| *word == text));
        if found.is_none() {
            let all: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            let expected = format!("one of {}", all.join(", "));
            match text.and_then(|text| nearest(text, words.iter().map(|(word, _)| *word))) {
                Some(word) => self.problem(
                    Diagnostic::new(format!("`{}` must be {expected}", self.name))
                        .at(self.at(), "no such word")
                        .help(format!("did you mean \"{word}\"?")),
                ),
                None => self.wrong(&expected),
            }
        }
        found.map(|(_, value)| *value)
    }

    /// A list's items.
    pub(crate) fn list(&self, expected: &str) -> Option<Vec<Item<'r, 'a>>> {
        let Toml::Array(entries) = self.value() else {
            self.wrong(expected);
            return None;
        };
        Some(self.reader.document.all(entries).map(|entry| Item { entry, ..*self }).collect())
    }

    /// What a list's items mean, each by itself; those that mean nothing were told. A list takes no more room than it
    /// has items: most have one.
    pub(crate) fn each<T>(&self, expected: &str, mean: impl FnMut(Item<'r, 'a>) -> Option<T>) -> Vec<T> {
        let Toml::Array(entries) = self.value() else {
            self.wrong(expected);
            return Vec::new();
        };
        let mut each = Vec::with_capacity(entries.count());
        let items = self.reader.document.all(entries).map(|entry| Item { entry, ..*self });
        each.extend(items.filter_map(mean));
        each
    }

    /// A list of strings.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.each("a list of strings", |item| item.text())
    }

    /// A list of strings with `{{ values }}` in them.
    pub(crate) fn templates(&self) -> Vec<Template> {
        self.each("a list of strings", |item| item.template())
    }

    pub(crate) fn table(&self, what: &'static str) -> Option<Table<'r, 'a>> {
        let Toml::Table(entries) = self.value() else {
            self.wrong("a table");
            return None;
        };
        Some(Table::new(self.reader, *entries, what, self.key))
    }

    /// A table if it is one; anything else is for the caller to read.
    pub(crate) fn maybe_table(&self, what: &'static str) -> Option<Table<'r, 'a>> {
        let Toml::Table(entries) = self.value() else { return None };
        Some(Table::new(self.reader, *entries, what, self.at()))
    }

    /// A string with `{{ values }}` in it.
    pub(crate) fn template(&self) -> Option<Template> {
        let text = self.str("a string")?;
        let place = self.place(text);
        let template =
            Template::parse(text, &place).map_err(|fault| self.reader.fault(fault, &place)).ok()?;
        template.expressions().for_each(|expression| self.reader.mention(expression));
        Some(template)
    }

    /// A shell line, or a script.
    pub(crate) fn script(&self) -> Option<Script<Template>> {
        let text = self.str("a shell line")?;
        let place = self.place(text);
        let script = Script::parse(text, &place);
        let script = script
            .map_err(|faults| faults.into_iter().for_each(|fault| self.reader.fault(fault, &place)))
            .ok()?;
        script
            .templates()
            .flat_map(Template::expressions)
            .for_each(|expression| self.reader.mention(expression));
        Some(script)
    }

    /// An expression without braces.
    pub(crate) fn expression(&self) -> Option<Expression> {
        let text = self.str("an expression such as \"environment == 'production'\"")?;
        let at = self.place(text)(0..text.len());
        if let Some(inner) = text.trim().strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")) {
            let problem =
                Diagnostic::new(format!("`{}` is an expression as it stands, without braces", self.name));
            self.problem(problem.at(at, "in braces").help(format!("{} = \"{}\"", self.name, inner.trim())));
            return None;
        }
        let expression = Expression { source: text.trim().to_owned(), at };
        self.reader.mention(&expression);
        Some(expression)
    }

    /// Notes an expression that the value stands for.
    pub(crate) fn mention(&self, expression: &Expression) {
        self.reader.mention(expression);
    }

    fn str(&self, expected: &str) -> Option<&'r str> {
        let text = self.value().as_str();
        if text.is_none() {
            self.wrong(expected);
        }
        text.filter(|text| {
            let nul = text.contains('\0');
            if nul {
                self.problem(
                    Diagnostic::new(format!("`{}` holds a NUL, which no program can be given", self.name))
                        .at(self.at(), "`\\u0000` stands in it")
                        .help("leave it out, or let a program make it: `printf '\\0'`"),
                );
            }
            !nul
        })
    }

    /// Where a stretch of the string `text` stands in the file: exact unless the string has escapes.
    fn place<'t>(&self, text: &'t str) -> impl Fn(Range<usize>) -> Span + use<'r, 'a, 't> {
        let (whole, reader, length) = (self.at(), self.reader, text.len());
        let begin = OnceCell::new();
        let find = move || {
            let from = whole.start as usize;
            let raw = reader.source.text.get(from..whole.end as usize)?;
            // Most strings stand right behind their quote.
            let is_next = !text.is_empty() && raw.get(1..).is_some_and(|rest| rest.starts_with(text));
            Some(from + if is_next { 1 } else { raw.find(text)? })
        };
        move |range: Range<usize>| match *begin.get_or_init(find) {
            Some(start) => reader.span(start + range.start.min(length)..start + range.end.min(length)),
            None => whole,
        }
    }
}

/// What a value is, in words.
fn kind(value: &Toml<'_>) -> &'static str {
    match value {
        Toml::String(_) => "a string that does not fit",
        Toml::Integer(..) => "an integer",
        Toml::Float(_) => "a float",
        Toml::Boolean(_) => "a boolean",
        Toml::Datetime(_) => "a date",
        Toml::Array(_) => "a list",
        Toml::Table(_) => "a table",
    }
}
