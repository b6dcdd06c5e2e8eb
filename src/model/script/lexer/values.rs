//! What becomes of a `{{ value }}`: it is bound where it stands, or there is a reason why it can't be.

use std::ops::Range;

use super::Lexer;
use crate::model::script::command::{Hazard, Target};
use crate::model::script::fault;
use crate::model::script::frame::{Frame, Kind, Redirect, UNKNOWN, Words};
use crate::model::script::{Piece, Place};
use crate::model::template::braces::{self, Braces};
use crate::model::template::{Expression, Fault, Template};

/// How deep a value may stand in brackets, each of which is asked about it: far deeper than anybody reads.
const DEEPEST: usize = 200;

impl Lexer<'_> {
    /// Takes the value at `self.at`: binds it, or says why not.
    pub(super) fn put(&mut self, inner: &Range<usize>, end: usize) {
        let value = self.at..end;
        if !self.put_free(inner, end) {
            if let Some(fault) = self.refusal(value) {
                self.faults.push(fault);
            } else {
                let word = Template::value(Expression::new(self.text, inner.clone(), self.place));
                let place = self.place_of(end);
                self.push_piece(Piece::Value { words: vec![word], place }, end);
            }
        }
        self.note(UNKNOWN);
        self.at = end;
    }

    /// Takes what may stand anywhere: `{{ raw(x) }}`, and `{{ "{{" }}` for braces as text.
    pub(super) fn put_free(&mut self, inner: &Range<usize>, end: usize) -> bool {
        if self.put_braces(inner, end) {
            return true;
        }
        let raw = Expression::new(self.text, inner.clone(), self.place).as_raw();
        let is_raw = raw.is_some();
        if let Some(raw) = raw {
            self.push_piece(Piece::Raw(Template::value(raw)), end);
        }
        is_raw
    }

    /// Takes `{{ "{{" }}`.
    pub(super) fn put_braces(&mut self, inner: &Range<usize>, end: usize) -> bool {
        let is_braces = braces::literal(&self.text[inner.clone()]) == Some("{{");
        if is_braces {
            self.push_piece(Piece::Code("{{".to_owned()), end);
        }
        is_braces
    }

    /// Why the value can't be bound where the lexer is; the nearest reason.
    pub(super) fn refusal(&mut self, value: Range<usize>) -> Option<Fault> {
        let text = self.text;
        let rest = &text[value.end..self.limit()];
        if self.stack.len() > DEEPEST {
            return Some(fault::deep(&text[value.clone()], value));
        }
        // Whether the value itself is seen, and not what a command prints that was given it.
        let mut direct = true;
        for frame in self.stack.iter().rev() {
            match frame {
                Frame::Double => {}
                Frame::Arithmetic { .. } => return Some(fault::arithmetic(text, value)),
                Frame::Expansion { open, quotes } => {
                    return Some(fault::expansion(text, *open, *quotes, value));
                }
                Frame::Document { reader } => {
                    if let Some(shell) = reader.clone().filter(|_| direct) {
                        return Some(fault::hazard(text, &Hazard::ShellInput(shell), value));
                    }
                    direct = false;
                }
                Frame::Words(words) => {
                    if direct && words.redirect == Some(Redirect::Duplicate) {
                        return Some(fault::duplicate(text, value));
                    }
                    if let Some(hazard) = self.hazard(words, rest).filter(|hazard| direct || hazard.is_deep())
                    {
                        return Some(fault::hazard(text, &hazard, value));
                    }
                    direct = false;
                }
            }
        }
        for frame in &mut self.stack {
            if let Frame::Words(words) = frame
                && words.kind == Kind::Test
            {
                words.values.push(value.clone());
            }
        }
        None
    }

    fn hazard(&self, words: &Words, rest: &str) -> Option<Hazard> {
        let prefix = words.prefix();
        if words.kind == Kind::Array {
            let subscript = prefix.starts_with('[') && !prefix.contains("]=") && !prefix.contains("]+=");
            return subscript.then_some(Hazard::Subscript);
        }
        if words.redirect == Some(Redirect::Text) {
            return words.command.reading_shell().map(|shell| Hazard::ShellInput(shell.to_owned()));
        }
        let is_text = words.redirect.is_some() || !words.is_command();
        if is_text { None } else { words.command.hazard(prefix, rest, &self.attributes) }
    }

    pub(super) fn place_of(&self, end: usize) -> Place {
        match self.stack.last() {
            Some(Frame::Double) => Place::Quoted,
            Some(Frame::Document { .. }) => Place::Heredoc,
            Some(Frame::Words(words)) => {
                let is_list = words.redirect.is_none()
                    && (words.kind == Kind::Array || words.is_command())
                    && !words.command.is_test();
                let assigns = words.is_command() && words.command.takes_assignment();
                if assigns && is_list && matches!(Target::of(words.prefix()), Target::Variable(_)) {
                    Place::Assignment
                } else if is_list && words.word.is_none() && self.word_ends(end) {
                    Place::Bare
                } else {
                    Place::Part
                }
            }
            Some(Frame::Expansion { .. } | Frame::Arithmetic { .. }) | None => Place::Part,
        }
    }

    /// Whether a word ends at byte `at`.
    fn word_ends(&self, at: usize) -> bool {
        let rest = self.text[at..self.limit()].trim_start_matches("\\\n");
        rest.is_empty() || rest.starts_with([' ', '\t', '\n', ';', '&', '|', '<', '>', '(', ')'])
    }

    /// The value of ours that begins at byte `open`.
    pub(super) fn braces(&mut self, open: usize) -> Option<(Range<usize>, usize)> {
        let text = &self.text[..self.limit()];
        if open < self.foreign || !text.get(open..)?.starts_with("{{") {
            return None;
        }
        match braces::read(text, open) {
            Ok(Braces::Ours { inner, end }) => return Some((inner, end)),
            Ok(Braces::Foreign { end }) => self.foreign = end,
            Err(fault) => {
                self.foreign = open + "{{".len();
                self.faults.push(fault);
            }
        }
        None
    }

    pub(super) fn push_code(&mut self, end: usize) {
        if self.copied < end {
            self.pieces.push(Piece::Code(self.text[self.copied..end].to_owned()));
        }
        self.copied = end;
    }

    fn push_piece(&mut self, piece: Piece<Template>, end: usize) {
        self.push_code(self.at);
        self.pieces.push(piece);
        self.copied = end;
    }
}
