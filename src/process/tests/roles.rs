//! What needs a process of its own: a terminal, the handlers of signals, being stopped. A test starts this test
//! program again with one test, which plays the role that the environment names.
#![expect(clippy::disallowed_methods, reason = "the role comes by the environment, and a test writes files")]

use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::process::{Signal as Number, WaitId, WaitIdOptions, getpid, kill_process, setsid, waitid};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use tempfile::tempdir;

use super::{FOREVER, SHORT, Stop, on_word, printed_pid, ran, sh, sh_in};
use crate::process::signal::{Signal, listen, pause};
use crate::process::{Command, End, Terminal, run};

const ROLE: &str = "DEPLOY_TEST_ROLE";

/// This program, to play a role. It prints what the test harness prints too.
fn actor(role: &str, dir: &Path) -> Command {
    let mut command = Command::new(env::current_exe().unwrap(), dir);
    command.args = ["--exact", "process::tests::roles::play", "--nocapture"].map(Into::into).to_vec();
    command.env = vec![(ROLE.into(), role.into())].into();
    command
}

#[test]
fn play() {
    let Some(role) = env::var_os(ROLE) else { return };
    match role.to_str().unwrap() {
        "reads the terminal from the background" => reads_the_terminal_from_the_background(),
        "gets ctrl-c with an interactive child" => gets_ctrl_c_with_an_interactive_child(),
        "listens, then not" => listens_then_not(),
        "is suspended" => is_suspended(),
        role => panic!("no role {role}"),
    }
}

/// Plays a role that needs to leave its process group for a session of its own.
fn play_on_a_terminal(role: &str) {
    let folder = tempdir().unwrap();
    let command = Command { terminal: Terminal::Interactive, ..actor(role, folder.path()) };
    assert_eq!(ran(&command, &Stop::new(FOREVER)).0.end, End::Exited(0));
}

/// Gives this process a terminal to itself; what is written to the file is typed there.
fn open_terminal() -> &'static mut File {
    setsid().unwrap();
    let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&keyboard).unwrap();
    unlockpt(&keyboard).unwrap();
    let name = ptsname(&keyboard, Vec::new()).unwrap();
    // A session without a terminal gets the first one that its leader opens; it keeps it.
    File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    // Not closed before the end of this process: that would be a hangup.
    Box::leak(Box::new(File::from(keyboard)))
}

#[test]
fn a_child_that_reads_the_terminal_from_the_background_is_told() {
    play_on_a_terminal("reads the terminal from the background");
}

fn reads_the_terminal_from_the_background() {
    let _keyboard = open_terminal();
    for terminal in [Terminal::Background, Terminal::Direct] {
        let mut command = sh("sh -c 'read answer < /dev/tty'; echo went on");
        command.terminal = terminal;
        let (ended, text) = ran(&command, &Stop::new(FOREVER));
        assert_eq!((ended.end, text.as_str()), (End::WantsTerminal, ""));
    }
    // A stop that has nothing to do with the terminal is left alone.
    let mut stopped = sh("echo pid=$$; kill -STOP $$; echo went on");
    stopped.timeout = Some(Duration::from_millis(1500));
    assert_eq!(ran(&stopped, &Stop::new(SHORT)).0.end, End::TimedOut);
}

#[test]
fn an_interactive_child_gets_one_ctrl_c() {
    play_on_a_terminal("gets ctrl-c with an interactive child");
}

fn gets_ctrl_c_with_an_interactive_child() {
    let keyboard = open_terminal();
    let stop = Stop::new(FOREVER);
    let (tell, told) = mpsc::channel();
    let _listener = listen(move |signal| tell.send(signal).unwrap()).unwrap();
    let script = "trap 'echo int >> log' INT; mkfifo ready go; : > ready; \
        while [ ! -e end ]; do :; done";
    let command = Command { terminal: Terminal::Interactive, ..sh_in(&env::current_dir().unwrap(), script) };
    thread::scope(|scope| {
        let run = scope.spawn(|| ran(&command, &stop).0);
        while !Path::new("go").exists() {
            thread::yield_now();
        }
        fs::read("ready").unwrap();
        keyboard.write_all(b"\x03").unwrap();
        assert_eq!(told.recv().unwrap(), Signal::Interrupt);
        while !Path::new("log").exists() {
            thread::yield_now();
        }
        stop.ask(Signal::Interrupt.number());
        fs::write("end", "").unwrap();
        assert_eq!(run.join().unwrap().end, End::Stopped);
    });
    assert_eq!(fs::read_to_string("log").unwrap(), "int\n");
}

#[test]
fn signals_are_told_while_somebody_listens() {
    let (ended, text) = ran(&actor("listens, then not", Path::new("/")), &Stop::new(FOREVER));
    assert!(text.contains("deaf"), "{text}");
    assert_eq!(ended.end, End::Signalled(Number::TERM.as_raw()));
}

fn listens_then_not() {
    for _ in 0..2 {
        let (tell, told) = mpsc::channel();
        let listener = listen(move |signal| tell.send(signal).unwrap()).unwrap();
        for (number, signal) in [
            (Number::INT, Signal::Interrupt),
            (Number::TERM, Signal::Terminate),
            (Number::HUP, Signal::Hangup),
            (Number::QUIT, Signal::Quit),
            (Number::TSTP, Signal::Suspend),
            (Number::CONT, Signal::Continue),
        ] {
            kill_process(getpid(), number).unwrap();
            assert_eq!(told.recv(), Ok(signal));
        }
        drop(listener);
        assert!(told.recv().is_err(), "the thread has ended");
    }
    println!("deaf");
    kill_process(getpid(), Number::TERM).unwrap();
    thread::park();
}

#[test]
fn what_we_were_started_to_ignore_stays_ignored() {
    let mut command = actor("is suspended", Path::new("/"));
    let program = command.program.clone();
    command.program = "/bin/sh".into();
    let rest = ["-c", "trap '' HUP; exec \"$0\" \"$@\""].map(Into::into);
    command.args = rest.into_iter().chain([program.into()]).chain(command.args).collect();
    let (ended, text) = on_word(&command, &Stop::new(FOREVER), "child=", |text| {
        let pid = printed_pid(text, "pid");
        kill_process(pid, Number::HUP).unwrap();
        kill_process(pid, Number::TERM).unwrap();
    });
    assert!(text.contains("told=[Terminate]"), "{text}");
    assert_eq!(ended.end, End::Exited(0));
}

#[test]
fn ctrl_z_stops_us_and_our_children_until_we_are_continued() {
    let (tell, told) = mpsc::channel();
    let stop = Stop::new(FOREVER);
    let command = actor("is suspended", Path::new("/"));
    let mut text = String::new();
    thread::scope(|scope| {
        let run = scope.spawn(|| run(&command, &stop, &mut |_, bytes| tell.send(bytes).unwrap()).unwrap());
        while !text.contains("child=") || !text.ends_with('\n') {
            text.push_str(&String::from_utf8(told.recv().unwrap()).unwrap());
        }
        let (pid, child) = (printed_pid(&text, "pid"), printed_pid(&text, "child"));
        let state = || fs::read_to_string(format!("/proc/{}/stat", child.as_raw_nonzero())).unwrap();
        kill_process(pid, Number::TSTP).unwrap();
        waitid(WaitId::Pid(pid), WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT).unwrap();
        while !state().contains(") T ") {
            thread::yield_now();
        }
        kill_process(pid, Number::CONT).unwrap();
        while state().contains(") T ") {
            thread::yield_now();
        }
        kill_process(pid, Number::TERM).unwrap();
        assert_eq!(run.join().unwrap().end, End::Exited(0));
    });
    let rest: Vec<u8> = told.try_iter().flatten().collect();
    assert!(String::from_utf8_lossy(&rest).contains("told=[Suspend, Continue, Terminate]"));
}

/// What the engine's loop does, in short.
fn is_suspended() {
    let stop = Stop::new(FOREVER);
    let (tell, told) = mpsc::channel();
    let _listener = listen(move |signal| tell.send(signal).unwrap()).unwrap();
    thread::scope(|scope| {
        let run = scope.spawn(|| {
            on_word(&sh("echo child=$$; exec sleep 1000"), &stop, "child", |text| {
                print!("\npid={}\n{text}", getpid().as_raw_nonzero());
                std::io::stdout().flush().unwrap();
            })
        });
        let mut all = Vec::new();
        for signal in told {
            all.push(signal);
            match signal {
                Signal::Suspend => {
                    stop.suspend();
                    pause();
                }
                Signal::Continue => stop.resume(),
                Signal::Interrupt | Signal::Terminate | Signal::Hangup | Signal::Quit => {
                    stop.ask(signal.number());
                    break;
                }
            }
        }
        assert_eq!(run.join().unwrap().0.end, End::Stopped);
        println!("\ntold={all:?}");
    });
}
