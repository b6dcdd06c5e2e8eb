//! The ways to end a run early, by signals: what runs is ended, what is owed is done all the same.

use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::time::Duration;

use crate::process::{Level, Stop};

/// The ways to end early: one for the jobs, a fresh one for what they owe.
pub(crate) struct Stops {
    pub(crate) run: Stop,
    pub(crate) settling: Stop,
    /// How many blocks are doing what they owe.
    at_settling: AtomicUsize,
    /// The signal that came first; 0 for none.
    first: AtomicI32,
}

impl Stops {
    pub(crate) fn new(grace: Duration) -> Stops {
        Stops {
            run: Stop::new(grace),
            settling: Stop::new(grace),
            at_settling: AtomicUsize::new(0),
            first: AtomicI32::new(0),
        }
    }

    /// The first signal asks the jobs to end; a second one kills them. One that comes while something owed is done
    /// asks that to end as well, and the next one kills it: it stays owed then.
    pub(super) fn signal(&self, signal: i32) {
        if self.first.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            return self.run.ask(signal);
        }
        self.run.kill();
        if self.at_settling.load(Ordering::SeqCst) > 0 {
            if self.settling.level() >= Level::Ask { self.settling.kill() } else { self.settling.ask(signal) }
        }
    }

    /// The signal that came first, if one did.
    pub(super) fn first(&self) -> Option<i32> {
        Some(self.first.load(Ordering::SeqCst)).filter(|signal| *signal != 0)
    }

    /// Notes that something owed is being done, while `settle` runs.
    pub(super) fn settling<T>(&self, settle: impl FnOnce() -> T) -> T {
        self.at_settling.fetch_add(1, Ordering::SeqCst);
        let settled = settle();
        self.at_settling.fetch_sub(1, Ordering::SeqCst);
        settled
    }
}
