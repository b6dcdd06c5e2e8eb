//! Freezes: the times in which an environment takes nothing, by the file and by the ledger.

use crate::support::Sandbox;

/// A shop whose production has this `freeze`, and a task that must not run when it refuses.
fn shop(freeze: &str) -> Sandbox {
    let tasks = r#"
        [environments.production]
        target  = { git = "production" }
        needs   = ["test"]
        protect = { freeze = FREEZE }
        [tasks.test]
        run = "echo test >> ../log"
    "#;
    Sandbox::shop(&tasks.replace("FREEZE", freeze)).remote("production")
}

#[test]
fn nothing_goes_out_while_an_environment_is_frozen() {
    let window = "from = '2026-01-01', to = '2999-12-31', tz = 'Asia/Tokyo', reason = 'the books are closed'";
    let sandbox = shop(&format!("[{{ {window} }}]"));
    let refused = sandbox.deploy(["production"]);
    refused.fails_with(3).says("freeze: production is frozen until Wednesday 3000-01-01 00:00 (Asia/Tokyo)");
    refused.says("the books are closed").says("--override freeze");
    sandbox.deploy(["plan", "production"]).succeeds().shows("freeze refuses").shows("the books are closed");
    // What is no deploy may run.
    assert!(!sandbox.has("../log"), "something ran");
    assert_eq!(sandbox.target("production").tip("main"), None);
    sandbox.deploy(["production", "test"]).succeeds();
    sandbox.deploy(["production", "--override", "freeze", "--reason", "the auditors ask"]).succeeds();
    let ledger =
        sandbox.shell("git --git-dir=.deploy/repository.git log --format=%B refs/deploy/production/log");
    ledger.succeeds().shows("Rule: freeze").shows("Reason: the auditors ask");
}

#[test]
fn a_freeze_that_is_over_holds_nobody_up() {
    let sandbox = shop("[{ from = 2000-12-20, to = 2001-01-02T12:00:00, tz = 'UTC' }]");
    sandbox.deploy(["plan", "production"]).succeeds().shows("freeze holds");
    sandbox.deploy(["production"]).succeeds();
}

#[test]
fn a_freeze_is_for_environments_without_a_target_and_without_git_too() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [environments.production]
        protect = { freeze = [{ days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] }] }
        [tasks.deploy]
        run = "echo deployed >> log"
        "#,
    );
    sandbox.deploy(["production"]).fails_with(3).says("no end in sight");
    assert!(!sandbox.has("log"));
    sandbox.deploy(["production", "--override", "freeze", "--reason", "it must"]).succeeds();
}

#[test]
fn a_freeze_in_the_ledger_is_the_same_rule() {
    let sandbox = shop("[]");
    sandbox.deploy(["production"]).succeeds();
    sandbox.commit("Second");
    sandbox.deploy(["production"]).succeeds();
    sandbox.deploy(["rollback", "production", "--reason", "wrong prices"]).succeeds();
    sandbox.commit("Third");
    let refused = sandbox.deploy(["production"]);
    refused.fails_with(3).says("freeze: production is frozen since 20").says("by ada@");
    refused.says("rolled back from release 2: wrong prices").says("deploy unlock production");
    sandbox.deploy(["plan", "production"]).succeeds().shows("freeze refuses").shows("wrong prices");
    sandbox.deploy(["production", "--override", "freeze", "--reason", "mended"]).succeeds();
}

#[test]
fn a_day_may_end_at_24_hours() {
    let days = "days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']";
    let sandbox = shop(&format!("[{{ {days}, from = '00:00', to = '24:00' }}]"));
    sandbox.deploy(["production"]).fails_with(3).says("no end in sight");
    for wrong in ["from = '24:00'", "from = '2026-12-20', to = '24:00'"] {
        shop(&format!("[{{ {wrong} }}]")).deploy(["check"]).fails_with(2).says("tasks.toml:5");
    }
}

#[test]
fn all_that_is_wrong_with_a_freeze_is_told_at_once() {
    let sandbox = shop(
        r#"[
            { days = ["fri", "saturday"] },
            { from = "2026-12-20", to = "15:00" },
            { from = "2026-12-20", to = "2026-12-19" },
            { from = "22:00", to = "22:00" },
            { from = "2026-12-20T10:00:00Z" },
            { to = "Friday" },
            { reason = "never" },
            { days = [] },
            { days = ["mon"], tz = 7 },
            { days = ["mon"], until = "15:00" },
        ]"#,
    );
    let told = sandbox.deploy(["check"]);
    told.fails_with(2);
    for line in [
        "`days` must be one of \"mon\"",
        "a freeze goes from day to day, or from time to time",
        "this freeze is over when it begins",
        "tasks.toml:9",
        "a moment of a freeze is told without its time zone",
        "`to` must be a day (\"2026-12-20\")",
        "a freeze says when: `from`, `to` or `days`",
        "`days` must be a list of days",
        "`tz` must be a string",
        "a freeze has no key `until`",
    ] {
        told.says(line);
    }
    let sandbox = shop("[{ days = ['mon'], tz = 'Europe/Bern' }]");
    sandbox.deploy(["list"]).fails_with(2).says("there is no time zone `Europe/Bern`").says("tasks.toml:5");
}
