//! Shipping to a folder on this machine: releases beside each other, and `current`, which never names a half one.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::support::Sandbox;

const STAGING: &str = r#"
[environments.staging]
swap = { "requirements.txt" = "-r requirements/staging.txt" }

[environments.staging.target]
server = "local"
path   = "SANDBOX/srv"
"#;

/// The shop, deployed to `SANDBOX/srv`, with more keys for its target.
fn shop(keys: &str) -> Sandbox {
    Sandbox::shop(&format!("{STAGING}{keys}\n"))
}

/// A file under `SANDBOX/srv`.
#[track_caller]
fn served(sandbox: &Sandbox, path: &str) -> String {
    let path = sandbox.path("srv").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names in a folder under `SANDBOX/srv`, without the hidden ones.
fn listed(sandbox: &Sandbox, path: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(sandbox.path("srv").join(path)).expect("a folder that was made");
    let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    names.filter(|name| !name.starts_with('.')).collect()
}

fn current(sandbox: &Sandbox) -> PathBuf {
    sandbox.path("srv/current").canonicalize().expect("current names a release")
}

#[test]
fn a_release_is_a_folder_with_the_releases_tree() {
    let sandbox = shop("");
    let before = sandbox.picture();
    sandbox.write("untracked.txt", "never shipped\n");
    sandbox.deploy(["staging"]).succeeds();
    sandbox.shell("rm untracked.txt").succeeds();
    before.assert_unchanged();

    assert_eq!(current(&sandbox), sandbox.path("srv/releases/1"));
    assert_eq!(served(&sandbox, "current/requirements.txt"), "-r requirements/staging.txt\n");
    assert_eq!(served(&sandbox, "current/shop.py"), "print('shop')\n");
    let expected = ["requirements", "requirements.txt", "shop.py", "tasks.toml"];
    assert_eq!(listed(&sandbox, "current"), expected.map(str::to_owned).into());

    sandbox.write("shop.py", "print('second')\n");
    sandbox.commit("Second");
    sandbox.deploy(["staging"]).succeeds();
    assert_eq!(current(&sandbox), sandbox.path("srv/releases/2"));
    assert_eq!(served(&sandbox, "current/shop.py"), "print('second')\n");
    assert_eq!(
        served(&sandbox, "releases/1/shop.py"),
        "print('shop')\n",
        "the earlier release stays as it is"
    );
}

#[test]
fn every_file_of_the_commit_is_there_with_its_mode() {
    let sandbox = shop("")
        .file(
            ".gitattributes",
            "secret.txt export-ignore\nstamp.txt export-subst ident\nlines.txt text eol=crlf\n",
        )
        .file("secret.txt", "shipped all the same\n")
        .file("stamp.txt", "$Format:%H$ $Id$\n")
        .file("lines.txt", "one\ntwo\n")
        .file("two words/it's ü.txt", "named\n");
    sandbox.executable("shop/start", "#!/bin/sh\necho started\n");
    sandbox.link("latest", "two words/it's ü.txt");
    sandbox.commit("Attributes");
    sandbox.deploy(["staging"]).succeeds();
    assert_eq!(served(&sandbox, "current/secret.txt"), "shipped all the same\n");
    assert_eq!(served(&sandbox, "current/stamp.txt"), "$Format:%H$ $Id$\n");
    assert_eq!(served(&sandbox, "current/lines.txt"), "one\ntwo\n");
    assert_eq!(served(&sandbox, "current/latest"), "named\n");
    sandbox.shell("../srv/current/start").succeeds().prints("started\n");
}

#[test]
fn build_runs_in_the_release_before_it_is_current() {
    let keys = r#"
        build = [
            "pwd > where",
            "readlink ../../current > before || echo none > before",
            "echo $DEPLOY_ENVIRONMENT $DEPLOY_RELEASE $DEPLOY_COMMIT > variables",
            "echo {{ environment }} {{ release }} {{ commit }} > values",
            "cat requirements.txt > seen",
        ]
    "#;
    let sandbox = shop(keys);
    sandbox.deploy(["staging"]).succeeds();
    let head = sandbox.repository().head();
    assert_eq!(served(&sandbox, "current/seen"), "-r requirements/staging.txt\n");
    assert_eq!(
        served(&sandbox, "current/where").trim(),
        sandbox.path("srv/releases/1").display().to_string()
    );
    assert_eq!(served(&sandbox, "current/before"), "none\n");
    assert_eq!(served(&sandbox, "current/variables"), format!("staging 1 {head}\n"));
    assert_eq!(served(&sandbox, "current/values"), format!("staging 1 {head}\n"));
}

#[test]
fn a_failing_build_leaves_current_as_it_was() {
    let sandbox = shop("build = ['test ! -e broken || exit 9', 'echo built > built']");
    sandbox.deploy(["staging"]).succeeds();
    sandbox.write("broken", "");
    sandbox.commit("Broken");
    sandbox.deploy(["staging"]).fails_with(9);
    assert_eq!(current(&sandbox), sandbox.path("srv/releases/1"));
    assert_eq!(served(&sandbox, "current/built"), "built\n");
    sandbox.deploy(["history", "staging"]).succeeds().shows("failed");

    sandbox.shell("git rm --quiet broken").succeeds();
    sandbox.commit("Mended");
    sandbox.deploy(["staging"]).succeeds();
    assert_ne!(current(&sandbox), sandbox.path("srv/releases/1"));
    assert!(!sandbox.path("srv/current/broken").exists());
}

#[test]
fn what_is_shared_outlives_releases() {
    let sandbox = shop("shared = ['media', 'data/uploads']\nbuild = ['ls media > seen']");
    sandbox.deploy(["staging"]).succeeds();
    fs::write(sandbox.path("srv/current/media/photo"), "a photo").expect("a file of a visitor");
    fs::write(sandbox.path("srv/current/data/uploads/letter"), "a letter").expect("a file of a visitor");
    sandbox.commit("Second");
    sandbox.deploy(["staging"]).succeeds();
    assert_eq!(served(&sandbox, "current/media/photo"), "a photo");
    assert_eq!(served(&sandbox, "current/data/uploads/letter"), "a letter");
    assert_eq!(served(&sandbox, "shared/media/photo"), "a photo");
    assert_eq!(served(&sandbox, "current/seen"), "photo\n", "shared folders are there when build runs");
}

#[test]
fn reload_runs_when_the_release_is_current() {
    let sandbox = shop("reload = 'cat \"SANDBOX/srv/current/shop.py\" > SANDBOX/reloaded'");
    sandbox.deploy(["staging"]).succeeds();
    assert_eq!(fs::read_to_string(sandbox.path("reloaded")).expect("reload ran"), "print('shop')\n");
}

#[test]
fn a_failing_reload_fails_the_deploy() {
    let sandbox = shop("reload = 'exit 11'");
    sandbox.deploy(["staging"]).fails();
    sandbox.deploy(["history", "staging"]).succeeds().shows("failed");
}

#[test]
fn as_many_releases_stay_as_keep_says() {
    let sandbox = shop("keep = 2");
    for number in 1..=4 {
        sandbox.commit(&format!("Work {number}"));
        sandbox.deploy(["staging"]).succeeds();
    }
    assert_eq!(listed(&sandbox, "releases"), ["3", "4"].map(str::to_owned).into());
    assert_eq!(current(&sandbox), sandbox.path("srv/releases/4"));
}

#[test]
fn what_is_live_is_not_built_again() {
    let sandbox = shop("build = ['echo built >> SANDBOX/log']");
    sandbox.deploy(["staging"]).succeeds();
    sandbox.deploy(["staging"]).succeeds().says("live");
    assert_eq!(fs::read_to_string(sandbox.path("log")).expect("it was built"), "built\n");
    sandbox.deploy(["staging", "--rebuild"]).succeeds();
    assert_eq!(fs::read_to_string(sandbox.path("log")).expect("it was built"), "built\nbuilt\n");
    assert_eq!(current(&sandbox), sandbox.path("srv/releases/2"));
}

#[test]
fn two_environments_on_one_machine_keep_apart() {
    let sandbox = Sandbox::shop(
        r#"
        [environments.staging]
        swap   = { "requirements.txt" = "-r requirements/staging.txt" }
        target = { server = "local", path = "SANDBOX/srv/{{ environment }}" }
        [environments.production]
        swap   = { "requirements.txt" = "-r requirements/production.txt" }
        target = { server = "local", path = "SANDBOX/srv/{{ environment }}" }
        "#,
    );
    sandbox.deploy(["staging"]).succeeds();
    sandbox.deploy(["production"]).succeeds();
    assert_eq!(served(&sandbox, "staging/current/requirements.txt"), "-r requirements/staging.txt\n");
    assert_eq!(served(&sandbox, "production/current/requirements.txt"), "-r requirements/production.txt\n");
}

#[test]
fn a_reader_never_sees_half_a_release() {
    let sandbox = shop("keep = 100\nbuild = ['cp version built']");
    for number in 0..40 {
        sandbox.write(&format!("files/{number}"), "a file\n");
    }
    sandbox.write("version", "0\n");
    sandbox.commit("Version 0");
    sandbox.deploy(["staging"]).succeeds();

    let (over, root) = (AtomicBool::new(false), sandbox.path("srv"));
    let looks = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut looks = 0;
            while !over.load(Ordering::SeqCst) {
                let release = root.join("current").canonicalize().expect("current always names a release");
                let version = fs::read_to_string(release.join("version")).expect("a whole release");
                let built = fs::read_to_string(release.join("built")).expect("a release that was built");
                assert_eq!(version, built);
                assert_eq!(fs::read_dir(release.join("files")).expect("a whole release").count(), 40);
                looks += 1;
            }
            looks
        });
        for number in 1..=6 {
            sandbox.write("version", &format!("{number}\n"));
            sandbox.commit(&format!("Version {number}"));
            sandbox.deploy(["staging"]).succeeds();
        }
        over.store(true, Ordering::SeqCst);
        reader.join().expect("the reader saw whole releases only")
    });
    assert!(looks > 0);
    assert_eq!(served(&sandbox, "current/version"), "6\n");
}

#[test]
fn a_release_that_another_was_switched_over_is_shipped_again() {
    let sandbox = shop("reload = 'grep --quiet shop shop.py'");
    sandbox.deploy(["staging"]).succeeds();
    let first = sandbox.repository().head();
    sandbox.write("shop.py", "broken\n");
    sandbox.commit("Second");
    sandbox.deploy(["staging"]).fails_with(1);
    assert_eq!(served(&sandbox, "current/shop.py"), "broken\n");
    sandbox.deploy(["staging", "--ref", &first]).succeeds();
    assert_eq!(served(&sandbox, "current/shop.py"), "print('shop')\n");
    sandbox.deploy(["staging", "--ref", &first]).succeeds().says("live already");
}
