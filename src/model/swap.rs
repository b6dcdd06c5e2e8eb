//! Other content for a file, in what is shipped or until a task ends.

use serde::{Deserialize, Serialize};

use super::step::Form;
use crate::diagnostic::Span;

/// One file's other content.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "F::Text: Serialize", deserialize = "F::Text: Deserialize<'de>"))]
pub(crate) struct Swap<F: Form> {
    /// Relative to the folder of tasks.toml, with `/`; never absolute, never leaving it.
    pub(crate) path: String,
    pub(crate) content: Content<F>,
    pub(crate) at: Span,
}

/// What the file holds instead.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[serde(bound(serialize = "F::Text: Serialize", deserialize = "F::Text: Deserialize<'de>"))]
pub(crate) enum Content<F: Form> {
    /// A line of text; a newline is added.
    Line(F::Text),
    /// The content of another file of the same commit.
    From(F::Text),
    /// Exactly these bytes.
    Text(F::Text),
    /// No file at all.
    Remove,
}
