//! One stream, sealed on its way to a store and opened on its way back: compressed by zstd, encrypted by `age`, counted and
//! hashed on both sides. Nothing of it is ever held whole.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{self, PipeReader, Read, Write, pipe};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use ring::digest::{Context, SHA256};
use zstd::zstd_safe::CParameter;

use crate::model::backup::Compress;
use crate::model::event::Stream;
use crate::process::{self, Command, End, Flow, Stdin, Stop};

/// How much `age` may say of what it could not do, in bytes.
const COMPLAINT: usize = 4096;

/// How many threads compress: whoever uses the machine meanwhile has the others.
const WORKERS: u32 = 1;

/// How much is compressed at once, in bytes. Some seven of it are in memory: zstd itself would take twice as much at a time.
const JOB: u32 = 4 << 20;

/// What knows how much went through it, and the SHA-256 of that: a writer, or a reader.
pub(crate) struct Counted<T> {
    inner: T,
    size: u64,
    context: Context,
}

impl<T> Counted<T> {
    pub(crate) fn new(inner: T) -> Counted<T> {
        Counted { inner, size: 0, context: Context::new(&SHA256) }
    }

    /// The size in bytes, and the digest in hexadecimal.
    pub(crate) fn finish(self) -> (u64, String) {
        let digest = self.context.finish();
        let hexadecimal = digest.as_ref().iter().fold(String::new(), |mut text, byte| {
            let _written = write!(text, "{byte:02x}");
            text
        });
        (self.size, hexadecimal)
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.context.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.context.update(&buffer[..read]);
        self.size += read as u64;
        Ok(read)
    }
}

/// The program `age`, where it is, and what it is told.
pub(crate) struct Age {
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
    pub(crate) dir: PathBuf,
    pub(crate) env: Arc<Vec<(OsString, OsString)>>,
}

impl Age {
    /// Runs it between a pipe and what `out` does with its output, to its end.
    fn run(
        &self,
        from: PipeReader,
        stop: &Stop,
        out: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let command = Command {
            args: self.args.clone(),
            env: Arc::clone(&self.env),
            stdin: Stdin::pipe(from),
            ..Command::new(&self.program, &self.dir)
        };
        let (mut failed, mut said) = (None, Vec::new());
        let ended = process::follow(&command, stop, &mut |stream, bytes| match stream {
            Stream::Out => match out(&bytes) {
                Ok(()) => Flow::On,
                Err(error) => {
                    failed = Some(error);
                    Flow::Kill
                }
            },
            Stream::Err => {
                said.extend(bytes.iter().take(COMPLAINT.saturating_sub(said.len())));
                Flow::On
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }
        match ended.map_err(io::Error::other)?.end {
            End::Exited(0) => Ok(()),
            End::Stopped => Err(io::ErrorKind::Interrupted.into()),
            End::Exited(_) | End::Signalled(_) | End::TimedOut | End::WantsTerminal => {
                let said = String::from_utf8_lossy(&said);
                let line = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("it failed");
                Err(io::Error::other(format!("age: {}", line.trim_start_matches("age: error: ").trim())))
            }
        }
    }
}

/// Seals what `fill` writes. What it wrote: its size and its digest.
pub(crate) fn seal(
    compress: Compress,
    age: Option<&Age>,
    stop: &Stop,
    out: &mut (dyn Write + Send),
    fill: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
) -> io::Result<(u64, String)> {
    let Some(age) = age else { return pressed(compress, out, fill) };
    let (reader, writer) = pipe()?;
    thread::scope(|scope| {
        let sealing = scope.spawn(move || age.run(reader, stop, &mut |bytes| out.write_all(bytes)));
        let filled = pressed(compress, writer, fill);
        let sealed = sealing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // Where `age` ended, what is written to it can only fail as well: its own word is the better one.
        match (filled, sealed) {
            (Err(error), Err(own)) if error.kind() == io::ErrorKind::BrokenPipe => Err(own),
            (Err(error), _) | (Ok(_), Err(error)) => Err(error),
            (Ok(plain), Ok(())) => Ok(plain),
        }
    })
}

fn pressed(
    compress: Compress,
    out: impl Write,
    fill: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
) -> io::Result<(u64, String)> {
    if compress == Compress::NONE {
        let mut plain = Counted::new(out);
        fill(&mut plain)?;
        plain.flush()?;
        return Ok(plain.finish());
    }
    let mut encoder = zstd::Encoder::new(out, compress.0)?;
    // What is cut off, or altered, is then told by `zstd -t` as well.
    encoder.include_checksum(true)?;
    // It compresses while we read, hash and write, as a program in a pipe would.
    encoder.multithread(WORKERS)?;
    encoder.set_parameter(CParameter::JobSize(JOB))?;
    let mut plain = Counted::new(encoder);
    fill(&mut plain)?;
    let Counted { inner, size, context } = plain;
    inner.finish()?.flush()?;
    Ok(Counted { inner: io::sink(), size, context }.finish())
}

/// Opens what `from` gives, and hands it on. What was handed on: its size and its digest.
pub(crate) fn open(
    is_compressed: bool,
    age: Option<&Age>,
    stop: &Stop,
    from: &mut (dyn Read + Send),
    out: &mut dyn Write,
) -> io::Result<(u64, String)> {
    let mut plain = Counted::new(out);
    {
        let mut opened: Box<dyn Write> = if is_compressed {
            Box::new(zstd::stream::write::Decoder::new(&mut plain)?)
        } else {
            Box::new(&mut plain)
        };
        match age {
            None => drop(io::copy(from, &mut opened)?),
            Some(age) => {
                let (reader, mut writer) = pipe()?;
                thread::scope(|scope| {
                    let feeding = scope.spawn(move || io::copy(from, &mut writer));
                    let read = age.run(reader, stop, &mut |bytes| opened.write_all(bytes));
                    let fed = feeding.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                    // Where `age` ended, what is written to it can only fail as well.
                    read.and(fed.map(drop))
                })?;
            }
        }
        opened.flush()?;
    }
    Ok(plain.finish())
}
