//! Real children of a real `/bin/sh`. Nothing here sleeps: a test waits for a word, a file or the end of a process.

mod ending;
mod output;
mod programs;
mod roles;
mod starting;
mod stopping;
mod wire;

use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

use super::{Command, Ended, Stop, Stream, run};

/// Longer than any test: who waits for it has failed.
const FOREVER: Duration = Duration::from_hours(1);

/// A grace that a test can afford to wait for.
const SHORT: Duration = Duration::from_millis(50);

fn sh(script: impl Display) -> Command {
    let mut command = Command::new("/bin/sh", "/");
    command.args = vec!["-c".into(), script.to_string().into()];
    command.env = vec![("PATH".into(), "/usr/bin:/bin".into())].into();
    command
}

fn sh_in(dir: &Path, script: impl Display) -> Command {
    Command { dir: dir.to_owned(), ..sh(script) }
}

/// Runs a child, and gives how it ended with all that it printed.
fn ran(command: &Command, stop: &Stop) -> (Ended, String) {
    on_word(command, stop, "\0", |_| {})
}

/// Runs a child, and does something when it has first printed a word; `act` gets all text so far.
fn on_word(command: &Command, stop: &Stop, word: &str, act: impl FnOnce(&str)) -> (Ended, String) {
    let (mut text, mut act) = (String::new(), Some(act));
    let ended = run(command, stop, &mut |_: Stream, bytes| {
        text.push_str(&String::from_utf8_lossy(&bytes));
        if text.contains(word)
            && let Some(act) = act.take()
        {
            act(&text);
        }
    });
    (ended.expect("it starts"), text)
}

/// The number that a child printed after `name=`.
fn printed_pid(text: &str, name: &str) -> Pid {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    Pid::from_raw(line.expect("it says its pid").parse().expect("a number")).expect("not 0")
}

/// Waits for the end of any process. Gives whether it ended in time.
fn ends(pid: Pid) -> bool {
    let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { return true };
    let patience = Timespec { tv_sec: 20, tv_nsec: 0 };
    poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&patience)).expect("poll") == 1
}

/// Ends a process that a test left running; it must still be there.
fn end(pid: Pid) {
    kill_process(pid, Signal::KILL).expect("it still runs");
    assert!(ends(pid));
}
