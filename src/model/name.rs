//! Names and numbers that identify things: tasks, environments, jobs, runs.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A job's place in its plan: an index into [`Plan::jobs`](crate::plan::Plan).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct JobId(pub(crate) u32);

impl JobId {
    /// The job at position `index` of a plan.
    pub(crate) fn new(index: usize) -> JobId {
        JobId(u32::try_from(index).expect("a plan has fewer than 2^32 jobs"))
    }

    /// The job's position in its plan.
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// One carrying-out of a plan: when it began and a random tail, so that no two machines ever share one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct RunId(pub(crate) String);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
