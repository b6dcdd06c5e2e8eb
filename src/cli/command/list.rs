//! `deploy list`: what there is. It reads the file, and nothing else; with `--fresh` also what tasks read and make.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::iter;
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
    print(&listing(&session.project, about))
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
        format!("{state:STATE$}  {}", about(task)).into()
    };
    print(&listing(&session.project, told))
}

/// What a task is for, and where it is done if that is on hosts.
fn about(task: &Task) -> Cow<'_, str> {
    let about = task.about.as_deref().unwrap_or_default();
    match task.hosts().as_slice() {
        [] => about.into(),
        hosts => format!("{about} (on {})", hosts.join(", ")).trim_start().to_owned().into(),
    }
}

/// The width of the longest word about a state.
const STATE: usize = "known when run".len();

fn listing<'p>(project: &'p Project, told: impl Fn(&'p Task) -> Cow<'p, str>) -> String {
    let mut text = String::new();
    if let Some(about) = &project.about {
        let _written = writeln!(text, "{about}\n");
    }
    let environments = project.environments.iter().map(|environment| {
        let kind = environment.target.as_ref().map(|target| match target {
            Target::Git(_) => "deploys to a git target".into(),
            Target::Server(_) => "deploys to a server target".into(),
            Target::Command(_) => "deploys to a command target".into(),
            Target::Zappa(_) => "deploys to AWS Lambda by Zappa".into(),
            Target::PythonAnywhere(_) => "deploys to PythonAnywhere".into(),
            Target::Platform(platform) => Cow::Owned(format!("deploys to {}", platform.service.title())),
        });
        (
            environment.name.as_str(),
            environment.about.as_deref().map(Cow::Borrowed).or(kind).unwrap_or_default(),
        )
    });
    section("Environments", environments, &mut text);
    for (group, tasks) in groups(project) {
        section(group, tasks.into_iter().map(|task| (task.name.as_str(), told(task))), &mut text);
    }
    if text.is_empty() {
        text.push_str("tasks.toml is empty: there is no environment and no task yet\n");
    }
    text
}

/// The tasks that are shown, under their headings, in the order of the file.
fn groups(project: &Project) -> Vec<(&str, Vec<&Task>)> {
    let mut groups: Vec<(&str, Vec<&Task>)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for task in project.tasks.iter().filter(|task| task.listing == Listing::Shown) {
        let group = heading(project, task);
        // Most tasks stand behind one of their own group.
        let place = match groups.last() {
            Some((last, _)) if *last == group => groups.len() - 1,
            Some(_) | None => *places.entry(group).or_insert(groups.len()),
        };
        if place == groups.len() {
            groups.push((group, Vec::new()));
        }
        groups[place].1.push(task);
    }
    groups
}

/// What a task is listed under: its group, or the namespace of its file.
fn heading<'a>(project: &'a Project, task: &'a Task) -> &'a str {
    let namespace = project.file(task.at).prefix.trim_end_matches(':');
    task.group.as_deref().unwrap_or(if namespace.is_empty() { TASKS } else { namespace })
}

/// The heading of tasks without a group.
const TASKS: &str = "Tasks";

fn section<'a>(title: &str, entries: impl Iterator<Item = (&'a str, Cow<'a, str>)>, text: &mut String) {
    let entries: Vec<(&str, Cow<'_, str>)> = entries.collect();
    let Some(width) = entries.iter().map(|(name, _)| name.chars().count()).max() else { return };
    if !text.is_empty() && !text.ends_with("\n\n") {
        text.push('\n');
    }
    text.extend([title, "\n"]);
    for (name, about) in entries {
        let about = about.trim_end();
        text.extend(["  ", name]);
        if !about.is_empty() {
            let blanks = width - name.chars().count() + "  ".len();
            text.extend(iter::repeat_n(' ', blanks));
            text.push_str(about);
        }
        text.push('\n');
    }
}
