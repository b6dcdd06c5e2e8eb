//! How an object store is asked: by the HTTP client that all of deploy uses, with the system's certificates and the
//! caller's proxies. Each request has a thread of its own, which is left to its timeout when nobody waits for it any more.
//! What may be asked again after a failure is, a few times.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use futures_util::stream;
use opendal::{Buffer, Error, ErrorKind, HttpBody, HttpTransport};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};
use ureq::http::header::{CONTENT_LENGTH, HeaderValue, IF_NONE_MATCH};
use ureq::http::response::Parts;
use ureq::http::{Method, Request, Response, StatusCode, Uri};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, SendBody};

use crate::model::target::is_this_machine;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);

/// How long nothing at all may come or go. Shorter in tests, which have nobody far away.
const SILENCE: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 30 });

/// The same where a machine in a cloud asks who it is: all others have nobody there.
const METADATA_SILENCE: Duration = Duration::from_secs(1);

/// When a thread ends that nobody waits for any more, whatever happens.
const LONGEST: Duration = Duration::from_hours(1);

/// How often a request is made before its failure is told, and the first pause between; each is twice the one before.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(500);

/// The same if nobody answers: that has taken long already.
const SILENT_TRIES: u32 = 2;

/// How much of a body is read at once.
const PIECE: usize = 64 * 1024;

/// Why there was no answer, or no whole one.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("no answer within {} s", .0.as_secs())]
    Silent(Duration),
    #[error("nothing listens there")]
    Refused,
    #[error("the connection was cut")]
    Cut,
    #[error("nobody knows the name of its machine")]
    Unknown,
    #[error("it is full")]
    Full,
    #[error("it answers {0}")]
    Busy(StatusCode),
    #[error("{0}")]
    Other(String),
}

/// What was tried as often as is worth it.
#[derive(Debug, thiserror::Error)]
#[error("{trouble}")]
pub(super) struct GivenUp {
    pub(super) trouble: Trouble,
    pub(super) tries: u32,
}

pub(super) struct Transport {
    agent: Agent,
}

impl Transport {
    /// The endpoint is where most of it goes.
    pub(super) fn new(endpoint: Option<&str>) -> Transport {
        let mut config = Agent::config_builder()
            .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build())
            .http_status_as_error(false)
            // Credentials are for those who were asked, and 308 has a meaning of its own for Google.
            .max_redirects(0)
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(LONGEST))
            .user_agent(concat!("deploy/", env!("CARGO_PKG_VERSION")));
        let uri: Option<Uri> = endpoint.and_then(|endpoint| endpoint.parse().ok());
        if uri.is_some_and(|uri| uri.host().is_some_and(is_this_machine)) {
            // A proxy would ask its own machine.
            config = config.proxy(None);
        }
        Transport { agent: config.build().into() }
    }

    async fn once(&self, request: Request<Buffer>, silence: Duration) -> Result<Response<HttpBody>, Trouble> {
        let is_head = request.method() == Method::HEAD;
        let progress = Progress::default();
        let (answered, mut answer) = oneshot::channel();
        let (sender, mut receiver) = mpsc::channel(1);
        let (agent, noted) = (self.agent.clone(), progress.clone());
        let asking = move || ask(&agent, request, noted, answered, &sender);
        thread::Builder::new().name("store".to_owned()).spawn(asking).map_err(|error| of_io(&error))?;
        let head = loop {
            let left = silence.saturating_sub(progress.since());
            if left.is_zero() {
                return Err(Trouble::Silent(silence));
            }
            if let Ok(answer) = timeout(left, &mut answer).await {
                break answer.unwrap_or(Err(Trouble::Cut))?;
            }
        };
        if head.status == StatusCode::INSUFFICIENT_STORAGE {
            return Err(Trouble::Full);
        }
        let length = head.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let mut silent = Box::pin(sleep(silence));
        let pieces = stream::poll_fn(move |context| {
            if let Poll::Ready(piece) = receiver.poll_recv(context) {
                silent.as_mut().reset(Instant::now() + silence);
                return Poll::Ready(piece.map(|piece| piece.map_err(broken)));
            }
            silent.as_mut().poll(context).map(|()| Some(Err(broken(Trouble::Silent(silence)))))
        });
        Ok(Response::from_parts(*head, HttpBody::new(pieces, length.filter(|_| !is_head))))
    }
}

impl HttpTransport for Transport {
    async fn fetch(&self, request: Request<Buffer>) -> opendal::Result<Response<HttpBody>> {
        let is_metadata = request.uri().host().is_some_and(is_metadata);
        let silence = if is_metadata { METADATA_SILENCE } else { SILENCE };
        let is_conditional = is_conditional(&request);
        let mut pause = PAUSE;
        for tries in 1.. {
            let (trouble, enough) = match self.once(request.clone(), silence).await {
                Ok(answer) if is_passing(answer.status()) && !is_metadata => {
                    (Trouble::Busy(answer.status()), TRIES)
                }
                Ok(answer) => return Ok(answer),
                // What was done perhaps, can't be told from what somebody else did.
                Err(Trouble::Cut) if !is_conditional && !is_metadata => (Trouble::Cut, TRIES),
                Err(trouble @ Trouble::Silent(_)) if !is_conditional && !is_metadata => {
                    (trouble, SILENT_TRIES)
                }
                Err(trouble) => (trouble, 1),
            };
            if tries >= enough {
                return Err(failed(GivenUp { trouble, tries }));
            }
            sleep(pause).await;
            pause *= 2;
        }
        unreachable!("the last try returns")
    }
}

/// When something last went out, or came in.
#[derive(Clone)]
struct Progress(Arc<Mutex<Instant>>);

impl Default for Progress {
    fn default() -> Progress {
        Progress(Arc::new(Mutex::new(Instant::now())))
    }
}

impl Progress {
    fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn since(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}

/// A body on its way out.
struct Sending {
    body: Buffer,
    progress: Progress,
}

impl Read for Sending {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.progress.note();
        self.body.read(buffer)
    }
}

/// Asks, and hands over what comes, to whoever still waits for it.
fn ask(
    agent: &Agent,
    request: Request<Buffer>,
    progress: Progress,
    answered: oneshot::Sender<Result<Box<Parts>, Trouble>>,
    pieces: &mpsc::Sender<Result<Buffer, Trouble>>,
) {
    let (mut head, body) = request.into_parts();
    let answer = if body.is_empty() && [Method::GET, Method::HEAD, Method::DELETE].contains(&head.method) {
        agent.run(Request::from_parts(head, ()))
    } else {
        head.headers.entry(CONTENT_LENGTH).or_insert_with(|| HeaderValue::from(body.len()));
        agent.run(Request::from_parts(head, SendBody::from_owned_reader(Sending { body, progress })))
    };
    let (head, body) = match answer {
        Ok(answer) => answer.into_parts(),
        Err(error) => return drop(answered.send(Err(of(&error)))),
    };
    if answered.send(Ok(Box::new(head))).is_err() {
        return;
    }
    let mut reader = body.into_reader();
    loop {
        let mut piece = vec![0; PIECE];
        let read = reader.read(&mut piece).map_err(|error| of_io(&error));
        let is_last = !matches!(read, Ok(1..));
        let piece = read.map(|length| {
            piece.truncate(length);
            Buffer::from(piece)
        });
        if !matches!(&piece, Ok(piece) if piece.is_empty()) && pieces.blocking_send(piece).is_err() || is_last
        {
            return;
        }
    }
}

/// Whether the same question may have another answer soon.
fn is_passing(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::INTERNAL_SERVER_ERROR
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

/// Whether it is to be done only where nothing is yet.
fn is_conditional(request: &Request<Buffer>) -> bool {
    let says = |query: &str| query.contains("ifGenerationMatch");
    request.headers().contains_key(IF_NONE_MATCH) || request.uri().query().is_some_and(says)
}

/// Whether a cloud tells its machines there who they are.
fn is_metadata(host: &str) -> bool {
    host.starts_with("169.254.") || host == "metadata.google.internal"
}

fn of(error: &ureq::Error) -> Trouble {
    match error {
        ureq::Error::Io(error) => of_io(error),
        ureq::Error::HostNotFound => Trouble::Unknown,
        ureq::Error::Timeout(ureq::Timeout::Connect) => Trouble::Silent(CONNECT),
        // ureq may get more kinds; their sentences say enough.
        error => Trouble::Other(error.to_string()),
    }
}

fn of_io(error: &io::Error) -> Trouble {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Trouble::Refused,
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::UnexpectedEof
        | io::ErrorKind::BrokenPipe => Trouble::Cut,
        io::ErrorKind::TimedOut => Trouble::Silent(CONNECT),
        // The number that Rust adds tells a user nothing.
        _ => Trouble::Other(error.to_string().split(" (os error").next().unwrap_or_default().to_owned()),
    }
}

/// What goes wrong while an answer comes. What was read so far is good; the rest may be had by asking for it.
fn broken(trouble: Trouble) -> Error {
    let is_passing = matches!(trouble, Trouble::Cut | Trouble::Silent(_));
    failed(GivenUp { trouble, tries: 1 }).with_temporary(is_passing)
}

fn failed(given_up: GivenUp) -> Error {
    Error::new(ErrorKind::Unexpected, given_up.to_string()).set_source(given_up)
}
