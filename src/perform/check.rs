//! STUB
use crate::model::event::{Failure, Told};
use crate::model::health::Health;
use crate::model::step::Planned;
use crate::process::Stop;
use std::time::Instant;
pub(crate) fn check(
    _: &Health<Planned>,
    _: Option<Instant>,
    _: &Stop,
    _: &mut dyn FnMut(Told),
) -> Result<(), Failure> {
    Ok(())
}
