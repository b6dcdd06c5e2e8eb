//! The last lines of a run: what failed, where in the file, how, after how long, what that kept from running,
//! and what to do next. One job that succeeded has no last lines.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::Labels;
use super::hosts::table;
use super::voice::how;
use super::words::{BAD, FAINT, NAME, count, duration, first_line, list, paint, signal};
use crate::model::event::{Failed, Failure, Outcome, Summary};
use crate::model::name::JobId;

/// What the end of a run doesn't say by itself.
#[derive(Debug, Default)]
pub(super) struct Tally {
    started: HashSet<JobId>,
    took: HashMap<JobId, Duration>,
}

impl Tally {
    /// `job` has started.
    pub(super) fn started(&mut self, job: JobId) {
        self.started.insert(job);
    }

    /// `job` has ended.
    pub(super) fn ended(&mut self, job: JobId, took: Duration) {
        self.took.insert(job, took);
    }

    /// The last lines; empty if there is nothing to say.
    pub(super) fn sum_up(&self, summary: &Summary, labels: &Labels) -> String {
        let mut text = String::new();
        let skipped = skipped(summary);
        for (job, outcome) in jobs(summary) {
            if let Outcome::Failed(failed) = outcome {
                let skipped = skipped.get(&job).map_or(&[][..], Vec::as_slice);
                text += &self.failure(job, failed, skipped, labels);
            }
        }
        text + &self.counts(summary, labels) + &owed(summary)
    }

    fn failure(&self, job: JobId, failed: &Failed, skipped: &[JobId], labels: &Labels) -> String {
        let how = paint(BAD, how(&failed.failure));
        let who = match labels.name(job) {
            // The program's own name is enough.
            "deploy" => String::new(),
            name => format!("{}: ", paint(NAME, name)),
        };
        let after = self.took.get(&job).map(|took| format!(" after {}", duration(*took))).unwrap_or_default();
        let mut text = format!("deploy: {who}{how}{after}\n");
        let (why, help) = reasons(&failed.failure);
        text += &why.map(|why| detail("why", why)).unwrap_or_default();
        text += &detail("step", &first_line(&failed.step));
        if let Failure::OnHosts(ends) = &failed.failure {
            text += &indented(&table(ends));
        }
        text += &labels.place(failed.at).map(|place| detail("where", &place)).unwrap_or_default();
        if !skipped.is_empty() {
            let names = list(skipped.iter().map(|&job| labels.name(job)));
            text += &detail("skipped because of it", &names);
        }
        text += &help.map(|help| detail("help", help)).unwrap_or_default();
        text
    }

    /// One line about all jobs, where there are several or the run was stopped.
    fn counts(&self, summary: &Summary, labels: &Labels) -> String {
        let took = duration(summary.took);
        let jobs = self.count_outcomes(summary);
        match (summary.signal, summary.outcomes.as_slice()) {
            (Some(number), [] | [_]) => format!("deploy: stopped by {} after {took}\n", signal(number)),
            (Some(number), _) => format!("deploy: stopped by {} after {took}: {jobs}\n", signal(number)),
            (None, [Outcome::Fresh]) => {
                let name = labels.names.first().map_or("", String::as_str);
                format!("deploy: {}: nothing to do\n", paint(NAME, name))
            }
            (None, [] | [Outcome::Succeeded | Outcome::Failed(_)]) => String::new(),
            (None, _) => format!("deploy: {jobs} in {took}\n"),
        }
    }

    /// `1 failed, 2 skipped, 3 succeeded`.
    fn count_outcomes(&self, summary: &Summary) -> String {
        let words: Vec<&str> = jobs(summary).map(|(job, outcome)| self.word(job, outcome)).collect();
        let number = |word: &str| words.iter().filter(|other| **other == word).count();
        let told = WORDS.iter().map(|word| (number(word), word)).filter(|(number, _)| *number > 0);
        told.map(|(number, word)| format!("{number} {word}")).collect::<Vec<_>>().join(", ")
    }

    fn word(&self, job: JobId, outcome: &Outcome) -> &'static str {
        match outcome {
            Outcome::Failed(_) => "failed",
            Outcome::Stopped if self.started.contains(&job) => "stopped",
            Outcome::Stopped => "not started",
            Outcome::Skipped { .. } => "skipped",
            Outcome::Fresh => "had nothing to do",
            Outcome::Succeeded => "succeeded",
        }
    }
}

/// What one may say of a job, the worst first.
const WORDS: [&str; 6] = ["failed", "stopped", "skipped", "not started", "had nothing to do", "succeeded"];

fn jobs(summary: &Summary) -> impl Iterator<Item = (JobId, &Outcome)> {
    summary.outcomes.iter().enumerate().map(|(index, outcome)| (JobId::new(index), outcome))
}

/// For each failed job, those that it kept from running.
fn skipped(summary: &Summary) -> HashMap<JobId, Vec<JobId>> {
    let mut skipped: HashMap<JobId, Vec<JobId>> = HashMap::new();
    for (job, outcome) in jobs(summary) {
        if let Outcome::Skipped { because } = outcome {
            skipped.entry(*because).or_default().push(job);
        }
    }
    skipped
}

/// What a failure says for itself beyond its name: why, and the mend.
pub(crate) fn reasons(failure: &Failure) -> (Option<&str>, Option<&str>) {
    match failure {
        Failure::Unmet { message, help }
        | Failure::Unreachable { message, help }
        | Failure::Unhealthy { message, help, .. }
        | Failure::Refused { message, help } => (Some(message), help.as_deref()),
        Failure::NotStarted { message, .. } => (Some(message), None),
        Failure::Bug(message) => {
            (Some(message), Some("please report it, with your tasks.toml and this output"))
        }
        Failure::WantsTerminal => (
            Some("it reads the terminal, which only an interactive task has"),
            Some("give the task `interactive = true`"),
        ),
        Failure::OnHosts(_)
        | Failure::Exit(_)
        | Failure::Signal(_)
        | Failure::TimedOut(_)
        | Failure::Stopped => (None, None),
    }
}

fn owed(summary: &Summary) -> String {
    if summary.still_owed == 0 {
        return String::new();
    }
    let bad = format!("{} could not be settled", count(summary.still_owed, "owed step"));
    format!("deploy: {}\n", paint(BAD, bad)) + &detail("next", "deploy recover")
}

fn indented(lines: &str) -> String {
    lines.lines().flat_map(|line| ["    ", line, "\n"]).collect()
}

fn detail(label: &str, text: &str) -> String {
    let text = text.trim_end().replace('\n', "\n    ");
    format!("  {} {text}\n", paint(FAINT, format_args!("{label}:")))
}
