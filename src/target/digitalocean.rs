//! `digitalocean = "name or UUID"`: an app of DigitalOcean's App Platform. It builds the head of a branch, so that branch
//! is deploy's own, and what was built is compared. Going back pins the app, until the next deploy.
//! Facts: DigitalOcean's OpenAPI document, operations `apps_get`, `apps_create_deployment`, `apps_create_rollback`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::platform::api::{Api, ApiError, escaped};
use super::platform::{Deployment, Door, Earlier, Expected, Found, State, Unfit, Vendor};
use crate::model::release::ObjectId;

/// How many apps are listed at once, and how many deployments are looked at.
const APPS: usize = 200;
const NEWEST: usize = 20;

/// How many pages of apps are looked through for a name.
const MOST_PAGES: usize = 50;

pub(super) struct DigitalOcean {
    name: String,
    /// The app's UUID, once it was found.
    id: String,
    components: Vec<String>,
    /// An earlier deploy's rollback holds the app where it is.
    pinned: bool,
}

#[derive(Deserialize)]
struct One {
    app: App,
}

#[derive(Deserialize)]
struct Apps {
    #[serde(default)]
    apps: Vec<App>,
}

#[derive(Deserialize)]
struct App {
    id: String,
    spec: Spec,
    #[serde(default)]
    pinned_deployment: Option<Pinned>,
}

#[derive(Deserialize)]
struct Pinned {
    #[serde(default)]
    id: String,
}

#[derive(Deserialize)]
struct Spec {
    name: String,
    #[serde(default)]
    services: Vec<Component>,
    #[serde(default)]
    workers: Vec<Component>,
    #[serde(default)]
    jobs: Vec<Component>,
    #[serde(default)]
    static_sites: Vec<Component>,
    #[serde(default)]
    functions: Vec<Component>,
}

#[derive(Deserialize)]
struct Component {
    name: String,
    #[serde(default)]
    git: Option<Repository>,
    #[serde(default)]
    github: Option<Repository>,
    #[serde(default)]
    gitlab: Option<Repository>,
    #[serde(default)]
    bitbucket: Option<Repository>,
}

#[derive(Deserialize)]
struct Repository {
    #[serde(default)]
    branch: Option<String>,
    #[serde(default)]
    deploy_on_push: bool,
}

#[derive(Deserialize)]
struct Told {
    deployment: DeploymentOf,
}

#[derive(Deserialize)]
struct AllTold {
    #[serde(default)]
    deployments: Vec<DeploymentOf>,
}

#[derive(Deserialize)]
struct DeploymentOf {
    id: String,
    #[serde(default)]
    phase: String,
    #[serde(default)]
    progress: Option<Progress>,
    #[serde(default)]
    services: Vec<Built>,
    #[serde(default)]
    workers: Vec<Built>,
    #[serde(default)]
    jobs: Vec<Built>,
    #[serde(default)]
    static_sites: Vec<Built>,
    #[serde(default)]
    functions: Vec<Built>,
}

#[derive(Deserialize)]
struct Built {
    #[serde(default)]
    name: String,
    #[serde(default)]
    source_commit_hash: String,
}

#[derive(Deserialize)]
struct Progress {
    #[serde(default)]
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    #[serde(default)]
    name: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    reason: Option<Reason>,
    #[serde(default)]
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Reason {
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct Verdict {
    #[serde(default)]
    valid: bool,
    #[serde(default)]
    error: Option<Reason>,
}

#[derive(Deserialize)]
struct Logs {
    #[serde(default)]
    historic_urls: Vec<String>,
}

impl DigitalOcean {
    pub(super) fn new(name: &str, components: Vec<String>) -> DigitalOcean {
        DigitalOcean { name: name.to_owned(), id: String::new(), components, pinned: false }
    }

    fn path(&self, rest: &str) -> String {
        format!("/v2/apps/{}{rest}", self.id)
    }

    fn find(&self, api: &Api<'_>) -> Result<App, Unfit> {
        if is_uuid(&self.name) {
            return Ok(api.get::<One>(&format!("/v2/apps/{}", self.name))?.app);
        }
        for page in 1..=MOST_PAGES {
            let apps: Apps = api.get(&format!("/v2/apps?page={page}&per_page={APPS}"))?;
            let is_last = apps.apps.len() < APPS;
            if let Some(app) = apps.apps.into_iter().find(|app| app.spec.name == self.name) {
                return Ok(app);
            }
            if is_last {
                break;
            }
        }
        Err(Unfit::refused(
            format!("the account has no app `{}` that this token may see", self.name),
            "digitalocean = \"the app's name, or its UUID\"",
        ))
    }

    /// What a deployment was built from, of the components that count.
    fn told(&self, deployment: DeploymentOf) -> Deployment {
        let DeploymentOf { id, phase, progress, services, workers, jobs, static_sites, functions } =
            deployment;
        let built = [services, workers, jobs, static_sites, functions].into_iter().flatten();
        let commits = built
            .filter(|built| self.components.is_empty() || self.components.contains(&built.name))
            .map(|built| built.source_commit_hash)
            .filter(|commit| !commit.is_empty());
        let state = match phase.as_str() {
            "ACTIVE" => State::Live,
            "ERROR" | "CANCELED" => {
                let why = progress.as_ref().and_then(|progress| failed(&progress.steps));
                State::Failed(why.unwrap_or_else(|| phase.to_lowercase()))
            }
            "SUPERSEDED" => State::Replaced("a newer deployment came in between".to_owned()),
            // UNKNOWN, PENDING_BUILD, BUILDING, PENDING_DEPLOY, DEPLOYING, and what comes new.
            _ => State::Underway(phase.to_lowercase()),
        };
        Deployment { id, state, commits: commits.collect() }
    }
}

impl Vendor for DigitalOcean {
    fn door(&self) -> Door {
        Door { address: "https://api.digitalocean.com", scheme: "Bearer" }
    }

    fn look(&mut self, api: &Api<'_>, expected: &Expected<'_>) -> Result<Found, Unfit> {
        let App { id, spec, pinned_deployment } = self.find(api)?;
        self.id = escaped(&id);
        let pinned = pinned_deployment.map(|pinned| pinned.id).filter(|id| !id.is_empty());
        if let Some(pinned) = pinned.as_deref().filter(|pinned| expected.live != Some(pinned)) {
            return Ok(Found::hindered(
                format!(
                    "the app is pinned to deployment {pinned} by a rollback that deploy did not do, and takes nothing new"
                ),
                format!("commit or revert that rollback at {}; then deploy again", self.page(pinned)),
            ));
        }
        self.pinned = pinned.is_some();
        let Spec { services, workers, jobs, static_sites, functions, .. } = &spec;
        let components: Vec<&Component> =
            [services, workers, jobs, static_sites, functions].into_iter().flatten().collect();
        let unknown =
            self.components.iter().find(|name| !components.iter().any(|known| known.name == **name));
        if let Some(unknown) = unknown {
            let known: Vec<&str> = components.iter().map(|component| component.name.as_str()).collect();
            return Ok(Found::hindered(
                format!("the app `{}` has no component `{unknown}`", spec.name),
                format!("it has: {}", known.join(", ")),
            ));
        }
        let counts =
            |component: &&&Component| self.components.is_empty() || self.components.contains(&component.name);
        let mut notes = Vec::new();
        for component in components.iter().filter(counts) {
            let Component { name, git, github, gitlab, bitbucket } = component;
            for source in [git, github, gitlab, bitbucket].into_iter().flatten() {
                if let Some(ours) = expected.other_than(source.branch.as_deref()) {
                    let theirs = source.branch.as_deref().unwrap_or_default();
                    return Ok(Found::hindered(
                        format!(
                            "component `{name}` is built from the branch `{theirs}`, and `push` goes to `{ours}`"
                        ),
                        format!("let the app's spec say `branch: {ours}`, or change `push`"),
                    ));
                }
                if source.deploy_on_push {
                    notes.push(format!(
                        "component `{name}` is deployed by each push (deploy_on_push): turn that off, or what is live \
                         is not deploy's to say"
                    ));
                }
            }
        }
        Ok(Found { notes, hindrance: None })
    }

    fn start(&self, api: &Api<'_>, _commit: &ObjectId) -> Result<Option<String>, ApiError> {
        if self.pinned {
            // Nothing is deployed while a rollback holds the app; that somebody deploys now says that it is over.
            api.post::<Value>(&self.path("/rollback/commit"), &Value::Null)?;
        }
        let told: Option<Told> = api.post(&self.path("/deployments"), &json!({ "force_build": false }))?;
        Ok(told.map(|told| told.deployment.id))
    }

    fn start_back(&self, api: &Api<'_>, earlier: &Earlier<'_>) -> Result<Option<String>, Unfit> {
        let Some(id) = earlier.deployment else {
            return Err(Unfit::refused(
                "the ledger does not know which deployment of the App Platform that release was",
                "deploy its commit again: deploy ENVIRONMENT --ref COMMIT",
            ));
        };
        if self.pinned {
            api.post::<Value>(&self.path("/rollback/commit"), &Value::Null)?;
        }
        let body = json!({ "deployment_id": id, "skip_pin": false });
        let verdict: Option<Verdict> = api.post(&self.path("/rollback/validate"), &body)?;
        if let Some(Verdict { valid: false, error }) = verdict {
            let why = error.map_or_else(|| "it does not say why".to_owned(), |error| error.message);
            return Err(Unfit::refused(
                format!("the App Platform can't go back to deployment {id}: {why}"),
                "deploy its commit again: deploy ENVIRONMENT --ref COMMIT",
            ));
        }
        let told: Option<Told> = api.post(&self.path("/rollback"), &body)?;
        Ok(told.map(|told| told.deployment.id))
    }

    fn deployments(&self, api: &Api<'_>) -> Result<Vec<Deployment>, ApiError> {
        let told: AllTold = api.get(&self.path(&format!("/deployments?page=1&per_page={NEWEST}")))?;
        Ok(told.deployments.into_iter().map(|deployment| self.told(deployment)).collect())
    }

    fn deployment(&self, api: &Api<'_>, id: &str) -> Result<Deployment, ApiError> {
        let told: Told = api.get(&self.path(&format!("/deployments/{}", escaped(id))))?;
        Ok(self.told(told.deployment))
    }

    fn cancel(&self, api: &Api<'_>, id: &str) -> Result<(), ApiError> {
        let path = self.path(&format!("/deployments/{}/cancel", escaped(id)));
        api.post::<Value>(&path, &Value::Null).map(drop)
    }

    fn log(&self, api: &Api<'_>, id: &str) -> Result<String, ApiError> {
        let mut text = String::new();
        for kind in ["BUILD", "DEPLOY"] {
            let path = self.path(&format!("/deployments/{}/logs?type={kind}", escaped(id)));
            let logs: Logs = api.get(&path)?;
            for url in logs.historic_urls {
                text.push_str(&api.text(&url)?);
            }
        }
        Ok(text)
    }

    fn page(&self, id: &str) -> String {
        format!("https://cloud.digitalocean.com/apps/{}/deployments/{id}", self.id)
    }
}

/// What the first step that failed says, the innermost of them.
fn failed(steps: &[Step]) -> Option<String> {
    let step = steps.iter().find(|step| step.status == "ERROR")?;
    failed(&step.steps).or_else(|| {
        let said = step.reason.as_ref().map(|reason| reason.message.trim()).filter(|said| !said.is_empty());
        Some(said.map_or_else(|| step.name.clone(), |said| format!("{}: {said}", step.name)))
    })
}

/// Whether it is a UUID, by which an app is known, rather than a name.
fn is_uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}
