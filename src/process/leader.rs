//! The first process of a child: how we notice its end without reaping it, and that it waits for the terminal.
//! The only place that knows how a system tells the end of a process.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::thread;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};

/// A started process that nobody has reaped.
pub(super) struct Leader {
    pid: Pid,
    ended: OwnedFd,
}

impl Leader {
    pub(super) fn new(pid: Pid) -> io::Result<Self> {
        Ok(Self { pid, ended: ended(pid)? })
    }

    /// Becomes readable when the process has ended; it stays a zombie until somebody reaps it.
    pub(super) fn ended(&self) -> BorrowedFd<'_> {
        self.ended.as_fd()
    }

    /// Whether the system stopped it because it used the terminal from the background. A stop by any other signal
    /// is somebody's wish: ours, when the run is suspended, or a person's with a debugger.
    pub(super) fn waits_for_terminal(&self) -> bool {
        let options = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let status = waitid(WaitId::Pid(self.pid), options).ok().flatten();
        let signal = status.and_then(|status| status.stopping_signal());
        signal == Some(Signal::TTIN.as_raw()) || signal == Some(Signal::TTOU.as_raw())
    }
}

#[cfg(target_os = "linux")]
fn ended(pid: Pid) -> io::Result<OwnedFd> {
    use rustix::process::{PidfdFlags, pidfd_open};
    // Kernels before 5.3 have none, and some sandboxes forbid it.
    pidfd_open(pid, PidfdFlags::empty()).or_else(|_| ended_by_thread(pid))
}

#[cfg(not(target_os = "linux"))]
fn ended(pid: Pid) -> io::Result<OwnedFd> {
    ended_by_thread(pid)
}

/// A thread waits and then closes a pipe.
pub(super) fn ended_by_thread(pid: Pid) -> io::Result<OwnedFd> {
    let (reader, writer) = io::pipe()?;
    thread::Builder::new().name("waiter".to_owned()).spawn(move || {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while waitid(WaitId::Pid(pid), options).is_err_and(|error| error == Errno::INTR) {}
        drop(writer);
    })?;
    Ok(reader.into())
}
