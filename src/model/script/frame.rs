//! What the lexer remembers of the shell code that it is inside of. A stack of frames, so that depth costs no
//! stack of ours.

use std::collections::VecDeque;
use std::ops::Range;

use super::command::Command;

/// A stretch of code that has rules of its own, from where it was opened to where the lexer is.
#[derive(Debug)]
pub(super) enum Frame {
    /// Words and operators.
    Words(Box<Words>),
    /// `"…"`
    Double,
    /// `${…}`, whose `$` is at this byte.
    Expansion { open: usize, quotes: Quotes },
    /// `$((…))`, `((…))`, `$[…]`: how many brackets are open, and which kind closes them.
    Arithmetic { depth: usize, brackets: (char, char) },
    /// The body of an unquoted here-document, and the shell that reads it as code, if one does.
    Document { reader: Option<String> },
}

/// Whether double quotes, or what works like them, stand around something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quotes {
    Double,
    None,
}

impl Frame {
    /// What stands around the code in it.
    pub(super) fn quotes(&self) -> Quotes {
        match self {
            Frame::Double | Frame::Document { .. } | Frame::Arithmetic { .. } => Quotes::Double,
            Frame::Expansion { quotes, .. } => *quotes,
            Frame::Words(_) => Quotes::None,
        }
    }
}

/// A stretch in which nothing nests, and no value can be bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flat<'h> {
    /// `'…'`
    Quotes,
    /// `$'…'`
    Escapes,
    Backticks,
    Comment,
    /// The body of a here-document whose word is quoted.
    Document(&'h Heredoc),
}

impl Flat<'_> {
    /// How it begins and what ends it. A comment's newline and a document's last line are not its own.
    pub(super) fn delimiters(self) -> (&'static str, Option<char>) {
        match self {
            Flat::Quotes => ("'", Some('\'')),
            Flat::Escapes => ("$'", Some('\'')),
            Flat::Backticks => ("`", Some('`')),
            Flat::Comment => ("#", Some('\n')),
            Flat::Document(_) => ("", None),
        }
    }

    /// Whether a backslash keeps the next character from ending it.
    pub(super) fn escapes(self) -> bool {
        match self {
            Flat::Escapes | Flat::Backticks => true,
            Flat::Quotes | Flat::Comment | Flat::Document(_) => false,
        }
    }
}

/// What a stretch of words is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The script itself.
    Top,
    /// `( … )`
    Subshell,
    /// `$( … )`, `<( … )` and bash's `@( … )`: part of a word.
    Substitution,
    /// `NAME=( … )`
    Array,
    /// `[[ … ]]`
    Test,
}

/// How far a `case` has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    Subject,
    In,
    Patterns,
    Body,
}

/// A word as far as it has been read.
#[derive(Debug, Default)]
pub(super) struct Word {
    /// Without its quotes; [`UNKNOWN`] stands for what only the shell, or a value, will tell.
    pub(super) text: String,
    pub(super) quoted: bool,
}

/// Stands in a [`Word`] for what can't be known before the script runs.
pub(super) const UNKNOWN: char = '\0';

/// What the next word is for, after a redirection operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Redirect {
    File,
    /// `>&` and `<&`.
    Duplicate,
    /// `<<<`
    Text,
}

/// A here-document whose body has not come yet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Heredoc {
    pub(super) word: Range<usize>,
    pub(super) delimiter: String,
    pub(super) quoted: bool,
    /// `<<-`: tabs before the delimiter are dropped.
    pub(super) tabs: bool,
    /// The shell that reads the document as code, if one does.
    pub(super) reader: Option<String>,
}

/// Words being read: a list of commands, an array's elements, a test.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) kind: Kind,
    pub(super) open: usize,
    pub(super) command: Command,
    pub(super) word: Option<Word>,
    pub(super) redirect: Option<Redirect>,
    pub(super) cases: Vec<Case>,
    pub(super) heredocs: VecDeque<Heredoc>,
    /// In a test: the operator that makes bash calculate, and all values so far.
    pub(super) calculates: Option<String>,
    pub(super) values: Vec<Range<usize>>,
}

impl Words {
    pub(super) fn new(kind: Kind, open: usize) -> Box<Words> {
        Box::new(Words {
            kind,
            open,
            command: Command::default(),
            word: None,
            redirect: None,
            cases: Vec::new(),
            heredocs: VecDeque::new(),
            calculates: None,
            values: Vec::new(),
        })
    }

    /// What has been read of the word.
    pub(super) fn prefix(&self) -> &str {
        self.word.as_ref().map_or("", |word| &word.text)
    }

    /// Whether a `case` waits for its patterns here.
    pub(super) fn at_patterns(&self) -> bool {
        self.cases.last() == Some(&Case::Patterns)
    }

    /// Whether what is read is a command, and not an array, a test or a part of `case`.
    pub(super) fn is_command(&self) -> bool {
        match self.kind {
            Kind::Array | Kind::Test => false,
            Kind::Top | Kind::Subshell | Kind::Substitution => {
                matches!(self.cases.last(), None | Some(Case::Body))
            }
        }
    }
}
