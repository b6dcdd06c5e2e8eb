//! `deploy plan …`, and `-n`: what `deploy …` would do. It runs nothing of the user's and writes nothing.

use std::process::ExitCode;

use super::super::args::{Common, Words};
use super::super::error::Error;
use super::super::session::Session;
use super::super::{hold, print, request};
use super::run::overrides;
use crate::facts::{Manner, Site, Survey};
use crate::plan::Plan;
use crate::plan::guard::{Verdict, judge};
use crate::report::outlook;

pub(crate) fn plan(session: &Session, common: &Common, words: &Words, json: bool) -> Result<ExitCode, Error> {
    let requests = request::requests(session, common, words)?;
    let site = session.site();
    let mut text = String::new();
    let mut objects = Vec::new();
    for request in &requests {
        let (_, plan) = request::planned(session, common, &site, request, Manner::Look)?;
        let outlooks = look(session, common, &site, &plan)?;
        if json {
            objects.push(outlook::json(&plan, &outlooks, &session.sources));
        } else {
            text.push_str(&outlook::text(&plan, &outlooks, &session.sources));
        }
    }
    hold::tell_unreached(&site);
    if json {
        text = serde_json::to_string_pretty(&objects).expect("plain data has no map with odd keys") + "\n";
    }
    Ok(print(&text))
}

/// What is found out about each delivery of a plan, and what the rules say of it.
fn look(
    _session: &Session,
    common: &Common,
    site: &Site,
    plan: &Plan,
) -> Result<Vec<(Survey, Vec<Verdict>)>, Error> {
    let looks = plan.deliveries.iter().map(|delivery| {
        let survey = site.survey(delivery)?;
        let verdicts = judge(delivery, &survey.circumstances, &overrides(common));
        Ok((survey, verdicts))
    });
    looks.collect()
}
