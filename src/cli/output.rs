//! Which reporter tells a run: `--output`, the file's `settings.output`, the terminal.

use std::cell::RefCell;
use std::io::{self, Write};
use std::path::PathBuf;

use super::args::Common;
use super::error::{Error, Kind};
use super::session::Session;
use crate::model::project::Output;
use crate::perform::Handing;
use crate::plan::Plan;
use crate::report::{self, Console, Format, Labels, Reporter};
use crate::state::StateDir;

/// The format, and whether processes are read or write to our own stdout and stderr.
pub(crate) fn format(
    session: &Session,
    common: &Common,
    plan: &Plan,
    state: &StateDir,
) -> Result<(Format, Handing), Error> {
    let alone = plan.jobs.len() == 1;
    let asked = common.output.or(session.project.settings.output);
    Ok(match asked.unwrap_or_default() {
        Output::Auto | Output::Stream if alone && plan.deliveries.is_empty() => {
            (Format::Stream, Handing::Direct)
        }
        Output::Auto if alone => (Format::Stream, Handing::Read),
        Output::Auto | Output::Prefixed => (Format::Prefixed, Handing::Read),
        Output::Stream => (Format::Stream, Handing::Read),
        Output::Grouped => (Format::Grouped(spill(state)?), Handing::Read),
        Output::Quiet => (Format::Quiet(spill(state)?), Handing::Read),
        Output::Json => (Format::Json, Handing::Read),
    })
}

/// Where output waits that does not fit into memory.
fn spill(state: &StateDir) -> Result<PathBuf, Error> {
    state.create().map_err(|error| Error::new(Kind::Failed, error.to_string()))?;
    Ok(state.path().to_owned())
}

/// The reporter. With `--quiet`, deploy's own words go to `held` instead of the terminal.
pub(crate) fn reporter<'a>(
    format: Format,
    session: &Session,
    plan: &Plan,
    held: Option<&'a Held>,
) -> Box<dyn Reporter + 'a> {
    let names = plan.jobs.iter().map(|job| job.name.clone()).collect();
    let labels = Labels { order: plan.graph.order().to_vec(), ..labels(session, names) };
    report::reporter(format, labels, console(held))
}

/// What jobs are called, and where the file is.
pub(crate) fn labels(session: &Session, names: Vec<String>) -> Labels {
    Labels { names, order: Vec::new(), sources: session.sources.clone() }
}

/// Where a run is told. Children's bytes are left as they are; deploy's own words lose their colours where those
/// can't be shown.
pub(crate) fn console(held: Option<&Held>) -> Console<'_> {
    match held {
        Some(held) => Console::new(io::stdout(), io::stderr(), held),
        None => Console::new(io::stdout(), io::stderr(), anstream::stderr()),
    }
}

/// Deploy's own words, kept until it is known whether anything failed.
#[derive(Default)]
pub(crate) struct Held(RefCell<Vec<u8>>);

impl Held {
    /// Says them after all.
    pub(crate) fn say(&self) {
        // A reader that went away is no failure.
        let _said = anstream::stderr().write_all(&self.0.borrow());
    }
}

impl Write for &Held {
    fn write(&mut self, words: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(words);
        Ok(words.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
