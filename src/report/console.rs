//! Where a reporter writes. A console can't fail: it remembers the error of a writer, tells it once, and writes
//! no more there. So a closed pipe never leaves a reporter in the middle of something.

use std::io::{self, Write};

use crate::model::event::Stream;

/// Three writers: for the children's two streams and for deploy's own words.
pub(crate) struct Console<'a> {
    out: Sink<'a>,
    err: Sink<'a>,
    own: Sink<'a>,
    /// Whether the cursor stands in a line that a child began.
    is_mid_line: bool,
    error: Option<io::Error>,
}

struct Sink<'a> {
    /// `None` once it broke.
    writer: Option<Box<dyn Write + Send + 'a>>,
    /// Whether its last byte was not the end of a line.
    is_mid_line: bool,
}

impl<'a> Console<'a> {
    /// `own` takes styled words, and may go to the same place as `err`, whose bytes are left as they are.
    pub(crate) fn new(
        out: impl Write + Send + 'a,
        err: impl Write + Send + 'a,
        own: impl Write + Send + 'a,
    ) -> Console<'a> {
        Console {
            out: Sink::new(out),
            err: Sink::new(err),
            own: Sink::new(own),
            is_mid_line: false,
            error: None,
        }
    }

    /// Writes a child's bytes to the stream they came from, at once.
    pub(super) fn write(&mut self, stream: Stream, bytes: &[u8]) {
        let Some(last) = bytes.last() else { return };
        self.is_mid_line = *last != b'\n';
        let result = self.sink(stream).write(bytes);
        self.note(result);
    }

    /// Ends the line that a child left unfinished on `stream`, if it did.
    pub(super) fn finish_line(&mut self, stream: Stream) {
        if self.sink(stream).is_mid_line {
            self.write(stream, b"\n");
        }
    }

    /// Writes words of deploy's own, from the start of a line on.
    pub(super) fn say(&mut self, words: &str) {
        if self.is_mid_line {
            self.is_mid_line = false;
            let result = self.own.write(b"\n");
            self.note(result);
        }
        let result = self.own.write(words.as_bytes());
        self.note(result);
    }

    /// The error of a writer that has broken since this was last asked.
    pub(super) fn result(&mut self) -> io::Result<()> {
        match self.error.take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Remembers what went wrong, for `result`.
    pub(super) fn note(&mut self, result: io::Result<()>) {
        if let Err(error) = result {
            self.error.get_or_insert(error);
        }
    }

    fn sink(&mut self, stream: Stream) -> &mut Sink<'a> {
        match stream {
            Stream::Out => &mut self.out,
            Stream::Err => &mut self.err,
        }
    }
}

impl<'a> Sink<'a> {
    fn new(writer: impl Write + Send + 'a) -> Sink<'a> {
        Sink { writer: Some(Box::new(writer)), is_mid_line: false }
    }

    /// The flush makes a prompt or a progress bar visible, and keeps the streams in step.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.is_mid_line = bytes.last().is_some_and(|last| *last != b'\n');
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let result = writer.write_all(bytes).and_then(|()| writer.flush());
        if result.is_err() {
            self.writer = None;
        }
        result
    }
}
