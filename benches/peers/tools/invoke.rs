//! Invoke. One task after the other, in a shell each; it knows nothing of files.

use super::{Tool, about, each};
use crate::task::Task;
use crate::workload::{Kind, Shown};

pub(super) const TOOL: Tool = Tool {
    name: "invoke",
    program: "inv",
    version: ("--version", "Invoke"),
    file: "tasks.py",
    text: |_, tasks| format!("from invoke import task\n\n{}", each(tasks, function)),
    listed: 0,
    words: |workload| match workload.kind {
        Kind::List => Some("--list".to_owned()),
        Kind::Simple | Kind::Fresh | Kind::Layers | Kind::Print(Shown::Prefixed | Shown::Grouped) => None,
        Kind::Shell if workload.at_once > 1 => None,
        Kind::One | Kind::Shell | Kind::Chain | Kind::Print(Shown::Alone) => Some(workload.target()),
    },
};

fn function(task: &Task) -> String {
    let about = about("    \"", task, "\"");
    let body = if task.line.is_empty() { "pass".to_owned() } else { format!("c.run(\"{}\")", task.line) };
    format!("@task(pre=[{}])\ndef {}(c):\n{about}    {body}\n\n", task.needs.join(", "), task.name)
}
