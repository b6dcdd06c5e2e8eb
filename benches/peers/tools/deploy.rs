//! deploy itself.

use super::{Tool, about, each, key};
use crate::task::Task;
use crate::workload::{Kind, Shown, Workload};

pub(super) const TOOL: Tool = Tool {
    name: "deploy",
    program: env!("CARGO_BIN_EXE_deploy"),
    version: ("--version", "deploy"),
    file: "tasks.toml",
    text: |workload, tasks| each(tasks, |task| table(workload, task)),
    listed: 0,
    words: |workload| {
        let output = match workload.kind {
            Kind::List => return Some("list".to_owned()),
            Kind::Print(Shown::Prefixed) => "prefixed",
            Kind::Print(Shown::Grouped) => "grouped",
            Kind::Print(Shown::Alone)
            | Kind::One
            | Kind::Shell
            | Kind::Simple
            | Kind::Chain
            | Kind::Layers
            | Kind::Fresh => "auto",
        };
        Some(format!("--output={output} --jobs={} {}", workload.at_once, workload.target()))
    },
};

fn table(workload: &Workload, task: &Task) -> String {
    let Task { name, line, .. } = task;
    let about = about("about = \"", task, "\"");
    let run = if line.is_empty() {
        String::new()
    } else if workload.kind == Kind::Simple {
        format!("steps = [{{ exec = [\"{line}\"] }}]\n")
    } else {
        format!("run = \"{line}\"\n")
    };
    let needs = key("needs = ", &task.needs);
    let inputs = key("inputs = ", &task.input);
    let outputs = key("outputs = ", &task.output);
    format!("[tasks.{name}]\n{about}{needs}{inputs}{outputs}{run}\n")
}
