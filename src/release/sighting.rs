//! How long a ledger has not moved, by the clock of who looks: another machine's clock is nothing to go by.

use std::fs;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::refs::Refs;
use crate::model::release::ObjectId;
use crate::state::StateDir;
use crate::state::durable::{self, PRIVATE_FILE};

#[derive(Serialize, Deserialize)]
struct Sighting {
    tip: ObjectId,
    since: Timestamp,
}

/// How long ago the ledger was first seen to end here; none if this is the first time. What can't be kept is forgotten.
pub(crate) fn unmoved(state: &StateDir, refs: &Refs, tip: &ObjectId, now: Timestamp) -> Option<Duration> {
    let path = state.sightings().join(refs.environment());
    let seen: Option<Sighting> = fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    if let Some(seen) = seen.filter(|seen| seen.tip == *tip) {
        return now.duration_since(seen.since).try_into().ok();
    }
    let sighting = Sighting { tip: tip.clone(), since: now };
    let bytes = serde_json::to_vec(&sighting).expect("an id and a time are JSON");
    let _kept = durable::create_folder(&state.sightings())
        .and_then(|()| durable::replace(&path, &bytes, PRIVATE_FILE));
    None
}
