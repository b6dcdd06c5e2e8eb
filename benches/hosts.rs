//! What one command on twenty hosts costs, beside a bare `ssh` for each, all at once, with a connection that a second one
//! shares, as deploy has it. And beside Fabric's `ThreadingGroup`, where `FAB` names its program.
//! `cargo bench --bench hosts [-- ROUNDS]`. Needs sshd.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it starts what it measures, and prints a table"
)]

#[path = "measure/mod.rs"]
mod measure;
#[path = "../tests/it/support/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "a measurement needs a part of the tests' sandbox"
)]
mod support;

use std::process::Command;
use std::time::Duration;

use measure::{count, median, milliseconds, time};
use support::{Sandbox, Sshd};

/// The program that is measured.
const DEPLOY: &str = env!("CARGO_BIN_EXE_deploy");

/// How many hosts there are.
const HOSTS: usize = 20;

/// How often each is taken.
const ROUNDS: usize = 7;

/// Connections that are shared, and closed again.
const BARE: &str = r#"for host in "$@"; do {
    ssh -M -S "$TMPDIR/$host" -o ControlPersist=no -fN "$host" </dev/null >/dev/null 2>&1
    ssh -S "$TMPDIR/$host" "$host" uname
    ssh -S "$TMPDIR/$host" -O exit "$host" 2>/dev/null
} & done; wait"#;

fn main() {
    let names: Vec<String> = (1..=HOSTS).map(|number| format!("web{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let quoted = names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    let tables: String = names.iter().flat_map(|name| [name, ".ssh = \"", name, "\"\n"]).collect();
    let sandbox = Sandbox::new()
        .tasks(&format!("[hosts]\n{tables}[tasks.up]\nsteps = [{{ run = \"uname\", on = [{quoted}] }}]\n"));
    let sshd = Sshd::start(&sandbox, &names);
    sandbox.write("fabfile.py", &format!(
        "from fabric import ThreadingGroup, task\n\n@task\ndef up(c):\n    ThreadingGroup({quoted}).run('uname')\n"
    ));
    sandbox.write("../home/.fabric.yml", &format!("ssh_config_path: {}\n", sshd.config().display()));

    let mut ways: Vec<(&str, Command)> = vec![
        ("bare ssh", sandbox.command("sh", &[&["-c", BARE, "sh"], names.as_slice()].concat())),
        ("deploy", sandbox.command(DEPLOY, &["up"])),
    ];
    if let Some(fab) = std::env::var_os("FAB") {
        let who = sandbox.shell("id -un").stdout;
        let mut command = sandbox.command(&fab.to_string_lossy(), &["up"]);
        command.env("LOGNAME", who.trim());
        ways.push(("Fabric", command));
    }
    let mut taken: Vec<Vec<Duration>> = vec![Vec::new(); ways.len()];
    for _ in 0..count(ROUNDS) {
        for ((_, command), taken) in ways.iter_mut().zip(&mut taken) {
            taken.push(time(command));
        }
    }
    let bare = milliseconds(median(&taken[0]));
    println!("{HOSTS} hosts, `uname` on each; the middle of {}", taken[0].len());
    for ((name, _), taken) in ways.iter().zip(&taken) {
        let took = milliseconds(median(taken));
        println!("{name:10} {took:7.0} ms  {:5.2} of bare ssh", took / bare);
    }
}
