//! Whether all of a file can be planned, with nothing of the world looked at.

use super::render::Renderer;
use super::select::{self, Selection};
use super::{Asked, Data, Dependencies, Facts, Quest, Request, Unplanned, plan, web};
use crate::diagnostic::Diagnostics;
use crate::model::project::Project;

/// Plans every task, everywhere, in a good world: finds loops, names without a meaning, values that don't fit. A name
/// that only some environments define is good where one does.
///
/// # Errors
/// What is wrong with each task, once.
pub(crate) fn check(project: &Project, facts: &Facts) -> Result<(), Diagnostics> {
    let places: Vec<Option<&str>> = project
        .environments
        .iter()
        .map(|environment| Some(environment.name.as_str()))
        .chain([None])
        .collect();
    let mut problems = Diagnostics::default();
    let attempt = |environment: Option<&str>, asked: Request| {
        let dependencies = Dependencies::Given;
        let environment = environment.map(str::to_owned);
        let request = Request { environment, dependencies, ..asked };
        match plan(project, &request, facts) {
            Err(Unplanned::Wrong(problems)) => Err(problems),
            Ok(_) | Err(Unplanned::Wants(_)) => Ok(()),
        }
    };
    for environment in project.environments.iter().filter(|environment| select::deploys(project, environment))
    {
        problems.extend(attempt(Some(&environment.name), Request::default()).err());
    }
    let somewhere = |asked: &Request, places: &mut dyn Iterator<Item = Option<&str>>| {
        let mut failed = None;
        for place in places {
            match attempt(place, asked.clone()) {
                Ok(()) => return None,
                Err(problems) => drop(failed.get_or_insert(problems)),
            }
        }
        failed
    };
    for task in &project.tasks {
        let asked = Request { tasks: vec![Asked::plain(task.name.as_str())], ..Request::default() };
        let mut places = places.iter().copied().filter(|place| task.belongs_to(*place));
        problems.extend(somewhere(&asked, &mut places));
    }
    for backup in &project.backups {
        let data = Data { names: vec![backup.name.clone()], quest: Quest::Save };
        let asked = Request { data: Some(data), ..Request::default() };
        let mut places = project.environments.iter().map(|environment| Some(environment.name.as_str()));
        problems.extend(somewhere(&asked, &mut places));
    }
    problems.extend(places.iter().filter_map(|place| ring(project, facts, *place)));
    problems.or(())
}

/// The loop that tasks make only together, by `after`.
fn ring(project: &Project, facts: &Facts, environment: Option<&str>) -> Option<Diagnostics> {
    if !web::Web::new(project).edges.iter().any(|edge| edge.looping) {
        return None;
    }
    let here = project.tasks.iter().filter(|task| task.belongs_to(environment));
    let tasks = here.map(|task| Asked::plain(task.name.as_str())).collect();
    let request = Request { environment: environment.map(str::to_owned), tasks, ..Request::default() };
    match Selection::new(project, &request, &mut Renderer::new(project, &request, facts)) {
        Err(Unplanned::Wrong(problems)) => Some(problems),
        Ok(_) | Err(Unplanned::Wants(_)) => None,
    }
}
