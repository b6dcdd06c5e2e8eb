//! Parameters of tasks: on the command line, by `with`, by the environment; their types; and the jobs they make.

use crate::support::Sandbox;

const SCALE: &str = r#"
[vars]
region = "eu"

[environments.staging]
vars = { region = "us" }

[tasks.scale]
about = "Start more of the same"
params.count = { type = "int", positional = true, min = 1, max = 9, short = "c", about = "how many" }
params.region = { default = "{{ region }}", choices = ["eu", "us", "asia"] }
params.dry = { type = "bool", short = "d" }
params.cache = { type = "bool", default = true }
params.message = { default = "", short = "m" }
run = "echo {{ count }} {{ region }} dry={{ dry }} cache={{ cache }} [{{ message }}]"

[tasks.lint]
run = "echo lint"
"#;

#[test]
fn are_given_by_place_by_name_and_by_letter() {
    let shop = Sandbox::new().tasks(SCALE);
    let plain = "3 eu dry=false cache=true []\n";
    shop.deploy(["scale", "3"]).succeeds().prints(plain);
    shop.deploy(["scale", "--count", "3"]).prints(plain);
    shop.deploy(["scale", "--count=3"]).prints(plain);
    shop.deploy(["scale", "-c", "3"]).prints(plain);
    shop.deploy(["scale", "-c3"]).prints(plain);
    shop.deploy(["scale", "-c=3"]).prints(plain);
    shop.deploy(["scale", "3", "-d", "--no-cache"]).prints("3 eu dry=true cache=false []\n");
    shop.deploy(["scale", "-dc3", "--region", "asia"]).prints("3 asia dry=true cache=true []\n");
    shop.deploy(["scale", "3", "--dry=false", "--cache=false"]).prints("3 eu dry=false cache=false []\n");
    shop.deploy(["scale", "3", "-m", "two words"]).prints("3 eu dry=false cache=true [two words]\n");
}

#[test]
fn stand_beside_deploys_own_options_environments_and_other_tasks() {
    let shop = Sandbox::new().tasks(SCALE);
    shop.deploy(["staging", "scale", "3"]).prints("3 us dry=false cache=true []\n");
    shop.deploy(["scale", "3", "--environment", "staging", "-j", "1"])
        .prints("3 us dry=false cache=true []\n");
    shop.deploy(["scale", "3", "-k", "lint", "--output", "quiet"]).succeeds();
    let both = shop.deploy(["lint", "scale", "3", "-j", "1"]);
    both.succeeds().shows("lint").shows("3 eu");
    shop.deploy(["plan", "scale", "3", "--json"]).succeeds().shows("echo 3 eu");
    shop.deploy(["scale", "3", "-n"]).succeeds().shows("echo 3 eu");
}

#[test]
fn that_do_not_fit_are_told_before_anything_runs() {
    let shop = Sandbox::new().tasks(SCALE);
    let refused = |arguments: &[&str], words: &str| {
        let line = format!("\"$DEPLOY\" lint scale {}", arguments.join(" "));
        shop.shell(&line).fails_with(2).says(words).never_mentions("lint\n");
    };
    refused(&["10"], "`count` of `scale` is a whole number from 1 to 9, not `10`");
    refused(&["x"], "is a whole number from 1 to 9, not `x`");
    refused(&["-3"], "not `-3`");
    refused(&["3", "--region", "as"], "`region` of `scale` is one of `eu`, `us`, `asia`, not `as`");
    refused(&["3", "--region", "asai"], "did you mean `asia`?");
    refused(&["3", "--regoin", "eu"], "did you mean `--region`?");
    refused(&["3", "--dry=maybe"], "`dry` of `scale` is true or false, not `maybe`");
    refused(&["3", "--no-cache=false"], "`--no-cache` of `scale` takes no value");
    refused(&["3", "--cache", "--no-cache"], "takes one value, and was given 2: `true`, `false`");
    refused(&["3", "--message"], "`--message` of `scale` wants a value");
    refused(&["3", "-m", "-x"], "looks like another flag");
    refused(&["3", "-m=-x"], "could take it for an option");
    refused(&["3", "4"], "there is no task `4`");
    refused(&["3", "-dz"], "no flag `-z`");
    let missing = shop.deploy(["scale"]);
    insta::assert_snapshot!(missing.fails_with(2).stderr, @r#"
    error: task `scale` needs `count`
      --> tasks.toml:10:8
       |
    10 | params.count = { type = "int", positional = true, min = 1, max = 9, short = "c", about = "how many" }
       |        ^^^^^ has no default
       |
       = help: deploy scale COUNT
    "#);
}

#[test]
fn are_told_by_the_help_of_their_task() {
    let help = Sandbox::new().tasks(SCALE).deploy(["scale", "--help"]);
    insta::assert_snapshot!(help.succeeds().stdout, @"
    Start more of the same

    Usage: deploy [ENVIRONMENT] scale [OPTIONS] <COUNT>

    Arguments:
      <COUNT>  how many [min: 1] [max: 9] [also: -c, --count]

    Options:
          --region <REGION>    [default: {{ region }}] [possible values: eu, us, asia]
      -d, --dry
          --no-cache           [on by default]
      -m, --message <MESSAGE>
      -h, --help               Print help

    deploy's own options may stand here too: deploy --help
    ");
}

#[test]
fn that_a_task_does_not_have_are_told_with_what_was_meant() {
    let shop = Sandbox::new().tasks(
        "[tasks.plain]\nrun = 'true'\n[tasks.test]\neach = { python = ['3.11'] }\nrun = 'echo {{ python }}'\n",
    );
    shop.deploy(["plain", "--x", "3"]).fails_with(2).says("task `plain` has no parameter `--x`");
    shop.deploy(["test", "--python", "3.11"]).fails_with(2).says("--set python=VALUE");
    shop.deploy(["help", "plain"]).succeeds().shows("Usage: deploy [ENVIRONMENT] plain");
}

#[test]
fn take_many_values_and_paths_from_where_one_stands() {
    let shop = Sandbox::new().file("web/a.css", "").tasks(
        r#"
        [tasks.format]
        params.check = { type = "bool" }
        params.files = { type = "path", positional = true, many = true, default = [] }
        run = 'for file in {{ files }}; do echo "<$file>"; done'
        [tasks.tag]
        params.words = { many = true }
        run = "printf '%s\n' {{ words }}"
        "#,
    );
    shop.deploy(["format"]).succeeds().prints("");
    shop.deploy(["format", "a b", "c", "--check", "d"]).prints("<a b>\n<c>\n<d>\n");
    let there = format!("<{}>\n</etc>\n", shop.path("shop/web/a.css").display());
    shop.deploy_in("web", ["format", "a.css", "/etc"]).prints(&there);
    shop.deploy(["tag", "--words", "one", "--words=two"]).prints("one\ntwo\n");
    shop.deploy(["tag"]).fails_with(2).says("task `tag` needs `words`");
}

#[test]
fn that_are_paths_are_meant_from_where_one_stands_wherever_the_task_runs() {
    let shop = Sandbox::new()
        .file("a.css", "root\n")
        .file("web/a.css", "web\n")
        .file("web/tasks.toml", "[tasks.cat]\nparams.path = { type = 'path' }\nrun = 'cat {{ path }}'\n")
        .tasks(
            r#"
            include = [{ path = "web", as = "web" }]
            [tasks.inside]
            params.path = { type = "path", positional = true, default = "a.css" }
            dir = "web"
            run = "cat {{ path }}"
            [tasks.step]
            params.path = { type = "path", positional = true }
            steps = [{ run = "cat {{ path }}", dir = "web" }]
            [tasks.handed]
            params.path = { type = "path", positional = true }
            steps = [{ task = "web:cat", with = { path = "{{ path }}" } }]
            "#,
        );
    for task in ["inside", "step", "handed"] {
        shop.deploy([task, "a.css"]).succeeds().prints("root\n");
    }
    shop.deploy(["web:cat", "--path", "a.css"]).succeeds().prints("root\n");
    // What the file says is meant from the folder that the task runs in.
    shop.deploy(["inside"]).succeeds().prints("web\n");
}

#[test]
fn come_from_the_environment_where_nobody_says_more() {
    let shop = Sandbox::new().env("REGION", "north").tasks(
        r#"
        [tasks.where]
        params.region = { env = "REGION", default = "south" }
        params.level = { env = "LEVEL", type = "int", default = 1 }
        run = "echo {{ region }} {{ level }}"
        [tasks.all]
        needs = [{ task = "where", with = { region = "west" } }]
        "#,
    );
    shop.deploy(["where"]).prints("north 1\n");
    shop.deploy(["where", "--region", "east"]).prints("east 1\n");
    shop.deploy(["where", "--region", "east", "--set", "region=top"]).prints("top 1\n");
    shop.deploy(["where", "--set", "level=x"]).fails_with(2).says("`level` of `where` is a whole number");
    shop.deploy(["all", "--output", "stream"]).succeeds().shows("west 1");
    let other = shop.env("LEVEL", "high");
    other.deploy(["where"]).fails_with(2).says("not `high`");
}

#[test]
fn make_jobs_of_their_own_and_the_same_ones_run_once() {
    let shop = Sandbox::new().tasks(
        r#"
        [tasks.build]
        params.arch = { choices = ["arm", "x86"] }
        params.level = { type = "int", default = 2 }
        run = "echo {{ arch }}-{{ level }} >> built"
        [tasks.all]
        needs = [
          { task = "build", with = { arch = "arm" } },
          { task = "build", with = { arch = "arm", level = "2" } },
          { task = "build", with = { arch = "x86" } },
        ]
        run = "sort built"
        "#,
    );
    let all = shop.deploy(["all", "--output", "prefixed"]);
    all.succeeds().shows("arm-2\n").shows("x86-2\n").says("3 succeeded");
    assert_eq!(shop.read("built").lines().count(), 2);
    shop.deploy(["plan", "all"]).shows("build[arch=arm]").shows("build[arch=x86]");
}

#[test]
fn that_a_need_passes_deep_in_the_graph_are_checked_first() {
    let shop = Sandbox::new().tasks(
        r#"
        [tasks.leaf]
        params.count = { type = "int", max = 3 }
        run = "touch ran"
        [tasks.middle]
        params.count = {}
        needs = [{ task = "leaf", with = { count = "{{ count }}" } }]
        run = "touch ran"
        [tasks.top]
        needs = [{ task = "middle", with = { count = 7 } }]
        [tasks.typo]
        needs = [{ task = "leaf", with = { cuont = 1 } }]
        [tasks.calls]
        steps = ["touch ran", { task = "leaf", with = { count = 9 } }]
        "#,
    );
    let deep = shop.deploy(["top"]);
    insta::assert_snapshot!(deep.fails_with(2).stderr, @r#"
    error: `count` of `leaf` is a whole number, 3 or less, not `7`
     --> tasks.toml:7:44
      |
    3 |         params.count = { type = "int", max = 3 }
      |                ----- declared here
    ...
    7 |         needs = [{ task = "leaf", with = { count = "{{ count }}" } }]
      |                                            ^^^^^
    "#);
    shop.deploy(["typo"]).fails_with(2).says("task `leaf` needs `count`");
    shop.deploy(["calls"]).fails_with(2).says("3 or less, not `9`");
    assert!(!shop.path("shop/ran").exists());
    shop.deploy(["check"]).fails_with(2).says("not `7`").says("not `9`").says("does not say it");
}

#[test]
fn that_start_with_a_dash_have_to_be_allowed() {
    let shop = Sandbox::new().tasks(
        r#"
        [tasks.tight]
        params.name = { positional = true }
        run = "echo {{ name }}"
        [tasks.wide]
        params.name = { positional = true, dashes = true }
        params.level = { type = "int", default = 0 }
        run = "echo {{ name }} {{ level }}"
        "#,
    );
    shop.deploy(["tight", "--name=-x"]).fails_with(2).says("dashes = true");
    shop.deploy(["wide", "--name=-x"]).prints("-x 0\n");
    shop.deploy(["wide", "--name", "-x", "--level", "-4"]).prints("-x -4\n");
    shop.deploy(["wide", "--name", "--level", "--level", "5"]).prints("--level 5\n");
}

#[test]
fn of_git_are_commits() {
    let shop = Sandbox::shop(
        r#"
        [tasks.compare]
        params.from = { type = "git-ref", positional = true }
        run = "git log --oneline {{ from }} -- | wc -l"
        "#,
    );
    shop.deploy(["compare", "main"]).succeeds();
    shop.deploy(["compare", "mian"]).fails_with(2).says("`from` is a git-ref").says("mian");
    shop.deploy(["compare", "--output=x"]).fails_with(2);
}

#[test]
fn have_choices_that_are_numbers_as_they_are_written() {
    let shop = Sandbox::new().tasks(
        "[tasks.x]\nparams.python = { choices = [3.10, '3.11', 4, true] }\nrun = 'echo {{ python }}'\n",
    );
    for python in ["3.10", "3.11", "4", "true"] {
        shop.deploy(["x", "--python", python]).succeeds().prints(&format!("{python}\n"));
    }
    shop.deploy(["x", "--python", "3.1"]).fails_with(2).says("one of `3.10`, `3.11`, `4`, `true`, not `3.1`");
}

#[test]
fn are_declared_so_that_they_can_be_told_apart() {
    let wrong = |declared: &str, words: &str| {
        let tasks = format!("[tasks.x]\nrun = \"true\"\n{declared}\n");
        Sandbox::new().tasks(&tasks).deploy(["list"]).fails_with(2).says(words);
    };
    wrong("params.force = {}", "`--force` is one of deploy's own flags");
    wrong("params.a = { short = \"k\" }", "`-k` is one of deploy's own flags");
    wrong("params.a-b = {}", "can't be a parameter's name");
    wrong("params.a = { short = \"x\" }\nparams.b = { short = \"x\" }", "stands for two parameters");
    wrong("params.a = { type = \"enum\" }", "without `choices`");
    wrong("params.a = { type = \"intt\" }", "did you mean \"int\"?");
    wrong("params.a = { type = \"bool\", positional = true }", "which is one flag");
    wrong("params.a = { min = 1 }", "belong to whole numbers");
    wrong("params.a = { type = \"int\", min = 3, max = 2 }", "no number is in this range");
    wrong("params.a = { type = \"int\", max = 2, default = 3 }", "a default that it does not take");
    wrong(
        "params.a = { positional = true, default = \"\" }\nparams.b = { positional = true }",
        "comes after one that need not be",
    );
    wrong(
        "params.a = { positional = true, many = true }\nparams.b = { positional = true }",
        "never be given by its place",
    );
    wrong("params.a = { type = \"bool\" }\nparams.no_a = {}", "means two things");
    wrong("params.a = {}\neach = { a = [\"1\"] }", "`a` is a parameter and in `each`");
    wrong("each = { a = [] }", "needs a list of values");
}

#[test]
fn with_a_place_may_be_called_as_a_flag_of_deploy() {
    let shop = Sandbox::new().tasks(
        r#"
        [tasks.release]
        params.version = { positional = true }
        params.output = { positional = true, default = "dist" }
        run = "echo {{ version }} {{ output }}"
        "#,
    );
    shop.deploy(["release", "1.2", "--output", "stream"]).succeeds().prints("1.2 dist\n");
    shop.deploy(["release", "1.2", "build"]).succeeds().prints("1.2 build\n");
    shop.deploy(["release", "--help"]).succeeds().shows("<VERSION>").never_mentions("[also: --version]");
}

#[test]
fn a_flag_that_is_neither_gets_the_nearest_of_both() {
    let sandbox = Sandbox::new().tasks("[tasks.t]\nparams = { count = { default = 1 } }\nrun = \"true\"\n");
    sandbox.deploy(["t", "--cuont", "2"]).fails_with(2).says("did you mean `--count`?");
    sandbox.deploy(["t", "--jbos", "3"]).fails_with(2).says("did you mean `--jobs`?");
}

#[test]
fn a_task_called_list_is_not_what_help_sends_one_to() {
    let sandbox = Sandbox::new().tasks("[tasks.list]\nrun = \"true\"\n");
    sandbox.deploy(["zzzzzz"]).fails_with(2).says("`deploy :list` shows what there is");
}
