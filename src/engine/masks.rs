//! Secrets are taken out of what the engine tells, here and nowhere else: out of what processes print, and out of every
//! sentence that may quote them. A run without secrets passes through untouched.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::model::event::{EventKind, Failed, Failure, HostEnd, HostOutcome, Outcome, Stream};
use crate::model::mask::{self, Masker};
use crate::model::name::JobId;

/// After how long a silence the few held bytes that are no secret yet are shown.
const SILENCE: Duration = Duration::from_millis(20);

/// Who prints: a job, or one host of it, on one of two streams.
type Source = (JobId, Option<Arc<str>>, Stream);

/// What each job's streams hold back.
pub(super) struct Masks<'a> {
    masker: Option<&'a Masker>,
    streams: BTreeMap<Source, mask::Stream>,
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
            EventKind::Output { job, host, stream, bytes } => {
                let held = self.streams.entry((*job, host.clone(), *stream)).or_default();
                *bytes = held.push(masker, std::mem::take(bytes));
                if held.waits(masker) {
                    self.due = Some(Instant::now() + SILENCE);
                }
                if bytes.is_empty() {
                    return;
                }
            }
            EventKind::StepStarted { job, host, step } | EventKind::LeftRunning { job, host, step } => {
                self.end_of(masker, *job, host.as_ref(), tell);
                masker.hide(step);
            }
            EventKind::HostsDone { job, step, ends } => {
                self.end(masker, *job, tell);
                masker.hide(step);
                hide_ends(masker, ends);
            }
            EventKind::StepRetrying { job, host, step, failure, .. }
            | EventKind::StepForgiven { job, host, step, failure }
            | EventKind::DeferredFailed { job, host, step, failure, .. } => {
                self.end_of(masker, *job, host.as_ref(), tell);
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
                for job in self.streams.keys().map(|(job, ..)| *job).collect::<Vec<JobId>>() {
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
        for ((job, host, stream), held) in &mut self.streams {
            let bytes = held.quiet(masker);
            if !bytes.is_empty() {
                tell(EventKind::Output { job: *job, host: host.clone(), stream: *stream, bytes });
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

    /// Tells what the streams of a job still hold, those of its hosts too: nothing more comes from it.
    fn end(&mut self, masker: &Masker, job: JobId, tell: &mut dyn FnMut(EventKind)) {
        let of_job = self.streams.keys().filter(|(other, ..)| *other == job);
        let hosts: Vec<Option<Arc<str>>> = of_job.map(|(_, host, _)| host.clone()).collect();
        for host in hosts {
            self.end_of(masker, job, host.as_ref(), tell);
        }
    }

    /// The same of one host, or of what is done here: nothing more comes from the step that wrote it.
    fn end_of(
        &mut self,
        masker: &Masker,
        job: JobId,
        host: Option<&Arc<str>>,
        tell: &mut dyn FnMut(EventKind),
    ) {
        for stream in [Stream::Out, Stream::Err] {
            let Some(mut held) = self.streams.remove(&(job, host.cloned(), stream)) else { continue };
            let bytes = held.end(masker);
            if !bytes.is_empty() {
                tell(EventKind::Output { job, host: host.cloned(), stream, bytes });
            }
        }
    }
}

fn hide_ends(masker: &Masker, ends: &mut [HostEnd]) {
    for end in ends {
        match &mut end.outcome {
            HostOutcome::Failed(failed) => {
                masker.hide(&mut failed.step);
                hide_failure(masker, &mut failed.failure);
            }
            HostOutcome::Skipped(why) => masker.hide(why),
            HostOutcome::Succeeded | HostOutcome::NotStarted | HostOutcome::Stopped => {}
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
        Failure::OnHosts(ends) => hide_ends(masker, ends),
        Failure::Unmet { message, help }
        | Failure::Unreachable { message, help }
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
