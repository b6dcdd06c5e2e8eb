//! Dotenv files: what processes and expressions get from them, and what is told when one can't be read.

use crate::support::Sandbox;

const TASKS: &str = r#"
    [settings]
    dotenv = ".env"
    [environments.staging]
    dotenv = ".env.staging"
    [tasks.show]
    dotenv = { path = ".env.task", optional = true }
    run = "echo {{ env.NAME }} $NAME $COLOR $SIZE"
"#;

#[test]
fn later_files_beat_earlier_ones_and_the_caller_beats_all() {
    let sandbox = Sandbox::new()
        .tasks(TASKS)
        .file(".env", "NAME=all\nCOLOR=\"dark ${NAME}\" # a comment\nSIZE='$NAME'\n")
        .file(".env.staging", "\u{feff}export NAME=staging\r\nSIZE=${SIZE:-none}\r\n");
    sandbox.deploy(["show"]).succeeds().prints("all all dark all $NAME\n");
    sandbox.deploy(["staging", "show"]).succeeds().prints("staging staging dark all none\n");
    sandbox.write(".env.task", "NAME=task\n");
    sandbox.deploy(["staging", "show"]).succeeds().prints("task task dark all none\n");
    let sandbox = sandbox.env("NAME", "caller");
    sandbox.deploy(["staging", "show"]).succeeds().prints("caller caller dark caller none\n");
}

#[test]
fn nothing_in_a_file_is_run() {
    let sandbox =
        Sandbox::new().tasks(TASKS).file(".env", "NAME=$(touch ran)`touch ran`\nCOLOR=;touch ran\nSIZE=1\n");
    let shown = "$(touch ran)`touch ran` $(touch ran)`touch ran` ;touch ran 1\n";
    sandbox.deploy(["show"]).succeeds().prints(shown);
    assert!(!sandbox.has("ran"));
}

#[test]
fn a_file_that_can_not_be_read_is_told_with_its_place_before_anything_runs() {
    let sandbox = Sandbox::new().tasks(TASKS);
    sandbox.deploy(["show"]).fails_with(2).says("there is no dotenv file `.env`");
    for (text, told) in [
        ("A=1\nhunter2\n", ".env:2:8: there is no `=` after the name"),
        ("A=1\n\nB='hunter2\n", ".env:3:3: the ' that opens here is never closed"),
        ("A=hunter2$ecret\n", ".env:1:10: this name has no value"),
    ] {
        sandbox.write(".env", text);
        sandbox.deploy(["show"]).fails_with(2).says(told).says("tasks.toml:3").never_mentions("hunter2");
    }
}

#[test]
fn a_plan_reads_them_and_check_does_not_need_them() {
    let sandbox = Sandbox::new().tasks(TASKS);
    sandbox.deploy(["check"]).succeeds();
    sandbox.write(".env", "NAME=all\n");
    sandbox.deploy(["plan", "show"]).succeeds().shows("echo all $NAME");
}
