//! `deploy list`: what there is. It reads the file, and nothing else.

use std::fmt::Write as _;
use std::process::ExitCode;

use super::super::print;
use super::super::session::Session;
use crate::model::project::Project;
use crate::model::target::Target;
use crate::model::task::{Listing, Task};

pub(crate) fn list(session: &Session) -> ExitCode {
    print(&listing(&session.project))
}

fn listing(project: &Project) -> String {
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
        section(
            group,
            of_group.map(|task| (task.name.as_str(), task.about.clone().unwrap_or_default())),
            &mut text,
        );
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
