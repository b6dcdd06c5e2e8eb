//! The flags of deploy, as clap knows them: which there are, and whose value is the word behind.

use std::cell::LazyCell;
use std::ffi::OsString;

use clap::{Command, CommandFactory};

use super::args::Run;

/// The flags of deploy that a command takes.
pub(crate) struct Flags {
    /// Those of every command. Most lines have no flag, and then clap need not be asked.
    common: LazyCell<Vec<Flag>>,
    /// Those of one command.
    own: Vec<Flag>,
}

struct Flag {
    long: Option<String>,
    short: Option<char>,
    value: Takes,
}

/// Whether a flag has a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    /// In the next word, or after `=`.
    Value,
    /// After `=` alone.
    Attached,
}

impl Flags {
    /// Those that every command takes.
    pub(crate) fn common() -> Flags {
        let common: LazyCell<Vec<Flag>> = LazyCell::new(|| {
            let help = |long: &str, short| Flag { long: Some(long.to_owned()), short, value: Takes::Nothing };
            let more = [help("help", Some('h')), help("version", Some('V'))];
            flags(&Run::command()).chain(more).collect()
        });
        Flags { common, own: Vec::new() }
    }

    /// With those of one command.
    pub(crate) fn and(mut self, command: &Command) -> Flags {
        self.own = flags(command).collect();
        self
    }

    fn all(&self) -> impl Iterator<Item = &Flag> {
        self.common.iter().chain(&self.own)
    }

    /// Their long names.
    pub(super) fn longs(&self) -> impl Iterator<Item = &str> {
        self.all().filter_map(|flag| flag.long.as_deref())
    }

    fn long(&self, name: &str) -> Option<&Flag> {
        self.all().find(|flag| flag.long.as_deref() == Some(name))
    }

    fn short(&self, letter: char) -> Option<&Flag> {
        self.all().find(|flag| flag.short == Some(letter))
    }

    /// Whether the word after this one is its value.
    pub(super) fn takes_next(&self, word: &str) -> bool {
        if let Some(long) = word.strip_prefix("--") {
            return !long.contains('=') && self.long(long).is_some_and(|flag| flag.value == Takes::Value);
        }
        let Some(letters) = word.strip_prefix('-') else { return false };
        for (index, letter) in letters.char_indices() {
            match self.short(letter).map(|flag| flag.value) {
                Some(Takes::Value) => return index + letter.len_utf8() == letters.len(),
                Some(Takes::Nothing) => {}
                Some(Takes::Attached) | None => return false,
            }
        }
        false
    }

    /// Whether a word is one of these flags, with its value or without.
    pub(super) fn has(&self, word: &str) -> bool {
        match word.strip_prefix("--") {
            Some(long) => self.long(long.split('=').next().unwrap_or(long)).is_some(),
            None => word
                .strip_prefix('-')
                .and_then(|letters| letters.chars().next())
                .is_some_and(|letter| self.short(letter).is_some()),
        }
    }

    /// These flags alone, with their values; and where the first word stands that is no flag.
    pub(crate) fn among(&self, arguments: &[OsString]) -> (Vec<OsString>, Option<usize>) {
        let (mut ours, mut first, mut at) = (Vec::new(), None, 0);
        while let Some(argument) = arguments.get(at) {
            let word = argument.to_string_lossy();
            if word == "--" {
                break;
            }
            if is_flag(&word) {
                if self.has(&word) {
                    let end = if self.takes_next(&word) { at + 2 } else { at + 1 };
                    ours.extend(arguments[at..end.min(arguments.len())].iter().cloned());
                    at = end;
                    continue;
                }
            } else if first.is_none() {
                first = Some(at);
            }
            at += 1;
        }
        (ours, first)
    }
}

fn flags(command: &Command) -> impl Iterator<Item = Flag> {
    command.get_arguments().filter(|argument| !argument.is_positional()).map(|argument| Flag {
        long: argument.get_long().map(str::to_owned),
        short: argument.get_short(),
        value: match (argument.get_action().takes_values(), argument.is_require_equals_set()) {
            (false, _) => Takes::Nothing,
            (true, false) => Takes::Value,
            (true, true) => Takes::Attached,
        },
    })
}

/// Whether a word among these is a flag, or is not to be read as one. Without any, words are names and values alone.
pub(super) fn any(words: &[OsString]) -> bool {
    words.iter().any(|word| is_flag(&word.to_string_lossy()))
}

/// A word that is no name and no value by itself; `-` alone is one.
pub(super) fn is_flag(word: &str) -> bool {
    word.len() > 1 && word.starts_with('-')
}
