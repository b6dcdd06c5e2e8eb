//! What has moved between a plan and what would be planned now: from what, to what. Pure.

use serde_json::Value;

use super::{Ground, Live, Named, Part, PlanFile};
use crate::model::release::ObjectId;

/// What a plan shows that may change while the plan stays the same: what is judged anew, and what follows from the commits.
const JUDGED_ANEW: [&str; 6] = ["uncommitted", "rules", "locked", "live", "commits", "fresh"];

/// How much of a value is quoted.
const QUOTED: usize = 60;

impl PlanFile {
    /// A sentence for each thing that is not as it was.
    pub(crate) fn moved(&self, now: &PlanFile) -> Vec<String> {
        if self.parts.len() != now.parts.len() {
            return vec![format!("it had {} parts, and has {} now", self.parts.len(), now.parts.len())];
        }
        let mut moved: Vec<String> =
            self.parts.iter().zip(&now.parts).flat_map(|(then, now)| part(then, now)).collect();
        // All parts ship the same commit.
        moved.dedup();
        moved
    }
}

impl Part {
    /// What is not as it was below a release, when its turn comes.
    pub(crate) fn gone_on(&self, now: &Ground) -> Option<String> {
        let then = self.releases.iter().find(|then| then.environment == now.environment)?;
        ground(then, now)
    }
}

fn part(then: &Part, now: &Part) -> Vec<String> {
    let commit = commit(then.commit.as_ref(), now.commit.as_ref());
    let releases = then.releases.iter().zip(&now.releases).filter_map(|(then, now)| ground(then, now));
    let moved: Vec<String> = commit.into_iter().chain(releases).collect();
    if !moved.is_empty() {
        // All else that differs follows from these.
        return moved;
    }
    match difference(&then.plan, &now.plan, "") {
        Some(difference) => vec![difference],
        None if then.sha256 != now.sha256 => {
            vec![
                "a value that only the steps and their processes see has changed, such as a variable of a dotenv \
                 file or of the caller's environment"
                    .to_owned(),
            ]
        }
        None => Vec::new(),
    }
}

fn commit(then: Option<&Named>, now: Option<&Named>) -> Option<String> {
    let id = |named: Option<&Named>| {
        named.map_or_else(|| "no commit".to_owned(), |named| named.id.short().to_owned())
    };
    let differs = then.map(|then| &then.id) != now.map(|now| &now.id);
    let name = &then.or(now)?.name;
    differs.then(|| format!("{name} has moved: from {} to {}", id(then), id(now)))
}

fn ground(then: &Ground, now: &Ground) -> Option<String> {
    let environment = &then.environment;
    let release = |live: Option<&Live>| {
        live.map_or_else(
            || "nothing".to_owned(),
            |live| format!("release {} ({})", live.number, live.source.short()),
        )
    };
    let entry = |id: Option<&ObjectId>| id.map_or("no entry", ObjectId::short).to_owned();
    if then.live != now.live {
        let (then, now) = (release(then.live.as_ref()), release(now.live.as_ref()));
        return Some(format!("what is live on {environment} has changed: from {then} to {now}"));
    }
    (then.ledger != now.ledger).then(|| {
        let (then, now) = (entry(then.ledger.as_ref()), entry(now.ledger.as_ref()));
        format!("the ledger of {environment} has gone on: from {then} to {now}")
    })
}

/// The first place where two plans differ as they are shown; `at` is where we are in them.
fn difference(then: &Value, now: &Value, at: &str) -> Option<String> {
    match (then, now) {
        (Value::Object(then), Value::Object(now)) => {
            let keys = then.keys().chain(now.keys().filter(|key| !then.contains_key(*key)));
            let mut keys = keys.filter(|key| !JUDGED_ANEW.contains(&key.as_str()));
            keys.find_map(|key| {
                let inside = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
                let value = |of: &serde_json::Map<String, Value>| of.get(key).cloned().unwrap_or_default();
                difference(&value(then), &value(now), &inside)
            })
        }
        (Value::Array(then), Value::Array(now)) if then.len() == now.len() => {
            let mut pairs = then.iter().zip(now).enumerate();
            pairs.find_map(|(index, (then, now))| difference(then, now, &format!("{at}[{index}]")))
        }
        (then, now) => {
            (then != now).then(|| format!("`{at}` has changed: from {} to {}", quoted(then), quoted(now)))
        }
    }
}

fn quoted(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn id(digit: char) -> ObjectId {
        ObjectId::parse(&digit.to_string().repeat(40)).expect("a whole id")
    }

    fn file() -> PlanFile {
        let live = Some(Live { number: 3, source: id('a') });
        let ground = Ground { environment: "staging".to_owned(), live, ledger: Some(id('b')) };
        let part = Part {
            commit: Some(Named { name: "HEAD".to_owned(), id: id('c') }),
            releases: vec![ground],
            sha256: "0".repeat(64),
            plan: json!({ "jobs": [{ "steps": ["ship"] }], "releases": [{ "rules": [], "locked": null }] }),
        };
        PlanFile { parts: vec![part], ..PlanFile::new(super::super::Command::default(), &[], Vec::new()) }
    }

    fn moved(change: impl Fn(&mut Part)) -> Vec<String> {
        let mut now = file();
        change(&mut now.parts[0]);
        file().moved(&now)
    }

    #[test]
    fn says_from_what_to_what() {
        assert_eq!(moved(|_| {}), [""; 0]);
        let commit = Some(Named { name: "HEAD".to_owned(), id: id('d') });
        assert_eq!(
            moved(|part| part.commit.clone_from(&commit)),
            ["HEAD has moved: from cccccccc to dddddddd"]
        );
        assert_eq!(
            moved(|part| part.releases[0].live = None),
            ["what is live on staging has changed: from release 3 (aaaaaaaa) to nothing"]
        );
        assert_eq!(
            moved(|part| part.releases[0].ledger = None),
            ["the ledger of staging has gone on: from bbbbbbbb to no entry"]
        );
        assert_eq!(
            moved(|part| part.plan["jobs"][0]["steps"][0] = json!("ship twice")),
            [r#"`jobs[0].steps[0]` has changed: from "ship" to "ship twice""#]
        );
        assert_eq!(
            moved(|part| part.plan["jobs"] = json!([])),
            [r#"`jobs` has changed: from [{"steps":["ship"]}] to []"#]
        );
        assert!(moved(|part| part.sha256 = "1".repeat(64))[0].starts_with("a value that only the steps"));
    }

    #[test]
    fn what_follows_from_something_is_not_told_beside_it() {
        let all = moved(|part| {
            part.commit = None;
            part.sha256 = String::new();
            part.plan = Value::Null;
        });
        assert_eq!(all, ["HEAD has moved: from cccccccc to no commit"]);
    }

    #[test]
    fn what_is_judged_anew_may_change() {
        let judged = moved(|part| {
            part.plan["releases"][0] =
                json!({ "rules": ["clean"], "locked": "by eve", "uncommitted": ["x"] });
        });
        assert_eq!(judged, [""; 0]);
    }
}
