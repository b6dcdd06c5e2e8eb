//! What a target holds, against what the ledger says of it: found out before anything is shipped there.

use super::{LookError, Site, interruptible};
use crate::model::credentials::without_credentials;
use crate::model::release::ObjectId;
use crate::model::secret::Vaults;
use crate::model::step::Planned;
use crate::model::target::{GitTarget, Target};
use crate::plan::Delivery;
use crate::release::event::What;
use crate::release::ledger::Tip;
use crate::release::refs::Refs;
use crate::release::scratch::Scratch;
use crate::release::state::Meeting;
use crate::target::git::{Contact, Reach};
use crate::target::{self, server};

/// What a look at the target has shown.
#[derive(Debug, Default)]
pub(crate) struct Met {
    /// What the ledger is to be told before anything is shipped.
    pub(crate) events: Vec<What>,
    /// What must be asked first.
    pub(crate) question: Option<String>,
    /// What became of a push that was cut off.
    pub(crate) news: Option<String>,
}

impl Met {
    /// The number of the last release that the target tells of; 0 if it tells of none.
    pub(crate) fn last(&self) -> u32 {
        let number = |event: &What| if let What::Adopted { number, .. } = event { *number } else { 0 };
        self.events.iter().map(number).max().unwrap_or(0)
    }
}

impl Site {
    /// What the target holds, where the ledger alone does not tell: at first contact, and after a run that was cut off or
    /// found somebody else's commits there. What is found is fetched into deploy's own repository.
    pub(crate) fn meet(&self, delivery: &Delivery, tip: &Tip, vaults: &Vaults) -> Result<Met, LookError> {
        match &delivery.target {
            None => Ok(Met::default()),
            Some(Target::Server(server)) => {
                // A ledger that was lost goes on where the server's releases end.
                let last = if tip.id.is_none() {
                    server::last(server, &self.root).unwrap_or_default()
                } else {
                    None
                };
                let events = last.map(|number| What::Adopted { commit: None, number }).into_iter().collect();
                Ok(Met { events, ..Met::default() })
            }
            // Nobody can ask it. What a run began that was cut off may be there.
            Some(
                target @ (Target::Command(_)
                | Target::Platform(_)
                | Target::Zappa(_)
                | Target::PythonAnywhere(_)),
            ) if target.branch().is_none() => {
                let pending =
                    tip.state.pending.as_ref().filter(|release| release.commit != tip.state.shipped);
                Ok(Met {
                    events: pending.map(|_| What::Shipped { deployment: None }).into_iter().collect(),
                    ..Met::default()
                })
            }
            Some(target) => {
                let Some(git) = target.branch() else { return Ok(Met::default()) };
                let is_known = tip.state.shipped.is_some()
                    && tip.state.pending.is_none()
                    && !tip.state.moved
                    && self.has(tip.state.shipped.as_ref())?;
                if is_known { Ok(Met::default()) } else { self.meet_branch(delivery, git, tip, vaults) }
            }
        }
    }

    /// Whether a release commit is here. One that another machine shipped is not, and the next one goes on top of it.
    fn has(&self, commit: Option<&ObjectId>) -> Result<bool, LookError> {
        if self.sharing.remote.is_none() {
            return Ok(true);
        }
        match (commit, self.scratch()?) {
            (Some(commit), Some(scratch)) => Ok(scratch.commit(commit)?.is_some()),
            (None, _) | (_, None) => Ok(false),
        }
    }

    fn meet_branch(
        &self,
        delivery: &Delivery,
        git: &GitTarget<Planned>,
        tip: &Tip,
        vaults: &Vaults,
    ) -> Result<Met, LookError> {
        let Some(source) = &delivery.source else { return Ok(Met::default()) };
        let repository = self.repository()?;
        let scratch = Scratch::open(&self.state, repository)?;
        let refs = Refs::new(&delivery.environment)?;
        let vault = vaults.of(Some(&delivery.environment));
        let reach = Reach { repository, scratch: &scratch, vault };
        let (contact, signal) =
            interruptible(|stop| target::git::contact(git, &refs, &source.commit, reach, stop, &mut |_| {}));
        if let Some(signal) = signal {
            return Err(LookError::Stopped(signal));
        }
        let contact = contact.map_err(LookError::Target)?;
        let of = format!("`{}` of {}", git.branch, without_credentials(&git.remote.to_string()));
        let news = |became: &str| {
            let cut_off = tip.state.pending.as_ref()?;
            Some(format!("release {}, whose push was cut off, {became} {of}", cut_off.number))
        };
        let adopted =
            |commit, number| Met { events: vec![What::Adopted { commit, number }], ..Met::default() };
        let held = match &contact {
            Contact::Empty => None,
            Contact::Ours { tip, .. } | Contact::Foreign { tip, .. } => Some(tip.clone()),
        };
        Ok(match (tip.state.meet(held.as_ref()), contact) {
            (Meeting::Expected, _) => Met { news: news("has not arrived at"), ..Met::default() },
            (Meeting::Arrived, _) => Met {
                events: vec![What::Shipped { deployment: None }],
                news: news("has arrived at"),
                ..Met::default()
            },
            (Meeting::FirstContact | Meeting::Foreign, Contact::Ours { release, .. }) => {
                adopted(held, release.number)
            }
            (Meeting::Emptied, _) | (Meeting::FirstContact | Meeting::Foreign, Contact::Empty) => {
                adopted(None, 0)
            }
            (Meeting::FirstContact | Meeting::Foreign, Contact::Foreign { commits, .. }) => {
                let names: Vec<String> = commits
                    .iter()
                    .map(|(id, commit)| {
                        format!("\n  {} {} ({})", id.short(), commit.subject(), commit.author)
                    })
                    .collect();
                let names = names.concat();
                let what = if commits.is_empty() {
                    " holds commits that are in your history".to_owned()
                } else {
                    format!(" holds commits that deploy did not ship:{names}\n")
                };
                let question = format!("The branch {of}{what} Go on, on top of them?");
                Met { question: Some(question), ..adopted(held, 0) }
            }
        })
    }
}
