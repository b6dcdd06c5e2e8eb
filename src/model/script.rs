//! A shell line, or a script of many, to which values are bound and never pasted: `git tag {{ tag }}` becomes
//! `git tag "${_1}"`, and the value travels in the environment of the shell. So no value can become syntax.
//! What is refused and why is told in docs/design/binding.md. Nothing is run here.

mod command;
mod fault;
mod frame;
mod lexer;
mod simple;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::template::{Fault, Template};
use super::text::Text;
use crate::diagnostic::Span;

/// Shell code with values in it: of [`Template`]s as written, of [`Text`] as planned.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Script<T> {
    pub(crate) pieces: Vec<Piece<T>>,
}

/// A stretch of a script.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Piece<T> {
    /// What the shell reads as it stands.
    Code(String),
    /// A value: one template as written, as planned one text for each word of a list.
    Value { words: Vec<T>, place: Place },
    /// `{{ raw(x) }}`: pasted as code. Whoever plans accepts it only for text that stands in tasks.toml itself.
    Raw(T),
}

/// Where in the shell's grammar a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Place {
    /// A word of its own; a list becomes as many words as it has, also none.
    Bare,
    /// A part of a word, or a place that takes exactly one word: never a list.
    Part,
    /// After `NAME=`: never a list.
    Assignment,
    /// Inside `"…"`; a list is joined by blanks.
    Quoted,
    /// Inside an unquoted here-document; a list is joined by blanks.
    Heredoc,
}

/// A script as the shell gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bound {
    /// Shell code that holds no value.
    pub(crate) line: String,
    /// What the shell's environment must hold for it: `_1`, `_2`, … A value with a NUL can't travel there.
    pub(crate) values: Vec<(String, Text)>,
}

impl Script<Template> {
    /// Takes shell code apart; `place` tells where a range of it stands in its source. Fails with every value
    /// that stands where it can't be bound. A script for another interpreter (`#!`) may hold no value at all.
    pub(crate) fn parse(
        text: &str,
        place: &dyn Fn(Range<usize>) -> Span,
    ) -> Result<Script<Template>, Vec<Fault>> {
        lexer::parse(text, place)
    }

    /// The templates in it, raw ones too, in the order of the text.
    pub(crate) fn templates(&self) -> impl Iterator<Item = &Template> {
        self.pieces.iter().flat_map(|piece| match piece {
            Piece::Code(_) => &[],
            Piece::Value { words, .. } => words.as_slice(),
            Piece::Raw(template) => std::slice::from_ref(template),
        })
    }
}

impl Script<Text> {
    /// The values in it, raw ones too.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Text> {
        self.pieces.iter().flat_map(|piece| match piece {
            Piece::Code(_) => &[],
            Piece::Value { words, .. } => words.as_slice(),
            Piece::Raw(text) => std::slice::from_ref(text),
        })
    }

    /// The code that the shell gets, and the values that it finds in its environment.
    pub(crate) fn bind(&self) -> Bound {
        let mut bound = Bound { line: String::new(), values: Vec::new() };
        for piece in &self.pieces {
            match piece {
                Piece::Code(code) => bound.line.push_str(code),
                Piece::Raw(text) => match text.as_plain() {
                    Some(code) => bound.line.push_str(code),
                    // A secret is no text of tasks.toml. Should one come here all the same, it stays out of the line.
                    None => bound.push_quoted(text.clone()),
                },
                Piece::Value { words, place: Place::Bare } => {
                    for (index, word) in words.iter().enumerate() {
                        bound.line.push_str(if index > 0 { " " } else { "" });
                        bound.push_quoted(word.clone());
                    }
                }
                Piece::Value { words, place: Place::Part | Place::Assignment } => {
                    bound.push_quoted(Text::join(words, " "));
                }
                Piece::Value { words, place: Place::Quoted | Place::Heredoc } => {
                    bound.push(Text::join(words, " "));
                }
            }
        }
        bound
    }
}

impl<T> Script<T> {
    /// What the shell reads as it stands.
    pub(crate) fn code(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Code(code) => Some(code.as_str()),
            Piece::Value { .. } | Piece::Raw(_) => None,
        })
    }

    #[cfg(test)]
    /// The same script with other text; `text` is given every one, also raw ones.
    pub(crate) fn try_map<U, E>(self, text: &mut impl FnMut(T) -> Result<U, E>) -> Result<Script<U>, E> {
        let mut one = |part: T, _: Option<Place>| Ok(vec![text(part)?]);
        self.try_expand(&mut one)
    }

    /// The same script with other text, where one may become many words, or none. `words` is told where each
    /// stands, and nothing for a raw one, of which the first is taken. It must refuse a list where
    /// [`Place::refuses_list`] says so.
    pub(crate) fn try_expand<U, E>(
        self,
        words: &mut impl FnMut(T, Option<Place>) -> Result<Vec<U>, E>,
    ) -> Result<Script<U>, E> {
        let mut pieces = Vec::with_capacity(self.pieces.len());
        for piece in self.pieces {
            match piece {
                Piece::Code(code) => pieces.push(Piece::Code(code)),
                Piece::Raw(text) => pieces.extend(words(text, None)?.into_iter().next().map(Piece::Raw)),
                Piece::Value { words: written, place } => {
                    let mut all = Vec::with_capacity(written.len());
                    for word in written {
                        all.extend(words(word, Some(place))?);
                    }
                    pieces.push(Piece::Value { words: all, place });
                }
            }
        }
        Ok(Script { pieces })
    }
}

impl Place {
    /// The mend for a list of several words or none that stands here; nothing where a list is welcome.
    pub(crate) fn refuses_list(self) -> Option<&'static str> {
        match self {
            Place::Bare | Place::Quoted | Place::Heredoc => None,
            Place::Part => Some(
                "a list becomes words of its own: put blanks around it, or double quotes to join it by blanks",
            ),
            Place::Assignment => {
                Some("a variable holds one word: put double quotes around the list to join it by blanks")
            }
        }
    }
}

impl Bound {
    fn push_quoted(&mut self, value: Text) {
        self.line.push('"');
        self.push(value);
        self.line.push('"');
    }

    fn push(&mut self, value: Text) {
        // A value that stands here twice travels once: the environment of a process has its bounds.
        let index = self.values.iter().position(|(_, known)| *known == value).unwrap_or(self.values.len());
        let name = format!("_{}", index + 1);
        self.line.extend(["${", &name, "}"]);
        if index == self.values.len() {
            self.values.push((name, value));
        }
    }
}

/// The line as a person would have typed it, values quoted where they need it, secrets masked. For reading only.
impl fmt::Display for Script<Text> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.pieces {
            match piece {
                Piece::Code(code) => f.write_str(code)?,
                Piece::Raw(text) => write!(f, "{text}")?,
                Piece::Value { words, place } => {
                    let words: Vec<String> =
                        words.iter().map(|word| shown(&word.to_string(), *place)).collect();
                    f.write_str(&words.join(" "))?;
                }
            }
        }
        Ok(())
    }
}

fn shown(value: &str, place: Place) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:@%+=,*".contains(c);
    match place {
        Place::Bare | Place::Part | Place::Assignment if !value.is_empty() && value.chars().all(plain) => {
            value.to_owned()
        }
        Place::Bare | Place::Part | Place::Assignment => format!("'{}'", value.replace('\'', r"'\''")),
        Place::Quoted => escaped(value, &['\\', '"', '$', '`']),
        Place::Heredoc => escaped(value, &['\\', '$', '`']),
    }
}

fn escaped(value: &str, special: &[char]) -> String {
    value.chars().flat_map(|c| special.contains(&c).then_some('\\').into_iter().chain([c])).collect()
}
