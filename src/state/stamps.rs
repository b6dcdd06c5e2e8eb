//! What was so when tasks were last done: a file of lines that only grows, read at once. Each line is written in one
//! piece, under a lock that keeps others from replacing the file meanwhile; one that was cut off is as if it were not
//! there. Nothing is synced: who loses the newest lines does once more what was done.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::ops::Range;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::StateDir;
use super::durable::{self, DurableError, PRIVATE_FILE};
use crate::model::tree::Digest;

/// The first line. What another version wrote is not understood, and as if it were not there.
const HEADER: &str = "deploy stamps 1\n";

/// A file of fewer bytes is never written anew.
const SMALL: usize = 1 << 20;

/// How many lines may stand in the file for nothing, for each job.
const WASTE: usize = 3;

/// How many digits of a digest tell one line from another.
const KEY: usize = 32;

/// A line to be.
pub(crate) enum Line {
    /// A task's work is done; what was so then, as JSON.
    Stamp { job: String, json: String },
    /// It is not, or not any more.
    Void { job: String },
    /// Files and what is in them, as JSON.
    Tree { digest: Digest, json: String },
}

/// What is known of a task's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Noted<'s> {
    Stamp(&'s str),
    Void,
}

/// The file, as it was read, with what was added since.
pub(crate) struct Stamps {
    state: StateDir,
    path: PathBuf,
    text: String,
    jobs: HashMap<u128, Option<Range<usize>>>,
    trees: HashMap<u128, Range<usize>>,
    /// Whether somebody else wrote the file, or another version: it is then written anew.
    is_strange: bool,
    /// How many lines later ones have taken the place of.
    waste: usize,
}

impl Stamps {
    /// Reads what there is; nothing is created. What can't be read is as if it were not there.
    pub(crate) fn read(state: &StateDir) -> Stamps {
        let path = state.stamps();
        // A line that was cut off may end within a character.
        let bytes = fs::read(&path).unwrap_or_default();
        let text = String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        let mut stamps = Stamps {
            state: state.clone(),
            path,
            text: String::new(),
            jobs: HashMap::new(),
            trees: HashMap::new(),
            is_strange: !text.is_empty() && !text.starts_with(HEADER),
            waste: 0,
        };
        if text.starts_with(HEADER) {
            stamps.text = text;
            stamps.index(HEADER.len());
        }
        stamps
    }

    /// What is known of a job.
    pub(crate) fn job(&self, job: &str) -> Option<Noted<'_>> {
        let noted = self.jobs.get(&key_of(job))?;
        Some(noted.clone().map_or(Noted::Void, |json| Noted::Stamp(&self.text[json])))
    }

    /// A tree that a stamp names.
    pub(crate) fn tree(&self, digest: &Digest) -> Option<&str> {
        self.trees.get(&digest.half()).map(|json| &self.text[json.clone()])
    }

    /// Adds lines, here and in the file.
    ///
    /// # Errors
    /// The file can't be written; then nothing is added here either.
    pub(crate) fn add(&mut self, lines: &[Line]) -> Result<(), DurableError> {
        let mut added = String::new();
        for line in lines {
            line.write(&mut added);
        }
        self.state.create()?;
        if std::mem::take(&mut self.is_strange) {
            durable::replace(&self.path, HEADER.as_bytes(), PRIVATE_FILE)?;
        }
        let failed = |source| DurableError::new("append to", &self.path, source);
        append(&self.path, &added).map_err(failed)?;
        let start = self.text.len();
        self.text.push_str(&added);
        self.index(start);
        Ok(())
    }

    /// Writes the file anew without what stands in it for nothing, if that is much. `names` says which trees a stamp
    /// names; none for a stamp that nobody needs any more.
    pub(crate) fn tidy(&mut self, names: impl Fn(&str) -> Option<Vec<Digest>>) -> Result<(), DurableError> {
        if self.text.len() < SMALL || self.waste <= WASTE * self.jobs.len() {
            return Ok(());
        }
        let failed = |source| DurableError::new("lock", &self.path, source);
        let file = File::open(&self.path).map_err(failed)?;
        file.lock().map_err(failed)?;
        if !is_at(&file, &self.path) {
            // Somebody else was first.
            return Ok(());
        }
        // Others may have added to it.
        let now = Stamps::read(&self.state);
        let mut text = HEADER.to_owned();
        let mut kept = HashMap::new();
        for (job, json) in &now.jobs {
            let json = json.clone().map(|json| &now.text[json]);
            if let Some(json) = json
                && let Some(trees) = names(json)
            {
                kept.extend(trees.into_iter().map(|tree| (tree.to_string(), tree)));
                text.extend([&format!("s {job:032x} "), json, "\n"]);
            }
        }
        for (name, digest) in &kept {
            text.extend(now.tree(digest).map(|json| format!("t {name} {json}\n")));
        }
        durable::replace(&self.path, text.as_bytes(), PRIVATE_FILE)?;
        *self = Stamps::read(&self.state);
        Ok(())
    }

    /// Notes where the lines from `start` on stand.
    fn index(&mut self, start: usize) {
        let mut at = start;
        while let Some(length) = memchr::memchr(b'\n', &self.text.as_bytes()[at..]) {
            let line = at..at + length;
            at = line.end + 1;
            let replaced = match Kind::of(&self.text[line.clone()]) {
                Some((Kind::Stamp, key, json)) => {
                    self.jobs.insert(key, Some(line.start + json..line.end)).flatten()
                }
                Some((Kind::Void, key, _)) => self.jobs.insert(key, None).flatten(),
                Some((Kind::Tree, key, json)) => self.trees.insert(key, line.start + json..line.end),
                // A line that was cut off.
                None => Some(line),
            };
            self.waste += usize::from(replaced.is_some());
        }
    }
}

enum Kind {
    Stamp,
    Void,
    Tree,
}

impl Kind {
    /// The kind of a line, its key, and where its JSON begins.
    fn of(line: &str) -> Option<(Kind, u128, usize)> {
        let (kind, rest) = line.split_at_checked(2)?;
        let name = rest.split(' ').next()?;
        let key = key(name)?;
        let json = (kind.len() + name.len() + 1).min(line.len());
        match kind {
            "s " => Some((Kind::Stamp, key, json)),
            "v " => Some((Kind::Void, key, json)),
            "t " => Some((Kind::Tree, key, json)),
            _ => None,
        }
    }
}

impl Line {
    fn write(&self, text: &mut String) {
        match self {
            Line::Stamp { job, json } => text.extend([&format!("s {:032x} ", key_of(job)), json, "\n"]),
            Line::Void { job } => text.extend(["v ", &format!("{:032x}", key_of(job)), "\n"]),
            Line::Tree { digest, json } => text.extend([&format!("t {digest} "), json, "\n"]),
        }
    }
}

fn key_of(job: &str) -> u128 {
    Digest::of(job.as_bytes()).half()
}

fn key(digits: &str) -> Option<u128> {
    u128::from_str_radix(digits.get(..KEY)?, 16).ok()
}

/// Adds to the file that has this name when it is locked; it may have been another one before.
fn append(path: &Path, text: &str) -> io::Result<()> {
    loop {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file =
            OpenOptions::new().read(true).append(true).create(true).mode(PRIVATE_FILE).open(path)?;
        file.lock_shared()?;
        if is_at(&file, path) {
            let length = file.metadata()?.len();
            let before = if length == 0 { HEADER } else { unfinished(&mut file, length)? };
            return file.write_all([before, text].concat().as_bytes());
        }
    }
}

/// Whether the file still has this name.
fn is_at(file: &File, path: &Path) -> bool {
    let number = |metadata: fs::Metadata| metadata.ino();
    fs::metadata(path).ok().map(number).is_some_and(|named| file.metadata().ok().map(number) == Some(named))
}

/// What ends a line that was cut off, so that the next one is whole.
fn unfinished(file: &mut File, length: u64) -> io::Result<&'static str> {
    let mut last = [0];
    io::Seek::seek(file, io::SeekFrom::Start(length - 1))?;
    file.read_exact(&mut last)?;
    Ok(if last == *b"\n" { "" } else { "\n" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(folder: &Path) -> StateDir {
        StateDir::of(folder, None)
    }

    fn stamp(job: &str, tree: &str) -> [Line; 2] {
        let digest = Digest::of(tree.as_bytes());
        let stamp = Line::Stamp { job: job.to_owned(), json: digest.to_string() };
        [Line::Tree { digest, json: tree.to_owned() }, stamp]
    }

    #[test]
    fn what_was_added_is_there_for_all_who_read_and_the_last_word_counts() {
        let folder = tempfile::tempdir().unwrap();
        let (mut one, mut other) = (Stamps::read(&state(folder.path())), Stamps::read(&state(folder.path())));
        one.add(&stamp("a", "1")).unwrap();
        other.add(&stamp("b", "2")).unwrap();
        one.add(&stamp("c", "3")).unwrap();
        one.add(&[Line::Void { job: "c".to_owned() }]).unwrap();
        let digest = Digest::of(b"1");
        let read = Stamps::read(&state(folder.path()));
        assert_eq!(read.job("a"), Some(Noted::Stamp(&digest.to_string())));
        assert_eq!(read.tree(&digest), Some("1"));
        assert!(matches!(read.job("b"), Some(Noted::Stamp(_))));
        assert_eq!((read.job("c"), read.job("d")), (Some(Noted::Void), None));
        assert_eq!(one.job("b"), None);
    }

    #[test]
    fn a_file_that_holds_much_for_nothing_is_written_anew_with_what_others_added() {
        let folder = tempfile::tempdir().unwrap();
        let mut stamps = Stamps::read(&state(folder.path()));
        let trees = [1, 2, 3].map(|number| number.to_string().repeat(SMALL));
        for tree in trees.iter().cycle().take(3 + 3 * WASTE) {
            stamps.add(&stamp("a", tree)).unwrap();
        }
        stamps.add(&stamp("old", "old")).unwrap();
        Stamps::read(&state(folder.path())).add(&stamp("b", "b")).unwrap();
        let keep = |json: &str| {
            let digest = trees.iter().map(|tree| Digest::of(tree.as_bytes())).chain([Digest::of(b"b")]);
            let named: Vec<Digest> = digest.filter(|digest| digest.to_string() == json).collect();
            (!named.is_empty()).then_some(named)
        };
        stamps.tidy(keep).unwrap();
        assert!(fs::metadata(state(folder.path()).stamps()).unwrap().len() < 2 * SMALL as u64);
        for read in [&stamps, &Stamps::read(&state(folder.path()))] {
            assert_eq!(read.tree(&Digest::of(trees[2].as_bytes())), Some(trees[2].as_str()));
            assert!(matches!((read.job("a"), read.job("b")), (Some(Noted::Stamp(_)), Some(Noted::Stamp(_)))));
            assert_eq!((read.job("old"), read.tree(&Digest::of(trees[0].as_bytes()))), (None, None));
        }
    }
}
