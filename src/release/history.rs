//! What a ledger's events come to, release by release: data for `status` and `history`. Pure; it prints nothing.

use jiff::Timestamp;

use super::event::{Event, What};
use super::state::State;
use crate::model::release::Release;

/// One release, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) release: Release,
    pub(crate) outcome: Outcome,
    /// When the last thing happened to it.
    pub(crate) at: Timestamp,
    /// Seconds from its run's begin to its outcome.
    pub(crate) took: Option<u64>,
    pub(crate) reason: Option<String>,
}

/// What became of a release, as far as the ledger knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It serves.
    Live,
    /// It served, until another did.
    Replaced,
    Failed,
    /// It was taken away again, and an earlier one serves in its place.
    RolledBack,
    /// The target has it; whether it serves is not known yet.
    Shipped,
    /// It began. Its run is at it, or gone.
    Begun,
}

/// The releases among `events` (newest first), newest first. One whose begin is not among them is left out.
pub(crate) fn deliveries(events: &[Event], state: &State) -> Vec<Delivery> {
    let mut deliveries: Vec<Delivery> = Vec::new();
    let live = state.live.as_ref().map(|release| release.number);
    for event in events.iter().rev() {
        if let What::Started(release) = &event.what {
            let release = Release::clone(release);
            let delivery =
                Delivery { release, outcome: Outcome::Begun, at: event.at, took: None, reason: None };
            deliveries.push(delivery);
            continue;
        }
        let outcome = match &event.what {
            What::Shipped => Outcome::Shipped,
            What::Live if event.release == live => Outcome::Live,
            What::Live => Outcome::Replaced,
            What::Failed => Outcome::Failed,
            What::RolledBack { .. } => Outcome::RolledBack,
            What::Started(_)
            | What::Adopted { .. }
            | What::Moved
            | What::Overridden { .. }
            | What::Locked(_)
            | What::Unlocked
            | What::LockBroken { .. }
            | What::Frozen
            | What::Thawed
            | What::Other(_) => continue,
        };
        let of = |delivery: &&mut Delivery| Some(delivery.release.number) == event.release;
        if let Some(delivery) = deliveries.iter_mut().rev().find(of) {
            delivery.outcome = outcome;
            delivery.at = event.at;
            delivery.took = event.took.or(delivery.took);
            delivery.reason.clone_from(&event.reason);
        }
    }
    deliveries.reverse();
    deliveries
}
