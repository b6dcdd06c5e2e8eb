//! `deploy lock ENV` and `deploy unlock ENV`: somebody's word that keeps deploys away, and what takes it back; or a run's,
//! that did not live to take it back itself. Each is an event in the ledger, with its reason.

use std::process::ExitCode;

use anstream::eprintln;

use super::super::args::Common;
use super::super::error::{Error, Kind};
use super::super::hold::{held_by, locked_by};
use super::super::session::Session;
use crate::facts::{self, LookError, Site};
use crate::plan::select;
use crate::process::Stop;
use crate::release::event::{Event, What};
use crate::release::ledger::{Ledger, LedgerError, Tip};
use crate::release::lock::Lock;
use crate::release::refs::Refs;
use crate::release::state::State;

/// How often it is decided anew because others wrote meanwhile.
const TRIES: u32 = 100;

pub(crate) fn lock(session: &Session, common: &Common, environment: &str) -> Result<ExitCode, Error> {
    let reason = reason(session, common, "lock", environment)?;
    let site = session.site();
    write(&site, environment, |state| match &state.lock {
        Some(hold) => Err(locked_by(&site, environment, hold)),
        None => Ok(vec![(What::Locked(None), reason.clone())]),
    })?;
    eprintln!("deploy: {environment} is locked; deploy unlock {environment} --reason \"…\" opens it");
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn unlock(session: &Session, common: &Common, environment: &str) -> Result<ExitCode, Error> {
    let reason = reason(session, common, "unlock", environment)?;
    let site = session.site();
    let mut was = State::default();
    write(&site, environment, |state| {
        was = state.clone();
        let lock = state.lock.as_ref().map(|hold| match &hold.run {
            Some(run) => What::LockBroken { of: Some(run.clone()) },
            None => What::Unlocked,
        });
        let freeze = state.frozen.as_ref().map(|_| What::Thawed);
        Ok(lock.into_iter().chain(freeze).map(|what| (what, reason.clone())).collect())
    })?;
    let here = Lock::look(&site.state, &Refs::new(environment)?);
    match (&was.lock, &was.frozen, here) {
        (None, None, Some(holder)) => {
            let help = "a run on this machine has no other lock than its process: end that";
            return Err(held_by(environment, Some(&holder)).help(help));
        }
        (None, None, None) => eprintln!("deploy: {environment} is neither locked nor frozen"),
        (lock, frozen, _) => {
            for (what, hold) in [("lock", lock), ("freeze", frozen)] {
                if let Some(hold) = hold {
                    let since = super::minute(hold.at);
                    eprintln!("deploy: {environment}: the {what} of {} since {since} is taken away", hold.by);
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The environment's name and the reason, if both are as they must be.
fn reason(session: &Session, common: &Common, command: &str, environment: &str) -> Result<String, Error> {
    if session.project.environment(environment).is_none() {
        let problem = select::unknown(&session.project, "environment", environment);
        return Err(Error::diagnostics(problem.into(), &session.sources));
    }
    let reason = common.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
    reason.map(str::to_owned).ok_or_else(|| {
        Error::new(Kind::Usage, format!("deploy {command} wants to know why: others will read it"))
            .help(format!("deploy {command} {environment} --reason \"…\""))
    })
}

/// Writes what `decide` says of the ledger as it is, again and again until nobody writes between.
fn write(
    site: &Site,
    environment: &str,
    mut decide: impl FnMut(&State) -> Result<Vec<(What, String)>, Error>,
) -> Result<(), Error> {
    let mut tip = site.tip(environment)?;
    if let Some(unreached) = site.unreached(environment) {
        return Err(Error::new(Kind::Failed, unreached.message).maybe_help(unreached.help));
    }
    let ledger = site.open_ledger(environment)?;
    let by = site.by();
    for _ in 0..TRIES {
        let event = |(what, reason)| Event {
            what,
            at: facts::now(),
            by: by.clone(),
            run: None,
            release: None,
            reason: Some(reason),
            took: None,
        };
        let events: Vec<Event> = decide(&tip.state)?.into_iter().map(event).collect();
        if events.is_empty() {
            return Ok(());
        }
        match append(&ledger, tip, &events)? {
            Ok(()) => return Ok(()),
            Err(now) => tip = now,
        }
    }
    Err(Error::new(Kind::Failed, format!("the ledger of {environment} is written by others all the time"))
        .help("try again"))
}

/// Appends, or gives the ledger as others have made it meanwhile.
fn append(ledger: &Ledger, tip: Tip, events: &[Event]) -> Result<Result<(), Tip>, Error> {
    let (appended, signal) = facts::interruptible(|stop: &Stop| ledger.append(tip, events, stop));
    match (appended, signal) {
        (Ok(_), _) => Ok(Ok(())),
        (Err(_), Some(signal)) => Err(LookError::Stopped(signal).into()),
        (Err(LedgerError::Moved { tip, .. }), None) => Ok(Err(*tip)),
        (Err(error), None) => Err(error.into()),
    }
}
