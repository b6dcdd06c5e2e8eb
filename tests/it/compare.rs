//! `compare ENV ENV`: what makes two environments differ, and nothing else.

use serde_json::{Value, json};

use crate::support::{Ended, Sandbox};

const TASKS: &str = r#"
[settings]
env = { PLACE = "{{ environment }}", SAME = "here" }

[vars]
shared  = "same"
named   = "shop-{{ environment }}"
version = { command = ["touch", "SANDBOX/ran"] }

[secrets]
DB_PASSWORD  = { command = ["touch", "SANDBOX/ran"] }
LIVE_PASSWORD = { env = "LIVE_PASSWORD" }

[environments.staging]
target = { git = "staging" }
url    = "https://staging.example.com"
swap   = { "requirements.txt" = "-r requirements/staging.txt" }
vars   = { workers = 2, both = "x", mine = "{{ env.NOWHERE }}" }
env    = { DEBUG = "1", LEVEL = "info", DB = "ada:{{ secret.DB_PASSWORD }}@db" }

[environments.production]
inherits = "staging"
target   = { git = "https://ada:opensesame@host/shop.git", branch = "live" }
swap     = { "requirements.txt" = "-r requirements/production.txt", "robots.txt" = { text = "all\nwelcome\n" } }
vars     = { workers = 8 }
env      = { LEVEL = "warn", DB = "ada:{{ secret.LIVE_PASSWORD }}@db" }
dotenv   = [{ path = ".env.production", optional = true }]
health   = "{{ url }}/healthz"
protect  = { branches = ["main"], after = "staging", pushed = true, confirm = "typed", freeze = [{ days = ["fri", "sat"], from = "16:00", to = "18:00", tz = "UTC", reason = "weekend" }] }
"#;

fn object(ended: &Ended) -> Value {
    serde_json::from_str(&ended.succeeds().stdout).expect("JSON")
}

#[test]
fn only_what_differs_is_shown_and_secrets_are_named() {
    let sandbox = Sandbox::shop(TASKS).remote("staging").env("LIVE_PASSWORD", "hunter22");
    let head = sandbox.repository().head();
    let before = sandbox.picture();
    let compared = sandbox.deploy(["compare", "staging", "production"]);
    compared.succeeds().prints(&format!(
        "what differs between staging and production, with the files of {}

REQUIREMENTS  staging     production
gunicorn      -           gunicorn
sentry-sdk    sentry-sdk  -

ENVIRONMENT  staging  production
dotenv       -        .env.production

TARGET  staging  production
branch  main     live
git     staging  https://…@host/shop.git

SWAP              staging                      production
requirements.txt  -r requirements/staging.txt  -r requirements/production.txt
robots.txt        -                            all\\nwelcome

VARS     staging       production
named    shop-staging  shop-production
workers  2             8

ENV    staging                          production
DB     ada:{{{{ secret.DB_PASSWORD }}}}@db  ada:{{{{ secret.LIVE_PASSWORD }}}}@db
LEVEL  info                             warn
PLACE  staging                          production

HEALTH  staging  production
every   -        2s
status  -        200
streak  -        1
url     -        https://staging.example.com/healthz
within  -        120s

PROTECT   staging  production
after     -        staging
branches  -        main
confirm   -        typed
freeze    -        Friday Saturday from 16:00 to 18:00 (UTC) `weekend`
pushed    -        true
",
        &head[..8]
    ));
    before.assert_unchanged();
    assert!(!sandbox.has(".deploy") && !sandbox.path("ran").exists(), "looking writes and runs nothing");
}

#[test]
fn programs_get_all_of_it() {
    let sandbox = Sandbox::shop(TASKS).remote("staging").env("LIVE_PASSWORD", "hunter22");
    let head = sandbox.repository().head();
    let ended = sandbox.deploy(["compare", "staging", "production", "--json"]);
    ended.never_mentions("opensesame").never_mentions("hunter22");
    let found = object(&ended);
    assert_eq!(found["environments"], json!(["staging", "production"]));
    assert_eq!((&found["source"], &found["live"]), (&json!(head), &json!([null, null])));
    assert_eq!(
        found["requirements"][0],
        json!({
            "what": "gunicorn",
            "role": "requirement",
            "first": [],
            "second": [{ "written": "gunicorn", "file": "requirements/production.txt" }],
        })
    );
    let differences = found["differences"].as_array().expect("a list");
    assert!(differences.contains(&json!({ "group": "vars", "name": "workers", "values": ["2", "8"] })));
    assert!(
        differences.contains(&json!({ "group": "protect", "name": "after", "values": [null, "staging"] }))
    );
}

#[test]
fn what_is_live_is_told_with_how_far_it_is_apart() {
    let sandbox = Sandbox::shop(
        "[environments.staging]\ntarget = { git = 'staging' }\n[environments.production]\ntarget = { git = 'production' }\n",
    )
    .remote("staging")
    .remote("production");
    let first = sandbox.repository().head();
    let compare = || sandbox.deploy(["compare", "staging", "production"]);
    compare().succeeds().never_mentions("LIVE");
    sandbox.deploy(["production"]).succeeds();
    compare()
        .succeeds()
        .shows("LIVE     staging  production\nrelease  -        1\n")
        .never_mentions("behind");
    let second = sandbox.commit("Second");
    sandbox.deploy(["staging"]).succeeds();
    compare().succeeds().shows(&format!(
        "LIVE     staging   production\nrelease  1         1\ncommit   {}  {}\nsubject  Second    First\nproduction is 1 commit behind staging\n",
        &second[..8],
        &first[..8],
    ));
    let found = object(&sandbox.deploy(["compare", "production", "staging", "--json"]));
    assert_eq!((&found["only_there"], &found["complete"]), (&json!([0, 1]), &json!(true)));
    sandbox.repository().git(["reset", "--quiet", "--hard", "HEAD~1"]);
    sandbox.commit("Another way");
    sandbox.commit("Further on");
    sandbox.deploy(["production"]).succeeds();
    compare().succeeds().shows("they have parted: 1 commit only in staging, 2 commits only in production\n");
}

#[test]
fn where_nothing_differs_that_is_said() {
    let sandbox = Sandbox::shop(
        "[environments.staging]\ntarget = { git = 'here' }\n[environments.twin]\ninherits = 'staging'\ntarget = { git = 'here' }\n",
    );
    let head = sandbox.repository().head();
    let says =
        format!("staging and twin differ in nothing but their names, with the files of {}\n", &head[..8]);
    sandbox.deploy(["compare", "staging", "twin"]).succeeds().prints(&says);
}

#[test]
fn requirements_are_those_of_the_commit_that_is_asked_for() {
    let sandbox = Sandbox::shop(TASKS).remote("staging");
    sandbox.write("requirements/production.txt", "-r base.txt\nsentry_sdk\n");
    sandbox.commit("The same everywhere");
    let compared = sandbox.deploy(["compare", "staging", "production"]);
    compared.succeeds().never_mentions("REQUIREMENTS");
    sandbox.deploy(["compare", "staging", "production", "--ref", "HEAD~1"]).succeeds().shows("gunicorn");
    sandbox.repository().git(["rm", "--quiet", "requirements/production.txt"]);
    sandbox.commit("Gone");
    let gone = sandbox.deploy(["compare", "staging", "production"]);
    gone.succeeds().shows("production can't be shipped like this: `requirements/production.txt` is missing");
}

#[test]
fn it_wants_two_environments_and_no_repository() {
    let sandbox =
        Sandbox::new().tasks("[environments.a]\nvars = { x = 1 }\n[environments.b]\nvars = { x = 2 }\n");
    sandbox
        .deploy(["compare", "a", "b"])
        .succeeds()
        .prints("what differs between a and b\n\nVARS  a  b\nx     1  2\n");
    sandbox.deploy(["compare", "a", "c"]).fails_with(2).says("there is no environment `c`");
    sandbox.deploy(["compare", "a", "a"]).fails_with(2).says("name two environments");
    sandbox.deploy(["compare", "a"]).fails_with(2);
    sandbox.deploy(["compare", "a", "b", "--ref", "main"]).fails_with(3).says("is in no git repository");
}
