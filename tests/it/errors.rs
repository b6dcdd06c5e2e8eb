//! Mistakes in tasks.toml and on the command line: each is shown at its place, with the mend, and nothing runs.

use crate::support::Sandbox;

/// A file with a mistake; where it is; words that the message has to have.
type Mistake = (&'static str, &'static str, &'static [&'static str]);

const MISTAKES: [Mistake; 74] = [
    (
        "[environments.a]\n[stores.s]\nurl = 'x'\n[backups.db]\nstore = 's'\ndump = 'pg_dump {{ nmae }}'",
        "tasks.toml:6:20",
        &["`nmae`"],
    ),
    (
        "[environments.a]\n[stores.s]\nurl = 'x'\n[backups.m]\nstore = 's'\nfiles = ['/srv/media/**']",
        "tasks.toml:6:1",
        &["lies outside of the backup's folder", "dir = "],
    ),
    ("[stores.a]\nurl = 'azfile://share'", "tasks.toml:2:7", &["this is no store", "mount it"]),
    ("[stores.a]\nurl = 'spaces://b'", "tasks.toml:2:7", &["in a region", "region = \"fra1\""]),
    (
        "[stores.a]\nurl = 's3://b'\nendpoint = 'http://example.com'",
        "tasks.toml:3:13",
        &["plain http shows", "take https://"],
    ),
    ("[stores.a]\nurl = 's3://b'\nendpoint = 'minio'", "tasks.toml:3:13", &["an endpoint is an address"]),
    (
        "[secrets]\nAWS_ACCESS_KEY = { env = 'x' }\n[stores.a]\nurl = 's3://b'\nsecrets = ['AWS_ACCESS_KEY']",
        "tasks.toml:5:12",
        &["no credential of this store", "did you mean `AWS_ACCESS_KEY_ID`?"],
    ),
    (
        "[stores.a]\nurl = 's3://b'\nsecrets = ['AWS_SECRET_ACCESS_KEY']",
        "tasks.toml:3:12",
        &["there is no secret `AWS_SECRET_ACCESS_KEY`"],
    ),
    ("[backups.db]\ndump = 'x'", "tasks.toml:1:", &["`store`"]),
    (
        "[stores.offsite]\nurl = 'x'\n[backups.db]\ndump = 'x'\nstore = 'ofsite'",
        "tasks.toml:5:9",
        &["there is no store `ofsite`", "did you mean `offsite`"],
    ),
    (
        "[stores.s]\nurl = 'x'\n[backups.db]\nstore = 's'\nfiles = 'y'\nbucket = 'z'",
        "tasks.toml:6:1",
        &["a backup saves one thing", "`bucket`, beside `files`"],
    ),
    (
        "[stores.s]\nurl = 'x'\n[backups.m]\nstore = 's'\nbucket = 'uplaods'\n[stores.uploads]\nurl = 's3://b'",
        "tasks.toml:5:10",
        &["there is no store `uplaods`", "did you mean `uploads`?"],
    ),
    (
        "[environments.a]\n[stores.s]\nurl = 'x'\n[backups.m]\nstore = 's'\nbucket = 's'",
        "tasks.toml:6:10",
        &["`s` is no bucket", "dir = \"x\""],
    ),
    (
        "[environments.a]\n[stores.s]\nurl = 's3://b/backups'\n[stores.all]\nurl = 's3://b'\n[backups.m]\nstore = 's'\n\
         bucket = { store = 'all', files = 'media/**' }",
        "tasks.toml:8:20",
        &["would save backups", "another bucket"],
    ),
    (
        "[stores.s]\nurl = 'x'\n[backups.db]\nstore = 's'",
        "tasks.toml:3:",
        &["neither `dump` nor `files` nor `bucket`"],
    ),
    (
        "[stores.s]\nurl = 'x'\n[backups.db]\nstore = 's'\ndump = 'x'\nfiles = 'y'",
        "tasks.toml:6:1",
        &["a backup saves one thing"],
    ),
    (
        "[stores.s]\nurl = 'x'\n[backups.db]\nstore = 's'\ndump = 'x'\nkeep = { last = 0 }",
        "tasks.toml:6:8",
        &["`keep` keeps nothing"],
    ),
    (
        "[stores.s]\nurl = 'x'\n[backups.db]\nstore = 's'\ndump = 'x'\nrestore = 'y'\nverify = 'restore'\n\
         scratch = { create = 'z', as = 'URL' }",
        "tasks.toml:8:32",
        &["`restore` does not heed `URL`"],
    ),
    (
        "[stores.s]\nurl = 'x'\n[backups.db]\nstore = 's'\ndump = 'x'\nverify = 'restore'",
        "tasks.toml:6:10",
        &["no `scratch`"],
    ),
    ("[environments.a]\nbackups = ['db']", "tasks.toml:2:12", &["there is no backup `db`", "[backups.db]"]),
    ("[tasks.a]\nsteps = [{ restore = 'db' }]", "tasks.toml:2:22", &["there is no backup `db`"]),
    ("[hosts.web1]\nssh = '-oProxyCommand=x'", "tasks.toml:2:7", &["ssh would take it for an option"]),
    ("[hosts.web1]\nssh = 'web1 rm'", "tasks.toml:2:7", &["a blank", "ssh://"]),
    ("[hosts.web1]\nhost = 'web1'", "tasks.toml:", &["`ssh`"]),
    (
        "[hosts.web1]\nssh = 'x'\n[environments.a]\nhosts = { web = ['wbe1'] }",
        "tasks.toml:4:18",
        &["there is no host `wbe1`", "did you mean `web1`"],
    ),
    (
        "[hosts.web1]\nssh = 'x'\n[environments.a]\nhosts = { web1 = ['web1'] }",
        "tasks.toml:4:11",
        &["the name `web1` means two things"],
    ),
    (
        "[hosts.web1]\nssh = 'x'\n[environments.a]\nhosts = { web = ['web1'] }\n[tasks.a-b]\non = 'wbe'\nrun = 'x'",
        "tasks.toml:6:6",
        &["there is no host or group `wbe`", "did you mean `web`"],
    ),
    (
        "[hosts.web1]\nssh = 'x'\n[environments.a]\nhosts = { web = ['web1'] }\n[environments.b]\n[tasks.c]\nonly = ['b']\non = 'web'\nrun = 'x'",
        "tasks.toml:8:6",
        &["there is no group `web` in the environment `b`"],
    ),
    ("[tasks.a]\nrun = 'x'\nbatch = 2", "tasks.toml:3:1", &["there is no `on` beside it"]),
    ("[hosts.w]\nssh = 'x'\n[tasks.a]\non = 'w'\nrun = 'x'\nbatch = '120%'", "tasks.toml:6:9", &["25%"]),
    (
        "[hosts.w]\nssh = 'x'\n[tasks.a]\non = 'w'\nrun = 'x'\ninteractive = true",
        "tasks.toml:4:6",
        &["can't be interactive", "ssh -t"],
    ),
    (
        "[tasks.a]\nsteps = [{ run = 'x', sudo = true }]",
        "tasks.toml:2:23",
        &["`sudo` is for what is done on hosts"],
    ),
    (
        "[tasks.a]\nrun = 'echo {{ host }}'",
        "tasks.toml:2:16",
        &["`host` has a value only in what is done on hosts"],
    ),
    ("[tasks.a]\nrnu = 'true'", "tasks.toml:2:1", &["`rnu`", "`run`"]),
    ("[tasks.a]\nrun = 'true'\nneed = ['b']", "tasks.toml:3:1", &["`need`", "`needs`"]),
    ("[task.a]\nrun = 'true'", "tasks.toml:1:2", &["`task`", "`tasks`"]),
    ("[environments.staging]\nswaps = {}", "tasks.toml:2:1", &["`swaps`", "`swap`"]),
    (
        "[environments.staging]\ntarget = { git = 'x', brnach = 'y' }",
        "tasks.toml:2:23",
        &["`brnach`", "`branch`"],
    ),
    (
        "[environments.staging]\ntarget = { git = 'ssh://paas/x', token = 'KEY' }\n[secrets]\nKEY = { env = 'KEY' }",
        "tasks.toml:2:34",
        &["a token is for https", "ssh shows keys"],
    ),
    (
        "[environments.staging]\ntarget = { git = 'http://paas/x', token = 'KEY' }\n[secrets]\nKEY = { env = 'KEY' }",
        "tasks.toml:2:35",
        &["plain http shows a token", "https://"],
    ),
    (
        "[environments.staging]\ntarget = { git = 'https://paas/x', token = '0b5c-77' }",
        "tasks.toml:2:44",
        &["the name of a secret", "[secrets] TOKEN = { env"],
    ),
    (
        "[environments.staging]\ntarget = { git = 'https://paas/x', user = 'ada' }",
        "tasks.toml:2:36",
        &["`user`", "token = "],
    ),
    (
        "[environments.staging]\ntarget = { digitalocean = 'shop', token = 'KEY' }\n[secrets]\nKEY = { env = 'KEY' }",
        "tasks.toml:2:12",
        &["builds a branch, and can't be told a commit", "push = { remote"],
    ),
    (
        "[environments.staging]\ntarget = { render = 'srv-1' }",
        "tasks.toml:2:1",
        &["the `render` target of `staging` needs `token`"],
    ),
    (
        "[environments.staging]\ntarget = { render = 'srv-1', token = 'KEY' }",
        "tasks.toml:2:38",
        &["KEY", "[secrets]"],
    ),
    (
        "[environments.staging]\ntarget = { divio = 'a', token = 'K', cancel = true, push = { remote = 'o', branch = 'b' } }",
        "tasks.toml:2:38",
        &["`cancel`"],
    ),
    (
        "[environments.staging]\ntarget = { pythonanywhere = 'a.b', token = 'K', path = 'p', ssh = 'pa' }\n[secrets]\nK = { env = 'K' }",
        "tasks.toml:2:67",
        &["names no user", "ssh = \"USER@"],
    ),
    (
        "[environments.staging]\nhealth = { url = 'http://x', contain = 'y' }",
        "tasks.toml:2:30",
        &["`contain`", "`contains`"],
    ),
    (
        "[environments.staging]\nprotect = { branch = ['main'] }",
        "tasks.toml:2:13",
        &["`branch`", "`branches`"],
    ),
    ("[settings]\njob = 2", "tasks.toml:2:1", &["`job`", "`jobs`"]),
    ("[project]\nnmae = 'x'", "tasks.toml:2:1", &["`nmae`", "`name`"]),
    (
        "[tasks.a]\nsteps = [{ run = 'true', allow_failures = true }]",
        "tasks.toml:2:26",
        &["`allow_failures`", "`allow_failure`"],
    ),
    ("[tasks.a]\nneeds = 3", "tasks.toml:2:9", &[]),
    ("[tasks.a]\nrun = true", "tasks.toml:2:7", &[]),
    ("[tasks.a]\nrun = ['true', 3]", "tasks.toml:2:16", &[]),
    ("tasks = 3", "tasks.toml:1:9", &[]),
    ("[tasks]\nb = 5", "tasks.toml:2:5", &[]),
    (
        "[tasks.a]\nneeds = ['bulid']\n[tasks.build]\nrun = 'true'",
        "tasks.toml:2:10",
        &["`bulid`", "did you mean `build`"],
    ),
    (
        "[environments.a]\nneeds = ['tset']\n[tasks.test]\nrun = 'true'",
        "tasks.toml:2:10",
        &["`tset`", "did you mean `test`"],
    ),
    (
        "[environments.a]\nprotect = { after = 'stagin' }\n[environments.staging]",
        "tasks.toml:2:21",
        &["`stagin`", "did you mean `staging`"],
    ),
    (
        "[environments.a]\ndeploy = 'shpi'\n[tasks.ship]\nrun = 'true'",
        "tasks.toml:2:10",
        &["`shpi`", "did you mean `ship`"],
    ),
    (
        "[tasks.a]\nsteps = [{ task = 'bb' }]\n[tasks.bbb]\nrun = 'true'",
        "tasks.toml:2:19",
        &["`bb`", "did you mean `bbb`"],
    ),
    (
        "[environments.staging]\n[tasks.a]\nneeds = ['staging']",
        "tasks.toml:3:10",
        &["there is no task `staging`", "`staging` is an environment"],
    ),
    (
        "[environments.a]\nprotect = { after = 'test' }\n[tasks.test]\nrun = 'true'",
        "tasks.toml:2:21",
        &["there is no environment `test`", "`test` is a task"],
    ),
    ("[tasks.a]\nsteps = [{ run = 'true', exec = ['true'] }]", "tasks.toml:2", &["`run`", "`exec`"]),
    ("[tasks.a]\nsteps = [{ name = 'nothing' }]", "tasks.toml:2:10", &["`run`"]),
    ("[tasks.a]\nrun = 'true'\nsteps = ['true']", "tasks.toml:", &["`run`", "`steps`"]),
    ("[tasks.staging]\nrun = 'true'\n[environments.staging]", "tasks.toml:", &["`staging`"]),
    ("[tasks.'two words']\nrun = 'true'", "tasks.toml:1:8", &["two words"]),
    ("[tasks.a]\nrun = 'true'\ntimeout = 'soon'", "tasks.toml:3:11", &["soon"]),
    ("[environments.a]\ntarget = { git = 'x', server = 'local' }", "tasks.toml:2", &["`git`", "`server`"]),
    ("[environments.a]\ntarget = { branch = 'main' }", "tasks.toml:2", &["`git`"]),
    ("[environments.a]\nswap = { '../outside' = 'x' }", "tasks.toml:2:10", &["../outside"]),
    ("[environments.a]\nswap = { 'a' = { from = 'b', text = 'c' } }", "tasks.toml:2", &["`from`", "`text`"]),
];

#[test]
fn a_mistake_is_shown_at_its_place_with_the_mend() {
    for (text, place, words) in MISTAKES {
        let sandbox = Sandbox::new().tasks(&format!("{text}\n"));
        let refused = sandbox.deploy(["check"]);
        refused.fails_with(2).says(place).says("^").prints("");
        for word in words {
            refused.says(word);
        }
    }
}

#[test]
fn all_mistakes_of_a_file_are_told_at_once() {
    let sandbox = Sandbox::new().tasks(
        r#"[settings]
jbos = 2
[tasks.build]
rnu = "true"
[tasks.test]
needs = ["biuld"]
run = "echo {{ nobody_knows }}"
[tasks.good]
run = "touch ran"
"#,
    );
    for arguments in [["check"], ["good"], ["list"]] {
        let refused = sandbox.deploy(arguments);
        refused.fails_with(2);
        for place in ["tasks.toml:2:1", "tasks.toml:4:1", "tasks.toml:6:10"] {
            refused.says(place);
        }
    }
    assert!(!sandbox.has("ran"));
}

#[test]
fn what_is_not_toml_is_shown_at_its_place() {
    for (text, place) in [
        ("[tasks.a]\nrun = 'true\n", "tasks.toml:2"),
        ("[tasks.a\nrun = 'true'\n", "tasks.toml:1"),
        ("[tasks.a]\nrun = 'true'\nrun = 'false'\n", "tasks.toml:3"),
        ("[tasks.a]\nrun = \n", "tasks.toml:2"),
    ] {
        let sandbox = Sandbox::new().tasks(text);
        sandbox.deploy(["a"]).fails_with(2).says(place).says("^");
    }
}

#[test]
fn bytes_that_are_not_text_are_refused() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.root().join("tasks.toml"), b"[tasks.a]\nrun = '\xff'\n").expect("a file");
    sandbox.deploy(["a"]).fails_with(2).says("tasks.toml").says("UTF-8");
}

#[test]
fn a_file_of_a_newer_deploy_is_refused() {
    let sandbox = Sandbox::new().tasks("[project]\nrequires = '999.0.0'\n[tasks.a]\nrun = 'touch ran'\n");
    sandbox.deploy(["a"]).fails_with(2).says("999.0.0").says("tasks.toml:2");
    assert!(!sandbox.has("ran"));
}

#[test]
fn a_missing_file_is_told_with_what_to_do() {
    let sandbox = Sandbox::new();
    sandbox.deploy(["test"]).fails_with(2).says("tasks.toml");
    sandbox.deploy(["-f", "elsewhere.toml", "check"]).fails_with(2).says("elsewhere.toml");
    sandbox.deploy(["-C", "no/such/folder", "check"]).fails_with(2).says("no/such/folder");
}

#[test]
fn an_unknown_name_on_the_command_line_is_told_with_the_nearest() {
    let sandbox = Sandbox::new().tasks("[environments.staging]\n[tasks.test]\nrun = 'touch ran'\n");
    sandbox.deploy(["tset"]).fails_with(2).says("`tset`").says("did you mean `test`");
    sandbox.deploy(["stagign"]).fails_with(2).says("`stagign`").says("did you mean `staging`");
    sandbox.deploy(["-e", "stagign", "test"]).fails_with(2).says("did you mean `staging`");
    sandbox.deploy(["staging", "tset"]).fails_with(2).says("did you mean `test`");
    sandbox.deploy(["test", "tset"]).fails_with(2).says("did you mean `test`");
    for command in ["diff", "history", "rollback", "unlock"] {
        let told = sandbox.deploy([command, "test", "--reason", "x"]);
        told.fails_with(2).says("`test` is a task").never_mentions("did you mean");
    }
    assert!(!sandbox.has("ran"), "a slip on the command line is found before anything runs");
}

#[test]
fn an_unknown_option_is_refused() {
    let sandbox = Sandbox::new().tasks("[tasks.test]\nrun = 'touch ran'\n");
    sandbox.deploy(["--no-such-option", "test"]).fails_with(2).says("--no-such-option");
    sandbox.deploy(["test", "--keep-goign"]).fails_with(2).says("--keep-goign");
    sandbox.deploy(["-j", "none", "test"]).fails_with(2).says("none");
    sandbox.deploy(["--set", "novalue", "test"]).fails_with(2).says("novalue");
    assert!(!sandbox.has("ran"));
}

#[test]
fn an_environment_with_nothing_to_deploy_is_told() {
    let sandbox = Sandbox::new().tasks("[environments.staging]\n").git();
    sandbox.deploy(["staging"]).fails_with(2).says("target");
}

#[test]
fn what_does_not_go_to_a_terminal_has_no_colours() {
    let sandbox = Sandbox::new().tasks("[tasks.a]\nrnu = 'true'\n");
    let refused = sandbox.deploy(["check"]);
    refused.fails_with(2).never_mentions("\u{1b}[");
}

#[test]
fn colours_can_be_asked_for() {
    let sandbox = Sandbox::new().tasks("[tasks.a]\nrnu = 'true'\n");
    sandbox.deploy(["--color", "always", "check"]).fails_with(2).says("\u{1b}[");
}

#[test]
fn an_empty_file_is_a_file() {
    let sandbox = Sandbox::new().tasks("");
    sandbox.deploy(["check"]).succeeds();
    sandbox.deploy(["list"]).succeeds();
}

#[test]
fn what_follows_two_dashes_is_not_dropped_in_silence() {
    let shop = Sandbox::new().tasks("[tasks.a]\nrun = 'echo ran'\n");
    shop.deploy(["a", "--", "x"]).fails_with(2).says("nothing in tasks.toml takes what follows `--`");
    let shop = Sandbox::new().tasks("[tasks.a]\nrun = 'echo {{ args }}'\n");
    shop.deploy(["a", "--", "x y", "z"]).prints("x y z\n");
}

#[test]
fn a_misspelt_run_is_told_once() {
    let told = Sandbox::new().tasks("[tasks.a]\nrnu = 'true'\n").deploy(["a"]);
    told.fails_with(2).says("did you mean `run`?").never_mentions("does nothing");
    let idle = Sandbox::new().tasks("[tasks.a]\nabout = 'nothing'\n").deploy(["a"]);
    idle.fails_with(2).says("task `a` does nothing");
}
