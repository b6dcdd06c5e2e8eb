//! `deploy [ENVIRONMENT] [TASK]…`: the table of contents of a run.

use std::process::ExitCode;

use anstream::eprintln;

use super::super::args::{Common, Run, Words};
use super::super::checks::Checks;
use super::super::drive::{Driven, Outfit, Scene, drive};
use super::super::error::{Error, Kind};
use super::super::look::{Look, look_at_all, questions, refuse};
use super::super::plan_file::{Ground, Part};
use super::super::session::Session;
use super::super::{hold, prompt, request, secret};
use super::{Form, backup, in_place, list, plan, recover, rollback};
use crate::facts::{self, Site};
use crate::model::mask::Masker;
use crate::model::secret::Vaults;
use crate::plan::guard::Ruling;
use crate::plan::{Plan, Request};
use crate::process::signal;

/// `deploy` alone: the project's default, or the list.
pub(crate) fn default(session: &Session, common: &Common, args: Vec<String>) -> Result<ExitCode, Error> {
    match (&session.project.default, &common.environment) {
        (Some((name, _)), None) => {
            run(session, common, &Words { names: vec![name.clone()], args, ..Words::default() })
        }
        (Some(_) | None, Some(_)) => run(session, common, &Words { args, ..Words::default() }),
        (None, None) => Ok(list::list(session)),
    }
}

/// What a command line with names of the user's asks for.
pub(crate) fn asked(session: &Session, asked: &Run) -> Result<ExitCode, Error> {
    if asked.words.names.is_empty() {
        return default(session, &asked.common, asked.words.args.clone());
    }
    run(session, &asked.common, &asked.words)
}

pub(crate) fn run(session: &Session, common: &Common, words: &Words) -> Result<ExitCode, Error> {
    if common.dry_run {
        return plan::plan(session, common, words, Form::Text, None);
    }
    let requests = request::requests(session, common, words)?;
    carry_out(session, common, &session.site(), &requests, &[])
}

/// Does the parts of a command line, one after the other; of a plan that was written down only while each is what it was.
pub(super) fn carry_out(
    session: &Session,
    common: &Common,
    site: &Site,
    requests: &[Request],
    planned: &[Part],
) -> Result<ExitCode, Error> {
    let mut vaults = Vaults::default();
    let answered = if requests.len() > 1 {
        ask_all(session, common, site, requests, &mut vaults)?
    } else {
        Answered::No
    };
    for (index, request) in requests.iter().enumerate() {
        let code = one(session, common, site, request, planned.get(index), answered, &mut vaults)?;
        if code != 0 {
            return Ok(ExitCode::from(code));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether the questions of a command line were answered before its first part began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answered {
    Yes,
    No,
}

/// Finds out, before the first of several parts begins, what would refuse a later one, and asks all their questions.
fn ask_all(
    session: &Session,
    common: &Common,
    site: &Site,
    requests: &[Request],
    vaults: &mut Vaults,
) -> Result<Answered, Error> {
    let (mut asked, mut hidden) = (Vec::new(), Vec::new());
    for (index, request) in requests.iter().enumerate() {
        let (facts, plan) = request::planned(session, common, site, request, facts::Manner::Act)?;
        let mut looks = look_at_all(session, common, site, &plan, vaults)?;
        let before: Vec<Option<&str>> =
            requests[..index].iter().map(|earlier| earlier.environment.as_deref()).collect();
        for (look, delivery) in looks.iter_mut().zip(&plan.deliveries) {
            // What the earlier parts bring about is not there yet; it is judged when its turn comes.
            let follows =
                delivery.protect.after.as_ref().is_some_and(|(first, _)| before.contains(&Some(first)));
            look.verdicts.retain(|verdict| verdict.rule != "after" || !follows);
        }
        refuse(&facts, &plan, &looks)?;
        asked.extend(questions(&plan, &looks));
        hidden.extend(plan.secrets);
    }
    prompt::ask(&asked, common.yes.as_deref())?;
    secret::fetch(session, common, site, &hidden, vaults)?;
    Ok(Answered::Yes)
}

/// One environment's part of the command line.
pub(super) fn one(
    session: &Session,
    common: &Common,
    site: &Site,
    request: &Request,
    planned: Option<&Part>,
    answered: Answered,
    vaults: &mut Vaults,
) -> Result<u8, Error> {
    recover::before(session, site, request.environment.as_deref())?;
    // An earlier part of the command line may have taken its time.
    site.forget();
    let (mut facts, mut plan) = request::planned(session, common, site, request, facts::Manner::Act)?;
    let mut looks = look_at_all(session, common, site, &plan, vaults)?;
    if let Some(planned) = planned {
        stands(planned, &plan, &looks)?;
    }
    if looks.iter().zip(&plan.deliveries).any(|(look, delivery)| look.met.last() >= delivery.number) {
        // The ledger was lost, and the target tells how far it had come: noted first, so that numbers go on.
        let met = looks.into_iter().map(|look| Look { verdicts: Vec::new(), ..look }).collect();
        hold::docks(site, common, request, &facts, &plan, met)?.let_go(&facts.run);
        site.forget();
        (facts, plan) = request::planned(session, common, site, request, facts::Manner::Act)?;
        looks = look_at_all(session, common, site, &plan, vaults)?;
    }
    for news in looks.iter().filter_map(|look| look.met.news.as_ref()) {
        eprintln!("deploy: {news}");
    }
    refuse(&facts, &plan, &looks)?;
    for (look, delivery) in looks.iter().zip(&plan.deliveries) {
        for verdict in look.verdicts.iter().filter(|verdict| verdict.ruling == Ruling::Untold) {
            eprintln!("deploy: {}: {}: {}", delivery.environment, verdict.rule, verdict.says);
        }
    }
    if request.back.is_some() {
        rollback::tell(site, &plan, &looks);
        if common.dry_run {
            return Ok(0);
        }
    }
    if common.in_place {
        in_place::check(site, common, &plan, looks.iter().map(|look| &look.survey))?;
        if !common.rebuild && !looks.is_empty() && looks.iter().all(|look| look.survey.already.is_some()) {
            eprintln!("deploy: what is committed is live already; nothing was swapped");
            return Ok(0);
        }
    }
    if answered == Answered::No {
        prompt::ask(&questions(&plan, &looks), common.yes.as_deref())?;
    }
    secret::fetch(session, common, site, &plan.secrets, vaults)?;
    let masker = if plan.secrets.is_empty() { None } else { Masker::new(vaults.values()) };
    if let Some(masker) = &masker {
        // What a job was given may be what a secret is.
        plan.jobs.iter_mut().for_each(|job| masker.hide(&mut job.name));
    }
    // From before the environments are held until they are free again; before and after, signals do what they always do.
    let signals = signal::catch()
        .map_err(|error| Error::new(Kind::Failed, format!("signals can't be listened to: {error}")))?;
    session.halt.attach(&signals);
    let checks =
        Checks { session, common, site, facts: &facts, plan: &plan, vaults, masker: masker.as_ref() };
    checks
        .settle(looks.iter_mut().map(|look| &mut look.verdicts))
        .and_then(|()| refuse(&facts, &plan, &looks))
        .and_then(|()| hold::docks(site, common, request, &facts, &plan, looks))
        .and_then(|docks| match hold::locks(site, common, request, &facts, &plan.locks) {
            Ok(locks) => Ok((docks, locks)),
            Err(error) => {
                docks.let_go(&facts.run);
                Err(error)
            }
        })
        .and_then(|(docks, locks)| {
            let scene = Scene { session, common, site, signals: &signals };
            let outfit = Outfit { docks, locks: &locks, vaults, masker: masker.as_ref() };
            let driven = drive(scene, request, &facts, &plan, outfit);
            let code = driven.and_then(|Driven { code, fallen, saved }| {
                let code = rollback::after(scene, request, &facts, fallen, (vaults, masker.as_ref()), code)?;
                if code != 0 {
                    backup::tell_way_back(&saved, request);
                }
                Ok(code)
            });
            locks.let_go();
            code
        })
        .map_err(|error| error.masked(masker.as_ref()))
}

/// Refuses what was planned on top of something else than what is there now.
fn stands(planned: &Part, plan: &Plan, looks: &[Look]) -> Result<(), Error> {
    let now = plan.deliveries.iter().zip(looks);
    let mut now = now.map(|(delivery, look)| Ground::new(&delivery.environment, &look.survey.tip));
    match now.find_map(|now| planned.gone_on(&now)) {
        Some(gone_on) => {
            Err(Error::new(Kind::Refused, format!("the plan is no longer what would be done: {gone_on}"))
                .help("make a new plan, look at it, and apply that"))
        }
        None => Ok(()),
    }
}
