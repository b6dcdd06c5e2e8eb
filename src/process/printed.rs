//! The end of a pipe at which we read what a child prints.

use std::io::{self, PipeReader};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::buffer::spare_capacity;
use rustix::io::Errno;

/// What a pipe holds unless it is told otherwise.
const SMALL: usize = 64 * 1024;

/// What the pipe of a child holds that prints much: with less of it, it waits for us, and we for it, too often.
pub(super) const LARGE: usize = 256 * 1024;

/// What one of a child's streams brings.
pub(super) struct Printed {
    pipe: PipeReader,
    /// Never less than the pipe holds: so one read after the end of the child takes all that it wrote.
    most: usize,
}

impl Printed {
    pub(super) fn new(pipe: PipeReader) -> Printed {
        Printed { pipe, most: SMALL }
    }

    /// The next piece; an empty one at the end, and nothing if a signal came first.
    pub(super) fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::with_capacity(self.most);
        match rustix::io::read(&self.pipe, spare_capacity(&mut bytes)) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        if bytes.len() >= SMALL && self.most == SMALL {
            self.most = LARGE;
            enlarge(&self.pipe);
        }
        Ok(Some(bytes))
    }
}

impl AsFd for Printed {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }
}

#[cfg(target_os = "linux")]
fn enlarge(pipe: &PipeReader) {
    // It is refused to who has very many pipes; then it stays as it is.
    let _size = rustix::pipe::fcntl_setpipe_size(pipe, LARGE);
}

#[cfg(not(target_os = "linux"))]
fn enlarge(_: &PipeReader) {}
