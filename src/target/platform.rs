//! An application at a platform: its branch gets the commit, a deployment is begun, and followed until it is live or has
//! failed. A beginning is never sent twice: where the answer to it was lost, the platform's own list tells.

pub(super) mod api;
mod course;
pub(crate) mod sight;

use std::time::Instant;

use super::digitalocean::DigitalOcean;
use super::divio::Divio;
use super::render::Render;
use super::{Crew, Holds, NotShipped, Shipment, git, refused};
use crate::model::event::Failure;
use crate::model::platform::{PlatformTarget, Service};
use crate::model::release::{ObjectId, Release};
use crate::model::secret::Vault;
use crate::model::step::Planned;
use crate::model::text::Text;
use crate::process::Stop;
use api::{Api, ApiError};
use course::Begun;

/// A deployment as its platform tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Deployment {
    pub(crate) id: String,
    pub(super) state: State,
    /// The commits that it was, or will be, built from, as far as the platform says so: one for each component.
    pub(crate) commits: Vec<String>,
}

/// How far a deployment is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// In the platform's own word.
    Underway(String),
    Live,
    Failed(String),
    /// Another one came in between.
    Replaced(String),
}

/// The application, as it was found before anything was begun.
#[derive(Default)]
pub(super) struct Found {
    /// What deserves to be told.
    pub(super) notes: Vec<String>,
    /// Why nothing may be begun there.
    pub(super) hindrance: Option<Hindrance>,
}

/// It is there, and not as it must be: how, and the mend.
pub(super) struct Hindrance {
    message: String,
    help: String,
}

impl Found {
    pub(super) fn hindered(message: impl Into<String>, help: impl Into<String>) -> Found {
        let hindrance = Hindrance { message: message.into(), help: help.into() };
        Found { hindrance: Some(hindrance), ..Found::default() }
    }
}

/// Where an API is that the file says nothing of, and the first word of the header that holds the token.
pub(super) struct Door {
    pub(super) address: &'static str,
    pub(super) scheme: &'static str,
}

/// What an API is asked for, and how its answers are understood.
pub(super) trait Vendor {
    fn door(&self) -> Door;

    /// Finds the application, and sees whether it is as it must be.
    fn look(&mut self, api: &Api<'_>, expected: &Expected<'_>) -> Result<Found, Unfit>;

    /// Begins a deployment; its name, unless the platform does not tell it yet.
    fn start(&self, api: &Api<'_>, commit: &ObjectId) -> Result<Option<String>, ApiError>;

    /// Begins one that brings back what an earlier deployment made live, where the platform can do that.
    fn start_back(&self, api: &Api<'_>, earlier: &Earlier<'_>) -> Result<Option<String>, Unfit>;

    /// The newest deployments, newest first.
    fn deployments(&self, api: &Api<'_>) -> Result<Vec<Deployment>, ApiError>;

    fn deployment(&self, api: &Api<'_>, id: &str) -> Result<Deployment, ApiError>;

    fn cancel(&self, api: &Api<'_>, id: &str) -> Result<(), ApiError>;

    /// What a deployment said while it was made.
    fn log(&self, api: &Api<'_>, id: &str) -> Result<String, ApiError>;

    /// Where people look at it.
    fn page(&self, id: &str) -> String;
}

/// How the ledger and the file say that the application is.
pub(super) struct Expected<'a> {
    /// The branch that it builds.
    pub(super) branch: Option<&'a str>,
    /// The deployment that made live what is live.
    pub(super) live: Option<&'a str>,
}

impl Expected<'_> {
    /// The branch that is pushed to, where the application builds another one.
    pub(super) fn other_than<'s>(&'s self, theirs: Option<&str>) -> Option<&'s str> {
        self.branch.filter(|ours| theirs.is_some_and(|theirs| theirs != *ours))
    }
}

/// What is to come back.
pub(super) struct Earlier<'a> {
    /// The platform's name of the deployment that made it live.
    pub(super) deployment: Option<&'a str>,
    /// The commit that the branch has now: one with its files.
    pub(super) commit: &'a ObjectId,
}

/// Why nothing was begun.
pub(super) enum Unfit {
    Refused { message: String, help: String },
    Api(ApiError),
}

impl From<ApiError> for Unfit {
    fn from(error: ApiError) -> Unfit {
        Unfit::Api(error)
    }
}

impl Unfit {
    pub(super) fn refused(message: impl Into<String>, help: impl Into<String>) -> Unfit {
        Unfit::Refused { message: message.into(), help: help.into() }
    }

    fn failure(self, title: &str) -> Failure {
        match self {
            Unfit::Refused { message, help } => refused(message, help),
            Unfit::Api(error) => error.failure(title),
        }
    }
}

/// Brings a release to its platform, and gives what the platform calls that.
pub(crate) fn ship(
    target: &PlatformTarget<Planned>,
    shipment: &Shipment<'_>,
    crew: Crew<'_>,
) -> Result<String, NotShipped> {
    deliver(target, shipment, None, crew)
}

/// Brings an earlier release back.
pub(crate) fn rollback(
    target: &PlatformTarget<Planned>,
    shipment: &Shipment<'_>,
    earlier: &Release,
    crew: Crew<'_>,
) -> Result<String, NotShipped> {
    deliver(target, shipment, Some(earlier), crew)
}

fn deliver(
    target: &PlatformTarget<Planned>,
    shipment: &Shipment<'_>,
    back: Option<&Release>,
    mut crew: Crew<'_>,
) -> Result<String, NotShipped> {
    let title = target.service.title();
    let mut vendor = vendor(&target.service);
    let api = api(target, &*vendor, shipment.vault, crew.stop, crew.deadline)?;
    let branch = target.push.as_ref().map(|push| push.branch.to_string());
    let expected = Expected { branch: branch.as_deref(), live: shipment.deployment };
    let found = vendor.look(&api, &expected).map_err(|unfit| unfit.failure(title))?;
    if let Some(Hindrance { message, help }) = found.hindrance {
        return Err(refused(message, help).into());
    }
    let deployments = vendor.deployments(&api).map_err(|error| error.failure(title))?;
    found.notes.into_iter().for_each(|note| crew.note(note));
    refuse_if_busy(title, &*vendor, &deployments)?;
    let known: Vec<String> = deployments.into_iter().map(|deployment| deployment.id).collect();

    // A platform that is not told a branch knows the user's own commits alone.
    let (commit, held) = match &target.push {
        Some(push) => {
            let crew = Crew { tell: &mut *crew.tell, ..crew };
            git::ship(push, shipment, crew)?;
            (shipment.commit, Holds::Release)
        }
        None => (shipment.source, Holds::Before),
    };
    let before = back.and_then(|back| back.commit.as_ref());
    let ours = [Some(commit), before].into_iter().flatten().collect();
    let begun = Begun { vendor: &*vendor, api: &api, target, known, commit, ours };
    begun.run(back, &mut crew).map_err(|(failure, at)| NotShipped {
        failure,
        holds: if held == Holds::Release { held } else { at },
    })
}

fn vendor(service: &Service<Planned>) -> Box<dyn Vendor> {
    let plain = |text: &Text| text.to_string();
    match service {
        Service::Render { service } => Box::new(Render::new(&plain(service))),
        Service::DigitalOcean { app, components } => {
            Box::new(DigitalOcean::new(&plain(app), components.iter().map(plain).collect()))
        }
        Service::Divio { application, environment, build_mode } => {
            Box::new(Divio::new(&plain(application), &plain(environment), *build_mode))
        }
    }
}

fn api<'a>(
    target: &PlatformTarget<Planned>,
    vendor: &dyn Vendor,
    vault: &Vault,
    stop: &'a Stop,
    deadline: Option<Instant>,
) -> Result<Api<'a>, Failure> {
    let Door { address, scheme } = vendor.door();
    let token = target.token.reveal(vault);
    let endpoint = target.endpoint.as_ref().map(ToString::to_string);
    let base = endpoint.as_deref().unwrap_or(address);
    Api::new(target.service.title(), base, (scheme, &token), stop, deadline)
}

/// The deployment that is under way, with the platform's word for how far it is.
fn underway(deployments: &[Deployment]) -> Option<(&Deployment, &str)> {
    deployments.iter().find_map(|deployment| match &deployment.state {
        State::Underway(word) => Some((deployment, word.as_str())),
        State::Live | State::Failed(_) | State::Replaced(_) => None,
    })
}

/// Two deployments at once would leave whichever ends last.
fn refuse_if_busy(title: &str, vendor: &dyn Vendor, deployments: &[Deployment]) -> Result<(), Failure> {
    let Some((deployment, word)) = underway(deployments) else { return Ok(()) };
    let of = deployment.commits.first().map(|commit| format!(" of {}", short(commit)));
    Err(refused(
        format!("{title} is at a deployment already: {}{} ({word})", deployment.id, of.unwrap_or_default()),
        format!("wait until it is over, or cancel it at {}; then deploy again", vendor.page(&deployment.id)),
    ))
}

/// The first digits of a commit's id, as the platform gave it.
pub(crate) fn short(commit: &str) -> &str {
    commit.get(..8).unwrap_or(commit)
}
