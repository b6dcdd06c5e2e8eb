//! `render = "srv-…"`: a service of Render. It is told the commit to build, and can bring an earlier deploy back.
//! Facts: Render Public API, operations `create-deploy`, `retrieve-deploy`, `list-deploys`, `rollback-deploy`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::platform::api::{Api, ApiError, escaped};
use super::platform::{Deployment, Door, Earlier, Expected, Found, State, Unfit, Vendor};
use crate::model::release::ObjectId;

/// How many deploys are looked at: what is under way is among the newest.
const NEWEST: usize = 20;

/// How many lines of a log are asked for.
const LOG_LINES: usize = 100;

pub(super) struct Render {
    service: String,
    owner: String,
    dashboard: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Service {
    owner_id: String,
    #[serde(default)]
    auto_deploy: String,
    #[serde(default)]
    branch: Option<String>,
    #[serde(default)]
    suspended: String,
    #[serde(default)]
    dashboard_url: Option<String>,
}

#[derive(Deserialize)]
struct Listed {
    deploy: Deploy,
}

#[derive(Deserialize)]
struct Deploy {
    id: String,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    commit: Option<Commit>,
}

#[derive(Deserialize)]
struct Commit {
    #[serde(default)]
    id: Option<String>,
}

#[derive(Deserialize)]
struct Logs {
    logs: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    message: String,
}

impl Render {
    pub(super) fn new(service: &str) -> Render {
        Render { service: escaped(service), owner: String::new(), dashboard: String::new() }
    }

    fn path(&self, rest: &str) -> String {
        format!("/services/{}{rest}", self.service)
    }
}

impl Vendor for Render {
    fn door(&self) -> Door {
        Door { address: "https://api.render.com/v1", scheme: "Bearer" }
    }

    fn look(&mut self, api: &Api<'_>, expected: &Expected<'_>) -> Result<Found, Unfit> {
        let service: Service = api.get(&self.path(""))?;
        self.owner = escaped(&service.owner_id);
        self.dashboard = service
            .dashboard_url
            .unwrap_or_else(|| format!("https://dashboard.render.com/web/{}", self.service));
        if service.suspended == "suspended" {
            return Ok(Found::hindered(
                "the service is suspended at Render, and would not serve what is deployed",
                format!("resume it at {}", self.dashboard),
            ));
        }
        if let Some(ours) = expected.other_than(service.branch.as_deref()) {
            let theirs = service.branch.unwrap_or_default();
            return Ok(Found::hindered(
                format!("Render builds the branch `{theirs}`, and `push` goes to `{ours}`"),
                format!("let the service build `{ours}` ({}), or change `push`", self.dashboard),
            ));
        }
        let mut notes = Vec::new();
        if service.auto_deploy == "yes" {
            notes.push(
                "Render deploys each push to the service's branch by itself (Auto-Deploy): turn that off, or what is \
                 live is not deploy's to say"
                    .to_owned(),
            );
        }
        Ok(Found { notes, hindrance: None })
    }

    fn start(&self, api: &Api<'_>, commit: &ObjectId) -> Result<Option<String>, ApiError> {
        let body = json!({ "commitId": commit.as_str() });
        let deploy: Option<Deploy> = api.post(&self.path("/deploys"), &body)?;
        Ok(deploy.map(|deploy| deploy.id))
    }

    fn start_back(&self, api: &Api<'_>, earlier: &Earlier<'_>) -> Result<Option<String>, Unfit> {
        let Some(id) = earlier.deployment else {
            return Err(Unfit::refused(
                "the ledger does not know which deploy of Render that release was",
                "deploy its commit again: deploy ENVIRONMENT --ref COMMIT",
            ));
        };
        let deploy: Option<Deploy> = api.post(&self.path("/rollback"), &json!({ "deployId": id }))?;
        Ok(deploy.map(|deploy| deploy.id))
    }

    fn deployments(&self, api: &Api<'_>) -> Result<Vec<Deployment>, ApiError> {
        let listed: Vec<Listed> = api.get(&self.path(&format!("/deploys?limit={NEWEST}")))?;
        Ok(listed.into_iter().map(|listed| listed.deploy.into()).collect())
    }

    fn deployment(&self, api: &Api<'_>, id: &str) -> Result<Deployment, ApiError> {
        let deploy: Deploy = api.get(&self.path(&format!("/deploys/{}", escaped(id))))?;
        Ok(deploy.into())
    }

    fn cancel(&self, api: &Api<'_>, id: &str) -> Result<(), ApiError> {
        let path = self.path(&format!("/deploys/{}/cancel", escaped(id)));
        api.post::<Value>(&path, &Value::Null).map(drop)
    }

    fn log(&self, api: &Api<'_>, _id: &str) -> Result<String, ApiError> {
        let (owner, service) = (&self.owner, &self.service);
        let query = format!(
            "/logs?ownerId={owner}&resource={service}&type=build&direction=backward&limit={LOG_LINES}"
        );
        let mut logs: Logs = api.get(&query)?;
        logs.logs.reverse();
        Ok(logs.logs.into_iter().map(|line| line.message + "\n").collect())
    }

    fn page(&self, id: &str) -> String {
        format!("{}/deploys/{id}", self.dashboard)
    }
}

impl From<Deploy> for Deployment {
    fn from(deploy: Deploy) -> Deployment {
        let status = deploy.status.unwrap_or_default();
        let state = match status.as_str() {
            "live" => State::Live,
            "build_failed" | "pre_deploy_failed" | "update_failed" | "canceled" => State::Failed(status),
            // Render's own client takes this for success.
            "deactivated" => State::Replaced("it was live, or was to be, and another one is".to_owned()),
            // created, queued, build_in_progress, pre_deploy_in_progress, update_in_progress, and what comes new.
            _ => State::Underway(status),
        };
        let commit = deploy.commit.and_then(|commit| commit.id);
        Deployment { id: deploy.id, state, commits: commit.into_iter().collect() }
    }
}
