//! A TOML document as it was written: keys and values that are slices of its text, each with its place, in one list.
//! What may be added to what is for `builder` to say; what the keys mean, for others.

use std::borrow::Cow;
use std::collections::HashMap;
use std::iter;

use crate::diagnostic::Span;

/// Tables of more keys than this are searched by hash; in smaller ones, looking at each is faster.
const FEW: u32 = 8;

/// All entries of all tables and lists.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    /// The document itself is the first, and inside of nothing.
    entries: Vec<Entry<'a>>,
    /// The keys of each table that has many, by its first entry.
    index: HashMap<Number, HashMap<Cow<'a, str>, Number>>,
}

/// A key with its value; an item of a list has no key.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) key: Cow<'a, str>,
    pub(crate) key_at: Span,
    pub(crate) value: Toml<'a>,
    pub(crate) at: Span,
    /// The one behind it in its table or list.
    next: Number,
}

/// The place of an entry among all entries.
pub(super) type Number = u32;

/// The document itself; or nothing, where it says what is behind an entry or in a table.
pub(super) const ROOT: Number = 0;

#[derive(Debug)]
pub(crate) enum Toml<'a> {
    String(Cow<'a, str>),
    /// Its digits with their sign, and their base.
    Integer(Cow<'a, str>, u32),
    /// As Rust reads it.
    Float(Cow<'a, str>),
    Boolean(bool),
    /// In the one form that TOML prints.
    Datetime(String),
    Array(Entries),
    Table(Entries),
}

/// What a table or a list holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entries {
    pub(super) form: Form,
    count: u32,
    first: Number,
    pub(super) last: Number,
    /// The letters that its keys begin with, a bit each: most keys that one asks for are not there.
    initials: u32,
}

/// How a table or a list was written, which decides what may be added later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `[a]`, and the document itself.
    Stated,
    /// The `a` of `[a.b]`.
    Implied,
    /// The `a` of `a.b = 1`.
    Dotted,
    /// `{ }`.
    Inline,
    /// The `a` of `{ a.b = 1 }`.
    InlineDotted,
    /// `[ ]`.
    List,
    /// The `a` of `[[a]]`.
    Tables,
}

impl<'a> Document<'a> {
    /// A document with nothing in it.
    pub(super) fn new(at: Span) -> Document<'a> {
        let root = Entry::item(Toml::table(Form::Stated), at);
        Document { entries: vec![root], index: HashMap::new() }
    }

    /// What stands in the document, as a table.
    pub(crate) fn root(&self) -> Entries {
        self.within(ROOT).expect("a document is a table")
    }

    /// The entry of a key.
    #[inline]
    pub(crate) fn get(&self, table: &Entries, key: &str) -> Option<&Entry<'a>> {
        // By far the most are not there; where `key` is written in the program, this is one comparison.
        if table.initials & initial(key) == 0 {
            return None;
        }
        self.find(table, key).map(|number| &self.entries[number as usize])
    }

    /// All of a table or a list: each behind those that were there before it.
    pub(crate) fn all<'d>(&'d self, entries: &Entries) -> impl Iterator<Item = &'d Entry<'a>> + use<'d, 'a> {
        self.numbers(entries).map(|number| &self.entries[number as usize])
    }

    fn numbers(&self, entries: &Entries) -> impl Iterator<Item = Number> + use<'_, 'a> {
        let some = |number: Number| Some(number).filter(|number| *number != ROOT);
        iter::successors(some(entries.first), move |number| some(self.entries[*number as usize].next))
    }

    pub(super) fn find(&self, table: &Entries, key: &str) -> Option<Number> {
        if table.count > FEW {
            return self.index.get(&table.first)?.get(key).copied();
        }
        self.numbers(table).find(|number| self.entries[*number as usize].key == key)
    }

    pub(super) fn entry(&mut self, number: Number) -> &mut Entry<'a> {
        &mut self.entries[number as usize]
    }

    /// What is in a table or a list; nothing for any other value.
    pub(super) fn within(&self, number: Number) -> Option<Entries> {
        self.entries[number as usize].value.entries()
    }

    /// Gives a table another form; nothing if it has not the one that it should have before.
    pub(super) fn reshape(&mut self, number: Number, before: Form, after: Form) -> Option<()> {
        let (Toml::Table(entries) | Toml::Array(entries)) = &mut self.entry(number).value else {
            return None;
        };
        let is_so = entries.form == before;
        entries.form = if is_so { after } else { entries.form };
        is_so.then_some(())
    }

    /// Adds an entry to a table or a list; that its key is new there, the caller knows.
    pub(super) fn add(&mut self, within: Number, entry: Entry<'a>) -> Number {
        let number =
            Number::try_from(self.entries.len()).expect("fewer entries than bytes, and those than 2^32");
        let bit = initial(&entry.key);
        let (Toml::Table(entries) | Toml::Array(entries)) = &mut self.entry(within).value else {
            return number;
        };
        let behind = std::mem::replace(&mut entries.last, number);
        if behind == ROOT {
            entries.first = number;
        }
        entries.count += 1;
        entries.initials |= bit;
        let entries = *entries;
        if behind != ROOT {
            self.entry(behind).next = number;
        }
        self.entries.push(entry);
        if entries.count > FEW && !matches!(entries.form, Form::List | Form::Tables) {
            self.note(&entries, number);
        }
        number
    }

    /// Notes the last key of a table that has many; of one that has just come to have many, all.
    fn note(&mut self, table: &Entries, last: Number) {
        let of = |number: Number| (self.entries[number as usize].key.clone(), number);
        if let Some(known) = self.index.get_mut(&table.first) {
            known.extend([of(last)]);
            return;
        }
        let all = self.numbers(table).map(of).collect();
        self.index.insert(table.first, all);
    }
}

impl<'a> Entry<'a> {
    pub(super) fn new(key: Cow<'a, str>, key_at: Span, value: Toml<'a>, at: Span) -> Entry<'a> {
        Entry { key, key_at, value, at, next: ROOT }
    }

    /// An item of a list.
    pub(super) fn item(value: Toml<'a>, at: Span) -> Entry<'a> {
        Entry::new(Cow::Borrowed(""), at, value, at)
    }
}

impl Toml<'_> {
    /// An empty table.
    pub(super) fn table(form: Form) -> Self {
        Toml::Table(Entries { form, count: 0, first: ROOT, last: ROOT, initials: 0 })
    }

    /// An empty list.
    pub(super) fn list(form: Form) -> Self {
        Toml::Array(Entries { form, count: 0, first: ROOT, last: ROOT, initials: 0 })
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Toml::String(text) => Some(text),
            Toml::Integer(..)
            | Toml::Float(_)
            | Toml::Boolean(_)
            | Toml::Datetime(_)
            | Toml::Array(_)
            | Toml::Table(_) => None,
        }
    }

    pub(crate) fn is_array(&self) -> bool {
        matches!(self, Toml::Array(_))
    }

    fn entries(&self) -> Option<Entries> {
        match self {
            Toml::Array(entries) | Toml::Table(entries) => Some(*entries),
            Toml::String(_) | Toml::Integer(..) | Toml::Float(_) | Toml::Boolean(_) | Toml::Datetime(_) => {
                None
            }
        }
    }
}

impl Entries {
    pub(crate) fn count(&self) -> usize {
        self.count as usize
    }
}

/// The bit of the letter that a key begins with.
#[inline]
fn initial(key: &str) -> u32 {
    1 << (key.as_bytes().first().copied().unwrap_or_default() % u8::try_from(u32::BITS).expect("32"))
}
