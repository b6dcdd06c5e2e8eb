//! `deploy backup ENV [NAME]…` saves, `deploy backups ENV` shows what is saved, `deploy restore ENV NAME` brings it back.

use std::process::ExitCode;
use std::time::Duration;

use anstream::eprintln;
use serde_json::{Value, json};

use super::super::args::Common;
use super::super::error::{Error, Kind};
use super::super::session::Session;
use super::super::{interrupt, print, request, secret};
use super::run::{self, Answered};
use super::{Form, plan};
use crate::backup::manifest::{Manifest, Verified};
use crate::backup::{Shelf, Stock};
use crate::diagnostic::Diagnostic;
use crate::facts::{self, Manner, Site};
use crate::model::amount::size;
use crate::model::backup::Backup;
use crate::model::secret::Vaults;
use crate::perform::Saved;
use crate::plan::{Data, Present, Quest, Request, select};
use crate::process::Stop;
use crate::report::columns::columns;
use crate::report::words::{count, duration};
use crate::store::Store;

pub(crate) fn backup(
    session: &Session,
    common: &Common,
    environment: &str,
    names: &[String],
) -> Result<ExitCode, Error> {
    let request = asked(session, common, environment, names, Quest::Save)?;
    let site = session.site();
    if common.dry_run {
        plan::of(session, common, std::slice::from_ref(&request), Form::Text)?;
        return foretell(session, common, &site, &request);
    }
    carry_out(session, common, &site, &request)
}

pub(crate) fn restore(
    session: &Session,
    common: &Common,
    environment: &str,
    name: &str,
    from: Option<String>,
    present: Present,
) -> Result<ExitCode, Error> {
    let quest = Quest::Restore { from, present };
    let request = asked(session, common, environment, &[name.to_owned()], quest)?;
    if common.dry_run {
        return plan::of(session, common, std::slice::from_ref(&request), Form::Text);
    }
    let site = session.site();
    if let Some(Data { quest: Quest::Restore { from: Some(id), .. }, .. }) = &request.data {
        is_there(session, common, &site, &request, id)?;
    }
    carry_out(session, common, &site, &request)
}

/// Refuses an id that is none, before anything is saved.
fn is_there(
    session: &Session,
    common: &Common,
    site: &Site,
    request: &Request,
    id: &str,
) -> Result<(), Error> {
    let data = request.data.clone().map(|data| Data { quest: Quest::Save, ..data });
    let shown = shown(session, common, site, &Request { data, ..request.clone() })?;
    if shown.iter().flat_map(|shown| &shown.stock.manifests).any(|manifest| manifest.id == id) {
        return Ok(());
    }
    let names: Vec<&str> = shown.iter().map(|shown| shown.backup.name.as_str()).collect();
    let environment = request.environment.as_deref().unwrap_or_default();
    Err(Error::new(
        Kind::Refused,
        format!("there is no backup {id} of {} of {environment}", names.join(" and ")),
    )
    .help(format!("deploy backups {environment} shows what there is")))
}

fn carry_out(session: &Session, common: &Common, site: &Site, request: &Request) -> Result<ExitCode, Error> {
    run::one(session, common, site, request, None, Answered::No, &mut Vaults::default()).map(ExitCode::from)
}

/// The request for an environment's data. Without names, those of its `backups`, or all.
fn asked(
    session: &Session,
    common: &Common,
    environment: &str,
    names: &[String],
    quest: Quest,
) -> Result<Request, Error> {
    let project = &session.project;
    let refused = |problem: Diagnostic| Error::diagnostics(problem.into(), &session.sources);
    let Some(found) = project.environment(environment) else {
        return Err(refused(select::unknown(project, "environment", environment)));
    };
    let names: Vec<String> = if !names.is_empty() {
        names.to_vec()
    } else if !found.backups.is_empty() {
        found.backups.iter().map(|(name, _)| name.clone()).collect()
    } else {
        project.backups.iter().map(|backup| backup.name.clone()).collect()
    };
    if names.is_empty() {
        return Err(refused(
            Diagnostic::new("there is nothing to save: the file has no backups")
                .help("[backups.db]\ndump = \"pg_dump -Fc …\"\nrestore = \"pg_restore …\"\nstore = \"…\""),
        ));
    }
    let data = Some(Data { names, quest });
    Ok(Request {
        environment: Some(environment.to_owned()),
        data,
        set: common.set.clone(),
        ..Request::default()
    })
}

/// What is saved of one backup, with what it is.
struct Shown {
    backup: Backup,
    stock: Stock,
}

/// Asks the stores of an environment's backups.
fn shown(session: &Session, common: &Common, site: &Site, request: &Request) -> Result<Vec<Shown>, Error> {
    let (_, plan) = request::planned(session, common, site, request, Manner::Act)?;
    let mut vaults = Vaults::default();
    secret::fetch(session, common, site, &plan.secrets, &mut vaults)?;
    let asked = interrupt::stoppable("stores were asked", |stop| {
        plan.backups().into_iter().map(|backup| stock(backup, session, site, &vaults, stop)).collect()
    });
    asked?
}

/// Asks the store of one backup.
fn stock(
    backup: &Backup,
    session: &Session,
    site: &Site,
    vaults: &Vaults,
    stop: &Stop,
) -> Result<Shown, Error> {
    let failed = |why: String| {
        Error::new(
            Kind::Failed,
            format!("the store `{}` of {} can't be asked: {why}", backup.place, backup.name),
        )
    };
    let keys = |name: &str| backup.place.keys.value(name, vaults, &session.env);
    let store = Store::open(&backup.place, &site.root, &keys).map_err(|error| failed(error.to_string()))?;
    let shelf = Shelf::new(&store, stop, &backup.environment, &backup.name);
    let stock = shelf.stock().map_err(|error| failed(error.to_string()))?;
    Ok(Shown { backup: backup.clone(), stock })
}

pub(crate) fn backups(
    session: &Session,
    common: &Common,
    environment: &str,
    names: &[String],
    form: Form,
) -> Result<ExitCode, Error> {
    let request = asked(session, common, environment, names, Quest::Save)?;
    let shown = shown(session, common, &session.site(), &request)?;
    let damaged = || shown.iter().flat_map(|shown| &shown.stock.damaged);
    for why in damaged() {
        eprintln!("deploy: a backup is damaged: {why}");
    }
    let text = match form {
        Form::Json => {
            let objects = shown.iter().flat_map(|shown| shown.stock.manifests.iter().map(object));
            let objects: Vec<Value> = objects.collect();
            serde_json::to_string_pretty(&objects).expect("plain data has no map with odd keys") + "\n"
        }
        Form::Text => table(environment, &shown),
    };
    Ok(print(&text))
}

fn table(environment: &str, shown: &[Shown]) -> String {
    let titles = ["BACKUP", "ID", "AGE", "SIZE", "STORED", "RELEASE", "VERIFIED"].map(str::to_owned).to_vec();
    let manifests = shown.iter().flat_map(|shown| &shown.stock.manifests);
    let rows: Vec<Vec<String>> = manifests.map(row).collect();
    if rows.is_empty() {
        let is_damaged = shown.iter().any(|shown| !shown.stock.damaged.is_empty());
        let what = if is_damaged { "nothing that can be read" } else { "nothing" };
        return format!("{what} of {environment} is saved yet: deploy backup {environment}\n");
    }
    columns(&[titles].into_iter().chain(rows).collect::<Vec<_>>())
}

fn row(manifest: &Manifest) -> Vec<String> {
    // To the second: a glance needs no more.
    let age = Duration::from_secs(facts::now().duration_since(manifest.at).unsigned_abs().as_secs().max(1));
    let release = manifest.release.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let what = manifest.files().map_or_else(|| size(manifest.plain()), |files| count(files, "file"));
    vec![
        manifest.backup.clone(),
        manifest.id.clone(),
        duration(age),
        what,
        size(manifest.stored()),
        release,
        word(manifest.verified).to_owned(),
    ]
}

fn word(verified: Verified) -> &'static str {
    match verified {
        Verified::ReadBack => "read back",
        Verified::Restored => "restored",
    }
}

fn object(manifest: &Manifest) -> Value {
    json!({
        "environment": manifest.environment,
        "backup": manifest.backup,
        "id": manifest.id,
        "at": manifest.at,
        "by": manifest.by,
        "release": manifest.release,
        "source": manifest.source,
        "size": manifest.plain(),
        "stored": manifest.stored(),
        "files": manifest.files(),
        "verified": manifest.verified,
        "recipients": manifest.packs.first().map(|pack| &pack.recipients),
        "objects": manifest.packs.iter().map(|pack| &pack.object).collect::<Vec<_>>(),
    })
}

/// What the next backup would make go.
fn foretell(session: &Session, common: &Common, site: &Site, request: &Request) -> Result<ExitCode, Error> {
    let mut lines = Vec::new();
    for Shown { backup, stock } in shown(session, common, site, request)? {
        let Some(keep) = backup.keep else {
            lines.push(format!("{}: nothing goes, for it has no `keep`", backup.name));
            continue;
        };
        let surplus = stock.surplus(keep, Some(facts::now()));
        if surplus.is_empty() {
            lines.push(format!("{}: `keep` keeps all that there is", backup.name));
        }
        let goes = |id| format!("{}: {id} would go: `keep` does not keep it", backup.name);
        lines.extend(surplus.into_iter().map(goes));
    }
    Ok(print(&(lines.join("\n") + "\n")))
}

/// After a failure: how what was saved before it comes back.
pub(super) fn tell_way_back(saved: &[Saved], request: &Request) {
    let what = match request.data.as_ref().map(|data| &data.quest) {
        // Nothing was done to the data.
        Some(Quest::Save) => return,
        Some(Quest::Restore { present: Present::Saved, .. }) if saved.is_empty() => {
            eprintln!(
                "deploy: nothing was brought back, for what is there now was not saved; --no-backup does so without"
            );
            return;
        }
        Some(Quest::Restore { .. }) => "what was there before",
        None => "what was there before the release",
    };
    for Saved { environment, backup, id } in saved {
        eprintln!("deploy: {what} comes back by: deploy restore {environment} {backup} --from {id}");
    }
}
