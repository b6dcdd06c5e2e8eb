//! `output` of a task: how what it prints is shown.

use crate::support::Sandbox;

const NOISY: &str = r#"
[tasks.all]
needs = ["quiet", "whole", "plain"]
run = "echo all"
[tasks.quiet]
output = "quiet"
run = "echo noise; echo noise >&2; test ! -e fail"
[tasks.whole]
output = "grouped"
run = ["echo one", "echo two"]
[tasks.plain]
run = "echo plain"
"#;

#[test]
fn of_a_quiet_task_is_shown_only_if_it_fails() {
    let shop = Sandbox::new().tasks(NOISY);
    shop.deploy(["quiet"]).succeeds().prints("").never_mentions("noise");
    let all = shop.deploy(["all"]);
    all.succeeds().never_mentions("noise").shows("whole | one").shows("plain | plain").shows("all   | all");
    shop.deploy(["logs"]).succeeds().shows("quiet | noise");
    shop.deploy(["all", "--output", "prefixed"]).shows("quiet | noise");
    let shop = shop.file("fail", "");
    shop.deploy(["quiet"]).fails_with(1).shows("noise").says("noise");
    shop.deploy(["all", "-k"]).fails_with(1).shows("quiet | noise").says("quiet | noise");
}

#[test]
fn of_a_grouped_task_comes_in_one_piece() {
    let shop = Sandbox::new().tasks(NOISY);
    for _ in 0..5 {
        let all = shop.deploy(["all"]);
        all.succeeds().shows("whole | one\nwhole | two\n");
    }
    let wrong = Sandbox::new().tasks("[tasks.x]\nrun = 'true'\noutput = 'json'\n");
    wrong.deploy(["list"]).fails_with(2).says("`output` must be one of");
}
