//! A table of TOML, taken key by key: what is never taken is unknown, what has the wrong type is told with its place.
//! Problems are collected, so that one read finds them all.

mod builder;
mod document;
mod plain;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use super::value;
use crate::diagnostic::{Diagnostic, Diagnostics, Source, Span, nearest};
use crate::model::script::Script;
use crate::model::template::{Expression, Fault, Template};
use document::{Document, Entries, Entry};

pub(crate) use document::Toml;

/// Reads one source and keeps its problems.
pub(crate) struct Reader<'a> {
    source: &'a Source,
    index: u32,
    document: Document<'a>,
    problems: RefCell<Diagnostics>,
    /// The expressions that were read since they were last taken.
    mentions: RefCell<Vec<Expression>>,
}

impl<'a> Reader<'a> {
    /// Reads a source, which is file number `index`; nothing if it is not valid TOML.
    pub(crate) fn new(source: &'a Source, index: u32) -> Option<Reader<'a>> {
        let document = builder::build(&source.text, index)?;
        Some(Reader { source, index, document, problems: RefCell::default(), mentions: RefCell::default() })
    }

    /// The whole file.
    pub(crate) fn root(&self) -> Table<'_, 'a> {
        let at = Span::new(self.index, 0..0);
        Table::new(self, self.document.root(), "a tasks.toml", at)
    }

    pub(crate) fn problem(&self, problem: Diagnostic) {
        self.problems.borrow_mut().push(problem);
    }

    /// Notes what stands between braces.
    pub(crate) fn mention(&self, expression: &Expression) {
        self.mentions.borrow_mut().push(expression.clone());
    }

    /// The expressions that were read since this was last asked.
    pub(crate) fn mentions(&self) -> Vec<Expression> {
        self.mentions.take()
    }

    pub(crate) fn into_problems(self) -> Diagnostics {
        self.problems.into_inner()
    }

    fn span(&self, range: Range<usize>) -> Span {
        Span::new(self.index, range)
    }

    fn fault(&self, fault: Fault, place: &dyn Fn(Range<usize>) -> Span) {
        self.problem(Diagnostic::new(fault.message).at(place(fault.at), "").maybe_help(fault.help));
    }
}

/// Room for the keys of any table of this language: more than these grow it.
const MOST_KEYS: usize = 40;

/// A table whose keys are taken one by one.
pub(crate) struct Table<'r, 'a> {
    reader: &'r Reader<'a>,
    entries: Entries,
    /// What the table is called in messages: "a task", "`[settings]`".
    what: Cow<'static, str>,
    at: Span,
    known: Vec<&'static str>,
    /// How many of its entries were taken.
    taken: usize,
}

impl<'r, 'a> Table<'r, 'a> {
    fn new(reader: &'r Reader<'a>, entries: Entries, what: &'static str, at: Span) -> Table<'r, 'a> {
        let what = Cow::Borrowed(what);
        Table { reader, entries, what, at, known: Vec::with_capacity(MOST_KEYS), taken: 0 }
    }

    /// Calls the table so in messages from now on: where one of many is meant, its name tells which.
    pub(crate) fn call(&mut self, what: String) {
        self.what = Cow::Owned(what);
    }

    /// The value of `key`, if it is there; from now on the key is a known one.
    #[inline]
    pub(crate) fn take(&mut self, key: &'static str) -> Option<Item<'r, 'a>> {
        debug_assert!(!self.known.contains(&key), "`{key}` is taken twice");
        self.known.push(key);
        let entry = self.reader.document.get(&self.entries, key)?;
        self.taken += 1;
        Some(self.item(entry))
    }

    /// The value of `key`, which must be there.
    pub(crate) fn require(&mut self, key: &'static str) -> Option<Item<'r, 'a>> {
        let item = self.take(key);
        if item.is_none() {
            self.reader.problem(
                Diagnostic::new(format!("{} needs `{key}`", self.what))
                    .at(self.at, format!("no `{key}` here")),
            );
        }
        item
    }

    /// Every entry, in the order of the file: for tables whose keys are the user's own names.
    pub(crate) fn entries(&self) -> Vec<(&'r str, Item<'r, 'a>)> {
        let mut entries: Vec<_> = self.all().map(|entry| (entry.key.as_ref(), self.item(entry))).collect();
        // What was there as a part of a path may have got its header later.
        entries.sort_by_key(|(_, item)| item.key);
        entries
    }

    pub(crate) fn at(&self) -> Span {
        self.at
    }

    /// The known keys that are there.
    pub(crate) fn said(&self) -> Vec<&'static str> {
        self.known
            .iter()
            .copied()
            .filter(|key| self.reader.document.get(&self.entries, key).is_some())
            .collect()
    }

    pub(crate) fn problem(&self, problem: Diagnostic) {
        self.reader.problem(problem);
    }

    /// Whether there is a key that was not asked for.
    pub(crate) fn has_unknown(&self) -> bool {
        self.taken < self.entries.count()
    }

    /// Tells of every key that was not asked for, with the nearest one that was.
    pub(crate) fn finish(self) {
        if !self.has_unknown() {
            return;
        }
        for entry in self.all() {
            let key = entry.key.as_ref();
            if self.known.contains(&key) {
                continue;
            }
            let help = match value::synonym(key).filter(|word| self.known.contains(word)) {
                Some(word) => Some(format!("it is called `{word}` here")),
                // Whatever follows the header of a table is in that table.
                None if key == "include" => {
                    Some("`include` stands at the top of the file, before the first `[table]`".to_owned())
                }
                None if key == "on_failure" => {
                    Some("`on_failure` belongs to the `health` of an environment".to_owned())
                }
                None => {
                    nearest(key, self.known.iter().copied()).map(|word| format!("did you mean `{word}`?"))
                }
            };
            let help = help.unwrap_or_else(|| {
                let keys: Vec<String> = self.known.iter().map(|key| format!("`{key}`")).collect();
                format!("{} has {}", self.what, keys.join(", "))
            });
            self.reader.problem(
                Diagnostic::new(format!("{} has no key `{key}`", self.what))
                    .at(entry.key_at, "unknown key")
                    .help(help),
            );
        }
    }

    fn all(&self) -> impl Iterator<Item = &'r Entry<'a>> + use<'r, 'a> {
        self.reader.document.all(&self.entries)
    }

    fn item(&self, entry: &'r Entry<'a>) -> Item<'r, 'a> {
        Item { reader: self.reader, name: &entry.key, key: entry.key_at, entry }
    }
}

/// A value with its key.
#[derive(Clone, Copy)]
pub(crate) struct Item<'r, 'a> {
    reader: &'r Reader<'a>,
    name: &'r str,
    key: Span,
    entry: &'r Entry<'a>,
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
