//! `NAME | line`: whole lines, as soon as they are whole. A line is never torn, and one without an end is cut,
//! so no output makes memory grow.

use std::collections::HashMap;
use std::io;

use super::voice::Voice;
use super::{Console, Labels, Reporter};
use crate::model::event::{Event, EventKind, Stream};
use crate::model::name::JobId;

/// Where a line is cut, in bytes: longer ones are no longer read by people, and the tools that read them cope.
pub(super) const LINE: usize = 64 * 1024;

/// Names are filled up to the longest, but not beyond this many characters: the lines are what one reads.
const WIDEST: usize = 32;

/// `--output prefixed`.
pub(super) struct Prefixed<'a> {
    voice: Voice,
    console: Console<'a>,
    width: usize,
    /// The lines that have begun, each shorter than `LINE`.
    unfinished: HashMap<(JobId, Stream), Vec<u8>>,
    /// Lines on their way out; kept for its memory.
    text: Vec<u8>,
}

impl<'a> Prefixed<'a> {
    pub(super) fn new(labels: Labels, console: Console<'a>) -> Prefixed<'a> {
        let longest = labels.names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let width = longest.min(WIDEST);
        let voice = Voice::new(labels);
        Prefixed { voice, console, width, unfinished: HashMap::new(), text: Vec::new() }
    }

    fn prefix(&self, job: JobId) -> Vec<u8> {
        format!("{:width$} | ", self.voice.labels.name(job), width = self.width).into_bytes()
    }

    /// Writes the lines that `bytes` complete, in one piece, and keeps the rest.
    fn output(&mut self, job: JobId, stream: Stream, bytes: &[u8]) {
        let prefix = self.prefix(job);
        let line = self.unfinished.entry((job, stream)).or_default();
        self.text.clear();
        split(line, bytes, |begun, end| {
            self.text.extend_from_slice(&prefix);
            self.text.extend_from_slice(begun);
            self.text.extend_from_slice(end);
            self.text.push(b'\n');
        });
        self.console.write(stream, &self.text);
    }

    /// Ends the lines that `job` left unfinished.
    fn finish(&mut self, job: JobId) {
        for stream in [Stream::Out, Stream::Err] {
            if self.unfinished.get(&(job, stream)).is_some_and(|line| !line.is_empty()) {
                self.output(job, stream, b"\n");
            }
            self.unfinished.remove(&(job, stream));
        }
    }

    /// Ends every unfinished line: steps that settle what is owed speak after their job's end.
    fn finish_all(&mut self) {
        let mut jobs: Vec<JobId> = self.unfinished.keys().map(|(job, _)| *job).collect();
        jobs.sort_unstable();
        jobs.dedup();
        for job in jobs {
            self.finish(job);
        }
    }
}

impl Reporter for Prefixed<'_> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match &event.kind {
            EventKind::Output { job, stream, bytes } => self.output(*job, *stream, bytes),
            EventKind::JobEnded { job, .. } => self.finish(*job),
            EventKind::RunEnded { .. } => self.finish_all(),
            EventKind::RunStarted { .. }
            | EventKind::JobStarted { .. }
            | EventKind::StepStarted { .. }
            | EventKind::Note { .. }
            | EventKind::StepRetrying { .. }
            | EventKind::StepForgiven { .. }
            | EventKind::DeferredFailed { .. }
            | EventKind::LeftRunning { .. }
            | EventKind::Stopping { .. }
            | EventKind::SettleStarted { .. }
            | EventKind::SettleEnded { .. } => {}
        }
        if let Some(words) = self.voice.words(event) {
            self.console.say(&words);
        }
        self.console.result()
    }
}

/// Hands on every line that `bytes` complete, as its beginning in `line` and its end; `line` keeps the rest.
fn split(line: &mut Vec<u8>, bytes: &[u8], mut whole: impl FnMut(&[u8], &[u8])) {
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
