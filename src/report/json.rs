//! One event, one object, one line, on standard output, for programs. Fields may be added; a change that breaks
//! a reader raises `v`. A child's bytes that are no UTF-8 are replaced, and `lossy` says so: whoever needs the
//! bytes has them in the run's log.

mod fact;

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use fact::{Fact, seconds};

use super::{Console, Labels, Reporter};
use crate::model::event::{Event, EventKind, Stream};
use crate::model::name::JobId;

/// The version of the lines.
const VERSION: u32 = 1;

/// Who prints: a job, or one host of it, on one of two streams.
type Source = (JobId, Option<Arc<str>>, Stream);

/// `--output json`.
pub(super) struct Json<'a> {
    labels: Labels,
    console: Console<'a>,
    /// The beginnings of characters whose end has not come yet: three bytes at most.
    unfinished: HashMap<Source, Vec<u8>>,
}

#[derive(Serialize)]
struct Line<'a> {
    v: u32,
    /// Seconds since the run began.
    at: f64,
    /// Whom it is about, of what is done on hosts.
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a str>,
    #[serde(flatten)]
    fact: Fact<'a>,
}

impl<'a> Json<'a> {
    pub(super) fn new(labels: Labels, console: Console<'a>) -> Json<'a> {
        Json { labels, console, unfinished: HashMap::new() }
    }

    /// Tells the characters that are whole.
    fn output(&mut self, at: Duration, source: Source, bytes: &[u8]) {
        let mut text = self.unfinished.remove(&source).unwrap_or_default();
        text.extend_from_slice(bytes);
        let rest = text.split_off(text.len() - incomplete(&text));
        self.write_text(at, &source, &text);
        if !rest.is_empty() {
            self.unfinished.insert(source, rest);
        }
    }

    /// Tells the characters that will not be whole any more, of one job or of all.
    fn finish(&mut self, at: Duration, of: Option<JobId>) {
        let sources = self.unfinished.keys().filter(|(job, ..)| of.is_none_or(|of| of == *job));
        let mut sources: Vec<_> = sources.cloned().collect();
        sources.sort_unstable();
        for source in sources {
            if let Some(rest) = self.unfinished.remove(&source) {
                self.write_text(at, &source, &rest);
            }
        }
    }

    fn write_text(&mut self, at: Duration, source: &Source, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let (job, host, stream) = source;
        let line = line(at, host.as_deref(), Fact::output(self.labels.name(*job), *stream, bytes));
        self.console.write(Stream::Out, &line);
    }
}

impl Reporter for Json<'_> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match &event.kind {
            EventKind::Output { job, host, stream, bytes } => {
                self.output(event.at, (*job, host.clone(), *stream), bytes);
            }
            EventKind::JobEnded { job, .. } => self.finish(event.at, Some(*job)),
            EventKind::RunEnded { .. } => self.finish(event.at, None),
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
        if let Some(fact) = Fact::of(&event.kind, &self.labels) {
            self.console.write(Stream::Out, &line(event.at, event.kind.host(), fact));
        }
        self.console.result()
    }
}

fn line(at: Duration, host: Option<&str>, fact: Fact<'_>) -> Vec<u8> {
    let line = Line { v: VERSION, at: seconds(at), host, fact };
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
