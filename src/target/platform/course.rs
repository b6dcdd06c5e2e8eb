//! One deployment, from its begin until it is live or has failed. A beginning is never sent twice: where the answer to it
//! was lost, the platform's own list tells.

use std::time::{Duration, Instant};

use super::super::{Crew, Holds, unmet};
use super::api::{Api, ApiError, Pauses};
use super::{Deployment, Earlier, State, Unfit, Vendor, short};
use crate::model::event::{Failure, Stream, Told};
use crate::model::platform::{OnStop, PlatformTarget};
use crate::model::release::{ObjectId, Release};
use crate::model::step::Planned;
use crate::process::{Level, Stop};

/// The longest pause between two looks at a deployment.
const LOOK: Duration = Duration::from_secs(5);

/// How long a deployment is looked for that was begun, and whose name was not told.
const APPEARS: Duration = Duration::from_mins(1);

/// How long a cancelling may take, when the run is stopped already.
const CANCEL: Duration = Duration::from_secs(10);

/// How much of a failed deployment's log is shown, in lines.
const LOG_LINES: usize = 40;

/// A deployment that is about to begin.
pub(super) struct Begun<'a> {
    pub(super) vendor: &'a dyn Vendor,
    pub(super) api: &'a Api<'a>,
    pub(super) target: &'a PlatformTarget<Planned>,
    /// The deployments that were there before.
    pub(super) known: Vec<String>,
    pub(super) commit: &'a ObjectId,
    /// What it may be built from: what comes back was built from the commit that it was shipped as.
    pub(super) ours: Vec<&'a ObjectId>,
}

impl Begun<'_> {
    /// Begins it, unless the platform did, and follows it until it is live: its name.
    pub(super) fn run(
        &self,
        back: Option<&Release>,
        crew: &mut Crew<'_>,
    ) -> Result<String, (Failure, Holds)> {
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
