//! What the world looks like when we plan: the clock, the caller's environment, git, the ledgers. It looks, and
//! decides nothing; a fact that no plan wants is not gathered.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::model::name::RunId;
use crate::model::release::{ObjectId, Source, Standing};
use crate::model::swap::Content;
use crate::model::target::Target;
use crate::plan::guard::Circumstances;
use crate::plan::{Delivery, Facts, Known, Want};
use crate::process::Stop;
use crate::release::Refusal;
use crate::release::commit::Told;
use crate::release::event::What;
use crate::release::git::{Git, GitError};
use crate::release::history;
use crate::release::ledger::{Ledger, LedgerError, Tip};
use crate::release::refs::Refs;
use crate::release::remote::Remote;
use crate::release::repository::{Ancestry, Between, Repository, SourceError};
use crate::release::scratch::{Scratch, ScratchError};
use crate::release::state::Meeting;
use crate::release::swap::{self, Swap, SwapContent, SwapFile};
use crate::state::StateDir;
use crate::state::checkout::Checkout;
use crate::target::server;

/// The project's place on this machine: its folder, its state, its repository if it has one.
pub(crate) struct Site {
    pub(crate) root: PathBuf,
    pub(crate) env: Arc<Vec<(OsString, OsString)>>,
    pub(crate) state: StateDir,
    checkout: Option<Checkout>,
    repository: OnceCell<Result<Repository, Refusal>>,
}

/// How many events of a ledger `history` goes back: some thousand releases.
const EVENTS_READ: usize = 10_000;

/// What was found out about a delivery before anything is done.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    pub(crate) circumstances: Circumstances,
    pub(crate) swap: Swap,
    /// The commits that the live release does not have; none when that can't be told.
    pub(crate) since: Option<Between>,
    /// Where the ledger ends.
    pub(crate) tip: Tip,
}

/// What a look at the target has shown.
#[derive(Debug, Default)]
pub(crate) struct Met {
    /// What the ledger is to be told before anything is shipped.
    pub(crate) events: Vec<What>,
    /// What must be asked first.
    pub(crate) question: Option<String>,
}

impl Met {
    /// The number of the last release that the target tells of; 0 if it tells of none.
    pub(crate) fn last(&self) -> u32 {
        let number = |event: &What| if let What::Adopted { number, .. } = event { *number } else { 0 };
        self.events.iter().map(number).max().unwrap_or(0)
    }
}

/// Whether commits of the target may be fetched into deploy's own repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fetch {
    Yes,
    No,
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
    pub(crate) fn new(root: &Path, env: Arc<Vec<(OsString, OsString)>>) -> Site {
        let checkout = Checkout::discover(root);
        let state = StateDir::of(root, checkout.as_ref());
        Site { root: root.to_owned(), env, state, checkout, repository: OnceCell::new() }
    }

    /// The facts that cost nothing.
    pub(crate) fn facts(&self) -> Facts {
        Facts {
            root: self.root.clone(),
            run: run_id(),
            env: Arc::clone(&self.env),
            source: Known::NotAsked,
            ledgers: BTreeMap::new(),
        }
    }

    /// Adds what a plan wants to know. `reference` names the commit to ship.
    pub(crate) fn gather(&self, facts: &mut Facts, wants: &[Want], reference: &str) -> Result<(), LookError> {
        for want in wants {
            match want {
                Want::Source => facts.source = self.source(reference)?,
                Want::Ledger(environment) => {
                    let tip = self.tip(environment)?;
                    let standing = Standing { last: tip.state.number, live: tip.state.live };
                    facts.ledgers.insert(environment.clone(), standing);
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
        let repository = match (&delivery.target, self.repository()) {
            (_, Ok(repository)) => repository,
            (Some(_), Err(refusal)) => return Err(refusal.into()),
            (None, Err(_)) => return Ok(Survey::default()),
        };
        let tip = self.tip(&delivery.environment)?;
        let live = tip.state.live.clone();
        let mut survey = Survey { tip, ..Survey::default() };
        let dirty = repository.dirty()?;
        survey.circumstances.dirty = dirty.into_iter().map(|dirty| dirty.path).collect();
        if let Some((before, _)) = &delivery.protect.after {
            survey.circumstances.before = self.tip(before)?.state.live;
        }
        let Some(source) = &delivery.source else { return Ok(survey) };
        if let Some(live) = &live {
            survey.since = repository.between(&live.source, &source.commit)?;
            survey.circumstances.behind = match repository.ancestry(&live.source, &source.commit)? {
                Ancestry::Ancestor => Some(live.source != source.commit),
                Ancestry::Unrelated => Some(false),
                Ancestry::Unknown => None,
            };
        }
        survey.circumstances.live = live;
        let files: Vec<SwapFile> = delivery.swap.iter().map(file).collect();
        survey.swap = swap::resolve(repository, source, &files)?;
        Ok(survey)
    }

    /// What the target's branch holds, where the ledger alone does not tell: at first contact, and after a run that was
    /// cut off. `scratch` gets what is found there, if it may be written.
    pub(crate) fn meet(&self, delivery: &Delivery, tip: &Tip, fetch: Fetch) -> Result<Met, LookError> {
        let git = match &delivery.target {
            None => return Ok(Met::default()),
            Some(Target::Git(git)) => git,
            Some(Target::Server(server)) => {
                // A ledger that was lost goes on where the server's releases end.
                let last = if tip.id.is_none() {
                    server::last(server, &self.root).unwrap_or_default()
                } else {
                    None
                };
                let events = last.map(|number| What::Adopted { commit: None, number }).into_iter().collect();
                return Ok(Met { events, ..Met::default() });
            }
        };
        let repository = self.repository()?;
        let scratch = match fetch {
            Fetch::Yes => Some(Scratch::open(&self.state, repository)?),
            Fetch::No => self.scratch()?,
        };
        let is_known = tip.state.shipped.is_some() && tip.state.pending.is_none();
        let Some(scratch) = scratch.filter(|_| !is_known) else { return Ok(Met::default()) };
        let url = repository.url(&git.remote.reveal())?;
        let branch = git.branch.reveal();
        let remote = Remote::new(&scratch, repository, &url, &branch)?;
        let stop = Stop::new(Duration::ZERO);
        let held = remote.tip(&stop, &mut |_| {})?;
        let adopted =
            |commit, number| Met { events: vec![What::Adopted { commit, number }], ..Met::default() };
        match tip.state.meet(held.as_ref()) {
            Meeting::Expected => Ok(Met::default()),
            Meeting::Arrived => Ok(Met { events: vec![What::Shipped], ..Met::default() }),
            Meeting::Emptied => Ok(adopted(None, 0)),
            Meeting::FirstContact | Meeting::Foreign => {
                let refs = Refs::new(&delivery.environment)?;
                let held = match fetch {
                    Fetch::Yes => remote.fetch(&refs, &stop, &mut |_| {})?,
                    Fetch::No => held.expect("an empty branch is neither"),
                };
                let commit = scratch.commit(&held)?;
                let told = commit
                    .as_ref()
                    .and_then(Told::read)
                    .filter(|told| told.environment == delivery.environment);
                if let Some(told) = told {
                    return Ok(adopted(Some(held), told.number));
                }
                let what = commit.map_or_else(String::new, |commit| {
                    format!(" \"{}\" by {}", commit.subject(), commit.author)
                });
                let question = format!(
                    "The branch {branch} of {} holds {}{what}, which deploy did not ship. Go on, on top of it?",
                    remote.shown(),
                    held.short()
                );
                Ok(Met { question: Some(question), ..adopted(Some(held), 0) })
            }
        }
    }

    /// Who deploys: the user's name for git, else the login; and the machine.
    pub(crate) fn by(&self) -> String {
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

    /// The releases of an environment, newest first.
    pub(crate) fn history(&self, environment: &str) -> Result<Vec<history::Delivery>, LookError> {
        let Some(scratch) = self.scratch()? else { return Ok(Vec::new()) };
        let ledger = Ledger::new(&scratch, Refs::new(environment)?);
        let (tip, events) = (ledger.look()?, ledger.events(EVENTS_READ)?);
        Ok(history::deliveries(&events, &tip.state))
    }

    /// Where an environment's ledger ends.
    pub(crate) fn tip(&self, environment: &str) -> Result<Tip, LookError> {
        match self.scratch()? {
            Some(scratch) => Ok(Ledger::new(&scratch, Refs::new(environment)?).look()?),
            None => Ok(Tip::default()),
        }
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

    /// The branch that a CI server says it runs for: it checks out a commit, not the branch.
    fn ci_branch(&self, commit: &str) -> Option<String> {
        let variable = |name: &str| {
            let found = self.env.iter().find(|(known, _)| known == name)?;
            found.1.to_str().filter(|value| !value.is_empty())
        };
        let github = || {
            let branch = (variable("GITHUB_REF_TYPE")? == "branch").then(|| variable("GITHUB_REF_NAME"))?;
            (variable("GITHUB_SHA")? == commit).then_some(branch?)
        };
        let gitlab = || (variable("CI_COMMIT_SHA")? == commit).then(|| variable("CI_COMMIT_BRANCH"))?;
        github().or_else(gitlab).map(str::to_owned)
    }
}

/// The time now; the one place where the clock is read for what is kept.
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

fn file(swap: &crate::model::swap::Swap<crate::model::step::Planned>) -> SwapFile {
    let content = match &swap.content {
        Content::Line(line) => SwapContent::Line(line.reveal()),
        Content::From(path) => SwapContent::From(path.reveal()),
        Content::Text(text) => SwapContent::Text(text.reveal()),
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
