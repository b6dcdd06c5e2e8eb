//! An application at a platform: its branch gets the commit, a deployment is begun, and followed until it is live or has
//! failed. A beginning is never sent twice: where the answer to it was lost, the platform's own list tells.

pub(super) mod api;
mod course;

use super::digitalocean::DigitalOcean;
use super::divio::Divio;
use super::render::Render;
use super::{Crew, Holds, NotShipped, Shipment, git, refused};
use crate::model::event::Failure;
use crate::model::platform::{PlatformTarget, Service};
use crate::model::release::{ObjectId, Release};
use crate::model::step::Planned;
use crate::model::text::Text;
use api::{Api, ApiError};
use course::Begun;

/// A deployment as its platform tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Deployment {
    pub(super) id: String,
    pub(super) state: State,
    /// The commits that it was, or will be, built from, as far as the platform says so: one for each component.
    pub(super) commits: Vec<String>,
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

/// What was found before anything was begun.
pub(super) struct Found {
    /// The newest deployments.
    pub(super) deployments: Vec<Deployment>,
    /// What deserves to be told.
    pub(super) notes: Vec<String>,
}

/// What an API is asked for, and how its answers are understood.
pub(super) trait Vendor {
    /// Where the API is, and the first word of the header that holds the token.
    const ADDRESS: &'static str;
    const SCHEME: &'static str;

    /// Finds the application, and sees that it is as it must be.
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
    crew: Crew<'_>,
) -> Result<String, NotShipped> {
    let plain = |text: &Text| text.to_string();
    match &target.service {
        Service::Render { service } => delivered(Render::new(&plain(service)), target, shipment, back, crew),
        Service::DigitalOcean { app, components } => {
            let components = components.iter().map(plain).collect();
            delivered(DigitalOcean::new(&plain(app), components), target, shipment, back, crew)
        }
        Service::Divio { application, environment, build_mode } => {
            let divio = Divio::new(&plain(application), &plain(environment), *build_mode);
            delivered(divio, target, shipment, back, crew)
        }
    }
}

fn delivered<V: Vendor>(
    mut vendor: V,
    target: &PlatformTarget<Planned>,
    shipment: &Shipment<'_>,
    back: Option<&Release>,
    mut crew: Crew<'_>,
) -> Result<String, NotShipped> {
    let title = target.service.title();
    let token = target.token.reveal(shipment.vault);
    let endpoint = target.endpoint.as_ref().map(ToString::to_string);
    let base = endpoint.as_deref().unwrap_or(V::ADDRESS);
    let api = Api::new(title, base, (V::SCHEME, &token), crew.stop, crew.deadline)?;
    let branch = target.push.as_ref().map(|push| push.branch.to_string());
    let expected = Expected { branch: branch.as_deref(), live: shipment.deployment };
    let found = vendor.look(&api, &expected).map_err(|unfit| unfit.failure(title))?;
    found.notes.into_iter().for_each(|note| crew.note(note));
    refuse_if_busy(title, &vendor, &found.deployments)?;
    let known: Vec<String> = found.deployments.into_iter().map(|deployment| deployment.id).collect();

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
    let begun = Begun { vendor: &vendor, api: &api, target, known, commit, ours };
    begun.run(back, &mut crew).map_err(|(failure, at)| NotShipped {
        failure,
        holds: if held == Holds::Release { held } else { at },
    })
}

/// Two deployments at once would leave whichever ends last.
fn refuse_if_busy(title: &str, vendor: &impl Vendor, deployments: &[Deployment]) -> Result<(), Failure> {
    let underway = deployments.iter().find_map(|deployment| match &deployment.state {
        State::Underway(word) => Some((deployment, word)),
        State::Live | State::Failed(_) | State::Replaced(_) => None,
    });
    let Some((deployment, word)) = underway else { return Ok(()) };
    let of = deployment.commits.first().map(|commit| format!(" of {}", short(commit)));
    Err(refused(
        format!("{title} is at a deployment already: {}{} ({word})", deployment.id, of.unwrap_or_default()),
        format!("wait until it is over, or cancel it at {}; then deploy again", vendor.page(&deployment.id)),
    ))
}

/// The first digits of a commit's id, as the platform gave it.
fn short(commit: &str) -> &str {
    commit.get(..8).unwrap_or(commit)
}
