//! `deploy history [ENV]`: the releases of an environment, newest first, a line each.

use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::error::Error;
use super::super::hold;
use super::super::print;
use super::super::session::Session;
use crate::facts::LookError;
use crate::plan::select;
use crate::release::history::{Delivery, Outcome};
use crate::report::columns::columns;
use crate::report::words::duration;

pub(crate) fn history(
    session: &Session,
    environment: Option<&str>,
    as_json: bool,
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
    let wanted =
        project.environments.iter().filter(|known| environment.is_none_or(|name| name == known.name));
    let all = wanted.map(|known| Ok((known.name.as_str(), site.history(&known.name)?)));
    let all = all.collect::<Result<Vec<_>, LookError>>()?;
    hold::tell_unreached(&site);
    if as_json {
        let objects: Vec<Value> = all
            .iter()
            .flat_map(|(name, deliveries)| deliveries.iter().map(|delivery| object(name, delivery)))
            .collect();
        return Ok(print(
            &(serde_json::to_string_pretty(&objects).expect("plain data has no map with odd keys") + "\n"),
        ));
    }
    let rows: Vec<Vec<String>> = all
        .iter()
        .flat_map(|(name, deliveries)| {
            deliveries.iter().map(|delivery| row(name, delivery, environment.is_none()))
        })
        .collect();
    if rows.is_empty() {
        return Ok(print("nothing has been released yet\n"));
    }
    Ok(print(&columns(&rows)))
}

fn row(environment: &str, delivery: &Delivery, names_it: bool) -> Vec<String> {
    let release = &delivery.release;
    let took = delivery.took.map_or_else(String::new, |seconds| match seconds {
        0 => "<1s".to_owned(),
        seconds => duration(Duration::from_secs(seconds)),
    });
    let reason = delivery
        .reason
        .as_ref()
        .map_or_else(|| release.subject.clone(), |reason| format!("{} ({reason})", release.subject));
    let mut row = vec![
        release.number.to_string(),
        release.source.short().to_owned(),
        word(delivery.outcome).to_owned(),
        super::minute(release.at),
        release.by.clone(),
        took,
        reason,
    ];
    if names_it {
        row.insert(0, environment.to_owned());
    }
    row
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
    })
}
