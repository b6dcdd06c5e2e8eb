//! `deploy show NAME`: what a task or an environment is, as the file says it; with `--env`, where each variable of its
//! processes comes from.

use std::fmt::Write as _;
use std::process::ExitCode;

use super::super::args::Common;
use super::super::error::Error;
use super::super::session::Session;
use super::super::{help, print, request};
use crate::diagnostic::Span;
use crate::facts::Manner;
use crate::model::project::{Named, Project};
use crate::model::task::Task;
use crate::plan::origin::{self, Giver, Origin};
use crate::plan::{Asked, Request, select};
use crate::report::columns::columns;

pub(crate) fn show(session: &Session, name: &str) -> Result<ExitCode, Error> {
    let project = &session.project;
    let (about, at, task) = match named(session, name)? {
        Named::Task(index) => {
            let task = &project.tasks[index];
            (&task.about, task.at, Some(task))
        }
        Named::Environment(index) => {
            (&project.environments[index].about, project.environments[index].at, None)
        }
    };
    let mut text = format!("{name} ({})\n", session.line(at));
    if let Some(about) = about {
        text.push_str(about);
        text.push('\n');
    }
    text.push('\n');
    text.push_str(&excerpt(session, at));
    if let Some(task) = task {
        if !task.params.is_empty() {
            let _written = write!(text, "\n{}", help::task::parameters(task));
        }
        let needing = needing(project, task);
        if !needing.is_empty() {
            let _written = writeln!(text, "\nNeeded by {}", needing.join(", "));
        }
    }
    Ok(print(&text))
}

/// `--env`: the variables that processes get, who gives each, and who is beaten.
pub(crate) fn variables(session: &Session, common: &Common, name: &str) -> Result<ExitCode, Error> {
    let (environment, tasks) = match named(session, name)? {
        Named::Task(_) => (common.environment.clone(), vec![Asked::plain(name)]),
        Named::Environment(_) => (Some(name.to_owned()), Vec::new()),
    };
    let request = Request { environment, tasks, set: common.set.clone(), ..Request::default() };
    let site = session.site();
    let (_, origins) = request::answered(session, common, &site, Manner::Look, |facts| {
        origin::origins(&session.project, &request, facts)
    })?;
    let rows = |origins: &[Origin]| {
        let row = |origin: &Origin| {
            let beaten: Vec<String> =
                origin.beaten.iter().rev().map(|giver| called(session, giver)).collect();
            let giver = called(session, &origin.giver);
            let who = if beaten.is_empty() { giver } else { format!("{giver}, not {}", beaten.join(", ")) };
            vec![origin.name.clone(), who, one_line(&origin.value.to_string())]
        };
        columns(&origins.iter().map(row).collect::<Vec<Vec<String>>>())
    };
    let mut text = rows(&origins.all);
    if !origins.of_steps.is_empty() {
        let _written = write!(text, "\nAnd for single steps:\n{}", rows(&origins.of_steps));
    }
    Ok(print(&text))
}

fn named(session: &Session, name: &str) -> Result<Named, Error> {
    let problem = || select::unknown(&session.project, "task or environment", name);
    let found = session.project.names.get(name).copied();
    found.ok_or_else(|| Error::diagnostics(problem().into(), &session.sources))
}

fn called(session: &Session, giver: &Giver) -> String {
    match giver {
        Giver::Dotenv(path) => path.clone(),
        Giver::Caller => "the caller".to_owned(),
        Giver::Deploy => "deploy".to_owned(),
        Giver::Settings => "the settings".to_owned(),
        Giver::Environment(at) => format!("the environment ({})", session.line(*at)),
        Giver::Task(at) => format!("the task ({})", session.line(*at)),
        Giver::Step(at) => format!("the step ({})", session.line(*at)),
    }
}

/// A value of several lines would break the table.
fn one_line(value: &str) -> String {
    value.replace('\n', "\\n")
}

/// The tasks and environments that say they need this one, or call it.
fn needing<'a>(project: &'a Project, task: &Task) -> Vec<&'a str> {
    let environments = project
        .environments
        .iter()
        .filter(|environment| environment.needs.iter().any(|need| need.task == task.name));
    let tasks = project.tasks.iter().filter(|other| {
        other.needs.iter().any(|need| need.task == task.name)
            || other.steps.iter().chain(&other.always).any(|step| step.calls() == Some(&task.name))
    });
    let environments = environments.map(|environment| environment.name.as_str());
    environments.chain(tasks.map(|task| task.name.as_str())).collect()
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
