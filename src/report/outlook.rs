//! A plan as people read it, and as programs do: commits, swapped files, rules, jobs and steps. What only a command
//! of the user's could tell is not known here.

mod fleet;
mod hold;
mod interest;
mod lasting;

use std::fmt::Write as _;

use serde_json::{Value, json};
use similar::TextDiff;

use super::words::{FAINT, NAME, paint};
use crate::diagnostic::{Source, Span};
use crate::facts::Survey;
use crate::model::backup::Matter;
use crate::model::credentials::without_credentials;
use crate::model::files::{Files, Pattern};
use crate::model::health::{Health, OnFailure};
use crate::model::http::Body;
use crate::model::platform::PlatformTarget;
use crate::model::step::{Action, Planned, Step};
use crate::model::target::Target;
use crate::plan::guard::{Ruling, Verdict, question};
use crate::plan::{Delivery, Plan};
use crate::release::swap::Entry;

/// How many commits are named; the rest is a number.
const COMMITS_NAMED: usize = 20;

/// Lines of a file around a change of it.
const CONTEXT: usize = 2;

/// The plan for people.
pub(crate) fn text(
    plan: &Plan,
    looks: &[(Survey, Vec<Verdict>)],
    fresh: &[bool],
    sources: &[Source],
) -> String {
    let mut text = String::new();
    for (delivery, (survey, verdicts)) in plan.deliveries.iter().zip(looks) {
        release(delivery, survey, &mut text);
        interest::text(survey, &mut text);
        swaps(&survey.swap.entries, &mut text);
        hold::text(survey, &mut text);
        lasting::text(plan, delivery, &mut text);
        rules(delivery, survey, verdicts, &mut text);
    }
    jobs(plan, fresh, sources, &mut text);
    for question in &plan.questions {
        line(&mut text, &format!("asks first: {question}"));
    }
    for (question, word) in &plan.typed {
        line(&mut text, &format!("asks first: {question} (type {word})"));
    }
    text
}

/// The plan for programs.
pub(crate) fn json(
    plan: &Plan,
    looks: &[(Survey, Vec<Verdict>)],
    fresh: &[bool],
    sources: &[Source],
) -> Value {
    let deliveries: Vec<Value> = plan
        .deliveries
        .iter()
        .zip(looks)
        .map(|(delivery, (survey, verdicts))| delivery_json(plan, delivery, survey, verdicts))
        .collect();
    let names = |jobs: &[crate::model::name::JobId]| -> Vec<&str> {
        jobs.iter().map(|job| plan.jobs[job.index()].name.as_str()).collect()
    };
    let jobs: Vec<Value> = plan
        .graph
        .order()
        .iter()
        .map(|id| {
            let job = &plan.jobs[id.index()];
            json!({
                "name": job.name,
                "environment": job.environment,
                "fresh": fresh.get(id.index()) == Some(&true),
                "needs": names(plan.graph.needs(*id)),
                "at": place(job.body.at, sources),
                "steps": job.body.steps.iter().map(Step::title).collect::<Vec<_>>(),
                "hosts": fleet::json(&job.body.steps),
                "always": job.body.always.iter().map(Step::title).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "version": 1,
        "environment": plan.environment,
        "questions": plan.questions,
        "releases": deliveries,
        "jobs": jobs,
    })
}

fn delivery_json(plan: &Plan, delivery: &Delivery, survey: &Survey, verdicts: &[Verdict]) -> Value {
    let swap: Vec<Value> = survey
        .swap
        .entries
        .iter()
        .filter(|entry| entry.changes())
        .map(|entry| json!({ "path": entry.path, "before": content(entry.before.as_ref()), "after": content(entry.after.as_ref()) }))
        .collect();
    let commits: Option<Vec<Value>> = survey.since.as_ref().map(|since| {
        let named = since.commits.iter();
        named.map(|(id, commit)| json!({ "id": id.as_str(), "author": commit.author, "subject": commit.subject() })).collect()
    });
    let rules: Vec<Value> = verdicts
        .iter()
        .map(|verdict| json!({ "rule": verdict.rule, "ruling": ruling(&verdict.ruling), "says": verdict.says, "help": verdict.help }))
        .collect();
    json!({
        "environment": delivery.environment,
        "number": delivery.number,
        "source": delivery.source.as_ref().map(|source| source.commit.as_str()),
        "branch": delivery.source.as_ref().and_then(|source| source.branch.as_deref()),
        "target": delivery.target.as_ref().map(target),
        "already_live": survey.already.is_some(),
        "live": survey.circumstances.live.as_ref().map(|live| json!({ "number": live.number, "source": live.source.as_str() })),
        "commits": commits,
        "migrations": survey.interest.as_ref().map(interest::migrations),
        "requirements": survey.interest.as_ref().map(interest::requirements),
        "uncommitted": survey.circumstances.dirty,
        "swap": swap,
        "locked": hold::json(survey),
        "lasting": lasting::json(plan, delivery),
        "rules": rules,
        "health": delivery.health.as_ref().map(Health::address),
        "on_failure": delivery.on_failure.map(OnFailure::as_str),
        "refusals": survey.swap.refusals.iter().map(|refusal| &refusal.message).collect::<Vec<_>>(),
        "warnings": survey.swap.warnings,
    })
}

fn release(delivery: &Delivery, survey: &Survey, text: &mut String) {
    line(text, &format!("{} as release {}", paint(NAME, &delivery.environment), delivery.number));
    if let Some(source) = &delivery.source {
        let branch = source.branch.as_deref().unwrap_or("no branch");
        line(
            text,
            &format!(
                "  ships    {} ({branch}) {}, by {}",
                source.commit.short(),
                source.subject,
                source.author
            ),
        );
    }
    if let Some(target) = delivery.target.as_ref().map(target) {
        line(text, &format!("  to       {target}"));
    }
    match &survey.circumstances.live {
        Some(live) => line(text, &format!("  over     release {}, {}", live.number, live.source.short())),
        None => line(text, "  over     nothing: this is the first release"),
    }
    if let (Some(number), Some(source)) = (survey.already, &delivery.source) {
        let short = source.commit.short();
        line(
            text,
            &format!(
                "  live     {short} is live already, as release {number}: it is not shipped again without --rebuild"
            ),
        );
    }
    if let Some(then) = delivery.on_failure {
        line(text, &format!("  healthy  else {}", then.as_str()));
    }
    if let Some(since) = &survey.since {
        let more = if since.cut { " or more" } else { "" };
        line(text, &format!("  commits  {}{more}", since.commits.len()));
        for (id, commit) in since.commits.iter().take(COMMITS_NAMED) {
            line(text, &format!("    {} {} ({})", paint(FAINT, id.short()), commit.subject(), commit.author));
        }
        if since.commits.len() > COMMITS_NAMED {
            line(text, &format!("    … and {} more", since.commits.len() - COMMITS_NAMED));
        }
    }
    if !survey.circumstances.dirty.is_empty() {
        line(text, "  not going out, because it is not committed");
        for path in &survey.circumstances.dirty {
            line(text, &format!("    {path}"));
        }
    }
    for warning in &survey.swap.warnings {
        line(text, &format!("  warning  {warning}"));
    }
}

fn swaps(entries: &[Entry], text: &mut String) {
    for entry in entries {
        if !entry.changes() {
            line(text, &format!("  swap     {}: it has that content already", entry.path));
            continue;
        }
        line(text, &format!("  swap     {}", entry.path));
        let (before, after) = (lossy(entry.before.as_ref()), lossy(entry.after.as_ref()));
        let diff = TextDiff::from_lines(&before, &after);
        for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
            for change in hunk.iter_changes() {
                line(text, &format!("    {}{}", change.tag(), change.value().trim_end_matches('\n')));
            }
        }
        if entry.after.is_none() {
            line(text, "    (removed)");
        }
    }
}

fn rules(delivery: &Delivery, survey: &Survey, verdicts: &[Verdict], text: &mut String) {
    for verdict in verdicts {
        line(text, &format!("  rule     {} {}: {}", verdict.rule, ruling(&verdict.ruling), verdict.says));
        if let (Ruling::Refuses, Some(help)) = (&verdict.ruling, &verdict.help) {
            line(text, &format!("           help: {help}"));
        }
    }
    for refusal in &survey.swap.refusals {
        line(text, &format!("  refused  {}", refusal.message));
        if let Some(help) = &refusal.help {
            line(text, &format!("           help: {help}"));
        }
    }
    if let Some((question, typed)) = question(delivery) {
        let how = typed.map_or_else(String::new, |word| format!(" (type {word})"));
        line(text, &format!("  rule     confirm asks: {question}{how}"));
    }
    text.push('\n');
}

fn jobs(plan: &Plan, fresh: &[bool], sources: &[Source], text: &mut String) {
    for id in plan.graph.order() {
        let job = &plan.jobs[id.index()];
        let needs: Vec<&str> =
            plan.graph.needs(*id).iter().map(|need| plan.jobs[need.index()].name.as_str()).collect();
        let after = if needs.is_empty() { String::new() } else { format!(", after {}", needs.join(", ")) };
        line(
            text,
            &format!(
                "{} {}",
                paint(NAME, &job.name),
                paint(FAINT, format!("({}{after})", place(job.body.at, sources)))
            ),
        );
        if fresh.get(id.index()) == Some(&true) {
            line(text, "  nothing to do: nothing has changed since it was last done");
            continue;
        }
        let delivery =
            plan.deliveries.iter().find(|delivery| Some(&delivery.environment) == job.environment.as_ref());
        steps(&job.body.steps, delivery, 1, text);
        for step in job.body.always.iter().rev() {
            line(text, &format!("  always   {}", step.title()));
        }
    }
}

fn steps(list: &[Step<Planned>], delivery: Option<&Delivery>, depth: usize, text: &mut String) {
    for step in list {
        let margin = "  ".repeat(depth);
        line(text, &format!("{margin}{}", step.title().replace('\n', &format!("\n{margin}"))));
        details(step, delivery, &margin, text);
        if let Action::Task(block) = &step.action {
            steps(&block.steps, delivery, depth + 1, text);
        }
        if let Action::Fleet(fleet) = &step.action {
            fleet::text(fleet, delivery, depth + 1, text);
        }
        for undo in &step.undo {
            line(text, &format!("{margin}  undo   {}", undo.title()));
        }
    }
}

/// What a step's name does not say: the lines that a target runs, the address that is checked.
fn details(step: &Step<Planned>, delivery: Option<&Delivery>, margin: &str, text: &mut String) {
    match (&step.action, delivery.and_then(|delivery| delivery.target.as_ref())) {
        (Action::Ship, Some(Target::Server(server))) => {
            for script in &server.build {
                line(text, &format!("{margin}  build  {script}"));
            }
            if let Some(script) = &server.reload {
                line(text, &format!("{margin}  reload {script}"));
            }
        }
        (Action::Backup(backup), _) => {
            let what = match &backup.matter {
                Matter::Dump(script) => format!("dump   {script}"),
                Matter::Files(files) => format!("files  {}", listed(files)),
                Matter::Bucket { bucket, files } => format!("bucket {bucket}: {}", listed(files)),
            };
            line(text, &format!("{margin}  {what}"));
            line(text, &format!("{margin}  store  {}", backup.place));
        }
        (Action::Restore(restore), _) => {
            let from = restore.from.as_deref().unwrap_or("the newest backup");
            line(text, &format!("{margin}  from   {from}, in {}", restore.backup.place));
            if let Some(script) = &restore.backup.restore {
                line(text, &format!("{margin}  by     {script}"));
            }
        }
        (Action::Check(health), _) if step.name.is_some() => {
            line(text, &format!("{margin}  {}", health.address()));
        }
        (Action::Http(http), _) => {
            if step.name.is_some() {
                line(text, &format!("{margin}  {} {}", http.method, http.address()));
            }
            match &http.body {
                Body::None => {}
                Body::Json(json) => {
                    line(text, &format!("{margin}  json   {}", json.written(&ToString::to_string)));
                }
                Body::Text(body) => line(text, &format!("{margin}  body   {body}")),
            }
        }
        (
            Action::Ship
            | Action::Check(_)
            | Action::Run(_)
            | Action::Exec(_)
            | Action::Task(_)
            | Action::Swap(_)
            | Action::PutBack(_)
            | Action::Put(_)
            | Action::Get(_)
            | Action::Fleet(_),
            _,
        ) => {}
    }
}

fn listed(files: &Files<Pattern>) -> String {
    files.patterns.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn target(target: &Target<Planned>) -> String {
    match target {
        Target::Git(git) => {
            format!("{} ({})", without_credentials(&git.remote.to_string()), git.branch)
        }
        Target::Server(server) if server.hosts.is_empty() => server.path.to_string(),
        Target::Server(server) => {
            let hosts: Vec<&str> = server.hosts.iter().map(|there| &*there.host).collect();
            format!("{} on {}", server.path, hosts.join(", "))
        }
        Target::Command(target) => {
            let words: Vec<String> = target.command.iter().map(ToString::to_string).collect();
            format!("the command `{}`", without_credentials(&words.join(" ")))
        }
        Target::Zappa(zappa) => format!("Zappa ({})", zappa.stage),
        Target::PythonAnywhere(app) => {
            format!("PythonAnywhere ({}), by {}:{}", app.domain, app.ssh, app.path)
        }
        Target::Platform(platform) => {
            let PlatformTarget { service, push, .. } = &**platform;
            let by = push.as_ref().map(|push| {
                format!(", by {} ({})", without_credentials(&push.remote.to_string()), push.branch)
            });
            format!("{} ({}){}", service.title(), service.name(), by.unwrap_or_default())
        }
    }
}

fn ruling(ruling: &Ruling) -> &'static str {
    match ruling {
        Ruling::Holds => "holds",
        Ruling::Refuses => "refuses",
        Ruling::Untold => "can't be told",
        Ruling::Open => "is known when run",
        Ruling::Overridden(_) => "is overridden",
    }
}

fn place(span: Span, sources: &[Source]) -> String {
    sources
        .get(span.source as usize)
        .map_or_else(String::new, |source| format!("{}:{}", source.path, source.line(span.start)))
}

fn content(bytes: Option<&Vec<u8>>) -> Option<String> {
    bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

fn lossy(bytes: Option<&Vec<u8>>) -> String {
    content(bytes).unwrap_or_default()
}

fn line(text: &mut String, line: &str) {
    let _written = writeln!(text, "{}", line.trim_end());
}
