//! A folder as it was at one moment, byte for byte, to tell whether anything in it was touched since.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Everything in a folder but one entry at its top.
#[derive(PartialEq, Eq)]
pub(crate) struct Picture {
    folder: PathBuf,
    except: String,
    entries: BTreeMap<PathBuf, Entry>,
}

#[derive(Debug, PartialEq, Eq)]
enum Entry {
    Folder { mode: u32 },
    File { mode: u32, bytes: Vec<u8> },
    Link { to: PathBuf },
}

impl Picture {
    pub(crate) fn take(folder: &Path, except: &str) -> Picture {
        let mut entries = BTreeMap::new();
        let mut open = vec![folder.to_owned()];
        while let Some(at) = open.pop() {
            for found in fs::read_dir(&at).expect("a folder that can be listed") {
                let path = found.expect("an entry").path();
                if path == folder.join(except) {
                    continue;
                }
                let metadata = path.symlink_metadata().expect("an entry that was just listed");
                let mode = metadata.permissions().mode();
                let entry = if metadata.is_dir() {
                    open.push(path.clone());
                    Entry::Folder { mode }
                } else if metadata.is_symlink() {
                    Entry::Link { to: fs::read_link(&path).expect("a link") }
                } else {
                    Entry::File { mode, bytes: fs::read(&path).expect("a file that can be read") }
                };
                entries.insert(path, entry);
            }
        }
        Picture { folder: folder.to_owned(), except: except.to_owned(), entries }
    }

    /// The paths that are not any more what they were, or are new.
    pub(crate) fn changes(&self) -> Vec<String> {
        let now = Picture::take(&self.folder, &self.except);
        let paths = self.entries.keys().chain(now.entries.keys());
        let mut changed: Vec<&PathBuf> =
            paths.filter(|path| self.entries.get(*path) != now.entries.get(*path)).collect();
        changed.sort();
        changed.dedup();
        let relative =
            |path: &&PathBuf| path.strip_prefix(&self.folder).unwrap_or(path).display().to_string();
        changed.iter().map(relative).collect()
    }

    #[track_caller]
    pub(crate) fn assert_unchanged(&self) {
        let changes = self.changes();
        assert!(changes.is_empty(), "these must not have changed: {}", changes.join(", "));
    }
}
