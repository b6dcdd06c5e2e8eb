//! `inherits`: environments that are like another one, but for what they say.

use crate::support::Sandbox;

const FAMILY: &str = r#"
[environments.base]
url = "https://{{ environment }}.example.com"
vars = { region = "eu", size = "small" }
env = { LEVEL = "base", COLOUR = "base" }
swap = { "requirements.txt" = "-r requirements/staging.txt" }
needs = ["first"]
protect = { confirm = true }

[environments.staging]
inherits = "base"
vars = { size = "{{ region }}-big" }
env = { COLOUR = "staging" }

[environments.live]
inherits = "staging"
url = "https://example.com"
needs = []
swap = {}
protect = {}
target = { git = "live" }

[tasks.first]
run = "echo first"
[tasks.look]
run = "echo {{ url }} {{ region }} {{ size }} $LEVEL $COLOUR"
[tasks.deploy]
run = "echo deploy"
"#;

#[test]
fn variables_are_merged_and_the_rest_is_taken_unless_said() {
    let shop = Sandbox::new().tasks(FAMILY);
    shop.deploy(["staging", "look"]).prints("https://staging.example.com eu eu-big base staging\n");
    shop.deploy(["live", "look"]).prints("https://example.com eu eu-big base staging\n");
    shop.deploy(["plan", "staging"]).succeeds().shows("first");
    shop.deploy(["staging"]).fails_with(3);
    shop.deploy(["staging", "--yes", "--output", "stream"]).succeeds().prints("first\ndeploy\n");
}

#[test]
fn nothing_that_was_said_is_taken_even_if_it_is_empty() {
    let shop = Sandbox::shop(FAMILY).remote("live");
    let plan = shop.deploy(["plan", "live"]);
    plan.succeeds().never_mentions("echo first").never_mentions("requirements/staging.txt");
}

#[test]
fn a_loop_and_an_unknown_parent_are_told() {
    let shop = Sandbox::new().tasks(
        "[environments.a]\ninherits = 'b'\n[environments.b]\ninherits = 'c'\n[environments.c]\ninherits = 'a'\n",
    );
    let told = shop.deploy(["list"]);
    told.fails_with(2).says("environments inherit from each other in a loop: a -> b -> c -> a");
    let shop = Sandbox::new().tasks("[environments.staging]\n[environments.live]\ninherits = 'stagin'\n");
    shop.deploy(["list"]).fails_with(2).says("tasks.toml:3").says("did you mean `staging`?");
}

#[test]
fn vars_and_env_are_joined_by_name_and_the_own_ones_beat() {
    let sandbox = Sandbox::new().tasks(
        r#"
[environments.staging]
vars = { size = 1, colour = "red" }
env  = { LEVEL = "low", PLACE = "{{ environment }}" }
[environments.production]
inherits = "staging"
vars     = { size = 4 }
env      = { LEVEL = "high" }
[tasks.look]
run = 'echo {{ size }} {{ colour }} "$LEVEL" "$PLACE"'
"#,
    );
    sandbox.deploy(["staging", "look"]).succeeds().prints("1 red low staging\n");
    sandbox.deploy(["production", "look"]).succeeds().prints("4 red high production\n");
}

#[test]
fn other_keys_are_the_parents_unless_the_child_says_them() {
    let sandbox = Sandbox::new().tasks(
        r#"
[environments.staging]
url    = "https://{{ environment }}.example.com"
needs  = ["test"]
deploy = "ship"
[environments.production]
inherits = "staging"
[environments.bare]
inherits = "staging"
needs    = []
url      = "https://bare.example.com"
[tasks.test]
run = "echo tested"
[tasks.ship]
run = "echo {{ url }}"
"#,
    );
    let sandbox = sandbox.git();
    let ship = |name: &str| sandbox.deploy([name, "--output=stream", "--yes"]);
    ship("production").succeeds().prints("tested\nhttps://production.example.com\n");
    ship("bare").succeeds().prints("https://bare.example.com\n");
}

#[test]
fn an_empty_table_takes_the_parents_swap_away() {
    let sandbox = Sandbox::shop(
        r#"
[environments.staging]
target = { git = "SANDBOX/remotes/{{ environment }}.git" }
swap   = { "requirements.txt" = "-r requirements/staging.txt" }
[environments.production]
inherits = "staging"
[environments.plain]
inherits = "production"
swap     = {}
"#,
    )
    .remote("production")
    .remote("plain");
    sandbox.deploy(["production"]).succeeds();
    sandbox.deploy(["plain"]).succeeds();
    let shipped = |name: &str| sandbox.target(name).git(["show", "main:requirements.txt"]);
    assert_eq!(shipped("production").trim(), "-r requirements/staging.txt");
    assert_eq!(shipped("plain").trim(), "-r requirements/dev.txt");
}

#[test]
fn a_chain_is_followed_whatever_its_order_in_the_file() {
    let sandbox = Sandbox::new().tasks(
        r#"
[environments.c]
inherits = "b"
vars     = { three = "C" }
[environments.b]
inherits = "a"
vars     = { two = "B", three = "b" }
[environments.a]
about = "The first"
vars  = { one = "A", two = "a", three = "a" }
[tasks.look]
run = "echo {{ one }}{{ two }}{{ three }}"
"#,
    );
    sandbox.deploy(["c", "look"]).succeeds().prints("ABC\n");
    sandbox.deploy(["b", "look"]).succeeds().prints("ABb\n");
    let list = sandbox.deploy(["list"]);
    assert_eq!(list.succeeds().stdout.matches("The first").count(), 1, "`about` is not inherited: {list}");
}

#[test]
fn secrets_are_inherited_and_hidden_by_an_env_of_their_name() {
    let sandbox = Sandbox::new().tasks(
        r#"
[secrets]
TOKEN = { env = "OUTER" }
[environments.staging]
secrets = ["TOKEN"]
[environments.open]
inherits = "staging"
env      = { TOKEN = "none" }
[environments.without]
inherits = "staging"
secrets  = []
[tasks.look]
run = 'echo "${TOKEN-unset}"'
"#,
    );
    sandbox.deploy(["open", "look"]).succeeds().prints("none\n");
    sandbox.deploy(["without", "look"]).succeeds().prints("unset\n");
}

#[test]
fn a_loop_is_shown_whole() {
    let sandbox = Sandbox::new().tasks(
        "[environments.a]\ninherits = 'b'\n[environments.b]\ninherits = 'c'\n[environments.c]\ninherits = 'b'\n[environments.d]\ninherits = 'd'\n",
    );
    let refused = sandbox.deploy(["check"]);
    refused.fails_with(2).says("b -> c -> b").says("d -> d").says("tasks.toml:4:12").says("tasks.toml:8:12");
    refused.says("`c` inherits from `b`").never_mentions("a -> b");
}

#[test]
fn an_unknown_parent_is_told_with_the_nearest() {
    let sandbox = Sandbox::new()
        .tasks("[environments.staging]\n[environments.production]\ninherits = 'stagin'\n[tasks.stagin]\nrun = 'true'\n");
    let refused = sandbox.deploy(["check"]);
    refused.fails_with(2).says("tasks.toml:3:12").says("no environment `stagin`").says("`staging`");
}

#[test]
fn what_is_wrong_in_a_parent_is_told_once() {
    let sandbox = Sandbox::new().tasks(
        "[environments.a]\nneeds = ['tset']\n[environments.b]\ninherits = 'a'\n[tasks.test]\nrun = 'true'\n",
    );
    let refused = sandbox.deploy(["check"]);
    refused.fails_with(2);
    assert_eq!(refused.stderr.matches("`tset`").count(), 1, "{refused}");
}

#[test]
fn nobody_comes_after_itself_by_inheriting() {
    let sandbox = Sandbox::new().tasks(
        "[environments.production]\nprotect = { after = 'staging' }\n[environments.staging]\ninherits = 'production'\n",
    );
    sandbox.deploy(["check"]).fails_with(2).says("tasks.toml:2:21").says("after itself");
}

#[test]
fn a_variable_that_mentions_its_own_name_means_the_inherited_one() {
    let shop = Sandbox::new().tasks(
        r#"
        [vars]
        region = "z"
        [environments.a]
        vars = { region = "{{ region }}a" }
        [environments.b]
        inherits = "a"
        vars = { region = "{{ region }}b" }
        [environments.c]
        inherits = "b"
        vars = { region = "{{ region }}c" }
        [tasks.look]
        run = "echo {{ region }}"
        "#,
    );
    shop.deploy(["c", "look"]).succeeds().prints("zabc\n");
    shop.deploy(["a", "look"]).succeeds().prints("za\n");
}
