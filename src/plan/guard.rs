//! The rules of an environment, judged against what was found out. A verdict is data: `plan` shows it, a run obeys it.

use std::time::Duration;

use jiff::Zoned;

use super::Delivery;
use crate::model::environment::{Confirm, Older};
use crate::model::freeze::{self, Thaw};
use crate::model::release::Release;

/// What the rules are judged by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Circumstances {
    /// Files with changes that are not committed.
    pub(crate) dirty: Vec<String>,
    /// Where the source commit is besides here, as far as this clone knows; asked only where the rule wants it.
    pub(crate) pushed: Option<String>,
    /// The time, by the clock of each window of `freeze`.
    pub(crate) clocks: Vec<Zoned>,
    /// Whether somebody, or a rollback, froze the environment until further notice.
    pub(crate) frozen: Option<Frozen>,
    /// The live release here.
    pub(crate) live: Option<Release>,
    /// What the environment has that `after` names.
    pub(crate) before: Before,
    /// Whether the source commit is an ancestor of the live one; none if the history here does not tell.
    pub(crate) behind: Option<bool>,
    /// How old the oldest of its newest backups is; none if one was never saved.
    pub(crate) saved: Option<Duration>,
    /// Why more of the history could not be had; asked for only where it is needed.
    pub(crate) unhad: Option<String>,
    /// Why the team's ledger could not be asked, and the mend.
    pub(crate) unreached: Option<(String, Option<String>)>,
}

/// A freeze that no file says.
#[derive(Clone, Debug)]
pub(crate) struct Frozen {
    pub(crate) by: String,
    pub(crate) at: Zoned,
    pub(crate) reason: String,
}

/// What an environment has that another one comes after.
#[derive(Clone, Debug, Default)]
pub(crate) enum Before {
    #[default]
    Nothing,
    Serves(Release),
    /// Something was shipped over its live release since, and did not become live.
    Covered(Release),
}

/// What a rule says of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) rule: &'static str,
    pub(crate) ruling: Ruling,
    /// A sentence: what is so, or why not.
    pub(crate) says: String,
    pub(crate) help: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ruling {
    Holds,
    Refuses,
    /// Nobody knows, and nothing protects the environment: it is said, and goes on.
    Untold,
    /// Only a command of the user's can tell: it is run after all other rules hold.
    Open,
    /// It would refuse, and the user overrides it for this reason.
    Overridden(String),
}

/// `--override RULE --reason TEXT`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overrides {
    pub(crate) rules: Vec<String>,
    pub(crate) reason: String,
}

/// The rule that a shared ledger can be reached: it is also for tasks that only hold an environment.
pub(crate) const LEDGER: &str = "ledger";

/// Every rule's name, as `--override` wants it.
pub(crate) const RULES: [&str; 9] =
    ["branches", "clean", "pushed", "after", "ancestor", "freeze", LEDGER, "backup", "checks"];

/// How many changed files a sentence names.
const FILES_NAMED: usize = 5;

/// The verdicts on a delivery, in the order of [`RULES`].
pub(crate) fn judge(delivery: &Delivery, found: &Circumstances, overrides: &Overrides) -> Vec<Verdict> {
    // What was live once may be live again: the rules are for what is new.
    if delivery.back.is_some() {
        return ledger(found).into_iter().map(|verdict| overridden(verdict, overrides)).collect();
    }
    let judged = [
        branches(delivery),
        clean(delivery, found),
        pushed(delivery, found),
        after(delivery, found),
        ancestor(delivery, found),
        freeze(delivery, found),
        ledger(found),
        backup(delivery, found),
        checks(delivery),
    ];
    let verdicts = judged.into_iter().flatten();
    verdicts.map(|verdict| overridden(verdict, overrides)).collect()
}

/// The verdict of `checks`, which was open until they ran. `failed` is what the one that failed has to say.
pub(crate) fn settle(verdict: &mut Verdict, failed: Option<String>, overrides: &Overrides) {
    *verdict = match failed {
        None => holds(verdict.rule, verdict.says.clone()),
        Some(says) => {
            let help = "mend what it says; it runs in the folder of tasks.toml".to_owned();
            overridden(refuses(verdict.rule, says, help), overrides)
        }
    };
}

fn overridden(verdict: Verdict, overrides: &Overrides) -> Verdict {
    if verdict.ruling == Ruling::Refuses && overrides.rules.iter().any(|rule| rule == verdict.rule) {
        return Verdict { ruling: Ruling::Overridden(overrides.reason.clone()), ..verdict };
    }
    verdict
}

/// The question that a protected environment asks, and the word that must be typed if one must.
pub(crate) fn question(delivery: &Delivery) -> Option<(String, Option<String>)> {
    let what = match &delivery.source {
        Some(source) if delivery.back.is_some() => {
            format!("Roll {} back to {} ({})?", delivery.environment, source.commit.short(), source.subject)
        }
        Some(source) => {
            format!("Deploy {} ({}) to {}?", source.commit.short(), source.subject, delivery.environment)
        }
        None => format!("Deploy to {}?", delivery.environment),
    };
    match delivery.protect.confirm {
        Confirm::No => None,
        Confirm::Ask => Some((what, None)),
        Confirm::Typed => Some((what, Some(delivery.environment.clone()))),
    }
}

fn backup(delivery: &Delivery, found: &Circumstances) -> Option<Verdict> {
    let limit = delivery.protect.backup?;
    let environment = &delivery.environment;
    let help = format!("deploy backup {environment}");
    Some(match found.saved {
        _ if !delivery.saves.is_empty() => {
            holds("backup", format!("saved before the release: {}", delivery.saves.join(", ")))
        }
        Some(old) if old <= limit => holds("backup", format!("the newest is {} old", age(old))),
        Some(old) => refuses(
            "backup",
            format!(
                "the newest backup is {} old; {environment} wants one of the last {}",
                age(old),
                age(limit)
            ),
            help,
        ),
        None => refuses("backup", format!("{environment} wants a backup, and there is none"), help),
    })
}

/// A time in the largest unit that it has some of.
fn age(time: Duration) -> String {
    let minutes = time.as_secs() / 60;
    match (minutes / (24 * 60), minutes / 60) {
        (days, _) if days > 1 => format!("{days} days"),
        (_, hours) if hours > 1 => format!("{hours} hours"),
        _ => format!("{minutes} minutes"),
    }
}

fn branches(delivery: &Delivery) -> Option<Verdict> {
    let patterns = &delivery.protect.branches;
    if patterns.is_empty() {
        return None;
    }
    let allowed = patterns.join(", ");
    let fits = |branch: &str| {
        let matches = |pattern: &String| {
            globset::Glob::new(pattern).is_ok_and(|glob| glob.compile_matcher().is_match(branch))
        };
        patterns.iter().any(matches)
    };
    Some(match delivery.source.as_ref().and_then(|source| source.branch.as_deref()) {
        Some(branch) if fits(branch) => holds("branches", format!("the branch is {branch}")),
        Some(branch) => refuses(
            "branches",
            format!("the branch is {branch}; {} takes {allowed}", delivery.environment),
            format!("git switch {}", patterns[0]),
        ),
        None => refuses(
            "branches",
            format!("no branch is checked out; {} takes {allowed}", delivery.environment),
            format!("git switch {}", patterns[0]),
        ),
    })
}

fn clean(delivery: &Delivery, found: &Circumstances) -> Option<Verdict> {
    if !delivery.protect.clean {
        return None;
    }
    Some(match found.dirty.len() {
        0 => holds("clean", "nothing is uncommitted".to_owned()),
        count => {
            let named: Vec<&str> = found.dirty.iter().take(FILES_NAMED).map(String::as_str).collect();
            let more = if count > FILES_NAMED {
                format!(" and {} more", count - FILES_NAMED)
            } else {
                String::new()
            };
            refuses(
                "clean",
                format!("not committed: {}{more}", named.join(", ")),
                "git add and git commit them, or git stash".to_owned(),
            )
        }
    })
}

fn pushed(delivery: &Delivery, found: &Circumstances) -> Option<Verdict> {
    let source = delivery.source.as_ref().filter(|_| delivery.protect.pushed)?;
    let commit = source.commit.short();
    Some(match &found.pushed {
        Some(place) => holds("pushed", format!("{place} has {commit}")),
        None => refuses(
            "pushed",
            format!("no branch of a remote has {commit}, as far as this clone knows"),
            "git push; if somebody else did, git fetch".to_owned(),
        ),
    })
}

fn after(delivery: &Delivery, found: &Circumstances) -> Option<Verdict> {
    let (first, _) = delivery.protect.after.as_ref()?;
    let source = delivery.source.as_ref()?;
    Some(match &found.before {
        Before::Serves(live) if live.source == source.commit => {
            holds("after", format!("{first} has {} live, as release {}", source.commit.short(), live.number))
        }
        Before::Serves(live) => refuses(
            "after",
            format!("{first} has {} live, not {}", live.source.short(), source.commit.short()),
            format!("deploy {first}"),
        ),
        Before::Covered(live) => refuses(
            "after",
            format!("what was shipped to {first} over release {} did not become live", live.number),
            format!("deploy history {first} tells why; then: deploy {first}"),
        ),
        Before::Nothing => {
            refuses("after", format!("nothing is live on {first} yet"), format!("deploy {first}"))
        }
    })
}

/// Deploying what the live release already contains would be a rollback by accident.
fn ancestor(delivery: &Delivery, found: &Circumstances) -> Option<Verdict> {
    let source = delivery.source.as_ref().filter(|_| delivery.protect.older == Older::Refused)?;
    let live = found.live.as_ref().filter(|live| live.source != source.commit)?;
    let protected = delivery.protect.at.is_some();
    match found.behind {
        Some(false) => Some(holds(
            "ancestor",
            format!("{} is not older than the live {}", source.commit.short(), live.source.short()),
        )),
        Some(true) => Some(refuses(
            "ancestor",
            format!(
                "{} is older than the live {} and contained in it",
                source.commit.short(),
                live.source.short()
            ),
            "git pull, or --override ancestor --reason \"…\" to go back on purpose".to_owned(),
        )),
        None => {
            let verdict = refuses(
                "ancestor",
                format!(
                    "the history here does not tell whether {} is older than the live {}{}",
                    source.commit.short(),
                    live.source.short(),
                    found.unhad.as_ref().map_or_else(String::new, |why| format!(", and {why}"))
                ),
                "fetch the branch that was deployed; its remote, or who deployed it, has it".to_owned(),
            );
            Some(if protected { verdict } else { Verdict { ruling: Ruling::Untold, ..verdict } })
        }
    }
}

/// Frozen by the file, by the ledger, or by both.
fn freeze(delivery: &Delivery, found: &Circumstances) -> Option<Verdict> {
    const RULE: &str = "freeze";
    let Delivery { environment, protect, .. } = delivery;
    let reason = |reason: &str| if reason.is_empty() { String::new() } else { format!(": {reason}") };
    let by_file = freeze::holding(&protect.freeze, &found.clocks).map(|(window, thaw)| {
        let until = match thaw {
            Thaw::At(end) => format!("until {}", end.strftime("%A %Y-%m-%d %H:%M (%Q)")),
            Thaw::Never => "by tasks.toml, with no end in sight".to_owned(),
        };
        format!("{environment} is frozen {until}{}", reason(window.reason.as_deref().unwrap_or_default()))
    });
    let by_hand = found.frozen.as_ref().map(|frozen| {
        let since = frozen.at.strftime("%Y-%m-%d %H:%M");
        format!("{environment} is frozen since {since}, by {}{}", frozen.by, reason(&frozen.reason))
    });
    let go_past = "--override freeze --reason \"…\"";
    match (by_hand, by_file) {
        (None, None) if protect.freeze.is_empty() => None,
        (None, None) => Some(holds(RULE, "nothing is frozen now".to_owned())),
        (None, Some(says)) => Some(refuses(RULE, says, format!("wait until then, or {go_past}"))),
        (Some(by_hand), by_file) => {
            let says = [by_hand].into_iter().chain(by_file).collect::<Vec<String>>().join("; ");
            Some(refuses(RULE, says, format!("deploy unlock {environment} --reason \"…\", or {go_past}")))
        }
    }
}

/// Who can't ask the others does not know who else is at it.
fn ledger(found: &Circumstances) -> Option<Verdict> {
    let (why, help) = found.unreached.as_ref()?;
    Some(refuses(LEDGER, why.clone(), past_ledger(help.as_deref())))
}

/// How to reach the team's ledger, or to go on without it.
pub(crate) fn past_ledger(help: Option<&str>) -> String {
    let help = help.map_or_else(String::new, |help| format!("{help}; "));
    format!("{help}or go on without the others: --override {LEDGER} --reason \"…\"")
}

fn checks(delivery: &Delivery) -> Option<Verdict> {
    let first = |script: &str| match script.trim().split_once('\n') {
        Some((first, _)) => format!("`{first} …`"),
        None => format!("`{}`", script.trim()),
    };
    let lines = delivery.checks.steps.iter().map(|step| first(&step.title()));
    let says = lines.collect::<Vec<String>>().join(", ");
    let ruling = Ruling::Open;
    (!says.is_empty()).then_some(Verdict { rule: "checks", ruling, says, help: None })
}

fn holds(rule: &'static str, says: String) -> Verdict {
    Verdict { rule, ruling: Ruling::Holds, says, help: None }
}

fn refuses(rule: &'static str, says: String, help: String) -> Verdict {
    Verdict { rule, ruling: Ruling::Refuses, says, help: Some(help) }
}

#[cfg(test)]
mod tests;
