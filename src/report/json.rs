//! One event, one object, one line, on standard output, for programs. Fields may be added; a change that breaks
//! a reader raises `v`. A child's bytes that are no UTF-8 are replaced, and `lossy` says so: whoever needs the
//! bytes has them in the run's log.

mod fact;

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use serde::Serialize;

use fact::{Fact, seconds};

use super::{Console, Labels, Reporter};
use crate::model::event::{Event, EventKind, Stream};
use crate::model::name::JobId;

/// The version of the lines.
const VERSION: u32 = 1;

/// `--output json`.
pub(super) struct Json<'a> {
    labels: Labels,
    console: Console<'a>,
    /// The beginnings of characters whose end has not come yet: three bytes at most.
    unfinished: HashMap<(JobId, Stream), Vec<u8>>,
}

#[derive(Serialize)]
struct Line<'a> {
    v: u32,
    /// Seconds since the run began.
    at: f64,
    #[serde(flatten)]
    fact: Fact<'a>,
}

impl<'a> Json<'a> {
    pub(super) fn new(labels: Labels, console: Console<'a>) -> Json<'a> {
        Json { labels, console, unfinished: HashMap::new() }
    }

    /// Tells the characters that are whole.
    fn output(&mut self, at: Duration, job: JobId, stream: Stream, bytes: &[u8]) {
        let mut text = self.unfinished.remove(&(job, stream)).unwrap_or_default();
        text.extend_from_slice(bytes);
        let rest = text.split_off(text.len() - incomplete(&text));
        if !rest.is_empty() {
            self.unfinished.insert((job, stream), rest);
        }
        self.write_text(at, job, stream, &text);
    }

    /// Tells the characters that will not be whole any more.
    fn finish(&mut self, at: Duration, job: JobId) {
        for stream in [Stream::Out, Stream::Err] {
            if let Some(rest) = self.unfinished.remove(&(job, stream)) {
                self.write_text(at, job, stream, &rest);
            }
        }
    }

    fn finish_all(&mut self, at: Duration) {
        let mut jobs: Vec<JobId> = self.unfinished.keys().map(|(job, _)| *job).collect();
        jobs.sort_unstable();
        for job in jobs {
            self.finish(at, job);
        }
    }

    fn write_text(&mut self, at: Duration, job: JobId, stream: Stream, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let line = line(at, Fact::output(self.labels.name(job), stream, bytes));
        self.console.write(Stream::Out, &line);
    }
}

impl Reporter for Json<'_> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match &event.kind {
            EventKind::Output { job, stream, bytes } => self.output(event.at, *job, *stream, bytes),
            EventKind::JobEnded { job, .. } => self.finish(event.at, *job),
            EventKind::RunEnded { .. } => self.finish_all(event.at),
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
            | EventKind::SettleEnded { .. }
            | EventKind::Released { .. } => {}
        }
        if let Some(fact) = Fact::of(&event.kind, &self.labels) {
            self.console.write(Stream::Out, &line(event.at, fact));
        }
        self.console.result()
    }
}

fn line(at: Duration, fact: Fact<'_>) -> Vec<u8> {
    let line = Line { v: VERSION, at: seconds(at), fact };
    let mut bytes = serde_json::to_vec(&line).expect("text and numbers are JSON");
    bytes.push(b'\n');
    bytes
}

/// How many bytes at the end begin a character and don't end it.
fn incomplete(bytes: &[u8]) -> usize {
    let begins = |length: &usize| {
        let end = &bytes[bytes.len() - length..];
        str::from_utf8(end).is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
    };
    (1..=bytes.len().min(3)).find(begins).unwrap_or(0)
}
