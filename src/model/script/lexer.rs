//! Reads shell code just far enough to know where each value stands: POSIX sh and what bash adds. What it can't
//! tell it takes for the place where less is allowed. It finds fault with nothing but values.

mod values;
mod words;

use std::ops::Range;

use super::command::Attributes;
use super::fault;
use super::frame::{Flat, Frame, Kind, Quotes, UNKNOWN, Words};
use super::{Piece, Script};
use crate::diagnostic::Span;
use crate::model::template::braces::{self, Braces};
use crate::model::template::{Fault, Template};

/// How many values are found fault with: each fault shows the whole line as it could be.
const MOST_FAULTS: usize = 20;

/// Where a range of the text stands in its source.
type Spans<'a> = &'a dyn Fn(Range<usize>) -> Span;

/// See [`Script::parse`].
pub(super) fn parse(text: &str, place: Spans<'_>) -> Result<Script<Template>, Vec<Fault>> {
    // Where there is no value, there is nothing to find fault with.
    if braces::first(text).is_none() {
        let code = Some(text).filter(|text| !text.is_empty());
        return Ok(Script { pieces: code.map(|code| Piece::Code(code.to_owned())).into_iter().collect() });
    }
    let mut lexer = Lexer {
        text,
        place,
        at: 0,
        copied: 0,
        foreign: 0,
        stack: vec![Frame::Words(Words::new(Kind::Top, 0))],
        limits: Vec::new(),
        attributes: Attributes::new(),
        pieces: Vec::new(),
        faults: Vec::new(),
    };
    if text.starts_with("#!") {
        lexer.read_foreign();
    } else {
        lexer.read();
    }
    lexer.push_code(text.len());
    lexer.faults.sort_by_key(|fault| fault.at.start);
    if lexer.faults.is_empty() { Ok(Script { pieces: lexer.pieces }) } else { Err(lexer.faults) }
}

struct Lexer<'a> {
    text: &'a str,
    place: Spans<'a>,
    at: usize,
    /// The text before here is in `pieces`.
    copied: usize,
    /// No `{{` before here is ours.
    foreign: usize,
    stack: Vec<Frame>,
    limits: Vec<Limit>,
    attributes: Attributes,
    pieces: Vec<Piece<Template>>,
    faults: Vec<Fault>,
}

/// Where the body of a here-document ends, whatever is open in it.
struct Limit {
    end: usize,
    /// After the line that ends it.
    resume: usize,
    /// How many frames were open around it.
    depth: usize,
}

impl<'a> Lexer<'a> {
    fn read(&mut self) {
        loop {
            if self.faults.len() >= MOST_FAULTS {
                break;
            } else if self.at < self.limit() {
                self.step();
            } else if let Some(limit) = self.limits.pop() {
                self.leave_to(limit.depth);
                self.at = limit.resume;
                self.open_documents();
            } else {
                break;
            }
        }
        self.end_word();
        self.leave_to(0);
    }

    /// Another interpreter's script: its quotes are not ours to know.
    fn read_foreign(&mut self) {
        while let Some(found) = self.rest().find("{{")
            && self.faults.len() < MOST_FAULTS
        {
            self.at += found;
            match braces::read(self.text, self.at) {
                Ok(Braces::Ours { inner, end }) => {
                    if !self.put_braces(&inner, end) {
                        self.faults.push(fault::interpreter(self.text, self.at..end));
                    }
                    self.at = end;
                }
                Ok(Braces::Foreign { end }) => self.at = end,
                Err(_) => self.at += "{{".len(),
            }
        }
    }

    fn step(&mut self) {
        if let Some((inner, end)) = self.braces(self.at) {
            self.put(&inner, end);
            return;
        }
        let Some(c) = self.next() else { return };
        match (self.stack.last_mut(), c) {
            (_, '\\') => self.escape(),
            (_, '`') => self.flat(Flat::Backticks, self.limit()),
            (_, '$') => self.dollar(),
            (Some(Frame::Words(_)), _) => self.words(c),
            (Some(Frame::Double), '"') | (Some(Frame::Expansion { .. }), '}') => {
                self.at += 1;
                self.stack.pop();
            }
            (Some(Frame::Expansion { quotes: Quotes::None, .. }), '\'') => {
                self.flat(Flat::Quotes, self.limit());
            }
            (Some(Frame::Expansion { .. } | Frame::Arithmetic { .. }), '"') => self.open_double(),
            (Some(Frame::Arithmetic { depth, brackets }), _) => {
                if c == brackets.0 {
                    *depth += 1;
                } else if c == brackets.1 {
                    *depth -= 1;
                }
                let over = *depth == 0;
                self.at += c.len_utf8();
                if over {
                    self.stack.pop();
                }
            }
            (Some(Frame::Double | Frame::Expansion { .. } | Frame::Document { .. }) | None, _) => {
                self.note(c);
                self.at += c.len_utf8();
            }
        }
    }

    fn escape(&mut self) {
        if let Some((_, end)) = self.braces(self.at + 1) {
            self.faults.push(fault::escaped(self.text, self.at, self.at + 1..end));
            self.note(UNKNOWN);
            self.at = end;
            return;
        }
        self.at += 1;
        if let Some(c) = self.next() {
            if c != '\n' {
                self.note(c);
                self.note_quotes();
            }
            self.at += c.len_utf8();
        }
    }

    fn dollar(&mut self) {
        let open = self.at;
        let rest = &self.rest()[1..];
        let quotes = self.quotes();
        if rest.starts_with('\'') && quotes == Quotes::None {
            return self.flat(Flat::Escapes, self.limit());
        }
        if rest.starts_with('"') && quotes == Quotes::None {
            self.at += 1;
            return self.open_double();
        }
        self.note(UNKNOWN);
        let (length, frame) = if rest.starts_with("((") {
            (2, Some(Frame::Arithmetic { depth: 2, brackets: ('(', ')') }))
        } else if rest.starts_with('(') {
            (1, Some(Frame::Words(Words::new(Kind::Substitution, open))))
        } else if rest.starts_with('{') {
            (1, Some(Frame::Expansion { open, quotes }))
        } else if rest.starts_with('[') {
            (1, Some(Frame::Arithmetic { depth: 1, brackets: ('[', ']') }))
        } else {
            // `$#` begins no comment, and `$$` no second expansion.
            (usize::from(rest.starts_with(['#', '$'])), None)
        };
        self.at += 1 + length;
        self.stack.extend(frame);
    }

    fn open_double(&mut self) {
        self.at += 1;
        self.note_quotes();
        self.stack.push(Frame::Double);
    }

    /// Reads a stretch in which nothing nests, up to `limit` at most.
    fn flat(&mut self, flat: Flat<'_>, limit: usize) {
        let start = self.at;
        let (opening, close) = flat.delimiters();
        self.at += opening.len();
        let inside = self.at;
        let mut values = Vec::new();
        while self.at < limit {
            if let Some((inner, end)) = self.braces(self.at) {
                if !self.put_free(&inner, end) && values.len() < MOST_FAULTS {
                    values.push(self.at..end);
                }
                self.at = end;
                continue;
            }
            let Some(c) = self.next().filter(|&c| Some(c) != close) else { break };
            self.at += c.len_utf8();
            if c == '\\' && flat.escapes() {
                self.at += self.next().map_or(0, char::len_utf8);
            }
        }
        let inside = inside..self.at;
        let closed = self.at < limit && close.is_some_and(|close| close != '\n');
        self.at += usize::from(closed);
        let place = start..self.at;
        let found = values.into_iter().map(|value| fault::flat(self.text, flat, &place, &inside, value));
        self.faults.extend(found);
        match flat {
            Flat::Quotes => {
                self.text[inside].chars().for_each(|c| self.note(c));
                self.note_quotes();
            }
            Flat::Escapes | Flat::Backticks => self.note(UNKNOWN),
            Flat::Comment | Flat::Document(_) => {}
        }
    }

    /// What stands around the code that is read.
    fn quotes(&self) -> Quotes {
        self.stack.last().map_or(Quotes::None, Frame::quotes)
    }

    /// Adds to the word that is read, if it is one.
    fn note(&mut self, c: char) {
        if let Some(words) = self.current_words() {
            words.word.get_or_insert_default().text.push(c);
        }
    }

    fn note_quotes(&mut self) {
        if let Some(words) = self.current_words() {
            words.word.get_or_insert_default().quoted = true;
        }
    }

    /// The words that the lexer adds to: also inside of their double quotes.
    fn current_words(&mut self) -> Option<&mut Words> {
        let depth = self.stack.len().checked_sub(match self.stack.last() {
            Some(Frame::Double) => 2,
            Some(_) | None => 1,
        })?;
        match self.stack.get_mut(depth) {
            Some(Frame::Words(words)) => Some(words),
            Some(_) | None => None,
        }
    }

    /// Leaves frames until `depth` are open.
    fn leave_to(&mut self, depth: usize) {
        while self.stack.len() > depth {
            if let Some(Frame::Words(words)) = self.stack.pop()
                && let Some(operator) = words.calculates
            {
                let place = words.open..self.at;
                let found = words
                    .values
                    .into_iter()
                    .take(MOST_FAULTS)
                    .map(|value| fault::test(self.text, place.clone(), &operator, value));
                self.faults.extend(found);
            }
        }
    }

    fn limit(&self) -> usize {
        self.limits.last().map_or(self.text.len(), |limit| limit.end)
    }

    fn rest(&self) -> &'a str {
        let limit = self.limit();
        &self.text[self.at.min(limit)..limit]
    }

    fn next(&self) -> Option<char> {
        self.rest().chars().next()
    }
}
