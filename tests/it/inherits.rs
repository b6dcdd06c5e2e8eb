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
