//! `deploy man`: a manual page that other programs read without complaint, and that leaves nothing out.

use std::collections::BTreeSet;

use crate::support::Sandbox;

#[test]
fn the_page_needs_no_project_and_writes_nothing() {
    let sandbox = Sandbox::new();
    let page = sandbox.deploy(["man"]);
    page.succeeds().shows(".TH \"DEPLOY\" 1").shows(env!("CARGO_PKG_VERSION"));
    assert!(page.stdout.is_ascii(), "a reader of pages may know ASCII alone: {page}");
    assert!(!sandbox.has(".deploy"));
    sandbox.deploy([":man"]).succeeds().prints(&page.stdout);
}

#[test]
fn readers_of_pages_have_no_complaint() {
    let sandbox = Sandbox::new();
    sandbox.write("deploy.1", &sandbox.deploy(["man"]).succeeds().stdout);
    for line in ["groff -man -ww -z -Tutf8 deploy.1", "man --warnings -E UTF-8 -l deploy.1"] {
        let read = sandbox.shell(&format!("MANWIDTH=100 {line} >read.txt"));
        read.succeeds();
        assert_eq!(read.stderr, "", "{line}");
    }
}

#[test]
fn the_page_has_every_command_option_and_exit_code() {
    let sandbox = Sandbox::new();
    sandbox.write("deploy.1", &sandbox.deploy(["man"]).succeeds().stdout);
    let read = sandbox.shell("MANWIDTH=100 man -E UTF-8 -l deploy.1");
    let page = &read.succeeds().stdout;
    let help = sandbox.deploy(["--help"]);
    let commands: Vec<&str> = commands(&help.succeeds().stdout).collect();
    assert!(commands.contains(&"graph") && commands.contains(&"man"), "{commands:?}");
    let mut options = options(&help.stdout);
    for command in commands {
        assert!(page.contains(&format!("deploy {command}")), "{command}\n{page}");
        options.extend(self::options(&sandbox.deploy([command, "--help"]).succeeds().stdout));
    }
    assert!(options.len() > 20, "{options:?}");
    for option in &options {
        assert!(page.contains(option.as_str()), "{option}\n{page}");
    }
    for part in
        ["EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES", "DEPLOY_LOG", "DEPLOY_STATUS", "tasks.toml"]
    {
        assert!(page.contains(part), "{part}\n{page}");
    }
    assert!(
        page.contains("--yes[=ENV]") && page.contains("deploy plan [ENVIRONMENT | TASK]... [-- ARGS]"),
        "{page}"
    );
    assert!(page.contains("124 after a timeout"), "{page}");
}

/// What help lists as commands, but for `help` itself.
fn commands(help: &str) -> impl Iterator<Item = &str> {
    let listed =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    listed.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help")
}

/// What help lists as long options.
fn options(help: &str) -> BTreeSet<String> {
    let listed = help.lines().filter(|line| line.trim_start().starts_with('-'));
    let words = listed.flat_map(|line| line.split_whitespace().take(2));
    let long = words.filter(|word| word.starts_with("--"));
    long.map(|word| word.split('[').next().unwrap_or(word).to_owned()).collect()
}
