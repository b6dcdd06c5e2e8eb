//! Steps: the single actions of a task. Declared once for both of their forms, as written (with templates) and as
//! planned (with text), so that a step that was not rendered can't be performed.

use std::convert::Infallible;
use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::backup::{Backup, Restore};
use super::health::Health;
use super::host::{Fleet, Member, Place, There};
use super::http::Http;
use super::script::Script;
use super::swap::Swap;
use super::task::{Block, Call};
use super::template::{Expression, Template};
use super::text::Text;
use crate::diagnostic::Span;

/// One of the two forms of everything that holds text.
pub(crate) trait Form: Clone + Debug {
    type Text: Clone + Debug;
    /// What stands in a `task = …` step: a name as written, that task's own steps as planned.
    type Task: Clone + Debug;
    /// An `if`: decided when planning, so nothing of it is left in a plan.
    type Condition: Clone + Debug;
    /// A step that no file says: how deploy takes back what it did itself.
    type PutBack: Clone + Debug;
    /// Where it is done: as the file says it, or one host.
    type Place: Clone + Debug;
    /// The same step for several hosts.
    type Fleet: Clone + Debug;
    /// The machines of a server target, but this one: a name as written, hosts as planned.
    type Machines: Clone + Debug;
    /// What is saved: by its name, or whole.
    type Backup: Clone + Debug;
    /// What comes back.
    type Restore: Clone + Debug;
}

/// As tasks.toml says it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Written;

/// As a plan will do it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Planned;

impl Form for Written {
    type Text = Template;
    type Task = Call;
    type Condition = Option<Expression>;
    type PutBack = Infallible;
    type Place = Place;
    type Fleet = Infallible;
    type Machines = Option<(String, Span)>;
    type Backup = (String, Span);
    type Restore = (String, Span);
}

impl Form for Planned {
    type Text = Text;
    type Task = Box<Block>;
    type Condition = ();
    type PutBack = PutBack;
    type Place = Option<Box<There>>;
    type Fleet = Box<Fleet>;
    type Machines = Vec<There>;
    type Backup = Box<Backup>;
    type Restore = Box<Restore>;
}

/// One action, and how it is to be done.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(
    serialize = "F::Text: Serialize, F::Task: Serialize, F::Condition: Serialize, F::PutBack: Serialize, \
                 F::Place: Serialize, F::Fleet: Serialize, F::Backup: Serialize, F::Restore: Serialize",
    deserialize = "F::Text: Deserialize<'de>, F::Task: Deserialize<'de>, F::Condition: Deserialize<'de>, \
                   F::PutBack: Deserialize<'de>, F::Place: Deserialize<'de>, F::Fleet: Deserialize<'de>, F::Backup: Deserialize<'de>, \
                   F::Restore: Deserialize<'de>"
))]
pub(crate) struct Step<F: Form> {
    pub(crate) name: Option<String>,
    pub(crate) action: Action<F>,
    pub(crate) condition: F::Condition,
    /// Relative to the folder of tasks.toml, as the task's own.
    pub(crate) dir: Option<F::Text>,
    pub(crate) place: F::Place,
    pub(crate) env: Vec<(String, F::Text)>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) retry: Option<Box<Retry>>,
    pub(crate) allow_failure: bool,
    /// Owed from just before the step acts until the run has succeeded, in this order.
    pub(crate) undo: Vec<Step<F>>,
    pub(crate) at: Span,
}

/// What a step does.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[serde(bound(
    serialize = "F::Text: Serialize, F::Task: Serialize, F::Condition: Serialize, F::PutBack: Serialize, \
                 F::Place: Serialize, F::Fleet: Serialize, F::Backup: Serialize, F::Restore: Serialize",
    deserialize = "F::Text: Deserialize<'de>, F::Task: Deserialize<'de>, F::Condition: Deserialize<'de>, \
                   F::PutBack: Deserialize<'de>, F::Place: Deserialize<'de>, F::Fleet: Deserialize<'de>, F::Backup: Deserialize<'de>, \
                   F::Restore: Deserialize<'de>"
))]
pub(crate) enum Action<F: Form> {
    /// A line, or a script, of the task's shell.
    Run(Script<F::Text>),
    /// A program without a shell: its name and its arguments.
    Exec(Vec<F::Text>),
    /// Another task, here and as part of this one.
    Task(F::Task),
    /// Other content for files of the working tree until the task ends.
    Swap(Vec<Swap<F>>),
    /// The environment's release.
    Ship,
    /// Waits until an address is healthy.
    Check(Box<Health<F>>),
    /// One request.
    Http(Box<Http<F>>),
    /// Files from here to a host.
    Put(Box<Transfer<F>>),
    /// Files from a host.
    Get(Box<Transfer<F>>),
    /// What is saved of the environment.
    Backup(F::Backup),
    /// What was saved comes back.
    Restore(F::Restore),
    /// A swapped file gets its own content back.
    PutBack(F::PutBack),
    /// The same for several hosts.
    Fleet(F::Fleet),
}

/// Files that go from one machine to another, with their modes and times.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "F::Text: Serialize", deserialize = "F::Text: Deserialize<'de>"))]
pub(crate) struct Transfer<F: Form> {
    /// A file, or a folder with all that is in it.
    pub(crate) from: F::Text,
    pub(crate) to: F::Text,
    /// The mode that a file gets, as `chmod` takes it.
    pub(crate) mode: Option<u32>,
    pub(crate) at: Span,
}

/// A file that was swapped in the working tree, with copies of what it held and of what it was given.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PutBack {
    /// Relative to the folder of tasks.toml.
    pub(crate) path: String,
    pub(crate) before: Kept,
    pub(crate) after: Kept,
}

/// What a file holds at one time.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kept {
    /// There is no file.
    Nothing,
    /// The bytes are kept in this file; the mode is that of `chmod`.
    Bytes { at: PathBuf, mode: u32 },
}

/// How often a step is tried, and when again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Retry {
    /// How often in all, the first time included.
    pub(crate) times: u32,
    /// The pause before the second try.
    pub(crate) wait: Duration,
    /// What each further pause is multiplied by.
    pub(crate) factor: f64,
    /// Whether a pause is cut at random to between its half and its whole, so that many retries don't meet.
    pub(crate) jitter: bool,
    /// The exit codes that are tried again; empty: every failure.
    pub(crate) on_exit: Vec<i32>,
}

impl Default for Retry {
    fn default() -> Retry {
        Retry { times: 3, wait: Duration::from_secs(1), factor: 2.0, jitter: false, on_exit: Vec::new() }
    }
}

impl Step<Written> {
    /// The task that it calls, if it calls one.
    pub(crate) fn calls(&self) -> Option<&str> {
        match &self.action {
            Action::Task(call) => Some(&call.task),
            Action::Run(_)
            | Action::Exec(_)
            | Action::Swap(_)
            | Action::Ship
            | Action::Check(_)
            | Action::Http(_)
            | Action::Put(_)
            | Action::Get(_)
            | Action::Backup(_)
            | Action::Restore(_) => None,
            Action::PutBack(never) | Action::Fleet(never) => match *never {},
        }
    }
}

impl Step<Planned> {
    /// An action and nothing else.
    pub(crate) fn bare(action: Action<Planned>, at: Span) -> Step<Planned> {
        Step {
            name: None,
            action,
            condition: (),
            dir: None,
            place: None,
            env: Vec::new(),
            timeout: None,
            retry: None,
            allow_failure: false,
            undo: Vec::new(),
            at,
        }
    }

    /// The names of the secrets that it needs, those of its undo and of a task that it calls too.
    pub(crate) fn secrets(&self) -> Vec<&str> {
        let own: Vec<&Text> = match &self.action {
            Action::Run(script) => script.values().collect(),
            Action::Exec(words) => words.iter().collect(),
            Action::Check(health) => health.texts(),
            Action::Http(http) => http.texts(),
            // Who lists processes sees paths: planning refuses secrets in them.
            Action::Put(_) | Action::Get(_) => Vec::new(),
            Action::Backup(backup) => backup.texts(),
            Action::Restore(restore) => restore.backup.texts(),
            // Files that many can read hold none: planning refuses that.
            Action::Task(_) | Action::Swap(_) | Action::Ship | Action::PutBack(_) | Action::Fleet(_) => {
                Vec::new()
            }
        };
        let called = match &self.action {
            Action::Task(block) => block.secrets(),
            Action::Fleet(fleet) => fleet.members.iter().flat_map(|member| member.step.secrets()).collect(),
            Action::Run(_)
            | Action::Exec(_)
            | Action::Check(_)
            | Action::Http(_)
            | Action::Put(_)
            | Action::Get(_)
            | Action::Backup(_)
            | Action::Restore(_)
            | Action::Swap(_)
            | Action::Ship
            | Action::PutBack(_) => Vec::new(),
        };
        let env = self.env.iter().map(|(_, value)| value);
        let place = self.place.iter().flat_map(|there| there.texts());
        let texts = own.into_iter().chain(env).chain(&self.dir).chain(place).flat_map(Text::secrets);
        texts.chain(called).chain(self.undo.iter().flat_map(Step::secrets)).collect()
    }

    /// The host that it is done on, if it is done on one.
    pub(crate) fn host(&self) -> Option<&Arc<str>> {
        self.place.as_ref().map(|there| &there.host)
    }

    /// What messages call it: its name, or what it does; and where, if not here.
    pub(crate) fn title(&self) -> String {
        let what = self.name.clone().unwrap_or_else(|| self.deed());
        match (&self.action, self.host()) {
            (Action::Fleet(fleet), _) => format!("{what} on {}", fleet.name),
            (_, Some(host)) => format!("{what} on {host}"),
            (_, None) => what,
        }
    }

    fn deed(&self) -> String {
        match &self.action {
            Action::Run(script) => script.to_string(),
            Action::Exec(words) => words.iter().map(ToString::to_string).collect::<Vec<String>>().join(" "),
            Action::Task(block) => format!("task {}", block.name),
            Action::Swap(swaps) => {
                let paths: Vec<&str> = swaps.iter().map(|swap| swap.path.as_str()).collect();
                format!("swap {}", paths.join(", "))
            }
            Action::Ship => "ship".to_owned(),
            Action::PutBack(owed) => format!("put {} back", owed.path),
            Action::Check(health) => format!("check {}", health.address()),
            Action::Http(http) => format!("{} {}", http.method, http.address()),
            Action::Put(files) => format!("put {} to {}", files.from, files.to),
            Action::Get(files) => format!("get {} to {}", files.from, files.to),
            Action::Backup(backup) => format!("backup {}", backup.name),
            Action::Restore(restore) => format!("restore {}", restore.backup.name),
            // Its members are alike but for their hosts: where a host is named, any of them is meant.
            Action::Fleet(fleet) => {
                let deed = |member: &Member| member.step.name.clone().unwrap_or_else(|| member.step.deed());
                let first = fleet.members.first().map(deed).unwrap_or_default();
                match (fleet.members.first(), fleet.members.get(1)) {
                    (Some(member), Some(other)) if deed(other) != first => {
                        first.replace(&*member.there.host, "{{ host }}")
                    }
                    (_, _) => first,
                }
            }
        }
    }
}
