//! Where a git target lies: a remote's name or a URL becomes a branch of a repository, or is refused.

use std::fmt;

use super::Reach;
use crate::model::credentials::without_credentials;
use crate::model::event::Failure;
use crate::model::secret::Vault;
use crate::model::step::Planned;
use crate::model::target::{self as model, GitTarget};
use crate::release::fault::Fault;
use crate::release::git::GitError;
use crate::release::login::Login;
use crate::release::remote::Remote;
use crate::release::repository::SourceError;
use crate::release::scratch::ScratchError;
use crate::target::{refused, unmet};

/// A branch of a repository that is pushed to.
pub(super) struct Place<'s> {
    pub(super) remote: Remote<'s>,
    branch: String,
    key: Key,
}

/// What opens it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    /// The target's `token`.
    Token,
    /// What the user's own git has for it.
    Users,
}

impl<'s> Place<'s> {
    pub(super) fn find(
        target: &GitTarget<Planned>,
        Reach { repository, scratch, vault }: Reach<'s>,
    ) -> Result<Place<'s>, Failure> {
        let branch = target.branch.to_string();
        check_branch(&branch)?;
        let url = repository.url(&target.remote.to_string()).map_err(|error| match error {
            SourceError::Refused(refusal) => {
                Failure::Refused { message: refusal.message, help: refusal.help }
            }
            SourceError::Git(error) => Failure::Unmet { message: error.to_string(), help: help(&error) },
        })?;
        if let Some((helper @ ("ext" | "fd"), _)) = url.split_once("::") {
            return Err(refused(
                format!("a git target can't be a `{helper}::` address: it would run whatever stands there"),
                "give a URL (https://, ssh://, HOST:PATH), a path, or the name of a remote",
            ));
        }
        let login = target.login.as_ref().map(|login| login_at(&url, login, vault)).transpose()?;
        let remote = Remote::new(scratch, repository, &url, &format!("refs/heads/{branch}"));
        let remote =
            remote.map_err(|error| Failure::Unmet { message: error.to_string(), help: help(&error) })?;
        let (remote, key) = match &login {
            Some(login) => (remote.opened_by(login), Key::Token),
            None => (remote, Key::Users),
        };
        Ok(Place { remote, branch, key })
    }

    /// Why it could not be asked.
    pub(super) fn failure(&self, error: &GitError) -> Failure {
        let fault = Fault::of(error);
        match error {
            GitError::Stopped { .. } => Failure::Stopped,
            GitError::Failed { .. } => unmet(
                format!("can't reach {self}: {}", fault.reason()),
                match self.key {
                    Key::Token if fault.is_about_login() => {
                        "the host does not take the `token`: is it the right secret, is it still valid, and does `user` have to be another?"
                    }
                    Key::Token | Key::Users => error.help().unwrap_or_else(|| fault.help()),
                },
            ),
            GitError::Missing(_)
            | GitError::NotRun(_)
            | GitError::Silent { .. }
            | GitError::Unreadable { .. } => Failure::Unmet { message: error.to_string(), help: help(error) },
        }
    }

    /// Whether there may be no repository because the first push makes it: Piku and Dokku do so.
    pub(super) fn makes_repositories(&self, error: &GitError) -> bool {
        self.remote.is_over_ssh() && Fault::of(error).is_no_repository()
    }

    pub(super) fn scratch_failure(&self, error: ScratchError) -> Failure {
        match error {
            ScratchError::Refused(refusal) => {
                Failure::Refused { message: refusal.message, help: refusal.help }
            }
            ScratchError::Git(error) => self.failure(&error),
            ScratchError::Durable(_) | ScratchError::Lock { .. } => {
                Failure::Unmet { message: error.to_string(), help: None }
            }
        }
    }
}

/// As it stands in a sentence: the branch and the URL, without credentials.
impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` of {}", self.branch, self.remote.shown())
    }
}

/// What a host is shown. It may have a name alone, which leads anywhere.
fn login_at(url: &str, login: &model::Login<Planned>, vault: &Vault) -> Result<Login, Failure> {
    if let Some((why, help)) = model::Login::<Planned>::unfit(url) {
        return Err(refused(format!("{why}, and the target is {}", without_credentials(url)), help));
    }
    let (user, token) = (login.user.reveal(vault), login.token.reveal(vault));
    if token.contains(char::is_control) || user.contains(char::is_control) {
        let message =
            format!("the token for {} has a line break or the like in it", without_credentials(url));
        return Err(refused(message, "a token is one line: look at where it is kept"));
    }
    Ok(Login { user, token })
}

fn help(error: &GitError) -> Option<String> {
    error.help().map(str::to_owned)
}

/// Refuses what git would not take as a branch's name; see git-check-ref-format(1).
fn check_branch(branch: &str) -> Result<(), Failure> {
    let is_part =
        |part: &str| !part.is_empty() && !part.starts_with('.') && part.strip_suffix(".lock").is_none();
    let is_name = branch.split('/').all(is_part)
        && !branch.starts_with('-')
        && !branch.ends_with('.')
        && branch != "@"
        && !["..", "@{"].iter().any(|wrong| branch.contains(wrong))
        && !branch.contains(|c: char| c.is_control() || " ~^:?*[\\".contains(c));
    if let Some(short) = branch.strip_prefix("refs/heads/") {
        return Err(refused(
            format!("`branch` is a branch's name, and `{branch}` is a ref's"),
            format!("branch = \"{short}\""),
        ));
    }
    if is_name {
        Ok(())
    } else {
        Err(refused(
            format!("`{}` can't be a branch's name", branch.escape_debug()),
            "git check-ref-format --branch NAME tells which can",
        ))
    }
}
