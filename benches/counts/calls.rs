//! System calls, as strace counts them: in all, and of each kind; those of the tasks' own processes too, which are always
//! the same.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

use crate::case::{DEPLOY, run};
use crate::record::{ALL, Counts};

/// How often it is run. How often one thread waits for another depends on the machine's other work; the run that waited
/// least says most.
const TRIES: usize = 5;

pub(crate) fn count(words: &[&str], folder: &TempDir) -> Counts {
    let tries = (0..TRIES).map(|_| {
        let file = folder.path().join("strace");
        let mut strace = Command::new("strace");
        run(strace.args(["-f", "-c", "-o"]).arg(&file).arg(DEPLOY).args(words), folder);
        by_kind(&fs::read_to_string(file).expect("what strace has written"))
    });
    tries.min_by_key(|counts| counts[ALL]).expect("several tries")
}

/// Lines of `% time, seconds, usecs/call, calls, errors if there are any, name`; the last one is named `total`.
fn by_kind(table: &str) -> Counts {
    let rows = table.lines().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let name = match *words.last()? {
            "total" => ALL,
            name => name,
        };
        Some((name.to_owned(), words.get(3)?.parse().ok()?))
    });
    rows.collect()
}
