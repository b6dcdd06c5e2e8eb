//! All that a ledger has been told, newest first: what happened, when, by whom, and why.

use serde_json::{Map, Value, json};

use super::Entry;
use crate::facts::{LookError, Site};
use crate::model::name::RunId;
use crate::release::event::{Event, What};

pub(super) fn entries(site: &Site, environment: &str) -> Result<Vec<Entry>, LookError> {
    let entry = |event: &Event| Entry {
        environment: environment.to_owned(),
        row: row(event),
        object: object(environment, event),
    };
    Ok(site.events(environment)?.iter().map(entry).collect())
}

fn row(event: &Event) -> Vec<String> {
    let about = event.release.map_or_else(String::new, |number| format!("release {number}"));
    let details = [detail(&event.what), event.reason.clone()];
    let why: Vec<String> = details.into_iter().flatten().filter(|detail| !detail.is_empty()).collect();
    vec![
        super::super::minute(event.at),
        event.what.word().to_owned(),
        about,
        event.by.clone(),
        why.join(": "),
    ]
}

/// What there is to say beside the word.
fn detail(what: &What) -> Option<String> {
    match what {
        What::Started(release) => Some(match release.restores {
            Some(earlier) => format!("{} {}, back to {earlier}", release.source.short(), release.subject),
            None => format!("{} {}", release.source.short(), release.subject),
        }),
        What::RolledBack { by } => Some(format!("by release {by}")),
        What::Adopted { commit: Some(commit), .. } => Some(format!("goes on from {}", commit.short())),
        What::Adopted { commit: None, .. } => Some("the target is empty".to_owned()),
        What::LockBroken { of: Some(run) } => Some(format!("of run {run}")),
        What::Overridden { rule } => Some(format!("the rule `{rule}`")),
        What::BackedUp { backup, id } | What::Restored { backup, id } => Some(format!("{backup} {id}")),
        What::Locked(Some(seat)) => Some(format!("`{}`", seat.command)),
        What::Shipped { .. }
        | What::Live
        | What::Failed
        | What::Moved
        | What::Locked(None)
        | What::Unlocked
        | What::LockBroken { of: None }
        | What::Frozen
        | What::Thawed
        | What::Other(_) => None,
    }
}

fn object(environment: &str, event: &Event) -> Value {
    let mut object = Map::new();
    let mut add = |key: &str, value: Value| drop(object.insert(key.to_owned(), value));
    add("environment", json!(environment));
    add("event", json!(event.what.word()));
    add("at", json!(event.at));
    add("by", json!(event.by));
    add("run", json!(event.run));
    add("release", json!(event.release));
    add("reason", json!(event.reason));
    add("took", json!(event.took));
    match &event.what {
        What::Started(release) => {
            add("source", json!(release.source));
            add("commit", json!(release.commit));
            add("restores", json!(release.restores));
        }
        What::RolledBack { by } => add("rolled_back_by", json!(by)),
        What::Adopted { commit, .. } => add("commit", json!(commit)),
        What::LockBroken { of } => add("broken", json!(of.as_ref().map(RunId::to_string))),
        What::Overridden { rule } => add("rule", json!(rule)),
        What::BackedUp { backup, id } | What::Restored { backup, id } => {
            add("backup", json!(backup));
            add("id", json!(id));
        }
        What::Locked(seat) => add("seat", json!(seat)),
        What::Shipped { .. }
        | What::Live
        | What::Failed
        | What::Moved
        | What::Unlocked
        | What::Frozen
        | What::Thawed
        | What::Other(_) => {}
    }
    Value::Object(object)
}
