//! `status --probe`: what Render has live, beside what the ledger says; and why it can't be told.

use std::net::TcpListener;

use serde_json::{Value, json};

use super::{PUSH, Render, TOKEN, shop};
use crate::support::{Answer, Sandbox, snapshot};

const FOREIGN: &str = "abcdef0123456789abcdef0123456789abcdef01";

impl Render {
    /// A deploy that is none of ours.
    fn somebody_deploys(&self, id: &str, status: &'static str) {
        self.set(|service| service.deploys.push((id.to_owned(), [status].into(), json!(FOREIGN))));
    }

    /// What it says of a deploy from now on.
    fn is_now(&self, id: &str, status: &'static str) {
        self.set(|service| {
            let deploy = service.deploys.iter_mut().find(|(known, ..)| known == id).expect("it was begun");
            deploy.1 = [status].into();
        });
    }
}

#[track_caller]
fn platform(sandbox: &Sandbox) -> Value {
    let all = sandbox.deploy(["status", "--probe", "--json"]);
    let all: Value = serde_json::from_str(&all.succeeds().stdout).expect("JSON");
    all[0]["platform"].clone()
}

#[test]
fn what_is_live_is_what_the_ledger_says() {
    let render = Render::new();
    let vendor = render.vendor();
    let sandbox = shop(&vendor, "");
    sandbox.deploy(["status", "--probe"]).succeeds().shows("  platform  agrees: Render has nothing live\n");
    let head = sandbox.repository().head();
    sandbox.deploy(["production"]).succeeds();
    let _before = vendor.asked();
    sandbox.deploy(["status"]).succeeds().never_mentions("platform");
    assert_eq!(vendor.asked(), [], "nobody was to be asked");
    let status = sandbox.deploy(["status", "--probe"]);
    status.succeeds().shows(&format!("  platform  agrees: Render has dep-1 of {} live\n", &head[..8]));
    status.never_mentions(TOKEN);
    let asked: Vec<String> = vendor.asked().iter().map(|asked| asked.essence().0).collect();
    assert_eq!(asked, ["GET /services/srv-1", "GET /services/srv-1/deploys"]);
    let live = json!({ "deployment": "dep-1", "commits": [head] });
    assert_eq!(
        platform(&sandbox),
        json!({ "is": "agrees", "live": live, "release": 1, "underway": null, "hindrance": null })
    );
}

#[test]
fn what_a_rollback_brought_back_agrees() {
    let render = Render::new();
    let vendor = render.vendor();
    let sandbox = shop(&vendor, "");
    let head = sandbox.repository().head();
    sandbox.deploy(["production"]).succeeds();
    sandbox.write("shop.py", "second\n");
    sandbox.commit("Second");
    sandbox.deploy(["production"]).succeeds();
    sandbox.deploy(["rollback", "production"]).succeeds();
    sandbox
        .deploy(["status", "--probe"])
        .succeeds()
        .shows(&format!("  platform  agrees: Render has dep-3 of {} live\n", &head[..8]));
}

#[test]
fn what_others_did_there_is_told() {
    let render = Render::new();
    let vendor = render.vendor();
    let sandbox = shop(&vendor, "");
    let first = sandbox.repository().head();
    sandbox.deploy(["production"]).succeeds();
    sandbox.write("shop.py", "second\n");
    let second = sandbox.commit("Second");
    sandbox.deploy(["production"]).succeeds();

    render.somebody_deploys("dep-x", "update_in_progress");
    sandbox.deploy(["status", "--probe"]).succeeds().shows(&format!(
        "  platform  agrees: Render has dep-2 of {} live; dep-x of abcdef01 is under way (update_in_progress)\n",
        &second[..8]
    ));
    render.is_now("dep-x", "live");
    render.is_now("dep-2", "deactivated");
    sandbox.deploy(["status", "--probe"]).succeeds().shows(
        "  platform  differs: Render has dep-x of abcdef01 live, somebody else's deployment; the ledger says dep-2\n",
    );
    let told = platform(&sandbox);
    assert_eq!((&told["is"], &told["release"]), (&json!("differs"), &Value::Null));
    assert_eq!(told["live"], json!({ "deployment": "dep-x", "commits": [FOREIGN] }));

    render.is_now("dep-x", "build_failed");
    sandbox.deploy(["status", "--probe"]).succeeds().shows(&format!(
        "  platform  differs: Render has dep-1 of {} live, of release 1; the ledger says dep-2\n",
        &first[..8]
    ));
    render.is_now("dep-1", "deactivated");
    sandbox.deploy(["status", "--probe"]).succeeds().shows(
        "  platform  differs: none of the newest deployments of Render is live; the ledger says dep-2\n",
    );
}

#[test]
fn what_would_keep_a_deploy_away_is_told_too() {
    let render = Render::new();
    let vendor = render.vendor();
    let sandbox = shop(&vendor, PUSH).remote("origin");
    sandbox.deploy(["production"]).succeeds();
    render.set(|service| service.branch = "main");
    sandbox
        .deploy(["status", "--probe"])
        .succeeds()
        .shows(" live; Render builds the branch `main`, and `push` goes to `deploy/production`\n");
}

#[test]
fn a_release_that_is_live_there_without_our_knowing_is_known_by_its_number() {
    let render = Render::new();
    let vendor = render.vendor();
    let sandbox = shop(&vendor, "");
    sandbox.deploy(["production"]).succeeds();
    // It becomes live at Render, and the answer that says so never came: the ledger has release 1.
    sandbox.write("shop.py", "second\n");
    let second = sandbox.commit("Second");
    vendor.instead("GET /services/srv-1/deploys/dep-2", Answer::new(404, r#"{"message":"not found"}"#));
    sandbox.deploy(["production"]).fails_with(1);
    render.is_now("dep-1", "deactivated");
    render.is_now("dep-2", "live");
    sandbox.deploy(["status", "--probe"]).succeeds().shows(&format!(
        "differs: Render has dep-2 of {} live, of release 2; the ledger says dep-1\n",
        &second[..8]
    ));
}

#[test]
fn a_platform_that_can_not_be_asked_does_not_hide_the_others() {
    let (render, other) = (Render::new(), Render::new());
    let (vendor, silent) = (render.vendor(), other.vendor());
    // Nobody listens there any more.
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let sandbox = shop(&vendor, "");
    let tasks = format!(
        "{}[environments.cut]\n\
         target = {{ render = 'srv-1', token = 'RENDER_API_KEY', endpoint = '{}' }}\n\
         [environments.closed]\n\
         target = {{ render = 'srv-1', token = 'RENDER_API_KEY', endpoint = 'http://{closed}' }}\n\
         [environments.refused]\n\
         target = {{ render = 'srv-1', token = 'OLD', endpoint = '{2}' }}\n\
         [environments.without]\n\
         target = {{ render = 'srv-1', token = 'NOWHERE', endpoint = '{2}' }}\n\
         [environments.plain]\n\
         target = {{ git = 'origin' }}\n\
         [secrets]\n\
         RENDER_API_KEY = {{ env = 'RENDER_API_KEY' }}\n\
         OLD = {{ file = 'token' }}\n\
         NOWHERE = {{ env = 'NOWHERE' }}\n",
        sandbox.read("tasks.toml").replace("[secrets]\nRENDER_API_KEY = { env = 'RENDER_API_KEY' }\n", ""),
        silent.url(),
        vendor.url(),
    );
    let sandbox = sandbox.tasks(&tasks).file("token", "rnd_3xpired\n");
    silent.instead("GET /services/srv-1", Answer::gone());
    let status = sandbox.deploy(["status", "--probe"]);
    status.never_mentions("rnd_3xpired");
    snapshot!(status, @r#"
    -- stdout
    ENVIRONMENT  RELEASE  COMMIT  SINCE  BY
    production   -        -       -      -   nothing is live yet
      health    not known: the environment has no `health`
      platform  agrees: Render has nothing live
    cut          -        -       -      -   nothing is live yet
      health    not known: the environment has no `health`
      platform  nobody can tell from here: Render, GET /services/srv-1: Peer disconnected; it takes connections and closes them: the service's log says why
    closed       -        -       -      -   nothing is live yet
      health    not known: the environment has no `health`
      platform  nobody can tell from here: Render, GET /services/srv-1: Connection refused; nothing listens there: did the service start? Its log says more
    refused      -        -       -      -   nothing is live yet
      health    not known: the environment has no `health`
      platform  nobody can tell from here: Render answers GET /services/srv-1 with 401 `{"id":"e","message":"Unauthorized"}`; is the token right, and not expired? `token` names the secret that holds it
    without      -        -       -      -   nothing is live yet
      health    not known: the environment has no `health`
      platform  not asked: the secret `NOWHERE` can't be had for without: the variable `NOWHERE` is not set
    plain        -        -       -      -   nothing is live yet
      health  not known: the environment has no `health`
    -- stderr
    deploy: others can read `token`, which holds a secret: chmod 600 token
    -- exit 0
    "#);
}

#[test]
fn who_says_nothing_is_not_waited_for_twice() {
    let render = Render::new();
    let vendor = render.vendor();
    let sandbox = shop(&vendor, "");
    vendor.instead("GET /services/srv-1", Answer::none());
    let status = sandbox.deploy(["status", "--probe"]);
    status.succeeds().shows("nobody can tell from here: Render, GET /services/srv-1: ");
    assert_eq!(vendor.asked().len(), 1);
}

#[test]
fn a_token_that_only_a_command_has_is_not_fetched() {
    let vendor = Render::new().vendor();
    for keeper in ["{ command = ['touch', 'SANDBOX/ran'] }", "{ age = 'token.age' }"] {
        let sandbox = shop(&vendor, "");
        let tasks = sandbox.read("tasks.toml").replace("{ env = 'RENDER_API_KEY' }", keeper);
        let sandbox = sandbox.tasks(&tasks);
        sandbox.deploy(["status", "--probe"]).succeeds().shows(
            "  platform  not asked: a command keeps the token `RENDER_API_KEY`, and looking runs none\n",
        );
        let why = "a command keeps the token `RENDER_API_KEY`, and looking runs none";
        assert_eq!(platform(&sandbox), json!({ "is": "not asked", "why": why }));
        assert!(!sandbox.path("ran").exists());
    }
    assert_eq!(vendor.asked(), []);
}

#[test]
fn an_answer_that_repeats_the_token_is_not_shown_with_it() {
    let vendor = Render::new().vendor();
    let sandbox = shop(&vendor, "");
    let echo = Answer::new(403, format!("Bearer {TOKEN} may not do that"));
    vendor.instead("GET /services/srv-1", echo);
    sandbox
        .deploy(["status", "--probe"])
        .succeeds()
        .shows("with 403 `Bearer ")
        .shows("may this token do that?")
        .never_mentions(TOKEN);
}
