//! One run of one command, measured from a process of its own, the bench itself started anew: so that the peak of memory
//! that the system tells is that of the command and of what it started, and nobody else's.

use std::io::{Read, pipe};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

/// The first word of a process that only measures.
pub(crate) const WORD: &str = "measure-one";

/// How much of what is printed is read at once.
const PIECE: usize = 1024 * 1024;

/// What is run.
#[derive(Clone)]
pub(crate) struct Run {
    pub(crate) program: PathBuf,
    pub(crate) words: Vec<String>,
    pub(crate) folder: PathBuf,
    /// The exit code that says that all went well.
    pub(crate) code: i32,
    pub(crate) stdout: Stdout,
    /// Afterwards it is killed.
    pub(crate) patience: Duration,
}

/// Where its output goes.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Stdout {
    Null,
    /// Into a pipe that is read as fast as can be.
    Pipe,
}

/// What it took.
#[derive(Clone, Copy)]
pub(crate) struct Figure {
    pub(crate) seconds: f64,
    /// Of all processors, by the command and all that it has waited for.
    pub(crate) processor: f64,
    /// The peak of the largest process, in MiB.
    pub(crate) peak: f64,
}

/// How it ended.
pub(crate) enum Ended {
    Well(Figure),
    Late,
    /// With what was told of it.
    Badly(String),
}

impl Run {
    pub(crate) fn measure(&self) -> Ended {
        let own = std::env::current_exe().expect("a program knows where it is");
        let stdout = if self.stdout == Stdout::Pipe { "pipe" } else { "null" };
        let mut command = Command::new(own);
        let patience = self.patience.as_secs().to_string();
        command
            .args([WORD, stdout, &patience])
            .arg(&self.program)
            .args(&self.words)
            .current_dir(&self.folder);
        // Nothing of the user's own: mise asks for trust and would look for newer versions.
        command.env("HOME", &self.folder).env("MISE_TRUSTED_CONFIG_PATHS", &self.folder);
        command.env("MISE_OFFLINE", "1").env("NO_COLOR", "1").env_remove("MAKEFLAGS");
        let output = command.stdin(Stdio::null()).output().expect("a program starts itself");
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        let figures: Vec<f64> = told.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        match figures[..] {
            [] if output.status.success() => Ended::Late,
            [_, seconds, processor, peak] if told.starts_with(&format!("{} ", self.code)) => {
                Ended::Well(Figure { seconds, processor, peak })
            }
            _ => Ended::Badly(format!("{told}{}", String::from_utf8_lossy(&output.stderr))),
        }
    }
}

/// What the process that only measures does: prints exit code, seconds, seconds of the processors and MiB; nothing if
/// the command took too long.
pub(crate) fn measure_one(words: &[String]) -> ExitCode {
    let [stdout, patience, program, words @ ..] = words else { return ExitCode::FAILURE };
    let patience = Duration::from_secs(patience.parse().expect("seconds"));
    let mut command = Command::new(Path::new(program));
    command.args(words).process_group(0).stdin(Stdio::null());
    let mut reader = None;
    if stdout == "pipe" {
        let (end, writer) = pipe().expect("a pipe");
        command.stdout(writer);
        reader = Some(end);
    } else {
        command.stdout(Stdio::null());
    }
    let begin = Instant::now();
    let mut child = command.spawn().expect("a program that was found");
    // Or our own end of the pipe would keep it open.
    command.stdout(Stdio::null());
    let drain = thread::spawn(move || {
        let mut piece = vec![0; PIECE];
        while reader.as_mut().is_some_and(|end| end.read(&mut piece).is_ok_and(|read| read > 0)) {}
    });
    let process = Pid::from_child(&child);
    if !ends(process, patience) {
        let _gone = kill_process_group(process, Signal::KILL);
        child.wait().expect("a child of ours");
        return ExitCode::SUCCESS;
    }
    let code = child.wait().expect("a child of ours").code().unwrap_or(-1);
    drain.join().expect("a thread that only reads");
    let seconds = begin.elapsed().as_secs_f64();
    let used = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the system counts");
    let processor = (used.user_time() + used.system_time()).num_microseconds();
    #[expect(clippy::cast_precision_loss, reason = "neither comes near to what a float can't hold")]
    let (processor, peak) = (processor as f64 / 1e6, used.max_rss() as f64 / 1024.0);
    #[expect(clippy::print_stdout, reason = "it is how the figures reach the bench")]
    {
        println!("{code} {seconds} {processor} {peak}");
    }
    ExitCode::SUCCESS
}

/// Whether the process ends in time.
fn ends(process: Pid, patience: Duration) -> bool {
    let handle = pidfd_open(process, PidfdFlags::empty()).expect("a child that nobody has waited for");
    let time = Timespec::try_from(patience).expect("a short time");
    poll(&mut [PollFd::new(&handle.as_fd(), PollFlags::IN)], Some(&time))
        .expect("a process can be waited for")
        > 0
}
