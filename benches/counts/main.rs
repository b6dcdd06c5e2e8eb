//! Whether deploy has grown: instructions (callgrind) of what must stay cheap, and system calls (strace) of a small run,
//! beside those of benches/counts/recorded. `cargo bench --bench counts` ends with 1 if one has grown too far, and says in
//! which layer; `cargo bench --bench counts -- renew` records what is counted now. Needs Linux, valgrind and strace.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it starts what it counts, and prints a table"
)]

mod calls;
mod case;
mod instructions;
mod record;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use record::{Counts, Record};

fn main() -> ExitCode {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/counts/recorded");
    let counted: Vec<(&str, Counts)> = case::CASES.iter().map(|case| (case.name, case.count())).collect();
    if std::env::args().any(|word| word == "renew") {
        fs::write(&file, record::written(&counted)).expect("the project's own folder");
        println!("{} is what is counted now", file.display());
        return ExitCode::SUCCESS;
    }
    let record = Record::read(&fs::read_to_string(&file).expect("benches/counts/recorded"));
    let grown: Vec<String> = counted.iter().filter_map(|(case, counts)| record.judge(case, counts)).collect();
    if grown.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("\n{}\nIf that is meant: cargo bench --bench counts -- renew", grown.join("\n"));
    ExitCode::FAILURE
}
