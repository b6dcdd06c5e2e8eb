//! `deploy compare ENV ENV`: what makes two environments differ: what is live, what pip would install, swap, variables,
//! rules. It runs nothing of the user's.

use std::process::ExitCode;

use super::super::args::Common;
use super::super::error::{Error, Kind};
use super::super::session::Session;
use super::super::{hold, print, request};
use crate::facts::{LookError, Manner, Site};
use crate::model::release::Source;
use crate::plan::comparison::differences;
use crate::plan::portrait::{Portrait, portrait};
use crate::plan::{Request, select};
use crate::release::repository::SourceError;
use crate::report::comparison::{self, Comparison};

pub(crate) fn compare(
    session: &Session,
    common: &Common,
    names: [&str; 2],
    as_json: bool,
) -> Result<ExitCode, Error> {
    let project = &session.project;
    if let Some(name) = names.into_iter().find(|name| project.environment(name).is_none()) {
        let problem = select::unknown(project, "environment", name);
        return Err(Error::diagnostics(problem.into(), &session.sources));
    }
    if names[0] == names[1] {
        let message = format!("`{}` is compared with itself", names[0]);
        return Err(Error::new(Kind::Usage, message).help("name two environments"));
    }
    let site = session.site();
    let portraits = [look(session, common, &site, names[0])?, look(session, common, &site, names[1])?];
    let live = [site.tip(names[0])?.state.live, site.tip(names[1])?.state.live];
    hold::tell_unreached(&site);
    let apart = match &live {
        [Some(first), Some(second)] => site.apart(&first.source, &second.source)?,
        [_, None] | [None, _] => None,
    };
    let source = match source(&site, common)? {
        Some(source) => {
            let dissent = site.dissent(&source, [&portraits[0].swap, &portraits[1].swap])?;
            Some((source, dissent))
        }
        None => None,
    };
    let [first, second] = &portraits;
    let comparison = Comparison { names, live, apart, source, differences: differences(first, second) };
    Ok(print(&if as_json {
        serde_json::to_string_pretty(&comparison::json(&comparison))
            .expect("plain data has no map with odd keys")
            + "\n"
    } else {
        comparison::text(&comparison)
    }))
}

fn look(session: &Session, common: &Common, site: &Site, name: &str) -> Result<Portrait, Error> {
    let request =
        Request { environment: Some(name.to_owned()), set: common.set.clone(), ..Request::default() };
    let (_, portrait) = request::answered(session, common, site, Manner::Look, |facts| {
        portrait(&session.project, &request, facts)
    })?;
    Ok(portrait)
}

/// The commit whose files are looked at; none where there is none, unless one was asked for.
fn source(site: &Site, common: &Common) -> Result<Option<Source>, LookError> {
    let found = match site.repository() {
        Ok(repository) => repository.source(common.reference.as_deref().unwrap_or("HEAD")),
        Err(refusal) => Err(SourceError::Refused(refusal)),
    };
    match found {
        Ok(source) => Ok(Some(source)),
        Err(SourceError::Refused(_)) if common.reference.is_none() => Ok(None),
        Err(error) => Err(error.into()),
    }
}
