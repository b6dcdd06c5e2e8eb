//! DECIDE: a Project, a Request and Facts become a [`Plan`]: everything that will be done, rendered, in its order.
//! Pure: no file, no clock, no process. What a plan turns out to need of the world it asks for by name.

pub(crate) mod expression;
pub(crate) mod graph;
pub(crate) mod guard;
pub(crate) mod render;
pub(crate) mod schedule;
pub(crate) mod scope;
pub(crate) mod select;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use crate::diagnostic::{Diagnostics, Span};
use crate::model::environment::Protect;
use crate::model::name::RunId;
use crate::model::project::Project;
use crate::model::release::{Source, Standing};
use crate::model::step::Planned;
use crate::model::swap::Swap;
use crate::model::target::Target;
use crate::model::task::Block;
use graph::Graph;
use render::Renderer;
use schedule::Demand;
use select::Selection;

/// What the user asked for this time: one environment at most, and tasks in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) environment: Option<String>,
    /// Tasks by name; empty: the environment's deploy.
    pub(crate) tasks: Vec<String>,
    /// What follows `--`.
    pub(crate) args: Vec<String>,
    /// `--set`: these beat every other value.
    pub(crate) set: Vec<(String, String)>,
    pub(crate) dependencies: Dependencies,
}

/// Whether the tasks that a named one needs are run too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Dependencies {
    #[default]
    Run,
    /// `--no-deps`.
    LeaveOut,
}

/// What the world looked like when we planned. What is asked of git is there only once a plan wanted it.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    /// The folder of tasks.toml, absolute.
    pub(crate) root: PathBuf,
    pub(crate) run: RunId,
    /// The caller's environment.
    pub(crate) env: Arc<Vec<(OsString, OsString)>>,
    /// The commit to ship.
    pub(crate) source: Known<Source>,
    /// What each environment's ledger says.
    pub(crate) ledgers: BTreeMap<String, Standing>,
}

/// A fact that is gathered only when it is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Known<T> {
    NotAsked,
    /// It was asked for, and there is none: why, and the mend.
    Absent(String, Option<String>),
    Is(T),
}

/// Something of the world that a plan can't do without.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Want {
    /// The commit to ship.
    Source,
    /// The ledger of an environment.
    Ledger(String),
}

/// Why there is no plan.
#[derive(Debug)]
pub(crate) enum Unplanned {
    /// Something is wrong with the file or the request.
    Wrong(Diagnostics),
    /// These facts are missing: gather them, and plan again.
    Wants(Vec<Want>),
}

/// Everything that a command will do.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) environment: Option<String>,
    pub(crate) jobs: Vec<Job>,
    pub(crate) graph: Graph,
    /// The words of `exclusive`, as the jobs' demands number them.
    pub(crate) demands: Vec<Demand>,
    /// What to ask before anything runs, task by task.
    pub(crate) questions: Vec<String>,
    /// What goes out, one for each environment that the plan deploys to.
    pub(crate) deliveries: Vec<Delivery>,
}

/// One task in one environment, inside a plan; it runs once.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// As output and messages call it.
    pub(crate) name: String,
    pub(crate) environment: Option<String>,
    pub(crate) body: Block,
}

/// A release to be: what an environment's `ship` does, whatever job says it.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) environment: String,
    pub(crate) number: u32,
    /// None where nothing is shipped and there is no commit to speak of.
    pub(crate) source: Option<Source>,
    pub(crate) target: Option<Target<Planned>>,
    pub(crate) swap: Vec<Swap<Planned>>,
    pub(crate) url: Option<String>,
    pub(crate) protect: Protect,
    /// The environment, in the file.
    pub(crate) at: Span,
}

/// Decides what to do.
///
/// # Errors
/// Everything that is wrong with the request and with the texts that it reaches; or what must be known first.
pub(crate) fn plan(project: &Project, request: &Request, facts: &Facts) -> Result<Plan, Unplanned> {
    let selection = Selection::new(project, request).map_err(Unplanned::Wrong)?;
    let mut renderer = Renderer::new(project, request, facts);
    let selection = selection.prune(|node| renderer.is_left_out(node)).map_err(Unplanned::Wrong)?;
    renderer.note_deliveries(&selection.nodes);
    let mut exclusive = Words::default();
    let mut jobs = Vec::with_capacity(selection.nodes.len());
    let mut demands = Vec::with_capacity(selection.nodes.len());
    let mut questions = Vec::new();
    for (node, name) in selection.nodes.iter().zip(selection.labels(project)) {
        let task = node.declared(project);
        let body = renderer.job(*node);
        demands.push(Demand {
            exclusive: task.and_then(|task| task.exclusive.as_deref()).map(|word| exclusive.number(word)),
            interactive: body.interactive,
        });
        questions.extend(renderer.questions(*node));
        let environment = node.environment.map(|index| project.environments[index].name.clone());
        jobs.push(Job { name, environment, body });
    }
    let deliveries = renderer.deliveries();
    renderer.finish()?;
    questions.dedup();
    Ok(Plan {
        environment: request.environment.clone(),
        jobs,
        graph: selection.graph,
        demands,
        questions,
        deliveries,
    })
}

/// Words by number, in the order of their first use.
#[derive(Default)]
struct Words<'a> {
    numbers: BTreeMap<&'a str, u32>,
}

impl<'a> Words<'a> {
    fn number(&mut self, word: &'a str) -> u32 {
        let next = u32::try_from(self.numbers.len()).expect("fewer than 2^32 words");
        *self.numbers.entry(word).or_insert(next)
    }
}

/// Finds the loops among all tasks and environments, whatever is asked for.
///
/// # Errors
/// The first loop of each environment, and of the tasks without one.
pub(crate) fn loops(project: &Project) -> Result<(), Diagnostics> {
    let tasks: Vec<String> = project.tasks.iter().map(|task| task.name.clone()).collect();
    let of = |environment: Option<&str>| Request {
        environment: environment.map(str::to_owned),
        tasks: tasks.clone(),
        ..Request::default()
    };
    if !tasks.is_empty() {
        Selection::new(project, &of(None))?;
    }
    for environment in &project.environments {
        // What deploys there is reached from its own needs as well, so it is asked for as a user would.
        Selection::new(
            project,
            &Request { environment: Some(environment.name.clone()), ..Request::default() },
        )
        .map(drop)
        .or_else(|problems| if environment.target.is_none() { Ok(()) } else { Err(problems) })?;
    }
    Ok(())
}
