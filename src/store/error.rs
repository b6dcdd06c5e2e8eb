//! Why an object could not be had, or kept: what was tried, and what to do, in one line.

use std::io;

/// Why an object could not be had, or kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// Something of the store, or of the way to it.
    #[error("can't {act}: {why}")]
    Failed { act: String, why: String },
    /// An object has the name already, and stays as it is.
    #[error("{store} has `{name}` already, and what is there is never overwritten")]
    Taken { store: String, name: String },
    #[error("stopped")]
    Stopped,
    /// What was to be kept can't be made.
    #[error(transparent)]
    Fill(io::Error),
}

impl StoreError {
    pub(super) fn of_file(act: &str, error: &io::Error) -> StoreError {
        StoreError::Failed { act: act.to_owned(), why: error.to_string() }
    }

    pub(super) fn of_service(act: &str, error: &opendal::Error) -> StoreError {
        let source = std::error::Error::source(error).map(|source| format!(": {source}"));
        let why = format!("{}{}", error.message(), source.unwrap_or_default()).replace('\n', " ");
        StoreError::Failed { act: act.to_owned(), why }
    }
}

/// What a reader or a writer of a store has told, or what went wrong beside.
impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> StoreError {
        error.downcast().unwrap_or_else(StoreError::Fill)
    }
}

impl From<StoreError> for io::Error {
    fn from(error: StoreError) -> io::Error {
        io::Error::other(error)
    }
}
