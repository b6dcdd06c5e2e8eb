//! A platform's API, as far as the tests need it. It keeps what it was asked, so that the vendor's own client can be asked
//! the same and both be compared; and it can be at fault in the ways that networks are.

use std::collections::VecDeque;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::{Answer, Server};

/// One request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// The path, with what stands behind `?`.
    pub(crate) path: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: Value,
}

/// What happens to a request.
enum Fault {
    /// It is answered so, and nothing is done.
    Instead(Answer),
    /// It is done, and the connection is cut before the answer.
    Lost,
}

/// What it was asked, and what it is to do wrong.
#[derive(Default)]
struct Desk {
    asked: Vec<Asked>,
    /// Each request that was answered as it should be, and its answer: what a document of the vendor's may judge.
    said: Vec<(Asked, u16, String)>,
    faults: VecDeque<(String, Fault)>,
}

/// A platform that runs until it is dropped.
pub(crate) struct Vendor {
    server: Server,
    desk: Arc<Mutex<Desk>>,
}

impl Vendor {
    /// Answers each request with what `answer` says.
    pub(crate) fn new(answer: impl Fn(&Asked) -> Answer + Send + 'static) -> Vendor {
        let desk: Arc<Mutex<Desk>> = Arc::default();
        let kept = Arc::clone(&desk);
        let server = Server::hearing(move |request| {
            let asked = Asked::read(request);
            let fault = {
                let mut desk = kept.lock().expect("nobody panics with it");
                desk.asked.push(asked.clone());
                let is_next =
                    desk.faults.front().is_some_and(|(line, _)| asked.line().starts_with(line.as_str()));
                is_next.then(|| desk.faults.pop_front()).flatten()
            };
            match fault {
                Some((_, Fault::Instead(answer))) => answer,
                Some((_, Fault::Lost)) => {
                    let _done = answer(&asked);
                    Answer::gone()
                }
                None => {
                    let answer = answer(&asked);
                    let (status, body) = answer.said();
                    kept.lock().expect("nobody panics with it").said.push((asked, status, body));
                    answer
                }
            }
        });
        Vendor { server, desk }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// The next request that begins so (`POST /v1/…`), after those that were said before, gets another answer.
    pub(crate) fn instead(&self, line: &str, answer: Answer) -> &Vendor {
        self.desk().faults.push_back((line.to_owned(), Fault::Instead(answer)));
        self
    }

    /// The next request that begins so is done, and its answer is lost.
    pub(crate) fn loses_answer_to(&self, line: &str) -> &Vendor {
        self.desk().faults.push_back((line.to_owned(), Fault::Lost));
        self
    }

    /// What it was asked since the last time.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        let mut desk = self.desk();
        assert!(desk.faults.is_empty(), "what was to go wrong did not come about");
        std::mem::take(&mut desk.asked)
    }

    /// All that was asked and rightly answered, as JSON.
    pub(crate) fn said(&self) -> String {
        let said = std::mem::take(&mut self.desk().said);
        let one = |(asked, status, body): (Asked, u16, String)| {
            let answer = serde_json::from_str(&body).unwrap_or(Value::String(body));
            json!({ "method": asked.method, "path": asked.path, "body": asked.body, "status": status, "answer": answer })
        };
        said.into_iter().map(one).collect::<Value>().to_string()
    }

    fn desk(&self) -> std::sync::MutexGuard<'_, Desk> {
        self.desk.lock().expect("nobody panics with it")
    }
}

/// What a form says, which some clients send in JSON's place; null if it is none.
fn form(body: &str) -> Value {
    let pairs = body.split('&').filter_map(|pair| pair.split_once('='));
    let object: serde_json::Map<_, _> =
        pairs.map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
    if object.is_empty() { Value::Null } else { Value::Object(object) }
}

impl Asked {
    fn read(request: &str) -> Asked {
        let (head, body) = request.split_once("\r\n\r\n").expect("a head and a body");
        let mut words = head.lines().next().expect("a first line").split(' ');
        let header = |name: &str| {
            head.lines()
                .filter_map(|line| line.split_once(": "))
                .find_map(|(key, value)| key.eq_ignore_ascii_case(name).then(|| value.to_owned()))
        };
        Asked {
            method: words.next().expect("a method").to_owned(),
            path: words.next().expect("a path").to_owned(),
            authorization: header("authorization"),
            body: serde_json::from_str(body).unwrap_or_else(|_| form(body)),
        }
    }

    /// `GET /path`.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Method, path without what stands behind `?`, and body: what two clients must have in common.
    pub(crate) fn essence(&self) -> (String, Value) {
        let path = self.path.split('?').next().unwrap_or_default().trim_end_matches('/');
        (format!("{} {path}", self.method), self.body.clone())
    }
}

/// What the vendor's own client asks.
#[track_caller]
pub(crate) fn asked_by(script: &str, vendor: &Vendor, arguments: &[&str]) -> Vec<Asked> {
    let _before = vendor.asked();
    let url = vendor.url();
    let arguments: Vec<&str> = [url.as_str()].into_iter().chain(arguments.iter().copied()).collect();
    python(script, &arguments, "");
    vendor.asked()
}

/// Runs a script of `tests/vendors` by the Python that `tests/run` sets up; it must succeed.
#[track_caller]
pub(crate) fn python(script: &str, arguments: &[&str], input: &str) {
    let root = env!("CARGO_MANIFEST_DIR");
    let python = format!("{root}/target/tools/vendors/bin/python");
    assert!(
        std::path::Path::new(&python).exists(),
        "the vendors' clients are missing; this installs them: tests/run"
    );
    let mut command = Command::new(python);
    command.arg(format!("{root}/tests/vendors/{script}")).args(arguments).current_dir(root);
    command.env("PYTHONDONTWRITEBYTECODE", "1").stdin(Stdio::piped());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a Python");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads what it is to judge");
    let ran = child.wait_with_output().expect("a child of ours");
    assert!(ran.status.success(), "{script}: {}", String::from_utf8_lossy(&ran.stderr));
}
