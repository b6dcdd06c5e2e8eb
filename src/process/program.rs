//! Where a program is: the lookup that `execvp` would do, in the child's `PATH` and folder instead of ours.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{Access, AtFlags, CWD, accessat};
use thiserror::Error;

/// Where programs are looked for if a child has no `PATH`: what C libraries do.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// Why a program can't be run.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum Missing {
    #[error("there is no program `{}` in PATH ({})", program.display(), path.display())]
    NotInPath { program: OsString, path: OsString },
    #[error("there is no program `{}`", .0.display())]
    NoFile(PathBuf),
    #[error("`{}` is not an executable file; `chmod +x` makes it one", .0.display())]
    NotExecutable(PathBuf),
}

impl Missing {
    /// The exit code by which shells tell this.
    pub(crate) fn code(&self) -> i32 {
        match self {
            Self::NotInPath { .. } | Self::NoFile(_) => 127,
            Self::NotExecutable(_) => 126,
        }
    }
}

/// Finds a program for a child with this `PATH` in this folder. A name with a slash is relative to the folder.
pub(crate) fn find(program: &OsStr, path: Option<&OsStr>, dir: &Path) -> Result<PathBuf, Missing> {
    if has_slash(program) {
        let file = dir.join(program);
        return match state(&file) {
            File::Executable => Ok(file),
            File::Other => Err(Missing::NotExecutable(file)),
            File::None => Err(Missing::NoFile(file)),
        };
    }
    let path = path.unwrap_or(OsStr::new(DEFAULT_PATH));
    let mut not_executable = None;
    if !program.is_empty() {
        for folder in std::env::split_paths(path) {
            // An empty entry is the folder itself, and so is `.`.
            let file = dir.join(folder).join(program);
            match state(&file) {
                File::Executable => return Ok(file),
                File::Other => not_executable = not_executable.or(Some(file)),
                File::None => {}
            }
        }
    }
    Err(match not_executable {
        Some(file) => Missing::NotExecutable(file),
        None => Missing::NotInPath { program: program.to_owned(), path: path.to_owned() },
    })
}

/// What was found so far in a run. Shared by its threads.
#[derive(Default)]
pub(crate) struct Programs {
    found: Mutex<HashMap<Question, PathBuf>>,
}

/// All that an answer depends on, besides the disk.
#[derive(PartialEq, Eq, Hash)]
struct Question {
    program: OsString,
    path: Option<OsString>,
    dir: PathBuf,
}

impl Programs {
    /// Like [`find`], but looks along `PATH` only once for the same question. What is gone since is looked for again.
    pub(crate) fn find(&self, program: &OsStr, path: Option<&OsStr>, dir: &Path) -> Result<PathBuf, Missing> {
        if has_slash(program) {
            return find(program, path, dir);
        }
        let question =
            Question { program: program.to_owned(), path: path.map(OsStr::to_owned), dir: dir.to_owned() };
        let known = self.found.lock().unwrap_or_else(PoisonError::into_inner).get(&question).cloned();
        if let Some(file) = known.filter(|file| matches!(state(file), File::Executable)) {
            return Ok(file);
        }
        let file = find(program, path, dir)?;
        self.found.lock().unwrap_or_else(PoisonError::into_inner).insert(question, file.clone());
        Ok(file)
    }
}

fn has_slash(program: &OsStr) -> bool {
    program.as_encoded_bytes().contains(&b'/')
}

enum File {
    None,
    Executable,
    /// A folder, or a file without the permission.
    Other,
}

fn state(file: &Path) -> File {
    if accessat(CWD, file, Access::EXEC_OK, AtFlags::EACCESS).is_ok() && file.is_file() {
        File::Executable
    } else if file.exists() {
        File::Other
    } else {
        File::None
    }
}
