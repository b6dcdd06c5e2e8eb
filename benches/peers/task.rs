//! The tasks of a workload, before any tool's language.

use std::path::Path;

use crate::workload::{Kind, Shown, Workload};

/// One task; what it makes is newer than what it is made of.
pub(crate) struct Task {
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) needs: Vec<String>,
    /// A shell line; nothing where it only needs others.
    pub(crate) line: String,
    pub(crate) input: Option<String>,
    pub(crate) output: Option<String>,
}

/// How many of a file of many tasks need the same one.
const BRANCHES: usize = 8;

/// How many are in a layer.
const LAYER: usize = 100;

/// All tasks; one after those that it needs. What is printed lies in `data`.
pub(crate) fn tasks(workload: &Workload, data: &Path) -> Vec<Task> {
    let mut tasks: Vec<Task> = (0..workload.size).map(|number| task(workload, number, data)).collect();
    if workload.target() == "all" {
        // One that is alone would be handed our own stdout, and nothing be read.
        if workload.kind == Kind::Print(Shown::Prefixed) && workload.size == 1 {
            tasks.push(plain("idle".to_owned(), "true".to_owned()));
        }
        let layer = if workload.kind == Kind::Layers { tasks.len() - LAYER } else { 0 };
        let needs = tasks[layer..].iter().map(|task| task.name.clone()).collect();
        tasks.push(Task { needs, ..plain("all".to_owned(), String::new()) });
    }
    tasks
}

fn task(workload: &Workload, number: usize, data: &Path) -> Task {
    let plain = plain(format!("t{number}"), "true".to_owned());
    match workload.kind {
        Kind::List | Kind::One => {
            let about = format!("The task number {number}");
            let needs = number.checked_sub(1).map(|before| format!("t{}", before / BRANCHES));
            Task { about, needs: needs.into_iter().collect(), ..plain }
        }
        Kind::Shell | Kind::Simple => plain,
        Kind::Chain => {
            let needs = number.checked_sub(1).map(|before| format!("t{before}"));
            Task { needs: needs.into_iter().collect(), ..plain }
        }
        Kind::Layers => Task { needs: layered(number), ..plain },
        Kind::Fresh => Task {
            line: format!(": > out/{number}.txt"),
            input: Some(format!("in/{number}.txt")),
            output: Some(format!("out/{number}.txt")),
            ..plain
        },
        Kind::Print(_) => Task { line: format!("cat {}", data.display()), ..plain },
    }
}

fn plain(name: String, line: String) -> Task {
    Task { name, about: String::new(), needs: Vec::new(), line, input: None, output: None }
}

/// Three of the layer before: its own place in it, and two that differ from task to task.
fn layered(number: usize) -> Vec<String> {
    let (layer, place) = (number / LAYER, number % LAYER);
    let mut places = vec![place, (place * 7 + 3) % LAYER, (place * 13 + 31) % LAYER];
    places.sort_unstable();
    places.dedup();
    let before = layer.checked_sub(1).map(|before| before * LAYER);
    before
        .into_iter()
        .flat_map(|begin| places.iter().map(move |place| format!("t{}", begin + place)))
        .collect()
}
