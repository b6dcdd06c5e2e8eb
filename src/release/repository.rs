//! The user's repository, read only: the commit to ship, what is not committed, where remotes are, what lies between
//! two commits. Nothing here writes to it, takes its locks or runs its hooks.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::Refusal;
use super::answer::Answer;
use super::git::{Git, GitError};
use super::object::{Commit, Object, ObjectKind};
use super::pointers;
use crate::model::release::{ObjectId, Source};
use crate::state::checkout::Checkout;

/// How many commits between two releases are told: more is not read by anybody.
const BETWEEN_LIMIT: usize = 1000;

/// A git repository of the user's, seen from the project's folder.
#[derive(Clone)]
pub(crate) struct Repository {
    pub(crate) git: Git,
    pub(crate) checkout: Checkout,
}

/// Something in the project's folder that is not in HEAD. Its path is relative to that folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dirty {
    pub(crate) path: String,
    pub(crate) how: DirtyHow,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DirtyHow {
    Changed,
    Untracked,
    Conflicting,
}

/// An answer about history, of which a shallow clone has only the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ancestry {
    Ancestor,
    Unrelated,
    /// The clone does not go back far enough to tell.
    Unknown,
}

/// The commits that one commit has and another has not, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Between {
    pub(crate) commits: Vec<(ObjectId, Commit)>,
    /// There may be more: the clone is shallow, or they are too many to tell.
    pub(crate) cut: bool,
}

/// Why there is nothing to ship.
#[derive(Debug, Error)]
pub(crate) enum SourceError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Git(#[from] GitError),
}

impl Repository {
    /// The commit that `reference` names (`HEAD`, a branch, a tag, an id), and the project's tree in it.
    pub(crate) fn source(&self, reference: &str) -> Result<Source, SourceError> {
        if reference.is_empty() || reference.starts_with('-') || reference.contains(['\n', '\0']) {
            let message = format!("`{}` can't be the name of a commit", reference.escape_debug());
            return Err(Refusal::new(message, "name a branch, a tag or a commit's id").into());
        }
        let prefix = self.prefix()?;
        let pointers = pointers::files(&prefix);
        let paths = pointers.iter().chain([&prefix]).map(|path| format!("{reference}^{{commit}}:{path}"));
        let queries: Vec<String> = [format!("{reference}^{{commit}}")].into_iter().chain(paths).collect();
        let mut objects = self.objects(&queries)?;
        let (tree, pointing) = (objects.pop().flatten(), objects.split_off(1));
        let Some(commit) = objects.pop().flatten() else {
            return Err(self.no_commit(reference).into());
        };
        let id = commit.id;
        let commit = Commit::parse(&commit.bytes).ok_or_else(|| unreadable(&id))?;
        let Some(tree) = tree.filter(|tree| tree.kind == ObjectKind::Tree) else {
            let message = format!("the folder `{prefix}` is not in commit {}", id.short());
            return Err(Refusal::new(message, format!("git add {prefix} && git commit")).into());
        };
        let branch = self.branch(reference)?;
        let time = commit.time().ok_or_else(|| unreadable(&id))?;
        let (author, subject) = (commit.author.clone(), commit.subject().to_owned());
        let warnings = pointers::warnings(&prefix, pointers.iter().map(String::as_str).zip(&pointing));
        Ok(Source { commit: id, tree: tree.id, author, subject, time, date: commit.date, branch, warnings })
    }

    /// The branches and tags, by their full names; those of remotes too.
    pub(crate) fn references(&self) -> Result<Vec<String>, GitError> {
        let args = ["for-each-ref", "--format=%(refname)", "refs/heads/", "refs/tags/", "refs/remotes/"];
        let answer = self.ask(&args)?.stdout()?;
        Ok(String::from_utf8_lossy(&answer).lines().map(str::to_owned).collect())
    }

    /// The branches of remotes that have a commit, as this clone last saw them: `origin/main`.
    pub(crate) fn remote_branches(&self, commit: &ObjectId) -> Result<Vec<String>, GitError> {
        let contains = format!("--contains={commit}");
        let args = ["for-each-ref", &contains, "--format=%(refname:lstrip=2)", "refs/remotes/"];
        let answer = self.ask(&args)?.stdout()?;
        let answer = String::from_utf8_lossy(&answer);
        // `origin/HEAD` only points to one of the others.
        let branches = answer.lines().filter(|branch| !branch.ends_with("/HEAD"));
        Ok(branches.map(str::to_owned).collect())
    }

    /// What is in the project's folder but not in HEAD, ignored files aside.
    pub(crate) fn dirty(&self) -> Result<Vec<Dirty>, GitError> {
        let args = ["status", "--porcelain=v2", "-z", "--no-renames", "--untracked-files=normal", "--", "."];
        let answer = self.ask(&args)?;
        if answer.code != 0 {
            return Err(answer.failure());
        }
        let text = String::from_utf8_lossy(&answer.stdout);
        let inside = self.prefix().map(|prefix| if prefix.is_empty() { prefix } else { prefix + "/" });
        let inside = inside.unwrap_or_default();
        text.split_terminator('\0')
            .map(|record| {
                let (how, fields) = match record.split(' ').next()? {
                    "1" => (DirtyHow::Changed, 9),
                    "u" => (DirtyHow::Conflicting, 11),
                    "?" => (DirtyHow::Untracked, 2),
                    _ => return None,
                };
                let path = record.splitn(fields, ' ').nth(fields - 1)?;
                Some(Dirty { path: path.strip_prefix(&inside).unwrap_or(path).to_owned(), how })
            })
            .collect::<Option<_>>()
            .ok_or_else(|| answer.unreadable())
    }

    /// Where a target's `git = "…"` points: a URL or path as it stands, the remote of that name, or a folder that is there.
    pub(crate) fn url(&self, target: &str) -> Result<String, SourceError> {
        if target.is_empty() || target.starts_with('-') || target.contains(['\n', '\0']) {
            let message = format!("`{}` can't be a git remote", target.escape_debug());
            return Err(
                Refusal::new(message, "give a URL, or the name of one of the repository's remotes").into()
            );
        }
        if target.contains(':') || target.starts_with(['/', '.']) {
            return Ok(absolute(target, &self.folder()));
        }
        let named = self.remote_url(&["remote", "get-url", "--push", "--", target], target);
        // Few remotes have a slash in their name. A path is as good without `./` before it.
        let is_path = || target.contains('/') && self.folder().join(target).is_dir();
        named.or_else(|error| {
            if is_path() { Ok(absolute(&format!("./{target}"), &self.folder())) } else { Err(error) }
        })
    }

    /// Where the remote of this name is fetched from.
    pub(super) fn fetch_url(&self, remote: &str) -> Result<String, SourceError> {
        self.remote_url(&["remote", "get-url", "--", remote], remote)
    }

    /// The remote that this clone goes by: that of the branch that is checked out, else `origin`, else the only one.
    pub(super) fn upstream(&self) -> Result<Option<String>, GitError> {
        let told = self.ask(&["remote"])?.stdout()?;
        let told = String::from_utf8_lossy(&told).into_owned();
        let known: Vec<&str> = told.lines().collect();
        let followed = match self.branch("HEAD")? {
            Some(branch) => self.ask(&["config", "--get", &format!("branch.{branch}.remote")])?.stdout,
            None => Vec::new(),
        };
        let followed = String::from_utf8_lossy(&followed).trim_end().to_owned();
        let found = [followed.as_str(), "origin"].into_iter().find(|name| known.contains(name));
        let only = || if let [only] = known[..] { Some(only) } else { None };
        Ok(found.or_else(only).map(str::to_owned))
    }

    fn remote_url(&self, ask: &[&str], remote: &str) -> Result<String, SourceError> {
        let answer = self.ask(ask)?;
        if answer.code == 0 {
            return Ok(absolute(&answer.line()?, &self.checkout.worktree));
        }
        let known = self.ask(&["remote"])?.line()?;
        let message = format!("the repository has no remote `{remote}`");
        Err(Refusal::new(
            message,
            match known.lines().collect::<Vec<_>>()[..] {
                [] => format!("git remote add {remote} URL"),
                ref names => format!("it has: {}; or: git remote add {remote} URL", names.join(", ")),
            },
        )
        .into())
    }

    /// Whether one commit came before another.
    pub(crate) fn ancestry(&self, of: &ObjectId, earlier: &ObjectId) -> Result<Ancestry, GitError> {
        if of == earlier {
            return Ok(Ancestry::Ancestor);
        }
        let answer = self.ask(&["merge-base", "--is-ancestor", earlier.as_str(), of.as_str()])?;
        match answer.code {
            0 => Ok(Ancestry::Ancestor),
            1 if !self.checkout.is_shallow() => Ok(Ancestry::Unrelated),
            // 128: one of the two is not here.
            1 | 128 => Ok(Ancestry::Unknown),
            _ => Err(answer.failure()),
        }
    }

    /// The commits of `new` that `old` does not have and that touch the project; `None` if `old` is not here.
    pub(crate) fn between(&self, old: &ObjectId, new: &ObjectId) -> Result<Option<Between>, GitError> {
        let limit = format!("--max-count={}", BETWEEN_LIMIT + 1);
        let not_old = format!("^{old}");
        let mut args = vec!["rev-list", "--header", &limit, new.as_str(), &not_old, "--"];
        if !self.checkout.prefix.as_os_str().is_empty() {
            args.push(".");
        }
        let answer = self.ask(&args)?;
        if answer.code == 128 {
            return Ok(None);
        }
        let mut commits = answer.commits()?;
        let cut = commits.len() > BETWEEN_LIMIT || self.checkout.is_shallow();
        commits.truncate(BETWEEN_LIMIT);
        Ok(Some(Between { commits, cut }))
    }

    /// Reads objects; `None` for what is not there.
    pub(crate) fn objects(&self, queries: &[String]) -> Result<Vec<Option<Object>>, GitError> {
        self.git.objects(&self.folder(), &before(), queries)
    }

    /// The project's folder.
    pub(crate) fn folder(&self) -> PathBuf {
        self.checkout.worktree.join(&self.checkout.prefix)
    }

    /// The project's folder as git writes it: relative to the checkout, empty at its top.
    pub(crate) fn prefix(&self) -> Result<String, Refusal> {
        self.checkout.prefix.to_str().map(str::to_owned).ok_or_else(|| {
            let shown = self.checkout.prefix.display();
            Refusal::new(format!("the name of the folder `{shown}` is not UTF-8"), "give it another name")
        })
    }

    pub(super) fn ask(&self, args: &[&str]) -> Result<Answer, GitError> {
        self.git.call(&self.folder(), &before(), args).run()
    }

    fn branch(&self, reference: &str) -> Result<Option<String>, GitError> {
        let full = if reference == "HEAD" || reference == "@" {
            let head = fs::read_to_string(self.checkout.git_dir.join("HEAD")).unwrap_or_default();
            match head.trim_end().strip_prefix("ref: ") {
                // What a repository with reftables says there.
                Some("refs/heads/.invalid") => self.ask(&["symbolic-ref", "--quiet", "HEAD"])?.stdout,
                Some(full) => full.as_bytes().to_owned(),
                None => return Ok(None),
            }
        } else {
            self.ask(&["rev-parse", "--symbolic-full-name", "--verify", "--quiet", reference])?.stdout
        };
        Ok(String::from_utf8_lossy(&full).trim_end().strip_prefix("refs/heads/").map(str::to_owned))
    }

    fn no_commit(&self, reference: &str) -> Refusal {
        if reference == "HEAD" || reference == "@" {
            return Refusal::new("the repository has no commit yet", "git add --all && git commit");
        }
        let help = if self.checkout.is_shallow() {
            "this clone has only the newest commits: git fetch --unshallow"
        } else {
            "name a branch, a tag or a commit that is in this repository; git fetch gets those of a remote"
        };
        Refusal::new(format!("there is no commit `{reference}`"), help)
    }
}

/// The user's fsmonitor is a program of theirs, or a daemon: looking must not start it.
fn before() -> [OsString; 4] {
    ["-c", "core.fsmonitor=false", "-c", "i18n.logOutputEncoding=UTF-8"].map(OsString::from)
}

/// A path is meant from the folder that it is written in; the push starts elsewhere.
fn absolute(url: &str, folder: &Path) -> String {
    let is_path = !url.contains(':') && !url.starts_with('/');
    let joined = is_path.then(|| folder.join(url)).and_then(|path| path.to_str().map(str::to_owned));
    joined.unwrap_or_else(|| url.to_owned())
}

fn unreadable(id: &ObjectId) -> GitError {
    GitError::Unreadable { command: "git cat-file --batch".to_owned(), answer: format!("commit {id}") }
}
