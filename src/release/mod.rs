//! What is shipped and what was: the release commit, made without touching the user's repository, and the ledger.
//! It plans nothing and reaches no target by itself; every word that git gets passes through `git`.

mod answer;
mod chain;
pub(crate) mod commit;
pub(crate) mod event;
pub(crate) mod fault;
pub(crate) mod files;
pub(crate) mod git;
pub(crate) mod history;
pub(crate) mod holding;
pub(crate) mod ledger;
pub(crate) mod lineage;
pub(crate) mod lock;
pub(crate) mod login;
pub(crate) mod object;
pub(crate) mod pip;
mod pointers;
pub(crate) mod refs;
pub(crate) mod remote;
pub(crate) mod repository;
pub(crate) mod requirements;
pub(crate) mod scratch;
pub(crate) mod sighting;
pub(crate) mod state;
mod stream;
pub(crate) mod swap;
pub(crate) mod transport;
pub(crate) mod tree;

#[cfg(test)]
mod tests;

use thiserror::Error;

/// Why something is not shipped as it is, and what to do about it. No fault of git or of the disk.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub(crate) struct Refusal {
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl Refusal {
    pub(crate) fn new(message: impl Into<String>, help: impl Into<String>) -> Refusal {
        Refusal { message: message.into(), help: Some(help.into()) }
    }
}
