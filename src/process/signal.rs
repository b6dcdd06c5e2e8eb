//! The signals that ask us to end or to pause. It tells them; what follows is decided above.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{getpid, kill_process};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use signal_hook::flag::{register_conditional_default, register_usize};
use signal_hook::iterator::backend::SignalDelivery;
use signal_hook::iterator::exfiltrator::SignalOnly;

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

/// The number of the last signal that asked us to end while somebody listened; 0 if there was none.
static LAST: OnceLock<Arc<AtomicUsize>> = OnceLock::new();

/// The last signal that asked us to end while somebody listened, whether it was taken or came too late for that.
pub(crate) fn last() -> Option<Signal> {
    let last = LAST.get()?.load(Ordering::SeqCst);
    Signal::ALL.into_iter().find(|signal| usize::try_from(signal.number()) == Ok(last))
}

/// How many listen: one may begin and end while another goes on.
static LISTENERS: AtomicUsize = AtomicUsize::new(0);

/// While it lives, signals wait in it until somebody takes them, and do nothing else. After the last who listens,
/// they do what they always do.
pub(crate) struct Signals {
    caught: Arc<Caught>,
    _listening: Listening,
}

/// Ends a run from outside of it, as SIGTERM does.
pub(crate) struct Remote(Arc<Caught>);

impl Remote {
    /// Who waits for signals is told of one. Nothing happens if nobody does any more.
    pub(crate) fn terminate(&self) {
        self.0.is_pressed.store(true, Ordering::SeqCst);
        self.0.ring();
    }
}

/// Catches signals from now on. What we were started to ignore (`nohup`) stays ignored.
pub(crate) fn catch() -> io::Result<Signals> {
    let heard = heard();
    let nobody_listens = default_when_nobody_listens(&heard)?;
    Ok(Signals { caught: Arc::new(Caught::new(&heard)?), _listening: Listening::new(nobody_listens) })
}

impl Signals {
    /// Waits for signals, for the bell, or for a point in time, whichever comes first. Gives the signals, which may be
    /// none. Two of a kind that come before they are taken count as one.
    pub(crate) fn wait(&self, until: Option<Instant>) -> Vec<Signal> {
        self.caught.wait(until)
    }

    /// Ends the wait of whoever waits, now or next.
    pub(crate) fn ring(&self) {
        self.caught.ring();
    }

    /// What gives them one of our own.
    pub(crate) fn remote(&self) -> Remote {
        Remote(Arc::clone(&self.caught))
    }
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

/// Signals are told on a thread of its own while it lives.
pub(crate) struct Listener {
    caught: Arc<Caught>,
    is_over: Arc<AtomicBool>,
    _listening: Listening,
}

/// Tells each signal, on a thread of its own, from now until the `Listener` is dropped.
pub(super) fn listen(tell: impl Fn(Signal) + Send + 'static) -> io::Result<Listener> {
    let heard = heard();
    let nobody_listens = default_when_nobody_listens(&heard)?;
    let (caught, is_over) = (Arc::new(Caught::new(&heard)?), Arc::new(AtomicBool::new(false)));
    let listener = Listener {
        caught: Arc::clone(&caught),
        is_over: Arc::clone(&is_over),
        _listening: Listening::new(nobody_listens),
    };
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        while !is_over.load(Ordering::SeqCst) {
            caught.wait(None).into_iter().for_each(&tell);
        }
    })?;
    Ok(listener)
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // The thread is not waited for: it may be inside `tell`, which may wait for us.
        self.caught.ring();
    }
}

/// Signals on their way from the system to whoever takes them.
struct Caught {
    delivery: Mutex<SignalDelivery<UnixStream, SignalOnly>>,
    reader: UnixStream,
    bell: UnixStream,
    /// Whether a [`Remote`] was used.
    is_pressed: AtomicBool,
}

impl Caught {
    fn new(heard: &[Signal]) -> io::Result<Caught> {
        let (reader, bell) = UnixStream::pair()?;
        let numbers = heard.iter().map(|signal| signal.number());
        let delivery =
            SignalDelivery::with_pipe(reader.try_clone()?, bell.try_clone()?, SignalOnly, numbers)?;
        Ok(Caught { delivery: Mutex::new(delivery), reader, bell, is_pressed: AtomicBool::new(false) })
    }

    fn wait(&self, until: Option<Instant>) -> Vec<Signal> {
        let wait = until.map(|until| until.saturating_duration_since(Instant::now()));
        let wait = wait.and_then(|wait| Timespec::try_from(wait).ok());
        let mut fds = [PollFd::new(&self.reader, PollFlags::IN)];
        // Only what has made it readable is taken out: a bell that rings before the wait ends it all the same.
        if poll(&mut fds, wait.as_ref()) != Ok(1) {
            return Vec::new();
        }
        let mut delivery = self.delivery.lock().unwrap_or_else(PoisonError::into_inner);
        let named = |number| Signal::ALL.into_iter().find(|signal| signal.number() == number);
        let mut signals: Vec<Signal> = delivery.pending().filter_map(named).collect();
        if self.is_pressed.swap(false, Ordering::SeqCst) {
            signals.push(Signal::Terminate);
        }
        signals
    }

    fn ring(&self) {
        // Its other end is ours, and nearly empty.
        drop((&self.bell).write(&[0]));
    }
}

/// That somebody listens.
struct Listening {
    nobody_listens: Arc<AtomicBool>,
}

impl Listening {
    fn new(nobody_listens: Arc<AtomicBool>) -> Listening {
        LISTENERS.fetch_add(1, Ordering::SeqCst);
        nobody_listens.store(false, Ordering::SeqCst);
        Listening { nobody_listens }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let is_last = LISTENERS.fetch_sub(1, Ordering::SeqCst) == 1;
        self.nobody_listens.store(is_last, Ordering::SeqCst);
    }
}

/// The signals that we are not to ignore.
fn heard() -> Vec<Signal> {
    let this = Member::this_process();
    let is_ignored = |signal: &Signal| {
        let signal = rustix::process::Signal::from_named_raw(signal.number());
        this.zip(signal).is_some_and(|(this, signal)| this.ignores(signal))
    };
    Signal::ALL.into_iter().filter(|signal| !is_ignored(signal)).collect()
}

/// Stops this process until somebody continues it.
pub(crate) fn pause() {
    // To ourselves it can't fail.
    let _ = kill_process(getpid(), rustix::process::Signal::STOP);
}

/// A handler, once set, is never taken back, and would swallow what comes when nobody listens any more.
fn default_when_nobody_listens(signals: &[Signal]) -> io::Result<Arc<AtomicBool>> {
    static NOBODY_LISTENS: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    if let Some(flag) = NOBODY_LISTENS.get() {
        return Ok(Arc::clone(flag));
    }
    let flag = Arc::new(AtomicBool::new(false));
    let last = LAST.get_or_init(Arc::default);
    for signal in signals.iter().filter(|signal| **signal != Signal::Continue) {
        register_conditional_default(signal.number(), Arc::clone(&flag))?;
        if let (true, Ok(number)) = (*signal != Signal::Suspend, usize::try_from(signal.number())) {
            register_usize(signal.number(), Arc::clone(last), number)?;
        }
    }
    Ok(Arc::clone(NOBODY_LISTENS.get_or_init(|| flag)))
}
