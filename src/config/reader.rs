//! A table of TOML, taken key by key: what is never taken is unknown, what has the wrong type is told with its place.
//! Problems are collected, so that one read finds them all.

use std::cell::RefCell;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::value;
use crate::diagnostic::{Diagnostic, Diagnostics, Source, Span, nearest};
use crate::model::script::Script;
use crate::model::template::{Expression, Fault, Template};

/// Reads one source and keeps its problems.
pub(crate) struct Reader<'a> {
    source: &'a Source,
    index: u32,
    problems: RefCell<Diagnostics>,
    /// The expressions that were read since they were last taken.
    mentions: RefCell<Vec<Expression>>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(source: &'a Source, index: u32) -> Reader<'a> {
        Reader { source, index, problems: RefCell::default(), mentions: RefCell::default() }
    }

    /// The number of its file.
    pub(crate) fn index(&self) -> u32 {
        self.index
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

/// A table whose keys are taken one by one.
pub(crate) struct Table<'r, 'a> {
    reader: &'r Reader<'a>,
    entries: &'r DeTable<'a>,
    /// What the table is called in messages: "a task", "`[settings]`".
    what: &'static str,
    at: Span,
    known: Vec<&'static str>,
}

impl<'r, 'a> Table<'r, 'a> {
    pub(crate) fn new(
        reader: &'r Reader<'a>,
        entries: &'r DeTable<'a>,
        what: &'static str,
        at: Span,
    ) -> Table<'r, 'a> {
        Table { reader, entries, what, at, known: Vec::new() }
    }

    /// The value of `key`, if it is there; from now on the key is a known one.
    pub(crate) fn take(&mut self, key: &'static str) -> Option<Item<'r, 'a>> {
        self.known.push(key);
        let (name, value) = self.entries.get_key_value(key)?;
        Some(self.item(name, value))
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
        let mut entries: Vec<_> = self
            .entries
            .iter()
            .map(|(name, value)| (name.get_ref().as_ref(), self.item(name, value)))
            .collect();
        entries.sort_by_key(|(_, item)| item.key);
        entries
    }

    pub(crate) fn at(&self) -> Span {
        self.at
    }

    /// The known keys that are there.
    pub(crate) fn said(&self) -> Vec<&'static str> {
        self.known.iter().copied().filter(|key| self.entries.contains_key(*key)).collect()
    }

    pub(crate) fn problem(&self, problem: Diagnostic) {
        self.reader.problem(problem);
    }

    /// Whether there is a key that was not asked for.
    pub(crate) fn has_unknown(&self) -> bool {
        self.entries.iter().any(|(name, _)| !self.known.contains(&name.get_ref().as_ref()))
    }

    /// Tells of every key that was not asked for, with the nearest one that was.
    pub(crate) fn finish(self) {
        for (name, _) in self.entries {
            let key = name.get_ref().as_ref();
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
                    .at(self.reader.span(name.span()), "unknown key")
                    .help(help),
            );
        }
    }

    fn item(&self, name: &'r Spanned<DeString<'a>>, value: &'r Spanned<DeValue<'a>>) -> Item<'r, 'a> {
        Item { reader: self.reader, name: name.get_ref(), key: self.reader.span(name.span()), value }
    }
}

/// A value with its key.
#[derive(Clone, Copy)]
pub(crate) struct Item<'r, 'a> {
    reader: &'r Reader<'a>,
    name: &'r str,
    key: Span,
    value: &'r Spanned<DeValue<'a>>,
}

impl<'r, 'a> Item<'r, 'a> {
    /// Where the value stands.
    pub(crate) fn at(&self) -> Span {
        self.reader.span(self.value.span())
    }

    /// Where its key stands.
    pub(crate) fn key(&self) -> Span {
        self.key
    }

    pub(crate) fn value(&self) -> &'r DeValue<'a> {
        self.value.get_ref()
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
        let truth = self.value().as_bool();
        if truth.is_none() {
            self.wrong("true or false");
        }
        truth
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
        let items = self.value().as_array();
        if items.is_none() {
            self.wrong(expected);
        }
        Some(items?.iter().map(|value| Item { value, ..*self }).collect())
    }

    /// A list of strings.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.list("a list of strings").unwrap_or_default().iter().filter_map(Item::text).collect()
    }

    /// A list of strings with `{{ values }}` in them.
    pub(crate) fn templates(&self) -> Vec<Template> {
        self.list("a list of strings").unwrap_or_default().iter().filter_map(Item::template).collect()
    }

    pub(crate) fn table(&self, what: &'static str) -> Option<Table<'r, 'a>> {
        let entries = self.value().as_table();
        if entries.is_none() {
            self.wrong("a table");
        }
        Some(Table::new(self.reader, entries?, what, self.key))
    }

    /// A table if it is one; anything else is for the caller to read.
    pub(crate) fn maybe_table(&self, what: &'static str) -> Option<Table<'r, 'a>> {
        self.value().as_table().map(|entries| Table::new(self.reader, entries, what, self.at()))
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
    fn place(&self, text: &str) -> impl Fn(Range<usize>) -> Span + use<'r, 'a> {
        let whole = self.value.span();
        let reader = self.reader;
        let length = text.len();
        let start = reader
            .source
            .text
            .get(whole.clone())
            .and_then(|raw| raw.find(text))
            .map(|offset| whole.start + offset);
        move |range: Range<usize>| match start {
            Some(start) => reader.span(start + range.start.min(length)..start + range.end.min(length)),
            None => reader.span(whole.clone()),
        }
    }
}

/// What a value is, in words.
fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string that does not fit",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
