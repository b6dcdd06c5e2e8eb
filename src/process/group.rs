//! The group that a child runs in, and whom a signal for the child reaches. The only place that signals others.
//! A group may be signalled only while its leader is not reaped: later the number may belong to somebody else.

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process_group};

use super::family::Family;

/// The group that a child runs in, by its leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    /// One of its own: all that the child starts is in it, unless it leaves.
    Own(Pid),
    /// Ours, because the child is interactive: the terminal's keys reach it as they reach us.
    Shared(Pid),
}

/// Errors are ignored: the process is gone, or belongs to somebody whom we can't signal.
impl Group {
    /// Asks the child to end.
    pub(super) fn ask(self, signal: Signal) {
        let _ = match self {
            Self::Own(leader) => kill_process_group(leader, signal),
            // Keys: the terminal has sent it already, and a second one makes many programs drop everything.
            Self::Shared(_) if signal == Signal::INT || signal == Signal::QUIT => Ok(()),
            Self::Shared(leader) => kill_process(leader, signal),
        };
    }

    /// Kills the child and its family. A deploy within a deploy has its children in groups of their own, and
    /// can't end them when it is killed.
    pub(super) fn kill(self, family: &Family) {
        let _ = match self {
            Self::Own(leader) => kill_process_group(leader, Signal::KILL),
            Self::Shared(leader) => kill_process(leader, Signal::KILL),
        };
        for pid in family.of(self).iter().filter_map(|member| Pid::from_raw(member.pid)) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }

    /// Stops the child for a while.
    pub(super) fn suspend(self) {
        self.job_control(Signal::TSTP);
    }

    /// Lets the child go on.
    pub(super) fn resume(self) {
        self.job_control(Signal::CONT);
    }

    /// Whether anybody outlives the leader, which has just been reaped. Zombies that nobody reaps don't count.
    pub(super) fn outlives_leader(self) -> bool {
        match self {
            // Asking the system costs nothing, and is nearly always enough.
            Self::Own(leader) => {
                test_kill_process_group(leader) != Err(Errno::SRCH) && !Family::look().of(self).is_empty()
            }
            Self::Shared(_) => false,
        }
    }

    fn job_control(self, signal: Signal) {
        let _ = match self {
            Self::Own(leader) => kill_process_group(leader, signal),
            // It has this from the terminal, and from the shell that we were started by.
            Self::Shared(_) => Ok(()),
        };
    }
}
