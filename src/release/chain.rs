//! What a swapped requirements file reads in turn: `-r` and `-c`, file after file, as pip does. A file that pip would
//! miss on the target is found here, before anything is shipped. What else such a file says is no matter here.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::Refusal;
use super::git::GitError;
use super::pip::{Place, included, lists_requirements, place};
use super::repository::Repository;
use super::swap::{self, uncommitted};
use super::tree::{Node, Tree};
use crate::model::release::Source;

/// What stands against a chain.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) refusals: Vec<Refusal>,
    pub(super) warnings: Vec<String>,
}

/// The mend for a file that is nowhere.
fn misspelt(link: &Link) -> String {
    let by = link.via.last().map_or_else(String::new, |file| format!(" in `{file}`"));
    format!("correct its name{by}, or write it: git add {} && git commit", link.path)
}

/// Follows the requirements files among `entries` through the tree with the swap applied.
pub(super) fn check(
    repository: &Repository,
    source: &Source,
    tree: &mut Tree,
    entries: &[swap::Entry],
) -> Result<Verdict, GitError> {
    let swapped = entries.iter().map(|entry| (entry.path.as_str(), entry)).collect();
    let mut walk = Walk { repository, source, swapped, verdict: Verdict::default() };
    let mut reads = BTreeMap::new();
    let starts = entries.iter().filter(|entry| entry.after.is_some() && lists_requirements(&entry.path));
    let mut level: Vec<Link> =
        starts.map(|entry| Link { path: entry.path.clone(), via: Vec::new() }).collect();
    while !level.is_empty() {
        // One process a level, however many files it has.
        tree.read(level.iter().map(|link| link.path.as_str()))?;
        let mut next = Vec::new();
        for link in level {
            if let Entry::Vacant(read) = reads.entry(link.path.clone()) {
                let named = walk.named(tree, &link);
                next.extend(named.iter().map(|path| link.to(path)));
                read.insert(named);
            }
        }
        level = next;
    }
    walk.verdict.refusals.extend(a_loop(reads));
    Ok(walk.verdict)
}

/// The files that this content of a file names, for those who want to read them together with others.
pub(super) fn foreseen(path: &str, content: &[u8]) -> Vec<String> {
    let included = if lists_requirements(path) { included(content) } else { Vec::new() };
    let inside = |value: &String| match place(path, value) {
        Place::Inside(path) => Some(path),
        Place::Outside | Place::Elsewhere | Place::Unknown => None,
    };
    included.iter().filter_map(inside).collect()
}

/// A file that another one names.
struct Link {
    path: String,
    /// The files that lead to it, the swapped one first.
    via: Vec<String>,
}

impl Link {
    fn to(&self, path: &str) -> Link {
        let via = self.via.iter().chain([&self.path]).cloned().collect();
        Link { path: path.to_owned(), via }
    }

    /// `a -> b -> c`.
    fn shown(&self) -> String {
        self.via.iter().chain([&self.path]).map(String::as_str).collect::<Vec<_>>().join(" -> ")
    }
}

struct Walk<'a> {
    repository: &'a Repository,
    source: &'a Source,
    swapped: BTreeMap<&'a str, &'a swap::Entry>,
    verdict: Verdict,
}

impl Walk<'_> {
    /// The files of the tree that a file names.
    fn named(&mut self, tree: &Tree, link: &Link) -> Vec<String> {
        let content = match self.swapped.get(link.path.as_str()) {
            Some(entry) => entry.after.as_deref().ok_or_else(|| {
                ("is removed by the swap", Some(format!("take `{}` out of the swap", link.path)))
            }),
            None => match (tree.at(&link.path), tree.in_the_way(&link.path)) {
                (Node::File { content, .. }, _) => Ok(content),
                // What lies behind a symlink or in a submodule is not looked at; it may well be there.
                (Node::Symlink { .. }, _) | (_, Some((_, Node::Symlink { .. } | Node::Submodule))) => {
                    Ok(&b""[..])
                }
                (Node::Folder | Node::Submodule, _) => Err(("is no file", Some("name a file".to_owned()))),
                (Node::Nothing, _) => Err((
                    "is missing",
                    Some(uncommitted(self.repository, &link.path).unwrap_or_else(|| misspelt(link))),
                )),
            },
        };
        match content {
            Ok(content) => {
                let included = included(content);
                included.into_iter().filter_map(|value| self.inside(link, &value)).collect()
            }
            Err((why, help)) => {
                let (path, commit, way) = (&link.path, self.source.commit.short(), link.shown());
                let message = format!("`{path}` {why} (commit {commit}), and the swap needs it: {way}");
                self.verdict.refusals.push(Refusal { message, help });
                Vec::new()
            }
        }
    }

    /// Where in the tree a name leads; `None`, and a word about it, if it leads elsewhere.
    fn inside(&mut self, link: &Link, value: &str) -> Option<String> {
        match place(&link.path, value) {
            Place::Inside(path) => return Some(path),
            Place::Elsewhere => {}
            Place::Unknown => self.verdict.warnings.push(format!(
                "`{value}` in `{}` depends on the target's environment; it was not checked",
                link.path
            )),
            Place::Outside => {
                let message = format!("`{value}` leaves what is shipped: {} -> {value}", link.shown());
                let help = "move the file into the project's folder, and name it from there";
                self.verdict.refusals.push(Refusal::new(message, help));
            }
        }
        None
    }
}

/// Files that read each other: pip refuses them, after years of recursing until it died.
fn a_loop(mut reads: BTreeMap<String, Vec<String>>) -> Option<Refusal> {
    // What reads nothing that is left is in no loop; when no such file is left, only loops and what leads to them are.
    loop {
        let left: BTreeSet<String> = reads.keys().cloned().collect();
        reads.retain(|_, named| {
            named.retain(|path| left.contains(path));
            !named.is_empty()
        });
        if reads.len() == left.len() {
            break;
        }
    }
    let mut walk = vec![reads.keys().next()?];
    loop {
        let next = reads.get(*walk.last()?)?.first()?;
        if let Some(start) = walk.iter().position(|path| *path == next) {
            let shown: Vec<&str> = walk[start..].iter().chain([&next]).map(|path| path.as_str()).collect();
            let message = format!("requirements files read each other in a loop: {}", shown.join(" -> "));
            return Some(Refusal::new(message, "take one of these lines out"));
        }
        walk.push(next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_real_loop_is_one() {
        let graph = |lines: &[(&str, &[&str])]| {
            let names = |names: &&[&str]| names.iter().map(|&name| name.to_owned()).collect();
            lines
                .iter()
                .map(|(file, named)| ((*file).to_owned(), names(named)))
                .collect::<BTreeMap<_, Vec<_>>>()
        };
        assert_eq!(a_loop(graph(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])])), None);
        let found = a_loop(graph(&[("a", &["b", "d"]), ("b", &["c"]), ("c", &["b"]), ("d", &[])])).unwrap();
        assert!(found.message.ends_with(": b -> c -> b"), "{}", found.message);
        assert!(a_loop(graph(&[("a", &["a"])])).unwrap().message.ends_with(": a -> a"));
    }
}
