//! KEEP: objects in a folder or in an object store, by their names. What they mean is decided above. It has a runtime of
//! its own, which nobody else sees; nothing is asked, and nothing of it is set up, before the first object is.

mod transport;

use std::io::{self, Read, Write};
use std::path::Path;

use opendal::{ErrorKind, HttpTransporter, OperationContext, Operator, services};
use tokio::runtime::{self, Runtime};

use crate::model::store::{Address, Place};
use transport::Transport;

/// How much of an object is read, or sent, at once, in bytes: what an object store wants a part to be at least.
const PART: usize = 8 << 20;

/// What a request is signed with where there are no regions.
const NO_REGION: &str = "us-east-1";

/// Objects by their names.
pub(crate) struct Store {
    operator: Operator,
    runtime: Runtime,
}

/// Why an object could not be had, or kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("{0}")]
    Refused(Box<opendal::Error>),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<opendal::Error> for StoreError {
    fn from(error: opendal::Error) -> StoreError {
        StoreError::Refused(Box::new(error))
    }
}

impl StoreError {
    /// What went wrong, in one line.
    pub(crate) fn line(&self) -> String {
        match self {
            StoreError::Refused(error) => {
                let source = std::error::Error::source(&**error).map(|source| format!(": {source}"));
                format!("{}{}", error.message(), source.unwrap_or_default()).replace('\n', " ")
            }
            StoreError::Io(error) => error.to_string(),
        }
    }
}

impl Store {
    /// The store at a place. Folders are relative to `root`.
    pub(crate) fn open(place: &Place, root: &Path) -> Result<Store, StoreError> {
        let runtime = runtime::Builder::new_current_thread().build()?;
        let operator = match &place.address {
            Address::Folder(folder) => {
                let folder = root.join(folder);
                let (folder, beside) = (folder.to_string_lossy(), folder.join(".parts"));
                // An object is there when all of it is.
                Operator::new(
                    services::Fs::default().root(&folder).atomic_write_dir(&beside.to_string_lossy()),
                )?
            }
            Address::S3 { bucket, prefix } => {
                let s3 = services::S3::default().bucket(bucket).root(prefix);
                let s3 = place.endpoint.iter().fold(s3, |s3, endpoint| s3.endpoint(endpoint));
                // A store at an address of its own has no regions; elsewhere the caller's settings say it.
                let region = place.region.as_deref().or(place.endpoint.is_some().then_some(NO_REGION));
                let s3 = region.into_iter().fold(s3, services::S3::region);
                Operator::new(s3)?
            }
        };
        let context = OperationContext::new().with_http_transport(HttpTransporter::new(Transport::default()));
        Ok(Store { operator: operator.with_context(context), runtime })
    }

    /// An object's content; none if there is no such object.
    pub(crate) fn read(&self, name: &str) -> Result<Option<impl Read + '_>, StoreError> {
        let found = self.runtime.block_on(async {
            let size = self.operator.stat(name).await?.content_length();
            Ok((size, self.operator.reader(name).await?))
        });
        match found {
            Ok((size, reader)) => {
                Ok(Some(Reading { store: self, reader, size, at: 0, part: io::Cursor::default() }))
            }
            Err(error) if opendal::Error::kind(&error) == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Keeps what `fill` writes under a name. An object is there whole, or not at all.
    pub(crate) fn write(
        &self,
        name: &str,
        fill: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), StoreError> {
        let writer = self.runtime.block_on(async { self.operator.writer_with(name).chunk(PART).await })?;
        let mut writing = Writing { store: self, writer };
        let filled = fill(&mut writing);
        let Writing { mut writer, .. } = writing;
        match filled {
            Ok(()) => {
                self.runtime.block_on(writer.close())?;
                Ok(())
            }
            Err(error) => {
                // The first error is the one to tell; what was begun is nobody's, and goes with the next tidying there.
                let _aborted = self.runtime.block_on(writer.abort());
                Err(error.into())
            }
        }
    }
}

struct Reading<'s> {
    store: &'s Store,
    reader: opendal::Reader,
    size: u64,
    at: u64,
    part: io::Cursor<Vec<u8>>,
}

impl Read for Reading<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.part.read(buffer)?;
        if read > 0 || buffer.is_empty() || self.at == self.size {
            return Ok(read);
        }
        let end = self.size.min(self.at + PART as u64);
        let part = self.store.runtime.block_on(self.reader.read(self.at..end)).map_err(io::Error::other)?;
        if part.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += part.len() as u64;
        self.part = io::Cursor::new(part.to_vec());
        self.part.read(buffer)
    }
}

struct Writing<'s> {
    store: &'s Store,
    writer: opendal::Writer,
}

impl Write for Writing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.store.runtime.block_on(self.writer.write(bytes.to_vec()));
        sent.map(|()| bytes.len()).map_err(io::Error::other)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
