//! The rule `checks`: commands that must succeed before anything else is done.

use crate::support::Sandbox;

/// A shop whose production has these `checks`, and a task that must not run when one of them fails.
fn shop(checks: &str) -> Sandbox {
    let tasks = r#"
        [vars]
        ticket = "a ticket; touch ../injected"
        [secrets]
        TOKEN = { env = "TOKEN" }
        [environments.production]
        target  = { git = "production" }
        needs   = ["test"]
        env     = { STAGE = "live" }
        protect = { branches = ["main"], checks = CHECKS }
        [tasks.test]
        run = "echo test >> ../log"
    "#;
    Sandbox::shop(&tasks.replace("CHECKS", checks)).remote("production").env("TOKEN", "correct-horse")
}

#[track_caller]
fn assert_nothing_happened(sandbox: &Sandbox) {
    assert!(!sandbox.has("../log"), "something ran");
    assert_eq!(sandbox.target("production").tip("main"), None);
    let ledger =
        sandbox.shell("git --git-dir=.deploy/repository.git for-each-ref refs/deploy/production/log");
    ledger.succeeds().prints("");
}

#[test]
fn one_that_fails_refuses_and_says_what_it_printed_last() {
    let sandbox = shop(
        r#"["true", "for n in $(seq 50); do echo line $n; done; echo at last >&2; exit 7", "touch ../third"]"#,
    );
    let refused = sandbox.deploy(["production"]);
    refused.fails_with(3).says("checks: `for n in").says("failed with exit code 7").says("at last");
    refused.says("    line 45").says("    line 50").never_mentions("line 40");
    assert!(!sandbox.has("../third"), "none runs after one that failed");
    assert_nothing_happened(&sandbox);
}

#[test]
fn they_run_where_the_project_is_with_what_its_environment_says() {
    let sandbox = shop(
        r#"["test -f tasks.toml", "echo $STAGE $DEPLOY_ENVIRONMENT $DEPLOY_RELEASE {{ ticket }} > ../seen", "test ! -e ../log"]"#,
    );
    sandbox
        .deploy_in("requirements", ["production"])
        .succeeds()
        .says("production checks: test -f tasks.toml");
    assert_eq!(sandbox.read("../seen"), "live production 1 a ticket; touch ../injected\n");
    assert!(!sandbox.has("../injected"), "a value became syntax");
    assert_eq!(sandbox.read("../log"), "test\n");
}

#[test]
fn a_plan_shows_them_and_runs_none() {
    let sandbox = shop(r#"["touch ../ran"]"#);
    let plan = sandbox.deploy(["plan", "production"]);
    plan.succeeds().shows("rule     checks is known when run: `touch ../ran`");
    sandbox.deploy(["plan", "production", "--json"]).succeeds().shows(r#""rule": "checks""#);
    sandbox.deploy(["check"]).succeeds();
    assert!(!sandbox.has("../ran"));
}

#[test]
fn they_run_only_when_all_else_holds_and_is_answered() {
    let sandbox = shop(r#"["touch ../ran"], confirm = true"#);
    sandbox.deploy(["production"]).fails_with(3).says("--yes");
    sandbox.repository().git(["switch", "--quiet", "--create", "feature"]);
    sandbox.deploy(["production", "--yes"]).fails_with(3).says("branches: ");
    assert!(!sandbox.has("../ran"));
}

#[test]
fn only_one_that_fails_is_overridden_and_recorded() {
    let past = |sandbox: &Sandbox| {
        sandbox.deploy(["production", "--override", "checks", "--reason", "the check errs"]).succeeds();
        sandbox.shell("git --git-dir=.deploy/repository.git log --format=%B refs/deploy/production/log")
    };
    past(&shop(r#"["false"]"#)).succeeds().shows("Rule: checks").shows("Reason: the check errs");
    past(&shop(r#"["true"]"#)).succeeds().never_mentions("Rule: checks");
}

#[test]
fn a_secret_that_one_prints_is_masked() {
    let sandbox = shop(r#"["echo got {{ secret.TOKEN }}; false"]"#);
    sandbox.deploy(["production"]).fails_with(3).says("    got ***").never_mentions("correct-horse");
    assert_nothing_happened(&sandbox);
}

#[test]
fn what_can_not_be_started_refuses_too() {
    let sandbox = shop(r#"["no-such-program --flag"]"#);
    sandbox.deploy(["production"]).fails_with(3).says("failed with exit code 127");
    assert_nothing_happened(&sandbox);
}

#[test]
fn a_signal_ends_one_that_hangs_and_nothing_is_done() {
    let sandbox = shop(r#"["wait-for-ever"]"#);
    let gate = sandbox.gate("wait-for-ever");
    let running = sandbox.start(["production"]);
    gate.wait_for_arrival();
    running.signal(rustix::process::Signal::INT);
    running.wait().fails_with(130).says("stopped while the checks of production ran; nothing was done");
    assert_nothing_happened(&sandbox);
}
