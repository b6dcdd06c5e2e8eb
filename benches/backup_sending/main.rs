//! What it costs to save, and to bring back: a dump of a real database, beside `pg_dump | zstd | rclone`; and 10,000 uploads of
//! which 20 have changed, beside rclone, by what an S3 server is asked: `cargo bench --bench backup_sending [-- MIB]`, the
//! dump's size. Fails if a row or a file comes back other than it was. Needs Linux, PostgreSQL, what tests/run installs, rclone,
//! zstd, and four times the dump's size free in the temporary folder.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it starts what it measures, and prints tables"
)]

mod dump;
#[path = "../measure/mod.rs"]
#[expect(dead_code, reason = "times are taken in a process of their own")]
mod measure;
#[path = "../peers/run.rs"]
#[expect(dead_code, reason = "what is run is one line of a shell")]
mod run;
#[path = "../../tests/it/support/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "a measurement needs a part of the tests' sandbox"
)]
mod support;
mod uploads;

use std::process::ExitCode;

use measure::count;
use run::Figure;
use support::Sandbox;

/// How large the dump is, in MiB.
const MIB: usize = 2048;

/// Far beyond what the largest dump takes, in seconds.
const PATIENCE: &str = "3600";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == run::WORD) {
        return run::measure_one(&words[1..]);
    }
    for (program, package) in [("rclone", "rclone"), ("zstd", "zstd"), ("pg_dump", "postgresql-client")] {
        let found = Sandbox::new().shell(&format!("command -v {program}"));
        assert!(found.code == 0, "no {program}: apt-get install {package}");
    }
    dump::dump(count(MIB));
    uploads::uploads();
    ExitCode::SUCCESS
}

/// What a line costs, in a shell that ends at the first thing that fails. `$DEPLOY` is the program.
fn measure(sandbox: &Sandbox, line: &str) -> Figure {
    let own = std::env::current_exe().expect("a program knows where it is");
    let script = format!("set -euo pipefail\n{line}");
    let words = [run::WORD, "null", PATIENCE, "bash", "-c", &script];
    let mut command = sandbox.command(&own.display().to_string(), &words);
    let told = command.env("DEPLOY", env!("CARGO_BIN_EXE_deploy")).output().expect("a program starts itself");
    let figures = String::from_utf8_lossy(&told.stdout).into_owned();
    let figures: Vec<f64> = figures.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    match figures[..] {
        [0.0, seconds, processor, peak] => Figure { seconds, processor, peak },
        _ => panic!("{line}: {figures:?}\n{}", String::from_utf8_lossy(&told.stderr)),
    }
}
