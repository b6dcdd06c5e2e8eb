//! `deploy logs`: what a run printed is kept, and can be shown again as any format shows it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rustix::process::Signal;

use crate::support::Sandbox;

/// Two jobs with something on each stream, one of which fails.
const TASKS: &str = r#"
[tasks.lint]
run = "printf 'lint 1\nlint '; echo oops >&2; echo 2"
[tasks.test]
needs = ["lint"]
run = "printf 'no end'; exit 3"
[tasks.single]
run = "echo single"
"#;

/// The ids of the runs whose output is kept, newest first.
fn runs(sandbox: &Sandbox) -> Vec<String> {
    let list = sandbox.deploy(["logs", "--list"]);
    list.succeeds();
    list.stdout.lines().skip(1).filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn a_run_is_told_again_as_it_was_told() {
    let sandbox = Sandbox::new().tasks(TASKS);
    for format in ["prefixed", "stream", "grouped", "json"] {
        let run = sandbox.deploy(["--output", format, "test"]);
        run.fails_with(3);
        let again = sandbox.deploy(["logs", "--output", format]);
        again.succeeds();
        assert_eq!(again.stdout, run.stdout, "{format}");
        let heading = usize::from(format != "json");
        let words: Vec<&str> = again.stderr.lines().skip(heading).collect();
        assert_eq!(words, run.stderr.lines().collect::<Vec<_>>(), "{format}");
    }
}

#[test]
fn a_run_is_told_by_default_as_its_plan_would_be_and_in_any_other_format() {
    let sandbox = Sandbox::new().tasks(TASKS);
    sandbox.deploy(["--output", "quiet", "test"]).fails_with(3);
    sandbox
        .deploy(["logs"])
        .prints("lint | lint 1\nlint | lint 2\ntest | no end\n")
        .says("test: failed with exit code 3");
    sandbox.deploy(["logs", "--output", "stream"]).prints("lint 1\nlint 2\nno end").says("tasks.toml:6");
    sandbox.deploy(["--output", "quiet", "single"]).prints("");
    sandbox.deploy(["logs"]).prints("single\n");
    sandbox.deploy(["logs", "-q"]).prints("single\n");
    assert_eq!(sandbox.deploy(["logs", "-q"]).stderr, "");
}

#[test]
fn a_failure_keeps_its_place_though_the_file_has_changed() {
    let sandbox = Sandbox::new().tasks(TASKS);
    sandbox.deploy(["--output", "prefixed", "test"]).fails_with(3);
    let sandbox = sandbox.tasks("[tasks.other]\nrun = \"true\"\n");
    sandbox.deploy(["logs"]).says("where: tasks.toml:6");
}

#[test]
fn the_output_is_private_and_stands_in_its_file_line_by_line() {
    let sandbox = Sandbox::new().tasks(TASKS);
    sandbox.deploy(["--output", "prefixed", "lint"]).succeeds();
    let folder = sandbox.root().join(".deploy/runs").join(&runs(&sandbox)[0]);
    let text = fs::read_to_string(folder.join("output")).unwrap();
    assert!(text.lines().any(|line| line == "lint 1") && text.lines().any(|line| line == "oops"), "{text}");
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(folder.clone()), mode(folder.join("output"))), (0o700, 0o600));
}

#[test]
fn a_task_that_runs_alone_has_no_log_and_leaves_nothing_behind() {
    let sandbox = Sandbox::new().tasks(TASKS);
    sandbox.deploy(["single"]).prints("single\n");
    assert!(!sandbox.has(".deploy"));
    sandbox.deploy(["logs"]).succeeds().shows("no output is kept yet");
    sandbox.deploy(["logs", "--list"]).succeeds().shows("no output is kept yet");
    assert!(!sandbox.has(".deploy"), "looking writes nothing");
}

#[test]
fn a_run_is_named_by_the_beginning_of_its_id() {
    let sandbox = Sandbox::new().tasks(TASKS);
    sandbox.deploy(["lint", "single"]).succeeds();
    sandbox.deploy(["-k", "lint", "test"]).fails();
    let runs = runs(&sandbox);
    assert_eq!(runs.len(), 2);
    sandbox.deploy(["logs", &runs[1]]).succeeds().shows("single");
    // The random tail tells them apart, whatever the clock said.
    sandbox.deploy(["logs", &runs[1][..runs[1].len() - 1]]).succeeds().shows("single");
    sandbox.deploy(["logs"]).succeeds().shows("no end");
    sandbox.deploy(["logs", &runs[0][..2]]).fails_with(2).says(&runs[0]).says(&runs[1]);
    sandbox
        .deploy(["logs", "never"])
        .fails_with(2)
        .says("`never`")
        .says(&format!("{}, {}", runs[0], runs[1]));
}

#[test]
fn the_list_says_what_ran_and_how_it_ended() {
    let sandbox = Sandbox::new().tasks(TASKS);
    sandbox.deploy(["lint", "single"]).succeeds();
    sandbox.deploy(["test"]).fails();
    let list = sandbox.deploy(["logs", "--list"]);
    let lines: Vec<&str> = list.stdout.lines().collect();
    assert!(lines[0].starts_with("RUN ") && lines[0].ends_with("ENDED      TOOK"), "{}", list.stdout);
    assert!(lines[1].contains("  test         failed     "), "{}", list.stdout);
    assert!(lines[2].contains("  lint single  succeeded  "), "{}", list.stdout);
}

#[test]
fn the_list_is_there_for_programs_too() {
    let sandbox = Sandbox::new().tasks(TASKS);
    let list = || -> Vec<serde_json::Value> {
        serde_json::from_str(&sandbox.deploy(["logs", "--list", "--json"]).succeeds().stdout).expect("JSON")
    };
    assert!(list().is_empty());
    sandbox.deploy(["lint", "single"]).succeeds();
    sandbox.deploy(["test"]).fails();
    let all = list();
    assert_eq!((&all[0]["ended"], &all[1]["ended"]), (&"failed".into(), &"succeeded".into()));
    assert_eq!(all[1]["tasks"], serde_json::json!(["lint", "single"]));
    assert!(all[0]["took"].is_f64() && all[0]["run"].is_string(), "{all:?}");
    sandbox.deploy(["logs", "--json"]).fails_with(2).says("--list");
}

#[test]
fn a_run_can_be_looked_at_while_it_goes_on_and_after_it_was_killed() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [tasks.first]
        run = "echo so far"
        [tasks.second]
        needs = ["first"]
        run = "exec 9> SANDBOX/tmp/leash; printf half; gate"
        "#,
    );
    let (gate, leash) = (sandbox.gate("gate"), sandbox.leash("leash"));
    let running = sandbox.start(["second"]);
    gate.wait_for_arrival();
    sandbox.deploy(["logs", "--list"]).shows("  second  it runs");
    sandbox.deploy(["logs"]).shows("first  | so far\nsecond | half\n").says("the run goes on");
    running.signal(Signal::KILL);
    running.wait().fails_with(-9);
    gate.open();
    leash.wait_for_release();
    sandbox.deploy(["logs", "--list"]).shows("  second  cut off");
    sandbox.deploy(["logs"]).shows("second | half\n").says("the run was cut off here");
}

#[test]
fn the_newest_twenty_runs_are_kept() {
    let sandbox = Sandbox::new().tasks(TASKS);
    sandbox.deploy(["lint", "single"]).succeeds();
    let oldest = runs(&sandbox).remove(0);
    // Runs of one second are in no order by their names; these are older than any.
    let kept = sandbox.root().join(".deploy/runs");
    fs::rename(kept.join(&oldest), kept.join("20000101-000000-00000000")).unwrap();
    for _ in 0..20 {
        sandbox.deploy(["lint", "single"]).succeeds();
    }
    assert_eq!(runs(&sandbox).len(), 20);
    assert!(!kept.join("20000101-000000-00000000").exists());
}

#[test]
fn a_log_that_can_not_be_written_is_said_once_and_stops_nothing() {
    let sandbox = Sandbox::new().tasks(TASKS).file(".deploy/runs", "in the way");
    let run = sandbox.deploy(["lint", "single"]);
    run.succeeds().shows("single").says("the output of this run is not kept: can't write");
    assert_eq!(run.stderr.matches("not kept").count(), 1);
    sandbox.deploy(["-q", "lint", "single"]).succeeds().never_mentions("not kept");
}

#[test]
fn a_reader_that_goes_away_ends_the_replay_in_peace() {
    let sandbox =
        Sandbox::new().tasks("[tasks.loud]\nrun = \"yes | head -n 200000\"\n[tasks.other]\nrun = \"true\"\n");
    sandbox.deploy(["--output", "quiet", "loud", "other"]).succeeds();
    let head = sandbox.shell("{ $DEPLOY logs; echo $? >&2; } | head -n 1");
    head.prints("loud  | y\n").says("\n0\n");
}

#[test]
fn a_deploy_ends_with_what_is_live() {
    let sandbox = Sandbox::shop("[environments.staging]\ntarget = { git = \"staging\" }\n").remote("staging");
    let head = sandbox.repository().head();
    let live = format!("deploy: staging: release 1 is live ({} \"First\") in ", &head[..8]);
    let last = |text: &str| text.lines().last().unwrap_or_default().to_owned();
    let run = sandbox.deploy(["staging"]);
    assert!(last(&run.succeeds().stderr).starts_with(&live), "{run}");
    assert!(last(&sandbox.deploy(["logs"]).succeeds().stderr).starts_with(&live));
    sandbox.deploy(["logs", "--list"]).shows("  staging  succeeded  ");
    sandbox.deploy(["staging"]).succeeds().says("live already").never_mentions("is live (");
    sandbox.deploy(["-q", "staging", "--rebuild"]).succeeds().never_mentions("is live");
    sandbox
        .deploy(["--output", "json", "--rebuild", "staging"])
        .shows(r#""event":"released","environment":"staging","release":3"#);
}

#[test]
fn jobs_are_groups_in_a_ci_log_and_one_alone_is_none() {
    let github = Sandbox::new().tasks(TASKS).env("GITHUB_ACTIONS", "true");
    let run = github.deploy(["test", "single", "-k", "-j1"]);
    let error =
        "::error file=tasks.toml,line=6,title=test::`printf 'no end'; exit 3` failed with exit code 3\n";
    run.fails_with(3)
        .shows("::group::lint\nlint 1\n")
        .shows("::group::test\nno end\n::endgroup::\n")
        .shows(error);
    assert_eq!(run.stderr, "", "the server reads two streams at its own pace");
    github.deploy(["single"]).prints("single\n");
    github.deploy(["--output", "stream", "test"]).never_mentions("::");
    github.deploy(["logs"]).never_mentions("::group::");

    let gitlab = Sandbox::new().tasks(TASKS).env("GITLAB_CI", "true");
    gitlab
        .deploy(["test"])
        .shows("\x1b[0Ksection_start:")
        .shows("\r\x1b[0Klint\nlint 1\n")
        .shows("\x1b[0Ksection_end:");
}
