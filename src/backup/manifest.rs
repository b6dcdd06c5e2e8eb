//! What a backup tells of itself. Plain JSON, so that everybody can read it without deploy.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ShelfError;
use crate::model::name::RunId;
use crate::model::release::ObjectId;
use crate::model::tree::{Digest, Kind, Stat};

/// What is read and written by this version.
pub(crate) const VERSION: u32 = 1;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) version: u32,
    /// When it began, in UTC, and a random tail.
    pub(crate) id: String,
    pub(crate) environment: String,
    pub(crate) backup: String,
    pub(crate) at: Timestamp,
    pub(crate) run: RunId,
    pub(crate) by: String,
    /// What was live then.
    pub(crate) release: Option<u32>,
    pub(crate) source: Option<ObjectId>,
    /// The programs that made it, with their versions.
    pub(crate) tools: BTreeMap<String, String>,
    /// Whether it was brought back to see that it can be.
    pub(crate) verified: Verified,
    /// The objects that hold it, those of earlier backups too. A dump is one.
    pub(crate) packs: Vec<Sealed>,
    /// The list of its files, where it is made of files: a line for each. An object of its own, for it is long, and only
    /// that of the newest backup is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) listing: Option<Sealed>,
}

/// How it is known to be good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verified {
    /// It was read back, and its digests agree.
    ReadBack,
    /// It was brought back into a scratch place as well.
    Restored,
}

/// An object of a store: a stream, compressed and encrypted as its name's endings say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sealed {
    pub(crate) object: String,
    /// As it lies in the store, in bytes, and its SHA-256.
    pub(crate) size: u64,
    pub(crate) sha256: String,
    /// The same of what was sealed.
    pub(crate) plain_size: u64,
    pub(crate) plain_sha256: String,
    pub(crate) compressed: bool,
    /// Those who can read it, as `age` calls them; empty: it is not encrypted.
    pub(crate) recipients: Vec<String>,
    /// How many files it holds or lists, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) files: Option<usize>,
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Filed {
    pub(crate) path: String,
    pub(crate) kind: Kind,
    /// Of its content; of a link, of where it leads.
    pub(crate) digest: Digest,
    /// The place of its pack among those of its manifest.
    pub(crate) pack: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mark: Option<Mark>,
}

/// By what a file is known again without being read, where it was saved from. Where it might change unseen it has none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Mark {
    Stat(Stat),
    /// A bucket's own word for what an object holds.
    Tag(String),
}

impl Manifest {
    pub(crate) fn written(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec(self).expect("plain data can be written");
        text.push(b'\n');
        text
    }

    /// Reads what [`Manifest::written`] wrote; what is wrong with it.
    pub(super) fn read(text: &[u8]) -> Result<Manifest, String> {
        let manifest: Manifest =
            serde_json::from_slice(text).map_err(|error| format!("it is no manifest: {error}"))?;
        if manifest.version != VERSION {
            return Err(format!(
                "it is of version {}, and this deploy reads version {VERSION}: install a newer one",
                manifest.version
            ));
        }
        Ok(manifest)
    }

    /// The objects that it needs.
    pub(super) fn objects(&self) -> impl Iterator<Item = &str> {
        self.sealed().map(|sealed| sealed.object.as_str())
    }

    fn sealed(&self) -> impl Iterator<Item = &Sealed> {
        self.packs.iter().chain(&self.listing)
    }

    /// What it takes in the store, in bytes: of packs that earlier backups brought, nothing.
    pub(crate) fn stored(&self) -> u64 {
        self.sealed().filter(|sealed| sealed.is_of(&self.id)).map(|sealed| sealed.size).sum()
    }

    /// How much was saved, before it was compressed, by all packs that it needs.
    pub(crate) fn plain(&self) -> u64 {
        self.packs.iter().map(|pack| pack.plain_size).sum()
    }

    /// How many files it has, where it is made of files.
    pub(crate) fn files(&self) -> Option<usize> {
        self.listing.as_ref()?.files
    }
}

impl Sealed {
    /// Whether the backup of this id brought it.
    pub(crate) fn is_of(&self, id: &str) -> bool {
        self.object.rsplit('/').next().is_some_and(|name| name.starts_with(id))
    }

    /// Compares it with what was found.
    pub(super) fn agrees(&self, (size, sha256): (u64, String)) -> Result<(), ShelfError> {
        let what = if size != self.size {
            format!("it has {size} bytes, and had {} when it was saved", self.size)
        } else if sha256 != self.sha256 {
            "its digest is another than when it was saved".to_owned()
        } else {
            return Ok(());
        };
        Err(ShelfError::altered(&self.object, what))
    }
}
