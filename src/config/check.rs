//! Names that must mean something: every `needs`, `after`, `task`, `default`, `deploy` and `tz` of the file.

mod backups;
mod hosts;

use std::cell::RefCell;

use super::IsZone;
use super::names::outer;
use crate::diagnostic::{Diagnostic, Diagnostics, Span, nearest};
use crate::model::project::{Named, Project};
use crate::model::step::{Action, Step, Written};
use crate::model::task::Need;
use crate::model::template::Template;

pub(crate) fn check(project: &Project, is_zone: &IsZone<'_>) -> Diagnostics {
    let check = Check { problems: RefCell::default(), project };
    if let Some((name, at)) = &project.default
        && !project.names.contains_key(name)
    {
        check.problem(check.unknown("task or environment", name, *at, |_| true));
    }
    for environment in &project.environments {
        check.needs(&environment.needs);
        if let Some((task, at)) = &environment.deploy {
            check.task(task, *at);
        }
        if let Some((other, at)) = &environment.protect.after {
            check.environment(other, *at);
            if *other == environment.name {
                check.problem(
                    Diagnostic::new(format!("`{other}` can't come after itself"))
                        .at(*at, "this environment's own name"),
                );
            }
        }
    }
    for (_, secret) in project.stores.iter().flat_map(|store| &store.secrets) {
        check.password(Some(secret));
    }
    let windows = project.environments.iter().flat_map(|environment| &environment.protect.freeze);
    for (zone, at) in windows.filter_map(|window| window.zone.as_ref()).filter(|(zone, _)| !is_zone(zone)) {
        check.problem(
            Diagnostic::new(format!("there is no time zone `{zone}`"))
                .at(*at, "not among those that this machine knows")
                .help("an IANA name such as \"Europe/Berlin\"; they come with the system's package tzdata"),
        );
    }
    for task in &project.tasks {
        check.needs(&task.needs);
        for (other, at) in &task.after {
            check.task(other, *at);
        }
        for (environment, at) in &task.only {
            check.environment(environment, *at);
        }
        check.steps(&task.steps);
        check.steps(&task.always);
    }
    check.hosts();
    check.backups();
    check.problems.into_inner()
}

struct Check<'a> {
    problems: RefCell<Diagnostics>,
    project: &'a Project,
}

impl Check<'_> {
    fn problem(&self, problem: Diagnostic) {
        self.problems.borrow_mut().push(problem);
    }

    fn needs(&self, needs: &[Need]) {
        for need in needs {
            self.task(&need.task, need.at);
            if let Some((environment, at)) = &need.environment {
                self.environment(environment, *at);
            }
        }
    }

    fn steps(&self, steps: &[Step<Written>]) {
        for step in steps {
            match &step.action {
                Action::Task(call) => self.task(&call.task, call.at),
                Action::Backup((name, at)) | Action::Restore((name, at)) => self.backup(name, *at),
                Action::Run(_)
                | Action::Exec(_)
                | Action::Swap(_)
                | Action::Ship
                | Action::Check(_)
                | Action::Http(_)
                | Action::Put(_)
                | Action::Get(_) => {}
                Action::PutBack(never) | Action::Fleet(never) => match *never {},
            }
            self.steps(&step.undo);
        }
    }

    /// A password is a secret that the file declares.
    fn password(&self, password: Option<&Template>) {
        let Some(expression) = password.and_then(Template::as_value) else { return };
        let name = expression.source.trim_start_matches("secret.");
        let known = || self.project.secrets.iter().map(|secret| secret.name.as_str());
        if !known().any(|secret| secret == name) {
            let near = nearest(name, known()).map(|near| format!("did you mean `{near}`?"));
            let help = near.unwrap_or_else(|| format!("[secrets]\n{name} = {{ env = \"{name}\" }}"));
            let problem = Diagnostic::new(format!("there is no secret `{name}`"));
            self.problem(problem.at(expression.at, "unknown secret").help(help));
        }
    }

    fn task(&self, name: &str, at: Span) {
        if self.project.task(name).is_none() {
            self.problem(self.unknown("task", name, at, |named| matches!(named, Named::Task(_))));
        }
    }

    fn environment(&self, name: &str, at: Span) {
        if self.project.environment(name).is_none() {
            self.problem(
                self.unknown("environment", name, at, |named| matches!(named, Named::Environment(_))),
            );
        }
    }

    // Where all is wrong, looking for the nearest name of each would take the square of the file's length.
    fn unknown(&self, what: &str, name: &str, at: Span, fits: impl Fn(&Named) -> bool) -> Diagnostic {
        // Names of the own namespace, and of those around it, are said without it.
        let whole = self.project.file(at).prefix.as_str();
        let prefixes = || {
            std::iter::successors(Some(whole), |prefix| Some(outer(prefix)))
                .take_while(|prefix| !prefix.is_empty())
        };
        let seen = self.project.names.iter().filter(|(_, named)| fits(named)).map(|(name, _)| name.as_str());
        let seen = seen.map(|name| prefixes().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name));
        // A name of a namespace that was said without it.
        let whole = || self.project.names.keys().find(|whole| whole.rsplit(':').next() == Some(name));
        let help = self.project.instead(name).or_else(|| {
            if self.problems.borrow().is_plenty() {
                return None;
            }
            let near = nearest(name, seen).or_else(|| whole().map(String::as_str))?;
            Some(format!("did you mean `{near}`?"))
        });
        Diagnostic::new(format!("there is no {what} `{name}`")).at(at, "").maybe_help(help)
    }
}
