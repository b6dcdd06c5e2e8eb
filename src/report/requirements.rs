//! What pip is told, and in what two such lists differ: for people, and for programs.

use serde_json::{Value, json};

use crate::release::pip::Role;
use crate::release::requirements::{Change, Requirement};

/// One side of a change.
pub(super) fn side(requirements: &[Requirement]) -> String {
    let written: Vec<&str> = requirements.iter().map(|requirement| requirement.written.as_str()).collect();
    written.join(" and ")
}

/// What stands behind a change that installs nothing by itself.
pub(super) fn note(role: Role) -> &'static str {
    match role {
        Role::Wanted => "",
        Role::Constraint => " (constraint)",
    }
}

/// The changes for programs, with these names for the two sides.
pub(super) fn json(changes: &[Change], before: &str, after: &str) -> Vec<Value> {
    let side = |requirements: &[Requirement]| -> Vec<Value> {
        let object =
            |requirement: &Requirement| json!({ "written": requirement.written, "file": requirement.file });
        requirements.iter().map(object).collect()
    };
    let object = |change: &Change| {
        let role = match change.role {
            Role::Wanted => "requirement",
            Role::Constraint => "constraint",
        };
        json!({ "what": change.what, "role": role, before: side(&change.before), after: side(&change.after) })
    };
    changes.iter().map(object).collect()
}
