//! The ledger: what was delivered where, when, by whom and how it ended; and the lock that one run at a time holds.

use rustix::process::Signal;

use crate::git_target::STAGING;
use crate::support::{Ended, Sandbox};

/// The line of `history` for a release: its number stands first.
#[track_caller]
fn release(history: &Ended, number: u32) -> String {
    let number = number.to_string();
    let is_its = |line: &&str| {
        line.split_whitespace().next().is_some_and(|word| word.trim_start_matches('#') == number)
    };
    let line = history.stdout.lines().find(is_its);
    line.unwrap_or_else(|| panic!("no release {number} in:\n{history}")).to_owned()
}

fn short(commit: &str) -> &str {
    &commit[..7]
}

/// Staging, whose release stops at a gate named `hold` while it is built.
const HELD: &str = r#"
[environments.staging.target]
server = "local"
path   = "SANDBOX/srv/staging"
build  = ["hold"]
[environments.production.target]
server = "local"
path   = "SANDBOX/srv/production"
[tasks.hi]
run = "echo hi"
"#;

#[test]
fn history_has_a_line_a_release() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    let first = sandbox.repository().head();
    sandbox.deploy(["staging"]).succeeds();
    let second = sandbox.commit("Second");
    sandbox.target("staging").hook("pre-receive", "exit 1");
    sandbox.deploy(["staging"]).fails();
    sandbox.target("staging").unhook("pre-receive");
    let third = sandbox.commit("Third");
    sandbox.deploy(["staging"]).succeeds();

    let history = sandbox.deploy(["history", "staging"]);
    history.succeeds();
    assert_eq!(history.stdout.lines().filter(|line| line.contains(short(&first))).count(), 1);
    let (one, two, three) = (release(&history, 1), release(&history, 2), release(&history, 3));
    assert!(one.contains(short(&first)), "{one}");
    assert!(two.contains(short(&second)) && two.contains("failed"), "{two}");
    assert!(three.contains(short(&third)) && three.contains("live"), "{three}");
    assert!(three.to_lowercase().contains("ada"), "who did it: {three}");
    sandbox.deploy(["history"]).succeeds().shows("staging");
}

#[test]
fn status_says_what_is_where() {
    let sandbox =
        Sandbox::shop(&format!("{STAGING}\n[environments.production]\ntarget = {{ git = 'production' }}\n"))
            .remote("staging")
            .remote("production");
    sandbox.deploy(["status"]).succeeds().shows("staging").shows("production");
    sandbox.deploy(["staging"]).succeeds();
    let live = sandbox.repository().head();
    sandbox.commit("Second");
    let status = sandbox.deploy(["status"]);
    status.succeeds().shows(short(&live));
    let lines = |name: &str| status.stdout.lines().find(|line| line.contains(name)).map(str::to_owned);
    let (staging, production) = (lines("staging").expect("a line"), lines("production").expect("a line"));
    assert!(staging.contains(short(&live)), "{staging}");
    assert!(!production.contains(short(&live)), "{production}");
}

#[test]
fn looking_writes_nothing() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    for arguments in
        [["list", "-q"], ["status", "-q"], ["check", "-q"], ["history", "staging"], ["plan", "staging"]]
    {
        sandbox.deploy(arguments).ends();
        assert!(!sandbox.has(".deploy"), "{arguments:?} wrote something");
    }
}

#[test]
fn deploys_own_folder_stays_out_of_sight() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    sandbox.deploy(["staging"]).succeeds();
    assert_eq!(sandbox.read(".deploy/.gitignore").trim(), "*");
    let repository = sandbox.repository();
    assert_eq!(repository.git(["status", "--porcelain", "--untracked-files=all"]), "");
    sandbox.commit("Everything");
    sandbox.deploy(["staging"]).succeeds();
    assert!(sandbox.target("staging").files("main").iter().all(|path| !path.starts_with(".deploy")));
    // Others can't get in, whatever the modes inside.
    sandbox.shell("find .deploy -maxdepth 0 -perm /077").succeeds().prints("");
}

#[test]
fn linked_worktrees_share_one_ledger() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    sandbox.deploy(["staging"]).succeeds();
    sandbox.repository().git(["worktree", "add", "--quiet", "-b", "feature", "../linked"]);
    sandbox.shell("cd ../linked && git commit --quiet --allow-empty --message Feature").succeeds();
    sandbox.deploy_in("../linked", ["staging"]).succeeds();
    assert_eq!(sandbox.target("staging").trailer("main", "Release"), "2");
    let here = sandbox.deploy(["history", "staging"]);
    let there = sandbox.deploy_in("../linked", ["history", "staging"]);
    assert_eq!(release(&here, 2), release(&there, 2));
}

#[test]
fn two_runs_never_deploy_to_one_environment_at_the_same_time() {
    let sandbox = Sandbox::shop(HELD);
    let gate = sandbox.gate("hold");
    let first = sandbox.start(["staging"]);
    gate.wait_for_arrival();
    let second = sandbox.deploy(["staging"]);
    second.fails_with(4).says("staging");
    assert!(second.stderr.to_lowercase().contains("ada"), "who holds it:\n{second}");
    assert!(!sandbox.path("srv/staging/current").exists());

    // Others go on: another environment, a plain task, and those that only look.
    sandbox.deploy(["production"]).succeeds();
    sandbox.deploy(["staging", "hi"]).succeeds();
    sandbox.deploy(["status"]).succeeds();
    sandbox.deploy(["plan", "staging"]).succeeds();

    gate.open();
    first.wait().succeeds();
    sandbox.commit("Second");
    gate.open();
    sandbox.deploy(["staging"]).succeeds();
}

#[test]
fn a_failed_deploy_frees_its_lock() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    sandbox.target("staging").hook("pre-receive", "exit 1");
    for _ in 0..2 {
        let failed = sandbox.deploy(["staging"]);
        assert_ne!(failed.fails().code, 4, "{failed}");
    }
}

#[test]
fn a_stopped_deploy_is_recorded_and_frees_its_lock() {
    let sandbox = Sandbox::shop(HELD);
    let gate = sandbox.gate("hold");
    let running = sandbox.start(["staging"]);
    gate.wait_for_arrival();
    running.signal(Signal::INT);
    running.wait().fails_with(130);
    let history = sandbox.deploy(["history", "staging"]);
    history.succeeds();
    assert!(!release(&history, 1).contains("live"), "{history}");
    gate.open();
    sandbox.deploy(["staging"]).succeeds();
    assert!(release(&sandbox.deploy(["history", "staging"]), 2).contains("live"));
}

#[test]
fn the_ledger_keeps_no_secret_of_the_address() {
    let sandbox = Sandbox::shop(
        "[environments.staging]\ntarget = { git = 'http://ada:opensesame@127.0.0.1:9/shop.git' }\n",
    );
    sandbox.deploy(["staging"]).ends();
    let found = sandbox.shell("test ! -e .deploy || ! grep -r opensesame .deploy");
    found.succeeds();
}

#[test]
fn a_task_may_hold_its_environment_as_a_deploy_does() {
    let sandbox = Sandbox::shop(&format!(
        "{HELD}\n[tasks.migrate]\nlock = true\nrun = \"echo migrated\"\n[tasks.all]\nsteps = [{{ task = \"migrate\" }}]\n"
    ));
    let gate = sandbox.gate("hold");
    let first = sandbox.start(["staging"]);
    gate.wait_for_arrival();
    sandbox.deploy(["staging", "migrate"]).fails_with(4).never_mentions("migrated");
    sandbox.deploy(["staging", "all"]).fails_with(4).says("staging is being deployed");
    sandbox.deploy(["production", "migrate"]).succeeds().prints("migrated\n");
    sandbox.deploy(["migrate"]).succeeds().prints("migrated\n");
    gate.open();
    first.wait().succeeds();
    sandbox.deploy(["staging", "all"]).succeeds().prints("migrated\n");
}
