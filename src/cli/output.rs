//! How a run is told: to who looks on, by `--output`, the file's `settings.output` and where we run; and to its log.
//! Telling never fails a run. What could not be shown or kept is said once, when the run is over.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anstream::eprintln;

use super::args::Common;
use super::environment;
use super::session::Session;
use crate::facts::{self, Site};
use crate::model::event::{Event, EventKind};
use crate::model::project::Output;
use crate::perform::Handing;
use crate::plan::{Facts, Plan, Request};
use crate::report::{self, Console, Format, Labels, Manner, Own, Reporter};
use crate::state::StateDir;
use crate::state::log::{About, Log, LogError, Outline};
use crate::state::runs;

/// A run that is told.
pub(crate) struct Telling {
    reporter: Box<dyn Reporter>,
    /// Deploy's own words, with `--quiet`: kept until it is known whether anything failed.
    held: Option<Held>,
    has_failed: bool,
    /// Whether somebody who read it went away.
    pub(crate) is_unread: bool,
    unshown: Option<io::Error>,
    log: Option<Log>,
    unkept: Option<LogError>,
}

/// Begins to tell a run; and whether its processes are read, or write to our own stdout and stderr.
pub(crate) fn begin(
    session: &Session,
    common: &Common,
    site: &Site,
    facts: &Facts,
    request: &Request,
    plan: &Plan,
) -> (Telling, Handing) {
    let (format, handing) = format(session, common, plan, &site.state);
    let names = plan.jobs.iter().map(|job| job.name.clone()).collect();
    let labels = Labels { order: plan.graph.order().to_vec(), ..labels(session, names) };
    let log = match handing {
        // Nobody reads its output.
        Handing::Direct => Ok(None),
        Handing::Read => keep(&site.state, &about(facts, request, &labels)).map(Some),
    };
    let (log, unkept) = log.map_or_else(|error| (None, Some(error)), |log| (log, None));
    let held = common.quiet.then(Held::default);
    let is_for_machines = format == Format::Json;
    let reporter = reporter(format, labels, held.as_ref());
    let manners: Vec<Manner> = plan.jobs.iter().map(|job| manner(job.output)).collect();
    let is_own = manners.iter().any(|manner| *manner != Manner::Plain);
    // The command line beats what tasks say, and a lone job says it for the run.
    let reporter = if is_own && common.output.is_none() && plan.jobs.len() > 1 && !is_for_machines {
        Box::new(Own::new(reporter, manners, site.state.path().to_owned()))
    } else {
        reporter
    };
    (Telling { reporter, held, has_failed: false, is_unread: false, unshown: None, log, unkept }, handing)
}

/// What jobs are called, and where the file is.
pub(crate) fn labels(session: &Session, names: Vec<String>) -> Labels {
    Labels { names, order: Vec::new(), sources: session.sources.clone() }
}

impl Telling {
    pub(crate) fn event(&mut self, event: &Event) {
        if let EventKind::RunEnded { summary } = &event.kind {
            self.has_failed = !summary.succeeded();
        }
        if let Some(log) = &mut self.log {
            log.event(event);
        }
        match self.reporter.event(event) {
            // A reader that went away has seen what it wanted.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.is_unread = true,
            Err(error) => drop(self.unshown.get_or_insert(error)),
            Ok(()) => {}
        }
    }

    /// The run is over.
    pub(crate) fn finish(mut self) {
        if let Some(held) = self.held.as_ref().filter(|_| self.has_failed) {
            held.say();
        }
        let left_out = self.log.map_or(Ok(0), Log::finish).unwrap_or_else(|error| {
            self.unkept = Some(error);
            0
        });
        if let Some(error) = self.unshown {
            eprintln!("deploy: not all output could be shown: {error}");
        }
        if self.held.is_some() && !self.has_failed {
            return;
        }
        if let Some(error) = self.unkept {
            eprintln!("deploy: the output of this run is not kept: {error}");
        }
        if left_out > 0 {
            eprintln!("deploy: the log of this run is full; {left_out} bytes of output are not in it");
        }
    }
}

fn manner(output: Option<Output>) -> Manner {
    match output {
        Some(Output::Grouped) => Manner::Whole,
        Some(Output::Quiet) => Manner::IfFailed,
        Some(Output::Auto | Output::Stream | Output::Prefixed | Output::Json) | None => Manner::Plain,
    }
}

fn format(session: &Session, common: &Common, plan: &Plan, state: &StateDir) -> (Format, Handing) {
    let is_alone = plan.jobs.len() == 1;
    let of_job = plan.jobs.first().filter(|_| is_alone).and_then(|job| job.output);
    let asked = common.output.or(of_job).or(session.project.settings.output).unwrap_or_default();
    let folder = || state.path().to_owned();
    // A run inside of another one is in a group of that one.
    let ci = environment::ci().filter(|_| environment::run().is_none());
    let format = match (asked, ci) {
        (Output::Auto, Some(ci)) => Format::Folded(ci, facts::now(), folder()),
        (Output::Auto, None) if is_alone => Format::Stream,
        (Output::Auto, None) | (Output::Prefixed, _) => Format::Prefixed,
        (Output::Stream, _) => Format::Stream,
        (Output::Grouped, _) => Format::Grouped(folder()),
        (Output::Quiet, _) => Format::Quiet(folder()),
        (Output::Json, _) => Format::Json,
    };
    let handing = match asked {
        // What can't be told apart, is kept by nobody, and has nothing to be masked.
        Output::Auto | Output::Stream
            if is_alone
                && plan.deliveries.is_empty()
                && plan.secrets.is_empty()
                && !plan.jobs.iter().any(|job| job.body.is_on_hosts()) =>
        {
            Handing::Direct
        }
        Output::Auto | Output::Stream | Output::Prefixed | Output::Grouped | Output::Quiet | Output::Json => {
            Handing::Read
        }
    };
    (format, handing)
}

fn about(facts: &Facts, request: &Request, labels: &Labels) -> About {
    About {
        run: facts.run.clone(),
        began: facts::now(),
        environment: request.environment.clone(),
        tasks: request.tasks.iter().map(|asked| asked.task.clone()).collect(),
        jobs: labels.names.clone(),
        order: labels.order.clone(),
        sources: labels.sources.iter().map(Outline::of).collect(),
    }
}

fn keep(state: &StateDir, about: &About) -> Result<Log, LogError> {
    let log = Log::begin(state, about)?;
    runs::prune(state);
    Ok(log)
}

/// The reporter of a format, on our own stdout and stderr; but with deploy's own words to `held`, if there is one.
pub(crate) fn reporter(format: Format, labels: Labels, held: Option<&Held>) -> Box<dyn Reporter> {
    // A CI server reads our two streams at its own pace: a line of the one would get into a group of the other.
    let is_one = matches!(format, Format::Folded(..)) && labels.names.len() > 1;
    // Children's bytes are left as they are; deploy's own words lose their colours where those can't be shown.
    let own: Box<dyn Write + Send> = match held {
        Some(held) => Box::new(held.clone()),
        None if is_one => Box::new(anstream::stdout()),
        None => Box::new(anstream::stderr()),
    };
    let err: Box<dyn Write + Send> = if is_one { stdout() } else { Box::new(io::stderr()) };
    report::reporter(format, labels, Console::new(stdout(), err, own))
}

/// Our stdout without the standard library's buffer, which would look through all output for the last end of a line,
/// and write what follows it in a call of its own.
fn stdout() -> Box<dyn Write + Send> {
    let copy = io::stdout().as_fd().try_clone_to_owned();
    copy.map_or_else(|_| -> Box<dyn Write + Send> { Box::new(io::stdout()) }, |own| Box::new(File::from(own)))
}

/// Deploy's own words, for later.
#[derive(Clone, Default)]
pub(crate) struct Held(Arc<Mutex<Vec<u8>>>);

impl Held {
    /// Says them after all.
    pub(crate) fn say(&self) {
        // A reader that went away is no failure.
        let _said = anstream::stderr().write_all(&self.words());
    }

    fn words(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Held {
    fn write(&mut self, words: &[u8]) -> io::Result<usize> {
        self.words().extend_from_slice(words);
        Ok(words.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
