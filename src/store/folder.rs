//! A folder as a store: an object is a file, and a `/` in its name a folder. It is written beside, in `.parts`, brought
//! to disk, and then given its name. Who writes holds its part, so what nobody holds was left by somebody killed.

use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use super::{Before, Content, Fill, Object, StoreError};
use crate::process::{Level, Stop};
use crate::state::durable;

/// Where objects are written before they have a name.
const PARTS: &str = ".parts";

/// Who may use what is kept there, is the user's umask's business.
const MODE: u32 = 0o666;

pub(super) struct Folder {
    root: PathBuf,
}

impl Folder {
    pub(super) fn new(root: PathBuf) -> Folder {
        Folder { root }
    }

    pub(super) fn size(&self, name: &str) -> Result<Option<u64>, StoreError> {
        let path = self.path(name)?;
        let size = found(fs::metadata(&path)).map_err(failed("look at", &path))?;
        Ok(size.filter(fs::Metadata::is_file).map(|file| file.len()))
    }

    pub(super) fn read<'s>(&self, name: &str, stop: &'s Stop) -> Result<Option<Content<'s>>, StoreError> {
        let path = self.path(name)?;
        let Some(inner) = found(File::open(&path)).map_err(failed("read", &path))? else { return Ok(None) };
        let data = inner.metadata().map_err(failed("read", &path))?;
        let modified = u64::try_from(data.mtime()).unwrap_or_default();
        Ok(Some(Content { size: data.len(), modified, reader: Box::new(Watched { inner, path, stop }) }))
    }

    pub(super) fn put(
        &self,
        name: &str,
        before: Before,
        stop: &Stop,
        fill: Fill<'_>,
    ) -> Result<(), StoreError> {
        let path = self.path(name)?;
        let taken = || StoreError::Taken { store: self.root.display().to_string(), name: name.to_owned() };
        if before == Before::Kept && self.size(name)?.is_some() {
            return Err(taken());
        }
        let parts = self.root.join(PARTS);
        durable::create_open_folder(&parts).map_err(failed("make the folder", &parts))?;
        tidy(&parts);
        let (part, file) = hold(&parts).map_err(failed("write into", &parts))?;
        let watched = Watched { inner: BufWriter::new(file), path: path.clone(), stop };
        let placed = filled(watched, fill).and_then(|file| {
            let folder = path.parent().unwrap_or(&self.root);
            durable::create_open_folder(folder).map_err(failed("make the folder", folder))?;
            let placed = match before {
                Before::Replaced => durable::settle(&file, &part, &path),
                Before::Kept => durable::settle_new(&file, &part, &path),
            };
            placed.map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => taken(),
                _ => StoreError::of_file(&format!("write `{}`", path.display()), &error),
            })
        });
        if placed.is_err() {
            // It is ours alone, and nobody needs it now; the first error is the one to tell.
            let _removed = fs::remove_file(&part);
        }
        placed
    }

    pub(super) fn list(&self, prefix: &str) -> Result<Vec<Object>, StoreError> {
        let mut objects = Vec::new();
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            let failed = failed("list", &folder);
            let Some(entries) = found(fs::read_dir(&folder)).map_err(&failed)? else { continue };
            for entry in entries {
                let entry = entry.map_err(&failed)?;
                let path = entry.path();
                let name = path.strip_prefix(&self.root).unwrap_or(&path).to_string_lossy().into_owned();
                // What was taken away meanwhile is not there.
                let Some(data) = found(fs::metadata(&path)).map_err(&failed)? else { continue };
                if data.is_dir() && name != PARTS && (name.starts_with(prefix) || prefix.starts_with(&name)) {
                    folders.push(path);
                } else if data.is_file() && name.starts_with(prefix) {
                    let tag = format!("{}.{:09}", data.mtime(), data.mtime_nsec());
                    objects.push(Object { name, size: data.len(), tag: Some(tag) });
                }
            }
        }
        Ok(objects)
    }

    pub(super) fn delete(&self, name: &str) -> Result<(), StoreError> {
        let path = self.path(name)?;
        durable::remove(&path).map_err(|error| failed("remove", &path)(error.source))
    }

    /// Where an object lies: nowhere but in the folder.
    fn path(&self, name: &str) -> Result<PathBuf, StoreError> {
        let inside = |part: Component<'_>| matches!(part, Component::Normal(part) if part != PARTS);
        if name.is_empty() || !Path::new(name).components().all(inside) {
            let act = format!("keep `{name}` in `{}`", self.root.display());
            let why = "it is no name of an object".to_owned();
            return Err(StoreError::Failed { act, why, help: String::new() });
        }
        Ok(self.root.join(name))
    }
}

/// A new part, held by us until its file is closed.
fn hold(parts: &Path) -> io::Result<(PathBuf, File)> {
    loop {
        let (path, file) = durable::draft(parts, MODE).map_err(|error| error.source)?;
        // Between the making and the holding, another may have taken it for a dead one's, and removes it now. A folder that
        // knows no locks keeps what a kill leaves in it.
        let is_taken = matches!(file.try_lock(), Err(TryLockError::WouldBlock));
        if !is_taken && path.exists() {
            return Ok((path, file));
        }
    }
}

/// Removes the parts of writers that are dead.
fn tidy(parts: &Path) {
    let entries = fs::read_dir(parts).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        if File::open(&path).is_ok_and(|part| part.try_lock().is_ok()) {
            // Others may have tidied it.
            let _removed = fs::remove_file(path);
        }
    }
}

fn filled(mut writer: Watched<'_, BufWriter<File>>, fill: Fill<'_>) -> Result<File, StoreError> {
    fill(&mut writer).and_then(|()| writer.flush())?;
    let (file, _flushed) = writer.inner.into_parts();
    Ok(file)
}

/// A file that says which it is when it fails, and that is left when the run stops.
struct Watched<'s, T> {
    inner: T,
    path: PathBuf,
    stop: &'s Stop,
}

impl<T> Watched<'_, T> {
    fn heed(&self) -> Result<(), StoreError> {
        if self.stop.level() > Level::Go { Err(StoreError::Stopped) } else { Ok(()) }
    }
}

impl<T: Read> Read for Watched<'_, T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.heed()?;
        Ok(self.inner.read(buffer).map_err(failed("read", &self.path))?)
    }
}

impl<T: Write> Write for Watched<'_, T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.heed()?;
        Ok(self.inner.write(bytes).map_err(failed("write", &self.path))?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(self.inner.flush().map_err(failed("write", &self.path))?)
    }
}

fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn failed(act: &str, path: &Path) -> impl Fn(io::Error) -> StoreError {
    let act = format!("{act} `{}`", path.display());
    move |error| StoreError::of_file(&act, &error)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// `/dev/full` is a disk that is.
    #[test]
    fn a_disk_that_is_full_is_told() {
        let file = File::options().write(true).open("/dev/full").unwrap();
        let stop = Stop::new(Duration::ZERO);
        let full = Watched { inner: BufWriter::new(file), path: PathBuf::from("kept/a"), stop: &stop };
        let error = filled(full, &mut |object| object.write_all(&vec![0; 100_000])).unwrap_err();
        assert_eq!(error.to_string(), "can't write `kept/a`: No space left on device; make room there");
    }
}
