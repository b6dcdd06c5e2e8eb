//! Steps that are processes: a shell line, or a program with its arguments.

use std::cell::Cell;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::surroundings::Surroundings;
use super::{Handing, Hands};
use crate::engine::Act;
use crate::model::event::{Failure, Told};
use crate::model::project::SHELL;
use crate::model::script::{Bound, Script};
use crate::model::step::{Planned, Step};
use crate::model::task::Block;
use crate::model::text::Text;
use crate::process::{self, Command, End, Ended, Flow, StartError, Stdin, Stop, Terminal};
use crate::state::drafts::Drafts;
use crate::state::durable::DurableError;

/// Where folders for a while go, unless `TMPDIR` says another place.
const ROOM: &str = "/tmp";

/// A line, or a script, of the block's shell; its values travel in the environment. A script that begins with `#!`
/// runs under the interpreter that it names.
pub(super) fn shell(
    hands: &Hands<'_>,
    act: &Act<'_>,
    script: &Script<Text>,
    handing: Handing,
    stop: &Stop,
    tell: &mut dyn FnMut(Told),
) -> Result<(), Failure> {
    shell_with(hands, act, script, Ends { handing, stdin: None, flow: None }, stop, tell)
}

/// The same, where who hears it says by `flow` what becomes of it.
pub(super) fn heard(
    hands: &Hands<'_>,
    act: &Act<'_>,
    script: &Script<Text>,
    flow: &Cell<Flow>,
    stop: &Stop,
    tell: &mut dyn FnMut(Told),
) -> Result<(), Failure> {
    let ends = Ends { handing: Handing::Read, stdin: None, flow: Some(flow) };
    shell_with(hands, act, script, ends, stop, tell)
}

/// The same with something to read.
pub(super) fn fed(
    hands: &Hands<'_>,
    act: &Act<'_>,
    script: &Script<Text>,
    stdin: Stdin,
    stop: &Stop,
    tell: &mut dyn FnMut(Told),
) -> Result<(), Failure> {
    shell_with(
        hands,
        act,
        script,
        Ends { handing: Handing::Read, stdin: Some(stdin), flow: None },
        stop,
        tell,
    )
}

fn shell_with(
    hands: &Hands<'_>,
    act: &Act<'_>,
    script: &Script<Text>,
    ends: Ends<'_>,
    stop: &Stop,
    tell: &mut dyn FnMut(Told),
) -> Result<(), Failure> {
    let bound = script.bind();
    if let Some(rest) = bound.line.strip_prefix("#!") {
        return interpreted(hands, act, rest, &bound.line, ends, stop, tell);
    }
    let vault = hands.vaults.of(act.environment);
    let mut surroundings = Surroundings::of(hands, act);
    surroundings.set_all(bound.values.iter().map(|(name, value)| (name, value.reveal(vault))));
    // A pipe is had once: what does not begin could not be tried by the shell.
    if ends.stdin.is_none()
        && let Some(command) = simple(hands, act, &bound, &surroundings)
        && let Some(ended) = begun(attended(act, command, ends.clone(), stop, tell))
    {
        return outcome(ended, act, tell);
    }
    let (program, flags) =
        act.block.shell.split_first().expect("a shell has a program: the file was checked");
    let mut args: Vec<OsString> = flags.iter().map(OsString::from).collect();
    args.push(bound.line.into());
    run(hands, act, Process { program: OsStr::new(program), args, surroundings, ends }, stop, tell)
}

/// The process of a line that needs no shell, such as `cargo build`: what the shell would start in its own place. A
/// project that names a shell gets that one for every line.
fn simple(hands: &Hands<'_>, act: &Act<'_>, bound: &Bound, surroundings: &Surroundings) -> Option<Command> {
    let words = bound.words().filter(|_| *act.block.shell == SHELL && surroundings.are_kept_by_shells)?;
    // A secret is never an argument of a process that we start: none of its value is plain, and the shell gets it.
    let words: Option<Vec<OsString>> =
        words.iter().map(|word| Some(OsString::from(word.as_plain()?))).collect();
    let mut words = words?.into_iter();
    let name = words.next()?;
    // What is not found is left to the shell, which has words for it.
    let program = hands.programs.find(&name, surroundings.path(), &surroundings.dir).ok()?;
    Some(Command {
        args: words.collect(),
        name: Some(name),
        env: Arc::clone(&surroundings.env),
        ..Command::new(program, &surroundings.dir)
    })
}

/// How a process ended; nothing if it never began, so that the shell can try: scripts without `#!` it knows to read.
fn begun(result: Result<Ended, StartError>) -> Option<Result<Ended, StartError>> {
    match result {
        Ok(_) | Err(StartError::Lost { .. } | StartError::TooMuchOutput { .. }) => Some(result),
        Err(
            StartError::NoFolder { .. }
            | StartError::NoProgram { .. }
            | StartError::NoInterpreter { .. }
            | StartError::NotExecutable { .. }
            | StartError::TooLarge { .. }
            | StartError::Other { .. },
        ) => None,
    }
}

/// A script under its own interpreter: written to a private file, which is gone when it has ended.
fn interpreted(
    hands: &Hands<'_>,
    act: &Act<'_>,
    after_mark: &str,
    text: &str,
    ends: Ends<'_>,
    stop: &Stop,
    tell: &mut dyn FnMut(Told),
) -> Result<(), Failure> {
    // As the system reads that line: a program, and at most one argument.
    let first = after_mark.lines().next().unwrap_or_default().trim();
    let (program, argument) = first.split_once([' ', '\t']).unwrap_or((first, ""));
    let failed = |error: DurableError| Failure::NotStarted { message: error.to_string(), code: 126 };
    let mut drafts = Drafts::new(&hands.state).map_err(failed)?;
    let file = drafts.write(text.as_bytes()).map_err(failed)?;
    let mut args: Vec<OsString> = Some(argument.trim())
        .filter(|argument| !argument.is_empty())
        .map(OsString::from)
        .into_iter()
        .collect();
    args.push(file.into());
    let surroundings = Surroundings::of(hands, act);
    let process = Process { program: OsStr::new(program), args, surroundings, ends };
    run(hands, act, process, stop, tell)
}

/// Whether a program is there for a block's processes; why not.
pub(super) fn find(hands: &Hands<'_>, block: &Block, program: &str) -> Result<(), String> {
    let path = block
        .env
        .iter()
        .rev()
        .find(|(name, _)| name == "PATH")
        .map(|(_, path)| OsString::from(path.to_string()));
    let callers = || hands.env.iter().find(|(name, _)| name == "PATH").map(|(_, path)| path.clone());
    let path = path.or_else(callers);
    let found = hands.programs.find(OsStr::new(program), path.as_deref(), &block.dir);
    found.map(drop).map_err(|missing| missing.to_string())
}

/// A shell line of a target, in a folder of its own.
pub(super) fn line(
    hands: &Hands<'_>,
    act: &Act<'_>,
    script: &Script<Text>,
    folder: &Path,
    stop: &Stop,
    tell: &mut dyn FnMut(Told),
) -> Result<(), Failure> {
    let (block, step) = moved(act, folder);
    shell(hands, &Act { block: &block, step: &step, ..*act }, script, hands.handing, stop, tell)
}

/// A program of a target, in a folder of its own.
pub(super) fn program_in(
    hands: &Hands<'_>,
    act: &Act<'_>,
    words: &[Text],
    folder: &Path,
    stop: &Stop,
    tell: &mut dyn FnMut(Told),
) -> Result<(), Failure> {
    let (block, step) = moved(act, folder);
    program(hands, &Act { block: &block, step: &step, ..*act }, words, stop, tell)
}

/// Where the caller wants folders to be that are needed for a while.
pub(super) fn room(hands: &Hands<'_>) -> PathBuf {
    let named = hands.env.iter().find(|(name, value)| name == "TMPDIR" && !value.is_empty());
    hands.root.join(named.map_or(OsStr::new(ROOM), |(_, folder)| folder))
}

/// What an act's processes come from, in another folder.
fn moved(act: &Act<'_>, folder: &Path) -> (Block, Step<Planned>) {
    let block = Block { dir: folder.to_owned(), steps: Vec::new(), always: Vec::new(), ..act.block.clone() };
    (block, Step { dir: None, ..act.step.clone() })
}

/// A program without a shell.
pub(super) fn program(
    hands: &Hands<'_>,
    act: &Act<'_>,
    words: &[Text],
    stop: &Stop,
    tell: &mut dyn FnMut(Told),
) -> Result<(), Failure> {
    let Some((program, args)) = words.split_first() else {
        return Err(Failure::NotStarted {
            message: "there is no program to run: the list is empty".to_owned(),
            code: 127,
        });
    };
    let args = args.iter().map(|arg| arg.to_string().into()).collect();
    let (program, surroundings) = (program.to_string(), Surroundings::of(hands, act));
    let ends = Ends { handing: hands.handing, stdin: None, flow: None };
    let process = Process { program: OsStr::new(&program), args, surroundings, ends };
    run(hands, act, process, stop, tell)
}

/// A process to be.
struct Process<'a> {
    program: &'a OsStr,
    args: Vec<OsString>,
    surroundings: Surroundings,
    ends: Ends<'a>,
}

/// What a process reads, if that is said, where it prints, and what becomes of it after a piece of that.
#[derive(Clone)]
struct Ends<'e> {
    handing: Handing,
    stdin: Option<Stdin>,
    flow: Option<&'e Cell<Flow>>,
}

fn run(
    hands: &Hands<'_>,
    act: &Act<'_>,
    process: Process<'_>,
    stop: &Stop,
    tell: &mut dyn FnMut(Told),
) -> Result<(), Failure> {
    let Process { program, args, surroundings, ends } = process;
    need_folder(&surroundings.dir)?;
    let found = hands.programs.find(program, surroundings.path(), &surroundings.dir);
    let program = found
        .map_err(|missing| Failure::NotStarted { message: missing.to_string(), code: missing.code() })?;
    let command = Command { args, env: surroundings.env, ..Command::new(program, surroundings.dir) };
    outcome(attended(act, command, ends, stop, tell), act, tell)
}

/// Runs a process with what it reads, where it prints, and how long it may take.
fn attended(
    act: &Act<'_>,
    command: Command,
    ends: Ends<'_>,
    stop: &Stop,
    tell: &mut dyn FnMut(Told),
) -> Result<Ended, StartError> {
    let (terminal, stdin) = if act.block.interactive {
        (Terminal::Interactive, Stdin::Inherited)
    } else {
        match ends.handing {
            Handing::Read => (Terminal::Background, Stdin::Null),
            Handing::Direct => (Terminal::Direct, Stdin::Null),
        }
    };
    let stdin = ends.stdin.unwrap_or(stdin);
    let timeout = act.limit.map(|limit| limit.at.saturating_duration_since(Instant::now()));
    let command = Command { stdin, terminal, timeout, ..command };
    process::follow(&command, stop, &mut |stream, bytes| {
        tell(Told::Output(stream, bytes));
        ends.flow.map_or(Flow::On, Cell::get)
    })
}

/// Runs a process to its end, and tells what it prints.
pub(super) fn watched(
    command: &Command,
    stop: &Stop,
    tell: &mut dyn FnMut(Told),
) -> Result<Ended, StartError> {
    process::run(command, stop, &mut |stream, bytes| tell(Told::Output(stream, bytes)))
}

fn need_folder(dir: &Path) -> Result<(), Failure> {
    if dir.is_dir() {
        return Ok(());
    }
    Err(Failure::NotStarted {
        message: format!("there is no folder `{}` to run in", dir.display()),
        code: 127,
    })
}

pub(super) fn outcome(
    ended: Result<Ended, StartError>,
    act: &Act<'_>,
    tell: &mut dyn FnMut(Told),
) -> Result<(), Failure> {
    let ended =
        ended.map_err(|error| Failure::NotStarted { message: error.to_string(), code: error.code() })?;
    if ended.left_running {
        tell(Told::LeftRunning);
    }
    match ended.end {
        End::Exited(0) => Ok(()),
        End::Exited(code) => Err(Failure::Exit(code)),
        End::Signalled(signal) => Err(Failure::Signal(signal)),
        End::TimedOut => Err(Failure::TimedOut(act.limit.map(|limit| limit.whole).unwrap_or_default())),
        End::Stopped => Err(Failure::Stopped),
        End::WantsTerminal => Err(Failure::WantsTerminal),
    }
}
