//! One look at a service's health, for who wants to know how it is and waits for nothing.

use super::probe::Prober;
use super::{PROBE, expected};
use crate::model::health::{Health, Verdict};
use crate::model::secret::Vault;
use crate::model::step::Planned;
use crate::process::Stop;

/// How a service is, with what came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Probed {
    Good(String),
    Bad(String),
    /// Nobody can tell from here.
    Unclear(String),
}

/// Asks a service for its health, once.
pub(crate) fn probe_once(health: &Health<Planned>, vault: &Vault, stop: &Stop) -> Probed {
    let prober = match Prober::new(health, vault) {
        Ok(prober) => prober,
        Err(why) => return Probed::Unclear(format!("it can't be asked: {why}")),
    };
    let Some(found) = prober.probe(PROBE, stop) else {
        return Probed::Unclear("the answer was not waited for".to_owned());
    };
    if found.is_good() {
        return Probed::Good(found.to_string());
    }
    let said = format!("{found}, where {} was expected", expected(health));
    match found.verdict() {
        Verdict::Bad => Probed::Bad(said),
        Verdict::Unclear => Probed::Unclear(said),
    }
}
