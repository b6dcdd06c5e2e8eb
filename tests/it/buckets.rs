//! Objects of a bucket that are saved, and come back as files. The vendors' own clients put them there.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::{AZURE_KEY, Emulator, Fate, Passage, Sandbox};

/// A project whose uploads are in a bucket, and are saved to a folder.
fn shop(endpoint: &str, scheme: &str, matter: &str) -> Sandbox {
    let sandbox = Sandbox::shop(&format!(
        "[stores.offsite]\nurl = \"SANDBOX/store\"\n\
         [stores.uploads]\nurl = \"{scheme}://builds/uploads\"\nendpoint = \"{endpoint}\"\n\
         [backups.media]\nbucket = {matter}\nstore = \"offsite\"\n\
         restore = \"find $DEPLOY_RESTORED -type f | wc -l\"\n\
         [environments.staging]\ntarget = {{ git = \"web\" }}\n",
    ));
    sandbox
        .remote("web")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AZURE_STORAGE_ACCOUNT", "devstoreaccount1")
        .env("AZURE_STORAGE_KEY", AZURE_KEY)
}

/// What came back, each file with its content.
fn restored(sandbox: &Sandbox) -> String {
    let ended = sandbox.shell("cd .deploy/restored/*/ && find . -type f | LC_ALL=C sort | xargs tail -n +1");
    ended.succeeds();
    ended.stdout
}

fn round_trip(store: &Emulator, scheme: &str) {
    let sandbox = shop(store.endpoint(), scheme, "\"uploads\"");
    sandbox.deploy(["backup", "staging"]).fails().mentions("no file in").mentions("look at its `bucket`");
    store.act(&["put", "uploads/2026/apple pie.txt", "apple"]);
    store.act(&["put", "uploads/pear.txt", "pear"]);
    store.act(&["put", "elsewhere.txt", "no upload"]);
    sandbox.deploy(["backup", "staging"]).succeeds().mentions("2 files, 2 of them new");
    sandbox.deploy(["backup", "staging"]).succeeds().mentions("2 files, 0 of them new");
    store.act(&["put", "uploads/pear.txt", "peer"]);
    store.act(&["put", "uploads/plum.txt", "plum"]);
    store.act(&["delete", "uploads/2026/apple pie.txt"]);
    sandbox.deploy(["backup", "staging"]).succeeds().mentions("2 files, 2 of them new");
    store.act(&["delete", "uploads/pear.txt"]);
    let before = store.found();
    sandbox.deploy(["restore", "staging", "media", "--no-backup"]).succeeds().mentions("2 files of ");
    assert_eq!(restored(&sandbox), "==> ./pear.txt <==\npeer\n==> ./plum.txt <==\nplum");
    assert_eq!(store.found(), before, "the bucket is as it was");
}

#[test]
fn a_bucket_of_s3_is_saved_and_only_what_changed_is_fetched() {
    round_trip(&Emulator::s3(), "s3");
}

#[test]
fn a_container_of_azure_is_saved_and_only_what_changed_is_fetched() {
    round_trip(&Emulator::azure(), "az");
}

#[test]
fn a_bucket_of_google_is_saved_and_only_what_changed_is_fetched() {
    round_trip(&Emulator::google(), "gs");
}

#[test]
fn what_could_not_come_back_as_a_file_is_told() {
    let store = Emulator::s3();
    store.act(&["put", "uploads/2026//apple.txt", "apple"]);
    store.act(&["put", "uploads/pear", "pear"]);
    store.act(&["put", "uploads/folder/", ""]);
    let sandbox = shop(store.endpoint(), "s3", "\"uploads\"");
    let refused = sandbox.deploy(["backup", "staging"]);
    refused
        .fails()
        .mentions("`2026//apple.txt`")
        .mentions("no file can be called so")
        .mentions("!2026//apple.txt");
    let listed = sandbox.deploy(["backups", "staging"]);
    listed.succeeds().mentions("nothing of staging is saved yet");
    store.act(&["delete", "uploads/2026//apple.txt"]);
    store.act(&["put", "uploads/pear/seed", "seed"]);
    sandbox.deploy(["backup", "staging"]).fails().mentions("`pear`").mentions("others lie beneath it");
    let files = "{ store = \"uploads\", files = [\"**\", \"!pear\"] }";
    // Patterns take all that lies beneath what they name.
    let sandbox = shop(store.endpoint(), "s3", files);
    sandbox.deploy(["backup", "staging"]).fails().mentions("no file in");
    let sandbox = shop(store.endpoint(), "s3", "{ store = \"uploads\", files = \"pear/**\" }");
    sandbox.deploy(["backup", "staging"]).succeeds().mentions("1 file, 1 of them new");
}

/// Many, of which some are larger than what is fetched before its turn: all come back, each as it was.
#[test]
fn many_objects_come_back_as_they_were() {
    let store = Emulator::s3();
    for number in 0..20 {
        store.act(&["put", &format!("uploads/{number}"), &format!("{number}\n")]);
    }
    store.act(&["put", "uploads/9large", "0123456789", "2000000"]);
    let sandbox = shop(store.endpoint(), "s3", "\"uploads\"");
    sandbox.deploy(["backup", "staging"]).succeeds().mentions("21 files, 21 of them new");
    sandbox.deploy(["restore", "staging", "media", "--no-backup"]).succeeds().mentions("21 files of ");
    for number in 0..20 {
        assert_eq!(sandbox.shell(&format!("cat .deploy/restored/*/{number}")).stdout, format!("{number}\n"));
    }
    let large = sandbox.shell("cat .deploy/restored/*/9large").stdout;
    assert!(large == "0123456789".repeat(2_000_000), "{} bytes", large.len());
}

/// Its parts would be those of two objects.
#[test]
fn an_object_that_is_replaced_while_it_is_fetched_ends_the_backup() {
    let store = Arc::new(Emulator::s3());
    store.act(&["put", "uploads/large", "old", "5000000"]);
    let passage = Passage::to(store.endpoint());
    let sandbox = shop(&passage.endpoint(), "s3", "\"uploads\"");
    let (parts, replaced) = (AtomicUsize::new(0), Arc::clone(&store));
    passage.judge(move |line| {
        if line.starts_with("GET /builds/uploads/large") && parts.fetch_add(1, Ordering::SeqCst) == 1 {
            replaced.act(&["put", "uploads/large", "new", "5000000"]);
        }
        Fate::Passes
    });
    let ended = sandbox.deploy(["backup", "staging"]);
    ended.fails().mentions("can't read `large`").mentions("it was replaced while it was read; try again");
    passage.judge(|_| Fate::Passes);
    sandbox.deploy(["backup", "staging"]).succeeds().mentions("1 file, 1 of them new");
    sandbox.deploy(["restore", "staging", "media", "--no-backup"]).succeeds();
    assert_eq!(sandbox.shell("head -c 6 .deploy/restored/*/large").stdout, "newnew");
}
