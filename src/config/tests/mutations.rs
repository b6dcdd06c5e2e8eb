//! The files of the examples, damaged in every way that a slip of the hand or of a program may damage them.

use proptest::prelude::*;
use toml::de::DeTable;

use super::read;

const FILES: [&str; 3] = [
    include_str!("../../../tasks.toml"),
    include_str!("../../../examples/quickstart/tasks.toml"),
    include_str!("../../../examples/django/tasks.toml"),
];

/// Values of every type, and text that is almost right.
const VALUES: [&str; 16] = [
    "true",
    "-1",
    "1e999",
    "0x7fffffffffffffffffff",
    "nan",
    "1979-05-27",
    "[]",
    "[[]]",
    "{}",
    "{ a = {} }",
    "''",
    "'{{ '",
    "\"{{ x }}\"",
    "\"\\u0000\"",
    "'é'",
    "[1, 'a', {}]",
];

/// Texts that mean something somewhere, to put anywhere.
const TOKENS: [&str; 20] = [
    "{{",
    "}}",
    "{{ x }}",
    "'",
    "\"",
    "'''",
    "\"\"\"",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    ".",
    "#",
    "\n",
    "\r",
    "\u{feff}",
    "\u{301}é",
];

/// Reads what became of a file: what the parser of TOML refuses, we refuse.
fn read_damaged(text: &str) {
    let is_toml = DeTable::parse(text).is_ok();
    let accepted = read(text).is_ok();
    assert!(is_toml || !accepted, "it is not TOML, and was accepted:\n{text}");
}

#[test]
fn a_file_without_one_of_its_lines() {
    for file in FILES {
        read(file).expect("an example is good");
        let lines: Vec<&str> = file.split_inclusive('\n').collect();
        for index in 0..lines.len() {
            let (before, after) = (lines[..index].concat(), lines[index + 1..].concat());
            read_damaged(&format!("{before}{after}"));
            read_damaged(&format!("{before}{0}{0}{after}", lines[index]));
            read_damaged(&before);
            if let Some(next) = lines.get(index + 1) {
                read_damaged(&format!("{before}{next}{}{}", lines[index], lines[index + 2..].concat()));
            }
        }
    }
}

#[test]
fn a_file_with_a_value_of_another_type() {
    for file in FILES {
        let lines: Vec<&str> = file.split_inclusive('\n').collect();
        for (index, line) in lines.iter().enumerate() {
            let Some((key, _)) = line.split_once('=') else { continue };
            for value in VALUES {
                let (before, after) = (lines[..index].concat(), lines[index + 1..].concat());
                read_damaged(&format!("{before}{key}= {value}\n{after}"));
            }
        }
    }
}

#[test]
fn a_file_of_another_system() {
    for file in FILES {
        read(&file.replace('\n', "\r\n")).expect("lines may end as on Windows");
        read(&format!("\u{feff}{file}")).expect("a byte order mark is no text");
        read_damaged(&file.replace('\n', "\r"));
        read_damaged(&file.replace('\n', "\u{2028}"));
    }
}

/// One damage: at which thousandth of the file, how much of it goes, and what comes.
fn damage() -> impl Strategy<Value = (usize, usize, String)> {
    let comes = prop_oneof![
        prop::sample::select(&TOKENS[..]).prop_map(str::to_owned),
        prop::sample::select(&VALUES[..]).prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
        Just(String::new()),
    ];
    (0..1000_usize, 0..20_usize, comes)
}

fn damaged(file: &str, damages: Vec<(usize, usize, String)>) -> String {
    let mut chars: Vec<char> = file.chars().collect();
    for (at, goes, comes) in damages {
        let start = at * chars.len() / 1000;
        let end = (start + goes).min(chars.len());
        chars.splice(start..end, comes.chars());
    }
    chars.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_file_that_is_damaged_anywhere(
        file in prop::sample::select(&FILES[..]),
        damages in prop::collection::vec(damage(), 1..6),
    ) {
        read_damaged(&damaged(file, damages));
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read_damaged(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_tokens(tokens in prop::collection::vec(prop::sample::select(&TOKENS[..]), 0..40)) {
        read_damaged(&format!("[tasks.a]\nrun = {}", tokens.concat()));
        read_damaged(&tokens.concat());
    }
}
