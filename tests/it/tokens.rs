//! A platform that is reached over https, opened by a token: git alone has it, for that host alone, and it is nowhere else.
//! The servers are real ones on this machine, where plain http may be.

use crate::support::{Access, Answer, GitHttp, PASSWORD, Sandbox, Server, USER};

/// A shop whose staging is at an address, with a token that a variable has.
fn shop(url: &str, keys: &str) -> Sandbox {
    Sandbox::shop(&format!(
        "[secrets]\nPAAS_TOKEN = {{ env = 'PAAS_TOKEN' }}\n\
         [environments.staging]\ntarget = {{ git = '{url}', token = 'PAAS_TOKEN'{keys} }}\n"
    ))
}

/// The same, with a server that lets in who says [`USER`] and [`PASSWORD`].
fn served(keys: &str) -> (Sandbox, GitHttp) {
    let sandbox = Sandbox::shop("").remote("staging");
    let server = GitHttp::start(&sandbox.path("remotes"), Access::Login);
    let shop = shop(&server.url("staging.git"), keys);
    let tasks = shop.read("tasks.toml");
    (sandbox.tasks(&tasks), server)
}

#[test]
fn a_token_opens_its_host_and_is_nowhere_else() {
    let (sandbox, server) = served(&format!(", user = '{USER}'"));
    // What others on this machine see while it is pushed, and what a keeper of passwords of the user's is asked or told.
    let looks = "cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c 'pa55w0r[d]' > SANDBOX/tmp/seen; true";
    let looks = looks.replace("SANDBOX", sandbox.path("").display().to_string().trim_end_matches('/'));
    sandbox.target("staging").hook("pre-receive", &format!("echo 'token {PASSWORD}'; {looks}"));
    sandbox.executable("bin/keeper", "#!/bin/sh\necho \"$@\" >> SANDBOX/tmp/asked\n");
    sandbox.repository().git(["config", "credential.helper", "!keeper"]);
    sandbox.repository().git(["config", "credential.http://127.0.0.1.helper", "!keeper"]);
    let sandbox = sandbox.env("PAAS_TOKEN", PASSWORD);
    sandbox.deploy(["staging"]).succeeds().never_mentions(PASSWORD).says("remote: token ***");
    sandbox.write("shop.py", "second\n");
    sandbox.commit("Second");
    sandbox.deploy(["staging", "-v"]).succeeds().never_mentions(PASSWORD).says("release 2 is live");
    sandbox.deploy(["rollback", "staging"]).succeeds().says("release 1 is live again");
    assert_eq!(sandbox.target("staging").file("main", "shop.py"), "print('shop')\n");

    assert_eq!(sandbox.read("../tmp/seen"), "0\n", "it was an argument of a process");
    assert!(!sandbox.path("tmp/asked").exists(), "{}", sandbox.read("../tmp/asked"));
    sandbox.shell(&format!("! grep -r {PASSWORD} .deploy ../home .git")).succeeds();
    let log = server.end();
    assert!(log.contains("401 GET") && log.contains("200 POST /staging.git/git-receive-pack"), "{log}");
}

#[test]
fn several_environments_are_opened_before_the_first_begins() {
    let (sandbox, server) = served(&format!(", user = '{USER}'"));
    let sandbox = sandbox.remote("production");
    let tasks = sandbox.read("tasks.toml");
    let more = format!(
        "OTHER = {{ env = 'OTHER' }}\n[environments.production]\ntarget = {{ git = '{}', user = '{USER}', token = '{{{{ secret.OTHER }}}}' }}\n",
        server.url("production.git")
    );
    let (secrets, staging) = tasks.split_once("[environments").expect("it has secrets first");
    let sandbox =
        sandbox.tasks(&format!("{secrets}{more}[environments{staging}")).env("PAAS_TOKEN", PASSWORD);
    sandbox.deploy(["staging", "production"]).fails_with(3).says("`OTHER` can't be had for production");
    assert_eq!(sandbox.target("staging").tip("main"), None);
    let sandbox = sandbox.env("OTHER", PASSWORD);
    sandbox.deploy(["staging", "production"]).succeeds().never_mentions(PASSWORD);
    assert!(sandbox.target("production").tip("main").is_some());
}

#[test]
fn the_address_may_say_who_comes() {
    let (sandbox, server) = served("");
    let url = server.url("staging.git").replace("http://", &format!("http://{USER}@"));
    let tasks = shop(&url, "").read("tasks.toml");
    let sandbox = sandbox.tasks(&tasks).env("PAAS_TOKEN", PASSWORD);
    sandbox.deploy(["staging"]).succeeds().never_mentions(PASSWORD);
}

#[test]
fn a_token_that_is_not_taken_is_told_and_nobody_is_asked() {
    let (sandbox, _server) = served(&format!(", user = '{USER}'"));
    let sandbox = sandbox.env("PAAS_TOKEN", "an0ther-0ne").env("GIT_ASKPASS", "false");
    let refused = sandbox.deploy(["staging"]);
    refused.fails_with(1).says("Authentication failed").says("does not take the `token`");
    refused.never_mentions("an0ther-0ne");
    assert_eq!(sandbox.target("staging").tip("main"), None);
}

#[test]
fn a_token_that_can_not_be_had_refuses_the_deploy() {
    let (sandbox, server) = served("");
    sandbox.deploy(["staging"]).fails_with(3).says("PAAS_TOKEN").says("tasks.toml:2");
    // Who only looks needs none.
    sandbox.deploy(["plan", "staging"]).succeeds();
    sandbox.deploy(["check"]).succeeds().never_mentions("never used");
    assert_eq!(server.end(), "", "nobody was asked");
    let sandbox = sandbox.env("PAAS_TOKEN", "one line\nand another");
    sandbox.deploy(["staging"]).fails_with(3).says("a line break").never_mentions("and another");
}

#[test]
fn a_remote_by_its_name_is_judged_when_it_is_known_where_it_leads() {
    let sandbox = shop("staging", "").remote("staging").env("PAAS_TOKEN", PASSWORD);
    let refused = sandbox.deploy(["staging"]);
    refused.fails_with(3).says("a token is for https").says("remotes/staging.git");
    let remote = sandbox.repository();
    remote.git(["remote", "set-url", "staging", "http://paas.invalid/staging.git"]);
    sandbox.deploy(["staging"]).fails_with(3).says("plain http shows a token").never_mentions(PASSWORD);
    assert_eq!(sandbox.target("staging").tip("main"), None);
}

#[test]
fn a_host_that_redirects_does_not_hand_the_token_on() {
    let other = Server::always(Answer::new(401, "").with_header("WWW-Authenticate: Basic realm=\"other\""));
    let place = format!("{}/shop.git/info/refs?service=git-upload-pack", other.url());
    let host = Server::always(Answer::redirect(&place));
    let sandbox = shop(&format!("{}/shop.git", host.url()), "").env("PAAS_TOKEN", PASSWORD);
    sandbox.deploy(["staging"]).fails().never_mentions(PASSWORD);
    let heard = other.heard();
    assert!(!heard.is_empty(), "git follows it");
    assert!(!heard.concat().to_lowercase().contains("authorization"), "{heard:?}");
}
