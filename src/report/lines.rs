//! Whole lines, made of bytes that end anywhere. A line without an end is cut, so no output makes memory grow.

use std::collections::BTreeMap;

use crate::model::event::Stream;
use crate::model::name::JobId;

/// Where a line is cut, in bytes: longer ones are no longer read by people, and the tools that read them cope.
pub(super) const LINE: usize = 64 * 1024;

/// The lines that have begun, each shorter than [`LINE`].
#[derive(Debug, Default)]
pub(super) struct Lines {
    begun: BTreeMap<(JobId, Stream), Vec<u8>>,
}

impl Lines {
    /// Hands on every line that `bytes` complete, as its beginning and its end, without the newline.
    pub(super) fn add(
        &mut self,
        job: JobId,
        stream: Stream,
        bytes: &[u8],
        mut whole: impl FnMut(&[u8], &[u8]),
    ) {
        let line = self.begun.entry((job, stream)).or_default();
        let mut rest = bytes;
        while !rest.is_empty() {
            let room = LINE - line.len();
            let reach = &rest[..rest.len().min(room)];
            let used = match memchr::memchr(b'\n', reach) {
                Some(end) => {
                    whole(line, &reach[..end]);
                    end + 1
                }
                None if reach.len() == room => {
                    whole(line, reach);
                    room
                }
                None => {
                    line.extend_from_slice(reach);
                    return;
                }
            };
            line.clear();
            rest = &rest[used..];
        }
    }

    /// Lets go of the lines that `job` left unfinished.
    pub(super) fn rest(&mut self, job: JobId) -> Vec<Rest> {
        let of = |stream| Some(Rest { job, stream, line: self.begun.remove(&(job, stream))? });
        let rests = [Stream::Out, Stream::Err].into_iter().filter_map(of);
        rests.filter(|rest| !rest.line.is_empty()).collect()
    }

    /// Lets go of every unfinished line: steps that settle what is owed speak after their job's end.
    pub(super) fn rests(&mut self) -> Vec<Rest> {
        let begun = std::mem::take(&mut self.begun).into_iter();
        let rests = begun.map(|((job, stream), line)| Rest { job, stream, line });
        rests.filter(|rest| !rest.line.is_empty()).collect()
    }
}

/// A line that has begun and will not end.
pub(super) struct Rest {
    pub(super) job: JobId,
    pub(super) stream: Stream,
    pub(super) line: Vec<u8>,
}
