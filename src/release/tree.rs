//! A commit's tree, as far as it was looked at: what stands at a path. Many paths cost one process.
//! It reads; what may stand where is decided by `swap` and `chain`.

use std::collections::{BTreeSet, HashMap};

use super::git::GitError;
use super::object::{Mode, ObjectKind, tree_entries};
use super::repository::Repository;
use crate::model::release::ObjectId;

/// The binary length of a SHA-1 and of a SHA-256.
const ID_LENGTHS: [usize; 2] = [20, 32];

/// A tree of the user's repository, and what was read of it.
pub(crate) struct Tree<'a> {
    repository: &'a Repository,
    id: &'a ObjectId,
    folders: HashMap<String, HashMap<Vec<u8>, Mode>>,
    files: HashMap<String, Vec<u8>>,
    asked: BTreeSet<String>,
}

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Node<'t> {
    Nothing,
    File {
        mode: Mode,
        content: &'t [u8],
    },
    /// To where, relative to its own folder.
    Symlink {
        target: &'t [u8],
    },
    Folder,
    Submodule,
}

impl Node<'_> {
    /// In words, with its article.
    pub(crate) fn named(&self) -> &'static str {
        match self {
            Node::Nothing => "nothing",
            Node::File { .. } => "a file",
            Node::Symlink { .. } => "a symlink",
            Node::Folder => "a folder",
            Node::Submodule => "a submodule",
        }
    }
}

impl<'a> Tree<'a> {
    pub(crate) fn new(repository: &'a Repository, id: &'a ObjectId) -> Tree<'a> {
        Tree { repository, id, folders: HashMap::new(), files: HashMap::new(), asked: BTreeSet::new() }
    }

    /// Reads what stands at these paths, and in the folders above them. Paths have no `.` and no `..`.
    pub(crate) fn read<'p>(&mut self, paths: impl IntoIterator<Item = &'p str>) -> Result<(), GitError> {
        let with_above = paths.into_iter().flat_map(|path| above(path).chain([path]).map(str::to_owned));
        let new: Vec<String> = with_above.filter(|path| self.asked.insert(path.clone())).collect();
        if new.is_empty() {
            return Ok(());
        }
        let queries: Vec<String> = new.iter().map(|path| format!("{}:{path}", self.id)).collect();
        for (path, object) in new.into_iter().zip(self.repository.objects(&queries)?) {
            let Some(object) = object else { continue };
            match object.kind {
                ObjectKind::Blob => drop(self.files.insert(path, object.bytes)),
                ObjectKind::Tree => {
                    let length = ID_LENGTHS[usize::from(self.id.as_str().len() > 40)];
                    let entries =
                        tree_entries(&object.bytes, length).ok_or_else(|| GitError::Unreadable {
                            command: "git cat-file --batch".to_owned(),
                            answer: format!("tree {}", object.id),
                        })?;
                    self.folders.insert(path, entries.into_iter().collect());
                }
                ObjectKind::Commit | ObjectKind::Tag => {}
            }
        }
        Ok(())
    }

    /// What stands at a path that was read.
    pub(crate) fn at(&self, path: &str) -> Node<'_> {
        if path.is_empty() {
            return Node::Folder;
        }
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mode = self.folders.get(folder).and_then(|entries| entries.get(name.as_bytes()));
        match (mode, self.files.get(path)) {
            (Some(Mode::Folder), _) => Node::Folder,
            (Some(Mode::Submodule), _) => Node::Submodule,
            (Some(Mode::Symlink), Some(target)) => Node::Symlink { target },
            (Some(mode), Some(content)) => Node::File { mode: *mode, content },
            (None, _) | (Some(_), None) => Node::Nothing,
        }
    }

    /// The first folder of a path that is no folder, and what it is.
    pub(crate) fn in_the_way<'p>(&self, path: &'p str) -> Option<(&'p str, Node<'_>)> {
        let mut nodes = above(path).map(|above| (above, self.at(above)));
        nodes.find(|(_, node)| !matches!(node, Node::Nothing | Node::Folder))
    }

    /// The names in a folder that was read; they are UTF-8, or left out.
    pub(crate) fn names_in(&self, folder: &str) -> impl Iterator<Item = &str> {
        self.folders.get(folder).into_iter().flatten().filter_map(|(name, _)| std::str::from_utf8(name).ok())
    }
}

/// The folders above a path, from the top (which is empty) down.
fn above(path: &str) -> impl Iterator<Item = &str> {
    let inner = path.match_indices('/').map(|(at, _)| &path[..at]);
    [""].into_iter().chain(inner)
}
