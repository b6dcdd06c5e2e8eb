//! What is saved of an environment, and what comes back. A backup counts, and is told of, when it was read back and is
//! what was sent; nothing older goes before that.

mod files;
mod meter;
mod postgres;
mod restore;
mod save;
mod trial;

use std::cell::Cell;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

pub(super) use restore::restore;
pub(super) use save::save;

use super::Hands;
use super::exec;
use super::surroundings::Surroundings;
use crate::backup::ShelfError;
use crate::backup::seal::Age;
use crate::engine::Act;
use crate::facts::now;
use crate::model::backup::Backup;
use crate::model::event::{Failure, Stream, Told};
use crate::model::script::Script;
use crate::model::step::{Planned, Step};
use crate::model::store::Place;
use crate::model::task::Block;
use crate::model::text::Text;
use crate::process::{Flow, Stdin, Stop};
use crate::release::event::{Event, What};
use crate::store::Store;

/// The program that encrypts and decrypts.
const AGE: &str = "age";

/// What becomes of a command's output, and then of the command.
type Printed<'p> = dyn FnMut(&[u8], &mut dyn FnMut(Told)) -> Flow + 'p;

/// One backup in the hands of a step.
struct Work<'w> {
    hands: &'w Hands<'w>,
    act: &'w Act<'w>,
    backup: &'w Backup,
    /// What its commands run in.
    block: Block,
    step: Step<Planned>,
    stop: &'w Stop,
}

impl<'w> Work<'w> {
    fn new(hands: &'w Hands<'w>, act: &'w Act<'w>, backup: &'w Backup, stop: &'w Stop) -> Work<'w> {
        // What its commands print is the data: no terminal is to have it.
        let block = Block {
            dir: backup.dir.clone(),
            steps: Vec::new(),
            always: Vec::new(),
            interactive: false,
            ..act.block.clone()
        };
        let env = backup.env.iter().chain(&act.step.env).cloned().collect();
        let step = Step { dir: None, env, ..act.step.clone() };
        Work { hands, act, backup, block, step, stop }
    }

    fn act<'a>(&'a self, extra: &'a [(String, String)]) -> Act<'a> {
        Act { block: &self.block, step: &self.step, extra, ..*self.act }
    }

    fn store(&self) -> Result<Store, Failure> {
        self.open(&self.backup.place)
    }

    fn open(&self, place: &Place) -> Result<Store, Failure> {
        let keys = |name: &str| place.keys.value(name, &self.hands.vaults, &self.hands.env);
        Store::open(place, &self.hands.root, &keys)
            .map_err(|error| unmet(format!("the store `{place}` can't be opened: {error}")))
    }

    /// Runs a command of the backup, and gives `out` what it prints; what it says beside that is told.
    fn run(
        &self,
        script: &Script<Text>,
        extra: &[(String, String)],
        tell: &mut dyn FnMut(Told),
        out: &mut Printed<'_>,
    ) -> Result<(), Failure> {
        let flow = Cell::new(Flow::On);
        exec::heard(self.hands, &self.act(extra), script, &flow, self.stop, &mut |told| match told {
            Told::Output(Stream::Out, bytes) => flow.set(out(&bytes, tell)),
            Told::Output(Stream::Err, _) | Told::Note(_) | Told::OnHost(..) | Told::LeftRunning => tell(told),
        })
    }

    /// Runs a command that reads what others write.
    fn feed(
        &self,
        script: &Script<Text>,
        extra: &[(String, String)],
        stdin: Stdin,
        tell: &mut dyn FnMut(Told),
    ) -> Result<(), Failure> {
        exec::fed(self.hands, &self.act(extra), script, stdin, self.stop, tell)
    }

    /// The program `age` with these arguments.
    fn age(&self, args: Vec<OsString>) -> Result<Age, Failure> {
        let surroundings = Surroundings::of(self.hands, &self.act(&[]));
        let found = self.hands.programs.find(OsStr::new(AGE), surroundings.path(), &surroundings.dir);
        let program: PathBuf = found.map_err(|missing| Failure::Unmet {
            message: format!("{}: it makes and opens the backup {}", missing, self.backup.name),
            help: Some("install it: apt install age, or brew install age".to_owned()),
        })?;
        Ok(Age { program, args, dir: surroundings.dir, env: surroundings.env })
    }

    /// Tells the environment's ledger, where there is one.
    fn note(&self, what: What) -> Result<(), Failure> {
        let Some((holding, release)) = self.hands.holding(&self.backup.environment) else { return Ok(()) };
        let (run, by) = (Some(self.hands.run.clone()), self.hands.by.clone());
        let event = Event { what, at: now(), by, run, release, reason: None, took: None };
        holding
            .say(&[event], &Stop::new(Duration::ZERO))
            .map_err(|error| unmet(format!("it was done, and the ledger can't be told: {error}")))
    }

    fn failed(&self, error: &ShelfError) -> Failure {
        let message = format!("{} in `{}`: {error}", self.backup.name, self.backup.place);
        Failure::Unmet { message, help: None }
    }
}

fn unmet(message: String) -> Failure {
    Failure::Unmet { message, help: None }
}
