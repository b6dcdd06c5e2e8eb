//! Stores: places for what is kept outside of the project.

use std::path::PathBuf;

use super::template::Template;
use crate::diagnostic::Span;

/// `[stores.NAME]`, as the file says it.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pub(crate) name: String,
    pub(crate) url: Template,
    pub(crate) endpoint: Option<Template>,
    pub(crate) region: Option<Template>,
    /// Its name, in the file.
    pub(crate) at: Span,
}

/// Where a store is, and how it is reached.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) address: Address,
    /// Another address than that of the service's own.
    pub(crate) endpoint: Option<String>,
    pub(crate) region: Option<String>,
}

/// Where a store is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Address {
    /// Relative to the folder of tasks.toml.
    Folder(PathBuf),
    S3 {
        bucket: String,
        prefix: String,
    },
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.address {
            Address::Folder(folder) => write!(f, "{}", folder.display()),
            Address::S3 { bucket, prefix } => write!(f, "s3://{bucket}{}", prefix.trim_end_matches('/')),
        }
    }
}

impl Address {
    /// What a text names; the mend, if that is nothing.
    pub(crate) fn parse(text: &str) -> Result<Address, &'static str> {
        match text.split_once("://") {
            None if text.is_empty() => Err("name a folder, or an address such as s3://bucket/folder"),
            None => Ok(Address::Folder(PathBuf::from(text))),
            Some(("s3", rest)) => {
                let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
                if bucket.is_empty() {
                    return Err("name the bucket: s3://bucket/folder");
                }
                Ok(Address::S3 { bucket: bucket.to_owned(), prefix: format!("/{prefix}") })
            }
            Some(_) => Err("a folder, or s3://bucket/folder"),
        }
    }
}
