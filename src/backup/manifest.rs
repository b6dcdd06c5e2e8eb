//! What a backup tells of itself. Plain JSON, so that everybody can read it without deploy.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::name::RunId;
use crate::model::release::ObjectId;
use crate::model::tree::{Digest, Kind};

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
    /// `age` recipients; empty: it is not encrypted.
    pub(crate) encrypted: Vec<String>,
    /// Whether it was brought back to see that it can be.
    pub(crate) verified: Verified,
    /// The objects that hold it, those of earlier backups too. A dump is one.
    pub(crate) packs: Vec<Sealed>,
    /// The files, where it is made of files, each with the place of its pack in `packs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) files: Option<Vec<Filed>>,
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
    /// How many files it holds, where it is a pack of files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) files: Option<usize>,
}

/// A file of a backup: written as a list, for there are many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Filed(pub(crate) String, pub(crate) Kind, pub(crate) Digest, pub(crate) usize);

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
        let packs = manifest.packs.len();
        if manifest.files.iter().flatten().any(|Filed(.., pack)| *pack >= packs) {
            return Err("it names a pack that it does not have".to_owned());
        }
        Ok(manifest)
    }

    /// What it takes in the store: of packs that earlier backups brought, nothing.
    pub(crate) fn stored(&self) -> u64 {
        let own = self.packs.iter().filter(|pack| pack.object.contains(&self.id));
        own.map(|pack| pack.size).sum()
    }

    /// How much was saved, before it was compressed, by all packs that it needs.
    pub(crate) fn plain(&self) -> u64 {
        self.packs.iter().map(|pack| pack.plain_size).sum()
    }
}
