//! How an interactive job gets the terminal to itself.
//!
//! When its turn comes while others run, more may start beside those as long as one of them runs, so that no slot
//! is idle for the sake of a slow job. From then on nothing starts until all have ended.

use super::Demand;

/// How many jobs run, and which of them an interactive one waits for.
#[derive(Debug, Default)]
pub(super) struct Turn {
    running: usize,
    /// The one that runs is interactive.
    alone: bool,
    awaited: Option<Awaited>,
    started: u64,
}

/// An interactive job's turn has come.
#[derive(Debug)]
struct Awaited {
    /// How many jobs had been started when it came.
    started: u64,
    /// How many of those still run.
    ahead: usize,
}

impl Turn {
    /// How many jobs run.
    pub(super) fn running(&self) -> usize {
        self.running
    }

    /// Whether an interactive job runs.
    pub(super) fn is_taken(&self) -> bool {
        self.alone
    }

    /// Whether an interactive job waits for those that run.
    pub(super) fn is_awaited(&self) -> bool {
        self.awaited.is_some()
    }

    /// The turn of an interactive job has come, and others run.
    pub(super) fn wait(&mut self) {
        let now = Awaited { started: self.started, ahead: self.running };
        self.awaited.get_or_insert(now);
    }

    /// Whether a job may start before the interactive one that waits.
    pub(super) fn may_overtake(&self) -> bool {
        self.awaited.as_ref().is_none_or(|awaited| awaited.ahead > 0)
    }

    /// A job starts. Gives how many had started before it.
    pub(super) fn start(&mut self, demand: Demand) -> u64 {
        if demand.interactive {
            self.alone = true;
            self.awaited = None;
        }
        self.running += 1;
        self.started += 1;
        self.started - 1
    }

    /// The job before which `place` others had started has ended.
    pub(super) fn end(&mut self, place: u64) {
        self.running -= 1;
        self.alone = false;
        if let Some(awaited) = &mut self.awaited
            && place < awaited.started
        {
            awaited.ahead -= 1;
        }
    }
}
