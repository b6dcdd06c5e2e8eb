//! Why a remote could not be used, read from what git says (in English: we ask for that). Pure.

use super::git::GitError;

/// What went wrong between us and a remote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    kind: Kind,
    reason: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The host does not let us in.
    Locked,
    /// The host knows this user, who may not do that there.
    Forbidden,
    /// There is no such repository.
    NoRepository,
    /// The host can't be reached.
    NoHost,
    /// The repository could not store what it got.
    Full,
    /// The host took the connection, and ended it without a word of git's.
    Shut,
    /// It broke off, and how far it came is not known.
    CutOff,
}

/// What git, ssh and curl say. The first sign that is found counts. Those of a host that can't be reached must not be
/// found in what is said when a connection breaks later: by then something may have arrived.
const SIGNS: [(&str, Kind); 25] = [
    ("unpack failed", Kind::Full),
    ("unpacker error", Kind::Full),
    ("could not read Username", Kind::Locked),
    ("could not read Password", Kind::Locked),
    ("Authentication failed", Kind::Locked),
    ("Permission denied (", Kind::Locked),
    (CHANGED, Kind::Locked),
    ("Host key verification failed", Kind::Locked),
    ("returned error: 401", Kind::Locked),
    ("returned error: 403", Kind::Forbidden),
    ("marked as read only", Kind::Forbidden),
    ("Access denied", Kind::Locked),
    ("detected dubious ownership", Kind::Locked),
    ("does not appear to be a git repository", Kind::NoRepository),
    ("epository not found", Kind::NoRepository),
    ("' not found", Kind::NoRepository),
    ("returned error: 404", Kind::NoRepository),
    ("No such file or directory", Kind::NoRepository),
    ("Could not resolve host", Kind::NoHost),
    ("connect to host", Kind::NoHost),
    ("timed out during banner exchange", Kind::NoHost),
    ("unable to connect to", Kind::NoHost),
    ("Failed to connect to", Kind::NoHost),
    ("Couldn't connect to server", Kind::NoHost),
    (SHUT, Kind::Shut),
];

/// What ssh says of a host that is not the one that it knows.
const CHANGED: &str = "has changed and you have requested strict checking";

/// What git adds to the words of a host that has none of git's.
const SHUT: &str = "Could not read from remote repository";

impl Fault {
    pub(crate) fn of(error: &GitError) -> Fault {
        let said = match error {
            GitError::Failed { said, how, .. } if said.is_empty() => how.clone(),
            GitError::Failed { said, .. } => said.clone(),
            GitError::Missing(_)
            | GitError::NotRun(_)
            | GitError::Stopped { .. }
            | GitError::Silent { .. }
            | GitError::Unreadable { .. } => error.to_string(),
        };
        // What the remote's own programs say is not about the connection, and ssh goes on after its warnings.
        let aside = |line: &&str| line.starts_with("remote:") || line.starts_with("Warning: ");
        let lines = || said.lines().map(str::trim).filter(|line| !aside(line));
        for (sign, kind) in SIGNS {
            if let Some(line) = lines().find(|line| line.contains(sign)) {
                let reason = match sign {
                    SHUT => first_words(&said).to_owned(),
                    CHANGED => format!("{line} It shows {}", shown_key(&said)),
                    _ => line.to_owned(),
                };
                return Fault { kind, reason };
            }
        }
        Fault { kind: Kind::CutOff, reason: lines().next().unwrap_or("git said nothing").to_owned() }
    }

    /// Whether it came before the remote could have changed anything.
    pub(crate) fn came_first(&self) -> bool {
        match self.kind {
            Kind::Locked | Kind::Forbidden | Kind::NoRepository | Kind::NoHost | Kind::Full => true,
            // A program that a push starts on the host may say the same of another repository.
            Kind::Shut | Kind::CutOff => false,
        }
    }

    /// Whether the host could be asked, and the next try may go better: a connection that broke looks the same.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self.kind, Kind::Full | Kind::Shut)
    }

    pub(crate) fn is_no_repository(&self) -> bool {
        self.kind == Kind::NoRepository
    }

    /// Whether the host does not know who comes.
    pub(crate) fn is_about_login(&self) -> bool {
        self.kind == Kind::Locked
    }

    /// Whether the host answers, and does not let us do it.
    pub(crate) fn is_about_rights(&self) -> bool {
        matches!(self.kind, Kind::Locked | Kind::Forbidden | Kind::Shut)
    }

    /// What git said, in one line.
    pub(crate) fn reason(&self) -> &str {
        &self.reason
    }

    pub(crate) fn help(&self) -> &'static str {
        match self.kind {
            Kind::Locked => {
                "this user must be let in there: `git ls-remote URL` must work without a question"
            }
            Kind::Forbidden => {
                "this user may not push there: git needs a key or a token that may write, not one that only reads"
            }
            Kind::NoRepository => "is the address right? If so, create the repository there first",
            Kind::NoHost => "is the address right, and the network there? `git ls-remote URL` tries the same",
            Kind::Full => {
                "the repository there could not store it: its disk may be full, or not writable for this user; or the connection broke"
            }
            Kind::Shut => {
                "does that host have this repository, and let this user in? `git ls-remote URL` must work without a question"
            }
            Kind::CutOff => "`git ls-remote URL` tries the same",
        }
    }
}

/// The fingerprint of the key that a host shows.
fn shown_key(said: &str) -> &str {
    let found = said.lines().find(|line| line.starts_with("SHA256:"));
    found.map_or("another key.", str::trim)
}

/// What a host said before it ended the connection, without the frame that some draw around it.
fn first_words(said: &str) -> &str {
    let bare = said.lines().map(|line| line.trim().trim_start_matches("remote:").trim());
    let mut words = bare.filter(|line| !line.starts_with("Warning: ") && !line.chars().all(|c| c == '='));
    words.next().unwrap_or(SHUT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(said: &str) -> Fault {
        let (command, how) = ("git push".to_owned(), "failed with exit code 128".to_owned());
        Fault::of(&GitError::Failed { command, how, said: said.to_owned() })
    }

    fn kind(said: &str) -> Kind {
        fault(said).kind
    }

    #[test]
    fn what_came_before_anything_arrived_is_told_from_what_came_later() {
        for (said, expected) in [
            ("ssh: connect to host paas port 22: Connection refused", Kind::NoHost),
            ("ssh: Could not resolve hostname paas: Name or service not known", Kind::NoHost),
            ("unable to access 'https://h/x/': Failed to connect to h port 443 after 1 ms", Kind::NoHost),
            ("unable to access 'https://h/x/': The requested URL returned error: 403", Kind::Forbidden),
            ("ERROR: The key you are authenticating with has been marked as read only.", Kind::Forbidden),
            (
                "Warning: Identity file /x not accessible: No such file or directory.\n\
                 ssh: connect to host paas port 22: Connection refused",
                Kind::NoHost,
            ),
            ("remote: Repository not found.\nrepository 'https://h/x/' not found", Kind::NoRepository),
            ("remote unpack failed: unable to create temporary object directory", Kind::Full),
            (
                "Read from remote host paas: Connection timed out\nthe remote end hung up unexpectedly",
                Kind::CutOff,
            ),
            ("client_loop: send disconnect: Broken pipe", Kind::CutOff),
            ("RPC failed; HTTP 502 curl 22 The requested URL returned error: 502", Kind::CutOff),
            ("remote: psql: Failed to connect to db\nthe remote end hung up unexpectedly", Kind::CutOff),
            ("FATAL: W any shop DENIED\nCould not read from remote repository.", Kind::Shut),
            ("", Kind::CutOff),
        ] {
            assert_eq!(kind(said), expected, "{said}");
        }
    }

    #[test]
    fn a_host_that_shuts_the_door_is_told_in_its_own_words() {
        let end =
            "Could not read from remote repository.\n\nPlease make sure you have the correct access rights";
        for (words, told) in [
            ("FATAL: W any shop ada DENIED by fallthru", "FATAL: W any shop ada DENIED by fallthru"),
            ("remote:\nremote: =====\nremote: ERROR: no write access.\nremote:", "ERROR: no write access."),
            ("", "Could not read from remote repository."),
        ] {
            assert_eq!(fault(&format!("{words}\n{end}")).reason(), told);
        }
    }
}
