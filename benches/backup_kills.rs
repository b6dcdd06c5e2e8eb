//! What `kill -9` leaves of backups: `deploy backup` of a dump and of files is killed at evenly spaced points, all that it
//! started with it: `cargo bench --bench backup_kills [-- POINTS]`. Ends with 1 if a half backup was ever listed, a listed one
//! did not come back, one that was listed before is gone, or the next backup failed. Needs Linux (/proc).

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it starts what it kills, and prints tables"
)]

mod measure;
#[path = "measure/processes.rs"]
#[expect(dead_code, reason = "another measurement looks at environments")]
mod processes;
#[path = "../tests/it/support/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "a measurement needs a part of the tests' sandbox"
)]
mod support;
#[path = "measure/victim.rs"]
#[expect(dead_code, reason = "here all of a run is killed")]
mod victim;

use std::process::{Command, ExitCode};
use std::time::Duration;

use measure::{count, median, milliseconds, time};
use serde_json::Value;
use support::Sandbox;
use victim::{Reach, Victim, points};

const POINTS: u32 = 100;

/// Undisturbed runs that say how long one takes.
const REHEARSALS: usize = 5;

/// Five backups are kept, so that each run also removes one.
const TASKS: &str = r#"
[stores.offsite]
url = "SANDBOX/store"
[backups.db]
dump    = "cat data"
restore = "cat > back"
store   = "offsite"
keep    = { last = 5 }
[backups.media]
files = ["media/**"]
store = "offsite"
keep  = { last = 5 }
[environments.staging]
target = { git = "web" }
"#;

#[derive(Default)]
struct Tally {
    half: usize,
    lost: usize,
    refused: usize,
}

fn main() -> ExitCode {
    let wanted = u32::try_from(count(POINTS as usize)).expect("a number of points");
    let sandbox = Sandbox::shop(TASKS).remote("web");
    let mut number = 0;
    let mut change = || {
        number += 1;
        sandbox.write("data", &format!("order {number}\n").repeat(200_000));
        sandbox.write(&format!("media/{}", number % 50), &format!("{number}\n").repeat(10_000));
    };
    let backup = || sandbox.command(env!("CARGO_BIN_EXE_deploy"), &["--quiet", "backup", "staging"]);
    let took: Vec<Duration> = (0..REHEARSALS)
        .map(|_| {
            change();
            time(&mut backup())
        })
        .collect();
    let whole = median(&took);
    println!("a backup takes {:.0} ms undisturbed; kill -9 at {wanted} points", milliseconds(whole));
    let mut tally = Tally::default();
    for point in points(whole, wanted) {
        change();
        let before = listed(&sandbox).len();
        let mut setsid: Command =
            sandbox.command("setsid", &[env!("CARGO_BIN_EXE_deploy"), "--quiet", "backup", "staging"]);
        Victim::start(&mut setsid).kill(point, Reach::Session);
        let after = listed(&sandbox);
        tally.lost += usize::from(after.len() < before);
        // All that is listed comes back: the newest of each kind are those that a kill can have hit.
        for name in ["db", "media"] {
            let newest = after.iter().find(|backup| backup["backup"] == name);
            let id = newest.and_then(|backup| backup["id"].as_str()).expect("there is one");
            let restored = sandbox.deploy(["restore", "staging", name, "--from", id, "--no-backup"]);
            tally.half += usize::from(restored.ends().code != 0);
            sandbox.shell("rm -rf .deploy/restored").succeeds();
        }
        tally.refused += usize::from(!backup().output().expect("it starts").status.success());
    }
    println!("{:52} {:>4}", "what was listed did not come back", tally.half);
    println!("{:52} {:>4}", "a backup that was listed was gone", tally.lost);
    println!("{:52} {:>4}", "the next backup failed", tally.refused);
    let is_good = tally.half + tally.lost + tally.refused == 0;
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What is listed, newest first.
fn listed(sandbox: &Sandbox) -> Vec<Value> {
    let ended = sandbox.deploy(["backups", "staging", "--json"]);
    ended.succeeds();
    serde_json::from_str(&ended.stdout).expect("JSON")
}
