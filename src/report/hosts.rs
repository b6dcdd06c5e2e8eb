//! What hosts print, for people: whole lines, each behind the name of its host. And how something ended on each.
//! Whoever comes behind knows nothing of hosts.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::Reporter;
use super::columns::columns;
use super::lines::{Lines, Rest};
use super::summary::reasons;
use super::voice::how;
use super::words::count;
use crate::model::event::{Event, EventKind, HostEnd, HostOutcome, Stream};
use crate::model::name::JobId;

/// Puts the names of hosts before their lines.
pub(super) struct Hosts<'a> {
    behind: Box<dyn Reporter + 'a>,
    /// The lines that hosts have begun.
    begun: BTreeMap<Arc<str>, Lines>,
    /// How wide the longest name is that was seen.
    width: usize,
}

impl<'a> Hosts<'a> {
    pub(super) fn new(behind: Box<dyn Reporter + 'a>) -> Hosts<'a> {
        Hosts { behind, begun: BTreeMap::new(), width: 0 }
    }

    fn output(
        &mut self,
        event: &Event,
        job: JobId,
        host: &Arc<str>,
        stream: Stream,
        bytes: &[u8],
    ) -> io::Result<()> {
        self.width = self.width.max(host.chars().count());
        let prefix = self.prefix(host);
        let mut text = Vec::new();
        self.begun.entry(Arc::clone(host)).or_default().add(job, stream, bytes, |begun, end| {
            text.extend_from_slice(&[&prefix, begun, end, b"\n"].concat());
        });
        self.pass(event, job, stream, text)
    }

    /// Writes the lines that were left unfinished; of one host, or of all.
    fn finish(&mut self, event: &Event, host: Option<&Arc<str>>, job: Option<JobId>) -> io::Result<()> {
        let hosts: Vec<Arc<str>> = match host {
            Some(host) => vec![Arc::clone(host)],
            None => self.begun.keys().cloned().collect(),
        };
        let mut told = Ok(());
        for host in hosts {
            let Some(lines) = self.begun.get_mut(&host) else { continue };
            let rests = match job {
                Some(job) => lines.rest(job),
                None => lines.rests(),
            };
            let prefix = self.prefix(&host);
            for Rest { job, stream, line } in rests {
                let passed = self.pass(event, job, stream, [&prefix, line.as_slice(), b"\n"].concat());
                told = told.and(passed);
            }
        }
        told
    }

    fn pass(&mut self, event: &Event, job: JobId, stream: Stream, bytes: Vec<u8>) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.behind.event(&Event { at: event.at, kind: EventKind::Output { job, host: None, stream, bytes } })
    }

    fn prefix(&self, host: &str) -> Vec<u8> {
        format!("{host:width$} | ", width = self.width).into_bytes()
    }
}

impl Reporter for Hosts<'_> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        let before = match &event.kind {
            EventKind::Output { job, host: Some(host), stream, bytes } => {
                return self.output(event, *job, host, *stream, bytes);
            }
            EventKind::StepStarted { job, host: Some(host), .. } => {
                self.finish(event, Some(host), Some(*job))
            }
            EventKind::JobEnded { job, .. } | EventKind::HostsDone { job, .. } => {
                self.finish(event, None, Some(*job))
            }
            EventKind::RunEnded { .. } => self.finish(event, None, None),
            EventKind::RunStarted { .. }
            | EventKind::JobStarted { .. }
            | EventKind::StepStarted { .. }
            | EventKind::Output { .. }
            | EventKind::Note { .. }
            | EventKind::StepRetrying { .. }
            | EventKind::StepForgiven { .. }
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

/// `failed on 1 of 3 hosts`.
pub(super) fn failed_of(ends: &[HostEnd]) -> String {
    let failed = ends.iter().filter(|end| matches!(end.outcome, HostOutcome::Failed(_))).count();
    format!("failed on {failed} of {}", count(ends.len(), "host"))
}

/// A line a host: its name, and how it ended there.
pub(super) fn table(ends: &[HostEnd]) -> String {
    let row = |end: &HostEnd| vec![end.host.to_string(), outcome(&end.outcome)];
    columns(&ends.iter().map(row).collect::<Vec<Vec<String>>>())
}

/// What ssh says stands in lines behind ours, which ends in a colon.
fn in_one_line(text: &str) -> String {
    text.trim_end().replace(":\n", ": ").replace('\n', "; ")
}

fn outcome(outcome: &HostOutcome) -> String {
    match outcome {
        HostOutcome::Succeeded => "succeeded".to_owned(),
        HostOutcome::Failed(failed) => {
            let (why, help) = reasons(&failed.failure);
            let why = why.map(|why| format!(": {}", in_one_line(why)));
            let help = help.map(|help| format!("; help: {help}"));
            [Some(how(&failed.failure)), why, help].into_iter().flatten().collect()
        }
        HostOutcome::Skipped(why) => format!("left out: {}", in_one_line(why)),
        HostOutcome::NotStarted => "not started".to_owned(),
        HostOutcome::Stopped => "stopped".to_owned(),
    }
}
