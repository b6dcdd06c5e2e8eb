//! Which commit came before which, where the user's clone lacks what tells it: the commits that its remote has, without
//! their files, in a repository of their own. The user's stays as it is. What is lost here is fetched again.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use super::fault::Fault;
use super::git::{Git, GitError};
use super::remote;
use super::repository::{Ancestry, Repository, SourceError};
use super::scratch::{self, Scratch, ScratchError};
use crate::model::release::ObjectId;
use crate::process::Stop;
use crate::state::StateDir;

/// How long the commits of a large project may take to come.
const LIMIT: Duration = Duration::from_mins(2);

/// What the remote is called there: its address may hold a password, and git writes a remote's name down.
const REMOTE: &str = "source";

/// Why it can't be told.
#[derive(Debug, Error)]
pub(crate) enum LineageError {
    #[error("the repository has no remote to ask")]
    NoRemote,
    #[error("{} can't be fetched from: {}", remote, told(error))]
    Unfetched { remote: String, error: GitError },
    #[error("{remote} does not have {}", commit.short())]
    Unknown { remote: String, commit: ObjectId },
    #[error("`{}` lacks commits", path.display())]
    Torn { path: PathBuf },
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Scratch(#[from] ScratchError),
}

impl From<GitError> for LineageError {
    fn from(error: GitError) -> LineageError {
        LineageError::Scratch(error.into())
    }
}

/// The commits that the repository's remote has.
pub(crate) struct Lineage<'r> {
    repository: &'r Repository,
    state: &'r StateDir,
    /// The remote's name, for messages.
    remote: String,
    /// What reaches it, as the user's repository would. It does not see what the user's clone has: it would not fetch what
    /// lies behind that.
    git: Git,
}

impl<'r> Lineage<'r> {
    /// By the remote of the branch that is checked out, else by `origin`, else by the only one that there is.
    pub(crate) fn new(state: &'r StateDir, repository: &'r Repository) -> Result<Lineage<'r>, LineageError> {
        let remote = repository.upstream()?.ok_or(LineageError::NoRemote)?;
        let url = repository.fetch_url(&remote)?;
        let git = remote::reaching(repository.git.clone(), repository, &url)?;
        let git = git.with_settings([("remote.source.url", url.as_str())]);
        Ok(Lineage { repository, state, remote, git })
    }

    /// Whether `earlier` came before `of`; both are told by the remote, or here.
    pub(crate) fn ancestry(
        &self,
        of: &ObjectId,
        earlier: &ObjectId,
        stop: &Stop,
    ) -> Result<Ancestry, LineageError> {
        self.state.create().map_err(ScratchError::from)?;
        // Two at a time would be in each other's way, and fetch the same.
        let _held = scratch::lock(&self.state.path().join("lineage.lock"))?;
        let is_new = !self.state.lineage().exists();
        match self.told(of, earlier, stop) {
            Err(error) if !is_new && error.may_be_damage() => {
                // If it stays, what is tried again says why.
                let _removed = fs::remove_dir_all(self.state.lineage());
                self.told(of, earlier, stop)
            }
            told => told,
        }
    }

    fn told(&self, of: &ObjectId, earlier: &ObjectId, stop: &Stop) -> Result<Ancestry, LineageError> {
        let mut commits = Scratch::open_at(self.state.lineage(), self.state, self.repository)?;
        // What is missing is not for git to get one by one.
        commits.git = commits.git.with_env([("GIT_NO_LAZY_FETCH".into(), "1".into())]);
        if let Some(ancestry) = told_by(&commits, of, earlier)? {
            return Ok(ancestry);
        }
        self.fetch(&commits, "+refs/heads/*:refs/heads/*", stop)?;
        if let Some(ancestry) = told_by(&commits, of, earlier)? {
            return Ok(ancestry);
        }
        // Its branch may be gone, and the commit not.
        let _fetched = self.fetch(&commits, &format!("+{of}:refs/commits/{of}"), stop);
        if let Some(ancestry) = told_by(&commits, of, earlier)? {
            return Ok(ancestry);
        }
        Err(match commits.objects(&[format!("{of}^{{commit}}")])?[..] {
            [Some(_)] => LineageError::Torn { path: self.state.lineage() },
            _ => LineageError::Unknown { remote: self.remote.clone(), commit: of.clone() },
        })
    }

    fn fetch(&self, commits: &Scratch, what: &str, stop: &Stop) -> Result<(), LineageError> {
        // No trees: a host that does not know how to leave them out sends them.
        let options =
            ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-gc"];
        let args = [&["fetch"][..], &options, &["--filter=tree:0", "--prune", "--", REMOTE, what]].concat();
        let answer = commits.call_with(&self.git, &args).within(Some(LIMIT)).run_under(stop, &mut |_| ());
        let fetched = answer.and_then(|answer| answer.stdout().map(drop));
        fetched.map_err(|error| LineageError::Unfetched { remote: self.remote.clone(), error })
    }
}

impl LineageError {
    /// Whether the repository here may be the reason.
    fn may_be_damage(&self) -> bool {
        match self {
            LineageError::Unfetched { error: error @ GitError::Failed { .. }, .. } => {
                !Fault::of(error).came_first()
            }
            LineageError::Unfetched {
                error:
                    GitError::Missing(_)
                    | GitError::NotRun(_)
                    | GitError::Stopped { .. }
                    | GitError::Silent { .. }
                    | GitError::Unreadable { .. },
                ..
            }
            | LineageError::NoRemote
            | LineageError::Unknown { .. }
            | LineageError::Source(_) => false,
            LineageError::Torn { .. } | LineageError::Scratch(_) => true,
        }
    }
}

/// What the commits tell that are here, and those of the user's clone; none if one of them is missing.
fn told_by(commits: &Scratch, of: &ObjectId, earlier: &ObjectId) -> Result<Option<Ancestry>, GitError> {
    let args = ["merge-base", "--is-ancestor", earlier.as_str(), of.as_str()];
    Ok(match commits.ask(&args)?.code {
        0 => Some(Ancestry::Ancestor),
        1 => Some(Ancestry::Unrelated),
        _ => None,
    })
}

/// The reason in one line.
fn told(error: &GitError) -> String {
    match error {
        GitError::Failed { .. } => Fault::of(error).reason().to_owned(),
        GitError::Missing(_)
        | GitError::NotRun(_)
        | GitError::Stopped { .. }
        | GitError::Silent { .. }
        | GitError::Unreadable { .. } => error.to_string(),
    }
}
