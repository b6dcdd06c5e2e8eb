//! `http`: one request, to a server that is really there. What was meant to be sent arrives byte for byte, and what
//! does not arrive, or is not taken, fails its task.

use rustix::process::Signal;

use crate::support::{Answer, Sandbox, Server};

/// A task `notify` with one `http` step; `URL` in its keys is the server's.
fn project(http: &str, server: &Server) -> Sandbox {
    Sandbox::new().tasks(&format!(
        "[tasks.notify]\nsteps = ['touch before', {{ http = {{ {} }} }}, 'touch after']\n",
        http.replace("URL", &server.url())
    ))
}

fn ok() -> Server {
    Server::always(Answer::new(200, "ok"))
}

/// The head's lines, in small letters, and the body.
fn parts(request: &str) -> (Vec<String>, String) {
    let (head, body) = request.split_once("\r\n\r\n").expect("a head and a body");
    (head.to_lowercase().lines().map(str::to_owned).collect(), body.to_owned())
}

#[test]
fn json_arrives_as_it_was_meant_whatever_the_values_are() {
    let server = ok();
    let sandbox = Sandbox::new().tasks(&format!(
        r#"
        [vars]
        text = ""
        apps = ["a b", 'c"d', "{{{{ '{{{{' }}}} x"]
        [tasks.notify]
        [[tasks.notify.steps]]
        [tasks.notify.steps.http]
        url = "{}/hook?a=1"
        [tasks.notify.steps.http.json]
        text   = "{{{{ text }}}} in {{{{ project }}}}"
        apps   = "{{{{ apps }}}}"
        joined = "apps: {{{{ apps }}}}"
        number = -3
        float  = 1.5
        truth  = true
        day    = 2026-01-02
        nested = {{ list = [1, "two", [], {{}}] }}
        "#,
        server.url()
    ));
    let hostile = "\", \"admin\": true, \"x\": \"\\ \n\t\u{1}\u{7f} é 🦀 {{ env.HOME }} $(id) </script>";
    sandbox.deploy(["notify", "--set", &format!("text={hostile}")]).succeeds();
    let (head, body) = parts(&server.heard()[0]);
    assert_eq!(head[0], "post /hook?a=1 http/1.1");
    assert!(head.contains(&"content-type: application/json".to_owned()), "{head:?}");
    assert!(head.contains(&format!("content-length: {}", body.len())), "{head:?}");
    assert_eq!(
        body,
        concat!(
            r#"{"text":"\", \"admin\": true, \"x\": \"\\ \n\t\u0001"#,
            "\u{7f} é 🦀 {{ env.HOME }} $(id) </script> in shop\",",
            r#""apps":["a b","c\"d","{{ x"],"joined":"apps: a b c\"d {{ x","number":-3,"float":1.5,"truth":true,"#,
            r#""day":"2026-01-02","nested":{"list":[1,"two",[],{}]}}"#
        )
    );
}

#[test]
fn a_request_without_a_body_looks_and_one_with_a_text_carries_it_as_it_is() {
    let server = ok();
    project("url = 'URL'", &server).deploy(["notify"]).succeeds();
    project("url = 'URL', body = 'a={{ project }}&b'", &server).deploy(["notify"]).succeeds();
    project("url = 'URL', method = 'POST'", &server).deploy(["notify"]).succeeds();
    project("url = 'URL', method = 'DELETE', json = {}", &server).deploy(["notify"]).succeeds();
    project("url = 'URL', method = 'HEAD'", &server).deploy(["notify"]).succeeds();
    let heard = server.heard();
    assert!(
        heard[0].starts_with("GET / HTTP/1.1\r\n") && !heard[0].to_lowercase().contains("content-length")
    );
    let (head, body) = parts(&heard[1]);
    assert_eq!((head[0].as_str(), body.as_str()), ("post / http/1.1", "a=shop&b"));
    assert!(head.contains(&"content-type: text/plain; charset=utf-8".to_owned()), "{head:?}");
    assert!(parts(&heard[2]).0.contains(&"content-length: 0".to_owned()), "{}", heard[2]);
    assert!(heard[3].starts_with("DELETE / ") && heard[3].ends_with("\r\n\r\n{}"), "{}", heard[3]);
    assert!(heard[4].starts_with("HEAD / "));
}

#[test]
fn headers_are_sent_and_beat_our_own() {
    let server = ok();
    let headers = "headers = { Authorization = 'Bearer {{ env.TOKEN }}', content-type = 'application/x.shop+json', User-Agent = 'shop' }";
    let sandbox = project(&format!("url = 'URL', {headers}, json = [1]"), &server).env("TOKEN", "t0ken");
    sandbox.deploy(["notify"]).succeeds();
    let (head, _) = parts(&server.heard()[0]);
    let count = |name: &str| head.iter().filter(|line| line.starts_with(name)).count();
    assert!(head.contains(&"authorization: bearer t0ken".to_owned()), "{head:?}");
    assert!(head.contains(&"content-type: application/x.shop+json".to_owned()), "{head:?}");
    assert!(head.contains(&"user-agent: shop".to_owned()), "{head:?}");
    assert_eq!((count("content-type:"), count("user-agent:")), (1, 1));
}

#[test]
fn a_redirect_takes_headers_to_the_same_host_and_to_no_other() {
    let other = ok();
    let to = format!("{}/there", other.url());
    let server = Server::new(move |n| Answer::redirect(if n == 1 { "/again" } else { &to }));
    let headers = "headers = { Authorization = 'Bearer hush', X-Token = 'hush', Cookie = 'hush' }";
    project(&format!("url = 'URL/here', {headers}"), &server).deploy(["notify"]).succeeds();
    let here = server.heard();
    assert!(here[1].starts_with("GET /again ") && here[1].contains("Bearer hush"), "{here:?}");
    let there = other.heard();
    assert!(there[0].starts_with("GET /there ") && !there[0].contains("hush"), "{there:?}");
}

#[test]
fn what_was_to_be_sent_is_not_given_to_another_host_nor_lost_on_the_way() {
    let other = ok();
    let away = Answer::redirect(&other.url()).with_status(307);
    let server = Server::always(away);
    let ended = project("url = 'URL', json = { token = 'hush' }", &server).deploy(["notify"]);
    ended.fails_with(1).says("expected 2xx, came 307").says(&other.url());
    assert_eq!(other.requests(), 0);
    // By 302 many a client makes a GET of a POST, and tells of a success.
    let server = Server::new(|n| if n == 1 { Answer::redirect("/new") } else { Answer::new(200, "") });
    project("url = 'URL', json = {}", &server).deploy(["notify"]).fails_with(1).says("/new");
    assert_eq!(server.requests(), 1);
    let server =
        Server::new(
            |n| if n == 1 { Answer::redirect("/new").with_status(308) } else { Answer::new(200, "") },
        );
    project("url = 'URL', body = 'all of it'", &server).deploy(["notify"]).succeeds();
    assert!(server.heard()[1].starts_with("POST /new ") && server.heard()[1].ends_with("\r\n\r\nall of it"));
}

#[test]
fn redirects_in_a_circle_end() {
    let server = Server::new(|_| Answer::redirect("/again"));
    project("url = 'URL'", &server).deploy(["notify"]).fails_with(1).says("came 302").says("loop");
    assert_eq!(server.requests(), 6);
}

#[test]
fn an_answer_that_is_not_good_fails_its_task_and_is_shown() {
    let body = format!("{{\n  \"error\": \"no such\u{1b}[2J project\"\n}}\n{}", "x".repeat(2_000_000));
    let server = Server::always(Answer::new(422, body));
    let sandbox = project("url = 'URL/hook', method = 'PUT'", &server);
    let ended = sandbox.deploy(["notify"]);
    ended.fails_with(1).says(&format!("PUT {}/hook: expected 2xx, came 422", server.url()));
    ended.says(r#"`{ "error": "no such[2J project" } xxx"#).says("xxx…`").never_mentions("\u{1b}");
    assert!(ended.stderr.len() < 2000, "{}", ended.stderr.len());
    assert!(sandbox.has("before") && !sandbox.has("after"));
}

#[test]
fn good_statuses_can_be_others() {
    let server = Server::statuses([409]);
    project("url = 'URL', expect = 409", &server).deploy(["notify"]).succeeds();
    project("url = 'URL', expect = [200, 409]", &server).deploy(["notify"]).succeeds();
    let ended = project("url = 'URL', expect = [200, 201]", &server).deploy(["notify"]);
    ended.fails_with(1).says("expected 200 or 201, came 409");
    let server = Server::always(Answer::redirect("/elsewhere"));
    project("url = 'URL', expect = 302", &server).deploy(["notify"]).succeeds();
    assert_eq!(server.requests(), 1);
}

#[test]
fn it_is_tried_again_as_it_says() {
    let server = Server::statuses([503, 503, 200]);
    let sandbox = Sandbox::new().tasks(&format!(
        "[tasks.notify]\nsteps = [{{ http = {{ url = '{}', json = {{ n = 1 }} }}, retry = {{ times = 3, wait = '1ms' }} }}]\n",
        server.url()
    ));
    sandbox.deploy(["notify"]).succeeds();
    let bodies: Vec<String> = server.heard().iter().map(|request| parts(request).1).collect();
    assert_eq!(bodies, [r#"{"n":1}"#; 3]);
}

#[test]
fn a_timeout_ends_it() {
    let server = Server::always(Answer::none());
    let sandbox = Sandbox::new().tasks(&format!(
        "[tasks.notify]\nsteps = [{{ http = {{ url = '{}' }}, timeout = '200ms' }}]\n",
        server.url()
    ));
    sandbox.deploy(["notify"]).fails_with(124);
}

#[test]
fn ctrl_c_ends_it_at_once_and_what_is_owed_may_be_a_request_too() {
    let server = Server::new(|n| if n == 1 { Answer::none() } else { Answer::new(200, "") });
    let url = server.url();
    let sandbox = Sandbox::new().tasks(&format!(
        "[tasks.notify]\nsteps = ['echo begun', {{ http = {{ url = '{url}', json = {{}} }}, undo = {{ http = {{ url = '{url}/undo', json = [1.5, true, 'x'] }} }} }}]\nalways = [{{ http = {{ url = '{url}/always', method = 'PUT', headers = {{ X-A = 'b' }} }} }}]\n",
    ));
    let running = sandbox.start(["notify"]);
    running.wait_for("begun");
    server.wait_for_requests(1);
    running.signal(Signal::INT);
    running.wait().fails_with(130);
    let heard = server.heard();
    assert!(heard[1].starts_with("PUT /always ") && heard[1].contains("b\r\n"), "{heard:?}");
    assert!(heard[2].starts_with("POST /undo ") && heard[2].ends_with("[1.5,true,\"x\"]"), "{heard:?}");
}

#[test]
fn a_request_that_a_killed_run_owes_is_sent_by_recover() {
    let server = Server::new(|n| if n == 1 { Answer::none() } else { Answer::new(200, "") });
    let sandbox = Sandbox::new().tasks(&format!(
        "[tasks.notify]\nsteps = [{{ http = {{ url = '{url}' }}, undo = {{ http = {{ url = '{url}', method = 'PATCH', expect = [200, 404], json = {{ a = [1.5, true, 'x', {{ b = 2 }}] }} }} }} }}]\n",
        url = server.url()
    ));
    let running = sandbox.start(["notify"]);
    server.wait_for_requests(1);
    running.signal(Signal::KILL);
    running.wait().fails_with(-9);
    sandbox.deploy(["recover"]).ends();
    let heard = server.heard();
    assert!(
        heard[1].starts_with("PATCH ") && heard[1].ends_with(r#"{"a":[1.5,true,"x",{"b":2}]}"#),
        "{heard:?}"
    );
}

#[test]
fn nobody_there_is_told_with_the_address() {
    let server = ok();
    let sandbox = project("url = 'URL/hook', json = {}", &server);
    let url = server.url();
    drop(server);
    sandbox.deploy(["notify"]).fails_with(1).says(&format!("POST {url}/hook: Connection refused"));
}

#[test]
fn a_request_that_can_not_be_sent_is_refused_before_anything_runs() {
    let server = ok();
    for (http, says) in [
        ("url = 'ftp://host/'", "can't be asked"),
        ("url = 'hooks.example.com'", "http://"),
        ("url = 'https://ada:hush@host/'", "Authorization"),
        ("url = 'URL', json = {}, body = ''", "one body"),
        ("url = 'URL', json = {}, method = 'GET'", "GET"),
        ("url = 'URL', method = 'FETCH'", "method"),
        ("url = 'URL', headers = { 'a b' = 'c' }", "header"),
        ("url = 'URL', headers = { Content-Length = '3' }", "deploy sets it itself"),
        ("url = 'URL', headers = { X-A = \"b\\r\\nX-B: c\" }", "one line"),
        ("url = 'URL', json = { n = inf }", "finite"),
        ("url = 'URL', expect = []", "status"),
        ("url = 'URL', expect = 99", "200"),
        ("url = 'URL', header = {}", "headers"),
        ("method = 'GET'", "url"),
        ("url = '{{ env.HOOK }}'", "can't be asked"),
        ("url = 'URL', headers = { X-A = '{{ env.LINES }}' }", "one line"),
        ("url = 'URL', json = { a = [{ b = '{{ nothing }}' }] }", "nothing"),
    ] {
        let sandbox = project(http, &server).env("HOOK", "/hook").env("LINES", "a\nX-B: c");
        sandbox.deploy(["notify"]).fails_with(2).says(says).says("tasks.toml:2");
        assert!(!sandbox.has("before"), "{http}");
    }
    assert_eq!(server.requests(), 0);
}

#[test]
fn a_plan_shows_it_and_sends_nothing() {
    let server = ok();
    let sandbox = Sandbox::new().tasks(&format!(
        "[tasks.notify]\nsteps = [{{ http = {{ url = '{url}/hook', json = {{ text = '{{{{ project }}}} is out' }} }} }}, {{ name = 'purge', http = {{ url = '{url}', method = 'DELETE' }} }}]\n",
        url = server.url()
    ));
    let ended = sandbox.deploy(["notify", "--dry-run"]);
    ended.succeeds().shows(&format!("POST {}/hook\n", server.url())).shows(r#"{"text":"shop is out"}"#);
    ended.shows("purge").shows(&format!("DELETE {}\n", server.url()));
    assert_eq!(server.requests(), 0);
}

#[test]
fn a_plan_takes_an_address_that_is_known_when_run() {
    let server = ok();
    let sandbox = Sandbox::new().tasks(&format!(
        "[vars]\nsite = {{ command = ['echo', '{}'] }}\n[tasks.notify]\nsteps = [{{ http = {{ url = '{{{{ site }}}}/hook' }} }}]\n",
        server.url()
    ));
    sandbox.deploy(["plan", "notify"]).succeeds().shows("GET (known when run: echo ");
    sandbox.deploy(["check"]).succeeds();
    assert_eq!(server.requests(), 0);
    sandbox.deploy(["notify"]).succeeds();
    assert!(server.heard()[0].starts_with("GET /hook "));
}
