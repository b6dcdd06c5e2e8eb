//! Who belongs to a child: the processes of its group and their descendants. A picture of one moment, from /proc;
//! where there is none it is empty, and only the group is known. Nothing is signalled here.

use std::fs;

use rustix::process::{Pid, Signal};

use super::group::Group;

/// The living processes of this machine, as far as we may see them.
pub(super) struct Family(Vec<Member>);

/// One living process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) pid: i32,
    pub(super) parent: i32,
    pub(super) group: i32,
    /// The signals 1 to 31 that it ignores, one bit each.
    ignored: u32,
}

impl Family {
    /// Looks at all processes; costs about 10 µs for each.
    pub(super) fn look() -> Self {
        let Ok(entries) = fs::read_dir("/proc") else { return Self(Vec::new()) };
        let stats = entries
            .flatten()
            .filter(|entry| entry.file_name().as_encoded_bytes().first().is_some_and(u8::is_ascii_digit));
        Self(stats.filter_map(|entry| parse(&fs::read(entry.path().join("stat")).ok()?)).collect())
    }

    /// The living processes that a child consists of, those in groups of their own included.
    pub(super) fn of(&self, group: Group) -> Vec<Member> {
        let (mut found, mut rest): (Vec<_>, Vec<_>) =
            self.0.iter().copied().partition(|member| match group {
                Group::Own(leader) => member.group == raw(leader),
                Group::Shared(leader) => member.pid == raw(leader),
            });
        let mut next = 0;
        while let Some(parent) = found.get(next).copied() {
            next += 1;
            found.extend(rest.extract_if(.., |member| member.parent == parent.pid));
        }
        found
    }
}

impl Member {
    /// Whether this signal has no effect on it. A shell makes its background jobs ignore INT and QUIT.
    pub(super) fn ignores(self, signal: Signal) -> bool {
        self.ignored & 1 << (signal.as_raw() - 1) != 0
    }

    /// Ourselves.
    pub(super) fn this_process() -> Option<Self> {
        parse(&fs::read("/proc/self/stat").ok()?)
    }
}

fn raw(pid: Pid) -> i32 {
    pid.as_raw_nonzero().get()
}

/// Reads `/proc/PID/stat` (see `proc_pid_stat(5)`). The second field is a name in brackets that may contain anything.
fn parse(stat: &[u8]) -> Option<Member> {
    let after_name = stat.iter().rposition(|byte| *byte == b')')? + 1;
    let pid = str::from_utf8(stat.split(|byte| *byte == b' ').next()?).ok()?.parse().ok()?;
    let fields: Vec<&str> = str::from_utf8(&stat[after_name..]).ok()?.split_ascii_whitespace().collect();
    // The manual counts from 1, and this list begins with field 3.
    let field = |number: usize| fields.get(number - 3).copied();
    let is_dead = matches!(field(3)?, "Z" | "X" | "x");
    let member = Member {
        pid,
        parent: field(4)?.parse().ok()?,
        group: field(5)?.parse().ok()?,
        ignored: field(33)?.parse().ok()?,
    };
    (!is_dead).then_some(member)
}
