//! Shipping to a git remote: the release commit has the right content, lies on top of what the target has, and
//! nothing of the user's repository is touched by making it.

use crate::support::Sandbox;

pub(crate) const STAGING: &str = r#"
[environments.staging]
target = { git = "staging" }
swap   = { "requirements.txt" = "-r requirements/staging.txt" }
"#;

#[test]
fn the_first_release_is_a_root_commit_with_the_swap() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    let before = sandbox.picture();
    sandbox.deploy(["staging"]).succeeds();
    before.assert_unchanged();

    let (target, head) = (sandbox.target("staging"), sandbox.repository().head());
    let shipped = target.tip("main").expect("a release");
    assert_eq!(target.parents(&shipped), [""; 0]);
    assert_eq!(target.files(&shipped), sandbox.repository().files(&head));
    assert_eq!(target.file(&shipped, "requirements.txt"), "-r requirements/staging.txt\n");
    assert_eq!(target.file(&shipped, "shop.py"), "print('shop')\n");
    assert_eq!(target.trailer(&shipped, "Source"), head);
    assert_eq!(target.trailer(&shipped, "Environment"), "staging");
    assert_eq!(target.trailer(&shipped, "Release"), "1");
    assert_ne!(target.trailer(&shipped, "Run"), "");
}

#[test]
fn each_environment_gets_its_own_content() {
    let sandbox = Sandbox::shop(
        r#"
        [environments.staging]
        target = { git = "SANDBOX/remotes/staging.git" }
        swap   = { "requirements.txt" = "-r requirements/{{ environment }}.txt" }
        [environments.production]
        target = { git = "SANDBOX/remotes/production.git", branch = "live" }
        swap   = { "requirements.txt" = "-r requirements/{{ environment }}.txt" }
        "#,
    )
    .remote("staging")
    .remote("production");
    sandbox.deploy(["staging"]).succeeds();
    sandbox.deploy(["production"]).succeeds();
    let (staging, production) = (sandbox.target("staging"), sandbox.target("production"));
    assert_eq!(staging.file("main", "requirements.txt"), "-r requirements/staging.txt\n");
    assert_eq!(production.file("live", "requirements.txt"), "-r requirements/production.txt\n");
    assert_eq!(production.tip("main"), None);
}

#[test]
fn two_environments_are_deployed_one_after_the_other() {
    let sandbox = Sandbox::shop(
        r#"
        [environments.staging]
        target = { git = "staging" }
        [environments.production]
        target  = { git = "production" }
        protect = { after = "staging" }
        "#,
    )
    .remote("staging")
    .remote("production");
    sandbox.deploy(["staging", "production"]).succeeds();
    assert!(sandbox.target("production").tip("main").is_some());

    sandbox.commit("Second");
    let production = sandbox.target("production").tip("main");
    sandbox.target("staging").hook("pre-receive", "exit 1");
    sandbox.deploy(["staging", "production"]).fails();
    assert_eq!(sandbox.target("production").tip("main"), production, "the second only if the first is live");
}

#[test]
fn every_release_lies_on_the_one_before() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    let target = sandbox.target("staging");
    target.git(["config", "receive.denyNonFastForwards", "true"]);
    let mut before = Vec::new();
    for number in 1..=4 {
        sandbox.write("shop.py", &format!("print({number})\n"));
        let source = sandbox.commit("Work");
        sandbox.deploy(["staging"]).succeeds();
        let shipped = target.tip("main").expect("a release");
        assert_eq!(target.parents(&shipped), before);
        assert_eq!(target.trailer(&shipped, "Source"), source);
        assert_eq!(target.trailer(&shipped, "Release"), number.to_string());
        before = vec![shipped];
    }
}

#[test]
fn what_is_live_is_not_shipped_again() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    sandbox.deploy(["staging"]).succeeds();
    let target = sandbox.target("staging");
    let shipped = target.tip("main").expect("a release");
    target.hook("pre-receive", "exit 1");
    sandbox.deploy(["staging"]).succeeds().says("live");
    assert_eq!(target.tip("main").as_ref(), Some(&shipped));

    target.unhook("pre-receive");
    sandbox.deploy(["staging", "--rebuild"]).succeeds();
    let again = target.tip("main").expect("a release");
    assert_eq!(target.parents(&again), [shipped.as_str()]);
    let tree = |commit: &str| target.git(["rev-parse", &format!("{commit}^{{tree}}")]);
    assert_eq!(tree(&again), tree(&shipped));
}

#[test]
fn another_swap_makes_another_release_of_the_same_commit() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    sandbox.deploy(["staging"]).succeeds();
    let sandbox =
        sandbox.tasks(&STAGING.replace("-r requirements/staging.txt", "-r requirements/production.txt"));
    sandbox.deploy(["staging"]).succeeds();
    let target = sandbox.target("staging");
    assert_eq!(target.file("main", "requirements.txt"), "-r requirements/production.txt\n");
    assert_eq!(target.trailer("main", "Release"), "2");
}

#[test]
fn a_swap_has_four_forms() {
    let sandbox = Sandbox::shop(
        r#"
        [environments.staging]
        target = { git = "staging" }

        [environments.staging.swap]
        "requirements.txt"        = { from = "requirements/base.txt" }
        "shop.py"                 = "print('a line')"
        "requirements/dev.txt"    = { remove = true }
        "config/settings/site.py" = { text = "no newline at the end" }
        "empty"                   = { text = "" }
        "bytes"                   = { text = "\r\n\t{{ environment }} ü\r\n" }
        "#,
    )
    .remote("staging");
    sandbox.deploy(["staging"]).succeeds();
    let target = sandbox.target("staging");
    assert_eq!(target.file("main", "requirements.txt"), "django==5.2\n");
    assert_eq!(target.file("main", "shop.py"), "print('a line')\n");
    assert_eq!(target.file("main", "config/settings/site.py"), "no newline at the end");
    assert_eq!(target.file("main", "empty"), "");
    assert_eq!(target.file("main", "bytes"), "\r\n\tstaging ü\r\n");
    assert!(!target.files("main").contains(&"requirements/dev.txt".to_owned()));
    assert!(target.files("main").contains(&"requirements/base.txt".to_owned()));
}

#[test]
fn swapped_bytes_are_exactly_ours() {
    let sandbox = Sandbox::shop(
        r#"
        [environments.staging]
        target = { git = "staging" }
        swap   = { "shop.py" = { text = "one\r\ntwo\n$Id$\n" } }
        "#,
    )
    .file(".gitattributes", "* text=auto eol=crlf ident filter=shout\n")
    .remote("staging");
    for (key, value) in
        [("core.autocrlf", "true"), ("filter.shout.clean", "tr a-z A-Z"), ("filter.shout.required", "true")]
    {
        sandbox.repository().git(["config", key, value]);
    }
    sandbox.commit("Filters");
    sandbox.deploy(["staging"]).succeeds();
    assert_eq!(sandbox.target("staging").file("main", "shop.py"), "one\r\ntwo\n$Id$\n");
}

#[test]
fn names_may_hold_anything() {
    let names = [
        "two words.txt",
        "it's \"quoted\".txt",
        "ünï-代码.txt",
        "back\\slash.txt",
        "$(touch pwned).txt",
        "-r",
        "a\tb",
        "deep/er/and deeper/ü.txt",
    ];
    let keys: Vec<String> = names.iter().map(|name| format!("{name:?} = \"swapped\"")).collect();
    let tasks = format!(
        "[environments.staging]\ntarget = {{ git = \"staging\" }}\n[environments.staging.swap]\n{}\n",
        keys.join("\n")
    );
    let mut sandbox = Sandbox::shop(&tasks).remote("staging");
    for name in &names[..6] {
        sandbox = sandbox.file(name, "original\n");
    }
    sandbox.commit("Names");
    let before = sandbox.picture();
    sandbox.deploy(["staging"]).succeeds();
    before.assert_unchanged();
    let target = sandbox.target("staging");
    for name in names {
        assert_eq!(target.file("main", name), "swapped\n", "{name}");
    }
}

#[test]
fn modes_and_links_stay() {
    let sandbox = Sandbox::shop(
        r#"
        [environments.staging]
        target = { git = "staging" }
        swap   = { "start" = "exec python shop.py" }
        "#,
    )
    .remote("staging");
    sandbox.executable("shop/start", "#!/bin/sh\n");
    sandbox.executable("shop/stop", "#!/bin/sh\n");
    sandbox.link("latest", "shop.py");
    sandbox.commit("Modes");
    sandbox.deploy(["staging"]).succeeds();
    let modes = sandbox.target("staging").git(["ls-tree", "--format=%(objectmode) %(path)", "main"]);
    for entry in ["100755 start", "100755 stop", "120000 latest", "100644 shop.py", "040000 requirements"] {
        assert!(modes.lines().any(|line| line == entry), "no {entry} in:\n{modes}");
    }
}

#[test]
fn somebody_elses_commits_are_asked_about_at_first_contact() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    let foreign = sandbox.target("staging").foreign_commit("main");
    sandbox.deploy(["staging"]).fails_with(3).says("--yes");
    assert_eq!(sandbox.target("staging").tip("main").as_ref(), Some(&foreign));
    sandbox.deploy(["staging", "--yes"]).succeeds();
    let target = sandbox.target("staging");
    assert_eq!(target.parents("main"), [foreign]);
    assert!(!target.files("main").contains(&"foreign.txt".to_owned()), "the release is the source's tree");
}

#[test]
fn somebody_elses_push_after_ours_is_never_overwritten() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    sandbox.deploy(["staging"]).succeeds();
    let foreign = sandbox.target("staging").foreign_commit("main");
    sandbox.commit("Second");
    sandbox.deploy(["staging"]).fails();
    assert_eq!(sandbox.target("staging").tip("main").as_ref(), Some(&foreign));
}

#[test]
fn a_push_in_between_is_caught_by_the_target_itself() {
    let sandbox = Sandbox::shop(
        r#"
        [environments.staging]
        target = { git = "staging" }
        [tasks.deploy]
        steps = [{ run = "hold" }, { ship = true }]
        "#,
    )
    .remote("staging");
    let gate = sandbox.gate("hold");
    let running = sandbox.start(["staging"]);
    gate.wait_for_arrival();
    let foreign = sandbox.target("staging").foreign_commit("main");
    gate.open();
    running.wait().fails();
    assert_eq!(sandbox.target("staging").tip("main").as_ref(), Some(&foreign));
}

#[test]
fn a_lost_ledger_goes_on_from_the_trailers() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    sandbox.deploy(["staging"]).succeeds();
    let first = sandbox.target("staging").tip("main").expect("a release");
    sandbox.shell("rm -rf .deploy").succeeds();
    sandbox.commit("Second");
    sandbox.deploy(["staging", "--yes"]).succeeds();
    let target = sandbox.target("staging");
    assert_eq!(target.parents("main"), [first]);
    assert_eq!(target.trailer("main", "Release"), "2");
}

#[test]
fn what_the_remote_says_is_heard_and_can_fail_the_deploy() {
    let tasks = STAGING
        .replace(r#"{ git = "staging" }"#, r#"{ git = "staging", fail_on = ["Build (failed|broken)"] }"#);
    let sandbox = Sandbox::shop(&tasks).remote("staging");
    let target = sandbox.target("staging");
    target.hook("post-receive", "echo 'Build passed'");
    sandbox.deploy(["staging"]).succeeds().mentions("Build passed");
    sandbox.commit("Second");
    target.hook("post-receive", "echo 'Build failed: no such wheel'");
    sandbox.deploy(["staging"]).fails().mentions("Build failed: no such wheel");
    sandbox.deploy(["history", "staging"]).succeeds().shows("failed");
}

#[test]
fn a_push_that_the_remote_declines_fails_the_deploy() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    let target = sandbox.target("staging");
    target.hook("pre-receive", "echo 'not on Fridays'; exit 1");
    sandbox.deploy(["staging"]).fails().mentions("not on Fridays");
    assert_eq!(target.tip("main"), None);
    sandbox.deploy(["history", "staging"]).succeeds().shows("failed");
    target.unhook("pre-receive");
    sandbox.deploy(["staging"]).succeeds();
    assert!(target.tip("main").is_some());
}

#[test]
fn a_remote_that_is_not_there_fails_the_deploy() {
    let sandbox = Sandbox::shop(STAGING);
    sandbox.deploy(["staging"]).fails().says("staging");
    let sandbox = Sandbox::shop("[environments.staging]\ntarget = { git = 'SANDBOX/remotes/nowhere.git' }\n");
    sandbox.deploy(["staging"]).fails().says("nowhere.git");
}

#[test]
fn the_users_hooks_signing_and_configuration_take_no_part() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    for hook in
        ["pre-push", "pre-commit", "post-commit", "commit-msg", "reference-transaction", "post-checkout"]
    {
        sandbox.executable(&format!("shop/.git/hooks/{hook}"), "#!/bin/sh\ntouch 'SANDBOX/pwned'\nexit 1\n");
    }
    sandbox.executable("bin/watch", "#!/bin/sh\ntouch 'SANDBOX/pwned'\nexit 1\n");
    let repository = sandbox.repository();
    for (key, value) in [
        ("core.fsmonitor", "watch"),
        ("commit.gpgSign", "true"),
        ("gpg.program", "watch"),
        ("push.gpgSign", "true"),
        ("push.default", "nothing"),
        ("push.followTags", "true"),
        ("remote.staging.push", "refs/heads/*:refs/heads/*"),
        ("remote.staging.mirror", "true"),
    ] {
        repository.git(["config", key, value]);
    }
    repository.git(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "tag", "v1"]);
    sandbox.deploy(["staging"]).succeeds();
    assert!(!sandbox.path("pwned").exists(), "a program of the user's ran");
    let refs = sandbox.target("staging").git(["for-each-ref", "--format=%(refname)"]);
    assert_eq!(refs, "refs/heads/main", "one branch was pushed, and nothing else");
}

#[test]
fn a_path_beneath_the_root_is_a_path_though_it_begins_like_a_name() {
    let sandbox = Sandbox::shop("[environments.staging]\ntarget = { git = \"hosts/staging.git\" }\n");
    sandbox.repository().git(["init", "--quiet", "--bare", "--initial-branch=main", "hosts/staging.git"]);
    sandbox.deploy(["staging"]).succeeds().says("release 1 is live");
    let host = sandbox.repository_at(&sandbox.path("shop/hosts/staging.git"));
    assert_eq!(host.git(["rev-list", "--count", "main"]), "1");
    // A remote of that name comes first.
    let sandbox =
        Sandbox::shop("[environments.staging]\ntarget = { git = \"hosts/staging.git\" }\n").remote("other");
    sandbox.repository().git(["init", "--quiet", "--bare", "--initial-branch=main", "hosts/staging.git"]);
    let other = sandbox.path("remotes/other.git").display().to_string();
    sandbox.repository().git(["remote", "add", "hosts/staging.git", &other]);
    sandbox.deploy(["staging"]).succeeds();
    assert_eq!(sandbox.target("other").git(["rev-list", "--count", "main"]), "1");
    assert_eq!(sandbox.repository_at(&sandbox.path("shop/hosts/staging.git")).tip("main"), None);
}
