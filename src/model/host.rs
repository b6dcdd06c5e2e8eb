//! Hosts: machines that one reaches over ssh, and the order in which something is done on several of them.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::step::{Planned, Step};
use super::template::Template;
use super::text::Text;
use crate::diagnostic::Span;

/// How long a connection may take, where the file doesn't say.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A machine, as `[hosts.NAME]` declares it.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    pub(crate) name: String,
    /// Where it is, as OpenSSH takes it: `user@host`, a name of its config, an `ssh://` address.
    pub(crate) ssh: String,
    pub(crate) agent: Agent,
    /// How long a connection may take.
    pub(crate) patience: Duration,
    /// What sudo asks for there: a secret.
    pub(crate) sudo_password: Option<Template>,
    /// Its name, in the file.
    pub(crate) at: Span,
}

/// Whether the keys of the user's agent can be used on the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Agent {
    #[default]
    Kept,
    /// `forward_agent = true`: who is root there can use them as well.
    Forwarded,
}

/// Hosts of an environment under one name.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) hosts: Vec<(String, Span)>,
    pub(crate) at: Span,
}

/// Where a task or a step is done, as the file says it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    /// Rare: a task without it is smaller by its size.
    pub(crate) on: Option<Box<On>>,
    /// As whom: a user there.
    pub(crate) sudo: Option<(String, Span)>,
}

/// Several hosts, and how one goes from one to the next.
#[derive(Clone, Debug)]
pub(crate) struct On {
    /// Groups and hosts.
    pub(crate) names: Vec<(String, Span)>,
    pub(crate) rollout: Rollout,
    pub(crate) at: Span,
}

/// How one goes from host to host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rollout {
    /// How many at the same time; none: all.
    pub(crate) batch: Option<Batch>,
    /// How many go first; if one of them fails, the rest is not begun.
    pub(crate) canary: usize,
    /// How many may fail.
    pub(crate) max_failures: usize,
    pub(crate) unreachable: Unreachable,
}

/// How many hosts at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Batch {
    Hosts(usize),
    /// Of all that the step is done on; one at least.
    Percent(usize),
}

/// What becomes of a host to which there is no connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unreachable {
    #[default]
    Fail,
    /// It is left out, and told.
    Skip,
}

impl Rollout {
    /// How many hosts each wave has, of so many in all.
    pub(crate) fn waves(&self, hosts: usize) -> Vec<usize> {
        let size = match self.batch {
            None => hosts,
            Some(Batch::Hosts(size)) => size,
            Some(Batch::Percent(share)) => (hosts * share / 100).max(1),
        };
        let first = self.canary.min(hosts);
        let mut waves = Vec::new();
        waves.extend((first > 0).then_some(first));
        let mut left = hosts - first;
        while left > 0 {
            waves.push(size.min(left));
            left -= size.min(left);
        }
        waves
    }
}

/// Where a planned step is done: one host, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct There {
    pub(crate) host: Arc<str>,
    pub(crate) ssh: String,
    pub(crate) agent: Agent,
    pub(crate) patience: Duration,
    /// From the home of who logs in there.
    pub(crate) dir: Option<Text>,
    pub(crate) sudo: Option<Sudo>,
}

/// As whom something is done on a host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sudo {
    pub(crate) user: String,
    pub(crate) password: Option<Text>,
}

impl There {
    /// The variable that has the host's name, in what is run there.
    pub(crate) const VARIABLE: &str = "DEPLOY_HOST";

    /// The texts that it holds.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &Text> {
        let password = self.sudo.iter().filter_map(|sudo| sudo.password.as_ref());
        self.dir.iter().chain(password)
    }
}

/// Steps that are one: the same for several hosts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Fleet {
    /// What `on` names.
    pub(crate) name: String,
    /// In the order in which they are done.
    pub(crate) members: Vec<Member>,
    /// How many members each wave has.
    pub(crate) waves: Vec<usize>,
    /// Whether the first wave is to succeed whole.
    pub(crate) has_canary: bool,
    /// How many may fail.
    pub(crate) max_failures: usize,
    pub(crate) unreachable: Unreachable,
}

/// What is done for one host.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) there: There,
    pub(crate) step: Step<Planned>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waves(hosts: usize, canary: usize, batch: Option<Batch>) -> Vec<usize> {
        Rollout { batch, canary, ..Rollout::default() }.waves(hosts)
    }

    #[test]
    fn all_hosts_are_one_wave() {
        assert_eq!(waves(3, 0, None), [3]);
    }

    #[test]
    fn a_batch_is_so_many_hosts_or_such_a_part_of_them_and_one_at_least() {
        assert_eq!(waves(5, 0, Some(Batch::Hosts(2))), [2, 2, 1]);
        assert_eq!(waves(8, 0, Some(Batch::Percent(25))), [2, 2, 2, 2]);
        assert_eq!(waves(3, 0, Some(Batch::Percent(10))), [1, 1, 1]);
    }

    #[test]
    fn a_canary_goes_first_and_alone() {
        assert_eq!(waves(4, 1, None), [1, 3]);
        assert_eq!(waves(5, 1, Some(Batch::Hosts(2))), [1, 2, 2]);
        assert_eq!(waves(1, 3, None), [1]);
    }
}
