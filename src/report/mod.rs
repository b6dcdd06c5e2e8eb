//! TELL: events become bytes. One file a format; all of them share `Voice`, deploy's own words.
//! A reporter decides nothing: whatever it prints, or fails to print, the run goes on as it would.

mod ci;
pub(crate) mod columns;
pub(crate) mod comparison;
mod console;
pub(crate) mod freshness;
pub(crate) mod graph;
mod grouped;
mod held;
mod hosts;
mod json;
mod lines;
pub(crate) mod outlook;
mod own;
mod prefixed;
mod quiet;
mod requirements;
pub(crate) mod roff;
mod stream;
pub(crate) mod summary;
#[cfg(test)]
mod tests;
mod voice;
pub(crate) mod words;

pub(crate) use ci::Ci;
pub(crate) use console::Console;
pub(crate) use own::{Manner, Own};
pub(crate) use voice::how;

use std::io;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::diagnostic::{Source, Span};
use crate::model::event::Event;
use crate::model::name::JobId;

/// Tells a run, event by event, on whichever thread it happens.
pub(crate) trait Reporter: Send {
    /// Tells one event. `Err` says that a writer broke, once for each; what follows is kept from that writer.
    fn event(&mut self, event: &Event) -> io::Result<()>;
}

/// How a run is told: `--output`, once `auto` is decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Bytes as they come.
    Stream,
    /// `NAME | line`.
    Prefixed,
    /// One job after the other, in the order of the plan. What can't be shown yet and doesn't fit into memory
    /// is kept in this folder.
    Grouped(PathBuf),
    /// As `Grouped`, for a CI server that folds; with the time at which the run began.
    Folded(Ci, Timestamp, PathBuf),
    /// Nothing but failures. What may have to be shown and doesn't fit into memory is kept in this folder.
    Quiet(PathBuf),
    /// One object a line.
    Json,
}

/// The reporter of a format.
pub(crate) fn reporter<'a>(format: Format, labels: Labels, console: Console<'a>) -> Box<dyn Reporter + 'a> {
    let is_for_machines = format == Format::Json;
    let reporter = plain(format, labels, console);
    if is_for_machines { reporter } else { Box::new(hosts::Hosts::new(reporter)) }
}

/// The same, for what is not done on hosts, or for who tells them apart.
fn plain<'a>(format: Format, labels: Labels, console: Console<'a>) -> Box<dyn Reporter + 'a> {
    match format {
        Format::Stream => Box::new(stream::Stream::new(labels, console)),
        Format::Prefixed => Box::new(prefixed::Prefixed::new(labels, console)),
        Format::Grouped(folder) => Box::new(grouped::Grouped::new(grouped::Heading, labels, console, folder)),
        Format::Folded(server, began, folder) => {
            Box::new(ci::Folded::new(server, began, labels, console, folder))
        }
        Format::Quiet(folder) => Box::new(quiet::Quiet::new(labels, console, folder)),
        Format::Json => Box::new(json::Json::new(labels, console)),
    }
}

/// What a person calls the jobs of a plan, and where their steps are written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Labels {
    /// Each job's name, such as `staging/deploy`, in the order of the plan's jobs; no two are the same.
    pub(crate) names: Vec<String>,
    /// The jobs, each behind all that it waits for: the order of groups.
    pub(crate) order: Vec<JobId>,
    /// The texts that spans point into.
    pub(crate) sources: Vec<Source>,
}

impl Labels {
    /// What a person calls `job`.
    fn name(&self, job: JobId) -> &str {
        &self.names[job.index()]
    }

    /// A span as `tasks.toml:12`, if its text is known.
    fn place(&self, span: Span) -> Option<String> {
        self.line(span).map(|(path, line)| format!("{path}:{line}"))
    }

    /// A span as a file and a line of it.
    fn line(&self, span: Span) -> Option<(&str, usize)> {
        let source = self.sources.get(span.source as usize)?;
        Some((&source.path, source.line(span.start)))
    }
}
