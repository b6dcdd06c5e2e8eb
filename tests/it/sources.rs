//! What a release is made from: any commit of any kind of checkout, whatever state its working tree is in.

use crate::git_target::STAGING;
use crate::support::Sandbox;

#[test]
fn a_dirty_tree_is_neither_shipped_nor_touched() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    sandbox.write("shop.py", "staged\n");
    sandbox.repository().git(["add", "shop.py"]);
    sandbox.write("shop.py", "not staged\n");
    sandbox.write("requirements.txt", "edited\n");
    sandbox.write("untracked.txt", "untracked\n");
    let before = sandbox.picture();
    sandbox.deploy(["plan", "staging"]).succeeds().shows("shop.py").shows("requirements.txt");
    sandbox.deploy(["staging"]).succeeds();
    before.assert_unchanged();
    let target = sandbox.target("staging");
    assert_eq!(target.file("main", "shop.py"), "print('shop')\n");
    assert_eq!(target.file("main", "requirements.txt"), "-r requirements/staging.txt\n");
    assert!(!target.files("main").contains(&"untracked.txt".to_owned()));
}

#[test]
fn a_merge_in_progress_and_a_held_index_are_no_obstacle() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    let head = sandbox.repository().head();
    sandbox.write(".git/MERGE_HEAD", &format!("{head}\n"));
    sandbox.write(".git/index.lock", "");
    let before = sandbox.picture();
    sandbox.deploy(["staging"]).succeeds();
    before.assert_unchanged();
    assert_eq!(sandbox.target("staging").trailer("main", "Source"), head);
}

#[test]
fn a_detached_head_ships() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    let first = sandbox.repository().head();
    sandbox.commit("Second");
    sandbox.repository().git(["checkout", "--quiet", "--detach", &first]);
    let before = sandbox.picture();
    sandbox.deploy(["staging"]).succeeds();
    before.assert_unchanged();
    assert_eq!(sandbox.target("staging").trailer("main", "Source"), first);
}

#[test]
fn a_shallow_clone_ships_the_whole_tree() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    for number in 0..3 {
        sandbox.commit(&format!("Work {number}"));
    }
    // The target has a history already, of which the clone knows nothing.
    sandbox.deploy(["staging", "--ref", "HEAD~1"]).succeeds();
    let first = sandbox.target("staging").tip("main").expect("a release");
    let origin = format!("file://{}", sandbox.root().display());
    sandbox.repository().git(["clone", "--quiet", "--depth", "1", &origin, "../clone"]);
    let clone = "../clone";
    let remote = sandbox.path("remotes/staging.git").display().to_string();
    sandbox.shell(&format!("cd {clone} && git remote add staging '{remote}'")).succeeds();
    sandbox.deploy_in(clone, ["staging", "--yes"]).succeeds();
    let target = sandbox.target("staging");
    assert_eq!(target.parents("main"), [first]);
    assert_eq!(target.trailer("main", "Source"), sandbox.repository().head());
    assert_eq!(target.file("main", "requirements.txt"), "-r requirements/staging.txt\n");
    target.git(["fsck", "--strict"]);
    assert!(!sandbox.path("remotes/staging.git/shallow").exists());
}

#[test]
fn a_linked_worktree_ships_its_own_commit() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    sandbox.repository().git(["worktree", "add", "--quiet", "-b", "feature", "../linked"]);
    sandbox.write("../linked/shop.py", "print('feature')\n");
    sandbox.shell("cd ../linked && git commit --quiet --all --message Feature").succeeds();
    let before = sandbox.picture();
    sandbox.deploy_in("../linked", ["staging"]).succeeds();
    before.assert_unchanged();
    assert_eq!(sandbox.target("staging").file("main", "shop.py"), "print('feature')\n");
    let status = sandbox.shell("cd ../linked && git status --porcelain");
    status.succeeds().prints("");
}

#[test]
fn a_project_in_a_folder_of_its_repository_ships_that_folder() {
    let sandbox = Sandbox::new()
        .file("README.md", "of the whole\n")
        .file("web/requirements.txt", "-r requirements/dev.txt\n")
        .file("web/requirements/dev.txt", "ruff\n")
        .file("web/requirements/staging.txt", "sentry-sdk\n")
        .file("web/tasks.toml", STAGING)
        .git()
        .remote("staging");
    let before = sandbox.picture();
    sandbox.deploy_in("web", ["staging"]).succeeds();
    assert!(before.changes().iter().all(|path| path.starts_with("web/.deploy")), "{:?}", before.changes());
    let target = sandbox.target("staging");
    assert_eq!(
        target.files("main"),
        ["requirements.txt", "requirements/dev.txt", "requirements/staging.txt", "tasks.toml"]
    );
    assert_eq!(target.file("main", "requirements.txt"), "-r requirements/staging.txt\n");
    assert_eq!(target.trailer("main", "Source"), sandbox.repository().head());

    // From anywhere inside the folder, and from outside by name.
    sandbox.deploy_in("web/requirements", ["staging"]).succeeds().says("live");
    sandbox.deploy(["-C", "web", "staging"]).succeeds().says("live");
    sandbox.deploy(["-f", "web/tasks.toml", "staging"]).succeeds().says("live");
}

#[test]
fn any_commit_can_be_shipped() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    let first = sandbox.repository().head();
    sandbox.repository().git(["tag", "--annotate", "--message", "One", "v1"]);
    sandbox.commit("Second");
    let before = sandbox.picture();
    sandbox.deploy(["staging", "--ref", "v1"]).succeeds();
    before.assert_unchanged();
    assert_eq!(sandbox.target("staging").trailer("main", "Source"), first);
    sandbox.deploy(["staging", "--ref", "no-such-ref"]).fails().says("no-such-ref");
}

#[test]
fn an_older_commit_is_refused_unless_overridden() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    let first = sandbox.repository().head();
    sandbox.commit("Second");
    sandbox.deploy(["staging"]).succeeds();
    let live = sandbox.target("staging").tip("main");
    sandbox.deploy(["staging", "--ref", &first]).fails_with(3);
    assert_eq!(sandbox.target("staging").tip("main"), live);
    sandbox.deploy(["staging", "--ref", &first, "--override", "ancestor"]).fails_with(2).says("--reason");
    sandbox
        .deploy(["staging", "--ref", &first, "--override", "ancestor", "--reason", "the second is broken"])
        .succeeds();
    assert_eq!(sandbox.target("staging").trailer("main", "Source"), first);
}

#[test]
fn a_rewritten_history_is_no_obstacle() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    sandbox.deploy(["staging"]).succeeds();
    let first = sandbox.target("staging").tip("main").expect("a release");
    sandbox.write("shop.py", "print('amended')\n");
    sandbox.repository().git(["commit", "--quiet", "--all", "--amend", "--message", "Another first"]);
    sandbox.deploy(["staging"]).succeeds();
    let shipped = sandbox.target("staging").tip("main").expect("a release");
    assert_eq!(sandbox.target("staging").parents(&shipped), [first]);
}

#[test]
fn deploy_works_in_a_hook_of_git() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    sandbox.executable("shop/.git/hooks/post-commit", "#!/bin/sh\n\"$DEPLOY\" staging\n");
    sandbox.write("shop.py", "print('hooked')\n");
    // git tells its hooks by GIT_DIR, GIT_INDEX_FILE and more where they are; deploy's own repository is elsewhere.
    sandbox.shell("git commit --quiet --all --message Hooked").succeeds();
    let target = sandbox.target("staging");
    assert_eq!(target.file("main", "shop.py"), "print('hooked')\n");
    assert_eq!(target.trailer("main", "Source"), sandbox.repository().head());
    sandbox.shell("git status --porcelain").succeeds().prints("");
}
