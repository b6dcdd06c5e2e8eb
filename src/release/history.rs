//! What a ledger's events come to, release by release: data for `status` and `history`. Pure; it prints nothing.

use jiff::Timestamp;

use super::event::{Event, What};
use super::state::State;
use crate::model::release::{ObjectId, Release};

/// One release, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) release: Release,
    pub(crate) outcome: Outcome,
    /// Whether it ever served.
    pub(crate) was_live: bool,
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
            let delivery = Delivery {
                release,
                outcome: Outcome::Begun,
                was_live: false,
                at: event.at,
                took: None,
                reason: None,
            };
            deliveries.push(delivery);
            continue;
        }
        let outcome = match &event.what {
            What::Shipped { .. } => Outcome::Shipped,
            What::Live if event.release == live => Outcome::Live,
            What::Live => Outcome::Replaced,
            What::Failed => Outcome::Failed,
            What::RolledBack { .. } => Outcome::RolledBack,
            What::Started(_)
            | What::Adopted { .. }
            | What::Moved
            | What::Overridden { .. }
            | What::BackedUp { .. }
            | What::Restored { .. }
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
            if let What::Shipped { deployment: Some(deployment) } = &event.what {
                delivery.release.deployment = Some(deployment.clone());
            }
            delivery.was_live |= event.what == What::Live;
            delivery.at = event.at;
            delivery.took = event.took.or(delivery.took);
            delivery.reason.clone_from(&event.reason);
        }
    }
    deliveries.reverse();
    deliveries
}

/// Why no release can come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoWay {
    /// Nothing is live, and nothing was before.
    Nothing,
    /// What is live is the oldest that was good.
    Oldest(u32),
    /// There is no release of this number.
    Unknown(u32),
    /// It was never live; this is its commit.
    NeverLive(u32, ObjectId),
    /// It is live already.
    Live(u32),
}

/// The release that a rollback brings back: the one of this number, or the newest good one before what is live. What was
/// rolled back is not good, and a second rollback goes further back, never forward again. What was shipped over the live
/// release and did not become live itself makes that one come back.
pub(crate) fn way_back(
    deliveries: &[Delivery],
    state: &State,
    wanted: Option<u32>,
) -> Result<Release, NoWay> {
    let of = |number: u32| deliveries.iter().find(|delivery| delivery.release.number == number);
    // A rollback has the content of an earlier one: that is what comes back.
    let original = |release: &Release| {
        of(release.content()).map_or_else(|| release.clone(), |delivery| delivery.release.clone())
    };
    let serves = state.serves();
    if let Some(number) = wanted {
        let delivery = of(number).ok_or(NoWay::Unknown(number))?;
        let release = original(&delivery.release);
        return match delivery.outcome {
            Outcome::Live | Outcome::Replaced | Outcome::RolledBack
                if serves.is_some_and(|live| live.content() == release.number) =>
            {
                Err(NoWay::Live(number))
            }
            Outcome::Live | Outcome::Replaced => Ok(release),
            Outcome::RolledBack if delivery.was_live => Ok(release),
            Outcome::RolledBack | Outcome::Failed | Outcome::Shipped | Outcome::Begun => {
                Err(NoWay::NeverLive(number, release.source))
            }
        };
    }
    let live = state.live.as_ref().ok_or(NoWay::Nothing)?;
    if serves.is_none() {
        return Ok(original(live));
    }
    let before = deliveries.iter().find(|delivery| {
        delivery.release.restores.is_none()
            && delivery.release.number < live.content()
            && delivery.outcome == Outcome::Replaced
    });
    before.map(|delivery| delivery.release.clone()).ok_or(NoWay::Oldest(live.number))
}
