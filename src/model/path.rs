//! Paths of the caller's own files.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A path as shells say it: from the caller's home (`~/…`), or from a folder.
pub(crate) fn near(folder: &Path, env: &[(OsString, OsString)], path: &str) -> PathBuf {
    let home = || env.iter().find(|(name, _)| name == "HOME").map(|(_, home)| Path::new(home));
    match path.strip_prefix("~/").and_then(|rest| Some((home()?, rest))) {
        Some((home, rest)) => home.join(rest),
        None => folder.join(path),
    }
}
