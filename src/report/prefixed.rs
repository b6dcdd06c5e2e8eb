//! `NAME | line`: whole lines, as soon as they are whole. A line is never torn.

use std::io;

use super::lines::{Lines, Rest};
use super::voice::Voice;
use super::{Console, Labels, Reporter};
use crate::model::event::{Event, EventKind, Stream};
use crate::model::name::JobId;

/// Names are filled up to the longest, but not beyond this many characters: the lines are what one reads.
const WIDEST: usize = 32;

/// `--output prefixed`.
pub(super) struct Prefixed<'a> {
    voice: Voice,
    console: Console<'a>,
    width: usize,
    lines: Lines,
    /// Lines on their way out; kept for its memory.
    text: Vec<u8>,
}

impl<'a> Prefixed<'a> {
    pub(super) fn new(labels: Labels, console: Console<'a>) -> Prefixed<'a> {
        let longest = labels.names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let width = longest.min(WIDEST);
        let voice = Voice::new(labels);
        Prefixed { voice, console, width, lines: Lines::default(), text: Vec::new() }
    }

    /// Writes the lines that `bytes` complete, in one piece.
    fn output(&mut self, job: JobId, stream: Stream, bytes: &[u8]) {
        let prefix = self.prefix(job);
        self.text.clear();
        self.lines.add(job, stream, bytes, |begun, end| {
            self.text.extend_from_slice(&prefix);
            self.text.extend_from_slice(begun);
            self.text.extend_from_slice(end);
            self.text.push(b'\n');
        });
        self.console.write(stream, &self.text);
    }

    fn prefix(&self, job: JobId) -> Vec<u8> {
        format!("{:width$} | ", self.voice.labels.name(job), width = self.width).into_bytes()
    }

    /// Writes lines that were left unfinished.
    fn finish(&mut self, rests: Vec<Rest>) {
        for Rest { job, stream, line } in rests {
            self.console.write(stream, &[&self.prefix(job), line.as_slice(), b"\n"].concat());
        }
    }
}

impl Reporter for Prefixed<'_> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match &event.kind {
            EventKind::Output { job, stream, bytes, .. } => self.output(*job, *stream, bytes),
            EventKind::JobEnded { job, .. } => {
                let rests = self.lines.rest(*job);
                self.finish(rests);
            }
            EventKind::RunEnded { .. } => {
                let rests = self.lines.rests();
                self.finish(rests);
            }
            EventKind::RunStarted { .. }
            | EventKind::JobStarted { .. }
            | EventKind::StepStarted { .. }
            | EventKind::Note { .. }
            | EventKind::StepRetrying { .. }
            | EventKind::StepForgiven { .. }
            | EventKind::HostsDone { .. }
            | EventKind::DeferredFailed { .. }
            | EventKind::LeftRunning { .. }
            | EventKind::Stopping { .. }
            | EventKind::SettleStarted { .. }
            | EventKind::SettleEnded { .. }
            | EventKind::Released { .. } => {}
        }
        if let Some(words) = self.voice.words(event) {
            self.console.say(&words);
        }
        self.console.result()
    }
}
