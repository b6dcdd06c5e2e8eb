//! Which steps save data or bring it back, those of tasks that are called too.

use crate::model::backup::{Backup, Restore};
use crate::model::step::{Action, Planned, Step};

/// Whether a step does either.
pub(in crate::plan) fn is_in(steps: &[Step<Planned>]) -> bool {
    let mut found = false;
    each(steps, &mut |_| found = true);
    found
}

/// Whether a step brings something back.
pub(in crate::plan) fn brings_back(steps: &[Step<Planned>]) -> bool {
    restored(steps).is_some()
}

/// The first step that brings something back.
pub(super) fn restored(steps: &[Step<Planned>]) -> Option<&Restore> {
    let mut first = None;
    each(steps, &mut |way| match way {
        Way::BringsBack(restore) => first = first.or(Some(restore)),
        Way::Saves(_) => {}
    });
    first
}

/// What steps save.
pub(in crate::plan) fn saved(steps: &[Step<Planned>]) -> Vec<&Backup> {
    let mut all = Vec::new();
    each(steps, &mut |way| match way {
        Way::Saves(backup) => all.push(backup),
        Way::BringsBack(_) => {}
    });
    all
}

/// Makes steps remove nothing that was saved before.
pub(in crate::plan) fn keep_all(steps: &mut [Step<Planned>]) {
    for step in steps {
        match &mut step.action {
            Action::Backup(backup) => backup.keep = None,
            Action::Task(block) => keep_all(&mut block.steps),
            Action::Run(_)
            | Action::Exec(_)
            | Action::Swap(_)
            | Action::Ship
            | Action::Check(_)
            | Action::Http(_)
            | Action::Put(_)
            | Action::Get(_)
            | Action::Restore(_)
            | Action::PutBack(_)
            | Action::Fleet(_) => {}
        }
    }
}

/// Which way data goes.
enum Way<'s> {
    Saves(&'s Backup),
    BringsBack(&'s Restore),
}

fn each<'s>(steps: &'s [Step<Planned>], found: &mut dyn FnMut(Way<'s>)) {
    for step in steps {
        match &step.action {
            Action::Backup(backup) => found(Way::Saves(backup)),
            Action::Restore(restore) => found(Way::BringsBack(restore)),
            Action::Task(block) => each(&block.steps, found),
            Action::Run(_)
            | Action::Exec(_)
            | Action::Swap(_)
            | Action::Ship
            | Action::Check(_)
            | Action::Http(_)
            | Action::Put(_)
            | Action::Get(_)
            | Action::PutBack(_)
            | Action::Fleet(_) => {}
        }
    }
}
