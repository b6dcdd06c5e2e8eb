//! What is measured beside each other: one file a tool, with how its file is written and how it is called for each
//! workload, in the way that its manual says is best for it.

mod cargo_make;
mod deploy;
mod doit;
mod go_task;
mod invoke;
mod just;
mod make;
mod mise;
mod ninja;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::task::Task;
use crate::workload::Workload;

/// A program that runs tasks.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    /// Its file's name, where it is installed; deploy's own is a path.
    program: &'static str,
    /// What asks for its version, and how the answer begins: another program may have its name.
    version: (&'static str, &'static str),
    /// The file that it reads.
    pub(crate) file: &'static str,
    pub(crate) text: fn(&Workload, &[Task]) -> String,
    /// The words behind its name, or nothing where it can't do that.
    pub(crate) words: fn(&Workload) -> Option<String>,
    /// The exit code of a list that was told well.
    pub(crate) listed: i32,
}

/// deploy comes first.
pub(crate) const TOOLS: [Tool; 9] = [
    deploy::TOOL,
    make::TOOL,
    ninja::TOOL,
    just::TOOL,
    go_task::TOOL,
    mise::TOOL,
    doit::TOOL,
    invoke::TOOL,
    cargo_make::TOOL,
];

impl Tool {
    /// Where it is, and what it says of its version: in what `benches/peers/install` has made, or on the PATH.
    pub(crate) fn found(&self, installed: &Path) -> Option<(PathBuf, String)> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(installed.to_owned()).chain(std::env::split_paths(&path));
        folders.map(|folder| folder.join(self.program)).find_map(|program| {
            let (asks, says) = self.version;
            let output = Command::new(&program).arg(asks).output().ok()?;
            let told = String::from_utf8_lossy(&output.stdout).trim().lines().next()?.to_owned();
            told.starts_with(says).then_some((program, told))
        })
    }

    /// The line that installs it.
    pub(crate) fn install(&self) -> String {
        format!("benches/peers/install {}", self.name)
    }
}

/// What is written for each task, one after the other.
fn each(tasks: &[Task], text: impl Fn(&Task) -> String) -> String {
    tasks.iter().map(text).collect()
}

/// What stands for each task in a file that knows tasks by what they make.
fn made(tasks: &[Task]) -> HashMap<&str, &str> {
    tasks
        .iter()
        .map(|task| (task.name.as_str(), task.output.as_ref().unwrap_or(&task.name).as_str()))
        .collect()
}

/// `["a", "b"]`, as TOML, YAML and Python read it; no word of ours needs an escape.
fn list<'a>(words: impl IntoIterator<Item = &'a String>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("\"{word}\"")).collect();
    format!("[{}]", words.join(", "))
}

/// A line with a list, if there is something in it.
fn key<'a>(name: &str, words: impl IntoIterator<Item = &'a String>) -> String {
    let mut words = words.into_iter().peekable();
    if words.peek().is_none() { String::new() } else { format!("{name}{}\n", list(words)) }
}

/// A line with what a task is about, if it is said.
fn about(before: &str, task: &Task, after: &str) -> String {
    if task.about.is_empty() { String::new() } else { format!("{before}{}{after}\n", task.about) }
}
