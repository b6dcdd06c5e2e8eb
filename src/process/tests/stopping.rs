//! How a run's wish to end reaches its children.
#![expect(clippy::disallowed_methods, reason = "a test's files need not survive a crash")]

use std::fs;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};
use tempfile::tempdir;

use super::{FOREVER, SHORT, Stop, ends, on_word, printed_pid, ran, sh, sh_in};
use crate::process::{Command, End, Ended, Level, Slept, Terminal, run};

const INT: i32 = Signal::INT.as_raw();
const TERM: i32 = Signal::TERM.as_raw();
const STOPPED: Ended = Ended { end: End::Stopped, left_running: false };

/// What a process runs.
fn name(pid: Pid) -> String {
    fs::read_to_string(format!("/proc/{}/comm", pid.as_raw_nonzero())).unwrap().trim_end().to_owned()
}

#[test]
fn levels_only_rise() {
    let stop = Stop::new(FOREVER);
    assert_eq!(stop.level(), Level::Go);
    stop.drain();
    assert_eq!((stop.level(), stop.grace_ends()), (Level::Drain, None));
    stop.ask(INT);
    let grace_ends = stop.grace_ends().expect("the grace begins");
    stop.ask(TERM);
    stop.drain();
    assert_eq!((stop.level(), stop.grace_ends()), (Level::Ask, Some(grace_ends)));
    stop.kill();
    stop.drain();
    assert_eq!(stop.level(), Level::Kill);
}

#[test]
fn nothing_is_started_once_children_were_asked() {
    let folder = tempdir().unwrap();
    for (raise, runs) in
        [(Stop::drain as fn(&Stop), true), (|stop| stop.ask(INT), false), (Stop::kill, false)]
    {
        let stop = Stop::new(FOREVER);
        raise(&stop);
        let how = ran(&sh_in(folder.path(), ": > ran"), &stop).0;
        assert_eq!(how.end == End::Exited(0), runs);
        assert_eq!(fs::remove_file(folder.path().join("ran")).is_ok(), runs);
    }
}

#[test]
fn a_child_is_asked_exactly_once() {
    let folder = tempdir().unwrap();
    let go = folder.path().join("go");
    let script = "n=0; trap 'n=$((n+1)); echo int' INT; echo ready; while [ ! -e go ]; do :; done; echo n=$n";
    let stop = Stop::new(FOREVER);
    let (mut text, mut asked) = (String::new(), false);
    let how = run(&sh_in(folder.path(), script), &stop, &mut |_, bytes| {
        text.push_str(&String::from_utf8_lossy(&bytes));
        if !asked && text.contains("ready") {
            asked = true;
            stop.ask(INT);
        }
        if text.contains("int") && !go.exists() {
            stop.ask(INT);
            stop.ask(TERM);
            fs::write(&go, "").unwrap();
        }
    });
    assert_eq!(how.unwrap(), STOPPED);
    assert_eq!(text, "ready\nint\nn=1\n");
}

#[test]
fn who_was_asked_by_its_timeout_is_not_asked_again() {
    let folder = tempdir().unwrap();
    let script = "trap 'echo int' INT; trap 'echo term' TERM; while [ ! -e go ]; do :; done";
    let mut command = sh_in(folder.path(), script);
    command.timeout = Some(Duration::from_secs(2));
    let stop = Stop::new(FOREVER);
    let (how, text) = on_word(&command, &stop, "term", |_| {
        stop.ask(INT);
        fs::write(folder.path().join("go"), "").unwrap();
    });
    assert_eq!((how.end, text.as_str()), (End::TimedOut, "term\n"));
}

#[test]
fn every_child_is_asked_whenever_it_was_started() {
    // Each round asks at another moment of the starts; who is missed would run for ever.
    for round in 0..30 {
        let stop = Stop::new(FOREVER);
        thread::scope(|scope| {
            let runs = [(); 3].map(|()| scope.spawn(|| ran(&sh("exec sleep 1000"), &stop).0));
            stop.sleep(Duration::from_micros(200 * round));
            stop.ask(TERM);
            for run in runs {
                assert_eq!(run.join().unwrap(), STOPPED);
            }
        });
    }
}

#[test]
fn who_does_not_listen_is_killed_after_the_grace() {
    let stop = Stop::new(SHORT);
    let script = "trap '' INT TERM; echo pid=$$; while :; do sleep 1000; done";
    let (how, text) = on_word(&sh(script), &stop, "pid", |_| stop.ask(INT));
    assert_eq!(how, STOPPED);
    assert!(ends(printed_pid(&text, "pid")));
}

#[test]
fn who_does_not_listen_is_killed_at_once_when_asked_to() {
    let stop = Stop::new(FOREVER);
    let script = "trap '' INT TERM; echo ready; while :; do sleep 1000; done";
    let (how, _) = on_word(&sh(script), &stop, "ready", |_| {
        stop.ask(INT);
        stop.kill();
    });
    assert_eq!(how, STOPPED);
}

#[test]
fn background_jobs_that_are_deaf_to_ctrl_c_do_not_use_up_the_grace() {
    // A shell makes its background jobs ignore INT.
    let stop = Stop::new(FOREVER);
    let script = "sleep 1000 >/dev/null 2>&1 & echo pid=$!; echo leader=$$; exec sleep 1000";
    let (how, text) = on_word(&sh(script), &stop, "leader", |text| {
        // A shell may lose an INT that comes while it starts a program.
        while name(printed_pid(text, "leader")) != "sleep" {
            thread::yield_now();
        }
        stop.ask(INT);
    });
    assert_eq!(how, STOPPED);
    assert!(ends(printed_pid(&text, "pid")));
}

#[test]
fn who_went_into_a_session_of_its_own_is_killed_too() {
    let stop = Stop::new(FOREVER);
    let script = "setsid sh -c 'echo pid=$$; exec sleep 1000' & wait";
    let (how, text) = on_word(&sh(script), &stop, "pid", |_| stop.kill());
    assert_eq!(how, STOPPED);
    assert!(ends(printed_pid(&text, "pid")));
}

#[test]
fn an_interactive_child_has_ctrl_c_from_the_terminal_alone() {
    let folder = tempdir().unwrap();
    let (ready, log) = (folder.path().join("ready"), folder.path().join("log"));
    let script = "trap 'echo int >> log' INT; trap 'echo term >> log; exit' TERM; mkfifo ready; : > ready; while :; do :; done";
    for (signal, said) in [(INT, None), (TERM, Some("term\n"))] {
        let stop = Stop::new(if said.is_some() { FOREVER } else { SHORT });
        let command = Command { terminal: Terminal::Interactive, ..sh_in(folder.path(), script) };
        thread::scope(|scope| {
            let run = scope.spawn(|| ran(&command, &stop).0);
            while !ready.exists() {
                thread::yield_now();
            }
            fs::read(&ready).unwrap();
            stop.ask(signal);
            assert_eq!(run.join().unwrap(), STOPPED);
        });
        assert_eq!(fs::read_to_string(&log).ok().as_deref(), said);
        fs::remove_file(&ready).unwrap();
    }
}

#[test]
fn a_sleep_ends_when_the_level_rises() {
    let stop = Stop::new(FOREVER);
    assert_eq!(stop.sleep(Duration::from_millis(1)), Slept::Whole);
    thread::scope(|scope| {
        let sleeper = scope.spawn(|| stop.sleep(FOREVER));
        stop.drain();
        assert_eq!(sleeper.join().unwrap(), Slept::Interrupted);
    });
    assert_eq!(stop.sleep(FOREVER), Slept::Interrupted);
}

#[test]
fn while_suspended_nothing_runs_and_no_time_passes() {
    let folder = tempdir().unwrap();
    let stop = Stop::new(FOREVER);
    let timeout = Duration::from_secs(2);
    let mut command = sh_in(folder.path(), "mkfifo go; echo pid=$$; read word < go; echo $word");
    command.timeout = Some(timeout);
    let (tell, told) = mpsc::channel();
    thread::scope(|scope| {
        let run = scope.spawn(|| run(&command, &stop, &mut |_, bytes| tell.send(bytes).unwrap()).unwrap());
        let pid = printed_pid(&String::from_utf8(told.recv().unwrap()).unwrap(), "pid");
        stop.suspend();
        waitid(WaitId::Pid(pid), WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT).unwrap();
        let since = Instant::now();
        Stop::new(FOREVER).sleep(timeout);
        assert!(since.elapsed() >= timeout);
        stop.resume();
        fs::write(folder.path().join("go"), "went\n").unwrap();
        assert_eq!(told.recv().unwrap(), b"went\n");
        assert_eq!(run.join().unwrap().end, End::Exited(0));
    });
}

#[test]
fn who_is_suspended_can_be_asked() {
    let stop = Stop::new(FOREVER);
    let (how, _) = on_word(&sh("echo pid=$$; exec sleep 1000"), &stop, "pid", |text| {
        stop.suspend();
        waitid(WaitId::Pid(printed_pid(text, "pid")), WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT)
            .unwrap();
        stop.ask(TERM);
    });
    assert_eq!(how, STOPPED);
}
