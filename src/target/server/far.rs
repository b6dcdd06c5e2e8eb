//! A folder of releases on a host. What is done there is written in `far.sh`, which gets its words by stdin; what is to be
//! done is decided here. The records are those of a folder on this machine.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::super::{Hosts, Shipment, refused, sending};
use super::releases::{Record, number};
use crate::model::event::{Failure, Told};
use crate::model::host::There;
use crate::model::script::Script;
use crate::model::text::Text;
use crate::process::Stop;

/// What runs on the host.
const PROGRAM: &str = include_str!("far.sh");

/// As which `far.sh` says that something is in the way.
const IN_THE_WAY: i32 = 3;

/// A server's folder on a host.
pub(super) struct Far<'a> {
    pub(super) there: &'a There,
    hosts: &'a dyn Hosts,
    path: String,
    stop: &'a Stop,
}

/// What is in it.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// What `current` names, if that is a release of ours.
    pub(super) current: Option<u32>,
    pub(super) records: BTreeMap<u32, Record>,
    pub(super) has_git: bool,
}

impl Seen {
    /// The releases that are whole, oldest first.
    pub(super) fn complete(&self) -> impl DoubleEndedIterator<Item = u32> {
        self.records.iter().filter(|(_, record)| record.is_complete).map(|(number, _)| *number)
    }
}

/// What is made on a host.
#[derive(Clone, Copy)]
pub(super) struct Making<'a> {
    pub(super) shipment: &'a Shipment<'a>,
    /// All files of the release, for hosts without git.
    pub(super) files: Option<&'a Path>,
    pub(super) shared: &'a [String],
    pub(super) build: &'a [Script<Text>],
}

type Tell<'t> = &'t mut dyn FnMut(Told);

impl<'a> Far<'a> {
    pub(super) fn new(there: &'a There, path: &str, hosts: &'a dyn Hosts, stop: &'a Stop) -> Far<'a> {
        Far { there, hosts, path: path.trim_end_matches('/').to_owned(), stop }
    }

    /// The same under another stop: what puts things right is done in a run that is stopped, too.
    pub(super) fn under<'b>(&'b self, stop: &'b Stop) -> Far<'b> {
        Far { there: self.there, hosts: self.hosts, path: self.path.clone(), stop }
    }

    /// Looks at the folder. Refused where another environment ships to it, or `current` is no link.
    pub(super) fn look(&self, environment: &str, tell: Tell<'_>) -> Result<Seen, Failure> {
        let told = self.ask(&["look"], tell)?;
        let mut seen = Seen::default();
        for line in told.lines() {
            match line.split_once(' ') {
                None if line == "git" => seen.has_git = true,
                None if line == "blocked" => return Err(self.blocked()),
                Some(("current", target)) => {
                    seen.current = target.strip_prefix("releases/").and_then(number);
                }
                Some(("record", rest)) => {
                    let (name, json) = rest.split_once(' ').unwrap_or((rest, ""));
                    let Some(number) = number(name) else { continue };
                    let record: Record = serde_json::from_str(json).map_err(|error| {
                        refused(
                            format!("{}: `.releases/{name}` can't be read: {error}", self.shown()),
                            format!("if that release is not needed, remove it and .releases/{name} there"),
                        )
                    })?;
                    seen.records.insert(number, record);
                }
                None | Some(_) => {}
            }
        }
        let other = seen.records.values().find(|record| record.environment != environment);
        if let Some(other) = other {
            return Err(refused(
                format!("{} holds releases of `{}`", self.shown(), other.environment),
                format!("give `{environment}` a `path` of its own"),
            ));
        }
        Ok(seen)
    }

    /// Makes the release's folder: its files, `shared`, `build`. What an interrupted run left goes first.
    pub(super) fn make(&self, making: Making<'_>, seen: &Seen, tell: Tell<'_>) -> Result<(), Failure> {
        let shipment = making.shipment;
        let number = shipment.number;
        let record = Record {
            environment: shipment.environment.to_owned(),
            commit: shipment.commit.to_string(),
            is_complete: false,
        };
        for (half, left) in seen.records.iter().filter(|(_, record)| !record.is_complete) {
            self.remove(*half, left, tell)?;
            tell(Told::Note(format!("removed releases/{half}, which an interrupted run left half made")));
        }
        let known = seen.records.get(&number).filter(|record| record.is_complete);
        match known {
            // An earlier try made it.
            Some(known) if known.commit == record.commit => return Ok(()),
            Some(_) => return Err(self.taken(number)),
            None => {}
        }
        self.ask(&["begin", &number.to_string(), &json(&record)], tell).map_err(|failure| match failure {
            Failure::Exit(IN_THE_WAY) => self.taken(number),
            other => other,
        })?;
        let made = self.fill(making, tell).and_then(|()| {
            let record = Record { is_complete: true, ..record.clone() };
            self.ask(&["finish", &number.to_string(), &json(&record)], tell).map(drop)
        });
        if made.is_err() && self.under(&Stop::new(Duration::ZERO)).remove(number, &record, tell).is_err() {
            tell(Told::Note(format!("releases/{number} stays, half made: the next deploy removes it")));
        }
        made
    }

    fn fill(&self, making: Making<'_>, tell: Tell<'_>) -> Result<(), Failure> {
        let Making { shipment, files, shared, build } = making;
        let (number, commit) = (shipment.number.to_string(), shipment.commit.as_str());
        let folder = self.folder(shipment.number);
        if let Some(files) = files {
            self.hosts.send(self.there, files, &folder, self.stop, tell)?;
        } else {
            let repository = format!("{}/.repository.git", self.path);
            sending::send(self.hosts, self.there, &repository, shipment, self.stop)?;
            self.ask(&["files", &number, commit], tell)?;
        }
        if !shared.is_empty() {
            let words: Vec<&str> =
                ["shared", &number].into_iter().chain(shared.iter().map(String::as_str)).collect();
            self.ask(&words, tell).map_err(|failure| match failure {
                Failure::Exit(IN_THE_WAY) => refused(
                    format!("one of `shared` lies behind a link in the release, on {}", self.there.host),
                    "take the inner one out of `shared`, or make what is above it a folder",
                ),
                other => other,
            })?;
        }
        build.iter().try_for_each(|line| self.line("build", line, &folder, tell))
    }

    /// Makes `current` name a release; before, it names the old one, after, this one, and nothing between.
    pub(super) fn switch(&self, number: u32, tell: Tell<'_>) -> Result<(), Failure> {
        let switched = self.ask(&["switch", &number.to_string()], tell);
        switched.map(drop).map_err(|failure| match failure {
            Failure::Exit(IN_THE_WAY) => self.blocked(),
            other => other,
        })
    }

    /// Runs `reload` in what is current now.
    pub(super) fn reload(&self, line: Option<&Script<Text>>, tell: Tell<'_>) -> Result<(), Failure> {
        line.map_or(Ok(()), |line| self.line("reload", line, &format!("{}/current", self.path), tell))
    }

    /// A line of the file's, in a folder there; which one it was is told if it fails.
    fn line(&self, key: &str, line: &Script<Text>, folder: &str, tell: Tell<'_>) -> Result<(), Failure> {
        self.hosts.line(self.there, line, folder, self.stop, tell).inspect_err(|_| {
            tell(Told::Note(format!("`{key}` failed: {line}")));
        })
    }

    /// Takes `current` away again, where there was none.
    pub(super) fn unlink(&self, tell: Tell<'_>) -> Result<(), Failure> {
        self.ask(&["unlink"], tell).map(drop)
    }

    pub(super) fn remove(&self, number: u32, record: &Record, tell: Tell<'_>) -> Result<(), Failure> {
        let record = Record { is_complete: false, ..record.clone() };
        self.ask(&["remove", &number.to_string(), &json(&record)], tell).map(drop)
    }

    fn folder(&self, number: u32) -> String {
        format!("{}/releases/{number}", self.path)
    }

    pub(super) fn shown(&self) -> String {
        format!("{}:{}", self.there.host, self.path)
    }

    fn ask(&self, words: &[&str], tell: Tell<'_>) -> Result<String, Failure> {
        let (action, rest) = words.split_first().expect("an action");
        let program = ["sh", "-c", PROGRAM, "sh", action, &self.path];
        let words = program.iter().chain(rest).map(|word| (*word).to_owned()).collect();
        self.hosts.ask(self.there, words, self.stop, tell)
    }

    fn blocked(&self) -> Failure {
        refused(
            format!("`current` in {} is not a symlink, so it can't be switched to a release", self.shown()),
            format!("move it away there: mv {0}/current {0}/current.old", self.path),
        )
    }

    fn taken(&self, number: u32) -> Failure {
        refused(
            format!("releases/{number} is in {} already, and it is another release", self.shown()),
            format!("move it away there: mv {0} {0}.old", self.folder(number)),
        )
    }
}

fn json(record: &Record) -> String {
    serde_json::to_string(record).expect("two strings and a boolean are JSON")
}
