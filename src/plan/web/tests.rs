//! The oracle of what is marked is the planner: a web has a marked edge if, and only if, a plan of it is refused.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use proptest::prelude::*;

use super::super::render::Renderer;
use super::super::select::Selection;
use super::super::{Asked, Facts, Known, Request, World};
use super::Web;
use crate::config;
use crate::diagnostic::Source;
use crate::model::name::RunId;
use crate::model::project::Project;

/// A project of this many tasks and environments, with any ties.
const TASKS: usize = 5;
const ENVIRONMENTS: usize = 2;

/// What one node says about a task, by numbers.
#[derive(Clone, Copy, Debug)]
enum Said {
    Needs { task: usize, place: Option<usize> },
    Calls(usize),
    After(usize),
}

fn any_said() -> impl Strategy<Value = Said> {
    prop_oneof![
        3 => (0..TASKS, prop::option::weighted(0.4, 0..ENVIRONMENTS))
            .prop_map(|(task, place)| Said::Needs { task, place }),
        1 => (0..TASKS).prop_map(Said::Calls),
        1 => (0..TASKS).prop_map(Said::After),
    ]
}

/// Few ties, or nearly every web would have a loop.
fn any_web() -> impl Strategy<Value = Vec<(usize, Said)>> {
    prop::collection::vec((0..TASKS + ENVIRONMENTS, any_said()), 0..9)
}

fn project(said: &[(usize, Said)]) -> Project {
    let mut text = String::new();
    for node in 0..TASKS + ENVIRONMENTS {
        let own = || said.iter().filter(move |(by, _)| *by == node).map(|(_, said)| *said);
        let needs = own().filter_map(|said| match said {
            Said::Needs { task, place: Some(place) } => {
                Some(format!("{{ task = 't{task}', environment = 'e{place}' }}"))
            }
            Said::Needs { task, place: None } => Some(format!("'t{task}'")),
            Said::Calls(_) | Said::After(_) => None,
        });
        let needs = needs.collect::<Vec<_>>().join(", ");
        let calls = own().filter_map(|said| match said {
            Said::Calls(task) => Some(format!(", {{ task = 't{task}' }}")),
            Said::Needs { .. } | Said::After(_) => None,
        });
        let after = own().filter_map(|said| match said {
            Said::After(task) => Some(format!("'t{task}'")),
            Said::Needs { .. } | Said::Calls(_) => None,
        });
        if let Some(environment) = node.checked_sub(TASKS) {
            let target = format!("target = {{ git = 'x' }}\ndeploy = 't{environment}'");
            let _written = writeln!(text, "[environments.e{environment}]\n{target}\nneeds = [{needs}]");
        } else {
            let (calls, after) = (calls.collect::<String>(), after.collect::<Vec<_>>().join(", "));
            let _written = writeln!(
                text,
                "[tasks.t{node}]\nneeds = [{needs}]\nafter = [{after}]\nsteps = ['true'{calls}]"
            );
        }
    }
    config::parse(&Source::new("tasks.toml", text)).expect("a file that means something")
}

/// Whether all tasks can be run together, everywhere, and everything be deployed.
fn is_planned(project: &Project) -> bool {
    let places = project.environments.iter().map(|environment| Some(environment.name.clone())).chain([None]);
    let all: Vec<Asked> = project.tasks.iter().map(|task| Asked::plain(task.name.as_str())).collect();
    let facts = facts();
    let together =
        places.map(|environment| Request { environment, tasks: all.clone(), ..Request::default() });
    together.into_iter().all(|request| {
        Selection::new(project, &request, &mut Renderer::new(project, &request, &facts)).is_ok()
    })
}

/// No text of these files asks for anything.
fn facts() -> Facts {
    Facts {
        known: BTreeMap::new(),
        root: PathBuf::from("/shop"),
        run: RunId("run".to_owned()),
        env: Arc::default(),
        source: Known::NotAsked,
        ledgers: BTreeMap::new(),
        outputs: BTreeMap::new(),
        dotenvs: BTreeMap::new(),
        commits: BTreeMap::new(),
        world: World::Assumed,
    }
}

proptest! {
    #[test]
    fn an_edge_is_marked_where_a_plan_is_refused(said in any_web()) {
        let project = project(&said);
        let web = Web::new(&project);
        prop_assert_eq!(web.edges.iter().any(|edge| edge.looping), !is_planned(&project), "{:?}", web.edges);
    }

    #[test]
    fn without_its_marked_edges_a_web_has_no_loop(said in any_web()) {
        let web = Web::new(&project(&said));
        let mut again = web.clone();
        again.edges.retain(|edge| !edge.looping);
        super::loops::mark(&mut again);
        prop_assert!(again.edges.iter().all(|edge| !edge.looping), "{:?}", again.edges);
    }
}
