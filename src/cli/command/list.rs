//! `deploy list`: what there is. It reads the file, and nothing else; with `--fresh` also what tasks read and make.

use std::fmt::Write as _;
use std::process::ExitCode;

use super::super::args::{Common, Words};
use super::super::session::Session;
use super::super::{print, request};
use crate::facts;
use crate::fresh::Records;
use crate::fresh::survey::Survey;
use crate::model::project::Project;
use crate::model::target::Target;
use crate::model::task::{Listing, Task};
use crate::report::freshness::{self, State};

pub(crate) fn list(session: &Session) -> ExitCode {
    print(&listing(&session.project, &|task| task.about.clone().unwrap_or_default()))
}

/// The list, with a word about whether each task has something to do. Nothing is run, and nothing is written.
pub(crate) fn fresh(session: &Session, common: &Common) -> ExitCode {
    let site = session.site();
    let records = Records::read(&site.state);
    let state = |task: &Task| {
        let words = Words { names: vec![task.name.clone()], ..Words::default() };
        let request = request::requests(session, common, &words).ok()?.pop()?;
        // What can't be planned without a word more, such as a parameter, has no state.
        let (_, plan) = request::planned(session, common, &site, &request, facts::Manner::Look).ok()?;
        Some(freshness::asked(&plan, &Survey::of(&plan, &records).0))
    };
    let told = |task: &Task| {
        let state = match state(task) {
            Some(State::Fresh) => "fresh",
            Some(State::Stale) => "stale",
            Some(State::KnownWhenRun) => "known when run",
            Some(State::Always) | None => "-",
        };
        format!("{state:STATE$}  {}", task.about.as_deref().unwrap_or_default())
    };
    print(&listing(&session.project, &told))
}

/// The width of the longest word about a state.
const STATE: usize = "known when run".len();

fn listing(project: &Project, told: &dyn Fn(&Task) -> String) -> String {
    let environments = project.environments.iter().map(|environment| {
        let kind = environment.target.as_ref().map(|target| match target {
            Target::Git(_) => "git",
            Target::Server(_) => "server",
            Target::Command(_) => "command",
        });
        let about =
            environment.about.clone().or_else(|| kind.map(|kind| format!("deploys to a {kind} target")));
        (environment.name.as_str(), about.unwrap_or_default())
    });
    let mut text = String::new();
    if let Some(about) = &project.about {
        let _written = writeln!(text, "{about}\n");
    }
    section("Environments", environments, &mut text);
    let mut groups: Vec<&str> = Vec::new();
    let shown = || project.tasks.iter().filter(|task| task.listing == Listing::Shown);
    for task in shown() {
        let group = heading(project, task);
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    for group in groups {
        let of_group = shown().filter(|task| heading(project, task) == group);
        section(group, of_group.map(|task| (task.name.as_str(), told(task))), &mut text);
    }
    if text.is_empty() {
        text.push_str("tasks.toml is empty: there is no environment and no task yet\n");
    }
    text
}

/// What a task is listed under: its group, or the namespace of its file.
fn heading<'a>(project: &'a Project, task: &'a Task) -> &'a str {
    let namespace = project.file(task.at).prefix.trim_end_matches(':');
    task.group.as_deref().unwrap_or(if namespace.is_empty() { TASKS } else { namespace })
}

/// The heading of tasks without a group.
const TASKS: &str = "Tasks";

fn section<'a>(title: &str, entries: impl Iterator<Item = (&'a str, String)>, text: &mut String) {
    let entries: Vec<(&str, String)> = entries.collect();
    let width = entries.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    if entries.is_empty() {
        return;
    }
    if !text.is_empty() && !text.ends_with("\n\n") {
        text.push('\n');
    }
    text.push_str(title);
    text.push('\n');
    for (name, about) in entries {
        let line = format!("  {name:width$}  {about}");
        text.push_str(line.trim_end());
        text.push('\n');
    }
}
