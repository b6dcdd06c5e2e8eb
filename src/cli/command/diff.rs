//! `deploy diff ENV`: the commits that are not live there yet, newest first; and whether something is live there that HEAD
//! has not.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::super::args::Common;
use super::super::error::{Error, Kind};
use super::super::hold;
use super::super::print;
use super::super::session::Session;
use crate::facts::{Apart, LookError};
use crate::model::release::{ObjectId, Release, Source};
use crate::plan::select;
use crate::release::object::Commit;
use crate::release::repository::Between;
use crate::report::columns::columns;
use crate::report::words::count;

/// What is committed, against what is live.
struct Outline<'a> {
    environment: &'a str,
    /// What was asked about: HEAD, or what `--ref` says.
    reference: &'a str,
    source: Source,
    /// With how far the source is from it; none where nothing is live yet.
    live: Option<(Release, Apart)>,
}

pub(crate) fn diff(
    session: &Session,
    common: &Common,
    environment: &str,
    as_json: bool,
) -> Result<ExitCode, Error> {
    let project = &session.project;
    if project.environment(environment).is_none() {
        let problem = select::unknown(project, "environment", environment);
        return Err(Error::diagnostics(problem.into(), &session.sources));
    }
    let reference = common.reference.as_deref().unwrap_or("HEAD");
    let site = session.site();
    let source = site.repository()?.source(reference).map_err(LookError::from)?;
    let live = match site.tip(environment)?.state.live {
        Some(live) => {
            let apart = site.apart(&live.source, &source.commit)?;
            let apart = apart.ok_or_else(|| unreached(environment, &live))?;
            Some((live, apart))
        }
        None => None,
    };
    hold::tell_unreached(&site);
    let outline = Outline { environment, reference, source, live };
    Ok(print(&if as_json {
        serde_json::to_string_pretty(&outline.object()).expect("plain data has no map with odd keys") + "\n"
    } else {
        outline.text()
    }))
}

/// That a clone does not go back to what is live.
fn unreached(environment: &str, live: &Release) -> Error {
    let (number, short) = (live.number, live.source.short());
    let message = format!(
        "what {environment} has not yet can't be told: {short}, of which its release {number} was made, is not in this clone"
    );
    Error::new(Kind::Failed, message)
        .help("fetch the branch that was deployed; in a shallow clone: git fetch --unshallow")
}

impl Outline<'_> {
    fn text(&self) -> String {
        let (environment, head) =
            (self.environment, format!("{} ({})", self.reference, self.source.commit.short()));
        let Some((live, apart)) = &self.live else {
            return format!("nothing is live in {environment} yet: all of {head} is new there\n");
        };
        let release = format!("release {}, {}", super::number(live), live.source.short());
        let mut text = match apart.ahead.commits.len() {
            0 => format!("{environment} has all of {head}: {release}\n"),
            number => {
                let (commits, are) = (count(number, "commit"), are(number));
                format!("{commits} of {head} {are} not in {environment} yet ({release}):\n")
            }
        };
        text.push_str(&columns(&apart.ahead.commits.iter().map(row).collect::<Vec<_>>()));
        let number = apart.behind.commits.len();
        if number > 0 {
            let (commits, are) = (count(number, "commit"), are(number));
            let _written = writeln!(text, "{commits} {are} live there that {head} does not have:");
            text.push_str(&columns(&apart.behind.commits.iter().map(row).collect::<Vec<_>>()));
        }
        if apart.ahead.cut || apart.behind.cut {
            text.push_str("there may be more: this clone is shallow, or they are too many to tell\n");
        }
        text
    }

    fn object(&self) -> Value {
        let commits = |between: &Between| between.commits.iter().map(object).collect::<Vec<Value>>();
        let live = self.live.as_ref();
        json!({
            "environment": self.environment,
            "source": self.source.commit,
            "live": live.map(|(live, _)| live),
            "commits": live.map(|(_, apart)| commits(&apart.ahead)),
            "only_live": live.map(|(_, apart)| commits(&apart.behind)),
            "complete": live.is_none_or(|(_, apart)| !apart.ahead.cut && !apart.behind.cut),
        })
    }
}

fn are(number: usize) -> &'static str {
    if number == 1 { "is" } else { "are" }
}

fn row((id, commit): &(ObjectId, Commit)) -> Vec<String> {
    let when = commit.time().map(super::minute).unwrap_or_default();
    let id = format!("  {}", id.short());
    vec![id, when, commit.author.clone(), commit.subject().to_owned()]
}

fn object((id, commit): &(ObjectId, Commit)) -> Value {
    json!({ "id": id, "author": commit.author, "date": commit.time(), "subject": commit.subject() })
}
