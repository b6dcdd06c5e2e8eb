//! A service on this machine that is well or unwell in one of many manners. What it was before has ended, and lets its
//! address go, before it becomes something else.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long a caller may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(10);

/// A version that nobody has released.
const ANOTHER: &str = "0000000000000000000000000000000000000000";

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    IsWell,
    /// 500.
    Fails,
    /// Takes connections, and never answers.
    IsSilent,
    /// Nothing listens.
    IsGone,
    /// Says 200, and another version.
    IsAnother,
    /// Answers well once, and is gone.
    Crashes,
}

const WORDS: [(Manner, &str); 6] = [
    (Manner::IsWell, "well"),
    (Manner::Fails, "fails"),
    (Manner::IsSilent, "silent"),
    (Manner::IsGone, "gone"),
    (Manner::IsAnother, "another"),
    (Manner::Crashes, "crashes"),
];

impl Manner {
    /// How it stands in a file.
    pub(crate) fn word(self) -> &'static str {
        WORDS.iter().find(|(manner, _)| *manner == self).expect("each has a word").1
    }

    pub(crate) fn of(word: &str) -> Manner {
        WORDS.iter().find(|(_, known)| *known == word.trim()).expect("a word of ours").0
    }
}

/// A service at one address. It ends when it is dropped.
pub(crate) struct Service {
    address: SocketAddr,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Service {
    /// One that has no release yet: its address is its own, and it fails.
    pub(crate) fn start() -> Service {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let mut service = Service { address, over: Arc::default(), thread: None };
        service.serve(listener, Manner::Fails, "");
        service
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Ends what it was, and begins to be something else.
    pub(crate) fn become_anew(&mut self, manner: Manner, version: &str) {
        self.end();
        if manner != Manner::IsGone {
            let listener = TcpListener::bind(self.address).expect("nobody took its port meanwhile");
            self.serve(listener, manner, version);
        }
    }

    /// What it answers now, whole.
    pub(crate) fn ask(&self) -> String {
        let Ok(mut connection) = TcpStream::connect(self.address) else { return String::new() };
        connection.set_read_timeout(Some(PATIENCE)).expect("it is not zero");
        let mut answer = String::new();
        // One that hangs up, or says nothing, has said what came until then.
        let _asked = connection.write_all(b"GET / HTTP/1.1\r\nHost: service\r\nConnection: close\r\n\r\n");
        let _answered = connection.read_to_string(&mut answer);
        answer
    }

    fn serve(&mut self, listener: TcpListener, manner: Manner, version: &str) {
        self.over = Arc::default();
        let (over, version) = (Arc::clone(&self.over), version.to_owned());
        self.thread = Some(thread::spawn(move || {
            // They are held open as long as it is silent.
            let mut silent = Vec::new();
            for connection in listener.incoming().flatten() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                match manner {
                    Manner::IsWell => answer(connection, 200, &version),
                    Manner::Fails => answer(connection, 500, &version),
                    Manner::IsAnother => answer(connection, 200, ANOTHER),
                    Manner::IsSilent => silent.push(connection),
                    Manner::Crashes => return answer(connection, 200, &version),
                    Manner::IsGone => return,
                }
            }
        }));
    }

    fn end(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a connection; if it is gone already, all is well.
        let _woken = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("it does not panic");
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.end();
    }
}

/// Reads one request, and answers it. A caller that hangs up is not our concern.
fn answer(mut connection: TcpStream, status: u16, version: &str) {
    connection.set_read_timeout(Some(PATIENCE)).expect("it is not zero");
    let head = BufReader::new(&connection).lines().map_while(Result::ok);
    let _read = head.take_while(|line| !line.is_empty()).count();
    let _hung_up = write!(
        connection,
        "HTTP/1.1 {status} Service\r\nX-Version: {version}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{version}",
        version.len()
    );
}
