//! The folder of releases: `releases/N`, what is known of each, and `current`. A record of each release (`.releases/N`)
//! says whether it is whole, so that what a killed run left is told from it, and what somebody else put there from
//! both: that is never touched.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::ServerError;
use crate::state::durable;

/// The folder of records; not in `releases`, where people count.
const RECORDS: &str = ".releases";

/// Whoever may look into the folder may read the records.
const RECORD_MODE: u32 = 0o644;

/// What is known of one release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) environment: String,
    /// The release commit.
    pub(super) commit: String,
    pub(super) is_complete: bool,
}

/// A server's folder.
pub(super) struct Releases {
    path: PathBuf,
}

impl Releases {
    pub(super) fn at(path: PathBuf) -> Releases {
        Releases { path }
    }

    pub(super) fn create(&self) -> Result<(), ServerError> {
        ["releases", RECORDS].iter().try_for_each(|name| {
            let folder = self.path.join(name);
            fs::create_dir_all(&folder).map_err(ServerError::io("create", &folder))
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn folder(&self, number: u32) -> PathBuf {
        self.path.join("releases").join(number.to_string())
    }

    pub(super) fn current_link(&self) -> PathBuf {
        self.path.join("current")
    }

    /// The release that `current` names; `None` if it names none of ours or does not exist.
    pub(super) fn current(&self) -> Result<Option<u32>, ServerError> {
        let link = self.current_link();
        match fs::read_link(&link) {
            Ok(target) => Ok(target.strip_prefix("releases").ok().and_then(Path::to_str).and_then(number)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            // What readlink(2) says of something that is no link.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Err(ServerError::NoLink(link)),
            Err(error) => Err(ServerError::io("read", &link)(error)),
        }
    }

    /// What is recorded of each release.
    pub(super) fn records(&self) -> Result<BTreeMap<u32, Record>, ServerError> {
        let folder = self.path.join(RECORDS);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(error) => return Err(ServerError::io("read", &folder)(error)),
        };
        let mut records = BTreeMap::new();
        for entry in entries {
            let name = entry.map_err(ServerError::io("read", &folder))?.file_name();
            let recorded = name.to_str().and_then(number);
            if let Some(number) = recorded {
                records.insert(number, self.record(number)?);
            }
        }
        Ok(records)
    }

    /// The releases that a killed run left half made. Refuses a folder that another environment ships to.
    pub(super) fn halves(&self, ours: &Record) -> Result<Vec<u32>, ServerError> {
        let records = self.records()?;
        if let Some(other) = records.values().find(|record| record.environment != ours.environment) {
            return Err(ServerError::OtherEnvironment {
                path: self.path.clone(),
                other: other.environment.clone(),
                ours: ours.environment.clone(),
            });
        }
        Ok(records.into_iter().filter(|(_, record)| !record.is_complete).map(|(number, _)| number).collect())
    }

    /// The releases that are whole, oldest first.
    pub(super) fn complete(&self) -> Result<Vec<u32>, ServerError> {
        let records = self.records()?.into_iter().filter(|(_, record)| record.is_complete);
        Ok(records.map(|(number, _)| number).collect())
    }

    /// Whether this very release is there, whole, from an earlier try. Refuses a place that is taken by another.
    pub(super) fn has(&self, number: u32, ours: &Record) -> Result<bool, ServerError> {
        let folder = self.folder(number);
        match self.records()?.get(&number) {
            Some(record) if record.is_complete && record.commit == ours.commit => Ok(true),
            None if fs::symlink_metadata(&folder).is_err() => Ok(false),
            Some(_) | None => Err(ServerError::Taken(folder)),
        }
    }

    /// An empty folder for a release, known to be half made.
    pub(super) fn begin(&self, number: u32, record: &Record) -> Result<(), ServerError> {
        self.write(number, record)?;
        let folder = self.folder(number);
        fs::create_dir(&folder).map_err(ServerError::io("create", &folder))
    }

    /// From here on the release counts.
    pub(super) fn finish(&self, number: u32, record: Record) -> Result<(), ServerError> {
        self.write(number, &Record { is_complete: true, ..record })
    }

    /// Makes `current` name a release: before, it names the old one, after, this one, and nothing between.
    pub(super) fn switch(&self, number: u32) -> Result<(), ServerError> {
        let target = Path::new("releases").join(number.to_string());
        Ok(durable::link(&target, &self.current_link())?)
    }

    /// Removes a release; one that can't be removed whole no longer counts.
    pub(super) fn remove(&self, number: u32) -> Result<(), ServerError> {
        let record = self.record(number)?;
        if record.is_complete {
            self.write(number, &Record { is_complete: false, ..record })?;
        }
        remove_whole(&self.folder(number))?;
        remove_whole(&self.record_path(number))
    }

    fn record(&self, number: u32) -> Result<Record, ServerError> {
        let path = self.record_path(number);
        let text = fs::read(&path).map_err(ServerError::io("read", &path))?;
        serde_json::from_slice(&text).map_err(|source| ServerError::Unreadable { path, source })
    }

    fn write(&self, number: u32, record: &Record) -> Result<(), ServerError> {
        let text = serde_json::to_vec(record).expect("two strings and a boolean are JSON");
        Ok(durable::replace(&self.record_path(number), &text, RECORD_MODE)?)
    }

    fn record_path(&self, number: u32) -> PathBuf {
        self.path.join(RECORDS).join(number.to_string())
    }
}

/// Removes a folder, a file or a link with all that is in it; what is not there is fine.
pub(super) fn remove_whole(path: &Path) -> Result<(), ServerError> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(ServerError::io("remove", path)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// A release's number, written as we write it.
pub(super) fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|number: &u32| number.to_string() == text)
}
