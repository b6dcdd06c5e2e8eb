//! The swap against a commit: what it makes of files, and all that it refuses, word for word.

use super::*;
use crate::release::object::Mode;

fn refused(world: &World, files: &[SwapFile]) -> Vec<String> {
    let commit = world.source().commit;
    let shown = |refusal: &crate::release::Refusal| {
        let help = refusal.help.as_deref().unwrap_or("-");
        format!("{} | {help}", refusal.message).replace(commit.short(), "HEAD")
    };
    world.swap(files).refusals.iter().map(shown).collect()
}

#[test]
fn the_four_forms_give_exactly_their_bytes_and_keep_the_mode() {
    let world =
        World::with(&[("a", "A"), ("b", "B"), ("run.sh", "R"), ("gone", "G"), ("from", "no newline")]);
    world.executable("run.sh");
    world.commit(&[]);
    let files =
        [line("a", "x"), text("b", "y\r\n\n"), from("run.sh", "from"), remove("gone"), line("new/é", "z")];
    let swap = world.swap(&files);
    assert_eq!((swap.refusals, swap.warnings), (vec![], vec![]));
    let shown: Vec<_> = swap
        .entries
        .iter()
        .map(|entry| {
            let text = |bytes: &Option<Vec<u8>>| bytes.clone().map(|bytes| String::from_utf8(bytes).unwrap());
            (entry.path.as_str(), entry.mode, text(&entry.before), text(&entry.after))
        })
        .collect();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        shown,
        [
            ("a", Mode::File, some("A"), some("x\n")),
            ("b", Mode::File, some("B"), some("y\r\n\n")),
            ("gone", Mode::File, some("G"), None),
            ("new/é", Mode::File, None, some("z\n")),
            ("run.sh", Mode::Executable, some("R"), some("no newline")),
        ]
    );
}

#[test]
fn only_what_is_committed_counts() {
    let world = World::with(&[("a", "committed"), ("requirements/staging.txt", "old")]);
    world.write("requirements/staging.txt", "edited");
    world.write("a", "edited");
    let swap = world.swap(&[from("a", "requirements/staging.txt")]);
    assert_eq!(swap.entries[0].before.as_deref(), Some(&b"committed"[..]));
    assert_eq!(swap.entries[0].after.as_deref(), Some(&b"old"[..]));
}

#[test]
fn a_source_that_is_not_committed_is_refused_with_the_line_that_commits_it() {
    let world = World::with(&[("requirements.txt", "x"), ("requirements/staging.txt", "y")]);
    world.write("requirements/new one.txt", "z");
    assert_eq!(
        refused(
            &world,
            &[
                from("a", "requirements/new one.txt"),
                from("b", "requirements/stagin.txt"),
                from("c", "elsewhere/entirely")
            ]
        ),
        [
            "`a` can't be made from `requirements/new one.txt`: it is not in commit HEAD | \
             it is not committed: git add 'requirements/new one.txt' && git commit",
            "`b` can't be made from `requirements/stagin.txt`: it is not in commit HEAD | \
             did you mean `requirements/staging.txt`?",
            "`c` can't be made from `elsewhere/entirely`: it is not in commit HEAD | -",
        ]
    );
}

#[test]
fn what_is_no_file_is_refused_on_both_sides() {
    let world = World::with(&[("file", "x"), ("folder/inner", "y")]);
    std::os::unix::fs::symlink("file", world.work().join("link")).unwrap();
    std::os::unix::fs::symlink("folder", world.work().join("shortcut")).unwrap();
    let id = world.source().commit.to_string();
    world.user(&["update-index", "--add", "--cacheinfo", &format!("160000,{id},module")]);
    world.user(&["add", "link", "shortcut"]);
    world.user(&["commit", "-q", "-m", "links"]);
    assert_eq!(
        refused(
            &world,
            &[
                line("link", ""),
                line("folder", ""),
                line("module", ""),
                line("file/inner", ""),
                line("shortcut/x", ""),
                line("module/x", "")
            ]
        ),
        [
            "`file/inner` can't be swapped: `file` is a file in commit HEAD | swap a path that has only folders above it",
            "`folder` can't be swapped: it is a folder in commit HEAD | swap files one by one",
            "`link` can't be swapped: it is a symlink to `file` in commit HEAD | \
             swap the file that it points to, or commit a file in its place",
            "`module` can't be swapped: it is a submodule in commit HEAD | swap files one by one",
            "`module/x` can't be swapped: `module` is a submodule in commit HEAD | swap a path that has only folders above it",
            "`shortcut/x` can't be swapped: `shortcut` is a symlink in commit HEAD | swap a path that has only folders above it",
        ]
    );
    assert_eq!(
        refused(&world, &[from("a", "link"), from("b", "folder"), from("c", "module")]),
        [
            "`a` can't be made from `link`: it is a symlink in commit HEAD | name the file that it points to: `file`",
            "`b` can't be made from `folder`: it is a folder in commit HEAD | name a file",
            "`c` can't be made from `module`: it is a submodule in commit HEAD | name a file of this repository",
        ]
    );
}

#[test]
fn paths_that_leave_the_project_and_swaps_that_contradict_are_refused_all_at_once() {
    let world = World::with(&[("present", "x")]);
    let inside = "name a file by its path inside of the project's folder";
    assert_eq!(
        refused(
            &world,
            &[
                line("../x", ""),
                line("/etc/x", ""),
                line("a/../../x", ""),
                line(".git/config", ""),
                line("sub/.GIT/x", ""),
                line("x/", ""),
                line(".", ""),
                from("y", "../secret"),
                line("present", "1"),
                line("./present", "2"),
                line("deep", ""),
                line("deep/er", ""),
                remove("presnt"),
            ]
        ),
        [
            &format!("`../x` can't be swapped: it leaves the project's folder | {inside}"),
            &format!("`/etc/x` can't be swapped: it is not inside of the project's folder | {inside}"),
            &format!("`a/../../x` can't be swapped: it leaves the project's folder | {inside}"),
            &format!("`.git/config` can't be swapped: git keeps nothing in a folder of that name | {inside}"),
            &format!("`sub/.GIT/x` can't be swapped: git keeps nothing in a folder of that name | {inside}"),
            &format!("`x/` can't be swapped: it is a folder | {inside}"),
            &format!("`.` can't be swapped: it is a folder | {inside}"),
            &format!("`../secret` can't be swapped: it leaves the project's folder | {inside}"),
            "`present` is swapped twice | keep one of the two",
            "`deep` and `deep/er` can't both be swapped: a file holds no files | keep one of the two",
            "`presnt` can't be removed: it is not in commit HEAD | did you mean `present`?",
        ]
    );
}
