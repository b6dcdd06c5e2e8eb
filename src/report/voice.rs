//! Deploy's own words about a run, for a person: whole lines, each begun by `deploy:` or indented below one.

use super::Labels;
use super::hosts::{failed_of, table};
use super::summary::{Tally, reasons};
use super::words::{FAINT, NAME, count, duration, first_line, paint, signal};
use crate::model::event::{Event, EventKind, Failure, StopReason};
use crate::model::health::Verdict;
use crate::model::name::JobId;

/// Knows what has been told, so that the end can sum it up.
#[derive(Debug)]
pub(super) struct Voice {
    pub(super) labels: Labels,
    tally: Tally,
}

impl Voice {
    pub(super) fn new(labels: Labels) -> Voice {
        Voice { tally: Tally::default(), labels }
    }

    /// What is to be said about an event, if anything. Every event is to be shown to it, once.
    pub(super) fn words(&mut self, event: &Event) -> Option<String> {
        match &event.kind {
            EventKind::RunStarted { .. }
            | EventKind::StepStarted { .. }
            | EventKind::Output { .. }
            | EventKind::SettleEnded { .. } => None,
            EventKind::JobStarted { job } => {
                self.tally.started(*job);
                None
            }
            EventKind::JobEnded { job, took, .. } => {
                self.tally.ended(*job, *took);
                None
            }
            EventKind::Note { job, host: None, text } => Some(self.about(*job, text)),
            EventKind::Note { job, host: Some(host), text } => {
                Some(self.about(*job, &format!("{host}: {text}")))
            }
            EventKind::HostsDone { job, step, ends } => {
                Some(self.about(*job, &format!("{} was not done everywhere\n{}", quoted(step), table(ends))))
            }
            EventKind::StepRetrying { job, step, failure, attempt, times, wait, .. } => {
                let (step, how, wait) = (quoted(step), how(failure), duration(*wait));
                Some(self.about(*job, &format!("{step} {how}; try {attempt} of {times}, the next in {wait}")))
            }
            EventKind::StepForgiven { job, step, failure, .. } => Some(
                self.about(*job, &format!("{} {}; going on (allow_failure)", quoted(step), how(failure))),
            ),
            EventKind::DeferredFailed { job, step, at, failure, .. } => {
                let place = self.labels.place(*at).map(|place| format!(" ({place})")).unwrap_or_default();
                Some(self.about(
                    *job,
                    &format!("{}{place} {}; it stays owed{}", quoted(step), how(failure), detail(failure)),
                ))
            }
            EventKind::LeftRunning { job, step, .. } => {
                let step = quoted(step);
                Some(self.about(*job, &format!("{step} has ended; something it started is left running")))
            }
            EventKind::Stopping { why } => Some(format!("deploy: {}\n", stopping(*why))),
            EventKind::SettleStarted { owed } => {
                (*owed > 0).then(|| format!("deploy: settling {}\n", count(*owed, "owed step")))
            }
            EventKind::RunEnded { summary } => {
                let text = self.tally.sum_up(summary, &self.labels);
                (!text.is_empty()).then_some(text)
            }
            EventKind::Released { environment, number, restores, source, subject, took } => {
                let (name, commit, took) = (paint(NAME, environment), source.short(), duration(*took));
                let what = match restores {
                    None => format!("release {number} is live"),
                    Some(earlier) => format!("release {earlier} is live again, as release {number}"),
                };
                Some(format!("deploy: {name}: {what} ({commit} \"{subject}\") in {took}\n"))
            }
        }
    }

    /// A line that says whose output follows.
    pub(super) fn heading(&self, job: JobId) -> String {
        format!("deploy: {} {}\n", paint(FAINT, "output of"), paint(NAME, self.labels.name(job)))
    }

    fn about(&self, job: JobId, text: &str) -> String {
        let text = text.trim_end().replace('\n', "\n  ");
        match self.labels.name(job) {
            // The program's own name is enough.
            "deploy" => format!("deploy: {text}\n"),
            name => format!("deploy: {}: {text}\n", paint(NAME, name)),
        }
    }
}

/// How a step failed, as the end of a sentence that begins with its name.
pub(crate) fn how(failure: &Failure) -> String {
    match failure {
        Failure::Exit(code) => format!("failed with exit code {code}"),
        Failure::Signal(number) => format!("was ended by {}", signal(*number)),
        Failure::TimedOut(limit) => format!("timed out ({})", duration(*limit)),
        Failure::NotStarted { .. } => "could not start".to_owned(),
        Failure::Unmet { .. } => "failed".to_owned(),
        Failure::Unhealthy { verdict: Verdict::Bad, .. } => "failed its health check".to_owned(),
        Failure::Unhealthy { verdict: Verdict::Unclear, .. } => "could not check its health".to_owned(),
        Failure::Unreachable { .. } => "got no connection".to_owned(),
        Failure::OnHosts(ends) => failed_of(ends),
        Failure::Refused { .. } => "was refused".to_owned(),
        Failure::WantsTerminal => "wanted the terminal".to_owned(),
        Failure::Bug(_) => "failed by a bug of deploy".to_owned(),
        Failure::Stopped => "was stopped".to_owned(),
    }
}

/// What a failure says for itself beyond how it ended, and the mend, on lines of their own.
fn detail(failure: &Failure) -> String {
    let (why, help) = reasons(failure);
    if let Failure::OnHosts(ends) = failure {
        return format!("\n{}", table(ends));
    }
    let why = why.map(|why| format!("\n{why}"));
    let help = help.map(|help| format!("\nhelp: {help}"));
    [why, help].into_iter().flatten().collect()
}

fn quoted(step: &str) -> String {
    format!("`{}`", first_line(step))
}

fn stopping(why: StopReason) -> String {
    match why {
        StopReason::Signal(number) => {
            format!("stopping ({}); once more kills what does not end by itself", signal(number))
        }
        StopReason::Killing => "killing what has not ended by itself".to_owned(),
        StopReason::FailFast => "stopping what runs (--fail-fast)".to_owned(),
    }
}
