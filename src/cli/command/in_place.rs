//! What `--in-place` wants before it touches the working tree: a branch to commit on, and files that nobody is editing.

use super::super::args::Common;
use super::super::error::{Error, Kind};
use crate::facts::{LookError, Site, Survey};
use crate::model::target::Target;
use crate::plan::Plan;

/// Refuses what could not be taken back by a commit.
pub(super) fn check<'a>(
    site: &Site,
    common: &Common,
    plan: &Plan,
    surveys: impl Iterator<Item = &'a Survey>,
) -> Result<(), Error> {
    let refused = |message: String, help: &str| Err(Error::new(Kind::Refused, message).help(help));
    let repository = site.repository()?;
    for (delivery, survey) in plan.deliveries.iter().zip(surveys) {
        let environment = &delivery.environment;
        if !matches!(delivery.target, Some(Target::Git(_))) {
            return refused(
                format!("--in-place pushes the branch itself, and {environment} has no git target"),
                "deploy without --in-place",
            );
        }
        let on_branch = delivery.source.as_ref().is_some_and(|source| source.branch.is_some());
        if !on_branch || common.reference.is_some() || !repository.prefix()?.is_empty() {
            return refused(
                "--in-place commits on the branch that is checked out, at the top of a repository".to_owned(),
                "git switch BRANCH, without --ref; or deploy without --in-place",
            );
        }
        let head = repository.source("HEAD").map_err(LookError::from)?;
        if let Some(source) = delivery.source.as_ref().filter(|source| source.tree != head.tree) {
            return refused(
                format!("the branch has gone on: its files are no longer those of {}", source.commit.short()),
                "deploy again, to ship what is there now",
            );
        }
        for entry in &survey.swap.entries {
            let path = &entry.path;
            if entry.before.is_none() {
                return refused(
                    format!("`{path}` is not committed, and --in-place changes committed files alone"),
                    "git add and git commit it",
                );
            }
            if survey.circumstances.dirty.contains(path) {
                return refused(
                    format!("`{path}` has changes that are not committed"),
                    "commit or stash them",
                );
            }
        }
    }
    Ok(())
}
