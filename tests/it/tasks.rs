//! Tasks: what runs, in which order, what at the same time, and with which code it all ends.

use crate::support::Sandbox;

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

#[test]
fn a_called_task_keeps_its_own_conditions() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [environments.staging]
        [environments.production]
        [tasks.seed]
        if = "environment == 'staging'"
        run = "echo seed >> log"
        [tasks.only]
        only = ["production"]
        run = "echo only >> log"
        [tasks.all]
        steps = [{ task = "seed" }, { task = "only" }, "echo all >> log"]
        "#,
    );
    sandbox.deploy(["production", "all"]).succeeds();
    assert_eq!(sandbox.read("log"), "only\nall\n");
    sandbox.deploy(["only"]).fails_with(2).says("production");
}

#[test]
fn force_does_what_skip_if_would_leave_out() {
    let sandbox = Sandbox::new().tasks("[tasks.t]\nskip_if = 'echo asked; true'\nrun = 'echo done'\n");
    sandbox.deploy(["t"]).succeeds().prints("");
    sandbox.deploy(["--force", "t"]).succeeds().prints("done\n");
}

#[test]
fn each_try_has_the_whole_timeout() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [tasks.t]
        steps = [{ run = "echo try >> log; sleep 1000", timeout = "300ms", retry = { times = 2, wait = "1ms" } }]
        "#,
    );
    sandbox.deploy(["t"]).fails_with(124).says("300ms");
    assert_eq!(sandbox.read("log"), "try\ntry\n");
}

#[test]
fn a_retry_ends_with_the_first_success_and_by_its_codes() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [tasks.t]
        steps = [{ run = "echo try >> log; test $(wc -l < log) = 3 || exit 75", retry = { times = 5, wait = "1ms", factor = 1.0, jitter = true, on_exit = [75] } }]
        [tasks.other]
        steps = [{ run = "echo try >> other; exit 1", retry = { times = 5, wait = "1ms", on_exit = [75] } }]
        "#,
    );
    sandbox.deploy(["t"]).succeeds();
    assert_eq!(sandbox.read("log"), "try\ntry\ntry\n");
    sandbox.deploy(["other"]).fails_with(1);
    assert_eq!(sandbox.read("other"), "try\n");
}

#[test]
fn tasks_that_call_each_other_in_a_loop_are_refused_also_without_dependencies() {
    let sandbox =
        Sandbox::new().tasks("[tasks.a]\nsteps = [{ task = 'b' }]\n[tasks.b]\nsteps = [{ task = 'a' }]\n");
    sandbox.deploy(["a"]).fails_with(2).says("a -> b -> a");
    sandbox.deploy(["--no-deps", "a"]).fails_with(2).says("a -> b -> a");
}

#[test]
fn two_environments_at_once_are_refused_and_the_default_gets_its_arguments() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [project]
        default = "show"
        [environments.staging]
        [environments.production]
        [tasks.show]
        run = "echo {{ args }}"
        "#,
    );
    sandbox.deploy(["-e", "staging", "production"]).fails_with(2).says("two environments");
    sandbox.deploy(["--", "one", "two words"]).succeeds().prints("one two words\n");
    sandbox.deploy(["help"]).succeeds().shows("history");
}

#[test]
fn a_script_runs_under_its_own_interpreter() {
    let perl = "[tasks.t]\nenv = { NAME = 'x' }\nrun = '''\n#!/usr/bin/env perl\nprint \"hello $ENV{NAME}\\n\";\n'''\n";
    let sandbox = Sandbox::new().tasks(perl);
    sandbox.deploy(["t"]).succeeds().prints("hello x\n");
    let sandbox = sandbox.tasks("[tasks.t]\nrun = '''\n#!/bin/sh\necho {{ project }}\n'''\n");
    sandbox.deploy(["t"]).fails_with(2).says("env");
}

#[test]
fn calls_that_grow_without_measure_are_refused() {
    let calls = |number: usize| {
        let next = format!("{{ task = \"t{}\" }}", number + 1);
        format!("[tasks.t{number}]\nsteps = [{next}, {next}]\n")
    };
    let tasks: String = (0..25).map(calls).collect();
    let shop = Sandbox::new().tasks(&format!("{tasks}[tasks.t25]\nrun = \"true\"\n"));
    shop.deploy(["t0"]).fails_with(2).says("there are more than 100000 calls of tasks in this plan");
}

#[test]
fn a_called_task_keeps_what_it_excludes() {
    let needs: Vec<String> = (0..6).map(|number| format!("\"t{number}\"")).collect();
    let callers: String = (0..6).fold(String::new(), |text, number| {
        text + &format!("[tasks.t{number}]\nsteps = [{{ task = \"alone\" }}]\n")
    });
    let tasks = format!(
        "[tasks.all]\nneeds = [{}]\n{callers}[tasks.alone]\nexclusive = \"db\"\nrun = \"mkdir lock && rmdir lock\"\n",
        needs.join(", ")
    );
    let shop = Sandbox::new().tasks(&tasks);
    for _ in 0..5 {
        shop.deploy(["all", "-j", "6"]).succeeds();
    }
}

/// Each script has a file for a while; none may take the others' away.
#[test]
fn many_scripts_run_at_the_same_time() {
    let numbers: Vec<String> = (0..300).map(|number| format!("'{number}'")).collect();
    let tasks =
        format!("[tasks.t]\neach = {{ n = [{}] }}\nrun = '''#!/bin/sh\ntrue\n'''\n", numbers.join(", "));
    let sandbox = Sandbox::new().tasks(&tasks);
    for _ in 0..3 {
        sandbox.deploy(["t", "--jobs", "4"]).succeeds();
    }
}

#[test]
fn a_task_that_wants_nothing_of_git_asks_it_nothing() {
    let sandbox = Sandbox::shop("[tasks.t]\nrun = 'echo done'\n[tasks.u]\nneeds = ['t']\nrun = 'echo too'\n");
    sandbox.executable("bin/git", "#!/bin/sh\necho \"$@\" >> SANDBOX/asked\n");
    sandbox.deploy(["t"]).succeeds();
    sandbox.deploy(["u"]).succeeds();
    assert!(!sandbox.path("asked").exists(), "{}", sandbox.read("../asked"));
}
