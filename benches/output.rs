//! What a task that prints very much costs: `cargo bench --bench output [-- MIB]`. A GiB of lines, and one line of a
//! GiB without an end, through each `--output`: time beside `cat` into the same pipe, peak resident memory of deploy.
//! Needs Linux (/proc), and three times the size free in the temporary folder.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it starts what it measures, and prints tables"
)]

#[expect(dead_code, reason = "what prints is timed to the end of its output")]
mod measure;

use std::fs;
use std::io::{PipeReader, Read, pipe};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use measure::{count, milliseconds};

/// How much is printed.
const MIB: usize = 1024;

/// The file that is printed again and again: small enough to stay in memory.
const FILE: usize = 64;

/// How often the peak is read; it only grows, so that nothing between two looks is missed but at the very end.
const LOOK: Duration = Duration::from_millis(5);

/// One job alone has our own stdout; the output of two is read, so there is an idle one beside.
const TASKS: &str = r#"
[tasks.prints]
run = "CAT"
[tasks.fails]
run = ["CAT", "exit 3"]
[tasks.idle]
run = "true"
"#;

/// What is measured, and with which exit code it ends.
const WAYS: [(&str, &[&str], i32); 8] = [
    ("one job, auto", &["prints"], 0),
    ("stream", &["--output", "stream", "prints", "idle"], 0),
    ("prefixed", &["--output", "prefixed", "prints", "idle"], 0),
    ("grouped", &["--output", "grouped", "prints", "idle"], 0),
    ("quiet", &["--output", "quiet", "prints", "idle"], 0),
    ("quiet, the job fails", &["--output", "quiet", "-k", "fails", "idle"], 3),
    ("json", &["--output", "json", "prints", "idle"], 0),
    ("logs, shown again", &["logs", "--output", "stream"], 0),
];

/// What came of one command.
struct Figure {
    took: Duration,
    bytes: u64,
    /// In KiB.
    peak: u32,
}

fn main() {
    let size = count(MIB).max(FILE);
    let folder = tempfile::tempdir().expect("a temporary folder");
    println!("{size} MiB printed by one task\n");
    for (name, line) in [("in lines of 80 bytes", &LINE[..]), ("in one line", &LINE[..LINE.len() - 1])] {
        let bytes: Vec<u8> = line.iter().copied().cycle().take(FILE * 1024 * 1024).collect();
        fs::write(folder.path().join("file"), bytes).expect("room in the temporary folder");
        table(name, folder.path(), size / FILE);
    }
}

/// What is printed; without its last byte, a line that never ends.
const LINE: [u8; 80] = {
    let mut line = [b'x'; 80];
    line[79] = b'\n';
    line
};

fn table(name: &str, folder: &Path, times: usize) {
    let cat = format!("cat{}", " file".repeat(times));
    fs::write(folder.join("tasks.toml"), TASKS.replace("CAT", &cat)).expect("a file in a new folder");
    println!("{name:28} {:>9} {:>7} {:>14} {:>18}", "ms", "x cat", "peak in MiB", "MiB on its stdout");
    let floor = || run(Command::new("sh").args(["-c", &cat]).current_dir(folder), 0);
    show("cat", &floor(), &floor());
    for (name, words, code) in WAYS {
        // The one before has left what `logs` shows.
        if words[0] != "logs" {
            let _absent = fs::remove_dir_all(folder.join(".deploy"));
        }
        let mut deploy = Command::new(env!("CARGO_BIN_EXE_deploy"));
        let floor = floor();
        show(name, &run(deploy.args(words).current_dir(folder), code), &floor);
    }
    println!();
}

fn show(name: &str, figure: &Figure, floor: &Figure) {
    let took = milliseconds(figure.took);
    println!(
        "{name:28} {took:9.0} {:7.2} {:14.1} {:18}",
        took / milliseconds(floor.took),
        f64::from(figure.peak) / 1024.0,
        figure.bytes >> 20
    );
}

/// Runs the command with a pipe that is read as fast as can be, to its end.
fn run(command: &mut Command, code: i32) -> Figure {
    let (reader, writer) = pipe().expect("a pipe");
    command.stdin(Stdio::null()).stderr(Stdio::null()).stdout(writer);
    let begin = Instant::now();
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    // Or our own end of the pipe would keep it open.
    command.stdout(Stdio::null());
    let peak = peak(child.id());
    let bytes = drain(reader);
    let status = child.wait().expect("a child of ours");
    let took = begin.elapsed();
    assert_eq!(status.code(), Some(code), "{command:?}");
    Figure { took, bytes, peak: peak() }
}

fn drain(mut reader: PipeReader) -> u64 {
    let mut buffer = vec![0; 1024 * 1024];
    let mut bytes = 0;
    loop {
        match reader.read(&mut buffer).expect("a pipe of ours") {
            0 => return bytes,
            count => bytes += count as u64,
        }
    }
}

/// Watches a process's peak of resident memory, in KiB, until it is asked for.
fn peak(process: u32) -> impl FnOnce() -> u32 {
    let (end, ended) = channel::<()>();
    let look = move || {
        let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok())
    };
    let watch = thread::spawn(move || {
        let mut peak = 0;
        while ended.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
            peak = look().unwrap_or(0).max(peak);
        }
        peak
    });
    move || {
        drop(end);
        watch.join().expect("a thread that only reads")
    }
}
