//! Stores: places for what is kept outside of the project.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::secret::Vaults;
use super::target::{authority, is_this_machine};
use super::template::Template;
use crate::diagnostic::Span;

/// `[stores.NAME]`, as the file says it.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pub(crate) name: String,
    pub(crate) url: Template,
    pub(crate) endpoint: Option<Template>,
    pub(crate) region: Option<Template>,
    /// The secrets that are its credentials, by their names.
    pub(crate) secrets: Vec<(String, Template)>,
    /// Its name, in the file.
    pub(crate) at: Span,
}

/// Where a store is, and how it is reached.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) address: Address,
    /// Another address than that of the service's own.
    pub(crate) endpoint: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) keys: Keys,
}

/// Whose credentials open a store: what is none of these secrets, the caller's surroundings have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Keys {
    pub(crate) secrets: Vec<String>,
    /// In which the secrets are seen.
    pub(crate) environment: Option<String>,
}

impl Keys {
    /// What a credential is, by its vendor's name for it: a secret of the store's, or a variable of the caller's.
    pub(crate) fn value(&self, name: &str, vaults: &Vaults, env: &[(OsString, OsString)]) -> Option<String> {
        if self.secrets.iter().any(|secret| secret == name) {
            return vaults.of(self.environment.as_deref()).value(name).map(str::to_owned);
        }
        let (_, value) = env.iter().find(|(variable, _)| variable == name)?;
        value.to_str().map(str::to_owned)
    }
}

/// Where a store is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Address {
    /// Relative to the folder of tasks.toml.
    Folder(PathBuf),
    Bucket {
        service: Service,
        bucket: String,
        prefix: String,
    },
}

/// Who keeps objects for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Service {
    /// That of AWS, and all that speak as it does.
    S3,
    /// DigitalOcean's.
    Spaces,
    /// Google Cloud Storage.
    Google,
    /// Azure's Blob Storage.
    Azure,
}

impl Service {
    const ALL: [Service; 4] = [Service::S3, Service::Spaces, Service::Google, Service::Azure];

    fn scheme(self) -> &'static str {
        match self {
            Service::S3 => "s3",
            Service::Spaces => "spaces",
            Service::Google => "gs",
            Service::Azure => "az",
        }
    }

    /// Its credentials, by the names that the vendor's own tools know.
    pub(crate) fn keys(self) -> &'static [&'static str] {
        match self {
            Service::S3 => &["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION"],
            Service::Spaces => &["SPACES_ACCESS_KEY_ID", "SPACES_SECRET_ACCESS_KEY"],
            Service::Google => &["GOOGLE_APPLICATION_CREDENTIALS"],
            Service::Azure => &[
                "AZURE_STORAGE_ACCOUNT",
                "AZURE_STORAGE_KEY",
                "AZURE_STORAGE_SAS_TOKEN",
                "AZURE_STORAGE_CONNECTION_STRING",
            ],
        }
    }
}

impl Place {
    /// Whether what is kept at the other is kept here too.
    pub(crate) fn holds(&self, other: &Place) -> bool {
        match (&self.address, &other.address) {
            (
                Address::Bucket { service, bucket, prefix },
                Address::Bucket { service: its_service, bucket: its_bucket, prefix: its_prefix },
            ) => {
                let folder = |prefix: &str| format!("{}/", prefix.trim_end_matches('/'));
                (service, bucket, &self.endpoint) == (its_service, its_bucket, &other.endpoint)
                    && folder(its_prefix).starts_with(&folder(prefix))
            }
            (Address::Folder(folder), Address::Folder(its)) => its.starts_with(folder),
            (Address::Folder(_), Address::Bucket { .. }) | (Address::Bucket { .. }, Address::Folder(_)) => {
                false
            }
        }
    }

    /// Why it can't be a store's, and what to do.
    pub(crate) fn unfit(&self) -> Option<(&'static str, &'static str)> {
        let Address::Bucket { service, .. } = &self.address else { return None };
        let Some(endpoint) = &self.endpoint else {
            let is_lost = *service == Service::Spaces && self.region.is_none();
            return is_lost.then_some(("a bucket of Spaces is in a region", "say which: region = \"fra1\""));
        };
        match endpoint.split_once("://") {
            Some(("https", _)) => None,
            Some(("http", _)) if is_this_machine(authority(endpoint).1) => None,
            Some(("http", _)) => {
                Some(("plain http shows what is kept to everybody on the way", "take https://"))
            }
            Some(_) | None => Some(("an endpoint is an address of the web", "https://…")),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Address::Folder(folder) => write!(f, "{}", folder.display()),
            Address::Bucket { service, bucket, prefix } => {
                write!(f, "{}://{bucket}{}", service.scheme(), prefix.trim_end_matches('/'))
            }
        }
    }
}

impl Address {
    /// What a text names; the mend, if that is nothing.
    pub(crate) fn parse(text: &str) -> Result<Address, &'static str> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return match text {
                "" => Err("name a folder, or an address such as s3://bucket/folder"),
                folder => Ok(Address::Folder(PathBuf::from(folder))),
            };
        };
        let Some(service) = Service::ALL.into_iter().find(|service| service.scheme() == scheme) else {
            return Err(match scheme {
                "azfile" => {
                    "an Azure Files share takes files by parts of 4 MiB: mount it, and name its folder here"
                }
                _ => "a folder, or s3://bucket/folder, spaces://…, gs://…, az://…",
            });
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err("name the bucket: s3://bucket/folder");
        }
        Ok(Address::Bucket { service, bucket: bucket.to_owned(), prefix: format!("/{prefix}") })
    }
}
