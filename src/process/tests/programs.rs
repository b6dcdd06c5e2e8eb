//! Where a program is found.
#![expect(clippy::disallowed_methods, reason = "a test's files need not survive a crash")]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::{TempDir, tempdir};

use crate::process::program::{Missing, Programs, find};

fn folder(files: &[(&str, u32)]) -> TempDir {
    let folder = tempdir().unwrap();
    for (name, mode) in files {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(*mode)).unwrap();
    }
    folder
}

fn found(program: &str, path: &str, dir: &Path) -> Result<PathBuf, Missing> {
    find(OsStr::new(program), Some(OsStr::new(path)), dir)
}

#[test]
fn the_first_executable_in_path_wins() {
    let folder = folder(&[("a/tool", 0o644), ("b/tool", 0o755), ("c/tool", 0o755)]);
    let dir = folder.path();
    fs::create_dir(dir.join("d")).unwrap();
    fs::create_dir(dir.join("d/tool")).unwrap();
    let path = format!("{0}/none:{0}/d:{0}/a:{0}/b:{0}/c", dir.display());
    assert_eq!(found("tool", &path, Path::new("/")), Ok(dir.join("b/tool")));
}

#[test]
fn relative_entries_and_names_with_a_slash_are_of_the_childs_folder() {
    let folder = folder(&[("bin/tool", 0o755), ("here", 0o755)]);
    let dir = folder.path();
    assert_eq!(found("tool", "bin", dir), Ok(dir.join("bin/tool")));
    assert_eq!(found("here", "", dir), Ok(dir.join("here")));
    assert_eq!(found("bin/tool", "/absent", dir), Ok(dir.join("bin/tool")));
    assert_eq!(found("/bin/sh", "/absent", dir), Ok(PathBuf::from("/bin/sh")));
}

#[test]
fn without_path_the_systems_folders_are_searched() {
    assert_eq!(find(OsStr::new("sh"), None, Path::new("/")), Ok(PathBuf::from("/bin/sh")));
}

#[test]
fn missing_and_not_executable_are_told_apart() {
    let folder = folder(&[("bin/plain", 0o644)]);
    let dir = folder.path();
    let plain = Missing::NotExecutable(dir.join("bin/plain"));
    assert_eq!(found("plain", "bin", dir), Err(plain.clone()));
    assert_eq!(found("bin/plain", "", dir), Err(plain.clone()));
    assert_eq!(found("./absent", "bin", dir), Err(Missing::NoFile(dir.join("./absent"))));
    let absent = found("absent", "bin:/bin", dir).expect_err("absent");
    assert_eq!(absent.to_string(), "there is no program `absent` in PATH (bin:/bin)");
    assert_eq!((absent.code(), plain.code()), (127, 126));
    assert!(matches!(found("", "/bin", dir), Err(Missing::NotInPath { .. })));
}

#[test]
fn what_was_found_is_remembered_while_it_is_there() {
    let folder = folder(&[("b/tool", 0o755)]);
    let dir = folder.path();
    let programs = Programs::default();
    let tool = || programs.find(OsStr::new("tool"), Some(OsStr::new("a:b")), dir);
    assert_eq!(tool(), Ok(dir.join("b/tool")));
    fs::rename(dir.join("b"), dir.join("a")).unwrap();
    assert_eq!(tool(), Ok(dir.join("a/tool")), "it was looked for again");
    fs::remove_file(dir.join("a/tool")).unwrap();
    assert!(tool().is_err());
}
