//! Backups: what is saved of an environment, where, and for how long; and the way back.

use std::collections::BTreeSet;
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::files::{Files, Pattern};
use super::script::Script;
use super::store::Place;
use super::template::Template;
use super::text::Text;
use crate::diagnostic::Span;

/// `[backups.NAME]`, as the file says it.
#[derive(Clone, Debug)]
pub(crate) struct Declared {
    pub(crate) name: String,
    pub(crate) matter: Said,
    /// The command that brings it back.
    pub(crate) restore: Option<Script<Template>>,
    pub(crate) store: (String, Span),
    pub(crate) keep: Option<Keep>,
    pub(crate) compress: Compress,
    /// Those who can read it, as `age` calls them; empty: whoever can read the store.
    pub(crate) recipients: Vec<Template>,
    /// The file with which `age` reads it again.
    pub(crate) identity: Option<Template>,
    pub(crate) scratch: Option<Scratch<Script<Template>>>,
    /// Variables of its commands; named secrets are in it too.
    pub(crate) env: Vec<(String, Template)>,
    /// Where its commands run and its files lie, relative to the folder of its file.
    pub(crate) dir: Option<Template>,
    /// Its name, in the file.
    pub(crate) at: Span,
}

/// The same as a plan will do it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Backup {
    pub(crate) name: String,
    pub(crate) environment: String,
    pub(crate) matter: Matter<Script<Text>, Files<Pattern>, Place>,
    pub(crate) restore: Option<Script<Text>>,
    pub(crate) place: Place,
    pub(crate) keep: Option<Keep>,
    pub(crate) compress: Compress,
    pub(crate) recipients: Vec<String>,
    pub(crate) identity: Option<PathBuf>,
    pub(crate) scratch: Option<Scratch<Script<Text>>>,
    pub(crate) env: Vec<(String, Text)>,
    pub(crate) dir: PathBuf,
}

impl Backup {
    /// The texts that may hold secrets.
    pub(crate) fn texts(&self) -> Vec<&Text> {
        let dump = match &self.matter {
            Matter::Dump(script) => Some(script),
            Matter::Files(_) | Matter::Bucket { .. } => None,
        };
        let scratch = self.scratch.iter().flat_map(|scratch| [Some(&scratch.create), scratch.drop.as_ref()]);
        let scripts = [dump, self.restore.as_ref()].into_iter().chain(scratch).flatten();
        scripts.flat_map(Script::values).chain(self.env.iter().map(|(_, value)| value)).collect()
    }
}

/// What is to come back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Restore {
    pub(crate) backup: Backup,
    /// Its id; none: the newest.
    pub(crate) from: Option<String>,
}

/// What is saved, as the file says it: a bucket by the name of its store.
pub(crate) type Said = Matter<Script<Template>, Files<Template>, (String, Span)>;

/// What is saved.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Matter<S, F, B> {
    /// What a command prints.
    Dump(S),
    /// The files that patterns name; those that the store has are not sent again.
    Files(F),
    /// The same of the objects of a bucket.
    Bucket { bucket: B, files: F },
}

/// How hard it is compressed, as zstd counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Compress(pub(crate) i32);

impl Compress {
    /// As it comes: for what is compressed already.
    pub(crate) const NONE: Compress = Compress(0);
    /// The level at which zstd is as fast as the disks that it saves.
    pub(crate) const DEFAULT: Compress = Compress(3);
}

/// A place in which a backup is brought back to see that it can be: what makes it, and what takes it away again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Scratch<S> {
    /// Prints where the place is, in one line.
    pub(crate) create: S,
    pub(crate) drop: Option<S>,
    /// The variable that tells `restore` of it.
    pub(crate) variable: String,
}

/// How many backups are kept: the newest, and the newest of each of the last days, weeks and months that have one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Keep {
    pub(crate) last: u32,
    pub(crate) daily: u32,
    pub(crate) weekly: u32,
    pub(crate) monthly: u32,
}

impl Keep {
    /// Which of these times stay, newest first. The newest always does. Days are those of UTC, so that all machines agree.
    pub(crate) fn stays(&self, newest_first: &[Timestamp]) -> Vec<bool> {
        let dates: Vec<Date> =
            newest_first.iter().map(|at| at.to_zoned(jiff::tz::TimeZone::UTC).date()).collect();
        let mut stays = vec![false; dates.len()];
        let last = (self.last as usize).max(1).min(dates.len());
        stays[..last].fill(true);
        let week = |date: &Date| (date.iso_week_date().year(), date.iso_week_date().week());
        stay_first(&mut stays, dates.iter().copied(), self.daily);
        stay_first(&mut stays, dates.iter().map(week), self.weekly);
        stay_first(&mut stays, dates.iter().map(|date| (date.year(), date.month())), self.monthly);
        stays
    }
}

/// The first of each of so many periods.
fn stay_first<P: Ord>(stays: &mut [bool], periods: impl Iterator<Item = P>, wanted: u32) {
    let mut known = BTreeSet::new();
    for (stay, period) in stays.iter_mut().zip(periods) {
        if known.len() < wanted as usize && known.insert(period) {
            *stay = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::Keep;

    fn times(texts: &[&str]) -> Vec<Timestamp> {
        texts.iter().map(|text| format!("{text}Z").parse().expect("a time")).collect()
    }

    const SOME: [&str; 7] = [
        "2026-11-27T12:00:00",
        "2026-11-27T03:00:00",
        "2026-11-26T03:00:00",
        "2026-11-25T03:00:00",
        "2026-11-18T03:00:00",
        "2026-10-31T03:00:00",
        "2026-09-30T03:00:00",
    ];

    fn kept(keep: Keep) -> Vec<usize> {
        let stays = keep.stays(&times(&SOME));
        stays.iter().enumerate().filter(|(_, stays)| **stays).map(|(index, _)| index).collect()
    }

    #[test]
    fn the_newest_of_each_period_stays() {
        assert_eq!(kept(Keep { last: 2, ..Keep::default() }), [0, 1]);
        assert_eq!(kept(Keep { daily: 3, ..Keep::default() }), [0, 2, 3]);
        assert_eq!(kept(Keep { weekly: 2, ..Keep::default() }), [0, 4]);
        assert_eq!(kept(Keep { monthly: 2, ..Keep::default() }), [0, 5]);
        assert_eq!(kept(Keep { last: 2, daily: 2, weekly: 2, monthly: 3 }), [0, 1, 2, 4, 5, 6]);
    }

    #[test]
    fn the_only_one_stays_whatever_is_said() {
        assert_eq!(Keep::default().stays(&times(&SOME[..1])), [true]);
        assert!(Keep { last: 9, ..Keep::default() }.stays(&[]).is_empty());
    }
}
