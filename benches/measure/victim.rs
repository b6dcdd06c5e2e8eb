//! A program that is killed at a moment of its run, with what a kill of its kind takes along.

use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::processes;
use crate::support::DEADLINE;

/// What a kill takes with it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The process group, as a terminal that is closed.
    Group,
    /// All that the command started, as a machine that loses its power.
    Session,
}

/// A program in a session and a group of its own; its id is theirs.
pub(crate) struct Victim {
    child: Child,
    leader: Pid,
}

impl Victim {
    /// Starts a `setsid PROGRAM …`.
    pub(crate) fn start(setsid: &mut Command) -> Victim {
        let child = setsid.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("setsid starts");
        Victim { leader: Pid::from_child(&child), child }
    }

    /// Lets it live.
    pub(crate) fn wait(mut self) -> ExitStatus {
        self.child.wait().expect("a child of ours")
    }

    /// Kills it when the time is over, and waits until nothing of its session runs any more.
    pub(crate) fn kill(mut self, after: Duration, reach: Reach) {
        let leader = self.leader;
        processes::wait_for_end(leader, after);
        match reach {
            // It may have ended by itself.
            Reach::Group => {
                let _ended = kill_process_group(leader, Signal::KILL);
            }
            Reach::Session => processes::kill_all(|| members(leader)),
        }
        // At the first points it may be in no group of its own yet.
        let _ended = self.child.kill();
        self.child.wait().expect("a child of ours");
        // What survives does what it still does; then one looks.
        let left = processes::wait_for_all(|| members(leader), DEADLINE);
        assert!(left.is_empty(), "these of a killed run do not end: {left:?}");
    }
}

/// The middles of so many equal parts of a time.
pub(crate) fn points(whole: Duration, count: u32) -> impl Iterator<Item = Duration> {
    (0..count).map(move |point| whole.mul_f64((f64::from(point) + 0.5) / f64::from(count)))
}

/// The processes of a session that have not ended.
fn members(session: Pid) -> Vec<Pid> {
    let id = session.to_string();
    processes::those(|process| processes::stat(process).is_some_and(|stat| stat.get(3) == Some(&id)))
}
