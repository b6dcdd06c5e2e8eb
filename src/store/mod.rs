//! KEEP: objects in a folder or in an object store, by their names. What they mean is decided above. An object is there
//! whole, or not at all. Nothing is asked before the first object is, and every call ends at once when `stop` rises.

mod error;
mod folder;
mod remote;
mod service;
#[cfg(test)]
mod tests;
mod transport;

use std::io::{self, Read, Write};
use std::path::Path;

use crate::model::store::{Address, Place};
use crate::process::Stop;
pub(crate) use error::StoreError;
use folder::Folder;
use remote::Remote;
use service::Bucket;

/// Objects by their names. A name is words of letters, digits, `-`, `_` and `.`, with `/` between them.
pub(crate) struct Store {
    keeper: Keeper,
}

enum Keeper {
    Folder(Folder),
    Remote(Box<Remote>),
}

/// An object, as its store lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) name: String,
    /// In bytes.
    pub(crate) size: u64,
    /// Another one when the content is; what it is made of is the store's business.
    pub(crate) tag: Option<String>,
}

/// What an object holds, all of it as it was at one moment: one that is replaced while it is read is an error.
pub(crate) struct Content<'s> {
    /// In bytes.
    pub(crate) size: u64,
    /// When it was put there, in seconds since 1970.
    pub(crate) modified: u64,
    pub(crate) reader: Box<dyn Read + Send + 's>,
}

impl Read for Content<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}

/// What writes an object's content.
pub(crate) type Fill<'f> = &'f mut dyn FnMut(&mut (dyn Write + Send)) -> io::Result<()>;

/// What becomes of an object that has the name already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    Replaced,
    Kept,
}

impl Store {
    /// The store at a place; folders are relative to `root`. `keys` gives what a credential is, by the name that the
    /// vendor's own tools know it by. Nothing is asked yet.
    pub(crate) fn open(
        place: &Place,
        root: &Path,
        keys: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Store, StoreError> {
        let keeper = match &place.address {
            Address::Folder(folder) => Keeper::Folder(Folder::new(root.join(folder))),
            Address::Bucket { service, bucket, prefix } => {
                let bucket = Bucket { place, service: *service, name: bucket, prefix, keys };
                Keeper::Remote(Box::new(Remote::open(&bucket)?))
            }
        };
        Ok(Store { keeper })
    }

    /// An object's size in bytes; none if there is no such object.
    #[cfg(test)]
    pub(crate) fn size(&self, name: &str, stop: &Stop) -> Result<Option<u64>, StoreError> {
        match &self.keeper {
            Keeper::Folder(folder) => folder.size(name),
            Keeper::Remote(remote) => remote.size(name, stop),
        }
    }

    /// An object's content; none if there is no such object. An error while it is read is a [`StoreError`] in an
    /// [`io::Error`], and [`StoreError::from`] has it back.
    pub(crate) fn read<'s>(&'s self, name: &str, stop: &'s Stop) -> Result<Option<Content<'s>>, StoreError> {
        match &self.keeper {
            Keeper::Folder(folder) => folder.read(name, stop),
            Keeper::Remote(remote) => remote.read(name, stop),
        }
    }

    /// Keeps what `fill` writes under a name, in the place of what is there.
    pub(crate) fn write(&self, name: &str, stop: &Stop, fill: Fill<'_>) -> Result<(), StoreError> {
        self.put(name, Before::Replaced, stop, fill)
    }

    /// Keeps what `fill` writes under a name that no object has: [`StoreError::Taken`] if one has.
    pub(crate) fn create(&self, name: &str, stop: &Stop, fill: Fill<'_>) -> Result<(), StoreError> {
        self.put(name, Before::Kept, stop, fill)
    }

    fn put(&self, name: &str, before: Before, stop: &Stop, fill: Fill<'_>) -> Result<(), StoreError> {
        match &self.keeper {
            Keeper::Folder(folder) => folder.put(name, before, stop, fill),
            Keeper::Remote(remote) => remote.put(name, before, stop, fill),
        }
    }

    /// The objects whose names begin with `prefix`, by their names. What is still being written is none.
    pub(crate) fn list(&self, prefix: &str, stop: &Stop) -> Result<Vec<Object>, StoreError> {
        let mut objects = match &self.keeper {
            Keeper::Folder(folder) => folder.list(prefix)?,
            Keeper::Remote(remote) => remote.list(prefix, stop)?,
        };
        objects.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(objects)
    }

    /// Removes an object; one that is not there is removed.
    pub(crate) fn delete(&self, name: &str, stop: &Stop) -> Result<(), StoreError> {
        match &self.keeper {
            Keeper::Folder(folder) => folder.delete(name),
            Keeper::Remote(remote) => remote.delete(name, stop),
        }
    }
}
