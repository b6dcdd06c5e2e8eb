//! The documents are held to the truth: every tasks.toml that they show is one, every example is accepted, and
//! every link between files leads somewhere. A block that is TOML but no tasks.toml is fenced as `text`; one whose first
//! line is `# backend/tasks.toml` is the file that others of its document include.

#![expect(
    clippy::disallowed_methods,
    reason = "it reads the documents and runs the program that they describe"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Folders that hold no document of ours.
const NOT_OURS: [&str; 6] = ["target", ".git", ".deploy", "venv", "server", "node_modules"];

#[test]
fn every_tasks_file_in_the_documents_is_accepted() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut problems = Vec::new();
    for document in documents() {
        let blocks = blocks(&read(&document), "toml");
        // Those that are included are there before those that include them.
        for block in &blocks {
            write(&folder.path().join(block.path()), &block.text);
        }
        for block in blocks {
            write(&folder.path().join(block.path()), &block.text);
            let output = deploy(folder.path(), &[":check", "-f", block.path()]);
            if !output.status.success() {
                problems.push(format!("{}:{}\n{}", document.display(), block.line, told(&output)));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_example_is_accepted_and_listed() {
    let examples =
        found(&package().join("examples"), |path| path.file_name().is_some_and(|name| name == "tasks.toml"));
    for example in &examples {
        for command in [":check", ":list"] {
            let output = deploy(example.parent().expect("a file is in a folder"), &[command]);
            assert!(output.status.success(), "{}: {command}\n{}", example.display(), told(&output));
        }
    }
}

#[test]
fn our_own_tasks_file_is_accepted() {
    if package().join("tasks.toml").exists() {
        let output = deploy(package(), &[":check"]);
        assert!(output.status.success(), "{}", told(&output));
    }
}

#[test]
fn every_link_between_files_leads_somewhere() {
    let mut broken = Vec::new();
    for document in documents() {
        let folder = document.parent().expect("a file is in a folder");
        for (line, link) in links(&read(&document)) {
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let to = if path.is_empty() { document.clone() } else { folder.join(path) };
            let leads = to.exists()
                && (anchor.is_empty() || to.is_dir() || anchors(&read(&to)).contains(&anchor.to_owned()));
            if !leads {
                broken.push(format!("{}:{line}: {link}", document.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// A fenced block of a document.
struct Block {
    /// Where its fence stands, counted from 1.
    line: usize,
    text: String,
}

impl Block {
    /// The file that it is, if its first line is a comment that names one; else the project's tasks.toml.
    fn path(&self) -> &str {
        let first = self.text.lines().next().and_then(|line| line.strip_prefix("# "));
        first
            .filter(|path| {
                Path::new(path).extension().is_some_and(|suffix| suffix == "toml") && !path.contains(' ')
            })
            .unwrap_or("tasks.toml")
    }
}

/// The blocks that are fenced with this word.
fn blocks(document: &str, word: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, bool, Block)> = None;
    for (index, line) in document.lines().enumerate() {
        let fence = line.trim_start();
        let ticks: String = fence.chars().take_while(|c| *c == '`').collect();
        match &mut open {
            Some((fenced_by, wanted, block)) if fence.trim_end() == fenced_by => {
                let block = Block { line: block.line, text: std::mem::take(&mut block.text) };
                if *wanted {
                    blocks.push(block);
                }
                open = None;
            }
            Some((_, _, block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            None if ticks.len() >= 3 => {
                let wanted = fence[ticks.len()..].trim() == word;
                open = Some((ticks, wanted, Block { line: index + 1, text: String::new() }));
            }
            None => {}
        }
    }
    blocks
}

/// The places within the project that a document links to, each with its line.
fn links(document: &str) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    let mut fenced = false;
    for (index, line) in document.lines().enumerate() {
        fenced ^= line.trim_start().starts_with("```");
        if fenced {
            continue;
        }
        for (at, opening) in line.match_indices("](") {
            let to: String =
                line[at + opening.len()..].chars().take_while(|c| !")\" ".contains(*c)).collect();
            let elsewhere = to.contains("://") || to.starts_with("mailto:");
            if !elsewhere && !to.is_empty() {
                links.push((index + 1, to));
            }
        }
    }
    links
}

/// The anchors of a document's headings, as the forges make them.
fn anchors(document: &str) -> Vec<String> {
    let headings = document.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let words = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        words.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
    };
    headings.map(anchor).collect()
}

fn documents() -> Vec<PathBuf> {
    let documents = found(package(), |path| path.extension().is_some_and(|suffix| suffix == "md"));
    assert!(!documents.is_empty(), "no document was found");
    documents
}

fn found(folder: &Path, wanted: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        for path in fs::read_dir(&at).into_iter().flatten().map(|entry| entry.expect("an entry").path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && !NOT_OURS.contains(&name.as_str()) {
                open.push(path);
            } else if wanted(&path) {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder in a new folder");
    fs::write(path, text).expect("a file in a new folder");
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn deploy(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deploy"));
    command.args(arguments).current_dir(folder).env("NO_COLOR", "1").output().expect("deploy starts")
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn blocks_links_and_anchors_are_found() {
    let document = "# A title: 1\n```toml\na = 1\n```\n````text\n```toml\nno = 1\n```\n````\n[x](y.md#z) [w](https://x)\n  ```toml\nb = 2\n  ```\n";
    let found: Vec<(usize, String)> =
        blocks(document, "toml").into_iter().map(|block| (block.line, block.text)).collect();
    assert_eq!(found, [(2, "a = 1\n".to_owned()), (11, "b = 2\n".to_owned())]);
    assert_eq!(links(document), [(10, "y.md#z".to_owned())]);
    assert_eq!(anchors(document), ["a-title-1"]);
}
