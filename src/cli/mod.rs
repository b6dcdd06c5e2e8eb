//! ASK: the command line, the questions, the errors and their exit codes. It holds no decision that a test could
//! not reach otherwise.

mod args;
mod built_in;
mod checks;
mod command;
mod drive;
mod environment;
pub(crate) mod error;
mod flags;
mod help;
mod hold;
mod interrupt;
mod look;
mod opening;
mod output;
mod plan_file;
mod prompt;
mod request;
mod secret;
mod session;
mod words;

use std::ffi::OsString;
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::Arc;

use anstream::eprintln;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use args::{Color, Common};
use built_in::Command;
use command::Form;
use command::history::Grain;
use command::status::Probing;
use error::{Error, Kind};
use opening::Opening;
use session::Session;

use crate::plan::Present;

use crate::diagnostic::{Diagnostic, ERROR, HELP, nearest};

/// The program: reads the command line, does what it says, and gives the exit code.
pub(crate) fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if let Some(words) = command::complete::asked(&arguments) {
        return command::complete::complete(words);
    }
    let opening = match Opening::read(arguments) {
        Ok(opening) => opening,
        Err(error) => return usage(&error),
    };
    colour(opening.common.color);
    log(&opening.common);
    dispatch(&opening).unwrap_or_else(say)
}

/// Says what ended a command, and with which code.
fn say(stopped: Stopped) -> ExitCode {
    match stopped {
        Stopped::Usage(error) => usage(&error),
        Stopped::Help(help) => print(&help),
        Stopped::Error(error) => tell(&error),
    }
}

/// What ends a command before its end.
enum Stopped {
    /// The command line; clap says it, help and version included.
    Usage(clap::Error),
    /// The help of a task.
    Help(String),
    Error(Error),
}

impl From<clap::Error> for Stopped {
    fn from(error: clap::Error) -> Stopped {
        Stopped::Usage(error)
    }
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Stopped {
        Stopped::Error(error)
    }
}

fn dispatch(opening: &Opening) -> Result<ExitCode, Stopped> {
    let env: Arc<Vec<(OsString, OsString)>> = Arc::new(environment::all());
    // It is there until the end: to free each of its tasks would only take time.
    let session =
        Session::load(&opening.common, Arc::clone(&env)).map(|session| &*Box::leak(Box::new(session)));
    match &opening.first {
        Some(first) if is_ours(first, session.as_ref().ok().copied()) => {
            let full = opening.built_in(session.as_ref().ok().copied())?;
            // Some want no tasks.toml.
            match full.command {
                Some(Command::Man) => return Ok(command::man::man()),
                Some(Command::Completions(completions)) => {
                    return Ok(command::completions::completions(completions.shell));
                }
                Some(Command::Schema) => return Ok(command::schema::schema()),
                Some(_) | None => {}
            }
            if let Some(Command::Check(check)) = &full.command
                && check.json
            {
                return Ok(command::check::json(session)?);
            }
            let session = session.map_err(Error::from)?;
            Ok(built_in(full.command.as_ref(), &full.common, session)?)
        }
        Some(first) => {
            let session = session.map_err(Error::from)?;
            meant(first, session)?;
            asked(opening, session, &env)
        }
        None => asked(opening, session.map_err(Error::from)?, &env),
    }
}

/// Does what a command line with names of the user's asks for, once or whenever something changes.
fn asked(
    opening: &Opening,
    session: &Session,
    env: &Arc<Vec<(OsString, OsString)>>,
) -> Result<ExitCode, Stopped> {
    let run = opening.run(session)?;
    match run.common.watch {
        None => Ok(command::run::asked(session, &run)?),
        Some(on_change) => {
            let load = || Ok(Session::load(&opening.common, Arc::clone(env))?);
            command::watch::watch(opening, &load, on_change)
        }
    }
}

/// Whether the first word is a command of deploy's: a name of the user's comes first, `:NAME` is always ours.
fn is_ours(first: &str, session: Option<&Session>) -> bool {
    match first.strip_prefix(':') {
        Some(_) => true,
        None => {
            !session.is_some_and(|session| session.project.names.contains_key(first))
                && Command::is_one(first)
        }
    }
}

/// Refuses a first word that means nothing, if what it is nearest to is a command. All other names that mean nothing are
/// told when they are planned, with the places where they stand.
fn meant(first: &str, session: &Session) -> Result<(), Error> {
    let names = &session.project.names;
    if names.contains_key(first) {
        return Ok(());
    }
    let commands = Command::names();
    let near = nearest(first, names.keys().chain(&commands).map(String::as_str));
    match near.filter(|near| !names.contains_key(*near)) {
        None => Ok(()),
        Some(near) => {
            let problem = Diagnostic::new(format!("there is no environment, task or command `{first}`"))
                .help(format!("did you mean `{near}`?"));
            Err(Error::diagnostics(problem.into(), &session.sources))
        }
    }
}

/// Refuses to only look where a command can do nothing else than act.
fn tried(command: Option<&Command>, common: &Common) -> Result<(), Error> {
    let name = match command {
        Some(Command::Lock(_)) => "lock",
        Some(Command::Unlock(_)) => "unlock",
        Some(Command::Recover) => "recover",
        Some(_) | None => return Ok(()),
    };
    if !common.dry_run {
        return Ok(());
    }
    Err(Error::new(Kind::Usage, format!("`deploy {name}` has no --dry-run; nothing was done"))
        .help("deploy status shows how things are"))
}

fn built_in(command: Option<&Command>, common: &Common, session: &Session) -> Result<ExitCode, Error> {
    tried(command, common)?;
    match command {
        None => command::run::default(session, common, Vec::new()),
        Some(Command::List(list)) if list.fresh => Ok(command::list::fresh(session, common)),
        Some(Command::List(_)) => Ok(command::list::list(session)),
        Some(Command::Show(show)) if show.env => command::show::variables(session, common, &show.name),
        Some(Command::Show(show)) => command::show::show(session, &show.name),
        Some(Command::Man) => Ok(command::man::man()),
        Some(Command::Completions(completions)) => Ok(command::completions::completions(completions.shell)),
        Some(Command::Schema) => Ok(command::schema::schema()),
        Some(Command::Graph(graph)) => command::graph::graph(session, common, &graph.names, graph.format),
        // With `--json`, what can't be read is told too: see `dispatch`.
        Some(Command::Check(_)) => command::check::check(session),
        Some(Command::Plan(plan)) => {
            let words = request::named(session, common, &plan.words)?;
            command::plan::plan(session, common, &words, Form::of(plan.json), plan.out.as_deref())
        }
        Some(Command::Why(why)) => {
            let words = request::named(session, common, &why.words)?;
            command::why::why(session, common, &words, Form::of(why.json))
        }
        Some(Command::Apply(apply)) => command::apply::apply(session, common, &apply.plan),
        Some(Command::Rollback(back)) => {
            command::rollback::rollback(session, common, &back.name, back.release)
        }
        Some(Command::Backup(backup)) => {
            command::backup::backup(session, common, &backup.name, &backup.which)
        }
        Some(Command::Backups(asked)) => {
            command::backup::backups(session, common, &asked.name, &asked.which, Form::of(asked.json))
        }
        Some(Command::Restore(back)) => {
            let present = if back.no_backup { Present::Lost } else { Present::Saved };
            command::backup::restore(session, common, &back.name, &back.backup, back.from.clone(), present)
        }
        Some(Command::Lock(lock)) => command::lock::lock(session, common, &lock.name),
        Some(Command::Unlock(unlock)) => command::lock::unlock(session, common, &unlock.name),
        Some(Command::Recover) => command::recover::recover(session),
        Some(Command::Status(status)) => {
            let probing = if status.probe { Probing::Ask } else { Probing::LeaveAlone };
            command::status::status(session, status.name.as_deref(), probing, status.json)
        }
        Some(Command::History(history)) => {
            let grain = if history.events { Grain::Events } else { Grain::Releases };
            let form = Form::of(history.json);
            command::history::history(session, history.environment.as_deref(), grain, form)
        }
        Some(Command::Diff(diff)) => command::diff::diff(session, common, &diff.environment, diff.json),
        Some(Command::Compare(compare)) => {
            command::compare::compare(session, common, [&compare.first, &compare.second], compare.json)
        }
        Some(Command::Logs(logs)) if logs.list && logs.json => Ok(command::logs::list_json(session)),
        Some(Command::Logs(logs)) if logs.list => Ok(command::logs::list(session)),
        Some(Command::Logs(logs)) => command::logs::replay(session, common, logs.run.as_deref()),
    }
}

/// Prints what clap has to say: help and the version on stdout, mistakes on stderr with 2.
fn usage(error: &clap::Error) -> ExitCode {
    // A closed pipe is no reason to fail.
    let _printed = error.print();
    if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS }
}

fn tell(error: &Error) -> ExitCode {
    match error.kind {
        Kind::File | Kind::Secret => eprintln!("{}", error.message),
        Kind::Usage | Kind::Refused | Kind::Locked | Kind::Failed | Kind::Stopped(_) => {
            eprintln!("{ERROR}error{ERROR:#}: {}", error.message);
        }
    }
    if let Some(help) = &error.help {
        eprintln!("{HELP}help{HELP:#}: {help}");
    }
    error.code()
}

fn colour(color: Color) {
    match color {
        Color::Auto => {}
        Color::Always => anstream::ColorChoice::Always.write_global(),
        Color::Never => anstream::ColorChoice::Never.write_global(),
    }
}

/// Sets up what developers of deploy read; users never see it unless they ask.
fn log(common: &Common) {
    let wanted = environment::log().or_else(|| common.verbose.then(|| "deploy=debug".to_owned()));
    let Some(targets) = wanted.and_then(|wanted| Targets::from_str(&wanted).ok()) else { return };
    let stderr = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).without_time();
    tracing_subscriber::registry().with(stderr).with(targets).init();
}

/// Prints data that was asked for. A reader that went away is no failure.
fn print(text: &str) -> ExitCode {
    use std::io::Write;
    // What has no colours is not searched for them byte by byte.
    let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n'));
    let mut stdout: Box<dyn Write> =
        if is_plain { Box::new(std::io::stdout().lock()) } else { Box::new(anstream::stdout().lock()) };
    let _written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    ExitCode::SUCCESS
}
