//! From the parser's events to a [`Document`]: what belongs where, and what TOML refuses although each line by itself is
//! good. It only tells whether a text is valid; what is wrong with one that is not, the crate `toml` says.

use std::borrow::Cow;

use toml::de::DeValue;
use toml_parser::decoder::{Encoding, ScalarKind};
use toml_parser::lexer::{Token, TokenKind};
use toml_parser::parser::{Event, EventKind, EventReceiver, parse_document};
use toml_parser::{ErrorSink, ParseError, Source, Span as Range};

use super::document::{Document, Entry, Form, Number, ROOT, Toml};
use super::plain::{self, Line};
use crate::diagnostic::Span;

/// How deep values and keys may be nested, as the crate `toml` has it.
const DEEPEST: usize = 80;

/// Reads a text; nothing if it is not valid TOML. `source` is the number of its file.
pub(super) fn build(text: &str, source: u32) -> Option<Document<'_>> {
    let mut builder = Builder::new(text, source);
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let (line, length) = match memchr::memchr(b'\n', rest.as_bytes()) {
            Some(end) => (rest[..end].strip_suffix('\r').unwrap_or(&rest[..end]), end + 1),
            None => (rest, rest.len()),
        };
        at += match plain::read(line) {
            Some(line) => builder.plain(&line).map(|()| length)?,
            None => builder.expression(at)?,
        };
    }
    Some(builder.document)
}

struct Builder<'a> {
    text: &'a str,
    source: u32,
    /// What the parser is given: the text from `begin` on, as far as one expression goes.
    parsed: Source<'a>,
    begin: usize,
    tokens: Vec<Token>,
    document: Document<'a>,
    /// The keys of a path, until it is known what they are for.
    path: Vec<(Cow<'a, str>, Span)>,
    /// The table that lines belong to, and where its header begins.
    table: Number,
    header: u32,
    /// The lists and inline tables that we are inside of.
    open: Vec<Number>,
    /// The entry whose value comes next.
    awaited: Option<Number>,
}

/// What goes down a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Header,
    Line,
    Inline,
}

impl<'a> Builder<'a> {
    fn new(text: &'a str, source: u32) -> Builder<'a> {
        Builder {
            text,
            source,
            parsed: Source::new(text),
            begin: 0,
            tokens: Vec::new(),
            document: Document::new(Span::new(source, 0..0)),
            path: Vec::new(),
            table: ROOT,
            header: 0,
            open: Vec::new(),
            awaited: None,
        }
    }

    /// Where something stands that the parser told of.
    fn span(&self, range: Range) -> Span {
        Span::new(self.source, self.begin + range.start()..self.begin + range.end())
    }

    /// Where a slice of the text stands.
    fn place(&self, slice: &'a str) -> Span {
        let start = slice.as_ptr().addr() - self.text.as_ptr().addr();
        Span::new(self.source, start..start + slice.len())
    }

    /// Takes what needs no parser.
    fn plain(&mut self, line: &Line<'a>) -> Option<()> {
        match *line {
            Line::Empty => {}
            Line::Header(keys) => {
                for key in keys.split('.') {
                    self.path.push((Cow::Borrowed(key), self.place(key)));
                }
                self.table(around(self.place(keys)))?;
            }
            Line::Text(key, text) => {
                self.plain_key(key)?;
                self.plain_text(text)?;
            }
            Line::Texts(key, list) => {
                self.plain_key(key)?;
                let opened = self.value(Toml::list(Form::List), around(self.place(list)))?;
                self.open.push(opened);
                plain::texts(list).flatten().try_for_each(|text| self.plain_text(text))?;
                self.open.pop();
            }
        }
        Some(())
    }

    fn plain_key(&mut self, key: &'a str) -> Option<()> {
        self.path.push((Cow::Borrowed(key), self.place(key)));
        self.key()
    }

    fn plain_text(&mut self, text: &'a str) -> Option<()> {
        self.value(Toml::String(Cow::Borrowed(text)), around(self.place(text))).map(drop)
    }

    /// Takes the lines that belong together from `begin` on, and gives their length.
    fn expression(&mut self, begin: usize) -> Option<usize> {
        let rest = &self.text[begin..];
        // The lexer passes over a byte order mark wherever it begins.
        if begin > 0 && rest.starts_with('\u{feff}') {
            return None;
        }
        (self.parsed, self.begin) = (Source::new(rest), begin);
        let mut tokens = std::mem::take(&mut self.tokens);
        tokens.clear();
        let mut depth = 0_usize;
        for token in self.parsed.lex() {
            tokens.push(token);
            match token.kind() {
                TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => depth += 1,
                TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => {
                    depth = depth.checked_sub(1)?;
                }
                // Outside of all brackets, the end of a line ends an expression.
                TokenKind::Newline if depth == 0 => break,
                _ => {}
            }
        }
        let length = tokens.last()?.span().end();
        let mut error: Option<ParseError> = None;
        parse_document(&tokens, self, &mut error);
        self.tokens = tokens;
        error.is_none().then_some(length)
    }

    /// `[a.b]`
    fn table(&mut self, at: Span) -> Option<()> {
        let (within, key, key_at) = self.descend(Way::Header, ROOT)?;
        self.table = match self.document.find(&self.document.within(within)?, &key) {
            Some(known) => {
                let entry = self.document.entry(known);
                (entry.key_at, entry.at) = (key_at, at);
                self.document.reshape(known, Form::Implied, Form::Stated)?;
                known
            }
            None => self.document.add(within, Entry::new(key, key_at, Toml::table(Form::Stated), at)),
        };
        Some(())
    }

    /// `[[a.b]]`
    fn table_of_list(&mut self, at: Span) -> Option<()> {
        let (within, key, key_at) = self.descend(Way::Header, ROOT)?;
        let list = match self.document.find(&self.document.within(within)?, &key) {
            Some(known) => known,
            None => self.document.add(within, Entry::new(key, key_at, Toml::list(Form::Tables), at)),
        };
        if self.document.within(list)?.form != Form::Tables {
            return None;
        }
        self.table = self.document.add(list, Entry::item(Toml::table(Form::Stated), at));
        Some(())
    }

    /// `a.b =`, on a line or in an inline table.
    fn key(&mut self) -> Option<()> {
        let (way, table) = self.open.last().map_or((Way::Line, self.table), |open| (Way::Inline, *open));
        let is_dotted = self.path.len() > 1;
        let (within, key, key_at) = self.descend(way, table)?;
        let entries = self.document.within(within)?;
        let is_closed = is_dotted && entries.form == Form::Stated;
        if is_closed || self.document.find(&entries, &key).is_some() {
            return None;
        }
        // The value is not here yet.
        let awaited = Entry::new(key, key_at, Toml::Boolean(false), key_at);
        self.awaited = Some(self.document.add(within, awaited));
        Some(())
    }

    /// The value of the key that was read last, or the next item of the list that we are in.
    fn value(&mut self, value: Toml<'a>, at: Span) -> Option<Number> {
        match self.awaited.take() {
            Some(awaited) => {
                let entry = self.document.entry(awaited);
                (entry.value, entry.at) = (value, at);
                Some(awaited)
            }
            None => Some(self.document.add(*self.open.last()?, Entry::item(value, at))),
        }
    }

    fn open(&mut self, value: Toml<'a>, range: Range, error: &mut dyn ErrorSink) -> bool {
        let opened = self.value(value, self.span(range));
        self.open.extend(opened);
        let is_good = opened.is_some() && self.open.len() <= DEEPEST;
        if !is_good {
            refuse(error);
        }
        is_good
    }

    fn close(&mut self, range: Range) {
        let end = self.span(range).end;
        if let Some(closed) = self.open.pop() {
            self.document.entry(closed).at.end = end;
        }
    }

    /// Goes down all keys of the path but the last, which it gives; makes the tables that are not there yet.
    fn descend(&mut self, way: Way, mut table: Number) -> Option<(Number, Cow<'a, str>, Span)> {
        let (key, at) = self.path.pop()?;
        if self.path.len() >= DEEPEST {
            return None;
        }
        let mut path = std::mem::take(&mut self.path);
        for (key, at) in path.drain(..) {
            table = self.step(way, table, key, at)?;
        }
        self.path = path;
        Some((table, key, at))
    }

    /// One step of a path: the table that a key stands for.
    fn step(&mut self, way: Way, table: Number, key: Cow<'a, str>, at: Span) -> Option<Number> {
        let Some(found) = self.document.find(&self.document.within(table)?, &key) else {
            let form = match way {
                Way::Header => Form::Implied,
                Way::Line => Form::Dotted,
                Way::Inline => Form::InlineDotted,
            };
            return Some(self.document.add(table, Entry::new(key, at, Toml::table(form), at)));
        };
        let entries = self.document.within(found)?;
        match (entries.form, way) {
            (Form::Tables, Way::Header | Way::Line) => Some(entries.last),
            (Form::Implied, Way::Line) => {
                self.document.reshape(found, Form::Implied, Form::Dotted)?;
                Some(found)
            }
            (Form::Stated | Form::Implied | Form::Dotted, Way::Header)
            | (Form::Dotted, Way::Line)
            | (Form::InlineDotted, Way::Inline) => Some(found),
            (Form::Stated | Form::Inline | Form::InlineDotted | Form::List, _)
            | (Form::Implied | Form::Dotted | Form::Tables, Way::Inline) => None,
        }
    }
}

impl EventReceiver for Builder<'_> {
    fn std_table_open(&mut self, range: Range, _: &mut dyn ErrorSink) {
        self.header = self.span(range).start;
    }

    fn std_table_close(&mut self, range: Range, error: &mut dyn ErrorSink) {
        let at = Span { start: self.header, ..self.span(range) };
        if self.table(at).is_none() {
            refuse(error);
        }
    }

    fn array_table_open(&mut self, range: Range, _: &mut dyn ErrorSink) {
        self.header = self.span(range).start;
    }

    fn array_table_close(&mut self, range: Range, error: &mut dyn ErrorSink) {
        let at = Span { start: self.header, ..self.span(range) };
        if self.table_of_list(at).is_none() {
            refuse(error);
        }
    }

    fn simple_key(&mut self, range: Range, kind: Option<Encoding>, error: &mut dyn ErrorSink) {
        let event = Event::new_unchecked(EventKind::SimpleKey, kind, range);
        let Some(raw) = self.parsed.get(event) else { return };
        let mut key = Cow::Borrowed("");
        raw.decode_key(&mut key, error);
        self.path.push((key, self.span(range)));
    }

    fn key_val_sep(&mut self, _: Range, error: &mut dyn ErrorSink) {
        if self.key().is_none() {
            refuse(error);
        }
    }

    fn scalar(&mut self, range: Range, kind: Option<Encoding>, error: &mut dyn ErrorSink) {
        let event = Event::new_unchecked(EventKind::Scalar, kind, range);
        let Some(raw) = self.parsed.get(event) else { return };
        let mut text = Cow::Borrowed("");
        let value = match raw.decode_scalar(&mut text, error) {
            ScalarKind::String => Some(Toml::String(text)),
            ScalarKind::Boolean(truth) => Some(Toml::Boolean(truth)),
            ScalarKind::DateTime => moment(&text),
            ScalarKind::Float => Some(Toml::Float(text)),
            ScalarKind::Integer(radix) => Some(Toml::Integer(text, radix.value())),
        };
        let at = self.span(range);
        if value.and_then(|value| self.value(value, at)).is_none() {
            refuse(error);
        }
    }

    fn array_open(&mut self, range: Range, error: &mut dyn ErrorSink) -> bool {
        self.open(Toml::list(Form::List), range, error)
    }

    fn array_close(&mut self, range: Range, _: &mut dyn ErrorSink) {
        self.close(range);
    }

    fn inline_table_open(&mut self, range: Range, error: &mut dyn ErrorSink) -> bool {
        self.open(Toml::table(Form::Inline), range, error)
    }

    fn inline_table_close(&mut self, range: Range, _: &mut dyn ErrorSink) {
        self.close(range);
    }

    fn comment(&mut self, range: Range, error: &mut dyn ErrorSink) {
        if let Some(raw) = self.parsed.get(range) {
            raw.decode_comment(error);
        }
    }

    fn newline(&mut self, range: Range, error: &mut dyn ErrorSink) {
        if let Some(raw) = self.parsed.get(range) {
            raw.decode_newline(error);
        }
    }
}

/// A date, a time or both: rare enough for the crate that knows them all to read it once more.
fn moment<'a>(text: &str) -> Option<Toml<'a>> {
    let value = DeValue::parse(text).ok()?.into_inner();
    let DeValue::Datetime(moment) = value else { return None };
    Some(Toml::Datetime(moment.to_string()))
}

/// With the quotes or brackets around it.
fn around(at: Span) -> Span {
    Span { start: at.start - 1, end: at.end + 1, ..at }
}

/// Says that a text is not valid. The words are for nobody: `toml` finds its own.
fn refuse(error: &mut dyn ErrorSink) {
    error.report_error(ParseError::new("misplaced"));
}
