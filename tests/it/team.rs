//! A ledger that a team shares through a git remote: what one machine releases the others know, one at a time deploys,
//! and a remote that is gone, slow, refuses, or lies is told from one that is well.

use std::fs;

use rustix::process::Signal;

use crate::support::{Ended, Sandbox};

/// Staging, shared through `origin`; the project's own folder is one machine, `other` a second one.
pub(crate) const SHARED: &str = r#"
[ledger]
remote = "origin"
[environments.staging]
target = { git = "SANDBOX/remotes/staging.git" }
[environments.held]
target = { server = "local", path = "SANDBOX/srv/held", build = ["hold"] }
[tasks.migrate]
lock = true
run  = "hold"
"#;

/// Two machines of one team.
pub(crate) fn team(tasks: &str) -> Sandbox {
    let sandbox = Sandbox::shop(tasks).remote("origin").remote("staging");
    sandbox.repository().git(["push", "--quiet", "origin", "main"]);
    join(&sandbox, "other", &[]);
    sandbox
}

/// Another machine: a clone of `origin` beside the project.
pub(crate) fn join(sandbox: &Sandbox, name: &str, options: &[&str]) {
    let origin = format!("file://{}", sandbox.path("remotes/origin.git").display());
    let clone = sandbox.path(name).display().to_string();
    let words = ["clone", "--quiet"].iter().chain(options).copied().chain([origin.as_str(), clone.as_str()]);
    sandbox.repository().git(words);
}

/// Runs `deploy` on the second machine.
pub(crate) fn other<const N: usize>(sandbox: &Sandbox, arguments: [&str; N]) -> Ended {
    sandbox.deploy_in("../other", arguments)
}

/// The events in the team's ledger of an environment, oldest first.
pub(crate) fn events(sandbox: &Sandbox, environment: &str) -> Vec<String> {
    let log = format!("refs/deploy/{environment}/log");
    let told =
        sandbox.target("origin").git(["log", "--reverse", "--format=%(trailers:key=Event,valueonly)", &log]);
    told.split_whitespace().map(str::to_owned).collect()
}

/// Puts another state on top of an environment's ledger, as another machine would, or another version.
pub(crate) fn retell(sandbox: &Sandbox, environment: &str, edit: impl Fn(&str) -> String) {
    let log = format!("refs/deploy/{environment}/log");
    let state = sandbox.target("origin").file(&log, "state.json");
    let other = edit(&state);
    assert_ne!(state, other, "there was nothing to edit");
    sandbox.write("../remotes/state", &other);
    let event = "blob=$(git hash-object -w ../state)\n\
                 tree=$(printf '100644 blob %s\\tstate.json\\n' $blob | git mktree)\n\
                 git update-ref $1 $(git log -1 --format=%B $1 | git commit-tree -p $1 $tree)";
    sandbox.shell(&format!("set -e -- {log}; cd ../remotes/origin.git\n{event}")).succeeds();
}

#[test]
fn what_one_machine_released_the_others_know_and_go_on_from() {
    let sandbox = team(SHARED);
    sandbox.deploy(["staging"]).succeeds();
    assert_eq!(events(&sandbox, "staging"), ["locked", "started", "shipped", "live", "unlocked"]);
    let head = sandbox.repository().head();
    other(&sandbox, ["status", "staging"]).succeeds().shows(&head[..8]);
    other(&sandbox, ["staging"]).succeeds().says("is live already, as release 1");

    fs::write(sandbox.path("other/shop.py"), "print('more')\n").unwrap();
    sandbox.repository_at(&sandbox.path("other")).git(["commit", "--quiet", "--all", "--message=More"]);
    other(&sandbox, ["staging"]).succeeds().says("release 2 is live");
    let staging = sandbox.target("staging");
    let tip = staging.tip("main").unwrap();
    assert_eq!(staging.trailer(&tip, "Release"), "2");
    assert_eq!(staging.git(["rev-list", "--count", "main"]), "2", "it went on top of the other's release");
    sandbox.deploy(["history", "staging"]).succeeds().shows("More");
}

#[test]
fn only_one_machine_deploys_at_a_time_and_the_other_is_told_who() {
    let sandbox = team(SHARED);
    let gate = sandbox.gate("hold");
    let first = sandbox.start(["held"]);
    gate.wait_for_arrival();
    let refused = other(&sandbox, ["held"]);
    refused.fails_with(4).says("held is being deployed by ada").says("`deploy held`");
    refused.says("deploy unlock held --reason");
    other(&sandbox, ["held", "migrate"]).fails_with(4);
    other(&sandbox, ["lock", "held", "--reason", "me first"]).fails_with(4);
    other(&sandbox, ["staging"]).succeeds();
    gate.open();
    first.wait().succeeds();
    gate.open();
    other(&sandbox, ["held", "migrate"]).succeeds();
    let told = events(&sandbox, "held");
    assert_eq!(told, ["locked", "started", "shipped", "live", "unlocked", "locked", "unlocked"]);
}

#[test]
fn an_environment_is_locked_with_a_reason_until_it_is_unlocked_with_one() {
    let sandbox = team(SHARED);
    sandbox.deploy(["lock", "staging"]).fails_with(2).says("wants to know why");
    sandbox.deploy(["lock", "stagin", "--reason", "x"]).fails_with(2).says("did you mean `staging`?");
    sandbox.deploy(["lock", "staging", "--reason", "a demo"]).succeeds();
    other(&sandbox, ["lock", "staging", "--reason", "mine"]).fails_with(4).says("a demo");
    other(&sandbox, ["staging"]).fails_with(4).says("staging is locked by ada").says(": a demo");
    sandbox.deploy(["staging"]).fails_with(4);
    assert_eq!(sandbox.target("staging").tip("main"), None);
    other(&sandbox, ["unlock", "staging"]).fails_with(2);
    other(&sandbox, ["unlock", "staging", "--reason", "it is over"]).succeeds();
    other(&sandbox, ["unlock", "staging", "--reason", "again"]).succeeds().says("neither locked nor frozen");
    assert_eq!(events(&sandbox, "staging"), ["locked", "unlocked"]);
    sandbox.deploy(["staging"]).succeeds();
}

#[test]
fn a_lock_without_a_shared_ledger_is_for_this_machine() {
    let sandbox = Sandbox::shop("[environments.staging]\ntarget = { git = 'staging' }\n").remote("staging");
    sandbox.deploy(["lock", "staging", "--reason", "a demo"]).succeeds();
    sandbox.deploy(["staging"]).fails_with(4).says("a demo");
    sandbox.deploy(["unlock", "staging", "--reason", "over"]).succeeds();
    sandbox.deploy(["staging"]).succeeds();
}

#[test]
fn the_lock_of_a_killed_run_is_broken_with_a_word_where_its_process_is_known_to_be_gone() {
    let sandbox = team(SHARED);
    let gate = sandbox.gate("hold");
    let running = sandbox.start(["held"]);
    gate.wait_for_arrival();
    running.signal(Signal::KILL);
    let _killed = running.wait();
    // One pass for the step that the killed run left behind, one for the next run's.
    gate.open();
    gate.open();
    other(&sandbox, ["held"]).succeeds().says("the lock of ada").says("its process is gone");
    let told = events(&sandbox, "held");
    assert_eq!(told[..2], ["locked", "started"]);
    assert_eq!(told[2..4], ["lock-broken", "locked"]);
    assert_eq!(told.last().unwrap(), "unlocked");
}

#[test]
fn a_run_whose_lock_is_broken_ships_nothing_more() {
    let sandbox =
        team(&format!("{SHARED}\n[tasks.deploy]\nsteps = [{{ run = \"hold\" }}, {{ ship = true }}]\n"));
    let gate = sandbox.gate("hold");
    let running = sandbox.start(["staging"]);
    gate.wait_for_arrival();
    other(&sandbox, ["unlock", "staging", "--reason", "it hangs"]).succeeds();
    assert_eq!(events(&sandbox, "staging"), ["locked", "lock-broken"]);
    gate.open();
    running.wait().fails_with(1).says("the lock of staging was taken away from this run");
    assert_eq!(sandbox.target("staging").tip("main"), None);
    assert_eq!(events(&sandbox, "staging"), ["locked", "lock-broken"]);
}

#[test]
fn a_nested_deploy_is_let_in_and_leaves_the_lock_to_the_outer_one() {
    let inner = format!("{} staging inner", env!("CARGO_BIN_EXE_deploy"));
    let sandbox = team(&format!(
        "{SHARED}\n[tasks.deploy]\nsteps = [{{ run = \"{inner}\" }}, {{ ship = true }}]\n[tasks.inner]\nlock = true\nrun = \"echo inside\"\n"
    ));
    sandbox.deploy(["staging"]).succeeds().shows("inside");
    assert_eq!(events(&sandbox, "staging"), ["locked", "started", "shipped", "live", "unlocked"]);
}

#[test]
fn a_stopped_deploy_gives_the_lock_back() {
    let sandbox = team(SHARED);
    let gate = sandbox.gate("hold");
    let running = sandbox.start(["held"]);
    gate.wait_for_arrival();
    running.signal(Signal::INT);
    running.wait().fails_with(130);
    assert_eq!(events(&sandbox, "held").last().unwrap(), "unlocked");
}

#[test]
fn history_that_was_rewritten_is_told_by_everybody_who_saw_it() {
    let sandbox = team(SHARED);
    sandbox.deploy(["staging"]).succeeds();
    let log = "refs/deploy/staging/log";
    let origin = sandbox.target("origin");
    origin.git(["update-ref", log, &format!("{log}~2")]);
    for words in [["status", "staging"], ["history", "staging"], ["staging", "--yes"]] {
        sandbox.deploy(words).fails_with(3).says("REWRITTEN").says(log);
    }
    // Who sees it for the first time can't know.
    other(&sandbox, ["status"]).succeeds();
    origin.git(["update-ref", "-d", log]);
    sandbox.deploy(["staging"]).fails_with(3).says("it is gone");
}

#[test]
fn without_the_remote_nothing_is_deployed_unless_that_is_overridden_and_then_it_is_shared_later() {
    let sandbox = team(&format!("{SHARED}\n[tasks.reindex]\nlock = true\nrun = 'echo reindexed'\n"));
    sandbox.deploy(["staging"]).succeeds();
    sandbox.commit("Second");
    let (origin, away) = (sandbox.path("remotes/origin.git"), sandbox.path("remotes/away.git"));
    fs::rename(&origin, &away).unwrap();
    sandbox
        .deploy(["staging"])
        .fails_with(3)
        .says("ledger: ")
        .says("can't be reached")
        .says("--override ledger");
    sandbox.deploy(["lock", "staging", "--reason", "x"]).fails_with(1).says("can't be reached");
    sandbox.deploy(["status"]).succeeds().says("can't be reached");
    sandbox.deploy(["staging", "reindex"]).fails_with(3).says("can't be reached").says("--override ledger");
    let alone = ["staging", "reindex", "--override", "ledger", "--reason", "the shop is down"];
    sandbox.deploy(alone).succeeds().shows("reindexed");
    sandbox.deploy(["staging", "--override", "ledger", "--reason", "the shop is down"]).succeeds();
    fs::rename(&away, &origin).unwrap();
    other(&sandbox, ["lock", "staging", "--reason", "meanwhile"]).succeeds();
    other(&sandbox, ["unlock", "staging", "--reason", "done"]).succeeds();
    let before = events(&sandbox, "staging").len();
    sandbox.commit("Third");
    sandbox.deploy(["staging"]).succeeds().says("release 3 is live");
    let told = events(&sandbox, "staging");
    // The next run does not rely on who of the two shipped last, and asks the target.
    let late = ["overridden", "overridden", "started", "shipped", "live", "moved"];
    assert_eq!(told[before..before + 6], late, "{told:?}");
    other(&sandbox, ["history", "staging"]).succeeds().shows("Second").shows("Third");
}

#[test]
fn a_history_from_before_the_sharing_is_shared_by_the_first_and_kept_aside_by_the_next() {
    let alone = SHARED.replace("remote = \"origin\"", "");
    let sandbox = team(&alone);
    sandbox.deploy(["staging"]).succeeds();
    other(&sandbox, ["lock", "staging", "--reason", "its own"]).succeeds();
    for folder in ["shop", "other"] {
        let text = SHARED.replace("SANDBOX", &sandbox.path("").display().to_string());
        fs::write(sandbox.path(folder).join("tasks.toml"), text).unwrap();
    }
    sandbox.commit("Shared");
    sandbox.deploy(["staging"]).succeeds().says("release 2 is live");
    assert_eq!(events(&sandbox, "staging")[..3], ["started", "shipped", "live"]);
    other(&sandbox, ["history", "staging"]).succeeds().shows("Shared");
    let kept = sandbox.repository_at(&sandbox.path("other/.deploy/repository.git"));
    assert_eq!(
        kept.git(["log", "--format=%s", "refs/deploy/staging/alone"]),
        "staging: locked by ada@".to_owned() + &machine()
    );
}

#[test]
fn two_projects_of_one_repository_are_kept_apart() {
    const STAGING: &str =
        "[ledger]\nremote = 'origin'\n[environments.staging]\ntarget = { git = 'staging' }\n";
    let sandbox = Sandbox::shop("").remote("origin").remote("staging").remote("web");
    sandbox.write("backend/tasks.toml", STAGING);
    sandbox.write("frontend/tasks.toml", &STAGING.replace("'staging'", "'web'"));
    sandbox.commit("Two projects");
    sandbox.deploy_in("backend", ["staging"]).succeeds();
    for words in [["staging", "--yes"], ["status", "staging"]] {
        let refused = sandbox.deploy_in("frontend", words);
        refused.fails_with(3).says("the shared ledger of staging belongs to the project in `backend`");
        refused.says("this one is in `frontend`").says("prefix = \"refs/deploy/frontend\"");
    }
    assert_eq!(sandbox.target("web").tip("main"), None);
    let own = STAGING.replace("'origin'", "'origin'\nprefix = 'refs/deploy/frontend'");
    sandbox.write("frontend/tasks.toml", &own.replace("git = 'staging'", "git = 'web'"));
    sandbox.commit("A prefix");
    sandbox.deploy_in("frontend", ["staging"]).succeeds().says("release 1 is live");
    sandbox.deploy_in("backend", ["staging"]).succeeds().says("release 2 is live");

    // A project that moves takes its ledger along.
    sandbox.repository().git(["mv", "backend", "api"]);
    sandbox.commit("Moved");
    sandbox.deploy_in("api", ["staging"]).succeeds().says("release 3 is live");
    sandbox.write("backend/tasks.toml", STAGING);
    sandbox.deploy_in("backend", ["status"]).fails_with(3).says("belongs to the project in `api`");
    // A ledger from before they said whose they are is taken by whoever comes.
    retell(&sandbox, "staging", |state| state.replace(",\n  \"folder\": \"api\"", ""));
    sandbox.deploy_in("backend", ["status"]).succeeds();
}

#[test]
fn a_host_that_takes_no_such_refs_is_told_with_the_way_out() {
    let sandbox = team(SHARED);
    let origin = sandbox.target("origin");
    origin.hook("update", "case $1 in refs/heads/*) ;; *) echo 'only branches here' >&2; exit 1;; esac");
    sandbox
        .deploy(["staging"])
        .fails_with(3)
        .says("takes nothing from here")
        .says("prefix = \"refs/heads/deploy\"");
    sandbox.write(
        "tasks.toml",
        &SHARED
            .replace("[ledger]", "[ledger]\nprefix = 'refs/heads/deploy'")
            .replace("SANDBOX", &sandbox.path("").display().to_string()),
    );
    sandbox.commit("Branches");
    sandbox.deploy(["staging"]).succeeds();
    assert!(origin.tip("deploy/staging/log").is_some());
    let subject = origin.git(["log", "-1", "--format=%s", "deploy/staging/log"]);
    assert!(subject.ends_with(" [skip ci]"), "a CI server would run for it: {subject}");

    // A branch of that name leaves no room for one below it.
    origin.git(["branch", "releases", "main"]);
    sandbox.write("tasks.toml", &sandbox.read("tasks.toml").replace("heads/deploy", "heads/releases"));
    sandbox.commit("Other branches");
    sandbox
        .deploy(["held"])
        .fails_with(3)
        .says("a branch called `releases`")
        .says("give [ledger] another prefix");
}

#[test]
fn an_answer_that_is_lost_is_read_back() {
    let sandbox = team(SHARED);
    let origin = sandbox.target("origin");
    // The remote dies behind each push, when it has taken it and before it could say so.
    origin.hook("post-receive", "kill -9 $PPID");
    sandbox.deploy(["lock", "staging", "--reason", "a demo"]).succeeds();
    assert_eq!(events(&sandbox, "staging"), ["locked"]);
    sandbox.deploy(["unlock", "staging", "--reason", "over"]).succeeds();
    sandbox.deploy(["staging"]).succeeds();
    origin.unhook("post-receive");
    // And before it has taken it.
    origin.hook("pre-receive", "kill -9 $PPID");
    sandbox.commit("Second");
    sandbox.deploy(["staging"]).fails_with(1).says("can't be reached");
    origin.unhook("pre-receive");
    sandbox.deploy(["staging"]).succeeds();
    let once = ["locked", "started", "shipped", "live", "unlocked"];
    assert_eq!(events(&sandbox, "staging"), [&["locked", "unlocked"][..], &once, &once].concat());
}

#[test]
fn a_remote_that_hangs_is_waited_for_no_longer_than_was_said() {
    let sandbox = Sandbox::shop(
        "[ledger]\nremote = 'ssh://team.invalid/shop.git'\ntimeout = '1s'\n[environments.staging]\ntarget = { git = 'staging' }\n",
    )
    .remote("staging")
    .env("GIT_SSH_COMMAND", "exec tail -f /dev/null #");
    sandbox.deploy(["staging"]).fails_with(3).says("did not end within 1 s").says("--override ledger");
    sandbox.deploy(["status"]).succeeds().says("did not end within 1 s");
}

#[test]
fn a_clone_of_one_commit_deploys_as_any_other() {
    let sandbox = team(SHARED);
    sandbox.deploy(["staging"]).succeeds();
    sandbox.commit("Second");
    sandbox.repository().git(["push", "--quiet", "origin", "main"]);
    join(&sandbox, "ci", &["--depth=1"]);
    sandbox.deploy_in("../ci", ["staging"]).succeeds().says("release 2 is live");
    assert_eq!(sandbox.target("staging").git(["rev-list", "--count", "main"]), "2");
}

#[test]
fn the_ledger_settings_are_checked_when_the_file_is_read() {
    let sandbox = Sandbox::new().tasks("[ledger]\nremote = 'origin'\nprefix = 'deploy'\nprefixx = 1\n");
    let refused = sandbox.deploy(["check"]);
    refused
        .fails_with(2)
        .says("`deploy` can't be the beginning of a ref's name")
        .says("did you mean `prefix`?");
}

fn machine() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[test]
fn who_only_looks_is_not_led_astray_by_who_writes_meanwhile() {
    let sandbox = team(SHARED).env("GIT_SSH_COMMAND", "near-ssh");
    // A host whose first answer takes its time once `tmp/slow` is there.
    sandbox.executable(
        "bin/near-ssh",
        "#!/bin/sh\ntest \"$1\" != -G || exit 0\nfor command; do :; done\nsh -c \"$command\"\ncode=$?\nrm SANDBOX/tmp/slow 2>&- && hold\nexit $code\n",
    );
    for machine in ["shop", "other"] {
        let url = format!("ssh://near{}", sandbox.path("remotes/origin.git").display());
        sandbox.repository_at(&sandbox.path(machine)).git(["remote", "set-url", "origin", &url]);
    }
    sandbox.deploy(["staging"]).succeeds();
    let gate = sandbox.gate("hold");
    let look_while = |act: &dyn Fn()| {
        fs::write(sandbox.path("tmp/slow"), "").unwrap();
        let looking = sandbox.start(["status", "staging"]);
        gate.wait_for_arrival();
        act();
        gate.open();
        looking.wait().succeeds().shows("locked");
    };
    look_while(&|| _ = sandbox.deploy(["lock", "staging", "--reason", "a demo"]).succeeds());
    other(&sandbox, ["unlock", "staging", "--reason", "over"]).succeeds();
    look_while(&|| _ = sandbox.deploy(["lock", "staging", "--reason", "another"]).succeeds());
}

#[test]
fn two_who_shipped_without_knowing_of_each_other_go_on_from_what_the_target_has() {
    let sandbox = team(SHARED);
    let origin = sandbox.path("remotes/origin.git").display().to_string();
    sandbox.deploy(["staging"]).succeeds();
    sandbox.commit("Cut off");
    sandbox.repository().git(["remote", "set-url", "origin", "/nowhere"]);
    sandbox.deploy(["staging", "--override", "ledger", "--reason", "the network is down"]).succeeds();
    let theirs = sandbox.repository_at(&sandbox.path("other"));
    theirs.git(["commit", "--quiet", "--allow-empty", "--message=Elsewhere"]);
    other(&sandbox, ["staging"]).succeeds().says("release 3 is live");
    let before = sandbox.target("staging").tip("main").unwrap();
    sandbox.repository().git(["remote", "set-url", "origin", &origin]);
    sandbox.commit("Back");
    sandbox.deploy(["staging"]).succeeds().says("release 4 is live");
    let target = sandbox.target("staging");
    assert_eq!(target.parents(&target.tip("main").unwrap()), [before]);
}
