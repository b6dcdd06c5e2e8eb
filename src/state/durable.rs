//! Files that survive a crash: a reader sees the old content or the new, never a half of either.
//! The only user of `fs::write`'s kin and of `rename`. What a file means is decided above.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::syncfs;
use thiserror::Error;

/// Only the user may look into deploy's folders and files: they tell hosts, names and commands.
pub(crate) const PRIVATE_FOLDER: u32 = 0o700;
pub(crate) const PRIVATE_FILE: u32 = 0o600;

/// A file that could not be written.
#[derive(Debug, Error)]
#[error("can't {action} `{}`: {source}", path.display())]
pub(crate) struct DurableError {
    action: &'static str,
    pub(crate) path: PathBuf,
    pub(crate) source: io::Error,
}

impl DurableError {
    /// What could not be done to which file, and why.
    pub(super) fn new(action: &'static str, path: &Path, source: io::Error) -> DurableError {
        DurableError { action, path: path.to_owned(), source }
    }
}

/// Gives a file this content and this mode, at once: written beside it, brought to disk, then renamed over it.
pub(crate) fn replace(path: &Path, content: &[u8], mode: u32) -> Result<(), DurableError> {
    let failed = |action| move |source| DurableError { action, path: path.to_owned(), source };
    let temporary = beside(path).map_err(failed("write beside"))?;
    let written = write_new(&temporary, content, mode).map_err(failed("write beside"));
    let renamed = written.and_then(|()| rename(&temporary, path).map_err(failed("replace")));
    if renamed.is_err() {
        // It is ours alone, and nobody needs it now; the first error is the one to tell.
        drop(fs::remove_file(&temporary));
    }
    renamed
}

/// Keeps these bytes in a new private file of a folder: its path.
pub(crate) fn keep(folder: &Path, content: &[u8]) -> Result<PathBuf, DurableError> {
    let failed = |source| DurableError { action: "keep a copy in", path: folder.to_owned(), source };
    let path = beside(&folder.join("copy")).map_err(failed)?;
    write_new(&path, content, PRIVATE_FILE).and_then(|()| sync_folder_of(&path)).map_err(failed)?;
    Ok(path)
}

/// A new file of a folder that is private, to be filled, and its path; of this mode less what the user's umask takes. It
/// is nobody's until [`adopt`] gives it a place.
pub(crate) fn draft(folder: &Path, mode: u32) -> Result<(PathBuf, File), DurableError> {
    let failed = |source| DurableError { action: "write into", path: folder.to_owned(), source };
    let path = beside(&folder.join("draft")).map_err(failed)?;
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&path).map_err(failed)?;
    Ok((path, file))
}

/// Puts a draft in its place at once. It is not synced: what it was made of is still there.
pub(crate) fn adopt(draft: &Path, place: &Path) -> Result<(), DurableError> {
    let failed = |source| DurableError { action: "write", path: place.to_owned(), source };
    match move_unsynced(draft, place) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            let copy = beside(place).map_err(failed)?;
            fs::copy(draft, &copy).and_then(|_| move_unsynced(&copy, place)).map_err(failed)
        }
        moved => moved.map_err(failed),
    }
}

/// Brings a draft to disk, and puts it in its place at once.
pub(crate) fn settle(file: &File, draft: &Path, place: &Path) -> io::Result<()> {
    file.sync_all()?;
    rename(draft, place)
}

/// As [`settle`], but where nothing is yet: whoever is second is told that it exists.
pub(crate) fn settle_new(file: &File, draft: &Path, place: &Path) -> io::Result<()> {
    file.sync_all()?;
    match fs::hard_link(draft, place) {
        Ok(()) => {
            fs::remove_file(draft)?;
            sync_folder_of(place)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        // Some file systems know no second names; there, two at the same moment are not told apart.
        Err(_) if place.try_exists()? => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => rename(draft, place),
    }
}

/// Removes a file; one that is not there is removed.
pub(crate) fn remove(path: &Path) -> Result<(), DurableError> {
    let removed = fs::remove_file(path).and_then(|()| sync_folder_of(path));
    match removed {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(DurableError { action: "remove", path: path.to_owned(), source })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Removes a folder, and the one above it, if nothing is in them.
pub(crate) fn remove_empty(folder: &Path) {
    // Others may be at work in them; then they stay.
    let _removed = fs::remove_dir(folder).and_then(|()| folder.parent().map_or(Ok(()), fs::remove_dir));
}

/// Moves a folder or a file that was made under another name to its place, where nothing is yet.
pub(crate) fn publish(made: &Path, place: &Path) -> Result<(), DurableError> {
    rename(made, place).map_err(|source| DurableError { action: "create", path: place.to_owned(), source })
}

/// A name in the same folder that nobody else has.
pub(crate) fn beside(path: &Path) -> io::Result<PathBuf> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{:016x}.tmp", u64::from_ne_bytes(random)));
    Ok(path.with_file_name(name))
}

/// Makes `place` a symlink to `target`, at once: who goes through it finds what it named before, or `target`.
pub(crate) fn link(target: &Path, place: &Path) -> Result<(), DurableError> {
    let failed = |action| move |source| DurableError { action, path: place.to_owned(), source };
    let temporary = beside(place).map_err(failed("link"))?;
    let linked = symlink(target, &temporary).map_err(failed("link"));
    let renamed = linked.and_then(|()| rename(&temporary, place).map_err(failed("link")));
    if renamed.is_err() {
        // It is ours alone, and nobody needs it now; the first error is the one to tell.
        let _removed = fs::remove_file(&temporary);
    }
    renamed
}

/// Brings to disk all that anybody wrote to the file system of a folder, names and contents: for a tree of files that
/// other programs wrote too.
pub(crate) fn sync_file_system(folder: &Path) -> Result<(), DurableError> {
    let synced = File::open(folder).and_then(|folder| Ok(syncfs(&folder)?));
    synced.map_err(|source| DurableError { action: "bring to disk", path: folder.to_owned(), source })
}

/// Makes a private folder and those above it that are missing; one that exists is left as it is.
pub(crate) fn create_folder(path: &Path) -> Result<(), DurableError> {
    let failed = |source| DurableError { action: "create the folder", path: path.to_owned(), source };
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(PRIVATE_FOLDER).create(path).map_err(failed)?;
    sync_folder_of(path).map_err(failed)
}

/// A file that only grows.
pub(crate) struct Appended {
    file: File,
    path: PathBuf,
}

impl Appended {
    /// Opens a private file, and creates it where it is missing.
    pub(crate) fn open(path: &Path) -> Result<Appended, DurableError> {
        let open = || {
            let file = OpenOptions::new().append(true).create(true).mode(PRIVATE_FILE).open(path)?;
            sync_folder_of(path)?;
            Ok(file)
        };
        let file = open().map_err(|source| DurableError { action: "open", path: path.to_owned(), source })?;
        Ok(Appended { file, path: path.to_owned() })
    }

    /// Claims the file for this process until it ends: whether nobody else had.
    pub(crate) fn claim(&self) -> bool {
        self.file.try_lock().is_ok()
    }

    /// Adds these bytes; when it returns they are on disk.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), DurableError> {
        let written = self.file.write_all(bytes).and_then(|()| self.file.sync_data());
        written.map_err(|source| DurableError { action: "append to", path: self.path.clone(), source })
    }
}

fn write_new(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(PRIVATE_FILE).open(path)?;
    file.write_all(content)?;
    // Set here and not at the creation, where the umask would take from it.
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    file.sync_all()
}

#[expect(clippy::disallowed_methods, reason = "this is the durable file: the new content is on disk before")]
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    sync_folder_of(to)
}

#[expect(clippy::disallowed_methods, reason = "what is lost by a crash is made again")]
fn move_unsynced(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

/// Makes a folder and those above it that are missing, for all whom the umask lets in, and brings their names to disk.
pub(crate) fn create_open_folder(path: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = path.ancestors().take_while(|folder| !folder.exists()).collect();
    fs::create_dir_all(path)?;
    missing.into_iter().try_for_each(sync_folder_of)
}

/// A name is on disk when its folder is.
fn sync_folder_of(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        Some(_) | None => File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_file_has_the_content_and_the_mode_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        replace(&path, b"one", 0o755).unwrap();
        replace(&path, b"two", 0o640).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_can_not_be_replaced_is_named_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("folder");
        fs::create_dir_all(path.join("full")).unwrap();
        let error = replace(&path, b"x", PRIVATE_FILE).unwrap_err();
        assert!(error.to_string().starts_with("can't replace `/"), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_is_replaced_by_another_and_a_folder_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (place, taken) = (folder.path().join("current"), folder.path().join("folder"));
        link(Path::new("releases/1"), &place).unwrap();
        link(Path::new("releases/2"), &place).unwrap();
        assert_eq!(fs::read_link(&place).unwrap(), Path::new("releases/2"));
        fs::create_dir(&taken).unwrap();
        assert!(link(Path::new("releases/1"), &taken).unwrap_err().to_string().starts_with("can't link `/"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn an_appended_file_keeps_what_it_has() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        Appended::open(&path).unwrap().append(b"a\n").unwrap();
        Appended::open(&path).unwrap().append(b"b\n").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"a\nb\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, PRIVATE_FILE);
    }
}
