//! The small parts of deploy's sentences: durations, counts, names of signals, colours by role.
//! Colours are always written; a writer that can't show them takes them out.

use std::fmt::Display;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use jiff::tz::TimeZone;

pub(crate) use crate::model::amount::count;

/// What went wrong.
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
/// What it is about.
pub(super) const NAME: Style = Style::new().bold();
/// What one may read over.
pub(super) const FAINT: Style = Style::new().dimmed();

/// `text` in a style.
pub(super) fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// A duration as short as a glance needs it: `340ms`, `1.2s`, `3m 05s`, `1h 02m`.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let tenths = (duration.as_millis() + 50) / 100;
    if duration < Duration::from_secs(1) {
        format!("{}ms", duration.as_millis())
    } else if tenths < 600 && duration.subsec_millis() > 0 {
        format!("{}.{}s", tenths / 10, tenths % 10)
    } else if tenths < 600 {
        format!("{seconds}s")
    } else if seconds < 3600 {
        let seconds = (tenths / 10).min(3599);
        format!("{}m {:02}s", seconds / 60, seconds % 60)
    } else {
        format!("{}h {:02}m", seconds / 3600, seconds / 60 % 60)
    }
}

/// An instant to the minute, in the reader's own time zone.
pub(crate) fn minute(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// At most this many names are listed: more than that nobody reads.
const LISTED: usize = 8;

/// `a, b, c`, and how many more there are.
pub(super) fn list<'a>(mut names: impl Iterator<Item = &'a str>) -> String {
    let list = names.by_ref().take(LISTED).collect::<Vec<_>>().join(", ");
    match names.count() {
        0 => list,
        more => format!("{list} and {more} more"),
    }
}

/// The first line of a step, and a sign that there are more.
pub(crate) fn first_line(text: &str) -> String {
    let mut lines = text.trim().lines();
    let first = lines.next().unwrap_or_default().trim_end();
    if lines.next().is_some() { format!("{first} …") } else { first.to_owned() }
}

/// A signal by its name; the numbers are those that Linux and macOS share.
pub(super) fn signal(number: i32) -> String {
    let name = match number {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        other => return format!("signal {other}"),
    };
    name.to_owned()
}
