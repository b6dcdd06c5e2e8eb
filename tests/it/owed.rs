//! What a run owes: `always` and `undo`, done after success, failure, a signal, and by `recover` after `kill -9`.

use crate::support::Sandbox;

#[test]
fn always_runs_in_reverse_order_whatever_happened() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [tasks.good]
        run = "echo work >> log"
        always = ["echo one >> log", "echo $DEPLOY_STATUS $DEPLOY_EXIT_CODE >> log"]
        [tasks.bad]
        run = "echo work >> log; exit 7"
        always = ["echo one >> log", "echo $DEPLOY_STATUS $DEPLOY_EXIT_CODE >> log"]
        "#,
    );
    sandbox.deploy(["good"]).succeeds();
    assert_eq!(sandbox.read("log"), "work\nsucceeded 0\none\n");
    sandbox.write("log", "");
    sandbox.deploy(["bad"]).fails_with(7);
    assert_eq!(sandbox.read("log"), "work\nfailed 7\none\n");
    sandbox.deploy(["recover"]).succeeds().prints("nothing is owed: every run has ended\n");
}

#[test]
fn an_always_that_fails_does_not_stop_the_others_and_stays_owed() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [tasks.t]
        run = "true"
        always = ["echo first >> log", "test -f mended", "echo last >> log"]
        "#,
    );
    sandbox.deploy(["t"]).fails_with(5).says("test -f mended");
    assert_eq!(sandbox.read("log"), "last\nfirst\n");
    sandbox.deploy(["recover"]).fails_with(5);
    sandbox.write("mended", "");
    sandbox.deploy(["recover"]).succeeds();
    sandbox.deploy(["recover"]).succeeds().prints("nothing is owed: every run has ended\n");
}

#[test]
fn what_was_done_is_undone_newest_first_when_a_later_step_fails() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [tasks.one]
        steps = [{ run = "echo one >> log", undo = ["echo undo one >> log", "echo again >> log"] }]
        [tasks.two]
        needs = ["one"]
        steps = [
          { run = "echo two >> log", undo = "echo undo two >> log" },
          { run = "echo three >> log; exit 4", undo = { run = "echo undo three >> log" } },
          { run = "echo never >> log", undo = "echo never undone >> log" },
        ]
        "#,
    );
    sandbox.deploy(["two"]).fails_with(4);
    assert_eq!(sandbox.read("log"), "one\ntwo\nthree\nundo three\nundo two\nundo one\nagain\n");
}

#[test]
fn undo_is_void_after_success() {
    let sandbox = Sandbox::new().tasks("[tasks.t]\nsteps = [{ run = 'true', undo = 'touch undone' }]\n");
    sandbox.deploy(["t"]).succeeds();
    assert!(!sandbox.has("undone"));
    sandbox.deploy(["recover"]).succeeds();
    assert!(!sandbox.has("undone"));
}

#[test]
fn a_killed_run_is_recovered_by_the_same_steps() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [vars]
        name = "it's $HOME"
        [tasks.t]
        always = ["echo always {{ name }} >> log"]
        steps = [
          { run = "echo one >> log", undo = "echo undo one >> log" },
          { run = "kill -9 $PPID", undo = "echo undo two >> log" },
        ]
        "#,
    );
    let _killed = sandbox.deploy(["t"]);
    assert_eq!(sandbox.read("log"), "one\n");
    sandbox.deploy(["recover"]).succeeds();
    assert_eq!(sandbox.read("log"), "one\nundo two\nundo one\nalways it's $HOME\n");
    sandbox.deploy(["recover"]).succeeds().prints("nothing is owed: every run has ended\n");
}

#[test]
fn an_environment_with_an_unfinished_run_is_closed_and_plain_tasks_go_on() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [environments.staging]
        [tasks.deploy]
        steps = [{ run = "test -f go || kill -9 $PPID", undo = "echo undone >> log" }]
        [tasks.plain]
        run = "echo plain"
        "#,
    );
    let _killed = sandbox.deploy(["staging"]);
    sandbox.write("go", "");
    sandbox.deploy(["staging"]).fails_with(4).says("deploy recover").says("staging");
    sandbox.deploy(["plain"]).succeeds().prints("plain\n");
    sandbox.deploy(["recover"]).succeeds();
    assert_eq!(sandbox.read("log"), "undone\n");
    sandbox.deploy(["staging"]).succeeds();
}

#[test]
fn ctrl_c_never_skips_what_is_owed() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [tasks.t]
        always = ["echo $DEPLOY_STATUS >> log"]
        steps = [{ run = "echo started; exec sleep 1000", undo = "echo undone >> log" }]
        "#,
    );
    let running = sandbox.start(["t"]);
    running.wait_for("started");
    running.signal(rustix::process::Signal::INT);
    running.wait().fails_with(130);
    assert_eq!(sandbox.read("log"), "stopped\nundone\n");
}

#[test]
fn a_run_that_owes_nothing_writes_nothing() {
    let sandbox = Sandbox::new().tasks("[tasks.t]\nrun = 'echo hello'\n");
    sandbox.deploy(["t"]).succeeds();
    assert!(!sandbox.has(".deploy"));
}

#[test]
fn a_swapped_file_gets_its_own_content_back_when_the_task_ends() {
    let sandbox = Sandbox::new().file("requirements.txt", "dev\n").file("staging.txt", "staging\n").tasks(
        r#"
        [tasks.good]
        steps = [
          { swap = { "requirements.txt" = { from = "staging.txt" }, "new.txt" = "line", "gone.txt" = { remove = true } } },
          { run = "cat requirements.txt new.txt; ls" },
        ]
        [tasks.bad]
        steps = [{ swap = { "requirements.txt" = "other" } }, { run = "cat requirements.txt; exit 1" }]
        "#,
    );
    let sandbox = sandbox.file("gone.txt", "here\n");
    sandbox.shell("chmod 640 requirements.txt").succeeds();
    sandbox
        .deploy(["good"])
        .succeeds()
        .prints("staging\nline\nnew.txt\nrequirements.txt\nstaging.txt\ntasks.toml\n");
    assert_eq!(
        (sandbox.read("requirements.txt"), sandbox.read("gone.txt")),
        ("dev\n".into(), "here\n".into())
    );
    assert!(!sandbox.has("new.txt"));
    sandbox.shell("stat -c %a requirements.txt").succeeds().prints("640\n");
    sandbox.deploy(["bad"]).fails_with(1).prints("other\n");
    assert_eq!(sandbox.read("requirements.txt"), "dev\n");
}

#[test]
fn a_file_that_a_killed_run_left_swapped_is_put_back_before_the_next_one() {
    let sandbox = Sandbox::new().file("requirements.txt", "dev\n").tasks(
        r#"
        [tasks.t]
        steps = [{ swap = { "requirements.txt" = "other" } }, { run = "kill -9 $PPID" }]
        [tasks.look]
        run = "cat requirements.txt"
        "#,
    );
    let _killed = sandbox.deploy(["t"]);
    assert_eq!(sandbox.read("requirements.txt"), "other\n");
    sandbox.deploy(["list"]).succeeds();
    assert_eq!(sandbox.read("requirements.txt"), "other\n", "looking settles nothing");
    sandbox.deploy(["look"]).succeeds().prints("dev\n");
}

#[test]
fn a_swapped_file_that_somebody_edited_is_left_alone_and_stays_owed() {
    let sandbox = Sandbox::new().file("requirements.txt", "dev\n").tasks(
        r#"
        [tasks.t]
        steps = [{ swap = { "requirements.txt" = "other" } }, { run = "echo mine > requirements.txt" }]
        "#,
    );
    sandbox.deploy(["t"]).fails_with(5).says("requirements.txt").says("edited");
    assert_eq!(sandbox.read("requirements.txt"), "mine\n");
    sandbox.write("requirements.txt", "dev\n");
    sandbox.deploy(["recover"]).succeeds();
}

#[test]
fn a_second_signal_kills_the_job_and_what_is_owed_is_done_all_the_same() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [tasks.t]
        always = ["echo always $DEPLOY_STATUS $DEPLOY_EXIT_CODE >> log"]
        steps = [{ run = "trap '' TERM; echo started; while :; do read x < /dev/zero; done", undo = "echo undone >> log" }]
        "#,
    );
    let running = sandbox.start(["t"]);
    running.wait_for("started");
    running.signal(rustix::process::Signal::TERM);
    running.wait_for("stopping");
    running.signal(rustix::process::Signal::TERM);
    running.wait().fails_with(143);
    assert_eq!(sandbox.read("log"), "always stopped 143\nundone\n");
}

#[test]
fn a_swap_can_not_be_owed() {
    let sandbox = Sandbox::new().tasks("[tasks.t]\nrun = 'true'\nalways = [{ swap = { f = 'x' } }]\n");
    sandbox.deploy(["t"]).fails_with(2).says("tasks.toml:3").says("can't be owed");
}

#[test]
fn a_swapped_file_is_put_back_although_more_is_owed() {
    let sandbox = Sandbox::new().file("f", "own\n").tasks(
        r#"
        [tasks.t]
        steps = [
          { run = "true", undo = "echo undone >> log" },
          { swap = { f = "other" } },
          { run = "kill -9 $PPID" },
        ]
        [tasks.look]
        run = "cat f"
        "#,
    );
    let _killed = sandbox.deploy(["t"]);
    sandbox.deploy(["look"]).succeeds().prints("own\n");
    assert!(!sandbox.has("log"));
    sandbox.deploy(["recover"]).succeeds();
    assert_eq!(sandbox.read("log"), "undone\n");
}

#[test]
fn an_owed_step_is_tried_again_as_it_says() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [tasks.t]
        run = "true"
        always = [{ run = "echo try >> log; test $(wc -l < log) = 3", retry = { times = 5, wait = "1ms" } }]
        "#,
    );
    sandbox.deploy(["t"]).succeeds();
    assert_eq!(sandbox.read("log"), "try\ntry\ntry\n");
}

#[test]
fn a_task_that_is_called_to_clean_up_keeps_its_own_rules() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [tasks.work]
        run = "false"
        always = [{ task = "clean" }, { task = "hang" }]
        [tasks.clean]
        skip_if = "test -e clean"
        run = "echo cleaned"
        [tasks.hang]
        timeout = "50ms"
        run = "exec tail -f /dev/null"
        "#,
    );
    let dirty = sandbox.deploy(["work"]);
    dirty.fails_with(5).shows("cleaned").says("timed out");
    let sandbox = sandbox.file("clean", "");
    sandbox.deploy(["work"]).fails_with(5).never_mentions("cleaned");
}
