//! What of a release deserves a second look: migrations, and what pip would install otherwise than now.

use serde_json::{Value, json};

use super::line;
use crate::facts::{Interest, Survey};
use crate::release::requirements::Change;
use crate::release::tree::{Differing, How};
use crate::report::requirements::{self, note, side};

/// For people; nothing where there is nothing to look at.
pub(super) fn text(survey: &Survey, text: &mut String) {
    let Some(interest) = &survey.interest else {
        if survey.circumstances.live.is_some() {
            line(
                text,
                "  migrations and requirements that change can't be told: what is live is not in this clone",
            );
        }
        return;
    };
    if !interest.migrations.is_empty() {
        line(text, "  migrations among what changes");
        for Differing { path, how } in &interest.migrations {
            line(text, &format!("    {} {path}", sign(*how)));
        }
    }
    if !interest.requirements.is_empty() {
        line(text, "  requirements that change");
        for change in &interest.requirements {
            line(text, &format!("    {}{}", changed(change), note(change.role)));
        }
    }
}

/// The migrations for programs.
pub(super) fn migrations(interest: &Interest) -> Vec<Value> {
    let object = |Differing { path, how }: &Differing| json!({ "path": path, "how": word(*how) });
    interest.migrations.iter().map(object).collect()
}

/// The changes of requirements for programs.
pub(super) fn requirements(interest: &Interest) -> Vec<Value> {
    requirements::json(&interest.requirements, "before", "after")
}

fn changed(change: &Change) -> String {
    match (change.before.as_slice(), change.after.as_slice()) {
        ([], after) => format!("+ {}", side(after)),
        (before, []) => format!("- {}", side(before)),
        (before, after) => format!("~ {} -> {}", side(before), side(after)),
    }
}

fn sign(how: How) -> char {
    match how {
        How::Added => '+',
        How::Changed => '~',
        How::Removed => '-',
    }
}

fn word(how: How) -> &'static str {
    match how {
        How::Added => "added",
        How::Changed => "changed",
        How::Removed => "removed",
    }
}
