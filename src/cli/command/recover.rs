//! `deploy recover`: does what runs that were killed still owe, by the code that settles a failed one.

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::Mutex;

use anstream::eprintln;

use super::super::error::{Error, Kind};
use super::super::print;
use super::super::session::Session;
use super::super::{output, secret};
use crate::diagnostic::Diagnostics;
use crate::engine::{self, Means, Stops};
use crate::facts::{Manner, Site};
use crate::model::mask::Masker;
use crate::model::record::Debt;
use crate::model::secret::Vaults;
use crate::perform::dock::Docks;
use crate::perform::{Handing, Hands, Made};
use crate::plan::{self, Hidden, Plan, Unplanned};
use crate::process::program::Programs;
use crate::process::signal;
use crate::report::Format;
use crate::ssh::Connections;
use crate::state::journal::{self, Journal, JournalError, Unfinished};

/// What still owes something after all was tried.
const STILL_OWED: u8 = 5;

pub(crate) fn recover(session: &Session) -> Result<ExitCode, Error> {
    let site = session.site();
    let unfinished = journal::unfinished(&site.state)?;
    if unfinished.is_empty() {
        return Ok(print("nothing is owed: every run has ended\n"));
    }
    let mut left = 0;
    for run in unfinished {
        left += settle(session, &site, run, Debts::All)?;
    }
    Ok(if left == 0 { ExitCode::SUCCESS } else { ExitCode::from(STILL_OWED) })
}

/// What a command that acts does first: files that a killed run left swapped get their own content back; another run
/// that did not end keeps its environment closed until it is recovered.
pub(super) fn before(session: &Session, site: &Site, environment: Option<&str>) -> Result<(), Error> {
    for run in journal::unfinished(&site.state)? {
        let alone = run.owes_files_alone();
        let refusal = refusal(&run, environment);
        if run.owes_files() {
            settle(session, site, run, Debts::Files)?;
        }
        if let Some(refusal) = refusal.filter(|_| !alone) {
            return Err(refusal);
        }
    }
    Ok(())
}

/// Why an environment is closed, if the run is what closes it.
fn refusal(run: &Unfinished, environment: Option<&str>) -> Option<Error> {
    let environment = environment.filter(|name| run.environment.as_deref() == Some(*name))?;
    let by = if run.by.is_empty() { String::new() } else { format!(" by {}", run.by) };
    let message = format!("run {}{by} to {environment} was cut off, and still owes {}", run.run, steps(run));
    Some(Error::new(Kind::Locked, message).help("deploy recover"))
}

/// Which debts to settle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Debts {
    All,
    /// Those that give files of the working tree their own content back.
    Files,
}

fn steps(run: &Unfinished) -> String {
    let titles =
        run.owed.iter().rev().flat_map(|debt| &debt.block.steps).map(|step| format!("`{}`", step.title()));
    titles.collect::<Vec<String>>().join(", ")
}

/// Settles one run. How many debts are left.
fn settle(session: &Session, site: &Site, unfinished: Unfinished, which: Debts) -> Result<usize, Error> {
    let (run, names) =
        (unfinished.run.clone(), unfinished.owed.iter().map(|debt| debt.name.clone()).collect());
    let stops = Stops::new(session.project.settings.grace);
    let signals = signal::catch()
        .map_err(|error| Error::new(Kind::Failed, format!("signals can't be listened to: {error}")))?;
    let journal = Journal::resume(unfinished, site.state.clone());
    let mut owed = journal.all_owed();
    owed.retain(|debt| which == Debts::All || debt.is_of_files());
    let (hidden, vaults) = secrets(session, site, &owed)?;
    owed.retain(|debt| can_be_done(debt, &vaults));
    let masker = Masker::new(vaults.values());
    let hands = Hands {
        tracked: None,
        root: site.root.clone(),
        state: site.state.clone(),
        run: run.clone(),
        env: secret::without(session, &hidden),
        programs: Programs::default(),
        hosts: Connections::default(),
        grace: session.project.settings.grace,
        made: Made::default(),
        handing: Handing::Read,
        vaults,
        docks: Docks::default(),
        held: Vec::new(),
        by: String::new(),
        saved: Mutex::default(),
    };
    let plan = Plan::empty();
    let mut reporter = output::reporter(Format::Stream, output::labels(session, names), None);
    let means = Means {
        run: &run,
        world: &hands,
        journal: &journal,
        stops: &stops,
        signals: &signals,
        fresh: &[],
        masker: masker.as_ref(),
    };
    let summary = engine::recover(&plan, means, owed, &mut |event| {
        // A reader that went away does not stop what is owed.
        let _told = reporter.event(event);
    });
    Ok(summary.still_owed)
}

/// The secrets that debts need, from where the file says now that they are kept. Those that can't be had are told: what
/// needs none of them is done all the same.
fn secrets(session: &Session, site: &Site, owed: &[Debt]) -> Result<(Vec<Hidden>, Vaults), Error> {
    let wanted: BTreeSet<(Option<String>, String)> = owed
        .iter()
        .flat_map(|debt| {
            debt.block.secrets().into_iter().map(|name| (debt.environment.clone(), name.to_owned()))
        })
        .collect();
    let mut vaults = Vaults::default();
    if wanted.is_empty() {
        return Ok((Vec::new(), vaults));
    }
    let hidden = match hidden(session, site, &wanted) {
        Ok(hidden) => hidden,
        Err(error) => {
            eprintln!("{}", error.message);
            return Ok((Vec::new(), vaults));
        }
    };
    for name in wanted.iter().map(|(_, name)| name).collect::<BTreeSet<&String>>() {
        if !hidden.iter().any(|hidden| hidden.name == *name) {
            eprintln!("deploy: the secret `{name}` is owed to a step, and [secrets] has it no longer");
        }
    }
    let lack = secret::look(site, &hidden, &mut vaults)?;
    secret::warn(&lack);
    let mut problems = Diagnostics::default();
    problems.extend(lack.missing.into_iter().map(Diagnostics::from));
    if !problems.is_empty() {
        eprintln!("{}", problems.render(&session.sources));
    }
    Ok((hidden, vaults))
}

/// Where secrets are kept, with what that needs to be known.
fn hidden(
    session: &Session,
    site: &Site,
    wanted: &BTreeSet<(Option<String>, String)>,
) -> Result<Vec<Hidden>, Error> {
    let mut facts = site.facts();
    loop {
        match plan::hidden(&session.project, wanted.clone(), &facts) {
            Ok(hidden) => return Ok(hidden),
            Err(Unplanned::Wrong(problems)) => return Err(Error::diagnostics(problems, &session.sources)),
            Err(Unplanned::Wants(wants)) => site.gather(&mut facts, &wants, "HEAD", Manner::Act)?,
        }
    }
}

/// Whether every secret that a debt needs is there; if not, it stays owed, and that is said.
fn can_be_done(debt: &Debt, vaults: &Vaults) -> bool {
    let vault = vaults.of(debt.environment.as_deref());
    let secrets = debt.block.secrets();
    let missing = secrets.into_iter().find(|name| vault.value(name).is_none());
    if let Some(name) = missing {
        for step in &debt.block.steps {
            eprintln!(
                "deploy: {}: `{}` stays owed, for want of the secret `{name}`",
                debt.name,
                step.title()
            );
        }
    }
    missing.is_none()
}

impl From<JournalError> for Error {
    fn from(error: JournalError) -> Error {
        let help = "what it says may still be owed: read it, do that by hand, then remove the run's folder";
        Error::new(Kind::Locked, error.to_string()).help(help)
    }
}
