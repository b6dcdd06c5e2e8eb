//! `deploy apply FILE`: does what `plan --out` wrote down, or refuses if anything of it has moved since.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use super::super::args::{Common, Words};
use super::super::error::{Error, Kind};
use super::super::plan_file::{Command, PlanFile};
use super::super::session::Session;
use super::super::{print, request};
use super::{plan, run};

pub(crate) fn apply(session: &Session, own: &Common, path: &Path) -> Result<ExitCode, Error> {
    if Command::new(own, &Words::default()) != Command::default() {
        let message = "a plan is applied as it was made: what it does, its file says";
        return Err(Error::new(Kind::Usage, message).help(
            "give such options to `deploy plan … --out FILE`; deploy apply --help shows those of apply",
        ));
    }
    let file = PlanFile::read(&session.here.join(path))?;
    let (common, words) = file.command.restored(own);
    let mut site = session.site();
    // It may lie in the project, and is no change to it.
    site.aside = fs::canonicalize(session.here.join(path)).ok();
    let mut moved = file.changed(&session.sources);
    let requests = request::requests(session, &common, &words);
    let foreseen = requests.and_then(|requests| {
        let foreseen = plan::foresee(session, &common, &site, &requests)?;
        Ok((requests, foreseen))
    });
    let (requests, foreseen) = match foreseen {
        Ok((requests, foreseen)) => {
            moved.extend(file.moved(&plan::written(session, &common, &words, &foreseen)));
            (requests, foreseen)
        }
        Err(error) if moved.is_empty() => return Err(error),
        // What the plan named may be gone from a file that has changed.
        Err(_) => Default::default(),
    };
    if !moved.is_empty() {
        let message = format!(
            "`{}` is not applied, nothing was done: it is no longer what would be done\n  {}",
            path.display(),
            moved.join("\n  ")
        );
        return Err(Error::new(Kind::Refused, message).help("make a new plan, look at it, and apply that"));
    }
    if common.dry_run {
        return Ok(print(&plan::text(session, &foreseen)));
    }
    run::carry_out(session, &common, &site, &requests, &file.parts)
}
