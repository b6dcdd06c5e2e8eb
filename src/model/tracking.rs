//! What decides whether a task's work is done already: what was said of it, what it reads, what it makes.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::files::{Files, Pattern};
use super::store::Place;
use super::tree::Digest;

/// How a block is known to be done: that of a task with `inputs` or `outputs`.
#[derive(Clone, Debug)]
pub(crate) struct Tracking {
    /// What tells it from every other: its task, what it is given, its environment.
    pub(crate) job: String,
    /// The folder that the patterns start from.
    pub(crate) dir: PathBuf,
    pub(crate) inputs: Files<Pattern>,
    pub(crate) outputs: Files<Pattern>,
    /// Where what it makes is kept for others.
    pub(crate) cache: Option<Place>,
    /// In the order that one tells them.
    pub(crate) facets: Vec<Facet>,
}

impl Stamp {
    /// What was said of the task.
    pub(crate) fn facets(&self) -> Vec<Facet> {
        serde_json::from_str(self.facets.get()).unwrap_or_default()
    }
}

impl Tracking {
    /// Whether a value of it is known only when it is run.
    pub(crate) fn is_guessed(&self) -> bool {
        self.facets.iter().any(|facet| facet.shown == Shown::Guessed)
    }

    /// Of everything that is said of it.
    pub(crate) fn said(&self) -> Digest {
        Digest::of_words(self.facets.iter().flat_map(|facet| [facet.name.as_str(), facet.value.as_str()]))
    }
}

/// Something that is said of a task: a step, a variable, a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facet {
    /// As messages call it: "step 1", "`tag`".
    pub(crate) name: String,
    /// Secrets stand in it by their names.
    pub(crate) value: String,
    /// Whether the value is kept by its digest alone.
    pub(crate) shown: Shown,
}

/// Whether people may see a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Shown {
    #[serde(rename = "y")]
    Yes,
    /// It may be private, as that of a process's variable: what is kept is a digest.
    #[serde(rename = "n")]
    No,
    /// There is none: a command of the user's would tell, and who only looks runs none.
    #[serde(rename = "g")]
    Guessed,
}

/// What was so when a task's work was last done.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Stamp {
    /// The run that did it.
    pub(crate) run: String,
    /// When it was done, in seconds since 1970.
    pub(crate) at: i64,
    pub(crate) said: Digest,
    /// [`Facet`]s, which are read only by who has to tell what is other than it was.
    pub(crate) facets: Box<RawValue>,
    pub(crate) inputs: Digest,
    pub(crate) outputs: Digest,
    /// The tracked jobs that it needs, each with the run that did it.
    pub(crate) needs: Vec<(String, String)>,
}
