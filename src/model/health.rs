//! What "healthy" means: an address, and what it must answer for how long.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::step::Form;
use crate::diagnostic::Span;

/// A health check: `url` answers as said, `streak` times in a row, before `within` is over.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "F::Text: Serialize", deserialize = "F::Text: Deserialize<'de>"))]
pub(crate) struct Health<F: Form> {
    pub(crate) url: F::Text,
    pub(crate) status: u16,
    /// Text that the body must hold.
    pub(crate) contains: Option<F::Text>,
    pub(crate) within: Duration,
    pub(crate) every: Duration,
    pub(crate) streak: u32,
    pub(crate) at: Span,
}

impl<F: Form> Health<F> {
    /// How long a service may take to come up.
    pub(crate) const WITHIN: Duration = Duration::from_mins(2);
    /// The pause between two probes.
    pub(crate) const EVERY: Duration = Duration::from_secs(2);
}
