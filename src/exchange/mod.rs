//! TALK: one HTTP request, and what came back. A request can't be interrupted everywhere (a name that is looked up, a server that
//! says nothing), so it has a thread of its own, which is left to its timeout when nobody waits for it any more.
//! It follows no redirect; which answers are good is decided by those who ask, whose fault none at all is, here.

pub(crate) mod redirect;

use std::fmt;
use std::io::{self, Read};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use ureq::http::header::LOCATION;
use ureq::http::{HeaderMap, Request};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, AsSendBody, Timeout};

use crate::model::health::Verdict;
use crate::process::{Level, Stop};

/// How much of an answer's body is kept: what tells health stands at its beginning.
const BODY_LIMIT: u64 = 1024 * 1024;

/// How much of a body's first line is shown.
const LINE_LIMIT: usize = 120;

/// How often we look whether the run stops while a request is under way.
const LOOK: Duration = Duration::from_millis(50);

/// A request that can be made, each time by a new connection: an old one may lead to the release before.
pub(crate) struct Exchange {
    agent: Agent,
    /// With `None`, it says nothing of a body; with an empty one, that it is empty.
    request: Request<Option<Vec<u8>>>,
    reading: Reading,
}

/// How much of an answer's body is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// What is kept of it.
    Beginning,
    /// All of it: who works while it answers may give up when nobody listens.
    Whole,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Response {
        status: u16,
        headers: HeaderMap,
        body: Vec<u8>,
    },
    /// Nobody answered for so long.
    Silence(Duration),
    /// The name's address was not told in time.
    Unresolved,
    /// Nobody could be asked, or what answered is not HTTP; the sentence says why, the verdict whose fault it is.
    None {
        why: String,
        help: &'static str,
        verdict: Verdict,
    },
}

impl Exchange {
    /// The request's address must have a host.
    pub(crate) fn new(request: Request<Option<Vec<u8>>>, reading: Reading) -> Exchange {
        let mut config = Agent::config_builder()
            .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build())
            .http_status_as_error(false)
            .max_redirects(0)
            .max_idle_connections(0)
            .user_agent(concat!("deploy/", env!("CARGO_PKG_VERSION")));
        if request.uri().host().is_some_and(is_this_machine) {
            // A proxy would ask its own machine.
            config = config.proxy(None);
        }
        Exchange { agent: config.build().into(), request, reading }
    }

    /// Whether the request goes through a proxy, and so tells of that as well.
    pub(crate) fn is_proxied(&self) -> bool {
        self.agent.config().proxy().is_some_and(|proxy| !proxy.is_no_proxy(self.request.uri()))
    }

    /// Asks once. `None` when the run stops meanwhile.
    pub(crate) fn ask(&self, timeout: Duration, stop: &Stop) -> Option<Answer> {
        let began = Instant::now();
        let (sender, receiver) = sync_channel(1);
        let (agent, request, reading) = (self.agent.clone(), self.request.clone(), self.reading);
        let spawned = thread::Builder::new().name("exchange".to_owned()).spawn(move || {
            // Nobody may wait for it any more.
            let _sent = sender.send(answer(&agent, request, reading, timeout));
        });
        if let Err(error) = spawned {
            return Some(Answer::failed(&error));
        }
        loop {
            let left = timeout.saturating_sub(began.elapsed());
            match receiver.recv_timeout(left.min(LOOK)) {
                Ok(answer) => return Some(answer),
                Err(_) if stop.level() > Level::Go => return None,
                Err(RecvTimeoutError::Timeout) if !left.is_zero() => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    return Some(Answer::Silence(timeout));
                }
            }
        }
    }
}

fn answer(agent: &Agent, request: Request<Option<Vec<u8>>>, reading: Reading, timeout: Duration) -> Answer {
    let (head, body) = request.into_parts();
    let answer = match body {
        Some(body) => exchanged(agent, Request::from_parts(head, body), reading, timeout),
        None => exchanged(agent, Request::from_parts(head, ()), reading, timeout),
    };
    match answer {
        Ok(answer) => answer,
        Err(ureq::Error::Timeout(Timeout::Resolve)) => Answer::Unresolved,
        Err(ureq::Error::Timeout(_)) => Answer::Silence(timeout),
        Err(ureq::Error::Io(error)) => Answer::failed(&error),
        Err(error) => {
            let (help, verdict) = meaning(&error);
            Answer::None { why: error.to_string(), help, verdict }
        }
    }
}

fn exchanged(
    agent: &Agent,
    request: Request<impl AsSendBody>,
    reading: Reading,
    timeout: Duration,
) -> Result<Answer, ureq::Error> {
    let request = agent
        .configure_request(request)
        .timeout_global(Some(timeout))
        // Less than the whole, or nobody could tell whose silence it is.
        .timeout_resolve(Some(timeout / 2))
        .build();
    let response = agent.run(request)?;
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let mut reader = response.into_body().into_reader();
    let mut body = Vec::new();
    reader.by_ref().take(BODY_LIMIT).read_to_end(&mut body)?;
    if reading == Reading::Whole {
        io::copy(&mut reader, &mut io::sink())?;
    }
    Ok(Answer::Response { status, headers, body })
}

const BAD_TLS: &str =
    "https must answer there, with a certificate for this name by somebody whom this machine trusts";

pub(crate) const UNKNOWN_NAME: &str = "is the name right, and known here? `getent hosts NAME` asks for it";

/// What an error means for those who look, and whether it tells of the service.
fn meaning(error: &ureq::Error) -> (&'static str, Verdict) {
    match error {
        ureq::Error::HostNotFound => (UNKNOWN_NAME, Verdict::Unclear),
        // Certificates are no part of a release, and this machine's trust is its own.
        ureq::Error::Rustls(_) | ureq::Error::Tls(_) => (BAD_TLS, Verdict::Unclear),
        ureq::Error::ConnectProxyFailed(_) | ureq::Error::InvalidProxyUrl => {
            ("does the proxy that the environment names reach it?", Verdict::Unclear)
        }
        // ureq may get more kinds; this sentence holds for all of them.
        _ => ("what answers there does not speak HTTP as it should: is it the right port?", Verdict::Bad),
    }
}

pub(crate) fn is_this_machine(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

impl Answer {
    /// Where it leads to, if it says so.
    pub(crate) fn location(&self) -> Option<String> {
        match self {
            Answer::Response { headers, .. } => {
                headers.get(LOCATION).map(|to| String::from_utf8_lossy(to.as_bytes()).into_owned())
            }
            Answer::Silence(_) | Answer::Unresolved | Answer::None { .. } => None,
        }
    }

    fn failed(error: &io::Error) -> Answer {
        let (help, verdict) = match error.kind() {
            io::ErrorKind::ConnectionRefused => {
                ("nothing listens there: did the service start? Its log says more", Verdict::Bad)
            }
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::BrokenPipe => {
                ("it takes connections and closes them: the service's log says why", Verdict::Bad)
            }
            io::ErrorKind::TimedOut => ("is it up, and does a firewall let this machine in?", Verdict::Bad),
            // As which a broken handshake comes.
            io::ErrorKind::InvalidData => (BAD_TLS, Verdict::Unclear),
            // A name that is not known, a network without a way there, a port that may not be asked.
            _ => ("does this machine know the name, and can it reach that one?", Verdict::Unclear),
        };
        // The number that Rust adds tells a user nothing.
        let why = error.to_string();
        let why = why.split(" (os error").next().unwrap_or_default().to_owned();
        Answer::None { why, help, verdict }
    }
}

/// As it stands in a sentence.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Silence(time) => write!(f, "no answer within {:.1} s", time.as_secs_f64()),
            Answer::Unresolved => f.write_str("the name's address was not told in time"),
            Answer::None { why, .. } => f.write_str(why),
            Answer::Response { status, body, .. } => {
                let line = first_line(body);
                if line.is_empty() { write!(f, "{status}") } else { write!(f, "{status} `{line}`") }
            }
        }
    }
}

/// The first line that is not empty, fit to be shown on a terminal.
pub(crate) fn first_line(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(8 * LINE_LIMIT)]);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let mut shown: String = line.chars().filter(|c| !c.is_control()).take(LINE_LIMIT).collect();
    if line.chars().count() > LINE_LIMIT {
        shown.push('…');
    }
    shown
}
