//! `plan --out` and `apply`: what was planned is done as it was planned, or not at all.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::support::Sandbox;

const TASKS: &str = r#"
include = ["more.toml"]
[environments.staging]
target = { git = "staging" }
needs  = ["greet"]
[environments.production]
target  = { git = "production" }
protect = { after = "staging", clean = true, confirm = true }
[tasks.greet]
dotenv = ".env"
params = { name = { default = "you" } }
run = "echo hello $GREETING {{ name }} {{ env.WHO }} {{ args }} >> ../log"
"#;

fn shop() -> Sandbox {
    let sandbox = Sandbox::shop(TASKS)
        .file("more.toml", "[tasks.more]\nrun = \"echo more\"\n")
        .file(".env", "GREETING=dear\n")
        .file(".gitignore", ".env\n")
        .env("WHO", "ada");
    sandbox.commit("More");
    sandbox.remote("staging").remote("production")
}

/// What is planned for staging, written down.
fn planned() -> Sandbox {
    let sandbox = shop();
    sandbox.deploy(["plan", "staging", "--out", "../plan.json"]).succeeds();
    sandbox
}

#[track_caller]
fn assert_refused(sandbox: &Sandbox, why: &str) {
    let ended = sandbox.deploy(["apply", "../plan.json"]);
    ended.fails_with(3).says("nothing was done").says(why).says("make a new plan");
    assert!(!sandbox.has("../log"), "something ran");
}

fn short(id: &str) -> &str {
    &id[..8]
}

#[test]
fn what_was_planned_is_done() {
    let sandbox = shop();
    let shown = sandbox.deploy(["plan", "staging"]);
    let plan = sandbox.deploy(["plan", "staging", "--out", "plan.json"]);
    plan.succeeds().prints(&shown.stdout).says("deploy apply plan.json");
    assert!(!sandbox.has(".deploy"), "only the file is written");
    let mode = fs::metadata(sandbox.root().join("plan.json")).expect("the plan").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let head = sandbox.repository().head();
    sandbox.deploy(["apply", "plan.json", "--dry-run"]).succeeds().prints(&shown.stdout);
    assert!(!sandbox.has("../log"));
    sandbox.deploy(["apply", "plan.json"]).succeeds();
    assert_eq!(sandbox.read("../log"), "hello dear you ada\n");
    assert_eq!(sandbox.target("staging").trailer("main", "Source"), head);
    // It is done, and what it was planned on is no longer there.
    sandbox.shell("rm ../log").succeeds();
    sandbox.shell("mv plan.json ..").succeeds();
    assert_refused(&sandbox, "what is live on staging has changed: from nothing to release 1");
}

#[test]
fn the_whole_command_line_is_kept() {
    let sandbox = shop();
    let line = "$DEPLOY plan greet --name 'a b' --out ../plan.json --set name=bob -- 'x y' z";
    sandbox.shell(&line.replace(" --set name=bob", "")).succeeds();
    sandbox.deploy(["apply", "../plan.json"]).succeeds();
    sandbox.shell(&line.replace(" --name 'a b'", "")).succeeds();
    sandbox.deploy(["apply", "../plan.json"]).succeeds();
    assert_eq!(sandbox.read("../log"), "hello dear a b ada x y z\nhello dear bob ada x y z\n");
}

#[test]
fn several_environments_are_one_plan_and_questions_are_asked() {
    let sandbox = shop();
    sandbox.deploy(["plan", "staging", "production", "--out", "plan.json"]).succeeds();
    sandbox.deploy(["apply", "plan.json"]).fails_with(3).says("--yes");
    assert!(!sandbox.has("../log"));
    // The plan itself lies in the project, and is no uncommitted change.
    sandbox.deploy(["apply", "plan.json", "--yes"]).succeeds();
    let head = sandbox.repository().head();
    for target in ["staging", "production"] {
        assert_eq!(sandbox.target(target).trailer("main", "Source"), head);
    }
}

#[test]
fn rules_are_judged_when_it_is_applied() {
    let sandbox = shop();
    sandbox.deploy(["plan", "production", "--out", "plan.json"]).succeeds().shows("after refuses");
    sandbox.deploy(["apply", "plan.json", "--yes"]).fails_with(3).says("after: nothing is live on staging");
    sandbox.deploy(["staging"]).succeeds();
    sandbox.write("new.txt", "");
    sandbox.deploy(["apply", "plan.json", "--yes"]).fails_with(3).says("clean: not committed: new.txt");
    sandbox.shell("rm new.txt").succeeds();
    sandbox.deploy(["apply", "plan.json", "--yes"]).succeeds();
}

#[test]
fn another_commit_is_refused() {
    let sandbox = planned();
    let then = sandbox.repository().head();
    let now = sandbox.commit("Later");
    assert_refused(&sandbox, &format!("HEAD has moved: from {} to {}", short(&then), short(&now)));
    sandbox.deploy(["plan", "staging", "--ref", "main", "--out", "../plan.json"]).succeeds();
    sandbox.repository().git(["reset", "--quiet", "--hard", &then]);
    assert_refused(&sandbox, &format!("main has moved: from {} to {}", short(&now), short(&then)));
    assert_eq!(sandbox.target("staging").tip("main"), None);
}

#[test]
fn another_file_is_refused() {
    let sandbox = planned();
    sandbox.write("more.toml", "[tasks.more]\nrun = \"echo other\"\n");
    assert_refused(&sandbox, "the file `more.toml` has changed: from ");
    // Also one that the plan can't be made from any more.
    let tasks = TASKS
        .replace("[environments.staging]", "[environments.rehearsal]")
        .replace("\"staging\", clean", "\"rehearsal\", clean");
    sandbox.write("tasks.toml", &tasks);
    assert_refused(&sandbox, "the file `tasks.toml` has changed: from ");
    assert_refused(&sandbox, "the file `more.toml` has changed: from ");
}

#[test]
fn a_release_or_an_attempt_since_is_refused() {
    let sandbox = planned();
    let other = sandbox.commit("Other");
    sandbox.deploy(["staging"]).succeeds();
    sandbox.shell("rm ../log").succeeds();
    sandbox.repository().git(["reset", "--quiet", "--hard", "HEAD~1"]);
    let why = format!("what is live on staging has changed: from nothing to release 1 ({})", short(&other));
    assert_refused(&sandbox, &why);

    let sandbox = planned();
    sandbox.target("staging").hook("pre-receive", "exit 1");
    sandbox.deploy(["staging"]).fails();
    sandbox.shell("rm ../log").succeeds();
    assert_refused(&sandbox, "the ledger of staging has gone on: from no entry to ");
}

#[test]
fn somebody_who_deploys_between_the_parts_of_a_plan_is_noticed() {
    let sandbox = shop();
    let gate = sandbox.gate("greeting");
    sandbox.write(
        "tasks.toml",
        &TASKS
            .replace("\"echo hello", "\"greeting; echo hello")
            .replace("after = \"staging\", clean = true, confirm = true", ""),
    );
    sandbox.commit("With a gate");
    sandbox.deploy(["plan", "staging", "production", "--out", "../plan.json"]).succeeds();
    let running = sandbox.start(["apply", "../plan.json"]);
    gate.wait_for_arrival();
    sandbox.deploy(["production"]).succeeds();
    gate.open();
    let ended = running.wait();
    ended.fails_with(3).says("what is live on production has changed: from nothing to release 1");
    assert!(sandbox.target("staging").tip("main").is_some());
    let history = sandbox.deploy(["history", "production"]);
    assert_eq!(history.succeeds().stdout.lines().count(), 1, "{history}");
}

#[test]
fn what_is_done_differently_is_refused() {
    let sandbox = planned();
    let sandbox = sandbox.env("WHO", "eve");
    assert_refused(&sandbox, "`jobs[0].steps[0]` has changed: from ");
    let sandbox = sandbox.env("WHO", "ada");
    sandbox.write(".env", "GREETING=damned\n");
    assert_refused(&sandbox, "only the steps and their processes see");
    sandbox.write(".env", "GREETING=dear\n");
    sandbox.deploy(["apply", "../plan.json"]).succeeds();
}

#[test]
fn the_project_may_be_in_another_folder() {
    let sandbox = planned();
    sandbox.shell("cp -R . ../elsewhere").succeeds();
    sandbox.deploy_in("../elsewhere", ["apply", "../plan.json"]).succeeds();
    assert!(sandbox.target("staging").tip("main").is_some());
}

#[test]
fn no_secret_is_written_down() {
    let sandbox = Sandbox::shop(
        r#"
        [secrets]
        TOKEN = { env = "TOKEN" }
        [environments.staging]
        target  = { git = "staging" }
        secrets = ["TOKEN"]
        protect = { checks = ["test {{ secret.TOKEN }} = correct-horse"] }
        [tasks.deploy]
        steps = [{ run = "echo {{ secret.TOKEN }}", env = { PASS = "x-{{ secret.TOKEN }}" } }, { ship = true }]
        "#,
    )
    .remote("staging")
    .env("TOKEN", "correct-horse");
    sandbox.write("tasks.toml", &sandbox.read("tasks.toml").replace("correct-horse", "$(cat ../token)"));
    sandbox.write("../token", "correct-horse");
    sandbox.commit("Kept elsewhere");
    sandbox.deploy(["plan", "staging", "--out", "plan.json"]).succeeds();
    assert!(!sandbox.read("plan.json").contains("correct-horse"));
    sandbox.deploy(["apply", "plan.json"]).succeeds().never_mentions("correct-horse");
}

#[test]
fn what_is_no_plan_of_this_version_is_refused() {
    let sandbox = planned();
    let text = sandbox.read("../plan.json");
    let mut newer: Value = serde_json::from_str(&text).expect("JSON");
    newer["version"] = 2.into();
    for (content, why) in [
        (newer.to_string(), "a newer one wrote it"),
        (text[..text.len() / 2].to_owned(), "it is damaged"),
        ("{}".to_owned(), "it is damaged"),
        ("{ \"version\": 1 }".to_owned(), "missing field"),
        (String::new(), "it is damaged"),
    ] {
        sandbox.write("../plan.json", &content);
        sandbox.deploy(["apply", "../plan.json"]).fails_with(2).says("can't read the plan").says(why);
    }
    sandbox.deploy(["apply", "nowhere.json"]).fails_with(2).says("No such file");
    sandbox.deploy(["apply"]).fails_with(2).says("FILE");
    assert!(!sandbox.has("../log"));
}

#[test]
fn what_the_plan_says_is_not_said_again() {
    let sandbox = planned();
    for option in [["--set", "name=x"], ["--ref", "main"], ["--environment", "staging"], ["--rebuild", "-v"]]
    {
        let [option, value] = option;
        sandbox.deploy(["apply", "../plan.json", option, value]).fails_with(2).says("as it was made");
    }
    assert!(!sandbox.has("../log"));
}

#[test]
fn a_file_that_can_not_be_written_is_told() {
    let sandbox = shop();
    sandbox.deploy(["plan", "staging", "--out", "nowhere/plan.json"]).fails_with(1).says("nowhere/plan.json");
}
