//! The shared ledger over what teams have: ssh and http, with logins, with keys and tokens that may only read, and with
//! connections that break at any byte.

use std::fs;

use crate::support::{Access, GitHttp, PASSWORD, Sandbox, Sshd, USER};
use crate::team::{SHARED, events, other, retell, team};

/// Two machines whose `origin` is on a web server.
fn over_http(access: Access) -> (Sandbox, GitHttp) {
    let sandbox = team(SHARED);
    let server = GitHttp::start(&sandbox.path("remotes"), access);
    meet_at(&sandbox, &server.url("origin.git"));
    (sandbox, server)
}

/// Two machines whose `origin` is on an ssh server.
fn over_ssh() -> (Sandbox, Sshd) {
    let sandbox = team(SHARED);
    let server = Sshd::start(&sandbox, &["shop"]);
    meet_at(&sandbox, &on_shop(&sandbox));
    (sandbox, server)
}

/// The address of `origin` on the ssh server, whose name is shop.
fn on_shop(sandbox: &Sandbox) -> String {
    format!("ssh://shop{}", sandbox.path("remotes/origin.git").display())
}

/// Lets both machines reach `origin` at this address.
fn meet_at(sandbox: &Sandbox, url: &str) {
    for machine in ["shop", "other"] {
        sandbox.repository_at(&sandbox.path(machine)).git(["remote", "set-url", "origin", url]);
    }
}

/// A commit on the second machine.
fn commit_there(sandbox: &Sandbox) {
    let there = sandbox.repository_at(&sandbox.path("other"));
    there.git(["commit", "--quiet", "--allow-empty", "--message=More"]);
}

/// What a team does all day, over whatever remote it has.
fn take_turns(sandbox: &Sandbox) {
    sandbox.deploy(["staging"]).succeeds().says("release 1 is live");
    other(sandbox, ["status", "staging"]).succeeds().shows(&sandbox.repository().head()[..8]);
    commit_there(sandbox);
    other(sandbox, ["staging"]).succeeds().says("release 2 is live");
    let once = ["locked", "started", "shipped", "live", "unlocked"];
    assert_eq!(events(sandbox, "staging"), [once, once].concat());

    let gate = sandbox.gate("hold");
    let first = sandbox.start(["held"]);
    gate.wait_for_arrival();
    other(sandbox, ["held"]).fails_with(4).says("held is being deployed by ada").says("`deploy held`");
    gate.open();
    first.wait().succeeds();
    gate.open();
    other(sandbox, ["held"]).succeeds().says("release 2 is live");
}

/// Who may only look there is told so before anything is done, and may look.
fn may_only_look(sandbox: &Sandbox, says: &str) {
    let live = events(sandbox, "staging");
    let refused = sandbox.deploy(["held"]);
    refused.fails_with(3).says("takes nothing from here").says(says);
    refused.says("`refs/deploy/held/log`").says("must be let write");
    assert!(!sandbox.path("srv/held").exists(), "something was built");
    sandbox.deploy(["staging", "--rebuild"]).fails_with(3).says(says);
    sandbox.deploy(["lock", "staging", "--reason", "a demo"]).fails_with(3).says(says);
    let status = sandbox.deploy(["status"]);
    status.succeeds().shows(&sandbox.repository().head()[..8]).never_mentions("can't be reached");
    sandbox.deploy(["history", "staging"]).succeeds().shows("live");
    assert_eq!(events(sandbox, "staging"), live);
    assert_eq!(sandbox.target("origin").git(["for-each-ref", "refs/deploy/held"]), "");
}

#[test]
fn a_team_takes_turns_over_ssh() {
    let (sandbox, server) = over_ssh();
    take_turns(&sandbox);
    assert!(server.log("shop").contains("Accepted publickey"), "{}", server.log("shop"));
}

#[test]
fn a_team_takes_turns_over_http() {
    let (sandbox, server) = over_http(Access::Write);
    take_turns(&sandbox);
    let log = server.end();
    assert!(log.contains("200 POST /origin.git/git-receive-pack"), "{log}");
}

#[test]
fn a_team_takes_turns_over_http_with_the_login_that_git_has() {
    let (sandbox, server) = over_http(Access::Login);
    // The one machine has a keeper of credentials, the other a file that curl reads.
    let keeper = format!("!printf 'username={USER}\\npassword={PASSWORD}\\n'; :");
    sandbox.repository().git(["config", "credential.helper", &keeper]);
    other(&sandbox, ["staging"]).fails_with(3).says("could not read Username").says("--override ledger");
    let netrc = format!("machine 127.0.0.1 login {USER} password {PASSWORD}\n");
    fs::write(sandbox.path("home/.netrc"), netrc).unwrap();
    take_turns(&sandbox);
    let log = server.end();
    assert!(log.contains("401 GET") && log.contains("200 POST /origin.git/git-receive-pack"), "{log}");
    sandbox.shell(&format!("! grep -r {PASSWORD} .deploy ../other/.deploy")).succeeds();
}

#[test]
fn a_token_that_may_only_read_is_told_what_it_must_be_let_do() {
    let sandbox = team(SHARED);
    sandbox.deploy(["staging"]).succeeds();
    let server = GitHttp::start(&sandbox.path("remotes"), Access::Read);
    meet_at(&sandbox, &server.url("origin.git"));
    may_only_look(&sandbox, "403");
}

#[test]
fn a_key_that_may_only_read_is_told_what_it_must_be_let_do_in_whatever_words_its_host_has() {
    let (sandbox, server) = over_ssh();
    sandbox.deploy(["staging"]).succeeds();
    let hosts = [
        // GitHub, Gitolite, GitLab.
        ("ERROR: The key you are authenticating with has been marked as read only.", "marked as read only"),
        ("FATAL: W any shop ada DENIED by fallthru", "W any shop ada DENIED by fallthru"),
        (
            "remote:\nremote: ========\nremote:\nremote: ERROR: This deploy key does not have write access to this project.\nremote:",
            "This deploy key does not have write access",
        ),
    ];
    for (words, says) in hosts {
        let reads =
            "case $SSH_ORIGINAL_COMMAND in git-upload-pack*) eval \"exec $SSH_ORIGINAL_COMMAND\" ;; esac";
        server.force("shop", &format!("{reads}\necho '{words}' >&2\nexit 1"));
        may_only_look(&sandbox, says);
    }
}

#[test]
fn who_is_not_let_in_goes_on_without_the_others_or_not_at_all() {
    let (sandbox, server) = over_http(Access::Login);
    let url = server.url("origin.git").replace("http://", &format!("http://{USER}:wr0ng-w0rd@"));
    meet_at(&sandbox, &url);
    let refused = sandbox.deploy(["staging"]);
    refused.fails_with(3).says("ledger: ").says("Authentication failed").says("renew it");
    refused.never_mentions("wr0ng-w0rd");
    sandbox.deploy(["status"]).succeeds().says("Authentication failed").never_mentions("wr0ng-w0rd");
    sandbox.deploy(["staging", "--override", "ledger", "--reason", "it is urgent"]).succeeds();
    sandbox.shell("! grep -r wr0ng-w0rd .deploy").succeeds();
}

#[test]
fn a_host_whose_key_is_not_known_is_not_asked() {
    let (sandbox, server) = over_ssh();
    server.forget_keys();
    let refused = sandbox.deploy(["staging"]);
    refused.fails_with(3).says("Host key verification failed").says("connect once by hand");
    sandbox.deploy(["staging", "--override", "ledger", "--reason", "it is urgent"]).succeeds();
}

/// Where the network breaks.
#[derive(Clone, Copy)]
enum Way {
    There,
    Back,
}

/// An ssh that is cut in its push of this number, from 1, after so many bytes, and finds nobody from then on.
fn breaking_ssh(sandbox: &Sandbox, push: u32, way: Way, after: u32) {
    let ssh = "ssh -o BatchMode=yes";
    let some = format!("dd bs=1 count={after} status=none");
    let line = match way {
        Way::There => format!("{some} | {ssh} \"$@\""),
        // The script holds the pipe to git too: it has to go with the rest.
        Way::Back => format!("{ssh} \"$@\" | {{ {some}; kill $$; }}"),
    };
    fs::write(sandbox.path("tmp/pushes"), "").expect("a file of the sandbox");
    let script = format!(
        "#!/bin/sh\n\
         test ! -e SANDBOX/tmp/gone || {{ echo 'ssh: connect to host shop port 22: No route to host' >&2; exit 255; }}\n\
         case \"$*\" in *git-receive-pack*) echo >> SANDBOX/tmp/pushes ;; *) exec {ssh} \"$@\" ;; esac\n\
         test \"$(wc -l < SANDBOX/tmp/pushes)\" -eq {push} || exec {ssh} \"$@\"\n\
         touch SANDBOX/tmp/gone\n\
         {line}\n\
         exit 255\n"
    );
    sandbox.executable("bin/breaking-ssh", &script);
}

/// Whether staging is locked by the team's ledger; if so, by another machine from now on, whose processes nobody here can
/// see.
fn locked_elsewhere(sandbox: &Sandbox) -> bool {
    let origin = sandbox.target("origin");
    let log = "refs/deploy/staging/log";
    if origin.git(["for-each-ref", log]).is_empty() {
        return false;
    }
    let state = origin.file(log, "state.json");
    let Some(machine) = state.lines().find(|line| line.contains("\"machine\"")) else { return false };
    retell(sandbox, "staging", |state| state.replace(machine, "\"machine\": \"elsewhere\","));
    true
}

/// Cuts deploys in their pushes to the ledger: how often the lock was taken all the same.
fn cut(way: Way, cuts: &[(u32, u32)]) -> usize {
    let sandbox = team(SHARED).env("GIT_SSH_COMMAND", "breaking-ssh");
    let _server = Sshd::start(&sandbox, &["shop"]);
    meet_at(&sandbox, &on_shop(&sandbox));
    let mut taken = 0;
    for (push, after) in cuts {
        breaking_ssh(&sandbox, *push, way, *after);
        sandbox.commit("More");
        commit_there(&sandbox);
        let broken = sandbox.deploy(["staging"]);
        broken.fails().never_mentions("must be let write");
        fs::remove_file(sandbox.path("tmp/gone")).expect("the network broke in that push");
        if locked_elsewhere(&sandbox) {
            taken += 1;
            other(&sandbox, ["staging"]).fails_with(4).says("staging is being deployed by ada");
            other(&sandbox, ["unlock", "staging", "--reason", "it is gone"]).succeeds();
        }
        other(&sandbox, ["staging"]).succeeds();
        let live = sandbox.repository_at(&sandbox.path("other")).head();
        let status = sandbox.deploy(["status", "staging"]);
        status.succeeds().shows(&live[..8]).never_mentions("can't be reached");
    }
    taken
}

#[test]
fn wherever_the_way_to_the_ledger_breaks_the_lock_is_taken_or_not_and_can_be_opened() {
    // Nothing of the first push arrives as a whole; with the others the lock is taken already, or it is given back.
    assert_eq!(cut(Way::There, &[(1, 100), (1, 700), (2, 200), (4, 200)]), 2);
}

#[test]
fn wherever_the_answer_of_the_ledger_breaks_the_lock_is_taken_or_not_and_can_be_opened() {
    // Before it has told its refs nothing is sent; behind that, all arrives, and the last push gives the lock back.
    assert_eq!(cut(Way::Back, &[(1, 100), (1, 800), (3, 800), (4, 800)]), 2);
}

#[test]
fn a_remote_that_is_none_is_told_with_those_that_there_are() {
    let sandbox = team(&SHARED.replace("\"origin\"", "\"orign\""));
    for words in [["staging", "--yes"], ["status", "staging"]] {
        let refused = sandbox.deploy(words);
        refused.fails_with(3).says("the repository has no remote `orign`").says("it has: origin, staging");
    }
    assert_eq!(sandbox.target("staging").tip("main"), None);
}

#[test]
fn a_remote_that_would_run_a_program_is_refused() {
    let sandbox = team(&SHARED.replace("\"origin\"", "\"ext::touch SANDBOX/tmp/owned\""));
    let refused = sandbox.deploy(["staging"]);
    refused.fails_with(3).says("transport 'ext' not allowed");
    sandbox.deploy(["status"]).succeeds().says("transport 'ext' not allowed");
    assert!(!sandbox.path("tmp/owned").exists());
    // However much the user allows it for their own work.
    sandbox.repository().git(["config", "protocol.ext.allow", "always"]);
    sandbox.deploy(["staging"]).fails_with(3).says("transport 'ext' not allowed");
    assert!(!sandbox.path("tmp/owned").exists());
}

#[test]
fn a_password_in_the_ledgers_address_is_shown_and_kept_nowhere() {
    let (sandbox, server) = over_http(Access::Login);
    let url = server.url("origin.git").replace("http://", &format!("http://{USER}:{PASSWORD}@"));
    let folder = sandbox.path("").display().to_string();
    let tasks = SHARED.replace("\"origin\"", &format!("\"{url}\""));
    sandbox.write("tasks.toml", &tasks.replace("SANDBOX", folder.trim_end_matches('/')));
    sandbox.commit("An address");
    sandbox.deploy(["staging"]).succeeds().never_mentions(PASSWORD);
    sandbox.deploy(["status"]).succeeds().never_mentions(PASSWORD);
    sandbox.deploy(["history", "staging", "--events"]).succeeds().never_mentions(PASSWORD);
    sandbox.target("origin").git(["update-ref", "-d", "refs/deploy/staging/log"]);
    sandbox.deploy(["staging"]).fails_with(3).says("REWRITTEN").never_mentions(PASSWORD);
    server.end();
    for words in [["status", "-v"], ["staging", "-v"], ["plan", "staging"]] {
        sandbox.deploy(words).ends().says("can't be reached").never_mentions(PASSWORD);
    }
    let refused = sandbox.deploy(["staging", "--override", "ledger", "--reason", "it is gone"]);
    refused.succeeds().never_mentions(PASSWORD);
    sandbox.shell(&format!("! grep -r {PASSWORD} .deploy ../remotes/origin.git/refs")).succeeds();
    let told =
        sandbox.shell("git --git-dir=.deploy/repository.git log -p --format=%B refs/deploy/staging/log");
    told.succeeds().never_mentions(PASSWORD);
}
