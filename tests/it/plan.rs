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

#[test]
fn what_has_no_way_back_is_shown() {
    let tasks = r#"
        [environments.staging]
        target = { git = "staging" }
        [environments.production]
        target = { command = ["upload"] }
        deploy = "publish"
        [environments.archive]
        target = { command = ["upload"], rollback = ["unload"] }
        [tasks.publish]
        steps = [
          "echo before",
          { ship = true },
          { task = "announce" },
          { run = "echo cached", undo = "echo cold" },
          { check = "http://127.0.0.1:1/" },
        ]
        [tasks.announce]
        run = "echo announced"
    "#;
    let sandbox = Sandbox::shop(tasks).remote("staging");
    let plan = sandbox.deploy(["plan", "production"]);
    plan.succeeds().shows("  lasting  what is shipped: the target's command has no `rollback`\n");
    plan.shows("  lasting  `echo announced` of publish: it has no `undo`\n");
    assert_eq!(plan.stdout.matches("lasting").count(), 2, "{plan}");
    let json: serde_json::Value =
        serde_json::from_str(&sandbox.deploy(["plan", "production", "--json"]).succeeds().stdout)
            .expect("JSON");
    let steps = json[0]["releases"][0]["lasting"].as_array().expect("a list");
    assert_eq!(steps.iter().map(|step| &step["step"]).collect::<Vec<_>>(), ["ship", "echo announced"]);
    for environment in ["staging", "archive"] {
        sandbox.deploy(["plan", environment]).succeeds().never_mentions("lasting");
    }
}

#[test]
fn who_is_at_work_there_is_shown() {
    let sandbox = Sandbox::shop(
        r#"
        [environments.staging]
        target = { git = "staging" }
        needs  = ["wait"]
        [tasks.wait]
        run = "wait-here"
        "#,
    )
    .remote("staging");
    let gate = sandbox.gate("wait-here");
    sandbox.deploy(["plan", "staging"]).succeeds().never_mentions("locked");
    let running = sandbox.start(["staging"]);
    gate.wait_for_arrival();
    let plan = sandbox.deploy(["plan", "staging"]);
    plan.succeeds().shows("  locked   by ada@").shows("deploy staging)");
    sandbox.deploy(["plan", "staging", "--json"]).succeeds().shows(r#""pid":"#);
    gate.open();
    running.wait().succeeds();
}

#[test]
fn a_plan_of_nothing_is_that_of_what_deploy_alone_does() {
    let tasks = "[project]\ndefault = \"greet\"\n[tasks.greet]\nrun = \"echo hi\"\n";
    let sandbox = Sandbox::new().tasks(tasks);
    for command in ["plan", "why"] {
        sandbox.deploy([command]).succeeds().shows("greet");
    }
    let sandbox = Sandbox::new().tasks("[tasks.greet]\nrun = \"echo hi\"\n");
    for command in ["plan", "why"] {
        sandbox.deploy([command]).fails_with(2).says("nothing is named").says("deploy :list");
    }
}
