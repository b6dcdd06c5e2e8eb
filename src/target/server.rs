//! `server = "local"`: a folder of releases with a `current` link, on this machine. Each release is built where it will
//! stay, and becomes visible in one step, when it is whole. What is running there is only touched by `reload`.

mod releases;
mod shared;

use std::path::Path;

use super::{Crew, Holds, NotShipped, Shipment, refused, unmet};
use crate::model::event::Failure;
use crate::model::step::Planned;
use crate::model::target::ServerTarget;
use crate::release::files::FilesError;
use crate::release::git::GitError;
use crate::state::durable;
use releases::{Record, Releases};

/// Brings a release to the server: its files, `build`, `shared`, `current`, `reload`.
///
/// A failure before the switch leaves `current` as it was and nothing of the release.
pub(crate) fn ship(
    target: &ServerTarget<Planned>,
    shipment: &Shipment<'_>,
    mut crew: Crew<'_>,
) -> Result<(), NotShipped> {
    let releases = Releases::open(target, shipment.root)?;
    let before = releases.current()?;
    let record = Record {
        environment: shipment.environment.to_owned(),
        commit: shipment.commit.to_string(),
        is_complete: false,
    };
    for half in releases.halves(&record)? {
        releases.remove(half)?;
        crew.note(format!("removed releases/{half}: a run that was killed left half of it"));
    }
    if !releases.has(shipment.number, &record)? {
        releases.begin(shipment.number, &record)?;
        let filled = fill(target, shipment, &releases, &mut crew)
            .and_then(|()| releases.complete(shipment.number, record));
        if let Err(failure) = filled {
            if let Err(left) = releases.remove(shipment.number) {
                crew.note(told(&left));
            }
            return Err(failure.into());
        }
    }
    crew.note(format!("release {} is in {}", shipment.number, releases.folder(shipment.number).display()));
    crew.go_on()?;
    switch(target, shipment.number, &releases, &mut crew)?;
    let needed = [Some(shipment.number), before, shipment.live];
    prune(&releases, target.keep, &needed, &mut crew);
    Ok(())
}

/// The highest number of a release that the server has; for numbers to go on when the ledger is lost.
pub(crate) fn last(target: &ServerTarget<Planned>, root: &Path) -> Result<Option<u32>, Failure> {
    Ok(Releases::at(target, root).records()?.into_keys().next_back())
}

/// The release's files, `shared` and `build`.
fn fill(
    target: &ServerTarget<Planned>,
    shipment: &Shipment<'_>,
    releases: &Releases,
    crew: &mut Crew<'_>,
) -> Result<(), Failure> {
    let folder = releases.folder(shipment.number);
    let written = shipment.scratch.write_files(shipment.commit, &folder, crew.stop);
    for submodule in written.map_err(not_written)? {
        crew.note(format!("`{}` is a submodule: its folder is empty in the release", submodule.display()));
    }
    shared::link(releases.path(), &folder, &target.shared)?;
    for line in &target.build {
        crew.go_on()?;
        crew.line(line, &folder)?;
    }
    crew.go_on()?;
    // `build` wrote files that nobody but the system can bring to disk; a crash must not leave holes in what is live.
    durable::sync_file_system(&folder)
        .map_err(|error| unmet(error.to_string(), "the disk may be full or failing"))
}

/// Makes a complete release the current one, and tells those who serve it.
fn switch(
    target: &ServerTarget<Planned>,
    number: u32,
    releases: &Releases,
    crew: &mut Crew<'_>,
) -> Result<(), NotShipped> {
    releases.switch(number)?;
    crew.note(format!("current -> releases/{number}"));
    let Some(reload) = &target.reload else { return Ok(()) };
    crew.line(reload, &releases.current_link()).map_err(|failure| {
        crew.note(format!("`current` is releases/{number} already, and `reload` failed after that"));
        NotShipped { failure, holds: Holds::Release }
    })
}

/// Removes the oldest releases, down to `keep`, but none that is needed. What can't be removed is only told.
fn prune(releases: &Releases, keep: usize, needed: &[Option<u32>], crew: &mut Crew<'_>) {
    let complete = match releases.complete_numbers() {
        Ok(complete) => complete,
        Err(failure) => return crew.note(told(&failure)),
    };
    let old = complete.iter().rev().skip(keep).filter(|number| !needed.contains(&Some(**number)));
    for number in old {
        match releases.remove(*number) {
            Ok(()) => crew.note(format!("removed releases/{number}: {keep} are kept")),
            Err(failure) => crew.note(told(&failure)),
        }
    }
}

fn not_written(error: FilesError) -> Failure {
    let message = error.to_string();
    match error {
        FilesError::Git(GitError::Stopped { .. }) => Failure::Stopped,
        FilesError::Git(_) => Failure::Unmet { message, help: None },
        FilesError::Write { .. } => unmet(message, "make room there, or let this user write there"),
        FilesError::Outside(_) => {
            refused(message, "no git of today makes such a commit: look at where it came from")
        }
        FilesError::Absent(_) => {
            unmet(message, "a clone made with --filter leaves contents out: clone without it")
        }
    }
}

/// A failure that does not matter enough to fail.
fn told(failure: &Failure) -> String {
    match failure {
        Failure::Unmet { message, .. }
        | Failure::Refused { message, .. }
        | Failure::NotStarted { message, .. } => message.clone(),
        Failure::Exit(_)
        | Failure::Signal(_)
        | Failure::TimedOut(_)
        | Failure::WantsTerminal
        | Failure::Stopped => "a release could not be removed".to_owned(),
    }
}
