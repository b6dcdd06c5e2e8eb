//! Shipping to git remotes that are not on this machine's disk: over ssh, by a real sshd, and over http, by a real web
//! server. Who may not push is told so before anything has changed.

use crate::support::{Access, GitHttp, PASSWORD, Running, Sandbox, Sshd, USER};

/// A shop whose staging is at this address.
fn shop(url: &str) -> Sandbox {
    Sandbox::shop(&format!("[environments.staging]\ntarget = {{ git = '{url}' }}\n"))
}

/// A shop, its `remotes/staging.git` served over http, and the server.
fn over_http(access: Access) -> (Sandbox, GitHttp) {
    let sandbox = Sandbox::shop("").remote("staging");
    let server = GitHttp::start(&sandbox.path("remotes"), access);
    let url = server.url("staging.git");
    let sandbox = sandbox.tasks(&format!("[environments.staging]\ntarget = {{ git = '{url}' }}\n"));
    (sandbox, server)
}

#[test]
fn a_release_goes_over_ssh() {
    let sandbox = shop("paas:staging.git").remote("staging");
    let server = Sshd::start(&sandbox, &["paas"]);
    server.only_git("paas");
    sandbox.deploy(["staging"]).succeeds();
    sandbox.commit("Second");
    sandbox.deploy(["staging"]).succeeds().says("release 2 is live");
    let target = sandbox.target("staging");
    let (shipped, head) = (target.tip("main").expect("a release"), sandbox.repository().head());
    assert_eq!((target.trailer(&shipped, "Source"), target.parents(&shipped).len()), (head, 1));
    assert!(server.log("paas").contains("Accepted publickey"), "{}", server.log("paas"));
}

#[test]
fn a_host_that_is_not_the_one_that_is_known_gets_nothing() {
    let sandbox = shop("paas:staging.git").remote("staging");
    let server = Sshd::start(&sandbox, &["paas"]);
    server.only_git("paas");
    server.change_key("paas");
    let ended = sandbox.deploy(["staging"]);
    ended.fails().says("Host key for paas has changed").says("It shows SHA256:").says("`ssh-keygen -R HOST`");
    server.forget_keys();
    sandbox.deploy(["staging"]).fails().says("Host key verification failed").says("connect once by hand");
    assert_eq!(sandbox.target("staging").tip("main"), None);
}

#[test]
fn a_host_that_does_not_take_the_key_is_told() {
    let sandbox = shop("paas:staging.git").remote("staging");
    let server = Sshd::start(&sandbox, &["paas"]);
    server.lock_out("paas");
    sandbox.deploy(["staging"]).fails().says("Permission denied (publickey").says("`ssh-add -l` lists");
    assert_eq!(sandbox.target("staging").tip("main"), None);
}

#[test]
fn a_host_that_is_gone_is_told_and_gets_its_release_when_it_is_back() {
    let sandbox = shop("paas:staging.git").remote("staging");
    let server = Sshd::start(&sandbox, &["paas"]);
    server.only_git("paas");
    server.stop("paas");
    sandbox.deploy(["staging"]).fails().says("Connection refused");
    server.resume("paas");
    sandbox.deploy(["staging"]).succeeds().says("release 1 is live");
}

#[test]
fn a_host_ends_what_was_started_on_it() {
    let sandbox = Sandbox::new();
    let server = Sshd::start(&sandbox, &["web1", "web2"]);
    let (gate, leash) = (sandbox.gate("hold"), sandbox.leash("held"));
    let held = sandbox.path("tmp/held").display().to_string();
    let line = format!("echo $HOME; exec 9> {held}; setsid hold & hold");
    let mut ssh = sandbox.command("ssh", &["-F"]);
    let session = Running::start(ssh.arg(server.config()).args(["web2", &line]));
    gate.wait_for_arrival();
    session.wait_for(&server.home("web2").display().to_string());
    // What runs there goes on when the connection breaks.
    server.cut("web2");
    session.wait().fails_with(255);
    gate.wait_for_arrival();
    server.stop("web2");
    leash.wait_for_release();
    sandbox.shell("ssh web1 echo here").succeeds().prints("here\n");
}

#[test]
fn a_release_goes_over_http() {
    let (sandbox, server) = over_http(Access::Write);
    sandbox.deploy(["staging"]).succeeds();
    sandbox.commit("Second");
    sandbox.deploy(["staging"]).succeeds().says("release 2 is live");
    let target = sandbox.target("staging");
    let (shipped, head) = (target.tip("main").expect("a release"), sandbox.repository().head());
    assert_eq!((target.trailer(&shipped, "Source"), target.parents(&shipped).len()), (head, 1));
    let log = server.end();
    assert!(log.contains("200 POST /staging.git/git-receive-pack"), "{log}");
}

#[test]
fn a_login_over_http_comes_from_gits_own_keeper_of_credentials() {
    let (sandbox, server) = over_http(Access::Login);
    let ended = sandbox.deploy(["staging"]);
    ended.fails().says("could not read Username").says("set up a credential helper");
    let keeper = format!("!printf 'username={USER}\\npassword={PASSWORD}\\n'; :");
    sandbox.repository().git(["config", "credential.helper", &keeper]);
    sandbox.deploy(["staging"]).succeeds().never_mentions(PASSWORD);
    let log = server.end();
    assert!(log.contains("401 GET") && log.contains("200 POST"), "{log}");
}

#[test]
fn a_host_that_may_only_be_read_refuses_a_release_before_anything_has_changed() {
    let (sandbox, server) = over_http(Access::Read);
    let ended = sandbox.deploy(["staging"]);
    ended.fails().says("403").says("git needs a key or a token that may write");
    assert_eq!(sandbox.target("staging").tip("main"), None);
    let log = server.end();
    assert!(log.contains("403 GET /staging.git/info/refs?service=git-receive-pack"), "{log}");
    // Nothing is in doubt.
    sandbox.deploy(["history", "staging"]).succeeds().shows("failed");
}

#[test]
fn an_address_without_a_repository_is_told() {
    let server = GitHttp::start(&std::env::temp_dir(), Access::Write);
    let url = server.url("there-is-none.git");
    shop(&url).deploy(["staging"]).fails().says("not found").says("create the repository there first");
}
