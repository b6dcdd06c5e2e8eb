//! Apps of DigitalOcean's App Platform. The stand-in is held to DigitalOcean's OpenAPI document, as our requests are, and
//! DigitalOcean's own client can use it; no request of ours ever reached DigitalOcean.

use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::support::{Answer, Asked, Sandbox, Server, Vendor, asked_by, python};

const APP: &str = "4f6c71e2-1e90-4762-9fee-6cc4a0a9f2cf";

const GOOD: [&str; 3] = ["PENDING_BUILD", "BUILDING", "ACTIVE"];

/// What DigitalOcean knows of one app.
struct App {
    /// By id, with the phases that it will be in, and its commit; the newest last.
    deployments: Vec<(String, VecDeque<&'static str>, String)>,
    /// The phases of each deployment to come; the last one stays.
    course: Vec<&'static str>,
    pinned: Option<String>,
    deploy_on_push: bool,
    branch: &'static str,
    /// The ref that it builds.
    head: PathBuf,
    /// Where its logs lie.
    logs: String,
}

#[derive(Clone)]
struct DigitalOcean(Arc<Mutex<App>>);

impl DigitalOcean {
    fn new() -> DigitalOcean {
        DigitalOcean(Arc::new(Mutex::new(App {
            deployments: Vec::new(),
            course: GOOD.to_vec(),
            pinned: None,
            deploy_on_push: false,
            branch: "deploy/staging",
            head: PathBuf::new(),
            logs: String::new(),
        })))
    }

    fn set(&self, change: impl FnOnce(&mut App)) {
        change(&mut self.0.lock().expect("nobody panics with it"));
    }

    fn vendor(&self) -> Vendor {
        let app = Arc::clone(&self.0);
        Vendor::new(move |asked| app.lock().expect("nobody panics with it").answer(asked))
    }

    /// A shop whose staging is the app, which builds a branch of `origin`.
    fn shop(&self, vendor: &Vendor, name: &str, keys: &str) -> Sandbox {
        let url = vendor.url();
        let sandbox = Sandbox::shop(&format!(
            "[secrets]\nDIGITALOCEAN_TOKEN = {{ env = 'DIGITALOCEAN_TOKEN' }}\n\
             [environments.staging]\n\
             target = {{ digitalocean = '{name}', token = 'DIGITALOCEAN_TOKEN', endpoint = '{url}', \
             push = {{ remote = 'origin', branch = 'deploy/staging' }}{keys} }}\n\
             swap = {{ 'requirements.txt' = '-r requirements/staging.txt' }}\n"
        ))
        .remote("origin")
        .env("DIGITALOCEAN_TOKEN", "dop_t0ken");
        self.set(|app| app.head = sandbox.path("remotes/origin.git/refs/heads/deploy/staging"));
        sandbox
    }
}

impl App {
    fn answer(&mut self, asked: &Asked) -> Answer {
        if asked.authorization.as_deref() != Some("Bearer dop_t0ken") {
            return Answer::new(401, r#"{"id":"unauthorized","message":"Unable to authenticate you"}"#);
        }
        let path = asked.path.split('?').next().unwrap_or_default();
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let ok = |value: Value| Answer::new(200, value.to_string());
        match (asked.method.as_str(), &parts[..]) {
            ("GET", ["v2", "apps"]) => {
                let links = json!({ "pages": {} });
                ok(json!({ "apps": [self.about()], "links": links, "meta": { "total": 1 } }))
            }
            ("GET", ["v2", "apps", APP]) => ok(json!({ "app": self.about() })),
            ("GET", ["v2", "apps", APP, "deployments"]) => {
                let all: Vec<Value> = self.deployments.iter().rev().map(told).collect();
                ok(json!({ "deployments": all, "links": { "pages": {} }, "meta": { "total": all.len() } }))
            }
            ("POST", ["v2", "apps", APP, "deployments"]) => {
                if self.pinned.is_some() {
                    return Answer::new(409, r#"{"id":"conflict","message":"app is pinned"}"#);
                }
                let commit = std::fs::read_to_string(&self.head).unwrap_or_default().trim().to_owned();
                self.begin(commit)
            }
            ("POST", ["v2", "apps", APP, "rollback", "validate"]) => {
                let of = asked.body["deployment_id"].as_str().unwrap_or_default();
                if self.deployments.iter().any(|(id, ..)| id == of) {
                    return ok(json!({ "valid": true }));
                }
                let error = json!({ "code": "exceeded_revision_limit", "message": "too long ago" });
                ok(json!({ "valid": false, "error": error }))
            }
            ("POST", ["v2", "apps", APP, "rollback"]) => {
                let of = asked.body["deployment_id"].as_str().unwrap_or_default();
                let commit = self
                    .deployments
                    .iter()
                    .find(|(id, ..)| id == of)
                    .expect("a deployment of ours")
                    .2
                    .clone();
                let answer = self.begin(commit);
                self.pinned = self.deployments.last().map(|(id, ..)| id.clone());
                answer
            }
            ("POST", ["v2", "apps", APP, "rollback", "commit"]) => {
                self.pinned = None;
                Answer::new(200, "")
            }
            ("GET", ["v2", "apps", APP, "deployments", id]) => self.one(id, |phases| {
                if phases.len() > 1 {
                    phases.pop_front();
                }
            }),
            ("POST", ["v2", "apps", APP, "deployments", id, "cancel"]) => {
                self.one(id, |phases| *phases = ["CANCELED"].into())
            }
            ("GET", ["v2", "apps", APP, "deployments", _, "logs"]) => {
                let urls =
                    if asked.path.contains("type=BUILD") { vec![self.logs.clone()] } else { Vec::new() };
                ok(json!({ "historic_urls": urls, "live_url": "https://logs.example.com" }))
            }
            _ => Answer::new(404, r#"{"id":"not_found","message":"not found"}"#),
        }
    }

    fn about(&self) -> Value {
        let git = json!({ "repo_clone_url": "https://git.example.com/shop.git", "branch": self.branch });
        let github =
            json!({ "repo": "ada/shop", "branch": self.branch, "deploy_on_push": self.deploy_on_push });
        let mut app = json!({
            "id": APP, "default_ingress": "https://shop.example.com",
            "spec": { "name": "shop", "region": "fra",
                "services": [{ "name": "web", "github": github }], "jobs": [{ "name": "migrate", "git": git }] },
        });
        if let Some(pinned) = &self.pinned {
            app["pinned_deployment"] = json!({ "id": pinned });
        }
        app
    }

    fn begin(&mut self, commit: String) -> Answer {
        let id = format!("dep-{}", self.deployments.len() + 1);
        self.deployments.push((id, self.course.clone().into(), commit));
        Answer::new(
            200,
            json!({ "deployment": told(self.deployments.last().expect("it was just begun")) }).to_string(),
        )
    }

    fn one(&mut self, id: &str, then: impl FnOnce(&mut VecDeque<&'static str>)) -> Answer {
        let Some(deployment) = self.deployments.iter_mut().find(|(known, ..)| known == id) else {
            return Answer::new(404, r#"{"id":"not_found","message":"not found"}"#);
        };
        let answer = Answer::new(200, json!({ "deployment": told(deployment) }).to_string());
        then(&mut deployment.1);
        answer
    }
}

fn told((id, phases, commit): &(String, VecDeque<&'static str>, String)) -> Value {
    let failed = phases[0] == "ERROR";
    let reason = json!({ "code": "BuildJobExitNonZero", "message": "the build ended with 1" });
    let step = json!({ "name": "build", "status": if failed { "ERROR" } else { "SUCCESS" },
        "reason": if failed { reason } else { json!({}) } });
    json!({
        "id": id, "phase": phases[0], "cause": "manual", "created_at": "2026-01-02T03:04:05Z",
        "progress": { "total_steps": 1, "steps": [step] },
        "services": [{ "name": "web", "source_commit_hash": commit }],
        "jobs": [{ "name": "migrate", "source_commit_hash": commit }],
    })
}

fn begun(asked: &[Asked]) -> Vec<(String, Value)> {
    let posts = asked.iter().filter(|asked| asked.method == "POST").map(Asked::essence);
    posts.map(|(line, body)| (line.replace(&format!("POST /v2/apps/{APP}/"), ""), body)).collect()
}

fn one(path: &str, body: Value) -> (String, Value) {
    (path.to_owned(), body)
}

#[test]
fn the_branch_is_pushed_built_compared_and_brought_back() {
    let platform = DigitalOcean::new();
    let vendor = platform.vendor();
    let sandbox = platform.shop(&vendor, "shop", "");
    sandbox
        .deploy(["staging"])
        .succeeds()
        .says("DigitalOcean App Platform began dep-1: https://cloud.digitalocean.com/apps/")
        .says("dep-1 is building")
        .says("dep-1 is live");
    let target = sandbox.target("origin");
    let first = target.tip("deploy/staging").expect("a release");
    assert_eq!(target.file(&first, "requirements.txt"), "-r requirements/staging.txt\n");
    assert_eq!(begun(&vendor.asked()), [one("deployments", json!({ "force_build": false }))]);

    sandbox.write("shop.py", "second\n");
    sandbox.commit("Second");
    sandbox.deploy(["staging"]).succeeds();
    let _asked = vendor.asked();
    // A rollback pins the app, and the branch has what is live.
    sandbox.deploy(["rollback", "staging"]).succeeds().says("dep-3 is live");
    let back = json!({ "deployment_id": "dep-1", "skip_pin": false });
    assert_eq!(begun(&vendor.asked()), [one("rollback/validate", back.clone()), one("rollback", back)]);
    assert_eq!(target.file("deploy/staging", "shop.py"), "print('shop')\n");

    // Who deploys then has decided that the rollback is over.
    sandbox.deploy(["unlock", "staging", "--reason", "mended"]).succeeds();
    sandbox.write("shop.py", "third\n");
    sandbox.commit("Third");
    sandbox.deploy(["staging"]).succeeds().says("dep-4 is live").never_mentions("dop_t0ken");
    let asked = begun(&vendor.asked());
    assert_eq!(
        asked,
        [one("rollback/commit", Value::Null), one("deployments", json!({ "force_build": false }))]
    );

    python("digitalocean_document.py", &[], &vendor.said());
}

#[test]
fn digitaloceans_own_client_asks_the_same() {
    let platform = DigitalOcean::new();
    let vendor = platform.vendor();
    let sandbox = platform.shop(&vendor, "shop", "");
    sandbox.deploy(["staging"]).succeeds();
    sandbox.commit("Second");
    sandbox.deploy(["staging"]).succeeds();
    sandbox.deploy(["rollback", "staging"]).succeeds();
    let ours = vendor.asked();
    platform.set(|app| app.pinned = None);
    let theirs = asked_by("digitalocean_client.py", &vendor, &[]);
    python("digitalocean_document.py", &[], &vendor.said());
    let kinds = |asked: &[Asked]| -> BTreeSet<String> {
        asked.iter().map(|asked| asked.essence().0.replace(|c: char| c.is_ascii_digit(), "N")).collect()
    };
    let app = APP.replace(|c: char| c.is_ascii_digit(), "N");
    let more: Vec<String> =
        kinds(&theirs).difference(&kinds(&ours)).map(|line| line.replace(&app, "APP")).collect();
    // What these runs had no need for.
    assert_eq!(
        more,
        [
            "GET /vN/apps/APP/deployments/dep-N/logs",
            "POST /vN/apps/APP/deployments/dep-N/cancel",
            "POST /vN/apps/APP/rollback/commit",
        ]
    );
    assert_eq!(kinds(&ours).difference(&kinds(&theirs)).count(), 0);
    let tokens = |asked: &[Asked]| -> BTreeSet<Option<String>> {
        asked.iter().map(|asked| asked.authorization.clone()).collect()
    };
    assert_eq!(tokens(&ours), tokens(&theirs));
}

#[test]
fn a_build_that_fails_tells_its_step_and_shows_its_log_without_the_token() {
    let logs = Server::always(Answer::new(200, "-> installing\nno such package\n"));
    let platform = DigitalOcean::new();
    platform.set(|app| {
        app.course = vec!["BUILDING", "ERROR"];
        app.logs = format!("{}/log?signature=s3cret", logs.url());
    });
    let vendor = platform.vendor();
    let sandbox = platform.shop(&vendor, APP, ", components = ['web']");
    sandbox
        .deploy(["staging"])
        .fails_with(1)
        .says("no such package")
        .says("dep-1 failed: build: the build ended with 1")
        .never_mentions("s3cret");
    let heard = logs.heard().concat().to_ascii_lowercase();
    assert!(!heard.contains("authorization"), "{heard}");
    python("digitalocean_document.py", &[], &vendor.said());
}

#[test]
fn what_is_not_as_it_must_be_is_refused_before_anything_is_pushed() {
    let platform = DigitalOcean::new();
    let vendor = platform.vendor();
    let sandbox = platform.shop(&vendor, "shop", "");
    let refused = |said: &str| {
        let ended = sandbox.deploy(["staging"]);
        ended.fails_with(3).says(said);
        assert_eq!(sandbox.target("origin").tip("deploy/staging"), None);
    };
    platform.set(|app| app.branch = "main");
    refused("component `web` is built from the branch `main`, and `push` goes to `deploy/staging`");
    platform.set(|app| {
        app.branch = "deploy/staging";
        app.pinned = Some("dep-x".to_owned());
    });
    refused("pinned to deployment dep-x by a rollback that deploy did not do");
    platform.set(|app| {
        app.pinned = None;
        app.deployments.push(("dep-y".to_owned(), ["DEPLOYING"].into(), String::new()));
    });
    refused("DigitalOcean App Platform is at a deployment already: dep-y (deploying)");
    platform.set(|app| app.deployments.clear());
    platform
        .shop(&vendor, "shap", "")
        .deploy(["staging"])
        .fails_with(3)
        .says("the account has no app `shap`");
    let unknown = platform.shop(&vendor, "shop", ", components = ['wub']");
    unknown.deploy(["staging"]).fails_with(3).says("has no component `wub`").says("it has: web, migrate");
    python("digitalocean_document.py", &[], &vendor.said());
}

#[test]
fn another_commit_or_a_newer_deployment_is_no_success() {
    let platform = DigitalOcean::new();
    let vendor = platform.vendor();
    let sandbox = platform.shop(&vendor, "shop", "");
    platform.set(|app| {
        app.deploy_on_push = true;
        app.course = vec!["BUILDING", "SUPERSEDED"];
    });
    sandbox
        .deploy(["staging"])
        .fails_with(1)
        .says("component `web` is deployed by each push (deploy_on_push)")
        .says("dep-1 was replaced before it was live");
    let foreign = sandbox.path("tmp/head");
    std::fs::write(&foreign, "abcdef0123456789abcdef0123456789abcdef01\n").unwrap();
    platform.set(|app| {
        app.course = GOOD.to_vec();
        app.head = foreign;
    });
    sandbox.deploy(["staging", "--rebuild"]).fails_with(1).says("was built from abcdef01, not from");
}

#[test]
fn a_beginning_whose_answer_was_lost_is_found_and_not_sent_again() {
    let platform = DigitalOcean::new();
    let vendor = platform.vendor();
    let sandbox = platform.shop(&vendor, "shop", "");
    let begins = format!("POST /v2/apps/{APP}/deployments");
    vendor.loses_answer_to(&begins);
    sandbox.deploy(["staging"]).succeeds().says("its list of deployments is asked").says("dep-1 is live");
    assert_eq!(begun(&vendor.asked()).len(), 1);
    // Too many questions: it was not even looked at.
    sandbox.commit("Second");
    vendor.instead(&begins, Answer::new(429, "").with_header("Retry-After: 1"));
    sandbox.deploy(["staging", "--rebuild"]).succeeds().says("dep-2 is live");
    assert_eq!(begun(&vendor.asked()).len(), 2, "one was not taken");
}

#[test]
fn status_says_what_the_app_has_live() {
    let platform = DigitalOcean::new();
    let vendor = platform.vendor();
    let sandbox = platform.shop(&vendor, "shop", "");
    sandbox.deploy(["staging"]).succeeds();
    let shipped = sandbox.target("origin").tip("deploy/staging").expect("a release");
    let _before = vendor.asked();
    let agrees = format!("  platform  agrees: DigitalOcean App Platform has dep-1 of {} live", &shipped[..8]);
    let status = |said: &str| {
        let status = sandbox.deploy(["status", "--probe"]);
        status.succeeds().shows(&format!("{said}\n")).never_mentions("dop_t0ken");
    };
    status(&agrees);
    assert_eq!(begun(&vendor.asked()), []);

    let foreign = "abcdef0123456789abcdef0123456789abcdef01";
    platform.set(|app| app.deployments.push(("dep-x".to_owned(), ["DEPLOYING"].into(), foreign.to_owned())));
    status(&format!("{agrees}; dep-x of abcdef01 is under way (deploying)"));
    platform.set(|app| {
        app.deployments[0].1 = ["SUPERSEDED"].into();
        app.deployments[1].1 = ["ACTIVE"].into();
        app.pinned = Some("dep-x".to_owned());
    });
    status(
        "  platform  differs: DigitalOcean App Platform has dep-x of abcdef01 live, somebody else's deployment; \
         the ledger says dep-1; the app is pinned to deployment dep-x by a rollback that deploy did not do, and \
         takes nothing new",
    );
    python("digitalocean_document.py", &[], &vendor.said());

    let unknown = platform.shop(&vendor, "shap", "");
    unknown
        .deploy(["status", "--probe"])
        .succeeds()
        .shows("nobody can tell from here: the account has no app `shap`");
    let refused = unknown.env("DIGITALOCEAN_TOKEN", "an0ther-0ne");
    refused
        .deploy(["status", "--probe"])
        .succeeds()
        .shows("with 401 ")
        .shows("is the token right, and not expired?")
        .never_mentions("an0ther-0ne");
    let without = refused.env("DIGITALOCEAN_TOKEN", "");
    let _before = vendor.asked();
    without
        .deploy(["status", "--probe"])
        .succeeds()
        .shows("not asked: the secret `DIGITALOCEAN_TOKEN` can't be had");
    assert_eq!(vendor.asked(), []);
}
