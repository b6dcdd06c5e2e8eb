//! A commit's tree, as far as it was looked at: what stands at a path, and in which files two trees differ. Many paths
//! cost one process. It reads; what may stand where is decided by `swap` and `chain`.

use std::collections::{BTreeSet, HashMap};

use super::answer::Answer;
use super::git::GitError;
use super::object::{Mode, Object, ObjectKind, tree_entries};
use super::repository::Repository;
use super::scratch::Scratch;
use crate::model::release::ObjectId;

/// The binary length of a SHA-1 and of a SHA-256.
const ID_LENGTHS: [usize; 2] = [20, 32];

/// Where trees are read.
#[derive(Clone, Copy)]
pub(crate) enum Objects<'a> {
    /// The user's repository.
    User(&'a Repository),
    /// deploy's own, which has release commits, and the user's objects too.
    Own(&'a Scratch),
}

impl Objects<'_> {
    /// Whether an object is here.
    pub(crate) fn has(self, id: &ObjectId) -> Result<bool, GitError> {
        Ok(self.read(&[id.to_string()])?.pop().flatten().is_some())
    }

    /// The files in which two trees differ, by their paths; `None` if one of the trees is not here.
    pub(crate) fn differing(
        self,
        old: &ObjectId,
        new: &ObjectId,
    ) -> Result<Option<Vec<Differing>>, GitError> {
        let args =
            ["diff-tree", "-r", "-z", "--no-renames", "--name-status", old.as_str(), new.as_str(), "--"];
        let answer = self.ask(&args)?;
        if answer.code == 128 {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&answer.stdout).into_owned();
        let mut words = text.split_terminator('\0');
        let mut all = Vec::new();
        while let (Some(letter), Some(path)) = (words.next(), words.next()) {
            let how = match letter {
                "A" => How::Added,
                "D" => How::Removed,
                "M" | "T" => How::Changed,
                _ => return Err(answer.unreadable()),
            };
            all.push(Differing { path: path.to_owned(), how });
        }
        if answer.code == 0 { Ok(Some(all)) } else { Err(answer.failure()) }
    }

    fn read(self, queries: &[String]) -> Result<Vec<Option<Object>>, GitError> {
        match self {
            Objects::User(repository) => repository.objects(queries),
            Objects::Own(scratch) => scratch.objects(queries),
        }
    }

    fn ask(self, args: &[&str]) -> Result<Answer, GitError> {
        match self {
            Objects::User(repository) => repository.ask(args),
            Objects::Own(scratch) => scratch.ask(args),
        }
    }
}

/// A file in which two trees differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Differing {
    pub(crate) path: String,
    pub(crate) how: How,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Added,
    Changed,
    Removed,
}

/// A tree, and what was read of it.
pub(crate) struct Tree<'a> {
    objects: Objects<'a>,
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
    pub(crate) fn new(objects: Objects<'a>, id: &'a ObjectId) -> Tree<'a> {
        Tree { objects, id, folders: HashMap::new(), files: HashMap::new(), asked: BTreeSet::new() }
    }

    /// Reads what stands at these paths, and in the folders above them. Paths have no `.` and no `..`.
    pub(crate) fn read<'p>(&mut self, paths: impl IntoIterator<Item = &'p str>) -> Result<(), GitError> {
        let with_above = paths.into_iter().flat_map(|path| above(path).chain([path]).map(str::to_owned));
        let new: Vec<String> = with_above.filter(|path| self.asked.insert(path.clone())).collect();
        if new.is_empty() {
            return Ok(());
        }
        let queries: Vec<String> = new.iter().map(|path| format!("{}:{path}", self.id)).collect();
        for (path, object) in new.into_iter().zip(self.objects.read(&queries)?) {
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
