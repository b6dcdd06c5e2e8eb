//! `status`: what is live where, and what keeps others away; with `--probe`, how the services are.

use serde_json::{Value, json};

use crate::git_target::STAGING;
use crate::support::{Answer, Ended, Sandbox, Server};

/// Writes an event into the ledger of staging as deploy would, and what the state says after it.
pub(crate) fn tell(sandbox: &Sandbox, event: &str, trailers: &str, state: &Value) {
    let git = "git --git-dir=.deploy/repository.git";
    let log = "refs/deploy/staging/log";
    let now = sandbox.shell(&format!("{git} cat-file blob {log}:state.json"));
    let mut now: Value = serde_json::from_str(&now.succeeds().stdout).expect("JSON");
    for (key, value) in state.as_object().expect("keys of the state") {
        now[key] = value.clone();
    }
    sandbox.write("../tmp/state.json", &now.to_string());
    let trailers =
        format!("Event: {event}\nEnvironment: staging\nAt: 2026-01-02T03:04:05Z\nBy: Eve@laptop\n{trailers}");
    sandbox.write("../tmp/message", &format!("staging: something\n\n{trailers}\n"));
    let script = format!(
        r#"blob=$({git} hash-object -w ../tmp/state.json)
        tree=$(printf '100644 blob %s\tstate.json\n' "$blob" | {git} mktree)
        commit=$({git} commit-tree "$tree" -p {log} -F ../tmp/message)
        {git} update-ref {log} "$commit""#
    );
    sandbox.shell(&script).succeeds();
}

fn object(ended: &Ended) -> Value {
    let all: Value = serde_json::from_str(&ended.succeeds().stdout).expect("JSON");
    all[0].clone()
}

#[test]
fn locks_and_freezes_say_who_since_when_and_why() {
    let sandbox = Sandbox::shop(STAGING).remote("staging").env("TZ", "UTC");
    sandbox.deploy(["staging"]).succeeds();
    sandbox.deploy(["status"]).succeeds().never_mentions("locked").never_mentions("frozen");
    let hold = |run: Option<&str>, reason: &str| json!({ "by": "Eve@laptop", "at": "2026-01-02T03:04:05Z", "run": run, "reason": reason });
    let lock = hold(None, "the database moves");
    let frozen = hold(None, "release 2 was slow");
    tell(&sandbox, "locked", "Reason: the database moves", &json!({ "lock": lock }));
    tell(&sandbox, "frozen", "Reason: release 2 was slow", &json!({ "frozen": frozen }));
    let status = sandbox.deploy(["status"]);
    let (locked, frozen_line) = (
        "  locked  by Eve@laptop since 2026-01-02 03:04: the database moves\n",
        "  frozen  by Eve@laptop since 2026-01-02 03:04: release 2 was slow\n",
    );
    status.succeeds().shows(locked).shows(frozen_line);
    let found = object(&sandbox.deploy(["status", "--json"]));
    assert_eq!((&found["locked"], &found["frozen"]), (&lock, &frozen));
    assert_eq!((&found["running"], &found["health"]), (&Value::Null, &Value::Null));
}

#[test]
fn the_lock_of_a_run_elsewhere_says_what_it_is_at() {
    let sandbox = Sandbox::shop(STAGING).remote("staging").env("TZ", "UTC");
    sandbox.deploy(["staging"]).succeeds();
    let head = sandbox.repository().head();
    let seat = json!({
        "machine": "another", "pid": 1, "command": "deploy staging", "commit": head, "address": "https://ci.example.com/7"
    });
    let lock =
        json!({ "by": "Eve@ci", "at": "2026-01-02T03:04:05Z", "run": "r7", "reason": "", "seat": seat });
    tell(&sandbox, "locked", "Run: r7", &json!({ "lock": lock }));
    sandbox.deploy(["status"]).succeeds().shows(&format!(
        "  locked  by Eve@ci since 2026-01-02 03:04: `deploy staging` of {}, https://ci.example.com/7\n",
        &head[..8]
    ));
    assert_eq!(object(&sandbox.deploy(["status", "--json"]))["locked"], lock);
}

#[test]
fn a_rollback_is_shown_as_such() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    sandbox.deploy(["staging"]).succeeds();
    let mut live = object(&sandbox.deploy(["status", "--json"]))["live"].clone();
    (live["number"], live["restores"]) = (json!(7), json!(4));
    tell(&sandbox, "live", "Release: 7", &json!({ "live": live, "number": 7 }));
    sandbox.deploy(["status"]).succeeds().shows("staging      7 (rollback to 4)  ");
    assert_eq!(object(&sandbox.deploy(["status", "--json"]))["live"]["restores"], 4);
}

#[test]
fn a_run_at_work_is_named_with_its_command() {
    let sandbox = Sandbox::shop(
        "[environments.staging.target]\nserver = 'local'\npath = 'SANDBOX/srv'\nbuild = ['hold']\n",
    );
    let gate = sandbox.gate("hold");
    let running = sandbox.start(["staging"]);
    gate.wait_for_arrival();
    let status = sandbox.deploy(["status", "staging"]);
    status.succeeds().shows("nothing is live yet").shows("deploy staging`, by ada@");
    assert_ne!(object(&sandbox.deploy(["status", "--json"]))["running"]["run"], Value::Null);
    gate.open();
    running.wait().succeeds();
    sandbox.deploy(["status"]).succeeds().never_mentions("running");
}

#[test]
fn head_may_be_ahead_of_what_is_live() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    sandbox.deploy(["staging"]).succeeds();
    sandbox.deploy(["status"]).succeeds().never_mentions("behind");
    sandbox.write("shop.py", "print('faster')\n");
    sandbox.commit("Faster");
    sandbox.deploy(["status"]).succeeds().shows("First (1 commit behind HEAD)");
    assert_eq!(object(&sandbox.deploy(["status", "--json"]))["behind"], 1);
}

#[test]
fn services_are_asked_once_and_only_when_that_is_wanted() {
    let good = Server::always(Answer::new(200, "all is well"));
    let bad = Server::always(Answer::new(503, "starting"));
    let sandbox = Sandbox::shop(&format!(
        r#"
        [environments.good]
        url    = "{}"
        target = {{ git = "staging" }}
        health = {{ url = "{{{{ url }}}}/healthz", streak = 3 }}
        [environments.bad]
        target = {{ git = "staging" }}
        health = "{}"
        [environments.other]
        target = {{ git = "staging" }}
        health = {{ url = "{}", contains = "version 2" }}
        [environments.quiet]
        target = {{ git = "staging" }}
        "#,
        good.url(),
        bad.url(),
        good.url(),
    ));
    sandbox.deploy(["status"]).succeeds().never_mentions("health");
    assert_eq!(good.requests() + bad.requests(), 0, "nobody was to be asked");
    let status = sandbox.deploy(["status", "--probe"]);
    status
        .succeeds()
        .shows(&format!("  health  good: {}/healthz answers 200 `all is well`\n", good.url()))
        .shows(&format!("  health  bad: {}: 503 `starting`, where 200 was expected\n", bad.url()))
        .shows(&format!(
            "  health  bad: {}: 200 `all is well`, where 200 with `version 2` in its body was expected\n",
            good.url()
        ))
        .shows("  health  not known: the environment has no `health`\n");
    assert_eq!((good.requests(), bad.requests()), (2, 1));
    let all = sandbox.deploy(["status", "--probe", "--json"]);
    let all: Value = serde_json::from_str(&all.succeeds().stdout).expect("JSON");
    assert_eq!(
        all[1]["health"],
        json!({ "is": "bad", "url": bad.url(), "came": "503 `starting`, where 200 was expected" })
    );
    assert_eq!(all[3]["health"], Value::Null);
    assert!(!sandbox.has(".deploy"), "looking writes nothing");
}

#[test]
fn health_is_asked_for_the_release_that_is_live() {
    let server = Server::always(Answer::new(200, "version one"));
    let tasks = format!(
        "[environments.staging]\ntarget = {{ git = 'staging' }}\nhealth = {{ url = '{}/{{{{ commit }}}}/{{{{ release }}}}' }}\n",
        server.url()
    );
    let sandbox = Sandbox::shop(&tasks).remote("staging");
    let live = sandbox.repository().head();
    sandbox.deploy(["staging"]).succeeds();
    sandbox.commit("Second");
    sandbox
        .deploy(["status", "--probe"])
        .succeeds()
        .shows(&format!("good: {}/{live}/1 answers", server.url()));
}

#[test]
fn what_only_a_command_or_a_secret_could_tell_is_not_asked() {
    let server = Server::always(Answer::new(200, "ok"));
    let sandbox = Sandbox::shop(&format!(
        r#"
        [vars]
        port = {{ command = ["touch", "SANDBOX/ran"] }}
        [secrets]
        KEY = {{ command = ["touch", "SANDBOX/ran"] }}
        [environments.one]
        health = "{0}/{{{{ port }}}}"
        [environments.two]
        health = "{0}/{{{{ secret.KEY }}}}"
        [environments.three]
        health = "{0}/{{{{ env.NOWHERE }}}}"
        "#,
        server.url()
    ));
    let status = sandbox.deploy(["status", "--probe"]);
    status
        .succeeds()
        .shows("not asked: it depends on what a command prints")
        .shows("not asked: it holds the secret `KEY`")
        .shows("not asked: the environment variable NOWHERE is not set");
    assert_eq!(server.requests(), 0);
    assert!(!sandbox.path("ran").exists());
}

#[test]
fn platforms_that_could_not_tell_are_not_asked() {
    let server = Server::always(Answer::new(200, "[]"));
    let sandbox = Sandbox::shop(&format!(
        r#"
        [vars]
        service = {{ command = ["touch", "SANDBOX/ran"] }}
        [secrets]
        KEY = {{ env = "KEY" }}
        [environments.guessed]
        target = {{ render = "{{{{ service }}}}", token = "KEY", endpoint = "{}" }}
        [environments.app]
        target = {{ pythonanywhere = "shop.example.com", token = "KEY", ssh = "ada@ssh.example.com", path = "shop" }}
        [environments.lambda]
        target = {{ zappa = "production" }}
        "#,
        server.url()
    ))
    .env("KEY", "rnd_t0ken");
    sandbox
        .deploy(["status", "--probe"])
        .succeeds()
        .shows("  platform  not asked: it depends on what a command prints, and looking runs none\n")
        .shows("  platform  not asked: PythonAnywhere's API does not know of commits\n")
        .shows("  platform  not asked: only the project's own Zappa could tell\n");
    assert_eq!(server.requests(), 0);
    assert!(!sandbox.path("ran").exists());
}
