//! go-task. Its shell is its own and has a `true` of its own, which would start nothing: so it is told to start a
//! program, and where a shell is wanted, a shell. It knows by checksums what is as it should be.

use super::{Tool, about, each, key};
use crate::task::Task;
use crate::workload::{Kind, Shown, Workload};

pub(super) const TOOL: Tool = Tool {
    name: "go-task",
    program: "task",
    version: ("--version", "3."),
    file: "Taskfile.yml",
    text: |workload, tasks| {
        let output = match workload.kind {
            Kind::Print(Shown::Prefixed) => "prefixed",
            Kind::Print(Shown::Grouped) => "group",
            Kind::Print(Shown::Alone)
            | Kind::List
            | Kind::One
            | Kind::Shell
            | Kind::Simple
            | Kind::Chain
            | Kind::Layers
            | Kind::Fresh => "interleaved",
        };
        let tasks = each(tasks, |task| entry(workload, task));
        format!("version: '3'\nsilent: true\nrun: once\noutput: {output}\ntasks:\n{tasks}")
    },
    listed: 0,
    words: |workload| match workload.kind {
        Kind::List => Some("--list-all".to_owned()),
        Kind::One
        | Kind::Shell
        | Kind::Simple
        | Kind::Chain
        | Kind::Layers
        | Kind::Fresh
        | Kind::Print(_) => Some(format!("--concurrency {} {}", workload.at_once, workload.target())),
    },
};

fn entry(workload: &Workload, task: &Task) -> String {
    let Task { name, line, .. } = task;
    let about = about("    desc: ", task, "");
    let program = if workload.kind == Kind::Shell { "sh -c true" } else { "/bin/true" };
    let line = if line == "true" { program } else { line };
    let line = if line.is_empty() { String::new() } else { format!("    cmds: ['{line}']\n") };
    let needs = key("    deps: ", &task.needs);
    let sources = key("    sources: ", &task.input);
    let makes = key("    generates: ", &task.output);
    format!("  {name}:\n{about}{needs}{sources}{makes}{line}")
}
