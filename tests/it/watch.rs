//! `--watch`: again whenever something changes that the tasks read.

use rustix::process::Signal;

use crate::support::{Ended, Running, Sandbox};

/// Shows what it read.
const TASKS: &str = "[tasks.show]\ninputs = ['in', 'more/**']\nrun = 'cat in; echo done >> log'\n";

const WAITS: &str = "watching for changes";

fn sandbox() -> Sandbox {
    Sandbox::new().tasks(TASKS).file("in", "first\n")
}

/// Ctrl-C leaves at once: between two runs as every program does, in a run as a run does.
#[track_caller]
fn leave(running: Running) -> Ended {
    running.signal(Signal::INT);
    let ended = running.wait();
    assert!([-2, 130].contains(&ended.code), "{ended}");
    ended
}

#[test]
fn a_change_of_what_is_read_runs_it_again_and_a_signal_ends_it() {
    let sandbox = sandbox();
    let running = sandbox.start(["show", "--watch"]);
    running.wait_for("first").wait_for(WAITS);
    sandbox.write("in", "second\n");
    running.wait_for("in has changed").wait_for("second");
    // As editors do it.
    sandbox.shell("echo third > in.new && mv in.new in").succeeds();
    running.wait_for("third");
    sandbox.write("more/deep/er", "new folders\n");
    running.wait_for("more/deep/er has changed");
    sandbox.write("tasks.toml", &TASKS.replace("cat in", "echo fourth"));
    running.wait_for("fourth");
    let _ended = leave(running);
}

#[test]
fn what_a_run_makes_starts_no_other() {
    let sandbox = Sandbox::new().file("words", "one\n").tasks(
        "[tasks.make]\ninputs = ['words']\noutputs = ['made']\nrun = 'echo make >> log; cp words made'\n\
         [tasks.use]\nneeds = ['make']\ninputs = ['made', '*.txt']\nrun = 'echo use >> log; cat *.txt made'\n",
    );
    let sandbox = sandbox.file("a.txt", "a\n");
    let running = sandbox.start(["use", "--watch"]);
    running.wait_for("one").wait_for(WAITS);
    sandbox.write("words", "two\n");
    running.wait_for("words has changed").wait_for("two");
    // It is seen only after all that the second run may have brought about.
    sandbox.write("a.txt", "bee\n");
    running.wait_for("a.txt has changed");
    running.wait_for("bee");
    let _ended = leave(running);
    assert_eq!(sandbox.read("log"), "make\nuse\nmake\nuse\nuse\n");
}

#[test]
fn a_change_during_a_run_waits_for_its_end() {
    let sandbox = Sandbox::new()
        .file("in", "first\n")
        .tasks("[tasks.t]\ninputs = ['in']\nrun = 'cat in; hold; echo end'\n");
    let hold = sandbox.gate("hold");
    let running = sandbox.start(["t", "--watch"]);
    hold.wait_for_arrival();
    sandbox.write("in", "second\n");
    hold.open();
    running.wait_for("end").wait_for("in has changed").wait_for("second");
    hold.wait_for_arrival();
    // During a run a signal ends that, and with it the watch.
    running.signal(Signal::INT);
    running.wait().fails_with(130).says("stopped by SIGINT");
}

#[test]
fn a_change_during_a_run_restarts_it_where_that_is_wanted() {
    let tasks =
        "[tasks.t]\ninputs = ['in']\nsteps = ['cat in; hold; echo end']\nalways = ['echo cleaned up']\n";
    let sandbox = Sandbox::new().file("in", "first\n").tasks(tasks);
    let hold = sandbox.gate("hold");
    let running = sandbox.start(["t", "--watch=restart"]);
    hold.wait_for_arrival();
    sandbox.write("in", "second\n");
    running.wait_for("in has changed").wait_for("cleaned up").wait_for("second");
    hold.wait_for_arrival();
    hold.open();
    running.wait_for("end").wait_for(WAITS);
    leave(running).says("stopped by SIGTERM");
}

#[test]
fn a_slip_is_told_and_waits_for_its_mend() {
    let sandbox = sandbox();
    let running = sandbox.start(["show", "--watch"]);
    running.wait_for(WAITS);
    sandbox.write("tasks.toml", "[tasks.show\n");
    running.wait_for("this is not valid TOML");
    sandbox.write("tasks.toml", &TASKS.replace("cat in", "echo mended; false"));
    running.wait_for("mended");
    sandbox.write("in", "after a failure\n");
    sandbox.write("tasks.toml", TASKS);
    running.wait_for("after a failure");
    let _ended = leave(running);
}

#[test]
fn what_can_not_be_watched_is_refused() {
    let tasks = "[environments.staging]\ntarget = { command = ['true'] }\n[tasks.t]\nrun = 'true'\n";
    let sandbox = Sandbox::shop(tasks);
    sandbox
        .deploy(["t", "--watch"])
        .fails_with(2)
        .says("no task of this plan has `inputs`")
        .says("inputs = [");
    sandbox.deploy(["staging", "--watch"]).fails_with(2).says("`--watch` does not deploy");
    sandbox.deploy(["t", "--watch=never"]).fails_with(2).says("restart");
    sandbox.deploy(["t", "--watch", "--dry-run"]).fails_with(2);
    assert!(!sandbox.has(".deploy"));
}
