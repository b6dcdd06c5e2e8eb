//! What was counted when it was last looked at, and how far one may be from it.

use std::collections::BTreeMap;
use std::fmt::Write;

/// Of each part, and of all.
pub(crate) type Counts = BTreeMap<String, u64>;

/// The name of the whole.
pub(crate) const ALL: &str = "all";

/// How much more there may be, in percent: another C library, or a processor for which it takes other ways, moves a few.
const ROOM: f64 = 10.0;

/// How many parts are told that have grown.
const TOLD: usize = 5;

/// The counts of each case.
pub(crate) struct Record(BTreeMap<String, Counts>);

impl Record {
    /// Lines of `CASE PART COUNT`.
    pub(crate) fn read(text: &str) -> Self {
        let mut record = BTreeMap::<String, Counts>::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if let [case, part, count] = line.split_whitespace().collect::<Vec<_>>()[..] {
                let count = count.parse().expect("a count");
                record.entry(case.to_owned()).or_default().insert(part.to_owned(), count);
            }
        }
        Self(record)
    }

    /// Prints how the case stands, and says what has grown if it is too much.
    pub(crate) fn judge(&self, case: &str, counts: &Counts) -> Option<String> {
        let Some(recorded) = self.0.get(case) else {
            return Some(format!("{case} is not recorded"));
        };
        let (before, now) = (recorded[ALL], counts[ALL]);
        let growth = percent(before, now);
        println!("{case:12} {before:12} recorded {now:12} now {growth:+6.1} %");
        if growth < -ROOM {
            println!("{:12} much less than recorded: keep it by cargo bench --bench counts -- renew", "");
        }
        (growth > ROOM)
            .then(|| format!("{case}: {growth:+.1} %, where {ROOM} are allowed\n{}", parts(recorded, counts)))
    }
}

/// The parts that have grown most.
fn parts(recorded: &Counts, counts: &Counts) -> String {
    let before = |part: &String| recorded.get(part).copied().unwrap_or(0);
    let mut parts: Vec<(&String, u64)> = counts.iter().map(|(part, now)| (part, *now)).collect();
    parts.retain(|(part, now)| *now > before(part) && part.as_str() != ALL);
    parts.sort_by_key(|(part, now)| std::cmp::Reverse(now - before(part)));
    let lines = parts.iter().take(TOLD).map(|(part, now)| {
        let before = before(part);
        format!("  {part}: {before} -> {now} ({:+})\n", now - before)
    });
    lines.collect()
}

#[expect(clippy::cast_precision_loss, reason = "a few percent are asked for")]
fn percent(before: u64, now: u64) -> f64 {
    (now as f64 / before as f64 - 1.0) * 100.0
}

/// The file's text.
pub(crate) fn written(counted: &[(&str, Counts)]) -> String {
    let mut text = String::from(
        "# Instructions within each layer, and system calls. Written by `cargo bench --bench counts -- renew`.\n",
    );
    for (case, counts) in counted {
        for (part, count) in counts {
            writeln!(text, "{case} {part} {count}").expect("memory");
        }
    }
    text
}
