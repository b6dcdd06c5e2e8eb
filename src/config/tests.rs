//! Any text at all is read or refused, with places that lie inside it, and never with a panic.

mod mutations;
mod suite;

use super::parse;
use crate::diagnostic::{Diagnostics, Source};

/// Reads `text`; what is wrong has a place on whole characters inside of it, and can be shown.
#[track_caller]
fn read(text: &str) -> Result<(), Diagnostics> {
    let source = Source::new("tasks.toml", text);
    let Err(problems) = parse(&source) else { return Ok(()) };
    for problem in problems.iter() {
        assert!(!problem.message.is_empty() && !problem.labels.is_empty(), "{problem:?} has no place");
        for (span, _) in &problem.labels {
            let place = span.start as usize..span.end as usize;
            assert!(text.get(place).is_some(), "{problem:?} is outside of\n{text}");
        }
    }
    let shown = problems.clone().render(&[source]);
    assert!(shown.contains("error") && shown.contains("tasks.toml:"), "{shown}");
    Err(problems)
}

#[test]
fn depth_costs_no_stack() {
    let deep = 100_000;
    for (open, end) in [("[", ""), ("[", "]"), ("{a=", ""), ("{ a = [", "]}")] {
        read(&format!("x = {}1{}", open.repeat(deep), end.repeat(deep))).expect_err("too deep");
    }
    let path = vec!["a"; deep].join(".");
    for text in
        [format!("{path} = 1"), format!("[{path}]"), format!("[[{path}]]"), format!("x = {{{path}=1}}")]
    {
        read(&text).expect_err("too deep");
    }
}

/// Thousands of the same slip cost one look at each, and not one look at the whole file for each.
#[test]
fn a_file_where_all_is_wrong_is_told_in_good_time() {
    let count = 5_000;
    let each = |line: &str| line.repeat(count);
    let numbered = |line: &str| (0..count).map(|n| line.replace('N', &n.to_string())).collect::<String>();
    for text in [
        numbered("[tasks.tN]\nrnu = 'true'\n"),
        numbered("[tasks.tN]\nneeds = ['uN']\n"),
        format!("[tasks.a]\nneeds = [{}]\n", each("1,")),
        format!("[tasks.a]\nrun = \"{}\"\n", each("'{{ x }}' ")),
        format!("[tasks.a]\nrun = \"'{}'\"\n", each("{{ x }} ")),
        format!("[tasks.a]\nrun = \"{}\"\n", each("{{ a ")),
        format!("[tasks.a]\nrun = \"{}\"\n", each("`{{ x }}")),
        each("=\n"),
    ] {
        let shown =
            read(&text).expect_err("all is wrong").render(&[Source::new("tasks.toml", text.as_str())]);
        assert!(shown.matches("error").count() < 200, "nobody reads so much");
    }
    for braces in ["{{.", "{{range .x}} ", "{{- if "] {
        read(&format!("[tasks.a]\nrun = \"{}\"\n", each(braces))).expect("they are Go's");
    }
}

#[test]
fn a_nul_is_refused_wherever_text_goes_to_a_program() {
    for line in [
        "[tasks.a]\nrun = \"a\\u0000b\"",
        "[tasks.a]\nsteps = [{ exec = [\"true\", \"a\\u0000b\"] }]",
        "[tasks.a]\nrun = 'true'\nenv = { X = \"a\\u0000b\" }",
        "[tasks.a]\nrun = 'true'\ndir = \"a\\u0000b\"",
        "[vars]\nx = \"a\\u0000b\"",
        "[vars]\nx = [\"a\", \"a\\u0000b\"]",
        "[vars]\nx = { command = [\"echo\", \"a\\u0000b\"] }",
    ] {
        let problems = read(line).expect_err(line);
        assert!(problems.to_string().contains("holds a NUL"), "{line}: {problems}");
    }
}
