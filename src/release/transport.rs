//! What a push from deploy's own repository needs of the user's: how their `.git/config` reaches a host (tokens, ssh,
//! proxies, rewritten URLs), and who they are. It reads; it reaches nobody.

use super::git::{Git, GitError};
use super::repository::Repository;

/// The sections and keys that say how a host is reached.
const KEYS: [&str; 9] = [
    "core.sshcommand",
    "core.gitproxy",
    "core.askpass",
    "credential.",
    "http.",
    "https.",
    "protocol.",
    "ssh.",
    "url.",
];

/// ssh must not ask: nobody would see the question. A host that does not answer for 10 s is not there; a connection is dead
/// when it has not answered for a minute, which has nothing to do with how long a build there takes.
const SSH: &str =
    "ssh -o BatchMode=yes -o ConnectTimeout=10 -o ServerAliveInterval=15 -o ServerAliveCountMax=4";

/// The user's git configuration.
#[derive(Clone)]
pub(crate) struct Settings {
    /// Where it was set (`local`, `global`, …), the key, the value; in git's order: the later one counts.
    entries: Vec<(String, String, String)>,
}

impl Repository {
    /// Reads the configuration. One process.
    pub(crate) fn settings(&self) -> Result<Settings, GitError> {
        let answer = self.ask(&["config", "--list", "--show-scope", "-z"])?;
        let text = String::from_utf8_lossy(&answer.stdout()?).into_owned();
        let mut fields = text.split_terminator('\0');
        let mut entries = Vec::new();
        while let (Some(scope), Some(entry)) = (fields.next(), fields.next()) {
            // A key without `=` means true.
            let (key, value) = entry.split_once('\n').unwrap_or((entry, "true"));
            entries.push((scope.to_owned(), key.to_owned(), value.to_owned()));
        }
        Ok(Settings { entries })
    }
}

impl Settings {
    /// The user's name, else the address; `None` if git does not know them.
    pub(crate) fn user(&self) -> Option<&str> {
        self.value("user.name").or_else(|| self.value("user.email"))
    }

    /// The same git, reaching hosts as the user's repository would.
    pub(super) fn reaching(&self, git: Git) -> Git {
        // Those of other scopes count in deploy's repository by themselves.
        let own = |(scope, key, _): &&(String, String, String)| {
            matches!(scope.as_str(), "local" | "worktree") && KEYS.iter().any(|start| key.starts_with(start))
        };
        let git = git.with_settings(
            self.entries.iter().filter(own).map(|(_, key, value)| (key.as_str(), value.as_str())),
        );
        let has_ssh = ["GIT_SSH_COMMAND", "GIT_SSH"].iter().any(|name| git.env(name).is_some());
        if has_ssh || self.value("core.sshcommand").is_some() {
            return git;
        }
        git.with_env([("GIT_SSH_COMMAND".into(), SSH.into())])
    }

    fn value(&self, key: &str) -> Option<&str> {
        self.entries.iter().rev().find(|(_, have, _)| have == key).map(|(_, _, value)| value.as_str())
    }
}
