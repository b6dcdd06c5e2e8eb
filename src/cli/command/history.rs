//! `deploy history [ENV]`: the releases of an environment, newest first, a line each; with `--events`, all that its ledger
//! has been told.

mod events;

use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::error::Error;
use super::super::hold;
use super::super::print;
use super::super::session::Session;
use super::Form;
use crate::facts::{LookError, Site};
use crate::plan::select;
use crate::release::history::{Delivery, Outcome};
use crate::report::columns::columns;
use crate::report::words::duration;

/// What is told of a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grain {
    Releases,
    Events,
}

pub(crate) fn history(
    session: &Session,
    environment: Option<&str>,
    grain: Grain,
    form: Form,
) -> Result<ExitCode, Error> {
    let project = &session.project;
    if let Some(name) = environment
        && project.environment(name).is_none()
    {
        return Err(Error::diagnostics(
            select::unknown(project, "environment", name).into(),
            &session.sources,
        ));
    }
    let site = session.site();
    let known = project.environments.iter().map(|known| known.name.as_str());
    let names: Vec<&str> = known.filter(|known| environment.is_none_or(|name| name == *known)).collect();
    let entries = match grain {
        Grain::Releases => entries(&names, |name| releases(&site, name))?,
        Grain::Events => entries(&names, |name| events::entries(&site, name))?,
    };
    hold::tell_unreached(&site);
    Ok(print(&match form {
        Form::Json => {
            let objects: Vec<Value> = entries.into_iter().map(|entry| entry.object).collect();
            serde_json::to_string_pretty(&objects).expect("plain data has no map with odd keys") + "\n"
        }
        Form::Text if entries.is_empty() => match grain {
            Grain::Releases => "nothing has been released yet\n".to_owned(),
            Grain::Events => "nothing has happened yet\n".to_owned(),
        },
        Form::Text => {
            let row = |entry: Entry| match environment {
                Some(_) => entry.row,
                None => [entry.environment].into_iter().chain(entry.row).collect(),
            };
            columns(&entries.into_iter().map(row).collect::<Vec<Vec<String>>>())
        }
    }))
}

/// One line of the history, in both of its forms.
struct Entry {
    environment: String,
    row: Vec<String>,
    object: Value,
}

fn entries(
    names: &[&str],
    of: impl Fn(&str) -> Result<Vec<Entry>, LookError>,
) -> Result<Vec<Entry>, LookError> {
    let all = names.iter().map(|name| of(name)).collect::<Result<Vec<_>, LookError>>()?;
    Ok(all.into_iter().flatten().collect())
}

fn releases(site: &Site, environment: &str) -> Result<Vec<Entry>, LookError> {
    let entry = |delivery: &Delivery| Entry {
        environment: environment.to_owned(),
        row: row(delivery),
        object: object(environment, delivery),
    };
    Ok(site.history(environment)?.iter().map(entry).collect())
}

fn row(delivery: &Delivery) -> Vec<String> {
    let release = &delivery.release;
    let took = delivery.took.map_or_else(String::new, |seconds| match seconds {
        0 => "<1s".to_owned(),
        seconds => duration(Duration::from_secs(seconds)),
    });
    let reason = delivery
        .reason
        .as_ref()
        .map_or_else(|| release.subject.clone(), |reason| format!("{} ({reason})", release.subject));
    vec![
        super::number(release),
        release.source.short().to_owned(),
        word(delivery.outcome).to_owned(),
        super::minute(release.at),
        release.by.clone(),
        took,
        reason,
    ]
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Live => "live",
        Outcome::Replaced => "replaced",
        Outcome::Failed => "failed",
        Outcome::RolledBack => "rolled back",
        Outcome::Shipped => "shipped",
        Outcome::Begun => "unfinished",
    }
}

fn object(environment: &str, delivery: &Delivery) -> Value {
    json!({
        "environment": environment,
        "release": delivery.release,
        "outcome": word(delivery.outcome),
        "at": delivery.at,
        "took": delivery.took,
        "reason": delivery.reason,
        "restores": delivery.release.restores,
    })
}
