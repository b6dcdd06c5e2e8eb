//! Values that would like to be more than text, in every place that a shell line has, under sh, bash and dash, and
//! in all that is no shell line: each comes out byte for byte, and none is run.

mod places;
mod values;

use std::fs;

use crate::support::Sandbox;
use places::{BASH, EVERYWHERE, Place};
use values::values;

const SHELLS: [(&str, &[&[Place]]); 3] =
    [("sh", &[&EVERYWHERE]), ("dash", &[&EVERYWHERE]), ("bash", &[&EVERYWHERE, &BASH])];

/// What carries a value without a shell reading it.
const WITHOUT_A_SHELL: &str = r#"
[vars]
x = "unset"
printed = { command = ["cat", "value"] }
[tasks.exec]
steps = [{ exec = ["sh", "-c", 'printf %s "$1" > out/exec', "sh", "{{ x }}"] }]
[tasks.exec-part]
steps = [{ exec = ["sh", "-c", 'printf %s "$1" > out/exec-part', "sh", "a{{ x }}b"] }]
[tasks.env]
env = { X = "{{ x }}", Y = "a{{ x }}b" }
run = 'printf %s "$X" > out/env; printf %s "$Y" > out/env-part'
[tasks.args]
run = "printf %s {{ args }} > out/args"
[tasks.printed]
run = "printf %s {{ printed }} > out/printed"
[tasks.printed-quoted]
run = 'printf %s "a{{ printed }}b" > out/printed-quoted'
[tasks.called]
run = "printf %s {{ given }} > out/given"
vars = { given = "unset" }
[tasks.calling]
steps = [{ task = "called", with = { given = "{{ x }}" } }]
[tasks.made-of]
vars = { y = "a{{ x }}b" }
run = "printf %s {{ y }} > out/made-of"
[tasks.all]
needs = ["exec", "exec-part", "env", "args", "printed", "printed-quoted", "calling", "made-of"]
"#;

/// A task for each shell, with a line for each place.
fn shells() -> String {
    let tasks = SHELLS.map(|(shell, tables)| {
        let places = tables.iter().copied().flatten().enumerate();
        let lines = places.map(|(index, (line, ..))| line.replace("OUT", &format!("out/{shell}-{index}")));
        let lines: Vec<String> = lines.collect();
        format!("[tasks.{shell}]\nshell = ['{shell}', '-c']\nrun = '''\n{}\n'''\n", lines.join("\n"))
    });
    tasks.concat()
}

/// Fails if anything was run that a value asked for: each asks for a file `pwned`.
#[track_caller]
fn nothing_was_run(sandbox: &Sandbox, value: &str) {
    let found = sandbox.shell("find .. -name pwned");
    found.succeeds();
    assert_eq!(found.stdout, "", "{value:?} was run");
}

#[test]
fn there_are_enough_of_them() {
    assert!(values().len() >= 60 && EVERYWHERE.len() + BASH.len() >= 40);
}

#[test]
fn a_value_comes_out_of_every_place_of_a_line_in_every_shell() {
    let sandbox = Sandbox::new().tasks(&format!("[vars]\nx = 'unset'\n{}", shells()));
    for value in values() {
        sandbox.shell("rm -rf out && mkdir out").succeeds();
        sandbox.deploy(["--set", &format!("x={value}"), "sh", "dash", "bash"]).succeeds();
        for (shell, tables) in SHELLS {
            for (index, (line, before, after)) in tables.iter().copied().flatten().enumerate() {
                let out = sandbox.read(&format!("out/{shell}-{index}"));
                assert_eq!(out, format!("{before}{value}{after}"), "{shell}: {line}");
            }
        }
        nothing_was_run(&sandbox, &value);
    }
}

#[test]
fn a_value_comes_out_of_what_is_no_shell_line() {
    let sandbox = Sandbox::new().tasks(WITHOUT_A_SHELL);
    for value in values() {
        sandbox.shell("rm -rf out && mkdir out").succeeds();
        sandbox.write("value", &value);
        let set = format!("x={value}");
        sandbox.deploy(["--set", &set, "all", "--", &value]).succeeds();
        // Newlines at the end of what a command prints are dropped, as the shell does it.
        let printed = value.trim_end_matches('\n').to_owned();
        let part = format!("a{value}b");
        for (out, expected) in [
            ("exec", &value),
            ("exec-part", &part),
            ("env", &value),
            ("env-part", &part),
            ("args", &value),
            ("printed", &printed),
            ("printed-quoted", &format!("a{printed}b")),
            ("given", &value),
            ("made-of", &part),
        ] {
            assert_eq!(sandbox.read(&format!("out/{out}")), *expected, "{out}");
        }
        nothing_was_run(&sandbox, &value);
    }
}

/// Whether a file can be called so.
fn is_file_name(value: &str) -> bool {
    !value.is_empty() && !value.contains('/') && value.len() < 200
}

#[test]
fn a_value_names_a_file_and_a_folder() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [vars]
        x = "unset"
        [tasks.sh]
        run = 'printf 1 > out/a{{ x }}; printf 2 >> "out/a{{ x }}"; cat < out/a{{ x }} > out/copy'
        [tasks.bash]
        shell = ["bash", "-c"]
        run = 'printf 1 > out/b{{ x }}; printf 2 >> out/b"{{ x }}"; printf 3 &>> out/b{{ x }}'
        [tasks.dir]
        dir = "out/d{{ x }}"
        run = "printf 4 > here"
        "#,
    );
    let mut seen = 0;
    for value in values().into_iter().filter(|value| is_file_name(value)) {
        sandbox.shell("rm -rf out && mkdir out").succeeds();
        fs::create_dir(sandbox.root().join(format!("out/d{value}"))).expect("any name will do");
        sandbox.deploy(["--set", &format!("x={value}"), "sh", "bash", "dir"]).succeeds();
        for (file, content) in
            [(format!("a{value}"), "12"), (format!("b{value}"), "123"), (format!("d{value}/here"), "4")]
        {
            assert_eq!(sandbox.read(&format!("out/{file}")), content, "{file:?}");
        }
        let made = fs::read_dir(sandbox.root().join("out")).expect("a folder").count();
        assert_eq!(made, 4, "{value:?} made files of its own");
        nothing_was_run(&sandbox, &value);
        seen += 1;
    }
    assert!(seen >= 50, "only {seen} are names of files");
}

/// Both need `{{ x }}` to be a value of its own: what is in it is not looked at again.
#[test]
fn a_value_with_braces_of_ours_is_text() {
    let sandbox = Sandbox::new().tasks("[vars]\nx = ''\ny = 'seen'\n[tasks.a]\nrun = 'printf %s {{ x }}'\n");
    for value in ["{{ y }}", "{{ raw(y) }}", "{{", "}}", "{{ \"{{\" }}"] {
        sandbox.deploy(["--set", &format!("x={value}"), "a"]).succeeds().prints(value);
        sandbox.deploy(["--set", &format!("y={value}"), "--set", "x=1", "a"]).succeeds().prints("1");
    }
}

#[test]
fn what_no_program_can_be_given_is_refused_before_anything_runs() {
    for (x, says) in [
        (r#""a\u0000b""#, "holds a NUL"),
        (r#"'{{ "a\u0000b" }}'"#, "with a NUL"),
        (r#"{ command = ["printf", 'a\0b'] }"#, "prints a NUL"),
        (r#"{ command = ["printf", 'a\377b'] }"#, "not UTF-8"),
    ] {
        let tasks = format!("[vars]\nx = {x}\n[tasks.a]\nrun = ['touch ran', 'printf %s {{{{ x }}}}']\n");
        let sandbox = Sandbox::new().tasks(&tasks);
        sandbox.deploy(["a"]).fails().says(says);
        assert!(!sandbox.has("ran"), "{x} was found too late");
    }
}

/// An environment holds no more than 128 KiB in one variable, on Linux.
#[test]
fn a_very_long_value_comes_out() {
    let sandbox = Sandbox::new().tasks("[vars]\nx = ''\n[tasks.a]\nrun = 'printf %s {{ x }} > out'\n");
    let value = "'$(touch pwned)\" ".repeat(7_500);
    sandbox.deploy(["--set", &format!("x={value}"), "a"]).succeeds();
    assert!(sandbox.read("out") == value);
    nothing_was_run(&sandbox, "a very long one");
}
