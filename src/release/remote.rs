//! Another repository, by its URL: what a ref of it holds, getting that, moving it. All from deploy's own
//! repository, so that no hook, no shallow border and no setting of the user's working copy has a part in it.

use std::time::Duration;

use super::git::{Call, Git, GitError};
use super::login::Login;
use super::repository::Repository;
use super::scratch::{Scratch, ScratchError};
use crate::model::credentials::without_credentials;
use crate::model::release::ObjectId;
use crate::process::Stop;

/// How long a remote may take to say what a ref holds. A push has no such end: the host builds meanwhile.
const ANSWER: Duration = Duration::from_secs(30);

/// What a push came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// The ref is at the commit now.
    Done,
    /// It was there already: the remote did nothing.
    UpToDate,
    /// The ref holds something else than was expected; nothing was changed.
    Moved,
    /// The remote received it and refused it: a hook, a failed build. In its words.
    Declined(String),
}

/// A ref of another repository.
pub(crate) struct Remote<'s> {
    scratch: &'s Scratch,
    git: Git,
    url: String,
    reference: String,
    /// How long one call may take; `None`: as long as it wants.
    limit: Option<Duration>,
}

impl<'s> Remote<'s> {
    /// A ref at a URL, reached as the user's own repository would reach it.
    pub(crate) fn new(
        scratch: &'s Scratch,
        repository: &Repository,
        url: &str,
        reference: &str,
    ) -> Result<Remote<'s>, GitError> {
        let git = reaching(scratch.git.clone(), repository, url)?;
        Ok(Remote::by(scratch, git, url, reference, None))
    }

    /// The same, with a git that reaches the URL already.
    pub(crate) fn by(
        scratch: &'s Scratch,
        git: Git,
        url: &str,
        reference: &str,
        limit: Option<Duration>,
    ) -> Remote<'s> {
        Remote { scratch, git, url: url.to_owned(), reference: reference.to_owned(), limit }
    }

    /// The same, whose host is shown a login.
    pub(crate) fn opened_by(mut self, login: &Login) -> Remote<'s> {
        self.git = login.shown_by(self.git, &self.url);
        self
    }

    /// Whether a program over there decides what becomes of a call: `ssh://HOST/PATH`, or `HOST:PATH`.
    pub(crate) fn is_over_ssh(&self) -> bool {
        match self.url.split_once("://") {
            Some((scheme, _)) => scheme.contains("ssh"),
            None => self.url.split_once(':').is_some_and(|(host, _)| !host.contains('/')),
        }
    }

    /// The same of a host that `ssh` leads to, a line of shell.
    pub(crate) fn through(scratch: &'s Scratch, ssh: &str, url: &str, reference: &str) -> Remote<'s> {
        let variables = [("GIT_SSH_COMMAND", ssh), ("GIT_SSH_VARIANT", "ssh")];
        let git = scratch.git.clone().with_env(variables.map(|(name, value)| (name.into(), value.into())));
        Remote::by(scratch, git, url, reference, None)
    }

    /// The URL, fit to be shown.
    pub(crate) fn shown(&self) -> String {
        without_credentials(&self.url)
    }

    /// What the ref holds now; `None` if there is no such ref.
    pub(crate) fn tip(&self, stop: &Stop, said: &mut dyn FnMut(&[u8])) -> Result<Option<ObjectId>, GitError> {
        let limit = self.limit.unwrap_or(ANSWER);
        let answer = self
            .call(&["ls-remote", "--quiet", "--", &self.url, &self.reference])
            .within(Some(limit))
            .run_under(stop, said)?;
        let text = answer.stdout()?;
        // Also refs that merely end like ours are listed.
        let text = String::from_utf8_lossy(&text);
        let line =
            text.lines().filter_map(|line| line.split_once('\t')).find(|(_, name)| *name == self.reference);
        Ok(line.and_then(|(id, _)| ObjectId::parse(id)))
    }

    /// Gets what the ref holds, whole, into a ref of ours.
    pub(crate) fn fetch(
        &self,
        target: &str,
        stop: &Stop,
        said: &mut dyn FnMut(&[u8]),
    ) -> Result<ObjectId, ScratchError> {
        self.get(&[], target, stop, said)
    }

    /// The same, also what was here once: it may have been pruned where it was borrowed from. git 2.36 can do it.
    pub(crate) fn fetch_again(
        &self,
        target: &str,
        stop: &Stop,
        said: &mut dyn FnMut(&[u8]),
    ) -> Result<ObjectId, ScratchError> {
        self.get(&["--refetch"], target, stop, said)
    }

    fn get(
        &self,
        how: &[&str],
        target: &str,
        stop: &Stop,
        said: &mut dyn FnMut(&[u8]),
    ) -> Result<ObjectId, ScratchError> {
        let refspec = format!("+{}:{target}", self.reference);
        let options =
            ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-gc"];
        let args = [&["fetch"][..], &options, how, &["--", &self.url, &refspec]].concat();
        let mut answer = self.call(&args).run_under(stop, said)?;
        if answer.code != 0 && self.scratch.remove_lock_of(target) {
            answer = self.call(&args).run_under(stop, said)?;
        }
        answer.stdout()?;
        let answer = self.scratch.ask(&["rev-parse", "--verify", "--end-of-options", target])?;
        let line = answer.line()?;
        Ok(ObjectId::parse(&line)
            .ok_or(GitError::Unreadable { command: "git rev-parse".to_owned(), answer: line })?)
    }

    /// Moves the ref from `expected` to `commit`, or does nothing. What the remote says meanwhile goes to `said`.
    ///
    /// An error leaves open what the remote did: [`Remote::tip`] tells.
    pub(crate) fn push(
        &self,
        commit: &ObjectId,
        expected: Option<&ObjectId>,
        stop: &Stop,
        said: &mut dyn FnMut(&[u8]),
    ) -> Result<Pushed, GitError> {
        let lease =
            format!("--force-with-lease={}:{}", self.reference, expected.map_or("", ObjectId::as_str));
        self.send(&[&lease], commit, stop, said)
    }

    /// Makes the ref name the commit, whatever it names now: it is nobody's but ours.
    pub(crate) fn replace(
        &self,
        commit: &ObjectId,
        stop: &Stop,
        said: &mut dyn FnMut(&[u8]),
    ) -> Result<Pushed, GitError> {
        self.send(&["--force"], commit, stop, said)
    }

    /// Moves the ref to `commit` if that goes on from what it holds, else does nothing. By no force of any kind.
    ///
    /// An error leaves open what the remote did, as with [`Remote::push`].
    pub(crate) fn advance(
        &self,
        commit: &ObjectId,
        stop: &Stop,
        said: &mut dyn FnMut(&[u8]),
    ) -> Result<Pushed, GitError> {
        self.send(&[], commit, stop, said)
    }

    fn send(
        &self,
        lease: &[&str],
        commit: &ObjectId,
        stop: &Stop,
        said: &mut dyn FnMut(&[u8]),
    ) -> Result<Pushed, GitError> {
        let refspec = format!("{commit}:{}", self.reference);
        let options =
            ["--porcelain", "--no-verify", "--no-follow-tags", "--no-recurse-submodules", "--no-signed"];
        let args = [&["push"][..], &options, lease, &["--", &self.url, &refspec]].concat();
        let answer = self.call(&args).run_under(stop, said)?;
        match outcome(&String::from_utf8_lossy(&answer.stdout), &self.reference) {
            // It was cut off after the remote had answered, and while it still spoke.
            Some(Pushed::Done) if answer.code != 0 => Err(answer.failure()),
            // Our own git gave up in the middle; the remote only saw the end.
            Some(Pushed::Declined(reason)) if reason == "unpacker error" => Err(answer.failure()),
            Some(pushed) => Ok(pushed),
            None if answer.code == 0 => Err(answer.unreadable()),
            None => Err(answer.failure()),
        }
    }

    fn call(&self, args: &[&str]) -> Call {
        self.scratch.call_with(&self.git, args).within(self.limit)
    }
}

/// Reads `push --porcelain`: a line `FLAG`, tab, `FROM:TO`, tab, `SUMMARY (REASON)` for each ref.
fn outcome(stdout: &str, reference: &str) -> Option<Pushed> {
    let ours = |line: &str| -> Option<(char, String)> {
        let mut fields = line.split('\t');
        let (flag, refs, summary) = (fields.next()?, fields.next()?, fields.next()?);
        (refs.rsplit_once(':')?.1 == reference)
            .then(|| (flag.chars().next().unwrap_or(' '), summary.to_owned()))
    };
    let (flag, summary) = stdout.lines().find_map(ours)?;
    Some(match flag {
        '=' => Pushed::UpToDate,
        '!' if is_moved(&summary) => Pushed::Moved,
        '!' => {
            let reason =
                summary.split_once('(').map_or(summary.as_str(), |(_, reason)| reason.trim_end_matches(')'));
            Pushed::Declined(reason.to_owned())
        }
        _ => Pushed::Done,
    })
}

/// The lease did not hold: seen by our git, or by the remote's at the last moment.
fn is_moved(summary: &str) -> bool {
    let reasons =
        ["stale info", "non-fast-forward", "fetch first", "but expected", "reference already exists"];
    reasons.iter().any(|reason| summary.contains(reason))
}

/// The same git, reaching a URL as the user's own repository would.
pub(super) fn reaching(git: Git, repository: &Repository, url: &str) -> Result<Git, GitError> {
    // A path on this machine needs no settings to be reached.
    if is_local(url) { Ok(git) } else { Ok(repository.settings()?.reaching(git)) }
}

fn is_local(url: &str) -> bool {
    url.starts_with('/') || url.starts_with("file://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_push_came_to_is_read_from_its_own_line() {
        let read = |line: &str| outcome(&format!("To host\n{line}\nDone\n"), "refs/heads/main");
        assert_eq!(read("*\tabc:refs/heads/main\t[new branch]"), Some(Pushed::Done));
        assert_eq!(read(" \tabc:refs/heads/main\t1..2"), Some(Pushed::Done));
        assert_eq!(read("=\tabc:refs/heads/main\t[up to date]"), Some(Pushed::UpToDate));
        assert_eq!(read("!\tabc:refs/heads/main\t[rejected] (stale info)"), Some(Pushed::Moved));
        let declined = Some(Pushed::Declined("pre-receive hook declined".to_owned()));
        assert_eq!(read("!\tabc:refs/heads/main\t[remote rejected] (pre-receive hook declined)"), declined);
        assert_eq!(read("!\tabc:refs/heads/other\t[rejected] (stale info)"), None);
    }
}
