//! The secrets of a command: fetched before anything is done, refused with their places if they can't be had, and kept
//! from those who don't name them.

use std::ffi::OsString;
use std::sync::Arc;

use anstream::eprintln;

use super::args::Common;
use super::error::{Error, Kind};
use super::interrupt;
use super::session::Session;
use crate::diagnostic::Diagnostics;
use crate::facts::{Lack, Site};
use crate::model::secret::{Keeper, Vaults};
use crate::plan::Hidden;

/// Puts the secrets into the vaults that are not there yet.
///
/// # Errors
/// What can't be had, all of it, with where it is declared; or a signal that came meanwhile.
pub(crate) fn fetch(
    session: &Session,
    common: &Common,
    site: &Site,
    hidden: &[Hidden],
    vaults: &mut Vaults,
) -> Result<(), Error> {
    let lack = look(site, hidden, vaults)?;
    if !common.quiet {
        warn(&lack);
    }
    let mut problems = Diagnostics::default();
    problems.extend(lack.missing.into_iter().map(Diagnostics::from));
    problems.or(()).map_err(|problems| Error::new(Kind::Secret, problems.render(&session.sources)))
}

/// The same; what can't be had is given back.
///
/// # Errors
/// A signal that came meanwhile.
pub(crate) fn look(site: &Site, hidden: &[Hidden], vaults: &mut Vaults) -> Result<Lack, Error> {
    if hidden.is_empty() {
        return Ok(Lack::default());
    }
    interrupt::stoppable("secrets were fetched", |stop| site.fetch(hidden, vaults, stop))
}

/// Says which files others can read.
pub(crate) fn warn(lack: &Lack) {
    for warning in &lack.warnings {
        eprintln!("deploy: {warning}");
    }
}

/// The caller's environment without the variables that keep a secret: who needs one names it.
pub(crate) fn without(session: &Session, hidden: &[Hidden]) -> Arc<Vec<(OsString, OsString)>> {
    let of_file = session.project.secrets.iter().filter_map(|secret| match &secret.keeper {
        Keeper::Env(name) => name.as_plain(),
        Keeper::File(_) | Keeper::Command(_) | Keeper::Dotenv { .. } | Keeper::Age { .. } => None,
    });
    let of_plan = hidden.iter().filter_map(|hidden| match &hidden.keeper {
        Keeper::Env(name) => name.as_plain(),
        Keeper::File(_) | Keeper::Command(_) | Keeper::Dotenv { .. } | Keeper::Age { .. } => None,
    });
    let kept: Vec<&str> = of_file.chain(of_plan).collect();
    if kept.is_empty() {
        return Arc::clone(&session.env);
    }
    let open = session.env.iter().filter(|(name, _)| !kept.iter().any(|kept| name == kept));
    Arc::new(open.cloned().collect())
}
