//! `deploy check`: what can be found without running anything, for people and for editors.

use crate::support::Sandbox;

const WASTE: &str = r#"
[vars]
used = "1"
idle = "2"
[secrets]
KEY = { env = "KEY" }
IDLE = { env = "IDLE" }
[environments.staging]
vars = { region = "eu", nowhere = "x" }
[tasks.work]
params.a = { default = "1" }
params.b = { default = "2" }
vars = { own = "{{ a }}", never = "x" }
secrets = ["KEY"]
needs = ["helper"]
run = "echo {{ used }} {{ own }} {{ region | default('') }}"
if = "environment == 'staging'"
[tasks.helper]
private = true
run = "true"
[tasks.forgotten]
private = true
run = "true"
"#;

#[test]
fn warns_of_what_is_there_for_nothing() {
    let shop = Sandbox::new().tasks(WASTE);
    let told = shop.deploy(["check"]);
    told.succeeds().prints("tasks.toml: good (1 environment, 3 tasks, 6 warnings)\n");
    for words in [
        "warning: the variable `idle` is never used",
        "the variable `nowhere` is never used",
        "the variable `never` is never used",
        "the parameter `b` of `work` is never used",
        "the secret `IDLE` is never used",
        "the private task `forgotten` is never run",
    ] {
        told.says(words);
    }
    told.never_mentions("helper").never_mentions("`a`").never_mentions("`KEY`").never_mentions("`region`");
}

#[test]
fn tells_editors_where_everything_is() {
    let shop = Sandbox::new().tasks("[tasks.\"ü\"]\nrun = 'echo {{ nmae }}'\n[vars]\nname = 'x'\n");
    let told = shop.deploy(["check", "--json"]);
    insta::assert_snapshot!(told.fails_with(2).stdout, @r#"
    [
      {
        "severity": "error",
        "message": "there is no value `nmae`",
        "places": [
          {
            "file": "tasks.toml",
            "line": 2,
            "column": 16,
            "end_line": 2,
            "end_column": 20,
            "label": "unknown name"
          }
        ],
        "help": [
          "did you mean `name`?"
        ]
      },
      {
        "severity": "warning",
        "message": "the variable `name` is never used",
        "places": [
          {
            "file": "tasks.toml",
            "line": 4,
            "column": 1,
            "end_line": 4,
            "end_column": 5,
            "label": "no text mentions it"
          }
        ],
        "help": [
          "take it out"
        ]
      }
    ]
    "#);
    let shop = Sandbox::new().tasks("[tasks.a]\nrun = 'true'\nneed = []\n");
    shop.deploy(["check", "--json"]).fails_with(2).shows("\"line\": 3").shows("did you mean `needs`?");
    let shop = Sandbox::new().tasks("[tasks.a]\nrun = 'true'\n");
    shop.deploy(["check", "--json"]).succeeds().prints("[]\n");
    Sandbox::new().deploy(["check", "--json"]).fails_with(2).says("there is no tasks.toml");
}

#[test]
fn finds_a_loop_that_only_two_tasks_together_make() {
    let shop = Sandbox::new().tasks(
        "[tasks.a]\nafter = ['b']\nrun = 'true'\n[tasks.b]\nneeds = ['c']\nrun = 'true'\n[tasks.c]\nneeds = ['a']\n",
    );
    shop.deploy(["check"]).fails_with(2).says("in a loop");
    let shop = Sandbox::new()
        .tasks("[tasks.a]\nafter = ['b']\nrun = 'true'\n[tasks.b]\nafter = ['a']\nrun = 'true'\n");
    shop.deploy(["check"]).fails_with(2).says("a -> b -> a");
}
