//! `http`: one request, and whether its answer is good. A redirect is followed where nothing is lost or given away by it:
//! what a request carries goes to the host that the file names, and to no other.

use std::time::{Duration, Instant};

use ureq::http::header::CONTENT_TYPE;
use ureq::http::{HeaderName, HeaderValue, Request};

use crate::engine::Act;
use crate::exchange::redirect::{self, MOST_REDIRECTS};
use crate::exchange::{Answer, Exchange, Reading, UNKNOWN_NAME};
use crate::model::event::{Failure, Told};
use crate::model::http::{Body, Http, Method, address, fault_of_address};
use crate::model::secret::Vault;
use crate::model::step::Planned;
use crate::process::Stop;

/// How long a request may take that has no `timeout` of its own.
const PATIENCE: Duration = Duration::from_secs(30);

/// How much of an answer that is not good is shown, in characters.
const SHOWN: usize = 300;

/// Sends the request, and looks at the answer.
///
/// # Errors
/// `Unmet` when the answer is not a good one, with the beginning of it; `TimedOut` when the step's time is over.
pub(super) fn send(
    http: &Http<Planned>,
    vault: &Vault,
    act: &Act<'_>,
    stop: &Stop,
    tell: &mut dyn FnMut(Told),
) -> Result<(), Failure> {
    let mut request = request(http, vault)?;
    let patience = Instant::now() + PATIENCE;
    let end = match act.limit {
        Some(limit) if act.step.timeout.is_some() || limit.at < patience => limit.at,
        Some(_) | None => patience,
    };
    let mut redirects: usize = 0;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let answer =
            Exchange::new(request.clone(), Reading::Whole).ask(left, stop).ok_or(Failure::Stopped)?;
        let Answer::Response { status, .. } = &answer else {
            let limit = act.limit.filter(|limit| matches!(answer, Answer::Silence(_)) && limit.at <= end);
            return Err(
                limit.map_or_else(|| failed(http, &answer, None), |limit| Failure::TimedOut(limit.whole))
            );
        };
        if http.expects(*status) {
            tell(Told::Note(format!("{} {}: {status}", http.method, http.address())));
            return Ok(());
        }
        let next = answer.location().map(|to| redirect::follow(&request, *status, &to));
        match next {
            Some(Ok(next)) if redirects < MOST_REDIRECTS => request = next,
            Some(Ok(_)) => {
                return Err(failed(http, &answer, Some("it leads from one address to the next, in a loop")));
            }
            Some(Err(why)) => return Err(failed(http, &answer, Some(&why))),
            None => return Err(failed(http, &answer, None)),
        }
        redirects += 1;
    }
}

/// The request with its secrets. What no plan could know, because it is secret, is looked at here.
fn request(http: &Http<Planned>, vault: &Vault) -> Result<Request<Option<Vec<u8>>>, Failure> {
    let refused = |what: String, help: &str| Failure::Refused { message: what, help: Some(help.to_owned()) };
    let url = http.url.reveal(vault);
    if let Some((reason, help)) = fault_of_address(&url) {
        return Err(refused(format!("`{}` can't be asked: {reason}", http.address()), help));
    }
    let (body, kind) = match &http.body {
        // It says that it is empty: a server may wait for it otherwise.
        Body::None => {
            (matches!(http.method, Method::Post | Method::Put | Method::Patch).then(Vec::new), None)
        }
        Body::Json(json) => {
            (Some(json.written(&|text| text.reveal(vault)).into_bytes()), Some("application/json"))
        }
        Body::Text(text) => (Some(text.reveal(vault).into_bytes()), Some("text/plain; charset=utf-8")),
    };
    let uri = address(&url).expect("it was looked at above");
    let mut request = Request::new(body);
    *request.uri_mut() = uri;
    *request.method_mut() = http.method.as_str().parse().expect("a method of HTTP");
    let headers = request.headers_mut();
    for (name, value) in &http.headers {
        let named = HeaderName::from_bytes(name.as_bytes()).expect("the file was checked");
        let value = HeaderValue::from_bytes(value.reveal(vault).as_bytes()).map_err(|_| {
            refused(format!("the header `{name}` is not one line of text"), "is a newline in its value?")
        })?;
        headers.append(named, value);
    }
    if let (Some(kind), false) = (kind, headers.contains_key(CONTENT_TYPE)) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    Ok(request)
}

fn failed(http: &Http<Planned>, answer: &Answer, why: Option<&str>) -> Failure {
    let (came, help) = match answer {
        Answer::Response { status, body, .. } => {
            let begins = beginning(body);
            let said = if begins.is_empty() { String::new() } else { format!(" `{begins}`") };
            (format!("expected {}, came {status}{said}", http.expected()), help_for(*status))
        }
        Answer::Silence(_) => (answer.to_string(), "a `timeout` of the step gives it longer"),
        Answer::Unresolved => (answer.to_string(), UNKNOWN_NAME),
        Answer::None { why, help, .. } => (why.clone(), *help),
    };
    Failure::Unmet {
        message: format!("{} {}: {came}", http.method, http.address()),
        help: Some(why.unwrap_or(help).to_owned()),
    }
}

fn help_for(status: u16) -> &'static str {
    match status {
        401 | 403 => "is the token right, and may it do this? It stands in `headers`",
        404 | 410 => "is it the right address?",
        405 => "is it the right `method`?",
        429 | 500..=599 => "`retry` tries it again, where that can mend it",
        _ => "what it says should tell why; a status that is good all the same stands in `expect`",
    }
}

/// The beginning of a body as one line, fit to be shown on a terminal.
fn beginning(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(8 * SHOWN)]);
    let words: Vec<&str> = text.split_whitespace().collect();
    let line: String = words.join(" ").chars().filter(|c| !c.is_control()).collect();
    let mut shown: String = line.chars().take(SHOWN).collect();
    if shown.len() < line.len() {
        shown.push('…');
    }
    shown
}
