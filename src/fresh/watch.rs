//! What plans read, as something to be watched: whether a file has changed since they were last run. What they make is
//! left out, so that no run starts the next.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::change::{self, Change};
use super::find::{find, roots};
use super::look::{Seen, look};
use crate::model::files::Files;
use crate::model::step::Action;
use crate::model::task::Block;
use crate::model::tracking::Tracking;
use crate::model::tree::{Digest, Tree};
use crate::plan::Plan;

/// Files to be watched.
pub(crate) struct Watched {
    trackings: Vec<Arc<Tracking>>,
    /// The files that say what the plans are, with what they held.
    texts: Vec<(PathBuf, Digest)>,
}

/// A folder to be watched.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    pub(crate) depth: Depth,
}

/// How much of a folder is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Depth {
    /// What lies in it.
    Shallow,
    /// All beneath it, too.
    Whole,
}

/// What the files held at one time.
#[derive(Default)]
pub(crate) struct Snapshot {
    inputs: Vec<Tree>,
    made: BTreeSet<PathBuf>,
}

impl Watched {
    /// What these plans read. `texts` are the files that they were made of.
    pub(crate) fn of(plans: &[Plan], texts: impl Iterator<Item = (PathBuf, String)>) -> Watched {
        let mut trackings = Vec::new();
        for job in plans.iter().flat_map(|plan| &plan.jobs) {
            gather(&job.body, &mut trackings);
        }
        let texts = texts.map(|(path, text)| (path, Digest::of(text.as_bytes()))).collect();
        Watched { trackings, texts }
    }

    /// Whether nothing is read that could change.
    pub(crate) fn is_empty(&self) -> bool {
        self.trackings.iter().all(|tracking| tracking.inputs.patterns.is_empty())
    }

    /// The folders in which something may change, as far as they exist.
    pub(crate) fn folders(&self) -> BTreeSet<Folder> {
        let of_texts = self.texts.iter().filter_map(|(path, _)| path.parent());
        let of_texts = of_texts.map(|path| Folder { path: path.to_owned(), depth: Depth::Shallow });
        let of_inputs = self.trackings.iter().flat_map(|tracking| {
            roots(&tracking.inputs).map(|root| folder(&tracking.dir.join(root))).collect::<Vec<_>>()
        });
        of_texts.chain(of_inputs).collect()
    }

    /// What the files hold now; `before` spares reading what has not changed since.
    pub(crate) fn snapshot(&self, before: &Snapshot) -> Snapshot {
        let (seen, nothing) = (Seen::default(), Tree::default());
        let mut now = Snapshot::default();
        for (index, tracking) in self.trackings.iter().enumerate() {
            let known = before.inputs.get(index).unwrap_or(&nothing);
            // What can't be read fails the run, which tells it.
            let inputs = look(&tracking.dir, &tracking.inputs, &tracking.outputs, known, &seen);
            now.inputs.push(inputs.unwrap_or_default());
            let made = find(&tracking.dir, &tracking.outputs, &Files::default());
            now.made.extend(made.unwrap_or_default().into_keys().map(|path| tracking.dir.join(path)));
        }
        now
    }

    /// The files that say what the plans are, as they are now.
    pub(crate) fn texts_now(&self) -> Vec<(PathBuf, Digest)> {
        self.texts.iter().map(|(path, _)| (path.clone(), text(path))).collect()
    }

    /// From here on they have changed when they are no longer so.
    pub(crate) fn set_texts(&mut self, texts: Vec<(PathBuf, Digest)>) {
        self.texts = texts;
    }

    /// The files that are not as they were, in the order of their paths.
    pub(crate) fn changes(&self, before: &Snapshot, now: &Snapshot) -> BTreeSet<PathBuf> {
        let is_made = |path: &PathBuf| before.made.contains(path) || now.made.contains(path);
        let mut changes = BTreeSet::new();
        for ((tracking, before), now) in self.trackings.iter().zip(&before.inputs).zip(&now.inputs) {
            let paths = change::files(before, now, Change::Input).into_iter().filter_map(Change::into_path);
            changes.extend(paths.map(|path| tracking.dir.join(path)).filter(|path| !is_made(path)));
        }
        let is_other = |(path, digest): &&(PathBuf, Digest)| text(path) != *digest;
        changes.extend(self.texts.iter().filter(is_other).map(|(path, _)| path.clone()));
        changes
    }
}

/// Of a file that may be gone for a moment: editors replace it.
fn text(path: &Path) -> Digest {
    Digest::of(&fs::read(path).unwrap_or_default())
}

/// The trackings of a block and of the tasks that it calls.
fn gather(block: &Block, trackings: &mut Vec<Arc<Tracking>>) {
    trackings.extend(block.tracking.clone());
    for step in &block.steps {
        if let Action::Task(inner) = &step.action {
            gather(inner, trackings);
        }
    }
}

/// What is watched for the sake of a path: it, if it is a folder; else the nearest folder that is there.
fn folder(path: &Path) -> Folder {
    if path.is_dir() {
        return Folder { path: path.to_owned(), depth: Depth::Whole };
    }
    let above = path.ancestors().skip(1).find(|above| above.is_dir()).unwrap_or(Path::new("/"));
    Folder { path: above.to_owned(), depth: Depth::Shallow }
}
