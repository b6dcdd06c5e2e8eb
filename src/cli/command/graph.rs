//! `deploy graph …`: what needs what, as the file says it. It reads the file, and nothing else; a loop is shown.

use std::process::ExitCode;

use super::super::args::{Common, GraphFormat};
use super::super::error::Error;
use super::super::print;
use super::super::session::Session;
use crate::diagnostic::Diagnostics;
use crate::model::project::{Named, Project};
use crate::plan::select;
use crate::plan::web::{Tie, Web};
use crate::report::graph;

pub(crate) fn graph(
    session: &Session,
    common: &Common,
    names: &[String],
    format: GraphFormat,
) -> Result<ExitCode, Error> {
    let project = &session.project;
    let names: Vec<&str> = common.environment.iter().chain(names).map(String::as_str).collect();
    let named =
        meanings(project, &names).map_err(|problems| Error::diagnostics(problems, &session.sources))?;
    let mut web = Web::new(project);
    if !named.is_empty() {
        let roots = roots(project, &web, &named);
        web = web.part(&roots);
    }
    let title = title(session, &names);
    Ok(print(&match format {
        GraphFormat::Tree => graph::tree(&web),
        GraphFormat::Dot => graph::dot(&web, &title),
        GraphFormat::Mermaid => graph::mermaid(&web),
        GraphFormat::Svg => graph::svg(&web, &title),
    }))
}

fn meanings(project: &Project, names: &[&str]) -> Result<Vec<Named>, Diagnostics> {
    let mut problems = Diagnostics::default();
    let mut named = Vec::new();
    for name in names {
        match project.names.get(*name) {
            Some(meaning) => named.push(*meaning),
            None => problems.push(select::unknown(project, "task or environment", name)),
        }
    }
    problems.or(named)
}

/// What a run of these words would do: an environment alone is deployed to; with tasks behind it, it is where they run.
fn roots(project: &Project, web: &Web, named: &[Named]) -> Vec<usize> {
    let mut roots = Vec::new();
    let mut place = None;
    for (index, meaning) in named.iter().enumerate() {
        match meaning {
            Named::Environment(environment) => {
                place = Some(*environment);
                if !matches!(named.get(index + 1), Some(Named::Task(_))) {
                    roots.push(*environment);
                }
            }
            Named::Task(task) => {
                let task = project.environments.len() + task;
                let deploys = place.filter(|environment| {
                    let mut edges = web.edges_of(*environment).iter();
                    edges.any(|edge| edge.tie == Tie::Deploys && edge.to == task)
                });
                roots.push(deploys.unwrap_or(task));
            }
        }
    }
    roots
}

/// What the graph is of: the project, and what was asked for.
fn title(session: &Session, names: &[&str]) -> String {
    let folder = || session.root.file_name().map(|name| name.to_string_lossy().into_owned());
    let project = session.project.name.clone().or_else(folder).unwrap_or_default();
    [&[project.as_str()], names].concat().join(" ")
}
