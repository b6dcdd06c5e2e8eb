//! `deploy plan …`, and `-n`: what `deploy …` would do. It runs nothing of the user's, and writes nothing but the file that
//! `--out` names.

use std::path::Path;
use std::process::ExitCode;

use anstream::eprintln;

use super::super::args::{Common, Words};
use super::super::error::Error;
use super::super::look::overrides;
use super::super::plan_file::{self, Command, Ground, Named, Part, PlanFile};
use super::super::session::Session;
use super::super::{hold, print, request};
use super::Form;
use crate::facts::{Manner, Site, Survey};
use crate::fresh::{Records, survey};
use crate::plan::guard::{Verdict, judge};
use crate::plan::{Facts, Freshness, Known, Plan, Request};
use crate::report::outlook;

pub(crate) fn plan(
    session: &Session,
    common: &Common,
    words: &Words,
    form: Form,
    out: Option<&Path>,
) -> Result<ExitCode, Error> {
    let requests = request::requests(session, common, words)?;
    let site = session.site();
    let foreseen = foresee(session, common, &site, &requests)?;
    if let Some(out) = out {
        written(session, common, words, &foreseen).write(&session.here.join(out))?;
        if !common.quiet {
            eprintln!("deploy: the plan is in {}: deploy apply {0}", out.display());
        }
    }
    Ok(show(session, &site, &foreseen, form))
}

/// What requests that no words say would do.
pub(super) fn of(
    session: &Session,
    common: &Common,
    requests: &[Request],
    form: Form,
) -> Result<ExitCode, Error> {
    let site = session.site();
    let foreseen = foresee(session, common, &site, requests)?;
    Ok(show(session, &site, &foreseen, form))
}

fn show(session: &Session, site: &Site, foreseen: &[Foreseen], form: Form) -> ExitCode {
    hold::tell_unreached(site);
    let text = match form {
        Form::Text => text(session, foreseen),
        Form::Json => {
            let objects: Vec<_> = foreseen.iter().map(|part| part.json(session)).collect();
            serde_json::to_string_pretty(&objects).expect("plain data has no map with odd keys") + "\n"
        }
    };
    print(&text)
}

/// What would be done in one environment, or in none.
pub(crate) struct Foreseen {
    facts: Facts,
    plan: Plan,
    /// What was found out about each delivery, and what the rules say of it.
    looks: Vec<(Survey, Vec<Verdict>)>,
    /// Which of its jobs have nothing to do, where some can tell.
    fresh: Vec<bool>,
}

/// Plans each part of a command line, and looks at what it would meet.
pub(crate) fn foresee(
    session: &Session,
    common: &Common,
    site: &Site,
    requests: &[Request],
) -> Result<Vec<Foreseen>, Error> {
    let parts = requests.iter().map(|request| {
        let (facts, plan) = request::planned(session, common, site, request, Manner::Look)?;
        let looks = look(common, site, &plan)?;
        let fresh = match request.freshness {
            Freshness::Respect if survey::is_worthwhile(&plan) => {
                survey::Survey::of(&plan, &Records::read(&site.state)).0.fresh()
            }
            Freshness::Respect | Freshness::Ignore => Vec::new(),
        };
        Ok(Foreseen { facts, plan, looks, fresh })
    });
    parts.collect()
}

/// A plan as people read it.
pub(crate) fn text(session: &Session, foreseen: &[Foreseen]) -> String {
    foreseen
        .iter()
        .map(|part| outlook::text(&part.plan, &part.looks, &part.fresh, &session.sources))
        .collect()
}

/// A plan as it is written down.
pub(crate) fn written(session: &Session, common: &Common, words: &Words, foreseen: &[Foreseen]) -> PlanFile {
    let parts = foreseen.iter().map(|part| part.written(session, common)).collect();
    PlanFile::new(Command::new(common, words), &session.sources, parts)
}

impl Foreseen {
    fn json(&self, session: &Session) -> serde_json::Value {
        outlook::json(&self.plan, &self.looks, &self.fresh, &session.sources)
    }

    fn written(&self, session: &Session, common: &Common) -> Part {
        let name = common.reference.as_deref().unwrap_or(request::HEAD);
        let commit = match &self.facts.source {
            Known::Is(source) => Some(Named { name: name.to_owned(), id: source.commit.clone() }),
            Known::NotAsked | Known::Absent(..) => None,
        };
        let releases = self.plan.deliveries.iter().zip(&self.looks);
        let releases =
            releases.map(|(delivery, (survey, _))| Ground::new(&delivery.environment, &survey.tip));
        // All of the plan, also what is added to it one day; secrets have no value there. The project may be in another
        // folder where it is applied.
        let everything = format!("{:?}", self.plan).replace(&*session.root.to_string_lossy(), ".");
        Part {
            commit,
            releases: releases.collect(),
            sha256: plan_file::sha256(everything.as_bytes()),
            plan: self.json(session),
        }
    }
}

/// What is found out about each delivery of a plan, and what the rules say of it.
fn look(common: &Common, site: &Site, plan: &Plan) -> Result<Vec<(Survey, Vec<Verdict>)>, Error> {
    let looks = plan.deliveries.iter().map(|delivery| {
        let mut survey = site.survey(delivery)?;
        survey.interest = site.interest(delivery, &survey)?;
        let verdicts = judge(delivery, &survey.circumstances, &overrides(common));
        Ok((survey, verdicts))
    });
    looks.collect()
}
