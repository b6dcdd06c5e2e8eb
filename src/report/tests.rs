//! What every format says of any run.

mod ci;
mod formats;
mod json;
mod properties;
mod spilling;
mod writers;

use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;

use super::{Ci, Console, Format, Labels, reporter};
use crate::diagnostic::{Source, Span};
use crate::model::event::{Event, EventKind, Failed, Failure, Outcome, Stream, Summary};
use crate::model::name::{JobId, RunId};
use crate::model::release::ObjectId;

const A: JobId = JobId(0);
const B: JobId = JobId(1);
const C: JobId = JobId(2);

/// Bytes that several writers share.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }

    fn text(&self) -> String {
        String::from_utf8(self.bytes()).unwrap()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a run looked like: each writer by itself, and all on one screen.
struct Told {
    out: Vec<u8>,
    err: Vec<u8>,
    own: String,
    screen: String,
}

fn tell(format: &Format, labels: &Labels, events: &[Event]) -> Told {
    let [out, err, own, screen] = [(); 4].map(|()| Shared::default());
    let apart = Console::new(
        out.clone(),
        err.clone(),
        anstream::StripStream::new(Box::new(own.clone()) as Box<dyn Write + Send>),
    );
    let together = Console::new(
        screen.clone(),
        screen.clone(),
        anstream::StripStream::new(Box::new(screen.clone()) as Box<dyn Write + Send>),
    );
    for console in [apart, together] {
        let mut reporter = reporter(format.clone(), labels.clone(), console);
        for event in events {
            reporter.event(event).unwrap();
        }
    }
    let screen = String::from_utf8_lossy(&screen.0.lock().unwrap()).into_owned();
    Told { out: out.bytes(), err: err.bytes(), own: own.text(), screen }
}

/// Every format; those that hold output have a folder.
fn formats(folder: &Path) -> [Format; 7] {
    [
        Format::Stream,
        Format::Prefixed,
        Format::Grouped(folder.to_owned()),
        Format::Folded(Ci::GitHub, began(), folder.to_owned()),
        Format::Folded(Ci::GitLab, began(), folder.to_owned()),
        Format::Quiet(folder.to_owned()),
        Format::Json,
    ]
}

/// When every run of these tests began.
fn began() -> Timestamp {
    Timestamp::from_second(1_785_000_000).unwrap()
}

/// Each name is a job that comes behind those before it; the step of job N is on line N + 1 of `tasks.toml`.
fn labels(names: &[&str]) -> Labels {
    Labels {
        names: names.iter().map(|&name| name.to_owned()).collect(),
        order: (0..names.len()).map(JobId::new).collect(),
        sources: vec![Source::new("tasks.toml", "\n".repeat(names.len()))],
    }
}

/// Events, the one tenths of a second after the other.
fn events(kinds: impl IntoIterator<Item = EventKind>) -> Vec<Event> {
    let at = |index: usize| Duration::from_millis(100 * u64::try_from(index).unwrap());
    kinds.into_iter().enumerate().map(|(index, kind)| Event { at: at(index), kind }).collect()
}

fn out(job: JobId, bytes: &str) -> EventKind {
    EventKind::Output { job, host: None, stream: Stream::Out, bytes: bytes.into() }
}

fn err(job: JobId, bytes: &str) -> EventKind {
    EventKind::Output { job, host: None, stream: Stream::Err, bytes: bytes.into() }
}

fn note(job: JobId, text: &str) -> EventKind {
    EventKind::Note { job, host: None, text: text.into() }
}

fn started(job: JobId) -> EventKind {
    EventKind::JobStarted { job }
}

fn ended(job: JobId, outcome: &Outcome) -> EventKind {
    EventKind::JobEnded { job, outcome: outcome.clone(), took: Duration::from_millis(1_200) }
}

fn run_started() -> EventKind {
    EventKind::RunStarted { run: RunId("20260804-1".into()) }
}

fn run_ended(outcomes: &[Outcome]) -> EventKind {
    let outcomes = outcomes.to_vec();
    EventKind::RunEnded {
        summary: Summary { outcomes, signal: None, still_owed: 0, took: Duration::from_secs(125) },
    }
}

fn failed(job: JobId, step: &str, failure: Failure) -> Outcome {
    let at = Span::new(0, job.index()..job.index());
    Outcome::Failed(Failed { step: step.into(), at, failure })
}

fn released() -> EventKind {
    EventKind::Released {
        restores: None,
        environment: "staging".into(),
        number: 3,
        source: ObjectId::parse(&format!("1a2b3c4d{}", "0".repeat(32))).unwrap(),
        subject: "Add shipping".into(),
        took: Duration::from_secs(12),
    }
}
