//! Rules: what an environment refuses, and what it asks, before anything has run.

use crate::support::{Sandbox, Server};

/// A shop whose production has this `protect`, and a task that must not run when it refuses.
fn shop(protect: &str) -> Sandbox {
    let tasks = r#"
        [environments.staging]
        target = { git = "staging" }
        [environments.production]
        target  = { git = "production" }
        needs   = ["test"]
        protect = PROTECT
        [tasks.test]
        run = "echo test >> ../log"
    "#;
    Sandbox::shop(&tasks.replace("PROTECT", protect)).remote("staging").remote("production")
}

#[track_caller]
fn assert_nothing_happened(sandbox: &Sandbox) {
    assert!(!sandbox.has("../log"), "something ran");
    assert_eq!(sandbox.target("production").tip("main"), None);
}

#[test]
fn only_some_branches_are_taken() {
    let sandbox = shop("{ branches = ['main', 'release-*'] }");
    sandbox.repository().git(["switch", "--quiet", "--create", "feature"]);
    sandbox.deploy(["production"]).fails_with(3).says("feature").says("main");
    sandbox.repository().git(["checkout", "--quiet", "--detach"]);
    sandbox.deploy(["production"]).fails_with(3);
    assert_nothing_happened(&sandbox);
    sandbox.repository().git(["switch", "--quiet", "--create", "release-1"]);
    sandbox.deploy(["production"]).succeeds();
}

#[test]
fn uncommitted_changes_can_be_refused() {
    let sandbox = shop("{ clean = true }");
    sandbox.write("shop.py", "print('edited')\n");
    sandbox.deploy(["production"]).fails_with(3).says("shop.py");
    sandbox.repository().git(["checkout", "--quiet", "shop.py"]);
    sandbox.write("new.txt", "untracked\n");
    sandbox.deploy(["production"]).fails_with(3).says("new.txt");
    assert_nothing_happened(&sandbox);
    sandbox.shell("rm new.txt").succeeds();
    sandbox.deploy(["production"]).succeeds();
    // deploy's own folder is there now, and no change of the user's.
    sandbox.commit("Second");
    sandbox.deploy(["production"]).succeeds();
}

#[test]
fn a_commit_has_to_be_live_elsewhere_first() {
    let sandbox = shop("{ after = 'staging' }");
    sandbox.deploy(["production"]).fails_with(3).says("staging");
    assert_nothing_happened(&sandbox);
    sandbox.deploy(["staging"]).succeeds();
    let tested = sandbox.repository().head();
    sandbox.commit("Untested");
    sandbox.deploy(["production"]).fails_with(3);
    assert_nothing_happened(&sandbox);
    sandbox.deploy(["production", "--ref", &tested]).succeeds();
}

/// Production comes after staging, whose deploy is well unless there is a file `../sick`.
fn chain() -> Sandbox {
    let tasks = r#"
        [environments.staging]
        target = { git = "staging" }
        deploy = "rehearse"
        [environments.production]
        target  = { git = "production" }
        protect = { after = "staging" }
        [tasks.rehearse]
        steps = [{ ship = true }, "test ! -e ../sick"]
    "#;
    Sandbox::shop(tasks).remote("staging").remote("production")
}

#[test]
fn what_was_shipped_over_a_release_and_failed_is_not_live_there() {
    let sandbox = chain();
    sandbox.deploy(["staging"]).succeeds();
    let well = sandbox.repository().head();
    sandbox.commit("Sick");
    sandbox.write("../sick", "");
    sandbox.deploy(["staging"]).fails();
    sandbox.deploy(["production"]).fails_with(3).says("did not become live").says("deploy history staging");
    sandbox.deploy(["production", "--ref", &well]).fails_with(3).says("release 1");
    assert_eq!(sandbox.target("production").tip("main"), None);
}

#[test]
fn in_a_row_the_next_environment_waits_until_the_one_before_is_live() {
    let sandbox = chain();
    sandbox.write("../sick", "");
    sandbox.deploy(["staging", "production"]).fails_with(1);
    assert!(sandbox.target("staging").tip("main").is_some(), "it was shipped, and is not well");
    assert_eq!(sandbox.target("production").tip("main"), None);
}

#[test]
fn in_a_row_the_next_environment_waits_until_the_one_before_is_healthy() {
    let server = Server::statuses([503]);
    let tasks = format!(
        r#"
        [environments.staging]
        target = {{ git = "staging" }}
        health = {{ url = "{}", within = "1s", every = "1s" }}
        [environments.production]
        target = {{ git = "production" }}
        "#,
        server.url()
    );
    let sandbox = Sandbox::shop(&tasks).remote("staging").remote("production");
    sandbox.deploy(["staging", "production"]).fails().says("503");
    assert!(sandbox.target("staging").tip("main").is_some(), "it was shipped, and is not healthy");
    assert_eq!(sandbox.target("production").tip("main"), None);
}

#[test]
fn in_a_row_the_same_commit_goes_everywhere() {
    let tasks = r#"
        [environments.staging]
        target = { git = "staging" }
        needs  = ["work-on"]
        [environments.production]
        target = { git = "production" }
        [tasks.work-on]
        run = "git commit --quiet --allow-empty --message 'Not rehearsed'"
    "#;
    let sandbox = Sandbox::shop(tasks).remote("staging").remote("production");
    let head = sandbox.repository().head();
    sandbox.deploy(["staging", "production"]).succeeds();
    assert_ne!(sandbox.repository().head(), head);
    for target in ["staging", "production"] {
        let target = sandbox.target(target);
        assert_eq!(target.trailer("main", "Source"), head);
    }
}

#[test]
fn a_commit_that_no_remote_has_can_be_refused() {
    let sandbox = shop("{ pushed = true }").remote("origin");
    sandbox.deploy(["production"]).fails_with(3).says("pushed: ").says("git push");
    assert_nothing_happened(&sandbox);
    sandbox.repository().git(["push", "--quiet", "origin", "main"]);
    sandbox.deploy(["plan", "production"]).succeeds().shows("pushed holds").shows("origin/main");
    sandbox.deploy(["production"]).succeeds();
    sandbox.commit("Not pushed");
    sandbox.deploy(["production"]).fails_with(3).says("pushed: ");
    // What was pushed before is still there, wherever HEAD is.
    sandbox.deploy(["plan", "production", "--ref", "HEAD~1"]).succeeds().shows("pushed holds");
}

#[test]
fn a_clone_of_one_commit_knows_that_it_is_pushed() {
    let sandbox = shop("{ pushed = true }").remote("origin");
    sandbox.commit("Second");
    sandbox.repository().git(["push", "--quiet", "origin", "main"]);
    let clone = "git clone --quiet --depth 1 \"file://$PWD/../remotes/origin.git\" ../clone
        cd ../clone && git checkout --quiet --detach && git remote add production ../remotes/production.git";
    sandbox.shell(clone).succeeds();
    sandbox.deploy_in("../clone", ["production"]).succeeds();
    assert_eq!(sandbox.target("production").trailer("main", "Source"), sandbox.repository().head());
}

#[test]
fn what_a_ci_server_checked_out_is_pushed() {
    let sandbox = shop("{ pushed = true }");
    let head = sandbox.repository().head();
    sandbox.repository().git(["checkout", "--quiet", "--detach"]);
    // As a server does it that fetches one commit: there is no branch, and no ref of the remote.
    let sandbox = sandbox.env("GITHUB_SHA", &"0".repeat(40));
    sandbox.deploy(["production"]).fails_with(3).says("pushed: ");
    let sandbox = sandbox.env("GITHUB_SHA", &head);
    sandbox.deploy(["production"]).succeeds();
}

#[test]
fn an_older_commit_is_taken_where_the_file_says_so() {
    for (protect, code) in
        [("{ confirm = false }", 3), ("{ ancestor = true }", 3), ("{ ancestor = false }", 0)]
    {
        let sandbox = shop(protect);
        sandbox.commit("Second");
        sandbox.deploy(["production"]).succeeds();
        let older = sandbox.deploy(["production", "--ref", "HEAD~1"]);
        older.fails_with(code);
        if code == 3 {
            older.says("ancestor: ");
        }
    }
}

#[test]
fn an_override_is_recorded_if_there_was_something_to_override() {
    let sandbox = shop("{ branches = ['release'], clean = true }");
    sandbox.shell("$DEPLOY production --override branches --override clean --reason 'a hotfix'").succeeds();
    let ledger =
        sandbox.shell("git --git-dir=.deploy/repository.git log --format=%B refs/deploy/production/log");
    ledger.succeeds().shows("Rule: branches").shows("Reason: a hotfix").never_mentions("Rule: clean");
}

#[test]
fn a_rule_can_be_overridden_with_a_reason() {
    let sandbox = shop("{ branches = ['release'] }");
    sandbox.deploy(["production", "--override", "branches"]).fails_with(2).says("--reason");
    sandbox.deploy(["production", "--override", "brnaches", "--reason", "x"]).fails_with(2).says("branches");
    assert_nothing_happened(&sandbox);
    sandbox.deploy(["production", "--override", "branches", "--reason", "a hotfix"]).succeeds();
}

#[test]
fn without_a_terminal_a_question_refuses() {
    let sandbox = shop("{ confirm = true }");
    sandbox.deploy(["production"]).fails_with(3).says("--yes");
    sandbox.shell("yes | $DEPLOY production").fails_with(3);
    assert_nothing_happened(&sandbox);
    sandbox.deploy(["production", "--yes"]).succeeds();
    assert!(sandbox.target("production").tip("main").is_some());
}

#[test]
fn a_question_is_asked_first_and_once() {
    let sandbox = shop("{ confirm = true }");
    let mut running = sandbox.start_on_terminal("production");
    running.wait_for("production").wait_for("?");
    assert_nothing_happened(&sandbox);
    running.type_in("n\n");
    running.wait().fails_with(3);
    assert_nothing_happened(&sandbox);

    let mut running = sandbox.start_on_terminal("production");
    running.wait_for("?");
    running.type_in("y\n");
    let ended = running.wait();
    ended.succeeds();
    assert_eq!(sandbox.read("../log"), "test\n");
    assert!(sandbox.target("production").tip("main").is_some());
}

#[test]
fn ctrl_c_at_a_question_is_an_answer() {
    let sandbox = shop("{ confirm = true }");
    let mut running = sandbox.start_on_terminal("production");
    running.wait_for("?");
    running.type_in("\u{3}");
    running.wait().fails();
    assert_nothing_happened(&sandbox);
}

#[test]
fn an_end_of_input_is_no_yes() {
    let sandbox = shop("{ confirm = true }");
    let mut running = sandbox.start_on_terminal("production");
    running.wait_for("?");
    running.type_in("\u{4}");
    running.wait().fails();
    assert_nothing_happened(&sandbox);
}

#[test]
fn a_typed_confirmation_wants_the_name() {
    let sandbox = shop("{ confirm = 'typed' }");
    sandbox.deploy(["production"]).fails_with(3).says("--yes=production");
    sandbox.deploy(["production", "--yes"]).fails_with(3);
    sandbox.deploy(["production", "--yes=staging"]).fails_with(3);
    let mut running = sandbox.start_on_terminal("production");
    running.wait_for("production");
    running.type_in("yes\n");
    running.wait().fails_with(3);
    assert_nothing_happened(&sandbox);

    let mut running = sandbox.start_on_terminal("production");
    running.wait_for("production");
    running.type_in("production\n");
    running.wait().succeeds();
    sandbox.commit("Second");
    sandbox.deploy(["production", "--yes=production"]).succeeds();
}

#[test]
fn a_task_can_ask_too() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [tasks.reset]
        needs = ["stop"]
        confirm = "Really drop all data?"
        run = "echo reset >> log"
        [tasks.stop]
        run = "echo stop >> log"
        "#,
    );
    sandbox.deploy(["reset"]).fails_with(3).says("Really drop all data?").says("--yes");
    assert!(!sandbox.has("log"));
    let mut running = sandbox.start_on_terminal("reset");
    running.wait_for("Really drop all data?");
    assert!(!sandbox.has("log"), "questions come before everything");
    running.type_in("y\n");
    running.wait().succeeds();
    assert_eq!(sandbox.read("log"), "stop\nreset\n");
    sandbox.deploy(["-y", "reset"]).succeeds();
}

#[test]
fn tasks_in_a_protected_environment_are_not_deploys() {
    let sandbox = shop("{ confirm = true, branches = ['release'] }");
    sandbox.deploy(["production", "test"]).succeeds();
    assert_eq!(sandbox.read("../log"), "test\n");
}

#[test]
fn what_a_task_requires_is_checked_before_anything_runs() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [tasks.first]
        run = "echo first >> log"
        [tasks.build]
        needs = ["first"]
        require = ["sh", { run = "test -f ready", message = "make it ready" }]
        run = "echo build >> log"
        [tasks.pack]
        needs = ["first"]
        require = ["no-such-program"]
        run = "echo pack >> log"
        "#,
    );
    sandbox.deploy(["build"]).fails_with(3).says("make it ready");
    sandbox.deploy(["pack"]).fails_with(3).says("no-such-program");
    assert!(!sandbox.has("log"));
    sandbox.write("ready", "");
    sandbox.deploy(["build"]).succeeds();
}
