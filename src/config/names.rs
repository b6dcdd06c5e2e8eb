//! Names of tasks, as a file says them, become whole: first a name of its own namespace is meant, then one further out.
//! So nobody after this has to know of namespaces.

use std::collections::HashMap;
use std::path::Path;

use crate::diagnostic::{Diagnostic, Diagnostics, Span};
use crate::model::project::{File, Named, Project};
use crate::model::step::{Action, Step, Written};
use crate::model::swap::Content;
use crate::model::task::Need;
use crate::model::template::{Part, Template};

/// Makes every name of a task whole, and every path of a `swap` step relative to the root.
pub(crate) fn resolve(project: &mut Project) -> Diagnostics {
    let mut problems = Diagnostics::default();
    if project.files.len() < 2 {
        return problems;
    }
    let Project { environments, tasks, files, names, .. } = project;
    let space = Space { files, names };
    for environment in environments {
        space.needs(&mut environment.needs);
        if let Some((name, at)) = &mut environment.deploy {
            space.whole(name, *at);
        }
    }
    for task in tasks {
        space.needs(&mut task.needs);
        for (name, at) in &mut task.after {
            space.whole(name, *at);
        }
        space.steps(&mut task.steps, &mut problems);
        space.steps(&mut task.always, &mut problems);
    }
    problems
}

struct Space<'a> {
    files: &'a [File],
    names: &'a HashMap<String, Named>,
}

impl Space<'_> {
    fn whole(&self, name: &mut String, at: Span) {
        let mut prefix = self.files[at.source as usize].prefix.as_str();
        while !prefix.is_empty() {
            let whole = format!("{prefix}{name}");
            if self.names.contains_key(&whole) {
                *name = whole;
                return;
            }
            prefix = outer(prefix);
        }
    }

    fn needs(&self, needs: &mut [Need]) {
        for need in needs {
            self.whole(&mut need.task, need.at);
        }
    }

    fn steps(&self, steps: &mut [Step<Written>], problems: &mut Diagnostics) {
        for step in steps {
            let folder = &self.files[step.at.source as usize].folder;
            match &mut step.action {
                Action::Task(call) => self.whole(&mut call.task, call.at),
                Action::Swap(swaps) if !folder.as_os_str().is_empty() => {
                    if folder.is_absolute() {
                        problems.push(
                            Diagnostic::new("files are swapped inside the project alone")
                                .at(step.at, format!("this task's folder is `{}`", folder.display()))
                                .help("move the task into the project's own tasks.toml"),
                        );
                    }
                    for swap in swaps {
                        swap.path = inside(folder, &swap.path);
                        if let Content::From(from) = &mut swap.content {
                            push_front(from, &inside(folder, ""));
                        }
                    }
                }
                Action::Run(_)
                | Action::Exec(_)
                | Action::Swap(_)
                | Action::Ship
                | Action::Check(_)
                | Action::Http(_)
                | Action::Put(_)
                | Action::Get(_)
                | Action::Backup(_)
                | Action::Restore(_) => {}
                Action::PutBack(never) | Action::Fleet(never) => match *never {},
            }
            self.steps(&mut step.undo, problems);
        }
    }
}

/// The namespace around: `a:` of `a:b:`.
pub(super) fn outer(prefix: &str) -> &str {
    let inner = prefix.trim_end_matches(':');
    inner.rfind(':').map_or("", |end| &prefix[..=end])
}

fn inside(folder: &Path, path: &str) -> String {
    format!("{}/{path}", folder.display())
}

fn push_front(template: &mut Template, text: &str) {
    match template.parts.first_mut() {
        Some(Part::Plain(plain)) => plain.insert_str(0, text),
        Some(Part::Value(_)) | None => template.parts.insert(0, Part::Plain(text.to_owned())),
    }
}
