//! An application at a platform: its branch gets the commit, a deployment is begun, and followed until it is live or has
//! failed. A beginning is never sent twice: where the answer to it was lost, the platform's own list tells.

pub(super) mod api;

use std::time::{Duration, Instant};

use super::digitalocean::DigitalOcean;
use super::divio::Divio;
use super::render::Render;
use super::{Crew, Holds, NotShipped, Shipment, git, refused, unmet};
use crate::model::event::{Failure, Stream, Told};
use crate::model::platform::{OnStop, PlatformTarget, Service};
use crate::model::release::{ObjectId, Release};
use crate::model::step::Planned;
use crate::process::{Level, Stop};
use api::{Api, ApiError, Pauses};

/// The longest pause between two looks at a deployment.
const LOOK: Duration = Duration::from_secs(5);

/// How long a deployment is looked for that was begun, and whose name was not told.
const APPEARS: Duration = Duration::from_mins(1);

/// How long a cancelling may take, when the run is stopped already.
const CANCEL: Duration = Duration::from_secs(10);

/// How much of a failed deployment's log is shown, in lines.
const LOG_LINES: usize = 40;

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
    let plain = |text: &crate::model::text::Text| text.to_string();
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

/// A deployment that is about to begin.
struct Begun<'a, V> {
    vendor: &'a V,
    api: &'a Api<'a>,
    target: &'a PlatformTarget<Planned>,
    /// The deployments that were there before.
    known: Vec<String>,
    commit: &'a ObjectId,
    /// What it may be built from: what comes back was built from the commit that it was shipped as.
    ours: Vec<&'a ObjectId>,
}

impl<V: Vendor> Begun<'_, V> {
    fn run(&self, back: Option<&Release>, crew: &mut Crew<'_>) -> Result<String, (Failure, Holds)> {
        let title = self.api.title;
        let before = |failure| (failure, Holds::Before);
        let id = match self.own().map_err(|error| before(error.failure(title)))? {
            Some(own) => {
                crew.note(format!("{title} began {own} by itself when its branch was pushed"));
                own
            }
            None => self.start(back, crew)?,
        };
        self.follow(&id, crew)?;
        crew.note(format!("{title}: {id} is live"));
        Ok(id)
    }

    fn is_ours(&self, commit: &str) -> bool {
        self.ours.iter().any(|ours| ours.as_str() == commit)
    }

    /// A deployment of our commit that was not there before.
    fn own(&self) -> Result<Option<String>, ApiError> {
        if self.target.push.is_none() {
            return Ok(None);
        }
        let is_ours = |deployment: &Deployment| {
            !self.known.contains(&deployment.id)
                && deployment.commits.iter().any(|commit| self.is_ours(commit))
        };
        Ok(self.vendor.deployments(self.api)?.into_iter().find(is_ours).map(|deployment| deployment.id))
    }

    fn start(&self, back: Option<&Release>, crew: &mut Crew<'_>) -> Result<String, (Failure, Holds)> {
        let title = self.api.title;
        let started = match back {
            None => self.vendor.start(self.api, self.commit).map_err(Unfit::Api),
            Some(back) => {
                let earlier = Earlier { deployment: back.deployment.as_deref(), commit: self.commit };
                self.vendor.start_back(self.api, &earlier)
            }
        };
        match started {
            Ok(Some(id)) => {
                crew.note(format!("{title} began {id}: {}", self.vendor.page(&id)));
                Ok(id)
            }
            Ok(None) => {
                crew.note(format!("{title} took it, and has not said yet what it calls it"));
                self.appear(crew, "it took the request, and there is no new deployment")
            }
            Err(Unfit::Api(ApiError::Unclear { what, why, .. })) => {
                crew.note(format!(
                    "{title}, {what}: {why}; its list of deployments is asked what came of it"
                ));
                self.appear(crew, "nobody can tell whether it got the request")
            }
            Err(unfit) => Err((unfit.failure(title), Holds::Before)),
        }
    }

    /// Waits until a deployment is there that was not before.
    fn appear(&self, crew: &mut Crew<'_>, else_: &str) -> Result<String, (Failure, Holds)> {
        let title = self.api.title;
        let unknown = |error: ApiError| (error.failure(title), Holds::Unknown);
        let end = Instant::now() + APPEARS;
        for pause in Pauses::up_to(LOOK) {
            let deployments = self.vendor.deployments(self.api).map_err(unknown)?;
            let is_new = |deployment: &&Deployment| {
                !self.known.contains(&deployment.id)
                    && (deployment.commits.is_empty()
                        || deployment.commits.iter().any(|commit| self.is_ours(commit)))
            };
            if let Some(new) = deployments.iter().find(is_new) {
                crew.note(format!("{title} began {}: {}", new.id, self.vendor.page(&new.id)));
                return Ok(new.id.clone());
            }
            if Instant::now() + pause > end {
                break;
            }
            self.api.pause(pause).map_err(unknown)?;
        }
        let failure = unmet(
            format!("{title}: {else_} within {} s", APPEARS.as_secs()),
            "look at its page; if nothing was begun there, deploy again",
        );
        Err((failure, Holds::Unknown))
    }

    /// Waits until a deployment is over.
    fn follow(&self, id: &str, crew: &mut Crew<'_>) -> Result<(), (Failure, Holds)> {
        let title = self.api.title;
        let mut told = String::new();
        for pause in Pauses::up_to(LOOK) {
            let deployment = match self.vendor.deployment(self.api, id) {
                Ok(deployment) => deployment,
                Err(error) => return Err(self.given_up(id, error, crew)),
            };
            match deployment.state {
                State::Underway(word) => {
                    if word != told {
                        crew.note(format!("{title}: {id} is {word}"));
                        told = word;
                    }
                }
                State::Live => return self.judge(id, &deployment.commits),
                State::Failed(why) => {
                    self.show_log(id, crew);
                    let help = format!("the whole of its log: {}", self.vendor.page(id));
                    return Err((unmet(format!("{title}: {id} failed: {why}"), help), Holds::Before));
                }
                State::Replaced(by) => {
                    let message = format!("{title}: {id} was replaced before it was live: {by}");
                    let help = "somebody else deployed meanwhile: see what is live there, and deploy again";
                    return Err((unmet(message, help), Holds::Unknown));
                }
            }
            if let Err(error) = self.api.pause(pause) {
                return Err(self.given_up(id, error, crew));
            }
        }
        unreachable!("there is always another pause")
    }

    /// Whether what is live was built from our commit, as far as the platform says.
    fn judge(&self, id: &str, commits: &[String]) -> Result<(), (Failure, Holds)> {
        let Some(other) = commits.iter().find(|commit| !self.is_ours(commit)) else {
            return Ok(());
        };
        let title = self.api.title;
        let message = format!(
            "{title}: {id} is live, and was built from {}, not from {}",
            short(other),
            self.commit.short()
        );
        Err((
            unmet(message, "does it build from another branch, or did somebody push there?"),
            Holds::Unknown,
        ))
    }

    /// It goes on there, and nobody follows it any more.
    fn given_up(&self, id: &str, error: ApiError, crew: &mut Crew<'_>) -> (Failure, Holds) {
        let title = self.api.title;
        let is_over = matches!(error, ApiError::Stopped | ApiError::TimedOut);
        if is_over && self.target.on_stop == OnStop::Cancel {
            match self.cancel(id, crew) {
                Ok(()) => {
                    crew.note(format!("{title}: {id} was cancelled"));
                    return (error.failure(title), Holds::Before);
                }
                Err(failed) => {
                    crew.note(format!("{id} could not be cancelled: {}", failed.sentence(title)));
                }
            }
        }
        crew.note(format!("{title}: {id} goes on without us: {}", self.vendor.page(id)));
        (error.failure(title), Holds::Unknown)
    }

    fn cancel(&self, id: &str, crew: &Crew<'_>) -> Result<(), ApiError> {
        // The run's own stop has come already.
        let stop = Stop::new(Duration::ZERO);
        let deadline = Some(Instant::now() + CANCEL);
        let api = self.api.again(&stop, deadline);
        if crew.stop.level() == Level::Kill {
            return Err(ApiError::Stopped);
        }
        self.vendor.cancel(&api, id)
    }

    /// The end of what it said; that nothing can be had says nothing of the failure.
    fn show_log(&self, id: &str, crew: &mut Crew<'_>) {
        match self.vendor.log(self.api, id) {
            Ok(log) => {
                let lines: Vec<&str> = log.lines().collect();
                let mut text = lines[lines.len().saturating_sub(LOG_LINES)..].join("\n");
                if !text.is_empty() {
                    text.push('\n');
                    (crew.tell)(Told::Output(Stream::Err, text.into_bytes()));
                }
            }
            Err(error) => crew.note(format!("its log can't be had: {}", error.sentence(self.api.title))),
        }
    }
}

/// The first digits of a commit's id, as the platform gave it.
fn short(commit: &str) -> &str {
    commit.get(..8).unwrap_or(commit)
}
