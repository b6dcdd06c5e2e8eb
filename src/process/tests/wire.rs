//! Children that are asked to end by words, and those whose stdin stays open.

use std::time::Duration;

use rustix::process::Signal;

use super::{FOREVER, SHORT, Stop, Stream, ends, on_word, printed_pid, sh};
use crate::process::{Command, End, Ended, Flow, Stdin, follow};

const STOPPED: Ended = Ended { end: End::Stopped, left_running: false };

/// Tells every word that it is told, and ends by none of them but one.
const TELLS: &str =
    "echo ready; while read -r word; do echo told $word; case $word in KILL) exit 9 ;; esac; done; echo over";

fn wire(script: &str) -> Command {
    Command { stdin: Stdin::Wire(b"first\n".to_vec()), ..sh(script) }
}

#[test]
fn what_it_is_asked_comes_as_words_and_no_signal_reaches_it() {
    let stop = Stop::new(SHORT);
    let (ended, text) = on_word(&wire(TELLS), &stop, "ready", |_| stop.ask(Signal::INT.as_raw()));
    assert_eq!((ended, text.as_str()), (STOPPED, "ready\ntold first\ntold INT\ntold KILL\n"));
}

#[test]
fn a_timeout_is_a_word_too() {
    let stop = Stop::new(SHORT);
    let command = Command { timeout: Some(Duration::from_millis(20)), ..wire(TELLS) };
    let (ended, text) = on_word(&command, &stop, "\0", |_| {});
    assert_eq!(ended.end, End::TimedOut);
    assert!(text.ends_with("told TERM\ntold KILL\n"), "{text}");
}

#[test]
fn one_that_hears_nothing_is_killed_itself() {
    let stop = Stop::new(SHORT);
    let command = wire("trap '' INT TERM; echo pid=$$; exec sleep 1000");
    let (ended, text) = on_word(&command, &stop, "pid", |_| stop.kill());
    assert_eq!(ended.end, End::Stopped);
    assert!(ends(printed_pid(&text, "pid")));
}

#[test]
fn when_its_work_is_done_it_is_let_go_and_cut_off_if_it_stays() {
    let stop = Stop::new(FOREVER);
    let mut text = String::new();
    let mut hear = |_: Stream, bytes: Vec<u8>| {
        text.push_str(&String::from_utf8_lossy(&bytes));
        if text.contains("ready") { Flow::Last } else { Flow::On }
    };
    assert_eq!(follow(&wire(TELLS), &stop, &mut hear).expect("it starts").end, End::Stopped);
    assert!(text.contains("told BYE"), "{text}");
    let polite = wire("echo ready; read -r first; read -r word; echo $word; exit 3");
    assert_eq!(follow(&polite, &stop, &mut |_, _| Flow::Last).expect("it starts").end, End::Exited(3));
}

#[test]
fn an_open_stdin_ends_with_us_alone() {
    let stop = Stop::new(SHORT);
    let command = Command {
        stdin: Stdin::Open(b"word\n".to_vec()),
        ..sh("read -r word; echo $word; read -r more; echo over")
    };
    let (ended, text) = on_word(&command, &stop, "word", |_| stop.ask(Signal::TERM.as_raw()));
    assert_eq!((ended, text.as_str()), (STOPPED, "word\n"));
}
