//! What a line says: the names and values of its fields, which programs rely on.

use std::borrow::Cow;
use std::time::Duration;

use serde::Serialize;

use super::super::Labels;
use crate::model::event::{EventKind, Failure, HostEnd, HostOutcome, Outcome, StopReason, Stream, Summary};
use crate::model::health::Verdict;

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Fact<'a> {
    RunStarted { run: &'a str, jobs: &'a [String] },
    JobStarted { job: &'a str },
    StepStarted { job: &'a str, step: &'a str },
    Output(Output<'a>),
    Note { job: &'a str, text: &'a str },
    StepRetrying(Retrying<'a>),
    HostsDone { job: &'a str, step: &'a str, hosts: Vec<On<'a>> },
    StepForgiven { job: &'a str, step: &'a str, failure: Cause<'a> },
    DeferredFailed { job: &'a str, step: &'a str, failure: Cause<'a> },
    LeftRunning { job: &'a str, step: &'a str },
    JobEnded(JobEnded<'a>),
    Stopping(Why),
    SettleStarted { owed: usize },
    SettleEnded { still_owed: usize },
    RunEnded(RunEnded),
    Released(Released<'a>),
}

#[derive(Serialize)]
pub(super) struct Output<'a> {
    job: &'a str,
    stream: &'static str,
    text: Cow<'a, str>,
    /// Whether `text` has replacements.
    lossy: bool,
}

#[derive(Serialize)]
pub(super) struct Retrying<'a> {
    job: &'a str,
    step: &'a str,
    failure: Cause<'a>,
    attempt: u32,
    times: u32,
    wait: f64,
}

#[derive(Serialize)]
pub(super) struct JobEnded<'a> {
    job: &'a str,
    took: f64,
    #[serde(flatten)]
    end: End<'a>,
}

#[derive(Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
enum End<'a> {
    Succeeded,
    Fresh,
    Skipped {
        because: &'a str,
    },
    Failed {
        step: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        place: Option<String>,
        failure: Cause<'a>,
    },
    Stopped,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Cause<'a> {
    Exit { code: i32 },
    Signal { signal: i32 },
    TimedOut { limit: f64 },
    NotStarted { message: &'a str },
    Unmet { message: &'a str, help: Option<&'a str> },
    Unhealthy { message: &'a str, help: Option<&'a str>, verdict: Verdict },
    Unreachable { message: &'a str, help: Option<&'a str> },
    OnHosts { hosts: Vec<On<'a>> },
    Refused { message: &'a str, help: Option<&'a str> },
    WantsTerminal,
    Bug { message: &'a str },
    Stopped,
}

/// How something ended on one host.
#[derive(Serialize)]
pub(super) struct On<'a> {
    host: &'a str,
    #[serde(flatten)]
    end: There<'a>,
}

#[derive(Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
enum There<'a> {
    Succeeded,
    Failed { step: &'a str, failure: Cause<'a> },
    Skipped { message: &'a str },
    NotStarted,
    Stopped,
}

#[derive(Serialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub(super) enum Why {
    Signal { signal: i32 },
    Killing,
    FailFast,
}

#[derive(Serialize)]
pub(super) struct RunEnded {
    succeeded: bool,
    took: f64,
    signal: Option<i32>,
    still_owed: usize,
}

#[derive(Serialize)]
pub(super) struct Released<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    restores: Option<u32>,
    environment: &'a str,
    release: u32,
    commit: &'a str,
    subject: &'a str,
    took: f64,
}

impl<'a> Fact<'a> {
    /// What an event says; `None` for output, of which an event may hold half a character.
    pub(super) fn of(kind: &'a EventKind, labels: &'a Labels) -> Option<Fact<'a>> {
        let name = |job: &crate::model::name::JobId| labels.name(*job);
        Some(match kind {
            EventKind::Output { .. } => return None,
            EventKind::RunStarted { run } => Fact::RunStarted { run: &run.0, jobs: &labels.names },
            EventKind::JobStarted { job } => Fact::JobStarted { job: name(job) },
            EventKind::StepStarted { job, step, .. } => Fact::StepStarted { job: name(job), step },
            EventKind::Note { job, text, .. } => Fact::Note { job: name(job), text },
            EventKind::StepRetrying { job, step, failure, attempt, times, wait, .. } => {
                Fact::StepRetrying(Retrying {
                    job: name(job),
                    step,
                    failure: Cause::of(failure),
                    attempt: *attempt,
                    times: *times,
                    wait: seconds(*wait),
                })
            }
            EventKind::HostsDone { job, step, ends } => {
                Fact::HostsDone { job: name(job), step, hosts: On::all(ends) }
            }
            EventKind::StepForgiven { job, step, failure, .. } => {
                Fact::StepForgiven { job: name(job), step, failure: Cause::of(failure) }
            }
            EventKind::DeferredFailed { job, step, failure, .. } => {
                Fact::DeferredFailed { job: name(job), step, failure: Cause::of(failure) }
            }
            EventKind::LeftRunning { job, step, .. } => Fact::LeftRunning { job: name(job), step },
            EventKind::JobEnded { job, outcome, took } => Fact::JobEnded(JobEnded {
                job: name(job),
                took: seconds(*took),
                end: End::of(outcome, labels),
            }),
            EventKind::Stopping { why } => Fact::Stopping(Why::of(*why)),
            EventKind::SettleStarted { owed } => Fact::SettleStarted { owed: *owed },
            EventKind::SettleEnded { still_owed } => Fact::SettleEnded { still_owed: *still_owed },
            EventKind::RunEnded { summary } => Fact::RunEnded(RunEnded::of(summary)),
            EventKind::Released { environment, number, restores, source, subject, took } => {
                Fact::Released(Released {
                    restores: *restores,
                    environment,
                    release: *number,
                    commit: source.as_str(),
                    subject,
                    took: seconds(*took),
                })
            }
        })
    }

    /// What a child said.
    pub(super) fn output(job: &'a str, stream: Stream, bytes: &'a [u8]) -> Fact<'a> {
        let text = String::from_utf8_lossy(bytes);
        let lossy = matches!(text, Cow::Owned(_));
        let stream = match stream {
            Stream::Out => "stdout",
            Stream::Err => "stderr",
        };
        Fact::Output(Output { job, stream, text, lossy })
    }
}

impl<'a> End<'a> {
    fn of(outcome: &'a Outcome, labels: &'a Labels) -> End<'a> {
        match outcome {
            Outcome::Succeeded => End::Succeeded,
            Outcome::Fresh => End::Fresh,
            Outcome::Skipped { because } => End::Skipped { because: labels.name(*because) },
            Outcome::Failed(failed) => {
                let place = labels.place(failed.at);
                End::Failed { step: &failed.step, place, failure: Cause::of(&failed.failure) }
            }
            Outcome::Stopped => End::Stopped,
        }
    }
}

impl<'a> On<'a> {
    fn all(ends: &'a [HostEnd]) -> Vec<On<'a>> {
        ends.iter().map(|end| On { host: &end.host, end: There::of(&end.outcome) }).collect()
    }
}

impl<'a> There<'a> {
    fn of(outcome: &'a HostOutcome) -> There<'a> {
        match outcome {
            HostOutcome::Succeeded => There::Succeeded,
            HostOutcome::Failed(failed) => {
                There::Failed { step: &failed.step, failure: Cause::of(&failed.failure) }
            }
            HostOutcome::Skipped(message) => There::Skipped { message },
            HostOutcome::NotStarted => There::NotStarted,
            HostOutcome::Stopped => There::Stopped,
        }
    }
}

impl<'a> Cause<'a> {
    fn of(failure: &'a Failure) -> Cause<'a> {
        match failure {
            Failure::Exit(code) => Cause::Exit { code: *code },
            Failure::Signal(signal) => Cause::Signal { signal: *signal },
            Failure::TimedOut(limit) => Cause::TimedOut { limit: seconds(*limit) },
            Failure::NotStarted { message, .. } => Cause::NotStarted { message },
            Failure::Unmet { message, help } => Cause::Unmet { message, help: help.as_deref() },
            Failure::Unhealthy { message, help, verdict } => {
                Cause::Unhealthy { message, help: help.as_deref(), verdict: *verdict }
            }
            Failure::Unreachable { message, help } => Cause::Unreachable { message, help: help.as_deref() },
            Failure::OnHosts(ends) => Cause::OnHosts { hosts: On::all(ends) },
            Failure::Refused { message, help } => Cause::Refused { message, help: help.as_deref() },
            Failure::WantsTerminal => Cause::WantsTerminal,
            Failure::Bug(message) => Cause::Bug { message },
            Failure::Stopped => Cause::Stopped,
        }
    }
}

impl Why {
    fn of(why: StopReason) -> Why {
        match why {
            StopReason::Signal(signal) => Why::Signal { signal },
            StopReason::Killing => Why::Killing,
            StopReason::FailFast => Why::FailFast,
        }
    }
}

impl RunEnded {
    fn of(summary: &Summary) -> RunEnded {
        RunEnded {
            succeeded: summary.succeeded(),
            took: seconds(summary.took),
            signal: summary.signal,
            still_owed: summary.still_owed,
        }
    }
}

/// Seconds, to the millionth.
pub(super) fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e6
}
