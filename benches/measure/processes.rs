//! Processes as the system knows them (Linux, /proc): found by what they inherited, waited for without a clock,
//! ended by their own ids.

use std::fs;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

/// How long what was killed may take to be gone: far beyond any wait on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// The processes that have not ended and of which this holds.
pub(crate) fn those(belongs: impl Fn(Pid) -> bool) -> Vec<Pid> {
    let ids = fs::read_dir("/proc").expect("Linux").filter_map(|entry| {
        let process = Pid::from_raw(entry.ok()?.file_name().to_str()?.parse().ok()?)?;
        (!["Z", "X"].contains(&stat(process)?.first()?.as_str()) && belongs(process)).then_some(process)
    });
    ids.collect()
}

/// Whether the process was started with this folder in its environment. A sandbox's is in its TMPDIR, which all
/// inherit, whatever becomes of their parents, groups and sessions.
pub(crate) fn knows(process: Pid, folder: &Path) -> bool {
    let environment = fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
    let folder = folder.as_os_str().as_encoded_bytes();
    environment.windows(folder.len()).any(|part| part == folder)
}

/// STATE PARENT GROUP SESSION … of a process that is there.
pub(crate) fn stat(process: Pid) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name before may hold anything.
    Some(stat.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect())
}

/// Waits until the process has ended, or the time is over.
pub(crate) fn wait_for_end(process: Pid, time: Duration) {
    let Ok(handle) = pidfd_open(process, PidfdFlags::empty()) else { return };
    let time = Timespec::try_from(time).expect("a short time");
    poll(&mut [PollFd::new(&handle.as_fd(), PollFlags::IN)], Some(&time))
        .expect("a process can be waited for");
}

/// Kills all that are found, also those that are started meanwhile.
pub(crate) fn kill_all(find: impl Fn() -> Vec<Pid>) {
    // What becomes another program in the very moment of a look is not seen by it.
    while let Some(found) = [find(), find()].into_iter().find(|found| !found.is_empty()) {
        for process in found {
            // It may be gone already.
            let _gone = kill_process(process, Signal::KILL);
            wait_for_end(process, PATIENCE);
        }
    }
}

/// Waits until there are none, or the time is over; gives those that are left.
pub(crate) fn wait_for_all(find: impl Fn() -> Vec<Pid>, time: Duration) -> Vec<Pid> {
    let end = Instant::now() + time;
    loop {
        let left = find();
        let rest = end.saturating_duration_since(Instant::now());
        match left.first() {
            Some(first) if !rest.is_zero() => wait_for_end(*first, rest),
            _ => return left,
        }
    }
}
