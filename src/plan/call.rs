//! Calls: a task that is done as a step of another one, with its own parameters, folder, shell and variables. What it
//! asks and requires counts before the plan begins, as if the caller did.

use super::arguments::Offer;
use super::render::Renderer;
use super::scope::{Layer, Scope};
use super::select::Node;
use super::{Check, Needed};
use crate::diagnostic::Diagnostic;
use crate::model::name::JobId;
use crate::model::step::{Action, Step, Written};
use crate::model::task::{Call, Task, Wanted};
use crate::model::value::Variable;

/// More calls than this are nobody's intention: each is a copy of the called task's steps.
const MOST_CALLS: usize = 100_000;

impl<'a> Renderer<'a> {
    /// What the node's task wants to have asked, its calls' questions included.
    pub(crate) fn questions(&mut self, node: Node) -> Vec<String> {
        let mut questions = Vec::new();
        for (task, scope) in self.with_callees(node) {
            questions.extend(task.confirm.as_ref().map(|confirm| self.text(&scope, confirm).to_string()));
        }
        questions
    }

    /// What must be so before the first job starts: the node's requirements, and those of the tasks that it calls.
    pub(crate) fn requirements(&mut self, node: Node, job: JobId) -> Vec<Needed> {
        let mut needed = Vec::new();
        for (task, scope) in self.with_callees(node) {
            for requirement in &task.require {
                let check = match &requirement.wanted {
                    Wanted::Program(program) => Check::Program(program.clone()),
                    Wanted::Line(line) => Check::Line(self.script(&scope, line)),
                };
                let message =
                    requirement.message.as_ref().map(|message| self.text(&scope, message).to_string());
                needed.push(Needed { job, check, message });
            }
        }
        needed
    }

    /// The environment that it, or a task that it calls, wants to hold.
    pub(crate) fn locks(&mut self, node: Node) -> Option<String> {
        let locks = self.with_callees(node).iter().any(|(task, _)| task.lock);
        let environment = node.environment.filter(|_| locks)?;
        Some(self.project.environments[environment].name.clone())
    }

    /// The words of `exclusive` that it and its calls have.
    pub(crate) fn exclusive(&mut self, node: Node) -> Vec<&'a str> {
        let words = self.with_callees(node).into_iter().filter_map(|(task, _)| task.exclusive.as_deref());
        words.collect()
    }

    /// The node's task and all that it calls, at any depth; nothing, if none of them asks anything of the plan.
    fn with_callees(&mut self, node: Node) -> Vec<(&'a Task, Scope<'a>)> {
        let Some(task) = node.declared(self.project) else { return Vec::new() };
        let asks =
            task.confirm.is_some() || !task.require.is_empty() || task.exclusive.is_some() || task.lock;
        if !asks && !has_calls(task) {
            return Vec::new();
        }
        let mut all = vec![(task, self.scope(node.environment, Some(task), node.arguments))];
        let mut next = 0;
        while let Some((task, scope)) = all.get(next).cloned() {
            all.extend(self.callees(task, &scope));
            next += 1;
        }
        all
    }

    /// The tasks that a task calls, each with its scope, whenever that is: also when they are owed.
    fn callees(&mut self, task: &'a Task, scope: &Scope<'a>) -> Vec<(&'a Task, Scope<'a>)> {
        let undo = task.steps.iter().flat_map(|step| &step.undo);
        let steps: Vec<&'a Step<Written>> = task.steps.iter().chain(&task.always).chain(undo).collect();
        let mut callees = Vec::new();
        let scope = self.on_first(scope, &task.place);
        for step in steps {
            if let Action::Task(call) = &step.action {
                let scope = self.on_first(&scope, &step.place);
                if self.holds(&scope, step.condition.as_ref()) {
                    callees.extend(self.called(&scope, call));
                }
            }
        }
        callees
    }

    /// The task that a step calls, with its scope, as often as it is done here: never, where it does not belong or its
    /// `if` is false; several times, with `each`.
    pub(super) fn called(&mut self, scope: &Scope<'a>, call: &'a Call) -> Vec<(&'a Task, Scope<'a>)> {
        let callee = self.project.task(&call.task).expect("the file was checked: every called task exists");
        if !callee.belongs_to(scope.environment.map(|environment| environment.name.as_str())) {
            return Vec::new();
        }
        let mut called = Vec::new();
        for inner in self.call_scopes(scope, call, callee) {
            if self.holds(&inner, callee.condition.as_ref()) {
                called.push((callee, inner));
            }
        }
        called
    }

    /// What a called task sees, for each of its times.
    pub(super) fn call_scopes(
        &mut self,
        scope: &Scope<'a>,
        call: &'a Call,
        callee: &'a Task,
    ) -> Vec<Scope<'a>> {
        if self.calls == MOST_CALLS {
            self.problems.push(
                Diagnostic::new(format!("there are more than {MOST_CALLS} calls of tasks in this plan"))
                    .at(call.at, "one of them")
                    .help("tasks that call each other several times, again and again, grow without measure: let them be needed instead"),
            );
        }
        self.calls += 1;
        if self.calls > MOST_CALLS {
            return Vec::new();
        }
        let file = callee.at.source as usize;
        let layers = self.layers(scope.environment, Some(callee), file).collect();
        let mut outer = Scope { layers, file: &self.project.files[file], ..scope.clone() };
        self.add_dotenv(&mut outer, callee);
        let offers = self.offers(scope, &call.with);
        let all = self.arguments(callee, &outer, &offers, Some(call.at));
        let inner = |given: Vec<_>| {
            let mut inner = outer.clone();
            inner.layers.insert(0, Layer::Given(given.into()));
            inner
        };
        all.into_iter().map(inner).collect()
    }

    /// The values of a `with`, seen from who says it.
    pub(super) fn offers(&mut self, scope: &Scope<'a>, with: &[Variable]) -> Vec<Offer> {
        let mut offers = Vec::with_capacity(with.len());
        for variable in with {
            match scope.defined(variable) {
                Ok(rendered) => {
                    offers.push(Offer { name: variable.name.clone(), rendered, at: Some(variable.at) });
                }
                Err(trouble) => self.trouble(trouble, variable.at),
            }
        }
        offers
    }

    /// Whether a task that this one calls wants the terminal: then the whole job has it to itself.
    pub(super) fn calls_interactive(&self, task: &Task) -> bool {
        let calls = task.steps.iter().filter_map(|step| match &step.action {
            Action::Task(call) => self.project.task(&call.task),
            Action::Run(_)
            | Action::Exec(_)
            | Action::Swap(_)
            | Action::Ship
            | Action::Check(_)
            | Action::Http(_)
            | Action::Put(_)
            | Action::Get(_)
            | Action::Backup(_)
            | Action::Restore(_)
            | Action::PutBack(_)
            | Action::Fleet(_) => None,
        });
        calls.into_iter().any(|callee| callee.interactive || self.calls_interactive(callee))
    }
}

/// Whether one of a task's steps calls another task.
fn has_calls(task: &Task) -> bool {
    let undo = task.steps.iter().flat_map(|step| &step.undo);
    task.steps.iter().chain(&task.always).chain(undo).any(|step| matches!(step.action, Action::Task(_)))
}
