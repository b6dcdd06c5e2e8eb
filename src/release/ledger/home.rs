//! Whose a shared ledger is: the project's, by its folder in the repository. Two projects that share a remote by mistake
//! would take each other's releases for their own.

use std::path::PathBuf;

use crate::release::Refusal;
use crate::release::repository::Repository;
use crate::release::state::State;

/// What a folder must hold to be a project's.
const PROJECT: &str = "tasks.toml";

/// A project's place in its repository.
#[derive(Clone, Debug)]
pub(super) struct Home {
    worktree: PathBuf,
    /// As git writes it: empty at the top.
    pub(super) folder: String,
}

impl Home {
    pub(super) fn of(repository: &Repository) -> Result<Home, Refusal> {
        Ok(Home { worktree: repository.checkout.worktree.clone(), folder: repository.prefix()? })
    }

    /// Refuses what another project of this repository wrote. A folder that is one no longer was moved here.
    pub(super) fn owns(&self, environment: &str, state: State) -> Result<State, Refusal> {
        let other = state.folder.as_ref().filter(|folder| **folder != self.folder);
        let Some(other) = other.filter(|other| self.worktree.join(other).join(PROJECT).is_file()) else {
            return Ok(state);
        };
        let (theirs, ours) = (shown(other), shown(&self.folder));
        let prefix = if self.folder.is_empty() { "main" } else { self.folder.as_str() };
        Err(Refusal::new(
            format!(
                "the shared ledger of {environment} belongs to the project in {theirs}, and this one is in {ours}"
            ),
            format!("give this one its own: [ledger] prefix = \"refs/deploy/{prefix}\""),
        ))
    }
}

fn shown(folder: &str) -> String {
    if folder.is_empty() { "the repository's top folder".to_owned() } else { format!("`{folder}`") }
}
