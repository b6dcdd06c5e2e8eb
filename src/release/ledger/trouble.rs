//! Why a team's remote does not do its part, and what to do about it, as the ledger tells it.

use super::team::Team;
use super::{Ledger, LedgerError};
use crate::model::credentials::without_credentials;
use crate::model::release::ObjectId;
use crate::release::Refusal;
use crate::release::fault::Fault;
use crate::release::git::GitError;

impl Ledger {
    pub(super) fn unreached(&self, team: &Team, reason: &str, help: impl Into<String>) -> LedgerError {
        LedgerError::Unreached {
            environment: self.environment().to_owned(),
            remote: without_credentials(&team.url),
            reason: reason.to_owned(),
            help: help.into(),
        }
    }

    pub(super) fn declined(&self, team: &Team, reason: &str, help: impl Into<String>) -> LedgerError {
        LedgerError::Declined {
            environment: self.environment().to_owned(),
            remote: without_credentials(&team.url),
            reason: reason.to_owned(),
            help: help.into(),
        }
    }

    /// It could not be asked.
    pub(super) fn unread(&self, team: &Team, error: GitError) -> LedgerError {
        match error {
            GitError::Failed { .. } | GitError::Silent { .. } => {
                let fault = Fault::of(&error);
                self.unreached(team, fault.reason(), error.help().unwrap_or_else(|| fault.help()))
            }
            GitError::Missing(_)
            | GitError::NotRun(_)
            | GitError::Stopped { .. }
            | GitError::Unreadable { .. } => error.into(),
        }
    }

    /// It let us read, and not write.
    pub(super) fn unwritten(&self, team: &Team, error: &GitError) -> LedgerError {
        let fault = Fault::of(error);
        if !fault.is_about_rights() && fault.may_pass() {
            return self.declined(team, fault.reason(), fault.help());
        }
        if !fault.is_about_rights() {
            return self.unreached(team, fault.reason(), fault.help());
        }
        let help = format!(
            "who deploys writes to `{}` there: this user or token must be let write (on GitHub: `contents: write`)",
            self.refs.shared(&team.prefix)
        );
        self.declined(team, fault.reason(), help)
    }

    /// A hook, or a host that keeps refs to branches and tags.
    pub(super) fn unshared(&self, team: &Team, reason: &str) -> LedgerError {
        let reference = self.refs.shared(&team.prefix);
        let help = match reference.strip_prefix("refs/heads/") {
            Some(branch) => format!("let whoever deploys push to the branch `{branch}`"),
            None => format!(
                "a host that takes no ref such as `{reference}` may take a branch: [ledger] prefix = \"refs/heads/deploy\""
            ),
        };
        self.declined(team, reason, help)
    }

    /// Its ref can't be locked there, again and again.
    pub(super) fn in_the_way(&self, team: &Team, reason: &str) -> LedgerError {
        let left = "if nobody else is at it, a crash there left a file `log.lock` beside that ref: remove it";
        let help = match team.prefix.strip_prefix("refs/heads/") {
            Some(branch) => {
                format!("{left}; or there is a branch called `{branch}`: give [ledger] another prefix")
            }
            None => left.to_owned(),
        };
        self.declined(team, reason, help)
    }

    pub(super) fn unclear(&self, team: &Team, error: &GitError) -> LedgerError {
        let fault = Fault::of(error);
        let reason = format!("{}, and it can't be asked what arrived", fault.reason());
        self.unreached(team, &reason, "when it can be reached again, deploy status tells")
    }

    pub(super) fn rewritten(&self, team: &Team, seen: &ObjectId, how: &str) -> Refusal {
        let (environment, remote) = (self.environment(), without_credentials(&team.url));
        let (path, reference) = (self.scratch.path().display(), self.refs.shared(&team.prefix));
        Refusal::new(
            format!(
                "the ledger of {environment} was REWRITTEN: `{reference}` of {remote} no longer goes on from {}, which \
                 was seen there: {how}",
                seen.short()
            ),
            format!(
                "nothing that was released can be trusted to be known: ask who pushed there by force. Put it back with: \
                 git --git-dir={path} push --force {remote} {}:{reference}\n  or accept what is there with: \
                 git --git-dir={path} update-ref -d {} && git --git-dir={path} update-ref -d {}",
                self.refs.seen(),
                self.refs.seen(),
                self.refs.log()
            ),
        )
    }
}
