//! What a file has for nothing: parameters, variables and secrets that nobody mentions, private tasks that nobody runs.
//! It works all the same, so these are warnings.

use std::collections::HashSet;

use super::expression;
use super::select;
use crate::diagnostic::{Diagnostic, Diagnostics, Span};
use crate::model::project::Project;
use crate::model::step::{Step, Written};
use crate::model::task::Listing;
use crate::model::template::Expression;
use crate::model::value::Variable;

/// Everything that could be left out.
pub(crate) fn lint(project: &Project) -> Diagnostics {
    let mut lint = Lint { project, warnings: Diagnostics::default(), outside: names(&project.mentions) };
    lint.variables();
    lint.parameters();
    lint.secrets();
    lint.tasks();
    lint.warnings
}

/// Whether some text of the project mentions a name.
pub(crate) fn mentions(project: &Project, name: &str) -> bool {
    let of_tasks = project.tasks.iter().flat_map(|task| &task.mentions);
    let mut all = project.mentions.iter().chain(of_tasks);
    all.any(|expression| expression::names(&expression.source).iter().any(|known| known == name))
}

struct Lint<'a> {
    project: &'a Project,
    warnings: Diagnostics,
    /// The names that texts outside of tasks mention.
    outside: HashSet<String>,
}

impl Lint<'_> {
    fn warn(&mut self, message: String, at: Span, label: &str, help: &str) {
        self.warnings.push(Diagnostic::warning(message).at(at, label).help(help));
    }

    /// A task's own variables are for its own texts; all others are for everybody.
    fn variables(&mut self) {
        let project = self.project;
        let mut everywhere = self.outside.clone();
        everywhere.extend(project.tasks.iter().flat_map(|task| names(&task.mentions)));
        let shared = project.files.iter().map(|file| &file.vars);
        let shared = shared.chain(project.environments.iter().map(|environment| &environment.vars));
        let mut told = HashSet::new();
        for variable in shared.flatten() {
            if !everywhere.contains(&variable.name) && told.insert(variable.at) {
                self.unused(variable);
            }
        }
        for task in &project.tasks {
            // What a task calls may see its variables by `with` alone; what it hides, it hides for others too.
            let mentioned = names(&task.mentions);
            for variable in task.vars.iter().filter(|variable| !mentioned.contains(&variable.name)) {
                self.unused(variable);
            }
        }
    }

    fn unused(&mut self, variable: &Variable) {
        let message = format!("the variable `{}` is never used", variable.name);
        self.warn(message, variable.at, "no text mentions it", "take it out");
    }

    fn parameters(&mut self) {
        for task in &self.project.tasks {
            let mentioned = names(&task.mentions);
            for parameter in &task.params {
                let name = &parameter.name;
                // A variable of the file may stand for a text that mentions it.
                if !mentioned.contains(name) && !self.outside.contains(name) {
                    let message = format!("the parameter `{name}` of `{}` is never used", task.name);
                    let help = format!("use it, {{{{ {name} }}}}, or take it out");
                    self.warn(message, parameter.at, "no text of its task mentions it", &help);
                }
            }
        }
    }

    fn secrets(&mut self) {
        let of_tasks = self.project.tasks.iter().flat_map(|task| names(&task.mentions));
        let mentioned: HashSet<String> = of_tasks.chain(self.outside.iter().cloned()).collect();
        for secret in &self.project.secrets {
            if !mentioned.contains(&format!("secret.{}", secret.name)) {
                let message = format!("the secret `{}` is never used", secret.name);
                let help = format!("name it in a task, secrets = [\"{}\"], or take it out", secret.name);
                self.warn(message, secret.at, "no task names it", &help);
            }
        }
    }

    /// Private tasks that nothing needs, calls or deploys by.
    fn tasks(&mut self) {
        let project = self.project;
        let mut run: HashSet<&str> = HashSet::new();
        for (index, environment) in project.environments.iter().enumerate() {
            run.extend(environment.needs.iter().map(|need| need.task.as_str()));
            run.extend(select::deploy_task(project, index).map(|task| task.name.as_str()));
        }
        run.extend(project.default.as_ref().map(|(name, _)| name.as_str()));
        for task in &project.tasks {
            run.extend(task.needs.iter().map(|need| need.task.as_str()));
            called(&task.steps, &mut run);
            called(&task.always, &mut run);
        }
        for task in &project.tasks {
            if task.listing == Listing::Hidden && !run.contains(task.name.as_str()) {
                let message = format!("the private task `{}` is never run", task.name);
                self.warn(
                    message,
                    task.at,
                    "nothing needs it or calls it",
                    "need it somewhere, or take it out",
                );
            }
        }
    }
}

fn called<'a>(steps: &'a [Step<Written>], run: &mut HashSet<&'a str>) {
    for step in steps {
        run.extend(step.calls());
        called(&step.undo, run);
    }
}

fn names(mentions: &[Expression]) -> HashSet<String> {
    mentions.iter().flat_map(|expression| expression::names(&expression.source)).collect()
}
