//! A commit's files, written into a folder byte for byte: no attribute, filter or line end of the user's, of the
//! machine's or of the commit's own `.gitattributes` has a part in it. It overwrites nothing.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use thiserror::Error;

use super::git::GitError;
use super::object::Mode;
use super::scratch::Scratch;
use crate::model::release::ObjectId;
use crate::process::Stop;

/// Before the user's umask takes from it, as in any checkout.
const FILE: u32 = 0o666;
const EXECUTABLE: u32 = 0o777;

/// The files could not be written; some are.
#[derive(Debug, Error)]
pub(crate) enum FilesError {
    #[error(transparent)]
    Git(#[from] GitError),
    #[error("can't write `{}`: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("the commit has a file `{}`, and that name leaves the folder", .0.display())]
    Outside(PathBuf),
    #[error("the content of `{}` is not in this clone", .0.display())]
    Absent(PathBuf),
}

/// What a commit has under one name; submodules and files, no folders.
struct Entry {
    path: PathBuf,
    mode: Mode,
    id: ObjectId,
}

impl Scratch {
    /// Writes a commit's files into an empty folder. Gives the submodules, of which there is only an empty folder:
    /// their files are not in the commit.
    pub(crate) fn write_files(
        &self,
        commit: &ObjectId,
        folder: &Path,
        stop: &Stop,
    ) -> Result<Vec<PathBuf>, FilesError> {
        let mut entries = self.entries(commit, stop)?;
        // Links come last, so that no file is written through one.
        entries.sort_by_key(|entry| entry.mode == Mode::Symlink);
        let (submodules, entries): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|entry| entry.mode == Mode::Submodule);
        let mut writer =
            Writer { folder, entries: &entries, folders: HashSet::new(), stage: Stage::Header(Vec::new()) };
        for submodule in &submodules {
            writer.create_folder(&folder.join(&submodule.path))?;
        }
        let asked: Vec<&str> = entries.iter().flat_map(|entry| [entry.id.as_str(), "\n"]).collect();
        let mut written = Ok(());
        let call = self.call(&["cat-file", "--batch"]).reading(asked.concat().into_bytes());
        let answer = call.pour(
            stop,
            &mut |bytes| {
                if written.is_ok() {
                    written = writer.take(bytes);
                }
            },
            &mut |_| (),
        )?;
        written?;
        if answer.code != 0 {
            return Err(answer.failure().into());
        }
        match writer.entries {
            [] => Ok(submodules.into_iter().map(|submodule| submodule.path).collect()),
            [entry, ..] => Err(FilesError::Absent(entry.path.clone())),
        }
    }

    fn entries(&self, commit: &ObjectId, stop: &Stop) -> Result<Vec<Entry>, FilesError> {
        let args = ["ls-tree", "-r", "-z", "--full-tree", commit.as_str()];
        let answer = self.call(&args).run_under(stop, &mut |_| ())?;
        if answer.code != 0 {
            return Err(answer.failure().into());
        }
        let records = answer.stdout.split(|&byte| byte == 0).filter(|record| !record.is_empty());
        let entries = records.map(entry).collect::<Option<Vec<_>>>().ok_or_else(|| answer.unreadable())?;
        let is_inside = |path: &Path| path.components().all(|part| matches!(part, Component::Normal(_)));
        match entries.iter().find(|entry| !is_inside(&entry.path)) {
            Some(entry) => Err(FilesError::Outside(entry.path.clone())),
            None => Ok(entries),
        }
    }
}

/// Reads one record of `ls-tree -z`: `MODE KIND ID`, tab, the path.
fn entry(record: &[u8]) -> Option<Entry> {
    let tab = record.iter().position(|&byte| byte == b'\t')?;
    let words: Vec<&str> = std::str::from_utf8(&record[..tab]).ok()?.split(' ').collect();
    let [mode, _, id] = words[..] else { return None };
    let path = PathBuf::from(OsStr::from_bytes(&record[tab + 1..]));
    Some(Entry { path, mode: Mode::of_tree(mode.as_bytes())?, id: ObjectId::parse(id)? })
}

/// Takes the answers of `cat-file --batch` apart, however they are cut, and writes them down.
struct Writer<'e> {
    folder: &'e Path,
    /// Those that are still to come, in the order of the questions.
    entries: &'e [Entry],
    folders: HashSet<PathBuf>,
    stage: Stage,
}

enum Stage {
    /// What has come of the line before the content.
    Header(Vec<u8>),
    Content {
        sink: Sink,
        path: PathBuf,
        left: usize,
    },
    /// The newline after the content.
    After,
}

/// Where an object's bytes go.
enum Sink {
    File(File),
    /// Made when its target is whole.
    Link(Vec<u8>),
}

impl Writer<'_> {
    fn take(&mut self, mut bytes: &[u8]) -> Result<(), FilesError> {
        while !bytes.is_empty() {
            match &mut self.stage {
                Stage::Header(line) => {
                    let end = bytes.iter().position(|&byte| byte == b'\n');
                    line.extend_from_slice(&bytes[..end.unwrap_or(bytes.len())]);
                    bytes = &bytes[end.map_or(bytes.len(), |end| end + 1)..];
                    if end.is_some() {
                        let line = std::mem::take(line);
                        self.open(&line)?;
                        self.close_if_whole()?;
                    }
                }
                Stage::Content { sink, path, left } => {
                    let (now, rest) = bytes.split_at(bytes.len().min(*left));
                    match sink {
                        Sink::File(file) => file.write_all(now).map_err(at(path))?,
                        Sink::Link(target) => target.extend_from_slice(now),
                    }
                    *left -= now.len();
                    bytes = rest;
                    self.close_if_whole()?;
                }
                Stage::After => {
                    bytes = &bytes[1..];
                    self.stage = Stage::Header(Vec::new());
                }
            }
        }
        Ok(())
    }

    /// Begins the next entry; `header` is `ID KIND SIZE`, or says that there is no such object.
    fn open(&mut self, header: &[u8]) -> Result<(), FilesError> {
        let Some((entry, rest)) = self.entries.split_first() else { return Ok(()) };
        let size = std::str::from_utf8(header).ok().and_then(|header| header.split(' ').nth(2)?.parse().ok());
        let left = size.ok_or_else(|| FilesError::Absent(entry.path.clone()))?;
        self.entries = rest;
        let path = self.folder.join(&entry.path);
        if let Some(above) = path.parent() {
            self.create_folder(above)?;
        }
        let create =
            |mode| OpenOptions::new().write(true).create_new(true).mode(mode).open(&path).map_err(at(&path));
        let sink = match entry.mode {
            Mode::Executable => Sink::File(create(EXECUTABLE)?),
            Mode::Symlink => Sink::Link(Vec::new()),
            Mode::File | Mode::Folder | Mode::Submodule => Sink::File(create(FILE)?),
        };
        self.stage = Stage::Content { sink, path, left };
        Ok(())
    }

    fn close_if_whole(&mut self) -> Result<(), FilesError> {
        if let Stage::Content { sink, path, left: 0 } = &self.stage {
            if let Sink::Link(target) = sink {
                symlink(OsStr::from_bytes(target), path).map_err(at(path))?;
            }
            self.stage = Stage::After;
        }
        Ok(())
    }

    fn create_folder(&mut self, path: &Path) -> Result<(), FilesError> {
        if !self.folders.contains(path) {
            fs::create_dir_all(path).map_err(at(path))?;
            self.folders.insert(path.to_owned());
        }
        Ok(())
    }
}

fn at(path: &Path) -> impl Fn(io::Error) -> FilesError {
    move |source| FilesError::Write { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests;
