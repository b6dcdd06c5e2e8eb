//! Tasks: what runs, in which order, where, with which variables, and with which code it all ends.

use crate::support::{Sandbox, snapshot};

#[test]
fn needs_finish_first() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [tasks.test]
        needs = ["build"]
        run = "echo test >> log"
        [tasks.build]
        needs = ["fetch"]
        run = "echo build >> log"
        [tasks.fetch]
        run = "echo fetch >> log"
        "#,
    );
    sandbox.deploy(["test"]).succeeds();
    assert_eq!(sandbox.read("log"), "fetch\nbuild\ntest\n");
}

#[test]
fn a_job_that_is_needed_twice_and_named_runs_once() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [tasks.venv]
        run = "echo venv >> log"
        [tasks.lint]
        needs = ["venv"]
        run = "true"
        [tasks.test]
        needs = ["venv"]
        run = "true"
        [tasks.all]
        needs = ["lint", "test"]
        "#,
    );
    sandbox.deploy(["all", "venv", "test", "all"]).succeeds();
    assert_eq!(sandbox.read("log"), "venv\n");
}

#[test]
fn what_does_not_wait_for_each_other_runs_at_the_same_time() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [tasks.left]
        run = "gate"
        [tasks.right]
        run = "gate"
        [tasks.both]
        needs = ["left", "right"]
        run = "echo both"
        "#,
    );
    let gate = sandbox.gate("gate");
    let running = sandbox.start(["-j2", "both"]);
    gate.wait_for_arrival();
    gate.wait_for_arrival();
    gate.open();
    gate.open();
    running.wait().succeeds();
}

#[test]
fn no_more_than_jobs_run_at_the_same_time() {
    // A second one finds the folder there, and fails.
    let task = |name: usize| format!("[tasks.t{name}]\nrun = ['mkdir busy', 'rmdir busy']\n");
    let tasks: String = (1..=12).map(task).collect();
    let needs: Vec<String> = (1..=12).map(|name| format!("'t{name}'")).collect();
    let sandbox = Sandbox::new().tasks(&format!("{tasks}[tasks.all]\nneeds = [{}]\n", needs.join(", ")));
    sandbox.deploy(["--jobs", "1", "all"]).succeeds();
    sandbox.deploy(["all", "-j", "1"]).succeeds();
}

#[test]
fn settings_say_how_many_jobs_run_at_the_same_time() {
    let task = |name: usize| format!("[tasks.t{name}]\nrun = ['mkdir busy', 'rmdir busy']\n");
    let tasks: String = (1..=12).map(task).collect();
    let sandbox = Sandbox::new().tasks(&format!("[settings]\njobs = 1\n{tasks}"));
    sandbox.deploy(["t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8", "t9", "t10", "t11", "t12"]).succeeds();
}

#[test]
fn a_loop_is_refused_and_shown_whole() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [tasks.build]
        needs = ["test"]
        run = "touch ran"
        [tasks.test]
        needs = ["release"]
        run = "touch ran"
        [tasks.release]
        needs = ["build"]
        run = "touch ran"
        [tasks.other]
        run = "touch ran"
        "#,
    );
    let refused = sandbox.deploy(["build"]);
    refused.fails_with(2).says("build -> test -> release -> build");
    for line in [3, 6, 9] {
        let needs = sandbox.read("tasks.toml").lines().nth(line - 1).expect("a line").trim().to_owned();
        refused.says(&needs);
    }
    assert!(!sandbox.has("ran"), "a loop is found before anything runs");
    sandbox.deploy(["check"]).fails_with(2).says(" -> ");
}

#[test]
fn a_task_that_needs_itself_is_a_loop() {
    let sandbox = Sandbox::new().tasks("[tasks.build]\nneeds = ['build']\nrun = 'touch ran'\n");
    sandbox.deploy(["build"]).fails_with(2).says("build -> build").says("tasks.toml:2");
    assert!(!sandbox.has("ran"));
}

#[test]
fn order_only_can_not_make_a_loop_either() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [tasks.build]
        after = ["test"]
        run = "touch ran"
        [tasks.test]
        needs = ["build"]
        run = "touch ran"
        "#,
    );
    sandbox.deploy(["test"]).fails_with(2).says(" -> ");
    assert!(!sandbox.has("ran"));
}

#[test]
fn after_orders_two_tasks_and_brings_in_neither() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [tasks.lint]
        after = ["format"]
        run = "echo lint >> log"
        [tasks.format]
        run = "echo format >> log"
        "#,
    );
    sandbox.deploy(["lint"]).succeeds();
    assert_eq!(sandbox.read("log"), "lint\n");
    sandbox.deploy(["lint", "format"]).succeeds();
    assert_eq!(sandbox.read("log"), "lint\nformat\nlint\n");
}

#[test]
fn a_failing_steps_own_code_is_the_code_of_deploy() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [tasks.seven]
        run = "exit 7"
        [tasks.program]
        steps = [{ exec = ["sh", "-c", "exit 8"] }]
        [tasks.killed]
        run = "kill -KILL $$"
        [tasks.needs-seven]
        needs = ["seven"]
        run = "touch ran"
        "#,
    );
    sandbox.deploy(["seven"]).fails_with(7).says("seven").says("7");
    sandbox.deploy(["program"]).fails_with(8);
    sandbox.deploy(["killed"]).fails_with(128 + 9);
    sandbox.deploy(["needs-seven"]).fails_with(7);
    assert!(!sandbox.has("ran"), "what needs a failed job is not run");
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let sandbox = Sandbox::new().tasks("[tasks.build]\nsteps = [{ exec = ['no-such-program', 'x'] }]\n");
    sandbox.deploy(["build"]).fails().says("no-such-program");
}

#[test]
fn a_task_stops_at_its_first_failing_line() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [tasks.lines]
        run = ["echo one >> log", "exit 3", "echo three >> log"]
        [tasks.script]
        run = """
        echo one >> log
        false
        echo three >> log
        """
        [tasks.unset]
        run = "echo ${NOT_SET_ANYWHERE} >> log"
        "#,
    );
    sandbox.deploy(["lines"]).fails_with(3);
    sandbox.deploy(["script"]).fails_with(1);
    sandbox.deploy(["unset"]).fails();
    assert_eq!(sandbox.read("log"), "one\none\n");
}

#[test]
fn a_failure_starts_nothing_new_unless_told_to_keep_going() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [tasks.bad]
        run = "exit 5"
        [tasks.good]
        after = ["bad"]
        run = "echo good >> log"
        [tasks.dependent]
        needs = ["bad"]
        run = "echo dependent >> log"
        "#,
    );
    sandbox.deploy(["-j1", "bad", "good", "dependent"]).fails_with(5);
    assert!(!sandbox.has("log"));
    sandbox.deploy(["-j1", "--keep-going", "bad", "good", "dependent"]).fails_with(5);
    assert_eq!(sandbox.read("log"), "good\n");
}

#[test]
fn what_runs_when_another_fails_may_finish() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [tasks.long]
        run = ["gate", "echo finished >> log"]
        [tasks.bad]
        run = ["gate", "exit 5"]
        "#,
    );
    // Both have begun; one pass lets one of them go on, and the failing one must not take the other with it.
    let gate = sandbox.gate("gate");
    let running = sandbox.start(["-j2", "long", "bad"]);
    gate.wait_for_arrival();
    gate.wait_for_arrival();
    gate.open();
    gate.open();
    running.wait().fails_with(5);
    assert_eq!(sandbox.read("log"), "finished\n");
}

#[test]
fn lines_run_in_the_folder_of_the_file_unless_it_says_another() {
    let sandbox = Sandbox::new().file("web/assets/a.txt", "").tasks(
        r#"
        [tasks.here]
        run = "pwd"
        [tasks.there]
        dir = "web"
        run = "pwd"
        [tasks.deeper]
        dir = "web"
        steps = [{ run = "pwd", dir = "web/assets" }]
        [tasks.nowhere]
        dir = "no/such"
        run = "pwd"
        "#,
    );
    let at = |path: &str| format!("{}\n", sandbox.path(path).display());
    sandbox.deploy(["here"]).prints(&at("shop"));
    sandbox.deploy_in("web/assets", ["here"]).prints(&at("shop"));
    sandbox.deploy(["there"]).prints(&at("shop/web"));
    sandbox.deploy(["deeper"]).prints(&at("shop/web/assets"));
    sandbox.deploy(["nowhere"]).fails().says("no/such");
}

#[test]
fn each_line_has_its_own_shell_and_a_script_one() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [tasks.lines]
        run = ["word=kept", "echo ${word-lost}"]
        [tasks.script]
        run = """
        word=kept
        echo ${word-lost}
        """
        "#,
    );
    sandbox.deploy(["lines"]).succeeds().prints("lost\n");
    sandbox.deploy(["script"]).succeeds().prints("kept\n");
}

#[test]
fn another_shell_can_be_chosen() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [settings]
        shell = ["sh", "-c"]
        [tasks.lenient]
        run = "false; echo went on"
        [tasks.strict]
        shell = ["sh", "-eu", "-c"]
        run = "false; echo went on"
        "#,
    );
    sandbox.deploy(["lenient"]).succeeds().prints("went on\n");
    sandbox.deploy(["strict"]).fails_with(1);
}

#[test]
fn exec_starts_a_program_without_a_shell() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [vars]
        list = ["two words", "*"]
        [tasks.exec]
        steps = [{ exec = ["printf", "<%s>", "$HOME", "a  b", "; touch ran", "{{ list }}"] }]
        "#,
    );
    sandbox.deploy(["exec"]).succeeds().prints("<$HOME><a  b><; touch ran><two words><*>");
    assert!(!sandbox.has("ran"));
}

#[test]
fn steps_are_done_in_order_and_may_be_allowed_to_fail() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [tasks.mixed]
        steps = [
            "echo one >> log",
            { run = "echo two >> log; exit 4", allow_failure = true },
            { exec = ["sh", "-c", "echo three >> log"], name = "third" },
        ]
        "#,
    );
    sandbox.deploy(["mixed"]).succeeds();
    assert_eq!(sandbox.read("log"), "one\ntwo\nthree\n");
}

#[test]
fn variables_of_a_process_come_from_the_nearest_place() {
    let sandbox = Sandbox::new().env("SEEN", "caller").env("DEPLOY_ENVIRONMENT", "caller").tasks(
        r#"
        [environments.staging]
        env = { SEEN = "environment" }
        [environments.bare]
        [tasks.plain]
        run = "echo $SEEN"
        [tasks.task]
        env = { SEEN = "task" }
        run = "echo $SEEN"
        [tasks.step]
        env = { SEEN = "task" }
        steps = [{ run = "echo $SEEN", env = { SEEN = "step" } }]
        [tasks.own]
        run = "echo $DEPLOY_ENVIRONMENT"
        [tasks.overridden]
        env = { DEPLOY_ENVIRONMENT = "task" }
        run = "echo $DEPLOY_ENVIRONMENT"
        "#,
    );
    sandbox.deploy(["plain"]).succeeds().prints("caller\n");
    sandbox.deploy(["bare", "plain"]).succeeds().prints("caller\n");
    sandbox.deploy(["staging", "plain"]).succeeds().prints("environment\n");
    sandbox.deploy(["staging", "task"]).succeeds().prints("task\n");
    sandbox.deploy(["staging", "step"]).succeeds().prints("step\n");
    sandbox.deploy(["staging", "own"]).succeeds().prints("staging\n");
    sandbox.deploy(["staging", "overridden"]).succeeds().prints("task\n");
}

#[test]
fn a_process_knows_the_commit_and_the_environment() {
    let sandbox = Sandbox::new()
        .tasks(
            r#"
            [environments.staging]
            [tasks.show]
            run = 'echo "$DEPLOY_ENVIRONMENT $DEPLOY_COMMIT"'
            "#,
        )
        .git();
    let shown = format!("staging {}\n", sandbox.repository().head());
    sandbox.deploy(["staging", "show"]).succeeds().prints(&shown);
    sandbox.deploy(["-e", "staging", "show"]).succeeds().prints(&shown);
    sandbox.deploy(["show", "--environment", "staging"]).succeeds().prints(&shown);
}

#[test]
fn several_tasks_are_one_plan() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [tasks.venv]
        run = "echo venv >> log"
        [tasks.lint]
        needs = ["venv"]
        run = "echo lint >> lint"
        [tasks.test]
        needs = ["venv"]
        run = "echo test >> test"
        "#,
    );
    sandbox.deploy(["lint", "test"]).succeeds();
    assert_eq!(sandbox.read("log"), "venv\n");
    assert!(sandbox.has("lint") && sandbox.has("test"));
}

#[test]
fn needs_are_left_out_on_demand() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [tasks.build]
        run = "echo build >> log"
        [tasks.test]
        needs = ["build"]
        run = "echo test >> log"
        "#,
    );
    sandbox.deploy(["--no-deps", "test"]).succeeds();
    assert_eq!(sandbox.read("log"), "test\n");
}

#[test]
fn the_streams_of_a_child_stay_apart() {
    let sandbox = Sandbox::new().tasks("[tasks.talk]\nrun = 'echo out; echo err >&2'\n");
    let ended = sandbox.deploy(["talk"]);
    ended.succeeds().prints("out\n").says("err");
    snapshot!(sandbox.deploy(["--quiet", "talk"]), @r"
    -- stdout
    out
    -- stderr
    err
    -- exit 0
    ");
}

#[test]
fn quiet_says_nothing_of_its_own_unless_something_fails() {
    let sandbox = Sandbox::new().tasks("[tasks.good]\nrun = 'true'\n[tasks.bad]\nrun = 'exit 3'\n");
    let good = sandbox.deploy(["-q", "good"]);
    good.succeeds().prints("");
    assert_eq!(good.stderr, "");
    sandbox.deploy(["-q", "bad"]).fails_with(3).says("bad");
}

#[test]
fn lines_of_several_jobs_bear_their_names() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [tasks.lint]
        run = "echo clean"
        [tasks.test]
        run = "echo passed"
        "#,
    );
    let ended = sandbox.deploy(["lint", "test"]);
    ended.succeeds();
    let mut lines: Vec<String> =
        ended.stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    lines.sort();
    assert_eq!(lines, ["lint | clean", "test | passed"]);
}

#[test]
fn what_follows_two_dashes_is_for_the_lines() {
    let sandbox = Sandbox::new().tasks("[tasks.test]\nrun = \"printf '<%s>' {{ args }}\"\n");
    sandbox
        .deploy(["test", "--", "-v", "two words", "$HOME", "--yes"])
        .succeeds()
        .prints("<-v><two words><$HOME><--yes>");
}

#[test]
fn a_step_reads_an_empty_stdin_and_is_not_asked_for_passwords() {
    let sandbox = Sandbox::new().tasks("[tasks.read]\nrun = ['wc -c', 'echo $GIT_TERMINAL_PROMPT']\n");
    let ended = sandbox.shell("echo from the caller | $DEPLOY read");
    ended.succeeds();
    let words: Vec<&str> = ended.stdout.split_whitespace().collect();
    assert_eq!(words, ["0", "0"]);
}

#[test]
fn a_task_can_be_part_of_another() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [tasks.stamp]
        needs = ["paper"]
        run = "echo stamp >> log"
        [tasks.paper]
        run = "echo paper >> log"
        [tasks.letter]
        steps = ["echo open >> log", { task = "stamp" }, { task = "stamp" }, "echo close >> log"]
        "#,
    );
    sandbox.deploy(["letter"]).succeeds();
    assert_eq!(sandbox.read("log"), "paper\nopen\nstamp\nstamp\nclose\n");
}

#[test]
fn a_task_may_do_nothing_but_need_others() {
    let sandbox = Sandbox::new().tasks("[tasks.all]\nneeds = ['one']\n[tasks.one]\nrun = 'echo one'\n");
    sandbox.deploy(["all"]).succeeds().shows("one");
}
