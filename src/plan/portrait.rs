//! What an environment is, with its values, for commands that look at it and deploy nothing there.

use super::render::Renderer;
use super::{Facts, Request, Unplanned, select};
use crate::model::health::Health;
use crate::model::project::{Named, Project};
use crate::model::step::Planned;

/// An environment's health check.
#[derive(Clone, Debug)]
pub(crate) struct Pulse {
    pub(crate) health: Health<Planned>,
    /// Whether a part of it is known only when something is run.
    pub(crate) guessed: bool,
}

/// The health check of the request's environment; none if it has none.
///
/// # Errors
/// As those of a plan.
pub(crate) fn pulse(project: &Project, request: &Request, facts: &Facts) -> Result<Option<Pulse>, Unplanned> {
    let index = environment(project, request)?;
    let Some(written) = &project.environments[index].health else { return Ok(None) };
    let mut renderer = Renderer::new(project, request, facts);
    let scope = renderer.scope(Some(index), None, 0);
    scope.guessed.set(false);
    let health = renderer.health(&scope, written);
    let guessed = scope.guessed.get();
    renderer.finish()?;
    Ok(Some(Pulse { health, guessed }))
}

fn environment(project: &Project, request: &Request) -> Result<usize, Unplanned> {
    let name = request.environment.as_deref().unwrap_or_default();
    match project.names.get(name) {
        Some(Named::Environment(index)) => Ok(*index),
        Some(Named::Task(_)) | None => {
            Err(Unplanned::Wrong(select::unknown(project, "environment", name).into()))
        }
    }
}
