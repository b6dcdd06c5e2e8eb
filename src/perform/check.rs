//! `check`, and an environment's `health`: asks an address until it answers as it must, often enough in a row, or the
//! time is over. It says whether the service is bad or nobody can tell, and decides nothing about a rollback.

pub(crate) mod once;
mod probe;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use crate::model::event::{Failure, Told};
use crate::model::health::{Health, Verdict};
use crate::model::http::ADDRESS;
use crate::model::secret::Vault;
use crate::model::step::Planned;
use crate::process::{Slept, Stop};
use probe::{Finding, Prober};

/// The most that one probe may take: a service that needs longer for its health has none.
const PROBE: Duration = Duration::from_secs(10);

/// What the last probe gets at least; a shorter one says more about us than about the service.
const LAST_PROBE: Duration = Duration::from_secs(1);

/// Waits until the address is healthy.
///
/// # Errors
/// `Unhealthy` when it is not in time, with what came last; `TimedOut` when `deadline` comes before.
pub(crate) fn check(
    health: &Health<Planned>,
    vault: &Vault,
    deadline: Option<Instant>,
    stop: &Stop,
    tell: &mut dyn FnMut(Told),
) -> Result<(), Failure> {
    let began = Instant::now();
    let end = began + health.within;
    let end = deadline.map_or(end, |deadline| deadline.min(end));
    let url = health.address();
    let prober = Prober::new(health, vault).map_err(|why| Failure::Refused {
        message: format!("`{url}` can't be asked: {why}"),
        help: Some(ADDRESS.to_owned()),
    })?;
    let (mut probes, mut good) = (0_u32, 0);
    let mut last: Option<Finding> = None;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let found = prober.probe(left.min(PROBE), stop).ok_or(Failure::Stopped)?;
        probes += 1;
        good = if found.is_good() { good + 1 } else { 0 };
        if good == health.streak {
            tell(Told::Note(format!("{url} is healthy ({})", effort(began.elapsed(), probes))));
            return Ok(());
        }
        // That there was no answer in the time that was left says nothing, nor that there was none of who knows the name.
        let is_cut_off = left < LAST_PROBE && found.is_out_of_time();
        let found = match last.take() {
            Some(before) if is_cut_off => before,
            before => {
                // Only what is new: a service that takes its time would fill the screen.
                if !found.is_good() && before.is_none_or(|before| !found.is_like(&before)) {
                    tell(Told::Note(format!("{url}: {found}")));
                }
                found
            }
        };
        let Some(pause) = pause(health.every, end.saturating_duration_since(Instant::now())) else {
            let took = began.elapsed();
            return Err(match deadline {
                Some(deadline) if deadline <= end => Failure::TimedOut(took),
                Some(_) | None => unhealthy(&url, health, &found, good, &effort(took, probes)),
            });
        };
        if stop.sleep(pause) == Slept::Interrupted {
            return Err(Failure::Stopped);
        }
        last = Some(found);
    }
}

/// The pause before the next probe; none if there is no time for one.
fn pause(every: Duration, left: Duration) -> Option<Duration> {
    if every < left { Some(every) } else { left.checked_sub(LAST_PROBE) }
}

fn unhealthy(url: &str, health: &Health<Planned>, last: &Finding, good: u32, effort: &str) -> Failure {
    let streak = match health.streak {
        1 => String::new(),
        streak => format!(" {streak} times in a row (it came to {good})"),
    };
    let verdict = last.verdict();
    let finding = match verdict {
        Verdict::Bad => format!("{url} is not healthy"),
        Verdict::Unclear => format!("nobody can tell from here whether {url} is healthy"),
    };
    Failure::Unhealthy {
        message: format!("{finding}: expected {}{streak}, last came {last} ({effort})", expected(health)),
        help: Some(last.help()),
        verdict,
    }
}

/// What must come, as it stands in a sentence.
fn expected(health: &Health<Planned>) -> String {
    let contains = health.contains.as_ref().map(|text| format!("`{text}` in its body"));
    let version = health.version.as_ref().map(|version| match &version.header {
        Some(name) => format!("version `{}` in `{name}`", version.text),
        None => format!("version `{}` in its body", version.text),
    });
    let more: Vec<String> = contains.into_iter().chain(version).collect();
    if more.is_empty() {
        health.status.to_string()
    } else {
        format!("{} with {}", health.status, more.join(" and "))
    }
}

fn effort(took: Duration, probes: u32) -> String {
    let probes = if probes == 1 { "1 probe".to_owned() } else { format!("{probes} probes") };
    format!("{probes} in {:.1} s", took.as_secs_f64())
}
