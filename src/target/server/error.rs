//! Why a server's folder is not as it must be, and the mend.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::model::event::Failure;
use crate::release::files::FilesError;
use crate::release::git::GitError;
use crate::state::durable::DurableError;

/// Something could not be done in a server's folder, or would do harm there.
#[derive(Debug, Error)]
pub(super) enum ServerError {
    #[error("can't {action} `{}`: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    #[error(transparent)]
    Durable(#[from] DurableError),
    #[error(transparent)]
    Files(#[from] FilesError),
    #[error("`{}` is not a symlink, so it can't be switched to a release", .0.display())]
    NoLink(PathBuf),
    #[error("`{}` holds releases of `{other}`", path.display())]
    OtherEnvironment { path: PathBuf, other: String, ours: String },
    #[error("`{}` is there already, and it is another release", .0.display())]
    Taken(PathBuf),
    #[error("`{}` says nothing that can be read about its release: {source}", path.display())]
    Unreadable { path: PathBuf, source: serde_json::Error },
    #[error("`shared` has `{name}`, and `{link}` above it is a link, so it would lie outside of the release")]
    Outside { name: String, link: String },
}

impl ServerError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ServerError {
        move |source| ServerError::Io { action, path: path.to_owned(), source }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            ServerError::Io { source, .. } | ServerError::Files(FilesError::Write { source, .. }) => {
                return help_for(source);
            }
            ServerError::Durable(error) => return help_for(&error.source),
            ServerError::Files(FilesError::Git(_)) => return None,
            ServerError::Files(FilesError::Outside(_)) => {
                "git itself makes no such commit: look at where it came from".to_owned()
            }
            ServerError::Files(FilesError::Absent(_)) => {
                "a clone made with --filter leaves contents out: clone without it".to_owned()
            }
            ServerError::NoLink(path) | ServerError::Taken(path) => {
                format!("move it away: mv {0} {0}.old", path.display())
            }
            ServerError::OtherEnvironment { ours, .. } => format!("give `{ours}` a `path` of its own"),
            ServerError::Unreadable { path, .. } => {
                format!("if that release is not needed, remove it and {}", path.display())
            }
            ServerError::Outside { name, link } => {
                format!("take one of `{link}` and `{name}` out of `shared`, or make `{link}` a folder")
            }
        })
    }
}

fn help_for(error: &io::Error) -> Option<String> {
    let help = match error.kind() {
        io::ErrorKind::PermissionDenied => "let the user who deploys own the server's folder",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room on that disk",
        _ => return None,
    };
    Some(help.to_owned())
}

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Failure {
        let (message, help) = (error.to_string(), error.help());
        match error {
            ServerError::Files(FilesError::Git(GitError::Stopped { .. })) => Failure::Stopped,
            ServerError::Io { .. } | ServerError::Durable(_) | ServerError::Files(_) => {
                Failure::Unmet { message, help }
            }
            ServerError::NoLink(_)
            | ServerError::OtherEnvironment { .. }
            | ServerError::Taken(_)
            | ServerError::Unreadable { .. }
            | ServerError::Outside { .. } => Failure::Refused { message, help },
        }
    }
}
