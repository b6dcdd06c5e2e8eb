//! What stays done if a run fails after it, or if its release is rolled back: what has no way back. Nothing is kept from
//! being done by it; a plan shows it.

use super::{Delivery, Plan};
use crate::model::step::{Action, Planned, Step};
use crate::model::target::Target;

/// Something that can't be taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lasting<'a> {
    /// What the target gets: its `command` has no `rollback`.
    Release,
    /// A step behind the release that has no `undo`: the job's name, and the step's.
    Step { job: &'a str, step: String },
}

/// What of a delivery stays, in the order in which it is done.
pub(crate) fn lasting<'a>(plan: &'a Plan, delivery: &Delivery) -> Vec<Lasting<'a>> {
    let release = match &delivery.target {
        Some(Target::Command(target)) if target.rollback.is_empty() => Some(Lasting::Release),
        Some(
            Target::Command(_)
            | Target::Git(_)
            | Target::Server(_)
            | Target::Platform(_)
            | Target::Zappa(_)
            | Target::PythonAnywhere(_),
        )
        | None => None,
    };
    let jobs = plan.graph.order().iter().map(|id| &plan.jobs[id.index()]);
    let there = jobs.filter(|job| job.environment.as_ref() == Some(&delivery.environment));
    let steps = there.flat_map(|job| {
        let mut found = Vec::new();
        behind(&job.body.steps, &mut Shipped::No, &mut found);
        found.into_iter().map(|step| Lasting::Step { job: &job.name, step })
    });
    release.into_iter().chain(steps).collect()
}

/// Whether the steps before have shipped.
enum Shipped {
    Yes,
    No,
}

/// Collects what acts behind the release: what looks, or is put back by itself, leaves nothing.
fn behind(steps: &[Step<Planned>], shipped: &mut Shipped, found: &mut Vec<String>) {
    for step in steps {
        match (&step.action, &shipped) {
            (Action::Ship, _) => *shipped = Shipped::Yes,
            (Action::Task(block), _) if step.undo.is_empty() => behind(&block.steps, shipped, found),
            (Action::Fleet(fleet), _) if step.undo.is_empty() => {
                // What is done on one host is done on all.
                let first = fleet.members.first().map(|member| std::slice::from_ref(&member.step));
                behind(first.unwrap_or_default(), shipped, found);
            }
            (Action::Run(_) | Action::Exec(_) | Action::Http(_) | Action::Put(_), Shipped::Yes)
                if step.undo.is_empty() =>
            {
                found.push(step.title());
            }
            (
                Action::Task(_)
                | Action::Run(_)
                | Action::Exec(_)
                | Action::Http(_)
                | Action::Put(_)
                | Action::Get(_)
                | Action::Backup(_)
                | Action::Restore(_)
                | Action::Swap(_)
                | Action::Check(_)
                | Action::PutBack(_)
                | Action::Fleet(_),
                Shipped::Yes | Shipped::No,
            ) => {}
        }
    }
}
