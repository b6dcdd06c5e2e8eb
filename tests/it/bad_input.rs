//! What is no tasks.toml, in every way that a file can be something else: told with its place, and nothing runs.

use std::fs;
use std::time::Instant;

use crate::support::{Ended, Sandbox};

/// A task that would leave a trace; mistakes come behind it.
const TASK: &str = "[tasks.a]\nrun = 'touch ran'\n";

/// Neither a look nor a run does anything; gives what the run said.
#[track_caller]
fn refused(sandbox: &Sandbox) -> Ended {
    for command in ["check", "list"] {
        sandbox.deploy([command]).fails_with(2).prints("").says("tasks.toml").never_mentions("panicked");
    }
    let refused = sandbox.deploy(["a"]);
    refused.fails_with(2).prints("").says("tasks.toml").never_mentions("panicked");
    assert!(!sandbox.has("ran") && !sandbox.has(".deploy"), "something was done");
    refused
}

#[test]
fn what_is_no_toml_is_told_with_its_line() {
    for line in [
        "x = [1, 2",
        "x = 'a",
        "x = \"a\\qb\"",
        "x = '''a",
        "= 1",
        "x 1",
        "x = 1 2",
        "x = 01",
        "x = tru",
        "[tasks.a",
        "[tasks.a]",
        "[[tasks.a]]",
        "[tasks..a]",
        "a.b = 1\na = 2",
        "x = 1979-13-27",
        "x = \"\\ud800\"",
        "x = \"\u{7f}\"",
        "\u{feff}x = 1",
        "é = 1",
        "x\0 = 1",
        "x = '\0'",
        "x = 1\rname = 2",
        "<html>",
        "{ \"tasks\": {} }",
        "- a: b",
        "<<<<<<< HEAD",
    ] {
        let sandbox = Sandbox::new().tasks(&format!("{TASK}{line}\n"));
        refused(&sandbox).says("tasks.toml:").says("^").says("not valid TOML");
    }
}

#[test]
fn values_of_the_wrong_type_are_told_with_their_line() {
    for line in
        ["tasks.b = 1", "vars = 1", "settings.jobs = 1e9", "environments = []", "project.name = 1979-05-27"]
    {
        let sandbox = Sandbox::new().tasks(&format!("{line}\n{TASK}"));
        refused(&sandbox).says("tasks.toml:1:").says("^");
    }
}

#[test]
fn a_nul_in_a_value_is_told_before_anything_runs() {
    let sandbox = Sandbox::new()
        .tasks("[vars]\nx = \"a\\u0000b\"\n[tasks.a]\nrun = ['touch ran', 'printf %s {{ x }}']\n");
    refused(&sandbox).says("tasks.toml:2:5").says("`x` holds a NUL");
}

#[test]
fn bytes_that_are_no_text_are_told() {
    let mut bytes: Vec<u8> = TASK.into();
    bytes.extend(b"# \xff\xfe\x80\n");
    for bytes in [bytes.as_slice(), b"\xff\xfet\0a\0s\0k\0", b"\x7fELF\x02\x01\x01\0\x80", b"\x1f\x8b\x08\0"]
    {
        let sandbox = Sandbox::new();
        fs::write(sandbox.root().join("tasks.toml"), bytes).expect("a file");
        refused(&sandbox).says("UTF-8");
    }
}

#[test]
fn a_file_of_another_system_is_read() {
    for text in [TASK.replace('\n', "\r\n"), format!("\u{feff}{TASK}")] {
        let sandbox = Sandbox::new().tasks(&text);
        sandbox.deploy(["a"]).succeeds();
        assert!(sandbox.has("ran"));
    }
    let sandbox = Sandbox::new().tasks("\u{feff}[tasks.a]\r\nrnu = 'x'\r\n");
    refused(&sandbox).says("tasks.toml:2:1");
}

#[test]
fn what_is_no_file_is_told_and_never_waited_for() {
    for (make, says) in [
        ("mkdir tasks.toml", "it is a folder"),
        ("mkfifo tasks.toml", "it is no plain file"),
        ("ln -s /dev/zero tasks.toml", "it is no plain file"),
        ("ln -s tasks.toml tasks.toml", "symbolic links"),
        ("ln -s nowhere tasks.toml", "there is no such file"),
        // Even root can't read it.
        ("ln -s /proc/self/mem tasks.toml", "can't read"),
    ] {
        let sandbox = Sandbox::new();
        sandbox.shell(make).succeeds();
        refused(&sandbox).says(says);
        sandbox.deploy(["-f", "tasks.toml", "check"]).fails_with(2).says(says);
    }
}

#[test]
fn a_file_that_may_not_be_read_is_told() {
    let sandbox = Sandbox::new().tasks(TASK);
    sandbox.shell("chmod 000 tasks.toml").succeeds();
    // Root may read everything.
    if fs::read(sandbox.root().join("tasks.toml")).is_err() {
        refused(&sandbox).says("ermission denied");
    }
}

#[test]
fn a_file_of_fifty_megabytes_is_told_at_once() {
    let sandbox = Sandbox::new();
    sandbox.shell("head -c 50000000 /dev/zero | tr '\\0' '#' > tasks.toml").succeeds();
    let begin = Instant::now();
    refused(&sandbox).says("it has 50 MB");
    assert!(begin.elapsed().as_secs() < 10, "it was read");
}

/// The parser allows so many dots in each of so many brackets, and no more.
#[test]
fn depth_is_no_crash() {
    let path = vec!["a"; 79].join(".");
    let inline = format!("{{{path} = ").repeat(79);
    for text in [
        format!("[vars.{path}]\n{path} = {inline}1{}\n", "}".repeat(79)),
        format!("{} = 1\n", vec!["a"; 100_000].join(".")),
        format!("x = {}\n", "[".repeat(100_000)),
    ] {
        refused(&Sandbox::new().tasks(&text)).says("tasks.toml:1:");
    }
}

#[test]
fn of_very_many_problems_the_first_are_shown() {
    let tasks: Vec<String> = (0..2000).map(|n| format!("[tasks.t{n}]\nrnu = 'true'\n")).collect();
    let text = tasks.concat();
    let refused = refused(&Sandbox::new().tasks(&text));
    refused.says("tasks.toml:2:").says("the first 50 problems").never_mentions("tasks.toml:200:");
}
