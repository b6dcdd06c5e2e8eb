//! The way to a server: each request is handed on, and counted; or it goes wrong as a test says, in the ways that networks
//! and stores have. It takes one request a connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

use super::DEADLINE;

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Passes,
    /// The connection is cut when half of its body has come.
    Cut,
    /// It is taken, and nothing is ever said.
    Silence,
    /// It is not handed on, and this is the answer: a status and a body.
    Instead(u16, &'static str),
    /// It is handed on with another byte in the middle of its body.
    Altered,
    /// It is handed on, and the connection is cut before the answer.
    Unanswered,
}

/// How many requests have come, and how many bytes of them and of their answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Passed {
    pub(crate) requests: u64,
    pub(crate) sent: u64,
    pub(crate) answered: u64,
}

type Judge = Box<dyn Fn(&str) -> Fate + Send>;

struct Desk {
    judge: Judge,
    /// The first line of each request, up to the version.
    asked: Vec<String>,
    passed: Passed,
    /// Those that wait for an answer that does not come.
    silent: Vec<TcpStream>,
}

/// A way that is open until it is dropped.
pub(crate) struct Passage {
    address: SocketAddr,
    desk: Arc<(Mutex<Desk>, Condvar)>,
    over: Arc<AtomicBool>,
}

impl Passage {
    /// To a server at `http://ADDRESS`.
    pub(crate) fn to(endpoint: &str) -> Passage {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let server = endpoint.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let desk = Desk {
            judge: Box::new(|_| Fate::Passes),
            asked: Vec::new(),
            passed: Passed::default(),
            silent: Vec::new(),
        };
        let passage =
            Passage { address, desk: Arc::new((Mutex::new(desk), Condvar::new())), over: Arc::default() };
        let (desk, over) = (Arc::clone(&passage.desk), Arc::clone(&passage.over));
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let (desk, server) = (Arc::clone(&desk), server.clone());
                // Who hangs up, on either side, is not our concern.
                thread::spawn(move || drop(hand_on(connection, &server, &desk)));
            }
        });
        passage
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on this decides, by a request's first line: `PUT /bucket/object?query`.
    pub(crate) fn judge(&self, judge: impl Fn(&str) -> Fate + Send + 'static) {
        self.desk().judge = Box::new(judge);
    }

    /// The first lines of those that came since the last time.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.desk().asked)
    }

    /// Waits until a request has come whose first line fits.
    #[track_caller]
    pub(crate) fn wait_for(&self, fits: impl Fn(&str) -> bool) {
        let came = |desk: &Desk| desk.asked.iter().any(|line| fits(line));
        let waited = self.desk.1.wait_timeout_while(self.desk(), DEADLINE, |desk| !came(desk));
        let desk = waited.expect("nobody panics with it").0;
        assert!(came(&desk), "it did not come; these did: {:?}", desk.asked);
    }

    pub(crate) fn passed(&self) -> Passed {
        self.desk().passed
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.0.lock().expect("nobody panics with it")
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        self.desk().silent.clear();
        // Wakes the thread that waits for a connection; if it is gone already, all is well.
        let _woken = TcpStream::connect(self.address);
    }
}

/// One request, and its answer.
fn hand_on(
    mut connection: TcpStream,
    server: &str,
    (desk, came): &(Mutex<Desk>, Condvar),
) -> std::io::Result<()> {
    connection.set_read_timeout(Some(DEADLINE))?;
    let mut reader = BufReader::new(connection.try_clone()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    let header = |name: &str| {
        let lines = head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.into_iter().find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
    };
    let length: usize = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    if header("expect").is_some() {
        connection.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let line = head.split(" HTTP/").next().unwrap_or_default().to_owned();
    let fate = {
        let desk = desk.lock().expect("nobody panics with it");
        (desk.judge)(&line)
    };
    let mut body = vec![0; if fate == Fate::Cut { length / 2 } else { length }];
    reader.read_exact(&mut body)?;
    {
        let mut desk = desk.lock().expect("nobody panics with it");
        desk.passed.requests += 1;
        desk.passed.sent += (head.len() + body.len()) as u64;
        desk.asked.push(line);
        if fate == Fate::Silence {
            desk.silent.push(connection.try_clone()?);
        }
    }
    came.notify_all();
    match fate {
        Fate::Cut | Fate::Silence => return Ok(()),
        Fate::Instead(status, body) => {
            let length = body.len();
            return write!(
                connection,
                "HTTP/1.1 {status} Instead\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
        }
        Fate::Altered => body[length / 2] ^= 1,
        Fate::Passes | Fate::Unanswered => {}
    }
    let mut onward = TcpStream::connect(server)?;
    let (first, headers) = head.split_once("\r\n").expect("it has a first line");
    let stays = |line: &&str| {
        let name = line.to_ascii_lowercase();
        !name.is_empty() && !name.starts_with("connection:") && !name.starts_with("expect:")
    };
    let headers: Vec<&str> = headers.lines().filter(stays).chain(["Connection: close"]).collect();
    write!(onward, "{first}\r\n{}\r\n\r\n", headers.join("\r\n"))?;
    onward.write_all(&body)?;
    if fate == Fate::Unanswered {
        std::io::copy(&mut onward, &mut std::io::sink())?;
        return Ok(());
    }
    let answered = std::io::copy(&mut onward, &mut connection)?;
    desk.lock().expect("nobody panics with it").passed.answered += answered;
    Ok(())
}
