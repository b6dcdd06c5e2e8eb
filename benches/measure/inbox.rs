//! A pipe with a name: what other processes write there arrives in a channel, line by line, beside other news.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::thread::{self, JoinHandle};

use rustix::fs::{CWD, FileType, Mode, mknodat};

/// The line that ends the reading.
const OVER: &str = "over";

/// A pipe that is read until this is dropped.
pub(crate) struct Inbox {
    pipe: File,
    reader: Option<JoinHandle<()>>,
}

impl Inbox {
    /// Makes the pipe, and hands on each line that comes.
    pub(crate) fn open(path: &Path, mut line: impl FnMut(&str) + Send + 'static) -> Inbox {
        let pipe = named_pipe(path);
        let lines = BufReader::new(pipe.try_clone().expect("a pipe of ours")).lines();
        let reader = thread::spawn(move || {
            for text in lines.map_while(Result::ok).take_while(|text| text != OVER) {
                line(&text);
            }
        });
        Inbox { pipe, reader: Some(reader) }
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        let written = writeln!(self.pipe, "{OVER}");
        if let (Ok(()), Some(reader)) = (written, self.reader.take()) {
            // A reader that panicked has told why.
            let _told = reader.join();
        }
    }
}

/// A new pipe, open for both: neither side has to wait for the other to open, and what is written waits to be read.
pub(crate) fn named_pipe(path: &Path) -> File {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a new pipe");
    OpenOptions::new().read(true).write(true).open(path).expect("a pipe of ours")
}
