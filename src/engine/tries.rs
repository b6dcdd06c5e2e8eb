//! Trying again: which failures, how often, and after which pause. It knows nothing of what is tried.

use std::time::{Duration, Instant};

use super::Limit;
use crate::model::event::Failure;
use crate::model::step::Retry;
use crate::process::{Slept, Stop};

/// However often it grows, a pause between two tries is not longer than this.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// Acts until it works or must not be tried again. `retrying` is told of each failure before the pause that follows.
pub(super) fn tries<E>(
    retry: &Retry,
    stop: &Stop,
    limit: Option<Limit>,
    failure_of: impl Fn(&E) -> &Failure,
    retrying: impl Fn(&Failure, u32, Duration),
    mut act: impl FnMut() -> Result<(), E>,
) -> Result<(), E> {
    let mut wait = retry.wait;
    for attempt in 1.. {
        let failed = match act() {
            Ok(()) => return Ok(()),
            Err(failed) => failed,
        };
        if attempt >= retry.times || !may_retry(retry, failure_of(&failed)) {
            return Err(failed);
        }
        let pause = if retry.jitter { jittered(wait) } else { wait };
        if limit.is_some_and(|limit| Instant::now() + pause >= limit.at) {
            return Err(failed);
        }
        retrying(failure_of(&failed), attempt, pause);
        if stop.sleep(pause) == Slept::Interrupted {
            return Err(failed);
        }
        let longer = Duration::try_from_secs_f64(wait.as_secs_f64() * retry.factor);
        wait = longer.map_or(LONGEST_WAIT, |wait| wait.min(LONGEST_WAIT));
    }
    unreachable!("the last try has returned")
}

/// Whether a failure is of the kind that another try may mend.
fn may_retry(retry: &Retry, failure: &Failure) -> bool {
    match failure {
        Failure::OnHosts(_) | Failure::Unreachable { .. } => {
            retry.on_exit.is_empty() || retry.on_exit.contains(&failure.exit_code())
        }
        Failure::Exit(code) => retry.on_exit.is_empty() || retry.on_exit.contains(code),
        // By the code that a shell has for it: a line may have run without one.
        Failure::Signal(_) => retry.on_exit.is_empty() || retry.on_exit.contains(&failure.exit_code()),
        Failure::TimedOut(_) | Failure::Unmet { .. } | Failure::Unhealthy { .. } => retry.on_exit.is_empty(),
        Failure::NotStarted { .. }
        | Failure::Refused { .. }
        | Failure::WantsTerminal
        | Failure::Bug(_)
        | Failure::Stopped => false,
    }
}

/// Between a half and the whole of `wait`, at random.
fn jittered(wait: Duration) -> Duration {
    let mut byte = [0_u8];
    // Without randomness the pause is whole, which is what was asked for at most.
    let share = if getrandom::fill(&mut byte).is_ok() { f64::from(byte[0]) / 255.0 } else { 1.0 };
    wait.mul_f64(0.5 + share / 2.0)
}
