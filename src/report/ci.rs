//! For the log of a CI server: groups that it folds, and an annotation for each job that failed. Jobs come in the
//! order of the plan, in whole lines, so that a line of a child that is a command to the server (`::add-mask::…`)
//! stays one. What deploy says of its own accord never is one.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use super::grouped::{Frame, Grouped};
use super::lines::{Lines, Rest};
use super::summary::reasons;
use super::voice::{Voice, how};
use super::words::first_line;
use super::{Console, Labels, Reporter};
use crate::model::event::{Event, EventKind, Failed, Outcome, Stream, Summary};
use crate::model::name::JobId;

/// CI servers that fold output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ci {
    GitHub,
    GitLab,
}

/// `--output auto` on a CI server.
pub(super) struct Folded<'a> {
    grouped: Grouped<'a, Fold>,
    lines: Lines,
}

impl<'a> Folded<'a> {
    /// The servers read one stream: `console` is to write to one place, or what is in a group may fall out of it.
    pub(super) fn new(
        server: Ci,
        began: Timestamp,
        labels: Labels,
        console: Console<'a>,
        folder: PathBuf,
    ) -> Self {
        let grouped = Grouped::new(Fold::new(server, began), labels, console, folder);
        Folded { grouped, lines: Lines::default() }
    }

    fn output(&mut self, at: Duration, job: JobId, stream: Stream, bytes: Vec<u8>) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.grouped.event(&Event { at, kind: EventKind::Output { job, host: None, stream, bytes } })
    }

    /// Tells lines that were left unfinished, and then the event that says so.
    fn finish(&mut self, rests: Vec<Rest>, event: &Event) -> io::Result<()> {
        let mut result = Ok(());
        for Rest { job, stream, mut line } in rests {
            line.push(b'\n');
            result = result.and(self.output(event.at, job, stream, line));
        }
        result.and(self.grouped.event(event))
    }
}

impl Reporter for Folded<'_> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match &event.kind {
            EventKind::Output { job, stream, bytes, .. } => {
                let mut whole = Vec::new();
                self.lines.add(*job, *stream, bytes, |begun, end| {
                    whole.extend_from_slice(begun);
                    whole.extend_from_slice(end);
                    whole.push(b'\n');
                });
                self.output(event.at, *job, *stream, whole)
            }
            EventKind::JobEnded { job, .. } => {
                let rests = self.lines.rest(*job);
                self.finish(rests, event)
            }
            EventKind::RunEnded { .. } => {
                let rests = self.lines.rests();
                self.finish(rests, event)
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
            | EventKind::Released { .. } => self.grouped.event(event),
        }
    }
}

/// The server's own way to set off a group.
struct Fold {
    server: Ci,
    began: Timestamp,
    run: String,
    /// When the jobs began and ended whose groups have not been closed yet.
    times: HashMap<JobId, (Duration, Option<Duration>)>,
    now: Duration,
    /// How many groups were opened: it makes their names unique.
    opened: usize,
}

impl Fold {
    fn new(server: Ci, began: Timestamp) -> Fold {
        let (times, now) = (HashMap::new(), Duration::ZERO);
        Fold { server, began, run: String::new(), times, now, opened: 0 }
    }

    /// GitLab shows how long a section took, by the times that it is told.
    fn section(&self, mark: &str, at: Duration, title: &str) -> String {
        let second = (self.began + at).as_second();
        format!("\x1b[0Ksection_{mark}:{second}:deploy-{}-{}\r\x1b[0K{title}\n", self.run, self.opened)
    }
}

impl Frame for Fold {
    fn hear(&mut self, event: &Event) {
        self.now = event.at;
        if let EventKind::RunStarted { run } = &event.kind {
            self.run.clone_from(&run.0);
        } else if let EventKind::JobStarted { job } = &event.kind {
            self.times.insert(*job, (event.at, None));
        } else if let EventKind::JobEnded { job, .. } = &event.kind
            && let Some((_, end)) = self.times.get_mut(job)
        {
            *end = Some(event.at);
        }
    }

    fn open(&mut self, job: JobId, voice: &Voice, console: &mut Console<'_>) {
        self.opened += 1;
        let name = voice.labels.name(job);
        let mark = match self.server {
            Ci::GitHub => format!("::group::{}\n", data(name)),
            Ci::GitLab => {
                let start = self.times.get(&job).map_or(self.now, |(start, _)| *start);
                self.section("start", start, name)
            }
        };
        console.write(Stream::Out, mark.as_bytes());
    }

    fn close(&mut self, job: JobId, console: &mut Console<'_>) {
        let mark = match self.server {
            Ci::GitHub => "::endgroup::\n".to_owned(),
            Ci::GitLab => {
                let end = self.times.get(&job).and_then(|(_, end)| *end);
                self.section("end", end.unwrap_or(self.now), "")
            }
        };
        // What it says from now on is in another group, of its own time.
        self.times.remove(&job);
        console.write(Stream::Out, mark.as_bytes());
    }

    fn words(&self, words: String) -> String {
        let words = words.replace('\r', "");
        match self.server {
            Ci::GitHub => words.replace("##[", "## [").split_inclusive('\n').map(no_command).collect(),
            Ci::GitLab => words,
        }
    }

    fn annotate(&self, summary: &Summary, labels: &Labels) -> String {
        let mut text = String::new();
        for (index, outcome) in summary.outcomes.iter().enumerate() {
            if let (Ci::GitHub, Outcome::Failed(failed)) = (self.server, outcome) {
                text += &annotation(labels.name(JobId::new(index)), failed, labels);
            }
        }
        text
    }
}

/// Shown beside the line of the file that the step stands in, and above the log.
fn annotation(name: &str, failed: &Failed, labels: &Labels) -> String {
    let mut text = "::error ".to_owned();
    if let Some((path, line)) = labels.line(failed.at) {
        let _written = write!(text, "file={},line={line},", property(path));
    }
    let mut message = format!("`{}` {}", first_line(&failed.step), how(&failed.failure));
    let (why, help) = reasons(&failed.failure);
    for reason in why.iter().chain(&help) {
        let _written = write!(message, "\n{}", reason.trim_end());
    }
    let _written = writeln!(text, "title={}::{}", property(name), data(&message));
    text
}

/// A value behind a command's `::`, as GitHub takes it.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A value of one of a command's properties.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// The line, so that GitHub does not take it for a command: a `::` before which there is nothing to see.
fn no_command(line: &str) -> String {
    match line.split_once("::") {
        Some((before, after)) if !before.contains(|c: char| c.is_ascii_graphic()) => {
            format!("{before}: :{after}")
        }
        Some(_) | None => line.to_owned(),
    }
}
