//! One request, and what came back. A request can't be interrupted everywhere (a name that is looked up, a server that
//! says nothing), so it has a thread of its own, which is left to its timeout when nobody waits for it any more.

use std::fmt;
use std::io::{self, Read};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, http::Uri};

use crate::process::{Level, Stop};

/// How much of a body is read: what tells health stands at its beginning.
const BODY_LIMIT: u64 = 1024 * 1024;

/// How much of a body's first line is shown.
const LINE_LIMIT: usize = 120;

/// How often we look whether the run stops while a probe is under way.
const LOOK: Duration = Duration::from_millis(50);

/// Asks one address, each time by a new connection: an old one may lead to the release before.
pub(super) struct Prober {
    agent: Agent,
    url: String,
}

/// What came of one probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Response {
        status: u16,
        body: Vec<u8>,
    },
    /// Nobody answered for so long.
    Silence(Duration),
    /// Nobody could be asked, or what answered is not HTTP; the sentence says why.
    None {
        why: String,
        help: &'static str,
    },
}

impl Prober {
    /// Fails with the reason if the address is none that can be asked.
    pub(super) fn new(url: &str) -> Result<Prober, String> {
        let uri: Uri = url.parse().map_err(|error: ureq::http::uri::InvalidUri| error.to_string())?;
        let host = match (uri.scheme_str(), uri.host()) {
            (Some("http" | "https"), Some(host)) if !host.is_empty() => host,
            _ => return Err("it is no http address".to_owned()),
        };
        let mut config = Agent::config_builder()
            .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build())
            .http_status_as_error(false)
            .max_redirects(0)
            .max_idle_connections(0)
            .user_agent(concat!("deploy/", env!("CARGO_PKG_VERSION")));
        if is_this_machine(host) {
            // A proxy would ask its own machine.
            config = config.proxy(None);
        }
        Ok(Prober { agent: config.build().into(), url: url.to_owned() })
    }

    /// Asks once. `None` when the run stops meanwhile.
    pub(super) fn probe(&self, timeout: Duration, stop: &Stop) -> Option<Answer> {
        let began = Instant::now();
        let (sender, receiver) = sync_channel(1);
        let (agent, url) = (self.agent.clone(), self.url.clone());
        let spawned = thread::Builder::new().name("probe".to_owned()).spawn(move || {
            // Nobody may wait for it any more.
            let _sent = sender.send(ask(&agent, &url, timeout));
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

fn ask(agent: &Agent, url: &str, timeout: Duration) -> Answer {
    let request = agent.get(url).config().timeout_global(Some(timeout)).build();
    let answer = request.call().map_err(|error| (error, Vec::new())).and_then(|response| {
        let status = response.status().as_u16();
        let mut body = Vec::new();
        match response.into_body().into_reader().take(BODY_LIMIT).read_to_end(&mut body) {
            Ok(_) => Ok(Answer::Response { status, body }),
            Err(error) => Err((ureq::Error::from(error), body)),
        }
    });
    match answer {
        Ok(answer) => answer,
        Err((ureq::Error::Timeout(_), _)) => Answer::Silence(timeout),
        Err((ureq::Error::Io(error), _)) => Answer::failed(&error),
        Err((error, _)) => Answer::None { why: error.to_string(), help: help_for(&error) },
    }
}

const BAD_TLS: &str =
    "https must answer there, with a certificate for this name by somebody whom this machine trusts";

fn help_for(error: &ureq::Error) -> &'static str {
    match error {
        ureq::Error::HostNotFound => "is the name right, and known here? `getent hosts NAME` asks for it",
        ureq::Error::Rustls(_) | ureq::Error::Tls(_) => BAD_TLS,
        // ureq may get more kinds; this sentence holds for all of them.
        _ => "what answers there does not speak HTTP as it should: is it the right port?",
    }
}

fn is_this_machine(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

impl Answer {
    /// Whether it is what was asked for.
    pub(super) fn is(&self, expected: u16, contains: Option<&str>) -> bool {
        match self {
            Answer::Response { status, body } => {
                *status == expected && contains.is_none_or(|text| holds(body, text.as_bytes()))
            }
            Answer::Silence(_) | Answer::None { .. } => false,
        }
    }

    pub(super) fn is_silence(&self) -> bool {
        matches!(self, Answer::Silence(_))
    }

    /// Whether it is no news after `other`: bodies may hold the time.
    pub(super) fn is_like(&self, other: &Answer) -> bool {
        match (self, other) {
            (Answer::Response { status, .. }, Answer::Response { status: before, .. }) => status == before,
            (Answer::Silence(_), Answer::Silence(_)) => true,
            (one, other) => one == other,
        }
    }

    /// Where to look next.
    pub(super) fn help(&self) -> &'static str {
        match self {
            Answer::Response { status: 300..=399, .. } => {
                "redirects are not followed: give the address that it leads to, or this `status`"
            }
            Answer::Response { status: 401 | 403, .. } => {
                "health is asked for without a login: let this address answer without"
            }
            Answer::Response { status: 500..=599, .. } => "the service's own log says what is wrong with it",
            Answer::Response { .. } => "is it the right address, and the release that should answer there?",
            Answer::Silence(_) => {
                "it takes connections and does not answer, or a firewall drops them: the service's log says more"
            }
            Answer::None { help, .. } => help,
        }
    }

    fn failed(error: &io::Error) -> Answer {
        let help = match error.kind() {
            io::ErrorKind::ConnectionRefused => {
                "nothing listens there: did the service start? Its log says more"
            }
            io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe => {
                "it takes connections and closes them: the service's log says why"
            }
            // As which a broken handshake comes.
            io::ErrorKind::InvalidData => BAD_TLS,
            _ => "can this machine reach that one?",
        };
        // The number that Rust adds tells a user nothing.
        let why = error.to_string();
        let why = why.split(" (os error").next().unwrap_or_default().to_owned();
        Answer::None { why, help }
    }
}

/// As it stands in a sentence.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Silence(time) => write!(f, "no answer within {:.1} s", time.as_secs_f64()),
            Answer::None { why, .. } => f.write_str(why),
            Answer::Response { status, body } => {
                let line = first_line(body);
                if line.is_empty() { write!(f, "{status}") } else { write!(f, "{status} `{line}`") }
            }
        }
    }
}

/// The first line that is not empty, fit to be shown on a terminal.
fn first_line(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(8 * LINE_LIMIT)]);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let mut shown: String = line.chars().filter(|c| !c.is_control()).take(LINE_LIMIT).collect();
    if line.chars().count() > LINE_LIMIT {
        shown.push('…');
    }
    shown
}

fn holds(body: &[u8], text: &[u8]) -> bool {
    text.is_empty() || body.windows(text.len()).any(|window| window == text)
}
