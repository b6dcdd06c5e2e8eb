//! What an environment's ledger says now: a fold of its events. Pure; the ledger reads and writes it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::event::{Event, What};
use crate::model::name::RunId;
use crate::model::release::{ObjectId, Release};

/// The version of what is written. A ledger of a newer one is refused, not guessed.
pub(super) const VERSION: u32 = 1;

/// An environment, by its ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) version: u32,
    /// The last release's number; 0 before the first.
    pub(crate) number: u32,
    /// What serves.
    pub(crate) live: Option<Release>,
    /// What the target's branch holds, as far as we know: the fence of the next push.
    pub(crate) shipped: Option<ObjectId>,
    /// A release on its way: if its run is gone, the target tells whether it arrived.
    pub(crate) pending: Option<Release>,
    /// The target's branch was found to hold something else than `shipped`.
    #[serde(default)]
    pub(crate) moved: bool,
    /// Who keeps others away between runs.
    pub(crate) lock: Option<Hold>,
    /// Why nothing new may be shipped.
    pub(crate) frozen: Option<Hold>,
    /// The newest backup of each name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) backups: BTreeMap<String, Saved>,
    /// The folder in its repository of the project that it belongs to, where it is shared; empty at the top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) folder: Option<String>,
}

/// What the target's branch holds, against what the ledger says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meeting {
    /// What was shipped last, or nothing where nothing was shipped. A pending release did not arrive.
    Expected,
    /// The pending release: it arrived, and its run was gone before it could say so.
    Arrived,
    /// Somebody else's commits, and nothing was shipped from here yet.
    FirstContact,
    /// Nothing, although something was shipped: the target was made anew.
    Emptied,
    /// Somebody else's commits, where ours should be.
    Foreign,
}

/// A backup that was made and proven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Saved {
    pub(crate) id: String,
    pub(crate) at: Timestamp,
    /// The release that was to follow it, or that was live.
    pub(crate) release: Option<u32>,
}

/// Somebody's word that holds until it is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hold {
    pub(crate) by: String,
    pub(crate) at: Timestamp,
    pub(crate) run: Option<RunId>,
    pub(crate) reason: String,
    /// Where the run is that holds it; none for a person's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seat: Option<Box<Seat>>,
}

/// Where a run is at work: what tells others whom to ask, and this machine whether it is still there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seat {
    /// The running system in which the process has its number; none where that can't be told.
    pub(crate) machine: Option<String>,
    pub(crate) pid: u32,
    /// What was asked for, without values: they may be secret.
    pub(crate) command: String,
    /// What is being shipped.
    pub(crate) commit: Option<ObjectId>,
    /// Where the CI server shows the run.
    pub(crate) address: Option<String>,
}

impl Default for State {
    fn default() -> State {
        State {
            version: VERSION,
            number: 0,
            live: None,
            shipped: None,
            pending: None,
            moved: false,
            lock: None,
            frozen: None,
            backups: BTreeMap::new(),
            folder: None,
        }
    }
}

impl State {
    /// What it is after an event.
    pub(crate) fn after(mut self, event: &Event) -> State {
        match &event.what {
            What::Started(release) => {
                self.number = self.number.max(release.number);
                self.pending = Some((**release).clone());
            }
            What::Shipped { deployment } => {
                if let (Some(pending), Some(_)) = (&mut self.pending, deployment) {
                    pending.deployment.clone_from(deployment);
                }
                self.shipped = self.pending_commit().or(self.shipped);
                self.moved = false;
            }
            What::Moved => self.moved = true,
            What::Live => {
                self.shipped = self.pending_commit().or(self.shipped);
                self.live = self.pending.take().or(self.live);
            }
            What::Failed => self.pending = None,
            What::Adopted { commit, number } => {
                self.shipped.clone_from(commit);
                self.moved = false;
                self.number = self.number.max(*number);
            }
            What::Locked(seat) => self.lock = Some(Hold { seat: seat.clone(), ..hold(event) }),
            What::Unlocked | What::LockBroken { .. } => self.lock = None,
            What::Frozen => self.frozen = Some(hold(event)),
            What::Thawed => self.frozen = None,
            What::BackedUp { backup, id } => {
                let saved = Saved { id: id.clone(), at: event.at, release: event.release };
                self.backups.insert(backup.clone(), saved);
            }
            What::RolledBack { .. } | What::Overridden { .. } | What::Restored { .. } | What::Other(_) => {}
        }
        self
    }

    /// The release that serves, unless something was shipped over it since: then nobody can say that it serves still.
    pub(crate) fn serves(&self) -> Option<&Release> {
        self.live.as_ref().filter(|live| live.commit == self.shipped)
    }

    /// Compares the tip of the target's branch with what was shipped. This settles what a killed run left open.
    pub(crate) fn meet(&self, tip: Option<&ObjectId>) -> Meeting {
        let pending = self.pending.as_ref().and_then(|release| release.commit.as_ref());
        match (tip, &self.shipped) {
            (tip, shipped) if tip == shipped.as_ref() => Meeting::Expected,
            (Some(tip), _) if Some(tip) == pending => Meeting::Arrived,
            (Some(_), None) => Meeting::FirstContact,
            (Some(_), Some(_)) => Meeting::Foreign,
            (None, _) => Meeting::Emptied,
        }
    }

    fn pending_commit(&self) -> Option<ObjectId> {
        self.pending.as_ref()?.commit.clone()
    }
}

fn hold(event: &Event) -> Hold {
    Hold {
        by: event.by.clone(),
        at: event.at,
        run: event.run.clone(),
        reason: event.reason.clone().unwrap_or_default(),
        seat: None,
    }
}
