//! How a service is now: the `health` of its environment is asked once.

use std::time::Duration;

use anstream::adapter::strip_str;
use serde_json::{Value, json};

use super::super::super::args::Common;
use super::super::super::error::Error;
use super::super::super::request;
use super::super::super::session::Session;
use crate::facts::{Manner, Site};
use crate::model::environment::Environment;
use crate::model::health::Health;
use crate::model::project::Project;
use crate::model::release::Release;
use crate::model::secret::Vault;
use crate::model::step::Planned;
use crate::perform::check::once::{Probed, probe_once};
use crate::plan::portrait::{Pulse, pulse};
use crate::plan::{Facts, Request, Unplanned};
use crate::process::Stop;

/// Why nobody is asked whose name or address nobody knows.
pub(super) const GUESSED: &str = "it depends on what a command prints, and looking runs none";

/// How a service is.
pub(super) enum Vitality {
    /// The environment says nothing of health.
    Undeclared,
    /// It can't be asked from here: why.
    Unasked(String),
    /// By its answer; the address that gave it.
    Asked { url: String, probed: Probed },
}

/// What is to be asked.
pub(super) enum Inquiry {
    Undeclared,
    Unasked(String),
    Ask(Box<Health<Planned>>),
}

impl Inquiry {
    /// What tells the health of an environment. Its texts see the release that is live, not the one to come.
    pub(super) fn of(
        session: &Session,
        site: &Site,
        environment: &Environment,
        live: Option<&Release>,
    ) -> Inquiry {
        match answered(session, site, environment, live, pulse) {
            Ok(None) => Inquiry::Undeclared,
            Ok(Some(Pulse { guessed: true, .. })) => Inquiry::Unasked(GUESSED.to_owned()),
            Ok(Some(Pulse { health, guessed: false })) => {
                let secret = secret(&health).map(str::to_owned);
                match secret {
                    Some(secret) => Inquiry::Unasked(format!("it holds the secret `{secret}`")),
                    None => Inquiry::Ask(Box::new(health)),
                }
            }
            Err(why) => Inquiry::Unasked(why),
        }
    }

    pub(super) fn ask(&self) -> Vitality {
        match self {
            Inquiry::Undeclared => Vitality::Undeclared,
            Inquiry::Unasked(why) => Vitality::Unasked(why.clone()),
            Inquiry::Ask(health) => Vitality::Asked {
                url: health.address(),
                probed: probe_once(health, &Vault::default(), &Stop::new(Duration::ZERO)),
            },
        }
    }
}

/// Asks something of what the file says of an environment. Its texts see the release that is live, not the one to come.
///
/// # Errors
/// Why that can't be told here.
pub(super) fn answered<T>(
    session: &Session,
    site: &Site,
    environment: &Environment,
    live: Option<&Release>,
    ask: impl Fn(&Project, &Request, &Facts) -> Result<T, Unplanned>,
) -> Result<T, String> {
    let request = Request { environment: Some(environment.name.clone()), ..Request::default() };
    let reference = live.map(|release| release.source.to_string());
    let common = Common { reference, ..Common::default() };
    let ask = |facts: &Facts| ask(&session.project, &request, facts);
    let answered = request::answered(session, &common, site, Manner::Look, ask);
    answered.map(|(_, answer)| answer).map_err(|error| gist(&error))
}

/// What an error says in its first line.
fn gist(error: &Error) -> String {
    let plain = strip_str(&error.message).to_string();
    let line = plain.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

/// A secret that asking would need.
fn secret(health: &Health<Planned>) -> Option<&str> {
    health.texts().into_iter().find_map(|text| text.secrets().next())
}

impl Vitality {
    pub(super) fn text(&self) -> String {
        match self {
            Vitality::Undeclared => "not known: the environment has no `health`".to_owned(),
            Vitality::Unasked(why) => format!("not asked: {why}"),
            Vitality::Asked { url, probed: Probed::Good(came) } => format!("good: {url} answers {came}"),
            Vitality::Asked { url, probed: Probed::Bad(came) } => format!("bad: {url}: {came}"),
            Vitality::Asked { url, probed: Probed::Unclear(came) } => {
                format!("nobody can tell from here: {url}: {came}")
            }
        }
    }

    pub(super) fn json(&self) -> Value {
        match self {
            Vitality::Undeclared => Value::Null,
            Vitality::Unasked(why) => json!({ "is": "not asked", "why": why }),
            Vitality::Asked { url, probed } => {
                let (is, came) = match probed {
                    Probed::Good(came) => ("good", came),
                    Probed::Bad(came) => ("bad", came),
                    Probed::Unclear(came) => ("unclear", came),
                };
                json!({ "is": is, "url": url, "came": came })
            }
        }
    }
}
