//! `--in-place`: the swap in the working tree, between two commits, and nothing of it left after a failure or a kill.

use crate::support::Sandbox;

const SHOP: &str = r#"
[environments.staging]
target = { git = "staging" }
swap = { "requirements.txt" = "-r requirements/staging.txt" }
"#;

/// What the branch's commits say, newest first.
fn log(sandbox: &Sandbox) -> String {
    sandbox.repository().git(["log", "--format=%s"])
}

#[test]
fn two_commits_stand_around_the_push_and_the_tree_is_as_before() {
    let sandbox = Sandbox::shop(SHOP).remote("staging");
    sandbox.write("other.txt", "not mine to commit\n");
    let before = sandbox.read("requirements.txt");
    sandbox.deploy(["staging", "--in-place"]).succeeds();
    assert_eq!(sandbox.read("requirements.txt"), before);
    assert!(
        log(&sandbox).starts_with("Swap for staging taken back\nSwap for staging\n"),
        "{}",
        log(&sandbox)
    );
    assert_eq!(sandbox.repository().git(["status", "--porcelain"]), "?? other.txt");
    let shipped = sandbox.target("staging").git(["show", "main:requirements.txt"]);
    assert_eq!(shipped.trim(), "-r requirements/staging.txt");
    sandbox.deploy(["history", "staging"]).succeeds().shows("live");
}

#[test]
fn a_push_that_fails_takes_the_swap_back_all_the_same() {
    let sandbox = Sandbox::shop(SHOP).remote("staging");
    sandbox.target("staging").hook("pre-receive", "echo no; exit 1");
    let before = sandbox.read("requirements.txt");
    sandbox.deploy(["staging", "--in-place"]).fails();
    assert_eq!(sandbox.read("requirements.txt"), before);
    assert!(log(&sandbox).starts_with("Swap for staging taken back\n"), "{}", log(&sandbox));
}

#[test]
fn a_file_that_somebody_is_editing_is_refused_and_nothing_is_touched() {
    let sandbox = Sandbox::shop(SHOP).remote("staging");
    sandbox.write("requirements.txt", "mine\n");
    let head = sandbox.repository().head();
    sandbox.deploy(["staging", "--in-place"]).fails_with(3).says("requirements.txt");
    assert_eq!((sandbox.read("requirements.txt"), sandbox.repository().head()), ("mine\n".to_owned(), head));
}

#[test]
fn a_killed_one_is_taken_back_by_recover() {
    let sandbox = Sandbox::shop(SHOP).remote("staging");
    // The hook's ancestors are the push, and deploy.
    sandbox.target("staging").hook(
        "pre-receive",
        "p=$PPID; while [ \"$(ps -o comm= -p $p)\" != deploy ]; do p=$(ps -o ppid= -p $p | tr -d ' '); done; kill -9 $p",
    );
    let before = sandbox.read("requirements.txt");
    let _killed = sandbox.deploy(["staging", "--in-place"]);
    assert_ne!(sandbox.read("requirements.txt"), before);
    sandbox.deploy(["recover"]).succeeds();
    assert_eq!(sandbox.read("requirements.txt"), before);
    assert!(
        log(&sandbox).starts_with("Swap for staging taken back\nSwap for staging\n"),
        "{}",
        log(&sandbox)
    );
    assert_eq!(sandbox.repository().git(["status", "--porcelain"]), "");
}

#[test]
fn in_a_row_every_environment_gets_the_same_files() {
    let tasks = r#"
        [environments.staging]
        target = { git = "staging" }
        swap   = { "requirements.txt" = "-r requirements/staging.txt" }
        [environments.production]
        target  = { git = "production" }
        swap    = { "requirements.txt" = "-r requirements/production.txt" }
        protect = { after = "staging" }
    "#;
    let sandbox = Sandbox::shop(tasks).remote("staging").remote("production");
    sandbox.deploy(["staging", "production", "--in-place"]).succeeds();
    let target = sandbox.target("production");
    assert_eq!(target.file("main", "requirements.txt"), "-r requirements/production.txt\n");
}

#[test]
fn a_branch_that_goes_on_meanwhile_is_not_shipped_as_another_commit() {
    let tasks = r#"
        [environments.staging]
        target = { git = "staging" }
        needs  = ["work-on"]
        [environments.production]
        target = { git = "production" }
        [tasks.work-on]
        run = "echo more >> shop.py && git commit --quiet --all --message 'Not rehearsed'"
    "#;
    let sandbox = Sandbox::shop(tasks).remote("staging").remote("production");
    sandbox.deploy(["staging", "production", "--in-place"]).fails_with(3).says("the branch has gone on");
    assert_eq!(sandbox.target("production").tip("main"), None);
}
