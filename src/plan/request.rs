//! What is asked for: an environment and tasks, an earlier release, or an environment's data; and how it is to be done.

use crate::model::release::Release;

/// What the user asked for this time: one environment at most, and tasks in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) environment: Option<String>,
    /// Empty: the environment's deploy.
    pub(crate) tasks: Vec<Asked>,
    /// Parameters of the environment's deploy, where no task is named.
    pub(crate) given: Vec<(String, String)>,
    /// What follows `--`.
    pub(crate) args: Vec<String>,
    /// `--set`: these beat every other value.
    pub(crate) set: Vec<(String, String)>,
    pub(crate) dependencies: Dependencies,
    pub(crate) freshness: Freshness,
    pub(crate) swapping: Swapping,
    /// The release to bring back: then nothing else of the environment's deploy is done.
    pub(crate) back: Option<Release>,
    /// What to do with the environment's data: then nothing else is done.
    pub(crate) data: Option<Data>,
}

/// What is asked for of an environment's data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Data {
    /// Names of `[backups]`.
    pub(crate) names: Vec<String>,
    pub(crate) quest: Quest,
}

/// Which way data goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Quest {
    Save,
    /// From the backup of this id, or the newest; and whether what is there now is saved first.
    Restore {
        from: Option<String>,
        present: Present,
    },
}

/// What becomes of the present state before an earlier one comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Present {
    Saved,
    /// `--no-backup`
    Lost,
}

impl Data {
    /// What its job is called, as the command is.
    pub(crate) fn word(&self) -> &'static str {
        match self.quest {
            Quest::Save => "backup",
            Quest::Restore { .. } => "restore",
        }
    }
}

/// A task that the command line names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) task: String,
    /// Parameters by name; one that takes many may stand here several times.
    pub(crate) given: Vec<(String, String)>,
}

impl Asked {
    /// A task without a word about its parameters.
    pub(crate) fn plain(task: impl Into<String>) -> Asked {
        Asked { task: task.into(), given: Vec::new() }
    }
}

/// Where an environment's swap is made for a release.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Swapping {
    /// In a release commit, beside the user's repository.
    #[default]
    Beside,
    /// `--in-place`: in the working tree, between two commits on the user's branch.
    InPlace,
}

/// Whether work that is already done is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Freshness {
    #[default]
    Respect,
    /// `--force`.
    Ignore,
}

/// Whether the tasks that a named one needs are run too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Dependencies {
    #[default]
    Run,
    /// Those alone that are given something: what a task is by itself is judged elsewhere.
    Given,
    /// `--no-deps`.
    LeaveOut,
}
