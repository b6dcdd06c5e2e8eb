//! `command = ["…"]`: a program of the user's ships the release, in a folder that holds the release's files and
//! nothing else. Whether that worked its exit code alone tells; what is where it ships to, nobody can ask.

use super::folder::Folder;
use super::{Crew, Holds, NotShipped, Shipment};
use crate::model::event::Failure;
use crate::model::step::Planned;
use crate::model::target::CommandTarget;
use crate::model::text::Text;

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
    let folder = Folder::filled(shipment, &mut crew)?;
    crew.go_on()?;
    crew.program(words, &folder.files).map_err(|failure| {
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
