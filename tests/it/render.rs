//! Services of Render. The API is a stand-in that Render's own client can use, too; no request of ours ever reached Render.

mod status;

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{Answer, Asked, Sandbox, Vendor, asked_by, snapshot};

const TOKEN: &str = "rnd_t0ken";

/// What Render knows of one service.
struct Service {
    /// By id, with the states that it will be in, and its commit; the newest last.
    deploys: Vec<(String, VecDeque<&'static str>, Value)>,
    /// The states of each deploy to come, one after the other; the last one stays.
    course: Vec<&'static str>,
    auto_deploy: &'static str,
    branch: &'static str,
}

const GOOD: [&str; 3] = ["created", "build_in_progress", "live"];

#[derive(Clone)]
struct Render(Arc<Mutex<Service>>);

impl Render {
    fn new() -> Render {
        Render(Arc::new(Mutex::new(Service {
            deploys: Vec::new(),
            course: GOOD.to_vec(),
            auto_deploy: "no",
            branch: "deploy/production",
        })))
    }

    fn set(&self, change: impl FnOnce(&mut Service)) {
        change(&mut self.0.lock().expect("nobody panics with it"));
    }

    fn vendor(&self) -> Vendor {
        let service = Arc::clone(&self.0);
        Vendor::new(move |asked| service.lock().expect("nobody panics with it").answer(asked))
    }
}

impl Service {
    fn answer(&mut self, asked: &Asked) -> Answer {
        if asked.authorization.as_deref() != Some("Bearer rnd_t0ken") {
            return Answer::new(401, r#"{"id":"e","message":"Unauthorized"}"#);
        }
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match (asked.method.as_str(), &parts[..]) {
            ("GET", ["services", "srv-1"]) => Answer::new(200, self.about().to_string()),
            ("GET", ["services", "srv-1", "deploys"]) => {
                let listed =
                    self.deploys.iter().rev().map(|deploy| json!({ "deploy": told(deploy), "cursor": "c" }));
                Answer::new(200, listed.collect::<Value>().to_string())
            }
            ("POST", ["services", "srv-1", "deploys"]) => self.begin(asked.body["commitId"].clone()),
            ("POST", ["services", "srv-1", "rollback"]) => {
                let of = asked.body["deployId"].as_str().unwrap_or_default();
                let commit =
                    self.deploys.iter().find(|(id, ..)| id == of).map(|(_, _, commit)| commit.clone());
                commit.map_or_else(
                    || Answer::new(404, r#"{"message":"no such deploy"}"#),
                    |commit| self.begin(commit),
                )
            }
            ("GET", ["services", "srv-1", "deploys", id]) => self.one(id, |states| {
                if states.len() > 1 {
                    states.pop_front();
                }
            }),
            ("POST", ["services", "srv-1", "deploys", id, "cancel"]) => {
                self.one(id, |states| *states = ["canceled"].into())
            }
            ("GET", ["logs"]) => {
                assert!(query.contains("ownerId=tea-1") && query.contains("resource=srv-1"), "{query}");
                let line = |id: &str, text: &str| json!({ "id": id, "message": text, "timestamp": "2026-01-02T03:04:05Z", "labels": [] });
                // Newest first, as it was asked for.
                let logs = [line("2", "pip: no such package"), line("1", "==> Building")];
                let told = json!({ "hasMore": false, "logs": logs, "nextStartTime": "2026-01-02T03:04:05Z",
                    "nextEndTime": "2026-01-02T03:04:05Z" });
                Answer::new(200, told.to_string())
            }
            _ => Answer::new(404, r#"{"id":"e","message":"not found"}"#),
        }
    }

    fn about(&self) -> Value {
        json!({
            "id": "srv-1", "ownerId": "tea-1", "name": "shop", "type": "web_service", "slug": "shop",
            "autoDeploy": self.auto_deploy, "branch": self.branch, "suspended": "not_suspended", "suspenders": [],
            "notifyOnFail": "default", "repo": "https://git.example.com/shop", "rootDir": "",
            "createdAt": "2026-01-02T03:04:05Z", "updatedAt": "2026-01-02T03:04:05Z",
            "dashboardUrl": "https://dashboard.render.com/web/srv-1",
            "serviceDetails": { "buildPlan": "starter", "env": "python", "numInstances": 1, "openPorts": [],
                "parentServer": { "id": "s", "name": "s" }, "plan": "starter", "previews": { "generation": "off" },
                "pullRequestPreviewsEnabled": "no", "region": "frankfurt", "runtime": "python",
                "envSpecificDetails": { "buildCommand": "b", "startCommand": "s" }, "url": "https://shop.onrender.com" }
        })
    }

    fn begin(&mut self, commit: Value) -> Answer {
        let id = format!("dep-{}", self.deploys.len() + 1);
        self.deploys.push((id, self.course.clone().into(), commit));
        Answer::new(201, told(self.deploys.last().expect("it was just begun")).to_string())
    }

    fn one(&mut self, id: &str, then: impl FnOnce(&mut VecDeque<&'static str>)) -> Answer {
        let Some(deploy) = self.deploys.iter_mut().find(|(known, ..)| known == id) else {
            return Answer::new(404, r#"{"message":"no such deploy"}"#);
        };
        let answer = Answer::new(200, told(deploy).to_string());
        then(&mut deploy.1);
        answer
    }
}

fn told((id, states, commit): &(String, VecDeque<&'static str>, Value)) -> Value {
    json!({ "id": id, "status": states[0], "trigger": "api",
        "commit": { "id": commit, "message": "m", "createdAt": "2026-01-02T03:04:05Z" },
        "createdAt": "2026-01-02T03:04:05Z", "updatedAt": "2026-01-02T03:04:05Z" })
}

/// A shop whose production is a service of Render, which builds the user's own branch.
fn shop(vendor: &Vendor, keys: &str) -> Sandbox {
    let url = vendor.url();
    Sandbox::shop(&format!(
        "[secrets]\nRENDER_API_KEY = {{ env = 'RENDER_API_KEY' }}\n\
         [environments.production]\n\
         target = {{ render = 'srv-1', token = 'RENDER_API_KEY', endpoint = '{url}'{keys} }}\n"
    ))
    .env("RENDER_API_KEY", TOKEN)
}

const PUSH: &str = ", push = { remote = 'origin', branch = 'deploy/production' }";

fn begun(asked: &[Asked]) -> Vec<Value> {
    asked.iter().filter(|asked| asked.method == "POST").map(|asked| asked.body.clone()).collect()
}

#[test]
fn a_commit_is_built_followed_and_brought_back() {
    let render = Render::new();
    let vendor = render.vendor();
    let sandbox = shop(&vendor, "");
    let first = sandbox.repository().head();
    snapshot!(sandbox.deploy(["production"]), @r#"
    -- stderr
    deploy: Render began dep-1: https://dashboard.render.com/web/srv-1/deploys/dep-1
    deploy: Render: dep-1 is created
    deploy: Render: dep-1 is build_in_progress
    deploy: Render: dep-1 is live
    deploy: production: release 1 is live ([short] "First") in [time]
    -- exit 0
    "#);
    let asked = vendor.asked();
    assert_eq!(begun(&asked), [json!({ "commitId": first })]);
    assert!(asked.iter().all(|asked| asked.authorization.as_deref() == Some("Bearer rnd_t0ken")));

    // What is live is not begun again, unless it is asked for.
    sandbox.deploy(["production"]).succeeds().says("is live already");
    assert_eq!(begun(&vendor.asked()), [Value::Null; 0]);
    sandbox.deploy(["production", "--rebuild"]).succeeds().says("dep-2 is live");
    assert_eq!(begun(&vendor.asked()), [json!({ "commitId": first })]);

    sandbox.write("shop.py", "second\n");
    sandbox.commit("Second");
    sandbox.deploy(["production"]).succeeds().says("dep-3 is live");
    let _asked = vendor.asked();
    sandbox.deploy(["rollback", "production"]).succeeds().says("dep-4 is live").never_mentions(TOKEN);
    assert_eq!(begun(&vendor.asked()), [json!({ "deployId": "dep-2" })]);
}

#[test]
fn renders_own_client_asks_the_same() {
    let render = Render::new();
    let vendor = render.vendor();
    let sandbox = shop(&vendor, "");
    let head = sandbox.repository().head();
    sandbox.deploy(["production"]).succeeds();
    sandbox.write("shop.py", "second\n");
    sandbox.commit("Second");
    render.set(|service| service.course = vec!["created", "build_failed"]);
    sandbox.deploy(["production"]).fails();
    render.set(|service| service.course = GOOD.to_vec());
    let ours = vendor.asked();
    let bodies: Vec<String> = begun(&ours).iter().map(Value::to_string).collect();

    let mut arguments = vec![head.as_str()];
    arguments.extend(bodies.iter().map(String::as_str));
    let theirs = asked_by("render_client.py", &vendor, &arguments);
    let kinds = |asked: &[Asked]| -> BTreeSet<String> {
        asked.iter().map(|asked| asked.essence().0.replace(|c: char| c.is_ascii_digit(), "N")).collect()
    };
    let (ours, theirs) = (kinds(&ours), kinds(&theirs));
    let more: Vec<&String> = theirs.difference(&ours).collect();
    // A rollback and a cancelling are other tests' business.
    assert_eq!(more, ["POST /services/srv-N/deploys/dep-N/cancel", "POST /services/srv-N/rollback"]);
    assert_eq!(ours.difference(&theirs).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn a_branch_of_deploys_own_gets_the_swap_first() {
    let render = Render::new();
    let vendor = render.vendor();
    let sandbox = shop(&vendor, PUSH).remote("origin");
    let tasks =
        sandbox.read("tasks.toml") + "swap = { 'requirements.txt' = '-r requirements/production.txt' }\n";
    let sandbox = sandbox.tasks(&tasks);
    sandbox.deploy(["production"]).succeeds().says("dep-1 is live");
    let target = sandbox.target("origin");
    let shipped = target.tip("deploy/production").expect("a release");
    assert_eq!(target.file(&shipped, "requirements.txt"), "-r requirements/production.txt\n");
    assert_eq!(begun(&vendor.asked()), [json!({ "commitId": shipped })]);

    sandbox.write("shop.py", "second\n");
    sandbox.commit("Second");
    sandbox.deploy(["production"]).succeeds();
    let _asked = vendor.asked();
    sandbox.deploy(["rollback", "production"]).succeeds().says("dep-3 is live");
    assert_eq!(begun(&vendor.asked()), [json!({ "deployId": "dep-1" })]);
    // The branch has what is live.
    assert_eq!(target.file("deploy/production", "shop.py"), "print('shop')\n");

    render.set(|service| service.branch = "main");
    sandbox
        .deploy(["production", "--override", "freeze", "--reason", "r"])
        .fails_with(3)
        .says("Render builds the branch `main`, and `push` goes to `deploy/production`");
}

#[test]
fn a_swap_without_a_branch_is_refused() {
    let vendor = Render::new().vendor();
    let sandbox = shop(&vendor, "");
    let tasks =
        sandbox.read("tasks.toml") + "swap = { 'requirements.txt' = '-r requirements/production.txt' }\n";
    snapshot!(sandbox.tasks(&tasks).deploy(["production"]), @r#"
    -- stderr
    error: Render can't get a swap without a branch of its own
     --> tasks.toml:5:10
      |
    4 | target = { render = 'srv-1', token = 'RENDER_API_KEY', endpoint = 'http://[address]' }
      |                     ------- it builds the source commit, from your branch
    5 | swap = { 'requirements.txt' = '-r requirements/production.txt' }
      |          ^^^^^^^^^^^^^^^^^^ this would not be in what it builds
      |
      = help: push = { remote = "origin", branch = "deploy/ENVIRONMENT" }, and let it build from there
    -- exit 2
    "#);
    assert_eq!(vendor.asked(), []);
}

#[test]
fn a_build_that_fails_shows_the_end_of_its_log() {
    let render = Render::new();
    let vendor = render.vendor();
    let sandbox = shop(&vendor, "");
    sandbox.deploy(["production"]).succeeds();
    sandbox.write("shop.py", "second\n");
    sandbox.commit("Second");
    render.set(|service| service.course = vec!["build_in_progress", "build_failed"]);
    snapshot!(sandbox.deploy(["production"]), @r"
    -- stderr
    deploy: Render began dep-2: https://dashboard.render.com/web/srv-1/deploys/dep-2
    deploy: Render: dep-2 is build_in_progress
    ==> Building
    pip: no such package
    deploy: failed after [time]
      why: Render: dep-2 failed: build_failed
      step: ship
      where: tasks.toml:3
      help: the whole of its log: https://dashboard.render.com/web/srv-1/deploys/dep-2
    -- exit 1
    ");
    let history = sandbox.deploy(["history", "production"]).stdout;
    assert!(history.contains("failed") && history.contains("live"), "{history}");
}

#[test]
fn a_beginning_whose_answer_was_lost_is_found_and_not_sent_again() {
    let render = Render::new();
    let vendor = render.vendor();
    let sandbox = shop(&vendor, "");
    vendor.loses_answer_to("POST /services/srv-1/deploys");
    sandbox.deploy(["production"]).succeeds().says("its list of deployments is asked").says("dep-1 is live");
    assert_eq!(begun(&vendor.asked()).len(), 1);

    // Queued: taken, and nothing is said of it.
    sandbox.commit("Second");
    vendor.loses_answer_to("GET /services/srv-1/deploys/");
    vendor.instead("GET /services/srv-1/deploys/", Answer::new(502, "bad gateway"));
    vendor.instead("GET /services/srv-1/deploys/", Answer::new(429, "").with_header("Retry-After: 1"));
    vendor.instead("GET /services/srv-1/deploys/", Answer::new(429, ""));
    sandbox.deploy(["production"]).succeeds().says("dep-2 is live");
    assert_eq!(begun(&vendor.asked()).len(), 1);
}

#[test]
fn a_beginning_that_was_taken_without_a_word_is_found() {
    let render = Render::new();
    let queued = Arc::clone(&render.0);
    let vendor = Vendor::new(move |asked| {
        let answer = queued.lock().expect("nobody panics with it").answer(asked);
        if asked.line() == "POST /services/srv-1/deploys" { Answer::new(202, "") } else { answer }
    });
    let sandbox = shop(&vendor, "");
    sandbox.deploy(["production"]).succeeds().says("has not said yet what it calls it").says("dep-1 is live");
    assert_eq!(begun(&vendor.asked()).len(), 1);
}

#[test]
fn too_many_questions_are_asked_later() {
    let vendor = Render::new().vendor();
    let sandbox = shop(&vendor, "");
    vendor.instead("GET /services/srv-1", Answer::new(429, "").with_header("Retry-After: 1"));
    vendor
        .instead("POST /services/srv-1/deploys", Answer::new(429, "slow down").with_header("Retry-After: 1"));
    sandbox.deploy(["production"]).succeeds().says("dep-1 is live");
    assert_eq!(begun(&vendor.asked()).len(), 2, "one was not taken");
}

#[test]
fn what_comes_in_between_is_no_success() {
    let render = Render::new();
    let vendor = render.vendor();
    let sandbox = shop(&vendor, "");
    render.set(|service| service.course = vec!["build_in_progress", "deactivated"]);
    sandbox.deploy(["production"]).fails_with(1).says("dep-1 was replaced before it was live");
    // Somebody else's deploy, under way.
    render.set(|service| {
        let commit = json!("abcdef0123456789abcdef0123456789abcdef01");
        service.deploys.push(("dep-x".to_owned(), ["update_in_progress"].into(), commit));
    });
    let _asked = vendor.asked();
    sandbox
        .deploy(["production"])
        .fails_with(3)
        .says("Render is at a deployment already: dep-x of abcdef01 (update_in_progress)");
    assert_eq!(begun(&vendor.asked()), [Value::Null; 0]);
}

#[test]
fn another_commit_than_ours_is_no_success() {
    let render = Render::new();
    let built = Arc::clone(&render.0);
    let vendor = Vendor::new(move |asked| {
        let mut service = built.lock().expect("nobody panics with it");
        let answer = service.answer(asked);
        if asked.method == "POST" {
            service.deploys.last_mut().unwrap().2 = json!("abcdef0123456789abcdef0123456789abcdef01");
        }
        answer
    });
    let sandbox = shop(&vendor, "");
    sandbox.deploy(["production"]).fails_with(1).says("is live, and was built from abcdef01, not from");
}

#[test]
fn a_stopped_run_leaves_it_or_cancels_it_as_the_file_says() {
    let render = Render::new();
    render.set(|service| service.course = vec!["build_in_progress"]);
    let vendor = render.vendor();
    for (keys, said) in [
        ("", "dep-1 goes on without us: https://dashboard.render.com/web/srv-1/deploys/dep-1"),
        (", cancel = true", "dep-1 was cancelled"),
    ] {
        render.set(|service| service.deploys.clear());
        let sandbox = shop(&vendor, keys);
        let running = sandbox.start(["production"]);
        running.wait_for("dep-1 is build_in_progress").signal(Signal::INT);
        running.wait().fails_with(130).says(said);
        let cancelled = vendor.asked().iter().filter(|asked| asked.path.ends_with("/cancel")).count();
        assert_eq!(cancelled, usize::from(!keys.is_empty()), "{keys}");
    }
}

#[test]
fn a_token_that_is_wrong_or_would_be_read_by_others_is_told() {
    let vendor = Render::new().vendor();
    let sandbox = shop(&vendor, "").env("RENDER_API_KEY", "an0ther-0ne");
    sandbox
        .deploy(["production"])
        .fails_with(1)
        .says("401 `{\"id\":\"e\",\"message\":\"Unauthorized\"}`")
        .says("is the token right, and not expired?")
        .never_mentions("an0ther-0ne");
    let elsewhere = sandbox.read("tasks.toml").replace(&vendor.url(), "http://api.example.com");
    let sandbox = sandbox.tasks(&elsewhere);
    let _asked = vendor.asked();
    sandbox.deploy(["production"]).fails_with(3).says("over plain http");

    // It is not sent on to where an answer leads.
    let (thief, leads) = (Render::new().vendor(), Render::new().vendor());
    leads.instead("GET /services/srv-1", Answer::redirect(&format!("{}/services/srv-1", thief.url())));
    let sandbox = shop(&leads, "");
    sandbox.deploy(["production"]).fails_with(1).says("a token is not sent on");
    assert_eq!(thief.asked(), []);
}

#[test]
fn what_is_set_up_otherwise_there_is_told() {
    let render = Render::new();
    let vendor = render.vendor();
    let sandbox = shop(&vendor, "");
    render.set(|service| service.auto_deploy = "yes");
    sandbox.deploy(["production"]).succeeds().says("(Auto-Deploy): turn that off").says("dep-1 is live");
    sandbox.commit("Second");
    // A token that may look, and no more.
    vendor.instead("POST /services/srv-1/deploys", Answer::new(403, r#"{"message":"forbidden"}"#));
    sandbox.deploy(["production"]).fails_with(1).says("may this token do that?");
    assert_eq!(begun(&vendor.asked()).len(), 2, "what was refused is not sent again");
    sandbox.deploy(["status"]).succeeds().shows("1");
    let without = shop(&vendor, "").env("RENDER_API_KEY", "");
    without.deploy(["production"]).fails().says("RENDER_API_KEY");
    assert_eq!(vendor.asked(), []);
}

#[test]
fn a_deploy_whose_end_nobody_tells_is_not_taken_for_one_that_failed() {
    let render = Render::new();
    let vendor = render.vendor();
    let sandbox = shop(&vendor, "");
    vendor.instead("GET /services/srv-1/deploys/dep-1", Answer::new(404, r#"{"message":"not found"}"#));
    sandbox.deploy(["production"]).fails_with(1).says("dep-1 goes on without us").says("with 404");
    // It is over by now, and nobody knows what became of it: it is not said to be live already.
    render.set(|service| service.deploys.clear());
    sandbox.deploy(["production"]).succeeds().says("dep-1 is live");
}
