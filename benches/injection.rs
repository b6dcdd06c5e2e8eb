//! What becomes of hostile values: `cargo bench --bench injection`. Each value of `tests/it/hostile/values.rs` is given
//! on the command line to a task that writes it into a file, by deploy and by just, go-task and mise where they are
//! installed: in the way that their manuals show first, and in the one that they have for this. It ends with 1 if
//! deploy has changed or executed one.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it starts what it measures, and prints tables"
)]

#[path = "../tests/it/hostile/values.rs"]
mod values;

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use values::values;

const DEPLOY: &str = env!("CARGO_BIN_EXE_deploy");

/// A value that makes a tool wait is given up after so many seconds.
const PATIENCE: &str = "60";

/// A program that runs tasks.
struct Tool {
    name: &'static str,
    program: &'static str,
    /// What its `--version` says, where another program may have its name.
    says: &'static str,
    file: &'static str,
    /// A file with one task `write` whose line is this.
    text: fn(&str) -> String,
    /// A line that installs it.
    install: &'static str,
    ways: &'static [Way],
}

/// How a value is given to a task, and how the task's line mentions it.
struct Way {
    /// What stands before the value on the command line.
    words: &'static [&'static str],
    /// Put right before the value, in the same word.
    prefix: &'static str,
    /// What the line has in place of it.
    mentions: &'static [&'static str],
}

const TOOLS: [Tool; 4] = [
    Tool {
        name: "deploy",
        program: DEPLOY,
        says: "deploy",
        file: "tasks.toml",
        text: |line| format!("[vars]\nx = ''\n[tasks.write]\nrun = '''\n{line}\n'''\n"),
        install: "",
        ways: &[
            Way {
                words: &["write", "--set"],
                prefix: "x=",
                mentions: &["{{ x }}", "\"{{ x }}\"", "'{{ x }}'"],
            },
            Way { words: &["write", "--"], prefix: "", mentions: &["{{ args }}"] },
        ],
    },
    Tool {
        name: "just",
        program: "just",
        says: "just",
        file: "justfile",
        text: |line| format!("write x:\n  @{line}\n"),
        install: "pip install rust-just",
        ways: &[Way {
            words: &["--quiet", "--", "write"],
            prefix: "",
            mentions: &["{{x}}", "\"{{x}}\"", "'{{x}}'", "{{quote(x)}}"],
        }],
    },
    Tool {
        name: "go-task",
        program: "task",
        says: "3.",
        file: "Taskfile.yml",
        text: |line| format!("version: '3'\ntasks:\n  write:\n    cmds:\n      - |-\n        {line}\n"),
        install: "pip install go-task-bin",
        ways: &[
            Way {
                words: &["--silent", "write"],
                prefix: "X=",
                mentions: &["{{.X}}", "\"{{.X}}\"", "'{{.X}}'", "{{.X | shellQuote}}"],
            },
            Way { words: &["--silent", "write", "--"], prefix: "", mentions: &["{{.CLI_ARGS}}"] },
        ],
    },
    Tool {
        name: "mise",
        program: "mise",
        says: "20",
        file: "mise.toml",
        text: |line| format!("[tasks.write]\nusage = 'arg \"<x>\"'\nrun = '''\n{line}\n'''\n"),
        install: "npm install --global @jdxcode/mise",
        ways: &[Way {
            words: &["run", "--quiet", "write", "--"],
            prefix: "",
            mentions: &[
                "${usage_x?}",
                "\"${usage_x?}\"",
                "{{usage.x}}",
                "\"{{usage.x}}\"",
                "'{{usage.x}}'",
                "{{usage.x | quote}}",
            ],
        }],
    },
];

/// What became of the values.
#[derive(Default)]
struct Count {
    unchanged: usize,
    changed: usize,
    executed: usize,
    refused: usize,
}

fn main() -> ExitCode {
    let values = values();
    println!("{} values; the line is `printf %s … > out`\n", values.len());
    println!("{:10} {:24} {:>10} {:>8} {:>8} {:>8}", "", "…", "unchanged", "changed", "executed", "refused");
    let mut kept = true;
    for tool in &TOOLS {
        if !is_installed(tool) {
            println!("{:10} is not installed: {}", tool.name, tool.install);
            continue;
        }
        for (way, mention) in tool.ways.iter().flat_map(|way| way.mentions.iter().map(move |it| (way, it))) {
            let count = count(tool, way, mention, &values);
            kept &= tool.program != DEPLOY || count.changed + count.executed == 0;
            let Count { unchanged, changed, executed, refused } = count;
            println!("{:10} {mention:24} {unchanged:10} {changed:8} {executed:8} {refused:8}", tool.name);
        }
    }
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn count(tool: &Tool, way: &Way, mention: &str, values: &[String]) -> Count {
    let mut count = Count::default();
    for value in values {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let line = format!("printf %s {mention} > out");
        fs::write(folder.path().join(tool.file), (tool.text)(&line)).expect("a file in a new folder");
        let ended_well = run(folder.path(), tool.program, way, value);
        let out = fs::read(folder.path().join("out"));
        // What is executed counts as that, whatever came out.
        let kind = if folder.path().join("pwned").exists() {
            &mut count.executed
        } else if ended_well && out.as_ref().is_ok_and(|out| out == value.as_bytes()) {
            &mut count.unchanged
        } else if ended_well || out.is_ok_and(|out| !out.is_empty()) {
            &mut count.changed
        } else {
            &mut count.refused
        };
        *kind += 1;
    }
    count
}

/// Whether the tool says that all went well.
fn run(folder: &Path, program: &str, way: &Way, value: &str) -> bool {
    let mut command = Command::new("timeout");
    command.args(["--kill-after=1", PATIENCE, program]).args(way.words);
    command.arg(format!("{}{value}", way.prefix)).current_dir(folder);
    // Nothing of the user's own: mise asks for trust and would look for newer versions.
    let own = folder.join(".own");
    command.env("HOME", &own).env("MISE_TRUSTED_CONFIG_PATHS", folder).env("MISE_OFFLINE", "1");
    for name in ["MISE_DATA_DIR", "MISE_CACHE_DIR", "MISE_STATE_DIR", "MISE_CONFIG_DIR"] {
        command.env(name, &own);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().expect("timeout of coreutils").success()
}

fn is_installed(tool: &Tool) -> bool {
    let output = Command::new(tool.program).arg("--version").output();
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim_start().starts_with(tool.says))
}
