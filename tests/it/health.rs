//! Health: a deploy is done when an address answers as it should, and has failed when it doesn't in time.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::OnceLock;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use crate::support::{Answer, Sandbox, Server};

/// A shop whose staging has this `health`; `URL` in it is the server's.
fn shop(health: &str, server: &Server) -> Sandbox {
    Sandbox::shop(&format!(
        "[environments.staging]\nurl = '{}'\ntarget = {{ git = 'staging' }}\nhealth = {health}\n",
        server.url()
    ))
    .remote("staging")
}

/// A table with these keys, and time for two probes.
fn soon(keys: &str) -> String {
    let comma = if keys.is_empty() { "" } else { ", " };
    format!("{{ url = '{{{{ url }}}}', within = '1s', every = '500ms'{comma}{keys} }}")
}

#[test]
fn a_good_answer_makes_a_release_live() {
    let server = Server::always(Answer::new(200, "ok"));
    let sandbox = shop("'{{ url }}/healthz'", &server);
    sandbox.deploy(["staging"]).succeeds();
    assert_eq!(server.requests(), 1);
    sandbox.deploy(["history", "staging"]).succeeds().shows("live");
}

#[test]
fn bad_answers_are_waited_out() {
    let server = Server::statuses([503, 404, 200]);
    let sandbox = shop("{ url = '{{ url }}', within = '50s', every = '1s' }", &server);
    sandbox.deploy(["staging"]).succeeds();
    assert_eq!(server.requests(), 3);
}

#[test]
fn a_release_that_does_not_get_well_in_time_has_failed() {
    let server = Server::statuses([200, 503]);
    let sandbox = shop("{ url = '{{ url }}/healthz', within = '2s', every = '1s' }", &server);
    sandbox.deploy(["staging"]).succeeds();
    sandbox.commit("Second");
    sandbox.deploy(["staging"]).fails().says("503").says("/healthz");
    assert!(server.requests() > 2, "it tries again while there is time");
    let history = sandbox.deploy(["history", "staging"]);
    history.succeeds().shows("failed").shows("live");
    // What is not healthy is not live: the same commit can be tried again without being told that it is there.
    sandbox.deploy(["staging"]).fails();
}

#[test]
fn the_status_can_be_another() {
    let server = Server::statuses([204]);
    let health = "{ url = '{{ url }}', status = 204, within = '2s', every = '1s' }";
    shop(health, &server).deploy(["staging"]).succeeds();
    let server = Server::statuses([200]);
    shop(health, &server).deploy(["staging"]).fails().says("200");
}

#[test]
fn the_body_has_to_contain_what_it_says() {
    let server = Server::always(Answer::new(200, "version 1 of the shop"));
    shop("{ url = '{{ url }}', contains = 'version 1' }", &server).deploy(["staging"]).succeeds();
    let sandbox = shop("{ url = '{{ url }}', contains = 'version 2', within = '2s', every = '1s' }", &server);
    sandbox.deploy(["staging"]).fails().says("version 2");
}

#[test]
fn the_body_can_be_asked_for_the_commit() {
    let server = Server::new(|_| Answer::new(200, "commit unknown"));
    let sandbox =
        shop("{ url = '{{ url }}', contains = '{{ commit }}', within = '2s', every = '1s' }", &server);
    sandbox.deploy(["staging"]).fails().says(&sandbox.repository().head());
}

#[test]
fn a_streak_of_good_answers_can_be_asked_for() {
    let server = Server::statuses([200, 503, 200, 200, 200]);
    let sandbox = shop("{ url = '{{ url }}', streak = 3, within = '50s', every = '1s' }", &server);
    sandbox.deploy(["staging"]).succeeds();
    assert_eq!(server.requests(), 5);
}

#[test]
fn nobody_there_is_told_with_the_address() {
    let server = Server::always(Answer::new(200, ""));
    let url = server.url();
    let sandbox = shop("{ url = '{{ url }}', within = '2s', every = '1s' }", &server);
    drop(server);
    sandbox.deploy(["staging"]).fails().says(&url);
}

#[test]
fn redirects_are_followed_but_not_in_a_circle_nor_for_ever() {
    let led = Server::new(|n| if n < 6 { Answer::redirect(&format!("/{n}")) } else { Answer::new(200, "") });
    shop("'{{ url }}'", &led).deploy(["staging"]).succeeds();
    assert_eq!(led.requests(), 6);

    let circle = Server::new(|_| Answer::redirect("/again"));
    let ended = shop(&soon(""), &circle).deploy(["staging"]);
    ended.fails_with(1).says("last came 302").says("its redirects go in a circle");
    ended.says(&format!("{}/again", circle.url()));

    let endless = Server::new(|n| Answer::redirect(&format!("/{n}")));
    let ended = shop("{ url = '{{ url }}', within = '1s' }", &endless).deploy(["staging"]);
    ended.fails_with(1).says("after 5 redirects it still leads on");
    assert!(endless.requests().is_multiple_of(6), "{} requests", endless.requests());
}

#[test]
fn a_password_in_the_address_stays_with_its_host() {
    let other = Server::always(Answer::new(200, "there"));
    let to = format!("{}/there", other.url());
    let server = Server::new(move |n| Answer::redirect(if n == 1 { "/again" } else { &to }));
    let health = format!("'{}'", server.url().replace("http://", "http://bob:hush@"));
    let ended = shop(&health, &server).deploy(["staging"]);
    ended.succeeds().never_mentions("hush");
    let (here, there) = (server.heard(), other.heard());
    // The name and the password in base64.
    assert!(here.iter().all(|request| request.contains("Basic Ym9iOmh1c2g=")), "{here:?}");
    assert!(
        there[0].starts_with("GET /there ") && !there[0].to_lowercase().contains("authorization"),
        "{there:?}"
    );
}

#[test]
fn a_server_that_takes_its_time_for_ever_holds_nobody() {
    for answer in [Answer::none(), Answer::dripping()] {
        let server = Server::always(answer);
        let sandbox = shop("{ url = '{{ url }}', within = '2s', every = '1s' }", &server);
        let ended = sandbox.start(["staging"]).wait_within(Duration::from_secs(20));
        ended.fails_with(1).says("failed its health check").says("no answer within");
    }
}

#[test]
fn of_an_endless_body_no_more_is_read_than_its_beginning() {
    let server = Server::always(Answer::endless("the shop is well "));
    let sandbox = shop("{ url = '{{ url }}', contains = 'is well' }", &server);
    sandbox.start(["staging"]).wait_within(Duration::from_secs(20)).succeeds();
    let ended = shop(&soon("contains = 'is ill'"), &server).deploy(["staging"]);
    ended.fails_with(1).says("expected 200 with `is ill` in its body");
}

#[test]
fn the_version_in_a_header_must_be_the_one_that_was_shipped() {
    let (told, tells) = channel::<String>();
    let head = OnceLock::new();
    let server = Server::new(move |n| {
        // The old release still answers at first, as it does on every host.
        let head = head.get_or_init(|| tells.recv().expect("the commit"));
        Answer::new(200, "ok").with_header(&format!("x-version: {}", if n < 3 { "0ld" } else { head }))
    });
    let health =
        "{ url = '{{ url }}', version = '{{ commit }}', header = 'X-Version', within = '50s', every = '1s' }";
    let sandbox = shop(health, &server);
    told.send(sandbox.repository().head()).expect("the server listens");
    let ended = sandbox.deploy(["staging"]);
    ended.succeeds().says("200 `ok` with `X-Version: 0ld`").says("is healthy (3 probes");
    assert_eq!(server.requests(), 3);
}

#[test]
fn an_old_version_that_goes_on_answering_is_bad_and_told() {
    let server = Server::always(Answer::new(200, "release 41").with_header("X-Version: 0ld"));
    let sandbox = shop(&soon("version = '{{ commit }}', header = 'x-version'"), &server);
    let head = sandbox.repository().head();
    let ended = sandbox.deploy(["staging"]);
    ended.fails_with(1).says("failed its health check");
    ended.says(&format!(
        "expected 200 with version `{head}` in `x-version`, last came 200 `release 41` with `x-version: 0ld`"
    ));
    ended.says("help: another version answers");
    sandbox.deploy(["history", "staging"]).succeeds().shows("failed");

    let ended = shop(&soon("version = 'release 42'"), &server).deploy(["staging"]);
    ended
        .fails_with(1)
        .says("expected 200 with version `release 42` in its body, last came 200 `release 41`");
    shop(&soon("version = 'release 41'"), &server).deploy(["staging"]).succeeds();
    let ended = shop(&soon("version = '1', header = 'X-Commit'"), &server).deploy(["staging"]);
    ended.fails_with(1).says("last came 200 `release 41` without `X-Commit`");
}

#[test]
fn a_header_is_for_a_version_that_is_a_text() {
    let server = Server::statuses([200]);
    let ended = shop("{ url = '{{ url }}', header = 'X-Version' }", &server).deploy(["staging"]);
    ended
        .fails_with(2)
        .says("there is no `version`")
        .says("help: version = \"{{ commit }}\"")
        .says("tasks.toml:4");
    let ended = shop("{ url = '{{ url }}', version = '1', header = 'X Version' }", &server).deploy(["check"]);
    ended.fails_with(2).says("`X Version` can't be the name of a header");
    let ended = shop("{ url = '{{ url }}', version = '{{ env.NONE | default(\"\") }}' }", &server)
        .deploy(["staging"]);
    ended.fails_with(2).says("`version` is empty");
    assert_eq!(server.requests(), 0);
}

#[test]
fn a_release_that_crashes_after_its_first_good_answer_is_caught_by_a_streak() {
    let server = Server::new(|n| Answer::new(if n == 1 { 200 } else { 502 }, "gateway"));
    let sandbox = shop("{ url = '{{ url }}', within = '3s', every = '1s', streak = 2 }", &server);
    let ended = sandbox.deploy(["staging"]);
    ended.fails_with(1).says("expected 200 2 times in a row (it came to 0), last came 502 `gateway`");
    // And one whose port is closed then: its one thread takes no second connection.
    let once = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = once.local_addr().expect("it is bound");
    let crashes = thread::spawn(move || {
        let (mut connection, _) = once.accept().expect("the first probe");
        drop(once);
        let _asked = connection.read(&mut [0; 4096]).expect("a request");
        connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").expect("it listens");
    });
    let health = format!("{{ url = 'http://{address}', within = '3s', every = '1s', streak = 2 }}");
    let ended = shop(&health, &server).deploy(["staging"]);
    ended.fails_with(1).says("(it came to 0), last came Connection refused");
    crashes.join().expect("one answer was given");
}

#[test]
fn what_says_nothing_of_the_service_is_unclear() {
    let login = Server::statuses([401]);
    let cases = [
        ("http://shop.invalid/".to_owned(), "know the name"),
        (login.url(), "without a login"),
        // Nobody is there by definition (RFC 5737), and who is asked for the way is a proxy that is not there.
        ("http://192.0.2.1/".to_owned(), "through a proxy"),
    ];
    for (url, help) in cases {
        let health = format!("{{ url = '{url}', within = '1s', every = '1s' }}");
        let sandbox = shop(&health, &login);
        let sandbox =
            if help.contains("proxy") { sandbox.env("http_proxy", "http://127.0.0.1:9") } else { sandbox };
        let ended = sandbox.deploy(["staging"]);
        ended.fails_with(1).says("could not check its health");
        ended.says(&format!("nobody can tell from here whether {url} is healthy")).says(help);
    }
    let json = shop(&soon(""), &login).deploy(["staging", "--output", "json"]);
    json.fails_with(1).shows(r#""failure":{"kind":"unhealthy","#).shows(r#""verdict":"unclear""#);
    let gone = Server::statuses([500]);
    let sandbox = shop(&soon(""), &gone);
    sandbox.deploy(["staging", "--output", "json"]).fails_with(1).shows(r#""verdict":"bad""#);
}

#[test]
fn health_is_asked_after_the_release_has_arrived() {
    let sandbox = Sandbox::shop("").remote("staging");
    let target = sandbox.path("remotes/staging.git/refs/heads/main");
    let server = Server::new(move |_| Answer::new(if target.exists() { 200 } else { 500 }, ""));
    let sandbox = sandbox.tasks(&format!(
        "[environments.staging]\ntarget = {{ git = 'staging' }}\nhealth = {{ url = '{}', within = '50s' }}\n",
        server.url()
    ));
    sandbox.deploy(["staging"]).succeeds();
    assert_eq!(server.requests(), 1);
}

#[test]
fn a_step_can_check_an_address() {
    let server = Server::statuses([503, 200]);
    let sandbox = Sandbox::new().tasks(&format!(
        "[vars]\nsite = '{}'\n[tasks.check-it]\nsteps = ['touch before', {{ check = '{{{{ site }}}}/healthz' }}, 'touch after']\n",
        server.url()
    ));
    sandbox.deploy(["check-it"]).succeeds();
    assert_eq!(server.requests(), 2);
    assert!(sandbox.has("before") && sandbox.has("after"));
}

#[test]
fn a_check_that_fails_ends_its_task() {
    let server = Server::statuses([500]);
    let tasks = format!(
        "[tasks.check-it]\nsteps = [{{ check = {{ url = '{}', within = '2s', every = '1s' }} }}, 'touch after']\n",
        server.url()
    );
    let sandbox = Sandbox::new().tasks(&tasks);
    sandbox.deploy(["check-it"]).fails().says("500");
    assert!(!sandbox.has("after"));
}

#[test]
fn a_task_of_the_projects_own_ships_where_it_says() {
    let server = Server::statuses([200]);
    let sandbox = Sandbox::shop(&format!(
        r#"
        [environments.staging]
        url = "{}"
        target = {{ git = "staging" }}
        swap = {{ "requirements.txt" = "-r requirements/staging.txt" }}
        [tasks.announce]
        run = "echo announce >> SANDBOX/log"
        [tasks.deploy]
        needs = ["announce"]
        steps = [
            "echo before >> SANDBOX/log",
            {{ ship = true }},
            "git --git-dir=SANDBOX/remotes/staging.git show main:requirements.txt >> SANDBOX/log",
            {{ check = "{{{{ url }}}}" }},
        ]
        "#,
        server.url()
    ))
    .remote("staging");
    sandbox.deploy(["staging"]).succeeds();
    assert_eq!(sandbox.read("../log"), "announce\nbefore\n-r requirements/staging.txt\n");
    assert_eq!(server.requests(), 1);
    sandbox.deploy(["history", "staging"]).succeeds().shows("live");
    sandbox.deploy(["deploy"]).fails().says("environment");
}

#[test]
fn what_becomes_of_a_release_that_is_not_healthy_is_said_by_its_environment_alone() {
    let server = Server::statuses([500]);
    let health = "{ url = '{{ url }}', within = '2s', every = '1s', on_failure = 'keep' }";
    let sandbox = shop(health, &server);
    let planned = sandbox.deploy(["plan", "staging"]);
    planned.succeeds().shows("healthy  else keep");
    let ended = sandbox.deploy(["staging"]);
    ended.fails_with(1).says("failed its health check").says("last came 500");
    let wrong = shop("{ url = '{{ url }}', on_failure = 'rolback' }", &server).deploy(["staging"]);
    wrong.fails_with(2).says("did you mean \"rollback\"?");
    let step = "[tasks.t]\nsteps = [{ check = { url = 'http://127.0.0.1', on_failure = 'keep' } }]\n";
    let wrong = Sandbox::new().tasks(step).deploy(["t"]);
    wrong.fails_with(2).says("`check` has no key `on_failure`").says("tasks.toml:2");
    wrong.says("`on_failure` belongs to the `health` of an environment");
}

#[test]
fn a_mistake_in_health_is_told_once() {
    let server = Server::statuses([200]);
    let ended = shop("'{{ urll }}/healthz'", &server).deploy(["staging"]);
    assert_eq!(ended.fails_with(2).stderr.matches("there is no value `urll`").count(), 1, "{ended}");
}
