//! doit, with threads where several run at once. It knows by checksums what is as it should be.

use super::{Tool, each, list};
use crate::task::Task;
use crate::workload::{Kind, Shown};

pub(super) const TOOL: Tool = Tool {
    name: "doit",
    program: "doit",
    version: ("--version", "0."),
    file: "dodo.py",
    text: |workload, tasks| {
        let shows = if matches!(workload.kind, Kind::Print(_)) { 2 } else { 0 };
        format!(
            "DOIT_CONFIG = {{'verbosity': {shows}}}\nTASKS = [\n{}]\n\ndef task_all_of_them():\n    yield from TASKS\n",
            each(tasks, entry)
        )
    },
    listed: 0,
    words: |workload| {
        let (target, at_once) = (workload.target(), workload.at_once);
        match workload.kind {
            Kind::List => Some("list".to_owned()),
            Kind::Simple | Kind::Print(Shown::Prefixed | Shown::Grouped) => None,
            Kind::One | Kind::Chain | Kind::Fresh | Kind::Print(Shown::Alone) => Some(target),
            Kind::Shell | Kind::Layers => match at_once {
                1 => Some(target),
                several => Some(format!("-P thread -n {several} {target}")),
            },
        }
    },
};

fn entry(task: &Task) -> String {
    let Task { name, about, line, .. } = task;
    let actions = if line.is_empty() { "None".to_owned() } else { list([line]) };
    let (needs, inputs, outputs) = (list(&task.needs), list(&task.input), list(&task.output));
    format!(
        "{{'basename': '{name}', 'doc': '{about}', 'actions': {actions}, 'task_dep': {needs}, 'file_dep': {inputs}, 'targets': {outputs}}},\n"
    )
}
