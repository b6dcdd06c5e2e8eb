//! Shipping by a program of the user's: it runs in the release's files, never in the working tree, and nothing of it is
//! left afterwards.

use std::fs;

use rustix::process::Signal;

use crate::support::Sandbox;

/// The shop, shipped to staging by `upload`, a script of these lines.
fn shop(lines: &str) -> Sandbox {
    let sandbox = Sandbox::shop(
        r#"
        [vars]
        flags = ["--now", "a b; $(id)"]
        [environments.staging]
        target = { command = ["upload", "{{ flags }}", "{{ environment }}={{ release }}"], rollback = ["upload", "--back", "{{ release }}"] }
        swap   = { "requirements.txt" = "-r requirements/staging.txt" }
        "#,
    );
    sandbox.executable("bin/upload", &format!("#!/bin/sh\n{lines}\n"));
    sandbox
}

/// What is left of temporary folders.
#[track_caller]
fn assert_nothing_left(sandbox: &Sandbox) {
    let left = fs::read_dir(sandbox.path("tmp")).expect("the sandbox's TMPDIR").flatten();
    let left: Vec<_> = left.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    assert!(left.is_empty() && !sandbox.has(".deploy/temporary"), "{left:?}");
}

#[test]
fn the_program_runs_in_the_release_with_its_swap_and_not_in_the_working_tree() {
    let sandbox = shop(
        r#"pwd > SANDBOX/pwd
        ls -A > SANDBOX/files
        cat requirements.txt shop.py > SANDBOX/seen
        git rev-parse --show-toplevel > SANDBOX/repository 2> /dev/null
        printf '%s\n' "$@" "$DEPLOY_ENVIRONMENT" "$DEPLOY_RELEASE" "$DEPLOY_COMMIT" > SANDBOX/words
        echo uploading; echo well >&2"#,
    );
    sandbox.write("shop.py", "uncommitted\n");
    sandbox.write("untracked.txt", "untracked\n");
    let before = sandbox.picture();
    let ended = sandbox.deploy(["staging"]);
    ended.succeeds().prints("uploading\n").says("well");
    before.assert_unchanged();
    let pwd = sandbox.read("../pwd");
    assert!(pwd.starts_with(&sandbox.path("tmp").display().to_string()) && pwd.ends_with("/shop\n"), "{pwd}");
    assert_eq!(sandbox.read("../files"), "requirements\nrequirements.txt\nshop.py\ntasks.toml\n");
    assert_eq!(sandbox.read("../seen"), "-r requirements/staging.txt\nprint('shop')\n");
    assert_eq!(sandbox.read("../repository"), "");
    let head = sandbox.repository().head();
    assert_eq!(sandbox.read("../words"), format!("--now\na b; $(id)\nstaging=1\nstaging\n1\n{head}\n"));
    assert_nothing_left(&sandbox);
    sandbox.deploy(["status"]).succeeds().shows("staging").shows(&head[..8]);
}

#[test]
fn what_is_live_is_not_shipped_again_unless_it_is_asked_for() {
    let sandbox = shop("echo shipped >> SANDBOX/log");
    sandbox.deploy(["staging"]).succeeds();
    sandbox.deploy(["staging"]).succeeds().says("live already");
    assert_eq!(sandbox.read("../log"), "shipped\n");
    sandbox.deploy(["staging", "--rebuild"]).succeeds();
    sandbox.commit("Second");
    sandbox.deploy(["staging"]).succeeds();
    assert_eq!(sandbox.read("../log"), "shipped\n".repeat(3));
    sandbox.deploy(["history", "staging"]).succeeds().shows("live");
}

#[test]
fn a_program_that_fails_makes_nothing_live_and_the_way_back_is_open() {
    let sandbox = shop("cat shop.py >> SANDBOX/log; grep -q shop shop.py || exit 7");
    sandbox.deploy(["staging"]).succeeds();
    let first = sandbox.repository().head();
    sandbox.write("shop.py", "broken\n");
    sandbox.commit("Second");
    sandbox.deploy(["staging"]).fails_with(7).says("upload --now");
    assert_nothing_left(&sandbox);
    sandbox.deploy(["history", "staging"]).succeeds().shows("failed");
    sandbox.deploy(["status"]).succeeds().shows(&first[..8]);
    // It may have arrived, so the one before has to be shipped to be there for sure.
    sandbox.deploy(["staging", "--ref", &first]).succeeds();
    assert_eq!(sandbox.read("../log"), "print('shop')\nbroken\nprint('shop')\n");
}

#[test]
fn a_program_that_can_not_be_started_has_shipped_nothing() {
    let sandbox = shop("echo shipped >> SANDBOX/log");
    sandbox.deploy(["staging"]).succeeds();
    let first = sandbox.repository().head();
    sandbox.commit("Second");
    fs::remove_file(sandbox.path("bin/upload")).expect("the script");
    sandbox.deploy(["staging"]).fails_with(127).says("upload");
    assert_nothing_left(&sandbox);
    sandbox.deploy(["staging", "--ref", &first]).succeeds().says("live already");
}

#[test]
fn a_killed_run_leaves_nothing_that_the_next_one_does_not_tidy() {
    let sandbox = shop("test -e SANDBOX/go || kill -9 $PPID; echo shipped >> SANDBOX/log");
    let _killed = sandbox.deploy(["staging"]);
    assert_eq!(fs::read_dir(sandbox.path("shop/.deploy/temporary/staging")).expect("a link").count(), 1);
    sandbox.write("../go", "");
    sandbox.deploy(["staging"]).succeeds();
    assert_nothing_left(&sandbox);
    sandbox.deploy(["staging"]).succeeds().says("live already");
}

#[test]
fn a_release_that_a_killed_run_was_shipping_may_be_there() {
    let sandbox = shop("cat shop.py >> SANDBOX/log; grep -q shop shop.py || kill -9 $PPID");
    sandbox.deploy(["staging"]).succeeds();
    let first = sandbox.repository().head();
    sandbox.write("shop.py", "broken\n");
    sandbox.commit("Second");
    let _killed = sandbox.deploy(["staging"]);
    sandbox.deploy(["staging", "--ref", &first]).succeeds();
    assert_eq!(sandbox.read("../log"), "print('shop')\nbroken\nprint('shop')\n");
    assert_nothing_left(&sandbox);
}

#[test]
fn ctrl_c_ends_the_program_and_the_folder_goes() {
    let sandbox = shop("hold");
    let hold = sandbox.gate("hold");
    let running = sandbox.start(["staging"]);
    hold.wait_for_arrival();
    running.signal(Signal::INT);
    running.wait().fails_with(130);
    assert_nothing_left(&sandbox);
    sandbox.deploy(["history", "staging"]).succeeds().shows("failed");
}

#[test]
fn folders_that_nobody_may_write_to_go_too() {
    let sandbox = shop("mkdir -p cache/a && touch cache/a/b && chmod -R a-w cache");
    sandbox.deploy(["staging"]).succeeds();
    assert_nothing_left(&sandbox);
}

#[test]
fn looking_shows_it_and_runs_nothing() {
    let sandbox = shop("echo shipped >> SANDBOX/log");
    sandbox.deploy(["list"]).succeeds().shows("deploys to a command target");
    sandbox.deploy(["plan", "staging"]).succeeds().shows("the command `upload --now a b; $(id) staging=1`");
    sandbox.deploy(["check"]).succeeds();
    assert!(!sandbox.has("../log") && !sandbox.has(".deploy"));
}

#[test]
fn a_target_that_means_nothing_is_refused() {
    for (target, says) in [
        ("{ command = [] }", "a program and its arguments"),
        ("{ command = 'upload .' }", "list"),
        ("{ command = ['upload'], rollback = [] }", "a program and its arguments"),
        ("{ command = ['upload', '{{ nothing }}'] }", "nothing"),
        ("{ command = ['upload'], rollback = ['upload', '{{ nothing }}'] }", "nothing"),
        ("{ command = ['upload'], branch = 'main' }", "branch"),
        ("{ command = ['upload'], git = 'staging' }", "one kind"),
        ("{ commnd = ['upload'] }", "`command`"),
    ] {
        let sandbox = Sandbox::shop(&format!("[environments.staging]\ntarget = {target}\n"));
        sandbox.deploy(["staging"]).fails_with(2).says(says).says("tasks.toml:2");
    }
}
