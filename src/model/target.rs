//! Places that receive a release.

use super::script::Script;
use super::step::Form;
use crate::diagnostic::Span;

/// Where an environment's releases go.
#[derive(Clone, Debug)]
pub(crate) enum Target<F: Form> {
    Git(GitTarget<F>),
    Server(Box<ServerTarget<F>>),
    Command(CommandTarget<F>),
}

/// A branch of a git repository; whoever keeps it builds and starts what is pushed there.
#[derive(Clone, Debug)]
pub(crate) struct GitTarget<F: Form> {
    /// A URL, a path, or the name of one of the user's remotes.
    pub(crate) remote: F::Text,
    pub(crate) branch: F::Text,
    /// Patterns in the remote's text that mean failure although the push succeeded.
    pub(crate) fail_on: Vec<String>,
    pub(crate) at: Span,
}

/// A folder of releases with a `current` link, on this machine.
#[derive(Clone, Debug)]
pub(crate) struct ServerTarget<F: Form> {
    pub(crate) path: F::Text,
    /// Shell lines, run in the new release's folder.
    pub(crate) build: Vec<Script<F::Text>>,
    /// Files and folders that all releases have in common.
    pub(crate) shared: Vec<String>,
    /// A shell line, run in `current` after it was switched.
    pub(crate) reload: Option<Script<F::Text>>,
    /// How many releases stay, the live one included.
    pub(crate) keep: usize,
    pub(crate) at: Span,
}

/// Whatever a program of the user's ships to.
#[derive(Clone, Debug)]
pub(crate) struct CommandTarget<F: Form> {
    /// The program and its arguments; run in the release's files.
    pub(crate) command: Vec<F::Text>,
    /// What brings an earlier release back; empty: nothing does.
    pub(crate) rollback: Vec<F::Text>,
    pub(crate) at: Span,
}

impl<F: Form> ServerTarget<F> {
    /// How many releases stay when the file doesn't say.
    pub(crate) const KEEP: usize = 5;
}
