//! Looking around: `list`, a bare `deploy`, `check`, help, and where the file is looked for.

use crate::support::Sandbox;

const TASKS: &str = r#"
[project]
about = "A small shop"

[environments.staging]
about = "Where a release is tried out"

[tasks.test]
about = "Run the tests"
run   = "echo tested"

[tasks.lint]
run = "echo linted"
"#;

#[test]
fn list_names_tasks_and_environments_with_what_they_are_about() {
    let sandbox = Sandbox::new().tasks(TASKS);
    let list = sandbox.deploy(["list"]);
    list.succeeds();
    for part in ["staging", "Where a release is tried out", "test", "Run the tests", "lint"] {
        list.shows(part);
    }
    assert_eq!(list.stderr, "");
    assert!(
        list.stdout.lines().any(|line| line.contains("test") && line.contains("Run the tests")),
        "{list}"
    );
}

#[test]
fn a_bare_deploy_lists_unless_there_is_a_default() {
    let sandbox = Sandbox::new().tasks(TASKS);
    let list = sandbox.deploy(["list"]);
    sandbox.deploy([]).succeeds().prints(&list.stdout);
    let sandbox = sandbox.tasks("[project]\ndefault = 'test'\n[tasks.test]\nrun = 'echo tested'\n");
    sandbox.deploy([]).succeeds().prints("tested\n");
}

#[test]
fn a_name_of_the_users_beats_a_command() {
    let sandbox =
        Sandbox::new().tasks("[tasks.list]\nrun = 'echo mine'\n[tasks.status]\nrun = 'echo mine'\n");
    sandbox.deploy(["list"]).succeeds().prints("mine\n");
    sandbox.deploy([":list"]).succeeds().shows("status");
    sandbox.deploy(["status"]).succeeds().prints("mine\n");
}

#[test]
fn an_alias_is_a_name() {
    let sandbox = Sandbox::new()
        .tasks("[tasks.test]\naliases = ['t']\nrun = 'echo tested'\n[tasks.all]\nneeds = ['t']\n");
    sandbox.deploy(["t"]).succeeds().prints("tested\n");
    sandbox.deploy(["test", "t"]).succeeds().prints("tested\n");
}

#[test]
fn private_tasks_are_not_listed() {
    let sandbox =
        Sandbox::new().tasks("[tasks.test]\nrun = 'true'\n[tasks.hidden]\nprivate = true\nrun = 'true'\n");
    sandbox.deploy(["list"]).succeeds().shows("test").never_mentions("hidden");
}

#[test]
fn show_tells_what_a_name_means() {
    let sandbox = Sandbox::new().tasks(TASKS);
    sandbox.deploy(["show", "test"]).succeeds().shows("Run the tests").shows("echo tested");
    sandbox.deploy(["show", "staging"]).succeeds().shows("Where a release is tried out");
    sandbox.deploy(["show", "tset"]).fails_with(2).says("did you mean `test`");
}

#[test]
fn check_is_content_with_a_good_file() {
    let sandbox = Sandbox::new().tasks(TASKS);
    sandbox.deploy(["check"]).succeeds();
    sandbox.write("other.toml", "[tasks.x]\nrnu = 'true'\n");
    sandbox.deploy(["check", "-f", "other.toml"]).fails_with(2).says("other.toml:2:1");
}

#[test]
fn the_file_is_looked_for_upwards() {
    let sandbox = Sandbox::new().file("deep/er/x", "").tasks(TASKS);
    sandbox.deploy_in("deep/er", ["test"]).succeeds().prints("tested\n");
    sandbox.deploy(["-C", "deep/er", "test"]).succeeds().prints("tested\n");
    sandbox.deploy_in("..", ["-f", "shop/tasks.toml", "test"]).succeeds().prints("tested\n");
    sandbox.deploy_in("..", ["test"]).fails_with(2).says("tasks.toml");
}

#[test]
fn help_and_version() {
    let sandbox = Sandbox::new();
    let help = sandbox.deploy(["--help"]);
    help.succeeds();
    for option in [
        "--file",
        "--environment",
        "--dry-run",
        "--jobs",
        "--keep-going",
        "--yes",
        "--ref",
        "--set",
        "--output",
        "--quiet",
    ] {
        help.shows(option);
    }
    sandbox.deploy(["--version"]).succeeds().prints(&format!("deploy {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_long_chain_is_listed_and_planned() {
    let links: Vec<String> =
        (1..10_000).map(|n| format!("[tasks.t{n}]\nneeds = ['t{}']\nrun = 'true'\n", n - 1)).collect();
    let sandbox = Sandbox::new().tasks(&format!("[tasks.t0]\nrun = 'true'\n{}", links.concat()));
    sandbox.deploy(["list"]).succeeds().shows("t9999");
    sandbox.deploy(["plan", "t9999"]).succeeds().shows("t5000");
}
