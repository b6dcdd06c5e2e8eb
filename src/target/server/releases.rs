//! The folder of releases: `releases/N`, what is known of each, and `current`. A record beside each release
//! (`releases/.N`) says whether it is whole, so that what a killed run left is told from it, and what somebody else put
//! there from both: that is never touched.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::event::Failure;
use crate::model::step::Planned;
use crate::model::target::ServerTarget;
use crate::state::durable::{self, DurableError};
use crate::target::{refused, unmet};

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
    pub(super) fn at(target: &ServerTarget<Planned>, root: &Path) -> Releases {
        Releases { path: root.join(target.path.reveal()) }
    }

    /// The folder, created where it is missing.
    pub(super) fn open(target: &ServerTarget<Planned>, root: &Path) -> Result<Releases, Failure> {
        let releases = Releases::at(target, root);
        let folder = releases.path.join("releases");
        fs::create_dir_all(&folder).map_err(|source| cannot("create", &folder, &source))?;
        Ok(releases)
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
    pub(super) fn current(&self) -> Result<Option<u32>, Failure> {
        let link = self.current_link();
        match fs::read_link(&link) {
            Ok(target) => Ok(target.strip_prefix("releases").ok().and_then(number)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            // What readlink(2) says of something that is no link.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Err(refused(
                format!("`{}` is not a symlink, so it can't be switched to a release", link.display()),
                format!("move it away: mv {0} {0}.old", link.display()),
            )),
            Err(error) => Err(cannot("read", &link, &error)),
        }
    }

    /// What is recorded of each release.
    pub(super) fn records(&self) -> Result<BTreeMap<u32, Record>, Failure> {
        let folder = self.path.join("releases");
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(error) => return Err(cannot("read", &folder, &error)),
        };
        let mut records = BTreeMap::new();
        for entry in entries {
            let name = entry.map_err(|error| cannot("read", &folder, &error))?.file_name();
            let recorded = name.to_str().and_then(|name| number(Path::new(name.strip_prefix('.')?)));
            if let Some(number) = recorded {
                records.insert(number, self.record(number)?);
            }
        }
        Ok(records)
    }

    pub(super) fn complete_numbers(&self) -> Result<Vec<u32>, Failure> {
        let records = self.records()?.into_iter().filter(|(_, record)| record.is_complete);
        Ok(records.map(|(number, _)| number).collect())
    }

    /// The releases that a killed run left half made. Refuses a folder that another environment ships to.
    pub(super) fn halves(&self, ours: &Record) -> Result<Vec<u32>, Failure> {
        let records = self.records()?;
        if let Some(other) = records.values().find(|record| record.environment != ours.environment) {
            return Err(refused(
                format!("`{}` holds releases of `{}`", self.path.display(), other.environment),
                format!("give `{}` a `path` of its own", ours.environment),
            ));
        }
        Ok(records.into_iter().filter(|(_, record)| !record.is_complete).map(|(number, _)| number).collect())
    }

    /// Whether this very release is there, whole, from an earlier try. Refuses a place that is taken by another.
    pub(super) fn has(&self, number: u32, ours: &Record) -> Result<bool, Failure> {
        let records = self.records()?;
        match records.get(&number) {
            Some(record) if record.commit == ours.commit => Ok(true),
            None if !self.folder(number).exists() => Ok(false),
            Some(_) | None => Err(refused(
                format!("`{}` is there already, and it is another release", self.folder(number).display()),
                format!("move it away: mv {0} {0}.old", self.folder(number).display()),
            )),
        }
    }

    /// An empty folder for a release, known to be half made.
    pub(super) fn begin(&self, number: u32, record: &Record) -> Result<(), Failure> {
        self.write(number, record)?;
        let folder = self.folder(number);
        fs::create_dir(&folder).map_err(|source| cannot("create", &folder, &source))
    }

    /// From here on the release counts.
    pub(super) fn complete(&self, number: u32, record: Record) -> Result<(), Failure> {
        self.write(number, &Record { is_complete: true, ..record })
    }

    /// Makes `current` name a release: before, it names the old one, after, this one, and nothing between.
    pub(super) fn switch(&self, number: u32) -> Result<(), Failure> {
        let target = Path::new("releases").join(number.to_string());
        durable::link(&target, &self.current_link()).map_err(|error| not_durable(&error))
    }

    /// Removes a release; one that can't be removed whole no longer counts.
    pub(super) fn remove(&self, number: u32) -> Result<(), Failure> {
        let record = self.record(number)?;
        if record.is_complete {
            self.write(number, &Record { is_complete: false, ..record })?;
        }
        remove_whole(&self.folder(number))?;
        let path = self.record_path(number);
        fs::remove_file(&path).map_err(|source| cannot("remove", &path, &source))
    }

    fn record(&self, number: u32) -> Result<Record, Failure> {
        let path = self.record_path(number);
        let text = fs::read(&path).map_err(|source| cannot("read", &path, &source))?;
        serde_json::from_slice(&text).map_err(|error| {
            refused(
                format!("`{}` says nothing that can be read about its release: {error}", path.display()),
                format!("if {} is not needed, remove both", self.folder(number).display()),
            )
        })
    }

    fn write(&self, number: u32, record: &Record) -> Result<(), Failure> {
        let text = serde_json::to_vec(record).expect("two strings and a boolean are JSON");
        durable::replace(&self.record_path(number), &text, RECORD_MODE).map_err(|error| not_durable(&error))
    }

    fn record_path(&self, number: u32) -> PathBuf {
        self.path.join("releases").join(format!(".{number}"))
    }
}

/// Removes a folder, a file or a link with all that is in it; what is not there is fine.
pub(super) fn remove_whole(path: &Path) -> Result<(), Failure> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(cannot("remove", path, &error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

pub(super) fn cannot(action: &str, path: &Path, source: &io::Error) -> Failure {
    let message = format!("can't {action} `{}`: {source}", path.display());
    match source.kind() {
        io::ErrorKind::PermissionDenied => unmet(message, "let the user who deploys own the server's folder"),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => unmet(message, "make room on that disk"),
        _ => Failure::Unmet { message, help: None },
    }
}

pub(super) fn not_durable(error: &DurableError) -> Failure {
    Failure::Unmet { message: error.to_string(), help: None }
}

/// A release's number, written as we write it.
fn number(name: &Path) -> Option<u32> {
    let text = name.to_str()?;
    text.parse().ok().filter(|number: &u32| number.to_string() == text)
}
