//! The requirements that pip would see in what a target receives: `-r` and `-c` followed through the tree, with the swap
//! applied; and in what two such lists differ. What only the target could follow is listed as written.

use std::collections::{BTreeMap, BTreeSet};

use super::git::GitError;
use super::pip::{self, Line, Place, Role};
use super::swap::Entry;
use super::tree::{Node, Tree};
use crate::model::credentials::without_credentials;

/// The file that platforms give to pip.
const ROOT: &str = "requirements.txt";

/// One thing that pip is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Requirement {
    /// The package, as its index knows it; none for what can't be told here: a URL, a path, an option.
    pub(crate) name: Option<String>,
    /// With its version, extras and marker.
    pub(crate) written: String,
    pub(crate) role: Role,
    /// The file that says it.
    pub(crate) file: String,
}

/// A package, or a line, of which two lists say different things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// The package's name, or the line as written.
    pub(crate) what: String,
    pub(crate) role: Role,
    /// Empty: it is new.
    pub(crate) before: Vec<Requirement>,
    /// Empty: it is gone.
    pub(crate) after: Vec<Requirement>,
}

/// The files from which environments with these swaps tell pip what to install.
pub(crate) fn roots<'e>(entries: impl IntoIterator<Item = &'e Entry>) -> BTreeSet<String> {
    let swapped = entries.into_iter().map(|entry| entry.path.clone());
    swapped.filter(|path| pip::is_given_to_pip(path)).chain([ROOT.to_owned()]).collect()
}

/// What the files at `roots` ask for, and all that they read. A root that is not there asks for nothing.
pub(crate) fn resolve(
    tree: &mut Tree<'_>,
    swap: &[Entry],
    roots: &BTreeSet<String>,
) -> Result<Vec<Requirement>, GitError> {
    let mut found = Vec::new();
    let mut read = BTreeSet::new();
    let root = |path: &String| Link { path: path.clone(), role: Role::Wanted, said: None };
    let mut level: Vec<Link> = roots.iter().map(root).collect();
    while !level.is_empty() {
        // One process a level, however many files it has.
        tree.read(level.iter().map(|link| link.path.as_str()))?;
        let mut next = Vec::new();
        for link in level {
            if !read.insert((link.path.clone(), link.role)) {
                continue;
            }
            match content(tree, swap, &link.path) {
                Some(content) => link.follow(content, &mut next, &mut found),
                None => found.extend(link.said),
            }
        }
        level = next;
    }
    Ok(found)
}

/// In what two lists differ, by name. How a line is spaced makes no difference, nor does the file that it stands in.
pub(crate) fn changes(before: &[Requirement], after: &[Requirement]) -> Vec<Change> {
    let mut sides: BTreeMap<(Role, String), [Vec<Requirement>; 2]> = BTreeMap::new();
    for (side, list) in [before, after].into_iter().enumerate() {
        for requirement in list {
            let told = &mut sides.entry((requirement.role, requirement.what().to_owned())).or_default()[side];
            if !told.iter().any(|other| other.meaning() == requirement.meaning()) {
                told.push(requirement.clone());
            }
        }
    }
    let meanings = |side: &[Requirement]| side.iter().map(Requirement::meaning).collect::<BTreeSet<_>>();
    let change = |((role, what), [before, after]): ((Role, String), [Vec<Requirement>; 2])| {
        (meanings(&before) != meanings(&after)).then_some(Change { what, role, before, after })
    };
    sides.into_iter().filter_map(change).collect()
}

impl Requirement {
    fn what(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.written)
    }

    /// What it says, however it is spaced, and however its name is spelled.
    fn meaning(&self) -> String {
        let dense: String = self.written.split_whitespace().collect();
        match &self.name {
            Some(name) => {
                let version = dense.find(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c));
                format!("{name}{}", &dense[version.unwrap_or(dense.len())..])
            }
            None => self.written.clone(),
        }
    }
}

/// A file that is to be read.
struct Link {
    path: String,
    role: Role,
    /// The line that names it, which stands for the file where that can't be read; none for a root.
    said: Option<Requirement>,
}

impl Link {
    /// Takes from a file's content what it asks for, and what it reads.
    fn follow(&self, content: &[u8], next: &mut Vec<Link>, found: &mut Vec<Requirement>) {
        for line in pip::lines(content) {
            match line {
                Line::Asks(asked) => found.push(Requirement {
                    name: asked.name,
                    written: asked.written,
                    role: self.role,
                    file: self.path.clone(),
                }),
                // pip takes a file for what the line that names it says, wherever that line stands.
                Line::Reads(role, value) => {
                    let letter = match role {
                        Role::Wanted => "-r",
                        Role::Constraint => "-c",
                    };
                    let written = format!("{letter} {}", without_credentials(&value));
                    let said = Requirement { name: None, written, role, file: self.path.clone() };
                    match pip::place(&self.path, &value) {
                        Place::Inside(path) => next.push(Link { path, role, said: Some(said) }),
                        Place::Outside | Place::Elsewhere | Place::Unknown => found.push(said),
                    }
                }
            }
        }
    }
}

/// What a file holds with the swap applied; none for what is no file.
fn content<'t>(tree: &'t Tree<'_>, swap: &'t [Entry], path: &str) -> Option<&'t [u8]> {
    if let Some(entry) = swap.iter().find(|entry| entry.path == path) {
        return entry.after.as_deref();
    }
    match tree.at(path) {
        Node::File { content, .. } => Some(content),
        Node::Nothing | Node::Symlink { .. } | Node::Folder | Node::Submodule => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(lines: &str) -> Vec<Requirement> {
        let link = Link { path: "requirements.txt".to_owned(), role: Role::Wanted, said: None };
        let mut found = Vec::new();
        link.follow(lines.as_bytes(), &mut Vec::new(), &mut found);
        found
    }

    fn told(before: &str, after: &str) -> Vec<String> {
        let side = |list: &[Requirement]| {
            list.iter().map(|requirement| requirement.written.clone()).collect::<Vec<_>>().join(" & ")
        };
        let told =
            |change: &Change| format!("{}: {} -> {}", change.what, side(&change.before), side(&change.after));
        changes(&list(before), &list(after)).iter().map(told).collect()
    }

    #[test]
    fn what_is_new_gone_or_other_is_told_by_name() {
        assert_eq!(
            told("Django==5.1\nruff\nzope.event\n", "django==5.2\nzope_event\ngunicorn==23\n"),
            ["django: Django==5.1 -> django==5.2", "gunicorn:  -> gunicorn==23", "ruff: ruff -> "]
        );
        assert_eq!(
            told("-r https://host/a.txt\n", "-r ${B}.txt\n"),
            ["-r ${B}.txt:  -> -r ${B}.txt", "-r https://host/a.txt: -r https://host/a.txt -> ",]
        );
        assert_eq!(
            told("a; python_version<'3'\na==2", "a==2\na==2"),
            ["a: a; python_version<'3' & a==2 -> a==2"]
        );
    }

    #[test]
    fn order_spaces_and_repetitions_are_no_change() {
        assert_eq!(told("a==1\nb >=2, <3\n", "b>=2,<3\nA == 1\na==1 --hash=sha256:00\n"), [""; 0]);
    }
}
