//! `deploy show`: what a name means, and where the variables of its processes come from.

use crate::support::Sandbox;

#[test]
fn a_task_with_its_parameters_and_who_needs_it() {
    let shop = Sandbox::new().tasks(
        r#"
[tasks.build]
about = "Build it"
params.level = { type = "int", default = 2, about = "how hard to try" }
run = "true"

[tasks.all]
needs = ["build"]

[tasks.calls]
steps = [{ task = "build" }]
"#,
    );
    insta::assert_snapshot!(shop.deploy(["show", "build"]).succeeds().stdout, @r#"
    build (tasks.toml:2)
    Build it

    [tasks.build]
    about = "Build it"
    params.level = { type = "int", default = 2, about = "how hard to try" }
    run = "true"

    Usage: deploy [ENVIRONMENT] build [OPTIONS]

    Options:
          --level <LEVEL>  how hard to try [default: 2]

    Needed by all, calls
    "#);
}

#[test]
fn the_variables_of_a_task_and_who_won() {
    let shop = Sandbox::new()
        .env("REGION", "caller")
        .env("TOKEN", "hunter2-of-the-caller")
        .file(".env", "REGION=file\nCOLOUR=file\nLEVEL=file\nSIZE=file\nDEPLOY_ENVIRONMENT=file\n")
        .file(".env.more", "COLOUR=more\n")
        .tasks(
            r#"
            [settings]
            dotenv = [".env"]
            [secrets]
            TOKEN = { env = "TOKEN" }
            KEY = { file = "no/such/file" }
            [environments.staging]
            env = { LEVEL = "environment", SIZE = "environment" }
            [tasks.look]
            dotenv = [".env.more"]
            env = { LEVEL = "task" }
            secrets = ["KEY"]
            steps = [{ run = "true", env = { SIZE = "step" } }]
            "#,
        );
    let shown = shop.deploy(["show", "look", "--env", "-e", "staging"]);
    let names = ["COLOUR", "DEPLOY_ENVIRONMENT", "KEY", "LEVEL", "REGION", "SIZE", "TOKEN", "And"];
    let of_ours = |line: &&str| names.iter().any(|name| line.starts_with(name));
    let lines: Vec<String> = shown.succeeds().stdout.lines().filter(of_ours).map(squeezed).collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    COLOUR .env.more, not .env more
    DEPLOY_ENVIRONMENT deploy, not .env staging
    KEY the task (tasks.toml:9) ***
    LEVEL the task (tasks.toml:9), not the environment (tasks.toml:7), .env task
    REGION the caller, not .env caller
    SIZE the environment (tasks.toml:7), not .env environment
    And for single steps:
    SIZE the step (tasks.toml:13) step
    ");
    shown.never_mentions("hunter2");
    shop.deploy(["show", "staging", "--env"]).succeeds().shows("environment (tasks.toml:7)");
    shop.deploy(["show", "lok", "--env"]).fails_with(2).says("did you mean `look`?");
}

/// A line with single blanks.
fn squeezed(line: &str) -> String {
    line.split_whitespace().collect::<Vec<&str>>().join(" ")
}
