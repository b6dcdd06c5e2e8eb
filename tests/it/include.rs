//! `include`: tasks of other files, with namespaces, folders, and variables of their own.

use crate::support::Sandbox;

fn shop() -> Sandbox {
    Sandbox::new()
        .file(
            "backend/tasks.toml",
            r#"
include = [{ path = "db", as = "db" }]
[settings]
shell = ["bash", "-euc"]
dotenv = [".env"]
[vars]
who = "backend"
[tasks.build]
aliases = ["b"]
needs = ["db:migrate", "lint"]
run = "pwd; echo ${BASH_VERSION:+bash} {{ who }} {{ region }} $LEVEL"
[tasks.test]
dir = "deep"
needs = ["build", "fmt"]
steps = ["pwd", { task = "build" }]
[tasks.fmt]
run = "echo backend fmt"
"#,
        )
        .file("backend/.env", "LEVEL=high\n")
        .file("backend/deep/a", "")
        .file(
            "backend/db/tasks.toml",
            r#"
[tasks.migrate]
needs = ["fmt"]
run = "pwd; echo migrate"
"#,
        )
        .file(
            "ci/tasks.toml",
            r#"
[environments.staging]
vars = { region = "us" }
[tasks.lint]
about = "Look at the style"
run = "echo lint $0"
"#,
        )
        .tasks(
            r#"
include = ["ci/tasks.toml", { path = "backend/tasks.toml", as = "backend" }]
[vars]
who = "root"
region = "eu"
[tasks.fmt]
run = "echo root fmt"
[tasks.all]
needs = ["backend:test"]
run = "pwd; echo {{ who }}"
"#,
        )
}

#[test]
fn joins_tasks_under_a_namespace_with_folders_and_variables_of_their_own() {
    let shop = shop();
    let at = |path: &str| shop.path(path).display().to_string();
    let all = shop.deploy(["all", "-j", "1", "--output", "stream"]);
    all.succeeds();
    let lines: Vec<&str> = all.stdout.lines().collect();
    let (backend, db, deep) = (at("shop/backend"), at("shop/backend/db"), at("shop/backend/deep"));
    for (line, count) in [
        (db.as_str(), 1),
        ("migrate", 1),
        ("lint /bin/sh", 1),
        ("backend fmt", 1),
        ("root fmt", 0),
        (backend.as_str(), 2),
        (deep.as_str(), 1),
        ("bash backend eu high", 2),
        (at("shop").as_str(), 1),
        ("root", 1),
    ] {
        assert_eq!(lines.iter().filter(|found| **found == line).count(), count, "{line}\n{all}");
    }
    shop.deploy(["backend:b", "-e", "staging", "--output", "stream"])
        .succeeds()
        .shows("bash backend us high");
    shop.deploy(["staging", "backend:db:migrate"]).succeeds();
    shop.deploy_in("backend/deep", ["lint"]).fails_with(2).says("there is no task `lint`");
}

#[test]
fn is_listed_and_shown_by_whole_names() {
    let shop = shop();
    insta::assert_snapshot!(shop.deploy(["list"]).succeeds().stdout, @r"
    Environments
      staging

    Tasks
      fmt
      all
      lint  Look at the style

    backend
      backend:build
      backend:test
      backend:fmt

    backend:db
      backend:db:migrate
    ");
    let show = shop.deploy(["show", "backend:test"]);
    show.succeeds()
        .shows("backend:test (backend/tasks.toml:12)")
        .shows("dir = \"deep\"")
        .shows("Needed by all");
    shop.deploy(["backend:tset"]).fails_with(2).says("did you mean `backend:test`?");
    shop.deploy(["check"]).succeeds().shows("good (1 environment, 7 tasks)");
}

#[test]
fn refuses_what_would_override() {
    let shop = Sandbox::new()
        .file("more.toml", "[tasks.fmt]\nrun = 'true'\n")
        .tasks("include = ['more.toml']\n[tasks.fmt]\nrun = 'true'\n");
    insta::assert_snapshot!(shop.deploy(["fmt"]).fails_with(2).stderr, @r"
    error: the name `fmt` means two things
     --> tasks.toml:2:8
      |
    2 | [tasks.fmt]
      |        --- here
      |
     ::: more.toml:1:8
      |
    1 | [tasks.fmt]
      |        ^^^ there is another task of this name
      |
      = help: tasks, environments and aliases share one set of names: rename one of them
    ");
    let secrets = "[secrets]\nKEY = { env = 'KEY' }\n";
    let shop =
        Sandbox::new().file("more.toml", secrets).tasks(&format!("include = ['more.toml']\n{secrets}"));
    shop.deploy(["list"]).fails_with(2).says("the secret `KEY` is kept in two places");
}

#[test]
fn tells_a_loop_whole_and_what_can_not_be_read() {
    let shop = Sandbox::new()
        .file("a.toml", "include = ['sub/b.toml']\n")
        .file("sub/b.toml", "include = ['../tasks.toml']\n")
        .tasks("include = ['a.toml']\n");
    insta::assert_snapshot!(shop.deploy(["list"]).fails_with(2).stderr, @r"
    error: files include each other in a loop: tasks.toml -> a.toml -> sub/b.toml -> tasks.toml
     --> tasks.toml:1:12
      |
    1 | include = ['a.toml']
      |            ^^^^^^^^ in tasks.toml
      |
     ::: a.toml:1:12
      |
    1 | include = ['sub/b.toml']
      |            ------------ in a.toml
      |
     ::: sub/b.toml:1:12
      |
    1 | include = ['../tasks.toml']
      |            --------------- in sub/b.toml
      |
      = help: take one of them out
    ");
    let shop = Sandbox::new().tasks("include = ['no/such.toml', 'twice.toml', 'twice.toml']\n");
    let shop = shop.file("twice.toml", "[tasks.x]\nrun = 3\n[tasks.y]\nruns = ''\n");
    let told = shop.deploy(["list"]);
    told.fails_with(2).says("`no/such.toml` can't be included: there is no such file");
    told.says("`twice.toml` is included twice").says("twice.toml:2").says("twice.toml:4:1");
    let shop = Sandbox::new()
        .tasks("include = [{ path = '{{ x }}.toml' }, { path = 'a', as = ':' }, { as = 'x' }]\n");
    let told = shop.deploy(["list"]);
    told.fails_with(2).says("as it is").says("can't be a namespace").says("an include needs `path`");
}

#[test]
fn keeps_environments_out_of_namespaces_and_swaps_inside() {
    let shop = Sandbox::new()
        .file("web/tasks.toml", "[environments.x]\n")
        .tasks("include = [{ path = 'web', as = 'web' }]\n");
    shop.deploy(["list"]).fails_with(2).says("a file under a namespace can't have environments");
    let shop = Sandbox::new()
        .file("web/conf", "mine\n")
        .file("web/other", "other\n")
        .file(
            "web/tasks.toml",
            "[tasks.up]\nsteps = [{ swap = { conf = { from = 'other' } } }, 'cat conf']\n",
        )
        .tasks("include = [{ path = 'web', as = 'web' }]\n");
    shop.deploy(["web:up"]).succeeds().prints("other\n");
    assert_eq!(shop.read("web/conf"), "mine\n");
}
