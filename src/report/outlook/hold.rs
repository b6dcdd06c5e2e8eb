//! Who keeps others away from an environment now: a run on this machine, or somebody's word in the ledger.

use serde_json::{Value, json};

use super::super::words::minute;
use super::line;
use crate::facts::Survey;

/// A line for each; nothing where nobody does.
pub(super) fn text(survey: &Survey, text: &mut String) {
    if let Some(holder) = &survey.holder {
        let since = minute(holder.since);
        let (by, pid, command) = (&holder.by, holder.pid, &holder.command);
        line(text, &format!("  locked   by {by} since {since} (process {pid}, {command})"));
    }
    if let Some(lock) = &survey.tip.state.lock {
        let reason = if lock.reason.is_empty() { String::new() } else { format!(": {}", lock.reason) };
        line(text, &format!("  locked   by {} since {}{reason}", lock.by, minute(lock.at)));
    }
}

pub(super) fn json(survey: &Survey) -> Value {
    json!({ "run": survey.holder, "ledger": survey.tip.state.lock })
}
