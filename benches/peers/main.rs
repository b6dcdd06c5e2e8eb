//! What running and looking costs beside the least that it can cost, and beside what others need for it: `cargo bench
//! --bench peers [-- --quick] [--draw] [WORKLOAD…]`. Tables of ratios and of memory; `--draw` makes docs/performance.svg of
//! what was measured. A WORKLOAD is a name in the table, or its begin: `list` is all that list. `benches/peers/install`
//! installs the others. Needs Linux.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it starts what it measures, prints tables, and says how far it is"
)]

mod floor;
#[path = "../measure/mod.rs"]
#[expect(dead_code, reason = "times are taken in a process of their own")]
mod measure;
mod place;
mod plot;
mod run;
mod table;
mod task;
mod tools;
mod turns;
mod workload;

use std::path::Path;
use std::process::ExitCode;

use place::Place;
use table::Row;
use tools::TOOLS;
use workload::Length;

fn main() -> ExitCode {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == run::WORD) {
        return run::measure_one(&words[1..]);
    }
    let is_said = |flag: &str| words.iter().any(|word| word == flag);
    let longest = if is_said("--quick") { Length::Quick } else { Length::Long };
    let draws = is_said("--draw");
    // What is left of these is cargo's `--bench`.
    words.retain(|word| !word.starts_with("--"));
    let chosen = workload::chosen(&words, longest);
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let place = Place::new(&package.join("target/peers/bin"));
    let mut rows: Vec<Row> = Vec::new();
    for workload in chosen {
        let row = turns::measure(&workload, &place, &rows);
        rows.push(row);
        eprintln!("{}", table::times(&rows[rows.len() - 1..]).lines().last().unwrap_or_default());
    }
    println!("{}", table::times(&rows));
    println!("{}", table::processors(&rows));
    println!("{}", table::memory(&rows));
    for (tool, found) in TOOLS.iter().zip(&place.found) {
        match found {
            Some((_, version)) => println!("{}: {version}", tool.name),
            None => println!("{} is not installed: {}", tool.name, tool.install()),
        }
    }
    if draws {
        let picture = package.join("docs/performance.svg");
        std::fs::write(&picture, plot::plot(&rows)).expect("the project's own folder");
        println!("{} is drawn anew", picture.display());
    }
    ExitCode::SUCCESS
}
