//! One started child: its group, its pipes and its leader. Starting is here; watching it is in `watch`.

use std::ffi::OsString;
use std::io::{self, PipeReader, PipeWriter, pipe};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::Arc;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::Pid;

use super::group::Group;
use super::leader::Leader;
use super::printed::Printed;
use super::stop::{Asking, Registered, Stop};
use super::{Command, StartError, Stdin, Terminal};

/// A child that was started and is not yet reaped. Dropping it kills it.
pub(super) struct Child<'s> {
    // Before `handle`, so that it is dropped first: nobody may signal a number that was given back.
    pub(super) registered: Registered<'s>,
    handle: duct::Handle,
    pub(super) leader: Leader,
    pub(super) stdin: Option<Feed>,
    pub(super) stdout: Option<Printed>,
    pub(super) stderr: Option<Printed>,
    pub(super) terminal: Terminal,
}

/// The bytes that a child has yet to read. Writing never blocks.
pub(super) struct Feed {
    pub(super) pipe: PipeWriter,
    pub(super) bytes: Vec<u8>,
    pub(super) written: usize,
    pub(super) end: FeedEnd,
}

/// When there is nothing more to read for a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FeedEnd {
    WhenRead,
    /// While it runs there may be more.
    Never,
}

impl<'s> Child<'s> {
    /// Starts a child, or gives `None` when the run is being stopped.
    pub(super) fn start(command: &Command, stop: &'s Stop) -> Result<Option<Self>, StartError> {
        let other = |source| StartError::Other { program: command.program.clone(), source };
        // Held until the group is known: no signal falls in the gap, and no other child inherits these pipes.
        let Some(gate) = stop.gate().map_err(other)? else { return Ok(None) };

        let mut expression = expression(command);
        let mut stdin = None;
        match &command.stdin {
            Stdin::Null => expression = expression.stdin_null(),
            Stdin::Inherited => {}
            Stdin::Pipe(piped) => {
                expression = match piped.take() {
                    Some(reader) => expression.stdin_file(reader),
                    None => expression.stdin_null(),
                };
            }
            Stdin::Bytes(bytes) | Stdin::Open(bytes) | Stdin::Wire(bytes) => {
                let (reader, mut feed) = feed(bytes).map_err(other)?;
                feed.end = match &command.stdin {
                    Stdin::Open(_) | Stdin::Wire(_) => FeedEnd::Never,
                    Stdin::Bytes(_) | Stdin::Null | Stdin::Pipe(_) | Stdin::Inherited => FeedEnd::WhenRead,
                };
                expression = expression.stdin_file(reader);
                stdin = Some(feed);
            }
        }
        let (mut stdout, mut stderr) = (None, None);
        if command.terminal == Terminal::Background {
            let (out, out_writer) = pipe().map_err(other)?;
            let (err, err_writer) = pipe().map_err(other)?;
            expression = expression.stdout_file(out_writer).stderr_file(err_writer);
            (stdout, stderr) = (Some(Printed::new(out)), Some(Printed::new(err)));
        }
        let handle = expression.start().map_err(|source| reason(command, source))?;
        // It holds the write ends of the pipes: while it lives they never end.
        drop(expression);

        let pid = pid(&handle).map_err(other)?;
        let asking = if matches!(command.stdin, Stdin::Wire(_)) { Asking::Words } else { Asking::Signals };
        let group = match command.terminal {
            Terminal::Background | Terminal::Direct => Group::Own(pid),
            Terminal::Interactive => Group::Shared(pid),
        };
        let registered = gate.register(group, asking);
        let leader = Leader::new(pid).map_err(other)?;
        Ok(Some(Self { registered, handle, leader, stdin, stdout, stderr, terminal: command.terminal }))
    }

    /// Takes the status of a leader that has ended. From here on its number may belong to somebody else.
    pub(super) fn reap(&self) -> io::Result<ExitStatus> {
        self.registered.leave();
        Ok(self.handle.wait()?.status)
    }
}

fn expression(command: &Command) -> duct::Expression {
    let expression = duct::cmd(&command.program, &command.args).dir(&command.dir).unchecked();
    let (env, name, terminal) = (Arc::clone(&command.env), command.name.clone(), command.terminal);
    // The environment goes to the standard library here, and not through duct, which would copy it three times.
    expression.full_env::<_, OsString, OsString>([]).before_spawn(move |command| {
        command.envs(env.iter().map(|(name, value)| (name, value)));
        if let Some(name) = &name {
            command.arg0(name);
        }
        match terminal {
            Terminal::Interactive => {}
            Terminal::Background | Terminal::Direct => drop(command.process_group(0)),
        }
        Ok(())
    })
}

fn feed(bytes: &[u8]) -> io::Result<(PipeReader, Feed)> {
    let (reader, writer) = pipe()?;
    fcntl_setfl(&writer, fcntl_getfl(&writer)? | OFlags::NONBLOCK)?;
    Ok((reader, Feed { pipe: writer, bytes: bytes.to_vec(), written: 0, end: FeedEnd::WhenRead }))
}

fn pid(handle: &duct::Handle) -> io::Result<Pid> {
    let pid = handle.pids().first().and_then(|pid| Pid::from_raw(i32::try_from(*pid).ok()?));
    pid.ok_or_else(|| io::Error::other("the system gave it no process id"))
}

/// The system says `ENOENT` for a missing folder, program and interpreter alike.
fn reason(command: &Command, source: io::Error) -> StartError {
    let program = command.program.clone();
    match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory if !command.dir.is_dir() => {
            StartError::NoFolder { program, dir: command.dir.clone() }
        }
        io::ErrorKind::NotFound if Path::new(&program).exists() => StartError::NoInterpreter { program },
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => StartError::NoProgram { program },
        io::ErrorKind::PermissionDenied => StartError::NotExecutable { program },
        io::ErrorKind::ArgumentListTooLong => StartError::TooLarge { program },
        _ => StartError::Other { program, source },
    }
}
