//! One file a command; each reads as the table of contents of what it does.

pub(super) mod apply;
pub(super) mod backup;
pub(super) mod check;
pub(super) mod compare;
pub(super) mod complete;
pub(super) mod completions;
pub(super) mod diff;
pub(super) mod graph;
pub(super) mod history;
pub(super) mod in_place;
pub(super) mod list;
pub(super) mod lock;
pub(super) mod logs;
pub(super) mod man;
pub(super) mod plan;
pub(super) mod recover;
pub(super) mod rollback;
pub(super) mod run;
pub(super) mod schema;
pub(super) mod show;
pub(super) mod status;
pub(super) mod watch;
pub(super) mod why;

use crate::model::release::Release;
pub(super) use crate::report::words::minute;

/// For whom data is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    Json,
}

impl Form {
    /// What `--json` says.
    pub(crate) fn of(json: bool) -> Form {
        if json { Form::Json } else { Form::Text }
    }
}

/// A release by its number, and by what it brought back.
fn number(release: &Release) -> String {
    match release.restores {
        Some(earlier) => format!("{} (rollback to {earlier})", release.number),
        None => release.number.to_string(),
    }
}
