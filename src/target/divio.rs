//! `divio = "application"`: an environment of an application at Divio. It builds the head of a branch, and can't bring
//! back what it built before: an earlier release goes out again, as a new commit with its files.
//! Facts: PyPI's `divio-cli`, the vendor's own client.

use serde::Deserialize;
use serde_json::json;

use super::platform::api::{Api, ApiError, escaped};
use super::platform::{Deployment, Door, Earlier, Expected, Found, State, Unfit, Vendor};
use crate::model::platform::BuildMode;
use crate::model::release::ObjectId;

pub(super) struct Divio {
    application: String,
    slug: String,
    /// The environment's UUID, once it was found.
    environment: String,
    build_mode: BuildMode,
}

#[derive(Deserialize)]
struct Page<T> {
    results: Vec<T>,
}

#[derive(Deserialize)]
struct Environment {
    uuid: String,
    #[serde(default)]
    branch: Option<String>,
}

#[derive(Deserialize)]
struct Begun {
    uuid: String,
}

#[derive(Deserialize)]
struct Told {
    uuid: String,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    percent: Option<serde_json::Number>,
    #[serde(default)]
    ended_at: Option<String>,
    #[serde(default)]
    success: Option<bool>,
}

#[derive(Deserialize)]
struct Log {
    #[serde(default)]
    logs: String,
}

impl Divio {
    pub(super) fn new(application: &str, slug: &str, build_mode: BuildMode) -> Divio {
        let (application, slug) = (escaped(application), escaped(slug));
        Divio { application, slug, environment: String::new(), build_mode }
    }
}

impl Vendor for Divio {
    fn door(&self) -> Door {
        Door { address: "https://api.divio.com", scheme: "Token" }
    }

    fn look(&mut self, api: &Api<'_>, expected: &Expected<'_>) -> Result<Found, Unfit> {
        let path = format!("/apps/v3/environments/?application={}&slug={}", self.application, self.slug);
        let found: Page<Environment> = api.get(&path)?;
        let Some(environment) = found.results.into_iter().next() else {
            return Err(Unfit::refused(
                format!("the application has no environment `{}` that this token may see", self.slug),
                "environment = \"test\" or \"live\": what Divio calls it",
            ));
        };
        self.environment = escaped(&environment.uuid);
        if let Some(ours) = expected.other_than(environment.branch.as_deref()) {
            let theirs = environment.branch.unwrap_or_default();
            return Ok(Found::hindered(
                format!("Divio builds the branch `{theirs}` there, and `push` goes to `{ours}`"),
                format!("let the environment build `{ours}`, or change `push`"),
            ));
        }
        Ok(Found::default())
    }

    fn start(&self, api: &Api<'_>, _commit: &ObjectId) -> Result<Option<String>, ApiError> {
        let body = json!({ "environment": self.environment, "build_mode": self.build_mode.as_str() });
        let begun: Option<Begun> = api.post("/apps/v3/deployments/", &body)?;
        Ok(begun.map(|begun| begun.uuid))
    }

    fn start_back(&self, api: &Api<'_>, earlier: &Earlier<'_>) -> Result<Option<String>, Unfit> {
        Ok(self.start(api, earlier.commit)?)
    }

    fn deployments(&self, api: &Api<'_>) -> Result<Vec<Deployment>, ApiError> {
        let (application, environment) = (&self.application, &self.environment);
        let path = format!("/apps/v3/deployments/?application={application}&environment={environment}");
        let told: Page<Told> = api.get(&path)?;
        Ok(told.results.into_iter().map(Deployment::from).collect())
    }

    fn deployment(&self, api: &Api<'_>, id: &str) -> Result<Deployment, ApiError> {
        let told: Told = api.get(&format!("/apps/v3/deployments/{}/", escaped(id)))?;
        Ok(told.into())
    }

    fn cancel(&self, _api: &Api<'_>, _id: &str) -> Result<(), ApiError> {
        unreachable!("a file can't ask for it: nobody knows how Divio is told to")
    }

    fn log(&self, api: &Api<'_>, id: &str) -> Result<String, ApiError> {
        let log: Log = api.get(&format!("/apps/v3/deployments/{}/logs", escaped(id)))?;
        Ok(log.logs)
    }

    fn page(&self, id: &str) -> String {
        format!("https://control.divio.com (deployment {id})")
    }
}

impl From<Told> for Deployment {
    fn from(told: Told) -> Deployment {
        let Told { uuid, status, percent, ended_at, success } = told;
        let status = status.unwrap_or_default();
        let state = match (ended_at, success) {
            (None, _) => {
                let percent = percent.map(|percent| format!(" ({percent} %)"));
                State::Underway(format!("{}{}", status.to_lowercase(), percent.unwrap_or_default()))
            }
            (Some(_), Some(true)) => State::Live,
            (Some(_), Some(false) | None) => State::Failed(status),
        };
        // It does not say which commit it builds.
        Deployment { id: uuid, state, commits: Vec::new() }
    }
}
