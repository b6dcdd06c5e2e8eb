//! How far a stream has come, told now and then: how much, and how fast.

use std::time::{Duration, Instant};

use crate::model::amount::size;
use crate::model::event::Told;

/// How often it is told.
const OFTEN: Duration = Duration::from_secs(10);

pub(super) struct Meter {
    doing: String,
    began: Instant,
    next: Instant,
    done: u64,
}

impl Meter {
    pub(super) fn new(doing: String) -> Meter {
        let began = Instant::now();
        Meter { doing, began, next: began + OFTEN, done: 0 }
    }

    pub(super) fn add(&mut self, bytes: u64, tell: &mut dyn FnMut(Told)) {
        self.done += bytes;
        let now = Instant::now();
        if now >= self.next {
            self.next = now + OFTEN;
            let rate = rate(self.done, now - self.began);
            tell(Told::Note(format!("{}: {} so far, {rate}", self.doing, size(self.done))));
        }
    }
}

/// How fast that is, for people.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "for people"
)]
pub(super) fn rate(bytes: u64, took: Duration) -> String {
    let seconds = took.as_secs_f64().max(0.001);
    format!("{} a second", size((bytes as f64 / seconds) as u64))
}
