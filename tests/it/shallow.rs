//! Clones of one commit, as CI servers make them: what they lack of the history is fetched where a rule needs it, and the
//! clone itself stays as it is.

use std::fs;

use crate::support::{Access, GitHttp, PASSWORD, Sandbox, USER};
use crate::team::join;

/// Production, protected, with a ledger that CI's clones share.
const PROTECTED: &str = r#"
[ledger]
remote = "origin"
[environments.production]
target  = { git = "SANDBOX/remotes/production.git" }
protect = { branches = ["main"] }
"#;

/// A shop with some history at `origin`, the second commit of which was deployed to production from a whole clone.
fn shop() -> Sandbox {
    let sandbox = Sandbox::shop(PROTECTED).remote("origin").remote("production");
    sandbox.commit("Second");
    sandbox.repository().git(["push", "--quiet", "origin", "main"]);
    sandbox.deploy(["production"]).succeeds();
    sandbox
}

/// Pushes a commit more to `origin`.
fn go_on(sandbox: &Sandbox) {
    sandbox.commit("More");
    sandbox.repository().git(["push", "--quiet", "origin", "main"]);
}

/// A clone of the newest commit alone.
fn ci(sandbox: &Sandbox) {
    let _none = fs::remove_dir_all(sandbox.path("ci"));
    join(sandbox, "ci", &["--depth=1"]);
}

#[test]
fn a_protected_environment_takes_a_newer_commit_from_a_clone_of_one() {
    let sandbox = shop();
    go_on(&sandbox);
    ci(&sandbox);
    sandbox.deploy_in("../ci", ["plan", "production"]).succeeds().shows("is not older than the live");
    sandbox.deploy_in("../ci", ["production"]).succeeds().says("release 2 is live");
    let clone = sandbox.repository_at(&sandbox.path("ci"));
    assert_eq!(clone.git(["rev-list", "--count", "HEAD"]), "1", "the clone is as shallow as it was");

    // What is not pushed has its parents there.
    clone.git(["commit", "--quiet", "--allow-empty", "--message=Here"]);
    go_on(&sandbox);
    sandbox.deploy(["production"]).succeeds().says("release 3 is live");
    sandbox.deploy_in("../ci", ["production"]).succeeds().says("release 4 is live");
}

#[test]
fn a_clone_of_one_commit_knows_that_it_is_older() {
    let sandbox = shop();
    go_on(&sandbox);
    ci(&sandbox);
    go_on(&sandbox);
    sandbox.deploy(["production"]).succeeds();
    let refused = sandbox.deploy_in("../ci", ["production"]);
    refused.fails_with(3).says("ancestor: ").says("is older than the live").says("and contained in it");
}

#[test]
fn what_is_not_protected_is_not_set_back_by_accident_either() {
    let sandbox = shop();
    sandbox.write("tasks.toml", &sandbox.read("tasks.toml").replace("protect", "# protect"));
    sandbox.commit("Unprotected");
    go_on(&sandbox);
    // One has all that there was, the other nothing but its newest commit.
    join(&sandbox, "whole", &[]);
    ci(&sandbox);
    go_on(&sandbox);
    sandbox.deploy(["production"]).succeeds();
    for clone in ["../whole", "../ci"] {
        let refused = sandbox.deploy_in(clone, ["production"]);
        refused.fails_with(3).says("ancestor: ").says("is older than the live").says("and contained in it");
    }
}

#[test]
fn what_nobody_can_tell_is_said_where_nothing_is_protected() {
    let sandbox = shop();
    sandbox.write("tasks.toml", &sandbox.read("tasks.toml").replace("protect", "# protect"));
    sandbox.commit("Unprotected");
    go_on(&sandbox);
    ci(&sandbox);
    // What is live was never pushed to where the clone comes from.
    sandbox.commit("Here");
    sandbox.deploy(["production"]).succeeds();
    let told = "deploy: production: ancestor: the history here does not tell whether ";
    sandbox
        .deploy_in("../ci", ["plan", "production"])
        .succeeds()
        .shows("can't be told")
        .shows("origin does not have");
    sandbox.deploy_in("../ci", ["production"]).succeeds().says(told).says("origin does not have");
}

#[test]
fn what_is_live_is_found_also_when_its_branch_is_gone() {
    let sandbox = shop();
    let repository = sandbox.repository();
    sandbox.commit("Side");
    repository.git(["push", "--quiet", "origin", "main:side"]);
    sandbox.deploy(["production"]).succeeds();
    repository.git(["reset", "--quiet", "--hard", "HEAD~1"]);
    repository.git(["push", "--quiet", "origin", ":side"]);
    go_on(&sandbox);
    ci(&sandbox);
    sandbox.deploy_in("../ci", ["production"]).succeeds().says("release 3 is live");
}

#[test]
fn only_commits_are_fetched_where_the_host_can_leave_the_rest_out() {
    let sandbox = shop();
    sandbox.target("origin").git(["config", "uploadpack.allowFilter", "true"]);
    go_on(&sandbox);
    ci(&sandbox);
    sandbox.deploy_in("../ci", ["production"]).succeeds();
    let lineage = sandbox.repository_at(&sandbox.path("ci/.deploy/lineage.git"));
    let kinds = lineage.git(["cat-file", "--batch-all-objects", "--batch-check=%(objecttype)"]);
    assert_eq!(kinds.lines().collect::<Vec<_>>(), ["commit"; 3]);
}

#[test]
fn a_damaged_copy_of_the_history_is_made_anew() {
    let sandbox = shop();
    go_on(&sandbox);
    ci(&sandbox);
    sandbox.deploy_in("../ci", ["production"]).succeeds();
    for damage in ["rm -r objects/pack/*", "echo x > packed-refs && rm -r refs/heads", ": > config"] {
        sandbox.shell(&format!("cd ../ci/.deploy/lineage.git && chmod -R u+w . && {damage}")).succeeds();
        go_on(&sandbox);
        sandbox.deploy(["production"]).succeeds();
        go_on(&sandbox);
        let clone = sandbox.repository_at(&sandbox.path("ci"));
        clone.git(["fetch", "--quiet", "--depth=1", "origin", "main"]);
        clone.git(["reset", "--quiet", "--hard", "FETCH_HEAD"]);
        sandbox.deploy_in("../ci", ["production"]).succeeds().says("is live");
    }
}

#[test]
fn what_cannot_be_fetched_is_refused_with_the_reason() {
    let sandbox = shop();
    go_on(&sandbox);
    ci(&sandbox);
    let clone = sandbox.repository_at(&sandbox.path("ci"));
    let text = sandbox.read("tasks.toml").replace("\"origin\"", "\"SANDBOX/remotes/origin.git\"");
    let text = text.replace("SANDBOX", sandbox.path("").display().to_string().trim_end_matches('/'));
    fs::write(sandbox.path("ci/tasks.toml"), text).unwrap();
    clone.git(["remote", "set-url", "origin", "/nowhere.git"]);
    let refused = sandbox.deploy_in("../ci", ["production"]);
    refused
        .fails_with(3)
        .says("the history here does not tell")
        .says("origin can't be fetched from: '/nowhere.git' does not");
    clone.git(["remote", "remove", "origin"]);
    sandbox.deploy_in("../ci", ["production"]).fails_with(3).says("the repository has no remote to ask");
    sandbox.deploy_in("../ci", ["production", "--override", "ancestor", "--reason", "we looked"]).succeeds();
}

#[test]
fn the_history_is_fetched_by_the_login_that_git_has_and_that_is_kept_nowhere() {
    let sandbox = shop();
    go_on(&sandbox);
    ci(&sandbox);
    let server = GitHttp::start(&sandbox.path("remotes"), Access::Login);
    let url = server.url("origin.git").replace("http://", &format!("http://{USER}:{PASSWORD}@"));
    sandbox.repository_at(&sandbox.path("ci")).git(["remote", "set-url", "origin", &url]);
    sandbox.deploy_in("../ci", ["production"]).succeeds().never_mentions(PASSWORD);
    sandbox.shell(&format!("! grep -r {PASSWORD} ../ci/.deploy")).succeeds();
}
