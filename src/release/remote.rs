//! Another repository, by its URL: what its branch holds, getting that, pushing a release to it. All from deploy's own
//! repository, so that no hook, no shallow border and no setting of the user's working copy has a part in it.

use super::git::{Call, Git, GitError, without_credentials};
use super::refs::Refs;
use super::repository::Repository;
use super::scratch::{Scratch, ScratchError};
use crate::model::release::ObjectId;
use crate::process::Stop;

/// What a push came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// The branch is at the release now.
    Done,
    /// It was there already: the remote did nothing.
    UpToDate,
    /// The branch holds something else than was expected; nothing was changed.
    Moved,
    /// The remote received it and refused it: a hook, a failed build. In its words.
    Declined(String),
}

/// A branch of another repository.
pub(crate) struct Remote<'s> {
    scratch: &'s Scratch,
    git: Git,
    url: String,
    reference: String,
}

impl<'s> Remote<'s> {
    /// A branch at a URL, reached as the user's own repository would reach it.
    pub(crate) fn new(
        scratch: &'s Scratch,
        repository: &Repository,
        url: &str,
        branch: &str,
    ) -> Result<Remote<'s>, GitError> {
        let mut git = scratch.git.clone();
        if !is_local(url) {
            git = repository.settings()?.reaching(git);
        }
        Ok(Remote { scratch, git, url: url.to_owned(), reference: format!("refs/heads/{branch}") })
    }

    /// The URL, fit to be shown.
    pub(crate) fn shown(&self) -> String {
        without_credentials(&self.url)
    }

    /// What the branch holds now; `None` if there is no such branch.
    pub(crate) fn tip(&self, stop: &Stop, said: &mut dyn FnMut(&[u8])) -> Result<Option<ObjectId>, GitError> {
        let answer =
            self.call(&["ls-remote", "--quiet", "--", &self.url, &self.reference]).run_under(stop, said)?;
        let text = answer.stdout()?;
        // Also refs that merely end like ours are listed.
        let text = String::from_utf8_lossy(&text);
        let line =
            text.lines().filter_map(|line| line.split_once('\t')).find(|(_, name)| *name == self.reference);
        Ok(line.and_then(|(id, _)| ObjectId::parse(id)))
    }

    /// Gets what the branch holds, whole, for a release that goes on top of it.
    pub(crate) fn fetch(
        &self,
        refs: &Refs,
        stop: &Stop,
        said: &mut dyn FnMut(&[u8]),
    ) -> Result<ObjectId, ScratchError> {
        let target = refs.target();
        let refspec = format!("+{}:{target}", self.reference);
        let options =
            ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-gc"];
        let args = [&["fetch"][..], &options, &["--", &self.url, &refspec]].concat();
        let mut answer = self.call(&args).run_under(stop, said)?;
        if answer.code != 0 && self.scratch.remove_lock_of(&target) {
            answer = self.call(&args).run_under(stop, said)?;
        }
        answer.stdout()?;
        let answer = self.scratch.ask(&["rev-parse", "--verify", "--end-of-options", &target])?;
        let line = answer.line()?;
        Ok(ObjectId::parse(&line)
            .ok_or(GitError::Unreadable { command: "git rev-parse".to_owned(), answer: line })?)
    }

    /// Moves the branch from `expected` to `commit`, or does nothing. What the remote says meanwhile goes to `said`.
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
        let refspec = format!("{commit}:{}", self.reference);
        let options =
            ["--porcelain", "--no-verify", "--no-follow-tags", "--no-recurse-submodules", "--no-signed"];
        let args = [&["push"][..], &options, &[&lease, "--", &self.url, &refspec]].concat();
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
        self.scratch.call_with(&self.git, args)
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

/// A path on this machine needs no settings to be reached.
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
