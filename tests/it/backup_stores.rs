//! Backups in object stores that we did not write: saved, listed, brought back and thinned through the program. Then the
//! vendor's own client fetches what is there, and other programs open it.

use serde_json::Value;

use crate::support::{AZURE_ACCOUNT, AZURE_KEY, Emulator, Passage, Sandbox};

const TASKS: &str = r#"
[stores.offsite]
url      = "URL"
endpoint = "ENDPOINT"

[backups.db]
dump    = "cat data"
restore = "cat > back"
store   = "offsite"
keep    = { last = 1 }

[backups.media]
files = ["media/**"]
store = "offsite"

[environments.staging]
target = { git = "web" }
"#;

/// More than a part of an upload, and nothing that zstd makes smaller.
const DATA: &str = "head -c 20000000 /dev/urandom > data";

fn holds_backups(store: &Emulator, url: &str, keys: &[(&str, &str)]) {
    let tasks = TASKS.replace("URL", url).replace("ENDPOINT", store.endpoint());
    let sandbox = Sandbox::shop(&tasks).remote("web");
    let sandbox = keys.iter().fold(sandbox, |sandbox, (name, value)| sandbox.env(name, value));
    sandbox.write("media/one.txt", "one\n");
    sandbox.write("media/a/two.txt", "two\n");
    sandbox.shell(DATA).succeeds();
    sandbox.deploy(["backup", "staging"]).succeeds().mentions("read back");
    sandbox.write("media/three.txt", "three\n");
    sandbox.shell(DATA).succeeds();
    sandbox
        .deploy(["backup", "staging"])
        .succeeds()
        .mentions("3 files, 1 of them new")
        .mentions("1 older backup of db removed");

    let ended = sandbox.deploy(["backups", "staging", "--json"]);
    let listed: Value = serde_json::from_str(&ended.succeeds().stdout).expect("JSON");
    let names: Vec<&str> =
        listed.as_array().expect("a list").iter().filter_map(|one| one["backup"].as_str()).collect();
    assert_eq!(names.iter().filter(|name| **name == "db").count(), 1, "{names:?}");
    assert_eq!(names.len(), 3, "{names:?}");

    // The vendor's own client reads what is there; what other programs find in it is what was saved.
    let fetched = sandbox.path("fetched");
    store.fetch(&fetched);
    let root = "cd ../fetched/backups/staging && ";
    sandbox.shell(&format!("{root}zstd -dcq db/*.dump.zst | cmp - ../../../shop/data")).succeeds();
    // Two packs of one second stand in any order.
    sandbox
        .shell(&format!(
            "{root}for pack in media/*.tar.zst; do zstd -dcq $pack | tar t; done | LC_ALL=C sort"
        ))
        .succeeds()
        .prints("media/a/two.txt\nmedia/one.txt\nmedia/three.txt\n");
    let named = "for sum in $(grep -ho '\"sha256\":\"[0-9a-f]*' */*.json | cut -d'\"' -f4 | sort -u); do \
                 sha256sum */*.zst | grep -q $sum || exit 1; done";
    sandbox.shell(&format!("{root}{named}")).succeeds();

    sandbox.deploy(["restore", "staging", "db", "--no-backup"]).succeeds();
    sandbox.shell("cmp data back").succeeds();
    sandbox.deploy(["restore", "staging", "media", "--no-backup"]).succeeds().mentions("3 files of ");
    sandbox.shell("diff -r media .deploy/restored/*/media").succeeds();
}

#[test]
fn s3_holds_backups() {
    let keys = [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];
    holds_backups(&Emulator::s3(), "s3://builds/backups", &keys);
}

/// Counted on the way to the store: requests, and bytes with their heads.
#[test]
fn of_many_files_those_that_have_changed_are_sent() {
    let store = Emulator::s3();
    let passage = Passage::to(store.endpoint());
    let tasks = TASKS.replace("URL", "s3://builds/backups").replace("ENDPOINT", &passage.endpoint());
    let sandbox = Sandbox::shop(&tasks).remote("web");
    let sandbox = sandbox.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
    sandbox
        .shell("mkdir media && for n in $(seq 300); do head -c 20000 /dev/urandom > media/$n; done")
        .succeeds();
    let save = |says: &str| {
        let before = passage.passed();
        sandbox.deploy(["backup", "staging", "media"]).succeeds().mentions(says);
        let after = passage.passed();
        (after.requests - before.requests, after.sent - before.sent)
    };
    let (_, sent) = save("300 files, 300 of them new");
    assert!(sent > 6_000_000, "{sent}");
    sandbox.shell("for n in 7 77 277; do head -c 20000 /dev/urandom > media/$n; done").succeeds();
    let (requests, sent) = save("300 files, 3 of them new");
    assert!(requests < 30 && (60_000..120_000).contains(&sent), "{requests} requests, {sent} bytes");
}

#[test]
fn azure_holds_backups() {
    let keys = [("AZURE_STORAGE_ACCOUNT", AZURE_ACCOUNT), ("AZURE_STORAGE_KEY", AZURE_KEY)];
    holds_backups(&Emulator::azure(), "az://builds/backups", &keys);
}

/// This server does not heed the condition that keeps an object from being overwritten; no two backups have one name.
#[test]
fn google_holds_backups() {
    holds_backups(&Emulator::google(), "gs://builds/backups", &[]);
}
