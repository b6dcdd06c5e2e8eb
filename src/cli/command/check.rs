//! `deploy check`: whether the file can be trusted. Reading it found its own mistakes; here every task is planned,
//! in every environment, as far as that can be told without looking at the world.

use std::process::ExitCode;

use anstream::eprintln;
use serde::Serialize;

use super::super::error::Error;
use super::super::print;
use super::super::session::{Session, Unread};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity, Source};
use crate::facts;
use crate::plan::{check, lint};

pub(crate) fn check(session: &Session) -> Result<ExitCode, Error> {
    wrong(session).map_err(|problems| Error::diagnostics(problems, &session.sources))?;
    let warnings = lint::lint(&session.project);
    let said =
        if warnings.is_empty() { String::new() } else { format!(", {}", count(warnings.len(), "warning")) };
    if !warnings.is_empty() {
        eprintln!("{}\n", warnings.render(&session.sources));
    }
    let (environments, tasks) = (session.project.environments.len(), session.project.tasks.len());
    let path = &session.sources[0].path;
    let found = format!("{}, {}{said}", count(environments, "environment"), count(tasks, "task"));
    Ok(print(&format!("{path}: good ({found})\n")))
}

/// `--json`: errors and warnings as a list, for editors and CI. Exit code 2 as without it, if there is an error.
pub(crate) fn json(session: Result<&Session, Unread>) -> Result<ExitCode, Error> {
    let unread;
    let (problems, sources) = match session {
        Ok(session) => {
            let mut problems = wrong(session).err().unwrap_or_default();
            problems.extend([lint::lint(&session.project)]);
            (problems, session.sources.as_slice())
        }
        Err(Unread::Wrong(problems, sources)) => {
            unread = sources;
            (problems, unread.as_slice())
        }
        Err(unfound @ Unread::Unfound(_)) => return Err(unfound.into()),
    };
    let entries: Vec<Entry<'_>> = problems.iter().map(|problem| entry(problem, sources)).collect();
    let printed = print(&(serde_json::to_string_pretty(&entries).expect("plain data") + "\n"));
    let is_wrong = problems.iter().any(|problem| problem.severity == Severity::Error);
    Ok(if is_wrong { ExitCode::from(2) } else { printed })
}

/// What can't be planned.
fn wrong(session: &Session) -> Result<(), Diagnostics> {
    let facts = facts::assumed(&session.root, session.env.clone(), &session.project.environments);
    check::check(&session.project, &facts)
}

/// A problem as `--json` tells it. Lines and columns (of characters) count from 1; an end is behind the last one.
#[derive(Serialize)]
struct Entry<'a> {
    severity: &'static str,
    message: &'a str,
    /// The first is the one that is meant.
    places: Vec<Place<'a>>,
    help: &'a [String],
}

#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    label: &'a str,
}

fn entry<'a>(problem: &'a Diagnostic, sources: &'a [Source]) -> Entry<'a> {
    let places = problem.labels.iter().filter_map(|(span, label)| {
        let source = sources.get(span.source as usize)?;
        let (line, column) = source.position(span.start);
        let (end_line, end_column) = source.position(span.end);
        Some(Place { file: &source.path, line, column, end_line, end_column, label })
    });
    let severity = match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    Entry { severity, message: &problem.message, places: places.collect(), help: &problem.help }
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
