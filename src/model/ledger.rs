//! `[ledger]`: whether the history of releases, and the lock of each environment, is a team's or this machine's.

use std::time::Duration;

/// How a project's ledgers are shared.
#[derive(Clone, Debug)]
pub(crate) struct Sharing {
    /// A URL, a path, or the name of one of the repository's remotes; none: they stay on this machine.
    pub(crate) remote: Option<String>,
    /// What stands before `/ENVIRONMENT/log` in the refs on the remote.
    pub(crate) prefix: String,
    /// How long one call of the remote may take.
    pub(crate) timeout: Duration,
}

impl Default for Sharing {
    fn default() -> Sharing {
        Sharing { remote: None, prefix: "refs/deploy".to_owned(), timeout: Duration::from_secs(30) }
    }
}
