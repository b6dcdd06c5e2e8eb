//! Which git checkout a folder lies in, found by reading git's own marks, without a process.
//! It answers where things are; what is in them is asked of git (`release::repository`).

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

/// A folder inside a git checkout. All paths are absolute and free of symlinks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checkout {
    /// The checkout's topmost folder.
    pub(crate) worktree: PathBuf,
    /// The way from there to the folder that was asked about; empty if it is the same.
    pub(crate) prefix: PathBuf,
    /// What belongs to this checkout alone: its HEAD and its index.
    pub(crate) git_dir: PathBuf,
    /// What all checkouts of the repository share: objects and refs.
    pub(crate) common_dir: PathBuf,
}

impl Checkout {
    /// The checkout that holds this folder; `None` outside of any.
    pub(crate) fn discover(folder: &Path) -> Option<Checkout> {
        let folder = fs::canonicalize(folder).ok()?;
        let (worktree, git_dir) =
            folder.ancestors().find_map(|above| Some((above.to_owned(), git_dir(&above.join(".git"))?)))?;
        let prefix = folder.strip_prefix(&worktree).ok()?.to_owned();
        let common_dir = common_dir(&git_dir).unwrap_or_else(|| git_dir.clone());
        Some(Checkout { worktree, prefix, git_dir, common_dir })
    }

    /// The folder that stands for this one in every checkout of the repository: its like in the main checkout,
    /// or, where the repository does not lie in one, a folder inside of the repository.
    pub(crate) fn shared_folder(&self) -> PathBuf {
        let main = self.common_dir.parent().filter(|_| self.common_dir.ends_with(".git") && !self.is_bare());
        main.map_or_else(|| self.common_dir.join("deploy"), Path::to_owned).join(&self.prefix)
    }

    /// What git calls a checkout that is not the main one.
    pub(crate) fn name(&self) -> Option<OsString> {
        (self.git_dir != self.common_dir).then(|| self.git_dir.file_name().map(OsStr::to_owned)).flatten()
    }

    /// Where the repository keeps its objects.
    pub(crate) fn objects(&self) -> PathBuf {
        self.common_dir.join("objects")
    }

    /// Whether older commits were left out of the clone.
    pub(crate) fn is_shallow(&self) -> bool {
        self.common_dir.join("shallow").exists()
    }

    /// Whether its ids are SHA-256 instead of SHA-1.
    pub(crate) fn is_sha256(&self) -> bool {
        self.says("objectformat", "sha256")
    }

    fn is_bare(&self) -> bool {
        self.says("bare", "true")
    }

    /// Whether the repository's configuration has this line. git writes both of the keys we ask for by itself,
    /// in this form, when it creates the repository.
    fn says(&self, key: &str, value: &str) -> bool {
        let text = fs::read_to_string(self.common_dir.join("config")).unwrap_or_default();
        text.lines()
            .filter_map(|line| line.split_once('='))
            .any(|(have, is)| have.trim().eq_ignore_ascii_case(key) && is.trim().eq_ignore_ascii_case(value))
    }
}

/// What a `.git` is: the repository itself, or a file that says where it lies (linked checkouts, submodules).
fn git_dir(mark: &Path) -> Option<PathBuf> {
    let dir = if mark.is_dir() { mark.to_owned() } else { pointed(mark, "gitdir: ")? };
    // git skips a `.git` that is none, and looks further up.
    (dir.join("HEAD").exists() || dir.join("HEAD").is_symlink()).then_some(())?;
    fs::canonicalize(dir).ok()
}

fn common_dir(git_dir: &Path) -> Option<PathBuf> {
    fs::canonicalize(pointed(&git_dir.join("commondir"), "")?).ok()
}

/// The path in a file of one line, relative to the file's folder.
fn pointed(file: &Path, before: &str) -> Option<PathBuf> {
    let text = fs::read_to_string(file).ok()?;
    let path = text.strip_prefix(before)?.trim_end_matches(['\n', '\r']);
    Some(file.parent()?.join(path))
}
