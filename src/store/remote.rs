//! An object store, asked by opendal. It has a runtime of its own, which nobody else sees: who calls waits on its own
//! thread, looks at its `stop` meanwhile, and leaves a request that hangs to its timeout.

use std::io::{self, Read, Write};
use std::pin::pin;
use std::time::Duration;

use opendal::{ErrorKind, HttpTransporter, OperationContext, Operator};
use tokio::runtime::{self, Runtime};
use tokio::time::timeout;

use super::service::Bucket;
use super::transport::Transport;
use super::{Before, Content, Fill, Object, StoreError};
use crate::model::store::Service;
use crate::process::{Level, Stop};

/// How much of an object is read, or sent, at once, in bytes: what an object store wants a part to be at least.
const PART: usize = 8 << 20;

/// After so many parts the next ones are twice as large: S3 takes 10,000 parts of an object, which makes 8 TB, and a part
/// is never more than about a thousandth of what was sent.
const PARTS_OF_A_SIZE: usize = 1000;

/// How often a part is asked for that was cut while it came.
const TRIES: u32 = 3;

/// How often we look whether the run stops while a request is under way.
const LOOK: Duration = Duration::from_millis(50);

/// How long what was begun may take to be given up.
const ABORT: Duration = Duration::from_secs(2);

pub(super) struct Remote {
    operator: Operator,
    runtime: Runtime,
    /// As one says it: its place.
    said: String,
    service: Service,
}

impl Remote {
    pub(super) fn open(bucket: &Bucket<'_>) -> Result<Remote, StoreError> {
        let Bucket { place, service, .. } = *bucket;
        let act = format!("open {place}");
        let runtime = runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.map_err(|error| StoreError::of_file(&act, &error))?;
        let operator = bucket.operator().map_err(|error| StoreError::of_service(&act, service, &error))?;
        let transport = HttpTransporter::new(Transport::new(place.endpoint.as_deref()));
        let operator = operator.with_context(OperationContext::new().with_http_transport(transport));
        Ok(Remote { operator, runtime, said: place.to_string(), service })
    }

    pub(super) fn size(&self, name: &str, stop: &Stop) -> Result<Option<u64>, StoreError> {
        let asked = self.ask(stop, self.operator.stat(name))?;
        Ok(self.found("look for", name, asked)?.map(|data| data.content_length()))
    }

    pub(super) fn read<'s>(&'s self, name: &str, stop: &'s Stop) -> Result<Option<Content<'s>>, StoreError> {
        let asked = self.ask(stop, async {
            let data = self.operator.stat(name).await?;
            // So that its parts are those of one object.
            let reader = self.operator.reader_with(name);
            let reader = match data.etag() {
                Some(tag) => reader.if_match(tag),
                None => reader,
            };
            Ok((data, reader.await?))
        })?;
        let Some((data, reader)) = self.found("read", name, asked)? else { return Ok(None) };
        let size = data.content_length();
        let modified = data.last_modified().map(|at| at.into_inner().as_second());
        let modified = modified.and_then(|at| u64::try_from(at).ok()).unwrap_or_default();
        let part = io::Cursor::default();
        let reader = Reading { remote: self, stop, name: name.to_owned(), reader, size, at: 0, part };
        Ok(Some(Content { size, modified, reader: Box::new(reader) }))
    }

    pub(super) fn put(
        &self,
        name: &str,
        before: Before,
        stop: &Stop,
        fill: Fill<'_>,
    ) -> Result<(), StoreError> {
        // The condition counts when the last part is sent; that much need not be sent for nothing.
        if before == Before::Kept && self.size(name, stop)?.is_some() {
            return Err(self.taken(name));
        }
        let begun = self.ask(stop, async {
            self.operator
                .writer_with(name)
                .if_not_exists(before == Before::Kept && self.knows_conditions())
                .await
        })?;
        let writer = begun.map_err(|error| self.failed("write", name, &error))?;
        let mut writing = Writing { remote: self, stop, name, writer, part: Vec::new(), sent: 0 };
        match fill(&mut writing).map_err(StoreError::from).and_then(|()| writing.close()) {
            Ok(()) => Ok(()),
            Err(error) => {
                // The first error is the one to tell; what was begun is nobody's, and is listed nowhere.
                let abort = async { timeout(ABORT, writing.writer.abort()).await };
                let _aborted = self.runtime.block_on(abort);
                Err(error)
            }
        }
    }

    pub(super) fn list(&self, prefix: &str, stop: &Stop) -> Result<Vec<Object>, StoreError> {
        let listed = self.ask(stop, self.operator.list_with(prefix).recursive(true).into_future())?;
        // Where nothing is there is an empty list: what is not found is the bucket.
        let entries = listed.map_err(|error| self.failed("list", prefix, &error))?;
        let files = entries.into_iter().filter(|entry| entry.metadata().is_file());
        Ok(files
            .map(|entry| {
                let data = entry.metadata();
                let changed = || data.last_modified().map(|at| at.to_string());
                Object {
                    name: entry.path().to_owned(),
                    size: data.content_length(),
                    tag: data.etag().map(str::to_owned).or_else(changed),
                }
            })
            .collect())
    }

    pub(super) fn delete(&self, name: &str, stop: &Stop) -> Result<(), StoreError> {
        let asked = self.ask(stop, self.operator.delete(name))?;
        self.found("delete", name, asked).map(drop)
    }

    /// Whether the service looks by itself whether something is there, at the moment that it is put there. Spaces does not
    /// say that it does.
    fn knows_conditions(&self) -> bool {
        match self.service {
            Service::S3 | Service::Google | Service::Azure => true,
            Service::Spaces => false,
        }
    }

    /// Waits for an answer, unless it is stopped meanwhile.
    fn ask<T>(&self, stop: &Stop, question: impl Future<Output = T>) -> Result<T, StoreError> {
        self.runtime.block_on(async {
            let mut question = pin!(question);
            loop {
                if stop.level() > Level::Go {
                    return Err(StoreError::Stopped);
                }
                if let Ok(answer) = timeout(LOOK, &mut question).await {
                    return Ok(answer);
                }
            }
        })
    }

    fn found<T>(&self, act: &str, name: &str, asked: opendal::Result<T>) -> Result<Option<T>, StoreError> {
        match asked {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed(act, name, &error)),
        }
    }

    fn failed(&self, act: &str, name: &str, error: &opendal::Error) -> StoreError {
        if error.kind() == ErrorKind::ConditionNotMatch {
            return self.taken(name);
        }
        match name {
            "" => StoreError::of_service(&format!("{act} {}", self.said), self.service, error),
            name => StoreError::of_service(&format!("{act} `{name}` in {}", self.said), self.service, error),
        }
    }

    fn taken(&self, name: &str) -> StoreError {
        StoreError::Taken { store: self.said.clone(), name: name.to_owned() }
    }
}

struct Reading<'s> {
    remote: &'s Remote,
    stop: &'s Stop,
    name: String,
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
        let mut tries = 0;
        let part = loop {
            tries += 1;
            match self.remote.ask(self.stop, self.reader.read(self.at..end))? {
                Ok(part) => break part,
                Err(error) if error.is_temporary() && tries < TRIES => {}
                Err(error) if error.kind() == ErrorKind::ConditionNotMatch => {
                    let act = format!("read `{}` in {}", self.name, self.remote.said);
                    let why = "it was replaced while it was read".to_owned();
                    return Err(StoreError::Failed { act, why, help: "try again".to_owned() }.into());
                }
                Err(error) => return Err(self.remote.failed("read", &self.name, &error).into()),
            }
        };
        if part.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += part.len() as u64;
        self.part = io::Cursor::new(part.to_vec());
        self.part.read(buffer)
    }
}

struct Writing<'s> {
    remote: &'s Remote,
    stop: &'s Stop,
    name: &'s str,
    writer: opendal::Writer,
    part: Vec<u8>,
    sent: usize,
}

/// How much the next part takes, after so many.
pub(super) fn part_size(sent: usize) -> usize {
    PART << (sent / PARTS_OF_A_SIZE)
}

impl Writing<'_> {
    fn send(&mut self) -> Result<(), StoreError> {
        let part = std::mem::take(&mut self.part);
        let asked = self.remote.ask(self.stop, self.writer.write(part))?;
        asked.map_err(|error| self.remote.failed("write", self.name, &error))?;
        self.sent += 1;
        Ok(())
    }

    fn close(&mut self) -> Result<(), StoreError> {
        if !self.part.is_empty() {
            self.send()?;
        }
        let asked = self.remote.ask(self.stop, self.writer.close())?;
        asked.map(drop).map_err(|error| self.remote.failed("write", self.name, &error))
    }
}

impl Write for Writing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let full = part_size(self.sent);
        let taken = bytes.len().min(full - self.part.len());
        self.part.extend_from_slice(&bytes[..taken]);
        if self.part.len() == full {
            self.send()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
