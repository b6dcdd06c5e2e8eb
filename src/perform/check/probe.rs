//! One probe of a service's health: what answers, whether that is well, whose fault it is if not, and where to look then.

use std::fmt;
use std::time::{Duration, Instant};

use ureq::http::{HeaderMap, Request, Uri};

use crate::exchange::redirect::{MOST_REDIRECTS, follow};
use crate::exchange::{Answer, Exchange, Reading, UNKNOWN_NAME};
use crate::model::credentials::without_credentials;
use crate::model::health::{Health, Verdict};
use crate::model::http::address;
use crate::model::secret::Vault;
use crate::model::step::Planned;
use crate::process::Stop;

/// How much of a header is shown, in characters.
const SHOWN: usize = 120;

/// Asks one address for one answer.
pub(super) struct Prober {
    request: Request<Option<Vec<u8>>>,
    status: u16,
    contains: Option<String>,
    version: Option<Version>,
}

/// The version that must answer, and the header that says it.
struct Version {
    text: String,
    header: Option<String>,
}

/// What one probe came to.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    answer: Answer,
    /// The address that answered, if redirects led there.
    from: Option<String>,
    /// Why its redirect was not followed.
    astray: Option<String>,
    /// The header that says the version, and what it says.
    header: Option<(String, Option<String>)>,
    state: State,
}

/// What a finding says of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Good,
    /// All is as it must be but the version.
    OtherVersion,
    Wrong(Verdict),
}

impl Prober {
    /// Fails with the reason if the address is none that can be asked.
    pub(super) fn new(health: &Health<Planned>, vault: &Vault) -> Result<Prober, String> {
        let url = address(&health.url.reveal(vault))?;
        Ok(Prober {
            request: Request::get(url).body(None).expect("an address is all that it has"),
            status: health.status,
            contains: health.contains.as_ref().map(|text| text.reveal(vault)),
            version: health
                .version
                .as_ref()
                .map(|version| Version { text: version.text.reveal(vault), header: version.header.clone() }),
        })
    }

    /// Asks once, and goes where the answer leads. `None` when the run stops meanwhile.
    pub(super) fn probe(&self, timeout: Duration, stop: &Stop) -> Option<Finding> {
        let end = Instant::now() + timeout;
        let mut request = self.request.clone();
        let mut asked: Vec<Uri> = Vec::new();
        loop {
            let exchange = Exchange::new(request.clone(), Reading::Beginning);
            let mut answer = exchange.ask(end.saturating_duration_since(Instant::now()), stop)?;
            if let Answer::Silence(_) = answer {
                answer = Answer::Silence(timeout);
            }
            let from = (!asked.is_empty()).then(|| without_credentials(&request.uri().to_string()));
            asked.push(request.uri().clone());
            match self.next(&request, &answer, &asked) {
                Some(Ok(next)) => request = next,
                next => {
                    let astray = next.and_then(Result::err);
                    let state = self.state(&answer, exchange.is_proxied());
                    return Some(Finding { header: self.header(&answer), answer, from, astray, state });
                }
            }
        }
    }

    /// The request that an answer leads to, or why it is not made.
    fn next(
        &self,
        request: &Request<Option<Vec<u8>>>,
        answer: &Answer,
        asked: &[Uri],
    ) -> Option<Result<Request<Option<Vec<u8>>>, String>> {
        let Answer::Response { status: status @ (301 | 302 | 303 | 307 | 308), .. } = answer else {
            return None;
        };
        if (300..=399).contains(&self.status) {
            return None;
        }
        let next = follow(request, *status, &answer.location()?);
        Some(next.and_then(|next| {
            let shown = without_credentials(&next.uri().to_string());
            if asked.contains(next.uri()) {
                Err(format!("its redirects go in a circle: it leads to {shown} again"))
            } else if asked.len() > MOST_REDIRECTS {
                Err(format!("after {MOST_REDIRECTS} redirects it still leads on, to {shown}"))
            } else {
                Ok(next)
            }
        }))
    }

    fn state(&self, answer: &Answer, is_proxied: bool) -> State {
        match answer {
            Answer::Response { status, headers, body } => {
                let contains = self.contains.as_ref().is_none_or(|text| holds(body, text.as_bytes()));
                let version = self.version.as_ref().is_none_or(|version| version.is_in(headers, body));
                match (*status == self.status && contains, version, status) {
                    (true, true, _) => State::Good,
                    (true, false, _) => State::OtherVersion,
                    // They speak of who asks: a login, one of the proxy, too many questions.
                    (false, _, 401 | 407 | 429) => State::Wrong(Verdict::Unclear),
                    (false, _, _) => State::Wrong(Verdict::Bad),
                }
            }
            Answer::Unresolved => State::Wrong(Verdict::Unclear),
            Answer::Silence(_) | Answer::None { .. } if is_proxied => State::Wrong(Verdict::Unclear),
            Answer::Silence(_) => State::Wrong(Verdict::Bad),
            Answer::None { verdict, .. } => State::Wrong(*verdict),
        }
    }

    fn header(&self, answer: &Answer) -> Option<(String, Option<String>)> {
        let name = self.version.as_ref()?.header.as_ref()?;
        let Answer::Response { headers, .. } = answer else { return None };
        let value = headers.get(name).map(|value| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            value.chars().filter(|c| !c.is_control()).take(SHOWN).collect()
        });
        Some((name.clone(), value))
    }
}

impl Version {
    fn is_in(&self, headers: &HeaderMap, body: &[u8]) -> bool {
        let text = self.text.as_bytes();
        match &self.header {
            Some(name) => headers.get_all(name).iter().any(|value| holds(value.as_bytes(), text)),
            None => holds(body, text),
        }
    }
}

impl Finding {
    pub(super) fn is_good(&self) -> bool {
        self.state == State::Good
    }

    /// Whether nothing was found out before the time was over.
    pub(super) fn is_out_of_time(&self) -> bool {
        match self.answer {
            Answer::Silence(_) | Answer::Unresolved => true,
            Answer::Response { .. } | Answer::None { .. } => false,
        }
    }

    /// What it says of the service, when it was the last one.
    pub(super) fn verdict(&self) -> Verdict {
        match self.state {
            // Too late, or not often enough.
            State::Good | State::OtherVersion => Verdict::Bad,
            State::Wrong(verdict) => verdict,
        }
    }

    /// Whether it is no news after `other`: bodies may hold the time.
    pub(super) fn is_like(&self, other: &Finding) -> bool {
        let is_like = match (&self.answer, &other.answer) {
            (Answer::Response { status, .. }, Answer::Response { status: before, .. }) => status == before,
            (Answer::Silence(_), Answer::Silence(_)) => true,
            (one, other) => one == other,
        };
        is_like && self.state == other.state && self.header == other.header
    }

    /// Where to look next.
    pub(super) fn help(&self) -> String {
        if let Some(astray) = &self.astray {
            return astray.clone();
        }
        let help = match (&self.answer, self.state) {
            (_, State::OtherVersion) => {
                "another version answers: has the host built and started this release? Its log says more"
            }
            (Answer::Response { status: 300..=399, .. }, _) => "it leads elsewhere without saying where",
            (Answer::Response { status: 401 | 403, .. }, _) => {
                "health is asked for without a login: let this address answer without"
            }
            (Answer::Response { status: 407, .. }, _)
            | (
                Answer::Silence(_) | Answer::None { verdict: Verdict::Bad, .. },
                State::Wrong(Verdict::Unclear),
            ) => {
                "it is asked through a proxy: does that reach it? An address that NO_PROXY names is asked without"
            }
            (Answer::Response { status: 429, .. }, _) => "it is asked too often: a longer `every` asks less",
            (Answer::Response { status: 500..=599, .. }, _) => {
                "the service's own log says what is wrong with it"
            }
            (Answer::Response { .. }, _) => {
                "is it the right address, and the release that should answer there?"
            }
            (Answer::Silence(_), _) => {
                "it takes connections and does not answer, or a firewall drops them: the service's log says more"
            }
            (Answer::Unresolved, _) => UNKNOWN_NAME,
            (Answer::None { help, .. }, _) => help,
        };
        help.to_owned()
    }
}

/// As it stands in a sentence.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.answer)?;
        match &self.header {
            Some((name, Some(value))) => write!(f, " with `{name}: {value}`")?,
            Some((name, None)) => write!(f, " without `{name}`")?,
            None => {}
        }
        match &self.from {
            Some(from) => write!(f, " from {from}"),
            None => Ok(()),
        }
    }
}

fn holds(body: &[u8], text: &[u8]) -> bool {
    text.is_empty() || body.windows(text.len()).any(|window| window == text)
}
