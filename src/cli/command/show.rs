//! `deploy show NAME`: what a task or an environment is, as the file says it.

use std::process::ExitCode;

use super::super::error::Error;
use super::super::print;
use super::super::session::Session;
use crate::diagnostic::Span;
use crate::model::project::Named;
use crate::plan::select;

pub(crate) fn show(session: &Session, name: &str) -> Result<ExitCode, Error> {
    let project = &session.project;
    let Some(named) = project.names.get(name) else {
        let problem = select::unknown(project, "task or environment", name);
        return Err(Error::diagnostics(problem.into(), &session.sources));
    };
    let (about, at) = match named {
        Named::Task(index) => (&project.tasks[*index].about, project.tasks[*index].at),
        Named::Environment(index) => (&project.environments[*index].about, project.environments[*index].at),
    };
    let mut text = format!("{name} ({})\n", session.line(at));
    if let Some(about) = about {
        text.push_str(about);
        text.push('\n');
    }
    text.push('\n');
    text.push_str(&excerpt(session, at));
    Ok(print(&text))
}

/// The lines of the file from a name's own to the next table.
fn excerpt(session: &Session, at: Span) -> String {
    let text = &session.sources[at.source as usize].text;
    let start = text[..at.start as usize].rfind('\n').map_or(0, |end| end + 1);
    let mut shown = String::new();
    for (index, line) in text[start..].lines().enumerate() {
        if index > 0 && line.starts_with('[') {
            break;
        }
        shown.push_str(line);
        shown.push('\n');
    }
    shown.trim_end().to_owned() + "\n"
}
