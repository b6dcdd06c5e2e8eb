//! Going back: by hand and after a failed health check, at each kind of target; what comes back, what is frozen since, and
//! what it never pretends to do.

use std::fs;

use crate::support::{Answer, Ended, Sandbox, Server};

const STAGING: &str = "[environments.staging]\ntarget = { git = 'staging' }\n";

/// Staging, healthy as long as a service says so.
fn watched(url: &str, more: &str) -> String {
    format!("{STAGING}health = {{ url = '{url}', within = '1s', every = '100ms', {more} }}\n")
}

/// Commits a text, and deploys it.
#[track_caller]
fn release(sandbox: &Sandbox, text: &str) -> Ended {
    sandbox.write("shop.py", text);
    sandbox.commit(text);
    sandbox.deploy(["staging", "--yes"])
}

/// What the target's branch holds of the shop.
fn shipped(sandbox: &Sandbox) -> String {
    let target = sandbox.target("staging");
    target.file(&target.tip("main").expect("something was shipped"), "shop.py")
}

/// The outcomes of `history`, newest first, with their numbers.
fn outcomes(sandbox: &Sandbox) -> Vec<String> {
    let history = sandbox.deploy(["history", "staging", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&history.succeeds().stdout).expect("JSON");
    let of = |one: &serde_json::Value| {
        format!("{} {}", one["release"]["number"], one["outcome"].as_str().expect("a word"))
    };
    told.as_array().expect("a list").iter().map(of).collect()
}

#[test]
fn the_release_before_comes_back_as_a_new_one_on_top_and_the_environment_is_frozen() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    release(&sandbox, "one").succeeds();
    sandbox.write("shop/migrations/0002_price.py", "");
    release(&sandbox, "two").succeeds();
    let tip = sandbox.target("staging").tip("main").unwrap();
    let back = sandbox.deploy(["rollback", "staging", "--reason", "prices are wrong"]);
    back.succeeds()
        .says("goes back from release 2")
        .says("to release 1")
        .says("1 commit goes:")
        .says(" two (Ada)");
    back.says("data stays as it is").says("  what it did stays: shop/migrations/0002_price.py");
    back.says("release 1 is live again, as release 3").says("staging is frozen");
    assert_eq!(shipped(&sandbox), "one");
    let target = sandbox.target("staging");
    let now = target.tip("main").unwrap();
    assert_eq!(target.parents(&now), [tip], "it goes on from what was there, by no force");
    assert_eq!((target.trailer(&now, "Release"), target.trailer(&now, "Restores")), ("3".into(), "1".into()));
    assert_eq!(outcomes(&sandbox), ["3 live", "2 rolled back", "1 replaced"]);

    release(&sandbox, "two again")
        .fails_with(3)
        .says("freeze")
        .says("prices are wrong")
        .says("unlock staging");
    assert_eq!(shipped(&sandbox), "one");
    sandbox.deploy(["unlock", "staging", "--reason", "mended"]).succeeds().says("the freeze of ada");
    sandbox.deploy(["staging"]).succeeds().says("release 4 is live");
}

#[test]
fn a_second_one_goes_further_back_and_never_forward_again() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    for text in ["one", "two", "three"] {
        release(&sandbox, text).succeeds();
    }
    sandbox.deploy(["rollback", "staging"]).succeeds();
    assert_eq!(shipped(&sandbox), "two");
    // A freeze keeps deploys away, and no rollback.
    sandbox.deploy(["rollback", "staging"]).succeeds().says("release 1 is live again, as release 5");
    assert_eq!(shipped(&sandbox), "one");
    sandbox.deploy(["rollback", "staging"]).fails_with(3).says("no good release of staging before release 5");
    sandbox.deploy(["rollback", "staging", "3"]).succeeds().says("release 3 is live again");
    assert_eq!(shipped(&sandbox), "three");
    sandbox.deploy(["rollback", "staging", "3"]).succeeds().says("is live in staging already");
    sandbox.deploy(["rollback", "staging", "9"]).fails_with(3).says("there is no release 9 of staging");
    sandbox.deploy(["rollback", "stagin"]).fails_with(2).says("did you mean `staging`?");
}

#[test]
fn what_was_never_live_does_not_come_back() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    sandbox.deploy(["rollback", "staging"]).fails_with(3).says("nothing was ever live in staging");
    release(&sandbox, "one").succeeds();
    sandbox.target("staging").hook("pre-receive", "exit 1");
    release(&sandbox, "two").fails();
    sandbox.target("staging").unhook("pre-receive");
    sandbox.deploy(["rollback", "staging", "2"]).fails_with(3).says("was never live").says("--ref");
    sandbox.deploy(["rollback", "staging"]).fails_with(3).says("no good release of staging before release 1");
}

#[test]
fn a_dry_run_says_what_would_go_and_does_nothing() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    release(&sandbox, "one").succeeds();
    release(&sandbox, "two").succeeds();
    sandbox.deploy(["rollback", "staging", "-n"]).succeeds().says("goes back from release 2");
    assert_eq!(shipped(&sandbox), "two");
    assert_eq!(outcomes(&sandbox), ["2 live", "1 replaced"]);
}

#[test]
fn a_protected_environment_asks_and_no_other_rule_is_for_a_rollback() {
    let protect = "protect = { confirm = true, clean = true, branches = ['never'] }\n";
    let sandbox = Sandbox::shop(&format!("{STAGING}{protect}")).remote("staging");
    for text in ["one", "two"] {
        sandbox.write("shop.py", text);
        sandbox.commit(text);
        sandbox.deploy(["staging", "--yes", "--override", "branches", "--reason", "test"]).succeeds();
    }
    sandbox.write("shop.py", "not committed");
    sandbox.deploy(["rollback", "staging"]).fails_with(3).says("Roll staging back to");
    sandbox.deploy(["rollback", "staging", "--yes"]).succeeds();
    assert_eq!(shipped(&sandbox), "one");
    assert_eq!(sandbox.read("shop.py"), "not committed");
}

#[test]
fn a_server_switches_back_to_the_folder_that_is_there_and_reloads() {
    let sandbox = Sandbox::shop(
        "[environments.staging.target]\nserver = 'local'\npath = 'SANDBOX/srv'\nkeep = 2\nreload = 'echo $DEPLOY_RELEASE >> ../../reloads'\n",
    );
    for text in ["one", "two", "three"] {
        release(&sandbox, text).succeeds();
    }
    sandbox.deploy(["rollback", "staging"]).succeeds().says("current -> releases/2");
    let current = || fs::read_to_string(sandbox.path("srv/current/shop.py")).unwrap();
    assert_eq!(current(), "two");
    assert_eq!(fs::read_link(sandbox.path("srv/current")).unwrap().to_str(), Some("releases/2"));
    assert_eq!(fs::read_to_string(sandbox.path("srv/reloads")).unwrap(), "1\n2\n3\n2\n");
    sandbox
        .deploy(["rollback", "staging"])
        .fails_with(3)
        .says("releases/1 is not there any more")
        .says("--ref");
    assert_eq!(current(), "two");
    // What is live by a rollback is not tidied away.
    sandbox.deploy(["unlock", "staging", "--reason", "on"]).succeeds();
    release(&sandbox, "five").succeeds();
    assert!(sandbox.path("srv/releases/2").exists());
    sandbox.deploy(["rollback", "staging"]).succeeds();
    assert_eq!(current(), "two");
}

#[test]
fn a_command_brings_back_by_its_own_command_in_the_files_of_that_release() {
    let told = "echo {} $DEPLOY_RELEASE $(cat shop.py) >> SANDBOX/told";
    let (ship, back) = (told.replace("{}", "ship"), told.replace("{}", "back"));
    let target =
        format!("target = {{ command = ['sh', '-c', '{ship}'], rollback = ['sh', '-c', '{back}'] }}\n");
    let sandbox = Sandbox::shop(&format!("[environments.staging]\n{target}"));
    release(&sandbox, "one").succeeds();
    release(&sandbox, "two").succeeds();
    sandbox.deploy(["rollback", "staging"]).succeeds();
    assert_eq!(fs::read_to_string(sandbox.path("told")).unwrap(), "ship 1 one\nship 2 two\nback 1 one\n");
}

#[test]
fn what_nothing_could_bring_back_is_refused_before_anything_is_asked() {
    let sandbox = Sandbox::shop(
        "[environments.staging]\n[environments.other]\ntarget = { command = ['true'] }\n[tasks.deploy]\nsteps = [{ run = 'true' }]\n",
    );
    sandbox.deploy(["staging"]).succeeds();
    sandbox.deploy(["rollback", "staging"]).fails_with(3).says("staging has no target");
    sandbox.deploy(["rollback", "other"]).fails_with(3).says("has no `rollback`").says("tasks.toml:3");
}

#[test]
fn who_is_asked_on_a_terminal_may_say_yes() {
    let server = Server::new(|request| Answer::new(if request == 2 { 503 } else { 200 }, "x"));
    let health =
        format!("health = {{ url = '{}', within = '1s', every = '5s', on_failure = 'ask' }}\n", server.url());
    let sandbox = Sandbox::shop(&format!("{STAGING}{health}")).remote("staging");
    release(&sandbox, "one").succeeds();
    sandbox.write("shop.py", "two");
    sandbox.commit("two");
    let mut running = sandbox.start_on_terminal("staging");
    running.wait_for("Bring release 1 back to staging? [y/N]");
    running.type_in("y\n");
    running.wait().fails_with(6).shows("release 1 is live again, as release 3");
    assert_eq!(shipped(&sandbox), "one");
}

#[test]
fn a_release_that_is_not_healthy_goes_and_the_one_before_comes_back() {
    let server = Server::new(|request| Answer::new(if request == 1 { 200 } else { 500 }, "x"));
    let sandbox = Sandbox::shop(&watched(&server.url(), "")).remote("staging");
    release(&sandbox, "one").succeeds();
    // Nothing is well any more, whatever is shipped: the rollback is tried, and told as what it is.
    let failed = release(&sandbox, "two");
    failed
        .fails_with(1)
        .says("release 2 is not healthy; release 1 comes back")
        .says("the rollback did not work either");
    assert_eq!(shipped(&sandbox), "one");
    assert_eq!(outcomes(&sandbox), ["3 failed", "2 failed", "1 live"]);
}

/// A service that is what the branch of staging is: well unless its file is bad, and of the commit that was shipped.
#[test]
fn a_deploy_that_was_rolled_back_ends_with_6_and_freezes() {
    let sandbox = Sandbox::shop("").remote("staging");
    let branch = sandbox.path("remotes/staging.git");
    let serves = move |_| {
        let git = |words: &[&str]| {
            let told = std::process::Command::new("git").arg("-C").arg(&branch).args(words).output();
            String::from_utf8(told.expect("git starts").stdout).expect("text")
        };
        let status = if git(&["show", "main:shop.py"]).contains("bad") { 500 } else { 200 };
        Answer::new(status, git(&["log", "-1", "--format=%(trailers:key=Source)", "main"]))
    };
    let server = Server::new(serves);
    let sandbox = sandbox.tasks(&watched(&server.url(), "version = '{{ commit }}'"));
    release(&sandbox, "good").succeeds();
    let failed = release(&sandbox, "bad");
    failed
        .fails_with(6)
        .says("release 2 is not healthy; release 1 comes back")
        .says("release 1 is live again, as release 3");
    assert_eq!(shipped(&sandbox), "good");
    assert_eq!(outcomes(&sandbox), ["3 live", "2 rolled back", "1 replaced"]);
    release(&sandbox, "good too").fails_with(3).says("freeze");
    sandbox.deploy(["staging", "--override", "freeze", "--reason", "it is mended"]).succeeds();
    // Another environment's turn does not come after a rollback.
    sandbox.deploy(["unlock", "staging", "--reason", "on"]).succeeds();
    let both = format!(
        "{}[environments.production]\ntarget = {{ git = 'staging', branch = 'live' }}\n",
        watched(&server.url(), "")
    );
    let sandbox = sandbox.tasks(&both);
    sandbox.write("shop.py", "bad again");
    sandbox.commit("bad again");
    sandbox.deploy(["staging", "production"]).fails_with(6);
    assert_eq!(sandbox.target("staging").tip("live"), None);
}

#[test]
fn what_goes_wrong_for_one_environment_keeps_no_other_from_going_back() {
    let sandbox = Sandbox::shop("").remote("a").remote("b");
    let barred = sandbox.root().join(".deploy/repository.git/refs/deploy/a/log.lock/barred");
    let a = Server::new(move |request| {
        if request == 1 {
            return Answer::new(200, "x");
        }
        // A folder where git wants to make a file: nothing can be written to the ledger of `a` any more.
        fs::create_dir_all(&barred).expect("the ledger is there");
        Answer::new(500, "x")
    });
    let b = Server::new(|request| Answer::new(if request == 1 { 200 } else { 500 }, "x"));
    let health =
        |server: &Server| format!("health = {{ url = '{}', within = '1s', every = '100ms' }}", server.url());
    let sandbox = sandbox.tasks(&format!(
        "[environments.a]
        target = {{ git = 'a' }}
        {}
        [environments.b]
        target = {{ git = 'b' }}
        {}
        [tasks.deploy]
        steps = [{{ ship = true }}]
        [tasks.both]
        needs = [{{ task = 'deploy', environment = 'a' }}, {{ task = 'deploy', environment = 'b' }}]",
        health(&a),
        health(&b)
    ));
    let release = |text: &str| {
        sandbox.write("shop.py", text);
        sandbox.commit(text);
        sandbox.deploy(["both", "-k"])
    };
    release("one").succeeds();
    release("two")
        .fails_with(1)
        .says("a: release 2 is not healthy, and the ledger can't be told")
        .says("b: release 2 is not healthy; release 1 comes back");
    let b = sandbox.target("b");
    assert_eq!(b.file(&b.tip("main").expect("something was shipped"), "shop.py"), "one");
}

#[test]
fn on_failure_keeps_what_it_says_is_to_be_kept_and_asks_where_it_says_so() {
    let server = Server::new(|request| Answer::new(if request == 1 { 200 } else { 503 }, "x"));
    let sandbox = Sandbox::shop(&watched(&server.url(), "on_failure = 'keep'")).remote("staging");
    release(&sandbox, "one").succeeds();
    release(&sandbox, "two")
        .fails_with(1)
        .says("release 2 stays, though it is not healthy: `on_failure` says so");
    assert_eq!(shipped(&sandbox), "two");
    let status = sandbox.deploy(["status"]);
    status.succeeds().shows("covered").shows("what was shipped over release 1 did not become live");
    // What was shipped over it and failed is what goes.
    let sandbox = sandbox.tasks(STAGING);
    sandbox.deploy(["rollback", "staging"]).succeeds().says("release 1 is live again");
    assert_eq!(shipped(&sandbox), "one");
    sandbox.deploy(["status"]).succeeds().never_mentions("covered");

    let server = Server::new(|request| Answer::new(if request == 1 { 200 } else { 503 }, "x"));
    let sandbox = Sandbox::shop(&watched(&server.url(), "on_failure = 'ask'")).remote("staging");
    release(&sandbox, "one").succeeds();
    sandbox.write("shop.py", "two");
    sandbox.commit("two");
    sandbox.deploy(["staging"]).fails_with(1).says("release 2 stays").says("nobody said");
    assert_eq!(shipped(&sandbox), "two");
    release(&sandbox, "three").fails_with(1).says("release 1 comes back");
    assert_eq!(shipped(&sandbox), "one");
}

#[test]
fn what_nobody_can_tell_takes_nothing_back() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    release(&sandbox, "one").succeeds();
    let sandbox = sandbox.tasks(&watched("http://shop.invalid/", ""));
    release(&sandbox, "two").fails_with(1).says("release 2 stays").says("nobody said");
    assert_eq!(shipped(&sandbox), "two");
}

#[test]
fn a_first_release_that_is_not_healthy_has_nothing_to_go_back_to() {
    let server = Server::always(Answer::new(500, "x"));
    let sandbox = Sandbox::shop(&watched(&server.url(), "")).remote("staging");
    release(&sandbox, "one").fails_with(1).says("release 1 stays").says("no good release before it");
}

#[test]
fn a_rollback_wants_no_files_that_are_gone_but_from_the_target() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    release(&sandbox, "one").succeeds();
    let repository = sandbox.repository();
    // The commit of the first release is thrown away here, as a rebase does.
    repository.git(["reset", "--quiet", "--hard", "HEAD~1"]);
    release(&sandbox, "two").succeeds();
    repository.git(["reflog", "expire", "--expire=now", "--all"]);
    repository.git(["gc", "--quiet", "--prune=now"]);
    sandbox.deploy(["rollback", "staging"]).succeeds().says("they are fetched from");
    assert_eq!(shipped(&sandbox), "one");
}
