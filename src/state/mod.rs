//! What deploy remembers: one private folder, `.deploy/`, for all checkouts of a project.
//! It knows where things lie and how they are written; what they mean is decided above.

pub(crate) mod checkout;
pub(crate) mod drafts;
pub(crate) mod durable;
pub(crate) mod journal;
pub(crate) mod log;
pub(crate) mod runs;
pub(crate) mod stamps;
pub(crate) mod temporary;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use checkout::Checkout;
use durable::{DurableError, PRIVATE_FILE};

use crate::model::name::RunId;

/// What keeps everything in the folder out of the user's `git status`, this file included.
const GITIGNORE: &str = "*\n";

/// A project's `.deploy/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StateDir {
    path: PathBuf,
    /// Which of a repository's checkouts it is, if not the main one.
    checkout: Option<OsString>,
}

impl StateDir {
    /// The folder of a project that lies in `project`, and in `checkout` if git knows it. Nothing is created.
    pub(crate) fn of(project: &Path, checkout: Option<&Checkout>) -> StateDir {
        let folder = checkout.map_or_else(|| project.to_owned(), Checkout::shared_folder);
        StateDir { path: folder.join(".deploy"), checkout: checkout.and_then(Checkout::name) }
    }

    #[cfg(test)]
    /// Whether something was ever remembered.
    pub(crate) fn exists(&self) -> bool {
        self.path.is_dir()
    }

    /// Creates what is missing, for those who are going to write.
    pub(crate) fn create(&self) -> Result<(), DurableError> {
        durable::create_folder(&self.path)?;
        let ignore = self.path.join(".gitignore");
        if ignore.exists() { Ok(()) } else { durable::replace(&ignore, GITIGNORE.as_bytes(), PRIVATE_FILE) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// deploy's own git repository: release commits and the ledger.
    pub(crate) fn repository(&self) -> PathBuf {
        self.path.join("repository.git")
    }

    /// What a shallow clone lacks of the commits that its remote has.
    pub(crate) fn lineage(&self) -> PathBuf {
        self.path.join("lineage.git")
    }

    /// One folder a run: what it owes, and what it printed.
    pub(crate) fn runs(&self) -> PathBuf {
        self.path.join("runs")
    }

    /// The folder of one run.
    pub(crate) fn run(&self, run: &RunId) -> PathBuf {
        self.runs().join(&run.0)
    }

    /// What files of the working tree held, and were given, by one run's swaps.
    pub(crate) fn swapped(&self, run: &RunId) -> PathBuf {
        self.run(run).join("swapped")
    }

    /// What was so when this checkout's tasks were last done: each checkout has files of its own.
    pub(crate) fn stamps(&self) -> PathBuf {
        let folder = self.path.join("stamps");
        match &self.checkout {
            Some(name) => folder.join("checkouts").join(name),
            None => folder.join("main"),
        }
    }

    /// Links to folders outside that one environment's run uses at present.
    pub(crate) fn temporary(&self, environment: &str) -> PathBuf {
        self.path.join("temporary").join(environment)
    }

    /// One file an environment: what its ledger held when it was last found locked, and since when.
    pub(crate) fn sightings(&self) -> PathBuf {
        self.path.join("sightings")
    }

    /// Where files of backups are put.
    pub(crate) fn restored(&self) -> PathBuf {
        self.path.join("restored")
    }

    /// One file an environment, held by the run that changes it.
    pub(crate) fn locks(&self) -> PathBuf {
        self.path.join("locks")
    }
}
