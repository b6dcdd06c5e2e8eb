//! What it costs to send a release of 5,000 files, of which ten have changed, to a host that has the one before: a deploy to
//! a server target, beside rsync of the same files and a bare `git push`, all over the same ssh: `cargo bench --bench
//! server_sending [-- TURNS]`. Bytes are those that passed the loopback interface meanwhile. Needs Linux, sshd and rsync.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it starts what it measures, and prints tables"
)]

mod measure;
#[path = "../tests/it/support/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "a measurement needs a part of the tests' sandbox"
)]
mod support;

use std::fs;

use measure::{count, median, milliseconds, time};
use support::{Sandbox, Sshd};

const FILES: usize = 5_000;

const CHANGED: usize = 10;

const TURNS: usize = 7;

const TASKS: &str = r#"
[hosts]
web1.ssh = "web1"
[environments.production.target]
server = "web1"
path = "SANDBOX/hosts/web1/shop"
"#;

/// A way to send it, and the shell line that does.
const WAYS: [(&str, &str); 3] = [
    ("deploy production", r#""$DEPLOY" --quiet production"#),
    (
        "rsync, into a copy of the release before",
        "rsync --archive --delete --exclude=.git --exclude=.deploy ./ web1:\"$HOSTS\"/web1/rsynced/",
    ),
    ("git push, and no files", "git push --quiet web1:\"$HOSTS\"/web1/pushed.git HEAD:refs/heads/main"),
];

fn main() {
    let turns = count(TURNS);
    let sandbox = Sandbox::shop(TASKS);
    let sshd = Sshd::start(&sandbox, &["web1"]);
    let name = |number: usize| format!("src/{}/{number}.txt", number % 50);
    for number in 0..FILES {
        sandbox.write(&name(number), &format!("file {number}\n").repeat(40));
    }
    sandbox.commit("Many");
    sandbox.repository_at(sandbox.root().as_path()).git(["gc", "--quiet"]);
    let hosts = sshd.home("web1").parent().expect("hosts are in a folder").to_owned();
    sandbox.shell(&format!("git init --quiet --bare '{}/web1/pushed.git'", hosts.display())).succeeds();
    let mut figures: [(Vec<f64>, Vec<f64>); WAYS.len()] = Default::default();
    // The first turn sends all, and is not counted.
    for turn in 0..=turns {
        for number in 0..CHANGED {
            let path = name((turn * CHANGED + number) * 7 % FILES);
            sandbox.write(&path, &format!("turn {turn}, file {number}\n").repeat(40));
        }
        sandbox.commit(&format!("Turn {turn}"));
        for ((_, line), (times, bytes)) in WAYS.iter().zip(&mut figures) {
            let mut command = sandbox.command("sh", &["-c", line]);
            command.env("DEPLOY", env!("CARGO_BIN_EXE_deploy")).env("HOSTS", &hosts);
            let before = passed();
            let took = time(&mut command);
            if turn > 0 {
                times.push(milliseconds(took));
                bytes.push(passed() - before);
            }
        }
    }
    println!("{FILES} files, {CHANGED} changed; medians of {turns} turns\n");
    println!("{:44} {:>8} {:>8}", "", "ms", "KiB");
    for ((way, _), (times, bytes)) in WAYS.iter().zip(&figures) {
        println!("{way:44} {:>8.0} {:>8.0}", median(times), median(bytes) / 1024.0);
    }
}

/// How many bytes have passed the loopback interface.
fn passed() -> f64 {
    let told = fs::read_to_string("/proc/net/dev").expect("Linux tells");
    let line = told.lines().find_map(|line| line.trim().strip_prefix("lo:")).expect("a loopback interface");
    line.split_whitespace().next().and_then(|bytes| bytes.parse().ok()).expect("a number of bytes")
}
