//! The command lines of ssh. Pure, so that each can be read in a test: there is no value of a step in any of them.

use std::ffi::OsString;
use std::path::Path;

use crate::model::host::{Agent, There};

/// Seconds after which a connection is asked whether it lives, and how often in vain: a minute until it is given up.
const ALIVE: [&str; 4] = ["-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4"];

/// What holds for every call: nobody answers questions, what we send is all that runs, and only errors are told.
const ALWAYS: [&str; 9] =
    ["-T", "-o", "BatchMode=yes", "-o", "RemoteCommand=none", "-o", "LogLevel=ERROR", "-o", "RequestTTY=no"];

/// What the connection itself runs: it says that it stands, and ends when we do.
const STANDS: &str = "exec sh -c 'echo deploy: connected; exec cat >/dev/null'";

/// What [`STANDS`] says.
pub(super) const CONNECTED: &str = "deploy: connected";

/// Opens the connection that the others share. It stays in the foreground, so that it is ours to end.
pub(super) fn master(there: &There, socket: &Path) -> Vec<OsString> {
    let seconds = there.patience.as_secs().max(1);
    let mut args = words(&["-M", "-S"]);
    args.push(socket.into());
    args.extend(words(&ALWAYS));
    args.extend(words(&["-o", "ControlPersist=no", "-o", "ClearAllForwardings=yes", "-o"]));
    args.push(format!("ConnectTimeout={seconds}").into());
    args.extend(words(&ALIVE));
    args.extend(words(&["-o", agent(there)]));
    args.extend(words(&["--", &there.ssh, STANDS]));
    args
}

/// Runs something through that connection, and never through another.
pub(crate) fn session(there: &There, socket: &Path, remote: &str) -> Vec<OsString> {
    let mut args = shared(there, socket);
    args.extend(words(&["--", &there.ssh, remote]));
    args
}

/// The options that make a call go through the connection: it would make one of its own if that were gone.
pub(crate) fn shared(there: &There, socket: &Path) -> Vec<OsString> {
    let mut args = words(&["-S"]);
    args.push(socket.into());
    args.extend(words(&ALWAYS));
    args.extend(words(&["-o", "ControlMaster=no", "-o", "ProxyCommand=false", "-o", agent(there)]));
    args
}

/// Keys are lent to a host only where the file says so, whatever the user's config says.
fn agent(there: &There) -> &'static str {
    match there.agent {
        Agent::Kept => "ForwardAgent=no",
        Agent::Forwarded => "ForwardAgent=yes",
    }
}

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn web1() -> There {
        There {
            host: "web1".into(),
            ssh: "deploy@web1".to_owned(),
            agent: Agent::Kept,
            patience: Duration::from_secs(30),
            dir: None,
            sudo: None,
        }
    }

    fn shown(args: &[OsString]) -> String {
        args.iter().map(|arg| arg.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_connection_asks_nobody_and_keeps_its_keys() {
        assert_eq!(
            shown(&master(&web1(), Path::new("/run/d/1"))),
            "-M -S /run/d/1 -T -o BatchMode=yes -o RemoteCommand=none -o LogLevel=ERROR -o RequestTTY=no \
             -o ControlPersist=no -o ClearAllForwardings=yes -o ConnectTimeout=30 -o ServerAliveInterval=15 \
             -o ServerAliveCountMax=4 -o ForwardAgent=no -- deploy@web1 \
             exec sh -c 'echo deploy: connected; exec cat >/dev/null'"
        );
    }

    #[test]
    fn what_is_run_goes_through_the_connection_alone() {
        let there = There { agent: Agent::Forwarded, ..web1() };
        assert_eq!(
            shown(&session(&there, Path::new("/run/d/1"), "true")),
            "-S /run/d/1 -T -o BatchMode=yes -o RemoteCommand=none -o LogLevel=ERROR -o RequestTTY=no \
             -o ControlMaster=no -o ProxyCommand=false -o ForwardAgent=yes -- deploy@web1 true"
        );
    }
}
