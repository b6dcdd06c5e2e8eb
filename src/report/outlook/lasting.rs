//! What of a delivery has no way back.

use serde_json::{Value, json};

use super::super::words::first_line;
use super::line;
use crate::plan::lasting::{Lasting, lasting};
use crate::plan::{Delivery, Plan};

const NO_ROLLBACK: &str = "the target's command has no `rollback`";
const NO_UNDO: &str = "it has no `undo`";

/// A line for each; nothing where all can be taken back.
pub(super) fn text(plan: &Plan, delivery: &Delivery, text: &mut String) {
    for lasting in lasting(plan, delivery) {
        match lasting {
            Lasting::Release => line(text, &format!("  lasting  what is shipped: {NO_ROLLBACK}")),
            Lasting::Step { job, step } => {
                line(text, &format!("  lasting  `{}` of {job}: {NO_UNDO}", first_line(&step)));
            }
        }
    }
}

pub(super) fn json(plan: &Plan, delivery: &Delivery) -> Value {
    let told = |lasting| match lasting {
        Lasting::Release => json!({ "job": null, "step": "ship", "why": NO_ROLLBACK }),
        Lasting::Step { job, step } => json!({ "job": job, "step": step, "why": NO_UNDO }),
    };
    lasting(plan, delivery).into_iter().map(told).collect()
}
