//! SHIP: one file for each kind of target. A target gets a release commit that is made already, and brings it to where
//! it serves. What is shipped, whether it may be, and what the ledger says of it is decided above.

pub(crate) mod command;
mod digitalocean;
mod divio;
mod folder;
pub(crate) mod git;
pub(crate) mod platform;
pub(crate) mod pythonanywhere;
mod render;
mod sending;
pub(crate) mod server;
pub(crate) mod zappa;

use std::path::Path;
use std::time::Instant;

use crate::model::event::{Failure, Told};
use crate::model::host::There;
use crate::model::release::ObjectId;
use crate::model::script::Script;
use crate::model::secret::Vault;
use crate::model::text::Text;
use crate::process::Stop;
use crate::release::repository::Repository;
use crate::release::scratch::Scratch;
use crate::state::StateDir;

/// A release commit on its way to a target.
#[derive(Clone, Copy)]
pub(crate) struct Shipment<'a> {
    pub(crate) environment: &'a str,
    pub(crate) number: u32,
    /// The user's commit.
    pub(crate) source: &'a ObjectId,
    /// The release commit; `scratch` has it.
    pub(crate) commit: &'a ObjectId,
    /// The release commit that the ledger says was shipped last, live or not: what a branch must hold.
    pub(crate) before: Option<&'a ObjectId>,
    /// The number of the release that is live by the ledger: what a rollback would want.
    pub(crate) live: Option<u32>,
    /// What the platform calls the deployment that is live by the ledger.
    pub(crate) deployment: Option<&'a str>,
    /// The folder of tasks.toml, absolute: what relative paths start from.
    pub(crate) root: &'a Path,
    /// Where folders may be made that are needed for a while.
    pub(crate) room: &'a Path,
    pub(crate) state: &'a StateDir,
    pub(crate) repository: &'a Repository,
    pub(crate) scratch: &'a Scratch,
    /// What the secrets are, as seen in the environment.
    pub(crate) vault: &'a Vault,
}

/// Runs one shell line in a folder, with the variables of the step; its output goes to what it is given last.
pub(crate) type Line<'a> = dyn Fn(&Script<Text>, &Path, &mut dyn FnMut(Told)) -> Result<(), Failure> + 'a;

/// Runs one program, given with its arguments, in the same way.
pub(crate) type Program<'a> = dyn Fn(&[Text], &Path, &mut dyn FnMut(Told)) -> Result<(), Failure> + 'a;

/// What a target asks of hosts, through the connections of the run.
pub(crate) trait Hosts: Sync {
    /// Runs a shell line of the file's in a folder there, with the variables of the step.
    fn line(
        &self,
        there: &There,
        script: &Script<Text>,
        folder: &str,
        stop: &Stop,
        tell: &mut dyn FnMut(Told),
    ) -> Result<(), Failure>;

    /// Runs a program of deploy's own there; gives what it prints on stdout.
    fn ask(
        &self,
        there: &There,
        words: Vec<String>,
        stop: &Stop,
        tell: &mut dyn FnMut(Told),
    ) -> Result<String, Failure>;

    /// Sends what is in a folder of this machine to one there.
    fn send(
        &self,
        there: &There,
        from: &Path,
        to: &str,
        stop: &Stop,
        tell: &mut dyn FnMut(Told),
    ) -> Result<(), Failure>;

    /// Does something with git by what it is to call in place of ssh, to get there.
    fn by_git(
        &self,
        there: &There,
        stop: &Stop,
        act: &mut dyn FnMut(&str) -> Result<(), Failure>,
    ) -> Result<(), Failure>;
}

/// What a target asks of the run that it is a part of.
pub(crate) struct Crew<'a> {
    pub(crate) line: &'a Line<'a>,
    pub(crate) program: &'a Program<'a>,
    pub(crate) hosts: &'a dyn Hosts,
    /// When the step's time is over.
    pub(crate) deadline: Option<Instant>,
    pub(crate) stop: &'a Stop,
    pub(crate) tell: &'a mut dyn FnMut(Told),
}

/// A shipment that failed, and what the target holds since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotShipped {
    pub(crate) failure: Failure,
    pub(crate) holds: Holds,
}

/// What a target holds after a shipment that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    /// What it held before.
    Before,
    /// Somebody else's commits: nothing was changed, and the next run looks first.
    Foreign,
    /// The release: it arrived, or nobody can ever tell whether it did, and something failed after that.
    Release,
    /// Nobody knows: the connection was cut, or the run was stopped, while the target was at it.
    Unknown,
}

/// Most failures come before anything has arrived.
impl From<Failure> for NotShipped {
    fn from(failure: Failure) -> NotShipped {
        NotShipped { failure, holds: Holds::Before }
    }
}

impl Crew<'_> {
    fn note(&mut self, text: impl Into<String>) {
        (self.tell)(Told::Note(text.into()));
    }

    fn line(&mut self, script: &Script<Text>, folder: &Path) -> Result<(), Failure> {
        (self.line)(script, folder, self.tell)
    }

    fn program(&mut self, words: &[Text], folder: &Path) -> Result<(), Failure> {
        (self.program)(words, folder, self.tell)
    }

    /// Fails once the run is asked to end.
    fn go_on(&self) -> Result<(), Failure> {
        if self.stop.level() < crate::process::Level::Ask { Ok(()) } else { Err(Failure::Stopped) }
    }
}

fn unmet(message: impl Into<String>, help: impl Into<String>) -> Failure {
    Failure::Unmet { message: message.into(), help: Some(help.into()) }
}

fn refused(message: impl Into<String>, help: impl Into<String>) -> Failure {
    Failure::Refused { message: message.into(), help: Some(help.into()) }
}

#[cfg(test)]
pub(crate) mod tests;
