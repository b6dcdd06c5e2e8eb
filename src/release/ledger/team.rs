//! A ledger that a team shares: the same chain under a ref of a git remote. It grows there by plain fast-forward pushes
//! alone, so that of two who go on from the same event the remote takes one, whatever host it is. What is not clear
//! after a push is read back; a chain that does not go on from what was seen is never followed.

use std::time::Duration;

use super::home::Home;
use super::{Ledger, LedgerError, Tip};
use crate::model::ledger::Sharing;
use crate::model::release::ObjectId;
use crate::process::{Slept, Stop};
use crate::release::event::{Event, What};
use crate::release::fault::Fault;
use crate::release::git::{Git, GitError};
use crate::release::object::Commit;
use crate::release::refs::Refs;
use crate::release::remote::{self, Pushed, Remote};
use crate::release::repository::{Repository, SourceError};
use crate::release::scratch::{Pointing, Scratch, ScratchError, Update, Was};

/// How often a push is tried that the remote neither took nor refused for a reason.
const TRIES: u32 = 6;

/// The same, where the remote hangs up on whoever would write, as on a key that may only read; or can't store it.
const TRIES_IF_UNWILLING: u32 = 2;

/// The pause before the second try; each further one is twice as long, and cut at random.
const PAUSE: Duration = Duration::from_millis(50);

/// How long a look may take after the user asked for the end: somebody waits.
const LAST_LOOK: Duration = Duration::from_secs(5);

/// Events that were written while the remote could not be reached are written again on top of what it has by then; more
/// than these are nobody's afternoon.
const MOST_ALONE: usize = 10_000;

/// What a remote says when two pushes met at its ref, or when a crash of its own left the ref locked.
const MEETINGS: [&str; 4] =
    ["cannot lock ref", "failed to update ref", "failed to lock", "incorrect old value"];

/// The git remote through which a team shares its ledgers.
#[derive(Clone)]
pub(crate) struct Team {
    git: Git,
    pub(super) url: String,
    pub(super) prefix: String,
    limit: Duration,
    pub(super) home: Home,
}

impl Team {
    /// The remote that `sharing` names, if it names one.
    pub(crate) fn of(
        scratch: &Scratch,
        repository: &Repository,
        sharing: &Sharing,
    ) -> Result<Option<Team>, SourceError> {
        let Some(name) = &sharing.remote else { return Ok(None) };
        let url = repository.url(name)?;
        let git = remote::reaching(scratch.git.clone(), repository, &url)?;
        let home = Home::of(repository)?;
        Ok(Some(Team { git, url, prefix: sharing.prefix.clone(), limit: sharing.timeout, home }))
    }

    /// Whether its refs are branches: CI servers look at what is pushed to those.
    pub(super) fn keeps_branches(&self) -> bool {
        self.prefix.starts_with("refs/heads/")
    }

    fn remote<'s>(&self, scratch: &'s Scratch, refs: &Refs, limit: Duration) -> Remote<'s> {
        Remote::by(scratch, self.git.clone(), &self.url, &refs.shared(&self.prefix), Some(limit))
    }
}

/// What became of a push of events.
enum Sent {
    Taken,
    /// The remote has something else.
    Refused,
    /// It did not take them for now: they may be sent again.
    NotYet(LedgerError),
    /// It can be read, and takes nothing for a reason of its own. That it does so once may be chance.
    Unwilling(LedgerError),
}

impl Ledger {
    /// Gets what others have written, and says where the ledger ends now. One connection where there is nothing new.
    pub(crate) fn sync(&self, stop: &Stop) -> Result<Tip, LedgerError> {
        match &self.team {
            Some(team) => self.sync_with(team, team.limit, stop),
            None => self.look(),
        }
    }

    /// The same ledger, for those who have to go on without the others: what they write is shared later.
    pub(crate) fn alone(&self) -> Ledger {
        Ledger { team: None, ..Ledger::new(&self.scratch, self.refs.clone()) }
    }

    fn sync_with(&self, team: &Team, limit: Duration, stop: &Stop) -> Result<Tip, LedgerError> {
        let remote = team.remote(&self.scratch, &self.refs, limit);
        let unread = |error: GitError| self.unread(team, error);
        // First: what another process of this machine sees meanwhile may be newer than the answer.
        let seen = self.seen()?;
        let theirs = remote.tip(stop, &mut |_| ()).map_err(unread)?;
        let ours = self.look()?;
        let Some(theirs) = theirs else {
            return match seen {
                Some(seen) => Err(self.rewritten(team, &seen, "it is gone").into()),
                None => Ok(ours),
            };
        };
        if Some(&theirs) == seen.as_ref() {
            return Ok(ours);
        }
        let theirs = if self.has(&theirs)? {
            theirs
        } else {
            remote.fetch(&self.refs.theirs(), stop, &mut |_| ()).map_err(|error| match error {
                ScratchError::Git(error) => self.unread(team, error),
                ScratchError::Refused(_) | ScratchError::Durable(_) | ScratchError::Lock { .. } => {
                    error.into()
                }
            })?
        };
        if let Some(seen) = &seen
            && !self.scratch.goes_on_from(&theirs, seen)?
        {
            return Err(self.rewritten(team, seen, &format!("it ends at {} now", theirs.short())).into());
        }
        // What is not ours to follow must not become what was seen here.
        self.tip_at(&theirs)?;
        self.follow(&theirs, seen.as_ref(), &ours)
    }

    /// Makes the ledger here go on from the team's.
    fn follow(&self, theirs: &ObjectId, seen: Option<&ObjectId>, ours: &Tip) -> Result<Tip, LedgerError> {
        let mut log = Some(theirs.clone());
        let mut alone = None;
        if let Some(own) = &ours.id
            && !self.scratch.goes_on_from(theirs, own)?
        {
            if self.scratch.goes_on_from(own, theirs)? {
                log = None;
            } else if let Some(seen) = seen {
                // Written while the others could not be reached.
                let events = self.scratch.commits_between(seen, own, MOST_ALONE)?;
                log = Some(self.replay(theirs, &events)?);
            } else {
                // A history of this machine's own, from before the ledger was shared: it is kept, and the team's counts.
                alone = Some(own.clone());
            }
        }
        let mut updates = vec![Pointing { reference: self.refs.seen(), old: seen.into(), new: theirs }];
        if let Some(log) = &log {
            updates.push(Pointing { reference: self.refs.log(), old: ours.id.as_ref().into(), new: log });
        }
        if let Some(alone) = &alone {
            updates.push(Pointing { reference: self.refs.alone(), old: Was::Nothing, new: alone });
        }
        let Err(failed) = self.scratch.point(&updates) else { return self.look() };
        // Another process of this machine was at it too: it came to the same or further, or not as far.
        let now = self.look()?;
        match &now.id {
            Some(id) if self.scratch.goes_on_from(id, theirs)? => Ok(now),
            Some(_) if now.id != ours.id => self.follow(theirs, self.seen()?.as_ref(), &now),
            Some(_) | None => Err(failed.into()),
        }
    }

    /// Writes events again, on top of what the team has: the last one's commit.
    fn replay(&self, theirs: &ObjectId, events: &[(ObjectId, Commit)]) -> Result<ObjectId, LedgerError> {
        let mut tip = self.tip_at(theirs)?;
        let mut shipped = None;
        for event in events.iter().rev().filter_map(|(_, commit)| Event::read(commit)) {
            tip = self.write(&self.refs.next(), Update::Replace, tip, &event)?;
            shipped = Some(event).filter(|event| matches!(event.what, What::Started(_))).or(shipped);
        }
        if let Some(event) = shipped {
            // What the others shipped meanwhile may have come before it or after: the next run asks the target.
            let moved = Event { what: What::Moved, release: None, took: None, reason: None, ..event };
            tip = self.write(&self.refs.next(), Update::Replace, tip, &moved)?;
        }
        Ok(tip.id.unwrap_or_else(|| theirs.clone()))
    }

    pub(super) fn append_shared(
        &self,
        team: &Team,
        tip: &Tip,
        events: &[Event],
        stop: &Stop,
    ) -> Result<Tip, LedgerError> {
        let next = self.refs.next();
        let made = events
            .iter()
            .try_fold(tip.clone(), |tip, event| self.write(&next, Update::Replace, tip, event))?;
        let Some(id) = &made.id else { return Ok(made) };
        let mut pause = PAUSE;
        for tried in 1.. {
            match self.send(team, id, stop)? {
                Sent::Taken => {
                    self.accept(tip, id)?;
                    return Ok(made);
                }
                Sent::Refused => {
                    let now = self.sync(stop)?;
                    if now.id != tip.id {
                        return Err(self.moved(now));
                    }
                    // What it refused is what it would take: two pushes met at its ref, and the other one lost too.
                }
                Sent::NotYet(error) if tried >= TRIES => return Err(error),
                Sent::Unwilling(error) if tried >= TRIES_IF_UNWILLING => return Err(error),
                Sent::NotYet(_) | Sent::Unwilling(_) => {}
            }
            if tried >= TRIES || stop.sleep(jittered(pause)) == Slept::Interrupted {
                break;
            }
            pause *= 2;
        }
        Err(self.unreached(team, "its ref is being written by others all the time", "try again"))
    }

    /// Pushes the chain that ends at `id`; what is not clear is read back.
    fn send(&self, team: &Team, id: &ObjectId, stop: &Stop) -> Result<Sent, LedgerError> {
        let remote = team.remote(&self.scratch, &self.refs, team.limit);
        let error = match remote.advance(id, stop, &mut |_| ()) {
            Ok(Pushed::Done | Pushed::UpToDate) => return Ok(Sent::Taken),
            Ok(Pushed::Moved) => return Ok(Sent::Refused),
            Ok(Pushed::Declined(reason)) if MEETINGS.iter().any(|sign| reason.contains(sign)) => {
                let declined = self.in_the_way(team, &reason);
                return Ok(if self.is_there(team, id, team.limit)? {
                    Sent::Taken
                } else {
                    Sent::NotYet(declined)
                });
            }
            Ok(Pushed::Declined(reason)) => return Err(self.unshared(team, &reason)),
            Err(error) => error,
        };
        let limit = match &error {
            GitError::Stopped { .. } => LAST_LOOK,
            GitError::Failed { .. } if Fault::of(&error).came_first() => {
                let unwritten = self.unwritten(team, &error);
                return if Fault::of(&error).may_pass() {
                    Ok(Sent::Unwilling(unwritten))
                } else {
                    Err(unwritten)
                };
            }
            GitError::Failed { .. }
            | GitError::Silent { .. }
            | GitError::Missing(_)
            | GitError::NotRun(_)
            | GitError::Unreadable { .. } => team.limit,
        };
        match self.is_there(team, id, limit) {
            Ok(true) => Ok(Sent::Taken),
            Ok(false) => match error {
                GitError::Stopped { .. } => Err(error.into()),
                GitError::Failed { .. } if Fault::of(&error).may_pass() => {
                    Ok(Sent::Unwilling(self.unwritten(team, &error)))
                }
                // Who waits for one is not made to wait for six.
                GitError::Silent { .. } => Err(self.unread(team, error)),
                GitError::Missing(_)
                | GitError::NotRun(_)
                | GitError::Failed { .. }
                | GitError::Unreadable { .. } => Ok(Sent::NotYet(self.unread(team, error))),
            },
            Err(_) => Err(self.unclear(team, &error)),
        }
    }

    /// Whether an event arrived, though its push ended badly. Asked for by nobody who could still be stopped.
    fn is_there(&self, team: &Team, id: &ObjectId, limit: Duration) -> Result<bool, LedgerError> {
        let stop = Stop::new(Duration::ZERO);
        let remote = team.remote(&self.scratch, &self.refs, limit);
        let theirs = remote.tip(&stop, &mut |_| ()).map_err(|error| self.unread(team, error))?;
        let Some(theirs) = theirs else { return Ok(false) };
        if theirs == *id {
            return Ok(true);
        }
        self.sync_with(team, limit, &stop)?;
        Ok(self.has(&theirs)? && self.scratch.goes_on_from(&theirs, id)?)
    }

    /// Notes here what the remote has taken.
    fn accept(&self, before: &Tip, id: &ObjectId) -> Result<(), LedgerError> {
        let pointed = self.scratch.point(&[
            Pointing { reference: self.refs.log(), old: before.id.as_ref().into(), new: id },
            Pointing { reference: self.refs.seen(), old: Was::Any, new: id },
        ]);
        match pointed {
            Ok(()) => Ok(()),
            // A look from this machine may have fetched it already.
            Err(error) => match self.look()?.id {
                Some(log) if log == *id || self.scratch.goes_on_from(&log, id)? => Ok(()),
                Some(_) | None => Err(error.into()),
            },
        }
    }

    fn seen(&self) -> Result<Option<ObjectId>, LedgerError> {
        let found = self.scratch.objects(&[format!("{}^{{commit}}", self.refs.seen())])?;
        Ok(found.into_iter().next().flatten().map(|commit| commit.id))
    }

    fn has(&self, id: &ObjectId) -> Result<bool, LedgerError> {
        Ok(self.scratch.objects(&[format!("{id}^{{commit}}")])?.iter().all(Option::is_some))
    }

    fn tip_at(&self, id: &ObjectId) -> Result<Tip, LedgerError> {
        let found = self.scratch.objects(&[format!("{id}:{}", super::STATE)])?.into_iter().next().flatten();
        let state = found.ok_or_else(|| self.damaged(super::STATE))?;
        Ok(Tip { id: Some(id.clone()), state: self.state(&state.bytes)? })
    }
}

/// Between half of a pause and the whole, so that those who met don't meet again.
fn jittered(pause: Duration) -> Duration {
    let mut byte = [0_u8];
    // Without randomness the whole pause will do.
    let _filled = getrandom::fill(&mut byte);
    pause.mul_f64(1.0 - f64::from(byte[0]) / 512.0)
}
