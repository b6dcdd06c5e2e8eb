//! What a signal may end before a run has begun: the engine listens for itself.

use super::error::{Error, Kind};
use crate::facts;
use crate::process::Stop;

/// Does `work`, which heeds the stop that it is given: a signal raises it. `what` it is, for the message: "secrets were
/// fetched".
///
/// # Errors
/// A signal that came meanwhile.
pub(crate) fn stoppable<T>(what: &str, work: impl FnOnce(&Stop) -> T) -> Result<T, Error> {
    match facts::interruptible(work) {
        (_, Some(signal)) => {
            Err(Error::new(Kind::Stopped(signal), format!("stopped while {what}; nothing was done")))
        }
        (done, None) => Ok(done),
    }
}
