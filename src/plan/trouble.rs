//! Why an expression has no value, and how that is told.

use std::path::PathBuf;

use super::Want;
use crate::diagnostic::{Diagnostic, Span};

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// There is no such name; the nearest one.
    Unknown(String, Option<String>),
    /// There is no such secret; the nearest one.
    NoSecret(String, Option<String>),
    /// A dotenv file that must be there is not.
    NoFile(PathBuf, Span),
    /// A dotenv file can't be read: why.
    WrongFile(PathBuf, String, Span),
    /// A variable of the caller's environment that is not set.
    Unset(String),
    /// Variables that stand for each other.
    Loop(Vec<String>),
    /// A fact that was not gathered yet.
    Wants(Want),
    /// Anything else, in words, with the mend.
    Wrong(String, Option<String>),
}

impl Trouble {
    /// As bad news about the expression at `at`; a missing fact is none.
    pub(crate) fn diagnostic(self, at: Span) -> Result<Diagnostic, Want> {
        Ok(match self {
            Trouble::Unknown(name, near) => {
                let help = near.map_or_else(
                    || "define it under `vars`, or give it with --set".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                Diagnostic::new(format!("there is no value `{name}`")).at(at, "unknown name").help(help)
            }
            Trouble::NoSecret(name, near) => {
                let help = near.map_or_else(
                    || format!("say where it is kept: [secrets]\n{name} = {{ env = \"{name}\" }}"),
                    |near| format!("did you mean `{near}`?"),
                );
                Diagnostic::new(format!("there is no secret `{name}`")).at(at, "unknown secret").help(help)
            }
            Trouble::NoFile(path, at) => {
                Diagnostic::new(format!("there is no dotenv file `{}`", path.display()))
                    .at(at, "must be there")
                    .help("write it, or let it be missing: { path = \"…\", optional = true }")
            }
            Trouble::WrongFile(path, why, at) => {
                Diagnostic::new(format!("the dotenv file `{}` can't be read: {why}", path.display()))
                    .at(at, "read here")
            }
            Trouble::Unset(name) => Diagnostic::new(format!("the environment variable {name} is not set"))
                .at(at, "read here")
                .help(format!("set it, or say what it is then: env.{name} | default(\"…\")")),
            Trouble::Loop(way) => {
                Diagnostic::new(format!("values stand for each other in a loop: {}", way.join(" -> ")))
                    .at(at, "")
            }
            Trouble::Wants(want) => return Err(want),
            Trouble::Wrong(message, help) => Diagnostic::new(message).at(at, "").maybe_help(help),
        })
    }
}

/// Says that a secret would be an argument of a process, for everybody on the machine to read.
pub(crate) fn argument(of: &str) -> Trouble {
    Trouble::Wrong(
        format!("a secret can't be an argument of {of}: everybody on the machine could read it"),
        Some("name it (secrets = [\"…\"]), and the program finds it in its environment".to_owned()),
    )
}
