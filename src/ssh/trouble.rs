//! Why there is no connection to a host: ssh's own words, and what to do about them.

use std::fmt;

/// There is no connection, or none any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unreached {
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl fmt::Display for Unreached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// What ssh says, by a part of it, and the mend. The first that fits counts.
const MENDS: [(&str, &str); 11] = [
    (
        "REMOTE HOST IDENTIFICATION HAS CHANGED",
        "its key is another than the known one: ask who runs the host; if that is right, ssh-keygen -R and ssh once by hand",
    ),
    (
        "Host key verification failed",
        "its key is not known here: ssh to it once by hand and compare the fingerprint",
    ),
    (
        "No ED25519 host key is known",
        "its key is not known here: ssh to it once by hand and compare the fingerprint",
    ),
    ("Could not resolve hostname", "look at the name: `ssh` of the host, and HostName in your ssh config"),
    (
        "Permission denied",
        "none of your keys is taken there: try `ssh` by hand, and look at ssh-add -l and at authorized_keys there",
    ),
    (
        "Too many authentication failures",
        "too many keys were offered: name the right one, IdentityFile and IdentitiesOnly in your ssh config",
    ),
    ("Connection refused", "nothing listens there: is sshd running, and the port right?"),
    ("timed out", "nobody answers there: is the host up, and is a firewall between?"),
    ("No route to host", "the network does not lead there: is the host up, is the VPN?"),
    ("Network is unreachable", "the network does not lead there: is the host up, is the VPN?"),
    (
        "too long for Unix domain socket",
        "the folder for sockets has too long a name: set XDG_RUNTIME_DIR to a shorter one",
    ),
];

impl Unreached {
    /// By what ssh, or the host itself, has said.
    pub(super) fn of(host: &str, ssh: &str, words: &str) -> Unreached {
        let words = words.trim();
        let mend = MENDS.iter().find(|(part, _)| words.contains(part)).map(|(_, mend)| (*mend).to_owned());
        let message = if words.is_empty() {
            format!("{host} ({ssh}) let nobody in, and did not say why")
        } else {
            format!("{host} ({ssh}) can't be reached:\n{words}")
        };
        Unreached { message, help: mend.or_else(|| Some(format!("try it by hand: ssh {ssh} true"))) }
    }

    /// It takes longer than it may.
    pub(super) fn timed_out(host: &str, ssh: &str, seconds: u64) -> Unreached {
        Unreached {
            message: format!("{host} ({ssh}) can't be reached: no connection after {seconds} s"),
            help: Some("nobody answers there: is the host up, and is a firewall between?".to_owned()),
        }
    }

    /// What is needed here for it is missing.
    pub(super) fn here(message: String) -> Unreached {
        Unreached { message, help: Some("Debian: apt-get install openssh-client".to_owned()) }
    }
}
