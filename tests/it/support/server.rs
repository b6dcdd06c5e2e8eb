//! An HTTP server on this machine that answers as a test says.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::DEADLINE;

/// What to answer: a status, and a body or, for a redirect, a place.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    status: u16,
    header: String,
    body: String,
}

impl Answer {
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Answer {
        Answer { status, header: String::new(), body: body.into() }
    }

    pub(crate) fn redirect(to: &str) -> Answer {
        Answer { status: 302, header: format!("Location: {to}\r\n"), body: String::new() }
    }
}

/// A server that runs until it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
}

impl Server {
    /// Answers request number `n`, counted from 1, with `answer(n)`.
    pub(crate) fn new(answer: impl Fn(usize) -> Answer + Send + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let server = Server { address, requests: Arc::default(), over: Arc::default() };
        let (requests, over) = (Arc::clone(&server.requests), Arc::clone(&server.over));
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                serve(connection, || answer(requests.fetch_add(1, Ordering::SeqCst) + 1));
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
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a connection; if it is gone already, all is well.
        let _woken = TcpStream::connect(self.address);
    }
}

/// Reads one request up to its empty line and answers it. A caller that hangs up is not our concern.
fn serve(mut connection: TcpStream, answer: impl FnOnce() -> Answer) {
    connection.set_read_timeout(Some(DEADLINE)).expect("a deadline is not zero");
    let mut lines = BufReader::new(&connection).lines().map_while(Result::ok);
    if !lines.any(|line| line.is_empty()) {
        return;
    }
    let Answer { status, header, body } = answer();
    let length = body.len();
    let _hung_up = write!(
        connection,
        "HTTP/1.1 {status} Test\r\n{header}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
}
