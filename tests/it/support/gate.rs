//! Pipes with a name, by which a test and the steps that it watches wait for each other instead of for the clock.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};

use super::DEADLINE;

/// Holds a step: its command says that it has arrived, and goes on when the test lets it through.
pub(crate) struct Gate {
    folder: PathBuf,
    name: String,
    arrivals: File,
    passes: File,
}

impl Gate {
    pub(crate) fn new(folder: &Path, name: &str) -> Gate {
        // Open for both: neither side has to wait for the other to open, and what is written waits to be read.
        let open = |suffix: &str| {
            let path = folder.join(format!("{name}.{suffix}"));
            OpenOptions::new().read(true).write(true).open(pipe(&path)).expect("a pipe of ours")
        };
        Gate {
            folder: folder.to_owned(),
            name: name.to_owned(),
            arrivals: open("arrivals"),
            passes: open("passes"),
        }
    }

    /// The command that stops at the gate.
    pub(crate) fn script(&self) -> String {
        let at = self.folder.join(&self.name);
        let at = at.display();
        format!("#!/bin/sh\necho > '{at}.arrivals'\nread -r pass < '{at}.passes'\n")
    }

    /// Waits until a step has arrived.
    #[track_caller]
    pub(crate) fn wait_for_arrival(&self) {
        assert!(ready(&self.arrivals, PollFlags::IN), "nothing arrived at the gate `{}`", self.name);
        (&self.arrivals).read_exact(&mut [0]).expect("the arrival that we saw");
    }

    /// Lets one step through, now or when it comes.
    pub(crate) fn open(&self) {
        (&self.passes).write_all(b"pass\n").expect("a pipe with room");
    }
}

/// Tells when every process that holds it has ended: `exec 9> SANDBOX/tmp/NAME` in a step takes hold, for its children too.
pub(crate) struct Leash {
    pipe: File,
}

impl Leash {
    pub(crate) fn new(path: &Path) -> Leash {
        let nonblock = i32::try_from(OFlags::NONBLOCK.bits()).expect("a small flag");
        let pipe =
            OpenOptions::new().read(true).custom_flags(nonblock).open(pipe(path)).expect("a pipe of ours");
        Leash { pipe }
    }

    /// Waits until something has taken hold and nothing holds on any more.
    #[track_caller]
    pub(crate) fn wait_for_release(&self) {
        assert!(ready(&self.pipe, PollFlags::HUP), "nothing ever held the leash, or something still runs");
    }
}

fn pipe(path: &Path) -> &Path {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a new pipe");
    path
}

fn ready(file: &File, what: PollFlags) -> bool {
    let wait = Timespec { tv_sec: DEADLINE.as_secs().try_into().expect("a minute"), tv_nsec: 0 };
    poll(&mut [PollFd::new(file, what)], Some(&wait)).expect("a pipe can be polled") > 0
}
