//! Environments of applications at Divio. The stand-in is one that Divio's own client can use, too; no request of ours ever
//! reached Divio.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::support::{Answer, Asked, Sandbox, Vendor, asked_by};

const APPLICATION: &str = "2b22d485-0000-4000-8000-000000000001";

/// How far a deployment is.
#[derive(Clone, Copy, PartialEq)]
enum At {
    Building(u32),
    Done,
    Failed,
}

const GOOD: [At; 3] = [At::Building(10), At::Building(60), At::Done];

struct Environment {
    deployments: Vec<(String, VecDeque<At>)>,
    /// The course of each deployment to come; its last place stays.
    course: Vec<At>,
    branch: &'static str,
}

#[derive(Clone)]
struct Divio(Arc<Mutex<Environment>>);

impl Divio {
    fn new() -> Divio {
        let environment =
            Environment { deployments: Vec::new(), course: GOOD.to_vec(), branch: "deploy/live" };
        Divio(Arc::new(Mutex::new(environment)))
    }

    fn set(&self, change: impl FnOnce(&mut Environment)) {
        change(&mut self.0.lock().expect("nobody panics with it"));
    }

    fn vendor(&self) -> Vendor {
        let environment = Arc::clone(&self.0);
        Vendor::new(move |asked| environment.lock().expect("nobody panics with it").answer(asked))
    }
}

impl Environment {
    fn answer(&mut self, asked: &Asked) -> Answer {
        if asked.authorization.as_deref() != Some("Token d1v1o") {
            return Answer::new(401, r#"{"detail":"Invalid token."}"#);
        }
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        let parts: Vec<&str> = path.trim_matches('/').split('/').skip(2).collect();
        let ok = |value: Value| Answer::new(200, value.to_string());
        let about = json!({ "uuid": "env-1", "slug": "live", "branch": self.branch, "application": APPLICATION,
            "last_finished_deployment": { "uuid": "dep-1" } });
        match (asked.method.as_str(), &parts[..]) {
            ("GET", ["environments"]) => {
                let is_ours = query.contains("slug=live") && query.contains(APPLICATION);
                let results = if is_ours { vec![about] } else { Vec::new() };
                ok(json!({ "next": null, "previous": null, "results": results }))
            }
            ("GET", ["environments", "env-1"]) => ok(about),
            ("GET", ["deployments"]) => {
                let results: Vec<Value> = self.deployments.iter().rev().map(told).collect();
                ok(json!({ "next": null, "previous": null, "results": results }))
            }
            ("POST", ["deployments"]) => {
                assert_eq!(asked.body["environment"], "env-1");
                let id = format!("dep-{}", self.deployments.len() + 1);
                self.deployments.push((id, self.course.clone().into()));
                Answer::new(201, told(self.deployments.last().expect("it was just begun")).to_string())
            }
            ("GET", ["deployments", id, "logs"]) => {
                ok(json!({ "uuid": id, "logs": "Step 1/9\nno such package" }))
            }
            ("GET", ["deployments", id]) => {
                let Some(deployment) = self.deployments.iter_mut().find(|(known, _)| known == id) else {
                    return Answer::new(404, r#"{"detail":"Not found."}"#);
                };
                let answer = ok(told(deployment));
                if deployment.1.len() > 1 {
                    deployment.1.pop_front();
                }
                answer
            }
            _ => Answer::new(404, r#"{"detail":"Not found."}"#),
        }
    }
}

fn told((id, course): &(String, VecDeque<At>)) -> Value {
    let at = course[0];
    let (percent, status) = match at {
        At::Building(percent) => (percent, "Building"),
        At::Done => (100, "Done"),
        At::Failed => (60, "The build failed"),
    };
    let ended_at = if matches!(at, At::Building(_)) { Value::Null } else { json!("2026-01-02T03:04:05Z") };
    json!({ "uuid": id, "percent": percent, "status": status, "ended_at": ended_at, "success": at == At::Done })
}

fn shop(vendor: &Vendor, keys: &str) -> Sandbox {
    let url = vendor.url();
    Sandbox::shop(&format!(
        "[secrets]\nDIVIO_TOKEN = {{ env = 'DIVIO_TOKEN' }}\n\
         [environments.production]\n\
         target = {{ divio = '{APPLICATION}', token = 'DIVIO_TOKEN', endpoint = '{url}', \
         push = {{ remote = 'origin', branch = 'deploy/live' }}{keys} }}\n\
         swap = {{ 'requirements.txt' = '-r requirements/production.txt' }}\n"
    ))
    .remote("origin")
    .env("DIVIO_TOKEN", "d1v1o")
}

fn begun(asked: &[Asked]) -> Vec<Value> {
    asked.iter().filter(|asked| asked.method == "POST").map(|asked| asked.body.clone()).collect()
}

#[test]
fn the_branch_is_pushed_built_and_pushed_again_to_go_back() {
    let divio = Divio::new();
    let vendor = divio.vendor();
    let sandbox = shop(&vendor, ", build_mode = 'FORCE'");
    sandbox
        .deploy(["production"])
        .succeeds()
        .says("Divio began dep-1")
        .says("dep-1 is building (60 %)")
        .says("dep-1 is live");
    let target = sandbox.target("origin");
    assert_eq!(target.file("deploy/live", "requirements.txt"), "-r requirements/production.txt\n");
    assert_eq!(begun(&vendor.asked()), [json!({ "environment": "env-1", "build_mode": "FORCE" })]);
    sandbox.write("shop.py", "second\n");
    sandbox.commit("Second");
    sandbox.deploy(["production"]).succeeds();
    sandbox.deploy(["rollback", "production"]).succeeds().says("dep-3 is live").never_mentions("d1v1o");
    assert_eq!(target.file("deploy/live", "shop.py"), "print('shop')\n");
}

#[test]
fn divios_own_client_asks_the_same() {
    let divio = Divio::new();
    let vendor = divio.vendor();
    let sandbox = shop(&vendor, "");
    divio.set(|environment| environment.course = vec![At::Building(5), At::Failed]);
    sandbox
        .deploy(["production"])
        .fails_with(1)
        .says("no such package")
        .says("dep-1 failed: The build failed");
    divio.set(|environment| environment.course = GOOD.to_vec());
    let ours = vendor.asked();
    let theirs = asked_by("divio_client.py", &vendor, &[APPLICATION]);
    let kinds = |asked: &[Asked]| -> BTreeSet<(String, String)> {
        let essence = asked.iter().map(Asked::essence);
        // A question carries nothing that counts.
        let body =
            |line: &str, body: Value| if line.starts_with("POST") { body.to_string() } else { String::new() };
        essence.map(|(line, said)| (line.replace("dep-2", "dep-1"), body(&line, said))).collect()
    };
    let more: Vec<_> = kinds(&theirs).difference(&kinds(&ours)).map(|(line, _)| line.clone()).collect();
    // It looks up the environment once more for the log; both say the same as they begin.
    assert_eq!(more, ["GET /apps/v3/environments/env-1"]);
    assert_eq!(kinds(&ours).difference(&kinds(&theirs)).count(), 0);
}

#[test]
fn somebody_elses_deployment_is_not_taken_for_ours() {
    let divio = Divio::new();
    let vendor = divio.vendor();
    let sandbox = shop(&vendor, "");
    divio.set(|environment| environment.deployments.push(("dep-x".to_owned(), [At::Building(50)].into())));
    sandbox
        .deploy(["production"])
        .fails_with(3)
        .says("Divio is at a deployment already: dep-x (building (50 %))");
    assert_eq!(sandbox.target("origin").tip("deploy/live"), None);
    divio.set(|environment| {
        environment.deployments.clear();
        environment.branch = "main";
    });
    sandbox.deploy(["production"]).fails_with(3).says("Divio builds the branch `main` there");
    let other = shop(&vendor, ", environment = 'beta'");
    other.deploy(["production"]).fails_with(3).says("has no environment `beta`");
}

#[test]
fn a_beginning_whose_answer_was_lost_is_found_and_not_sent_again() {
    let divio = Divio::new();
    let vendor = divio.vendor();
    let sandbox = shop(&vendor, "");
    vendor.loses_answer_to("POST /apps/v3/deployments");
    sandbox.deploy(["production"]).succeeds().says("its list of deployments is asked").says("dep-1 is live");
    assert_eq!(begun(&vendor.asked()).len(), 1);
    // A token without rights is told after the push: Divio says so only then.
    sandbox.commit("Second");
    vendor.instead(
        "POST /apps/v3/deployments",
        Answer::new(403, r#"{"detail":"You do not have permission."}"#),
    );
    sandbox.deploy(["production", "--rebuild"]).fails_with(1).says("may this token do that?");
    sandbox.deploy(["production"]).succeeds().says("dep-2 is live");
}

#[test]
fn status_says_what_the_environment_has_live() {
    let divio = Divio::new();
    let vendor = divio.vendor();
    let sandbox = shop(&vendor, "");
    sandbox.deploy(["production"]).succeeds();
    let _before = vendor.asked();
    let status = |said: &str| {
        let status = sandbox.deploy(["status", "--probe"]);
        status.succeeds().shows(&format!("  platform  {said}\n")).never_mentions("d1v1o");
    };
    status("agrees: Divio has dep-1 live");
    assert_eq!(begun(&vendor.asked()), [Value::Null; 0]);
    divio.set(|environment| environment.deployments.push(("dep-x".to_owned(), [At::Building(50)].into())));
    status("agrees: Divio has dep-1 live; dep-x is under way (building (50 %))");
    divio.set(|environment| environment.deployments[1].1 = [At::Done].into());
    status("differs: Divio has dep-x live, somebody else's deployment; the ledger says dep-1");
    divio.set(|environment| environment.deployments[1].1 = [At::Failed].into());
    status("agrees: Divio has dep-1 live");

    vendor.instead("GET /apps/v3/environments/", Answer::gone());
    sandbox.deploy(["status", "--probe"]).succeeds().shows("nobody can tell from here: Divio, GET /apps/v3/");
    let refused = sandbox.env("DIVIO_TOKEN", "an0ther-0ne");
    refused
        .deploy(["status", "--probe"])
        .succeeds()
        .shows("with 401 ")
        .shows("is the token right, and not expired?")
        .never_mentions("an0ther-0ne");
    let without = refused.env("DIVIO_TOKEN", "");
    let _before = vendor.asked();
    without
        .deploy(["status", "--probe"])
        .succeeds()
        .shows("not asked: the secret `DIVIO_TOKEN` can't be had");
    assert_eq!(vendor.asked(), []);
}
