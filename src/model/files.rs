//! Files that are named by patterns: what a task reads, and what it makes.

use serde::{Deserialize, Serialize};

use crate::diagnostic::Span;

/// Patterns in the order of the file: of [`Template`](super::template::Template)s as written, of [`Pattern`]s as planned.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Files<T> {
    pub(crate) patterns: Vec<T>,
    pub(crate) unless: Unless,
    /// Where they are named.
    pub(crate) at: Span,
}

impl<T> Default for Files<T> {
    fn default() -> Files<T> {
        Files { patterns: Vec::new(), unless: Unless::default(), at: Span::default() }
    }
}

impl Files<Pattern> {
    /// The first pattern that leads out of their folder.
    pub(crate) fn outside(&self) -> Option<&Pattern> {
        let is_outside = |pattern: &&Pattern| {
            pattern.glob.starts_with('/') || pattern.glob.split('/').any(|part| part == "..")
        };
        self.patterns.iter().find(is_outside)
    }
}

/// What keeps a file out that a pattern names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Unless {
    #[default]
    Nothing,
    /// What git ignores.
    Ignored,
}

impl Unless {
    /// What a list of patterns is followed by, where it is told.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Unless::Nothing => "",
            Unless::Ignored => " (without what git ignores)",
        }
    }
}

/// A glob, relative to the folder of its task. Of all that match a file, the last one counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Pattern {
    pub(crate) sense: Sense,
    pub(crate) glob: String,
}

/// What a pattern does with the files that it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Sense {
    TakesIn,
    /// `!…`
    LeavesOut,
}

impl Pattern {
    /// The path, if the pattern is nothing else.
    pub(crate) fn as_path(&self) -> Option<&str> {
        (!self.glob.contains(SPECIAL)).then_some(&self.glob)
    }
}

/// What means something in a glob.
pub(crate) const SPECIAL: [char; 6] = ['*', '?', '[', '{', '}', '\\'];

/// As the file says it.
impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.sense {
            Sense::TakesIn => f.write_str(&self.glob),
            Sense::LeavesOut => write!(f, "!{}", self.glob),
        }
    }
}
