//! Folders for a while, outside of the project: a program in them finds no repository and no settings above it, and
//! `.gitignore` says nothing of them. A link in `.deploy/` names each from before it is made until it is gone, so that
//! a killed run's are found.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::StateDir;
use super::durable::{self, DurableError, PRIVATE_FOLDER};

/// A folder could not be made, or not be removed.
#[derive(Debug, Error)]
pub(crate) enum TemporaryError {
    #[error("can't {action} the temporary folder `{}`: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    #[error(transparent)]
    Durable(#[from] DurableError),
}

/// A private folder, which is gone when this goes.
#[derive(Debug)]
pub(crate) struct Temporary {
    path: PathBuf,
    link: PathBuf,
}

impl Temporary {
    /// Makes one in `room`, for one environment.
    pub(crate) fn make(
        state: &StateDir,
        environment: &str,
        room: &Path,
    ) -> Result<Temporary, TemporaryError> {
        let path = durable::beside(&room.join("deploy")).map_err(failed("name", room))?;
        let links = state.temporary(environment);
        let link = links.join(path.file_name().unwrap_or_default());
        state.create()?;
        durable::create_folder(&links)?;
        durable::link(&path, &link)?;
        let temporary = Temporary { path, link };
        // Never one that is there: it would be somebody else's.
        let made = DirBuilder::new().mode(PRIVATE_FOLDER).create(&temporary.path);
        made.map_err(failed("make", &temporary.path))?;
        Ok(temporary)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // What can't be removed now is told and tried again by the next run.
        let _removed = remove(&self.path, &self.link);
    }
}

/// Removes what killed runs left of an environment. The caller holds the environment, so nobody uses it. Gives what
/// could not be removed.
pub(crate) fn tidy(state: &StateDir, environment: &str) -> Vec<TemporaryError> {
    let links = fs::read_dir(state.temporary(environment)).into_iter().flatten().flatten();
    let left = links.filter_map(|link| Some((fs::read_link(link.path()).ok()?, link.path())));
    left.filter_map(|(path, link)| remove(&path, &link).err()).collect()
}

fn remove(path: &Path, link: &Path) -> Result<(), TemporaryError> {
    let removed = fs::remove_dir_all(path).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        // Some tools make folders that nobody may write to.
        io::ErrorKind::PermissionDenied => {
            open_up(path);
            fs::remove_dir_all(path)
        }
        _ => Err(error),
    });
    removed.map_err(failed("remove", path))?;
    durable::remove(link)?;
    if let Some(links) = link.parent() {
        durable::remove_empty(links);
    }
    Ok(())
}

/// Makes every folder in it writable, as far as that can be done.
fn open_up(folder: &Path) {
    let _opened = fs::set_permissions(folder, Permissions::from_mode(PRIVATE_FOLDER));
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_up(&entry.path());
        }
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> TemporaryError {
    move |source| TemporaryError::Io { action, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_private_and_gone_with_what_is_in_it_and_nothing_tells_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::of(folder.path(), None);
        let temporary = Temporary::make(&state, "staging", folder.path()).unwrap();
        let (path, mode) =
            (temporary.path().to_owned(), fs::metadata(temporary.path()).unwrap().permissions());
        assert_eq!(mode.mode() & 0o777, 0o700);
        fs::create_dir_all(path.join("a/b")).unwrap();
        fs::set_permissions(path.join("a"), Permissions::from_mode(0o500)).unwrap();
        drop(temporary);
        assert!(!path.exists() && !state.temporary("staging").exists());
    }

    #[test]
    fn what_a_killed_run_left_is_removed_and_only_that() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::of(folder.path(), None);
        let left = Temporary::make(&state, "staging", folder.path()).unwrap();
        let other = Temporary::make(&state, "production", folder.path()).unwrap();
        let path = left.path().to_owned();
        std::mem::forget(left);
        assert!(tidy(&state, "staging").is_empty());
        assert!(!path.exists() && other.path().exists());
        // It was gone already, and only the link had been left.
        let gone = Temporary::make(&state, "staging", folder.path()).unwrap();
        fs::remove_dir(gone.path()).unwrap();
        std::mem::forget(gone);
        assert!(tidy(&state, "staging").is_empty() && !state.temporary("staging").exists());
    }
}
