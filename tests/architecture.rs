//! The rules of ARCHITECTURE.md that a compiler doesn't hold: who may import whom, what each layer must not touch,
//! how a file begins and how long it may grow.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What each layer may import; `lib.rs` only names them.
/// `perform` stands above `engine` because it implements the engine's `World`; nothing but `cli` knows it.
const MAY_IMPORT: [(&str, &[&str]); 18] = [
    ("diagnostic", &[]),
    ("model", &["diagnostic"]),
    ("config", &["diagnostic", "model"]),
    ("plan", &["diagnostic", "model"]),
    ("process", &["diagnostic", "model"]),
    ("state", &["diagnostic", "model", "process"]),
    ("exchange", &["diagnostic", "model", "process"]),
    ("ssh", &["model", "process"]),
    ("release", &["diagnostic", "model", "plan", "process", "state"]),
    ("target", &["diagnostic", "model", "plan", "process", "state", "exchange", "release"]),
    ("store", &["diagnostic", "model", "plan", "process", "state"]),
    ("backup", &["model", "process", "store"]),
    ("report", &["diagnostic", "model", "plan", "release", "facts", "fresh"]),
    ("facts", &["diagnostic", "model", "plan", "process", "state", "release", "target"]),
    ("fresh", &["diagnostic", "model", "plan", "state", "facts"]),
    ("engine", &["diagnostic", "model", "plan", "process", "state"]),
    (
        "perform",
        &[
            "diagnostic",
            "model",
            "plan",
            "process",
            "state",
            "exchange",
            "release",
            "target",
            "store",
            "backup",
            "ssh",
            "facts",
            "fresh",
            "engine",
        ],
    ),
    (
        "cli",
        &[
            "diagnostic",
            "model",
            "config",
            "plan",
            "process",
            "state",
            "release",
            "target",
            "store",
            "backup",
            "ssh",
            "report",
            "facts",
            "fresh",
            "engine",
            "perform",
        ],
    ),
];

/// Words that only some places may say, and what to do elsewhere. A place is a layer, or a file without its suffix.
const RESERVED: [(&str, &[&str], &str); 18] = [
    ("opendal::", &["store"], "objects are kept by store"),
    ("tokio::", &["store"], "no runtime but that of opendal, in store"),
    ("notify::", &["fresh/events"], "changes are told by fresh::events"),
    ("duct::", &["process"], "start processes with process::run"),
    ("cfg(unix)", &["process"], "what differs between systems stays in process"),
    ("std::process::Command", &["process"], "start processes with process::run"),
    ("println!", &["report", "cli"], "say it with an Event"),
    ("print!", &["report", "cli"], "say it with an Event"),
    ("io::stdout()", &["report", "cli"], "say it with an Event"),
    ("io::stderr()", &["report", "cli"], "say it with an Event"),
    ("anstream::", &["report", "cli", "target/git/words"], "say it with an Event"),
    ("annotate_snippets", &["diagnostic"], "collect Diagnostics"),
    ("env::var", &["facts", "cli/environment"], "the environment is a Fact"),
    ("SystemTime::now", &["facts"], "the clock is a Fact"),
    ("Timestamp::now", &["facts"], "the clock is a Fact"),
    ("thread::sleep", &[], "wait with Stop::sleep, which can be stopped"),
    ("set_current_dir", &[], "each child gets its own folder"),
    ("unsafe ", &[], "there is a safe way, or rustix has one"),
];

/// Nothing may do I/O, start threads, or read a clock here.
const PURE: [&str; 4] = ["diagnostic", "model", "config", "plan"];

const IMPURE: [&str; 7] =
    ["std::fs", "std::io::", "std::net", "std::process", "std::thread", "Instant::now", "rustix::"];

/// Where a file is too long to be read in one go.
const LONGEST_FILE: usize = 500;

/// A file says what it is for in a few lines, or it is for too much.
const LONGEST_OPENING: usize = 6;

#[test]
fn layers_import_only_what_lies_below_them() {
    let mut problems = Vec::new();
    for file in sources().iter().filter(|file| !file.is_test()) {
        let Some((layer, may)) = MAY_IMPORT.iter().find(|(layer, _)| *layer == file.layer()) else {
            assert!(
                ["lib", "main"].contains(&file.layer()),
                "{}: a layer that the table doesn't have",
                file.path
            );
            continue;
        };
        let is_layer = |name: &String| MAY_IMPORT.iter().any(|(layer, _)| layer == name);
        for imported in file.imports().iter().filter(|name| is_layer(name)) {
            if imported != layer && !may.contains(&imported.as_str()) {
                problems.push(format!("{}: `{layer}` must not know `{imported}`", file.path));
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn what_is_reserved_stays_where_it_belongs() {
    let mut problems = Vec::new();
    for file in sources().iter().filter(|file| !file.is_test()) {
        for (number, line) in file.code() {
            for (word, places, instead) in RESERVED {
                if mentions(line, word) && !places.iter().any(|place| file.is_in(place)) {
                    problems
                        .push(format!("{}:{number}: `{word}` does not belong here: {instead}", file.path));
                }
            }
            for word in IMPURE {
                if PURE.contains(&file.layer()) && mentions(line, word) {
                    problems.push(format!("{}:{number}: `{word}` in a layer that is pure", file.path));
                }
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn lints_are_expected_with_a_reason_and_never_allowed() {
    let mut problems = Vec::new();
    for file in everything() {
        for (number, line) in file.code() {
            // Written in two pieces, or this line would be found.
            if line.contains(concat!("#[", "allow(")) || line.contains(concat!("#![", "allow(")) {
                problems.push(format!(
                    "{}:{number}: write #[expect(…, reason = \"…\")]: it tells when it is outlived",
                    file.path
                ));
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn every_file_says_what_it_is_for() {
    let mut problems = Vec::new();
    for file in everything() {
        let lines = file.text.lines().take_while(|line| line.starts_with("//!")).count();
        if lines == 0 {
            problems.push(format!("{}: opens without `//!`", file.path));
        }
        // The crate's own page may be longer: it is the map of the code.
        if lines > LONGEST_OPENING && file.path != "src/lib.rs" {
            problems.push(format!("{}: {lines} lines to say what it is for", file.path));
        }
    }
    assert_none(&problems);
}

#[test]
fn no_file_is_too_long_to_read() {
    let long = sources().into_iter().filter(|file| file.text.lines().count() > LONGEST_FILE);
    let problems: Vec<String> =
        long.map(|file| format!("{}: over {LONGEST_FILE} lines", file.path)).collect();
    assert_none(&problems);
}

#[test]
fn names_say_what_is_inside() {
    const SAY_NOTHING: [&str; 5] = ["util", "utils", "helpers", "common", "manager"];
    let says_nothing = |file: &File| file.path.split(['/', '.']).any(|part| SAY_NOTHING.contains(&part));
    let problems: Vec<String> = sources().into_iter().filter(says_nothing).map(|file| file.path).collect();
    assert_none(&problems);
}

#[test]
fn tests_wait_for_conditions_and_are_all_run() {
    let mut problems = Vec::new();
    for file in everything().iter().filter(|file| file.is_test()) {
        for (number, line) in file.code() {
            if line.contains(concat!("thread::", "sleep(")) || line.contains(concat!("#[", "ignore")) {
                problems.push(format!("{}:{number}: a test that sleeps, or is not run", file.path));
            }
        }
    }
    assert_none(&problems);
}

#[track_caller]
fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

/// A Rust file of this package.
struct File {
    /// From the package's folder, with `/`.
    path: String,
    text: String,
}

impl File {
    /// `model` of `src/model/name.rs`, `facts` of `src/facts.rs`.
    fn layer(&self) -> &str {
        self.module().split('/').next().unwrap_or_default()
    }

    /// Whether this file is, or is in, `src/PLACE`.
    fn is_in(&self, place: &str) -> bool {
        self.module() == place || self.module().starts_with(&format!("{place}/"))
    }

    /// The path under `src`, without its suffix.
    fn module(&self) -> &str {
        self.path.trim_start_matches("src/").trim_end_matches(".rs")
    }

    /// Unit tests beside the code, and all under `tests`.
    fn is_test(&self) -> bool {
        self.module().split('/').any(|part| part == "tests")
    }

    /// The lines that are code outside of a test at the file's end, with their numbers.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let ends = self.text.find("#[cfg(test)]\nmod tests {").unwrap_or(self.text.len());
        let lines = self.text[..ends].lines().enumerate().map(|(index, line)| (index + 1, line));
        lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// The layers that are named by `crate::LAYER`, by `use crate::{LAYER…}`, or by going up to the root with `super`.
    fn imports(&self) -> BTreeSet<String> {
        let code: String = self.code().flat_map(|(_, line)| [line, "\n"]).collect();
        let depth = self.module().trim_end_matches("/mod").split('/').count();
        let mut roots = vec!["crate::".to_owned()];
        roots.push("super::".repeat(depth));
        let after = roots.iter().flat_map(|root| starts(&code, root));
        after.flat_map(|at| first_names(&code[at..])).collect()
    }
}

/// Where `root` ends in `code`, wherever it begins a path.
fn starts<'a>(code: &'a str, root: &'a str) -> impl Iterator<Item = usize> + 'a {
    let begins = |at: usize| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
    code.match_indices(root).filter(move |(at, _)| begins(*at)).map(move |(at, _)| at + root.len())
}

/// The first name of a path, or of each path of a group in braces.
fn first_names(path: &str) -> Vec<String> {
    let name = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(group) = path.strip_prefix('{') else { return vec![name(path)] };
    let mut names = Vec::new();
    let (mut depth, mut begin) = (0, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                names.push(name(group[begin..at].trim_start()));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(name(group[begin..at].trim_start()));
                begin = at + 1;
            }
            _ => {}
        }
    }
    names
}

/// Whether the line has this word, not as the end of a longer one: `print!` is not in `eprint!`… which is meant as well.
fn mentions(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].trim_end_matches('e');
        !before.ends_with(|c: char| c.is_alphanumeric() || c == '_')
    })
}

fn sources() -> Vec<File> {
    files_under("src")
}

/// All Rust of the package: the program, its tests and its measurements.
fn everything() -> Vec<File> {
    ["src", "tests", "benches"].into_iter().flat_map(files_under).collect()
}

fn files_under(folder: &str) -> Vec<File> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    let mut open = vec![package.join(folder)];
    while let Some(at) = open.pop() {
        let entries = fs::read_dir(&at).unwrap_or_else(|error| panic!("{}: {error}", at.display()));
        for path in entries.map(|entry| entry.expect("an entry").path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|suffix| suffix == "rs") {
                files.push(File {
                    path: relative(package, &path),
                    text: fs::read_to_string(&path).expect("Rust is text"),
                });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn relative(package: &Path, path: &Path) -> String {
    let path: PathBuf = path.strip_prefix(package).expect("a file of the package").to_owned();
    path.to_string_lossy().replace('\\', "/")
}

#[test]
fn the_reader_of_imports_reads_them_all() {
    let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
    let imports = |path: &str, text: &str| file(path, text).imports().into_iter().collect::<Vec<_>>();
    let text = "use crate::model::{name, step::Step};\nuse crate::{plan, state::{a, b},\n    facts};\nfn f(x: &crate::engine::Act) {}\n// crate::cli\n";
    assert_eq!(imports("src/config/task.rs", text), ["engine", "facts", "model", "plan", "state"]);
    assert_eq!(imports("src/config/task.rs", "use super::super::cli;\nuse super::value;"), ["cli"]);
    assert_eq!(imports("src/config/mod.rs", "use super::cli;"), ["cli"]);
    assert_eq!(imports("src/facts.rs", "use super::cli;"), ["cli"]);
    assert_eq!(imports("src/a/b.rs", "use xcrate::model;\nmod tests {}\n"), [""; 0]);
    assert!(mentions("    eprintln!()", "println!") && !mentions("my_println!()", "println!"));
}
