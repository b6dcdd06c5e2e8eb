//! One job after the other, in the order of the plan: the same run is told in the same order every time.
//! The first job that has not ended speaks as it runs; what later ones say is held until it is their turn.

use std::io;
use std::path::PathBuf;

use super::held::{Held, Speaker};
use super::voice::Voice;
use super::{Console, Labels, Reporter};
use crate::model::event::{Event, EventKind, Stream};
use crate::model::name::JobId;

/// `--output grouped`.
pub(super) struct Grouped<'a> {
    voice: Voice,
    console: Console<'a>,
    held: Held,
    /// Each job's place in the order of groups.
    places: Vec<usize>,
    /// By place.
    ended: Vec<bool>,
    /// The first place whose job has not ended.
    turn: usize,
    /// Whose heading was written last.
    speaking: Option<JobId>,
}

impl<'a> Grouped<'a> {
    pub(super) fn new(labels: Labels, console: Console<'a>, folder: PathBuf) -> Grouped<'a> {
        let mut places = vec![0; labels.names.len()];
        for (place, job) in labels.order.iter().enumerate() {
            places[job.index()] = place;
        }
        let ended = vec![false; labels.order.len()];
        let held = Held::new(folder);
        Grouped { voice: Voice::new(labels), console, held, places, ended, turn: 0, speaking: None }
    }

    /// A job whose turn is, or was, may speak: steps that settle what is owed come after its end.
    fn hear(&mut self, job: JobId, speaker: Speaker, bytes: &[u8]) {
        if self.places[job.index()] <= self.turn {
            self.head(job);
            write(&mut self.console, speaker, bytes);
        } else {
            let result = self.held.add(job, speaker, bytes);
            self.console.note(result);
        }
    }

    fn head(&mut self, job: JobId) {
        if self.speaking != Some(job) {
            self.finish_lines();
            if self.places.len() > 1 {
                self.console.say(&self.voice.heading(job));
            }
            self.speaking = Some(job);
        }
    }

    fn finish_lines(&mut self) {
        self.console.finish_line(Stream::Out);
        self.console.finish_line(Stream::Err);
    }

    fn job_ended(&mut self, job: JobId) {
        self.ended[self.places[job.index()]] = true;
        while self.ended.get(self.turn).is_some_and(|ended| *ended) {
            self.turn += 1;
            self.show_held();
        }
    }

    /// Shows what is held of the job whose turn it is.
    fn show_held(&mut self) {
        let Some(&job) = self.voice.labels.order.get(self.turn) else { return };
        if self.held.has(job) {
            self.head(job);
            let console = &mut self.console;
            let result = self.held.release(job, |speaker, bytes| write(console, speaker, bytes));
            self.console.note(result);
        }
    }
}

impl Reporter for Grouped<'_> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        let words = self.voice.words(event);
        match &event.kind {
            EventKind::Output { job, stream, bytes } => self.hear(*job, Speaker::Child(*stream), bytes),
            EventKind::JobEnded { job, .. } => self.job_ended(*job),
            EventKind::Note { job, .. }
            | EventKind::StepRetrying { job, .. }
            | EventKind::StepForgiven { job, .. }
            | EventKind::DeferredFailed { job, .. }
            | EventKind::LeftRunning { job, .. } => {
                self.hear(*job, Speaker::Deploy, words.unwrap_or_default().as_bytes());
            }
            EventKind::RunEnded { .. } => {
                self.finish_lines();
                self.console.say(&words.unwrap_or_default());
            }
            EventKind::RunStarted { .. }
            | EventKind::JobStarted { .. }
            | EventKind::StepStarted { .. }
            | EventKind::Stopping { .. }
            | EventKind::SettleStarted { .. }
            | EventKind::SettleEnded { .. } => {
                if let Some(words) = words {
                    self.console.say(&words);
                }
            }
        }
        self.console.result()
    }
}

fn write(console: &mut Console<'_>, speaker: Speaker, bytes: &[u8]) {
    match speaker {
        Speaker::Child(stream) => console.write(stream, bytes),
        Speaker::Deploy => console.say(&String::from_utf8_lossy(bytes)),
    }
}
