//! Files and what they held at one time.

use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A BLAKE3 digest.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Digest(blake3::Hash);

impl Digest {
    pub(crate) fn of(bytes: &[u8]) -> Digest {
        Digest(blake3::hash(bytes))
    }

    /// Its first half: enough to tell one thing from another where nobody means to deceive.
    pub(crate) fn half(&self) -> u128 {
        let (half, _) = self.0.as_bytes().split_first_chunk().expect("it has 32 bytes");
        u128::from_be_bytes(*half)
    }

    /// Of words, each with its length, so that no two lists of words are the same.
    pub(crate) fn of_words<'a>(words: impl IntoIterator<Item = &'a str>) -> Digest {
        let mut hasher = blake3::Hasher::new();
        for word in words {
            hasher.update(&(word.len() as u64).to_le_bytes());
            hasher.update(word.as_bytes());
        }
        Digest(hasher.finalize())
    }
}

impl From<blake3::Hash> for Digest {
    fn from(hash: blake3::Hash) -> Digest {
        Digest(hash)
    }
}

/// In hexadecimal.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_hex().as_str())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.to_hex().as_str())
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        let text = <&str>::deserialize(deserializer)?;
        blake3::Hash::from_hex(text).map(Digest).map_err(D::Error::custom)
    }
}

/// Files in the order of their paths, with what is in them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    pub(crate) entries: Vec<Entry>,
}

/// One file. It is written as a list: there are many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Row", into = "Row")]
pub(crate) struct Entry {
    /// Relative to the folder of its task.
    pub(crate) path: String,
    pub(crate) kind: Kind,
    /// Of its content; of a link that leads to no file, of where it leads.
    pub(crate) digest: Digest,
    /// By what it is known again without being read; none while it may still change unseen.
    pub(crate) stat: Option<Stat>,
}

/// An entry as it is written.
#[derive(Serialize, Deserialize)]
struct Row(String, Kind, Digest, Option<Stat>);

impl From<Row> for Entry {
    fn from(Row(path, kind, digest, stat): Row) -> Entry {
        Entry { path, kind, digest, stat }
    }
}

impl From<Entry> for Row {
    fn from(Entry { path, kind, digest, stat }: Entry) -> Row {
        Row(path, kind, digest, stat)
    }
}

/// What sort of file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Kind {
    #[serde(rename = "f")]
    File,
    #[serde(rename = "x")]
    Executable,
    /// A link that leads to a folder, or to nothing.
    #[serde(rename = "l")]
    Link,
}

/// What changes with every change of a file: its size in bytes, the times of its content and of its properties in
/// nanoseconds since 1970, and its number in the file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Stat(pub(crate) u64, pub(crate) i64, pub(crate) i64, pub(crate) u64);

impl Tree {
    /// Of the paths and contents, whenever and wherever they were seen.
    pub(crate) fn digest(&self) -> Digest {
        let mut hasher = blake3::Hasher::new();
        for entry in &self.entries {
            hasher.update(&(entry.path.len() as u64).to_le_bytes());
            hasher.update(entry.path.as_bytes());
            hasher.update(&[entry.kind as u8]);
            hasher.update(entry.digest.0.as_bytes());
        }
        hasher.finalize().into()
    }

    /// The file at a path.
    pub(crate) fn entry(&self, path: &str) -> Option<&Entry> {
        let found = self.entries.binary_search_by(|entry| entry.path.as_str().cmp(path));
        found.ok().map(|index| &self.entries[index])
    }
}
