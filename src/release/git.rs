//! Running git: by argument list, in a clean environment, with errors that say what was tried and what to do.
//! It knows nothing of releases. What is asked of it, and in which repository, is decided by its callers.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use super::answer::Answer;
use super::object::Object;
use crate::model::credentials::without_credentials;
use crate::model::event::Stream;
use crate::process::{self, Command, End, StartError, Stdin, Stop, program};

/// Variables that point git to another repository, or change what it reads there. A hook or an alias of git sets
/// them for what it starts.
const POINTERS: [&str; 18] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_QUARANTINE_PATH",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_GRAFT_FILE",
    "GIT_SHALLOW_FILE",
    "GIT_REPLACE_REF_BASE",
    "GIT_DEFAULT_HASH",
    "GIT_DEFAULT_REF_FORMAT",
    "GIT_LITERAL_PATHSPECS",
    "GIT_CONFIG",
];

/// What we set: messages that we can read, no questions, no locks for looking, objects as they are.
const SETTINGS: [(&str, &str); 4] = [
    ("LC_ALL", "C"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
];

/// What `git` leaves of a message when it passes on what another program said.
const SAID_LIMIT: usize = 4096;

/// git did not do what it was asked.
#[derive(Debug, Error)]
pub(crate) enum GitError {
    #[error("git is needed, and {0}")]
    Missing(#[from] program::Missing),
    #[error("{0}")]
    NotRun(#[from] StartError),
    #[error("`{command}` {how}{}", if said.is_empty() { String::new() } else { format!(": {said}") })]
    Failed { command: String, how: String, said: String },
    #[error("`{command}` was stopped")]
    Stopped { command: String },
    /// Whoever was asked said nothing for too long.
    #[error("`{command}` did not end within {} s", limit.as_secs_f64())]
    Silent { command: String, limit: Duration },
    #[error("`{command}` gave an answer that can't be read: {answer}")]
    Unreadable { command: String, answer: String },
}

/// What git says when something is not set up, and what to do about it.
const MENDS: [(&str, &str); 7] = [
    (
        "could not read Username",
        "git has no password for this host: set up a credential helper, or use an ssh URL",
    ),
    (
        "Authentication failed",
        "the host refuses the password that git has for it: renew it in your credential helper",
    ),
    (
        "Permission denied (publickey",
        "the host does not take your ssh key; `ssh-add -l` lists those that are offered",
    ),
    (
        "REMOTE HOST IDENTIFICATION HAS CHANGED",
        "it was set up anew, or somebody stands in between: ask who runs it for its key's fingerprint; only if it is that one, `ssh-keygen -R HOST` and connect once by hand",
    ),
    (
        "Host key verification failed",
        "connect once by hand (`ssh HOST`), and compare the host's key before you accept it",
    ),
    (
        "unable to read",
        "if the clone is partial (--filter), get what it left out: git fetch --refetch --no-filter",
    ),
    ("usage: git", "deploy needs git 2.29 or newer"),
];

impl GitError {
    /// What to do about it, where the reason is a known one.
    pub(crate) fn help(&self) -> Option<&'static str> {
        match self {
            GitError::Failed { said, .. } => {
                MENDS.iter().find(|(sign, _)| said.contains(sign)).map(|(_, mend)| *mend)
            }
            GitError::Missing(_) => Some("install git"),
            GitError::NotRun(_)
            | GitError::Stopped { .. }
            | GitError::Silent { .. }
            | GitError::Unreadable { .. } => None,
        }
    }
}

/// The git program, and the environment that it gets.
#[derive(Clone)]
pub(crate) struct Git {
    program: PathBuf,
    env: Vec<(OsString, OsString)>,
}

/// One call of git.
pub(crate) struct Call {
    /// For messages: the subcommand and what it acts on, without our options.
    command: String,
    process: Command,
}

impl Git {
    /// Finds git in the caller's `PATH`. `environment` is the caller's, whole.
    pub(crate) fn find(environment: Vec<(OsString, OsString)>, dir: &Path) -> Result<Git, GitError> {
        let path =
            environment.iter().rev().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_os_str());
        let program = program::find(OsStr::new("git"), path, dir)?;
        let ours = |name: &OsStr| SETTINGS.iter().any(|(ours, _)| name == *ours);
        let points = |name: &OsStr| POINTERS.iter().any(|pointer| name == *pointer);
        let mut env = environment;
        env.retain(|(name, _)| !ours(name) && !points(name));
        env.extend(SETTINGS.map(|(name, value)| (name.into(), value.into())));
        Ok(Git { program, env })
    }

    /// The same git with these variables set too.
    pub(crate) fn with_env(mut self, variables: impl IntoIterator<Item = (OsString, OsString)>) -> Git {
        for (name, value) in variables {
            self.env.retain(|(have, _)| *have != name);
            self.env.push((name, value));
        }
        self
    }

    /// The same git with these settings too: by the environment, and not by arguments, which everybody on the machine can
    /// read. Tokens stand there.
    pub(super) fn with_settings<'s>(self, settings: impl IntoIterator<Item = (&'s str, &'s str)>) -> Git {
        let count = self.env("GIT_CONFIG_COUNT").and_then(OsStr::to_str).and_then(|count| count.parse().ok());
        let mut count: usize = count.unwrap_or(0);
        let mut variables: Vec<(OsString, OsString)> = Vec::new();
        for (key, value) in settings {
            variables.push((format!("GIT_CONFIG_KEY_{count}").into(), key.into()));
            variables.push((format!("GIT_CONFIG_VALUE_{count}").into(), value.into()));
            count += 1;
        }
        variables.push(("GIT_CONFIG_COUNT".into(), count.to_string().into()));
        self.with_env(variables)
    }

    /// A variable of its environment.
    pub(crate) fn env(&self, name: &str) -> Option<&OsStr> {
        self.env.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_os_str())
    }

    /// `git BEFORE ARGS` in a folder. Messages show the words of `args`.
    pub(crate) fn call<A: AsRef<OsStr>>(&self, dir: &Path, before: &[OsString], args: &[A]) -> Call {
        let mut process = Command::new(&self.program, dir);
        process.args = before.to_vec();
        process.args.extend(args.iter().map(|arg| arg.as_ref().to_owned()));
        process.env = Arc::new(self.env.clone());
        let words = args.iter().map(|arg| arg.as_ref().to_string_lossy());
        let words: Vec<_> =
            words.filter(|word| !word.starts_with('-')).map(|word| without_credentials(&word)).collect();
        Call { command: format!("git {}", words.join(" ")), process }
    }

    /// Reads objects, one for each query (an id, `REF^{commit}`, `COMMIT:path`); `None` for what is not there.
    pub(crate) fn objects(
        &self,
        dir: &Path,
        before: &[OsString],
        queries: &[String],
    ) -> Result<Vec<Option<Object>>, GitError> {
        // Needs git 2.38, so only a path with a newline asks for it.
        let (args, end): (&[&str], &str) = if queries.iter().any(|query| query.contains('\n')) {
            (&["cat-file", "--batch", "-z"], "\0")
        } else {
            (&["cat-file", "--batch"], "\n")
        };
        let asked = queries.join(end) + end;
        self.call(dir, before, args).reading(asked.into_bytes()).run()?.objects(queries)
    }
}

impl Call {
    /// Gives git this to read.
    pub(crate) fn reading(mut self, bytes: Vec<u8>) -> Call {
        self.process.stdin = Stdin::Bytes(bytes);
        self
    }

    /// Ends it when it takes longer than this.
    pub(crate) fn within(mut self, limit: Option<Duration>) -> Call {
        self.process.timeout = limit;
        self
    }

    /// Runs it to its end. What is local and short is not stopped half-way: it has its own `Stop`.
    pub(crate) fn run(self) -> Result<Answer, GitError> {
        self.run_under(&Stop::new(Duration::ZERO), &mut |_| ())
    }

    /// Runs what talks to a network: `stop` ends it, and what it says is passed on as it comes.
    pub(crate) fn run_under(self, stop: &Stop, said: &mut dyn FnMut(&[u8])) -> Result<Answer, GitError> {
        let mut stdout = Vec::new();
        let answer = self.pour(stop, &mut |bytes| stdout.extend_from_slice(bytes), said)?;
        Ok(Answer { stdout, ..answer })
    }

    /// Runs what may print more than memory holds: `printed` gets it as it comes, and the answer is without it.
    pub(super) fn pour(
        self,
        stop: &Stop,
        printed: &mut dyn FnMut(&[u8]),
        said: &mut dyn FnMut(&[u8]),
    ) -> Result<Answer, GitError> {
        let mut stderr = Vec::new();
        let ended = process::run(&self.process, stop, &mut |stream, bytes| match stream {
            Stream::Out => printed(&bytes),
            Stream::Err => {
                said(&bytes);
                stderr.extend(bytes);
                // A push may say megabytes: only the end is ever told.
                stderr.drain(..stderr.len().saturating_sub(SAID_LIMIT));
            }
        })?;
        let failed =
            |how: String| Err(GitError::Failed { command: self.command.clone(), how, said: spoken(&stderr) });
        match ended.end {
            End::Exited(code) => Ok(Answer { code, stdout: Vec::new(), stderr, command: self.command }),
            End::Signalled(signal) => failed(format!("was ended by signal {signal}")),
            End::Stopped => Err(GitError::Stopped { command: self.command }),
            End::TimedOut => {
                let limit = self.process.timeout.unwrap_or_default();
                Err(GitError::Silent { command: self.command, limit })
            }
            End::WantsTerminal => failed("wanted to ask something, and there is nobody to answer".to_owned()),
        }
    }
}

/// What git wrote for people, as one text: its end, which tells most, and no `hint:` lines about options of git's.
pub(super) fn spoken(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(&stderr[stderr.len().saturating_sub(SAID_LIMIT)..]).into_owned();
    let lines: Vec<String> = text
        .lines()
        .map(|line| line.strip_prefix("fatal: ").or(line.strip_prefix("error: ")).unwrap_or(line))
        .filter(|line| !line.trim().is_empty() && !line.starts_with("hint: "))
        .map(without_credentials)
        .collect();
    lines.join("\n")
}
