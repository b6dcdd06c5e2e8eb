//! Output that can't be shown yet, by job. It lives in memory up to a bound, all jobs together, and beyond that
//! in one file, which has no name: nothing is left of it however the run ends.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::model::event::Stream;
use crate::model::name::JobId;

/// How many bytes are held in memory before they go to the file: enough to write in large pieces, and so little that
/// eight jobs whose pieces grow side by side stay within the 16 MiB that a run with much output may have.
const MEMORY: usize = 256 * 1024;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speaker {
    Child(Stream),
    Deploy,
}

/// What each job has said and nobody has heard.
#[derive(Debug)]
pub(super) struct Held {
    folder: PathBuf,
    jobs: HashMap<JobId, Said>,
    in_memory: usize,
    file: Option<File>,
    /// How long the file is, and how many pieces of it are still wanted.
    length: u64,
    pieces: usize,
}

/// What one job has said: first what is in the file, then what is in memory. Both are a row of frames.
#[derive(Debug, Default)]
struct Said {
    pieces: Vec<Piece>,
    recent: Vec<u8>,
}

/// A stretch of the file.
#[derive(Debug)]
struct Piece {
    start: u64,
    length: usize,
}

impl Held {
    /// Nothing is held. The file, if there has to be one, is made in `folder`.
    pub(super) fn new(folder: PathBuf) -> Held {
        Held { folder, jobs: HashMap::new(), in_memory: 0, file: None, length: 0, pieces: 0 }
    }

    /// Holds what `job` says. On `Err` what was in memory is lost, of all jobs: memory has its bound.
    pub(super) fn add(&mut self, job: JobId, speaker: Speaker, bytes: &[u8]) -> io::Result<()> {
        let recent = &mut self.jobs.entry(job).or_default().recent;
        let before = recent.len();
        push_frame(recent, speaker, bytes);
        self.in_memory += recent.len() - before;
        if self.in_memory > MEMORY { self.spill() } else { Ok(()) }
    }

    /// Whether `job` has said anything that is held.
    pub(super) fn has(&self, job: JobId) -> bool {
        self.jobs.contains_key(&job)
    }

    /// Lets go of what `job` said, after `hear` heard it, in its order.
    pub(super) fn release(&mut self, job: JobId, mut hear: impl FnMut(Speaker, &[u8])) -> io::Result<()> {
        let Some(said) = self.jobs.remove(&job) else { return Ok(()) };
        self.in_memory -= said.recent.len();
        self.pieces -= said.pieces.len();
        let heard = said.pieces.iter().try_for_each(|piece| {
            each_frame(&self.read(piece)?, &mut hear);
            Ok(())
        });
        each_frame(&said.recent, &mut hear);
        heard.and(self.shrink())
    }

    /// Lets go of what `job` said, unheard.
    pub(super) fn forget(&mut self, job: JobId) -> io::Result<()> {
        if let Some(said) = self.jobs.remove(&job) {
            self.in_memory -= said.recent.len();
            self.pieces -= said.pieces.len();
        }
        self.shrink()
    }

    /// Moves all that is in memory to the end of the file.
    fn spill(&mut self) -> io::Result<()> {
        self.in_memory = 0;
        let mut result = Ok(());
        for said in self.jobs.values_mut() {
            let recent = std::mem::take(&mut said.recent);
            if recent.is_empty() || result.is_err() {
                continue;
            }
            result = append(&mut self.file, &self.folder, self.length, &recent);
            if result.is_ok() {
                said.pieces.push(Piece { start: self.length, length: recent.len() });
                self.length += recent.len() as u64;
                self.pieces += 1;
            }
        }
        result
    }

    fn read(&self, piece: &Piece) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; piece.length];
        if let Some(mut file) = self.file.as_ref() {
            file.seek(SeekFrom::Start(piece.start))?;
            file.read_exact(&mut bytes)?;
        }
        Ok(bytes)
    }

    /// Gives the disk back once nothing in the file is wanted.
    fn shrink(&mut self) -> io::Result<()> {
        if self.pieces == 0 && self.length > 0 {
            self.length = 0;
            if let Some(file) = &self.file {
                file.set_len(0)?;
            }
        }
        Ok(())
    }
}

fn append(file: &mut Option<File>, folder: &Path, at: u64, bytes: &[u8]) -> io::Result<()> {
    if file.is_none() {
        *file = Some(nameless(folder)?);
    }
    let Some(file) = file else { return Ok(()) };
    file.seek(SeekFrom::Start(at))?;
    file.write_all(bytes)
}

/// A file in `folder` that goes when it is closed.
fn nameless(folder: &Path) -> io::Result<File> {
    let path = folder.join(format!("held-output-{}", std::process::id()));
    let told = |error: io::Error| {
        io::Error::new(error.kind(), format!("can't hold output in {}: {error}", path.display()))
    };
    let file =
        File::options().read(true).write(true).create(true).truncate(true).open(&path).map_err(told)?;
    fs::remove_file(&path).map_err(told)?;
    Ok(file)
}

/// A frame: who speaks, how many bytes follow, the bytes.
fn push_frame(frames: &mut Vec<u8>, speaker: Speaker, bytes: &[u8]) {
    for bytes in bytes.chunks(u32::MAX as usize) {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        frames.push(match speaker {
            Speaker::Child(Stream::Out) => 0,
            Speaker::Child(Stream::Err) => 1,
            Speaker::Deploy => 2,
        });
        frames.extend_from_slice(&length.to_le_bytes());
        frames.extend_from_slice(bytes);
    }
}

fn each_frame(frames: &[u8], hear: &mut impl FnMut(Speaker, &[u8])) {
    let mut rest = frames;
    while let Some((&[speaker, l0, l1, l2, l3], after)) = rest.split_first_chunk() {
        let (bytes, next) = after.split_at(u32::from_le_bytes([l0, l1, l2, l3]) as usize);
        let speaker = match speaker {
            0 => Speaker::Child(Stream::Out),
            1 => Speaker::Child(Stream::Err),
            2.. => Speaker::Deploy,
        };
        hear(speaker, bytes);
        rest = next;
    }
}
