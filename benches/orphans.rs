//! What is left of a run that is stopped: `cargo bench --bench orphans [-- ROUNDS]`. Ctrl-C on a terminal, a timeout
//! and `--fail-fast`, each with children and grandchildren that obey, that are deaf, and that have left the group.
//! Counts the processes that are left and the signals that a child gets. Needs Linux (/proc), script and setsid.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it starts what it stops, and prints tables"
)]

#[expect(dead_code, reason = "a stop is not timed")]
mod measure;
#[path = "measure/processes.rs"]
mod processes;
#[path = "../tests/it/support/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "a measurement needs a part of the tests' sandbox"
)]
mod support;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use rustix::process::Pid;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::raw::WithRawSiginfo;

use measure::count;
use support::Sandbox;
use support::gate::Gate;

const ROUNDS: usize = 100;

/// One family obeys: its leader, a child and a grandchild end when they are told to, having counted how often they
/// were told; a `sleep` in the background is deaf to INT, as the shell makes it. The other family is deaf, with one
/// member in a session of its own and one that has lost its parent.
const TASKS: &str = r#"
[settings]
grace = "300ms"

[tasks.obeys]
#timeout = "1s"
run = """
COUNTER child SANDBOX/tmp &
(COUNTER grandchild SANDBOX/tmp & wait) &
sleep 1000 &
exec COUNTER leader SANDBOX/tmp
"""

[tasks.deaf]
#timeout = "1s"
run = """
trap '' INT TERM
setsid sleep 1000 &
(sleep 1000 &)
echo > SANDBOX/tmp/ready.arrivals
wait
"""

[tasks.fails]
run = ["start", "exit 5"]
"#;

/// Who says that it is ready: three that count, and the deaf shell.
const READY: usize = 4;

/// Who counts signals.
const COUNTING: [&str; 3] = ["leader", "child", "grandchild"];

/// The word that makes this program one that counts signals.
const COUNT: &str = "count";

/// For how long a child that was told to end listens for a second signal: within the grace.
const LISTEN: Duration = Duration::from_millis(100);

/// How long what was killed last may take to be gone when deploy has ended: the system's own work.
const GONE: Duration = Duration::from_secs(1);

/// How a run is stopped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stopped {
    CtrlC,
    Timeout,
    FailFast,
}

/// What was found.
#[derive(Default)]
struct Tally {
    started: usize,
    left: usize,
    /// How many children got no signal, one, and more.
    signals: [usize; 3],
    codes: usize,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, word, name, folder] = arguments.as_slice()
        && word == COUNT
    {
        count_signals(name, Path::new(folder));
        return ExitCode::SUCCESS;
    }
    assert!(
        !ignores_interrupts(),
        "started to ignore Ctrl-C, as a script's jobs in the background are: so would deploy"
    );
    let rounds = count(ROUNDS);
    println!("{rounds} rounds each, two families of processes a round\n");
    println!(
        "{:14} {:>10} {:>10} {:>14} {:>14} {:>14} {:>12}",
        "", "processes", "left", "one signal", "no signal", "more signals", "other code"
    );
    let mut is_good = true;
    for (name, stopped) in
        [("Ctrl-C", Stopped::CtrlC), ("timeout", Stopped::Timeout), ("--fail-fast", Stopped::FailFast)]
    {
        let Tally { started, left, signals: [none, one, more], codes } = stop_often(stopped, rounds);
        println!("{name:14} {started:>10} {left:>10} {one:>14} {none:>14} {more:>14} {codes:>12}");
        is_good &= left + none + more + codes == 0;
    }
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether whoever started us ignores INT, and all that we start will.
fn ignores_interrupts() -> bool {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let ignored =
        status.lines().find_map(|line| line.strip_prefix("SigIgn:")).expect("a line of every process");
    let ignored = u64::from_str_radix(ignored.trim(), 16).expect("a mask of signals");
    ignored & (1 << (SIGINT - 1)) != 0
}

fn stop_often(stopped: Stopped, rounds: usize) -> Tally {
    let program = std::env::current_exe().expect("this program has a path").display().to_string();
    let timeout = if stopped == Stopped::Timeout { "timeout" } else { "#timeout" };
    let tasks = TASKS.replace("COUNTER", &format!("'{program}' {COUNT}")).replace("#timeout", timeout);
    let sandbox = Sandbox::new().tasks(&tasks);
    let (ready, start) = (sandbox.gate("ready"), sandbox.gate("start"));
    let mut tally = Tally::default();
    for _ in 0..rounds {
        stop(stopped, &sandbox, &ready, &start, &mut tally);
    }
    tally
}

/// One round.
fn stop(stopped: Stopped, sandbox: &Sandbox, ready: &Gate, start: &Gate, tally: &mut Tally) {
    let folder = sandbox.path("tmp");
    let ours = || processes::those(|process: Pid| processes::knows(process, &folder));
    let mut running = match stopped {
        Stopped::CtrlC => sandbox.start_on_terminal("-j3 obeys deaf"),
        Stopped::Timeout => sandbox.start(["-j3", "obeys", "deaf"]),
        Stopped::FailFast => sandbox.start(["-j3", "--fail-fast", "obeys", "deaf", "fails"]),
    };
    for _ in 0..READY {
        ready.wait_for_arrival();
    }
    tally.started += ours().len();
    let code = match stopped {
        Stopped::CtrlC => {
            running.type_in("\u{3}");
            130
        }
        Stopped::Timeout => 124,
        Stopped::FailFast => {
            start.wait_for_arrival();
            start.open();
            5
        }
    };
    tally.codes += usize::from(running.wait().code != code);
    let left = processes::wait_for_all(ours, GONE);
    for process in &left {
        let command = fs::read_to_string(format!("/proc/{process}/cmdline")).unwrap_or_default();
        println!("left: {process} {}", command.replace('\0', " "));
    }
    tally.left += left.len();
    processes::kill_all(ours);
    for name in COUNTING {
        let counted = fs::read_to_string(folder.join(name)).unwrap_or_default().lines().count();
        tally.signals[match counted {
            1 => 1,
            0 => 0,
            _ => 2,
        }] += 1;
        let _absent = fs::remove_file(folder.join(name));
    }
}

/// Notes each signal as it comes, in a file of this name; ends when no second one has come for a while.
fn count_signals(name: &str, folder: &Path) {
    let mut signals = SignalsInfo::<WithRawSiginfo>::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM])
        .expect("signals that can be handled");
    let mut file =
        OpenOptions::new().create(true).append(true).open(folder.join(name)).expect("a file of ours");
    let (tell, told) = channel();
    thread::spawn(move || {
        for signal in signals.forever() {
            writeln!(file, "{}", signal.si_signo).expect("a file of ours");
            // The main thread may have ended meanwhile.
            let _over = tell.send(());
        }
    });
    fs::write(folder.join("ready.arrivals"), "\n").expect("the measurement waits for it");
    told.recv().expect("the thread never ends");
    while !matches!(told.recv_timeout(LISTEN), Err(RecvTimeoutError::Timeout)) {}
}
