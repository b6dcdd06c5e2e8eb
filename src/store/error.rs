//! Why an object could not be had, or kept: what was tried, and what to do, in one line.

use std::error::Error;
use std::io;

use opendal::ErrorKind;

use super::transport::{GivenUp, Trouble};
use crate::model::store::Service;

/// Why an object could not be had, or kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// Something of the store, or of the way to it.
    #[error("can't {act}: {why}{}{help}", if help.is_empty() { "" } else { "; " })]
    Failed { act: String, why: String, help: String },
    /// An object has the name already, and stays as it is.
    #[error("{store} has `{name}` already, and what is there is never overwritten")]
    Taken { store: String, name: String },
    #[error("stopped")]
    Stopped,
    /// What was to be kept can't be made.
    #[error(transparent)]
    Fill(io::Error),
}

impl StoreError {
    pub(super) fn of_file(act: &str, error: &io::Error) -> StoreError {
        let help = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room there",
            io::ErrorKind::PermissionDenied => "let this user write there",
            _ => "",
        };
        // The number that Rust adds tells a user nothing.
        let why = error.to_string().split(" (os error").next().unwrap_or_default().to_owned();
        StoreError::Failed { act: act.to_owned(), why, help: help.to_owned() }
    }

    pub(super) fn of_service(act: &str, service: Service, error: &opendal::Error) -> StoreError {
        let keys = service.keys().join(", ");
        let told = told(error.message());
        let (why, help) = if is_unsigned(error) {
            ("there are no credentials for it that work".to_owned(), format!("it knows these: {keys}"))
        } else if let Some(GivenUp { trouble, tries }) = given_up(error) {
            let help = match trouble {
                Trouble::Refused | Trouble::Unknown => "is its `endpoint`, or its `region`, right?",
                Trouble::Silent(_) | Trouble::Cut => "can this machine reach it?",
                Trouble::Full => "make room there",
                Trouble::Busy(_) => "try again later",
                Trouble::Other(_) => "",
            };
            let often = if *tries > 1 { format!(", and it was asked {tries} times") } else { String::new() };
            (format!("{trouble}{often}"), help.to_owned())
        } else {
            match error.kind() {
                ErrorKind::PermissionDenied => {
                    let why = format!("it refuses these credentials{}", after(&told));
                    (why, format!("are they right ({keys}), and may they do this there?"))
                }
                ErrorKind::NotFound => (
                    format!("it is not there{}", after(&told)),
                    "deploy makes no bucket: make it first".to_owned(),
                ),
                ErrorKind::ConfigInvalid if error.message().contains("region is missing") => {
                    ("nobody says its region".to_owned(), "say it: region = \"…\", or AWS_REGION".to_owned())
                }
                ErrorKind::ConfigInvalid if error.message().contains("NoSuchBucket") => {
                    ("there is no such bucket".to_owned(), "deploy makes none: make it first".to_owned())
                }
                // opendal may get more kinds; what it says is told.
                _ => (told, String::new()),
            }
        };
        StoreError::Failed { act: act.to_owned(), why, help }
    }
}

/// What the way to the store had to say.
fn given_up(error: &opendal::Error) -> Option<&GivenUp> {
    let mut source: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = source {
        if let Some(given_up) = error.downcast_ref() {
            return Some(given_up);
        }
        source = error.source();
    }
    None
}

/// Whether nothing was asked because nobody could sign it.
fn is_unsigned(error: &opendal::Error) -> bool {
    error.message() == "signing http request"
}

/// What a service says, of all that opendal tells of it.
fn told(message: &str) -> String {
    let part = |name: &str| {
        let (_, rest) = message.split_once(&format!("{name}: \""))?;
        rest.split_once('"').map(|(part, _)| part).filter(|part| !part.is_empty())
    };
    let told = match (part("code"), part("message")) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => message.to_owned(),
    };
    told.split_whitespace().collect::<Vec<&str>>().join(" ")
}

fn after(told: &str) -> String {
    if told.is_empty() { String::new() } else { format!(" ({told})") }
}

/// What a reader or a writer of a store has told, or what went wrong beside.
impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> StoreError {
        error.downcast().unwrap_or_else(StoreError::Fill)
    }
}

impl From<StoreError> for io::Error {
    fn from(error: StoreError) -> io::Error {
        io::Error::other(error)
    }
}
