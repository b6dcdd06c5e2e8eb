//! `history`: what became of each release; with `--events`, all that happened to an environment.

use serde_json::{Value, json};

use crate::git_target::STAGING;
use crate::status::tell;
use crate::support::{Ended, Sandbox};

fn objects(ended: &Ended) -> Vec<Value> {
    serde_json::from_str(&ended.succeeds().stdout).expect("JSON")
}

/// The words of each line.
fn lines(ended: &Ended) -> Vec<Vec<String>> {
    let words = |line: &str| {
        line.split("  ").map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    ended.succeeds().stdout.lines().map(words).collect()
}

#[test]
fn a_failed_release_says_why_and_how_long_it_took() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    sandbox.deploy(["staging"]).succeeds();
    sandbox.commit("Second");
    sandbox.target("staging").hook("pre-receive", "echo full >&2; exit 1");
    sandbox.deploy(["staging"]).fails();
    let all = objects(&sandbox.deploy(["history", "staging", "--json"]));
    assert_eq!((&all[0]["outcome"], &all[1]["outcome"]), (&json!("failed"), &json!("live")));
    assert!(all[0]["took"].is_u64() && all[0]["reason"].is_string(), "{all:?}");
    assert_eq!((&all[0]["restores"], &all[1]["reason"]), (&Value::Null, &Value::Null));
    let lines = lines(&sandbox.deploy(["history", "staging"]));
    assert_eq!((lines[0][2].as_str(), lines[1][2].as_str()), ("failed", "live"));
    let why = lines[0].last().expect("words");
    assert!(why.starts_with("Second (") && why.ends_with(')'), "{why}");
}

#[test]
fn a_rollback_says_what_it_brought_back_and_what_it_took_away() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    sandbox.deploy(["staging"]).succeeds();
    sandbox.commit("Second");
    sandbox.deploy(["staging"]).succeeds();
    let second = objects(&sandbox.deploy(["history", "staging", "--json"]))[0]["release"].clone();
    let of = |key: &str| second[key].as_str().expect("a text").to_owned();
    let started = format!(
        "Run: r3\nRelease: 3\nSource: {}\nSource-Tree: {}\nSubject: First\nRestores: 1",
        of("source"),
        of("source_tree")
    );
    let mut third = second.clone();
    (third["number"], third["restores"]) = (json!(3), json!(1));
    tell(&sandbox, "started", &started, &json!({ "number": 3, "pending": third }));
    tell(&sandbox, "live", "Run: r3\nRelease: 3\nTook: 75", &json!({ "live": third, "pending": null }));
    tell(&sandbox, "rolled-back", "Release: 2\nReason: it was slow\nRolled-Back-By: 3", &json!({}));

    let all = lines(&sandbox.deploy(["history", "staging"]));
    let shown = |line: usize| (all[line][0].as_str(), all[line][2].as_str());
    assert_eq!(
        (shown(0), shown(1), shown(2)),
        (("3 (rollback to 1)", "live"), ("2", "rolled back"), ("1", "replaced"))
    );
    assert!(all[0].contains(&"1m 15s".to_owned()), "{all:?}");
    assert_eq!(all[1].last().map(String::as_str), Some("Second (it was slow)"));
    assert_eq!(objects(&sandbox.deploy(["history", "staging", "--json"]))[0]["restores"], 1);
}

#[test]
fn events_tell_locks_freezes_and_rules_too() {
    let sandbox = Sandbox::shop(STAGING).remote("staging").env("TZ", "UTC");
    sandbox.deploy(["history", "--events"]).succeeds().prints("nothing has happened yet\n");
    sandbox.deploy(["staging"]).succeeds();
    tell(&sandbox, "locked", "Reason: the database moves", &json!({}));
    tell(&sandbox, "lock-broken", "Broken: 20260102-030405-ab\nReason: Eve went home", &json!({}));
    tell(&sandbox, "overridden", "Run: r9\nRelease: 2\nRule: after\nReason: staging is down", &json!({}));
    tell(&sandbox, "unheard-of", "Reason: a newer deploy", &json!({}));
    let all = lines(&sandbox.deploy(["history", "staging", "--events"]));
    let when = "2026-01-02 03:04";
    assert_eq!(all[0], [when, "unheard-of", "Eve@laptop", "a newer deploy"]);
    assert_eq!(all[1], [when, "overridden", "release 2", "Eve@laptop", "the rule `after`: staging is down"]);
    assert_eq!(all[2], [when, "lock-broken", "Eve@laptop", "of run 20260102-030405-ab: Eve went home"]);
    assert_eq!(all[3], [when, "locked", "Eve@laptop", "the database moves"]);
    let words = |line: &[String]| line[1..3].join(" ");
    let older: Vec<String> = all[4..].iter().map(|line| words(line)).collect();
    for expected in ["live release 1", "shipped release 1", "started release 1"] {
        assert!(older.contains(&expected.to_owned()), "no {expected} in {older:?}");
    }

    let all = objects(&sandbox.deploy(["history", "staging", "--events", "--json"]));
    assert_eq!(
        (&all[1]["event"], &all[1]["rule"], &all[1]["run"]),
        (&json!("overridden"), &json!("after"), &json!("r9"))
    );
    assert_eq!((&all[1]["reason"], &all[1]["release"]), (&json!("staging is down"), &json!(2)));
    assert_eq!((&all[2]["broken"], &all[2]["by"]), (&json!("20260102-030405-ab"), &json!("Eve@laptop")));
    assert_eq!(all[3]["at"], "2026-01-02T03:04:05Z");
    let started = all.iter().find(|event| event["event"] == "started").expect("it began");
    assert_eq!(started["source"], sandbox.repository().head());
    // Of all environments, each line says which it is about.
    sandbox.deploy(["history", "--events"]).succeeds().shows("staging  2026-01-02 03:04  locked");
}
