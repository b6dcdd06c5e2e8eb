//! Taking hold of environments, before anything costly: by the lock of this machine, then by the team's. And who it is
//! that holds one.

use std::sync::Mutex;
use std::time::Duration;

use anstream::eprintln;

use super::args::Common;
use super::command::minute;
use super::environment;
use super::error::{Error, Kind};
use super::look::Look;
use crate::facts::{self, LookError, Site};
use crate::model::name::RunId;
use crate::model::release::Source;
use crate::perform::dock::{Again, Away, Dock, Docks, Stage};
use crate::plan::guard::{LEDGER, Ruling, past_ledger};
use crate::plan::{Data, Delivery, Facts, Known, Plan, Request, Swapping};
use crate::process::Stop;
use crate::release::event::{Event, What};
use crate::release::holding::{Holding, HoldingError};
use crate::release::ledger::Tip;
use crate::release::lock::{self, Holder, Lock, LockError};
use crate::release::refs::Refs;
use crate::release::scratch::Scratch;
use crate::release::sighting;
use crate::release::state::{Hold, Seat};
use crate::report::words::duration;

/// From when on it is worth a word that a ledger does not move.
const LONG: Duration = Duration::from_mins(1);

/// Says that what is shown may not be all, where the team's remote could not be asked.
pub(crate) fn tell_unreached(site: &Site) {
    for refusal in site.all_unreached() {
        eprintln!("deploy: {}; what is shown is what was known here", refusal.message);
    }
}

/// Refuses an environment that somebody holds, before anything is asked or fetched for it.
pub(crate) fn closed(site: &Site, environment: &str, tip: &Tip) -> Result<(), Error> {
    let Some(hold) = &tip.state.lock else { return Ok(()) };
    let is_outer = hold.run.is_some() && hold.run == environment::run().map(RunId);
    if is_outer || hold.seat.as_ref().is_some_and(|seat| seat.is_left()) {
        return Ok(());
    }
    Err(locked_by(site, environment, hold))
}

/// Takes hold of every environment that the plan deploys to, or of none.
pub(crate) fn docks<'a>(
    site: &'a Site,
    common: &Common,
    request: &Request,
    facts: &Facts,
    plan: &'a Plan,
    looks: Vec<Look>,
) -> Result<Docks<'a>, Error> {
    let mut docks = Docks::default();
    for (delivery, look) in plan.deliveries.iter().zip(looks) {
        match dock(site, common, request, facts, delivery, look) {
            Ok(dock) => docks.docks.extend(dock),
            Err(error) => {
                docks.let_go(&facts.run);
                return Err(error);
            }
        }
    }
    Ok(docks)
}

fn dock<'a>(
    site: &'a Site,
    common: &Common,
    request: &Request,
    facts: &Facts,
    delivery: &'a Delivery,
    look: Look,
) -> Result<Option<Dock<'a>>, Error> {
    // A deploy task without a target needs no git; then there is no ledger either.
    if site.repository().is_err() {
        return Ok(None);
    }
    let by = site.by();
    let note = |what, reason| Event { release: Some(delivery.number), ..word(&facts.run, &by, what, reason) };
    let overridden = look.verdicts.iter().filter_map(|verdict| match &verdict.ruling {
        Ruling::Overridden(reason) => {
            Some(note(What::Overridden { rule: verdict.rule.to_owned() }, Some(reason.clone())))
        }
        Ruling::Holds | Ruling::Refuses | Ruling::Untold | Ruling::Open => None,
    });
    let met = look.met.events.into_iter().map(|what| note(what, None));
    let notes: Vec<Event> = met.chain(overridden).collect();
    let state = &look.survey.tip.state;
    let away = delivery.back.as_ref().map(|_| Away {
        number: state.serves().map_or(state.number, |live| live.number),
        why: common.reason.clone().unwrap_or_else(|| "asked for".to_owned()),
    });
    let refs = Refs::new(&delivery.environment)?;
    let holding = hold(site, &refs, request, facts, delivery.source.as_ref(), look.survey.tip, &notes)?;
    let again = if common.rebuild { Again::Ship } else { Again::LeaveIt };
    let swapping = if common.in_place { Swapping::InPlace } else { Swapping::Beside };
    let dock = held(site, delivery, holding, away)?;
    Ok(Some(Dock { again, swapping, entries: look.survey.swap.entries, ..dock }))
}

/// An environment that is held already, and what goes out to it.
pub(crate) fn held<'a>(
    site: &'a Site,
    delivery: &'a Delivery,
    holding: Holding,
    away: Option<Away>,
) -> Result<Dock<'a>, Error> {
    let repository = site.repository()?;
    let scratch = Scratch::open(&site.state, repository).map_err(LookError::from)?;
    Ok(Dock {
        delivery,
        repository,
        scratch,
        refs: Refs::new(&delivery.environment)?,
        entries: Vec::new(),
        again: Again::LeaveIt,
        swapping: Swapping::Beside,
        away,
        by: site.by(),
        began: facts::now(),
        holding,
        stage: Mutex::new(Stage::Waiting),
    })
}

/// Environments that tasks hold without deploying to them.
#[derive(Default)]
pub(crate) struct Locks {
    held: Vec<Held>,
    /// Where there is no git there is no ledger, and nobody to share it with: the lock of this machine is enough.
    alone: Vec<Lock>,
}

/// One of them, and the last word about it.
struct Held {
    environment: String,
    holding: Holding,
    unlocked: Event,
}

impl Locks {
    fn take(
        &mut self,
        site: &Site,
        common: &Common,
        request: &Request,
        facts: &Facts,
        environment: &str,
    ) -> Result<(), Error> {
        let refs = Refs::new(environment)?;
        if site.repository().is_err() {
            self.alone.push(take(site, &refs, &facts.run, &site.by())?);
            return Ok(());
        }
        let tip = site.tip(environment)?;
        let by = site.by();
        let overridden = common.overrides.iter().any(|rule| rule == LEDGER);
        let notes = match site.unreached(environment) {
            None => Vec::new(),
            Some(_) if overridden => {
                vec![word(
                    &facts.run,
                    &by,
                    What::Overridden { rule: LEDGER.to_owned() },
                    common.reason.clone(),
                )]
            }
            Some(unreached) => {
                let help = past_ledger(unreached.help.as_deref());
                return Err(Error::new(Kind::Refused, unreached.message).help(help));
            }
        };
        let source = match &facts.source {
            Known::Is(source) => Some(source),
            Known::NotAsked | Known::Absent(..) => None,
        };
        let holding = hold(site, &refs, request, facts, source, tip, &notes)?;
        let unlocked = word(&facts.run, &by, What::Unlocked, None);
        self.held.push(Held { environment: environment.to_owned(), holding, unlocked });
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty() && self.alone.is_empty()
    }

    /// The environments that are held, with their ledgers.
    pub(crate) fn holdings(&self) -> impl Iterator<Item = (&str, &Holding)> {
        self.held.iter().map(|held| (held.environment.as_str(), &held.holding))
    }

    /// Lets go of all.
    pub(crate) fn let_go(self) {
        for Held { holding, unlocked, .. } in self.held {
            if let Err(error) = holding.free(Vec::new(), unlocked, &Stop::new(Duration::ZERO)) {
                eprintln!("deploy: an environment's lock could not be given back: {error}");
            }
        }
    }
}

/// Takes hold of the environments of these names, or of none.
pub(crate) fn locks(
    site: &Site,
    common: &Common,
    request: &Request,
    facts: &Facts,
    environments: &[String],
) -> Result<Locks, Error> {
    let mut locks = Locks::default();
    for environment in environments {
        if let Err(error) = locks.take(site, common, request, facts, environment) {
            locks.let_go();
            return Err(error);
        }
    }
    Ok(locks)
}

/// Takes hold of an environment whose ledger ends at `tip`, and writes `notes` there.
fn hold(
    site: &Site,
    refs: &Refs,
    request: &Request,
    facts: &Facts,
    source: Option<&Source>,
    tip: Tip,
    notes: &[Event],
) -> Result<Holding, Error> {
    let environment = refs.environment();
    let by = site.by();
    let lock = take(site, refs, &facts.run, &by)?;
    let ledger = site.open_ledger(environment)?;
    let seat = Seat {
        machine: lock::machine(),
        pid: std::process::id(),
        command: command(request),
        commit: source.map(|source| source.commit.clone()),
        address: site.ci_address(),
    };
    let locked = word(&facts.run, &by, What::Locked(Some(Box::new(seat))), None);
    let within = environment::run().map(RunId);
    let (taken, signal) =
        facts::interruptible(|stop| Holding::take(lock, ledger, tip, &locked, notes, within.as_ref(), stop));
    match (taken, signal) {
        (Ok((holding, broken)), None) => {
            if let Some(broken) = broken {
                eprintln!(
                    "deploy: {environment}: the lock of {} since {} was broken: its process is gone",
                    broken.by,
                    minute(broken.at)
                );
            }
            Ok(holding)
        }
        (Ok((holding, _)), Some(signal)) => {
            let unlocked = word(&facts.run, &by, What::Unlocked, None);
            let freed = holding.free(Vec::new(), unlocked, &Stop::new(Duration::ZERO));
            let message = match freed {
                Ok(()) => "stopped; nothing was done".to_owned(),
                Err(error) => {
                    format!("stopped; nothing was done, but {environment} may still be locked: {error}")
                }
            };
            Err(Error::new(Kind::Stopped(signal), message))
        }
        (Err(_), Some(signal)) => Err(LookError::Stopped(signal).into()),
        (Err(HoldingError::Locked(hold)), None) => Err(locked_by(site, environment, &hold)),
        (Err(HoldingError::Changed | HoldingError::Lost), None) => {
            Err(Error::new(Kind::Locked, format!("{environment} was deployed by somebody else meanwhile"))
                .help("look at deploy status, and deploy again"))
        }
        (Err(HoldingError::Ledger(error)), None) => Err(error.into()),
    }
}

/// An event that is about no release.
pub(crate) fn word(run: &RunId, by: &str, what: What, reason: Option<String>) -> Event {
    Event {
        what,
        at: facts::now(),
        by: by.to_owned(),
        run: Some(run.clone()),
        release: None,
        reason,
        took: None,
    }
}

/// Why an environment that somebody holds is refused.
pub(crate) fn locked_by(site: &Site, environment: &str, hold: &Hold) -> Error {
    let (by, since) = (&hold.by, minute(hold.at));
    let unlock = format!("deploy unlock {environment} --reason \"…\"");
    let (message, help) = match &hold.seat {
        None if hold.run.is_none() => (
            format!("{environment} is locked by {by} since {since}: {}", hold.reason),
            format!("to open it: {unlock}"),
        ),
        seat => {
            let run = hold.run.as_ref().map(|run| format!("run {run}"));
            let what = seat.as_ref().map(|seat| format!("`{}`", seat.command));
            let ships = seat
                .as_ref()
                .and_then(|seat| seat.commit.as_ref())
                .map(|commit| format!("of {}", commit.short()));
            let address = seat.as_ref().and_then(|seat| seat.address.clone());
            let details: Vec<String> = [run, what, ships, address].into_iter().flatten().collect();
            (
                format!("{environment} is being deployed by {by} since {since} ({})", details.join(", ")),
                format!("wait until that is done, and deploy again; if that run is gone for good: {unlock}"),
            )
        }
    };
    let unmoved = site.tip(environment).ok().and_then(|tip| tip.id).and_then(|tip| {
        let refs = Refs::new(environment).ok()?;
        sighting::unmoved(&site.state, &refs, &tip, facts::now())
    });
    let unmoved = unmoved.filter(|time| *time >= LONG).map_or_else(String::new, |time| {
        format!("; by the clock of this machine, nothing has moved there for {}", duration(time))
    });
    Error::new(Kind::Locked, message + &unmoved).help(help)
}

/// What was asked for, in names alone: a value may be secret.
fn command(request: &Request) -> String {
    let tasks = request.tasks.iter().map(|asked| asked.task.as_str());
    let rollback = request.back.as_ref().map(|_| "rollback");
    let data = request.data.as_ref().map(Data::word);
    let words =
        ["deploy"].into_iter().chain(rollback).chain(data).chain(request.environment.as_deref()).chain(tasks);
    words.collect::<Vec<_>>().join(" ")
}

/// Takes the lock of this machine.
fn take(site: &Site, refs: &Refs, run: &RunId, by: &str) -> Result<Lock, Error> {
    let holder = Holder {
        run: run.clone(),
        pid: std::process::id(),
        by: by.to_owned(),
        since: facts::now(),
        command: std::env::args().collect::<Vec<String>>().join(" "),
    };
    let within = environment::run().map(RunId);
    Lock::take(&site.state, refs, &holder, within.as_ref()).map_err(|error| match error {
        LockError::Held(other) => held_by(refs.environment(), other.as_deref()),
        LockError::Durable(_) | LockError::Io { .. } => Error::new(Kind::Failed, error.to_string()),
    })
}

/// Why an environment is refused that a process of this machine holds.
pub(crate) fn held_by(environment: &str, holder: Option<&Holder>) -> Error {
    let who = holder.map_or_else(String::new, |other| {
        format!(" by {} since {} (process {}, {})", other.by, minute(other.since), other.pid, other.command)
    });
    Error::new(Kind::Locked, format!("{environment} is being deployed{who}"))
        .help("wait until that is done, and deploy again")
}
