//! Blocks and their steps, as written, with their values: here or on hosts, and the tasks that they call.

use std::rc::Rc;
use std::sync::Arc;

use super::super::Freshness;
use super::super::hosts::Way;
use super::super::scope::Scope;
use super::{Env, Renderer};
use crate::diagnostic::{Diagnostic, Span};
use crate::model::backup::Restore;
use crate::model::host::There;
use crate::model::project::inside;
use crate::model::step::{Action, Planned, Step, Written};
use crate::model::task::{Block, Task};
use crate::model::text::Text;

impl<'a> Renderer<'a> {
    /// A block without steps in the project's folder.
    pub(in crate::plan) fn plain_block(&mut self, name: &str, scope: &Scope<'a>, at: Span) -> Block {
        let index = scope.environment.and_then(|within| {
            self.project.environments.iter().position(|environment| environment.name == within.name)
        });
        Block {
            name: name.to_owned(),
            steps: Vec::new(),
            always: Vec::new(),
            env: {
                let env = self.surroundings(index, 0);
                self.beneath(scope, &env)
            },
            dir: self.facts.root.clone(),
            there: None,
            shell: Arc::clone(&self.shells[0]),
            tracking: None,
            skip_if: None,
            timeout: None,
            retry: None,
            interactive: false,
            at,
        }
    }

    /// A task's steps with all that they need; of one that is done on hosts, a block with those of each. `outer` is what
    /// its processes get beneath the task's own variables, dotenv files aside.
    pub(in crate::plan) fn block(&mut self, task: &'a Task, scope: &Scope<'a>, outer: &Env) -> Block {
        let Some(on) = &task.place.on else { return self.block_here(task, scope, outer) };
        let fleet = self.fleet(scope, on, task.at, |renderer, scope| {
            if !renderer.holds(scope, task.condition.as_ref()) {
                return None;
            }
            let block = renderer.block_here(task, scope, outer);
            Some(Step { name: Some(task.name.clone()), ..Step::bare(Action::Task(Box::new(block)), task.at) })
        });
        let block = self.plain_block(&task.name, scope, task.at);
        Block { steps: fleet.into_iter().collect(), ..block }
    }

    /// The same where it is done, which may be one host.
    fn block_here(&mut self, task: &'a Task, scope: &Scope<'a>, outer: &Env) -> Block {
        let there = self.there(scope, task.dir.as_ref(), task.place.sudo.as_ref());
        let scope = &Scope { there: there.map(Rc::new), ..scope.clone() };
        let env = if task.env.is_empty() && scope.there.is_none() {
            Arc::clone(outer)
        } else {
            let own = self.env(scope, &task.env);
            Arc::new(host_env(scope).into_iter().chain(outer.iter().cloned()).chain(own).collect())
        };
        if scope.there.is_some() && task.interactive {
            let problem =
                Diagnostic::new(format!("`{}` is interactive, and a host has no terminal", task.name));
            self.problems.push(
                problem
                    .at(task.at, "called by what is done on hosts")
                    .help("open it yourself: ssh -t HOST, or leave `on` out"),
            );
        }
        let folder = inside(&self.facts.root, &scope.file.folder);
        let interactive = task.interactive || self.calls_interactive(task);
        let mut block = Block {
            name: task.name.clone(),
            steps: self.steps(scope, &task.steps, &env),
            always: self.steps(scope, &task.always, &env),
            env: self.beneath(scope, &env),
            dir: match &task.dir {
                Some(dir) if scope.there.is_none() => {
                    folder.join(self.open(scope, dir, "a folder").unwrap_or_default())
                }
                Some(_) | None => folder,
            },
            there: scope.there.as_deref().cloned().map(Box::new),
            shell: match &task.shell {
                Some(shell) => Arc::new(shell.clone()),
                None => Arc::clone(&self.shells[task.at.source as usize]),
            },
            tracking: None,
            skip_if: match self.request.freshness {
                Freshness::Respect => task.skip_if.as_ref().map(|script| self.script(scope, script)),
                Freshness::Ignore => None,
            },
            timeout: task.timeout,
            retry: task.retry.clone(),
            interactive,
            at: task.at,
        };
        self.refuse_unmasked(task, &block);
        block.tracking = self.tracking(task, scope, &block);
        block
    }

    fn steps(&mut self, scope: &Scope<'a>, steps: &'a [Step<Written>], env: &Env) -> Vec<Step<Planned>> {
        let mut planned = Vec::with_capacity(steps.len());
        for step in steps {
            let Some(on) = &step.place.on else {
                planned.extend(self.step_here(scope, step, env));
                continue;
            };
            planned.extend(self.fleet(scope, on, step.at, |renderer, scope| {
                let mut steps = renderer.step_here(scope, step, env);
                if steps.len() < 2 {
                    return steps.pop();
                }
                // A task that is called several times, by its `each`.
                let block = renderer.plain_block(step.calls().unwrap_or_default(), scope, step.at);
                let block = Block { steps, ..block };
                Some(Step::bare(Action::Task(Box::new(block)), step.at))
            }));
        }
        planned
    }

    /// A step where it is done: nothing if its `if` is false, several if it calls a task with `each`.
    fn step_here(&mut self, scope: &Scope<'a>, step: &'a Step<Written>, env: &Env) -> Vec<Step<Planned>> {
        if !self.holds(scope, step.condition.as_ref()) {
            return Vec::new();
        }
        let Action::Task(call) = &step.action else {
            let action = self.action(scope, &step.action, step.at);
            return vec![self.step(scope, step, action, env)];
        };
        let mut planned = Vec::new();
        for (callee, inner) in self.called(scope, call) {
            let block = self.block(callee, &inner, env);
            planned.push(self.step(scope, step, Action::Task(Box::new(block)), env));
        }
        planned
    }

    fn step(
        &mut self,
        scope: &Scope<'a>,
        step: &'a Step<Written>,
        action: Action<Planned>,
        env: &Env,
    ) -> Step<Planned> {
        let there = match &action {
            Action::Run(_) | Action::Exec(_) | Action::Put(_) | Action::Get(_) => {
                self.there(scope, step.dir.as_ref(), step.place.sudo.as_ref())
            }
            Action::Task(_)
            | Action::Swap(_)
            | Action::Ship
            | Action::Check(_)
            | Action::Http(_)
            | Action::Backup(_)
            | Action::Restore(_)
            | Action::PutBack(_)
            | Action::Fleet(_) => None,
        };
        let own = self.env(scope, &step.env);
        Step {
            name: step.name.clone(),
            action,
            condition: (),
            dir: match &step.dir {
                Some(dir) if scope.there.is_none() => Some(self.inner_folder(scope, dir)),
                Some(_) | None => None,
            },
            env: if there.is_some() { host_env(scope).into_iter().chain(own).collect() } else { own },
            place: there.map(Box::new),
            timeout: step.timeout,
            retry: step.retry.clone(),
            allow_failure: step.allow_failure,
            undo: self.steps(scope, &step.undo, env),
            at: step.at,
        }
    }

    fn action(&mut self, scope: &Scope<'a>, action: &'a Action<Written>, at: Span) -> Action<Planned> {
        match action {
            Action::Run(script) => Action::Run(self.script(scope, script)),
            Action::Exec(words) => Action::Exec(self.program(scope, words)),
            Action::Task(_) => unreachable!("a call is rendered where its steps are"),
            Action::Swap(swaps) => Action::Swap(swaps.iter().map(|swap| self.swap(scope, swap)).collect()),
            Action::Check(health) => Action::Check(Box::new(self.health(scope, health))),
            Action::Http(http) => Action::Http(Box::new(self.http(scope, http))),
            Action::Put(files) => Action::Put(Box::new(self.transfer(scope, files, Way::There))),
            Action::Get(files) => Action::Get(Box::new(self.transfer(scope, files, Way::Back))),
            Action::Backup((name, at)) => {
                self.backup_action(scope, name, *at, |backup| Action::Backup(Box::new(backup)))
            }
            Action::Restore((name, at)) => self.backup_action(scope, name, *at, |backup| {
                Action::Restore(Box::new(Restore { backup, from: None }))
            }),
            Action::PutBack(never) | Action::Fleet(never) => match *never {},
            Action::Ship => {
                let missing = match scope.environment {
                    None => Some((
                        "`ship` needs an environment".to_owned(),
                        "name one: deploy ENVIRONMENT TASK".to_owned(),
                    )),
                    Some(environment) if environment.target.is_none() => Some((
                        format!(
                            "there is nowhere to ship to: the environment `{}` has no target",
                            environment.name
                        ),
                        format!("[environments.{}]\ntarget = {{ git = \"…\" }}", environment.name),
                    )),
                    Some(_) => None,
                };
                if let Some((message, help)) = missing {
                    self.problems.push(Diagnostic::new(message).at(at, "ships").help(help));
                }
                scope.environment.map_or(Action::Ship, |environment| self.ship(scope, environment, at))
            }
        }
    }
}

/// What processes on a host get of deploy's own.
fn host_env(scope: &Scope<'_>) -> Option<(String, Text)> {
    let there = scope.there.as_ref()?;
    Some((There::VARIABLE.to_owned(), Text::from(&*there.host)))
}

pub(super) fn plain_step(action: Action<Planned>, name: &str, at: Span) -> Step<Planned> {
    Step { name: Some(name.to_owned()), ..Step::bare(action, at) }
}
