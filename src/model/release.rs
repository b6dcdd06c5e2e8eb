//! Releases: what was shipped where, and what the ledger remembers of it.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::name::RunId;

/// The name of a git object: 40 hex digits (SHA-1) or 64 (SHA-256), lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct ObjectId(String);

impl ObjectId {
    /// `None` for anything that git would not print as a whole id.
    pub(crate) fn parse(text: &str) -> Option<ObjectId> {
        let hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (hex && matches!(text.len(), 40 | 64)).then(|| ObjectId(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The first digits, as people say them.
    pub(crate) fn short(&self) -> &str {
        &self.0[..8]
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ObjectId {
    type Error = String;

    fn try_from(text: String) -> Result<ObjectId, String> {
        ObjectId::parse(&text).ok_or_else(|| format!("`{text}` is not the id of a git object"))
    }
}

impl From<ObjectId> for String {
    fn from(id: ObjectId) -> String {
        id.0
    }
}

/// A commit that can be shipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) commit: ObjectId,
    /// The tree of the project's folder: what is shipped, before the swap.
    pub(crate) tree: ObjectId,
    pub(crate) author: String,
    pub(crate) subject: String,
    pub(crate) time: Timestamp,
    /// The same time as git writes it, with its zone.
    pub(crate) date: String,
    /// The branch that the user named, or is on; `None` on a detached HEAD or for an id or a tag.
    pub(crate) branch: Option<String>,
    /// What of it the target will probably not have whole.
    pub(crate) warnings: Vec<String>,
}

/// One delivery of a commit to an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Release {
    pub(crate) number: u32,
    /// The user's commit, and the tree of the project's folder in it.
    pub(crate) source: ObjectId,
    pub(crate) source_tree: ObjectId,
    pub(crate) subject: String,
    pub(crate) branch: Option<String>,
    /// The release commit and its tree; `None` where nothing is shipped as a commit.
    pub(crate) commit: Option<ObjectId>,
    pub(crate) tree: Option<ObjectId>,
    /// The paths that differ from the source.
    pub(crate) swapped: Vec<String>,
    /// The earlier release that a rollback brought back with it: never itself a rollback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) restores: Option<u32>,
    /// What the platform that took it calls it, where it has a name for that: what a rollback there wants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) deployment: Option<String>,
    pub(crate) run: RunId,
    pub(crate) by: String,
    pub(crate) at: Timestamp,
}

impl Release {
    /// The number under which its content was shipped first: its own, unless it is a rollback.
    pub(crate) fn content(&self) -> u32 {
        self.restores.unwrap_or(self.number)
    }

    /// What it was made from, as far as the ledger keeps it.
    pub(crate) fn as_source(&self) -> Source {
        Source {
            commit: self.source.clone(),
            tree: self.source_tree.clone(),
            author: String::new(),
            subject: self.subject.clone(),
            time: self.at,
            date: format!("{} +0000", self.at.as_second()),
            branch: self.branch.clone(),
            warnings: Vec::new(),
        }
    }
}

/// Where an environment stands, by its ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The last number that was given to a release, live or not.
    pub(crate) last: u32,
    pub(crate) live: Option<Release>,
}

impl Standing {
    /// The number of the release to come.
    pub(crate) fn next(&self) -> u32 {
        self.last + 1
    }

    /// The live release's number; 0 if there is none.
    pub(crate) fn number(&self) -> u32 {
        self.live.as_ref().map_or(0, |release| release.number)
    }
}
