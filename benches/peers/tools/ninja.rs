//! ninja. It reads what commands print and shows each command's in one piece, but for one that has the console.

use std::collections::HashMap;

use super::{Tool, each, made};
use crate::task::Task;
use crate::workload::{Kind, Shown};

pub(super) const TOOL: Tool = Tool {
    name: "ninja",
    program: "ninja",
    version: ("--version", "1."),
    file: "build.ninja",
    text: |workload, tasks| {
        let alone = workload.kind == Kind::Print(Shown::Alone);
        let pool = if alone { "  pool = console\n" } else { "" };
        let made = made(tasks);
        format!("rule sh\n  command = $line\n{pool}{}", each(tasks, |task| edge(task, &made)))
    },
    listed: 0,
    words: |workload| {
        let (target, at_once) = (workload.target(), workload.at_once);
        match workload.kind {
            Kind::List => Some("-t targets all".to_owned()),
            Kind::Simple | Kind::Print(Shown::Prefixed) => None,
            Kind::Print(Shown::Grouped | Shown::Alone) => Some(format!("-j{at_once} {target}")),
            Kind::One | Kind::Shell | Kind::Chain | Kind::Layers | Kind::Fresh => {
                Some(format!("--quiet -j{at_once} {target}"))
            }
        }
    },
};

fn edge(task: &Task, made: &HashMap<&str, &str>) -> String {
    let needs = task.needs.iter().map(|need| made[need.as_str()]).collect::<Vec<_>>().join(" ");
    let makes = made[task.name.as_str()];
    if task.line.is_empty() {
        return format!("build {makes}: phony {needs}\n");
    }
    let input = task.input.as_deref().unwrap_or_default();
    format!("build {makes}: sh {input} || {needs}\n  line = {}\n", task.line)
}
