//! Carrying out one plan: the engine is given its world, its events are told, and the ledgers what came of it.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anstream::eprintln;

use super::args::Common;
use super::error::{Error, Kind, exit_code};
use super::hold::Locks;
use super::session::Session;
use super::{output, secret};
use crate::engine::{self, Manner, Means, Stops};
use crate::facts::Site;
use crate::fresh::Records;
use crate::fresh::survey::{self, Survey};
use crate::model::event::{Event, EventKind, Failed, Failure, Outcome, Summary};
use crate::model::health::Verdict;
use crate::model::mask::Masker;
use crate::model::release::Release;
use crate::model::secret::Vaults;
use crate::perform::cache::Caches;
use crate::perform::dock::{Dock, Docks, Stage};
use crate::perform::{Hands, Made, Saved, Tracked};
use crate::plan::schedule::OnFailure;
use crate::plan::{Facts, Freshness, Plan, Request};
use crate::process::program::Programs;
use crate::process::signal::{self, Signals};
use crate::ssh::Connections;
use crate::state::journal::Journal;

/// Where a run takes place.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) session: &'a Session,
    pub(crate) common: &'a Common,
    pub(crate) site: &'a Site,
    pub(crate) signals: &'a Signals,
}

/// What a run has before its first job starts: the environments that it deploys to, and its secrets.
pub(crate) struct Outfit<'a> {
    pub(crate) docks: Docks<'a>,
    pub(crate) locks: &'a Locks,
    pub(crate) vaults: &'a Vaults,
    pub(crate) masker: Option<&'a Masker>,
}

pub(crate) fn drive<'a>(
    scene: Scene<'_>,
    request: &Request,
    facts: &Facts,
    plan: &Plan,
    outfit: Outfit<'a>,
) -> Result<Driven<'a>, Error> {
    let Scene { session, common, site, signals } = scene;
    let Outfit { docks, locks, vaults, masker } = outfit;
    let stops = Stops::new(session.project.settings.grace);
    let (mut telling, handing) = output::begin(session, common, site, facts, request, plan);
    let (tracked, fresh) = tracked(scene, request, plan, vaults);
    // Only who holds an environment is named anywhere, and to know the name git is asked.
    let holds = !docks.docks.is_empty() || !locks.is_empty();
    let by = if holds { site.by() } else { String::new() };
    let hands = Hands {
        root: site.root.clone(),
        state: site.state.clone(),
        run: facts.run.clone(),
        env: secret::without(session, &plan.secrets),
        programs: Programs::default(),
        hosts: Connections::default(),
        grace: session.project.settings.grace,
        made: Made::default(),
        handing,
        vaults: vaults.clone(),
        tracked,
        docks,
        held: locks.holdings().collect(),
        by: by.clone(),
        saved: Mutex::default(),
    };
    if let Err(error) = require(&hands, plan) {
        hands.docks.let_go(&facts.run);
        return Err(error);
    }
    let journal = Journal::new(site.state.clone(), facts.run.clone(), plan.environment.clone(), by);
    let means = Means {
        run: &facts.run,
        world: &hands,
        journal: &journal,
        stops: &stops,
        signals,
        fresh: &fresh,
        masker,
    };
    let summary = engine::run(plan, means, manner(session, common, plan), &mut |event| {
        telling.event(event);
        // Who reads what tasks print and goes away (`| head`) ends them, as a pipe does; a deploy goes on unread.
        if telling.is_unread && plan.deliveries.is_empty() {
            stops.run.ask(signal::PIPE);
        }
    });
    let Hands { mut docks, saved, .. } = hands;
    let saved = saved.into_inner().unwrap_or_else(PoisonError::into_inner);
    let reason = reason(plan, &summary);
    let fallen = fallen(plan, &summary, &mut docks);
    let unsaid = docks.finish(&facts.run, reason.as_deref());
    docks.tidy();
    for (environment, release) in docks.live(&facts.run) {
        telling.event(&released(environment, release, summary.took));
    }
    telling.finish();
    if exit_code(&summary) != 0 {
        tell_untouched(&docks);
    }
    match (unsaid.is_empty(), exit_code(&summary)) {
        (false, 0) => Err(Error::new(
            Kind::Failed,
            format!("it was deployed, but the ledger does not know: {}", unsaid.join("; ")),
        )),
        (_, code) => Ok(Driven { code, fallen, saved }),
    }
}

/// After a failure: where all is as it was.
fn tell_untouched(docks: &Docks<'_>) {
    for (environment, live) in docks.untouched() {
        let live = live.map_or_else(String::new, |number| format!("; release {number} is live, as before"));
        eprintln!("deploy: {environment}: nothing was shipped{live}");
    }
}

/// What tells whether the plan's work is done already, and for each job whether that is certain before anything is run.
fn tracked(
    scene: Scene<'_>,
    request: &Request,
    plan: &Plan,
    vaults: &Vaults,
) -> (Option<Tracked>, Vec<bool>) {
    let Scene { session, site, .. } = scene;
    if !survey::is_worthwhile(plan) {
        return (None, Vec::new());
    }
    let records = Records::read(&site.state);
    let fresh = match request.freshness {
        Freshness::Respect => {
            let (survey, findings) = Survey::of(plan, &records);
            records.note(findings);
            survey.fresh()
        }
        Freshness::Ignore => Vec::new(),
    };
    let (needs, caches) =
        (survey::tracked_needs(plan), Caches::new(&site.root, &site.state, vaults, &session.env));
    (Some(Tracked { records, caches, needs, freshness: request.freshness }), fresh)
}

/// What came of a run.
pub(crate) struct Driven<'a> {
    pub(crate) code: u8,
    pub(crate) fallen: Vec<Fallen<'a>>,
    /// What was saved before it ended.
    pub(crate) saved: Vec<Saved>,
}

/// A release that the target has and that is not healthy. Its environment is held still.
pub(crate) struct Fallen<'a> {
    pub(crate) dock: Dock<'a>,
    pub(crate) verdict: Verdict,
    /// What was found, in one line.
    pub(crate) why: String,
}

/// The releases that were shipped by this run and failed their health check.
fn fallen<'a>(plan: &Plan, summary: &Summary, docks: &mut Docks<'a>) -> Vec<Fallen<'a>> {
    let failed = summary.outcomes.iter().zip(&plan.jobs).filter_map(|(outcome, job)| match outcome {
        Outcome::Failed(Failed { failure: Failure::Unhealthy { message, verdict, .. }, .. }) => {
            Some((job.environment.as_deref()?, message.lines().next().unwrap_or_default(), *verdict))
        }
        Outcome::Failed(_)
        | Outcome::Succeeded
        | Outcome::Fresh
        | Outcome::Skipped { .. }
        | Outcome::Stopped => None,
    });
    let mut fallen = Vec::new();
    for (environment, why, verdict) in failed {
        // What was not shipped by this run, or is itself a rollback, stays as it is.
        let falls = |dock: &Dock<'_>| {
            dock.stage() == Stage::Shipped && dock.delivery.health.is_some() && dock.delivery.back.is_none()
        };
        if let Some(dock) = docks.take(environment, falls) {
            fallen.push(Fallen { dock, verdict, why: why.to_owned() });
        }
    }
    fallen
}

/// Refuses a plan whose tasks want what is not so.
fn require(hands: &Hands<'_>, plan: &Plan) -> Result<(), Error> {
    for needed in &plan.requirements {
        if let Err(why) = hands.meets(&plan.jobs[needed.job.index()], &needed.check) {
            let job = &plan.jobs[needed.job.index()].name;
            let message = needed.message.clone().unwrap_or(why);
            return Err(
                Error::new(Kind::Refused, format!("{job} can't run: {message}")).help("nothing was done")
            );
        }
    }
    Ok(())
}

/// The last word about a release that serves now.
fn released(environment: &str, release: Release, took: Duration) -> Event {
    let Release { number, restores, source, subject, .. } = release;
    let environment = environment.to_owned();
    Event { at: took, kind: EventKind::Released { environment, number, restores, source, subject, took } }
}

/// Why the run failed, in one line for the ledger; none if it did not.
fn reason(plan: &Plan, summary: &Summary) -> Option<String> {
    if summary.succeeded() {
        return None;
    }
    let failed = summary.outcomes.iter().zip(&plan.jobs).find_map(|(outcome, job)| match outcome {
        Outcome::Failed(failed) => {
            Some(format!("{}: {}", job.name, failed.step.lines().next().unwrap_or_default()))
        }
        Outcome::Succeeded | Outcome::Fresh | Outcome::Skipped { .. } | Outcome::Stopped => None,
    });
    Some(failed.unwrap_or_else(|| "stopped".to_owned()))
}

fn manner(session: &Session, common: &Common, plan: &Plan) -> Manner {
    let jobs = common.jobs.map(usize::from).or(session.project.settings.jobs).and_then(NonZeroUsize::new);
    // To ask how many processors there are takes longer than all else that is done for one job.
    let of_machine = || if plan.jobs.len() > 1 { std::thread::available_parallelism().ok() } else { None };
    let slots = jobs.or_else(of_machine).unwrap_or(NonZeroUsize::MIN);
    let on_failure = match (common.keep_going, common.fail_fast) {
        (true, _) => OnFailure::KeepGoing,
        (false, true) => OnFailure::FailFast,
        (false, false) => OnFailure::Drain,
    };
    // What is done on hosts costs this machine little: only who says how many jobs run at once means that too.
    Manner { slots, on_failure, width: jobs.unwrap_or(engine::WIDTH) }
}
