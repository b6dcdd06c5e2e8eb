//! `deploy check`: whether the file can be trusted. Reading it found its own mistakes; here every task is planned,
//! in every environment, as far as that can be told without looking at the world.

use std::process::ExitCode;

use super::super::error::Error;
use super::super::print;
use super::super::session::Session;
use crate::facts;
use crate::plan;

pub(crate) fn check(session: &Session) -> Result<ExitCode, Error> {
    let facts = facts::assumed(&session.root, session.env.clone(), &session.project.environments);
    plan::check(&session.project, &facts)
        .map_err(|problems| Error::diagnostics(problems, &session.sources))?;
    let (environments, tasks) = (session.project.environments.len(), session.project.tasks.len());
    let path = &session.sources[0].path;
    Ok(print(&format!("{path}: good ({}, {})\n", count(environments, "environment"), count(tasks, "task"))))
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
