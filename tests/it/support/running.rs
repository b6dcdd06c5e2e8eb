//! A program that runs, and how it ended. Its group is killed, by its id, when the test that
//! started it is over.

use std::fmt;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid};

use super::DEADLINE;

/// A program that was started.
pub(crate) struct Running {
    child: Child,
    heard: Arc<Heard>,
    exit: Receiver<()>,
}

impl Running {
    /// Starts the command with both outputs read.
    pub(crate) fn start(command: &mut Command) -> Running {
        // A group of its own, so that all of it can be ended with the test.
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().expect("the program starts");
        let heard = Arc::new(Heard::default());
        listen(&heard, child.stdout.take().expect("a pipe"), |transcript| &mut transcript.stdout);
        listen(&heard, child.stderr.take().expect("a pipe"), |transcript| &mut transcript.stderr);
        let exit = watch(Pid::from_child(&child));
        Running { child, heard, exit }
    }

    /// Waits until the program has printed `marker`, on either stream.
    #[track_caller]
    pub(crate) fn wait_for(&self, marker: &str) -> &Running {
        let found = self.heard.until(|transcript| transcript.holds(marker) || transcript.closed == STREAMS);
        assert!(found.holds(marker), "`{marker}` did not come; this did:\n{}", found.shown());
        drop(found);
        self
    }

    /// What it has printed so far, on both streams.
    pub(crate) fn said(&self) -> String {
        self.heard.now().shown()
    }

    /// Sends a signal to the program, and to it alone.
    pub(crate) fn signal(&self, signal: Signal) -> &Running {
        kill_process(Pid::from_child(&self.child), signal).expect("a child that we have not waited for");
        self
    }

    /// Types on the program's terminal.
    pub(crate) fn type_in(&mut self, keys: &str) -> &Running {
        let stdin = self.child.stdin.as_mut().expect("started on a terminal");
        stdin.write_all(keys.as_bytes()).expect("the terminal is read");
        self
    }

    /// Waits until the program and all that holds its output have ended.
    #[track_caller]
    pub(crate) fn wait(self) -> Ended {
        self.wait_within(DEADLINE)
    }

    /// As [`Running::wait`], for what may rightly take longer.
    #[track_caller]
    pub(crate) fn wait_within(mut self, deadline: Duration) -> Ended {
        let ended = self.exit.recv_timeout(deadline).is_ok();
        let shown = self.heard.now().shown();
        assert!(ended, "it did not end; it had printed:\n{shown}");
        let status = self.child.wait().expect("a child of ours");
        let transcript = self.heard.until(|transcript| transcript.closed == STREAMS);
        assert!(
            transcript.closed == STREAMS,
            "it left something running that holds its output:\n{}",
            transcript.shown()
        );
        Ended {
            stdout: text(&transcript.stdout),
            stderr: text(&transcript.stderr),
            code: status.code().unwrap_or_else(|| -status.signal().expect("it exited or was killed")),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            kill_process_group(Pid::from_child(&self.child), Signal::KILL).expect("a group of ours");
            self.child.wait().expect("a child of ours");
        }
    }
}

/// How a program ended, and what it had printed.
#[must_use = "say how it has to end: .succeeds(), .fails(), .fails_with(code) or snapshot!"]
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// The exit code; `-n` if signal `n` ended it.
    pub(crate) code: i32,
}

impl Ended {
    #[track_caller]
    pub(crate) fn succeeds(&self) -> &Ended {
        self.fails_with(0)
    }

    /// It ended with an error, and not by a signal nor by a bug of its own.
    #[track_caller]
    pub(crate) fn fails(&self) -> &Ended {
        assert!(self.code > 0 && self.code != BUG, "it has to fail:\n{self}");
        self
    }

    /// It ended by itself, and not by a bug of its own; how does not matter here.
    #[track_caller]
    pub(crate) fn ends(&self) -> &Ended {
        assert!(self.code >= 0 && self.code != BUG, "it has to end by itself:\n{self}");
        self
    }

    #[track_caller]
    pub(crate) fn fails_with(&self, code: i32) -> &Ended {
        assert!(self.code == code, "it has to end with {code}:\n{self}");
        self
    }

    /// stdout is exactly this.
    #[track_caller]
    pub(crate) fn prints(&self, stdout: &str) -> &Ended {
        assert!(self.stdout == stdout, "stdout has to be {stdout:?}:\n{self}");
        self
    }

    /// stdout has this somewhere.
    #[track_caller]
    pub(crate) fn shows(&self, part: &str) -> &Ended {
        assert!(self.stdout.contains(part), "stdout has to have `{part}`:\n{self}");
        self
    }

    /// stderr has this somewhere.
    #[track_caller]
    pub(crate) fn says(&self, part: &str) -> &Ended {
        assert!(self.stderr.contains(part), "stderr has to have `{part}`:\n{self}");
        self
    }

    /// One of the streams has this somewhere.
    #[track_caller]
    pub(crate) fn mentions(&self, part: &str) -> &Ended {
        assert!(self.has(part), "it has to mention `{part}`:\n{self}");
        self
    }

    #[track_caller]
    pub(crate) fn never_mentions(&self, part: &str) -> &Ended {
        assert!(!self.has(part), "it must not mention `{part}`:\n{self}");
        self
    }

    fn has(&self, part: &str) -> bool {
        self.stdout.contains(part) || self.stderr.contains(part)
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                writeln!(f, "-- {name}\n{}", text.trim_end_matches('\n'))?;
            }
        }
        write!(f, "-- exit {}", self.code)
    }
}

/// The exit code of a bug in deploy.
const BUG: i32 = 70;

/// How many streams a program has that we read.
const STREAMS: u8 = 2;

/// What was printed so far, shared with the threads that read it.
#[derive(Default)]
struct Heard {
    transcript: Mutex<Transcript>,
    more: Condvar,
}

#[derive(Default)]
struct Transcript {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    closed: u8,
}

impl Heard {
    fn now(&self) -> MutexGuard<'_, Transcript> {
        self.transcript.lock().expect("no reader panics")
    }

    /// What was printed when `enough` held, or when the deadline was over.
    fn until(&self, enough: impl Fn(&Transcript) -> bool) -> MutexGuard<'_, Transcript> {
        let end = Instant::now() + DEADLINE;
        let mut transcript = self.now();
        while !enough(&transcript) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            transcript = self.more.wait_timeout(transcript, left).expect("no reader panics").0;
        }
        transcript
    }
}

impl Transcript {
    fn holds(&self, marker: &str) -> bool {
        text(&self.stdout).contains(marker) || text(&self.stderr).contains(marker)
    }

    fn shown(&self) -> String {
        format!("-- stdout\n{}\n-- stderr\n{}", text(&self.stdout), text(&self.stderr))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Reads a stream to its end on a thread of its own.
fn listen(
    heard: &Arc<Heard>,
    mut from: impl Read + Send + 'static,
    stream: fn(&mut Transcript) -> &mut Vec<u8>,
) {
    let heard = Arc::clone(heard);
    thread::spawn(move || {
        let mut piece = [0; 8192];
        while let Ok(count @ 1..) = from.read(&mut piece) {
            stream(&mut heard.now()).extend_from_slice(&piece[..count]);
            heard.more.notify_all();
        }
        heard.now().closed += 1;
        heard.more.notify_all();
    });
}

/// Says when the process has ended, and leaves it to be waited for: until then its id is its own, and safe to signal.
fn watch(pid: Pid) -> Receiver<()> {
    let (ended, exit) = channel();
    thread::spawn(move || {
        loop {
            let ended_or_not = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
            if !matches!(ended_or_not, Err(Errno::INTR)) {
                break;
            }
        }
        // Nobody listens any more when the test is over.
        let _unheard = ended.send(());
    });
    exit
}
