//! What ends a command early, and the exit code that stands for it.

use std::process::ExitCode;

use crate::diagnostic::{Diagnostics, Source};
use crate::facts::LookError;
use crate::model::event::{Failure, Outcome, Summary};
use crate::model::mask::Masker;
use crate::release::Refusal;
use crate::release::ledger::LedgerError;
use crate::release::scratch::ScratchError;

/// Why deploy could not do its part.
#[derive(Debug)]
pub(crate) struct Error {
    pub(crate) kind: Kind,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

/// What an error is about; it decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// tasks.toml, or a request that it does not know: the message is a whole report, with places.
    File,
    /// Secrets that can't be had: the message is a whole report, with places; nothing was run.
    Secret,
    /// The command line; nothing was run.
    Usage,
    /// A rule or an answer.
    Refused,
    /// Another run, or an unfinished one.
    Locked,
    /// Anything else: a disk, git, the network.
    Failed,
    /// A signal, by its number.
    Stopped(i32),
}

impl Error {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Error {
        Error { kind, message: message.into(), help: None }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Error {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn maybe_help(mut self, help: Option<String>) -> Error {
        self.help = help;
        self
    }

    /// The error as it may be told where there are secrets.
    pub(crate) fn masked(mut self, masker: Option<&Masker>) -> Error {
        if let Some(masker) = masker {
            masker.hide(&mut self.message);
            if let Some(help) = &mut self.help {
                masker.hide(help);
            }
        }
        self
    }

    /// All problems of the user's file or request, with their places.
    pub(crate) fn diagnostics(problems: Diagnostics, sources: &[Source]) -> Error {
        Error::new(Kind::File, problems.render(sources))
    }

    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(match self.kind {
            Kind::File | Kind::Usage => 2,
            Kind::Refused | Kind::Secret => 3,
            Kind::Locked => 4,
            Kind::Failed => 1,
            Kind::Stopped(signal) => u8::try_from(128 + signal).unwrap_or(1),
        })
    }
}

/// The exit code of a run: the first failing command's own, unless something weighs more.
pub(crate) fn exit_code(summary: &Summary) -> u8 {
    let code = if summary.still_owed > 0 {
        5
    } else if let Some(signal) = summary.signal {
        128 + signal
    } else {
        let failed = summary.outcomes.iter().find_map(|outcome| match outcome {
            Outcome::Failed(failed) => Some(failed.failure.exit_code()),
            Outcome::Succeeded | Outcome::Fresh | Outcome::Skipped { .. } | Outcome::Stopped => None,
        });
        failed.unwrap_or_else(|| i32::from(!summary.succeeded()))
    };
    // Codes have eight bits; what does not fit is a failure all the same.
    u8::try_from(code).unwrap_or(1)
}

impl From<LookError> for Error {
    fn from(error: LookError) -> Error {
        match error {
            LookError::Refused(refusal) => Error::from(refusal),
            LookError::Target(Failure::Refused { message, help }) => {
                Error::new(Kind::Refused, message).maybe_help(help)
            }
            LookError::Target(Failure::Unmet { message, help }) => {
                Error::new(Kind::Failed, message).maybe_help(help)
            }
            LookError::Stopped(signal) => Error::new(Kind::Stopped(signal), error.to_string()),
            LookError::Ledger(error) => Error::from(error),
            LookError::Git(error) => {
                let help = error.help().map(str::to_owned);
                Error::new(Kind::Failed, error.to_string()).maybe_help(help)
            }
            LookError::Target(_) => Error::new(Kind::Failed, error.to_string()),
        }
    }
}

impl From<LedgerError> for Error {
    fn from(error: LedgerError) -> Error {
        let kind = match &error {
            LedgerError::Moved { .. } => Kind::Locked,
            LedgerError::Declined { .. } | LedgerError::Scratch(ScratchError::Refused(_)) => Kind::Refused,
            LedgerError::Unreached { .. } | LedgerError::Scratch(_) => Kind::Failed,
        };
        Error::new(kind, error.to_string()).maybe_help(error.help())
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Error {
        Error::new(Kind::Refused, refusal.message).maybe_help(refusal.help)
    }
}
