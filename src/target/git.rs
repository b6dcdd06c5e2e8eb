//! `git = "…"`: a branch of another repository, whose host builds and starts what is pushed there (Heroku, Dokku, Piku).
//! The push is fenced: it does nothing unless the branch holds what the ledger says. That it worked does not mean that
//! the release serves: `fail_on` looks at what the host says, and health at what it does.

mod place;
#[cfg(test)]
mod tests;
mod words;

use super::{Crew, Holds, NotShipped, Shipment, refused, unmet};
use crate::model::event::{Failure, Stream, Told};
use crate::model::release::ObjectId;
use crate::model::secret::Vault;
use crate::model::step::Planned;
use crate::model::target::GitTarget;
use crate::process::Stop;
use crate::release::commit;
use crate::release::fault::Fault;
use crate::release::git::GitError;
use crate::release::object::Commit;
use crate::release::refs::Refs;
use crate::release::remote::Pushed;
use crate::release::repository::Repository;
use crate::release::scratch::Scratch;
use place::Place;
use words::Words;

/// How many commits of somebody else are told: enough to see whose they are.
const FOREIGN_LIMIT: usize = 20;

/// What a branch holds that deploy does not know, or not any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Contact {
    /// There is no such branch yet.
    Empty,
    /// A release to this environment, as its own message tells.
    Ours { tip: ObjectId, release: commit::Told },
    /// Somebody else's commit, or another environment's release.
    Foreign {
        tip: ObjectId,
        /// What the branch has and the source commit has not, newest first, at most 20; none if the branch only has
        /// what the source has too.
        commits: Vec<(ObjectId, Commit)>,
    },
}

/// What a branch is reached with.
#[derive(Clone, Copy)]
pub(crate) struct Reach<'a> {
    pub(crate) repository: &'a Repository,
    pub(crate) scratch: &'a Scratch,
    /// What the secrets are, as seen in the environment.
    pub(crate) vault: &'a Vault,
}

/// Pushes a release to its branch.
pub(crate) fn ship(
    target: &GitTarget<Planned>,
    shipment: &Shipment<'_>,
    mut crew: Crew<'_>,
) -> Result<(), NotShipped> {
    let Shipment { repository, scratch, vault, .. } = *shipment;
    let place = Place::find(target, Reach { repository, scratch, vault })?;
    let mut words = Words::new(&target.fail_on)?;
    crew.go_on()?;
    let pushed = place.remote.push(shipment.commit, shipment.before, crew.stop, &mut |bytes| {
        words.take(bytes);
        (crew.tell)(Told::Output(Stream::Err, bytes.to_owned()));
    });
    words.end();
    match pushed {
        Ok(Pushed::Done) => crew.note(format!("release {} is on {}", shipment.number, place)),
        Ok(Pushed::UpToDate) => crew.note(format!("{place} has release {} already", shipment.number)),
        Ok(Pushed::Declined(reason)) => return Err(declined(&place, shipment, &reason, &words).into()),
        Ok(Pushed::Moved) => return moved(&place, shipment, crew),
        Err(error) => look_after(&place, shipment, &error, &words, &mut crew)?,
    }
    let Some((pattern, line)) = words.found() else { return Ok(()) };
    let message = format!("{place} took release {}, and then said `{line}`", shipment.number);
    let help = format!("that is what `fail_on = '{pattern}'` waits for; the host's own log tells more");
    Err(NotShipped { failure: unmet(message, help), holds: Holds::Release })
}

/// Sees that all files of an earlier release are here, for a commit that brings it back. Its branch has them.
pub(crate) fn recall(
    target: &GitTarget<Planned>,
    refs: &Refs,
    tree: &ObjectId,
    reach: Reach<'_>,
    crew: &mut Crew<'_>,
) -> Result<(), Failure> {
    let place = Place::find(target, reach)?;
    let is_here = || reach.scratch.has_whole(tree).map_err(|error| place.failure(&error));
    if is_here()? {
        return Ok(());
    }
    crew.note(format!("the files of that release are not all here: they are fetched from {place}"));
    let fetched = place.remote.fetch_again(&refs.target(), crew.stop, &mut |_| ());
    fetched.map_err(|error| place.scratch_failure(error))?;
    if is_here()? {
        return Ok(());
    }
    Err(unmet(
        format!("{place} does not have the files of that release"),
        "its source commit may still be in your repository: deploy ENVIRONMENT --ref COMMIT",
    ))
}

/// Looks at what a branch holds, and gets it: before the first release, and when it is unclear what a push did.
///
/// `source` is the commit to ship. What git says meanwhile goes to `tell`.
pub(crate) fn contact(
    target: &GitTarget<Planned>,
    refs: &Refs,
    source: &ObjectId,
    reach: Reach<'_>,
    stop: &Stop,
    tell: &mut dyn FnMut(Told),
) -> Result<Contact, Failure> {
    let place = Place::find(target, reach)?;
    let mut said = |bytes: &[u8]| tell(Told::Output(Stream::Err, bytes.to_owned()));
    let tip = match place.remote.tip(stop, &mut said) {
        // The push will tell, if it makes none either.
        Err(error) if place.makes_repositories(&error) => None,
        tip => tip.map_err(|error| place.failure(&error))?,
    };
    let Some(mut tip) = tip else { return Ok(Contact::Empty) };
    if reach.scratch.commit(&tip).map_err(|error| place.scratch_failure(error))?.is_none() {
        tip = place
            .remote
            .fetch(&refs.target(), stop, &mut said)
            .map_err(|error| place.scratch_failure(error))?;
    }
    let found = reach.scratch.commit(&tip).map_err(|error| place.scratch_failure(error))?;
    let release = found.as_ref().and_then(commit::Told::read);
    if let Some(release) = release.filter(|release| release.environment == refs.environment()) {
        return Ok(Contact::Ours { tip, release });
    }
    let commits =
        reach.scratch.commits_between(source, &tip, FOREIGN_LIMIT).map_err(|error| place.failure(&error))?;
    Ok(Contact::Foreign { tip, commits })
}

/// The branch does not hold what the ledger says: it may hold this very release, from an earlier try.
fn moved(place: &Place<'_>, shipment: &Shipment<'_>, mut crew: Crew<'_>) -> Result<(), NotShipped> {
    let tip = place.remote.tip(crew.stop, &mut |_| ());
    if tip.as_ref().is_ok_and(|tip| tip.as_ref() == Some(shipment.commit)) {
        crew.note(format!("{place} has release {} already", shipment.number));
        return Ok(());
    }
    Err(NotShipped { failure: foreign(place, shipment, tip.ok().as_ref()), holds: Holds::Foreign })
}

fn foreign(place: &Place<'_>, shipment: &Shipment<'_>, tip: Option<&Option<ObjectId>>) -> Failure {
    let named = |id: Option<&ObjectId>| id.map_or("nothing".to_owned(), |id| id.short().to_owned());
    let holds = tip.map_or("something else".to_owned(), |tip| named(tip.as_ref()));
    refused(
        format!(
            "{place} holds {holds}, and by the ledger it should hold {}: somebody else pushed there",
            named(shipment.before)
        ),
        "nothing was changed there; look at what was pushed, then deploy again to ship on top of it",
    )
}

fn declined(place: &Place<'_>, shipment: &Shipment<'_>, reason: &str, words: &Words) -> Failure {
    let message = format!("{place} refused release {}: {reason}", shipment.number);
    if reason.contains("protected branch") || words.speaks_of_protection() {
        return unmet(
            message,
            "let this user push to the branch (in the settings of its host), or take another `branch`",
        );
    }
    if reason.contains("checked out") {
        return unmet(message, "it is somebody's working copy: push to a bare repository (git init --bare)");
    }
    if reason.contains("hook declined") {
        return unmet(
            message,
            "its own words are above: what failed there, failed before anything went live",
        );
    }
    unmet(message, "its own words are above")
}

/// After a push that broke off: whether the branch has the release all the same.
fn look_after(
    place: &Place<'_>,
    shipment: &Shipment<'_>,
    error: &GitError,
    words: &Words,
    crew: &mut Crew<'_>,
) -> Result<(), NotShipped> {
    let fault = Fault::of(error);
    if fault.came_first() {
        return Err(place.failure(error).into());
    }
    let unknown = |failure| Err(NotShipped { failure, holds: Holds::Unknown });
    let cut_off = format!("the push to {place} was cut off ({})", fault.reason());
    let tip = match error {
        GitError::Stopped { .. } => return unknown(Failure::Stopped),
        GitError::Missing(_)
        | GitError::NotRun(_)
        | GitError::Failed { .. }
        | GitError::Silent { .. }
        | GitError::Unreadable { .. } => place.remote.tip(crew.stop, &mut |_| ()),
    };
    match tip {
        Ok(tip) if tip.as_ref() == Some(shipment.commit) && words.matter() && words.found().is_none() => {
            let message = format!(
                "{cut_off}: the branch has the release, but not all that `fail_on` waits for was heard"
            );
            let failure = unmet(
                message,
                "the host's own log tells whether it serves; if not, deploy again with --rebuild",
            );
            Err(NotShipped { failure, holds: Holds::Release })
        }
        Ok(tip) if tip.as_ref() == Some(shipment.commit) => {
            crew.note(format!("{cut_off}, and the branch has the release all the same"));
            Ok(())
        }
        Ok(tip) if tip.as_ref() == shipment.before => unknown(unmet(
            cut_off,
            "the branch does not have the release (yet): deploy again, which looks there first",
        )),
        Ok(tip) => Err(NotShipped { failure: foreign(place, shipment, Some(&tip)), holds: Holds::Foreign }),
        Err(GitError::Stopped { .. }) => unknown(Failure::Stopped),
        Err(_) => unknown(unmet(
            format!("{cut_off}, and it can't be asked what arrived"),
            "when it can be reached again, deploy again: that looks there first",
        )),
    }
}
