//! The swap: other content for files of the shipped tree. It is worked out against what is committed, and all that
//! stands against it is told at once, each with its mend. Nothing is written.

use std::collections::BTreeMap;

use super::Refusal;
use super::chain;
use super::git::GitError;
use super::object::Mode;
use super::repository::Repository;
use super::tree::{Node, Objects, Tree};
use crate::model::release::Source;

/// From here on (0 to 1) two names look alike to a person.
const CLOSE: f64 = 0.8;

/// A file to swap, as the environment says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SwapFile {
    /// Relative to the project's folder.
    pub(crate) path: String,
    pub(crate) content: SwapContent,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SwapContent {
    /// This text and a newline.
    Line(String),
    /// What another committed file holds.
    From(String),
    /// Exactly this text.
    Text(String),
    /// The file is not shipped.
    Remove,
}

/// What the swap does to one file of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) path: String,
    pub(crate) mode: Mode,
    /// `None`: the commit does not have it.
    pub(crate) before: Option<Vec<u8>>,
    /// `None`: it is not shipped.
    pub(crate) after: Option<Vec<u8>>,
}

impl Entry {
    /// Whether the release has it otherwise than the commit.
    pub(crate) fn changes(&self) -> bool {
        self.before != self.after
    }
}

/// A swap against a commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Swap {
    /// In the order of their paths.
    pub(crate) entries: Vec<Entry>,
    /// Why it can't be shipped like this; empty when it can.
    pub(crate) refusals: Vec<Refusal>,
    /// What will probably not work on the target.
    pub(crate) warnings: Vec<String>,
}

/// Works out what `files` do to the tree of `source`.
pub(crate) fn resolve(
    repository: &Repository,
    source: &Source,
    files: &[SwapFile],
) -> Result<Swap, GitError> {
    let mut swap = Swap::default();
    let mut wanted: BTreeMap<String, Wanted> = BTreeMap::new();
    for file in files {
        match Wanted::of(file) {
            Ok((path, _)) if wanted.contains_key(&path) => {
                swap.refusals.push(Refusal::new(format!("`{path}` is swapped twice"), "keep one of the two"));
            }
            Ok((path, want)) => drop(wanted.insert(path, want)),
            Err(refusal) => swap.refusals.push(refusal),
        }
    }
    let mut tree = Tree::new(Objects::User(repository), &source.tree);
    let from = wanted.values().filter_map(Wanted::from);
    let foreseen: Vec<String> = wanted.iter().flat_map(|(path, want)| want.foreseen(path)).collect();
    tree.read(wanted.keys().map(String::as_str).chain(from).chain(foreseen.iter().map(String::as_str)))?;
    let sight = Sight { repository, source, tree: &tree, wanted: &wanted };
    for (path, want) in &wanted {
        match sight.entry(path, want) {
            Ok(entry) => swap.entries.push(entry),
            Err(refusal) => swap.refusals.push(refusal),
        }
    }
    let mut chain = chain::check(repository, source, &mut tree, &swap.entries)?;
    swap.refusals.append(&mut chain.refusals);
    swap.warnings.append(&mut chain.warnings);
    Ok(swap)
}

/// What is to stand at a path, with paths that are clean.
enum Wanted {
    Content(Vec<u8>),
    From(String),
    Nothing,
}

impl Wanted {
    fn of(file: &SwapFile) -> Result<(String, Wanted), Refusal> {
        let wanted = match &file.content {
            SwapContent::Line(line) => Wanted::Content(format!("{line}\n").into_bytes()),
            SwapContent::Text(text) => Wanted::Content(text.clone().into_bytes()),
            SwapContent::From(from) => Wanted::From(clean(from)?),
            SwapContent::Remove => Wanted::Nothing,
        };
        Ok((clean(&file.path)?, wanted))
    }

    /// The files that will be looked at because of it.
    fn foreseen(&self, path: &str) -> Vec<String> {
        match self {
            Wanted::Content(content) => chain::foreseen(path, content),
            Wanted::From(_) | Wanted::Nothing => Vec::new(),
        }
    }

    fn from(&self) -> Option<&str> {
        match self {
            Wanted::From(path) => Some(path),
            Wanted::Content(_) | Wanted::Nothing => None,
        }
    }
}

/// All that one entry depends on.
struct Sight<'a> {
    repository: &'a Repository,
    source: &'a Source,
    tree: &'a Tree<'a>,
    wanted: &'a BTreeMap<String, Wanted>,
}

impl Sight<'_> {
    fn entry(&self, path: &str, want: &Wanted) -> Result<Entry, Refusal> {
        let commit = self.source.commit.short();
        if let Some((above, node)) = self.tree.in_the_way(path) {
            let message =
                format!("`{path}` can't be swapped: `{above}` is {} in commit {commit}", node.named());
            return Err(Refusal::new(message, "swap a path that has only folders above it"));
        }
        if let Some((above, _)) = path
            .match_indices('/')
            .map(|(at, _)| path.split_at(at))
            .find(|(above, _)| self.wanted.contains_key(*above))
        {
            let message = format!("`{above}` and `{path}` can't both be swapped: a file holds no files");
            return Err(Refusal::new(message, "keep one of the two"));
        }
        let (mode, before) = match self.tree.at(path) {
            Node::Nothing => (Mode::File, None),
            Node::File { mode, content } => (mode, Some(content.to_owned())),
            Node::Symlink { target } => {
                let target = String::from_utf8_lossy(target);
                let message =
                    format!("`{path}` can't be swapped: it is a symlink to `{target}` in commit {commit}");
                return Err(Refusal::new(
                    message,
                    "swap the file that it points to, or commit a file in its place",
                ));
            }
            node @ (Node::Folder | Node::Submodule) => {
                let message = format!("`{path}` can't be swapped: it is {} in commit {commit}", node.named());
                return Err(Refusal::new(message, "swap files one by one"));
            }
        };
        let after = match want {
            Wanted::Content(content) => Some(content.clone()),
            Wanted::From(from) => Some(self.committed(from, path)?),
            Wanted::Nothing if before.is_none() => {
                let message = format!("`{path}` can't be removed: it is not in commit {commit}");
                return Err(Refusal { message, help: self.nearest(path) });
            }
            Wanted::Nothing => None,
        };
        Ok(Entry { path: path.to_owned(), mode, before, after })
    }

    /// The content of the file that `path` takes its own from.
    fn committed(&self, from: &str, path: &str) -> Result<Vec<u8>, Refusal> {
        let commit = self.source.commit.short();
        let refused = |what: &str, help| {
            let message = format!("`{path}` can't be made from `{from}`: it is {what} commit {commit}");
            Err(Refusal { message, help })
        };
        match self.tree.at(from) {
            Node::File { content, .. } => Ok(content.to_owned()),
            Node::Nothing => {
                refused("not in", uncommitted(self.repository, from).or_else(|| self.nearest(from)))
            }
            Node::Symlink { target } => {
                let help = format!("name the file that it points to: `{}`", String::from_utf8_lossy(target));
                refused("a symlink in", Some(help))
            }
            Node::Folder => refused("a folder in", Some("name a file".to_owned())),
            Node::Submodule => refused("a submodule in", Some("name a file of this repository".to_owned())),
        }
    }

    /// A file beside it whose name is much the same.
    fn nearest(&self, path: &str) -> Option<String> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let close = |known: &&str| strsim::jaro_winkler(known, name) > CLOSE;
        let nearest = self.tree.names_in(folder).filter(close).max_by(|a, b| {
            strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)).then(b.cmp(a))
        })?;
        Some(format!("did you mean `{}`?", path.strip_suffix(name)?.to_owned() + nearest))
    }
}

/// What to do about a file that is there, and not committed.
pub(super) fn uncommitted(repository: &Repository, path: &str) -> Option<String> {
    let there = repository.folder().join(path).exists();
    there.then(|| format!("it is not committed: git add {0} && git commit", shell_word(path)))
}

/// A path as a person would type it.
fn shell_word(path: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./".contains(c);
    if path.chars().all(plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

/// A path inside of the tree, without `.` and doubled slashes.
fn clean(path: &str) -> Result<String, Refusal> {
    let refused = |why: &str| {
        let message = format!("`{}` can't be swapped: {why}", path.escape_debug());
        Err(Refusal::new(message, "name a file by its path inside of the project's folder"))
    };
    let mut parts = Vec::new();
    if path.starts_with('/') {
        return refused("it is not inside of the project's folder");
    }
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => return refused("it leaves the project's folder"),
            _ if part.eq_ignore_ascii_case(".git") => {
                return refused("git keeps nothing in a folder of that name");
            }
            _ if part.contains('\0') => return refused("no file can be called so"),
            _ => parts.push(part),
        }
    }
    if parts.is_empty() || path.ends_with('/') { refused("it is a folder") } else { Ok(parts.join("/")) }
}
