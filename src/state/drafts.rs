//! Files that are made out of sight, and are put in their places when all of them are good. What is not is gone with the
//! drafts. Each set has a folder that nobody else has: others come and go at the same time.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::StateDir;
use super::durable::{self, DurableError};

/// Files that have no place yet.
pub(crate) struct Drafts {
    folder: PathBuf,
    pub(crate) files: Vec<PathBuf>,
}

impl Drafts {
    pub(crate) fn new(state: &StateDir) -> Result<Drafts, DurableError> {
        state.create()?;
        let place = state.path().join("drafts");
        let folder =
            durable::beside(&place).map_err(|source| DurableError::new("write beside", &place, source))?;
        durable::create_folder(&folder)?;
        Ok(Drafts { folder, files: Vec::new() })
    }

    /// One more file, empty, of this mode less what the user's umask takes.
    pub(crate) fn add(&mut self, mode: u32) -> Result<File, DurableError> {
        let (path, file) = durable::draft(&self.folder, mode)?;
        self.files.push(path);
        Ok(file)
    }

    /// One more, private and with this in it: its path.
    pub(crate) fn write(&mut self, content: &[u8]) -> Result<PathBuf, DurableError> {
        let written = self.add(durable::PRIVATE_FILE)?.write_all(content);
        let path = self.files.last().cloned().unwrap_or_default();
        written.map_err(|source| DurableError::new("write", &path, source))?;
        Ok(path)
    }

    /// Puts one of them in its place at once.
    pub(crate) fn adopt(draft: &Path, place: &Path) -> Result<(), DurableError> {
        durable::adopt(draft, place)
    }
}

impl Drop for Drafts {
    fn drop(&mut self) {
        // What can't be removed is private, and nobody's.
        let _removed = fs::remove_dir_all(&self.folder);
    }
}
