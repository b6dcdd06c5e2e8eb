//! The release commit: the source's tree with the swap applied, on top of what the target has now. It is made in
//! deploy's own repository; it is pushed by others.

use jiff::Timestamp;

use super::Refusal;
use super::git::GitError;
use super::object::{Commit, Object};
use super::refs::Refs;
use super::scratch::{Scratch, ScratchError, Update};
use super::stream::Stream;
use super::swap::Entry;
use crate::model::name::RunId;
use crate::model::release::{ObjectId, Release, Source};

/// All that a release commit is made of.
pub(crate) struct ReleaseCommit<'a> {
    pub(crate) refs: &'a Refs,
    pub(crate) number: u32,
    pub(crate) run: &'a RunId,
    pub(crate) source: &'a Source,
    pub(crate) entries: &'a [Entry],
    /// What the target's branch holds; `None` when it holds nothing.
    pub(crate) parent: Option<&'a ObjectId>,
}

/// A release commit with the tree of an earlier one.
pub(crate) struct Return<'a> {
    pub(crate) refs: &'a Refs,
    pub(crate) number: u32,
    pub(crate) run: &'a RunId,
    /// The release that comes back.
    pub(crate) back: &'a Release,
    /// What the target's branch holds.
    pub(crate) parent: Option<&'a ObjectId>,
}

/// A release commit that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) commit: ObjectId,
    pub(crate) tree: ObjectId,
}

/// What the message of a release commit tells, found on a target when the ledger is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) source: ObjectId,
    pub(crate) environment: String,
    pub(crate) number: u32,
    pub(crate) run: RunId,
}

impl ReleaseCommit<'_> {
    /// Makes the commit, and the ref that keeps it. The same release gives the same id, however often it is made.
    pub(crate) fn make(&self, scratch: &Scratch) -> Result<Made, ScratchError> {
        let reference = self.refs.release(self.number);
        let mut stream = Stream::commit(&reference, &self.source.date, &self.message(), self.parent);
        stream.tree(&self.source.tree);
        for entry in self.entries.iter().filter(|entry| entry.changes()) {
            match &entry.after {
                Some(content) => stream.file(&entry.path, entry.mode, content),
                None => stream.remove(&entry.path),
            }
        }
        // A run that was killed before the ledger knew of it may have left its commit under this number.
        let (commit, tree) = scratch.import(&reference, stream, Update::Replace)?;
        Ok(Made { commit, tree })
    }

    /// The ledger's record of it, once it is made. `by`: who ships it, and from which machine.
    pub(crate) fn record(&self, made: &Made, by: &str, at: Timestamp) -> Release {
        Release {
            number: self.number,
            source: self.source.commit.clone(),
            source_tree: self.source.tree.clone(),
            subject: self.source.subject.clone(),
            branch: self.source.branch.clone(),
            commit: Some(made.commit.clone()),
            tree: Some(made.tree.clone()),
            swapped: swapped(self.entries),
            restores: None,
            deployment: None,
            run: self.run.clone(),
            by: by.to_owned(),
            at,
        }
    }

    fn message(&self) -> String {
        let (environment, number, source) = (self.refs.environment(), self.number, self.source);
        let swapped = swapped(self.entries);
        let swap = match swapped[..] {
            [] => String::new(),
            _ => format!(", with {} swapped", swapped.join(", ").escape_debug()),
        };
        format!(
            "Release {number} to {environment}: {}\n\n\
             Made by deploy from {} ({}){swap}.\n\n\
             Source: {}\nEnvironment: {environment}\nRelease: {number}\nRun: {}\n",
            source.subject,
            source.commit.short(),
            source.author,
            source.commit,
            self.run,
        )
    }
}

impl Return<'_> {
    /// Makes the commit, and the ref that keeps it.
    pub(crate) fn make(&self, scratch: &Scratch) -> Result<Made, ScratchError> {
        let (number, environment, back) = (self.number, self.refs.environment(), self.back);
        let missing = || {
            let message =
                format!("release {} was not shipped as a commit, so its files are not known", back.number);
            Refusal { message, help: Some(format!("deploy {environment} --ref {}", back.source.short())) }
        };
        let tree = back.tree.as_ref().ok_or_else(missing)?;
        let message = format!(
            "Release {number} to {environment}: back to release {}\n\n\
             Made by deploy: what release {} was, {}.\n\n\
             Source: {}\nEnvironment: {environment}\nRelease: {number}\nRestores: {}\nRun: {}\n",
            back.number, back.number, back.subject, back.source, back.number, self.run,
        );
        let date = format!("{} +0000", back.at.as_second());
        let reference = self.refs.release(number);
        let mut stream = Stream::commit(&reference, &date, &message, self.parent);
        stream.tree(tree);
        let (commit, tree) = scratch.import(&reference, stream, Update::Replace)?;
        Ok(Made { commit, tree })
    }
}

impl Told {
    /// Reads the trailers of a release commit; `None` for somebody else's.
    pub(crate) fn read(commit: &Commit) -> Option<Told> {
        Some(Told {
            source: ObjectId::parse(commit.trailer("Source")?)?,
            environment: commit.trailer("Environment")?.to_owned(),
            number: commit.trailer("Release")?.parse().ok()?,
            run: RunId(commit.trailer("Run")?.to_owned()),
        })
    }
}

impl Scratch {
    /// Whether a release is what `source` with `entries` would be: the same commit, and the same tree. Writes nothing.
    pub(crate) fn is_same(
        &self,
        release: &Release,
        source: &Source,
        entries: &[Entry],
    ) -> Result<bool, GitError> {
        let Some(commit) = &release.commit else { return Ok(false) };
        if release.source != source.commit
            || release.source_tree != source.tree
            || release.swapped != swapped(entries)
        {
            return Ok(false);
        }
        let changed: Vec<&Entry> = entries.iter().filter(|entry| entry.changes()).collect();
        let queries: Vec<String> = changed.iter().map(|entry| format!("{commit}:{}", entry.path)).collect();
        let shipped = if queries.is_empty() { Vec::new() } else { self.objects(&queries)? };
        let same = |(entry, object): (&&Entry, &Option<Object>)| {
            entry.after.as_deref() == object.as_ref().map(|object| object.bytes.as_slice())
        };
        Ok(changed.iter().zip(&shipped).all(same))
    }

    /// Whether every file of a tree is here. Files that are borrowed may have been pruned in the user's repository.
    pub(crate) fn has_whole(&self, tree: &ObjectId) -> Result<bool, GitError> {
        let args = ["rev-list", "--objects", "--no-object-names", "--missing=print", tree.as_str()];
        let answer = self.ask(&args)?;
        // 128: not even the tree is here.
        Ok(answer.code == 0
            && !answer.stdout.starts_with(b"?")
            && !answer.stdout.windows(2).any(|two| two == b"\n?"))
    }

    /// The commits that `tip` has and `without` has not, newest first, at most `limit`.
    pub(crate) fn commits_between(
        &self,
        without: &ObjectId,
        tip: &ObjectId,
        limit: usize,
    ) -> Result<Vec<(ObjectId, Commit)>, GitError> {
        let (limit, without) = (format!("--max-count={limit}"), format!("^{without}"));
        self.ask(&["rev-list", "--header", &limit, tip.as_str(), &without, "--"])?.commits()
    }

    /// A commit that was made here or fetched; `None` if it is not here.
    pub(crate) fn commit(&self, id: &ObjectId) -> Result<Option<Commit>, ScratchError> {
        let object = self.objects(&[id.to_string()])?.pop().flatten();
        let Some(object) = object else { return Ok(None) };
        let read = Commit::parse(&object.bytes);
        read.map(Some).ok_or_else(|| {
            Refusal::new(format!("{id} is not a commit"), "the target's branch must name a commit").into()
        })
    }
}

/// The paths that a release has otherwise than its source.
fn swapped(entries: &[Entry]) -> Vec<String> {
    entries.iter().filter(|entry| entry.changes()).map(|entry| entry.path.clone()).collect()
}
