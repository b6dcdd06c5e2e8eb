//! What it costs to run very many jobs that do nothing: `cargo bench --bench jobs [-- TURNS]`. 10,000 times `true`,
//! two at a time, beside a bare loop that starts `/bin/sh -c true`, and beside make, ninja, just and go-task where
//! they are installed. Every recipe goes through a shell, as its tool does it, but where the table says otherwise.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it starts what it measures, and prints tables"
)]

mod measure;

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use measure::{count, median, milliseconds, time};

const JOBS: u32 = 10_000;

/// How many run at once.
const AT_ONCE: usize = 2;

const TURNS: usize = 3;

/// Another program that does the same.
struct Peer {
    name: &'static str,
    /// How it is started; the first word is its name on the PATH.
    words: &'static [&'static str],
    /// What its `--version` says, where another program may have its name.
    says: &'static str,
    file: &'static str,
    text: fn() -> String,
    /// A line that installs it.
    install: &'static str,
}

const PEERS: [Peer; 5] = [
    Peer {
        name: "make",
        words: &["make", "--silent", "-j2", "all"],
        says: "GNU Make",
        file: "Makefile",
        text: || makefile("@true;"),
        install: "apt-get install make",
    },
    Peer {
        name: "make, its own way without a shell",
        words: &["make", "--silent", "-j2", "--file=Plain.mk", "all"],
        says: "GNU Make",
        file: "Plain.mk",
        text: || makefile("@true"),
        install: "apt-get install make",
    },
    Peer {
        name: "ninja",
        words: &["ninja", "--quiet", "-j2", "all"],
        says: "1.",
        file: "build.ninja",
        text: || {
            let jobs = each(|text, job| writeln!(text, "build j{job}: nothing"));
            format!("rule nothing\n  command = true\n{jobs}build all: phony{}\n", names(" "))
        },
        install: "apt-get install ninja-build",
    },
    // All that one job needs in parallel is started at once, so two halves are in parallel, each one by one.
    Peer {
        name: "just",
        words: &["just", "--quiet", "all"],
        says: "just",
        file: "justfile",
        text: || {
            let jobs = each(|text, job| writeln!(text, "j{job}:\n  @true"));
            let needs: Vec<String> = (0..JOBS).map(|job| format!("j{job}")).collect();
            let (first, second) = needs.split_at(needs.len() / 2);
            let halves = format!("first: {}\nsecond: {}", first.join(" "), second.join(" "));
            format!("{jobs}{halves}\n[parallel]\nall: first second\n")
        },
        install: "pip install rust-just",
    },
    // Its shell is its own, and has a `true` of its own, which would start nothing.
    Peer {
        name: "go-task, a program without a shell",
        words: &["task", "--silent", "--concurrency", "2", "all"],
        says: "3.",
        file: "Taskfile.yml",
        text: || {
            let jobs = each(|text, job| writeln!(text, "  j{job}:\n    cmds: [/bin/true]"));
            format!("version: '3'\ntasks:\n{jobs}  all:\n    deps:{}\n", names("\n      - "))
        },
        install: "pip install go-task-bin",
    },
];

fn main() {
    let turns = count(TURNS);
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("tasks.toml"), tasks("true")).expect("a file in a new folder");
    fs::write(folder.path().join("plain.toml"), tasks("/bin/true")).expect("a file in a new folder");
    let (there, missing): (Vec<&Peer>, Vec<&Peer>) = PEERS.iter().partition(|peer| is_installed(peer));
    for peer in &there {
        fs::write(folder.path().join(peer.file), (peer.text)()).expect("a file in a new folder");
    }
    let own = ["a bare loop of /bin/sh -c true", "deploy", "deploy, a program without a shell"];
    let mut rows: Vec<(&str, Vec<Duration>)> = own.map(|name| (name, Vec::new())).to_vec();
    rows.extend(there.iter().map(|peer| (peer.name, Vec::new())));
    for _ in 0..turns {
        rows[0].1.push(bare_loop());
        rows[1].1.push(run(folder.path(), &[env!("CARGO_BIN_EXE_deploy"), "--jobs=2", "all"]));
        let plain = [env!("CARGO_BIN_EXE_deploy"), "--jobs=2", "--file=plain.toml", "all"];
        rows[2].1.push(run(folder.path(), &plain));
        for (peer, (_, times)) in there.iter().zip(&mut rows[own.len()..]) {
            times.push(run(folder.path(), peer.words));
        }
    }
    println!(
        "{JOBS} jobs, {AT_ONCE} at once; {turns} turns; medians, and the median ratio to the loop of the same turn\n"
    );
    println!("{:36} {:>9} {:>9} {:>10}", "", "ms", "ms a job", "x the loop");
    for (name, times) in &rows {
        let ratios: Vec<f64> =
            times.iter().zip(&rows[0].1).map(|(own, floor)| own.div_duration_f64(*floor)).collect();
        let middle = milliseconds(median(times));
        println!("{name:36} {middle:9.0} {:9.3} {:10.2}", middle / f64::from(JOBS), median(&ratios));
    }
    for peer in missing {
        println!("{:36} is not installed: {}", peer.name, peer.install);
    }
}

fn run(folder: &Path, words: &[&str]) -> Duration {
    time(Command::new(words[0]).args(&words[1..]).current_dir(folder))
}

/// The floor: nothing but starting the shells, by `posix_spawn`, and waiting for them.
fn bare_loop() -> Duration {
    let left = AtomicU32::new(JOBS);
    let work = || {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", "true"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
            assert!(shell.status().expect("a shell").success());
        }
    };
    let begin = Instant::now();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(work);
        }
    });
    begin.elapsed()
}

fn is_installed(peer: &Peer) -> bool {
    let output = Command::new(peer.words[0]).arg("--version").output();
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim_start().starts_with(peer.says))
}

fn tasks(line: &str) -> String {
    let jobs = each(|text, job| writeln!(text, "[tasks.j{job}]\nrun = '{line}'"));
    let needs = each(|text, job| write!(text, "'j{job}', "));
    format!("{jobs}[tasks.all]\nneeds = [{needs}]\n")
}

fn makefile(recipe: &str) -> String {
    let names = names(" ");
    format!(".PHONY: all{names}\nall:{names}\n{}", each(|text, job| writeln!(text, "j{job}:\n\t{recipe}")))
}

/// The names of all jobs, each behind this.
fn names(before: &str) -> String {
    each(|text, job| write!(text, "{before}j{job}"))
}

/// What is written for each job.
fn each(mut write: impl FnMut(&mut String, u32) -> std::fmt::Result) -> String {
    let mut text = String::new();
    for job in 0..JOBS {
        write(&mut text, job).expect("memory");
    }
    text
}
