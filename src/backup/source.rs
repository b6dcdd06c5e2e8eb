//! Where files are that are saved: a folder, or a bucket. What is in a file while it is packed counts; what is gone by then
//! is left out.

use std::fs::{self, File};
use std::io::{self, Cursor, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use super::pack::Sighted;
use crate::model::tree::{Digest, Kind};
use crate::process::Stop;
use crate::store::{Content, Store, StoreError};

/// How much of a file is read at once, in bytes.
const PIECE: u64 = 256 * 1024;

/// How many objects are asked for at the same time: most of what a small one takes is the way there and back.
const LANES: usize = 8;

/// Up to how many bytes an object is fetched before it is its turn.
const SMALL: u64 = 1 << 20;

/// What everybody may do with a file that was an object.
const MODE: u32 = 0o644;

pub(crate) enum Source<'s> {
    Folder(&'s Path),
    Bucket(Store, &'s Stop),
}

impl Source<'_> {
    /// Writes an archive of files, and gives them as they were packed.
    pub(crate) fn pack(&self, files: &[Sighted], out: &mut dyn Write) -> io::Result<Vec<(Sighted, Digest)>> {
        let mut archive = tar::Builder::new(out);
        archive.follow_symlinks(false);
        let mut packed = Vec::with_capacity(files.len());
        let mut keep = |file: &Sighted, digest: Option<Digest>| {
            packed.extend(digest.map(|digest| (file.clone(), digest)));
        };
        match self {
            Source::Folder(dir) => {
                for file in files {
                    let path = dir.join(&file.path);
                    let digest = found(append(&mut archive, &path, file)).map_err(|error| {
                        io::Error::new(error.kind(), format!("`{}`: {error}", path.display()))
                    })?;
                    keep(file, digest);
                }
            }
            Source::Bucket(store, stop) => thread::scope(|scope| {
                let lanes: Vec<Receiver<_>> = (0..LANES)
                    .map(|lane| {
                        let (sender, receiver) = sync_channel(1);
                        let files = files.iter().skip(lane).step_by(LANES);
                        // Nobody listens any more where another object could not be had.
                        scope.spawn(move || {
                            files.map(|file| fetched(store, stop, file)).try_for_each(|it| sender.send(it))
                        });
                        receiver
                    })
                    .collect();
                for (file, lane) in files.iter().zip(lanes.iter().cycle()) {
                    let object = lane.recv().expect("a lane fetches all that is its own")?;
                    let digest = object.map(|object| object.append(&mut archive, file)).transpose()?;
                    keep(file, digest);
                }
                io::Result::Ok(())
            })?,
        }
        archive.finish()?;
        Ok(packed)
    }
}

/// Adds a file of a folder.
fn append(archive: &mut tar::Builder<&mut dyn Write>, path: &Path, file: &Sighted) -> io::Result<Digest> {
    let mut header = tar::Header::new_gnu();
    match file.kind {
        Kind::Link => {
            let to = fs::read_link(path)?;
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_size(0);
            header.set_mode(0o777);
            archive.append_link(&mut header, &file.path, &to)?;
            Ok(Digest::of(to.as_os_str().as_bytes()))
        }
        Kind::File | Kind::Executable => {
            let opened = File::open(path)?;
            let metadata = opened.metadata()?;
            header.set_metadata(&metadata);
            whole(archive, header, file, opened, metadata.len())
        }
    }
}

/// What is gone by now is none.
fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// An object on its way into an archive.
struct Fetched<'s> {
    content: Box<dyn Read + Send + 's>,
    size: u64,
    modified: u64,
}

/// Fetches an object, if it is small; a large one is read when it is its turn.
fn fetched<'s>(store: &'s Store, stop: &'s Stop, file: &Sighted) -> Result<Option<Fetched<'s>>, StoreError> {
    let Some(Content { size, modified, mut reader }) = store.read(&file.path, stop)? else { return Ok(None) };
    if size > SMALL {
        return Ok(Some(Fetched { content: reader, size, modified }));
    }
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes)?;
    Ok(Some(Fetched { content: Box::new(Cursor::new(bytes)), size, modified }))
}

impl Fetched<'_> {
    fn append(self, archive: &mut tar::Builder<&mut dyn Write>, file: &Sighted) -> io::Result<Digest> {
        let mut header = tar::Header::new_gnu();
        header.set_mode(MODE);
        header.set_mtime(self.modified);
        whole(archive, header, file, self.content, self.size)
    }
}

/// Adds what is so many bytes long.
fn whole(
    archive: &mut tar::Builder<&mut dyn Write>,
    mut header: tar::Header,
    file: &Sighted,
    content: impl Read,
    size: u64,
) -> io::Result<Digest> {
    header.set_size(size);
    let mut hashed = Hashed::new(Padded { content, left: size });
    archive.append_data(&mut header, &file.path, &mut hashed)?;
    Ok(hashed.finish())
}

/// A file as long as it was when it was opened. One that gets shorter meanwhile fails the backup; what is added is not in it.
struct Padded<R> {
    content: R,
    left: u64,
}

impl<R: Read> Read for Padded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = self.left.min(PIECE).min(buffer.len() as u64);
        if most == 0 {
            return Ok(0);
        }
        let read = self.content.by_ref().take(most).read(buffer)?;
        if read == 0 {
            return Err(io::Error::other("it got shorter while it was read"));
        }
        self.left -= read as u64;
        Ok(read)
    }
}

/// What is read through it has a digest.
pub(super) struct Hashed<R> {
    inner: R,
    hasher: blake3::Hasher,
}

impl<R> Hashed<R> {
    pub(super) fn new(inner: R) -> Hashed<R> {
        Hashed { inner, hasher: blake3::Hasher::new() }
    }

    pub(super) fn finish(self) -> Digest {
        self.hasher.finalize().into()
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}
