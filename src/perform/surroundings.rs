//! The folder and the environment of a step's processes. An environment is made once for all steps that share it.

use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::Hands;
use crate::engine::Act;
use crate::model::template::is_identifier;
use crate::model::text::Text;

/// Variables, each name once.
type Env = Vec<(OsString, OsString)>;

/// Turns prompts off where a program would wait for an answer that nobody can give.
pub(super) const NO_PROMPTS: [(&str, &str); 4] = [
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GCM_INTERACTIVE", "never"),
    ("DEBIAN_FRONTEND", "noninteractive"),
    ("PIP_NO_INPUT", "1"),
];

/// Variables that a shell does not hand on as it got them.
const CHANGED_BY_SHELLS: [&str; 5] = ["IFS", "LINENO", "OPTIND", "PPID", "PS4"];

/// The folder and the environment of a step's process.
pub(super) struct Surroundings {
    pub(super) dir: PathBuf,
    pub(super) env: Arc<Env>,
    /// Whether a shell that is started here would start a program with this very environment, and find it where we
    /// do. It is, beside values of a line, which have names that shells keep.
    pub(super) are_kept_by_shells: bool,
}

/// The environment that was made last: the jobs of a run mostly share one.
#[derive(Default)]
pub(crate) struct Made(Mutex<Option<Base>>);

/// An environment, before what single steps add, and what it was made of.
struct Base {
    of: Arc<Vec<(String, Text)>>,
    environment: Option<String>,
    dir: PathBuf,
    interactive: bool,
    env: Arc<Env>,
    is_kept_by_shells: bool,
}

impl Surroundings {
    /// Strongest last: the caller's environment, the block's variables, the step's, and what this doing adds.
    pub(super) fn of(hands: &Hands<'_>, act: &Act<'_>) -> Surroundings {
        let dir = match &act.step.dir {
            Some(dir) => hands.root.join(dir.to_string()),
            None => act.block.dir.clone(),
        };
        let vault = hands.vaults.of(act.environment);
        let (env, are_kept) = hands.made.base(hands, act, &dir);
        let mut surroundings = Surroundings { dir, env, are_kept_by_shells: are_kept };
        surroundings.set_all(act.step.env.iter().map(|(name, value)| (name, value.reveal(vault))));
        surroundings.set_all(act.extra.iter().map(|(name, value)| (name, value.clone())));
        if !act.step.env.is_empty() || !act.extra.is_empty() {
            surroundings.are_kept_by_shells = are_kept_by_shells(&surroundings.env, &surroundings.dir);
        }
        surroundings
    }

    pub(super) fn set_all<N: AsRef<str>>(&mut self, values: impl IntoIterator<Item = (N, String)>) {
        for (name, value) in values {
            set(Arc::make_mut(&mut self.env), name.as_ref(), value.into());
        }
    }

    pub(super) fn path(&self) -> Option<&OsStr> {
        value(&self.env, "PATH")
    }
}

fn value<'e>(env: &'e Env, name: &str) -> Option<&'e OsStr> {
    env.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_os_str())
}

fn are_kept_by_shells(env: &Env, dir: &Path) -> bool {
    let is_kept = |name: &OsString| {
        name.to_str().is_some_and(|name| is_identifier(name) && !CHANGED_BY_SHELLS.contains(&name))
    };
    let is_whole = |path: &OsStr| std::env::split_paths(path).all(|folder| is_plain(&folder));
    value(env, "PWD") == Some(dir.as_os_str())
        && is_plain(dir)
        && value(env, "PATH").is_some_and(is_whole)
        && env.iter().all(|(name, _)| is_kept(name))
}

/// Whether a folder is written from `/` on and without detours, as a shell would write it.
fn is_plain(folder: &Path) -> bool {
    let is_direct = |part: Component<'_>| matches!(part, Component::RootDir | Component::Normal(_));
    folder.is_absolute()
        && folder.components().all(is_direct)
        && folder.components().collect::<PathBuf>().as_os_str() == folder.as_os_str()
}

impl Made {
    /// The environment, and whether shells keep it.
    fn base(&self, hands: &Hands<'_>, act: &Act<'_>, dir: &Path) -> (Arc<Env>, bool) {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(base) = made.as_ref().filter(|base| base.is_for(act, dir)) {
            return (Arc::clone(&base.env), base.is_kept_by_shells);
        }
        let env = Arc::new(env(hands, act, dir));
        let is_kept_by_shells = are_kept_by_shells(&env, dir);
        *made = Some(Base {
            of: Arc::clone(&act.block.env),
            environment: act.environment.map(str::to_owned),
            dir: dir.to_owned(),
            interactive: act.block.interactive,
            env: Arc::clone(&env),
            is_kept_by_shells,
        });
        (env, is_kept_by_shells)
    }
}

impl Base {
    fn is_for(&self, act: &Act<'_>, dir: &Path) -> bool {
        (Arc::ptr_eq(&self.of, &act.block.env) || (self.of.is_empty() && act.block.env.is_empty()))
            && self.environment.as_deref() == act.environment
            && self.dir == dir
            && self.interactive == act.block.interactive
    }
}

fn env(hands: &Hands<'_>, act: &Act<'_>, dir: &Path) -> Env {
    let mut env = hands.env.as_ref().clone();
    if !act.block.interactive {
        for (name, value) in NO_PROMPTS {
            if !env.iter().any(|(known, _)| known == name) {
                env.push((name.into(), value.into()));
            }
        }
    }
    set(&mut env, "PWD", dir.into());
    let vault = hands.vaults.of(act.environment);
    for (name, value) in act.block.env.iter() {
        set(&mut env, name, value.reveal(vault).into());
    }
    env
}

fn set(env: &mut Env, name: &str, value: OsString) {
    match env.iter_mut().find(|(known, _)| known == name) {
        Some((_, old)) => *old = value,
        None => env.push((name.into(), value)),
    }
}
