//! `command = ["…"]`: a program of the user's ships the release, in a folder that holds the release's files and
//! nothing else. Whether that worked its exit code alone tells; what is where it ships to, nobody can ask.

use std::path::{Path, PathBuf};

use super::{Crew, Holds, NotShipped, Shipment, unmet};
use crate::model::event::Failure;
use crate::model::step::Planned;
use crate::model::target::CommandTarget;
use crate::model::text::Text;
use crate::state::temporary::{self, Temporary};

/// Runs the program in the release's files. The folder is gone afterwards, whatever happened.
pub(crate) fn ship(
    target: &CommandTarget<Planned>,
    shipment: &Shipment<'_>,
    crew: Crew<'_>,
) -> Result<(), NotShipped> {
    run(&target.command, shipment, crew)
}

/// Runs the program that brings an earlier release back, in the files of that one.
pub(crate) fn rollback(
    target: &CommandTarget<Planned>,
    shipment: &Shipment<'_>,
    crew: Crew<'_>,
) -> Result<(), NotShipped> {
    run(&target.rollback, shipment, crew)
}

fn run(words: &[Text], shipment: &Shipment<'_>, mut crew: Crew<'_>) -> Result<(), NotShipped> {
    for left in temporary::tidy(shipment.state, shipment.environment) {
        crew.note(format!("an interrupted run left a folder: {left}"));
    }
    let made = Temporary::make(shipment.state, shipment.environment, shipment.room);
    let temporary = made.map_err(|error| unmet(error.to_string(), "is `TMPDIR` a folder with some room?"))?;
    let folder = fill(&temporary, shipment, &mut crew)?;
    crew.go_on()?;
    crew.program(words, &folder).map_err(|failure| {
        let holds = held_after(&failure);
        if holds == Holds::Release {
            let words: Vec<String> = words.iter().map(ToString::to_string).collect();
            crew.note(format!(
                "`{}` was begun and did not succeed: release {} may be there, in whole or in part",
                words.join(" "),
                shipment.number
            ));
        }
        NotShipped { failure, holds }
    })
}

/// A program that was begun may have come to its end; nobody can ask.
fn held_after(failure: &Failure) -> Holds {
    match failure {
        Failure::NotStarted { .. } => Holds::Before,
        Failure::Exit(_)
        | Failure::Signal(_)
        | Failure::TimedOut(_)
        | Failure::Unmet { .. }
        | Failure::Unhealthy { .. }
        | Failure::Refused { .. }
        | Failure::Unreachable { .. }
        | Failure::OnHosts(_)
        | Failure::WantsTerminal
        | Failure::Bug(_)
        | Failure::Stopped => Holds::Release,
    }
}

/// The release's files, in a folder that is called as the project's: tools take a name from there.
fn fill(temporary: &Temporary, shipment: &Shipment<'_>, crew: &mut Crew<'_>) -> Result<PathBuf, Failure> {
    let folder = temporary.path().join(shipment.root.file_name().unwrap_or("release".as_ref()));
    std::fs::create_dir(&folder).map_err(|error| cant_write(&folder, &error))?;
    let written = shipment.scratch.write_files(shipment.commit, &folder, crew.stop);
    for submodule in written.map_err(|error| cant_write(&folder, &error))? {
        crew.note(format!("`{}` is a submodule: its folder is empty in the release", submodule.display()));
    }
    Ok(folder)
}

fn cant_write(folder: &Path, error: &dyn std::error::Error) -> Failure {
    let place = folder.display();
    unmet(
        format!("can't write the release's files to `{place}`: {error}"),
        "`TMPDIR` says where there is room",
    )
}
