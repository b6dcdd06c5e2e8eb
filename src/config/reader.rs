//! A table of TOML, taken key by key: what is never taken is unknown, what has the wrong type is told with its place.
//! Problems are collected, so that one read finds them all.

mod builder;
mod document;
mod item;
mod plain;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::Range;

use super::value;
use crate::diagnostic::{Diagnostic, Diagnostics, Source, Span, nearest};
use crate::model::template::{Expression, Fault};
use document::{Document, Entries, Entry};

pub(crate) use document::Toml;
pub(crate) use item::Item;

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
