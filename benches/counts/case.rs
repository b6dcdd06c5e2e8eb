//! What is counted: small and large files of tasks, and what is asked of them. All that could differ from one machine to
//! another is the same: an empty environment, and a folder whose path is always as long.

use std::fmt::Write;
use std::fs;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::record::Counts;
use crate::{calls, instructions};

pub(crate) const DEPLOY: &str = env!("CARGO_BIN_EXE_deploy");

/// How many tasks are many.
const MANY: usize = 10_000;

/// How many are run for their system calls: so many that what one costs weighs more than the start.
const RUN: usize = 20;

pub(crate) struct Case {
    pub(crate) name: &'static str,
    tasks: fn() -> String,
    words: &'static [&'static str],
    counts: Counted,
}

enum Counted {
    Instructions,
    /// Those of a second run, that finds all as it should be.
    InstructionsOnceFresh,
    Calls,
}

pub(crate) const CASES: [Case; 5] = [
    Case { name: "list-3", tasks: || plain(3), words: &["list"], counts: Counted::Instructions },
    Case { name: "list-10000", tasks: || plain(MANY), words: &["list"], counts: Counted::Instructions },
    Case { name: "plan-10000", tasks: || plain(MANY), words: &["plan", "t0"], counts: Counted::Instructions },
    Case {
        name: "fresh-10000",
        tasks: fresh,
        words: &["--jobs=2", "all"],
        counts: Counted::InstructionsOnceFresh,
    },
    Case { name: "run-20", tasks: runs, words: &["--jobs=2", "all"], counts: Counted::Calls },
];

impl Case {
    pub(crate) fn count(&self) -> Counts {
        let folder = tempfile::Builder::new().prefix("counts-").rand_bytes(6).tempdir_in("/tmp");
        let folder = folder.expect("a folder in /tmp");
        fs::write(folder.path().join("tasks.toml"), (self.tasks)()).expect("a file in a new folder");
        match self.counts {
            Counted::Instructions => instructions::count(self.words, &folder),
            Counted::InstructionsOnceFresh => {
                lay_files(&folder);
                run(Command::new(DEPLOY).args(self.words), &folder);
                instructions::count(self.words, &folder)
            }
            Counted::Calls => calls::count(self.words, &folder),
        }
    }
}

/// Runs it in the folder, to an end that is good.
pub(crate) fn run(command: &mut Command, folder: &TempDir) {
    command.current_dir(folder).env_clear().env("PATH", "/usr/bin:/bin").env("HOME", folder.path());
    let output = command.stdin(Stdio::null()).output();
    let output =
        output.unwrap_or_else(|error| panic!("{command:?}: {error}; tests/run installs what is needed"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Tasks that need each other as in a tree, each with a line about it.
fn plain(count: usize) -> String {
    let mut text = String::new();
    for number in 0..count {
        let needs = number.checked_sub(1).map_or_else(String::new, |before| format!("'t{}'", before / 8));
        writeln!(text, "[tasks.t{number}]\nabout = 'The task {number}'\nneeds = [{needs}]\nrun = 'true'")
            .expect("memory");
    }
    text
}

fn fresh() -> String {
    all(MANY, |number| {
        format!(
            "inputs = ['in/{number}.txt']\noutputs = ['out/{number}.txt']\nrun = 'echo > out/{number}.txt'"
        )
    })
}

fn runs() -> String {
    all(RUN, |_| "run = 'true'".to_owned())
}

/// Tasks of this body, and one that needs them all.
fn all(count: usize, body: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    let mut needs = String::new();
    for number in 0..count {
        writeln!(text, "[tasks.t{number}]\n{}", body(number)).expect("memory");
        write!(needs, "'t{number}', ").expect("memory");
    }
    format!("{text}[tasks.all]\nneeds = [{needs}]\n")
}

fn lay_files(folder: &TempDir) {
    for name in ["in", "out"] {
        fs::create_dir(folder.path().join(name)).expect("a folder in a new folder");
    }
    for number in 0..MANY {
        fs::write(folder.path().join(format!("in/{number}.txt")), "as it is\n")
            .expect("a file in a new folder");
    }
}
