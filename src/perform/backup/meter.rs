//! How far a stream has come, told now and then: how much, and how fast.

use std::time::{Duration, Instant};

use crate::model::event::Told;

/// How often it is told.
const OFTEN: Duration = Duration::from_secs(10);

const UNITS: [&str; 5] = ["bytes", "KiB", "MiB", "GiB", "TiB"];

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

/// How much there is, for people.
#[expect(clippy::cast_precision_loss, reason = "one digit behind the point is shown")]
pub(crate) fn size(bytes: u64) -> String {
    let mut unit = 0;
    let mut amount = bytes as f64;
    while amount >= 1024.0 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    match unit {
        0 if bytes == 1 => "1 byte".to_owned(),
        0 => format!("{bytes} {}", UNITS[0]),
        _ => format!("{amount:.1} {}", UNITS[unit]),
    }
}

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

/// `1 file`, `2 files`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_told_as_people_say_them() {
        assert_eq!(
            [0, 1, 1023, 1024, 1536, 2 << 30].map(size),
            ["0 bytes", "1 byte", "1023 bytes", "1.0 KiB", "1.5 KiB", "2.0 GiB"]
        );
    }
}
