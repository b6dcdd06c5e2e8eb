//! Whether the lock of a team lets one in, whether its ledger loses nothing, and what both cost:
//! `cargo bench --bench locks [-- PART] [NUMBER]`. PART is `contenders`, `writers` or `times`, else all three; NUMBER is
//! how many rounds, events of each writer, turns. Ends with 1 if a promise of deploy's is broken. Needs Linux (/dev/fd),
//! sshd and lighttpd.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it starts what it measures, and prints tables"
)]

mod contenders;
#[path = "../measure/inbox.rs"]
mod inbox;
#[path = "../measure/mod.rs"]
mod measure;
#[path = "../../tests/it/support/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "a measurement needs a part of the tests' sandbox"
)]
mod support;
#[path = "../measure/team.rs"]
mod team;
mod times;
mod writers;

use std::process::ExitCode;
use std::time::Duration;

/// How long anything may take before the measurement gives up: 64 contenders over ssh are many for a small machine.
const PATIENCE: Duration = Duration::from_mins(5);

/// What can be asked for by its name; each prints its table, and says whether what is promised is kept.
const PARTS: [Part; 3] =
    [("contenders", contenders::measure), ("writers", writers::measure), ("times", times::measure)];

type Part = (&'static str, fn() -> bool);

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let is_named = |(name, _): &&Part| words.iter().any(|word| word == name);
    let named: Vec<&Part> = PARTS.iter().filter(is_named).collect();
    let wanted = if named.is_empty() { PARTS.iter().collect() } else { named };
    let broken = wanted.into_iter().filter(|(_, measure)| !measure()).count();
    if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
