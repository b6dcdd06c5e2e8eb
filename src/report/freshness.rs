//! Which jobs of a plan have nothing to do, and what changed for the others: for people and for programs.

use std::collections::HashSet;
use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::words::{FAINT, NAME, minute, paint};
use crate::fresh::Records;
use crate::fresh::change::Change;
use crate::fresh::survey::{Standing, Survey};
use crate::model::name::JobId;
use crate::plan::{Job, Plan};

/// How many changes of a job are told; the rest is a number.
const TOLD: usize = 20;

/// A plan that was looked at.
pub(crate) struct Freshness<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) survey: &'a Survey,
    pub(crate) records: &'a Records,
}

impl Freshness<'_> {
    /// Why the jobs run that were asked for, and behind each those of its needs that run too.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let mut known = HashSet::new();
        // What nothing needs is what was asked for.
        let asked = self.plan.graph.jobs().filter(|job| self.plan.graph.dependents(*job).is_empty());
        let mut next: Vec<JobId> = asked.collect();
        next.reverse();
        while let Some(id) = next.pop() {
            if known.insert(id) {
                self.job(id, &mut text);
                next.extend(self.reasons(id).into_iter().rev());
            }
        }
        text
    }

    /// The same for programs: every job of the plan.
    pub(crate) fn json(&self) -> Value {
        let jobs = self.plan.graph.order().iter().map(|&id| {
            let job = &self.plan.jobs[id.index()];
            let because = match self.survey.of_job(id) {
                Standing::Fresh => Vec::new(),
                Standing::Untracked => vec![json!({ "kind": "untracked" })],
                Standing::Follows(needs) => {
                    needs.iter().map(|need| json!({ "kind": "need", "job": self.name(*need) })).collect()
                }
                Standing::Changed(changes) => changes.iter().map(change).collect(),
            };
            json!({
                "job": job.name,
                "environment": job.environment,
                "fresh": state(job, self.survey.of_job(id)),
                "because": because,
            })
        });
        jobs.collect()
    }

    fn job(&self, id: JobId, text: &mut String) {
        let job = &self.plan.jobs[id.index()];
        let name = paint(NAME, &job.name);
        let standing = self.survey.of_job(id);
        let _written = match state(job, standing) {
            State::KnownWhenRun => {
                writeln!(
                    text,
                    "{name} may run: the command of a variable would tell, and who looks runs none"
                )
            }
            State::Fresh => writeln!(text, "{name} has nothing to do{}", self.last(job)),
            State::Always => match &job.body.skip_if {
                Some(line) => writeln!(text, "{name} runs unless its `skip_if` succeeds: {line}"),
                None => writeln!(text, "{name} always runs: it has no `inputs` and no `outputs`"),
            },
            State::Stale => {
                let unless = job.body.skip_if.as_ref();
                let unless = unless.map(|line| format!(" unless its `skip_if` succeeds: {line}"));
                let last = paint(FAINT, self.last(job));
                writeln!(text, "{name} runs{}{last}", unless.unwrap_or_default())
            }
        };
        match standing {
            Standing::Fresh | Standing::Untracked => {}
            Standing::Follows(needs) => {
                for need in needs {
                    let runs = if self.may_be_skipped(*need) { "may run" } else { "runs" };
                    let _written =
                        writeln!(text, "  {}, which it needs, {runs}", paint(NAME, self.name(*need)));
                }
            }
            Standing::Changed(changes) => {
                for change in changes.iter().take(TOLD) {
                    let _written = writeln!(text, "  {change}");
                }
                if changes.len() > TOLD {
                    let _written = writeln!(text, "  … and {} more", changes.len() - TOLD);
                }
            }
        }
    }

    /// The needs that are the reason why a job runs, or run too where it has changed itself.
    fn reasons(&self, id: JobId) -> Vec<JobId> {
        match self.survey.of_job(id) {
            Standing::Follows(needs) => needs.clone(),
            Standing::Changed(_) => {
                let needs = self.plan.graph.needs(id).iter().copied();
                needs.filter(|need| !matches!(self.survey.of_job(*need), Standing::Fresh)).collect()
            }
            Standing::Fresh | Standing::Untracked => Vec::new(),
        }
    }

    /// Whether only its own command tells if a job has something to do.
    fn may_be_skipped(&self, id: JobId) -> bool {
        self.plan.jobs[id.index()].body.skip_if.is_some()
    }

    fn last(&self, job: &Job) -> String {
        let last = job.body.tracking.as_ref().and_then(|tracking| self.records.last(&tracking.job));
        let last = last.and_then(|(at, run)| Some((Timestamp::from_second(at).ok()?, run)));
        last.map_or_else(String::new, |(at, run)| format!(": it was last done {}, by run {run}", minute(at)))
    }

    fn name(&self, job: JobId) -> &str {
        &self.plan.jobs[job.index()].name
    }
}

/// Whether a job has something to do, as far as a look can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Fresh,
    Stale,
    /// It can't be told: it has no `inputs` and no `outputs`.
    Always,
    KnownWhenRun,
}

/// How a plan stands as a whole: what was asked for, with all that it needs.
pub(crate) fn asked(plan: &Plan, survey: &Survey) -> State {
    let asked = plan.graph.jobs().filter(|job| plan.graph.dependents(*job).is_empty());
    let states: Vec<State> = asked.map(|job| state(&plan.jobs[job.index()], survey.of_job(job))).collect();
    let is_any = |state| states.contains(&state);
    if states.iter().all(|state| *state == State::Always) {
        State::Always
    } else if is_any(State::Stale) || is_any(State::Always) {
        State::Stale
    } else if is_any(State::KnownWhenRun) {
        State::KnownWhenRun
    } else {
        State::Fresh
    }
}

/// Whether a job has something to do.
pub(crate) fn state(job: &Job, standing: &Standing) -> State {
    match standing {
        Standing::Fresh if job.body.tracking.as_ref().is_some_and(|tracking| tracking.is_guessed()) => {
            State::KnownWhenRun
        }
        Standing::Fresh => State::Fresh,
        Standing::Untracked => State::Always,
        Standing::Follows(_) | Standing::Changed(_) => State::Stale,
    }
}

fn change(change: &Change) -> Value {
    let says = change.to_string();
    match change {
        Change::NeverDone => json!({ "kind": "never_done", "says": says }),
        Change::NotFinished => json!({ "kind": "not_finished", "says": says }),
        Change::Need(job) => json!({ "kind": "need", "job": job, "says": says }),
        Change::Said { name, .. } => json!({ "kind": "said", "name": name, "says": says }),
        Change::Input(path, _) => json!({ "kind": "input", "path": path, "says": says }),
        Change::Output(path, _) => json!({ "kind": "output", "path": path, "says": says }),
        Change::Unreadable(_) => json!({ "kind": "unreadable", "says": says }),
    }
}
