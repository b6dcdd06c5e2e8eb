//! Why a remote could not be used, read from what git says (in English: we ask for that). Pure.

use crate::release::git::GitError;

/// What went wrong between us and a remote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    kind: Kind,
    reason: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The host does not let us in.
    Locked,
    /// There is no such repository.
    NoRepository,
    /// The host can't be reached.
    NoHost,
    /// The repository could not store what it got.
    Full,
    /// It broke off, and how far it came is not known.
    CutOff,
}

/// What git, ssh and curl say. The first sign that is found counts.
const SIGNS: [(&str, Kind); 26] = [
    ("unpack failed", Kind::Full),
    ("unpacker error", Kind::Full),
    ("could not read Username", Kind::Locked),
    ("could not read Password", Kind::Locked),
    ("Authentication failed", Kind::Locked),
    ("Permission denied (", Kind::Locked),
    ("Host key verification failed", Kind::Locked),
    ("returned error: 401", Kind::Locked),
    ("returned error: 403", Kind::Locked),
    ("Access denied", Kind::Locked),
    ("does not appear to be a git repository", Kind::NoRepository),
    ("repository not found", Kind::NoRepository),
    ("Repository not found", Kind::NoRepository),
    ("' not found", Kind::NoRepository),
    ("returned error: 404", Kind::NoRepository),
    ("No such file or directory", Kind::NoRepository),
    ("detected dubious ownership", Kind::Locked),
    ("Could not resolve host", Kind::NoHost),
    ("Name or service not known", Kind::NoHost),
    ("name resolution", Kind::NoHost),
    ("Connection refused", Kind::NoHost),
    ("Connection timed out", Kind::NoHost),
    ("No route to host", Kind::NoHost),
    ("Network is unreachable", Kind::NoHost),
    ("Couldn't connect to server", Kind::NoHost),
    ("Failed to connect to", Kind::NoHost),
];

impl Fault {
    pub(super) fn of(error: &GitError) -> Fault {
        let said = match error {
            GitError::Failed { said, how, .. } if said.is_empty() => how.clone(),
            GitError::Failed { said, .. } => said.clone(),
            GitError::Missing(_)
            | GitError::NotRun(_)
            | GitError::Stopped { .. }
            | GitError::Unreadable { .. } => error.to_string(),
        };
        // What the remote's own programs say is not about the connection.
        let lines = || said.lines().map(str::trim).filter(|line| !line.starts_with("remote:"));
        for (sign, kind) in SIGNS {
            if let Some(line) = lines().find(|line| line.contains(sign)) {
                return Fault { kind, reason: line.to_owned() };
            }
        }
        Fault { kind: Kind::CutOff, reason: lines().next().unwrap_or("git said nothing").to_owned() }
    }

    /// Whether it came before the remote could have changed anything.
    pub(super) fn came_first(&self) -> bool {
        self.kind != Kind::CutOff
    }

    /// What git said, in one line.
    pub(super) fn reason(&self) -> &str {
        &self.reason
    }

    pub(super) fn help(&self) -> &'static str {
        match self.kind {
            Kind::Locked => {
                "this user must be let in there: `git ls-remote URL` must work without a question"
            }
            Kind::NoRepository => "is the address right? If so, create the repository there first",
            Kind::NoHost => "is the address right, and the network there? `git ls-remote URL` tries the same",
            Kind::Full => {
                "the repository there could not store it: its disk may be full, or not writable for this user"
            }
            Kind::CutOff => "`git ls-remote URL` tries the same",
        }
    }
}
