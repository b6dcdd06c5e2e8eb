//! GNU make, without its built-in rules, which would have it look for files that nobody has. It starts simple commands
//! without a shell; a `;` at the end makes it take one. It lists what it knows by printing its data base.

use std::collections::HashMap;

use super::{Tool, each, made};
use crate::task::Task;
use crate::workload::{Kind, Shown};

pub(super) const TOOL: Tool = Tool {
    name: "make",
    program: "make",
    version: ("--version", "GNU Make"),
    file: "Makefile",
    text: |workload, tasks| {
        let end = if workload.kind == Kind::Shell { ";" } else { "" };
        let phony: Vec<&str> =
            tasks.iter().filter(|task| task.output.is_none()).map(|task| task.name.as_str()).collect();
        let made = made(tasks);
        format!(".PHONY: {}\n{}", phony.join(" "), each(tasks, |task| rule(task, &made, end)))
    },
    listed: 1,
    words: |workload| {
        let (target, at_once) = (workload.target(), workload.at_once);
        match workload.kind {
            // With -q it ends with 1 where something would have to be done.
            Kind::List => Some("-rRqp".to_owned()),
            Kind::Print(Shown::Prefixed) => None,
            Kind::Print(Shown::Grouped) => Some(format!("-rR -Otarget -j{at_once} {target}")),
            Kind::One
            | Kind::Shell
            | Kind::Simple
            | Kind::Chain
            | Kind::Layers
            | Kind::Fresh
            | Kind::Print(Shown::Alone) => Some(format!("-rR -j{at_once} {target}")),
        }
    },
};

fn rule(task: &Task, made: &HashMap<&str, &str>, end: &str) -> String {
    let input = task.input.iter().map(String::as_str);
    let needs: Vec<&str> = input.chain(task.needs.iter().map(|need| made[need.as_str()])).collect();
    let recipe = if task.line.is_empty() { String::new() } else { format!("\t@{}{end}\n", task.line) };
    format!("{}: {}\n{recipe}", made[task.name.as_str()], needs.join(" "))
}
