//! An HTTP server on this machine that answers as a test says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use super::DEADLINE;

/// What to answer: a status, and a body or, for a redirect, a place; or nothing, until the caller hangs up.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    status: u16,
    header: String,
    body: String,
    speech: Speech,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speech {
    Says,
    Hangs,
    /// Nothing, and the connection is closed.
    Leaves,
    /// A head, then the body's bytes for ever, each piece after the one before was taken.
    Endless,
    /// A head, then a byte now and then, as slowly as a caller bears.
    Drips,
}

/// How much of an endless body is written at once.
const PIECE: usize = 64 * 1024;

/// The pause between two drops.
const DROP: Duration = Duration::from_millis(200);

impl Answer {
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Answer {
        Answer { status, header: String::new(), body: body.into(), speech: Speech::Says }
    }

    pub(crate) fn redirect(to: &str) -> Answer {
        Answer { header: format!("Location: {to}\r\n"), ..Answer::new(302, "") }
    }

    /// Its status and its body.
    pub(crate) fn said(&self) -> (u16, String) {
        (self.status, self.body.clone())
    }

    pub(crate) fn with_status(self, status: u16) -> Answer {
        Answer { status, ..self }
    }

    pub(crate) fn with_header(self, line: &str) -> Answer {
        Answer { header: format!("{}{line}\r\n", self.header), ..self }
    }

    pub(crate) fn none() -> Answer {
        Answer { speech: Speech::Hangs, ..Answer::new(200, "") }
    }

    /// The connection is closed, and nothing is said.
    pub(crate) fn gone() -> Answer {
        Answer { speech: Speech::Leaves, ..Answer::new(200, "") }
    }

    /// A body without an end, as fast as it is read.
    pub(crate) fn endless(body: &str) -> Answer {
        Answer { speech: Speech::Endless, ..Answer::new(200, body) }
    }

    /// A body without an end, a byte now and then.
    pub(crate) fn dripping() -> Answer {
        Answer { speech: Speech::Drips, ..Answer::new(200, ".") }
    }
}

/// A server that runs until it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
    heard: Arc<(Mutex<Vec<String>>, Condvar)>,
    over: Arc<AtomicBool>,
}

impl Server {
    /// Answers request number `n`, counted from 1, with `answer(n)`.
    pub(crate) fn new(answer: impl Fn(usize) -> Answer + Send + 'static) -> Server {
        let count = AtomicUsize::new(0);
        Server::hearing(move |_| answer(count.fetch_add(1, Ordering::SeqCst) + 1))
    }

    /// Answers each request by what it says: its head, an empty line, its body.
    pub(crate) fn hearing(answer: impl Fn(&str) -> Answer + Send + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let server =
            Server { address, requests: Arc::default(), heard: Arc::default(), over: Arc::default() };
        let (requests, over) = (Arc::clone(&server.requests), Arc::clone(&server.over));
        let heard = Arc::clone(&server.heard);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                serve(connection, |request| {
                    heard.0.lock().expect("nobody panics with it").push(request.clone());
                    heard.1.notify_all();
                    requests.fetch_add(1, Ordering::SeqCst);
                    answer(&request)
                });
            }
        });
        server
    }

    /// Always the same answer.
    pub(crate) fn always(answer: Answer) -> Server {
        Server::new(move |_| answer.clone())
    }

    /// These statuses one after the other, the last one for ever.
    pub(crate) fn statuses<const N: usize>(statuses: [u16; N]) -> Server {
        Server::new(move |n| Answer::new(statuses[n.min(N) - 1], "an answer"))
    }

    /// The server's address, as `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests came.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// What came, request by request: the head, an empty line, the body.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.0.lock().expect("nobody panics with it").clone()
    }

    /// Waits until so many requests have come.
    #[track_caller]
    pub(crate) fn wait_for_requests(&self, count: usize) {
        let (heard, more) = (self.heard.0.lock().expect("nobody panics with it"), &self.heard.1);
        let waited = more.wait_timeout_while(heard, DEADLINE, |heard| heard.len() < count);
        let came = waited.expect("nobody panics with it").0.len();
        assert!(came >= count, "{count} requests have to come, and {came} did");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a connection; if it is gone already, all is well.
        let _woken = TcpStream::connect(self.address);
    }
}

/// Reads one request, with the body that its head tells of, and answers it. A caller that hangs up is not our concern.
fn serve(mut connection: TcpStream, answer: impl FnOnce(String) -> Answer) {
    connection.set_read_timeout(Some(DEADLINE)).expect("a deadline is not zero");
    let mut reader = BufReader::new(connection.try_clone().expect("a connection of ours"));
    let mut request = String::new();
    while !request.ends_with("\r\n\r\n") {
        if !reader.read_line(&mut request).is_ok_and(|count| count > 0) {
            return;
        }
    }
    let head = request.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    request.push_str(&String::from_utf8_lossy(&body));
    let Answer { status, header, body, speech } = answer(request);
    let head = |length: &str| format!("HTTP/1.1 {status} Test\r\n{header}{length}Connection: close\r\n\r\n");
    // What does not end is on a thread of its own: others may ask meanwhile.
    match speech {
        Speech::Says => {
            let length = format!("Content-Length: {}\r\n", body.len());
            let _hung_up = write!(connection, "{}{body}", head(&length));
        }
        Speech::Leaves => {}
        Speech::Hangs => drop(thread::spawn(move || reader.read(&mut [0]))),
        Speech::Endless => {
            let _hung_up = connection.write_all(head("").as_bytes());
            let piece = body.repeat(PIECE / body.len());
            thread::spawn(move || while connection.write_all(piece.as_bytes()).is_ok() {});
        }
        Speech::Drips => {
            let _hung_up = connection.write_all(head("").as_bytes());
            connection.set_read_timeout(Some(DROP)).expect("it is not zero");
            thread::spawn(move || {
                // It hears nothing until the caller hangs up.
                while reader.read(&mut [0]).is_err() && connection.write_all(body.as_bytes()).is_ok() {}
            });
        }
    }
}
