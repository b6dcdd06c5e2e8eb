//! `deploy rollback ENV [RELEASE]`, and what a release that is not healthy makes of itself: an earlier release comes back,
//! as a new one, and the environment is frozen until somebody unlocks it. Data stays as it is.

use std::process::ExitCode;
use std::time::Duration;

use anstream::eprintln;

use super::super::args::Common;
use super::super::drive::{self, Fallen, Outfit, Scene};
use super::super::error::{Error, Kind};
use super::super::hold::{self, Locks};
use super::super::look::Look;
use super::super::prompt::{self, Question};
use super::super::session::Session;
use super::super::{request, secret, tell as tell_error};
use super::recover;
use super::run::{self, Answered};
use crate::facts::{Manner, Site};
use crate::model::health::{OnFailure, Verdict};
use crate::model::mask::Masker;
use crate::model::release::Release;
use crate::model::secret::Vaults;
use crate::model::target::Target;
use crate::perform::dock::{Away, Docks};
use crate::plan::{Delivery, Dependencies, Facts, Plan, Request, select};
use crate::process::Stop;
use crate::release::event::What;
use crate::release::history::{self, NoWay};
use crate::release::holding::Holding;
use crate::release::state::State;
use crate::report::words::count;

/// The exit code of a deploy that was rolled back.
const ROLLED_BACK: u8 = 6;

/// How many of the commits that go are named; the rest is a number.
const COMMITS_NAMED: usize = 20;

pub(crate) fn rollback(
    session: &Session,
    common: &Common,
    environment: &str,
    release: Option<u32>,
) -> Result<ExitCode, Error> {
    has_a_way(session, environment)?;
    let site = session.site();
    recover::before(session, &site, Some(environment))?;
    let state = site.tip(environment)?.state;
    let back = match way_back(&site, environment, &state, release)? {
        Ok(back) => back,
        Err(NoWay::Live(number)) => {
            eprintln!("deploy: release {number} is live in {environment} already");
            return Ok(ExitCode::SUCCESS);
        }
        Err(no_way) => return Err(refused(environment, &no_way)),
    };
    let request = Request { set: common.set.clone(), ..going_back(environment, back) };
    let code = run::one(session, common, &site, &request, None, Answered::No, &mut Vaults::default())?;
    if code == 0 && !common.dry_run {
        told_frozen(environment);
    }
    Ok(ExitCode::from(code))
}

/// Refuses an environment that is none, or that nothing of could come back.
fn has_a_way(session: &Session, name: &str) -> Result<(), Error> {
    let Some(environment) = session.project.environment(name) else {
        let problem = select::unknown(&session.project, "environment", name);
        return Err(Error::diagnostics(problem.into(), &session.sources));
    };
    let (message, help) = match &environment.target {
        Some(Target::Command(target)) if target.rollback.is_empty() => (
            format!("the target of {name} has no `rollback`: nothing is known to bring a release back"),
            format!(
                "rollback = [\"program\", \"argument\"], beside its `command` ({})",
                session.line(target.at)
            ),
        ),
        Some(
            Target::Command(_)
            | Target::Git(_)
            | Target::Server(_)
            | Target::Platform(_)
            | Target::Zappa(_)
            | Target::PythonAnywhere(_),
        ) => return Ok(()),
        None => (
            format!("{name} has no target, so what its deploy task brought there is not known"),
            "deploy an earlier commit: deploy ENVIRONMENT --ref COMMIT".to_owned(),
        ),
    };
    Err(Error::new(Kind::Refused, message).help(help))
}

/// What a rollback asks for.
fn going_back(environment: &str, back: Release) -> Request {
    Request {
        environment: Some(environment.to_owned()),
        dependencies: Dependencies::LeaveOut,
        back: Some(back),
        ..Request::default()
    }
}

fn way_back(
    site: &Site,
    environment: &str,
    state: &State,
    wanted: Option<u32>,
) -> Result<Result<Release, NoWay>, Error> {
    Ok(history::way_back(&site.history(environment)?, state, wanted))
}

fn refused(environment: &str, no_way: &NoWay) -> Error {
    let history = format!("deploy history {environment} shows what there was");
    let (message, help) = match no_way {
        NoWay::Nothing => {
            (format!("nothing was ever live in {environment}, so nothing can come back"), history)
        }
        NoWay::Oldest(number) => {
            (format!("there is no good release of {environment} before release {number}"), history)
        }
        NoWay::Unknown(number) => (format!("there is no release {number} of {environment}"), history),
        NoWay::NeverLive(number, source) => (
            format!("release {number} of {environment} was never live, so it can't come back"),
            format!("to ship its commit again: deploy {environment} --ref {}", source.short()),
        ),
        NoWay::Live(number) => (format!("release {number} is live already"), history),
    };
    Error::new(Kind::Refused, message).help(help)
}

/// Says what goes and what comes back, before it is asked or done.
pub(super) fn tell(site: &Site, plan: &Plan, looks: &[Look]) {
    for (delivery, look) in plan.deliveries.iter().zip(looks) {
        let Some(back) = &delivery.back else { continue };
        let state = &look.survey.tip.state;
        let from = state.serves().map_or_else(
            || format!("what was shipped over release {}", back.number),
            |live| format!("release {} ({} \"{}\")", live.number, live.source.short(), live.subject),
        );
        eprintln!(
            "deploy: {} goes back from {from} to release {} ({} \"{}\")",
            delivery.environment,
            back.number,
            back.source.short(),
            back.subject
        );
        if let Some(since) = look.survey.since.as_ref().filter(|since| !since.commits.is_empty()) {
            let more = if since.cut { " or more" } else { "" };
            let go = if since.commits.len() == 1 { "goes" } else { "go" };
            eprintln!("deploy: {}{more} {go}:", count(since.commits.len(), "commit"));
            for (id, commit) in since.commits.iter().take(COMMITS_NAMED) {
                eprintln!("  {} {} ({})", id.short(), commit.subject(), commit.author);
            }
            if since.commits.len() > COMMITS_NAMED {
                eprintln!("  … and {} more", since.commits.len() - COMMITS_NAMED);
            }
        }
        eprintln!("deploy: data stays as it is: what releases did to databases and files is not taken back");
        // Only a word of warning: what can't be told is no reason not to go back.
        let interest = site.interest(delivery, &look.survey).ok().flatten();
        for migration in interest.iter().flat_map(|interest| &interest.migrations) {
            eprintln!("  what it did stays: {}", migration.path);
        }
    }
}

fn told_frozen(environment: &str) {
    eprintln!(
        "deploy: {environment} is frozen, so that the next deploy does not bring it again; deploy unlock {environment} --reason \"…\" opens it"
    );
}

/// Decides what becomes of the releases of a run that ended with `code` and are not healthy, and does it, each for
/// itself: what goes wrong for one keeps no other from going back. The exit code; of one that was rolled back only where
/// all were.
pub(super) fn after(
    scene: Scene<'_>,
    request: &Request,
    facts: &Facts,
    fallen: Vec<Fallen<'_>>,
    (vaults, masker): (&Vaults, Option<&Masker>),
    code: u8,
) -> Result<u8, Error> {
    let ends = fallen.into_iter().map(|fallen| one(scene, request, facts, fallen, vaults.clone(), code));
    let worst = ends.reduce(|ended, end| match (ended, end) {
        (Ok(ROLLED_BACK), end) | (Ok(_), end @ Err(_)) => end,
        (Err(first), Err(another)) => {
            tell_error(&another.masked(masker));
            Err(first)
        }
        (ended, Ok(_)) => ended,
    });
    worst.unwrap_or(Ok(code))
}

fn one(
    scene: Scene<'_>,
    request: &Request,
    facts: &Facts,
    fallen: Fallen<'_>,
    mut vaults: Vaults,
    code: u8,
) -> Result<u8, Error> {
    let Scene { session, common, site, .. } = scene;
    let Fallen { dock, verdict, why } = fallen;
    let delivery = dock.delivery;
    let environment = delivery.environment.as_str();
    let run = &facts.run;
    let holding = dock.conclude(run, &why).map_err(|error| {
        let number = delivery.number;
        let tried =
            format!("{environment}: release {number} is not healthy, and the ledger can't be told: {error}");
        Error::new(Kind::Failed, tried)
            .help(format!("it stays as it is; deploy rollback {environment} takes it back"))
    })?;
    let state = holding.tip().state;
    let back = match decided(common, site, delivery, verdict, &state) {
        Ok(back) => back,
        Err(stays) => {
            eprintln!(
                "deploy: {environment}: release {} stays, though it is not healthy: {stays}",
                delivery.number
            );
            free(site, facts, &holding);
            return Ok(code);
        }
    };
    eprintln!(
        "deploy: {environment}: release {} is not healthy; release {} comes back",
        delivery.number, back.number
    );
    let request = Request { set: request.set.clone(), ..going_back(environment, back) };
    let away = Away { number: delivery.number, why };
    let driven = request::planned(session, common, site, &request, Manner::Act).and_then(|(facts, plan)| {
        secret::fetch(session, common, site, &plan.secrets, &mut vaults)?;
        Ok((facts, plan))
    });
    let (facts, plan) = match driven {
        Ok(planned) => planned,
        Err(error) => {
            free(site, facts, &holding);
            return Err(error);
        }
    };
    let masker = if plan.secrets.is_empty() { None } else { Masker::new(vaults.values()) };
    let held = plan.deliveries.first().expect("a rollback delivers");
    let docks = Docks { docks: vec![hold::held(site, held, holding, Some(away))?] };
    let locks = Locks::default();
    let outfit = Outfit { docks, locks: &locks, vaults: &vaults, masker: masker.as_ref() };
    match drive::drive(scene, &request, &facts, &plan, outfit)?.code {
        0 => {
            told_frozen(environment);
            Ok(ROLLED_BACK)
        }
        failed => {
            eprintln!(
                "deploy: {environment}: the rollback did not work either; look at deploy status, and at the service"
            );
            Ok(failed)
        }
    }
}

/// The release that comes back; or why none does.
fn decided(
    common: &Common,
    site: &Site,
    delivery: &Delivery,
    verdict: Verdict,
    state: &State,
) -> Result<Release, String> {
    let environment = delivery.environment.as_str();
    let way = way_back(site, environment, state, None).map_err(|error| error.message)?;
    let back = way.map_err(|_| "there is no good release before it".to_owned())?;
    match &delivery.target {
        Some(Target::Command(target)) if target.rollback.is_empty() => {
            return Err("its target has no `rollback`".to_owned());
        }
        Some(
            Target::Command(_)
            | Target::Git(_)
            | Target::Server(_)
            | Target::Platform(_)
            | Target::Zappa(_)
            | Target::PythonAnywhere(_),
        )
        | None => {}
    }
    let question =
        Question { text: format!("Bring release {} back to {environment}?", back.number), typed: None };
    let yes = match (delivery.on_failure, verdict) {
        (Some(OnFailure::Keep), _) => return Err("`on_failure` says so".to_owned()),
        (Some(OnFailure::Rollback) | None, Verdict::Bad) => return Ok(back),
        (Some(OnFailure::Ask), Verdict::Bad) => common.yes.as_deref(),
        // Nobody can tell that it is bad: a yes to every question is no answer to this one.
        (Some(OnFailure::Rollback | OnFailure::Ask) | None, Verdict::Unclear) => None,
    };
    match prompt::ask(&[question], yes) {
        Ok(()) => Ok(back),
        Err(_) => Err(format!("nobody said that release {} is to come back", back.number)),
    }
}

/// Lets go of an environment.
fn free(site: &Site, facts: &Facts, holding: &Holding) {
    let unlocked = hold::word(&facts.run, &site.by(), What::Unlocked, None);
    if let Err(error) = holding.free(Vec::new(), unlocked, &Stop::new(Duration::ZERO)) {
        eprintln!("deploy: the lock could not be given back: {error}");
    }
}
