//! What "healthy" means: an address, and what it must answer for how long; and what follows when it is not.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::http::without_user;
use super::step::{Form, Planned};
use super::text::Text;
use crate::diagnostic::Span;

/// A health check: `url` answers as said, `streak` times in a row, before `within` is over.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "F::Text: Serialize", deserialize = "F::Text: Deserialize<'de>"))]
pub(crate) struct Health<F: Form> {
    pub(crate) url: F::Text,
    pub(crate) status: u16,
    /// Text that the body must hold.
    pub(crate) contains: Option<F::Text>,
    pub(crate) version: Option<Version<F>>,
    pub(crate) within: Duration,
    pub(crate) every: Duration,
    pub(crate) streak: u32,
    pub(crate) at: Span,
}

/// Which version must answer, and where it says so.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "F::Text: Serialize", deserialize = "F::Text: Deserialize<'de>"))]
pub(crate) struct Version<F: Form> {
    /// Text that is there when it is this one; never empty.
    pub(crate) text: F::Text,
    /// The header that holds it; without one, the body does.
    pub(crate) header: Option<String>,
}

impl<F: Form> Health<F> {
    /// How long a service may take to come up.
    pub(crate) const WITHIN: Duration = Duration::from_mins(2);
    /// The pause between two probes.
    pub(crate) const EVERY: Duration = Duration::from_secs(2);
}

/// What becomes of a release that is not healthy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnFailure {
    /// The release before it comes back.
    Rollback,
    /// It stays where it is.
    Keep,
    /// Whoever deploys is asked.
    Ask,
}

/// What a check that failed says of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// The service is not well.
    Bad,
    /// Nobody can tell from here: the service may be well.
    Unclear,
}

impl Health<Planned> {
    /// Every text of it that may hold a secret.
    pub(crate) fn texts(&self) -> Vec<&Text> {
        let version = self.version.as_ref().map(|version| &version.text);
        [&self.url].into_iter().chain(&self.contains).chain(version).collect()
    }

    /// The address as it is shown: no secret, and no user info, which may hold a password.
    pub(crate) fn address(&self) -> String {
        without_user(&self.url.to_string())
    }
}

impl OnFailure {
    /// Each with its word.
    pub(crate) const WORDS: [(&str, OnFailure); 3] =
        [("rollback", OnFailure::Rollback), ("keep", OnFailure::Keep), ("ask", OnFailure::Ask)];

    /// As the file says it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            OnFailure::Rollback => "rollback",
            OnFailure::Keep => "keep",
            OnFailure::Ask => "ask",
        }
    }
}
