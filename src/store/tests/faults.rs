//! What may go wrong on the way to a store, played by a server of our own that speaks as much of S3 as is asked.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::{LARGE, content, create, go};
use crate::model::store::{Address, Keys, Place};
use crate::process::Stop;
use crate::store::{Store, StoreError};

/// Far beyond what a refusal takes, far below what silence would without a bound.
const SOON: Duration = Duration::from_secs(20);

/// What a server does with a request.
enum Reply {
    Answer(u16, &'static str),
    /// A `HEAD` that finds this much, or the bytes of a range.
    Object(Vec<u8>),
    /// Closes the connection before it answers, or after half of what it said it would send.
    Cut,
    CutBody(Vec<u8>),
    Silence,
}

/// The answers, by the request's line and how often it came before; and those lines as they come.
fn server(reply: impl Fn(&str, usize) -> Reply + Send + 'static) -> (Store, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let (mut asked, mut silent) = (HashMap::new(), Vec::new());
        // One request a connection, one after the other: that is how deploy asks.
        for mut stream in listener.incoming().map_while(Result::ok) {
            let Some(line) = request(&stream) else { continue };
            let before = asked.entry(line.clone()).or_insert(0);
            let reply = reply(&line, *before);
            *before += 1;
            // The test may have seen enough.
            let (_told, is_head) = (sender.send(line.clone()), line.starts_with("HEAD"));
            match reply {
                Reply::Answer(status, body) => answer(&mut stream, status, body.as_bytes(), body.len()),
                Reply::Object(content) if is_head => answer(&mut stream, 200, b"", content.len()),
                Reply::Object(content) => answer(&mut stream, 206, &content, content.len()),
                Reply::CutBody(content) => {
                    answer(&mut stream, 206, &content[..content.len() / 2], content.len());
                }
                Reply::Cut => {}
                Reply::Silence => silent.push(stream),
            }
        }
    });
    (store(&endpoint), receiver)
}

fn store(endpoint: &str) -> Store {
    let place = Place {
        address: Address::parse("s3://builds").unwrap(),
        endpoint: Some(endpoint.to_owned()),
        region: None,
        keys: Keys::default(),
    };
    let key = |name: &str| name.starts_with("AWS_").then(|| "secret-key".to_owned());
    Store::open(&place, Path::new("/"), &key).unwrap()
}

/// Reads a request; its first line up to the version.
fn request(stream: &TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let (mut first, mut length) = (None, 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim_end().to_ascii_lowercase();
        match line.split_once(": ") {
            _ if line.is_empty() => break,
            Some(("content-length", said)) => length = said.parse().ok()?,
            Some(("expect", _)) => (&*stream).write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?,
            _ => first = first.or_else(|| Some(line.strip_suffix(" http/1.1")?.replacen("head", "HEAD", 1))),
        }
    }
    std::io::copy(&mut reader.take(length), &mut std::io::sink()).ok()?;
    first
}

fn answer(stream: &mut TcpStream, status: u16, body: &[u8], length: usize) {
    let head = format!(
        "HTTP/1.1 {status} x\r\ncontent-length: {length}\r\netag: \"tag\"\r\nconnection: close\r\n\r\n"
    );
    // Who has heard enough is gone.
    let _told = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
}

fn error_of(store: &Store) -> String {
    let began = Instant::now();
    let error = store.write("a/b", &go(), &mut |object| object.write_all(b"x")).unwrap_err().to_string();
    assert!(began.elapsed() < SOON, "it took {:?}", began.elapsed());
    assert!(!error.contains("secret-key") && !error.contains('\n'), "{error}");
    error
}

#[test]
fn what_refuses_is_told_with_what_to_do() {
    let denied = "<Error><Code>SignatureDoesNotMatch</Code><Message>No such key</Message></Error>";
    let (refusing, _) = server(move |_, _| Reply::Answer(403, denied));
    assert_eq!(
        error_of(&refusing),
        "can't write `a/b` in s3://builds: it refuses these credentials (SignatureDoesNotMatch: No such key); are they \
         right (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION), and may they do this there?"
    );
    let (full, _) = server(|_, _| Reply::Answer(507, ""));
    assert_eq!(error_of(&full), "can't write `a/b` in s3://builds: it is full; make room there");
    assert_eq!(
        error_of(&store("http://127.0.0.1:1")),
        "can't write `a/b` in s3://builds: nothing listens there; is its `endpoint`, or its `region`, right?"
    );
}

#[test]
fn a_store_that_says_nothing_is_given_up() {
    let (silent, asked) = server(|_, _| Reply::Silence);
    let error = error_of(&silent);
    assert!(
        error.contains("no answer within 1 s, and it was asked 2 times; can this machine reach it?"),
        "{error}"
    );
    assert_eq!(asked.try_iter().count(), 2, "it is asked once more");
}

/// What may have been done is not asked for again, and not said to have been.
#[test]
fn what_is_sent_under_a_condition_is_asked_for_once() {
    let (cutting, asked) = server(|line, _| match line {
        line if line.starts_with("HEAD") => Reply::Answer(404, ""),
        _ => Reply::Cut,
    });
    let error = create(&cutting, "a", b"x").unwrap_err().to_string();
    assert_eq!(error, "can't write `a` in s3://builds: the connection was cut; can this machine reach it?");
    assert_eq!(asked.try_iter().filter(|line| line.starts_with("put")).count(), 1);
}

#[test]
fn ctrl_c_ends_a_request_that_is_under_way() {
    let (silent, asked) = server(|_, _| Reply::Silence);
    let stop = &Stop::new(Duration::ZERO);
    std::thread::scope(|scope| {
        let stopping = scope.spawn(move || {
            asked.recv().unwrap();
            stop.ask(2);
            Instant::now()
        });
        let ended = silent.list("", stop);
        let took = stopping.join().unwrap().elapsed();
        assert!(matches!(ended, Err(StoreError::Stopped)), "{ended:?}");
        assert!(took < Duration::from_millis(800), "it took {took:?}");
    });
}

#[test]
fn what_passes_is_tried_again() {
    let (busy, asked) = server(|_, before| Reply::Answer(if before < 2 { 503 } else { 200 }, ""));
    busy.write("a", &go(), &mut |object| object.write_all(b"x")).unwrap();
    assert_eq!(asked.try_iter().count(), 3);
    let (down, asked) = server(|_, _| Reply::Answer(503, ""));
    assert_eq!(
        error_of(&down),
        "can't write `a/b` in s3://builds: it answers 503 Service Unavailable, and it was asked 4 times; try again later"
    );
    assert_eq!(asked.try_iter().count(), 4, "it is not tried for ever");
    let (down, asked) = server(|line, _| match line {
        line if line.starts_with("get") => Reply::Answer(503, ""),
        _ => Reply::Object(content(9)),
    });
    let stop = go();
    let error = down.read("a", &stop).unwrap().unwrap().read_to_end(&mut Vec::new()).unwrap_err();
    let error = StoreError::from(error).to_string();
    assert!(error.starts_with("can't read `a` in s3://builds: it answers 503 "), "{error}");
    assert_eq!(asked.try_iter().filter(|line| line.starts_with("get")).count(), 4, "nor is a part");
}

const BEGUN: &str = "<InitiateMultipartUploadResult><UploadId>one</UploadId></InitiateMultipartUploadResult>";
const DONE: &str = "<CompleteMultipartUploadResult><ETag>tag</ETag></CompleteMultipartUploadResult>";

#[test]
fn a_part_whose_connection_is_cut_is_sent_again() {
    let (cutting, asked) = server(|line, before| match line {
        line if line.starts_with("HEAD") => Reply::Answer(404, ""),
        line if line.contains("?uploads") => Reply::Answer(200, BEGUN),
        line if line.contains("partnumber=2") && before == 0 => Reply::Cut,
        line if line.starts_with("post") => Reply::Answer(200, DONE),
        _ => Reply::Answer(200, ""),
    });
    create(&cutting, "a", &content(LARGE)).unwrap();
    let asked: Vec<String> = asked.try_iter().collect();
    assert_eq!(asked.iter().filter(|line| line.contains("partnumber=2")).count(), 2, "{asked:?}");
}

/// What was begun is given up, so that nobody pays for it.
#[test]
fn an_upload_that_fails_is_aborted() {
    let (failing, asked) = server(|line, _| match line {
        line if line.starts_with("HEAD") => Reply::Answer(404, ""),
        line if line.contains("?uploads") => Reply::Answer(200, BEGUN),
        line if line.contains("partnumber=2") => Reply::Answer(507, ""),
        _ => Reply::Answer(200, ""),
    });
    let error = create(&failing, "a", &content(LARGE)).unwrap_err().to_string();
    assert!(error.contains("it is full"), "{error}");
    let last = asked.try_iter().last().unwrap();
    assert!(last.starts_with("delete") && last.contains("uploadid=one"), "{last}");
}

#[test]
fn what_is_cut_while_it_is_read_is_read_on() {
    let whole = content(100_000);
    let served = whole.clone();
    let (cutting, _) = server(move |line, before| match line {
        line if line.starts_with("get") && before == 0 => Reply::CutBody(served.clone()),
        _ => Reply::Object(served.clone()),
    });
    assert!(super::read(&cutting, "a").unwrap() == whole, "it is whole");

    let (cutting, _) = server(move |line, _| match line {
        line if line.starts_with("get") => Reply::CutBody(whole.clone()),
        _ => Reply::Object(whole.clone()),
    });
    let stop = go();
    let mut object = cutting.read("a", &stop).unwrap().unwrap();
    let error = StoreError::from(object.read_to_end(&mut Vec::new()).unwrap_err()).to_string();
    assert!(error.starts_with("can't read `a` in s3://builds: the connection was cut"), "{error}");
}
