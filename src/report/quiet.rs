//! Nothing, unless a job fails; then all that it said, and the last lines of the run.

use std::io;
use std::path::PathBuf;

use super::held::{Held, Speaker};
use super::voice::Voice;
use super::{Console, Labels, Reporter};
use crate::model::event::{Event, EventKind, Outcome, Stream, Summary};
use crate::model::name::JobId;

/// `--output quiet`.
pub(super) struct Quiet<'a> {
    voice: Voice,
    console: Console<'a>,
    held: Held,
}

impl<'a> Quiet<'a> {
    pub(super) fn new(labels: Labels, console: Console<'a>, folder: PathBuf) -> Quiet<'a> {
        Quiet { voice: Voice::new(labels), console, held: Held::new(folder) }
    }

    fn hold(&mut self, job: JobId, speaker: Speaker, bytes: &[u8]) {
        let result = self.held.add(job, speaker, bytes);
        self.console.note(result);
    }

    fn job_ended(&mut self, job: JobId, outcome: &Outcome) {
        match outcome {
            Outcome::Failed(_) => self.show(job),
            Outcome::Succeeded | Outcome::Fresh | Outcome::Skipped { .. } | Outcome::Stopped => {
                let result = self.held.forget(job);
                self.console.note(result);
            }
        }
    }

    fn show(&mut self, job: JobId) {
        if !self.held.has(job) {
            return;
        }
        if self.voice.labels.names.len() > 1 {
            self.console.say(&self.voice.heading(job));
        }
        let console = &mut self.console;
        let result = self.held.release(job, |speaker, bytes| match speaker {
            Speaker::Child(stream) => console.write(stream, bytes),
            Speaker::Deploy => console.say(&String::from_utf8_lossy(bytes)),
        });
        self.console.note(result);
        self.console.finish_line(Stream::Out);
        self.console.finish_line(Stream::Err);
    }

    /// What was said after the ends of jobs, by steps that settled what is owed, matters if some is still owed.
    fn run_ended(&mut self, summary: &Summary, words: Option<String>) {
        if summary.still_owed > 0 {
            for index in 0..self.voice.labels.order.len() {
                self.show(self.voice.labels.order[index]);
            }
        }
        if !summary.succeeded() {
            self.console.say(&words.unwrap_or_default());
        }
    }
}

impl Reporter for Quiet<'_> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        let words = self.voice.words(event);
        match &event.kind {
            EventKind::Output { job, stream, bytes, .. } => self.hold(*job, Speaker::Child(*stream), bytes),
            EventKind::JobEnded { job, outcome, .. } => self.job_ended(*job, outcome),
            EventKind::Note { job, .. }
            | EventKind::StepRetrying { job, .. }
            | EventKind::StepForgiven { job, .. }
            | EventKind::HostsDone { job, .. }
            | EventKind::DeferredFailed { job, .. }
            | EventKind::LeftRunning { job, .. } => {
                self.hold(*job, Speaker::Deploy, words.unwrap_or_default().as_bytes());
            }
            EventKind::Stopping { .. } => self.console.say(&words.unwrap_or_default()),
            EventKind::RunEnded { summary } => self.run_ended(summary, words),
            EventKind::RunStarted { .. }
            | EventKind::JobStarted { .. }
            | EventKind::StepStarted { .. }
            | EventKind::SettleStarted { .. }
            | EventKind::SettleEnded { .. }
            | EventKind::Released { .. } => {}
        }
        self.console.result()
    }
}
