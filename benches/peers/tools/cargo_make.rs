//! cargo-make, by its own program, without the tasks and the questions to git and rustc that it brings along. One task
//! after the other; at the level `error` it would swallow what tasks print.

use super::{Tool, about, each, key};
use crate::task::Task;
use crate::workload::{Kind, Shown};

const CONFIG: &str = "[config]
skip_core_tasks = true
skip_git_env_info = true
skip_rust_env_info = true
skip_crate_env_info = true

";

const FLAGS: &str = "--disable-check-for-updates --makefile Makefile.toml";

pub(super) const TOOL: Tool = Tool {
    name: "cargo-make",
    program: "makers",
    version: ("--version", "cargo-make"),
    file: "Makefile.toml",
    text: |_, tasks| format!("{CONFIG}{}", each(tasks, table)),
    listed: 0,
    words: |workload| match workload.kind {
        Kind::List => Some(format!("{FLAGS} -l error --list-all-steps")),
        Kind::Simple | Kind::Layers | Kind::Print(Shown::Prefixed | Shown::Grouped) => None,
        Kind::Shell if workload.at_once > 1 => None,
        Kind::One | Kind::Shell | Kind::Chain | Kind::Fresh => {
            Some(format!("{FLAGS} -l error {}", workload.target()))
        }
        Kind::Print(Shown::Alone) => Some(format!("{FLAGS} {}", workload.target())),
    },
};

fn table(task: &Task) -> String {
    let Task { name, line, .. } = task;
    let about = about("description = \"", task, "\"");
    let files = match (&task.input, &task.output) {
        (Some(input), Some(output)) => {
            format!(
                "condition = {{ files_modified = {{ input = [\"{input}\"], output = [\"{output}\"] }} }}\n"
            )
        }
        (Some(_), None) | (None, Some(_) | None) => String::new(),
    };
    let script = if line.is_empty() { String::new() } else { format!("script = [\"{line}\"]\n") };
    let needs = key("dependencies = ", &task.needs);
    format!("[tasks.{name}]\n{about}{needs}{files}{script}\n")
}
