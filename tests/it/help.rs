//! Help: what a newcomer reads, what each command shows of the options, and what a misspelt command is told.

use crate::support::Sandbox;

#[test]
fn help_has_options_under_headings_examples_and_exit_codes() {
    let sandbox = Sandbox::new();
    let help = sandbox.deploy(["--help"]);
    help.succeeds();
    let places = ["Usage:", "Commands:", "Options:", "Running:", "Shipping:", "Examples:", "Exit codes:"]
        .map(|heading| {
            help.stdout.find(&format!("\n{heading}")).unwrap_or_else(|| panic!("{heading}\n{help}"))
        });
    assert!(places.is_sorted(), "{help}");
    help.shows("deploy plan staging").shows("5      something is still owed");
    sandbox.deploy(["-h"]).succeeds().prints(&help.stdout);
    sandbox.deploy(["help"]).succeeds().prints(&help.stdout);
}

#[test]
fn help_behind_a_name_is_that_of_its_task_or_the_whole_one() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [environments.staging]
        [environments.live]
        deploy = "ship"
        [tasks.ship]
        about = "Ships it by hand"
        params.slowly = { type = "bool" }
        run = "true"
        "#,
    );
    sandbox.deploy(["ship", "--help"]).succeeds().shows("Ships it by hand").shows("--slowly");
    sandbox.deploy(["live", "--help"]).succeeds().shows("Ships it by hand");
    sandbox.deploy(["staging", "--help"]).succeeds().shows("Exit codes:");
    sandbox.deploy(["nothing", "--help"]).succeeds().shows("Exit codes:");
}

#[test]
fn a_command_shows_the_options_that_it_heeds() {
    let sandbox = Sandbox::new();
    for command in ["show", "check", "status", "history", "recover", "man"] {
        let help = sandbox.deploy([command, "--help"]);
        for option in ["--file", "--directory", "--color", "--verbose", "--help"] {
            help.succeeds().shows(option);
        }
        for option in ["--jobs", "--ref", "--override", "--output", "Running:", "Shipping:"] {
            help.never_mentions(option);
        }
        sandbox.deploy(["help", command]).succeeds().prints(&help.stdout);
    }
    let list = sandbox.deploy(["list", "--help"]);
    list.succeeds().shows("--fresh").shows("--environment").never_mentions("--jobs");
    let plan = sandbox.deploy(["plan", "--help"]);
    plan.succeeds().shows("--ref").shows("--set").shows("--override").never_mentions("--keep-going");
    sandbox.deploy(["logs", "--help"]).succeeds().shows("--output").never_mentions("--ref");
    let graph = sandbox.deploy(["graph", "--help"]);
    graph.succeeds().shows("--environment");
    assert!(graph.stdout.find("--format") < graph.stdout.find("--file"), "its own come first: {graph}");
}

#[test]
fn options_that_help_leaves_out_are_accepted_all_the_same() {
    let sandbox = Sandbox::new().tasks("[tasks.test]\nrun = 'true'\n");
    sandbox.deploy(["list", "--jobs", "3", "--keep-going"]).succeeds().shows("test");
    sandbox.deploy(["--ref", "HEAD", "list"]).succeeds().shows("test");
}

#[test]
fn a_misspelt_command_is_told_the_nearest() {
    let sandbox = Sandbox::new().tasks("[tasks.test]\nrun = 'true'\n");
    sandbox.deploy(["lst"]).fails_with(2).says("`lst`").says("did you mean `list`?");
    sandbox.deploy(["stauts"]).fails_with(2).says("did you mean `status`?");
    sandbox.deploy(["--jobs", "2", "paln", "test"]).fails_with(2).says("did you mean `plan`?");
    sandbox.deploy([":lst"]).fails_with(2).says("there is no command `lst`").says("did you mean `:list`?");
    sandbox.deploy(["tset"]).fails_with(2).says("did you mean `test`?");
    sandbox.deploy(["something-else"]).fails_with(2).says("`deploy list` shows what there is");
    // Behind the first word there are no commands.
    sandbox.deploy(["test", "lst"]).fails_with(2).never_mentions("`list`?");
}

#[test]
fn a_name_of_the_users_is_meant_before_a_command_is() {
    let sandbox = Sandbox::new().tasks("[tasks.last]\nrun = 'true'\n");
    sandbox.deploy(["lst"]).fails_with(2).says("did you mean `last`?");
}
