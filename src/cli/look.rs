//! What was found out about each delivery of a plan, and what the rules say of it: refused, or asked, before anything is
//! done.

use super::args::Common;
use super::error::{Error, Kind};
use super::prompt::Question;
use super::session::Session;
use super::{hold, secret};
use crate::facts::{Met, Site, Survey};
use crate::model::secret::Vaults;
use crate::plan::guard::{self, Overrides, Ruling, Verdict};
use crate::plan::{Delivery, Facts, Known, Plan};

/// What was found out about one delivery, and what the rules say of it.
pub(crate) struct Look {
    pub(crate) survey: Survey,
    pub(crate) met: Met,
    pub(crate) verdicts: Vec<Verdict>,
}

/// Looks at each delivery. What opens a target is fetched first: the target may have to be asked what it holds.
pub(super) fn look_at_all(
    session: &Session,
    common: &Common,
    site: &Site,
    plan: &Plan,
    vaults: &mut Vaults,
) -> Result<Vec<Look>, Error> {
    secret::fetch(session, common, site, &plan.logins(), vaults)?;
    plan.deliveries.iter().map(|delivery| look(site, common, delivery, vaults)).collect()
}

fn look(site: &Site, common: &Common, delivery: &Delivery, vaults: &Vaults) -> Result<Look, Error> {
    let survey = site.survey(delivery)?;
    hold::closed(site, &delivery.environment, &survey.tip)?;
    let met = site.meet(delivery, &survey.tip, vaults)?;
    let verdicts = guard::judge(delivery, &survey.circumstances, &overrides(common));
    Ok(Look { survey, met, verdicts })
}

/// Refuses what the rules, the commit or the swap refuse: everything at once.
pub(super) fn refuse(facts: &Facts, plan: &Plan, looks: &[Look]) -> Result<(), Error> {
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

pub(super) fn questions(plan: &Plan, looks: &[Look]) -> Vec<Question> {
    let plain = |text: &String| Question { text: text.clone(), typed: None };
    let of_tasks = plan.questions.iter().map(plain);
    let of_targets = looks.iter().filter_map(|look| look.met.question.as_ref()).map(plain);
    let of_environments = plan.deliveries.iter().filter_map(guard::question);
    let of_data = plan.typed.iter().cloned().map(|(text, word)| (text, Some(word)));
    let of_environments = of_environments.chain(of_data);
    of_tasks.chain(of_targets).chain(of_environments.map(|(text, typed)| Question { text, typed })).collect()
}

/// What `--override` goes past, and why.
pub(crate) fn overrides(common: &Common) -> Overrides {
    Overrides { rules: common.overrides.clone(), reason: common.reason.clone().unwrap_or_default() }
}
