//! What a platform has live, beside what the ledger says. Secrets that open its API are read where they lie; no command is
//! run for them.

use serde_json::{Value, json};

use super::super::super::error::Error;
use super::super::super::secret;
use super::super::super::session::Session;
use super::probe::{GUESSED, answered};
use crate::facts::Site;
use crate::model::environment::Environment;
use crate::model::mask::Masker;
use crate::model::platform::PlatformTarget;
use crate::model::release::Release;
use crate::model::secret::{Keeper, Vaults};
use crate::model::step::Planned;
use crate::model::target::Target;
use crate::plan::Hidden;
use crate::plan::portrait::{Lodging, lodging};
use crate::release::state::State;
use crate::report::summary::reasons;
use crate::target::platform::sight::{Sight, sight};
use crate::target::platform::{Deployment, short};

/// What is to be asked of a platform.
pub(super) enum Question {
    /// Nobody there could tell.
    None,
    Unasked(String),
    Ask(Box<Asking>),
}

pub(super) struct Asking {
    target: PlatformTarget<Planned>,
    vaults: Vaults,
    environment: String,
    live: Option<Release>,
    /// What the ledger knows: what is live, then the newest.
    releases: Vec<Release>,
}

/// What a platform has live.
pub(super) enum Presence {
    None,
    Unasked(String),
    /// It was asked, and did not say: why.
    Untold(String),
    Told(Box<Told>),
}

pub(super) struct Told {
    title: &'static str,
    sight: Sight,
    live: Option<Release>,
    /// The release that is live there, by its number.
    release: Option<u32>,
}

impl Question {
    pub(super) fn of(
        session: &Session,
        site: &Site,
        environment: &Environment,
        state: &State,
    ) -> Result<Question, Error> {
        match &environment.target {
            Some(Target::Platform(_)) => {}
            Some(Target::PythonAnywhere(_)) => {
                return Ok(Question::Unasked("PythonAnywhere's API does not know of commits".to_owned()));
            }
            Some(Target::Zappa(_)) => {
                return Ok(Question::Unasked("only the project's own Zappa could tell".to_owned()));
            }
            Some(Target::Git(_) | Target::Server(_) | Target::Command(_)) | None => {
                return Ok(Question::None);
            }
        }
        let live = state.live.as_ref();
        let Lodging { target, keys, guessed } = match answered(session, site, environment, live, lodging) {
            Ok(Some(lodging)) => lodging,
            Ok(None) => return Ok(Question::None),
            Err(why) => return Ok(Question::Unasked(why)),
        };
        if guessed {
            return Ok(Question::Unasked(GUESSED.to_owned()));
        }
        if let Some(key) = keys.iter().find(|key| is_kept_by_a_program(key)) {
            let why = format!("a command keeps the token `{}`, and looking runs none", key.name);
            return Ok(Question::Unasked(why));
        }
        let mut vaults = Vaults::default();
        let lack = secret::look(site, &keys, &mut vaults)?;
        secret::warn(&lack);
        if let Some(missing) = lack.missing.first() {
            return Ok(Question::Unasked(missing.message.clone()));
        }
        let known = site.history(&environment.name)?.into_iter().map(|delivery| delivery.release);
        Ok(Question::Ask(Box::new(Asking {
            target,
            vaults,
            environment: environment.name.clone(),
            live: live.cloned(),
            releases: live.cloned().into_iter().chain(known).collect(),
        })))
    }

    pub(super) fn ask(&self) -> Presence {
        match self {
            Question::None => Presence::None,
            Question::Unasked(why) => Presence::Unasked(why.clone()),
            Question::Ask(asking) => asking.ask(),
        }
    }
}

fn is_kept_by_a_program(key: &Hidden) -> bool {
    match &key.keeper {
        Keeper::Command(_) | Keeper::Age { .. } => true,
        Keeper::Env(_) | Keeper::File(_) | Keeper::Dotenv { .. } => false,
    }
}

impl Asking {
    fn ask(&self) -> Presence {
        let vault = self.vaults.of(Some(&self.environment));
        let expected = self.live.as_ref().and_then(|live| live.deployment.as_deref());
        match sight(&self.target, expected, vault) {
            Ok(sight) => Presence::Told(Box::new(Told {
                title: self.target.service.title(),
                release: sight.live.as_ref().and_then(|live| self.release_of(live)),
                live: self.live.clone(),
                sight,
            })),
            Err(failure) => {
                let (message, help) = reasons(&failure);
                let said = [message, help].into_iter().flatten().collect::<Vec<_>>().join("; ");
                // An answer may repeat what it was asked.
                let said = Masker::new(vault.values()).map_or(said.clone(), |masker| masker.text(&said));
                Presence::Untold(said)
            }
        }
    }

    /// The release that a deployment is of: by its name, or, where the name was never told, by what it was built from.
    fn release_of(&self, deployment: &Deployment) -> Option<u32> {
        let is_named = |release: &&Release| release.deployment.as_ref() == Some(&deployment.id);
        let is_built = |release: &&Release| {
            let is_its = |commit: &String| {
                [Some(&release.source), release.commit.as_ref()]
                    .into_iter()
                    .flatten()
                    .any(|its| its.as_str() == commit)
            };
            release.deployment.is_none()
                && !deployment.commits.is_empty()
                && deployment.commits.iter().all(is_its)
        };
        let found = self.releases.iter().find(is_named).or_else(|| self.releases.iter().find(is_built));
        found.map(|release| release.number)
    }
}

impl Presence {
    /// None where there is nothing to say.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Presence::None => None,
            Presence::Unasked(why) => Some(format!("not asked: {why}")),
            Presence::Untold(why) => Some(format!("nobody can tell from here: {why}")),
            Presence::Told(told) => Some(told.text()),
        }
    }

    pub(super) fn json(&self) -> Value {
        match self {
            Presence::None => Value::Null,
            Presence::Unasked(why) => json!({ "is": "not asked", "why": why }),
            Presence::Untold(why) => json!({ "is": "unclear", "why": why }),
            Presence::Told(told) => told.json(),
        }
    }
}

impl Told {
    /// Whether it has live what the ledger says.
    fn agrees(&self) -> bool {
        match (&self.live, &self.sight.live) {
            (None, None) => true,
            (Some(live), Some(_)) => self.release == Some(live.number),
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    fn text(&self) -> String {
        let title = self.title;
        let ours = self.live.as_ref().map(|live| match &live.deployment {
            Some(deployment) => format!("the ledger says {deployment}"),
            None => format!("the ledger says release {}", live.number),
        });
        let ours = ours.unwrap_or_else(|| "by the ledger, nothing is".to_owned());
        let main = match (&self.sight.live, self.release) {
            (Some(live), _) if self.agrees() => format!("agrees: {title} has {} live", name(live)),
            (None, _) if self.agrees() => format!("agrees: {title} has nothing live"),
            (Some(live), Some(release)) => {
                format!("differs: {title} has {} live, of release {release}; {ours}", name(live))
            }
            (Some(live), None) => {
                format!("differs: {title} has {} live, somebody else's deployment; {ours}", name(live))
            }
            (None, _) => format!("differs: none of the newest deployments of {title} is live; {ours}"),
        };
        let underway = self
            .sight
            .underway
            .as_ref()
            .map(|(deployment, word)| format!("; {} is under way ({word})", name(deployment)));
        let hindrance = self.sight.hindrance.as_ref().map(|why| format!("; {why}"));
        [Some(main), underway, hindrance].into_iter().flatten().collect()
    }

    fn json(&self) -> Value {
        let one =
            |deployment: &Deployment| json!({ "deployment": deployment.id, "commits": deployment.commits });
        let underway = self.sight.underway.as_ref().map(|(deployment, word)| {
            json!({ "deployment": deployment.id, "commits": deployment.commits, "is": word })
        });
        json!({
            "is": if self.agrees() { "agrees" } else { "differs" },
            "live": self.sight.live.as_ref().map(one),
            "release": self.release,
            "underway": underway,
            "hindrance": self.sight.hindrance,
        })
    }
}

/// A deployment, with the commit that it says it was built from.
fn name(deployment: &Deployment) -> String {
    match deployment.commits.first() {
        Some(commit) => format!("{} of {}", deployment.id, short(commit)),
        None => deployment.id.clone(),
    }
}
