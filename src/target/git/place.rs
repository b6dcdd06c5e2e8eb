//! Where a git target lies: a remote's name or a URL becomes a branch of a repository, or is refused.

use std::fmt;

use crate::model::event::Failure;
use crate::model::step::Planned;
use crate::model::target::GitTarget;
use crate::release::fault::Fault;
use crate::release::git::GitError;
use crate::release::remote::Remote;
use crate::release::repository::{Repository, SourceError};
use crate::release::scratch::{Scratch, ScratchError};
use crate::target::{refused, unmet};

/// A branch of a repository that is pushed to.
pub(super) struct Place<'s> {
    pub(super) remote: Remote<'s>,
    branch: String,
}

impl<'s> Place<'s> {
    pub(super) fn find(
        target: &GitTarget<Planned>,
        repository: &Repository,
        scratch: &'s Scratch,
    ) -> Result<Place<'s>, Failure> {
        let branch = target.branch.to_string();
        check_branch(&branch)?;
        let url = repository.url(&target.remote.to_string()).map_err(|error| match error {
            SourceError::Refused(refusal) => {
                Failure::Refused { message: refusal.message, help: refusal.help }
            }
            SourceError::Git(error) => Failure::Unmet { message: error.to_string(), help: help(&error) },
        })?;
        if let Some((helper @ ("ext" | "fd"), _)) = url.split_once("::") {
            return Err(refused(
                format!("a git target can't be a `{helper}::` address: it would run whatever stands there"),
                "give a URL (https://, ssh://, HOST:PATH), a path, or the name of a remote",
            ));
        }
        let remote = Remote::new(scratch, repository, &url, &format!("refs/heads/{branch}"));
        let remote =
            remote.map_err(|error| Failure::Unmet { message: error.to_string(), help: help(&error) })?;
        Ok(Place { remote, branch })
    }

    /// Why it could not be asked.
    pub(super) fn failure(&self, error: &GitError) -> Failure {
        let fault = Fault::of(error);
        match error {
            GitError::Stopped { .. } => Failure::Stopped,
            GitError::Failed { .. } => unmet(
                format!("can't reach {self}: {}", fault.reason()),
                error.help().unwrap_or_else(|| fault.help()),
            ),
            GitError::Missing(_)
            | GitError::NotRun(_)
            | GitError::Silent { .. }
            | GitError::Unreadable { .. } => Failure::Unmet { message: error.to_string(), help: help(error) },
        }
    }

    pub(super) fn scratch_failure(&self, error: ScratchError) -> Failure {
        match error {
            ScratchError::Refused(refusal) => {
                Failure::Refused { message: refusal.message, help: refusal.help }
            }
            ScratchError::Git(error) => self.failure(&error),
            ScratchError::Durable(_) | ScratchError::Lock { .. } => {
                Failure::Unmet { message: error.to_string(), help: None }
            }
        }
    }
}

/// As it stands in a sentence: the branch and the URL, without credentials.
impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` of {}", self.branch, self.remote.shown())
    }
}

fn help(error: &GitError) -> Option<String> {
    error.help().map(str::to_owned)
}

/// Refuses what git would not take as a branch's name; see git-check-ref-format(1).
fn check_branch(branch: &str) -> Result<(), Failure> {
    let is_part =
        |part: &str| !part.is_empty() && !part.starts_with('.') && part.strip_suffix(".lock").is_none();
    let is_name = branch.split('/').all(is_part)
        && !branch.starts_with('-')
        && !branch.ends_with('.')
        && branch != "@"
        && !["..", "@{"].iter().any(|wrong| branch.contains(wrong))
        && !branch.contains(|c: char| c.is_control() || " ~^:?*[\\".contains(c));
    if let Some(short) = branch.strip_prefix("refs/heads/") {
        return Err(refused(
            format!("`branch` is a branch's name, and `{branch}` is a ref's"),
            format!("branch = \"{short}\""),
        ));
    }
    if is_name {
        Ok(())
    } else {
        Err(refused(
            format!("`{}` can't be a branch's name", branch.escape_debug()),
            "git check-ref-format --branch NAME tells which can",
        ))
    }
}
