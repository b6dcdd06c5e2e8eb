//! Every variable of the caller's environment that deploy itself reads.
#![expect(clippy::disallowed_methods, reason = "this is where the environment is read")]

use std::env;
use std::ffi::OsString;

/// All of it: what the processes that we start get beneath their own variables.
pub(crate) fn all() -> Vec<(OsString, OsString)> {
    env::vars_os().collect()
}

use crate::report::Ci;

/// What deploy tells its developers about itself: a level, or `module=level,…`.
pub(crate) fn log() -> Option<String> {
    text("DEPLOY_LOG")
}

/// The run that this process is a step of.
pub(crate) fn run() -> Option<String> {
    text("DEPLOY_RUN")
}

/// The CI server whose way of grouping output is understood.
pub(crate) fn ci() -> Option<Ci> {
    match (text("GITHUB_ACTIONS"), text("GITLAB_CI")) {
        (Some(_), _) => Some(Ci::GitHub),
        (None, Some(_)) => Some(Ci::GitLab),
        (None, None) => None,
    }
}

fn text(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
