//! Child processes: how they are started, read and ended. The only layer that spawns or signals.
//! It knows bytes and statuses; what a step is, what to print and when a run stops is decided above.

mod child;
mod family;
mod group;
mod leader;
mod printed;
pub(crate) mod program;
pub(crate) mod signal;
mod stop;
mod terminal;
mod watch;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::io::{self, PipeReader};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use thiserror::Error;

use crate::model::event::Stream;
use child::Child;
pub(crate) use stop::{Level, Slept, Stop};

/// What `capture` holds of one child, both streams together: more is a mistake, not an answer.
const CAPTURE_LIMIT: usize = 64 * 1024 * 1024;

/// The word for SIGKILL.
const KILL: &str = "KILL";

/// The word by which a child on a wire is told that nothing more is asked of it.
const BYE: &str = "BYE";

/// One process to start. Not `Debug`: arguments and environment may hold secrets.
#[derive(Clone)]
pub(crate) struct Command {
    /// A path with a slash (see [`program`]): a bare name would be looked up in our `PATH`, and cost a `fork`.
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
    pub(crate) dir: PathBuf,
    /// What it is told that it is called, if that is not `program`.
    pub(crate) name: Option<OsString>,
    /// The whole environment of the child; nothing of ours is added. Shared: it is the same for many children.
    pub(crate) env: Arc<Vec<(OsString, OsString)>>,
    pub(crate) stdin: Stdin,
    pub(crate) terminal: Terminal,
    /// From the start to TERM. Time in which we were suspended does not count.
    pub(crate) timeout: Option<Duration>,
}

impl Command {
    /// A background process with nothing to read, no arguments, an empty environment and no timeout.
    pub(crate) fn new(program: impl Into<PathBuf>, dir: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            dir: dir.into(),
            name: None,
            env: Arc::default(),
            stdin: Stdin::Null,
            terminal: Terminal::Background,
            timeout: None,
        }
    }
}

/// What a child reads.
#[derive(Clone)]
pub(crate) enum Stdin {
    Null,
    /// These bytes, then the end. A child that does not read them is fine.
    Bytes(Vec<u8>),
    /// These bytes, and no end before we end ourselves: by that it learns of it, whatever ends us.
    Open(Vec<u8>),
    /// As `Open`, and the child is asked to end by words: the name of a signal in a line of its own, [`KILL`] after the
    /// grace. For one that hands them on to where no signal of ours reaches.
    Wire(Vec<u8>),
    /// What others write into this pipe, until they close it.
    Pipe(Piped),
    /// Our own; what an interactive child needs.
    Inherited,
}

/// The end of a pipe that a child will have, and we no longer: who writes into it then learns that the child is gone.
#[derive(Clone)]
pub(crate) struct Piped(Arc<Mutex<Option<PipeReader>>>);

impl Stdin {
    pub(crate) fn pipe(reader: PipeReader) -> Stdin {
        Stdin::Pipe(Piped(Arc::new(Mutex::new(Some(reader)))))
    }
}

impl Piped {
    /// The pipe, for the first child that asks.
    fn take(&self) -> Option<PipeReader> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// How a child stands to our terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Terminal {
    /// A process group of its own, and its output comes to us.
    Background,
    /// A process group of its own, and it writes to our stdout and stderr; we read nothing.
    Direct,
    /// It stays in our group, so that it may read the terminal; stdout and stderr are ours.
    Interactive,
}

/// How a child ended, and what it left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) end: End,
    /// Something that it started still runs, or still holds its output open.
    pub(crate) left_running: bool,
}

/// How a child ended. When we ended it, why is worth more than its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// By itself, with this code.
    Exited(i32),
    /// By this signal, which was not ours.
    Signalled(i32),
    /// It took longer than its timeout.
    TimedOut,
    /// The run stops: it was asked to end or killed, or never started.
    Stopped,
    /// It was stopped by the system because it used the terminal from the background; it was killed.
    WantsTerminal,
}

/// What a child printed, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Captured {
    pub(crate) status: End,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

/// Why a child could not be started, or not be watched to its end. Never names arguments: they may hold secrets.
#[derive(Debug, Error)]
pub(crate) enum StartError {
    #[error("can't start `{program}` in `{dir}`: there is no such folder")]
    NoFolder { program: PathBuf, dir: PathBuf },
    #[error("can't start `{program}`: there is no such file")]
    NoProgram { program: PathBuf },
    #[error("can't start `{program}`: the interpreter that its first line names does not exist")]
    NoInterpreter { program: PathBuf },
    #[error("can't start `{program}`: it is not an executable file; `chmod +x` makes it one")]
    NotExecutable { program: PathBuf },
    #[error(
        "can't start `{program}`: its arguments and environment are too large for the system; give them in a file or on stdin"
    )]
    TooLarge { program: PathBuf },
    #[error("can't start `{program}`: {source}")]
    Other { program: PathBuf, source: io::Error },
    #[error("`{program}` was killed: it could not be watched any more: {source}")]
    Lost { program: PathBuf, source: io::Error },
    #[error("`{program}` was killed: it printed more than {} MiB where an answer was expected", CAPTURE_LIMIT / (1024 * 1024))]
    TooMuchOutput { program: PathBuf },
}

impl StartError {
    /// The exit code by which shells tell this: 127 for what is not there, 126 for what can't be run.
    pub(crate) fn code(&self) -> i32 {
        match self {
            Self::NoFolder { .. } | Self::NoProgram { .. } | Self::NoInterpreter { .. } => 127,
            Self::NotExecutable { .. }
            | Self::TooLarge { .. }
            | Self::Other { .. }
            | Self::Lost { .. }
            | Self::TooMuchOutput { .. } => 126,
        }
    }
}

/// What becomes of a child after a piece of its output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    On,
    /// Its work is done: what does not end shortly after is cut off.
    Last,
    /// It is killed.
    Kill,
}

/// Runs a child to its end on this thread. `output` gets what it prints in pieces of at most 256 KiB that may end
/// anywhere; while it blocks, the child is not read, and its timeout waits.
pub(crate) fn run(
    command: &Command,
    stop: &Stop,
    output: &mut dyn FnMut(Stream, Vec<u8>),
) -> Result<Ended, StartError> {
    watch(command, stop, &mut |stream, bytes| {
        output(stream, bytes);
        Flow::On
    })
}

/// As [`run`], where the output tells when the child's work is done.
pub(crate) fn follow(
    command: &Command,
    stop: &Stop,
    output: &mut dyn FnMut(Stream, Vec<u8>) -> Flow,
) -> Result<Ended, StartError> {
    watch(command, stop, output)
}

/// Runs a background child to its end and gives back what it printed, at most 64 MiB.
pub(crate) fn capture(command: &Command, stop: &Stop) -> Result<Captured, StartError> {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut too_much = false;
    let ended = watch(command, stop, &mut |stream, bytes| {
        if stdout.len() + stderr.len() + bytes.len() > CAPTURE_LIMIT {
            too_much = true;
            return Flow::Kill;
        }
        match stream {
            Stream::Out => stdout.extend(bytes),
            Stream::Err => stderr.extend(bytes),
        }
        Flow::On
    })?;
    if too_much {
        return Err(StartError::TooMuchOutput { program: command.program.clone() });
    }
    Ok(Captured { status: ended.end, stdout, stderr })
}

fn watch(command: &Command, stop: &Stop, output: &mut watch::Output) -> Result<Ended, StartError> {
    // Arguments and environment may hold secrets, so neither is told.
    tracing::debug!(program = %command.program.display(), dir = %command.dir.display(), "starts");
    let Some(child) = Child::start(command, stop)? else {
        return Ok(Ended { end: End::Stopped, left_running: false });
    };
    let saved = (command.terminal == Terminal::Interactive).then(terminal::Saved::take).flatten();
    let ended = watch::watch(child, command.timeout, output);
    if let Some(saved) = saved
        && !matches!(ended, Ok(Ended { end: End::Exited(_), .. }))
    {
        saved.restore();
    }
    ended.map_err(|source| StartError::Lost { program: command.program.clone(), source })
}
