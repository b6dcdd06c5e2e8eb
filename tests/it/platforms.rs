//! Platforms that build what is pushed to them, over real ssh with git's own shell: what they say is seen as they say it,
//! what they decline is told in their words, and wherever a push breaks off, the next deploy finds out what arrived.

use std::fs;
use std::io::Read;
use std::net::TcpListener;

use rustix::process::Signal;

use crate::support::{Answer, Sandbox, Server, Sshd};

const SHOP: &str = r#"
[environments.staging]
target = { git = "paas:staging.git" }
swap   = { "requirements.txt" = "-r requirements/{{ environment }}.txt" }
[environments.production]
target  = { git = "paas:production.git" }
swap    = { "requirements.txt" = "-r requirements/{{ environment }}.txt" }
protect = { after = "staging" }
"#;

/// A shop, and a platform for it.
fn platform(tasks: &str) -> (Sandbox, Sshd) {
    let sandbox = Sandbox::shop(tasks).remote("staging").remote("production");
    let server = Sshd::start(&sandbox, &["paas"]);
    server.only_git("paas");
    (sandbox, server)
}

#[test]
fn releases_go_there_one_on_the_other_and_back() {
    let (sandbox, _server) = platform(SHOP);
    sandbox.shell("ssh paas ls").fails_with(128);
    sandbox.deploy(["staging", "production"]).succeeds();
    let (staging, production) = (sandbox.target("staging"), sandbox.target("production"));
    assert_eq!(staging.file("main", "requirements.txt"), "-r requirements/staging.txt\n");
    assert_eq!(production.file("main", "requirements.txt"), "-r requirements/production.txt\n");

    let first = sandbox.repository().head();
    sandbox.write("shop.py", "print('second')\n");
    let second = sandbox.commit("Second");
    sandbox.deploy(["staging"]).succeeds().says("release 2 is on `main` of paas:staging.git");
    sandbox.deploy(["staging"]).succeeds().says("is live already, as release 2");
    let shipped = staging.tip("main").expect("a release");
    sandbox.deploy(["staging", "--rebuild"]).succeeds().says("release 3 is live");
    assert_eq!(staging.parents("main"), [shipped], "a commit of its own, or the host would build nothing");
    sandbox.deploy(["status"]).succeeds().shows(&second[..8]).shows(&first[..8]);

    // The release before has the same commit; the one before that is asked for by its number.
    sandbox.deploy(["rollback", "staging", "1"]).succeeds().says("release 1 is live again, as release 4");
    assert_eq!(staging.file("main", "shop.py"), "print('shop')\n");
    assert_eq!(staging.git(["rev-list", "--count", "main"]), "4");
}

#[test]
fn what_the_platform_says_is_seen_as_it_says_it() {
    let (sandbox, _server) = platform(SHOP);
    let gate = sandbox.gate("hold");
    sandbox.target("staging").hook("pre-receive", "echo '-----> Building'\nhold\necho '-----> Built'");
    for (output, shown) in
        [("stream", "remote: -----> Building"), ("prefixed", "deploy | remote: -----> Building")]
    {
        let running = sandbox.start(["staging", "--rebuild", "--output", output]);
        gate.wait_for_arrival();
        running.wait_for(shown);
        assert!(!running.said().contains("Built"), "it is still at it");
        gate.open();
        running.wait().succeeds().says("-----> Built");
    }
}

#[test]
fn what_the_platform_declines_is_told_in_its_words_and_locks_nothing() {
    let (sandbox, _server) = platform(SHOP);
    let staging = sandbox.target("staging");
    sandbox.deploy(["staging"]).succeeds();
    let shipped = staging.tip("main");
    let second = sandbox.commit("Second");
    staging.hook("pre-receive", "echo '-----> Installing'\necho ' !     No such wheel: djagno' >&2\nexit 1");
    let declined = sandbox.deploy(["staging"]);
    declined.fails_with(1).says("remote: -----> Installing").says("remote:  !     No such wheel: djagno");
    declined.says("`main` of paas:staging.git refused release 2: pre-receive hook declined");
    declined.says("its own words are above: what failed there, failed before anything went live");
    assert_eq!(staging.tip("main"), shipped);
    sandbox.deploy(["history", "staging"]).succeeds().shows("failed").shows("live");
    let status = sandbox.deploy(["status", "staging"]);
    status.succeeds().never_mentions("unfinished").never_mentions("locked").never_mentions(&second[..8]);
    // Nothing has to be tidied up first.
    staging.unhook("pre-receive");
    sandbox.deploy(["staging"]).succeeds().says("release 3 is live").never_mentions("cut off");
}

#[test]
fn a_platform_that_makes_an_app_of_the_first_push_gets_it() {
    let (sandbox, server) = platform(&SHOP.replace("paas:staging.git", "paas:new"));
    let gone = sandbox.deploy(["staging"]);
    gone.fails_with(1)
        .says("'new' does not appear to be a git repository")
        .says("create the repository there first");
    // As Piku and Dokku do.
    let makes = "eval \"set -- $SSH_ORIGINAL_COMMAND\"\n\
                 [ $1 != git-receive-pack ] || [ -e $2 ] || git init --quiet --bare --initial-branch=main $2";
    let remotes = sandbox.path("remotes").display().to_string();
    server.force("paas", &format!("cd '{remotes}'\n{makes}\nexec git-shell -c \"$SSH_ORIGINAL_COMMAND\""));
    sandbox.deploy(["staging"]).succeeds().says("is on `main` of paas:new");
    sandbox.commit("Second");
    sandbox.deploy(["staging"]).succeeds();
    assert_eq!(sandbox.repository_at(&sandbox.path("remotes/new")).git(["rev-list", "--count", "main"]), "2");
}

/// What Piku does: the push is over when the build begins, and its version serves however that ends.
const PIKU: &str = "read before pushed ref\n\
                    git show $pushed:shop.py > SANDBOX/srv/shop.py\n\
                    ! grep -q broken SANDBOX/srv/shop.py || { echo '-----> Exiting due to release command error value: 7'; exit 1; }";

/// A shop on such a platform, and what it serves.
fn piku(keys: &str) -> (Sandbox, Sshd, Server) {
    let (sandbox, paas) = platform("");
    let srv = sandbox.path("srv");
    fs::create_dir(&srv).expect("a folder of the sandbox");
    sandbox.target("staging").hook("post-receive", &PIKU.replace("SANDBOX/srv", &srv.display().to_string()));
    let server =
        Server::new(move |_| Answer::new(200, fs::read_to_string(srv.join("shop.py")).unwrap_or_default()));
    let tasks = format!("[environments.staging]\nurl = '{}'\n{keys}\n", server.url());
    (sandbox.tasks(&tasks), paas, server)
}

#[test]
fn a_build_that_fails_after_the_push_has_worked_is_heard_in_what_the_platform_says() {
    let (sandbox, _paas, _server) =
        piku("target = { git = 'paas:staging.git', fail_on = ['^-----> Exiting due to .* error'] }");
    sandbox.deploy(["staging"]).succeeds();
    sandbox.write("shop.py", "broken\n");
    sandbox.commit("Broken");
    let failed = sandbox.deploy(["staging"]);
    failed
        .fails_with(1)
        .says("took release 2, and then said `-----> Exiting due to release command error value: 7`");
    sandbox.deploy(["history", "staging"]).succeeds().shows("failed");
    // It is the broken one that serves: the way back is a release of its own.
    assert_eq!(sandbox.target("staging").file("main", "shop.py"), "broken\n");
    sandbox.deploy(["rollback", "staging"]).succeeds().says("release 1 is live again");
    assert_eq!(sandbox.target("staging").file("main", "shop.py"), "print('shop')\n");
}

#[test]
fn a_build_that_fails_after_the_push_has_worked_is_found_by_health_and_goes_back() {
    let health = "health = { url = '{{ url }}', contains = 'print', within = '1s', every = '200ms' }";
    let (sandbox, _paas, _server) = piku(&format!("target = {{ git = 'paas:staging.git' }}\n{health}"));
    sandbox.deploy(["staging"]).succeeds();
    sandbox.write("shop.py", "broken\n");
    sandbox.commit("Broken");
    let back = sandbox.deploy(["staging"]);
    back.fails_with(6).says("Exiting due to release command error value: 7").says("release 1 is live again");
    assert_eq!(sandbox.target("staging").file("main", "shop.py"), "print('shop')\n");
    assert_eq!(fs::read_to_string(sandbox.path("srv/shop.py")).unwrap(), "print('shop')\n");
}

#[test]
fn a_platform_that_goes_away_in_the_middle_of_a_push_is_asked_by_the_next_deploy() {
    let (sandbox, server) = platform(SHOP);
    let gate = sandbox.gate("hold");
    sandbox.target("staging").hook("pre-receive", "echo '-----> Building'\nhold");
    let running = sandbox.start(["staging"]);
    gate.wait_for_arrival();
    server.stop("paas");
    let broken = running.wait();
    broken.fails_with(1).says("was cut off (").says("it can't be asked what arrived").says("deploy again");
    sandbox.deploy(["status"]).succeeds().shows("unfinished");
    sandbox.deploy(["staging"]).fails_with(1).says("Connection refused");
    server.resume("paas");
    sandbox.target("staging").unhook("pre-receive");
    let next = sandbox.deploy(["staging"]);
    next.succeeds().says("release 1, whose push was cut off, has not arrived at `main` of paas:staging.git");
    next.says("release 2 is live");
    sandbox.commit("Second");
    sandbox.deploy(["staging"]).succeeds().never_mentions("cut off");
}

#[test]
fn a_push_that_arrives_after_its_connection_broke_is_known_to_the_next_deploy() {
    let (sandbox, server) = platform(SHOP);
    let (gate, arrived) = (sandbox.gate("hold"), sandbox.gate("arrived"));
    let staging = sandbox.target("staging");
    staging.hook("pre-receive", "hold");
    // What comes behind has nobody to speak to, and is not reached.
    staging.hook("reference-transaction", "[ \"$1\" != committed ] || arrived");
    let running = sandbox.start(["staging"]);
    gate.wait_for_arrival();
    server.cut("paas");
    running.wait().fails_with(1).says("was cut off (").says("does not have the release (yet): deploy again");
    gate.open();
    arrived.wait_for_arrival();
    arrived.open();
    let first = staging.tip("main").expect("it arrived after all");
    staging.unhook("pre-receive");
    staging.unhook("reference-transaction");
    let next = sandbox.deploy(["staging"]);
    next.succeeds().says("release 1, whose push was cut off, has arrived at `main` of paas:staging.git");
    assert_eq!(staging.parents("main"), [first]);
}

#[test]
fn a_push_that_is_ended_there_or_here_is_told_and_asked_for() {
    let (sandbox, server) = platform(SHOP);
    let staging = sandbox.target("staging");
    // What takes the push is killed there.
    staging.hook("pre-receive", "kill -9 $PPID");
    let ended = sandbox.deploy(["staging"]);
    ended.fails_with(1).says("was cut off (").says("does not have the release (yet): deploy again");

    let gate = sandbox.gate("hold");
    staging.hook("pre-receive", "hold");
    let running = sandbox.start(["staging"]);
    gate.wait_for_arrival();
    running.wait_for("release 1, whose push was cut off, has not arrived");
    running.signal(Signal::INT);
    running.wait().fails_with(130);
    server.stop("paas");
    server.resume("paas");
    staging.unhook("pre-receive");
    let next = sandbox.deploy(["staging"]);
    next.succeeds().says("release 2, whose push was cut off, has not arrived").says("release 3 is live");
    sandbox.deploy(["history", "staging"]).succeeds().shows("live");
}

#[test]
fn a_push_that_outlives_its_deploy_is_known_to_the_next_one() {
    let (sandbox, _server) = platform(SHOP);
    let (gate, arrived) = (sandbox.gate("hold"), sandbox.gate("arrived"));
    let staging = sandbox.target("staging");
    staging.hook("pre-receive", "hold");
    staging.hook("post-receive", "arrived");
    let running = sandbox.start(["staging"]);
    gate.wait_for_arrival();
    running.signal(Signal::KILL);
    running.wait().fails_with(-9);
    gate.open();
    arrived.wait_for_arrival();
    arrived.open();
    let first = staging.tip("main").expect("git went on");
    sandbox.deploy(["status"]).succeeds().shows("unfinished  release 1 began and did not end");
    staging.unhook("pre-receive");
    staging.unhook("post-receive");
    let next = sandbox.deploy(["staging"]);
    next.succeeds().says("release 1, whose push was cut off, has arrived at `main` of paas:staging.git");
    assert_eq!(staging.parents("main"), [first]);
    sandbox.deploy(["history", "staging"]).succeeds().shows("live");
}

#[test]
fn a_push_that_its_deploy_left_behind_does_not_overtake_the_next_release() {
    let (sandbox, server) = platform(SHOP);
    let (gate, leash) = (sandbox.gate("hold"), sandbox.leash("held"));
    let [remotes, held, first] =
        ["remotes", "tmp/held", "tmp/first"].map(|at| sandbox.path(at).display().to_string());
    let shell = "exec git-shell -c \"$SSH_ORIGINAL_COMMAND\"";
    server.force("paas", &format!("exec 9> '{held}'\ncd '{remotes}'\n{shell}"));
    let staging = sandbox.target("staging");
    staging.hook("pre-receive", &format!("! mkdir '{first}' 2> /dev/null || hold"));
    let running = sandbox.start(["staging"]);
    gate.wait_for_arrival();
    running.signal(Signal::KILL);
    running.wait().fails_with(-9);
    // The host is still at it.
    let next = sandbox.deploy(["staging"]);
    next.succeeds().says("release 1, whose push was cut off, has not arrived").says("release 2 is live");
    let shipped = staging.tip("main");
    gate.open();
    leash.wait_for_release();
    assert_eq!(staging.tip("main"), shipped);
    assert_eq!(staging.trailer("main", "Release"), "2");
}

#[test]
fn a_host_that_takes_connections_and_says_nothing_is_not_waited_for_for_ever() {
    let (ssh, http) = (TcpListener::bind("127.0.0.1:0").unwrap(), Server::always(Answer::none()));
    let urls = [format!("ssh://{}/shop.git", ssh.local_addr().unwrap()), format!("{}/shop.git", http.url())];
    let shops =
        urls.map(|url| Sandbox::shop(&format!("[environments.staging]\ntarget = {{ git = '{url}' }}\n")));
    let [over_ssh, over_http] = shops.each_ref().map(|shop| shop.start(["staging"]));
    over_ssh.wait().fails_with(1).says("timed out during banner exchange").says("is the address right");
    over_http.wait().fails_with(1).says("did not end within 30 s");
}

#[test]
fn ctrl_c_while_a_host_is_silent_ends_at_once_and_leaves_nothing_running() {
    let host = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ssh://{}/shop.git", host.local_addr().unwrap());
    let sandbox = Sandbox::shop(&format!("[environments.staging]\ntarget = {{ git = '{url}' }}\n"));
    let running = sandbox.start(["staging"]);
    let (mut connection, _) = host.accept().unwrap();
    running.signal(Signal::INT);
    running.wait().fails_with(130);
    let mut heard = Vec::new();
    connection.read_to_end(&mut heard).expect("ssh hangs up");
}
