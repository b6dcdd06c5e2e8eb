//! The files that patterns name, as they are in a folder now. A folder stands for all that is in it; `.git` and
//! `.deploy` are nobody's. Only what a walk finds is asked whether git ignores it: who names a file means it.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use globset::{GlobBuilder, GlobMatcher};
use ignore::{DirEntry, WalkBuilder};

use crate::model::files::{Files, Pattern, SPECIAL, Sense, Unless};

/// Folders of git and of deploy, which change with whatever is done.
pub(super) const NOBODYS: [&str; 2] = [".git", ".deploy"];

/// Something that could not be looked at.
#[derive(Debug, thiserror::Error)]
#[error("can't read `{}`: {source}", path.display())]
pub(crate) struct Unreadable {
    pub(crate) path: PathBuf,
    pub(crate) source: io::Error,
}

/// A file that was found; of a link that leads to a file, that file. `Err` is where any other link leads.
pub(super) type Found = Result<Metadata, PathBuf>;

/// The files by their paths, relative to `dir`. What `besides` takes in is left out.
pub(super) fn find(
    dir: &Path,
    files: &Files<Pattern>,
    besides: &Files<Pattern>,
) -> Result<BTreeMap<String, Found>, Unreadable> {
    let mut found = BTreeMap::new();
    let rules = Arc::new(Rules::new(files, besides));
    let takes_in = |path: &str| rules.last(path) == Some(Sense::TakesIn);
    for base in roots(files) {
        let start = dir.join(base);
        match look(&start) {
            Ok(Some(Ok(metadata))) if metadata.is_dir() => {
                walk(dir, &start, files.unless, &rules, &mut found)?;
            }
            Ok(Some(file)) if is_file(&file) && takes_in(base) => drop(found.insert(base.to_owned(), file)),
            Ok(Some(_) | None) => {}
            Err(source) => return Err(Unreadable { path: start, source }),
        }
    }
    Ok(found)
}

/// Sockets, pipes and devices hold nothing that could be read twice.
fn is_file(found: &Found) -> bool {
    found.as_ref().map_or(true, Metadata::is_file)
}

/// What says whether patterns name a path beneath their folder.
pub(super) fn namer(files: &Files<Pattern>) -> impl Fn(&str) -> bool {
    let takes_in = taker(files);
    move |path| {
        let goes_up = Path::new(path).components().any(|part| !matches!(part, Component::Normal(_)));
        !goes_up && takes_in(path)
    }
}

/// What says whether patterns name something, whatever it may be.
pub(crate) fn taker(files: &Files<Pattern>) -> impl Fn(&str) -> bool {
    let rules = Rules::new(files, &Files::default());
    move |name| rules.last(name) == Some(Sense::TakesIn)
}

/// For each pattern, the path that everything lies at or beneath that it matches.
pub(super) fn roots(files: &Files<Pattern>) -> impl Iterator<Item = &str> {
    files.patterns.iter().filter(|pattern| pattern.sense == Sense::TakesIn).map(|pattern| {
        let glob = normal(&pattern.glob);
        if glob.contains(SPECIAL) { base(glob) } else { glob }
    })
}

/// What is at a path: nothing, a file or folder (also at a link's end), or a link that leads nowhere.
fn look(path: &Path) -> io::Result<Option<Found>> {
    let nothing =
        |error: &io::Error| matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(Ok(metadata))),
        Err(error) if nothing(&error) => Ok(fs::read_link(path).ok().map(Err)),
        Err(error) => Err(error),
    }
}

fn walk(
    dir: &Path,
    start: &Path,
    unless: Unless,
    rules: &Arc<Rules>,
    all: &mut BTreeMap<String, Found>,
) -> Result<(), Unreadable> {
    let ignored = unless == Unless::Ignored;
    let entered = Arc::clone(rules);
    let (root, top) = (dir.to_owned(), start.to_owned());
    let walk = WalkBuilder::new(start)
        .standard_filters(false)
        .git_ignore(ignored)
        .git_exclude(ignored)
        .git_global(ignored)
        .parents(ignored)
        .require_git(false)
        .filter_entry(move |entry| enters(&root, &top, &entered, entry))
        .build();
    for entry in walk {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => match unreadable(start, error) {
                Some(unreadable) => return Err(unreadable),
                // It was there a moment ago.
                None => continue,
            },
        };
        let Some(kind) = entry.file_type().filter(|kind| !kind.is_dir()) else { continue };
        let path = entry.path();
        let found = if kind.is_symlink() {
            match look(path) {
                // What is in a folder that a link leads to belongs to that folder.
                Ok(Some(Ok(metadata))) if metadata.is_dir() => fs::read_link(path).ok().map(Err),
                Ok(found) => found,
                Err(source) => return Err(Unreadable { path: path.to_owned(), source }),
            }
        } else {
            entry.metadata().ok().map(Ok)
        };
        if let Some(found) = found.filter(is_file) {
            let name = relative(dir, path);
            if rules.last(&name) != Some(Sense::TakesIn) {
                continue;
            }
            if path.strip_prefix(dir).unwrap_or(path).to_str().is_none() {
                let why = "its name is no UTF-8: rename it, or leave it out";
                return Err(Unreadable { path: path.to_owned(), source: io::Error::other(why) });
            }
            all.insert(name, found);
        }
    }
    Ok(())
}

/// Whether a walk goes on into an entry.
fn enters(dir: &Path, top: &Path, rules: &Rules, entry: &DirEntry) -> bool {
    let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
    if !is_folder || entry.path() == top {
        return true;
    }
    let is_nobodys = entry.file_name().to_str().is_some_and(|name| NOBODYS.contains(&name));
    !is_nobodys && !rules.leaves_all_out(&relative(dir, entry.path()))
}

fn unreadable(start: &Path, error: ignore::Error) -> Option<Unreadable> {
    let path = match &error {
        ignore::Error::WithPath { path, .. } => path.clone(),
        _ => start.to_owned(),
    };
    let source = error.into_io_error()?;
    (source.kind() != io::ErrorKind::NotFound).then_some(Unreadable { path, source })
}

fn relative(dir: &Path, path: &Path) -> String {
    path.strip_prefix(dir).unwrap_or(path).to_string_lossy().into_owned()
}

/// Whether a path is this one, or lies beneath it.
pub(super) fn is_at(path: &str, folder: &str) -> bool {
    let rest = path.strip_prefix(folder);
    rest.is_some_and(|rest| rest.is_empty() || folder.is_empty() || rest.starts_with('/'))
}

/// A glob without what goes without saying.
pub(super) fn normal(glob: &str) -> &str {
    let glob = glob.trim_end_matches('/');
    let mut glob = glob;
    while let Some(rest) = glob.strip_prefix("./") {
        glob = rest;
    }
    if glob == "." { "" } else { glob }
}

/// The folder that everything lies in that a glob matches.
fn base(glob: &str) -> &str {
    let special = glob.find(SPECIAL).unwrap_or(glob.len());
    glob[..special].rfind('/').map_or("", |end| &glob[..end])
}

/// What patterns say of a path.
struct Rules(Vec<(Sense, Names)>);

/// What a pattern matches, and all that is in it if it is a folder.
enum Names {
    /// Most patterns are paths, and need no glob.
    Path(String),
    Glob(Box<GlobMatcher>),
}

impl Names {
    /// A value in a pattern is escaped, and the file was checked.
    fn of(pattern: &Pattern) -> Option<Names> {
        let glob = normal(&pattern.glob);
        if pattern.as_path().is_some() {
            return Some(Names::Path(glob.to_owned()));
        }
        let glob = GlobBuilder::new(glob).literal_separator(true).build().ok()?;
        Some(Names::Glob(Box::new(glob.compile_matcher())))
    }

    fn has(&self, path: &str) -> bool {
        match self {
            Names::Path(folder) => is_at(path, folder),
            Names::Glob(glob) => Path::new(path).ancestors().any(|above| glob.is_match(above)),
        }
    }
}

impl Rules {
    fn new(files: &Files<Pattern>, besides: &Files<Pattern>) -> Rules {
        let outside = besides.patterns.iter().filter(|pattern| pattern.sense == Sense::TakesIn);
        let patterns = files.patterns.iter().map(|pattern| (pattern.sense, pattern));
        let patterns = patterns.chain(outside.map(|pattern| (Sense::LeavesOut, pattern)));
        Rules(patterns.filter_map(|(sense, pattern)| Some((sense, Names::of(pattern)?))).collect())
    }

    /// What the last pattern that matches says.
    fn last(&self, path: &str) -> Option<Sense> {
        self.0.iter().rev().find(|(_, names)| names.has(path)).map(|(sense, _)| *sense)
    }

    /// Whether nothing in a folder can be taken in.
    fn leaves_all_out(&self, folder: &str) -> bool {
        let last = self.0.iter().rposition(|(_, names)| names.has(folder));
        last.is_some_and(|index| self.0[index..].iter().all(|(sense, _)| *sense == Sense::LeavesOut))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(patterns: &[&str], unless: Unless) -> Files<Pattern> {
        let pattern = |text: &&str| match text.strip_prefix('!') {
            Some(glob) => Pattern { sense: Sense::LeavesOut, glob: glob.to_owned() },
            None => Pattern { sense: Sense::TakesIn, glob: (*text).to_owned() },
        };
        Files { patterns: patterns.iter().map(pattern).collect(), unless, ..Files::default() }
    }

    /// The files of a folder that has these.
    fn found(there: &[&str], patterns: &[&str], besides: &[&str], unless: Unless) -> String {
        let folder = tempfile::tempdir().unwrap();
        for path in there {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            File::create(path).unwrap();
        }
        fs::create_dir_all(folder.path().join("in")).unwrap();
        let besides = files(besides, Unless::Nothing);
        let found = find(&folder.path().join("in"), &files(patterns, unless), &besides).unwrap();
        found.into_keys().collect::<Vec<_>>().join(" ")
    }

    use std::fs::File;

    #[test]
    fn the_last_pattern_that_matches_counts() {
        let there = ["in/a.py", "in/lib/b.py", "in/lib/c.txt", "in/tmp/d.py", "in/tmp/keep/e.py"];
        let take = |patterns: &[&str]| found(&there, patterns, &[], Unless::Nothing);
        assert_eq!(take(&["*.py"]), "a.py");
        assert_eq!(take(&["**/*.py"]), "a.py lib/b.py tmp/d.py tmp/keep/e.py");
        assert_eq!(take(&["**/*.py", "!tmp"]), "a.py lib/b.py");
        assert_eq!(take(&["**/*.py", "!tmp/**", "tmp/keep/*"]), "a.py lib/b.py tmp/keep/e.py");
        assert_eq!(take(&["!tmp", "**/*.{py,txt}"]), "a.py lib/b.py lib/c.txt tmp/d.py tmp/keep/e.py");
        assert_eq!(take(&["./lib/"]), "lib/b.py lib/c.txt");
        assert_eq!(take(&["lib", "!**/*.txt"]), "lib/b.py");
        assert_eq!(take(&["lib/[ab].py", "a.py", "gone"]), "a.py lib/b.py");
        assert_eq!(take(&["."]), "a.py lib/b.py lib/c.txt tmp/d.py tmp/keep/e.py");
    }

    #[test]
    fn files_outside_of_the_folder_are_found_too_and_those_of_git_and_deploy_are_not() {
        let there = ["shared/x", "in/.git/config", "in/.deploy/stamps/main", "in/.env", "in/a/.git"];
        assert_eq!(found(&there, &["**", "../shared/*"], &[], Unless::Nothing), "../shared/x .env a/.git");
    }

    #[test]
    fn what_a_task_makes_is_not_what_it_reads() {
        let there = ["in/a.c", "in/dist/a.o", "in/log"];
        assert_eq!(found(&there, &["**"], &["dist", "log"], Unless::Nothing), "a.c");
    }

    #[test]
    fn what_git_ignores_is_left_out_on_request_unless_it_is_named() {
        let folder = tempfile::tempdir().unwrap();
        for path in [".gitignore", "a", "b.log", "sub/.gitignore", "sub/c", "sub/d", "venv/e"] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            File::create(path).unwrap();
        }
        durable::replace(&folder.path().join(".gitignore"), b"*.log\n/venv/\n", 0o600).unwrap();
        durable::replace(&folder.path().join("sub/.gitignore"), b"c\n", 0o600).unwrap();
        let find = |patterns: &[&str], unless| {
            let found = find(folder.path(), &files(patterns, unless), &Files::default()).unwrap();
            found.into_keys().filter(|path| !path.ends_with(".gitignore")).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(find(&["**"], Unless::Nothing), "a b.log sub/c sub/d venv/e");
        assert_eq!(find(&["**"], Unless::Ignored), "a sub/d");
        assert_eq!(find(&["sub"], Unless::Ignored), "sub/d");
        assert_eq!(find(&["**", "b.log"], Unless::Ignored), "a b.log sub/d");
    }

    use crate::state::durable;

    #[test]
    fn links_are_followed_to_files_and_not_into_folders() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("real")).unwrap();
        File::create(folder.path().join("real/file")).unwrap();
        for (to, name) in [("real/file", "to_file"), ("real", "to_folder"), ("nowhere", "to_nothing")] {
            std::os::unix::fs::symlink(to, folder.path().join(name)).unwrap();
        }
        let found = find(folder.path(), &files(&["**"], Unless::Nothing), &Files::default()).unwrap();
        let shown: Vec<String> = found
            .into_iter()
            .map(|(path, found)| match found {
                Ok(metadata) => format!("{path} {}", if metadata.is_file() { "file" } else { "other" }),
                Err(to) => format!("{path} -> {}", to.display()),
            })
            .collect();
        assert_eq!(shown, ["real/file file", "to_file file", "to_folder -> real", "to_nothing -> nowhere"]);
    }
}
