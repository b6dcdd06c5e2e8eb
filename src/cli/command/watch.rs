//! `--watch`: the same again whenever a file changes that its tasks read. Each time is a run like any other, of the
//! tasks.toml that is there then. Between runs a signal does what it always does; a run that it ended ends the watch.

use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anstream::eprintln;

use super::super::args::{OnChange, Run};
use super::super::error::{Error, Kind};
use super::super::opening::Opening;
use super::super::session::Session;
use super::super::{Stopped, request, say};
use super::run;
use crate::diagnostic::Source;
use crate::facts::Manner;
use crate::fresh::events::{self, Events};
use crate::fresh::watch::{Snapshot, Watched};
use crate::plan::{Plan, Request};
use crate::process::signal;
use crate::report::words::count;

/// How long nothing must happen before one looks: editors write a file in several steps.
const QUIET: Duration = Duration::from_millis(50);

/// How long one waits for that at most: something may write all the time.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often one looks where nobody tells.
const LOOK: Duration = Duration::from_secs(1);

/// What is heard while one watches.
enum Heard {
    /// Something may have changed.
    Change,
    /// The run is over.
    Over,
}

/// Runs, and runs again, until a signal ends it. `load` reads the project as it is.
///
/// # Errors
/// What can't be read or watched at the beginning. Later on it may be a slip that is mended soon: then it is told.
pub(crate) fn watch(
    opening: &Opening,
    load: &dyn Fn() -> Result<Session, Error>,
    on_change: OnChange,
) -> Result<ExitCode, Stopped> {
    let (sender, receiver) = channel();
    let mut ears = Ears { sender, receiver, looks: false };
    let mut ground = Ground::of(opening, load()?)?;
    loop {
        let mut events = ears.listen(&ground);
        let mut before = ground.watched.snapshot(&Snapshot::default());
        ground.run(&mut ears, &before, on_change);
        if let Some(signal) = signal::last() {
            return Ok(ExitCode::from(u8::try_from(128 + signal.number()).unwrap_or(u8::MAX)));
        }
        ground.tell("watching for changes; Ctrl-C ends it");
        loop {
            ears.wait_for_change(&ground, &mut events, &before);
            // As they were before they are read: what changes from here on is another change.
            let texts = ground.watched.texts_now();
            match load().map_err(Stopped::from).and_then(|session| Ground::of(opening, session)) {
                Ok(new) => {
                    ground = new;
                    break;
                }
                Err(stopped) => {
                    say(stopped);
                    ground.watched.set_texts(texts);
                    before = ground.watched.snapshot(&before);
                }
            }
        }
    }
}

/// What is run, and what it reads.
struct Ground {
    session: Session,
    run: Run,
    watched: Watched,
}

impl Ground {
    fn of(opening: &Opening, session: Session) -> Result<Ground, Stopped> {
        let run = opening.run(&session)?;
        let plans = plans(&session, &run)?;
        // As messages show them, they are relative to where this process stands.
        let file = |source: &Source| {
            std::path::absolute(&source.path).unwrap_or_else(|_| source.path.clone().into())
        };
        let texts = session.sources.iter().map(|source| (file(source), source.text.clone()));
        let watched = Watched::of(&plans, texts);
        if watched.is_empty() {
            return Err(Error::new(
                Kind::Usage,
                "there is nothing to watch: no task of this plan has `inputs`",
            )
            .help("say what a task reads: inputs = [\"src/**\"]")
            .into());
        }
        Ok(Ground { session, run, watched })
    }

    /// One run. A change of what it reads ends it, where that is wanted.
    fn run(&self, ears: &mut Ears, before: &Snapshot, on_change: OnChange) {
        let over = ears.sender.clone();
        thread::scope(|scope| {
            if on_change == OnChange::Restart {
                scope.spawn(|| {
                    if ears.hear_change(self, before) {
                        self.session.halt.end();
                    }
                });
            }
            if let Err(error) = run::asked(&self.session, &self.run) {
                say(error.into());
            }
            // Who listens, if anybody does, is told before it is waited for.
            let _sent = over.send(Heard::Over);
        });
    }

    /// Whether something that is read is not as it was; it is told.
    fn has_changed(&self, before: &Snapshot) -> bool {
        let changed = self.watched.changes(before, &self.watched.snapshot(before));
        let Some(first) = changed.first() else { return false };
        let shown = first.strip_prefix(&self.session.here).unwrap_or(first).display();
        self.tell(&match changed.len() - 1 {
            0 => format!("{shown} has changed"),
            more => format!("{shown} and {} have changed", count(more, "other file")),
        });
        true
    }

    fn tell(&self, what: &str) {
        if !self.run.common.quiet {
            eprintln!("deploy: {what}");
        }
    }
}

/// The plans of a command line, looked at.
fn plans(session: &Session, run: &Run) -> Result<Vec<Plan>, Error> {
    let requests = request::requests(session, &run.common, &run.words)?;
    let site = session.site();
    let plan = |request: &Request| {
        let (_, plan) = request::planned(session, &run.common, &site, request, Manner::Look)?;
        if let Some(delivery) = plan.deliveries.first() {
            return Err(Error::new(
                Kind::Usage,
                format!("`--watch` does not deploy, and this deploys to {}", delivery.environment),
            )
            .help("watch a task: deploy --watch ENVIRONMENT TASK"));
        }
        Ok(plan)
    };
    requests.iter().map(plan).collect()
}

/// What hears of changes.
struct Ears {
    sender: Sender<Heard>,
    receiver: Receiver<Heard>,
    /// Whether nobody tells, so that one has to look.
    looks: bool,
}

impl Ears {
    fn listen(&mut self, ground: &Ground) -> Events {
        let tell = self.sender.clone();
        let events = Events::listen(ground.watched.folders(), move || drop(tell.send(Heard::Change)));
        let looks = match &events.source {
            events::Source::System => false,
            events::Source::Nobody(why) => {
                if !self.looks {
                    ground.tell(&format!("looking every second for what has changed: {why}"));
                }
                true
            }
        };
        self.looks = looks;
        events
    }

    /// Waits, between two runs, until something is not as it was `before`.
    fn wait_for_change(&mut self, ground: &Ground, events: &mut Events, before: &Snapshot) {
        loop {
            // A folder that was not there when we began to listen may be there now. What happened in it before it is
            // listened to is found by the look behind.
            if ground.watched.folders() != events.folders {
                *events = self.listen(ground);
            }
            if ground.has_changed(before) {
                return;
            }
            self.hear();
            self.settle();
        }
    }

    /// Waits during a run for a change: whether there was one before it was over.
    fn hear_change(&mut self, ground: &Ground, before: &Snapshot) -> bool {
        loop {
            match self.hear() {
                Heard::Over => return false,
                Heard::Change => {
                    if self.settle() == Settled::Over {
                        return false;
                    }
                    if ground.has_changed(before) {
                        return true;
                    }
                }
            }
        }
    }

    /// What comes next, or that one has to look.
    fn hear(&mut self) -> Heard {
        if self.looks {
            return self.receiver.recv_timeout(LOOK).unwrap_or(Heard::Change);
        }
        self.receiver.recv().expect("one end of it is ours")
    }

    /// Waits until nothing happens for a moment.
    fn settle(&mut self) -> Settled {
        let patience = Instant::now() + PATIENCE;
        while Instant::now() < patience {
            match self.receiver.recv_timeout(QUIET) {
                Ok(Heard::Change) => {}
                Ok(Heard::Over) => return Settled::Over,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        Settled::Quiet
    }
}

/// How a wait for quiet ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Settled {
    Quiet,
    /// The run is over.
    Over,
}
