//! How long `deploy list` takes, beside programs that do nothing: `cargo bench --bench startup [-- RUNS]`.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it starts what it measures, and prints tables"
)]

mod measure;

use std::fs;
use std::path::Path;
use std::process::Command;

use measure::{count, median, milliseconds, time};

const TASKS: &str = r#"
[tasks.lint]
about = "Find mistakes"
run = "true"
[tasks.test]
about = "Run the tests"
needs = ["lint"]
run = "true"
[tasks.build]
run = "true"
"#;

/// Enough turns that the medians of two runs agree to a few percent on a busy machine.
const RUNS: usize = 300;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("tasks.toml"), TASKS).expect("a file in a new folder");
    let hello = hello(folder.path());
    let commands: [(&str, Vec<&str>); 5] = [
        ("a static program that says hello", vec![hello.as_str()]),
        ("/bin/true", vec!["/bin/true"]),
        ("sh -c true", vec!["sh", "-c", "true"]),
        ("deploy list, 3 tasks", vec![env!("CARGO_BIN_EXE_deploy"), "list"]),
        ("deploy lint, one task of 3", vec![env!("CARGO_BIN_EXE_deploy"), "lint"]),
    ];
    let runs = count(RUNS);
    let mut times = vec![Vec::with_capacity(runs); commands.len()];
    for _ in 0..runs {
        for ((_, words), times) in commands.iter().zip(&mut times) {
            times.push(milliseconds(time(
                Command::new(words[0]).args(&words[1..]).current_dir(folder.path()),
            )));
        }
    }
    println!("{runs} turns; medians, and the median ratio to the first and second of the same turn\n");
    println!("{:34} {:>9} {:>9} {:>11}", "", "ms", "x hello", "x /bin/true");
    for ((name, _), own) in commands.iter().zip(&times) {
        let ratio = |floor: &[f64]| {
            median(&own.iter().zip(floor).map(|(own, floor)| own / floor).collect::<Vec<_>>())
        };
        println!("{name:34} {:9.2} {:9.2} {:11.2}", median(own), ratio(&times[0]), ratio(&times[1]));
    }
}

/// Builds the least that a program can be: what any other pays on top is its own.
fn hello(folder: &Path) -> String {
    let source = folder.join("hello.rs");
    fs::write(&source, "fn main() { println!(\"hello\"); }\n").expect("a file in a new folder");
    let program = folder.join("hello");
    let mut rustc = Command::new("rustc");
    rustc
        .args(["-O", "-C", "target-feature=+crt-static", "-C", "strip=symbols", "-o"])
        .arg(&program)
        .arg(&source);
    time(&mut rustc);
    program.display().to_string()
}
