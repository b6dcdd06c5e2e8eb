//! The JSON Schema: it is held to what the program reads, key by key, and Python's jsonschema judges documents by it.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use toml::de::{DeTable, DeValue};

use crate::support::Sandbox;

/// Each table of the schema: a file with the key `zzzzzz` in it, and keys that only its siblings have.
const TABLES: [(&str, &str, &[&str]); 39] = [
    ("backup", "[stores.s]\nurl = 'b'\n[backups.a]\nstore = 's'\ndump = 'x'\nzzzzzz = 1", &[]),
    ("bucket", "[stores.s]\nurl = 'b'\n[backups.a]\nstore = 's'\nbucket = { store = 's', zzzzzz = 1 }", &[]),
    (
        "keep",
        "[stores.s]\nurl = 'b'\n[backups.a]\nstore = 's'\ndump = 'x'\nkeep = { last = 1, zzzzzz = 1 }",
        &[],
    ),
    (
        "scratch",
        "[stores.s]\nurl = 'b'\n[backups.a]\nstore = 's'\ndump = 'x'\nrestore = 'y $D'\nverify = 'restore'\n\
         scratch = { create = 'x', as = 'D', zzzzzz = 1 }",
        &[],
    ),
    (
        "put",
        "[hosts.h]\nssh = 'h'\n[tasks.a]\nsteps = [{ on = 'h', put = { from = 'x', to = 'y', zzzzzz = 1 } }]",
        &[],
    ),
    (
        "get",
        "[hosts.h]\nssh = 'h'\n[tasks.a]\nsteps = [{ on = 'h', get = { from = 'x', to = 'y', zzzzzz = 1 } }]",
        &["mode"],
    ),
    ("host", "[hosts.a]\nssh = 'x'\nzzzzzz = 1", &[]),
    ("file", "zzzzzz = 1", &[]),
    ("include", "include = [{ path = 'x', zzzzzz = 1 }]", &[]),
    ("project", "[project]\nzzzzzz = 1", &[]),
    ("settings", "[settings]\nzzzzzz = 1", &[]),
    ("output of a command", "[vars]\na = { command = ['x'], zzzzzz = 1 }", &[]),
    ("ledger", "[ledger]\nzzzzzz = 1", &[]),
    ("dotenv file", "[settings]\ndotenv = { path = 'x', zzzzzz = 1 }", &[]),
    ("secret", "[secrets]\na = { env = 'x', zzzzzz = 1 }", &[]),
    ("environment", "[environments.a]\nzzzzzz = 1", &[]),
    (
        "git target",
        "[environments.a]\ntarget = { git = 'x', zzzzzz = 1 }",
        &["server", "command", "render", "digitalocean", "divio", "zappa", "pythonanywhere"],
    ),
    (
        "server target",
        "[environments.a]\ntarget = { server = 'local', path = '/x', zzzzzz = 1 }",
        &["git", "command", "render", "digitalocean", "divio", "zappa", "pythonanywhere"],
    ),
    (
        "command target",
        "[environments.a]\ntarget = { command = ['x'], zzzzzz = 1 }",
        &["git", "server", "render", "digitalocean", "divio", "zappa", "pythonanywhere"],
    ),
    (
        "render target",
        "[environments.a]\ntarget = { render = 'x', token = 'T', zzzzzz = 1 }",
        &["git", "server", "command", "digitalocean", "divio", "zappa", "pythonanywhere"],
    ),
    (
        "digitalocean target",
        "[environments.a]\ntarget = { digitalocean = 'x', token = 'T', push = { remote = 'o', branch = 'b' }, zzzzzz = 1 }",
        &["git", "server", "command", "render", "divio", "zappa", "pythonanywhere"],
    ),
    (
        "divio target",
        "[environments.a]\ntarget = { divio = 'x', token = 'T', push = { remote = 'o', branch = 'b' }, zzzzzz = 1 }",
        &["git", "server", "command", "render", "digitalocean", "zappa", "pythonanywhere"],
    ),
    (
        "zappa target",
        "[environments.a]\ntarget = { zappa = 'x', zzzzzz = 1 }",
        &["git", "server", "command", "render", "digitalocean", "divio", "pythonanywhere"],
    ),
    (
        "pythonanywhere target",
        "[environments.a]\ntarget = { pythonanywhere = 'x', token = 'T', ssh = 'a@b', path = 'p', zzzzzz = 1 }",
        &["git", "server", "command", "render", "digitalocean", "divio", "zappa"],
    ),
    (
        "pushed branch",
        "[environments.a]\ntarget = { render = 'x', token = 'T', push = { remote = 'o', branch = 'b', zzzzzz = 1 } }",
        &[],
    ),
    ("swapped file", "[environments.a]\nswap = { a = { text = 'x', zzzzzz = 1 } }", &[]),
    ("health", "[environments.a]\nhealth = { url = 'http://x', zzzzzz = 1 }", &[]),
    ("check", "[tasks.a]\nsteps = [{ check = { url = 'http://x', zzzzzz = 1 } }]", &[]),
    ("protect", "[environments.a]\nprotect = { zzzzzz = 1 }", &[]),
    ("freeze", "[environments.a]\nprotect = { freeze = [{ zzzzzz = 1 }] }", &[]),
    ("task", "[tasks.a]\nrun = 'x'\nzzzzzz = 1", &[]),
    ("store", "[stores.a]\nurl = 'x'\nzzzzzz = 1", &[]),
    ("files", "[tasks.a]\nrun = 'x'\ninputs = { files = ['x'], zzzzzz = 1 }", &[]),
    ("parameter", "[tasks.a]\nrun = 'x'\nparams.b = { zzzzzz = 1 }", &[]),
    ("need", "[tasks.a]\nneeds = [{ task = 'a', zzzzzz = 1 }]", &[]),
    ("requirement", "[tasks.a]\nrun = 'x'\nrequire = [{ run = 'x', zzzzzz = 1 }]", &[]),
    ("step", "[tasks.a]\nsteps = [{ run = 'x', zzzzzz = 1 }]", &[]),
    ("retry", "[tasks.a]\nrun = 'x'\nretry = { zzzzzz = 1 }", &[]),
    ("http", "[tasks.a]\nsteps = [{ http = { url = 'http://x', zzzzzz = 1 } }]", &[]),
];

/// What neither the program nor the schema takes.
const WRONG: [&str; 21] = [
    "tasks = 3",
    "[tasks.a]\nrun = 3",
    "[tasks.a]\nrun = 'x'\ntimeout = 3",
    "[tasks.a]\nrun = 'x'\nprivate = 'yes'",
    "[tasks.a]\nneed = ['b']\nrun = 'x'",
    "[tasks.a]\nsteps = [{ run = 'x', exec = ['y'] }]",
    "[tasks.a]\nsteps = [{ name = 'x' }]",
    "[tasks.a]\nsteps = [{ ship = false }]",
    "[tasks.a]\nsteps = [{ run = 'x', undo = { run = 'x', exec = ['y'] } }]",
    "[tasks.a]\nrun = 'x'\nretry = 0",
    "[tasks.a]\nrun = 'x'\nparams.b = { type = 'number' }",
    "[settings]\noutput = 'loud'",
    "[settings]\njobs = 5000",
    "[environments.a]\ntarget = { git = 'x', keep = 3 }",
    "[environments.a]\ntarget = { server = 'local' }",
    "[environments.a]\nprotect = { confirm = 'maybe' }",
    "[environments.a]\nhealth = { url = 'http://x', on_failure = 'panic' }",
    "[tasks.a]\nsteps = [{ check = { url = 'http://x', on_failure = 'keep' } }]",
    "[environments.a]\nprotect = { freeze = [{ days = ['friday'] }] }",
    "[secrets]\na = { env = 'A', file = 'b' }",
    "[vars]\na = { command = 'x' }",
];

#[test]
fn is_the_one_that_is_committed() {
    let printed = Sandbox::new().deploy(["schema"]);
    let committed =
        fs::read_to_string(root().join("docs/tasks.schema.json")).expect("docs/tasks.schema.json");
    assert!(
        printed.succeeds().stdout == committed,
        "write it anew: target/debug/deploy schema > docs/tasks.schema.json"
    );
}

#[test]
fn has_the_keys_that_the_program_takes() {
    let sandbox = Sandbox::new();
    let schema = schema(&sandbox);
    let definitions = schema["definitions"].as_object().expect("a table").keys().map(String::as_str);
    let named: BTreeSet<&str> = definitions.chain(["file"]).collect();
    assert_eq!(named, TABLES.map(|(name, ..)| name).into(), "every table is tried here");
    for (name, file, others) in TABLES {
        sandbox.write("tasks.toml", file);
        let told = sandbox.deploy(["check"]);
        let list = told.fails_with(2).stderr.lines().find(|line| line.contains(" has `"));
        let list = list.unwrap_or_else(|| panic!("{name}: no list of keys\n{told}"));
        let (_, keys) = list.split_once(" has `").expect("it was looked for");
        let mut taken: BTreeSet<&str> = keys.trim_end().trim_end_matches('`').split("`, `").collect();
        taken.retain(|key| !others.contains(key));
        let table = if name == "file" { &schema } else { &schema["definitions"][name] };
        let known = table["properties"].as_object().expect("properties").keys().map(String::as_str).collect();
        assert_eq!(taken, known, "{name}: what the program takes, and the schema");
    }
}

#[test]
fn takes_what_the_program_takes() {
    let mut documents = Vec::new();
    for file in files(root()) {
        let text = fs::read_to_string(&file).expect("a file that was found");
        let shown = file.display().to_string();
        if file.extension().is_some_and(|suffix| suffix == "md") {
            let blocks = text.split("\n```toml\n").skip(1).filter_map(|rest| rest.split("\n```").next());
            documents.extend(
                blocks.enumerate().map(|(at, block)| (format!("{shown}, block {at}"), block.to_owned())),
            );
        } else {
            documents.push((shown, text));
        }
    }
    assert!(documents.len() > 20, "too few were found");
    for (document, fault) in judged(&documents) {
        assert_eq!(fault, Value::Null, "{document}");
    }
}

#[test]
fn refuses_what_is_wrong() {
    let documents = WRONG.map(|text| (text.to_owned(), text.to_owned()));
    for (document, fault) in judged(&documents) {
        let sandbox = Sandbox::new().tasks(&document);
        sandbox.deploy(["check"]).fails_with(2);
        assert_ne!(fault, Value::Null, "{document}");
    }
}

#[test]
fn has_no_key_that_the_reference_leaves_out() {
    let reference = fs::read_to_string(root().join("docs/reference.md")).expect("the reference");
    let schema = schema(&Sandbox::new());
    let tables = schema["definitions"].as_object().expect("a table").values().chain([&schema]);
    let missing: BTreeSet<&String> = tables
        .flat_map(|table| table["properties"].as_object().expect("properties").keys())
        .filter(|key| {
            let names = [format!("`{key}`"), format!("`{{ {key} = "), format!("\n### {key}\n")];
            !names.iter().any(|name| reference.contains(name))
        })
        .collect();
    assert!(missing.is_empty(), "docs/reference.md does not name {missing:?}");
}

fn schema(sandbox: &Sandbox) -> Value {
    serde_json::from_str(&sandbox.deploy(["schema"]).succeeds().stdout).expect("JSON")
}

/// What jsonschema finds in each, null where that is nothing.
fn judged(documents: &[(String, String)]) -> Vec<(String, Value)> {
    const JUDGE: &str = "
import json, sys
try:
    import jsonschema
except ImportError:
    sys.exit('jsonschema is missing: apt-get install python3-jsonschema, or tests/run, which does it')
schema, documents = json.load(sys.stdin)
jsonschema.Draft7Validator.check_schema(schema)
judge = jsonschema.Draft7Validator(schema)
faults = [next(judge.iter_errors(document), None) for document in documents]
print(json.dumps([fault and '%s: %s' % (list(fault.absolute_path), fault.message) for fault in faults]))
";
    let values: Vec<Value> = documents.iter().map(|(name, text)| data(name, text)).collect();
    let mut judge = Command::new("python3");
    let judge = judge.args(["-c", JUDGE]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut judge = judge.spawn().expect("python3 starts");
    let asked = json!([schema(&Sandbox::new()), values]).to_string();
    // It may end without reading.
    let _unread = judge.stdin.take().expect("a pipe").write_all(asked.as_bytes());
    let ended = judge.wait_with_output().expect("a child of ours");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let faults: Vec<Value> = serde_json::from_slice(&ended.stdout).expect("JSON");
    documents.iter().map(|(name, _)| name.clone()).zip(faults).collect()
}

fn data(name: &str, text: &str) -> Value {
    let table = DeTable::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    of_table(table.get_ref())
}

fn of_table(table: &DeTable<'_>) -> Value {
    table.iter().map(|(key, value)| (key.get_ref().to_string(), of(value.get_ref()))).collect()
}

fn of(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => json!(text),
        DeValue::Boolean(truth) => json!(truth),
        DeValue::Integer(number) => {
            json!(i64::from_str_radix(number.as_str(), number.radix()).expect("a number"))
        }
        DeValue::Float(number) => json!(number.as_str().parse::<f64>().expect("a number")),
        DeValue::Datetime(date) => json!(date.to_string()),
        DeValue::Array(values) => values.iter().map(|value| of(value.get_ref())).collect(),
        DeValue::Table(table) => of_table(table),
    }
}

/// The documents, and every tasks.toml of ours.
fn files(folder: &Path) -> Vec<PathBuf> {
    const NOT_OURS: [&str; 6] = ["target", ".git", ".deploy", "venv", "server", "node_modules"];
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        for path in fs::read_dir(&at).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && !NOT_OURS.contains(&name.as_str()) {
                open.push(path);
            } else if name == "tasks.toml" || path.extension().is_some_and(|suffix| suffix == "md") {
                files.push(path);
            }
        }
    }
    files
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
