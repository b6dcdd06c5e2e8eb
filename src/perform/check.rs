//! `check`, and an environment's `health`: asks an address until it answers as it must, often enough in a row, or the
//! time is over. It follows no redirect and reads no more of a body than it must; it decides nothing about a rollback.

mod probe;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use super::exchange::Answer;
use crate::model::event::{Failure, Told};
use crate::model::health::{Health, Verdict};
use crate::model::http::ADDRESS;
use crate::model::secret::Vault;
use crate::model::step::Planned;
use crate::process::{Slept, Stop};
use crate::release::git::without_credentials;
use probe::Prober;

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
    let url = without_credentials(&health.url.to_string());
    let asker = Prober::new(&health.url.reveal(vault)).map_err(|why| Failure::Refused {
        message: format!("`{url}` can't be asked: {why}"),
        help: Some(ADDRESS.to_owned()),
    })?;
    let contains = health.contains.as_ref().map(|text| text.reveal(vault));
    let (mut probes, mut good) = (0_u32, 0);
    let mut last = Answer::Silence(Duration::ZERO);
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let answer = asker.probe(left.min(PROBE), stop).ok_or(Failure::Stopped)?;
        probes += 1;
        if answer.is(health.status, contains.as_deref()) {
            good += 1;
            if good == health.streak {
                tell(Told::Note(format!("{url} is healthy ({})", effort(began.elapsed(), probes))));
                return Ok(());
            }
        } else {
            good = 0;
        }
        // That there was no answer in the time that was left says nothing.
        if left >= LAST_PROBE || !answer.is_silence() || last.is_silence() {
            // Only what is new: a service that takes its time would fill the screen.
            if good == 0 && (probes == 1 || !answer.is_like(&last)) {
                tell(Told::Note(format!("{url}: {answer}")));
            }
            last = answer;
        }
        let Some(pause) = pause(health.every, end.saturating_duration_since(Instant::now())) else {
            let took = began.elapsed();
            return Err(match deadline {
                Some(deadline) if deadline <= end => Failure::TimedOut(took),
                Some(_) | None => unhealthy(&url, health, &last, good, &effort(took, probes)),
            });
        };
        if stop.sleep(pause) == Slept::Interrupted {
            return Err(Failure::Stopped);
        }
    }
}

/// The pause before the next probe; none if there is no time for one.
fn pause(every: Duration, left: Duration) -> Option<Duration> {
    if every < left { Some(every) } else { left.checked_sub(LAST_PROBE) }
}

fn unhealthy(url: &str, health: &Health<Planned>, last: &Answer, good: u32, effort: &str) -> Failure {
    let expected = match &health.contains {
        Some(text) => format!("{} with `{text}` in its body", health.status),
        None => health.status.to_string(),
    };
    let streak = match health.streak {
        1 => String::new(),
        streak => format!(" {streak} times in a row (it came to {good})"),
    };
    Failure::Unhealthy {
        message: format!("{url} is not healthy: expected {expected}{streak}, last came {last} ({effort})"),
        help: Some(last.help().to_owned()),
        verdict: Verdict::Bad,
    }
}

fn effort(took: Duration, probes: u32) -> String {
    let probes = if probes == 1 { "1 probe".to_owned() } else { format!("{probes} probes") };
    format!("{probes} in {:.1} s", took.as_secs_f64())
}
