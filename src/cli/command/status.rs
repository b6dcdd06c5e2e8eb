//! `deploy status`: what is live where, since when, by whom, and what keeps others from deploying there. By the ledgers;
//! only `--probe` asks the services themselves, and their platforms.

mod probe;
mod sight;

use std::process::ExitCode;
use std::thread;

use serde_json::{Value, json};

use super::super::error::Error;
use super::super::hold;
use super::super::print;
use super::super::session::Session;
use crate::facts::{LookError, Site};
use crate::model::environment::Environment;
use crate::model::release::Release;
use crate::plan::select;
use crate::release::lock::{Holder, Lock};
use crate::release::refs::Refs;
use crate::release::state::{Hold, State};
use crate::report::columns::columns;
use crate::report::words::count;
use probe::{Inquiry, Vitality};
use sight::{Presence, Question};

/// Whether services are asked how they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Probing {
    Ask,
    LeaveAlone,
}

/// An environment, as far as this machine knows.
struct Standing<'a> {
    environment: &'a Environment,
    state: State,
    /// The run on this machine that is at work on it.
    holder: Option<Holder>,
    /// How many commits HEAD has that are not live; none if that can't be told.
    behind: Option<usize>,
    /// None where it was not asked for.
    found: Option<Found>,
}

/// What the service and its platform said.
struct Found {
    vitality: Vitality,
    presence: Presence,
}

pub(crate) fn status(
    session: &Session,
    name: Option<&str>,
    probing: Probing,
    as_json: bool,
) -> Result<ExitCode, Error> {
    let project = &session.project;
    if let Some(name) = name.filter(|name| project.environment(name).is_none()) {
        return Err(Error::diagnostics(
            select::unknown(project, "environment", name).into(),
            &session.sources,
        ));
    }
    let site = session.site();
    let standings = project
        .environments
        .iter()
        .filter(|known| name.is_none_or(|name| name == known.name))
        .map(|environment| standing(&site, environment));
    let mut standings = standings.collect::<Result<Vec<_>, LookError>>()?;
    hold::tell_unreached(&site);
    if probing == Probing::Ask {
        ask(session, &site, &mut standings)?;
    }
    if as_json {
        let objects: Vec<Value> = standings.iter().map(object).collect();
        return Ok(print(
            &(serde_json::to_string_pretty(&objects).expect("plain data has no map with odd keys") + "\n"),
        ));
    }
    if standings.is_empty() {
        return Ok(print("there is no environment yet: declare one, such as [environments.staging]\n"));
    }
    Ok(print(&text(&standings)))
}

/// Why an answer is always there.
const CALM: &str = "asking does not panic";

/// Asks them all; together they take no longer than the slowest.
fn ask(session: &Session, site: &Site, standings: &mut [Standing<'_>]) -> Result<(), Error> {
    let mut asking = Vec::new();
    for Standing { environment, state, .. } in &*standings {
        let inquiry = Inquiry::of(session, site, environment, state.live.as_ref());
        asking.push((inquiry, Question::of(session, site, environment, state)?));
    }
    let found: Vec<Found> = thread::scope(|scope| {
        let asked: Vec<_> = asking
            .iter()
            .map(|(inquiry, question)| (scope.spawn(|| inquiry.ask()), scope.spawn(|| question.ask())))
            .collect();
        let found = asked.into_iter().map(|(vitality, presence)| Found {
            vitality: vitality.join().expect(CALM),
            presence: presence.join().expect(CALM),
        });
        found.collect()
    });
    for (standing, found) in standings.iter_mut().zip(found) {
        standing.found = Some(found);
    }
    Ok(())
}

fn standing<'a>(site: &Site, environment: &'a Environment) -> Result<Standing<'a>, LookError> {
    let state = site.tip(&environment.name)?.state;
    let holder = Lock::look(&site.state, &Refs::new(&environment.name)?);
    let behind = match &state.live {
        Some(live) => site.behind(&live.source)?,
        None => None,
    };
    Ok(Standing { environment, state, holder, behind, found: None })
}

/// A table, with a line beneath a row for each thing that keeps others away or that was found out.
fn text(standings: &[Standing<'_>]) -> String {
    let titles = ["ENVIRONMENT", "RELEASE", "COMMIT", "SINCE", "BY", ""].map(str::to_owned).to_vec();
    let rows: Vec<Vec<String>> = [titles].into_iter().chain(standings.iter().map(row)).collect();
    let table = columns(&rows);
    let mut lines = table.split_inclusive('\n');
    let mut text = lines.next().unwrap_or_default().to_owned();
    for (line, standing) in lines.zip(standings) {
        text.push_str(line);
        let notes: Vec<Vec<String>> = notes(standing)
            .into_iter()
            .map(|(what, note)| vec![String::new(), what.to_owned(), note])
            .collect();
        text.push_str(&columns(&notes));
    }
    text
}

fn row(standing: &Standing<'_>) -> Vec<String> {
    let name = standing.environment.name.clone();
    let Some(live) = &standing.state.live else {
        let none = || "-".to_owned();
        return vec![name, none(), none(), none(), none(), "nothing is live yet".to_owned()];
    };
    let subject = match standing.behind {
        Some(0) | None => live.subject.clone(),
        Some(behind) => format!("{} ({} behind HEAD)", live.subject, count(behind, "commit")),
    };
    vec![
        name,
        super::number(live),
        live.source.short().to_owned(),
        super::minute(live.at),
        live.by.clone(),
        subject,
    ]
}

/// What is to be known about an environment beside its release.
fn notes(standing: &Standing<'_>) -> Vec<(&'static str, String)> {
    let state = &standing.state;
    let mut notes = Vec::new();
    if let Some(Found { vitality, presence }) = &standing.found {
        notes.push(("health", vitality.text()));
        notes.extend(presence.text().map(|text| ("platform", text)));
    }
    if let Some(Holder { by, since, command, .. }) = &standing.holder {
        notes.push(("running", format!("`{command}`, by {by} since {}", super::minute(*since))));
    } else if let Some(pending) = &state.pending {
        notes.push(("unfinished", format!("release {} began and did not end", pending.number)));
    }
    if let Some(live) = covered(state) {
        let more = format!("deploy history {} tells why", standing.environment.name);
        let text = format!("what was shipped over release {} did not become live: {more}", live.number);
        notes.push(("covered", text));
    }
    // The lock that a run of this machine holds is told with the run.
    let is_running =
        |lock: &&Hold| standing.holder.as_ref().is_some_and(|holder| lock.run.as_ref() == Some(&holder.run));
    if let Some(lock) = state.lock.as_ref().filter(|lock| !is_running(lock)) {
        notes.push(("locked", held(lock)));
    }
    if let Some(frozen) = &state.frozen {
        notes.push(("frozen", held(frozen)));
    }
    notes
}

/// What was live when something was shipped over it that did not become live: nobody can say whether it serves.
fn covered(state: &State) -> Option<&Release> {
    state.live.as_ref().filter(|_| state.pending.is_none() && state.serves().is_none())
}

/// Who, since when, and why, or what the run is at that holds it.
fn held(hold: &Hold) -> String {
    let said = format!("by {} since {}", hold.by, super::minute(hold.at));
    let mut details: Vec<String> = Vec::new();
    details.extend((!hold.reason.is_empty()).then(|| hold.reason.clone()));
    if let Some(seat) = &hold.seat {
        let of = seat.commit.as_ref().map(|commit| format!(" of {}", commit.short()));
        details.push(format!("`{}`{}", seat.command, of.unwrap_or_default()));
        details.extend(seat.address.clone());
        details.extend(seat.is_left().then(|| "its process is gone".to_owned()));
    }
    if details.is_empty() { said } else { format!("{said}: {}", details.join(", ")) }
}

fn object(standing: &Standing<'_>) -> Value {
    json!({
        "environment": standing.environment.name,
        "live": standing.state.live,
        "number": standing.state.number,
        "pending": standing.state.pending,
        "running": standing.holder,
        "locked": standing.state.lock,
        "frozen": standing.state.frozen,
        "covered": covered(&standing.state).is_some(),
        "behind": standing.behind,
        "health": standing.found.as_ref().map(|found| found.vitality.json()),
        "platform": standing.found.as_ref().map(|found| found.presence.json()),
    })
}
