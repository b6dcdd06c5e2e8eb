//! Secrets are taken out of what the engine tells, here and nowhere else: out of what processes print, and out of every
//! sentence that may quote them. A run without secrets passes through untouched.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::model::event::{EventKind, Failed, Failure, Outcome, Stream};
use crate::model::mask::{self, Masker};
use crate::model::name::JobId;

/// After how long a silence the few held bytes that are no secret yet are shown.
const SILENCE: Duration = Duration::from_millis(20);

/// What each job's streams hold back.
pub(super) struct Masks<'a> {
    masker: Option<&'a Masker>,
    streams: BTreeMap<(JobId, Stream), mask::Stream>,
    /// When the silence is long enough, if anything waits for it.
    pub(super) due: Option<Instant>,
}

impl<'a> Masks<'a> {
    pub(super) fn new(masker: Option<&'a Masker>) -> Masks<'a> {
        Masks { masker, streams: BTreeMap::new(), due: None }
    }

    /// Tells an event without secrets, after what its job's streams still held if it ends them.
    pub(super) fn pass(&mut self, mut kind: EventKind, tell: &mut dyn FnMut(EventKind)) {
        let Some(masker) = self.masker else { return tell(kind) };
        match &mut kind {
            EventKind::Output { job, stream, bytes } => {
                let (job, stream) = (*job, *stream);
                let held = self.streams.entry((job, stream)).or_default();
                *bytes = held.push(masker, std::mem::take(bytes));
                if held.waits(masker) {
                    self.due = Some(Instant::now() + SILENCE);
                }
                if bytes.is_empty() {
                    return;
                }
            }
            EventKind::StepStarted { job, step } | EventKind::LeftRunning { job, step } => {
                self.end(masker, *job, tell);
                masker.hide(step);
            }
            EventKind::StepRetrying { job, step, failure, .. }
            | EventKind::StepForgiven { job, step, failure }
            | EventKind::DeferredFailed { job, step, failure, .. } => {
                self.end(masker, *job, tell);
                masker.hide(step);
                hide_failure(masker, failure);
            }
            EventKind::JobEnded { job, outcome, .. } => {
                self.end(masker, *job, tell);
                hide_outcome(masker, outcome);
            }
            // A step goes on after a note: what its streams hold may go on too.
            EventKind::Note { text, .. } => masker.hide(text),
            EventKind::RunEnded { summary } => {
                for job in self.streams.keys().map(|(job, _)| *job).collect::<Vec<JobId>>() {
                    self.end(masker, job, tell);
                }
                summary.outcomes.iter_mut().for_each(|outcome| hide_outcome(masker, outcome));
            }
            EventKind::RunStarted { .. }
            | EventKind::JobStarted { .. }
            | EventKind::Stopping { .. }
            | EventKind::SettleStarted { .. }
            | EventKind::SettleEnded { .. }
            | EventKind::Released { .. } => {}
        }
        tell(kind);
    }

    /// Tells what a silence brings out.
    pub(super) fn quiet(&mut self, tell: &mut dyn FnMut(EventKind)) {
        self.due = None;
        let Some(masker) = self.masker else { return };
        for ((job, stream), held) in &mut self.streams {
            let bytes = held.quiet(masker);
            if !bytes.is_empty() {
                tell(EventKind::Output { job: *job, stream: *stream, bytes });
            }
        }
    }

    /// An outcome, as it may be told.
    pub(super) fn outcome(&self, mut outcome: Outcome) -> Outcome {
        if let Some(masker) = self.masker {
            hide_outcome(masker, &mut outcome);
        }
        outcome
    }

    /// Tells what the streams of a job still hold: nothing more comes from the step that wrote it.
    fn end(&mut self, masker: &Masker, job: JobId, tell: &mut dyn FnMut(EventKind)) {
        for stream in [Stream::Out, Stream::Err] {
            let Some(mut held) = self.streams.remove(&(job, stream)) else { continue };
            let bytes = held.end(masker);
            if !bytes.is_empty() {
                tell(EventKind::Output { job, stream, bytes });
            }
        }
    }
}

fn hide_outcome(masker: &Masker, outcome: &mut Outcome) {
    match outcome {
        Outcome::Failed(Failed { step, failure, .. }) => {
            masker.hide(step);
            hide_failure(masker, failure);
        }
        Outcome::Succeeded | Outcome::Fresh | Outcome::Skipped { .. } | Outcome::Stopped => {}
    }
}

fn hide_failure(masker: &Masker, failure: &mut Failure) {
    match failure {
        Failure::NotStarted { message, .. } | Failure::Bug(message) => masker.hide(message),
        Failure::Unmet { message, help }
        | Failure::Unhealthy { message, help, .. }
        | Failure::Refused { message, help } => {
            masker.hide(message);
            if let Some(help) = help {
                masker.hide(help);
            }
        }
        Failure::Exit(_)
        | Failure::Signal(_)
        | Failure::TimedOut(_)
        | Failure::WantsTerminal
        | Failure::Stopped => {}
    }
}
