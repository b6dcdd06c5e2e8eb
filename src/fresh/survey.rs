//! A whole plan at once, before any of it is run: which jobs have nothing to do for certain, and which tracked jobs each
//! one needs.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::thread;

use super::change::Change;
use super::{Finding, Records, Unreadable};
use crate::model::name::JobId;
use crate::model::tree::Tree;
use crate::plan::Plan;

/// How many jobs are worth a thread of their own to look at them.
const SHARE: usize = 256;

/// What is known of each job of a plan before it is run.
pub(crate) struct Survey {
    standings: Vec<Standing>,
}

/// How a job stands.
#[derive(Debug)]
pub(crate) enum Standing {
    /// There is nothing to do.
    Fresh,
    /// Nothing of its own keeps it from being fresh, but these of its needs do.
    Follows(Vec<JobId>),
    /// It has changed.
    Changed(Vec<Change>),
    /// It has no `inputs` and no `outputs`: it is always run.
    Untracked,
}

/// Whether a plan has a job that can be fresh.
pub(crate) fn is_worthwhile(plan: &Plan) -> bool {
    plan.jobs.iter().any(|job| job.body.is_tracked())
}

impl Survey {
    /// Looks at every job. What was found beside is for who may write.
    pub(crate) fn of(plan: &Plan, records: &Records) -> (Survey, Vec<Finding>) {
        let mut looked = looks(plan, records);
        let mut standings: Vec<Standing> = plan.jobs.iter().map(|_| Standing::Untracked).collect();
        let mut findings = Vec::new();
        for &id in plan.graph.order() {
            let job = &plan.jobs[id.index()];
            let needs = plan.graph.needs(id).iter().copied();
            let open: Vec<JobId> =
                needs.filter(|need| !matches!(standings[need.index()], Standing::Fresh)).collect();
            let changes = match looked[id.index()].take() {
                Some(Ok(mut finding)) => {
                    let changes = std::mem::take(&mut finding.changes);
                    finding.inputs = Tree::default();
                    findings.push(finding);
                    Some(changes)
                }
                Some(Err(unreadable)) => Some(vec![Change::Unreadable(unreadable.to_string())]),
                // What only gathers others is as fresh as they are.
                None if job.body.is_empty() && !plan.graph.needs(id).is_empty() => Some(Vec::new()),
                None => None,
            };
            standings[id.index()] = match changes {
                Some(changes) if !changes.is_empty() => Standing::Changed(changes),
                Some(_) if !open.is_empty() => Standing::Follows(open),
                Some(_) => Standing::Fresh,
                None => Standing::Untracked,
            };
        }
        (Survey { standings }, findings)
    }

    /// How a job stands.
    pub(crate) fn of_job(&self, job: JobId) -> &Standing {
        &self.standings[job.index()]
    }

    /// The jobs that have nothing to do.
    pub(crate) fn fresh(&self) -> Vec<bool> {
        self.standings.iter().map(|standing| matches!(standing, Standing::Fresh)).collect()
    }
}

/// The tracked jobs that each job needs, those behind untracked ones too.
pub(crate) fn tracked_needs(plan: &Plan) -> Vec<Vec<String>> {
    let mut all: Vec<BTreeSet<JobId>> = plan.jobs.iter().map(|_| BTreeSet::new()).collect();
    for &id in plan.graph.order() {
        let mut nearest = BTreeSet::new();
        for &need in plan.graph.needs(id) {
            if plan.jobs[need.index()].body.tracking.is_some() {
                nearest.insert(need);
            } else {
                nearest.extend(all[need.index()].iter().copied());
            }
        }
        all[id.index()] = nearest;
    }
    let name = |id: JobId| plan.jobs[id.index()].body.tracking.as_ref().map(|tracking| tracking.job.clone());
    all.into_iter().map(|needs| needs.into_iter().filter_map(name).collect()).collect()
}

/// A look at each tracked job, on all processors where they are many. Nothing is run meanwhile, so nothing moves.
fn looks(plan: &Plan, records: &Records) -> Vec<Option<Result<Finding, Unreadable>>> {
    let look = |job: &crate::plan::Job| Some(records.find(job.body.tracking.as_deref()?));
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get).min(plan.jobs.len() / SHARE);
    if threads < 2 {
        return plan.jobs.iter().map(look).collect();
    }
    thread::scope(|scope| {
        let parts = plan.jobs.chunks(plan.jobs.len().div_ceil(threads));
        let workers: Vec<_> =
            parts.map(|jobs| scope.spawn(move || jobs.iter().map(look).collect::<Vec<_>>())).collect();
        let joined = workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        joined.collect()
    })
}
