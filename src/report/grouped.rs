//! One job after the other, in the order of the plan: the same run is told in the same order every time.
//! The first job that has not ended speaks as it runs; what later ones say is held until it is their turn.

use std::io;
use std::path::PathBuf;

use super::held::{Held, Speaker};
use super::voice::Voice;
use super::{Console, Labels, Reporter};
use crate::model::event::{Event, EventKind, Stream, Summary};
use crate::model::name::JobId;

/// What sets a group off from the others, and what else depends on who reads.
pub(super) trait Frame: Send {
    /// Hears of every event before it is told.
    fn hear(&mut self, _event: &Event) {}

    /// Begins a group; the line before has ended.
    fn open(&mut self, job: JobId, voice: &Voice, console: &mut Console<'_>);

    /// Ends it.
    fn close(&mut self, _job: JobId, _console: &mut Console<'_>) {}

    /// Deploy's own words, as they are to be said.
    fn words(&self, words: String) -> String {
        words
    }

    /// What is to be said of a run's failures beside deploy's own words, in whole lines.
    fn annotate(&self, _summary: &Summary, _labels: &Labels) -> String {
        String::new()
    }
}

/// `--output grouped`: a line above each group.
pub(super) struct Heading;

impl Frame for Heading {
    fn open(&mut self, job: JobId, voice: &Voice, console: &mut Console<'_>) {
        console.say(&voice.heading(job));
    }
}

/// Tells group by group.
pub(super) struct Grouped<'a, F> {
    frame: F,
    voice: Voice,
    console: Console<'a>,
    held: Held,
    /// Each job's place in the order of groups.
    places: Vec<usize>,
    /// By place.
    ended: Vec<bool>,
    /// The first place whose job has not ended.
    turn: usize,
    /// Whose group is open.
    speaking: Option<JobId>,
}

impl<'a, F: Frame> Grouped<'a, F> {
    pub(super) fn new(frame: F, labels: Labels, console: Console<'a>, folder: PathBuf) -> Grouped<'a, F> {
        let mut places = vec![0; labels.names.len()];
        for (place, job) in labels.order.iter().enumerate() {
            places[job.index()] = place;
        }
        let ended = vec![false; labels.order.len()];
        let (voice, held) = (Voice::new(labels), Held::new(folder));
        Grouped { frame, voice, console, held, places, ended, turn: 0, speaking: None }
    }

    /// A job whose turn is, or was, may speak: steps that settle what is owed come after its end.
    fn hear(&mut self, job: JobId, speaker: Speaker, bytes: &[u8]) {
        if self.places[job.index()] <= self.turn {
            self.open(job);
            write(&mut self.console, speaker, bytes);
        } else {
            let result = self.held.add(job, speaker, bytes);
            self.console.note(result);
        }
    }

    fn open(&mut self, job: JobId) {
        if self.speaking == Some(job) {
            return;
        }
        self.close();
        // One job alone needs no setting off: it would only be hidden.
        if self.places.len() > 1 {
            self.frame.open(job, &self.voice, &mut self.console);
        }
        self.speaking = Some(job);
    }

    fn close(&mut self) {
        self.console.finish_line(Stream::Out);
        self.console.finish_line(Stream::Err);
        if let Some(job) = self.speaking.take()
            && self.places.len() > 1
        {
            self.frame.close(job, &mut self.console);
        }
    }

    fn job_ended(&mut self, job: JobId) {
        if self.speaking == Some(job) {
            self.close();
        }
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
            self.open(job);
            let console = &mut self.console;
            let result = self.held.release(job, |speaker, bytes| write(console, speaker, bytes));
            self.console.note(result);
            if self.ended[self.turn] {
                self.close();
            }
        }
    }
}

impl<F: Frame> Reporter for Grouped<'_, F> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.frame.hear(event);
        let words = self.voice.words(event).map(|words| self.frame.words(words));
        match &event.kind {
            EventKind::Output { job, stream, bytes, .. } => self.hear(*job, Speaker::Child(*stream), bytes),
            EventKind::JobEnded { job, .. } => self.job_ended(*job),
            EventKind::Note { job, .. }
            | EventKind::StepRetrying { job, .. }
            | EventKind::StepForgiven { job, .. }
            | EventKind::HostsDone { job, .. }
            | EventKind::DeferredFailed { job, .. }
            | EventKind::LeftRunning { job, .. } => {
                self.hear(*job, Speaker::Deploy, words.unwrap_or_default().as_bytes());
            }
            EventKind::RunEnded { summary } => {
                self.close();
                let annotations = self.frame.annotate(summary, &self.voice.labels);
                self.console.say(&(annotations + &words.unwrap_or_default()));
            }
            EventKind::RunStarted { .. }
            | EventKind::JobStarted { .. }
            | EventKind::StepStarted { .. }
            | EventKind::Stopping { .. }
            | EventKind::SettleStarted { .. }
            | EventKind::SettleEnded { .. }
            | EventKind::Released { .. } => {
                if let Some(words) = words {
                    self.close();
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
