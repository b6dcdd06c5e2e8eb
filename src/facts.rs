//! What the world looks like when we plan: the clock, the caller's environment, git, the ledgers. It looks, and
//! decides nothing; a fact that no plan wants is not gathered.

mod apart;
mod assumed;
mod ci;
mod dotenv;
mod interest;
mod ledger;
mod meet;
mod output;
mod rules;
mod secret;

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use jiff::Timestamp;

use crate::model::event::Failure;
use crate::model::ledger::Sharing;
use crate::model::name::RunId;
use crate::model::release::{ObjectId, Release, Source};
use crate::model::step::Planned;
use crate::model::swap::Content;
use crate::plan::guard::Circumstances;
use crate::plan::{Delivery, Facts, Known, Want, World};
use crate::release::Refusal;
use crate::release::git::{Git, GitError};
use crate::release::ledger::team::Team;
use crate::release::ledger::{LedgerError, Tip};
use crate::release::lock::{Holder, Lock};
use crate::release::refs::Refs;
use crate::release::repository::{Between, Repository, SourceError};
use crate::release::scratch::{Scratch, ScratchError};
use crate::release::swap::{self, Swap, SwapContent, SwapFile};
use crate::state::StateDir;
use crate::state::checkout::Checkout;

pub(crate) use apart::Apart;
pub(crate) use assumed::assumed;
pub(crate) use interest::{Dissent, Interest};
pub(crate) use ledger::interruptible;
pub(crate) use meet::Met;
pub(crate) use rules::zone;
pub(crate) use secret::Lack;

/// The project's place on this machine: its folder, its state, its repository if it has one.
pub(crate) struct Site {
    pub(crate) root: PathBuf,
    pub(crate) env: Arc<Vec<(OsString, OsString)>>,
    pub(crate) state: StateDir,
    /// A file of deploy's own making that does not count as a change of the project.
    pub(crate) aside: Option<PathBuf>,
    checkout: Option<Checkout>,
    repository: OnceCell<Result<Repository, Refusal>>,
    /// What the commands of variables printed: each is run once, however often it is planned.
    outputs: RefCell<BTreeMap<(PathBuf, Vec<String>), String>>,
    /// Who deploys, once it was asked for.
    who: OnceCell<String>,
    sharing: Sharing,
    /// With whom the ledgers are shared, once that was asked for.
    team: OnceCell<Option<Team>>,
    /// The ledgers that were asked for of the team's remote; why not, where it could not be reached.
    asked: RefCell<BTreeMap<String, Option<Refusal>>>,
    /// What names of commits meant when they were first looked up: one command ships one commit, also when somebody
    /// commits meanwhile.
    sources: RefCell<BTreeMap<String, Known<Source>>>,
}

/// What was found out about a delivery before anything is done.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    pub(crate) circumstances: Circumstances,
    pub(crate) swap: Swap,
    /// The commits that the live release does not have; none when that can't be told.
    pub(crate) since: Option<Between>,
    /// What deserves a second look, where a plan is shown.
    pub(crate) interest: Option<Interest>,
    /// Where the ledger ends.
    pub(crate) tip: Tip,
    /// Who is at work there now, on this machine.
    pub(crate) holder: Option<Holder>,
    /// The live release, if this delivery would be the same.
    pub(crate) already: Option<u32>,
}

/// Whether a command acts or only looks: one that looks runs nothing of the user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    Act,
    Look,
}

/// Why something could not be found out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LookError {
    /// Nothing is broken; the commit, the target or the repository is not as it must be.
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Git(#[from] GitError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The target could not be looked at.
    #[error("the target can't be looked at")]
    Target(Failure),
    /// A signal came, by its number.
    #[error("stopped; nothing was done")]
    Stopped(i32),
}

impl From<SourceError> for LookError {
    fn from(error: SourceError) -> LookError {
        match error {
            SourceError::Refused(refusal) => LookError::Refused(refusal),
            SourceError::Git(error) => LookError::Git(error),
        }
    }
}

impl From<ScratchError> for LookError {
    fn from(error: ScratchError) -> LookError {
        LookError::Ledger(error.into())
    }
}

impl Site {
    pub(crate) fn new(root: &Path, env: Arc<Vec<(OsString, OsString)>>, sharing: Sharing) -> Site {
        let checkout = Checkout::discover(root);
        let state = StateDir::of(root, checkout.as_ref());
        Site {
            root: root.to_owned(),
            env,
            state,
            aside: None,
            checkout,
            repository: OnceCell::new(),
            outputs: RefCell::default(),
            who: OnceCell::new(),
            sharing,
            team: OnceCell::new(),
            asked: RefCell::default(),
            sources: RefCell::default(),
        }
    }

    /// The facts that cost nothing.
    pub(crate) fn facts(&self) -> Facts {
        Facts {
            root: self.root.clone(),
            run: run_id(),
            env: Arc::clone(&self.env),
            source: Known::NotAsked,
            ledgers: BTreeMap::new(),
            known: BTreeMap::new(),
            outputs: BTreeMap::new(),
            dotenvs: BTreeMap::new(),
            commits: BTreeMap::new(),
            world: World::Seen,
        }
    }

    /// Adds what a plan wants to know. `reference` names the commit to ship.
    pub(crate) fn gather(
        &self,
        facts: &mut Facts,
        wants: &[Want],
        reference: &str,
        manner: Manner,
    ) -> Result<(), LookError> {
        for want in wants {
            match want {
                Want::Source => facts.source = self.source_once(reference)?,
                Want::Output(folder, command) => {
                    let output = match manner {
                        Manner::Act => self.output_once(folder, command)?,
                        Manner::Look => {
                            facts.world = World::Looked;
                            format!("(known when run: {})", command.join(" "))
                        }
                    };
                    facts.outputs.insert((folder.clone(), command.clone()), output);
                }
                Want::Dotenv(path) => {
                    facts.dotenvs.insert(path.clone(), dotenv::read(&self.root, path, &self.env));
                }
                Want::Commit(name) => {
                    let known = match self.source(name)? {
                        Known::Is(_) | Known::NotAsked => Known::Is(()),
                        Known::Absent(reason, help) => Known::Absent(reason, help),
                    };
                    facts.commits.insert(name.clone(), known);
                }
                Want::Ledger(environment) => {
                    facts.ledgers.insert(environment.clone(), ledger::standing(self.tip(environment)?));
                }
                Want::Standing(environment) => {
                    let tip = match self.ledger(environment)? {
                        Some(ledger) => ledger.look()?,
                        None => Tip::default(),
                    };
                    facts.known.insert(environment.clone(), ledger::standing(tip));
                }
            }
        }
        Ok(())
    }

    /// The user's repository.
    ///
    /// # Errors
    /// Refused outside of git, or without git.
    pub(crate) fn repository(&self) -> Result<&Repository, Refusal> {
        let find = || {
            let checkout = self.checkout.clone().ok_or_else(|| {
                let message = format!(
                    "`{}` is in no git repository, and what is shipped is a commit",
                    self.root.display()
                );
                Refusal::new(message, "git init && git add --all && git commit -m \"first commit\"")
            })?;
            let git = Git::find(self.env.as_ref().clone(), &self.root);
            let git = git.map_err(|error| Refusal::new(error.to_string(), "install git"))?;
            Ok(Repository { git, checkout })
        };
        self.repository.get_or_init(find).as_ref().map_err(Refusal::clone)
    }

    /// deploy's own repository, if there is one yet.
    pub(crate) fn scratch(&self) -> Result<Option<Scratch>, LookError> {
        match self.repository() {
            Ok(repository) => Ok(Scratch::look(&self.state, repository)?),
            Err(_) => Ok(None),
        }
    }

    /// What is found out about a delivery before it is decided. Nothing is written.
    pub(crate) fn survey(&self, delivery: &Delivery) -> Result<Survey, LookError> {
        let mut survey = Survey::default();
        survey.circumstances.clocks = rules::clocks(&delivery.protect.freeze);
        let repository = match (&delivery.target, self.repository()) {
            (_, Ok(repository)) => repository,
            (Some(_), Err(refusal)) => return Err(refusal.into()),
            (None, Err(_)) => return Ok(survey),
        };
        let tip = self.tip(&delivery.environment)?;
        let live = tip.state.live.clone();
        survey.circumstances.saved = rules::saved(&tip.state, &delivery.guarded);
        survey.circumstances.frozen = tip.state.frozen.as_ref().map(rules::frozen);
        survey.tip = tip;
        survey.holder = Lock::look(&self.state, &Refs::new(&delivery.environment)?);
        survey.circumstances.unreached =
            self.unreached(&delivery.environment).map(|refusal| (refusal.message, refusal.help));
        if let Some(back) = &delivery.back {
            // What goes: the commits that what is live has, and what comes back has not.
            if let Some(live) = &live {
                survey.since = repository.between(&back.source, &live.source)?;
            }
            survey.circumstances.live = live;
            return Ok(survey);
        }
        // What git takes longest for, it does while we ask it for the rest.
        thread::scope(|scope| {
            let dirty = scope.spawn(|| repository.dirty());
            let moved = live.as_ref().zip(delivery.source.as_ref());
            let since =
                moved.map(|(live, source)| scope.spawn(|| repository.between(&live.source, &source.commit)));
            self.look(repository, delivery, live.as_ref(), &mut survey)?;
            if let Some(since) = since {
                survey.since = joined(since)?;
            }
            let dirty = joined(dirty)?.into_iter().map(|dirty| dirty.path);
            survey.circumstances.dirty = dirty.filter(|path| !self.is_aside(path)).collect();
            Ok::<_, LookError>(())
        })?;
        survey.circumstances.live = live.filter(|_| delivery.source.is_some());
        Ok(survey)
    }

    /// What is asked one after the other.
    fn look(
        &self,
        repository: &Repository,
        delivery: &Delivery,
        live: Option<&Release>,
        survey: &mut Survey,
    ) -> Result<(), LookError> {
        if let Some((before, _)) = &delivery.protect.after {
            survey.circumstances.before = rules::before(self.tip(before)?.state);
        }
        let Some(source) = &delivery.source else { return Ok(()) };
        if delivery.protect.pushed {
            survey.circumstances.pushed = self.pushed(repository, source)?;
        }
        if let Some(live) = live {
            let (behind, unhad) = self.is_older(repository, delivery, &source.commit, &live.source)?;
            survey.circumstances.behind = behind;
            survey.circumstances.unhad = unhad;
        }
        let files: Vec<SwapFile> = delivery.swap.iter().map(file).collect();
        survey.swap = swap::resolve(repository, source, &files)?;
        if let (Some(live), Some(scratch)) = (survey.tip.state.serves(), self.scratch()?)
            && scratch.is_same(live, source, &survey.swap.entries)?
        {
            survey.already = Some(live.number);
        }
        Ok(())
    }

    fn is_aside(&self, path: &str) -> bool {
        self.aside.as_ref().is_some_and(|aside| *aside == self.root.join(path))
    }

    /// Who deploys: the user's name for git, else the login; and the machine.
    pub(crate) fn by(&self) -> String {
        self.who.get_or_init(|| self.name()).clone()
    }

    fn name(&self) -> String {
        let login = || {
            let user = self.env.iter().find(|(name, _)| name == "USER" || name == "LOGNAME");
            user.map_or_else(|| "somebody".to_owned(), |(_, user)| user.to_string_lossy().into_owned())
        };
        let settings = self.repository().ok().and_then(|repository| repository.settings().ok());
        let name = settings.and_then(|settings| settings.user().map(str::to_owned)).unwrap_or_else(login);
        let machine = rustix::system::uname();
        format!("{name}@{}", machine.nodename().to_string_lossy())
    }

    /// How many commits HEAD has that `live` has not; none if that can't be told.
    pub(crate) fn behind(&self, live: &ObjectId) -> Result<Option<usize>, LookError> {
        let Known::Is(head) = self.source("HEAD")? else { return Ok(None) };
        let Ok(repository) = self.repository() else { return Ok(None) };
        Ok(repository.between(live, &head.commit)?.map(|between| between.commits.len()))
    }

    fn source_once(&self, reference: &str) -> Result<Known<Source>, LookError> {
        if let Some(source) = self.sources.borrow().get(reference) {
            return Ok(source.clone());
        }
        let source = self.source(reference)?;
        self.sources.borrow_mut().insert(reference.to_owned(), source.clone());
        Ok(source)
    }

    fn source(&self, reference: &str) -> Result<Known<Source>, LookError> {
        let found = self
            .repository()
            .map_err(LookError::Refused)
            .and_then(|repository| Ok(repository.source(reference)?));
        match found {
            Ok(mut source) => {
                if source.branch.is_none() {
                    source.branch = self.ci_branch(source.commit.as_str());
                }
                Ok(Known::Is(source))
            }
            Err(LookError::Refused(refusal)) => Ok(Known::Absent(refusal.message, refusal.help)),
            Err(error) => Err(error),
        }
    }
}

/// What a thread has found out.
fn joined<T>(thread: thread::ScopedJoinHandle<'_, Result<T, GitError>>) -> Result<T, GitError> {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// The time now; the one place where the clock is read for what is kept.
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// A swap as the release commit takes it; planning refused secrets in it.
fn file(swap: &crate::model::swap::Swap<Planned>) -> SwapFile {
    let content = match &swap.content {
        Content::Line(line) => SwapContent::Line(line.to_string()),
        Content::From(path) => SwapContent::From(path.to_string()),
        Content::Text(text) => SwapContent::Text(text.to_string()),
        Content::Remove => SwapContent::Remove,
    };
    SwapFile { path: swap.path.clone(), content }
}

/// When the run began, to the second, and a random tail.
fn run_id() -> RunId {
    let mut tail = [0_u8; 4];
    // Without randomness the time alone tells runs of one machine apart well enough.
    let _filled = getrandom::fill(&mut tail);
    let now = now().strftime("%Y%m%d-%H%M%S");
    RunId(format!("{now}-{:08x}", u32::from_be_bytes(tail)))
}
