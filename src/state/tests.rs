//! Where `.deploy/` is, from every kind of checkout, and what it looks like.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;

/// Makes files and folders (`x/`) below `top`, as git would lay them out.
fn lay_out(top: &Path, entries: &[(&str, &str)]) {
    for (path, text) in entries {
        let path = top.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        durable::replace(&path, text.as_bytes(), PRIVATE_FILE).unwrap();
    }
}

fn place(top: &Path, folder: &str) -> String {
    let folder = top.join(folder);
    fs::create_dir_all(&folder).unwrap();
    let state = StateDir::of(&folder, Checkout::discover(&folder).as_ref());
    state.path().strip_prefix(fs::canonicalize(top).unwrap()).unwrap_or(state.path()).display().to_string()
}

#[test]
fn it_is_created_private_and_ignored_and_only_when_something_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let state = StateDir::of(folder.path(), None);
    assert!(!state.exists());
    for _ in 0..2 {
        state.create().unwrap();
    }
    assert_eq!(fs::metadata(state.path()).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::read_to_string(state.path().join(".gitignore")).unwrap(), "*\n");
}

#[test]
fn it_lies_in_the_project_s_folder_and_all_linked_checkouts_share_it() {
    let top = tempfile::tempdir().unwrap();
    let path = |inner: &str| top.path().join(inner).display().to_string();
    lay_out(
        top.path(),
        &[
            ("main/.git/HEAD", "ref: refs/heads/main\n"),
            ("main/.git/config", "[core]\n\tbare = false\n"),
            ("main/.git/worktrees/l/HEAD", "0123\n"),
            ("main/.git/worktrees/l/commondir", "../..\n"),
            ("linked/.git", &format!("gitdir: {}\n", path("main/.git/worktrees/l"))),
            ("bare.git/HEAD", "ref: refs/heads/main\n"),
            ("bare.git/config", "[core]\n\tbare = true\n"),
            ("bare.git/worktrees/b/HEAD", "0123\n"),
            ("bare.git/worktrees/b/commondir", "../..\n"),
            ("of-bare/.git", &format!("gitdir: {}\n", path("bare.git/worktrees/b"))),
            ("main/.git/modules/m/HEAD", "0123\n"),
            ("main/module/.git", "gitdir: ../.git/modules/m\n"),
            ("main/broken/.git", "gitdir: ../nowhere\n"),
        ],
    );
    for (folder, state) in [
        ("main", "main/.deploy"),
        ("main/a/b", "main/a/b/.deploy"),
        ("linked", "main/.deploy"),
        ("linked/a/b", "main/a/b/.deploy"),
        ("of-bare", "bare.git/deploy/.deploy"),
        ("of-bare/a", "bare.git/deploy/a/.deploy"),
        ("main/module", "main/.git/modules/m/deploy/.deploy"),
        // git takes no notice of such a mark either.
        ("main/broken", "main/broken/.deploy"),
    ] {
        assert_eq!(place(top.path(), folder), state, "{folder}");
    }
}

#[test]
fn without_git_it_lies_in_the_folder_itself() {
    let top = tempfile::tempdir().unwrap();
    assert_eq!(place(top.path(), "plain"), "plain/.deploy");
}
