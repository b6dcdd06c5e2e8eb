//! `deploy logs [RUN]`: what a run told, once more, as any reporter tells it; and which runs there are.

use std::io;
use std::process::ExitCode;

use anstream::eprintln;
use serde_json::{Value, json};

use super::super::args::Common;
use super::super::error::{Error, Kind};
use super::super::output::{self, Held};
use super::super::print;
use super::super::session::Session;
use crate::model::project::Output;
use crate::report::columns::columns;
use crate::report::words::{count, duration};
use crate::report::{Format, Labels};
use crate::state::StateDir;
use crate::state::log::{About, End, LogError, Outline, Replay};
use crate::state::runs::{self, Kept, Standing};

/// At most this many runs are named to who asked for one that there is not.
const NAMED: usize = 5;

const NONE: &str =
    "no output is kept yet; that of a task which runs alone goes to the terminal and nowhere else\n";

/// `deploy logs --list`
pub(crate) fn list(session: &Session) -> ExitCode {
    let kept = runs::kept(&state(session));
    if kept.is_empty() {
        return print(NONE);
    }
    let titles = ["RUN", "WHEN", "WHAT", "ENDED", "TOOK"].map(str::to_owned).to_vec();
    let rows: Vec<Vec<String>> = [titles].into_iter().chain(kept.iter().map(row)).collect();
    print(&columns(&rows))
}

/// `deploy logs --list --json`
pub(crate) fn list_json(session: &Session) -> ExitCode {
    let objects: Vec<Value> = runs::kept(&state(session)).iter().map(object).collect();
    print(&(serde_json::to_string_pretty(&objects).expect("plain data has no map with odd keys") + "\n"))
}

/// `deploy logs [RUN]`
pub(crate) fn replay(session: &Session, common: &Common, run: Option<&str>) -> Result<ExitCode, Error> {
    let state = state(session);
    let kept = runs::kept(&state);
    if kept.is_empty() && run.is_none() {
        return Ok(print(NONE));
    }
    let Kept { about, standing } = choose(&kept, run.unwrap_or_default())?;
    let mut replay = Replay::open(&state.run(&about.run))?;
    let labels = Labels {
        names: about.jobs.clone(),
        order: about.order.clone(),
        sources: about.sources.iter().map(Outline::source).collect(),
    };
    let format = format(common, &labels, &state);
    let has_words = !common.quiet && !matches!(format, Format::Json | Format::Quiet(_));
    let held = common.quiet.then(Held::default);
    let mut reporter = output::reporter(format, labels, held.as_ref());
    if has_words {
        eprintln!("deploy: run {} of {}: {}", about.run, super::minute(about.began), what(about));
    }
    for event in &mut replay {
        match reporter.event(&event?) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
            Err(error) => return Err(Error::new(Kind::Failed, error.to_string())),
        }
    }
    match standing {
        Standing::Ended(end) if end.left_out > 0 => {
            eprintln!("deploy: {} bytes of output more were not kept", end.left_out);
        }
        Standing::Ended(_) => {}
        Standing::Running => eprintln!("deploy: the run goes on"),
        Standing::CutOff => eprintln!("deploy: the run was cut off here"),
    }
    Ok(ExitCode::SUCCESS)
}

fn state(session: &Session) -> StateDir {
    session.site().state
}

/// The run whose id begins like this, if it is the only one; without a beginning the newest.
fn choose<'a>(kept: &'a [Kept], beginning: &str) -> Result<&'a Kept, Error> {
    let found: Vec<&Kept> = kept.iter().filter(|kept| kept.about.run.0.starts_with(beginning)).collect();
    let (problem, near) = match found.as_slice() {
        [only] => return Ok(only),
        [newest, ..] if beginning.is_empty() => return Ok(newest),
        [] => (format!("no output of a run `{beginning}` is kept"), kept.iter().collect()),
        [_, ..] => (format!("the ids of several runs begin with `{beginning}`"), found),
    };
    let ids: Vec<&str> = near.iter().take(NAMED).map(|kept| kept.about.run.0.as_str()).collect();
    let help = (!ids.is_empty()).then(|| format!("the newest are {}", ids.join(", ")));
    Err(Error::new(Kind::Usage, problem).maybe_help(help))
}

/// As the run's own would be, but for CI servers: they have folded it once.
fn format(common: &Common, labels: &Labels, state: &StateDir) -> Format {
    let folder = || state.path().to_owned();
    match common.output.unwrap_or_default() {
        Output::Auto if labels.names.len() == 1 => Format::Stream,
        Output::Auto | Output::Prefixed => Format::Prefixed,
        Output::Stream => Format::Stream,
        Output::Grouped => Format::Grouped(folder()),
        Output::Quiet => Format::Quiet(folder()),
        Output::Json => Format::Json,
    }
}

fn row(kept: &Kept) -> Vec<String> {
    let (ended, took) = match kept.standing {
        Standing::Running => ("it runs".to_owned(), String::new()),
        Standing::CutOff => ("cut off".to_owned(), String::new()),
        Standing::Ended(end) => {
            let owed = match end.still_owed {
                0 => String::new(),
                owed => format!(", {} owed", count(owed, "step")),
            };
            (format!("{}{owed}", word(end)), duration(end.took))
        }
    };
    vec![kept.about.run.0.clone(), super::minute(kept.about.began), what(&kept.about), ended, took]
}

fn object(kept: &Kept) -> Value {
    let About { run, began, environment, tasks, .. } = &kept.about;
    let (ended, end) = match kept.standing {
        Standing::Running => ("running", None),
        Standing::CutOff => ("cut off", None),
        Standing::Ended(end) => (word(end), Some(end)),
    };
    json!({
        "run": run,
        "began": began,
        "environment": environment,
        "tasks": tasks,
        "ended": ended,
        "took": end.map(|end| end.took.as_secs_f64()),
        "still_owed": end.map(|end| end.still_owed),
    })
}

fn word(end: End) -> &'static str {
    match (end.succeeded, end.signal) {
        (true, _) => "succeeded",
        (false, Some(_)) => "stopped",
        (false, None) => "failed",
    }
}

/// The environment and the tasks, as one would type them.
pub(super) fn what(about: &About) -> String {
    let words = about.environment.iter().chain(&about.tasks);
    words.map(String::as_str).collect::<Vec<_>>().join(" ")
}

impl From<LogError> for Error {
    fn from(error: LogError) -> Error {
        Error::new(Kind::Failed, error.to_string())
    }
}
