//! One probe of a service's health: whether it is well by its answer, and where to look if it is not.

use std::time::Duration;

use ureq::http::Request;

use super::super::exchange::{Answer, Exchange, Reading};
use crate::model::http::address;
use crate::process::Stop;

/// Asks one address.
pub(super) struct Prober {
    exchange: Exchange,
}

impl Prober {
    /// Fails with the reason if the address is none that can be asked.
    pub(super) fn new(url: &str) -> Result<Prober, String> {
        let request = Request::get(address(url)?).body(None).expect("an address is all that it has");
        Ok(Prober { exchange: Exchange::new(request, Reading::Beginning) })
    }

    /// Asks once. `None` when the run stops meanwhile.
    pub(super) fn probe(&self, timeout: Duration, stop: &Stop) -> Option<Answer> {
        self.exchange.ask(timeout, stop)
    }
}

impl Answer {
    /// Whether it is what was asked for.
    pub(super) fn is(&self, expected: u16, contains: Option<&str>) -> bool {
        match self {
            Answer::Response { status, body, .. } => {
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
}

fn holds(body: &[u8], text: &[u8]) -> bool {
    text.is_empty() || body.windows(text.len()).any(|window| window == text)
}
