//! The secrets of a plan: which are named, where each is kept, and who must not see one. What they are is not known.

use std::collections::BTreeSet;

use super::super::Hidden;
use super::super::scope::Scope;
use super::Renderer;
use crate::diagnostic::Diagnostic;
use crate::model::secret::Keeper;
use crate::model::step::{Action, Planned, Step, Written};
use crate::model::task::{Block, Task};
use crate::model::template::Template;

impl<'a> Renderer<'a> {
    /// The secrets that the plan's texts name, with where each is kept.
    pub(crate) fn secrets(&mut self) -> Vec<Hidden> {
        let seen = self.seen.borrow().clone();
        self.kept(seen)
    }

    /// Where these secrets are kept; those that the project does not know are left out.
    pub(in crate::plan) fn kept(&mut self, names: BTreeSet<(Option<String>, String)>) -> Vec<Hidden> {
        let hidden = names.into_iter().filter_map(|(environment, name)| {
            let secret = self.project.secrets.iter().find(|secret| secret.name == name)?;
            let index = environment.as_ref().and_then(|name| {
                self.project.environments.iter().position(|environment| environment.name == *name)
            });
            let scope = self.scope(index, None, 0);
            let keeper = self.keeper(&scope, &secret.keeper);
            let folder = self.project.file(secret.at).folder.clone();
            Some(Hidden { name, environment, keeper, folder, at: secret.at })
        });
        hidden.collect()
    }

    /// Where a secret is kept.
    fn keeper(&mut self, scope: &Scope<'a>, keeper: &Keeper<Written>) -> Keeper<Planned> {
        const WHAT: &str = "what says where a secret is kept";
        let mut text = |template: &Template| self.plain(scope, template, WHAT);
        match keeper {
            Keeper::Env(name) => Keeper::Env(text(name)),
            Keeper::File(path) => Keeper::File(text(path)),
            Keeper::Command(words) => Keeper::Command(words.iter().map(text).collect()),
            Keeper::Dotenv { path, key } => Keeper::Dotenv { path: text(path), key: text(key) },
            Keeper::Age { path, identity } => {
                Keeper::Age { path: text(path), identity: identity.as_ref().map(text) }
            }
        }
    }

    /// Refuses a task that has the terminal, whose output nobody reads and so nobody masks, and that sees secrets.
    pub(super) fn refuse_unmasked(&mut self, task: &Task, block: &Block) {
        if !block.interactive || task.unmasked {
            return;
        }
        // A task that is called answers for itself.
        let own = |step: &&Step<Planned>| !matches!(step.action, Action::Task(_));
        let steps = block.steps.iter().chain(&block.always).filter(own).cloned().collect();
        let own = Block { steps, always: Vec::new(), ..block.clone() };
        let names: BTreeSet<&str> = own.secrets().into_iter().collect();
        let Some(first) = names.first() else { return };
        let why = if task.interactive { "is interactive" } else { "calls an interactive task" };
        let message = format!(
            "`{}` {why}, so what it prints can't be masked, and it sees the secret `{first}`",
            task.name
        );
        self.problems.push(Diagnostic::new(message).at(task.at, why).help(
            "unmasked = true if the secret may be shown; else move what needs it into a task of its own",
        ));
    }
}
