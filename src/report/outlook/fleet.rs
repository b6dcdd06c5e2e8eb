//! What is done on several hosts: on which, in which order, and what on each.

use serde_json::{Value, json};

use super::{Delivery, line, steps};
use crate::model::host::{Fleet, Member};
use crate::model::step::{Action, Planned, Step};

/// The waves, one a line; and below it what differs from host to host.
pub(super) fn text(fleet: &Fleet, delivery: Option<&Delivery>, depth: usize, text: &mut String) {
    let margin = "  ".repeat(depth);
    let waves = waves(fleet);
    let last = waves.len() - 1;
    let first = fleet.members.first().map(|member| without_host(&member.step));
    for (index, wave) in waves.into_iter().enumerate() {
        let names: Vec<&str> = wave.iter().map(|member| &*member.there.host).collect();
        let when = match index {
            0 if last == 0 => "on",
            0 => "first",
            _ => "then",
        };
        line(text, &format!("{margin}{when} {}", names.join(", ")));
        for member in wave {
            if let Action::Task(block) = &member.step.action {
                steps(&block.steps, delivery, depth + 1, text);
                for step in block.always.iter().rev() {
                    line(text, &format!("{margin}  always {}", step.title()));
                }
            } else if Some(without_host(&member.step)) != first {
                line(text, &format!("{margin}  {}", member.step.title()));
            }
            for undo in &member.step.undo {
                line(text, &format!("{margin}  undo   {}", undo.title()));
            }
        }
    }
}

/// For each step that is done on hosts: what it is, and their names in waves.
pub(super) fn json(steps: &[Step<Planned>]) -> Vec<Value> {
    let fleets = steps.iter().filter_map(|step| match &step.action {
        Action::Fleet(fleet) => Some((step, fleet)),
        Action::Run(_)
        | Action::Exec(_)
        | Action::Task(_)
        | Action::Swap(_)
        | Action::Ship
        | Action::Check(_)
        | Action::Http(_)
        | Action::Put(_)
        | Action::Get(_)
        | Action::Backup(_)
        | Action::Restore(_)
        | Action::PutBack(_) => None,
    });
    let names = |wave: &[Member]| wave.iter().map(|member| member.there.host.to_string()).collect();
    let told = fleets.map(|(step, fleet)| {
        let waves: Vec<Vec<String>> = waves(fleet).into_iter().map(names).collect();
        json!({ "step": step.title(), "waves": waves })
    });
    told.collect()
}

fn waves(fleet: &Fleet) -> Vec<&[Member]> {
    let mut rest = fleet.members.as_slice();
    let mut waves = Vec::with_capacity(fleet.waves.len());
    for size in &fleet.waves {
        let (wave, next) = rest.split_at(*size);
        waves.push(wave);
        rest = next;
    }
    waves
}

/// What a step does, wherever that is.
fn without_host(step: &Step<Planned>) -> String {
    Step { place: None, ..step.clone() }.title()
}
