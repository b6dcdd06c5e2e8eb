//! Places that receive a release.

use super::platform::PlatformTarget;
use super::script::Script;
use super::step::Form;
use crate::diagnostic::Span;

/// Where an environment's releases go.
#[derive(Clone, Debug)]
pub(crate) enum Target<F: Form> {
    Git(GitTarget<F>),
    Server(Box<ServerTarget<F>>),
    Command(CommandTarget<F>),
    Platform(Box<PlatformTarget<F>>),
    Zappa(Box<ZappaTarget<F>>),
    PythonAnywhere(Box<PythonAnywhereTarget<F>>),
}

/// A branch of a git repository; whoever keeps it builds and starts what is pushed there.
#[derive(Clone, Debug)]
pub(crate) struct GitTarget<F: Form> {
    /// A URL, a path, or the name of one of the user's remotes.
    pub(crate) remote: F::Text,
    pub(crate) branch: F::Text,
    /// Patterns in the remote's text that mean failure although the push succeeded.
    pub(crate) fail_on: Vec<String>,
    pub(crate) login: Option<Login<F>>,
    pub(crate) at: Span,
}

/// What opens a host that is reached over https.
#[derive(Clone, Debug)]
pub(crate) struct Login<F: Form> {
    /// Many hosts take any name.
    pub(crate) user: F::Text,
    /// Holds a secret: a token that stands in the file is refused.
    pub(crate) token: F::Text,
}

/// A folder of releases with a `current` link, on this machine or on hosts.
#[derive(Clone, Debug)]
pub(crate) struct ServerTarget<F: Form> {
    /// None: this machine.
    pub(crate) hosts: F::Machines,
    pub(crate) path: F::Text,
    /// Shell lines, run in the new release's folder.
    pub(crate) build: Vec<Script<F::Text>>,
    /// Files and folders that all releases have in common.
    pub(crate) shared: Vec<String>,
    /// A shell line, run in `current` after it was switched.
    pub(crate) reload: Option<Script<F::Text>>,
    /// How many releases stay, the live one included.
    pub(crate) keep: usize,
    pub(crate) at: Span,
}

/// Whatever a program of the user's ships to.
#[derive(Clone, Debug)]
pub(crate) struct CommandTarget<F: Form> {
    /// The program and its arguments; run in the release's files.
    pub(crate) command: Vec<F::Text>,
    /// What brings an earlier release back; empty: nothing does.
    pub(crate) rollback: Vec<F::Text>,
    pub(crate) at: Span,
}

/// A stage of Zappa, whose code runs at AWS Lambda.
#[derive(Clone, Debug)]
pub(crate) struct ZappaTarget<F: Form> {
    pub(crate) stage: F::Text,
    /// The file of the release by which pip fills the virtualenv that goes out.
    pub(crate) requirements: F::Text,
    /// The program that makes the virtualenv: its version is that of the function.
    pub(crate) python: F::Text,
    pub(crate) at: Span,
}

/// A web app of PythonAnywhere: its files come over ssh, and its API starts it anew.
#[derive(Clone, Debug)]
pub(crate) struct PythonAnywhereTarget<F: Form> {
    pub(crate) domain: F::Text,
    /// Whose it is; none: who logs in by `ssh`.
    pub(crate) user: Option<F::Text>,
    /// What opens the API: a secret.
    pub(crate) token: F::Text,
    /// Where the API is: everybody's in America, or in Europe.
    pub(crate) host: F::Text,
    /// The same as an address, for one that is elsewhere.
    pub(crate) endpoint: Option<F::Text>,
    /// As OpenSSH takes it: `user@ssh.pythonanywhere.com`.
    pub(crate) ssh: F::Text,
    /// The folder there, which the web app takes its code from.
    pub(crate) path: F::Text,
    /// Shell lines, run in that folder before the app is started anew.
    pub(crate) build: Vec<Script<F::Text>>,
    pub(crate) at: Span,
}

impl<F: Form> Login<F> {
    /// The name where the file gives none: one that all hosts of git take that don't look at it.
    pub(crate) const USER: &str = "git";

    /// Why no token is shown at an address, and what to do; nothing if one may be.
    pub(crate) fn unfit(url: &str) -> Option<(&'static str, &'static str)> {
        let is_open = match url.split_once("://") {
            Some(("https", _)) => false,
            Some(("http", _)) => true,
            Some(_) | None => {
                return Some(("a token is for https", "take an https:// address; ssh shows keys"));
            }
        };
        let (user, host) = authority(url);
        if user.is_some_and(|user| user.contains(':')) {
            return Some(("the address holds a password already", "take it out of the address"));
        }
        if is_open && !is_this_machine(host) {
            return Some(("plain http shows a token to everybody on the way", "take https://"));
        }
        None
    }
}

/// Whether a host, with or without a port, is the machine that asks.
pub(crate) fn is_this_machine(host: &str) -> bool {
    let name = host.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')).map_or(host, |(name, _)| name);
    if matches!(name, "localhost" | "[::1]") {
        return true;
    }
    let numbers: Vec<&str> = name.split('.').collect();
    numbers.len() == 4 && numbers[0] == "127" && numbers.iter().all(|number| number.parse::<u8>().is_ok())
}

/// The user of a URL, if it names one, and its host with the port.
pub(crate) fn authority(url: &str) -> (Option<&str>, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let whole = rest.split(['/', '?', '#']).next().unwrap_or_default();
    whole.rsplit_once('@').map_or((None, whole), |(user, host)| (Some(user), host))
}

impl<F: Form> Target<F> {
    /// The branch that a release is pushed to, where it is.
    pub(crate) fn branch(&self) -> Option<&GitTarget<F>> {
        match self {
            Target::Git(git) => Some(git),
            Target::Platform(platform) => platform.push.as_ref(),
            Target::Server(_) | Target::Command(_) | Target::Zappa(_) | Target::PythonAnywhere(_) => None,
        }
    }
}

impl<F: Form> ServerTarget<F> {
    /// What a file calls this machine.
    pub(crate) const HERE: &str = "local";

    /// How many releases stay when the file doesn't say.
    pub(crate) const KEEP: usize = 5;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::step::Written;

    #[test]
    fn a_token_goes_over_https_or_stays_on_this_machine() {
        for url in
            ["https://git.example.com/a.git", "https://ada@h/a", "http://127.0.0.1:80/a", "http://[::1]:8/a"]
        {
            assert_eq!(Login::<Written>::unfit(url), None, "{url}");
        }
        for url in [
            "paas",
            "git@paas:a.git",
            "ssh://paas/a",
            "/srv/a",
            "https://ada:pw@h/a",
            "http://paas/a",
            "http://127.0.0.1@paas/a",
            "http://localhost.paas/a",
        ] {
            assert!(Login::<Written>::unfit(url).is_some(), "{url}");
        }
    }
}
