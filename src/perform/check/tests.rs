//! A real server on this machine, which answers as each test says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use super::*;
use crate::diagnostic::Span;
use crate::model::text::Text;

/// Longer than any test.
const FOREVER: Duration = Duration::from_hours(1);

/// A server that gives these answers in turn, then the last one for ever. It tells each request that it got.
struct Server {
    url: String,
    requests: Receiver<String>,
}

/// What the server does with a connection.
#[derive(Clone)]
enum Does {
    Says(String),
    Hangs,
    Closes,
}

fn server(answers: Vec<Does>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/healthz", listener.local_addr().unwrap());
    let (sender, requests) = channel();
    thread::spawn(move || {
        let mut hanging = Vec::new();
        for (number, stream) in listener.incoming().enumerate() {
            let answer = answers[number.min(answers.len() - 1)].clone();
            serve(stream.unwrap(), answer, &sender, &mut hanging);
        }
    });
    Server { url, requests }
}

fn serve(mut stream: TcpStream, does: Does, requests: &Sender<String>, hanging: &mut Vec<TcpStream>) {
    let mut head = String::new();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while reader.read_line(&mut head).is_ok_and(|count| count > 2) {}
    let _gone = requests.send(head);
    match does {
        Does::Says(text) => {
            let _gone = stream.write_all(text.as_bytes());
        }
        Does::Hangs => hanging.push(stream),
        Does::Closes => {}
    }
}

fn says(status: &str, body: &str) -> Does {
    Does::Says(format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
}

fn health(url: &str) -> Health<Planned> {
    Health {
        url: Text::from(url),
        status: 200,
        contains: None,
        version: None,
        within: FOREVER,
        every: Duration::from_millis(1),
        streak: 1,
        at: Span::default(),
    }
}

/// Time for one probe and not for another.
fn once(health: Health<Planned>) -> Health<Planned> {
    Health { within: LAST_PROBE, every: PROBE, ..health }
}

/// The result, the notes, and how often the server was asked.
fn checked(health: &Health<Planned>) -> (Result<(), Failure>, Vec<String>) {
    let mut notes = Vec::new();
    let result = check(health, &Vault::default(), None, &Stop::new(FOREVER), &mut |told| match told {
        Told::Note(note) => notes.push(note),
        Told::Output(..) | Told::OnHost(..) | Told::LeftRunning => panic!("a check prints nothing"),
    });
    (result, notes)
}

fn said(result: Result<(), Failure>) -> (String, String) {
    match result.unwrap_err() {
        Failure::Unhealthy { message, help, .. } | Failure::Refused { message, help } => {
            (message, help.unwrap())
        }
        other => panic!("a failure without words: {other:?}"),
    }
}

#[test]
fn it_waits_until_the_answer_is_as_it_must_be_and_tells_what_is_new() {
    let bad = says("502 Bad Gateway", "\n  the worker\u{1b}[2J is away \nmore");
    let server =
        server(vec![bad, says("502 Bad Gateway", "10:31:02"), Does::Closes, says("200 OK", "release 3")]);
    let (result, notes) = checked(&health(&server.url));
    assert_eq!(result, Ok(()));
    assert_eq!(notes[0], format!("{}: 502 `the worker[2J is away`", server.url));
    assert!(notes[2].starts_with(&format!("{} is healthy (4 probes in ", server.url)), "{}", notes[2]);
    assert_eq!((notes.len(), server.requests.try_iter().count()), (3, 4));
}

#[test]
fn a_bad_answer_begins_the_streak_again() {
    let (good, bad) = (says("200 OK", ""), says("500 No", ""));
    let server = server(vec![good.clone(), good.clone(), bad, good]);
    let (result, _) = checked(&Health { streak: 3, ..health(&server.url) });
    assert_eq!((result, server.requests.try_iter().count()), (Ok(()), 6));
}

#[test]
fn status_and_content_must_both_be_right() {
    let server =
        server(vec![says("200 OK", "old"), says("418 Teapot", "new"), says("418 Teapot", "a new one")]);
    let wanted = Health { status: 418, contains: Some(Text::from("new o")), ..health(&server.url) };
    assert_eq!((checked(&wanted).0, server.requests.try_iter().count()), (Ok(()), 3));
}

#[test]
fn what_was_expected_and_what_came_is_told_without_credentials() {
    let server = server(vec![says("200 OK", &"x".repeat(500))]);
    let url = server.url.replace("http://", "http://bob:hush@");
    let unmet = Health { contains: Some(Text::from("release 4")), streak: 2, ..once(health(&url)) };
    let (result, notes) = checked(&unmet);
    let (message, help) = said(result);
    let shown = server.url.replace("http://", "http://…@");
    let expected = format!(
        "{shown} is not healthy: expected 200 with `release 4` in its body 2 times in a row (it came to 0), \
         last came 200 `{}…` (",
        "x".repeat(120)
    );
    assert!(message.starts_with(&expected), "{message}");
    assert_eq!(help, "is it the right address, and the release that should answer there?");
    assert_eq!(notes.len(), 1);
}

#[test]
fn a_redirect_is_followed_unless_it_is_what_is_expected() {
    let moved = Does::Says("HTTP/1.1 302 Found\r\nLocation: /well\r\nContent-Length: 0\r\n\r\n".to_owned());
    let first = server(vec![moved.clone()]);
    assert_eq!(checked(&Health { status: 302, ..health(&first.url) }).0, Ok(()));
    assert!(first.requests.try_iter().all(|request| !request.contains("/well")));
    let second = server(vec![moved, says("200 OK", "")]);
    assert_eq!(checked(&health(&second.url)).0, Ok(()));
    assert!(second.requests.try_iter().any(|request| request.contains("/well")));
}

#[test]
fn a_service_that_is_not_there_is_told_so() {
    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let absent = once(health(&format!("http://{unused}/")));
    let (message, help) = said(checked(&absent).0);
    assert!(message.contains("last came Connection refused"), "{message}");
    assert!(help.starts_with("nothing listens there"));
    for wrong in ["ftp://host/", "healthz", "/healthz", "http://", "https://a b/"] {
        let result = checked(&health(wrong)).0;
        assert!(matches!(result, Err(Failure::Refused { .. })), "{wrong}: {result:?}");
    }
}

#[test]
fn an_answer_that_is_not_encrypted_is_no_answer_to_https() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let _gone = stream
                .unwrap()
                .write_all(b"HTTP/1.1 400 This is a plain text port, spoken to in TLS\r\n\r\n");
        }
    });
    let (message, help) = said(checked(&once(health(&url))).0);
    assert!(message.contains("expected 200, last came "), "{message}");
    assert!(help.contains("certificate"), "{message}: {help}");
    assert!(message.starts_with("nobody can tell from here whether https://"), "{message}");
}

#[test]
fn a_server_that_hangs_holds_nobody_longer_than_the_time_that_was_given() {
    let server = server(vec![Does::Hangs]);
    let began = Instant::now();
    let (message, _) = said(checked(&Health { within: Duration::from_millis(300), ..health(&server.url) }).0);
    assert!(message.contains("last came no answer within 0.3 s (1 probe in "), "{message}");
    assert!(began.elapsed() < PROBE, "{:?}", began.elapsed());
}

#[test]
fn a_deadline_of_the_step_comes_before_the_time_of_the_check() {
    let server = server(vec![Does::Hangs]);
    let deadline = Instant::now() + Duration::from_millis(100);
    let result =
        check(&health(&server.url), &Vault::default(), Some(deadline), &Stop::new(FOREVER), &mut |_| ());
    assert!(matches!(result, Err(Failure::TimedOut(_))), "{result:?}");
}

#[test]
fn a_run_that_stops_waits_neither_for_an_answer_nor_for_the_next_probe() {
    for (does, every) in [(Does::Hangs, Duration::ZERO), (says("500 No", ""), FOREVER)] {
        let server = server(vec![does]);
        let stop = Stop::new(FOREVER);
        let (requests, stop_now) = (server.requests, &stop);
        let took = thread::scope(|scope| {
            let asked = scope.spawn(move || {
                requests.recv().unwrap();
                let asked = Instant::now();
                stop_now.ask(2);
                asked
            });
            let result =
                check(&Health { every, ..health(&server.url) }, &Vault::default(), None, &stop, &mut |_| ());
            assert_eq!(result, Err(Failure::Stopped));
            asked.join().unwrap().elapsed()
        });
        assert!(took < PROBE / 2, "{took:?}");
    }
}

#[test]
fn an_endless_body_is_cut() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _gone = stream.read(&mut [0; 4096]);
        let _gone = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nthe begin");
        while stream.write_all(&vec![b'x'; 65536]).is_ok() {}
    });
    let endless = Health { contains: Some(Text::from("the begin")), ..health(&url) };
    assert_eq!(checked(&endless).0, Ok(()));
}

#[test]
fn the_last_probe_gets_some_time_even_if_every_is_longer() {
    let second = Duration::from_secs(1);
    assert_eq!(pause(second, 10 * second), Some(second));
    assert_eq!(pause(30 * second, 10 * second), Some(9 * second));
    assert_eq!(pause(30 * second, second / 2), None);
    assert_eq!(pause(second, second), Some(Duration::ZERO));
}

/// The first thing that takes time is to ask for the name's address: that it was not told says as little as silence.
#[test]
fn a_probe_that_is_cut_off_has_found_out_nothing() {
    let server = server(vec![Does::Hangs]);
    let stop = Stop::new(Duration::ZERO);
    let prober = Prober::new(&health(&server.url), &Vault::default()).unwrap();
    for microseconds in 0..500 {
        let found = prober.probe(Duration::from_micros(microseconds), &stop).unwrap();
        assert!(found.is_out_of_time(), "{found}");
    }
}
