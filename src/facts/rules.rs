//! What the rules of an environment are judged by, beside what a survey looks for anyway: the time, what is pushed, what
//! is frozen, what serves elsewhere.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Zoned};

use super::{LookError, Site, interruptible, now};
use crate::model::environment::Older;
use crate::model::freeze::Freeze;
use crate::model::release::{ObjectId, Source};
use crate::plan::Delivery;
use crate::plan::guard::{Before, Frozen};
use crate::release::git::GitError;
use crate::release::lineage::Lineage;
use crate::release::repository::{Ancestry, Repository};
use crate::release::state::{Hold, State};

impl Site {
    /// Where a commit is besides here: a branch of a remote, or wherever a CI server got it from. That checks out what it
    /// was told, and its clone may know no branch.
    pub(super) fn pushed(
        &self,
        repository: &Repository,
        source: &Source,
    ) -> Result<Option<String>, GitError> {
        let branch = repository.remote_branches(&source.commit)?.into_iter().next();
        let is_checked_out =
            |name: &&str| self.variable(name).is_some_and(|commit| commit == source.commit.as_str());
        let server = || ["GITHUB_SHA", "CI_COMMIT_SHA"].iter().find(|name| is_checked_out(name));
        Ok(branch.or_else(|| server().map(|_| "what the CI server checked out".to_owned())))
    }

    /// Whether a commit is older than the live one; none if that can't be told, and why. Where it matters, it is no reason
    /// that the live one is not here: the remote is asked.
    pub(super) fn is_older(
        &self,
        repository: &Repository,
        delivery: &Delivery,
        commit: &ObjectId,
        live: &ObjectId,
    ) -> Result<(Option<bool>, Option<String>), LookError> {
        let matters = delivery.protect.older == Older::Refused;
        let mut ancestry = repository.ancestry(live, commit)?;
        let mut unhad = None;
        if ancestry == Ancestry::Unknown && matters {
            let (told, signal) =
                interruptible(|stop| Lineage::new(&self.state, repository)?.ancestry(live, commit, stop));
            if let Some(signal) = signal {
                return Err(LookError::Stopped(signal));
            }
            match told {
                Ok(told) => ancestry = told,
                Err(error) => unhad = Some(error.to_string()),
            }
        }
        let behind = match ancestry {
            Ancestry::Ancestor => Some(live != commit),
            Ancestry::Unrelated => Some(false),
            Ancestry::Unknown => None,
        };
        Ok((behind, unhad))
    }
}

/// The time zone of this name, as this machine knows it.
pub(crate) fn zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok()
}

/// The time now, by the clock of each window's zone.
pub(super) fn clocks(windows: &[Freeze]) -> Vec<Zoned> {
    let now = now();
    let clock = |window: &Freeze| {
        // Its name was looked up when the file was read.
        let zone = window.zone.as_ref().and_then(|(name, _)| zone(name));
        now.to_zoned(zone.unwrap_or_else(TimeZone::system))
    };
    windows.iter().map(clock).collect()
}

/// A freeze of the ledger.
pub(super) fn frozen(hold: &Hold) -> Frozen {
    Frozen { by: hold.by.clone(), at: hold.at.to_zoned(TimeZone::system()), reason: hold.reason.clone() }
}

/// What an environment has, as those see it that come after it.
pub(super) fn before(state: State) -> Before {
    match (state.serves().cloned(), state.live) {
        (Some(live), _) => Before::Serves(live),
        (None, Some(live)) => Before::Covered(live),
        (None, None) => Before::Nothing,
    }
}

/// How old the oldest of the newest backups of these names is; none if one was never saved.
pub(super) fn saved(state: &State, names: &[String]) -> Option<Duration> {
    let ages = names.iter().map(|name| state.backups.get(name).map(|saved| now().duration_since(saved.at)));
    let ages: Vec<SignedDuration> = ages.collect::<Option<_>>()?;
    ages.into_iter().max().map(SignedDuration::unsigned_abs)
}
