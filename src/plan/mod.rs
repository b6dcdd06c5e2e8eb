//! DECIDE: a Project, a Request and Facts become a [`Plan`]: everything that will be done, rendered, in its order.
//! Pure: no file, no clock, no process. What a plan turns out to need of the world it asks for by name.

mod arguments;
mod call;
pub(crate) mod check;
pub(crate) mod comparison;
mod exclusive;
pub(crate) mod expression;
pub(crate) mod graph;
pub(crate) mod guard;
mod hosts;
mod in_place;
pub(crate) mod lasting;
pub(crate) mod lint;
pub(crate) mod origin;
pub(crate) mod portrait;
pub(crate) mod render;
mod request;
pub(crate) mod schedule;
pub(crate) mod scope;
pub(crate) mod select;
mod tracking;
mod trouble;
mod walk;
pub(crate) mod web;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use crate::diagnostic::{Diagnostics, Span};
use crate::model::backup::Backup;
use crate::model::environment::Protect;
use crate::model::health::{Health, OnFailure};
use crate::model::name::{JobId, RunId};
use crate::model::project::{Output, Project};
use crate::model::release::{Release, Source, Standing};
use crate::model::script::Script;
use crate::model::secret::Keeper;
use crate::model::step::Planned;
use crate::model::swap::Swap;
use crate::model::target::Target;
use crate::model::task::{Block, Presence};
use crate::model::text::Text;
use exclusive::Exclusive;
use graph::Graph;
use render::Renderer;
pub(crate) use request::{Asked, Data, Dependencies, Freshness, Present, Quest, Request, Swapping};
use schedule::Demand;
use scope::EnvFile;
use select::Selection;
use trouble::Trouble;

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
    /// What was known here of it, for those who need not ask the others.
    pub(crate) known: BTreeMap<String, Standing>,
    /// What the commands of variables printed, by the folder (relative to the root) and the words.
    pub(crate) outputs: BTreeMap<(PathBuf, Vec<String>), String>,
    /// What dotenv files say, or why they can't be read, by their paths.
    pub(crate) dotenvs: BTreeMap<PathBuf, Read>,
    /// Whether git knows a commit under these names; if not, why.
    pub(crate) commits: BTreeMap<String, Known<()>>,
    pub(crate) world: World,
}

impl Facts {
    /// What a dotenv file says; nothing of one that need not be there and is not.
    pub(crate) fn dotenv(&self, file: &EnvFile) -> Result<&[(String, String)], Trouble> {
        match (self.dotenvs.get(&file.path), self.world, file.presence) {
            (Some(Read::Is(variables)), _, _) => Ok(variables),
            (Some(Read::Missing), _, Presence::Needed) => Err(Trouble::NoFile(file.path.clone(), file.at)),
            (Some(Read::Missing), _, Presence::Optional) | (None, World::Assumed, _) => Ok(&[]),
            (Some(Read::Wrong(why)), _, _) => {
                Err(Trouble::WrongFile(file.path.clone(), why.clone(), file.at))
            }
            (None, World::Seen | World::Looked, _) => Err(Trouble::Wants(Want::Dotenv(file.path.clone()))),
        }
    }
}

/// Whether the facts are those of the world, or made up to see what a file would come to in a good one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum World {
    Seen,
    /// All but what a command of the user's would print: a plan that is only looked at runs none.
    Looked,
    /// For `deploy check`: what is not set here may be set elsewhere.
    Assumed,
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
    /// What is known of it here.
    Standing(String),
    /// What a program prints in a folder, relative to the root.
    Output(PathBuf, Vec<String>),
    /// What a dotenv file says.
    Dotenv(PathBuf),
    /// Whether git knows a commit under this name.
    Commit(String),
}

/// What came of reading a dotenv file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// Its variables, in the order of the file.
    Is(Vec<(String, String)>),
    Missing,
    /// Why it can't be read.
    Wrong(String),
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
    /// What must be so before the first job starts.
    pub(crate) requirements: Vec<Needed>,
    /// What to ask before anything runs, task by task.
    pub(crate) questions: Vec<String>,
    /// What to ask before data is overwritten, each with the word that must be typed.
    pub(crate) typed: Vec<(String, String)>,
    /// Environments that tasks hold without deploying to them.
    pub(crate) locks: Vec<String>,
    /// The secrets that its jobs see, each with the environment that it is for.
    pub(crate) secrets: Vec<Hidden>,
    /// What goes out, one for each environment that the plan deploys to.
    pub(crate) deliveries: Vec<Delivery>,
}

impl Plan {
    /// A plan of nothing: what settling alone needs.
    pub(crate) fn empty() -> Plan {
        Plan {
            environment: None,
            jobs: Vec::new(),
            graph: Graph::new(&[], &[]).expect("nothing has no loop"),
            demands: Vec::new(),
            requirements: Vec::new(),
            questions: Vec::new(),
            typed: Vec::new(),
            locks: Vec::new(),
            secrets: Vec::new(),
            deliveries: Vec::new(),
        }
    }
}

impl Plan {
    /// What its steps save.
    pub(crate) fn backups(&self) -> Vec<&Backup> {
        let steps = self.jobs.iter().map(|job| job.body.steps.as_slice());
        steps.flat_map(render::data::saved).collect()
    }

    /// The secrets that open its targets.
    pub(crate) fn logins(&self) -> Vec<Hidden> {
        let tokens = self.deliveries.iter().filter_map(|delivery| match &delivery.target {
            Some(target) => {
                let login = target.branch()?.login.as_ref()?;
                Some((delivery.environment.as_str(), &login.token))
            }
            None => None,
        });
        let tokens: Vec<(&str, &Text)> = tokens.collect();
        let opens = |hidden: &&Hidden| {
            tokens.iter().any(|(environment, token)| {
                hidden.environment.as_deref() == Some(environment)
                    && token.secrets().any(|name| name == hidden.name)
            })
        };
        self.secrets.iter().filter(opens).cloned().collect()
    }
}

/// A secret that a plan needs: where it is kept, not what it is.
#[derive(Clone, Debug)]
pub(crate) struct Hidden {
    pub(crate) name: String,
    pub(crate) environment: Option<String>,
    pub(crate) keeper: Keeper<Planned>,
    /// The folder that its paths are relative to, itself relative to the root.
    pub(crate) folder: PathBuf,
    /// Where it is declared.
    pub(crate) at: Span,
}

/// A requirement, rendered, with the job that has it.
#[derive(Clone, Debug)]
pub(crate) struct Needed {
    pub(crate) job: JobId,
    pub(crate) check: Check,
    pub(crate) message: Option<String>,
}

/// How a requirement is checked.
#[derive(Clone, Debug)]
pub(crate) enum Check {
    Program(String),
    Line(Script<Text>),
}

/// One task in one environment, inside a plan; it runs once.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// As output and messages call it.
    pub(crate) name: String,
    pub(crate) environment: Option<String>,
    /// How its output is shown, where its task says so.
    pub(crate) output: Option<Output>,
    pub(crate) body: Block,
}

/// A release to be: what an environment's `ship` does, whatever job says it.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) environment: String,
    pub(crate) number: u32,
    /// The release that comes back; `source` is what it was made from.
    pub(crate) back: Option<Release>,
    /// None where nothing is shipped and there is no commit to speak of.
    pub(crate) source: Option<Source>,
    pub(crate) target: Option<Target<Planned>>,
    pub(crate) swap: Vec<Swap<Planned>>,
    pub(crate) protect: Protect,
    /// When the release is healthy, as the `health` step of the plan asks it.
    pub(crate) health: Option<Health<Planned>>,
    /// What becomes of it when it is not. None where the file doesn't say: it is rolled back where the target can.
    pub(crate) on_failure: Option<OnFailure>,
    /// What is saved before it: names.
    pub(crate) saves: Vec<String>,
    /// What must have been saved where nothing is saved before it: names.
    pub(crate) guarded: Vec<String>,
    /// The lines of the rule `checks`, each a step.
    pub(crate) checks: Block,
}

/// Decides what to do.
///
/// # Errors
/// Everything that is wrong with the request and with the texts that it reaches; or what must be known first.
pub(crate) fn plan(project: &Project, request: &Request, facts: &Facts) -> Result<Plan, Unplanned> {
    let mut renderer = Renderer::new(project, request, facts);
    let selection = Selection::new(project, request, &mut renderer)?;
    let selection = selection.prune(|node| renderer.is_left_out(node)).map_err(Unplanned::Wrong)?;
    renderer.note_deliveries(&selection.nodes);
    let mut exclusive = Exclusive::default();
    let mut jobs = Vec::with_capacity(selection.nodes.len());
    let mut demands: Vec<Demand> = Vec::with_capacity(selection.nodes.len());
    let mut words = Vec::with_capacity(selection.nodes.len());
    let (mut questions, mut typed) = (Vec::new(), Vec::new());
    let mut requirements = Vec::new();
    let mut locks = BTreeSet::new();
    for (node, name) in selection.nodes.iter().zip(selection.labels(project, &renderer)) {
        let task = node.declared(project);
        let body = renderer.job(*node);
        words.push(exclusive.join(renderer.exclusive(*node)));
        demands.push(Demand { exclusive: None, interactive: body.interactive });
        questions.extend(renderer.questions(*node));
        typed.extend(renderer.overwritten(*node, &body));
        locks.extend(renderer.locks(*node));
        if render::data::is_in(&body.steps) {
            locks.extend(node.environment.map(|index| project.environments[index].name.clone()));
        }
        requirements.extend(renderer.requirements(*node, JobId::new(jobs.len())));
        let environment = node.environment.map(|index| project.environments[index].name.clone());
        let output = task.and_then(|task| task.output);
        jobs.push(Job { name, environment, output, body });
    }
    if jobs.iter().any(|job| render::data::brings_back(&job.body.steps)) {
        // What is to come back may be the oldest.
        for job in &mut jobs {
            render::data::keep_all(&mut job.body.steps);
        }
    }
    let numbers = exclusive.numbers();
    for (demand, word) in demands.iter_mut().zip(words) {
        demand.exclusive = word.map(|word| numbers[word]);
    }
    let deliveries = renderer.deliveries();
    let is_delivered =
        |environment: &String| deliveries.iter().any(|delivery| delivery.environment == *environment);
    let secrets = renderer.secrets();
    renderer.finish()?;
    questions.dedup();
    Ok(Plan {
        environment: request.environment.clone(),
        jobs,
        graph: selection.graph,
        demands,
        requirements,
        questions,
        typed,
        locks: locks.into_iter().filter(|environment| !is_delivered(environment)).collect(),
        secrets,
        deliveries,
    })
}

/// Where secrets are kept, each as seen in an environment: for what is done without a plan. Those that the project
/// does not know are left out.
///
/// # Errors
/// As [`plan`].
pub(crate) fn hidden(
    project: &Project,
    names: BTreeSet<(Option<String>, String)>,
    facts: &Facts,
) -> Result<Vec<Hidden>, Unplanned> {
    let request = Request::default();
    let mut renderer = Renderer::new(project, &request, facts);
    let hidden = renderer.kept(names);
    renderer.finish()?;
    Ok(hidden)
}
