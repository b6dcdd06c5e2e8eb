//! What makes two environments differ, as people read it, and as programs do. Only what differs is shown.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::columns::columns;
use super::requirements::{self, note, side};
use super::words::count;
use crate::facts::{Apart, Dissent};
use crate::model::credentials::without_credentials;
use crate::model::release::{Release, Source};
use crate::plan::comparison::Difference;
use crate::plan::portrait::Group;

/// More of a value than this fits on no screen.
const CELL: usize = 60;

/// Two environments beside each other.
pub(crate) struct Comparison<'a> {
    pub(crate) names: [&'a str; 2],
    pub(crate) live: [Option<Release>; 2],
    /// How what is live in the second lies to what is live in the first, if that can be told.
    pub(crate) apart: Option<Apart>,
    /// The commit that both would ship, and in what its requirements differ; none where there is no commit.
    pub(crate) source: Option<(Source, Dissent)>,
    pub(crate) differences: Vec<Difference>,
}

/// For people.
pub(crate) fn text(comparison: &Comparison<'_>) -> String {
    let [first, second] = comparison.names;
    let at = match &comparison.source {
        Some((source, _)) => format!(", with the files of {}", source.commit.short()),
        None => String::new(),
    };
    let tables = comparison.tables();
    if tables.is_empty() {
        return format!("{first} and {second} differ in nothing but their names{at}\n");
    }
    format!("what differs between {first} and {second}{at}\n\n{}", tables.join("\n"))
}

/// For programs.
pub(crate) fn json(comparison: &Comparison<'_>) -> Value {
    let differences: Vec<Value> = comparison
        .differences
        .iter()
        .map(|Difference { group, name, values }| {
            let values = values.clone().map(|value| value.map(|value| without_credentials(&value)));
            json!({ "group": word(*group), "name": name, "values": values })
        })
        .collect();
    let dissent = comparison.source.as_ref().map(|(_, dissent)| dissent);
    let apart = comparison.apart.as_ref();
    json!({
        "environments": comparison.names,
        "source": comparison.source.as_ref().map(|(source, _)| &source.commit),
        "live": comparison.live,
        "only_there": apart.map(|apart| [apart.behind.commits.len(), apart.ahead.commits.len()]),
        "complete": apart.map(|apart| !apart.ahead.cut && !apart.behind.cut),
        "requirements": dissent.map(|dissent| requirements::json(&dissent.changes, "first", "second")),
        "refusals": dissent.map(|dissent| &dissent.refusals),
        "differences": differences,
    })
}

impl Comparison<'_> {
    /// One table for each group in which there is a difference.
    fn tables(&self) -> Vec<String> {
        let mut tables = Vec::new();
        tables.extend(self.releases());
        if let Some((_, dissent)) = &self.source {
            let rows = dissent.changes.iter().map(|change| {
                [format!("{}{}", change.what, note(change.role)), side(&change.before), side(&change.after)]
            });
            tables.extend(self.table("REQUIREMENTS", rows));
            for (name, refusals) in self.names.iter().zip(&dissent.refusals) {
                if !refusals.is_empty() {
                    tables.push(format!("{name} can't be shipped like this: {}\n", refusals.join("; ")));
                }
            }
        }
        for group in self.differences.chunk_by(|one, other| one.group == other.group) {
            let rows = group.iter().map(|Difference { name, values: [first, second], .. }| {
                [name.clone(), cell(first.as_deref()), cell(second.as_deref())]
            });
            tables.extend(self.table(&word(group[0].group).to_uppercase(), rows));
        }
        tables
    }

    /// What is live, unless both have the same commit or nothing.
    fn releases(&self) -> Option<String> {
        let commits = self.live.each_ref().map(|live| live.as_ref().map(|live| &live.source));
        if commits[0] == commits[1] {
            return None;
        }
        let row = |name: &str, of: &dyn Fn(&Release) -> String| {
            let [first, second] = self.live.each_ref().map(|live| live.as_ref().map(of));
            [name.to_owned(), cell(first.as_deref()), cell(second.as_deref())]
        };
        let rows = [
            row("release", &|live| live.number.to_string()),
            row("commit", &|live| live.source.short().to_owned()),
            row("subject", &|live| live.subject.clone()),
        ];
        let mut table = self.table("LIVE", rows.into_iter())?;
        if commits.iter().all(Option::is_some) {
            let _written = writeln!(table, "{}", self.distance());
        }
        Some(table)
    }

    /// How many commits lie between what is live in both.
    fn distance(&self) -> String {
        let [first, second] = self.names;
        let Some(Apart { ahead, behind }) = &self.apart else {
            return "how far they are apart can't be told: this clone does not have both commits".to_owned();
        };
        let at_least = if ahead.cut || behind.cut { "at least " } else { "" };
        let of = |number: usize| format!("{at_least}{}", count(number, "commit"));
        match (ahead.commits.len(), behind.commits.len()) {
            (ahead, 0) => format!("{first} is {} behind {second}", of(ahead)),
            (0, behind) => format!("{second} is {} behind {first}", of(behind)),
            (ahead, behind) => {
                format!("they have parted: {} only in {first}, {} only in {second}", of(behind), of(ahead))
            }
        }
    }

    fn table(&self, title: &str, rows: impl Iterator<Item = [String; 3]>) -> Option<String> {
        let [first, second] = self.names;
        let rows: Vec<Vec<String>> = rows.map(|row| row.map(|text| dash(&text)).to_vec()).collect();
        let head = [title, first, second].map(str::to_owned).to_vec();
        (!rows.is_empty()).then(|| columns(&[vec![head], rows].concat()))
    }
}

fn word(group: Group) -> &'static str {
    match group {
        Group::Environment => "environment",
        Group::Target => "target",
        Group::Swap => "swap",
        Group::Variables => "vars",
        Group::Env => "env",
        Group::Health => "health",
        Group::Rules => "protect",
    }
}

/// A value in one line of bounded length.
fn cell(value: Option<&str>) -> String {
    let Some(value) = value else { return String::new() };
    let write = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    let line: String = without_credentials(value.trim_end_matches('\n')).chars().map(write).collect();
    if line.is_empty() {
        return "\"\"".to_owned();
    }
    if line.chars().count() <= CELL {
        return line;
    }
    line.chars().take(CELL - 1).chain(['…']).collect()
}

fn dash(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { text.to_owned() }
}
