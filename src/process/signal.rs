//! The signals that ask us to end or to pause. It tells them; what follows is decided above.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use rustix::process::{getpid, kill_process};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use signal_hook::flag::register_conditional_default;
use signal_hook::iterator::{Handle, Signals};

use super::Stop;
use super::family::Member;

/// What ends a process whose output nobody reads any more.
pub(crate) const PIPE: i32 = signal_hook::consts::SIGPIPE;

/// A signal that we were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// `kill`, a CI server, `docker stop`.
    Terminate,
    /// The terminal was closed.
    Hangup,
    /// Ctrl-\.
    Quit,
    /// Ctrl-Z: answer with `Stop::suspend`, then [`pause`].
    Suspend,
    /// `fg`: answer with `Stop::resume`.
    Continue,
}

impl Signal {
    const ALL: [Self; 6] =
        [Self::Interrupt, Self::Terminate, Self::Hangup, Self::Quit, Self::Suspend, Self::Continue];

    /// The system's number for it, as `Stop::ask` takes it and `128 + n` shows it.
    pub(crate) fn number(self) -> i32 {
        match self {
            Self::Interrupt => SIGINT,
            Self::Terminate => SIGTERM,
            Self::Hangup => SIGHUP,
            Self::Quit => SIGQUIT,
            Self::Suspend => SIGTSTP,
            Self::Continue => SIGCONT,
        }
    }
}

/// The last signal that was told and asks us to end; 0 if there was none.
static TOLD: AtomicI32 = AtomicI32::new(0);

/// The last signal that was told and asks us to end, if there was one.
pub(crate) fn told() -> Option<Signal> {
    let told = TOLD.load(Ordering::SeqCst);
    Signal::ALL.into_iter().find(|signal| signal.number() == told)
}

/// How many listen: one may begin and end while another goes on.
static LISTENERS: AtomicUsize = AtomicUsize::new(0);

/// While one lives, signals are told and do nothing else. After the last, they do what they always do.
pub(crate) struct Listener {
    handle: Handle,
    nobody_listens: Arc<AtomicBool>,
}

/// While it lives, signals that ask us to end ask `stop` to: for what is waited for outside of a run.
pub(crate) fn asking(stop: &Arc<Stop>) -> io::Result<Listener> {
    let stop = Arc::clone(stop);
    listen(move |signal| match signal {
        Signal::Suspend => {
            stop.suspend();
            pause();
        }
        Signal::Continue => stop.resume(),
        Signal::Interrupt | Signal::Terminate | Signal::Hangup | Signal::Quit => stop.ask(signal.number()),
    })
}

/// Tells each signal, on a thread of its own, from now until the `Listener` is dropped. Two of a kind that come
/// before the first is told count as one. What we were started to ignore (`nohup`) stays ignored.
pub(crate) fn listen(tell: impl Fn(Signal) + Send + 'static) -> io::Result<Listener> {
    let this = Member::this_process();
    let is_ignored = |signal: Signal| {
        let signal = rustix::process::Signal::from_named_raw(signal.number());
        this.zip(signal).is_some_and(|(this, signal)| this.ignores(signal))
    };
    let heard: Vec<Signal> = Signal::ALL.into_iter().filter(|signal| !is_ignored(*signal)).collect();

    let nobody_listens = default_when_nobody_listens(&heard)?;
    let mut signals = Signals::new(heard.iter().map(|signal| signal.number()))?;
    let handle = signals.handle();
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for number in &mut signals {
            let ends = |signal: &&Signal| !matches!(signal, Signal::Suspend | Signal::Continue);
            if let Some(ending) = heard.iter().filter(ends).find(|signal| signal.number() == number) {
                TOLD.store(ending.number(), Ordering::SeqCst);
            }
            heard.iter().filter(|signal| signal.number() == number).for_each(|signal| tell(*signal));
        }
    })?;
    LISTENERS.fetch_add(1, Ordering::SeqCst);
    nobody_listens.store(false, Ordering::SeqCst);
    Ok(Listener { handle, nobody_listens })
}

/// Stops this process until somebody continues it.
pub(crate) fn pause() {
    // To ourselves it can't fail.
    let _ = kill_process(getpid(), rustix::process::Signal::STOP);
}

impl Drop for Listener {
    fn drop(&mut self) {
        let is_last = LISTENERS.fetch_sub(1, Ordering::SeqCst) == 1;
        self.nobody_listens.store(is_last, Ordering::SeqCst);
        // The thread is not waited for: it may be inside `tell`, which may wait for us.
        self.handle.close();
    }
}

/// A handler, once set, is never taken back, and would swallow what comes when nobody listens any more.
fn default_when_nobody_listens(signals: &[Signal]) -> io::Result<Arc<AtomicBool>> {
    static NOBODY_LISTENS: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    if let Some(flag) = NOBODY_LISTENS.get() {
        return Ok(Arc::clone(flag));
    }
    let flag = Arc::new(AtomicBool::new(false));
    for signal in signals.iter().filter(|signal| **signal != Signal::Continue) {
        register_conditional_default(signal.number(), Arc::clone(&flag))?;
    }
    Ok(Arc::clone(NOBODY_LISTENS.get_or_init(|| flag)))
}
