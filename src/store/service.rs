//! Whom opendal asks, and with which credentials: those that `keys` has, else what it finds in the usual places.

use std::path::Path;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use opendal::{Error, ErrorKind, Operator, Result, services};

use crate::model::store::{Place, Service};
use crate::model::target::{authority, is_this_machine};

/// What a request is signed with where there are no regions.
const NO_REGION: &str = "us-east-1";

/// A bucket, and what is said of where it is.
pub(super) struct Bucket<'a> {
    pub(super) place: &'a Place,
    pub(super) service: Service,
    pub(super) name: &'a str,
    pub(super) prefix: &'a str,
    /// What a credential is, by its vendor's name for it.
    pub(super) keys: &'a dyn Fn(&str) -> Option<String>,
}

impl Bucket<'_> {
    pub(super) fn operator(&self) -> Result<Operator> {
        match self.service {
            Service::S3 => self.s3(),
            Service::Spaces => self.spaces(),
            Service::Google => self.google(),
            Service::Azure => self.azure(),
        }
    }

    fn s3(&self) -> Result<Operator> {
        let mut s3 = services::S3::default().bucket(self.name).root(self.prefix);
        if let Some(endpoint) = &self.place.endpoint {
            s3 = s3.endpoint(endpoint);
        }
        // A store at an address of its own has no regions.
        let known = || self.key("AWS_REGION").or_else(|| self.key("AWS_DEFAULT_REGION"));
        let none = || self.place.endpoint.is_some().then(|| NO_REGION.to_owned());
        if let Some(region) = self.place.region.clone().or_else(known).or_else(none) {
            s3 = s3.region(&region);
        }
        if let Some((id, key)) = self.pair("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")? {
            s3 = s3.access_key_id(&id).secret_access_key(&key);
            if let Some(token) = self.key("AWS_SESSION_TOKEN") {
                s3 = s3.session_token(&token);
            }
        }
        if self.is_here() {
            s3 = s3.disable_ec2_metadata();
        }
        Operator::new(s3)
    }

    /// It speaks as S3 does. What AWS's tools know is not for it.
    fn spaces(&self) -> Result<Operator> {
        let region = self.place.region.as_deref().unwrap_or(NO_REGION);
        let own = || format!("https://{region}.digitaloceanspaces.com");
        let endpoint = self.place.endpoint.clone().unwrap_or_else(own);
        let Some((id, key)) = self.pair("SPACES_ACCESS_KEY_ID", "SPACES_SECRET_ACCESS_KEY")? else {
            return Err(self.none());
        };
        let spaces = services::S3::default().bucket(self.name).root(self.prefix).endpoint(&endpoint);
        let spaces = spaces.region(region).access_key_id(&id).secret_access_key(&key);
        Operator::new(spaces.disable_config_load().disable_ec2_metadata())
    }

    fn google(&self) -> Result<Operator> {
        let mut google = services::Gcs::default().bucket(self.name).root(self.prefix);
        if let Some(endpoint) = &self.place.endpoint {
            google = google.endpoint(endpoint);
        }
        match self.key("GOOGLE_APPLICATION_CREDENTIALS") {
            // opendal passes over what it can't read, and would take whoever comes next.
            Some(content) if content.trim_start().starts_with('{') => {
                if serde_json::from_str::<serde_json::Value>(&content).is_err() {
                    return Err(unset("what `GOOGLE_APPLICATION_CREDENTIALS` holds is no JSON"));
                }
                google = google.credential(&BASE64_STANDARD.encode(content));
            }
            Some(path) if !Path::new(&path).is_file() => {
                return Err(unset(&format!(
                    "`GOOGLE_APPLICATION_CREDENTIALS` names `{path}`, which is no file"
                )));
            }
            Some(path) => google = google.credential_path(&path),
            // A server of one's own has no use for Google's credentials.
            None if self.is_here() => google = google.skip_signature().disable_vm_metadata(),
            None => {}
        }
        Operator::new(google)
    }

    fn azure(&self) -> Result<Operator> {
        let connection = self.key("AZURE_STORAGE_CONNECTION_STRING");
        let mut azure = match &connection {
            // What is wrong with it, opendal would show.
            Some(connection) => services::Azblob::from_connection_string(connection)
                .map_err(|_| unset("what `AZURE_STORAGE_CONNECTION_STRING` holds is no connection string"))?,
            None => services::Azblob::default(),
        };
        let (account, key) = (self.key("AZURE_STORAGE_ACCOUNT"), self.key("AZURE_STORAGE_KEY"));
        let token = self.key("AZURE_STORAGE_SAS_TOKEN");
        let own = |account: &String| format!("https://{account}.blob.core.windows.net");
        match (self.place.endpoint.clone().or_else(|| account.as_ref().map(own)), &connection) {
            (Some(endpoint), _) => azure = azure.endpoint(&endpoint),
            (None, Some(_)) => {}
            (None, None) => return Err(self.none()),
        }
        if connection.is_none() && key.is_none() && token.is_none() && self.is_here() {
            return Err(self.none());
        }
        if let Some(account) = account {
            azure = azure.account_name(&account);
        }
        if let Some(key) = key {
            azure = azure.account_key(&key);
        }
        if let Some(token) = token {
            azure = azure.sas_token(&token);
        }
        Operator::new(azure.container(self.name).root(self.prefix))
    }

    /// Whether the store is on this machine, where no cloud tells who asks.
    fn is_here(&self) -> bool {
        self.place.endpoint.as_deref().is_some_and(|endpoint| is_this_machine(authority(endpoint).1))
    }

    fn key(&self, name: &str) -> Option<String> {
        (self.keys)(name).filter(|key| !key.is_empty())
    }

    /// Two that are no use alone.
    fn pair(&self, id: &str, key: &str) -> Result<Option<(String, String)>> {
        match (self.key(id), self.key(key)) {
            (Some(id), Some(key)) => Ok(Some((id, key))),
            (None, None) => Ok(None),
            (Some(_), None) => Err(unset(&format!("`{id}` is known, and `{key}` is not"))),
            (None, Some(_)) => Err(unset(&format!("`{key}` is known, and `{id}` is not"))),
        }
    }

    fn none(&self) -> Error {
        unset(&format!("there are no credentials for it, such as {}", self.service.keys()[..2].join(" and ")))
    }
}

fn unset(what: &str) -> Error {
    Error::new(ErrorKind::ConfigInvalid, what.to_owned())
}
