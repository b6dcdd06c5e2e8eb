//! The release's files in a folder of their own, for as long as a target needs them there: what runs in it finds the
//! release and nothing else, neither a repository nor what is not committed.

use std::path::{Path, PathBuf};

use super::{Crew, Shipment, unmet};
use crate::model::event::Failure;
use crate::state::temporary::{self, Temporary};

/// Is gone when this goes, whatever happened.
pub(super) struct Folder {
    pub(super) files: PathBuf,
    temporary: Temporary,
}

impl Folder {
    /// Writes the release's files, into a folder that is called as the project's: tools take a name from there.
    pub(super) fn filled(shipment: &Shipment<'_>, crew: &mut Crew<'_>) -> Result<Folder, Failure> {
        for left in temporary::tidy(shipment.state, shipment.environment) {
            crew.note(format!("an interrupted run left a folder: {left}"));
        }
        let made = Temporary::make(shipment.state, shipment.environment, shipment.room);
        let temporary =
            made.map_err(|error| unmet(error.to_string(), "is `TMPDIR` a folder with some room?"))?;
        let files = temporary.path().join(shipment.root.file_name().unwrap_or("release".as_ref()));
        std::fs::create_dir(&files).map_err(|error| cant_write(&files, &error))?;
        let written = shipment.scratch.write_files(shipment.commit, &files, crew.stop);
        for submodule in written.map_err(|error| cant_write(&files, &error))? {
            crew.note(format!(
                "`{}` is a submodule: its folder is empty in the release",
                submodule.display()
            ));
        }
        Ok(Folder { files, temporary })
    }

    /// A place for something that is none of the release's files. The name is none of theirs.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.temporary.path().join(format!(".{name}"))
    }
}

fn cant_write(folder: &Path, error: &dyn std::error::Error) -> Failure {
    let place = folder.display();
    unmet(
        format!("can't write the release's files to `{place}`: {error}"),
        "`TMPDIR` says where there is room",
    )
}
