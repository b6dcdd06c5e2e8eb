//! Why a task's work is not done: what is other than when it was last done. Sentences for people.

use std::cmp::Ordering;
use std::fmt;

use crate::model::tracking::{Facet, Shown};
use crate::model::tree::Tree;

/// Something that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It was never done, as far as is known here.
    NeverDone,
    /// It failed, or was cut off.
    NotFinished,
    /// A need was done since, or is not done.
    Need(String),
    /// Something that is said of it: what it was and is, where that may be shown.
    Said { name: String, was: Option<String>, is: Option<String> },
    /// A file that it reads.
    Input(String, How),
    /// A file that it makes.
    Output(String, How),
    /// Its files can't be read.
    Unreadable(String),
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Appeared,
    Changed,
    Gone,
}

impl Change {
    /// The file that it is about, if it is about one.
    pub(super) fn into_path(self) -> Option<String> {
        match self {
            Change::Input(path, _) | Change::Output(path, _) => Some(path),
            Change::NeverDone
            | Change::NotFinished
            | Change::Need(_)
            | Change::Said { .. }
            | Change::Unreadable(_) => None,
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::NeverDone => f.write_str("it was not done here yet"),
            Change::NotFinished => f.write_str(
                "it did not succeed when it was last run, or did not make all that its `outputs` name",
            ),
            Change::Need(name) => write!(f, "`{name}`, which it needs, was done since"),
            Change::Said { name, was: Some(was), is: Some(is) }
                if !was.contains('\n') && !is.contains('\n') =>
            {
                write!(f, "{name} was `{was}`, and is `{is}`")
            }
            Change::Said { name, was: None, is: Some(_) } => write!(f, "{name} is new"),
            Change::Said { name, was: Some(_), is: None } => write!(f, "{name} is gone"),
            Change::Said { name, .. } => write!(f, "{name} has changed"),
            Change::Input(path, how) => write!(f, "{path} {how}"),
            Change::Output(path, How::Gone) => write!(f, "{path}, which it makes, is gone"),
            Change::Output(path, How::Appeared) => {
                write!(f, "{path} was not there when it had made its files")
            }
            Change::Output(path, How::Changed) => write!(f, "{path}, which it makes, was changed"),
            Change::Unreadable(why) => f.write_str(why),
        }
    }
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            How::Appeared => "is new",
            How::Changed => "has changed",
            How::Gone => "is gone",
        })
    }
}

/// What is said otherwise, in the order of what is said now.
pub(super) fn said(before: &[Facet], now: &[Facet]) -> Vec<Change> {
    let of = |facets: &'_ [Facet], name: &str| facets.iter().find(|facet| facet.name == name).cloned();
    let told = |facet: Facet| match facet.shown {
        Shown::Yes => facet.value,
        // That it changed is all that can be said: a text with a line's end is not shown.
        Shown::No | Shown::Guessed => "\n".to_owned(),
    };
    let mut changes = Vec::new();
    for facet in now.iter().filter(|facet| facet.shown != Shown::Guessed) {
        let before = of(before, &facet.name);
        if before.as_ref().is_none_or(|before| before.value != facet.value) {
            let (was, is) = (before.map(told), Some(told(facet.clone())));
            changes.push(Change::Said { name: facet.name.clone(), was, is });
        }
    }
    let gone = before.iter().filter(|before| of(now, &before.name).is_none());
    changes.extend(gone.map(|facet| Change::Said {
        name: facet.name.clone(),
        was: Some(told(facet.clone())),
        is: None,
    }));
    changes
}

/// What became of files, in the order of their paths.
pub(super) fn files(before: &Tree, now: &Tree, change: fn(String, How) -> Change) -> Vec<Change> {
    let (mut before, mut now) = (before.entries.iter().peekable(), now.entries.iter().peekable());
    let mut changes = Vec::new();
    loop {
        let order = match (before.peek(), now.peek()) {
            (None, None) => return changes,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(before), Some(now)) => before.path.cmp(&now.path),
        };
        match order {
            Ordering::Less => changes.extend(before.next().map(|was| change(was.path.clone(), How::Gone))),
            Ordering::Greater => changes.extend(now.next().map(|is| change(is.path.clone(), How::Appeared))),
            Ordering::Equal => {
                if let (Some(was), Some(is)) = (before.next(), now.next())
                    && (was.kind, was.digest) != (is.kind, is.digest)
                {
                    changes.push(change(is.path.clone(), How::Changed));
                }
            }
        }
    }
}
