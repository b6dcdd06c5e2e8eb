//! A folder of releases on a host. What is done there is written in `far.sh`, which gets its words by stdin; what is to be
//! done is decided here. The records are those of a folder on this machine.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::{Hosts, Shipment, refused, unmet};
use super::releases::{Record, number};
use crate::model::event::{Failure, Told};
use crate::model::host::There;
use crate::model::script::Script;
use crate::model::text::Text;
use crate::process::Stop;
use crate::release::remote::{Pushed, Remote};

/// What runs on the host.
const PROGRAM: &str = include_str!("far.sh");

/// As which `far.sh` says that something is in the way.
const IN_THE_WAY: i32 = 3;

/// The ref of a host's repository that names what was sent last, so that the next sending is short.
const SENT: &str = "refs/heads/release";

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
    has_git: bool,
}

impl Seen {
    /// The releases that are whole, oldest first.
    pub(super) fn complete(&self) -> impl DoubleEndedIterator<Item = u32> {
        self.records.iter().filter(|(_, record)| record.is_complete).map(|(number, _)| *number)
    }
}

/// How files get to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sending {
    /// What a repository there does not have yet.
    Difference,
    /// All of them.
    Whole,
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
    pub(super) fn make(
        &self,
        shipment: &Shipment<'_>,
        seen: &Seen,
        (shared, build): (&[String], &[Script<Text>]),
        tell: Tell<'_>,
    ) -> Result<(), Failure> {
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
        let made = self.fill(shipment, seen, shared, build, tell);
        let made = made.and_then(|()| {
            let record = Record { is_complete: true, ..record.clone() };
            self.ask(&["finish", &number.to_string(), &json(&record)], tell).map(drop)
        });
        if made.is_err()
            && let Err(failure) = self.under(&Stop::new(Duration::ZERO)).remove(number, &record, tell)
        {
            tell(Told::Note(format!("releases/{number} could not be removed: {failure:?}")));
        }
        made
    }

    fn fill(
        &self,
        shipment: &Shipment<'_>,
        seen: &Seen,
        shared: &[String],
        build: &[Script<Text>],
        tell: Tell<'_>,
    ) -> Result<(), Failure> {
        match if seen.has_git { Sending::Difference } else { Sending::Whole } {
            Sending::Difference => self.send_difference(shipment, tell)?,
            Sending::Whole => self.send_whole(shipment, tell)?,
        }
        if !shared.is_empty() {
            let number = shipment.number.to_string();
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
        let folder = self.folder(shipment.number);
        build.iter().try_for_each(|line| self.line("build", line, &folder, tell))
    }

    /// Sends what the host lacks, as git does, and takes the files out of that.
    fn send_difference(&self, shipment: &Shipment<'_>, tell: Tell<'_>) -> Result<(), Failure> {
        let url = format!("{}:{}/.repository.git", self.there.host, self.path);
        let failed =
            |why: String| unmet(format!("the release could not be sent to {}: {why}", self.there.host), HELP);
        self.hosts.by_git(self.there, self.stop, &mut |ssh| {
            let remote = Remote::through(shipment.scratch, ssh, &url, SENT);
            match remote.replace(shipment.commit, self.stop, &mut |_| ()) {
                Ok(Pushed::Done | Pushed::UpToDate) => Ok(()),
                Ok(Pushed::Declined(reason)) => Err(failed(reason)),
                Ok(Pushed::Moved) => Err(failed("another run sends to it".to_owned())),
                Err(_) if self.stop.asked().is_some() => Err(Failure::Stopped),
                Err(error) => Err(failed(error.to_string())),
            }
        })?;
        let words = ["files", &shipment.number.to_string(), shipment.commit.as_str()];
        self.ask(&words, tell).map(drop)
    }

    /// Sends all files, for a host without git.
    fn send_whole(&self, shipment: &Shipment<'_>, tell: Tell<'_>) -> Result<(), Failure> {
        let name = format!("{}-{}", shipment.environment, self.there.host);
        let made = crate::state::temporary::Temporary::make(shipment.state, &name, shipment.room);
        let room = made.map_err(|error| unmet(error.to_string(), "is `TMPDIR` a folder with some room?"))?;
        let folder = room.path().join("release");
        let written = shipment.scratch.write_files(shipment.commit, &folder, self.stop);
        for submodule in written.map_err(super::error::ServerError::from)? {
            let path = submodule.display();
            tell(Told::Note(format!("`{path}` is a submodule: its folder is empty in the release")));
        }
        self.hosts.send(self.there, &folder, &self.folder(shipment.number), self.stop, tell)
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

const HELP: &str = "what git says there stands above; is there room, and may this user write to `path`?";

fn json(record: &Record) -> String {
    serde_json::to_string(record).expect("two strings and a boolean are JSON")
}
