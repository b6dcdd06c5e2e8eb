//! `diff ENV`: what is committed and not live there yet.

use serde_json::{Value, json};

use crate::git_target::STAGING;
use crate::support::{Ended, Sandbox};

/// A shop with its first commit live on staging.
fn live() -> Sandbox {
    let sandbox = Sandbox::shop(STAGING).remote("staging").env("TZ", "UTC");
    sandbox.deploy(["staging"]).succeeds();
    sandbox
}

fn object(ended: &Ended) -> Value {
    serde_json::from_str(&ended.succeeds().stdout).expect("JSON")
}

#[test]
fn commits_that_are_not_there_yet_are_told_newest_first() {
    let sandbox = live();
    let first = sandbox.repository().head();
    sandbox.write("shop.py", "print('faster')\n");
    let second = sandbox.commit("Make it faster");
    let third = sandbox.commit("Say so");
    let before = sandbox.picture();
    sandbox.deploy(["diff", "staging"]).succeeds().prints(&format!(
        "2 commits of HEAD ({}) are not in staging yet (release 1, {}):
  {}  2026-01-02 03:04  Ada  Say so
  {}  2026-01-02 03:04  Ada  Make it faster
",
        &third[..8],
        &first[..8],
        &third[..8],
        &second[..8],
    ));
    before.assert_unchanged();
    let found = object(&sandbox.deploy(["diff", "staging", "--json"]));
    assert_eq!(
        found["commits"][1],
        json!({ "id": second, "author": "Ada", "date": "2026-01-02T03:04:05Z", "subject": "Make it faster" })
    );
    assert_eq!((&found["source"], &found["live"]["number"]), (&json!(third), &json!(1)));
    assert_eq!((&found["complete"], &found["only_live"]), (&json!(true), &json!([])));

    let of_second = sandbox.deploy(["diff", "staging", "--ref", "HEAD~1"]);
    of_second
        .succeeds()
        .shows(&format!("1 commit of HEAD~1 ({}) is not in", &second[..8]))
        .never_mentions("Say so");
    sandbox.deploy(["staging"]).succeeds();
    let all = format!("staging has all of HEAD ({}): release 2, {}\n", &third[..8], &third[..8]);
    sandbox.deploy(["diff", "staging"]).succeeds().prints(&all);
}

#[test]
fn before_the_first_release_all_is_new() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    let head = sandbox.repository().head();
    let says = format!("nothing is live in staging yet: all of HEAD ({}) is new there\n", &head[..8]);
    sandbox.deploy(["diff", "staging"]).succeeds().prints(&says);
    let found = object(&sandbox.deploy(["diff", "staging", "--json"]));
    assert_eq!((&found["live"], &found["commits"]), (&Value::Null, &Value::Null));
    assert!(!sandbox.has(".deploy"), "looking writes nothing");
}

#[test]
fn what_is_live_may_be_ahead_of_head_or_on_another_way() {
    let sandbox = live();
    sandbox.commit("Second");
    sandbox.deploy(["staging"]).succeeds();
    sandbox.repository().git(["reset", "--quiet", "--hard", "HEAD~1"]);
    let behind = sandbox.deploy(["diff", "staging"]);
    behind
        .succeeds()
        .shows("staging has all of HEAD (")
        .shows("1 commit is live there that HEAD (")
        .shows("Second");
    sandbox.commit("Another way");
    let found = object(&sandbox.deploy(["diff", "staging", "--json"]));
    assert_eq!(
        (&found["commits"][0]["subject"], &found["only_live"][0]["subject"]),
        (&json!("Another way"), &json!("Second"))
    );
}

#[test]
fn a_clone_that_is_too_shallow_says_so() {
    let sandbox = live();
    let first = sandbox.repository().head();
    sandbox.commit("Second");
    sandbox.commit("Third");
    sandbox.shell("git clone --quiet --depth 1 file://$PWD ../shallow && mv .deploy ../shallow").succeeds();
    sandbox
        .deploy_in("../shallow", ["diff", "staging"])
        .fails_with(1)
        .says(&format!("{}, of which its release 1 was made, is not in this clone", &first[..8]))
        .says("git fetch --unshallow");
    sandbox.shell("cd ../shallow && git fetch --quiet --depth 3").succeeds();
    sandbox.deploy_in("../shallow", ["diff", "staging"]).succeeds().shows("Second").shows("Third");
}

#[test]
fn an_environment_must_be_known_and_the_commit_too() {
    let sandbox = live();
    sandbox.deploy(["diff", "stagign"]).fails_with(2).says("did you mean `staging`?");
    sandbox.deploy(["diff"]).fails_with(2);
    sandbox
        .deploy(["diff", "staging", "--ref", "nowhere"])
        .fails_with(3)
        .says("there is no commit `nowhere`");
}
