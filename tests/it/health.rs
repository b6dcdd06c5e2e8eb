//! Health: a deploy is done when an address answers as it should, and has failed when it doesn't in time.

use crate::support::{Answer, Sandbox, Server};

/// A shop whose staging has this `health`; `URL` in it is the server's.
fn shop(health: &str, server: &Server) -> Sandbox {
    Sandbox::shop(&format!(
        "[environments.staging]\nurl = '{}'\ntarget = {{ git = 'staging' }}\nhealth = {health}\n",
        server.url()
    ))
    .remote("staging")
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
fn a_redirect_for_ever_is_not_followed_for_ever() {
    let server = Server::new(|_| Answer::redirect("/again"));
    let sandbox = shop("{ url = '{{ url }}', within = '2s', every = '1s' }", &server);
    sandbox.deploy(["staging"]).fails();
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
