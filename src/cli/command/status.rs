//! `deploy status`: what is live where, since when, by whom. By the ledgers; nothing is asked of the targets.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::super::error::Error;
use super::super::hold;
use super::super::print;
use super::super::session::Session;
use crate::facts::{LookError, Site};
use crate::model::environment::Environment;
use crate::plan::select;
use crate::release::lock::{Holder, Lock};
use crate::release::refs::Refs;
use crate::release::state::State;
use crate::report::columns::columns;

/// An environment, as far as this machine knows.
struct Standing<'a> {
    environment: &'a Environment,
    state: State,
    holder: Option<Holder>,
    /// How many commits HEAD has that are not live; none if that can't be told.
    behind: Option<usize>,
}

pub(crate) fn status(session: &Session, name: Option<&str>, as_json: bool) -> Result<ExitCode, Error> {
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
    let standings = standings.collect::<Result<Vec<_>, LookError>>()?;
    hold::tell_unreached(&site);
    if as_json {
        let objects: Vec<Value> = standings.iter().map(object).collect();
        return Ok(print(
            &(serde_json::to_string_pretty(&objects).expect("plain data has no map with odd keys") + "\n"),
        ));
    }
    if standings.is_empty() {
        return Ok(print("there is no environment yet: declare one, such as [environments.staging]\n"));
    }
    let titles = ["ENVIRONMENT", "RELEASE", "COMMIT", "SINCE", "BY", ""].map(str::to_owned).to_vec();
    let rows: Vec<Vec<String>> = [titles].into_iter().chain(standings.iter().map(row)).collect();
    Ok(print(&columns(&rows)))
}

fn standing<'a>(site: &Site, environment: &'a Environment) -> Result<Standing<'a>, LookError> {
    let state = site.tip(&environment.name)?.state;
    let holder = Lock::look(&site.state, &Refs::new(&environment.name)?);
    let behind = match &state.live {
        Some(live) => site.behind(&live.source)?,
        None => None,
    };
    Ok(Standing { environment, state, holder, behind })
}

fn row(standing: &Standing<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    match standing.behind {
        Some(0) | None => {}
        Some(1) => notes.push("1 commit behind HEAD".to_owned()),
        Some(count) => notes.push(format!("{count} commits behind HEAD")),
    }
    if let Some(holder) = &standing.holder {
        notes.push(format!("being deployed by {}", holder.by));
    } else if let Some(pending) = &standing.state.pending {
        notes.push(format!("release {} began and did not end", pending.number));
    }
    let Some(live) = &standing.state.live else {
        let nothing = if notes.is_empty() { "nothing is live yet".to_owned() } else { notes.join("; ") };
        return vec![
            standing.environment.name.clone(),
            "-".into(),
            "-".into(),
            "-".into(),
            "-".into(),
            nothing,
        ];
    };
    let subject = if notes.is_empty() {
        live.subject.clone()
    } else {
        format!("{} ({})", live.subject, notes.join("; "))
    };
    vec![
        standing.environment.name.clone(),
        live.number.to_string(),
        live.source.short().to_owned(),
        super::minute(live.at),
        live.by.clone(),
        subject,
    ]
}

fn object(standing: &Standing<'_>) -> Value {
    json!({
        "environment": standing.environment.name,
        "live": standing.state.live,
        "number": standing.state.number,
        "pending": standing.state.pending,
        "locked": standing.holder,
        "behind": standing.behind,
    })
}
