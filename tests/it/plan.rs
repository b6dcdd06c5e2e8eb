//! `plan` and `-n`: everything that a command would do is shown, and nothing of it is done.

use crate::support::Sandbox;

const TASKS: &str = r#"
[environments.production]
target  = { git = "production" }
needs   = ["test"]
swap    = { "requirements.txt" = "-r requirements/production.txt" }
protect = { branches = ["release"], clean = true, confirm = true }

[vars]
version = { command = ["touch", "SANDBOX/ran"] }

[tasks.lint]
run = "touch SANDBOX/ran"
[tasks.test]
needs = ["lint"]
run = ["touch SANDBOX/ran", "echo testing {{ environment }}"]
[tasks.guarded]
require = [{ run = "touch SANDBOX/ran" }]
skip_if = "touch SANDBOX/ran"
run = "touch SANDBOX/ran"
"#;

#[test]
fn a_plan_is_complete_and_does_nothing() {
    let sandbox = Sandbox::shop(TASKS).remote("production");
    let head = sandbox.repository().head();
    let before = sandbox.picture();
    for arguments in [["plan", "production"], ["-n", "production"], ["production", "--dry-run"]] {
        let plan = sandbox.deploy(arguments);
        // A rule that refuses is shown, and the plan itself is no deed.
        plan.succeeds();
        for part in [
            &head[..7],         // the commit
            "First",            // what it is
            "requirements.txt", // the swap, as a diff
            "-r requirements/dev.txt",
            "-r requirements/production.txt",
            "branches", // the rules
            "clean",
            "release",
            "lint", // jobs
            "test",
            "echo testing", // steps
            "production",
        ] {
            plan.shows(part);
        }
        before.assert_unchanged();
        assert!(!sandbox.has(".deploy"), "a plan writes nothing");
        assert!(!sandbox.path("ran").exists(), "a plan runs nothing");
        assert_eq!(sandbox.target("production").git(["for-each-ref"]), "");
        assert_eq!(sandbox.target("production").git(["count-objects"]), "0 objects, 0 kilobytes");
    }
}

#[test]
fn the_swap_is_shown_as_a_diff() {
    let sandbox = Sandbox::shop(TASKS).remote("production");
    let plan = sandbox.deploy(["plan", "production"]);
    plan.succeeds();
    let line = |sign: char, text: &str| {
        plan.stdout.lines().any(|line| line.trim().strip_prefix(sign).is_some_and(|line| line.trim() == text))
    };
    assert!(line('-', "-r requirements/dev.txt"), "{plan}");
    assert!(line('+', "-r requirements/production.txt"), "{plan}");
}

#[test]
fn the_commits_that_would_ship_are_those_that_are_not_there_yet() {
    let sandbox = Sandbox::shop("[environments.staging]\ntarget = { git = 'staging' }\n").remote("staging");
    sandbox.deploy(["staging"]).succeeds();
    sandbox.write("shop.py", "print('faster')\n");
    sandbox.commit("Make it faster");
    sandbox.commit("Say so");
    let plan = sandbox.deploy(["plan", "staging"]);
    plan.succeeds().shows("Make it faster").shows("Say so").never_mentions("First");
    sandbox.deploy(["staging"]).succeeds();
    sandbox.deploy(["plan", "staging"]).succeeds().mentions("live");
}

#[test]
fn a_plan_of_tasks_is_in_the_order_of_the_run() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [tasks.release]
        needs = ["build"]
        run = "touch ran"
        [tasks.build]
        needs = ["fetch"]
        run = "touch ran"
        [tasks.fetch]
        run = "touch ran"
        "#,
    );
    let plan = sandbox.deploy(["plan", "release"]);
    plan.succeeds();
    let place = |name: &str| plan.stdout.find(name).unwrap_or_else(|| panic!("no {name} in:\n{plan}"));
    assert!(place("fetch") < place("build") && place("build") < place("release"), "{plan}");
    sandbox.deploy(["-n", "release"]).succeeds().prints(&plan.stdout);
    assert!(!sandbox.has("ran"));
}

#[test]
fn requirements_and_conditions_of_commands_are_not_run() {
    let sandbox = Sandbox::shop(TASKS).remote("production");
    sandbox.deploy(["plan", "guarded"]).succeeds().shows("guarded");
    assert!(!sandbox.path("ran").exists());
}

#[test]
fn a_plan_of_nothing_known_is_refused() {
    let sandbox = Sandbox::shop(TASKS).remote("production");
    sandbox.deploy(["plan", "prodcution"]).fails_with(2).says("did you mean `production`");
}

#[test]
fn files_that_stay_behind_are_named() {
    let sandbox = Sandbox::shop("[environments.staging]\ntarget = { git = 'staging' }\n").remote("staging");
    sandbox.write("shop.py", "print('edited')\n");
    sandbox.deploy(["plan", "staging"]).succeeds().shows("shop.py");
}

#[test]
fn an_if_that_only_running_can_decide_is_shown_as_true() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [vars]
        system = { command = ["uname"] }
        [tasks.all]
        needs = ["here", "never"]
        [tasks.here]
        if = "system == 'Linux'"
        run = "echo here"
        [tasks.never]
        if = "1 == 2"
        run = "echo never"
        "#,
    );
    sandbox.deploy(["plan", "all"]).succeeds().shows("echo here").never_mentions("echo never");
}
