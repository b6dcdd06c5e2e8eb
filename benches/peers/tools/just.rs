//! just. All that a recipe needs is run one by one, or in parallel where it says so. It knows nothing of files, and
//! hands its own stdout on.

use super::{Tool, about, each};
use crate::task::Task;
use crate::workload::{Kind, Shown};

pub(super) const TOOL: Tool = Tool {
    name: "just",
    program: "just",
    version: ("--version", "just"),
    file: "justfile",
    text: |_, tasks| each(tasks, recipe),
    listed: 0,
    words: |workload| {
        let (target, at_once) = (workload.target(), workload.at_once);
        match workload.kind {
            Kind::List => Some("--list".to_owned()),
            Kind::Simple | Kind::Fresh | Kind::Print(Shown::Prefixed | Shown::Grouped) => None,
            Kind::One | Kind::Shell | Kind::Chain | Kind::Layers | Kind::Print(Shown::Alone) => {
                Some(format!("--jobs {at_once} {target}"))
            }
        }
    },
};

fn recipe(task: &Task) -> String {
    let about = about("# ", task, "");
    let parallel = if task.needs.len() > 1 { "[parallel]\n" } else { "" };
    let line = if task.line.is_empty() { String::new() } else { format!("    @{}\n", task.line) };
    format!("{about}{parallel}{}: {}\n{line}\n", task.name, task.needs.join(" "))
}
