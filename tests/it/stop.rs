//! Stopping: Ctrl-C and TERM reach everything that runs once, nothing is left running, and the exit code says why.

use rustix::process::Signal;

use crate::support::Sandbox;

/// Two tasks whose shells count their signals; each then waits at a second gate, so that a second signal would be seen.
const COUNTING: &str = r#"
[tasks.left]
run = """
exec 9> SANDBOX/tmp/leash
trap 'echo INT >> left' INT
trap 'echo TERM >> left' TERM
hold || true
rest
exit 0
"""
[tasks.right]
run = """
exec 9> SANDBOX/tmp/leash
trap 'echo INT >> right' INT
trap 'echo TERM >> right' TERM
hold || true
rest
exit 0
"""
[tasks.both]
needs = ["left", "right"]
run = "touch ran"
"#;

fn stops_with(signal: Signal, name: &str, code: i32) {
    let sandbox = Sandbox::new().tasks(COUNTING);
    let (hold, rest, leash) = (sandbox.gate("hold"), sandbox.gate("rest"), sandbox.leash("leash"));
    let running = sandbox.start(["-j2", "both"]);
    hold.wait_for_arrival();
    hold.wait_for_arrival();
    running.signal(signal);
    rest.wait_for_arrival();
    rest.wait_for_arrival();
    rest.open();
    rest.open();
    running.wait().fails_with(code);
    leash.wait_for_release();
    assert_eq!(sandbox.read("left"), format!("{name}\n"));
    assert_eq!(sandbox.read("right"), format!("{name}\n"));
    assert!(!sandbox.has("ran"), "nothing new starts");
}

#[test]
fn an_interrupt_reaches_every_child_once() {
    stops_with(Signal::INT, "INT", 130);
}

#[test]
fn a_term_reaches_every_child_once() {
    stops_with(Signal::TERM, "TERM", 143);
}

#[test]
fn ctrl_c_on_a_terminal_reaches_every_child_once() {
    let sandbox = Sandbox::new().tasks(COUNTING);
    let (hold, rest, leash) = (sandbox.gate("hold"), sandbox.gate("rest"), sandbox.leash("leash"));
    let mut running = sandbox.start_on_terminal("-j2 both");
    hold.wait_for_arrival();
    hold.wait_for_arrival();
    running.type_in("\u{3}");
    rest.wait_for_arrival();
    rest.wait_for_arrival();
    rest.open();
    rest.open();
    running.wait().fails_with(130);
    leash.wait_for_release();
    assert_eq!(sandbox.read("left"), "INT\n");
    assert_eq!(sandbox.read("right"), "INT\n");
}

#[test]
fn a_child_that_ignores_the_signal_is_killed_after_the_grace() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [settings]
        grace = "1s"
        [tasks.stubborn]
        run = """
        exec 9> SANDBOX/tmp/leash
        trap '' TERM INT
        hold
        """
        "#,
    );
    let (hold, leash) = (sandbox.gate("hold"), sandbox.leash("leash"));
    let running = sandbox.start(["stubborn"]);
    hold.wait_for_arrival();
    running.signal(Signal::TERM);
    running.wait().fails_with(143);
    leash.wait_for_release();
}

#[test]
fn a_second_signal_kills_at_once() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [settings]
        grace = "10m"
        [tasks.stubborn]
        run = """
        exec 9> SANDBOX/tmp/leash
        trap 'echo INT > heard; listen' INT
        hold || true
        hold
        """
        "#,
    );
    let (hold, listen, leash) = (sandbox.gate("hold"), sandbox.gate("listen"), sandbox.leash("leash"));
    let running = sandbox.start(["stubborn"]);
    hold.wait_for_arrival();
    running.signal(Signal::INT);
    listen.wait_for_arrival();
    running.signal(Signal::INT);
    running.wait().fails_with(130);
    leash.wait_for_release();
    assert_eq!(sandbox.read("heard"), "INT\n");
}

#[test]
fn grandchildren_end_too() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [settings]
        grace = "1s"
        [tasks.family]
        run = """
        exec 9> SANDBOX/tmp/leash
        (trap '' TERM; hold) &
        (trap '' TERM; (hold) & wait) &
        wait
        """
        "#,
    );
    let (hold, leash) = (sandbox.gate("hold"), sandbox.leash("leash"));
    let running = sandbox.start(["family"]);
    hold.wait_for_arrival();
    hold.wait_for_arrival();
    running.signal(Signal::TERM);
    running.wait().fails_with(143);
    leash.wait_for_release();
}

#[test]
fn the_siblings_of_a_failed_job_are_stopped_on_demand() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [tasks.long]
        run = """
        exec 9> SANDBOX/tmp/leash
        hold
        touch finished
        """
        [tasks.bad]
        run = ["start", "exit 5"]
        "#,
    );
    let (hold, start, leash) = (sandbox.gate("hold"), sandbox.gate("start"), sandbox.leash("leash"));
    let running = sandbox.start(["-j2", "--fail-fast", "long", "bad"]);
    hold.wait_for_arrival();
    start.wait_for_arrival();
    start.open();
    running.wait().fails_with(5);
    leash.wait_for_release();
    assert!(!sandbox.has("finished"));
}

#[test]
fn a_deploy_can_be_stopped_before_it_ships() {
    let sandbox = Sandbox::shop(
        r#"
        [environments.staging]
        target = { git = "staging" }
        needs  = ["test"]
        [tasks.test]
        run = "hold"
        "#,
    )
    .remote("staging");
    let hold = sandbox.gate("hold");
    let before = sandbox.picture();
    let running = sandbox.start(["staging"]);
    hold.wait_for_arrival();
    running.signal(Signal::INT);
    running.wait().fails_with(130);
    before.assert_unchanged();
    assert_eq!(sandbox.target("staging").tip("main"), None);
    hold.open();
    sandbox.deploy(["staging"]).succeeds();
}

#[test]
fn a_deploy_can_be_stopped_while_it_pushes() {
    let sandbox = Sandbox::shop("[environments.staging]\ntarget = { git = 'staging' }\n").remote("staging");
    let hold = sandbox.gate("hold");
    sandbox.target("staging").hook("pre-receive", "exec hold");
    let before = sandbox.picture();
    let running = sandbox.start(["staging"]);
    hold.wait_for_arrival();
    running.signal(Signal::INT);
    running.wait().fails_with(130);
    before.assert_unchanged();
    hold.open();
    sandbox.deploy(["staging"]).succeeds();
    assert_eq!(sandbox.target("staging").trailer("main", "Source"), sandbox.repository().head());
}

#[test]
fn a_closed_stdout_ends_what_prints_to_it() {
    let sandbox = Sandbox::new().tasks("[tasks.endless]\nrun = 'yes'\n[tasks.other]\nrun = 'yes'\n");
    // One job has our stdout itself; the lines of two are read and told.
    sandbox.shell("$DEPLOY endless | head -1").succeeds().prints("y\n").never_mentions("panicked");
    let two = sandbox.shell("$DEPLOY -j2 endless other | head -1");
    two.succeeds().never_mentions("panicked");
    let list = sandbox.shell("$DEPLOY list | true");
    list.succeeds().never_mentions("panicked");
}

#[test]
fn a_timeout_ends_the_step_and_its_children() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [tasks.slow]
        timeout = "1s"
        run = """
        exec 9> SANDBOX/tmp/leash
        hold & wait
        """
        "#,
    );
    let (_hold, leash) = (sandbox.gate("hold"), sandbox.leash("leash"));
    sandbox.deploy(["slow"]).fails_with(124).says("slow");
    leash.wait_for_release();
}
