//! Requests to a platform's API. What only looks is asked again when nobody answers; what changes something is sent
//! once, and an answer that did not come is not taken for a no. A token goes to the address that the file names alone.

use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use ureq::http::{HeaderMap, HeaderValue, Request};

use super::super::{refused, unmet};
use crate::exchange::{Answer, Exchange, Reading, first_line, is_this_machine};
use crate::model::event::Failure;
use crate::model::http::address;
use crate::process::{Level, Slept, Stop};

/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(30);

/// How long what only looks is asked again, when nobody answers.
const PATIENCE: Duration = Duration::from_mins(2);

/// The first pause before something is asked again; each one is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest pause, of ours or of a platform's wish.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// A platform's API, with what lets us in.
pub(in crate::target) struct Api<'a> {
    /// As people call it.
    pub(in crate::target) title: &'static str,
    base: String,
    authorization: HeaderValue,
    stop: &'a Stop,
    deadline: Option<Instant>,
    /// How long one answer may take, and for how long what only looks is asked again.
    answer: Duration,
    patience: Duration,
}

/// Why a request did not do what it was for.
#[derive(Debug)]
pub(in crate::target) enum ApiError {
    /// The platform said no, and did nothing.
    Refused {
        what: String,
        status: u16,
        said: String,
    },
    /// Nobody knows whether it was done.
    Unclear {
        what: String,
        why: String,
        help: String,
    },
    /// The answer is not what its documents say.
    Unreadable {
        what: String,
        why: String,
    },
    /// The run is being stopped, or its time is over.
    Stopped,
    TimedOut,
}

/// Pauses, each twice the one before.
pub(in crate::target) struct Pauses {
    next: Duration,
    longest: Duration,
}

impl Pauses {
    pub(in crate::target) fn up_to(longest: Duration) -> Pauses {
        Pauses { next: FIRST_PAUSE, longest }
    }
}

impl Iterator for Pauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let now = self.next.min(self.longest);
        self.next = now * 2;
        Some(now)
    }
}

impl<'a> Api<'a> {
    /// `scheme` is the first word of the header that holds the token: `Bearer`.
    ///
    /// # Errors
    /// Refused where the address is none that a token may be sent to.
    pub(in crate::target) fn new(
        title: &'static str,
        base: &str,
        (scheme, token): (&str, &str),
        stop: &'a Stop,
        deadline: Option<Instant>,
    ) -> Result<Api<'a>, Failure> {
        let base = base.trim_end_matches('/').to_owned();
        let uri = address(&base)
            .map_err(|why| refused(format!("`endpoint` is {base}, and {why}"), "endpoint = \"https://…\""))?;
        let host = uri.host().unwrap_or_default();
        if uri.scheme_str() != Some("https") && !is_this_machine(host) {
            return Err(refused(
                format!("{title} would get its token over plain http, where everybody on the way reads it"),
                "endpoint = \"https://…\"; http is for this machine alone",
            ));
        }
        let authorization = HeaderValue::from_str(&format!("{scheme} {token}"));
        let mut authorization = authorization.map_err(|_| {
            refused(format!("the token for {title} is not one line of text"), "is a newline in it?")
        })?;
        authorization.set_sensitive(true);
        Ok(Api { title, base, authorization, stop, deadline, answer: ANSWER, patience: PATIENCE })
    }

    /// The same, asking once.
    pub(in crate::target) fn asking_once(self, answer: Duration) -> Api<'a> {
        Api { answer, patience: Duration::ZERO, ..self }
    }

    /// The same, under another stop.
    pub(in crate::target) fn again<'b>(&self, stop: &'b Stop, deadline: Option<Instant>) -> Api<'b> {
        let (base, authorization) = (self.base.clone(), self.authorization.clone());
        Api { base, authorization, stop, deadline, ..*self }
    }

    /// Looks at something.
    pub(in crate::target) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        let what = format!("GET {path}");
        let body = self.asked(&what, &|| self.request("GET", path, None))?;
        serde_json::from_slice(&body).map_err(|error| ApiError::Unreadable { what, why: error.to_string() })
    }

    /// Looks at a file.
    pub(in crate::target) fn file(&self, path: &str) -> Result<String, ApiError> {
        let body = self.asked(&format!("GET {path}"), &|| self.request("GET", path, None))?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    /// Looks at a text, without the token: it lies at an address that an answer named.
    pub(in crate::target) fn text(&self, url: &str) -> Result<String, ApiError> {
        let what = format!("GET {}", url.split('?').next().unwrap_or(url));
        let unreadable = || ApiError::Unreadable { what: what.clone(), why: "it is no address".to_owned() };
        let uri = address(url).map_err(|_| unreadable())?;
        let body = self.asked(&what, &|| {
            let mut request = Request::new(None);
            *request.uri_mut() = uri.clone();
            request
        })?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    /// Changes something; a body of `null` is none. `None`: it was taken, and nothing was said of it.
    pub(in crate::target) fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
    ) -> Result<Option<T>, ApiError> {
        let what = format!("POST {path}");
        let mut waited = Instant::now() + PATIENCE;
        let said = loop {
            let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
            let request = self.request("POST", path, Some(bytes));
            match self.exchange(request)? {
                Answer::Response { status: 429, headers, body } => {
                    // It was not even looked at.
                    let pause = wished(&headers).unwrap_or(FIRST_PAUSE * 10);
                    if Instant::now() + pause > waited {
                        return Err(ApiError::Refused { what, status: 429, said: first_line(&body) });
                    }
                    self.pause(pause)?;
                    waited -= pause.min(PATIENCE / 8);
                }
                Answer::Response { status, body, .. } if (200..300).contains(&status) => break body,
                Answer::Response { status, body, .. } if (300..500).contains(&status) => {
                    return Err(ApiError::Refused { what, status, said: first_line(&body) });
                }
                answer => return Err(unclear(what, &answer)),
            }
        };
        if said.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        let read = serde_json::from_slice(&said);
        read.map(Some).map_err(|error| ApiError::Unreadable { what, why: error.to_string() })
    }

    /// Waits, unless the run is stopped or out of time.
    pub(in crate::target) fn pause(&self, pause: Duration) -> Result<(), ApiError> {
        let left = self.deadline.map(|end| end.saturating_duration_since(Instant::now()));
        if self.stop.level() >= Level::Ask {
            return Err(ApiError::Stopped);
        }
        match left {
            Some(left) if left <= pause => {
                let slept = self.stop.sleep(left);
                Err(if slept == Slept::Interrupted { ApiError::Stopped } else { ApiError::TimedOut })
            }
            Some(_) | None if self.stop.sleep(pause) == Slept::Interrupted => Err(ApiError::Stopped),
            Some(_) | None => Ok(()),
        }
    }

    fn request(&self, method: &str, path: &str, body: Option<Vec<u8>>) -> Request<Option<Vec<u8>>> {
        let has_body = body.as_ref().is_some_and(|body| !body.is_empty());
        let mut request = Request::new(body);
        *request.method_mut() = method.parse().expect("a method of HTTP");
        *request.uri_mut() = format!("{}{path}", self.base).parse().expect("names in paths are escaped");
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, self.authorization.clone());
        headers.insert("accept", HeaderValue::from_static("application/json"));
        if has_body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        request
    }

    /// Asks until there is an answer, for as long as one has patience.
    fn asked(&self, what: &str, request: &dyn Fn() -> Request<Option<Vec<u8>>>) -> Result<Vec<u8>, ApiError> {
        let patience = Instant::now() + self.patience;
        let mut pauses = Pauses::up_to(LONGEST_PAUSE);
        loop {
            let answer = self.exchange(request())?;
            let wish = match answer {
                Answer::Response { status, body, .. } if (200..300).contains(&status) => return Ok(body),
                Answer::Response { status, body, .. } if status != 429 && status < 500 => {
                    return Err(ApiError::Refused { what: what.to_owned(), status, said: first_line(&body) });
                }
                Answer::Response { ref headers, .. } => wished(headers),
                Answer::Silence(_) | Answer::Unresolved | Answer::None { .. } => None,
            };
            let pause = wish.or_else(|| pauses.next()).unwrap_or(LONGEST_PAUSE);
            if Instant::now() + pause > patience {
                return Err(unclear(what.to_owned(), &answer));
            }
            self.pause(pause)?;
        }
    }

    fn exchange(&self, request: Request<Option<Vec<u8>>>) -> Result<Answer, ApiError> {
        let left = self.deadline.map_or(self.answer, |end| end.saturating_duration_since(Instant::now()));
        if left.is_zero() {
            return Err(ApiError::TimedOut);
        }
        Exchange::new(request, Reading::Beginning)
            .ask(left.min(self.answer), self.stop)
            .ok_or(ApiError::Stopped)
    }
}

/// How long a platform asks to be left alone, in seconds; a date is as good as nothing said.
fn wished(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_PAUSE))
}

fn unclear(what: String, answer: &Answer) -> ApiError {
    let help = match answer {
        Answer::None { help, .. } => *help,
        Answer::Response { .. } | Answer::Silence(_) | Answer::Unresolved => "its status page may tell more",
    };
    ApiError::Unclear { what, why: answer.to_string(), help: help.to_owned() }
}

impl ApiError {
    /// What happened.
    pub(in crate::target) fn sentence(&self, title: &str) -> String {
        match self {
            ApiError::Refused { what, status, said } if said.is_empty() => {
                format!("{title} answers {what} with {status}")
            }
            ApiError::Refused { what, status, said } => {
                format!("{title} answers {what} with {status} `{said}`")
            }
            ApiError::Unclear { what, why, .. } => format!("{title}, {what}: {why}"),
            ApiError::Unreadable { what, why } => {
                format!("{title} answers {what} with what can't be read: {why}")
            }
            ApiError::Stopped => "the run was stopped".to_owned(),
            ApiError::TimedOut => format!("the step's time was over before {title} was done"),
        }
    }

    /// As what a step says.
    pub(in crate::target) fn failure(self, title: &str) -> Failure {
        let message = self.sentence(title);
        match self {
            ApiError::Refused { status, .. } => unmet(message, help_for(status)),
            ApiError::Unclear { help, .. } => unmet(message, help),
            ApiError::Unreadable { .. } => unmet(message, "is `endpoint` the address of its API?"),
            ApiError::Stopped => Failure::Stopped,
            ApiError::TimedOut => unmet(message, "a longer `timeout` of the step gives it more"),
        }
    }
}

fn help_for(status: u16) -> &'static str {
    match status {
        401 => "is the token right, and not expired? `token` names the secret that holds it",
        403 => "may this token do that? `token` names the secret that holds it",
        404 => "is the application's name in `target` right, and may this token see it?",
        300..=399 => "it leads elsewhere, and a token is not sent on: is `endpoint` right?",
        409 => "something else is going on there: look at its page, and try again",
        429 => "it had too many questions: wait some minutes, and try again",
        _ => "what it says should tell why",
    }
}

/// A name, as it may stand in a path.
pub(in crate::target) fn escaped(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    name.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
