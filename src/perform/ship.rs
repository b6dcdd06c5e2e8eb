//! The release of an environment: its commit is made, its target gets it, and the ledger says each step of it before
//! and after. Whether it may go out was decided before.

use super::dock::{Again, Dock, Stage};
use super::errands::Errands;
use super::{Hands, exec};
use crate::engine::Act;
use crate::facts::now;
use crate::model::event::{Failure, Told};
use crate::model::name::RunId;
use crate::model::release::{ObjectId, Release, Source};
use crate::model::step::Planned;
use crate::model::target::Target;
use crate::plan::Swapping;
use crate::process::Stop;
use crate::release::commit::{Made, ReleaseCommit, Return};
use crate::release::event::What;
use crate::release::state::State;
use crate::target::git::Reach;
use crate::target::{self, Crew, Holds, NotShipped, Shipment};

/// Ships the release of the job's environment.
pub(super) fn ship(
    hands: &Hands<'_>,
    act: &Act<'_>,
    stop: &Stop,
    tell: &mut dyn FnMut(Told),
) -> Result<(), Failure> {
    let dock = hands.docks.of(act.environment).expect("a plan that ships has a dock for each environment");
    dock.ship(hands, act, stop, tell)
}

impl Dock<'_> {
    fn ship(
        &self,
        hands: &Hands<'_>,
        act: &Act<'_>,
        stop: &Stop,
        tell: &mut dyn FnMut(Told),
    ) -> Result<(), Failure> {
        let (Some(source), Some(target)) = (&self.delivery.source, &self.delivery.target) else {
            unreachable!("what has no commit or no target is refused before the first job");
        };
        let mut stage = self.stage.lock().expect("no thread panics while it ships");
        let state = self.holding.tip().state;
        if let Some(live) = self.already(source, &state)? {
            tell(Told::Note(format!(
                "{} is live already, as release {}",
                source.commit.short(),
                live.number
            )));
            *stage = Stage::Already;
            return Ok(());
        }
        let mut crew = Crew {
            line: &|script, folder, tell| exec::line(hands, act, script, folder, stop, tell),
            program: &|words, folder, tell| exec::program_in(hands, act, words, folder, stop, tell),
            hosts: &Errands { hands, act },
            deadline: act.limit.map(|limit| limit.at),
            stop,
            tell,
        };
        let parent = self.parent(target, &state)?;
        let (made, release) = match &self.delivery.back {
            Some(back) => self.recall(hands, back, target, parent, &mut crew)?,
            None => self.make(&hands.run, source, parent)?,
        };
        self.say(&hands.run, What::Started(Box::new(release)), None)?;
        *stage = Stage::Started;
        let shipment = Shipment {
            environment: &self.delivery.environment,
            number: self.delivery.number,
            source: &source.commit,
            commit: &made.commit,
            before: state.shipped.as_ref(),
            live: state.live.as_ref().map(Release::content),
            deployment: state.live.as_ref().and_then(|live| live.deployment.as_deref()),
            root: &hands.root,
            room: &exec::room(hands),
            state: &hands.state,
            repository: self.repository,
            scratch: &self.scratch,
            vault: hands.vaults.of(act.environment),
        };
        let unnamed = |()| None;
        let shipped = match (target, &self.delivery.back) {
            (Target::Git(git), _) => target::git::ship(git, &shipment, crew).map(unnamed),
            (Target::Server(server), None) => target::server::ship(server, &shipment, crew).map(unnamed),
            (Target::Server(server), Some(back)) => {
                target::server::rollback(server, &shipment, back.number, crew).map(unnamed)
            }
            (Target::Command(command), None) => target::command::ship(command, &shipment, crew).map(unnamed),
            (Target::Command(command), Some(_)) => {
                target::command::rollback(command, &shipment, crew).map(unnamed)
            }
            // What comes back is a release like any other: its files, built anew.
            (Target::PythonAnywhere(app), _) => {
                target::pythonanywhere::ship(app, &shipment, crew).map(unnamed)
            }
            (Target::Zappa(zappa), None) => target::zappa::ship(zappa, &shipment, crew).map(Some),
            (Target::Zappa(zappa), Some(back)) => {
                target::zappa::rollback(zappa, &shipment, back, crew).map(Some)
            }
            (Target::Platform(platform), None) => target::platform::ship(platform, &shipment, crew).map(Some),
            (Target::Platform(platform), Some(back)) => {
                target::platform::rollback(platform, &shipment, back, crew).map(Some)
            }
        };
        let holds = shipped.as_ref().map_or_else(|not| not.holds, |_| Holds::Release);
        match holds {
            Holds::Before => {}
            Holds::Unknown => *stage = Stage::Unknown,
            Holds::Foreign => self.say(&hands.run, What::Moved, None)?,
            Holds::Release => {
                let deployment = shipped.as_ref().ok().cloned().flatten();
                self.say(&hands.run, What::Shipped { deployment }, None)?;
                *stage = Stage::Shipped;
            }
        }
        shipped.map(drop).map_err(|not: NotShipped| not.failure)
    }

    /// The live release, if what is to be shipped is the same.
    fn already<'s>(&self, source: &Source, state: &'s State) -> Result<Option<&'s Release>, Failure> {
        let live = state.serves().filter(|_| self.again == Again::LeaveIt && self.delivery.back.is_none());
        let Some(live) = live else { return Ok(None) };
        let is_same = self.scratch.is_same(live, source, &self.entries);
        Ok(is_same.map_err(|error| unmet(error.to_string()))?.then_some(live))
    }

    /// What the new commit goes on from. Only a branch must have it so; what another machine shipped elsewhere is not here.
    fn parent<'s>(
        &self,
        target: &Target<Planned>,
        state: &'s State,
    ) -> Result<Option<&'s ObjectId>, Failure> {
        let Some(shipped) = &state.shipped else { return Ok(None) };
        if target.branch().is_some() || !self.holding.is_shared() {
            return Ok(Some(shipped));
        }
        let found = self.scratch.commit(shipped).map_err(|error| unmet(error.to_string()))?;
        Ok(found.map(|_| shipped))
    }

    /// The release commit of what is new.
    fn make(
        &self,
        run: &RunId,
        source: &Source,
        parent: Option<&ObjectId>,
    ) -> Result<(Made, Release), Failure> {
        let (refs, number) = (&self.refs, self.delivery.number);
        let commit = ReleaseCommit { refs, number, run, source, entries: &self.entries, parent };
        let made = match self.swapping {
            Swapping::Beside => commit.make(&self.scratch).map_err(|error| unmet(error.to_string()))?,
            // The commit with the swap is on the user's branch already.
            Swapping::InPlace => {
                let head = self.repository.source("HEAD").map_err(|error| unmet(error.to_string()))?;
                Made { commit: head.commit, tree: head.tree }
            }
        };
        let release = commit.record(&made, &self.by, now());
        Ok((made, release))
    }

    /// What brings an earlier release back: a branch gets a new commit with its files, others have it still.
    fn recall(
        &self,
        hands: &Hands<'_>,
        back: &Release,
        target: &Target<Planned>,
        parent: Option<&ObjectId>,
        crew: &mut Crew<'_>,
    ) -> Result<(Made, Release), Failure> {
        let run = &hands.run;
        let again = || Failure::Unmet {
            message: format!("the files of release {} are not here any more", back.number),
            help: Some(format!("deploy {} --ref {}", self.delivery.environment, back.source.short())),
        };
        let (Some(commit), Some(tree)) = (&back.commit, &back.tree) else { return Err(again()) };
        let made = match (target.branch(), target) {
            (Some(git), _) => {
                let reach = Reach {
                    repository: self.repository,
                    scratch: &self.scratch,
                    vault: hands.vaults.of(Some(&self.delivery.environment)),
                };
                target::git::recall(git, &self.refs, tree, reach, crew)?;
                Return { refs: &self.refs, number: self.delivery.number, run, back, parent }
                    .make(&self.scratch)
                    .map_err(|error| unmet(error.to_string()))?
            }
            // The release is whole in its folder, or at its platform.
            (None, Target::Server(_) | Target::Platform(_)) => {
                Made { commit: commit.clone(), tree: tree.clone() }
            }
            (None, Target::Command(_) | Target::Zappa(_) | Target::PythonAnywhere(_) | Target::Git(_)) => {
                let is_whole = self.scratch.has_whole(commit).map_err(|error| unmet(error.to_string()))?;
                if !is_whole {
                    return Err(again());
                }
                Made { commit: commit.clone(), tree: tree.clone() }
            }
        };
        let release = Release {
            number: self.delivery.number,
            commit: Some(made.commit.clone()),
            tree: Some(made.tree.clone()),
            restores: Some(back.number),
            deployment: None,
            run: run.clone(),
            by: self.by.clone(),
            at: now(),
            ..back.clone()
        };
        Ok((made, release))
    }
}

fn unmet(message: String) -> Failure {
    Failure::Unmet { message, help: None }
}
