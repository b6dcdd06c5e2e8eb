//! Jobs that say themselves how their output is shown: held until they end, or until they fail. Everything else goes on
//! to the reporter behind as it comes; the log hears all of it anyway.

use std::io;
use std::path::PathBuf;

use super::Reporter;
use super::held::{Held, Speaker};
use crate::model::event::{Event, EventKind, Outcome};
use crate::model::name::JobId;

/// What a job wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// As the run is told.
    Plain,
    /// In one piece, when it ends.
    Whole,
    /// Only if it fails.
    IfFailed,
}

/// Holds back what jobs print that want it.
pub(crate) struct Own<'a> {
    behind: Box<dyn Reporter + 'a>,
    held: Held,
    /// By job.
    manners: Vec<Manner>,
}

impl<'a> Own<'a> {
    /// What doesn't fit into memory is kept in `folder`.
    pub(crate) fn new(behind: Box<dyn Reporter + 'a>, manners: Vec<Manner>, folder: PathBuf) -> Own<'a> {
        Own { behind, held: Held::new(folder), manners }
    }

    fn manner(&self, job: JobId) -> Manner {
        self.manners.get(job.index()).copied().unwrap_or(Manner::Plain)
    }

    /// Passes on what was held of a job, as if it came now.
    fn release(&mut self, job: JobId, event: &Event) -> io::Result<()> {
        let behind = &mut self.behind;
        let mut told = Ok(());
        let released = self.held.release(job, |speaker, bytes| {
            if let Speaker::Child(stream) = speaker {
                let kind = EventKind::Output { job, host: None, stream, bytes: bytes.to_vec() };
                let now = behind.event(&Event { at: event.at, kind });
                told = std::mem::replace(&mut told, Ok(())).and(now);
            }
        });
        told.and(released)
    }
}

impl Reporter for Own<'_> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        let before = match &event.kind {
            EventKind::Output { job, stream, bytes, .. } if self.manner(*job) != Manner::Plain => {
                return self.held.add(*job, Speaker::Child(*stream), bytes);
            }
            EventKind::JobEnded { job, outcome, .. } => match (self.manner(*job), outcome) {
                (Manner::Plain, _) => Ok(()),
                (Manner::Whole, _) | (Manner::IfFailed, Outcome::Failed(_)) => self.release(*job, event),
                (
                    Manner::IfFailed,
                    Outcome::Succeeded | Outcome::Fresh | Outcome::Skipped { .. } | Outcome::Stopped,
                ) => self.held.forget(*job),
            },
            // What settling steps said after the ends of their jobs matters if the run failed.
            EventKind::RunEnded { summary } => {
                let jobs: Vec<JobId> = (0..self.manners.len()).map(JobId::new).collect();
                let wanted = |job: &JobId| self.manner(*job) == Manner::Whole || !summary.succeeded();
                let (shown, hidden): (Vec<JobId>, Vec<JobId>) = jobs.into_iter().partition(wanted);
                let shown = shown.into_iter().try_for_each(|job| self.release(job, event));
                shown.and(hidden.into_iter().try_for_each(|job| self.held.forget(job)))
            }
            EventKind::Output { .. }
            | EventKind::RunStarted { .. }
            | EventKind::JobStarted { .. }
            | EventKind::StepStarted { .. }
            | EventKind::Note { .. }
            | EventKind::StepRetrying { .. }
            | EventKind::StepForgiven { .. }
            | EventKind::HostsDone { .. }
            | EventKind::LeftRunning { .. }
            | EventKind::DeferredFailed { .. }
            | EventKind::Stopping { .. }
            | EventKind::SettleStarted { .. }
            | EventKind::SettleEnded { .. }
            | EventKind::Released { .. } => Ok(()),
        };
        before.and(self.behind.event(event))
    }
}
