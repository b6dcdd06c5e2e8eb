//! How far a run is being stopped, and which children that reaches. It decides nothing: the levels are raised from
//! above, and `watch` follows a child to its end.

use std::io::{self, PipeReader, PipeWriter, Write, pipe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::family::Family;
use super::group::Group;

/// How far a run is being stopped. It only rises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Everything runs.
    Go,
    /// Nothing more is begun; what runs may finish.
    Drain,
    /// Every child was sent one signal, and has the grace to end.
    Ask,
    /// Every child was sent SIGKILL.
    Kill,
}

/// Whether a sleep was slept to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slept {
    Whole,
    Interrupted,
}

/// One run's wish to end, shared by all who run something in it.
pub(crate) struct Stop {
    grace: Duration,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    level: Level,
    /// What children were asked with.
    signal: Signal,
    grace_ends: Option<Instant>,
    running: Vec<Running>,
    /// How many children were ever registered. A number of ours, since those of processes come back.
    registered: u64,
    /// Made for the first child. One byte in it, which nobody reads, wakes all who watch a child. Closing it would
    /// not: a child that is just being started holds a copy for a moment longer than we are told.
    bell: Option<(Arc<PipeReader>, PipeWriter)>,
    suspended_since: Option<Instant>,
    suspended_before: Duration,
}

struct Running {
    id: u64,
    group: Group,
    asking: Asking,
    asked: bool,
}

/// How a child is asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asking {
    Signals,
    /// By whoever watches it, who is woken by the bell.
    Words,
}

impl Stop {
    /// `grace` is the time from the first signal to SIGKILL.
    pub(crate) fn new(grace: Duration) -> Self {
        let state = State {
            level: Level::Go,
            signal: Signal::TERM,
            grace_ends: None,
            running: Vec::new(),
            registered: 0,
            bell: None,
            suspended_since: None,
            suspended_before: Duration::ZERO,
        };
        Self { grace, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// How far it has risen.
    pub(crate) fn level(&self) -> Level {
        self.lock().level
    }

    /// The signal that children were asked to end with; `None` before.
    pub(crate) fn asked(&self) -> Option<i32> {
        let state = self.lock();
        state.grace_ends.map(|_| state.signal.as_raw())
    }

    /// When children that were asked are killed; `None` before.
    pub(crate) fn grace_ends(&self) -> Option<Instant> {
        self.lock().grace_ends
    }

    #[cfg(test)]
    /// Begin nothing more.
    pub(crate) fn drain(&self) {
        self.rise(Level::Drain, |_| {});
    }

    /// Sends every child this signal, once, and begins the grace. A second call changes nothing.
    pub(crate) fn ask(&self, signal: i32) {
        self.rise(Level::Ask, |state| {
            state.signal = Signal::from_named_raw(signal).unwrap_or(Signal::TERM);
            state.grace_ends = Some(Instant::now() + self.grace);
            state.ring();
            for running in &mut state.running {
                running.ask(state.signal);
            }
            // One that is stopped would not see its signal.
            state.resume();
        });
    }

    /// Kills every child, and what they started.
    pub(crate) fn kill(&self) {
        self.rise(Level::Kill, |state| {
            state.grace_ends = Some(Instant::now());
            state.ring();
            if !state.running.is_empty() {
                let family = Family::look();
                let signalled = state.running.iter().filter(|running| running.asking == Asking::Signals);
                signalled.for_each(|running| running.group.kill(&family));
            }
        });
    }

    /// Sleeps, unless the level rises (or has risen) above `Go`.
    pub(crate) fn sleep(&self, duration: Duration) -> Slept {
        let state = self.lock();
        let waited = self.changed.wait_timeout_while(state, duration, |state| state.level == Level::Go);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if state.level == Level::Go { Slept::Whole } else { Slept::Interrupted }
    }

    /// Stops every group for a while, as Ctrl-Z does. Until `resume` nothing is started, and no timeout runs.
    pub(crate) fn suspend(&self) {
        let mut state = self.lock();
        if state.suspended_since.is_none() {
            state.suspended_since = Some(Instant::now());
            state.running.iter().for_each(|running| running.group.suspend());
        }
    }

    /// Lets every group go on after `suspend`.
    pub(crate) fn resume(&self) {
        self.lock().resume();
        self.changed.notify_all();
    }

    /// Lets one child be started, once nothing is suspended; `None` when it is too late for that.
    pub(super) fn gate(&self) -> io::Result<Option<Gate<'_>>> {
        let waits = |state: &mut State| state.suspended_since.is_some() && state.level < Level::Ask;
        let mut state = self.changed.wait_while(self.lock(), waits).unwrap_or_else(PoisonError::into_inner);
        if state.level >= Level::Ask {
            return Ok(None);
        }
        let bell = if let Some((bell, _)) = &state.bell {
            Arc::clone(bell)
        } else {
            let (reader, writer) = pipe()?;
            Arc::clone(&state.bell.insert((Arc::new(reader), writer)).0)
        };
        Ok(Some(Gate { stop: self, state, bell }))
    }

    fn rise(&self, level: Level, act: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        if state.level < level {
            state.level = level;
            act(&mut state);
            self.changed.notify_all();
        }
    }

    /// A panic elsewhere must not keep us from ending children.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Comes before any signal: who sees a child end by one must see that it was asked.
    fn ring(&mut self) {
        if let Some((_, writer)) = &mut self.bell {
            // The pipe is empty and its other end is ours.
            drop(writer.write(&[0]));
        }
    }

    fn resume(&mut self) {
        if let Some(since) = self.suspended_since.take() {
            self.suspended_before += since.elapsed();
            self.running.iter().for_each(|running| running.group.resume());
        }
    }
}

impl Running {
    fn ask(&mut self, signal: Signal) {
        if !self.asked {
            self.asked = true;
            if self.asking == Asking::Signals {
                self.group.ask(signal);
            }
        }
    }
}

/// The right to start one child. While it is held the level does not rise, and no other child is started.
pub(super) struct Gate<'s> {
    stop: &'s Stop,
    state: MutexGuard<'s, State>,
    bell: Arc<PipeReader>,
}

impl<'s> Gate<'s> {
    pub(super) fn register(mut self, group: Group, asking: Asking) -> Registered<'s> {
        self.state.registered += 1;
        let id = self.state.registered;
        self.state.running.push(Running { id, group, asking, asked: false });
        Registered { stop: self.stop, id, group, asking, bell: self.bell }
    }
}

/// A child that signals reach. Dropping it kills the child, unless it has left.
pub(super) struct Registered<'s> {
    stop: &'s Stop,
    id: u64,
    pub(super) group: Group,
    pub(super) asking: Asking,
    /// Becomes readable when the level rises to `Ask` or `Kill`.
    pub(super) bell: Arc<PipeReader>,
}

impl Registered<'_> {
    /// What the child was asked with, and when it is to be killed, once the bell has rung.
    pub(super) fn asked(&self) -> Option<(Signal, Instant)> {
        let state = self.stop.lock();
        Some((state.signal, state.grace_ends?))
    }

    /// Sends this child alone a signal, unless it was sent one, and gives the end of its grace.
    pub(super) fn ask(&self, signal: Signal) -> Instant {
        if let Some(running) = self.stop.lock().running.iter_mut().find(|running| running.id == self.id) {
            running.ask(signal);
        }
        Instant::now() + self.stop.grace
    }

    /// Kills this child and what it started.
    pub(super) fn kill(&self) {
        let state = self.stop.lock();
        if state.running.iter().any(|running| running.id == self.id) {
            self.group.kill(&Family::look());
        }
    }

    /// From here on no signal reaches the child, and it may be reaped.
    pub(super) fn leave(&self) {
        self.stop.lock().running.retain(|running| running.id != self.id);
    }

    /// For how long we have been suspended so far.
    pub(super) fn suspended(&self) -> Duration {
        let state = self.stop.lock();
        state.suspended_before + state.suspended_since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        self.kill();
        self.leave();
    }
}
