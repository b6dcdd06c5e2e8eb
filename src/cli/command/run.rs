//! `deploy [ENVIRONMENT] [TASK]…`: the table of contents of a run.

use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::Duration;

use anstream::eprintln;

use super::super::args::{Common, Words};
use super::super::checks::Checks;
use super::super::error::{Error, Kind, exit_code};
use super::super::plan_file::{Ground, Part};
use super::super::prompt::{self, Question};
use super::super::session::Session;
use super::super::{hold, output, request, secret};
use super::{Form, in_place, list, plan, recover, rollback};
use crate::engine::{self, Inbox, Manner, Means, Message, Stops};
use crate::facts::{self, Met, Site, Survey};
use crate::model::event::{Event, EventKind, Failed, Failure, Outcome, Summary};
use crate::model::health;
use crate::model::mask::Masker;
use crate::model::release::Release;
use crate::model::secret::Vaults;
use crate::perform::Hands;
use crate::perform::dock::{Dock, Docks, Stage};
use crate::plan::guard::{self, Overrides, Ruling, Verdict};
use crate::plan::schedule::OnFailure;
use crate::plan::{Delivery, Facts, Known, Plan, Request};
use crate::process::program::Programs;
use crate::process::signal;
use crate::state::journal::Journal;

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
        let mut looks = look_at_all(site, common, &plan)?;
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
    let mut looks = look_at_all(site, common, &plan)?;
    if let Some(planned) = planned {
        stands(planned, &plan, &looks)?;
    }
    if looks.iter().zip(&plan.deliveries).any(|(look, delivery)| look.met.last() >= delivery.number) {
        // The ledger was lost, and the target tells how far it had come: noted first, so that numbers go on.
        let met = looks.into_iter().map(|look| Look { verdicts: Vec::new(), ..look }).collect();
        hold::docks(site, common, request, &facts, &plan, met)?.let_go(&facts.run);
        site.forget();
        (facts, plan) = request::planned(session, common, site, request, facts::Manner::Act)?;
        looks = look_at_all(site, common, &plan)?;
    }
    refuse(&facts, &plan, &looks)?;
    if request.back.is_some() {
        rollback::tell(&plan, &looks);
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
    let inbox = Inbox::new();
    let outbox = inbox.outbox();
    // From before the environments are held until they are free again; before and after, signals do what they always do.
    let _listener = signal::listen(move |signal| drop(outbox.send(Message::Signal(signal))))
        .map_err(|error| Error::new(Kind::Failed, format!("signals can't be listened to: {error}")))?;
    let checks =
        Checks { session, common, site, facts: &facts, plan: &plan, vaults, masker: masker.as_ref() };
    checks
        .settle(looks.iter_mut().map(|look| &mut look.verdicts))
        .and_then(|()| refuse(&facts, &plan, &looks))
        .and_then(|()| hold::docks(site, common, request, &facts, &plan, looks))
        .and_then(|docks| match hold::locks(site, request, &facts, &plan.locks) {
            Ok(locks) => Ok((docks, locks)),
            Err(error) => {
                docks.let_go(&facts.run);
                Err(error)
            }
        })
        .and_then(|(docks, locks)| {
            let scene = Scene { session, common, site, inbox: &inbox };
            let outfit = Outfit { docks, vaults, masker: masker.as_ref() };
            let driven = drive(scene, request, &facts, &plan, outfit);
            let code = driven.and_then(|Driven { code, fallen }| {
                let mut fallen = fallen.into_iter();
                fallen.try_fold(code, |code, fallen| {
                    rollback::after(scene, request, &facts, fallen, vaults.clone(), code)
                })
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

/// Where a run takes place.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) session: &'a Session,
    pub(super) common: &'a Common,
    pub(super) site: &'a Site,
    pub(super) inbox: &'a Inbox,
}

/// What a run has before its first job starts: the environments that it deploys to, and its secrets.
pub(super) struct Outfit<'a> {
    pub(super) docks: Docks<'a>,
    pub(super) vaults: &'a Vaults,
    pub(super) masker: Option<&'a Masker>,
}

/// What was found out about one delivery, and what the rules say of it.
pub(crate) struct Look {
    pub(crate) survey: Survey,
    pub(crate) met: Met,
    pub(crate) verdicts: Vec<Verdict>,
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

fn look_at_all(site: &Site, common: &Common, plan: &Plan) -> Result<Vec<Look>, Error> {
    plan.deliveries.iter().map(|delivery| look(site, common, delivery)).collect()
}

fn look(site: &Site, common: &Common, delivery: &Delivery) -> Result<Look, Error> {
    let survey = site.survey(delivery)?;
    hold::closed(site, &delivery.environment, &survey.tip)?;
    let met = site.meet(delivery, &survey.tip)?;
    let verdicts = guard::judge(delivery, &survey.circumstances, &overrides(common));
    Ok(Look { survey, met, verdicts })
}

/// Refuses what the rules, the commit or the swap refuse: everything at once.
fn refuse(facts: &Facts, plan: &Plan, looks: &[Look]) -> Result<(), Error> {
    let mut refusals: Vec<(String, Option<String>)> = Vec::new();
    for (delivery, look) in plan.deliveries.iter().zip(looks) {
        let broken = look.verdicts.iter().filter(|verdict| verdict.ruling == Ruling::Refuses);
        refusals.extend(
            broken.map(|verdict| (format!("{}: {}", verdict.rule, verdict.says), verdict.help.clone())),
        );
        let swap = look.survey.swap.refusals.iter();
        refusals.extend(swap.map(|refusal| (refusal.message.clone(), refusal.help.clone())));
        if delivery.source.is_none() && delivery.target.is_some() && refusals.is_empty() {
            let Known::Absent(reason, help) = &facts.source else { continue };
            refusals.push((reason.clone(), help.clone()));
        }
    }
    let Some((_, help)) = refusals.last().cloned() else { return Ok(()) };
    let names: Vec<&str> = plan.deliveries.iter().map(|delivery| delivery.environment.as_str()).collect();
    let lines: Vec<String> = refusals
        .iter()
        .enumerate()
        .map(|(index, (message, help))| match help.as_ref().filter(|_| index + 1 < refusals.len()) {
            Some(help) => format!("  {message}\n    help: {help}"),
            None => format!("  {message}"),
        })
        .collect();
    let message = format!("{} is not deployed, nothing was done:\n{}", names.join(" and "), lines.join("\n"));
    Err(Error::new(Kind::Refused, message).maybe_help(help))
}

fn questions(plan: &Plan, looks: &[Look]) -> Vec<Question> {
    let plain = |text: &String| Question { text: text.clone(), typed: None };
    let of_tasks = plan.questions.iter().map(plain);
    let of_targets = looks.iter().filter_map(|look| look.met.question.as_ref()).map(plain);
    let of_environments = plan.deliveries.iter().filter_map(guard::question);
    of_tasks.chain(of_targets).chain(of_environments.map(|(text, typed)| Question { text, typed })).collect()
}

pub(super) fn drive<'a>(
    scene: Scene<'_>,
    request: &Request,
    facts: &Facts,
    plan: &Plan,
    outfit: Outfit<'a>,
) -> Result<Driven<'a>, Error> {
    let Scene { session, common, site, inbox } = scene;
    let Outfit { docks, vaults, masker } = outfit;
    let stops = Stops::new(session.project.settings.grace);
    let (mut telling, handing) = output::begin(session, common, site, facts, request, plan);
    let by = docks.docks.first().map_or_else(String::new, |dock| dock.by.clone());
    let hands = Hands {
        root: site.root.clone(),
        state: site.state.clone(),
        run: facts.run.clone(),
        env: secret::without(session, &plan.secrets),
        programs: Programs::default(),
        handing,
        vaults: vaults.clone(),
        docks,
    };
    if let Err(error) = require(&hands, plan) {
        hands.docks.let_go(&facts.run);
        return Err(error);
    }
    let journal = Journal::new(site.state.clone(), facts.run.clone(), plan.environment.clone(), by);
    let means = Means { run: &facts.run, world: &hands, journal: &journal, stops: &stops, masker };
    let summary = engine::run(plan, means, inbox, manner(session, common), &mut |event| {
        telling.event(event);
        // Who reads what tasks print and goes away (`| head`) ends them, as a pipe does; a deploy goes on unread.
        if telling.is_unread && plan.deliveries.is_empty() {
            stops.run.ask(signal::PIPE);
        }
    });
    let Hands { mut docks, .. } = hands;
    let reason = reason(plan, &summary);
    let fallen = fallen(plan, &summary, &mut docks);
    let unsaid = docks.finish(&facts.run, reason.as_deref());
    docks.tidy();
    for (environment, release) in docks.live(&facts.run) {
        telling.event(&released(environment, release, summary.took));
    }
    telling.finish();
    match (unsaid.is_empty(), exit_code(&summary)) {
        (false, 0) => Err(Error::new(
            Kind::Failed,
            format!("it was deployed, but the ledger does not know: {}", unsaid.join("; ")),
        )),
        (_, code) => Ok(Driven { code, fallen }),
    }
}

/// What came of a run.
pub(super) struct Driven<'a> {
    pub(super) code: u8,
    pub(super) fallen: Vec<Fallen<'a>>,
}

/// A release that the target has and that is not healthy. Its environment is held still.
pub(super) struct Fallen<'a> {
    pub(super) dock: Dock<'a>,
    pub(super) verdict: health::Verdict,
    /// What was found, in one line.
    pub(super) why: String,
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

fn manner(session: &Session, common: &Common) -> Manner {
    let jobs = common.jobs.map(usize::from).or(session.project.settings.jobs).and_then(NonZeroUsize::new);
    let slots = jobs.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN);
    let on_failure = match (common.keep_going, common.fail_fast) {
        (true, _) => OnFailure::KeepGoing,
        (false, true) => OnFailure::FailFast,
        (false, false) => OnFailure::Drain,
    };
    Manner { slots, on_failure }
}

/// What `--override` goes past, and why.
pub(crate) fn overrides(common: &Common) -> Overrides {
    Overrides { rules: common.overrides.clone(), reason: common.reason.clone().unwrap_or_default() }
}
