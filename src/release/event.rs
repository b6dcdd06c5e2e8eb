//! What happens to an environment, as one commit's message in its ledger: a sentence for people, trailers for us.
//! Pure; the ledger reads and writes it.

use jiff::Timestamp;

use super::object::{Commit, trailers};
use super::state::Seat;
use crate::model::name::RunId;
use crate::model::release::{ObjectId, Release};

/// One entry of a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) what: What,
    pub(crate) at: Timestamp,
    /// Who: a person, and on which machine.
    pub(crate) by: String,
    pub(crate) run: Option<RunId>,
    /// The release that it is about.
    pub(crate) release: Option<u32>,
    /// Why, in one line: what failed, or what somebody said.
    pub(crate) reason: Option<String>,
    /// Since the release's run began, in seconds.
    pub(crate) took: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A release has its number and is on its way. Written before anything is shipped.
    Started(Box<Release>),
    /// The target has it; `deployment` is the platform's own name for that, where it gives one.
    Shipped {
        deployment: Option<String>,
    },
    /// It serves.
    Live,
    /// It did not become live. What the target has is told by `Shipped`, not by this.
    Failed,
    /// It was taken away again: the release `by` brought an earlier one back.
    RolledBack {
        by: u32,
    },
    /// The target's branch was found to hold this, and the next release goes on top of it. `number`: of the last
    /// release that its message tells of, else 0.
    Adopted {
        commit: Option<ObjectId>,
        number: u32,
    },
    /// The target's branch held somebody else's commits: the next run looks there first.
    Moved,
    /// By a run, which then has a seat; or by a person, until it is taken back.
    Locked(Option<Box<Seat>>),
    Unlocked,
    /// Somebody took the lock away from a run: from this one, where it was a run's.
    LockBroken {
        of: Option<RunId>,
    },
    Frozen,
    Thawed,
    /// Somebody went past a rule.
    Overridden {
        rule: String,
    },
    /// Something of it was saved, and proven.
    BackedUp {
        backup: String,
        id: String,
    },
    /// What was saved came back.
    Restored {
        backup: String,
        id: String,
    },
    /// Of a newer deploy than this.
    Other(String),
}

impl What {
    /// As it stands in the ledger.
    pub(crate) fn word(&self) -> &str {
        match self {
            What::Started(_) => "started",
            What::Shipped { .. } => "shipped",
            What::Live => "live",
            What::Failed => "failed",
            What::RolledBack { .. } => "rolled-back",
            What::Adopted { .. } => "adopted",
            What::Moved => "moved",
            What::Locked(_) => "locked",
            What::Unlocked => "unlocked",
            What::LockBroken { .. } => "lock-broken",
            What::Frozen => "frozen",
            What::Thawed => "thawed",
            What::Overridden { .. } => "overridden",
            What::BackedUp { .. } => "backed-up",
            What::Restored { .. } => "restored",
            What::Other(word) => word,
        }
    }
}

impl Event {
    /// The commit's message. `unique` makes it another's than that of any other event.
    pub(crate) fn message(&self, environment: &str, unique: u64) -> String {
        let mut lines = vec![
            ("Event", self.what.word().to_owned()),
            ("Environment", environment.to_owned()),
            ("At", self.at.to_string()),
            ("By", self.by.clone()),
        ];
        let mut add = |key, value: Option<String>| {
            lines.extend(value.filter(|value| !value.is_empty()).map(|value| (key, value)));
        };
        add("Run", self.run.as_ref().map(RunId::to_string));
        add("Release", self.release.map(|number| number.to_string()));
        add("Took", self.took.map(|seconds| seconds.to_string()));
        add("Reason", self.reason.clone());
        match &self.what {
            What::Started(release) => {
                add("Source", Some(release.source.to_string()));
                add("Source-Tree", Some(release.source_tree.to_string()));
                add("Subject", Some(release.subject.clone()));
                add("Branch", release.branch.clone());
                add("Commit", release.commit.as_ref().map(ObjectId::to_string));
                add("Tree", release.tree.as_ref().map(ObjectId::to_string));
                release.swapped.iter().for_each(|path| add("Swapped", Some(path.clone())));
                add("Restores", release.restores.map(|number| number.to_string()));
            }
            What::Adopted { commit, number } => {
                add("Commit", commit.as_ref().map(ObjectId::to_string));
                add("Number", Some(number.to_string()));
            }
            What::RolledBack { by } => add("Rolled-Back-By", Some(by.to_string())),
            What::LockBroken { of } => add("Broken", of.as_ref().map(RunId::to_string)),
            What::Locked(seat) => {
                if let Some(seat) = seat {
                    add("Machine", seat.machine.clone());
                    add("Process", Some(seat.pid.to_string()));
                    add("Command", Some(seat.command.clone()));
                    add("Commit", seat.commit.as_ref().map(ObjectId::to_string));
                    add("Address", seat.address.clone());
                }
            }
            What::Overridden { rule } => add("Rule", Some(rule.clone())),
            What::BackedUp { backup, id } | What::Restored { backup, id } => {
                add("Backup", Some(backup.clone()));
                add("Backup-Id", Some(id.clone()));
            }
            What::Shipped { deployment } => add("Deployment", deployment.clone()),
            What::Live
            | What::Failed
            | What::Unlocked
            | What::Moved
            | What::Frozen
            | What::Thawed
            | What::Other(_) => {}
        }
        lines.push(("Unique", format!("{unique:016x}")));
        let trailers: Vec<String> =
            lines.iter().map(|(key, value)| format!("{key}: {}", one_line(value))).collect();
        format!("{environment}: {}\n\n{}\n", self.sentence(), trailers.join("\n"))
    }

    /// Reads a commit of the ledger; `None` for one that is none of ours.
    pub(crate) fn read(commit: &Commit) -> Option<Event> {
        let text = |key| commit.trailer(key).map(str::to_owned);
        let id = |key| commit.trailer(key).and_then(ObjectId::parse);
        let at: Timestamp = commit.trailer("At")?.parse().ok()?;
        let by = text("By").unwrap_or_default();
        let run = text("Run").map(RunId);
        let release: Option<u32> = commit.trailer("Release").and_then(|number| number.parse().ok());
        let started = || {
            Some(What::Started(Box::new(Release {
                number: release?,
                source: id("Source")?,
                source_tree: id("Source-Tree")?,
                subject: text("Subject").unwrap_or_default(),
                branch: text("Branch"),
                commit: id("Commit"),
                tree: id("Tree"),
                swapped: trailers(&commit.message)
                    .filter(|(key, _)| *key == "Swapped")
                    .map(|(_, path)| path.to_owned())
                    .collect(),
                restores: commit.trailer("Restores").and_then(|number| number.parse().ok()),
                deployment: None,
                run: run.clone()?,
                by: by.clone(),
                at,
            })))
        };
        let what = match commit.trailer("Event")? {
            "started" => started()?,
            "shipped" => What::Shipped { deployment: text("Deployment") },
            "live" => What::Live,
            "failed" => What::Failed,
            "rolled-back" => What::RolledBack { by: commit.trailer("Rolled-Back-By")?.parse().ok()? },
            "adopted" => {
                What::Adopted { commit: id("Commit"), number: commit.trailer("Number")?.parse().ok()? }
            }
            "moved" => What::Moved,
            "locked" => {
                let pid = commit.trailer("Process").and_then(|pid| pid.parse().ok());
                What::Locked(pid.map(|pid| {
                    Box::new(Seat {
                        machine: text("Machine"),
                        pid,
                        command: text("Command").unwrap_or_default(),
                        commit: id("Commit"),
                        address: text("Address"),
                    })
                }))
            }
            "unlocked" => What::Unlocked,
            "lock-broken" => What::LockBroken { of: text("Broken").map(RunId) },
            "frozen" => What::Frozen,
            "thawed" => What::Thawed,
            "backed-up" => What::BackedUp { backup: text("Backup")?, id: text("Backup-Id")? },
            "restored" => What::Restored { backup: text("Backup")?, id: text("Backup-Id")? },
            "overridden" => What::Overridden { rule: text("Rule")? },
            other => What::Other(other.to_owned()),
        };
        let took = commit.trailer("Took").and_then(|seconds| seconds.parse().ok());
        Some(Event { what, at, by, run, release, reason: text("Reason"), took })
    }

    /// What happened, for those who read the ledger with git.
    fn sentence(&self) -> String {
        let release =
            self.release.map_or_else(|| "a release".to_owned(), |number| format!("release {number}"));
        match &self.what {
            What::Started(started) => format!("{release} begins, from {}", started.source.short()),
            What::Shipped { .. } => format!("{release} has been shipped"),
            What::Live => format!("{release} is live"),
            What::Failed => format!("{release} failed"),
            What::RolledBack { by } => format!("{release} was rolled back, by release {by}"),
            What::Moved => "the target's branch held somebody else's commits".to_owned(),
            What::Adopted { commit: Some(commit), .. } => {
                format!("goes on from {} of the target", commit.short())
            }
            What::Adopted { commit: None, .. } => "the target's branch is empty".to_owned(),
            What::Locked(_) => format!("locked by {}", self.by),
            What::Unlocked => format!("unlocked by {}", self.by),
            What::LockBroken { .. } => format!("the lock was broken by {}", self.by),
            What::Frozen => format!("frozen by {}", self.by),
            What::Thawed => format!("thawed by {}", self.by),
            What::Overridden { rule } => format!("{} went past the rule `{rule}`", self.by),
            What::BackedUp { backup, id } => format!("{backup} was saved as {id}"),
            What::Restored { backup, id } => format!("{backup} came back from {id}"),
            What::Other(word) => word.clone(),
        }
    }
}

/// A trailer is one line.
fn one_line(value: &str) -> String {
    value.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}
