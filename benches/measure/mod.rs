//! What all measurements need: the middle of many, and how long a command takes. Figures of one machine are worth
//! their ratios, so what is compared is run in turns, never one block after the other.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The number given on the command line, or this one. `cargo bench` adds words of its own.
pub(crate) fn count(default: usize) -> usize {
    std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(default)
}

/// The middle value.
pub(crate) fn median<T: Copy + PartialOrd>(values: &[T]) -> T {
    let mut values = values.to_vec();
    values.sort_by(|a, b| a.partial_cmp(b).expect("figures can be compared"));
    values[values.len() / 2]
}

/// How long the command takes, from its start to its end. It must succeed.
pub(crate) fn time(command: &mut Command) -> Duration {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let begin = Instant::now();
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let took = begin.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    took
}

pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
