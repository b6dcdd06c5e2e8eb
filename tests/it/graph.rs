//! `deploy graph`: what needs what, for a terminal, for graphviz, for Markdown and as a picture. What other programs
//! read is read by them here: `dot` and `xmllint`.

use std::io::Write;
use std::process::Stdio;

use crate::support::Sandbox;

const SHOP: &str = r#"
[project]
name = "shop"

[environments.staging]
target = { git = "dokku@paas.example.com:staging" }
needs  = ["keys"]

[environments.production]
target = { git = "dokku@paas.example.com:shop" }
deploy = "release"
needs  = [{ task = "deploy", environment = "staging" }, { task = "smoke", environment = "staging" }]

[tasks.deploy]
needs = ["test", "build"]
steps = ["ship", { task = "notify" }]

[tasks.release]
needs = ["test", "build"]
steps = ["ship", { task = "notify" }]

[tasks.test]
after = ["lint"]
run   = "true"

[tasks.build]
needs = ["assets"]
run   = "true"

[tasks.lint]
run = "true"

[tasks.assets]
run = "true"

[tasks.keys]
run = "true"

[tasks.shell]
run = "true"

[tasks.smoke]
only = ["staging"]
run  = "true"

[tasks.notify]
private = true
run     = "true"
"#;

/// Every kind of loop: of needs, through an environment's needs, of calls, and with `after`.
const LOOPS: &str = r#"
[environments.staging]
target = { git = "x" }
needs  = ["migrate"]

[tasks.deploy]
needs = ["build"]
run   = "true"

[tasks.migrate]
needs = ["deploy"]
run   = "true"

[tasks.build]
needs = ["generate"]
run   = "true"

[tasks.generate]
needs = ["tools"]
run   = "true"

[tasks.tools]
needs = ["generate"]
run   = "true"

[tasks.a]
steps = [{ task = "b" }]

[tasks.b]
needs = ["a"]
run   = "true"

[tasks.first]
after = ["second"]
run   = "true"

[tasks.second]
needs = ["first"]
run   = "true"
"#;

#[test]
fn the_tree_shows_each_task_below_what_needs_it() {
    let sandbox = Sandbox::new().tasks(SHOP);
    sandbox.deploy(["graph"]).succeeds().prints(
        "\
production (environment)
├── staging (environment)
│   ├── keys
│   └── deploy (deploys)
│       ├── test
│       │   └── lint (after)
│       ├── build
│       │   └── assets
│       └── notify (private, called)
├── smoke (only staging, in staging)
└── release (deploys)
    ├── test (*)
    ├── build (*)
    └── notify (private, called)
lint
shell
",
    );
}

#[test]
fn names_show_what_a_run_of_them_would_need() {
    let sandbox = Sandbox::new().tasks(SHOP);
    let staging = "\
staging (environment)
├── keys
└── deploy (deploys)
    ├── test
    ├── build
    │   └── assets
    └── notify (private, called)
";
    sandbox.deploy(["graph", "staging"]).succeeds().prints(staging);
    sandbox.deploy(["graph", "--environment", "staging"]).succeeds().prints(staging);
    sandbox.deploy(["graph", "staging", "deploy"]).succeeds().prints(staging);
    sandbox.deploy(["graph", "staging", "build"]).succeeds().prints("build\n└── assets\n");
    sandbox.deploy(["graph", "test", "lint", "test"]).succeeds().prints("test\n└── lint (after)\nlint\n");
    sandbox.deploy(["graph", "stagign", "tset"]).fails_with(2).says("`staging`").says("`test`");
}

#[test]
fn a_loop_is_shown_and_marked() {
    let sandbox = Sandbox::new().tasks(LOOPS);
    sandbox.deploy(["graph"]).succeeds().prints(
        "\
staging (environment)
├── migrate (loop)
│   └── deploy (loop)
│       └── build
│           └── generate
│               └── tools (loop)
│                   └── generate (loop) (*)
└── deploy (deploys) (loop) (*)
second
└── first (loop)
    └── second (after) (loop)
a
└── b (called) (loop)
    └── a (loop) (*)
",
    );
    for (format, mark) in
        [("dot", "\"tools\" -> \"generate\" [color="), ("mermaid", "linkStyle"), ("svg", "a loop")]
    {
        sandbox.deploy(["graph", "--format", format]).succeeds().shows(mark);
    }
    // The same loops are why nothing of it runs.
    for name in ["staging", "tools", "a", "second"] {
        sandbox.deploy(["plan", name]).fails_with(2).says("loop");
    }
}

#[test]
fn what_only_looks_like_a_loop_is_not_marked() {
    let sandbox = Sandbox::new().tasks(
        "[environments.staging]\ntarget = { git = 'x' }\n[environments.production]\ntarget = { git = 'y' }\n\
         needs = [{ task = 'deploy', environment = 'staging' }, 'keys']\n[tasks.deploy]\nsteps = ['ship']\n\
         [tasks.keys]\nneeds = [{ task = 'deploy', environment = 'staging' }]\nrun = 'true'\n\
         [tasks.x]\nafter = ['y']\nrun = 'true'\n[tasks.y]\nsteps = [{ task = 'x' }]\n",
    );
    sandbox.deploy(["graph"]).succeeds().shows("keys").never_mentions("loop");
}

#[test]
fn looking_needs_no_repository_and_leaves_nothing_behind() {
    let sandbox = Sandbox::new().tasks(SHOP).env("PATH", "/nowhere");
    for format in ["tree", "dot", "mermaid", "svg"] {
        sandbox.deploy(["graph", "--format", format]).succeeds();
    }
    assert!(!sandbox.has(".deploy"));
}

#[test]
fn mermaid_gets_every_node_and_edge() {
    let sandbox = Sandbox::new().tasks(
        "[environments.staging]\ntarget = { git = 'x' }\n[tasks.deploy]\nneeds = ['__größe__', { task = 'a_b', environment = 'staging' }]\n\
         after = ['a_b']\nsteps = [{ task = 'a_b' }]\n[tasks.'__größe__']\nprivate = true\nrun = 'true'\n[tasks.a_b]\nrun = 'true'\n",
    );
    sandbox.deploy(["graph", "--format", "mermaid"]).succeeds().prints(
        "\
flowchart LR
  n0([\"staging\"]):::environment
  n1[\"deploy\"]
  n2[\"#95;#95;größe#95;#95;\"]:::private
  n3[\"a_b\"]
  n0 ==>|\"deploys\"| n1
  n1 --> n2
  n1 -->|\"in staging\"| n3
  n1 -->|\"calls\"| n3
  n1 -.->|\"after\"| n3
  classDef environment fill:#ddf4ff,stroke:#0969da,color:#0550ae
  classDef private stroke-dasharray:4 3
",
    );
}

#[test]
fn graphviz_reads_what_is_for_it() {
    for tasks in [SHOP, LOOPS] {
        let sandbox = Sandbox::new()
            .tasks(&format!("{tasks}\n[tasks.'größe-表示_1.0']\nneeds = ['deploy']\nrun = 'true'\n"));
        let dot = sandbox.deploy(["graph", "--format", "dot"]);
        let drawn = filtered(&sandbox, "dot", &["-Tplain"], &dot.succeeds().stdout);
        let count = |kind: &str| drawn.lines().filter(|line| line.starts_with(kind)).count();
        let declared = dot.stdout.lines().filter(|line| line.starts_with("  \"") && !line.contains(" -> "));
        assert_eq!(count("node"), declared.count(), "{drawn}");
        assert_eq!(count("edge"), dot.stdout.matches(" -> ").count(), "{drawn}");
        assert!(drawn.contains("größe-表示_1.0"), "{drawn}");
    }
}

#[test]
fn the_picture_is_xml_with_every_name_and_edge() {
    for tasks in [SHOP, LOOPS] {
        let sandbox = Sandbox::new().tasks(&tasks.replace("name = \"shop\"", "name = '<\"a & b\">'"));
        let svg = sandbox.deploy(["graph", "--format", "svg"]);
        let svg = &svg.succeeds().stdout;
        let count = |path: &str| {
            let count = filtered(&sandbox, "xmllint", &["--xpath", &format!("count({path})"), "-"], svg);
            count.trim().parse::<usize>().expect("a number")
        };
        let dot = sandbox.deploy(["graph", "--format", "dot"]).stdout;
        assert_eq!(count("//*[local-name()='path']/*[local-name()='title']"), dot.matches(" -> ").count());
        for name in ["staging", "deploy", "build"] {
            assert_eq!(count(&format!("//*[local-name()='text'][.='{name}']")), 1, "{name}\n{svg}");
        }
        assert!(!svg.contains("NaN") && !svg.contains("inf,"), "{svg}");
    }
}

#[test]
fn the_picture_of_nothing_is_a_picture() {
    let sandbox = Sandbox::new().tasks("");
    let svg = sandbox.deploy(["graph", "--format", "svg"]);
    filtered(&sandbox, "xmllint", &["--noout", "-"], &svg.succeeds().stdout);
    sandbox.deploy(["graph"]).succeeds().prints("");
}

#[test]
fn any_number_of_tasks_is_shown_and_none_goes_off_the_screen() {
    let sandbox = Sandbox::new().tasks(&chain(100_000));
    let tree = sandbox.deploy(["graph"]);
    tree.succeeds().shows("t99999\n└── t99998\n    └── t99997\n").shows(" t0\n");
    assert!(tree.stdout.lines().all(|line| line.chars().count() < 100), "the tree grows off the screen");
    // What lies too deep is named once more where it goes on.
    assert!(tree.stdout.lines().count() < 110_000);
    let sandbox = sandbox.tasks(&chain(10_000));
    for format in ["dot", "mermaid", "svg"] {
        sandbox.deploy(["graph", "--format", format]).succeeds().shows("t5000");
    }
}

/// Tasks of which each needs the one before.
fn chain(length: usize) -> String {
    let links = (1..length).map(|n| format!("[tasks.t{n}]\nneeds = ['t{}']\nrun = 'true'\n", n - 1));
    format!("[tasks.t0]\nrun = 'true'\n{}", links.collect::<String>())
}

#[test]
fn many_ways_to_a_task_are_not_walked_one_by_one() {
    // Each task needs the three before it: some 10^26 ways lead to the first.
    let tasks = (3..100)
        .map(|n| format!("[tasks.t{n}]\nneeds = ['t{}', 't{}', 't{}']\nrun = 'true'\n", n - 1, n - 2, n - 3));
    let first = ["t0", "t1", "t2"].map(|name| format!("[tasks.{name}]\nrun = 'true'\n"));
    let sandbox = Sandbox::new().tasks(&(first.concat() + &tasks.collect::<String>()));
    let tree = sandbox.deploy(["graph"]);
    assert!(tree.succeeds().stdout.lines().count() < 400, "{tree}");
    sandbox.deploy(["graph", "--format", "svg"]).succeeds();
}

/// What a program makes of a text.
#[track_caller]
fn filtered(sandbox: &Sandbox, program: &str, arguments: &[&str], text: &str) -> String {
    let mut command = sandbox.command(program, arguments);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}; tests/run installs it"));
    let mut stdin = child.stdin.take().expect("a pipe");
    let text = text.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = child.wait_with_output().expect("a child of ours");
    writer.join().expect("no panic").expect("the text is read");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.is_empty(), "{program}: {told}");
    String::from_utf8(output.stdout).expect("UTF-8")
}
