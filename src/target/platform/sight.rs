//! What a platform has live now, for who wants to know and changes nothing.

use std::time::Duration;

use super::{Deployment, Expected, Hindrance, State, api, underway, vendor};
use crate::model::event::Failure;
use crate::model::platform::PlatformTarget;
use crate::model::secret::Vault;
use crate::model::step::Planned;
use crate::process::Stop;

/// How long one answer may take: somebody waits for it.
const ANSWER: Duration = Duration::from_secs(10);

/// What a platform tells of an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sight {
    /// The deployment that is live; none if none of the newest is.
    pub(crate) live: Option<Deployment>,
    /// The one that is under way, and the platform's word for how far it is.
    pub(crate) underway: Option<(Deployment, String)>,
    /// Why it would take no deploy of ours now.
    pub(crate) hindrance: Option<String>,
}

/// Asks once. `live` is the deployment that is live by the ledger.
///
/// # Errors
/// Why it can't be told.
pub(crate) fn sight(
    target: &PlatformTarget<Planned>,
    live: Option<&str>,
    vault: &Vault,
) -> Result<Sight, Failure> {
    let title = target.service.title();
    let mut vendor = vendor(&target.service);
    let stop = Stop::new(Duration::ZERO);
    let api = api(target, &*vendor, vault, &stop, None)?.asking_once(ANSWER);
    let branch = target.push.as_ref().map(|push| push.branch.to_string());
    let expected = Expected { branch: branch.as_deref(), live };
    let found = vendor.look(&api, &expected).map_err(|unfit| unfit.failure(title))?;
    let deployments = vendor.deployments(&api).map_err(|error| error.failure(title))?;
    Ok(Sight {
        live: deployments.iter().find(|deployment| deployment.state == State::Live).cloned(),
        underway: underway(&deployments).map(|(deployment, word)| (deployment.clone(), word.to_owned())),
        hindrance: found.hindrance.map(|Hindrance { message, help: _ }| message),
    })
}
