//! What is saved of an environment and what comes back: `deploy backup`, `backups`, `restore`, and before a release.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{Emulator, Ended, Postgres, Sandbox};
use rustix::process::Signal;

const TASKS: &str = r#"
[stores.offsite]
url = "SANDBOX/store"

[backups.db]
dump    = "cat data"
restore = "cat > data"
store   = "offsite"

[backups.media]
files = ["media/**", "!media/**/*.tmp"]
store = "offsite"

[environments.staging]
target = { git = "web" }

[environments.production]
target  = { git = "web", branch = "production" }
backups = ["db", "media"]
protect = { confirm = "typed" }
"#;

fn shop(tasks: &str) -> Sandbox {
    let sandbox = Sandbox::shop(tasks).remote("web");
    sandbox.write("data", "orders: 1\n");
    sandbox.write("media/a/one.txt", "one\n");
    sandbox.write("media/two.txt", "two\n");
    sandbox.write("media/a/left.tmp", "no\n");
    sandbox
}

/// The files of a store's folder, beneath it.
fn objects(sandbox: &Sandbox) -> Vec<String> {
    let listed = sandbox.shell("cd ../store 2>/dev/null && find . -type f | sort || true");
    listed.stdout.lines().map(|line| line.trim_start_matches("./").to_owned()).collect()
}

/// The backups that are listed, newest first.
fn listed(sandbox: &Sandbox, environment: &str, name: &str) -> Vec<Value> {
    let ended = sandbox.deploy(["backups", environment, name, "--json"]);
    ended.succeeds();
    serde_json::from_str(&ended.stdout).expect("JSON")
}

fn id(backup: &Value) -> String {
    backup["id"].as_str().expect("an id").to_owned()
}

#[test]
fn a_dump_is_saved_listed_and_brought_back() {
    let sandbox = shop(TASKS);
    sandbox
        .deploy(["backups", "staging"])
        .succeeds()
        .shows("nothing of staging is saved yet: deploy backup staging");
    let ended = sandbox.deploy(["backup", "staging", "db"]);
    ended.succeeds().mentions("db is saved as ").mentions(", read back");
    let backups = listed(&sandbox, "staging", "db");
    assert_eq!(backups.len(), 1);
    assert_eq!((&backups[0]["size"], &backups[0]["verified"]), (&10.into(), &"read-back".into()));
    sandbox.deploy(["backups", "staging", "db"]).succeeds().shows("read back");

    sandbox.write("data", "orders: none\n");
    let ended = sandbox.deploy(["restore", "staging", "db"]);
    ended.succeeds().mentions(&format!("({})", id(&backups[0])));
    assert_eq!(sandbox.read("data"), "orders: 1\n");
    // What was there before can come back too.
    let backups = listed(&sandbox, "staging", "db");
    assert_eq!(backups.len(), 2, "the present state is saved first");
    let newest = id(&backups[0]);
    sandbox.deploy(["restore", "staging", "db", "--from", &newest, "--no-backup"]).succeeds();
    assert_eq!(sandbox.read("data"), "orders: none\n");
    assert_eq!(listed(&sandbox, "staging", "db").len(), 2);
    sandbox
        .deploy(["history", "staging", "--events"])
        .succeeds()
        .shows("backed-up")
        .shows("restored")
        .shows(&format!("db {newest}"));
}

#[test]
fn other_programs_read_what_was_saved() {
    let sandbox =
        shop(&TASKS.replace("cat data\"", "cat data\"\nencrypt = \"RECIPIENT\"\nidentity = \"key\""));
    let made = sandbox.shell("age-keygen -o key 2>/dev/null && age-keygen -y key");
    let tasks = sandbox.read("tasks.toml").replace("RECIPIENT", made.succeeds().stdout.trim());
    sandbox.write("tasks.toml", &tasks);
    sandbox.deploy(["backup", "staging"]).succeeds();
    sandbox
        .shell("age --decrypt -i key ../store/staging/db/*.dump.zst.age | zstd -d --quiet")
        .succeeds()
        .prints("orders: 1\n");
    sandbox.shell("grep -q orders ../store/staging/db/*").fails();
    sandbox
        .shell("zstd -d --quiet -c ../store/staging/media/*.tar.zst | tar t")
        .succeeds()
        .prints("media/a/one.txt\nmedia/two.txt\n");
    let digest = "sha256sum ../store/staging/db/*.age | cut -d' ' -f1";
    let sum = sandbox.shell(digest).succeeds().stdout.trim().to_owned();
    sandbox.shell(&format!("grep -q '\"sha256\":\"{sum}\"' ../store/staging/db/*.json")).succeeds();

    sandbox.write("data", "lost\n");
    sandbox.deploy(["restore", "staging", "db", "--no-backup"]).succeeds();
    assert_eq!(sandbox.read("data"), "orders: 1\n");
    // With another's key nothing is touched, and `age` says why.
    sandbox.shell("rm key && age-keygen -o key 2>/dev/null").succeeds();
    sandbox.write("data", "lost\n");
    sandbox.deploy(["restore", "staging", "db", "--no-backup"]).fails().mentions("no identity matched");
    assert_eq!(sandbox.read("data"), "lost\n", "its command was not even begun");
}

#[test]
fn a_file_that_the_store_has_is_not_sent_again() {
    let sandbox = shop(TASKS);
    sandbox.deploy(["backup", "staging", "media"]).succeeds().mentions("2 files, 2 of them new");
    sandbox.write("media/three.txt", "three\n");
    sandbox.deploy(["backup", "staging", "media"]).succeeds().mentions("3 files, 1 of them new");
    sandbox.deploy(["backup", "staging", "media"]).succeeds().mentions("3 files, 0 of them new");
    let before = objects(&sandbox);
    assert_eq!(before.iter().filter(|object| object.contains(".tar")).count(), 2, "packs: {before:?}");
    // By now each file has been there for a while, and is known by its mark.
    sandbox.deploy(["backup", "staging", "media"]).succeeds().mentions("3 files, 0 of them new");
    let after = objects(&sandbox);
    assert_eq!(after.len(), before.len() + 1, "a manifest, and no list: {before:?}, {after:?}");
    sandbox.shell("rm -r media && mkdir media").succeeds();
    sandbox.deploy(["restore", "staging", "media", "--no-backup"]).succeeds().mentions("3 files of ");
    let restored =
        sandbox.shell("cd .deploy/restored/staging-media-*/ && find . -type f | sort | xargs tail -n +1");
    restored.succeeds().prints(
        "==> ./media/a/one.txt <==\none\n\n==> ./media/three.txt <==\nthree\n\n==> ./media/two.txt <==\ntwo\n",
    );
    // Nothing is written over what was restored.
    let ended = sandbox.deploy(["restore", "staging", "media", "--no-backup"]);
    ended.fails().mentions("is there already");
}

#[test]
fn a_file_that_is_as_it_was_is_not_even_read() {
    let sandbox = shop(TASKS);
    // The first may come so soon that a file could change unseen after it; the second knows all.
    sandbox.deploy(["backup", "staging", "media"]).succeeds();
    sandbox.deploy(["backup", "staging", "media"]).succeeds();
    sandbox.write("media/two.txt", "TWO\n");
    let deploy = env!("CARGO_BIN_EXE_deploy");
    let watch = "strace --follow-forks --quiet=all --trace=openat --output=../tmp/opened";
    sandbox
        .shell(&format!("{watch} '{deploy}' backup staging media"))
        .succeeds()
        .mentions("2 files, 1 of them new");
    let opened = sandbox.shell("cat ../tmp/opened").stdout;
    assert!(opened.contains("media/two.txt"), "{opened}");
    assert!(!opened.contains("media/a/one.txt"), "{opened}");
}

#[test]
fn a_file_whose_name_is_no_text_is_not_left_out_in_silence() {
    let sandbox = shop(TASKS);
    sandbox.shell("printf x > \"media/$(printf '\\377').jpg\"").succeeds();
    let refused = sandbox.deploy(["backup", "staging", "media"]);
    refused.fails().mentions(".jpg").mentions("its name is no UTF-8").mentions("rename it");
    sandbox.write("tasks.toml", &TASKS.replace("\"!media/**/*.tmp\"", "\"!media/*.jpg\""));
    sandbox.deploy(["backup", "staging", "media"]).succeeds().mentions("3 files, 3 of them new");
}

#[test]
fn modes_links_and_times_of_files_come_back() {
    let sandbox = shop(TASKS);
    sandbox
        .shell("echo x > media/run && chmod 777 media/run && touch -d 2020-02-02T02:02:02Z media/run && ln -s nowhere media/link")
        .succeeds();
    sandbox.deploy(["backup", "staging", "media"]).succeeds();
    sandbox.deploy(["restore", "staging", "media", "--no-backup"]).succeeds();
    sandbox
        .shell("cd .deploy/restored/*/media && stat -c '%a %Y' run && readlink link")
        .succeeds()
        .prints("777 1580608922\nnowhere\n");
}

#[test]
fn scripts_of_other_interpreters_save_and_bring_back() {
    let dump = "'''#!/usr/bin/env python3\nprint(open(\"data\").read().upper(), end=\"\")'''";
    let back =
        "'''#!/usr/bin/env python3\nimport sys\nopen(\"data\", \"w\").write(sys.stdin.read().lower())'''";
    let sandbox = shop(&TASKS.replace("\"cat data\"", dump).replace("\"cat > data\"", back));
    sandbox.deploy(["backup", "staging", "db"]).succeeds();
    sandbox.write("data", "lost\n");
    sandbox.deploy(["restore", "staging", "db", "--no-backup"]).succeeds();
    assert_eq!(sandbox.read("data"), "orders: 1\n");
}

#[test]
fn an_interactive_task_saves_too() {
    let tasks = "[tasks.go]\ninteractive = true\nsteps = [{ backup = \"db\" }, \"true\"]\n";
    let sandbox = shop(&(TASKS.to_owned() + tasks));
    sandbox.deploy(["staging", "go"]).succeeds();
    assert_eq!(listed(&sandbox, "staging", "db").len(), 1);
}

#[test]
fn what_must_not_count_as_a_backup_does_not() {
    let dump = |line: &str| TASKS.replace("\"cat data\"", line);
    for (line, says) in [
        ("'cat data; exit 3'", "failed with exit code 3"),
        ("'true'", "printed nothing: that is no backup"),
        ("'head -c 9000000 /dev/zero; kill -9 $$'", "was ended by SIGKILL"),
    ] {
        let sandbox = shop(&dump(line));
        let ended = sandbox.deploy(["backup", "staging", "db"]);
        ended.fails().mentions(says);
        assert!(listed(&sandbox, "staging", "db").is_empty());
        assert_eq!(objects(&sandbox), [""; 0], "{line}");
    }
    let sandbox = shop(&TASKS.replace("media/**\"", "nothing/**\""));
    sandbox.deploy(["backup", "staging", "media"]).fails().mentions("that is no backup");
}

/// Gives each object of a backup another content.
/// The dump has no end by itself.
#[test]
fn a_store_that_goes_away_ends_the_dump() {
    let store = Emulator::s3();
    let tasks = format!(
        "[stores.s]\nurl = \"s3://builds\"\nendpoint = \"{}\"\n[environments.staging]\n[backups.db]\nstore = \"s\"\n\
         dump = \"head -c 20000000 /dev/urandom; kill -9 {}; while cat /dev/urandom; do :; done\"\n",
        store.endpoint(),
        store.pid()
    );
    let sandbox = shop(&tasks).env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
    let failed = sandbox.deploy(["backup", "staging"]);
    failed.fails_with(1).mentions("can't write `staging/db/").mentions("nothing listens there");
}

fn spoil(sandbox: &Sandbox, lines: &str) -> Ended {
    sandbox.write("data", "precious\n");
    sandbox.shell(lines).succeeds();
    sandbox.deploy(["restore", "staging", "db", "--no-backup"])
}

#[test]
fn what_is_altered_in_the_store_is_never_brought_back() {
    for (lines, says) in [
        (
            "printf x | dd of=$(ls ../store/staging/db/*.zst) bs=1 seek=9 conv=notrunc status=none",
            "its digest is another",
        ),
        ("truncate -s -1 ../store/staging/db/*.zst", "bytes, and had"),
        ("rm ../store/staging/db/*.zst", "it is gone"),
    ] {
        let sandbox = shop(TASKS);
        sandbox.deploy(["backup", "staging", "db"]).succeeds();
        spoil(&sandbox, lines).fails().mentions(says);
        assert_eq!(sandbox.read("data"), "precious\n", "{lines}");
    }
    let sandbox = shop(TASKS);
    sandbox.deploy(["backup", "staging", "db"]).succeeds();
    let ended = spoil(&sandbox, "truncate -s 40 ../store/staging/db/*.json");
    ended.fails().mentions("is damaged").mentions("there is no backup of db of staging");
    sandbox.deploy(["backups", "staging"]).succeeds().mentions("a backup is damaged");
}

#[test]
fn what_can_not_be_read_now_is_not_called_damaged() {
    let sandbox = shop(TASKS);
    sandbox.deploy(["backup", "staging", "db"]).succeeds();
    // To be read from its beginning is what nothing in there lets itself.
    sandbox.shell("ln -s /proc/self/mem ../store/staging/db/20990101-000000-00000000.json").succeeds();
    for arguments in [["backups", "staging", "db"], ["backup", "staging", "db"]] {
        sandbox.deploy(arguments).fails().mentions("20990101").never_mentions("damaged");
    }
    sandbox.write("data", "new\n");
    sandbox.deploy(["restore", "staging", "db", "--no-backup"]).fails().mentions("20990101");
    assert_eq!(sandbox.read("data"), "new\n", "an older one is not taken instead");
}

#[test]
fn a_list_of_files_that_is_lost_costs_one_backup_and_no_file() {
    let sandbox = shop(TASKS);
    sandbox.deploy(["backup", "staging", "media"]).succeeds();
    sandbox.shell("rm ../store/staging/media/*.files.zst").succeeds();
    let ended = sandbox.deploy(["restore", "staging", "media", "--no-backup"]);
    ended.fails().mentions(".files.zst`: it is gone");
    let ended = sandbox.deploy(["backup", "staging", "media"]);
    ended.succeeds().mentions("all files are sent").mentions("2 files, 2 of them new");
    sandbox.deploy(["restore", "staging", "media", "--no-backup"]).succeeds().mentions("2 files of ");
}

#[test]
fn a_backup_that_is_killed_is_never_listed() {
    let dump = "\"exec 9> SANDBOX/tmp/held; cat data; echo half >&2; sleep 60 & wait\"";
    let sandbox = shop(&TASKS.replace("\"cat data\"", dump));
    let leash = sandbox.leash("held");
    let running = sandbox.start(["backup", "staging", "db"]);
    running.wait_for("half").signal(Signal::INT);
    running.wait().fails_with(130);
    leash.wait_for_release();
    assert_eq!(objects(&sandbox), [""; 0]);
    assert!(listed(&sandbox, "staging", "db").is_empty());

    let sandbox = shop(&TASKS.replace("\"cat data\"", "\"cat data; dump\""));
    let gate = sandbox.gate("dump");
    let running = sandbox.start(["backup", "staging", "db"]);
    gate.wait_for_arrival();
    running.signal(Signal::KILL);
    running.wait().fails_with(-9);
    gate.open();
    assert!(listed(&sandbox, "staging", "db").is_empty());
    // And what it left is in nobody's way.
    gate.open();
    sandbox.deploy(["backup", "staging", "db"]).succeeds();
    assert_eq!(listed(&sandbox, "staging", "db").len(), 1);
}

#[test]
fn older_ones_go_when_a_newer_one_is_proven() {
    let sandbox = shop(&TASKS.replace("\"cat data\"", "\"cat data\"\nkeep = { last = 2 }"));
    for _ in 0..3 {
        sandbox.deploy(["backup", "staging", "db"]).succeeds();
    }
    let backups = listed(&sandbox, "staging", "db");
    assert_eq!((backups.len(), objects(&sandbox).len()), (2, 4));
    let ended = sandbox.deploy(["backup", "staging", "db", "--dry-run"]);
    ended.succeeds().shows(&format!("db: {} would go", id(&backups[1])));
    assert_eq!(listed(&sandbox, "staging", "db"), backups, "looking removes nothing");
    // One that fails takes nothing away.
    sandbox.shell("rm data").succeeds();
    sandbox.deploy(["backup", "staging", "db"]).fails();
    assert_eq!(listed(&sandbox, "staging", "db"), backups);
}

#[test]
fn an_environment_says_how_many_of_its_own_are_kept() {
    let tasks = TASKS.replace("\"cat data\"", "\"cat data\"\ncompress = \"zstd\"\nkeep = 1").replace(
        "[environments.production]",
        "[environments.production]\nkeep = { last = 2 }\n[environments.eu]\ninherits = \"production\"\n\
         [environments.us]\ninherits = \"production\"\nkeep = 3\n[environments.rest]",
    );
    let sandbox = shop(&tasks);
    for (environment, kept) in [("staging", 1), ("production", 2), ("eu", 2), ("us", 3)] {
        for _ in 0..4 {
            sandbox.deploy(["backup", environment, "db"]).succeeds();
        }
        assert_eq!(listed(&sandbox, environment, "db").len(), kept, "{environment}");
    }
}

#[test]
fn packs_stay_as_long_as_a_backup_needs_them() {
    let sandbox = shop(&TASKS.replace("files = [", "keep = { last = 1 }\nfiles = ["));
    sandbox.deploy(["backup", "staging", "media"]).succeeds();
    sandbox.write("media/three.txt", "three\n");
    sandbox.deploy(["backup", "staging", "media"]).succeeds();
    assert_eq!(listed(&sandbox, "staging", "media").len(), 1);
    assert_eq!(objects(&sandbox).len(), 4, "{:?}", objects(&sandbox));
    // What is mostly gone is sent again, and its pack goes.
    sandbox.shell("rm media/a/one.txt media/two.txt && echo 4 > media/four").succeeds();
    sandbox.deploy(["backup", "staging", "media"]).succeeds().mentions("2 files, 1 of them new");
    assert_eq!(objects(&sandbox).len(), 4, "{:?}", objects(&sandbox));
    sandbox.deploy(["restore", "staging", "media", "--no-backup"]).succeeds().mentions("2 files of ");
}

#[test]
fn a_list_of_files_stays_as_long_as_a_backup_needs_it() {
    let sandbox = shop(&TASKS.replace("files = [", "keep = { last = 1 }\nfiles = ["));
    for _ in 0..4 {
        sandbox.deploy(["backup", "staging", "media"]).succeeds();
    }
    let [newest] = &listed(&sandbox, "staging", "media")[..] else { panic!("one is kept") };
    let objects = objects(&sandbox);
    assert_eq!(objects.len(), 3, "a pack, a list, a manifest: {objects:?}");
    let newest = id(newest);
    assert_eq!(objects.iter().filter(|object| object.contains(&newest)).count(), 1, "{objects:?}");
    sandbox.deploy(["restore", "staging", "media", "--no-backup"]).succeeds().mentions("2 files of ");
}

#[test]
fn a_release_has_its_backup_before_it_goes_out() {
    let sandbox = shop(TASKS);
    sandbox
        .deploy(["production", "--yes=production"])
        .succeeds()
        .mentions("db is saved")
        .mentions("media is saved");
    sandbox.write("tasks.toml", &(sandbox.read("tasks.toml") + "[tasks.fail]\nrun = \"exit 7\"\n"));
    let tasks = sandbox
        .read("tasks.toml")
        .replace("backups = [\"db\", \"media\"]", "backups = [\"db\"]\ndeploy = \"go\"");
    sandbox.write("tasks.toml", &(tasks + "[tasks.go]\nsteps = [{ ship = true }, \"exit 7\"]\n"));
    sandbox.commit("more");
    let ended = sandbox.deploy(["production", "--yes=production"]);
    ended
        .fails_with(7)
        .mentions("what was there before the release comes back by: deploy restore production db --from ");
    // Without a good backup nothing is shipped.
    sandbox.shell("rm data").succeeds();
    let before = sandbox.target("web").tip("production");
    sandbox.commit("again");
    sandbox.deploy(["production", "--yes=production"]).fails();
    assert_eq!(sandbox.target("web").tip("production"), before);
}

#[test]
fn what_fails_before_the_release_is_told_to_have_shipped_nothing() {
    let sandbox = shop(TASKS);
    sandbox.deploy(["production", "--yes=production"]).succeeds();
    sandbox.commit("Next");
    sandbox.shell("rm data").succeeds();
    let failed = sandbox.deploy(["production", "--yes=production"]);
    failed.fails().mentions("deploy: production: nothing was shipped; release 1 is live, as before");
}

#[test]
fn a_protected_environment_is_restored_by_its_typed_name_alone() {
    let sandbox = shop(TASKS);
    sandbox.deploy(["backup", "production", "db"]).succeeds();
    sandbox.write("data", "new\n");
    sandbox.deploy(["restore", "production", "db"]).fails_with(3).mentions("--yes=production");
    sandbox.deploy(["restore", "production", "db", "--yes"]).fails_with(3);
    assert_eq!(sandbox.read("data"), "new\n");
    sandbox.deploy(["restore", "production", "db", "--yes=production"]).succeeds();
    assert_eq!(sandbox.read("data"), "orders: 1\n");
}

#[test]
fn an_environment_can_want_a_fresh_backup() {
    let sandbox = shop(
        &TASKS.replace("[environments.staging]", "[environments.staging]\nprotect = { backup = \"1h\" }"),
    );
    let ended = sandbox.deploy(["staging"]);
    ended
        .fails_with(3)
        .mentions("staging wants a backup, and there is none")
        .mentions("deploy backup staging");
    sandbox.deploy(["backup", "staging", "db"]).succeeds();
    sandbox.deploy(["staging"]).fails_with(3);
    sandbox.deploy(["backup", "staging", "media"]).succeeds();
    sandbox.deploy(["staging"]).succeeds();
    sandbox.deploy(["backups", "staging"]).succeeds();
}

#[test]
fn a_backup_can_be_brought_back_on_trial_before_it_counts() {
    let verify = "restore = 'cat > \"${PLACE:-data}\"'\nverify = \"restore\"\n\
                  scratch = { create = 'echo trial', drop = 'cat \"$PLACE\" > seen; rm \"$PLACE\"', as = \"PLACE\" }";
    let sandbox = shop(&TASKS.replace("restore = \"cat > data\"", verify));
    sandbox.deploy(["backup", "staging", "db"]).succeeds().mentions("brought back on trial");
    assert_eq!((sandbox.read("seen"), sandbox.has("trial")), ("orders: 1\n".to_owned(), false));
    assert_eq!(listed(&sandbox, "staging", "db")[0]["verified"], "restored");
    sandbox.write("tasks.toml", &sandbox.read("tasks.toml").replace("cat > \"${", "false > \"${"));
    sandbox.deploy(["backup", "staging", "db"]).fails();
    assert_eq!(listed(&sandbox, "staging", "db").len(), 1);
    assert!(!sandbox.has("trial"), "the scratch place goes all the same");
}

#[test]
fn a_plan_shows_what_is_saved_and_what_comes_back() {
    let sandbox = shop(TASKS);
    let plan = sandbox.deploy(["plan", "production"]);
    plan.succeeds()
        .shows("  backup db\n    dump   cat data\n    store  ")
        .shows("  backup media\n    files  media/**, !media/**/*.tmp");
    let plan = sandbox.deploy(["restore", "staging", "db", "--dry-run"]);
    plan.succeeds().shows("  restore db\n    from   the newest backup, in ").shows("    by     cat > data\n");
    let plan = sandbox.deploy(["restore", "production", "db", "--dry-run"]);
    plan.succeeds()
        .shows("asks first: Restore db of production from the newest backup")
        .shows("(type production)");
    assert_eq!(objects(&sandbox), [""; 0], "looking saves nothing");
}

#[test]
fn what_is_lost_comes_back_without_being_saved_first() {
    let sandbox = shop(TASKS);
    sandbox.deploy(["backup", "staging", "db"]).succeeds();
    sandbox.shell("rm data").succeeds();
    let ended = sandbox.deploy(["restore", "staging", "db"]);
    ended.fails().mentions("nothing was brought back").mentions("--no-backup");
    assert!(!sandbox.has("data"));
    sandbox.deploy(["restore", "staging", "db", "--no-backup"]).succeeds();
    assert_eq!(sandbox.read("data"), "orders: 1\n");
}

#[test]
fn names_that_mean_nothing_are_told_before_anything_is_done() {
    let sandbox = shop(TASKS);
    sandbox.deploy(["backup", "stagign"]).fails_with(2).mentions("did you mean `staging`");
    sandbox
        .deploy(["backup", "staging", "bd"])
        .fails_with(2)
        .mentions("there is no backup `bd`")
        .mentions("`db`");
    sandbox
        .deploy(["restore", "staging", "db", "--from", "yesterday"])
        .fails()
        .mentions("there is no backup yesterday");
    let sandbox = Sandbox::new().tasks("[environments.a]\n");
    sandbox.deploy(["backup", "a"]).fails_with(2).mentions("the file has no backups");
    sandbox.deploy(["restore", "a", "db"]).fails_with(2).mentions("[backups.NAME]");
}

#[test]
fn a_project_without_git_is_saved_as_well() {
    let sandbox = Sandbox::new().tasks(TASKS).file("data", "orders: 1\n");
    sandbox.deploy(["backup", "staging", "db"]).succeeds();
    sandbox.write("data", "lost\n");
    sandbox.deploy(["restore", "staging", "db", "--no-backup"]).succeeds();
    assert_eq!(sandbox.read("data"), "orders: 1\n");
}

#[test]
fn what_is_to_come_back_is_not_removed_before() {
    let sandbox = shop(&TASKS.replace("\"cat data\"", "\"cat data\"\nkeep = { last = 1 }"));
    sandbox.deploy(["backup", "staging", "db"]).succeeds();
    sandbox.write("data", "new\n");
    sandbox.deploy(["restore", "staging", "db"]).succeeds();
    assert_eq!(sandbox.read("data"), "orders: 1\n");
}

#[test]
fn nothing_is_removed_while_a_backup_can_not_be_read() {
    let sandbox = shop(&TASKS.replace("files = [", "keep = { last = 1 }\nfiles = ["));
    sandbox.deploy(["backup", "staging", "media"]).succeeds();
    let lines = "sed -i 's/\"version\":1/\"version\":2/' ../store/staging/media/*.json";
    sandbox.shell(lines).succeeds();
    sandbox.deploy(["backup", "staging", "media"]).succeeds().mentions("it is of version 2");
    sandbox.deploy(["backup", "staging", "media"]).succeeds();
    assert_eq!(objects(&sandbox).iter().filter(|name| name.contains(".tar")).count(), 2);
}

#[test]
fn who_can_read_it_is_who_is_named_now() {
    let sandbox = shop(TASKS);
    sandbox.deploy(["backup", "staging", "media"]).succeeds();
    let made = sandbox.shell("age-keygen -o key 2>/dev/null && age-keygen -y key");
    let encrypt = format!("encrypt = \"{}\"\nfiles = [", made.succeeds().stdout.trim());
    sandbox.write("tasks.toml", &sandbox.read("tasks.toml").replace("files = [", &encrypt));
    sandbox.deploy(["backup", "staging", "media"]).succeeds().mentions("2 files, 2 of them new");
    let sandbox = sandbox.env("DEPLOY_AGE_IDENTITY", "key");
    sandbox.deploy(["restore", "staging", "media", "--no-backup"]).succeeds().mentions("2 files of ");
}

#[test]
fn a_database_is_saved_dropped_and_brought_back() {
    let postgres = Postgres::start();
    postgres.sql("postgres", "create database shop");
    postgres.sql(
        "shop",
        "create table orders as select n as id, md5(n::text) as name from generate_series(1, 1000) n",
    );
    let rows = "select count(*), md5(string_agg(id || name, ',' order by id)) from orders";
    let before = postgres.sql("shop", rows);
    let tasks = TASKS
        .replace("\"cat data\"", "'pg_dump -Fc \"$DATABASE_URL\"'")
        .replace("\"cat > data\"", "'pg_restore --clean --if-exists --single-transaction --exit-on-error -d \"$DATABASE_URL\"'")
        .replace("[backups.db]", "[secrets]\nDATABASE_URL = { env = \"DATABASE_URL\" }\n[backups.db]\nsecrets = [\"DATABASE_URL\"]\nverify = \"restore\"\nscratch = { create = 'psql -qXc \"create database trial\" \"$DATABASE_URL\" && echo \"${DATABASE_URL%/*}/trial\"', drop = 'psql -qXc \"drop database trial\" \"${DATABASE_URL%/*}/postgres\"', as = \"DATABASE_URL\" }");
    let sandbox = shop(&tasks).env("DATABASE_URL", &postgres.url("shop"));
    sandbox.deploy(["backup", "staging", "db"]).succeeds().mentions("brought back on trial");
    sandbox.shell("grep -q '\"postgresql\":\"1' ../store/staging/db/*.json").succeeds();
    sandbox.shell("zstd -dcq ../store/staging/db/*.dump.zst | pg_restore --list | grep -q orders").succeeds();
    postgres.sql("shop", "drop table orders");
    sandbox.deploy(["restore", "staging", "db"]).succeeds();
    assert_eq!(postgres.sql("shop", rows), before);
    // An older client is told, with its mend, before anything is sent.
    sandbox.executable("bin/pg_dump", "#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.1'\n");
    let ended = sandbox.deploy(["backup", "staging", "db"]);
    ended
        .fails()
        .mentions("pg_dump is of PostgreSQL 9.6.1, and the server of 1")
        .mentions("apt install postgresql-client-");
}

#[test]
fn steps_save_and_bring_back_too() {
    let tasks = "[tasks.migrate]\nsteps = [{ backup = \"db\" }, \"echo migrated > data\"]\n\
                 [tasks.again]\nsteps = [{ restore = \"db\" }]\n";
    let sandbox = shop(&(TASKS.to_owned() + tasks));
    sandbox.deploy(["staging", "migrate"]).succeeds();
    assert_eq!(sandbox.read("data"), "migrated\n");
    sandbox.deploy(["staging", "again"]).succeeds();
    assert_eq!(sandbox.read("data"), "orders: 1\n");
    sandbox.deploy(["migrate"]).fails_with(2).mentions("saved of an environment");
}

/// The lines of the drill in docs/backups.md, in the example that it names.
#[test]
fn what_is_lost_comes_back_as_the_drill_says() {
    let book = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(book.join("docs/backups.md")).expect("the document");
    let (_, drill) = text.split_once("## Lose everything, get it back\n").expect("the drill");
    let drill = drill.split("\n## ").next().unwrap_or_default();
    let blocks = drill.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let lines: Vec<&str> = blocks.flat_map(str::lines).map(str::trim).collect();
    assert!(lines.len() >= 10, "{lines:?}");
    let sandbox = Sandbox::new();
    let example = book.join("examples/backups").display().to_string();
    sandbox.shell(&format!("cp -R '{example}/.' . && git init --quiet")).succeeds();
    sandbox.commit("The shop");
    let deploy = format!("deploy() {{ '{}' \"$@\"; }}", env!("CARGO_BIN_EXE_deploy"));
    let ended = sandbox.shell(&format!("set -e\n{deploy}\n{}", lines.join("\n")));
    ended.succeeds().mentions("is what it was at").shows("production");
}
