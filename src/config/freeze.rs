//! `freeze`: the windows of time in which an environment takes nothing. Whether a time zone exists is asked in `check`.

use super::reader::{Item, Table, Toml};
use crate::diagnostic::{Diagnostic, Span};
use crate::model::freeze::{Freeze, When};
use jiff::civil::{Date, DateTime, Time, Weekday};

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

pub(crate) fn read(item: Item<'_, '_>) -> Vec<Freeze> {
    let windows = item.list("a list of windows such as [{ days = [\"fri\"], from = \"15:00\" }]");
    windows.unwrap_or_default().into_iter().filter_map(window).collect()
}

fn window(item: Item<'_, '_>) -> Option<Freeze> {
    let mut table = item.table("a freeze")?;
    let (from, to) = (table.take("from"), table.take("to"));
    let days = table.take("days").map(days);
    let zone = table.take("tz").and_then(|item| Some((item.text()?, item.at())));
    let reason = table.take("reason").and_then(|item| item.text());
    if from.is_none() && to.is_none() && days.is_none() {
        table.problem(
            Diagnostic::new("a freeze says when: `from`, `to` or `days`")
                .at(item.at(), "this one says nothing of it")
                .help("{ from = \"2026-12-20\", to = \"2027-01-02\" } or { days = [\"fri\"], from = \"15:00\" }"),
        );
    }
    let (begin, end) = (from.map(moment), to.map(moment));
    let is_read = |moment: &Option<Option<Moment>>| moment.is_none_or(|moment| moment.is_some());
    let is_whole = is_read(&begin) && is_read(&end);
    let when = if is_whole { when(&table, begin.flatten(), end.flatten()) } else { None };
    table.finish();
    Some(Freeze { when: when?, days: days.unwrap_or_default(), zone, reason })
}

fn days(item: Item<'_, '_>) -> Vec<Weekday> {
    const EXPECTED: &str = "a list of days such as [\"fri\", \"sat\"]";
    let Some(items) = item.list(EXPECTED) else { return Vec::new() };
    if items.is_empty() {
        item.wrong(EXPECTED);
    }
    items.iter().filter_map(|item| item.one_of(&DAYS)).collect()
}

/// A `from` or a `to`.
#[derive(Clone, Copy)]
struct Moment {
    at: Span,
    says: Says,
}

#[derive(Clone, Copy)]
enum Says {
    Time(Time),
    /// `24:00`: midnight, where something ends.
    EndOfDay,
    /// A moment; a day without a time is a different one as an end: the day is frozen too.
    Day {
        begin: DateTime,
        end: DateTime,
    },
}

fn when(table: &Table<'_, '_>, from: Option<Moment>, to: Option<Moment>) -> Option<When> {
    let midnight = Time::midnight();
    let (when, is_empty) = match (from.map(|from| from.says), to.map(|to| to.says)) {
        (None, None | Some(Says::EndOfDay)) => (When::Daily { from: midnight, to: midnight }, false),
        (Some(Says::Time(from)), None | Some(Says::EndOfDay)) => (When::Daily { from, to: midnight }, false),
        (Some(Says::EndOfDay), _) => {
            table.problem(
                Diagnostic::new("a freeze can't begin when the day is over")
                    .at(from?.at, "the end of a day")
                    .help("from = \"00:00\", on the day after"),
            );
            return None;
        }
        (None, Some(Says::Time(to))) => (When::Daily { from: midnight, to }, to == midnight),
        (Some(Says::Time(from)), Some(Says::Time(to))) => (When::Daily { from, to }, from == to),
        (Some(Says::Day { begin, .. }), None) => (When::Once { from: Some(begin), to: None }, false),
        (None, Some(Says::Day { end, .. })) => (When::Once { from: None, to: Some(end) }, false),
        (Some(Says::Day { begin, .. }), Some(Says::Day { end, .. })) => {
            (When::Once { from: Some(begin), to: Some(end) }, end <= begin)
        }
        (Some(Says::Time(_)), Some(Says::Day { .. }))
        | (Some(Says::Day { .. }), Some(Says::Time(_) | Says::EndOfDay)) => {
            table.problem(
                Diagnostic::new("a freeze goes from day to day, or from time to time")
                    .at(from?.at, "one of them")
                    .at(to?.at, "and one of the other")
                    .help(
                        "write a day with its time, \"2026-12-20T15:00\", or keep the times and say `days`",
                    ),
            );
            return None;
        }
    };
    if let (true, Some(to)) = (is_empty, to) {
        table.problem(
            Diagnostic::new("this freeze is over when it begins")
                .at(to.at, "not later than `from`")
                .help("for whole days leave the times out; a day as `to` is frozen too"),
        );
        return None;
    }
    Some(when)
}

/// A day, a day with a time, or a time: as text, or as TOML writes them.
fn moment(item: Item<'_, '_>) -> Option<Moment> {
    let text = match item.value() {
        Toml::String(text) => text.to_string(),
        Toml::Datetime(moment) => moment.clone(),
        Toml::Integer(..) | Toml::Float(_) | Toml::Boolean(_) | Toml::Array(_) | Toml::Table(_) => {
            String::new()
        }
    };
    let says = says(&text);
    if says.is_none() {
        let is_zoned = text.split_once(':').is_some_and(|(_, rest)| rest.contains(['Z', 'z', '+', '-', '[']));
        if is_zoned {
            let problem = Diagnostic::new("a moment of a freeze is told without its time zone");
            item.problem(problem.at(item.at(), "has one").help("say it beside: tz = \"Europe/Berlin\""));
        } else {
            item.wrong(
                "a day (\"2026-12-20\"), a day with a time (\"2026-12-20T15:00\") or a time (\"15:00\")",
            );
        }
    }
    Some(Moment { at: item.at(), says: says? })
}

/// What may stand for midnight where something ends.
const END_OF_DAY: &str = "24:00";

fn says(text: &str) -> Option<Says> {
    // The parsers of jiff take more than what is meant here: a day would be read out of all that begins with one.
    let day = |text: &str| text.parse::<Date>().ok().filter(|_| text.len() == "2026-12-20".len());
    let is_time =
        |text: &str| text.contains(':') && text.chars().all(|c| c.is_ascii_digit() || ":.".contains(c));
    let time = |text: &str| text.parse::<Time>().ok().filter(|_| is_time(text));
    if text == END_OF_DAY {
        return Some(Says::EndOfDay);
    }
    if let Some(time) = time(text) {
        return Some(Says::Time(time));
    }
    match text.split_once(['T', 't', ' ']) {
        None => {
            let day = day(text)?;
            Some(Says::Day { begin: day.into(), end: day.tomorrow().ok()?.into() })
        }
        Some((date, clock)) => {
            let moment = day(date)?.to_datetime(time(clock)?);
            Some(Says::Day { begin: moment, end: moment })
        }
    }
}
