//! `verify = "restore"`: a backup is brought back into a place that a command makes, before it counts.

use super::{Work, unmet};
use crate::backup::Shelf;
use crate::backup::manifest::Manifest;
use crate::model::backup::Scratch;
use crate::model::event::{Failure, Told};
use crate::model::script::Script;
use crate::model::text::Text;
use crate::process::{Flow, Stdin};

/// The longest address of a scratch place that is read, in bytes.
const LONGEST: usize = 64 * 1024;

pub(super) fn brought_back(
    work: &Work<'_>,
    shelf: &Shelf<'_>,
    manifest: &Manifest,
    scratch: &Scratch<Script<Text>>,
    tell: &mut dyn FnMut(Told),
) -> Result<(), Failure> {
    let Some(restore) = &work.backup.restore else {
        return Err(unmet("nothing says how it comes back".to_owned()));
    };
    let mut said = Vec::new();
    work.run(&scratch.create, &[], tell, &mut |bytes, _| {
        said.extend(bytes.iter().take(LONGEST.saturating_sub(said.len())));
        Flow::On
    })?;
    let place = String::from_utf8_lossy(&said).trim().to_owned();
    let variable = &scratch.variable;
    let present = work.variable(variable);
    if place.is_empty() || place.contains('\n') || present.as_deref() == Some(&place) {
        let wrong = if place.is_empty() {
            "nothing"
        } else if place.contains('\n') {
            "several lines"
        } else {
            "where the data is that was saved"
        };
        return Err(Failure::Unmet {
            message: format!("`{}` printed {wrong}, where the scratch place was to be named", scratch.create),
            help: Some(format!("it prints one line, which `restore` gets as {variable}")),
        });
    }
    let extra = [(variable.clone(), place)];
    let tried = work.brought_back(shelf, manifest, restore, &extra, tell);
    let dropped = scratch.drop.as_ref().map_or(Ok(()), |drop| work.feed(drop, &extra, Stdin::Null, tell));
    tried.and(dropped)
}

impl Work<'_> {
    /// What a variable of the backup's commands is.
    fn variable(&self, name: &str) -> Option<String> {
        let surroundings = super::Surroundings::of(self.hands, &self.act(&[]));
        let found = surroundings.env.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.to_string_lossy().into_owned())
    }
}
