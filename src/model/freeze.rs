//! Times in which nothing new is deployed: windows of days and of hours. The clock is given; whose word overrides a
//! window is decided elsewhere.

use jiff::Zoned;
use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;

use crate::diagnostic::Span;

/// A window that is extended this often by itself and by others (a day each time, at least where days are meant) has no
/// end that anybody waits for.
const WINDOWS_IN_A_ROW: usize = 400;

/// One window of `freeze`.
#[derive(Clone, Debug)]
pub(crate) struct Freeze {
    pub(crate) when: When,
    /// The days that it is for, or on which its hours begin; empty: all days.
    pub(crate) days: Vec<Weekday>,
    /// The IANA name of the time zone that its times are of; none: the system's.
    pub(crate) zone: Option<(String, Span)>,
    pub(crate) reason: Option<String>,
}

/// When a window is open.
#[derive(Clone, Debug)]
pub(crate) enum When {
    /// From one moment up to another.
    Once { from: Option<DateTime>, to: Option<DateTime> },
    /// Each day from one time up to another; on the next day if that is not later.
    Daily { from: Time, to: Time },
}

/// When a freeze is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Thaw {
    At(Zoned),
    /// It has no end, or none in sight.
    Never,
}

/// The first of the windows that holds now, and when none holds any more. `clocks` are those of the windows' time zones,
/// one for each.
pub(crate) fn holding<'a>(windows: &'a [Freeze], clocks: &[Zoned]) -> Option<(&'a Freeze, Thaw)> {
    let at = |moment: Option<&Zoned>| {
        windows.iter().zip(clocks).find_map(|(window, clock)| {
            let now = moment
                .map_or_else(|| clock.clone(), |moment| moment.with_time_zone(clock.time_zone().clone()));
            Some((window, window.thaw(&now)?))
        })
    };
    let (first, mut thaw) = at(None)?;
    for _ in 0..WINDOWS_IN_A_ROW {
        let Thaw::At(end) = &thaw else { return Some((first, Thaw::Never)) };
        match at(Some(end)) {
            Some((_, later)) => thaw = later,
            None => return Some((first, thaw)),
        }
    }
    Some((first, Thaw::Never))
}

impl Freeze {
    /// When this window closes; none if it is not open now.
    fn thaw(&self, now: &Zoned) -> Option<Thaw> {
        let zone = now.time_zone();
        match &self.when {
            When::Once { from, to } => {
                let has_begun = from.is_none_or(|from| begin(from, zone).is_none_or(|begin| begin <= *now));
                let end = to.and_then(|to| end(to, zone));
                let is_open =
                    has_begun && end.as_ref().is_none_or(|end| now < end) && self.is_for(now.date());
                // Of some days only, it ends with the day at the latest; whether it goes on is another question.
                let midnight = || end_of(now.date(), Time::midnight(), zone);
                let day = if self.days.is_empty() { None } else { midnight() };
                is_open.then(|| match (end, day) {
                    (Some(end), Some(day)) => Thaw::At(end.min(day)),
                    (Some(only), None) | (None, Some(only)) => Thaw::At(only),
                    (None, None) => Thaw::Never,
                })
            }
            When::Daily { from, to } => {
                let today = now.date();
                let days = today.yesterday().into_iter().chain([today]).filter(|day| self.is_for(*day));
                let open = days.filter_map(|day| {
                    let last = if to > from { Some(day) } else { day.tomorrow().ok() };
                    let (begin, end) =
                        (begin(day.to_datetime(*from), zone)?, end(last?.to_datetime(*to), zone)?);
                    (begin <= *now && *now < end).then_some(end)
                });
                open.max().map(Thaw::At)
            }
        }
    }

    fn is_for(&self, day: Date) -> bool {
        self.days.is_empty() || self.days.contains(&day.weekday())
    }
}

/// The end of a day's window that closes at `to` of the next day.
fn end_of(day: Date, to: Time, zone: &TimeZone) -> Option<Zoned> {
    end(day.tomorrow().ok()?.to_datetime(to), zone)
}

/// Of two moments with this name, when clocks go back, the first.
fn begin(at: DateTime, zone: &TimeZone) -> Option<Zoned> {
    zone.to_ambiguous_zoned(at).compatible().ok()
}

/// Of two moments with this name the second: a freeze is not over before it is.
fn end(at: DateTime, zone: &TimeZone) -> Option<Zoned> {
    zone.to_ambiguous_zoned(at).later().ok()
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use proptest::prelude::*;

    use super::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).expect("a zone of the system's database")
    }

    fn daily(days: &[Weekday], from: &str, to: &str) -> Freeze {
        let time = |text: &str| text.parse().unwrap();
        Freeze {
            when: When::Daily { from: time(from), to: time(to) },
            days: days.to_vec(),
            zone: None,
            reason: None,
        }
    }

    fn once(days: &[Weekday], from: Option<&str>, to: Option<&str>) -> Freeze {
        let moment = |text: &str| text.parse().unwrap();
        Freeze {
            when: When::Once { from: from.map(moment), to: to.map(moment) },
            ..daily(days, "00:00", "00:00")
        }
    }

    /// When nothing holds any more; `-` if nothing does.
    fn told(windows: &[Freeze], now: &str) -> String {
        let now: Zoned = now.parse().unwrap();
        let clocks = vec![now; windows.len()];
        match holding(windows, &clocks) {
            None => "-".to_owned(),
            Some((_, Thaw::Never)) => "never".to_owned(),
            Some((_, Thaw::At(end))) => end.strftime("%a %F %H:%M %Z").to_string(),
        }
    }

    #[test]
    fn moments_begin_with_from_and_end_before_to() {
        let holidays = [once(&[], Some("2026-12-20T00:00"), Some("2027-01-03T00:00"))];
        for (now, thaw) in [
            ("2026-12-19T23:59:59[Europe/Berlin]", "-"),
            ("2026-12-20T00:00[Europe/Berlin]", "Sun 2027-01-03 00:00 CET"),
            ("2027-01-02T23:59:59[Europe/Berlin]", "Sun 2027-01-03 00:00 CET"),
            ("2027-01-03T00:00[Europe/Berlin]", "-"),
        ] {
            assert_eq!(told(&holidays, now), thaw, "{now}");
        }
        assert_eq!(told(&[once(&[], Some("2026-12-20T00:00"), None)], "2030-01-01T00:00[UTC]"), "never");
        let until = [once(&[], None, Some("2026-12-20T00:00"))];
        assert_eq!(told(&until, "2026-01-01T00:00[UTC]"), "Sun 2026-12-20 00:00 UTC");
    }

    #[test]
    fn a_window_that_crosses_midnight_is_of_the_day_that_it_begins_on() {
        let nights = [daily(&[Weekday::Friday], "22:00", "06:00")];
        for (now, thaw) in [
            // Friday is the 27th.
            ("2026-11-27T05:00[UTC]", "-"),
            ("2026-11-27T21:59[UTC]", "-"),
            ("2026-11-27T22:00[UTC]", "Sat 2026-11-28 06:00 UTC"),
            ("2026-11-28T05:59[UTC]", "Sat 2026-11-28 06:00 UTC"),
            ("2026-11-28T06:00[UTC]", "-"),
            ("2026-11-28T22:00[UTC]", "-"),
        ] {
            assert_eq!(told(&nights, now), thaw, "{now}");
        }
    }

    #[test]
    fn windows_that_follow_each_other_are_told_as_one() {
        let weekend = [
            daily(&[Weekday::Friday], "15:00", "00:00"),
            daily(&[Weekday::Saturday, Weekday::Sunday], "00:00", "00:00"),
            daily(&[Weekday::Monday], "00:00", "09:00"),
        ];
        for (now, thaw) in [
            ("2026-11-27T14:59[Europe/Berlin]", "-"),
            ("2026-11-27T15:00[Europe/Berlin]", "Mon 2026-11-30 09:00 CET"),
            ("2026-11-29T12:00[Europe/Berlin]", "Mon 2026-11-30 09:00 CET"),
            ("2026-11-30T09:00[Europe/Berlin]", "-"),
        ] {
            assert_eq!(told(&weekend, now), thaw, "{now}");
        }
        assert_eq!(told(&[daily(&[], "00:00", "00:00")], "2026-11-27T12:00[UTC]"), "never");
    }

    #[test]
    fn days_within_dates_are_those_alone() {
        let fridays = [once(&[Weekday::Friday], Some("2026-11-01T00:00"), Some("2026-11-27T18:00"))];
        for (now, thaw) in [
            ("2026-10-30T12:00[UTC]", "-"),
            ("2026-11-20T12:00[UTC]", "Sat 2026-11-21 00:00 UTC"),
            ("2026-11-21T12:00[UTC]", "-"),
            ("2026-11-27T12:00[UTC]", "Fri 2026-11-27 18:00 UTC"),
        ] {
            assert_eq!(told(&fridays, now), thaw, "{now}");
        }
    }

    #[test]
    fn each_window_has_its_own_clock() {
        let windows = [daily(&[], "09:00", "17:00"), daily(&[], "09:00", "17:00")];
        let now: Zoned = "2026-11-27T15:00[Europe/Berlin]".parse().unwrap();
        let clocks = [now.clone(), now.with_time_zone(zone("America/New_York"))];
        // Berlin closes at 17:00, when New York, at 11:00 there, is open up to 17:00.
        let Some((_, Thaw::At(end))) = holding(&windows, &clocks) else { panic!("both hold") };
        assert_eq!(end.strftime("%H:%M %Z").to_string(), "17:00 EST");
    }

    #[test]
    fn when_clocks_change_a_freeze_is_over_when_its_clock_says_so() {
        let nights = [daily(&[], "01:00", "02:30")];
        for (now, thaw) in [
            // Back from 03:00 CEST to 02:00 CET: half past two comes twice, and the second one counts.
            ("2026-10-25T02:15:00+02:00[Europe/Berlin]", "Sun 2026-10-25 02:30 CET"),
            ("2026-10-25T02:45:00+02:00[Europe/Berlin]", "Sun 2026-10-25 02:30 CET"),
            ("2026-10-25T02:15:00+01:00[Europe/Berlin]", "Sun 2026-10-25 02:30 CET"),
            ("2026-10-25T02:30:00+01:00[Europe/Berlin]", "-"),
            // On from 02:00 CET to 03:00 CEST: there is no half past two, and it is over an hour later by the clock.
            ("2026-03-29T01:59:00+01:00[Europe/Berlin]", "Sun 2026-03-29 03:30 CEST"),
            ("2026-03-29T03:30:00+02:00[Europe/Berlin]", "-"),
        ] {
            assert_eq!(told(&nights, now), thaw, "{now}");
        }
        // A day of 23 hours is a whole day.
        let sundays = [daily(&[Weekday::Sunday], "00:00", "00:00")];
        assert_eq!(told(&sundays, "2026-03-29T23:59[Europe/Berlin]"), "Mon 2026-03-30 00:00 CEST");
        assert_eq!(told(&sundays, "2026-03-30T00:00[Europe/Berlin]"), "-");
    }

    fn any_window() -> impl Strategy<Value = Freeze> {
        let days = prop::collection::vec(
            (1..=7_i8).prop_map(|day| Weekday::from_monday_one_offset(day).unwrap()),
            0..3,
        );
        let time = || (0..48_i8).prop_map(|half| Time::constant(half / 2, half % 2 * 30, 0, 0));
        let moment = || {
            prop::option::of(
                ((1..=12_i8), (1..=28_i8), time())
                    .prop_map(|(month, day, time)| Date::constant(2026, month, day).to_datetime(time)),
            )
        };
        let when = prop_oneof![
            (time(), time()).prop_map(|(from, to)| When::Daily { from, to }),
            (moment(), moment()).prop_map(|(from, to)| When::Once { from, to }),
        ];
        (when, days).prop_map(|(when, days)| Freeze { when, days, zone: None, reason: None })
    }

    proptest! {
        /// Whatever the windows and wherever the clock is changed: what is told as the end is later than now, and nothing
        /// holds then.
        #[test]
        fn the_end_is_the_end(
            windows in prop::collection::vec((any_window(), 0..4_usize), 1..4),
            second in 1_767_225_600..1_798_761_600_i64,
        ) {
            const ZONES: [&str; 4] = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"];
            let now = Timestamp::from_second(second).unwrap();
            let clocks = |at: Timestamp| -> Vec<Zoned> {
                windows.iter().map(|(_, index)| at.to_zoned(zone(ZONES[*index]))).collect()
            };
            let only: Vec<Freeze> = windows.iter().map(|(window, _)| window.clone()).collect();
            if let Some((_, Thaw::At(end))) = holding(&only, &clocks(now)) {
                prop_assert!(end.timestamp() > now);
                prop_assert!(holding(&only, &clocks(end.timestamp())).is_none());
                let before = end.timestamp() - SignedDuration::from_secs(1);
                prop_assert!(before < now || holding(&only, &clocks(before)).is_some(), "{end}");
            }
        }
    }
}
