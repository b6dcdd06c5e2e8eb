//! mise. Each task has a shell.

use super::{Tool, about, each, key};
use crate::task::Task;
use crate::workload::{Kind, Shown};

pub(super) const TOOL: Tool = Tool {
    name: "mise",
    program: "mise",
    version: ("--version", "20"),
    file: "mise.toml",
    text: |_, tasks| each(tasks, table),
    listed: 0,
    words: |workload| {
        let (target, at_once) = (workload.target(), workload.at_once);
        let output = match workload.kind {
            Kind::List => return Some("tasks ls".to_owned()),
            Kind::Simple => return None,
            Kind::Print(Shown::Alone) => "--output interleave",
            Kind::Print(Shown::Prefixed) => "--output prefix",
            Kind::Print(Shown::Grouped) => "--output keep-order",
            Kind::One | Kind::Shell | Kind::Chain | Kind::Layers | Kind::Fresh => "--quiet",
        };
        Some(format!("run {output} --jobs {at_once} {target}"))
    },
};

fn table(task: &Task) -> String {
    let Task { name, line, .. } = task;
    let about = about("description = \"", task, "\"");
    let run = if line.is_empty() { String::new() } else { format!("run = \"{line}\"\n") };
    let needs = key("depends = ", &task.needs);
    let sources = key("sources = ", &task.input);
    let outputs = key("outputs = ", &task.output);
    format!("[tasks.{name}]\n{about}{needs}{sources}{outputs}{run}\n")
}
