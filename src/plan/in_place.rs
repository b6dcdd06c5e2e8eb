//! `--in-place`: the book's way to ship, as steps that owe their own way back. The files are swapped in the working tree
//! and committed, that commit is pushed, the files get their own content back, and that is committed too.

use super::render::Renderer;
use super::scope::Scope;
use crate::diagnostic::Span;
use crate::model::environment::Environment;
use crate::model::script::{Piece, Place, Script};
use crate::model::step::{Action, Planned, Step};
use crate::model::task::Block;
use crate::model::text::Text;

impl<'a> Renderer<'a> {
    /// What a `ship` is in place: a task inside of the job, which owes the commit that takes the swap back from before
    /// it makes the one that brings it. What it owes comes last, after the files have their own content again.
    pub(super) fn in_place(
        &mut self,
        scope: &Scope<'a>,
        environment: &'a Environment,
        at: Span,
    ) -> Action<Planned> {
        let swaps: Vec<_> = environment.swap.iter().map(|swap| self.swap(scope, swap)).collect();
        let paths: Vec<Text> = swaps.iter().map(|swap| Text::from(swap.path.as_str())).collect();
        let named = |name: &str, action| Step { name: Some(name.to_owned()), ..Step::bare(action, at) };
        let commit = |name: &str, message: String| named(name, Action::Run(commit(&paths, &message)));
        let name = &environment.name;
        let ship = named("ship", Action::Ship);
        let (steps, always) = if swaps.is_empty() {
            (vec![ship], Vec::new())
        } else {
            let there = commit("commit the swap", format!("Swap for {name}"));
            let back = commit("commit what was there before", format!("Swap for {name} taken back"));
            (vec![named("swap", Action::Swap(swaps)), there, ship], vec![back])
        };
        let whole = self.plain_block("ship in place", scope, at);
        Action::Task(Box::new(Block { steps, always, ..whole }))
    }
}

/// Commits these files and no others, if they differ from HEAD.
fn commit(paths: &[Text], message: &str) -> Script<Text> {
    let code = |code: &str| Piece::Code(code.to_owned());
    let paths = || Piece::Value { words: paths.to_vec(), place: Place::Bare };
    let message = Piece::Value { words: vec![Text::from(message)], place: Place::Bare };
    let pieces = vec![
        code("git diff --quiet HEAD -- "),
        paths(),
        code(" || git commit --quiet --only -m "),
        message,
        code(" -- "),
        paths(),
    ];
    Script { pieces }
}
