//! What a child prints: all of it, apart, and in bounded memory.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{FOREVER, Stop, end, ends, printed_pid, ran, sh};
use crate::model::event::Stream;
use crate::process::printed::LARGE;
use crate::process::{End, StartError, capture, run};

#[test]
fn the_two_streams_stay_apart() {
    let captured = capture(&sh("printf out; printf err >&2; exit 3"), &Stop::new(FOREVER)).unwrap();
    assert_eq!(captured.status, End::Exited(3));
    assert_eq!((captured.stdout.as_slice(), captured.stderr.as_slice()), (&b"out"[..], &b"err"[..]));
}

#[test]
fn much_output_comes_in_small_pieces() {
    let (mut total, mut largest) = (0, 0);
    let ended = run(&sh("head -c 67108864 /dev/zero"), &Stop::new(FOREVER), &mut |stream, bytes| {
        assert_eq!(stream, Stream::Out);
        total += bytes.len();
        largest = largest.max(bytes.len());
    });
    assert_eq!(ended.unwrap().end, End::Exited(0));
    assert_eq!(total, 64 * 1024 * 1024);
    assert!(largest <= LARGE, "{largest}");
}

#[test]
fn the_last_words_arrive() {
    // A full pipe at the moment of the end, and somebody who keeps it open.
    let script = "sleep 1000 & echo pid=$!; head -c 60000 /dev/zero; printf last";
    let (ended, text) = ran(&sh(script), &Stop::new(FOREVER));
    assert_eq!(ended.end, End::Exited(0));
    end(printed_pid(&text, "pid"));
    assert!(text.ends_with("last"));
}

#[test]
fn an_endless_answer_is_an_error() {
    let error = capture(&sh("exec cat /dev/zero"), &Stop::new(FOREVER)).expect_err("too much");
    assert!(matches!(error, StartError::TooMuchOutput { .. }), "{error}");
    assert_eq!(
        error.to_string(),
        "`/bin/sh` was killed: it printed more than 64 MiB where an answer was expected"
    );
}

#[test]
fn a_panic_of_the_reader_leaves_no_child() {
    let mut text = String::new();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        run(&sh("echo pid=$$; exec sleep 1000"), &Stop::new(FOREVER), &mut |_, bytes| {
            text.push_str(&String::from_utf8_lossy(&bytes));
            panic!("a bug of the reader");
        })
    }));
    assert!(panicked.is_err());
    assert!(ends(printed_pid(&text, "pid")));
}
