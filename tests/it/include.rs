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
    let shop = Sandbox::new().tasks("[tasks.x]\nrun = 'true'\ninclude = ['a.toml']\n");
    shop.deploy(["list"]).fails_with(2).says("`include` stands at the top of the file");
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

/// A project of three files: the root's, `backend/` as `backend`, and in it `db.toml` as `db`.
fn nested() -> Sandbox {
    Sandbox::new()
        .tasks(
            r#"
include = [{ path = "backend", as = "backend" }]
[vars]
colour = "red"
shape  = "round"
[settings]
shell = ["/bin/sh", "-euc"]
[environments.staging]
vars = { size = 1 }
[tasks.test]
run = "echo root test"
[tasks.lint]
run = "echo root lint"
[tasks.all]
needs = ["backend:test"]
steps = [{ task = "backend:db:migrate" }]
"#,
        )
        .file(
            "backend/tasks.toml",
            r#"
include = [{ path = "db.toml", as = "db" }]
[project]
name    = "backend"
about   = "Not said here"
default = "test"
[vars]
colour = "blue"
[tasks.test]
about   = "Test the backend"
aliases = ["t"]
needs   = ["lint"]
run     = "echo {{ colour }} {{ shape }} $(basename $PWD)"
[tasks.inner]
dir = "src"
run = "echo $(basename $PWD)"
"#,
        )
        .file("backend/src/x.py", "")
        .file(
            "backend/db.toml",
            r#"
[tasks.migrate]
needs = ["inner", "prepare"]
run   = "echo {{ colour }} in {{ environment }} $(basename $PWD)"
[tasks.prepare]
run = "echo prepared"
"#,
        )
}

#[test]
fn included_tasks_run_under_their_namespace_in_their_folder_with_their_values() {
    let sandbox = nested();
    sandbox.deploy(["backend:test", "--output=stream"]).succeeds().prints("root lint\nblue round backend\n");
    sandbox.deploy(["backend:t", "--no-deps"]).succeeds().prints("blue round backend\n");
    sandbox.deploy(["backend:inner"]).succeeds().prints("src\n");
    sandbox.deploy(["test"]).succeeds().prints("root test\n");
}

#[test]
fn an_environment_is_named_before_an_included_task() {
    let sandbox = nested();
    let ended = sandbox.deploy(["staging", "backend:db:migrate", "-j", "1", "--output=stream"]);
    // The root's colour: `db.toml` says none, and does not see that of the file which includes it.
    ended.succeeds().shows("src\n").shows("prepared\n").shows("red in staging backend\n");
    sandbox.deploy(["-e", "staging", "all", "--output=stream"]).succeeds().shows("blue round backend\n");
}

#[test]
fn names_are_looked_up_from_the_own_namespace_outwards() {
    let sandbox = Sandbox::new()
        .tasks("include = [{ path = 'a.toml', as = 'a' }]\n[tasks.x]\nrun = 'echo x'\n[tasks.y]\nrun = 'echo y'\n[tasks.z]\nrun = 'echo z'\n")
        .file(
            "a.toml",
            "include = [{ path = 'b.toml', as = 'b' }]\n[tasks.x]\nrun = 'echo a:x'\n[tasks.y]\nrun = 'echo a:y'\n",
        )
        .file(
            "b.toml",
            "[tasks.x]\nrun = 'echo a:b:x'\n[tasks.all]\nsteps = [{ task = 'x' }, { task = 'y' }, { task = 'z' }]\n[tasks.far]\nneeds = ['a:x']\n",
        );
    sandbox.deploy(["a:b:all"]).succeeds().prints("a:b:x\na:y\nz\n");
    sandbox.deploy(["a:b:far", "--output=stream"]).succeeds().prints("a:x\n");
}

#[test]
fn a_shell_holds_for_the_tasks_of_its_own_file() {
    let sandbox = Sandbox::new()
        .tasks("include = ['a.toml', 'b.toml']\n[settings]\nshell = ['echo', 'root']\n[tasks.root]\nrun = 'true'\n")
        .file("a.toml", "[settings]\nshell = ['echo', 'a']\njobs = 1\n[tasks.a]\nrun = 'true'\n")
        .file("b.toml", "[tasks.b]\nrun = 'true'\n");
    sandbox.deploy(["root"]).succeeds().prints("root true\n");
    sandbox.deploy(["a"]).succeeds().prints("a true\n");
    sandbox.deploy(["b"]).succeeds().prints("root true\n");
}

#[test]
fn the_command_of_a_value_runs_in_the_folder_of_the_file_that_says_it() {
    let sandbox = Sandbox::new()
        .tasks("include = ['sub']\n[vars]\nroot = { command = ['cat', 'name'] }\n")
        .file(
            "sub/tasks.toml",
            "[vars]\nown = { command = ['cat', 'name'] }\n[tasks.look]\nrun = 'echo {{ root }} {{ own }}'\n",
        )
        .file("name", "shop\n")
        .file("sub/name", "sub\n");
    sandbox.deploy(["look"]).succeeds().prints("shop sub\n");
}

#[test]
fn list_has_a_heading_for_each_namespace() {
    let list = nested().deploy(["list"]);
    insta::assert_snapshot!(list.succeeds().stdout, @r"
    Environments
      staging

    Tasks
      test
      lint
      all

    backend
      backend:test   Test the backend
      backend:inner

    backend:db
      backend:db:migrate
      backend:db:prepare
    ");
}

#[test]
fn show_knows_the_file_and_the_line() {
    let shown = nested().deploy(["show", "backend:t"]);
    shown
        .succeeds()
        .shows("backend:t (backend/tasks.toml:9)")
        .shows("[tasks.test]")
        .shows("Test the backend");
}

#[test]
fn a_failure_is_told_with_its_own_file() {
    let sandbox =
        Sandbox::new().tasks("include = ['ci']\n").file("ci/tasks.toml", "[tasks.bad]\nrun = 'exit 7'\n");
    sandbox.deploy(["bad"]).fails_with(7).says("ci/tasks.toml:2");
}

#[test]
fn a_file_outside_of_the_project_can_be_included() {
    let sandbox = Sandbox::new()
        .tasks("include = ['../common/tasks.toml']\n")
        .file("../common/tasks.toml", "[tasks.where]\nrun = 'basename $PWD'\n");
    sandbox.deploy(["where"]).succeeds().prints("common\n");
    let inside = sandbox.deploy_in("../common", ["-f", "../shop/tasks.toml", "where"]);
    inside.succeeds().prints("common\n");
    sandbox.write("../common/tasks.toml", "[tasks.where]\nsteps = [{ swap = { 'a.txt' = 'a' } }]\n");
    let refused = sandbox.deploy(["where"]);
    refused.fails_with(2).says("../common/tasks.toml:2:10").says("inside the project alone");
}

#[test]
fn a_swap_step_is_about_files_of_its_own_folder() {
    let sandbox = Sandbox::new()
        .tasks("include = [{ path = 'app', as = 'app' }]\n")
        .file(
            "app/tasks.toml",
            "[vars]\nkind = 'dev'\n[tasks.look]\nsteps = [{ swap = { 'a.txt' = { from = '{{ kind }}.txt' } } }, 'cat a.txt']\n",
        )
        .file("app/a.txt", "old\n")
        .file("app/dev.txt", "new\n")
        .git();
    sandbox.deploy(["app:look"]).succeeds().prints("new\n");
    assert_eq!(sandbox.read("app/a.txt"), "old\n");
}

#[test]
fn a_loop_by_another_way_is_one_too() {
    let sandbox = Sandbox::new()
        .tasks("include = ['../shop/tasks.toml']\n")
        .file("sub/tasks.toml", "include = ['back/tasks.toml']\n");
    sandbox.deploy(["check"]).fails_with(2).says("tasks.toml -> tasks.toml");
    sandbox.link("sub/back", ".");
    sandbox.write("tasks.toml", "include = ['sub']\n");
    sandbox.deploy(["check"]).fails_with(2).says("sub/tasks.toml -> sub/tasks.toml");
}

#[test]
fn a_name_that_means_nothing_is_told_with_the_nearest_one_that_is_seen() {
    let sandbox = nested();
    sandbox.write(
        "backend/db.toml",
        "[tasks.migrate]\nneeds = ['iner', 'prepar', 'lintt']\n[tasks.prepare]\nrun = 'true'\n",
    );
    let refused = sandbox.deploy(["check"]);
    refused.fails_with(2).says("backend/db.toml:2:10");
    refused.says("did you mean `inner`?").says("did you mean `prepare`?").says("did you mean `lint`?");
    sandbox.write("tasks.toml", "include = [{ path = 'a.toml', as = 'a' }]\n[tasks.x]\nneeds = ['build']\n");
    sandbox.write("a.toml", "[tasks.build]\nrun = 'true'\n");
    sandbox.deploy(["check"]).fails_with(2).says("did you mean `a:build`?");
    sandbox.write("tasks.toml", "include = [{ path = 'a.toml', as = 'a' }]\n");
    sandbox.deploy(["a:biuld"]).fails_with(2).says("did you mean `a:build`?");
}

#[test]
fn an_included_file_says_what_it_requires() {
    let sandbox =
        Sandbox::new().tasks("include = ['a.toml']\n").file("a.toml", "[project]\nrequires = '999.0.0'\n");
    sandbox.deploy(["check"]).fails_with(2).says("999.0.0").says("a.toml:2:12");
}

#[test]
fn files_that_grow_without_bound_are_refused() {
    let sandbox = Sandbox::new();
    for depth in 0..12 {
        let inner = format!("f{}.toml", depth + 1);
        let text =
            format!("include = [{{ path = '{inner}', as = 'a' }}, {{ path = '{inner}', as = 'b' }}]\n");
        sandbox.write(&format!("f{depth}.toml"), &text);
    }
    sandbox.write("f12.toml", "[tasks.x]\nrun = 'true'\n");
    sandbox.deploy(["-f", "f0.toml", "check"]).fails_with(2).says("more than 1000 files");
}

#[test]
fn the_roots_dotenv_holds_for_all_and_that_of_a_file_for_its_own() {
    let shop = Sandbox::new()
        .file(".env", "A=root\nB=root\n")
        .file("sub/.env", "B=sub\n")
        .file("sub/tasks.toml", "[settings]\ndotenv = '.env'\n[tasks.in]\nrun = 'echo $A $B {{ env.B }}'\n")
        .tasks("include = ['sub']\n[settings]\ndotenv = '.env'\n[tasks.out]\nrun = 'echo $A $B'\n");
    shop.deploy(["in"]).succeeds().prints("root sub sub\n");
    shop.deploy(["out"]).succeeds().prints("root root\n");
}

#[test]
fn the_env_of_settings_holds_for_the_tasks_of_its_file() {
    let shop = Sandbox::new()
        .env("B", "caller")
        .file("sub/tasks.toml", "[settings.env]\nC = 'sub'\n[tasks.in]\nrun = 'echo $A $B $C'\n")
        .tasks(
            r#"
            include = ["sub"]
            [settings.env]
            A = "{{ project }}"
            B = "root"
            C = "root"
            [environments.staging]
            env = { B = "staging" }
            [tasks.out]
            env = { C = "task" }
            run = "echo $A $B $C"
            "#,
        );
    shop.deploy(["in"]).succeeds().prints("shop root sub\n");
    shop.deploy(["out"]).succeeds().prints("shop root task\n");
    shop.deploy(["staging", "in"]).succeeds().prints("shop staging sub\n");
    shop.deploy(["show", "out", "--env"]).succeeds().shows("the settings, not the caller");
}
