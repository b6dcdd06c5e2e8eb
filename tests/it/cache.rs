//! What was built elsewhere is not built again: `cache`.

use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::{AZURE_ACCOUNT, AZURE_KEY, Answer, Emulator, Sandbox, Server};

const TASKS: &str = r#"
[tasks.build]
inputs  = ["src/**"]
outputs = ["dist/**", "tool"]
cache   = "SANDBOX/cache"
run     = "mkdir -p dist/sub; cat src/* > dist/sub/all; echo '#!/bin/sh' > tool; chmod +x tool; ln -sfn sub dist/link; echo built >> log"

[tasks.use]
needs  = ["build"]
inputs = ["dist"]
run    = "cat dist/sub/all; echo used >> log"
"#;

fn sandbox(tasks: &str) -> Sandbox {
    Sandbox::new().tasks(tasks).file("src/a", "one\n").file("src/b", "two\n")
}

/// Another clone of the project: nothing that was made, nothing that is remembered.
fn elsewhere(sandbox: &Sandbox, name: &str) -> String {
    let folder = format!("../{name}");
    sandbox.shell(&format!("mkdir {folder} && cp -r src tasks.toml {folder}")).succeeds();
    folder
}

fn log(sandbox: &Sandbox, folder: &str) -> String {
    let path = sandbox.root().join(folder).join("log");
    fs::read_to_string(path).unwrap_or_default().replace('\n', " ")
}

#[test]
fn what_is_kept_is_taken_and_not_made() {
    let sandbox = sandbox(TASKS);
    sandbox.deploy(["use"]).succeeds();
    let other = elsewhere(&sandbox, "other");
    let ended = sandbox.deploy_in(&other, ["use"]);
    ended.succeeds().shows("one").mentions("what it makes comes from the cache").mentions("2 succeeded");
    assert_eq!(log(&sandbox, &other), "used ");
    sandbox
        .shell("diff -r dist ../other/dist && test -x ../other/tool && test -L ../other/dist/link")
        .succeeds();
    sandbox.deploy_in(&other, ["use"]).succeeds().says("2 had nothing to do");

    // The way back costs nothing either.
    sandbox.write("src/a", "other\n");
    sandbox.deploy(["build"]).succeeds();
    sandbox.write("src/a", "one\n");
    sandbox.deploy(["build"]).succeeds().mentions("comes from the cache");
    assert_eq!(sandbox.read("dist/sub/all"), "one\ntwo\n");
    assert_eq!(sandbox.read("log"), "built\nused\nbuilt\n");
    sandbox.deploy(["build", "--force"]).succeeds();
    assert_eq!(sandbox.read("log"), "built\nused\nbuilt\nbuilt\n");
}

/// Each takes its files out of sight; none may take the others' away.
#[test]
fn many_are_taken_at_the_same_time() {
    let tasks = "[tasks.t]\neach = { n = ['1', '2', '3', '4', '5', '6', '7', '8', '9'] }\noutputs = ['out/{{ n }}']\n\
                 cache = 'SANDBOX/cache'\nrun = 'mkdir -p out; echo {{ n }} > out/{{ n }}; echo built >> log'\n";
    let sandbox = sandbox(tasks);
    sandbox.deploy(["t", "--jobs", "8"]).succeeds();
    for round in 0..5 {
        let other = elsewhere(&sandbox, &format!("other{round}"));
        sandbox.deploy_in(&other, ["t", "--jobs", "8"]).succeeds().never_mentions("left alone");
        assert_eq!(log(&sandbox, &other), "");
        let left = fs::read_dir(sandbox.path(&format!("other{round}/.deploy"))).unwrap();
        let left =
            left.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("drafts"));
        assert_eq!(left.count(), 0, "nothing is left of the drafts");
    }
}

#[test]
fn what_is_damaged_is_told_and_made_anew() {
    let sandbox = sandbox(TASKS);
    sandbox.deploy(["build"]).succeeds();
    let object = fs::read_dir(sandbox.path("cache")).unwrap().map(|entry| entry.unwrap().path());
    let object = object.into_iter().find(|path| path.is_file()).unwrap();
    let whole = fs::read(&object).unwrap();
    let first = whole.iter().position(|byte| *byte == b'\n').unwrap();
    let foreign = String::from_utf8(whole.clone()).unwrap().replacen("dist/sub/all", "../escaped!!", 1);
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let damaged: [(&str, &[u8]); 6] = [
        ("nothing", b""),
        ("cut in the line", &whole[..first / 2]),
        ("cut in a file", &whole[..whole.len() - 3]),
        ("another byte", &flipped),
        ("a path outside", foreign.as_bytes()),
        ("not ours", b"<html>\n</html>\n"),
    ];
    for (index, (what, bytes)) in damaged.into_iter().enumerate() {
        fs::write(&object, bytes).unwrap();
        let other = elsewhere(&sandbox, &format!("other{index}"));
        let ended = sandbox.deploy_in(&other, ["build"]);
        ended.succeeds().mentions("is no help: what is in it is damaged");
        assert_eq!(log(&sandbox, &other), "built ", "{what}");
        assert_eq!(fs::read(&object).unwrap(), whole, "{what}: it is kept anew");
        assert!(!sandbox.path("escaped!!").exists());
    }
}

#[test]
fn a_store_that_is_broken_breaks_no_run_and_is_asked_once() {
    let tasks = TASKS.replace("SANDBOX/cache", "SANDBOX/file/in/the/way");
    let sandbox = sandbox(&format!(
        "{tasks}\n[tasks.more]\noutputs = ['more']\ncache = 'SANDBOX/file/in/the/way'\nrun = 'touch more'\n"
    ));
    fs::write(sandbox.path("file"), "").unwrap();
    let ended = sandbox.deploy(["build", "more", "--jobs", "1"]);
    ended.succeeds().mentions("is left alone for the rest of this run");
    let told = format!("{}{}", ended.stdout, ended.stderr);
    assert_eq!(told.matches("is left alone").count(), 1, "{ended}");
    sandbox.deploy(["build"]).succeeds().says("nothing to do");
}

#[test]
fn an_object_store_serves_as_well() {
    let s3 = Emulator::s3();
    let tasks = TASKS.replace("SANDBOX/cache", "builds");
    let tasks = format!("[stores.builds]\nurl = 's3://builds/shop'\nendpoint = '{}'\n{tasks}", s3.endpoint());
    let sandbox = sandbox(&tasks).env("AWS_ACCESS_KEY_ID", "testing").env("AWS_SECRET_ACCESS_KEY", "testing");
    sandbox.deploy(["build"]).succeeds().never_mentions("left alone");
    let objects = s3.found();
    assert!(objects.len() == 1 && objects[0].starts_with("shop/"), "{objects:?}");
    let other = elsewhere(&sandbox, "other");
    sandbox.deploy_in(&other, ["build"]).succeeds().mentions("comes from the cache s3://builds/shop");
    assert_eq!(log(&sandbox, &other), "");
    sandbox.shell("diff -r dist ../other/dist").succeeds();
}

/// The credentials are secrets of the project; the tasks themselves see none.
#[test]
fn a_store_is_opened_by_secrets() {
    let s3 =
        ("AWS_SECRET_ACCESS_KEY", [("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "a-secret-key")]);
    let azure =
        ("AZURE_STORAGE_KEY", [("AZURE_STORAGE_ACCOUNT", AZURE_ACCOUNT), ("AZURE_STORAGE_KEY", AZURE_KEY)]);
    for (scheme, emulator, (secret, keys)) in [("s3", Emulator::s3(), s3), ("az", Emulator::azure(), azure)] {
        let tasks = TASKS.replace("SANDBOX/cache", "builds").replace("echo built", "env | sort; echo built");
        let tasks = format!(
            "[secrets]\n{secret} = {{ file = 'key' }}\n\
             [stores.builds]\nurl = '{scheme}://builds/shop'\nendpoint = '{}'\nsecrets = ['{secret}']\n{tasks}",
            emulator.endpoint()
        );
        let sandbox = sandbox(&tasks).env(keys[0].0, keys[0].1).file("key", keys[1].1);
        let ended = sandbox.deploy(["build"]);
        ended.succeeds().never_mentions("left alone").never_mentions(keys[1].1);
        let found = emulator.found();
        assert!(found.len() == 1 && found[0].starts_with("shop/"), "{found:?}");
        let other = elsewhere(&sandbox, "other");
        sandbox.shell("cp key ../other").succeeds();
        let ended = sandbox.deploy_in(&other, ["build"]);
        ended.succeeds().mentions(&format!("comes from the cache {scheme}://builds/shop"));
        assert_eq!(log(&sandbox, &other), "");

        sandbox.write("key", "d3Jvbmc=");
        sandbox.write("src/a", "changed");
        if scheme == "az" {
            // moto lets everybody in.
            sandbox.deploy(["build"]).succeeds().mentions("it refuses these credentials");
        }
        fs::remove_file(sandbox.root().join("key")).unwrap();
        sandbox.deploy(["build", "--force"]).fails().says(secret);
    }
}

/// Nobody is asked: nothing listens at that port, and no cloud says who we are.
#[test]
fn a_store_without_credentials_says_which_it_knows() {
    let keys = ["AWS_ACCESS_KEY_ID", "SPACES_ACCESS_KEY_ID", "AZURE_STORAGE_ACCOUNT"];
    for (scheme, key) in ["s3", "spaces", "az"].into_iter().zip(keys) {
        let tasks = TASKS.replace("SANDBOX/cache", "builds");
        let store = format!("[stores.builds]\nurl = '{scheme}://builds'\nendpoint = 'http://127.0.0.1:1'\n");
        let ended = sandbox(&format!("{store}{tasks}")).deploy(["build"]);
        ended.succeeds().mentions("is left alone").mentions("there are no credentials for it").mentions(key);
    }
    let tasks = TASKS.replace("SANDBOX/cache", "s3://builds");
    sandbox(&tasks).deploy(["build"]).succeeds().mentions("nobody says its region").mentions("AWS_REGION");
}

#[test]
fn ctrl_c_does_not_wait_for_a_store_that_says_nothing() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let tasks = TASKS.replace("SANDBOX/cache", "builds");
    let tasks = format!("[stores.builds]\nurl = 's3://builds'\nendpoint = '{endpoint}'\n{tasks}");
    let sandbox = sandbox(&tasks).env("AWS_ACCESS_KEY_ID", "a").env("AWS_SECRET_ACCESS_KEY", "b");
    let running = sandbox.start(["build"]);
    let (_asked, _) = silent.accept().unwrap();
    let began = Instant::now();
    running.signal(Signal::INT);
    running.wait().fails_with(130);
    assert!(began.elapsed() < Duration::from_secs(10), "it took {:?}", began.elapsed());
    assert_eq!(log(&sandbox, "."), "", "nothing was begun");
}

#[test]
fn google_s_store_serves_as_well() {
    let google = Emulator::google();
    let tasks = TASKS.replace("SANDBOX/cache", "builds");
    let tasks =
        format!("[stores.builds]\nurl = 'gs://builds/shop'\nendpoint = '{}'\n{tasks}", google.endpoint());
    let sandbox = sandbox(&tasks);
    sandbox.deploy(["build"]).succeeds().never_mentions("left alone");
    let found = google.found();
    assert!(found.len() == 1 && found[0].starts_with("shop/"), "{found:?}");
    let other = elsewhere(&sandbox, "other");
    sandbox.deploy_in(&other, ["build"]).succeeds().mentions("comes from the cache gs://builds/shop");
}

#[test]
fn an_object_store_that_refuses_or_is_not_there_is_told() {
    let server = Server::always(Answer::new(403, "no"));
    for endpoint in [server.url(), "http://127.0.0.1:1".to_owned()] {
        let tasks = TASKS.replace("SANDBOX/cache", "builds");
        let tasks = format!("[stores.builds]\nurl = 's3://builds'\nendpoint = '{endpoint}'\n{tasks}");
        let sandbox =
            sandbox(&tasks).env("AWS_ACCESS_KEY_ID", "a").env("AWS_SECRET_ACCESS_KEY", "secret-key");
        let ended = sandbox.deploy(["build"]);
        ended.succeeds().mentions("the cache s3://builds is left alone").never_mentions("secret-key");
        assert_eq!(sandbox.read("log"), "built\n");
    }
}

#[test]
fn what_can_not_be_cached_is_refused() {
    let tasks = "[secrets]\nTOKEN = { env = 'TOKEN' }\n[stores.far]\nurl = 'ftp://x'\n\
                 [tasks.a]\noutputs = ['x']\ncache = 'c'\nsecrets = ['TOKEN']\nrun = 'true'\n\
                 [tasks.b]\ninputs = ['x']\ncache = 'c'\nrun = 'true'\n\
                 [tasks.c]\noutputs = ['../x']\ncache = 'c'\nrun = 'true'\n";
    let sandbox = Sandbox::new().tasks(tasks);
    let ended = sandbox.deploy(["check"]);
    for part in ["this is no store", "there is nothing to cache: task `b` has no `outputs`"] {
        ended.fails_with(2).says(part);
    }
    let sandbox =
        sandbox.tasks(&tasks.replace("ftp://x", "far").replace("[tasks.b]\ninputs", "[tasks.b]\noutputs"));
    sandbox.deploy(["a"]).fails_with(2).says("`a` sees the secret `TOKEN`");
    sandbox.deploy(["c"]).fails_with(2).says("`../x` lies outside of the task's folder");
}

#[test]
fn what_is_kept_is_not_mixed_with_what_an_earlier_run_made() {
    let tasks = r#"
[tasks.build]
inputs  = ["in"]
outputs = ["out/**"]
cache   = "SANDBOX/cache"
run     = "rm -rf out; mkdir out; echo 1 > out/only-$(cat in)"
"#;
    let sandbox = Sandbox::new().tasks(tasks).file("in", "one");
    sandbox.deploy(["build"]).succeeds();
    sandbox.write("in", "two");
    sandbox.deploy(["build"]).succeeds();
    sandbox.write("in", "one");
    // Its own command knows what goes.
    sandbox
        .deploy(["build"])
        .succeeds()
        .mentions("is no help: `out/only-two`, which is among the task's `outputs`, is not in it");
    sandbox.shell("ls out").succeeds().prints("only-one\n");
    sandbox.write("in", "two");
    sandbox.shell("rm out/only-one").succeeds();
    sandbox.deploy(["build"]).succeeds().mentions("comes from the cache");
    sandbox.shell("ls out").succeeds().prints("only-two\n");
}
