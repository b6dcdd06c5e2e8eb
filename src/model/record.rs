//! What the journal holds: the steps that a run owes, written before it acts.

use serde::{Deserialize, Serialize};

use super::name::JobId;
use super::step::{Action, Planned, Step};
use super::task::Block;

/// When a deferred step is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Exit {
    /// When its block ends, however.
    Always,
    /// When the run has failed; void when it has succeeded.
    Failure,
}

/// One line of a journal.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "record")]
pub(crate) enum Record {
    Begun { version: u32, run: String, environment: Option<String>, by: String },
    Deferred(Box<Debt>),
    Settled { seq: u64 },
    Ended { succeeded: bool },
}

/// Steps that are owed together, in their written order, with all that they need to be done.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Debt {
    /// Its place in the journal, from 1; 0 until it is written.
    pub(crate) seq: u64,
    pub(crate) exit: Exit,
    #[serde(skip)]
    pub(crate) id: JobId,
    pub(crate) name: String,
    pub(crate) environment: Option<String>,
    pub(crate) block: Block,
}

impl Debt {
    /// `steps`, owed by a job in the surroundings of `block`.
    pub(crate) fn new(
        id: JobId,
        name: &str,
        environment: Option<&str>,
        exit: Exit,
        block: &Block,
        steps: Vec<Step<Planned>>,
    ) -> Debt {
        let block = Block {
            steps,
            always: Vec::new(),
            tracking: None,
            skip_if: None,
            retry: None,
            timeout: None,
            ..block.clone()
        };
        // What is owed has its own steps' limits; the block's were for the block.
        Debt { seq: 0, exit, id, name: name.to_owned(), environment: environment.map(str::to_owned), block }
    }

    /// Whether it gives a file of the working tree its own content back.
    pub(crate) fn is_of_files(&self) -> bool {
        self.block.steps.iter().all(|step| matches!(step.action, Action::PutBack(_)))
    }
}
