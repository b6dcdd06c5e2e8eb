//! `server = …`: a folder of releases with a `current` link, on this machine; on hosts, that is in `fleet`. Each release is built where it will
//! stay, and becomes visible in one step, when it is whole. What is running there is only touched by `reload`.

mod error;
mod far;
mod fleet;
mod releases;
mod shared;
#[cfg(test)]
mod tests;

use std::path::Path;

use super::{Crew, Holds, NotShipped, Shipment, refused};
use crate::model::event::Failure;
use crate::model::step::Planned;
use crate::model::target::ServerTarget;
use crate::state::durable;
use error::ServerError;
use releases::{Record, Releases};

/// Brings a release to the server: its files, `shared`, `build`, `current`, `reload`.
///
/// A failure before the switch leaves `current` as it was and nothing of the release.
pub(crate) fn ship(
    target: &ServerTarget<Planned>,
    shipment: &Shipment<'_>,
    mut crew: Crew<'_>,
) -> Result<(), NotShipped> {
    if !target.hosts.is_empty() {
        return fleet::ship(target, shipment, crew);
    }
    let releases = Releases::at(shipment.root.join(target.path.to_string()));
    let number = shipment.number;
    let before = make(target, shipment, &releases, &mut crew)?;
    crew.note(format!("release {number} is in {}", releases.folder(number).display()));
    crew.go_on()?;
    switch(target, &releases, number, &mut crew)?;
    prune(&releases, target.keep, &[Some(number), before, shipment.live], &mut crew);
    Ok(())
}

/// Makes `current` name an earlier release again, which is there still, and reloads.
pub(crate) fn rollback(
    target: &ServerTarget<Planned>,
    shipment: &Shipment<'_>,
    earlier: u32,
    mut crew: Crew<'_>,
) -> Result<(), NotShipped> {
    if !target.hosts.is_empty() {
        return fleet::rollback(target, shipment, earlier, crew);
    }
    let releases = Releases::at(shipment.root.join(target.path.to_string()));
    let complete = releases.complete().map_err(Failure::from)?;
    if !complete.contains(&earlier) {
        let kept: Vec<String> = complete.iter().map(u32::to_string).collect();
        let message = format!(
            "{} is not there any more; there are: {}",
            releases.folder(earlier).display(),
            kept.join(", ")
        );
        let help =
            "deploy its commit again: deploy ENVIRONMENT --ref COMMIT; more `keep` keeps more releases";
        return Err(refused(message, help).into());
    }
    // What is no link is refused, as when it ships.
    releases.current().map_err(Failure::from)?;
    crew.go_on()?;
    switch(target, &releases, earlier, &mut crew)
}

/// Makes `current` name a release that is whole, and reloads.
fn switch(
    target: &ServerTarget<Planned>,
    releases: &Releases,
    number: u32,
    crew: &mut Crew<'_>,
) -> Result<(), NotShipped> {
    releases.switch(number).map_err(Failure::from)?;
    crew.note(format!("current -> releases/{number}"));
    if let Some(reload) = &target.reload {
        crew.line(reload, &releases.current_link()).map_err(|failure| {
            crew.note(format!("`reload` failed, and `current` is releases/{number} already"));
            NotShipped { failure, holds: Holds::Release }
        })?;
    }
    Ok(())
}

/// The highest number of a release that the server has; for numbers to go on when the ledger is lost.
pub(crate) fn last(target: &ServerTarget<Planned>, root: &Path) -> Result<Option<u32>, Failure> {
    if !target.hosts.is_empty() {
        // Hosts are reached by a run alone.
        return Ok(None);
    }
    let releases = Releases::at(root.join(target.path.to_string()));
    Ok(releases.records()?.into_keys().next_back())
}

/// Makes the release's folder, unless an earlier try did. Gives the release that `current` names meanwhile.
fn make(
    target: &ServerTarget<Planned>,
    shipment: &Shipment<'_>,
    releases: &Releases,
    crew: &mut Crew<'_>,
) -> Result<Option<u32>, Failure> {
    let before = releases.current()?;
    let number = shipment.number;
    let record = Record {
        environment: shipment.environment.to_owned(),
        commit: shipment.commit.to_string(),
        is_complete: false,
    };
    for half in releases.halves(&record)? {
        match releases.remove(half) {
            Ok(()) => crew.note(format!("removed releases/{half}, which an interrupted run left half made")),
            Err(error) => crew.note(error.to_string()),
        }
    }
    if releases.has(number, &record)? {
        return Ok(before);
    }
    releases.create()?;
    releases.begin(number, &record)?;
    let filled = fill(target, shipment, releases, crew);
    if let Err(failure) = filled.and_then(|()| Ok(releases.finish(number, record)?)) {
        if let Err(error) = releases.remove(number) {
            crew.note(error.to_string());
        }
        return Err(failure);
    }
    Ok(before)
}

/// The release's files, with `shared` in their place, built.
fn fill(
    target: &ServerTarget<Planned>,
    shipment: &Shipment<'_>,
    releases: &Releases,
    crew: &mut Crew<'_>,
) -> Result<(), Failure> {
    let folder = releases.folder(shipment.number);
    let written = shipment.scratch.write_files(shipment.commit, &folder, crew.stop);
    for submodule in written.map_err(ServerError::from)? {
        crew.note(format!("`{}` is a submodule: its folder is empty in the release", submodule.display()));
    }
    // Before `build`, which may need them: a migration does the shared database.
    shared::link(releases.path(), &folder, &target.shared)?;
    for line in &target.build {
        crew.go_on()?;
        crew.line(line, &folder)?;
    }
    crew.go_on()?;
    // `build` wrote files that we don't know: a power cut must not leave holes in what is current by then.
    durable::sync_file_system(&folder).map_err(ServerError::from)?;
    Ok(())
}

/// Removes the oldest releases, down to `keep`, but none that is needed. What can't be removed is only told.
fn prune(releases: &Releases, keep: usize, needed: &[Option<u32>], crew: &mut Crew<'_>) {
    let complete = releases.complete().unwrap_or_else(|error| {
        crew.note(error.to_string());
        Vec::new()
    });
    for number in complete.iter().rev().skip(keep).filter(|number| !needed.contains(&Some(**number))) {
        match releases.remove(*number) {
            Ok(()) => crew.note(format!("removed releases/{number}: {keep} are kept")),
            Err(error) => crew.note(error.to_string()),
        }
    }
}
