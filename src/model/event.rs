//! What happens during a run, as the engine tells it. Reporters see nothing else, and a run's log keeps it.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::diagnostic::Span;

use super::health::Verdict;
use super::name::{JobId, RunId};
use super::release::ObjectId;

/// One of the two streams that a process writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stream {
    Out,
    Err,
}

impl EventKind {
    /// The host that it is about, if it is about one.
    pub(crate) fn host(&self) -> Option<&str> {
        match self {
            EventKind::StepStarted { host, .. }
            | EventKind::Output { host, .. }
            | EventKind::Note { host, .. }
            | EventKind::StepRetrying { host, .. }
            | EventKind::StepForgiven { host, .. }
            | EventKind::LeftRunning { host, .. }
            | EventKind::DeferredFailed { host, .. } => host.as_deref(),
            EventKind::RunStarted { .. }
            | EventKind::JobStarted { .. }
            | EventKind::HostsDone { .. }
            | EventKind::JobEnded { .. }
            | EventKind::Stopping { .. }
            | EventKind::SettleStarted { .. }
            | EventKind::SettleEnded { .. }
            | EventKind::RunEnded { .. }
            | EventKind::Released { .. } => None,
        }
    }
}

/// Something that happened, and when: `at` is the time since the run began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) at: Duration,
    #[serde(flatten)]
    pub(crate) kind: EventKind,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum EventKind {
    RunStarted {
        run: RunId,
    },
    JobStarted {
        job: JobId,
    },
    StepStarted {
        job: JobId,
        /// The host that it is about, if one of several.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        host: Option<Arc<str>>,
        step: String,
    },
    /// Bytes of a child, secrets masked. They may end anywhere, also inside a line.
    Output {
        job: JobId,
        /// The host that it is about, if one of several.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        host: Option<Arc<str>>,
        stream: Stream,
        /// Kept as they are, behind the event.
        #[serde(skip)]
        bytes: Vec<u8>,
    },
    /// A sentence of deploy's own about a step: progress of a push, a health check that waits.
    Note {
        job: JobId,
        /// The host that it is about, if one of several.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        host: Option<Arc<str>>,
        text: String,
    },
    StepRetrying {
        job: JobId,
        /// The host that it is about, if one of several.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        host: Option<Arc<str>>,
        step: String,
        failure: Failure,
        attempt: u32,
        times: u32,
        wait: Duration,
    },
    /// Something was done on several hosts, and not on all of them; the task goes on.
    HostsDone {
        job: JobId,
        step: String,
        ends: Vec<HostEnd>,
    },
    /// A step failed, and its task goes on because it says `allow_failure`.
    StepForgiven {
        job: JobId,
        /// The host that it is about, if one of several.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        host: Option<Arc<str>>,
        step: String,
        failure: Failure,
    },
    /// A step ended while something it started still holds its output open.
    LeftRunning {
        job: JobId,
        /// The host that it is about, if one of several.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        host: Option<Arc<str>>,
        step: String,
    },
    /// A deferred step did not work; it stays owed.
    DeferredFailed {
        job: JobId,
        /// The host that it is about, if one of several.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        host: Option<Arc<str>>,
        step: String,
        /// When it happened is told as `at`.
        #[serde(rename = "place")]
        at: Span,
        failure: Failure,
    },
    JobEnded {
        job: JobId,
        outcome: Outcome,
        took: Duration,
    },
    /// The run is asked to end early.
    Stopping {
        why: StopReason,
    },
    /// A failed run begins to take back what it did.
    SettleStarted {
        owed: usize,
    },
    SettleEnded {
        still_owed: usize,
    },
    /// Every job has ended, and what could be settled is.
    RunEnded {
        summary: Summary,
    },
    /// A release serves, and the ledger knows: after the end of the run that shipped it.
    Released {
        environment: String,
        number: u32,
        /// The earlier release that it brought back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        restores: Option<u32>,
        source: ObjectId,
        subject: String,
        took: Duration,
    },
}

/// What a step tells while it acts.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    /// Bytes of a child.
    Output(Stream, Vec<u8>),
    /// A sentence of deploy's own.
    Note(String),
    /// The same of one of several hosts.
    OnHost(Arc<str>, Box<Told>),
    /// Something that the step started still holds its output open.
    LeftRunning,
}

/// Why a run ends early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StopReason {
    /// A signal, by its number; a second one kills.
    Signal(i32),
    /// The grace after the first signal is over, or a second signal came: what is left is killed.
    Killing,
    /// A job failed, and `--fail-fast` ends the others.
    FailFast,
}

/// How a job ended. Every job of a plan ends in exactly one of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    Succeeded,
    /// There was nothing to do: its `skip_if` said so.
    Fresh,
    /// It was not started because `because` did not succeed.
    Skipped {
        because: JobId,
    },
    Failed(Failed),
    /// The run was stopped before the job could end, or before it began.
    Stopped,
}

/// Which step of a job failed, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failed {
    pub(crate) step: String,
    pub(crate) at: Span,
    pub(crate) failure: Failure,
}

/// Why a step did not work: data in an outcome, not an error to propagate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Failure {
    /// Its process ended with this code (never 0).
    Exit(i32),
    /// A signal ended its process, by number.
    Signal(i32),
    /// It took longer than its `timeout`.
    TimedOut(Duration),
    /// It could not be started: a missing program (127), one that can't be run (126).
    NotStarted { message: String, code: i32 },
    /// It ran, and what it was to bring about did not come about; the sentence says what and the mend.
    Unmet { message: String, help: Option<String> },
    /// A check did not find what it asks healthy.
    Unhealthy { message: String, help: Option<String>, verdict: Verdict },
    /// There is no connection to the host that it is done on: why, and the mend.
    Unreachable { message: String, help: Option<String> },
    /// It is done on several hosts, and too many of them failed: how each ended, in their order.
    OnHosts(Vec<HostEnd>),
    /// A rule or an answer refused it: the run ends with 3.
    Refused { message: String, help: Option<String> },
    /// It reads the terminal, and only an `interactive` task has one.
    WantsTerminal,
    /// deploy itself went wrong.
    Bug(String),
    /// The run was stopped while it ran.
    Stopped,
}

impl Failure {
    /// The exit code that stands for it: the command's own where there is one.
    pub(crate) fn exit_code(&self) -> i32 {
        match self {
            Failure::Exit(code) | Failure::NotStarted { code, .. } => *code,
            Failure::Signal(signal) => 128 + signal,
            Failure::TimedOut(_) => 124,
            Failure::Unmet { .. } | Failure::Unhealthy { .. } | Failure::WantsTerminal => 1,
            // What ssh itself ends with.
            Failure::Unreachable { .. } => 255,
            Failure::OnHosts(ends) => ends.iter().find_map(HostEnd::exit_code).unwrap_or(1),
            Failure::Refused { .. } => 3,
            Failure::Bug(_) => 70,
            Failure::Stopped => 130,
        }
    }
}

/// How something that is done on several hosts ended on one of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HostEnd {
    pub(crate) host: Arc<str>,
    pub(crate) outcome: HostOutcome,
}

/// How it ended there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HostOutcome {
    Succeeded,
    Failed(Box<Failed>),
    /// There is no connection, and the file says to go on without it: why.
    Skipped(String),
    /// It was its turn later, and others failed.
    NotStarted,
    Stopped,
}

impl HostEnd {
    /// The exit code of what failed there.
    fn exit_code(&self) -> Option<i32> {
        match &self.outcome {
            HostOutcome::Failed(failed) => Some(failed.failure.exit_code()),
            HostOutcome::Succeeded
            | HostOutcome::Skipped(_)
            | HostOutcome::NotStarted
            | HostOutcome::Stopped => None,
        }
    }
}

/// How a run ended, in counts; reporters have the details from the events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Summary {
    pub(crate) outcomes: Vec<Outcome>,
    /// The signal that ended the run early, if one did.
    pub(crate) signal: Option<i32>,
    /// How many deferred steps could not be settled.
    pub(crate) still_owed: usize,
    pub(crate) took: Duration,
}

impl Summary {
    /// Whether every job that was to run did, with success.
    pub(crate) fn succeeded(&self) -> bool {
        self.signal.is_none()
            && self.still_owed == 0
            && self.outcomes.iter().all(|outcome| matches!(outcome, Outcome::Succeeded | Outcome::Fresh))
    }
}
