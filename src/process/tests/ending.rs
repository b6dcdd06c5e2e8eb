//! How a child ends by itself or by its timeout, and what becomes of those whom it started.

use std::fs;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::Pid;
use tempfile::tempdir;

use super::{FOREVER, SHORT, Stop, end, ends, printed_pid, ran, sh, sh_in};
use crate::process::leader::ended_by_thread;
use crate::process::watch::DRAIN;
use crate::process::{Command, End, Ended, Terminal};

/// A timeout within which a child has got ready, also on a busy machine.
const READY: Duration = Duration::from_secs(2);

const NOTHING_LEFT: bool = false;
const LEFT_RUNNING: bool = true;

fn ended(end: End, left_running: bool) -> Ended {
    Ended { end, left_running }
}

fn with_timeout(command: Command, timeout: Duration) -> Command {
    Command { timeout: Some(timeout), ..command }
}

#[test]
fn by_itself() {
    let stop = Stop::new(FOREVER);
    assert_eq!(ran(&sh("exit 0"), &stop).0, ended(End::Exited(0), NOTHING_LEFT));
    assert_eq!(ran(&sh("exit 77"), &stop).0, ended(End::Exited(77), NOTHING_LEFT));
    assert_eq!(ran(&sh("kill -9 $$"), &stop).0, ended(End::Signalled(9), NOTHING_LEFT));
    assert_eq!(ran(&with_timeout(sh("exit 5"), FOREVER), &stop).0, ended(End::Exited(5), NOTHING_LEFT));
}

#[test]
fn the_end_is_noticed_at_once() {
    let (began, runs) = (Instant::now(), 10);
    for run in 0..runs {
        let terminal = if run % 2 == 0 { Terminal::Direct } else { Terminal::Background };
        ran(&Command { terminal, ..sh("exit 0") }, &Stop::new(FOREVER));
    }
    assert!(began.elapsed() < DRAIN * runs, "nobody holds their output");
}

#[test]
fn with_closed_output_it_is_still_waited_for() {
    let folder = tempdir().unwrap();
    let command = sh_in(folder.path(), "exec >&- 2>&-; /bin/sleep 0.2; : > done; exit 6");
    assert_eq!(ran(&command, &Stop::new(FOREVER)).0, ended(End::Exited(6), NOTHING_LEFT));
    assert!(folder.path().join("done").exists());
}

#[test]
fn a_server_left_on_purpose_is_told_and_lives() {
    for redirect in ["", ">/dev/null 2>&1", "2>/dev/null"] {
        let (how, text) = ran(&sh(format!("sleep 1000 {redirect} & echo pid=$!")), &Stop::new(FOREVER));
        assert_eq!(how, ended(End::Exited(0), LEFT_RUNNING), "{redirect}");
        end(printed_pid(&text, "pid"));
    }
}

#[test]
fn a_short_straggler_is_read_and_is_not_left_running() {
    // What it reads ends with the shell; then nothing is between it and its word.
    let script = "mkfifo open; { read x < open; echo late; } & exec 9> open; echo early";
    let folder = tempdir().unwrap();
    let (how, text) = ran(&sh_in(folder.path(), script), &Stop::new(FOREVER));
    assert_eq!((how, text.as_str()), (ended(End::Exited(0), NOTHING_LEFT), "early\nlate\n"));
}

#[test]
fn a_timeout_asks_first() {
    let command = with_timeout(sh("trap 'echo asked; exit 0' TERM; while :; do sleep 1000; done"), READY);
    let (how, text) = ran(&command, &Stop::new(FOREVER));
    assert_eq!(how, ended(End::TimedOut, NOTHING_LEFT));
    assert!(text.contains("asked\n"), "{text}");
}

#[test]
fn a_timeout_kills_whoever_does_not_listen_after_the_grace() {
    let script = "trap '' TERM; sleep 1000 & echo pid=$!; while :; do sleep 1000; done";
    let (how, text) = ran(&with_timeout(sh(script), READY), &Stop::new(SHORT));
    assert_eq!(how, ended(End::TimedOut, NOTHING_LEFT));
    assert!(ends(printed_pid(&text, "pid")));
}

#[test]
fn a_timeout_ends_a_direct_child_too() {
    let folder = tempdir().unwrap();
    let script = "trap '' TERM; sleep 1000 & echo pid=$! > pid; wait; wait";
    let mut command = with_timeout(sh_in(folder.path(), script), READY);
    command.terminal = Terminal::Direct;
    assert_eq!(ran(&command, &Stop::new(SHORT)).0.end, End::TimedOut);
    assert!(ends(printed_pid(&fs::read_to_string(folder.path().join("pid")).unwrap(), "pid")));
}

#[test]
fn a_child_of_the_shell_may_clean_up_when_the_shell_is_gone() {
    // The shell dies of TERM at once; what it ran does not hold our pipes, and takes its time.
    let folder = tempdir().unwrap();
    let worker = "trap 'sleep 0.3; echo cleaned > log; exit' TERM; while :; do sleep 1000; done";
    let script = format!("sh -c \"{worker}\" >/dev/null 2>&1 & wait");
    let how = ran(&with_timeout(sh_in(folder.path(), script), READY), &Stop::new(FOREVER)).0;
    assert_eq!(how, ended(End::TimedOut, NOTHING_LEFT));
    assert_eq!(fs::read_to_string(folder.path().join("log")).unwrap(), "cleaned\n");
}

#[test]
fn without_a_pidfd_a_thread_notices_the_end() {
    let child = duct::cmd!("/bin/sh", "-c", "exit 7").unchecked().start().unwrap();
    let pid = Pid::from_raw(i32::try_from(child.pids()[0]).unwrap()).unwrap();
    let ended = ended_by_thread(pid).unwrap();
    poll(&mut [PollFd::new(&ended, PollFlags::IN)], None).unwrap();
    assert_eq!(child.wait().unwrap().status.code(), Some(7), "it was not reaped by the thread");
}
