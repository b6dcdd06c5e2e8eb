//! The least that each workload can cost: a static program that the bench builds with rustc, and runs right before
//! what it measures. It does what no tool could leave out, and nothing else.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, thread};

fn main() {
    let words: Vec<String> = env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["hello"] => println!("hello"),
        ["lines", file] => println!("{}", lines(file)),
        ["lines", file, "run"] => {
            lines(file);
            run();
        }
        ["run", count, at_once] => run_all(number(count), number(at_once)),
        ["look", count] => println!("{}", look(number(count))),
        _ => panic!("one of: hello, lines FILE, lines FILE run, run COUNT AT_ONCE, look COUNT"),
    }
}

fn number(word: &str) -> usize {
    word.parse().expect("a number")
}

/// Reads a file, and counts its lines.
fn lines(file: &str) -> usize {
    fs::read(file).expect("a file to read").iter().filter(|byte| **byte == b'\n').count()
}

/// Starts a shell that does nothing, by `posix_spawn`, and waits for it.
fn run() {
    assert!(Command::new("/bin/sh").args(["-c", "true"]).status().expect("a shell").success());
}

fn run_all(count: usize, at_once: usize) {
    let left = AtomicUsize::new(count);
    let work = || {
        while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
            run();
        }
    };
    thread::scope(|scope| {
        for _ in 1..at_once {
            scope.spawn(work);
        }
        work();
    });
}

/// Asks when each input and each output was written, and counts those that are older than what they are made of.
fn look(count: usize) -> usize {
    let written = |folder: &str, number: usize| {
        fs::metadata(format!("{folder}/{number}.txt")).and_then(|file| file.modified()).expect("a file")
    };
    (0..count).filter(|number| written("out", *number) < written("in", *number)).count()
}
