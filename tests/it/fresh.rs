//! Work that is done already: `inputs`, `outputs`, `--force`, `why`, `list --fresh`.

use std::fs;

use rustix::process::Signal;

use crate::support::Sandbox;

/// Each task notes in `log` that it ran.
const TASKS: &str = r#"
[vars]
flags = "-O2"

[tasks.generate]
inputs  = ["words.txt"]
outputs = ["src/words.c"]
run     = "cat words.txt > src/words.c; echo generate >> log"

[tasks.build]
about   = "Make the program"
needs   = ["generate"]
inputs  = ["src/**/*.c", "!src/old"]
outputs = ["out/program"]
run     = "mkdir -p out; cat src/*.c > out/program; echo build {{ flags }} >> log"

[tasks.test]
needs  = ["build"]
inputs = ["tests"]
run    = "echo test >> log"

[tasks.all]
needs = ["test"]
"#;

fn sandbox() -> Sandbox {
    Sandbox::new()
        .tasks(TASKS)
        .file("words.txt", "words\n")
        .file("src/main.c", "main\n")
        .file("src/old/main.c", "old\n")
        .file("tests/one", "one\n")
}

impl Sandbox {
    /// What has run since this was last asked.
    fn ran(&self) -> String {
        let ran = if self.has("log") { self.read("log").trim().replace('\n', ", ") } else { String::new() };
        self.write("log", "");
        ran
    }

    /// What runs of `all` now.
    #[track_caller]
    fn runs(&self) -> String {
        self.deploy(["all"]).succeeds();
        self.ran()
    }
}

#[test]
fn what_is_done_is_done_once_and_again_when_something_changes() {
    let sandbox = sandbox();
    assert_eq!(sandbox.runs(), "generate, build -O2, test");
    assert_eq!(sandbox.runs(), "");
    sandbox.write("src/main.c", "more\n");
    assert_eq!(sandbox.runs(), "build -O2, test");
    sandbox.write("src/old/main.c", "left out\n");
    assert_eq!(sandbox.runs(), "");
    sandbox.write("src/new.c", "new\n");
    assert_eq!(sandbox.runs(), "build -O2, test");
    fs::remove_file(sandbox.root().join("src/new.c")).unwrap();
    assert_eq!(sandbox.runs(), "build -O2, test");
    sandbox.write("tests/one", "two\n");
    assert_eq!(sandbox.runs(), "test");
    fs::remove_file(sandbox.root().join("out/program")).unwrap();
    assert_eq!(sandbox.runs(), "build -O2, test");
    sandbox.write("out/program", "somebody else's\n");
    assert_eq!(sandbox.runs(), "build -O2, test");
    sandbox.deploy(["all", "--set", "flags=-O3"]).succeeds();
    assert_eq!(sandbox.ran(), "build -O3, test");
    sandbox.write("tasks.toml", &format!("# moved down\n\n{}", TASKS.replace("echo test ", "echo tested ")));
    assert_eq!(sandbox.runs(), "build -O2, tested");
}

#[test]
fn nothing_to_do_is_said_in_one_line_and_force_does_it_all_the_same() {
    let sandbox = sandbox();
    sandbox.deploy(["generate"]).succeeds();
    let done = sandbox.deploy(["generate"]);
    done.succeeds();
    assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("", "deploy: generate: nothing to do\n"));
    sandbox.deploy(["all"]).succeeds();
    sandbox.deploy(["all"]).succeeds().says("4 had nothing to do");
    sandbox.ran();
    sandbox.deploy(["all", "--force"]).succeeds();
    assert_eq!(sandbox.ran(), "generate, build -O2, test");
    assert_eq!(sandbox.runs(), "");
}

/// As an editor that keeps the size and, by the clock of the file system, the time.
#[test]
fn an_edit_of_the_same_size_at_the_same_time_is_seen() {
    let sandbox = sandbox();
    for round in 0..20 {
        sandbox.write("words.txt", &format!("{round:05}\n"));
        sandbox.shell("touch -d '2026-01-01 00:00:00' words.txt").succeeds();
        sandbox.deploy(["generate"]).succeeds();
        assert_eq!(sandbox.read("src/words.c"), format!("{round:05}\n"));
    }
}

#[test]
fn a_file_that_only_looks_new_is_not() {
    let sandbox = sandbox();
    sandbox.runs();
    sandbox
        .shell("touch src/*.c words.txt tests/one out/program; cp -p words.txt w; mv w words.txt")
        .succeeds();
    assert_eq!(sandbox.runs(), "");
    sandbox.shell("chmod +x words.txt").succeeds();
    assert_eq!(sandbox.runs(), "generate, build -O2, test");
}

#[test]
fn a_run_that_fails_or_is_killed_takes_freshness_away() {
    let sandbox = Sandbox::new()
        .tasks("[tasks.build]\ninputs = ['in']\nrun = 'hold; test -e good'\n")
        .file("in", "1")
        .file("good", "");
    let hold = sandbox.gate("hold");
    hold.open();
    sandbox.deploy(["build"]).succeeds();
    sandbox.deploy(["build"]).succeeds().says("nothing to do");

    fs::remove_file(sandbox.root().join("good")).unwrap();
    hold.open();
    sandbox.deploy(["build", "--force"]).fails_with(1);
    sandbox.write("good", "");
    sandbox
        .deploy(["why", "build"])
        .succeeds()
        .shows("it did not succeed when it was last run, or did not make all that its `outputs` name");
    hold.open();
    sandbox.deploy(["build"]).succeeds();
    for _ in 0..2 {
        hold.wait_for_arrival();
    }
    hold.wait_for_arrival();

    let killed = sandbox.start(["build", "--force"]);
    hold.wait_for_arrival();
    killed.signal(Signal::KILL);
    hold.open();
    drop(killed);
    hold.open();
    let done = sandbox.deploy(["build"]);
    done.succeeds();
    assert!(!done.stderr.contains("nothing to do"), "{done}");
}

#[test]
fn two_runs_at_once_leave_what_both_can_read() {
    let tasks = "[tasks.one]\ninputs = ['in']\nrun = 'hold; echo one >> log'\n\
                 [tasks.two]\ninputs = ['in']\nrun = 'echo two >> log'\n";
    let sandbox = Sandbox::new().tasks(tasks).file("in", "1");
    let hold = sandbox.gate("hold");
    let first = sandbox.start(["one"]);
    hold.wait_for_arrival();
    sandbox.deploy(["two"]).succeeds();
    hold.open();
    first.wait().succeeds();
    sandbox.deploy(["one", "two"]).succeeds().says("2 had nothing to do");
    assert_eq!(sandbox.ran(), "two, one");
}

/// The change comes while the task reads: what it made may be of the old state or of the new one.
#[test]
fn a_change_during_the_act_is_done_again() {
    let sandbox =
        Sandbox::new().tasks("[tasks.t]\ninputs = ['in']\nrun = 'hold; echo t >> log'\n").file("in", "1");
    let hold = sandbox.gate("hold");
    let run = sandbox.start(["t"]);
    hold.wait_for_arrival();
    sandbox.write("in", "2");
    hold.open();
    run.wait().succeeds();
    hold.open();
    sandbox.deploy(["t"]).succeeds();
    assert_eq!(sandbox.ran(), "t, t");
    sandbox.deploy(["t"]).succeeds().says("nothing to do");
}

#[test]
fn a_project_that_is_moved_or_copied_stays_fresh() {
    let sandbox = sandbox();
    sandbox.runs();
    sandbox.shell("mkdir ../moved && mv ./* .deploy ../moved && cp -r ../moved ../copy").succeeds();
    sandbox.deploy_in("../moved", ["all"]).succeeds().says("4 had nothing to do");
    sandbox.deploy_in("../copy", ["all"]).succeeds().says("4 had nothing to do");
}

#[test]
fn a_torn_or_strange_file_of_stamps_costs_a_run_and_nothing_else() {
    let sandbox = sandbox();
    sandbox.runs();
    let stamps = sandbox.read(".deploy/stamps/main");
    let before_last = stamps.trim_end().rfind('\n').unwrap();
    for cut in [before_last + 1, before_last + 9, stamps.len() - 1] {
        sandbox.write(".deploy/stamps/main", &stamps[..cut]);
        assert_eq!(sandbox.runs(), "test", "cut at {cut}");
        assert_eq!(sandbox.runs(), "");
    }
    for strange in ["", "deploy stamps 0\n", "\0\0\0\0", "deploy stamps 1\ns zz {}\nt 1\n\nx\n"] {
        sandbox.write(".deploy/stamps/main", strange);
        assert_eq!(sandbox.runs(), "generate, build -O2, test", "{strange:?}");
        assert_eq!(sandbox.runs(), "", "{strange:?}");
    }
}

#[test]
fn each_checkout_of_a_repository_has_its_own() {
    let sandbox = sandbox().file(".gitignore", "log\nout\nsrc/words.c\n").git();
    sandbox.runs();
    sandbox.shell("git worktree add -q ../other").succeeds();
    sandbox.deploy_in("../other", ["all"]).succeeds().says("4 succeeded");
    sandbox.deploy_in("../other", ["all"]).succeeds().says("4 had nothing to do");
    assert_eq!(sandbox.runs(), "");
}

#[test]
fn parameters_and_environments_are_told_apart() {
    let sandbox = Sandbox::new().file("in", "1").tasks(
        "[environments.staging]\n[environments.production]\n\
         [tasks.t]\ninputs = ['in']\nparams.mode = { default = 'fast' }\nrun = 'echo {{ mode }} >> log'\n",
    );
    let run = |words: &str| {
        sandbox.shell(&format!("$DEPLOY {words}")).succeeds();
        sandbox.ran()
    };
    assert_eq!(run("t"), "fast");
    assert_eq!(run("t --mode slow"), "slow");
    assert_eq!(run("t"), "");
    assert_eq!(run("t --mode slow"), "");
    assert_eq!(run("staging t"), "fast");
    assert_eq!(run("production t"), "fast");
    assert_eq!(run("staging t"), "");
}

#[test]
fn a_need_that_ran_by_itself_makes_what_needs_it_stale() {
    let sandbox = sandbox();
    sandbox.runs();
    sandbox.write("words.txt", "others\n");
    sandbox.deploy(["build"]).succeeds();
    assert_eq!(sandbox.ran(), "generate, build -O2");
    sandbox.deploy(["why", "test"]).succeeds().shows("`build`, which it needs, was done since");
    assert_eq!(sandbox.runs(), "test");
}

#[test]
fn a_need_that_always_runs_keeps_what_needs_it_from_being_fresh() {
    let sandbox = Sandbox::new().file("in", "1").tasks(
        "[tasks.setup]\nrun = 'echo setup >> log'\n\
         [tasks.asked]\nskip_if = 'test -e ready'\nrun = 'echo asked >> log'\n\
         [tasks.t]\nneeds = ['setup']\ninputs = ['in']\nrun = 'echo t >> log'\n\
         [tasks.u]\nneeds = ['asked']\ninputs = ['in']\nrun = 'echo u >> log'\n",
    );
    for _ in 0..2 {
        sandbox.deploy(["t"]).succeeds();
        assert_eq!(sandbox.ran(), "setup, t");
    }
    sandbox.deploy(["u"]).succeeds();
    assert_eq!(sandbox.ran(), "asked, u");
    sandbox.write("ready", "");
    sandbox.deploy(["u"]).succeeds().says("2 had nothing to do");
    assert_eq!(sandbox.ran(), "");
}

#[test]
fn a_task_that_is_a_step_of_another_is_done_once_too() {
    let sandbox = Sandbox::new().file("in", "1").tasks(
        "[tasks.inner]\ninputs = ['in']\nrun = 'echo inner >> log'\n\
         [tasks.outer]\nsteps = [{ task = 'inner' }, 'echo outer >> log']\n",
    );
    sandbox.deploy(["outer"]).succeeds();
    sandbox.deploy(["outer"]).succeeds();
    assert_eq!(sandbox.ran(), "inner, outer, outer");
}

#[test]
fn what_a_task_should_have_made_and_did_not_is_told() {
    let sandbox = Sandbox::new().tasks("[tasks.t]\noutputs = ['out']\nrun = 'true'\n");
    for _ in 0..2 {
        let ended = sandbox.deploy(["t"]);
        ended.succeeds().mentions("it did not make `out`, which its `outputs` name");
    }
}

#[test]
fn an_input_that_is_not_there_is_told_and_a_lone_pattern_needs_no_list() {
    let sandbox =
        Sandbox::new().tasks("[tasks.t]\ninputs = 'src/mian.c'\nrun = 'true'\n").file("src/main.c", "");
    sandbox.deploy(["t"]).succeeds().mentions("`src/mian.c`, which its `inputs` name, was not there");
    sandbox.deploy(["t"]).succeeds().says("nothing to do");
    let sandbox = sandbox.tasks("[tasks.t]\ninputs = './src/'\nrun = 'true'\n");
    sandbox.deploy(["t"]).succeeds().never_mentions("not there");
    let ended = sandbox.tasks("[tasks.t]\ninputs = 3\nrun = 'true'\n").deploy(["t"]);
    ended.fails_with(2).says("`inputs` must be a pattern such as").never_mentions("no pattern takes");
}

#[test]
fn files_that_git_ignores_are_no_inputs_where_that_is_asked() {
    let sandbox = Sandbox::new()
        .file(".gitignore", "*.pyc\n/log\n/.deploy\n")
        .file("a.py", "a")
        .tasks("[tasks.t]\ninputs = { files = ['**'], gitignore = true }\nrun = 'echo t >> log'\n");
    sandbox.deploy(["t"]).succeeds();
    sandbox.write("a.pyc", "compiled");
    sandbox.deploy(["t"]).succeeds().says("nothing to do");
    sandbox.write("b.py", "b");
    sandbox.deploy(["t"]).succeeds();
    assert_eq!(sandbox.ran(), "t, t");
}

#[test]
fn a_value_in_a_pattern_is_no_pattern() {
    let sandbox = Sandbox::new().file("a*b", "1").file("axb", "1").file("!c", "1").tasks(
        "[vars]\nname = 'a*b'\nbang = '!c'\n\
         [tasks.t]\ninputs = ['{{ name }}', '{{ bang }}']\nrun = 'echo t >> log'\n",
    );
    sandbox.deploy(["t"]).succeeds();
    sandbox.write("axb", "2");
    sandbox.deploy(["t"]).succeeds().says("nothing to do");
    sandbox.write("a*b", "2");
    sandbox.deploy(["t"]).succeeds();
    sandbox.write("!c", "2");
    sandbox.deploy(["t"]).succeeds();
    assert_eq!(sandbox.ran(), "t, t, t");
}

#[test]
fn why_names_the_file_the_value_and_the_need() {
    let sandbox = sandbox();
    sandbox
        .deploy(["why", "all"])
        .succeeds()
        .prints("all runs\n  test, which it needs, runs\ntest runs\n  it was not done here yet\nbuild runs\n  it was not done here yet\ngenerate runs\n  it was not done here yet\n");
    sandbox.runs();
    let why = sandbox.deploy(["why", "build"]);
    why.succeeds().shows("build has nothing to do: it was last done ").shows(", by run ");
    sandbox.write("src/main.c", "changed\n");
    sandbox.write("src/new.c", "new\n");
    fs::remove_file(sandbox.root().join("out/program")).unwrap();
    let why = sandbox.deploy(["why", "test", "--set", "flags=-O3"]);
    why.succeeds().shows("test runs");
    for line in [
        "  build, which it needs, runs\n",
        "  `flags` was `-O2`, and is `-O3`\n",
        "  src/main.c has changed\n",
        "  src/new.c is new\n",
        "  out/program, which it makes, is gone\n",
    ] {
        assert!(why.stdout.contains(line), "{line}{why}");
    }
    let json = sandbox.deploy(["why", "build", "--json"]);
    let parts: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(parts[0][1]["job"], "build");
    assert_eq!(parts[0][1]["fresh"], "stale");
    assert_eq!(parts[0][1]["because"][0]["path"], "src/main.c");
}

#[test]
fn values_of_the_callers_environment_are_compared_and_not_shown() {
    let sandbox = Sandbox::new().file("in", "1").env("MODE", "hunter2").tasks(
        "[tasks.t]\ninputs = ['in']\nenv = { LEVEL = '{{ env.MODE }}' }\nrun = 'echo t >> log'\n\
         [tasks.untracked]\nrun = 'true'\n[tasks.asked]\nskip_if = 'test -e x'\nrun = 'true'\n",
    );
    sandbox.deploy(["t"]).succeeds();
    assert!(!sandbox.read(".deploy/stamps/main").contains("hunter2"));
    let sandbox = sandbox.env("MODE", "hunter3");
    let why = sandbox.deploy(["why", "t"]);
    why.succeeds().shows("`env.MODE` has changed").shows("variable LEVEL has changed");
    assert!(!why.stdout.contains("hunter"), "{why}");
    sandbox
        .deploy(["why", "untracked"])
        .succeeds()
        .prints("untracked always runs: it has no `inputs` and no `outputs`\n");
    sandbox
        .deploy(["why", "asked"])
        .succeeds()
        .prints("asked runs unless its `skip_if` succeeds: test -e x\n");
}

#[test]
fn looking_writes_nothing_and_runs_nothing() {
    let sandbox = sandbox();
    let sandbox = sandbox.tasks(&format!(
        "{TASKS}\n[tasks.told]\nvars.version = {{ command = ['sh', '-c', 'echo 1; touch looked'] }}\n\
         inputs = ['words.txt']\nrun = 'echo {{{{ version }}}}'\n"
    ));
    for words in [["why", "all"], ["list", "--fresh"], ["plan", "all"]] {
        sandbox.deploy(words).succeeds();
        assert!(!sandbox.has(".deploy"), "{words:?}");
    }
    sandbox.deploy(["told"]).succeeds();
    fs::remove_file(sandbox.root().join("looked")).unwrap();
    sandbox.runs();
    let before = sandbox.read(".deploy/stamps/main");
    for words in [["why", "all"], ["list", "--fresh"], ["plan", "all"], ["why", "told"]] {
        sandbox.deploy(words).succeeds();
    }
    sandbox.deploy(["why", "told"]).succeeds().shows("told may run");
    assert_eq!(sandbox.read(".deploy/stamps/main"), before);
    assert!(!sandbox.has("looked"));
}

#[test]
fn list_and_plan_say_what_is_fresh() {
    let sandbox = sandbox();
    sandbox.deploy(["build"]).succeeds();
    let list = sandbox.deploy(["list", "--fresh"]);
    list.succeeds().shows("build").shows("fresh           Make the program");
    let state = |task: &str| {
        let line = list.stdout.lines().find(|line| line.trim_start().starts_with(task)).unwrap();
        line.split_whitespace().nth(1).unwrap().to_owned()
    };
    assert_eq!(["generate", "build", "test", "all"].map(state), ["fresh", "fresh", "stale", "stale"]);
    let plan = sandbox.deploy(["plan", "test"]);
    plan.succeeds().shows("nothing to do: nothing has changed since it was last done");
    assert_eq!(plan.stdout.matches("nothing to do").count(), 2, "{plan}");
}

#[test]
fn mistakes_in_patterns_are_told_with_their_place() {
    let tasks = "[tasks.a]\ninputs = ['!x']\nrun = 'true'\n[tasks.b]\noutputs = ['a[b', '']\nrun = 'true'\n\
                 [tasks.c]\ninputs = { file = ['a'] }\nrun = 'true'\n";
    let ended = Sandbox::new().tasks(tasks).deploy(["a"]);
    ended.fails_with(2);
    for part in
        ["no pattern takes a file in", "this is not a pattern", "a pattern is empty", "did you mean `files`?"]
    {
        ended.says(part);
    }
}

#[test]
fn a_task_that_ships_is_no_matter_of_files() {
    let tasks = "[environments.staging]\ntarget = { command = ['true'] }\n\
                 [tasks.deploy]\ninputs = ['shop.py']\nsteps = [{ ship = true }]\n";
    let ended = Sandbox::shop(tasks).deploy(["staging"]);
    ended.fails_with(2).says("files can't tell whether a release is to be shipped").says("tasks.toml:4");
}

#[test]
fn a_file_that_can_not_be_read_fails_the_task_before_it_acts() {
    let sandbox = Sandbox::new().tasks("[tasks.t]\ninputs = ['in']\nrun = 'echo ran'\n");
    sandbox.link("in", "in");
    let ended = sandbox.deploy(["t"]);
    ended.fails().says("can't read `").says("/in`").says("leave it out of the task's files");
    assert_eq!(ended.stdout, "");
}

#[test]
fn a_list_among_the_patterns_is_as_many_as_it_has_words() {
    let tasks = r#"
[vars]
read = ["a.txt", "b c.txt"]
made = ["x", "y"]
[tasks.build]
inputs  = ["{{ read }}"]
outputs = "{{ made }}"
run     = "cat *.txt > x; cp x y"
"#;
    let sandbox = Sandbox::new().tasks(tasks).file("a.txt", "1\n").file("b c.txt", "2\n");
    sandbox.deploy(["build"]).succeeds().never_mentions("was not there");
    sandbox.deploy(["build"]).succeeds().says("nothing to do");
    sandbox.write("b c.txt", "3\n");
    sandbox.deploy(["why", "build"]).succeeds().shows("b c.txt has changed");
    sandbox.deploy(["build"]).succeeds();
    sandbox.shell("rm y").succeeds();
    sandbox.deploy(["why", "build"]).succeeds().shows("y, which it makes, is gone");
}

#[test]
fn why_names_what_else_runs_and_what_may_not() {
    let tasks = r#"
[tasks.make]
inputs  = ["in"]
outputs = ["made"]
run     = "cp in made"
[tasks.use]
needs   = ["make"]
inputs  = ["made"]
outputs = ["used"]
run     = "cp made used"
[tasks.both]
inputs  = ["in"]
skip_if = "true"
run     = "false"
[tasks.behind]
needs   = ["look"]
inputs  = ["in"]
run     = "true"
[tasks.look]
skip_if = "true"
run     = "false"
"#;
    let sandbox = Sandbox::new().tasks(tasks).file("in", "1\n");
    sandbox.deploy(["use"]).succeeds();
    // Somebody writes over what is made: its maker runs too, and first.
    sandbox.write("made", "mine\n");
    let why = sandbox.deploy(["why", "use"]);
    why.succeeds().shows("use runs").shows("make runs").shows("made, which it makes, was changed");
    sandbox.deploy(["why", "both"]).succeeds().shows("both runs unless its `skip_if` succeeds: true");
    sandbox.deploy(["behind"]).succeeds();
    sandbox.deploy(["why", "behind"]).succeeds().shows("look, which it needs, may run");
}
