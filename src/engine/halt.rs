//! Asking a run to end from outside of it, without a signal: who watches files does, when one changes.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::process::signal::{Remote, Signals};

/// By which a run is asked to end from outside of it, without a signal.
#[derive(Default)]
pub(crate) struct Halt {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    is_asked: bool,
    remote: Option<Remote>,
}

impl Halt {
    /// Whom to ask. Who was asked before it began is asked now.
    pub(crate) fn attach(&self, signals: &Signals) {
        let mut state = self.state();
        state.remote = Some(signals.remote());
        state.ask();
    }

    /// Asks the run to end, as SIGTERM does.
    pub(crate) fn end(&self) {
        let mut state = self.state();
        state.is_asked = true;
        state.ask();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn ask(&mut self) {
        if self.is_asked
            && let Some(remote) = self.remote.take()
        {
            remote.terminate();
        }
    }
}
