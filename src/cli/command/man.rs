//! `deploy man`: all of the command line as one manual page. Commands and options are those that `--help` shows, so
//! that neither can know one more; it needs no tasks.toml.

use std::process::ExitCode;

use clap::{Arg, Command};

use super::super::help::{self, EXAMPLES, EXIT_CODES};
use super::super::print;
use crate::report::roff::Page;

/// What deploy reads of the caller's environment.
const READ: [(&str, &str); 6] = [
    ("DEPLOY_LOG", "what deploy tells of itself, for those who debug it: `debug`, or `deploy::engine=debug`"),
    ("DEPLOY_RUN", "the run that it is a step of: it is let into the environment that this run holds"),
    ("NO_COLOR, CLICOLOR_FORCE", "whether its own words are coloured, unless `--color` says so"),
    ("GITHUB_ACTIONS, GITLAB_CI", "how output is grouped"),
    ("TZ", "the time zone of the times that it shows"),
    ("USER, LOGNAME", "who deploys, if git has no `user.name`"),
];

/// What deploy sets for the processes that it starts.
const SET: [(&str, &str); 6] = [
    ("DEPLOY_RUN", "the run's id"),
    ("DEPLOY_ENVIRONMENT", "the environment's name"),
    ("DEPLOY_COMMIT, DEPLOY_BRANCH", "the commit to ship, and its branch"),
    ("DEPLOY_RELEASE", "the number of the release"),
    ("DEPLOY_URL", "the environment's `url`"),
    ("DEPLOY_STATUS, DEPLOY_EXIT_CODE", "how the task ended, in `always` steps"),
];

const FILES: [(&str, &str); 3] = [
    (
        "tasks.toml",
        "the environments and tasks; its folder is the project's root, and it is looked for upwards",
    ),
    (
        ".deploy/",
        "beside it: deploy's own repository, the history of releases, and what runs told and still owe",
    ),
    (".deploy/runs/ID/", "a run: what it told, for `deploy logs`, and what it owes, for `deploy recover`"),
];

pub(crate) fn man() -> ExitCode {
    let command = help::command();
    let mut page = Page::new("deploy", concat!("deploy ", env!("CARGO_PKG_VERSION")));
    page.name("deploy", "ship software to staging and production, from declarative tasks in tasks.toml");
    synopsis(&mut page);
    commands(&command, &mut page);
    options(&command, &mut page);
    page.section("EXIT STATUS");
    items(&EXIT_CODES, &mut page);
    page.section("ENVIRONMENT");
    page.paragraph("deploy reads:");
    items(&READ, &mut page);
    page.paragraph("It sets, for the processes that it starts:");
    items(&SET, &mut page);
    page.section("FILES");
    items(&FILES, &mut page);
    page.section("EXAMPLES");
    items(&EXAMPLES, &mut page);
    print(&page.finish())
}

fn synopsis(page: &mut Page) {
    page.section("SYNOPSIS");
    page.lines(
        ["deploy [OPTIONS] [ENVIRONMENT] [TASK]... [-- ARGS]", "deploy [OPTIONS] COMMAND"].into_iter(),
    );
    page.section("DESCRIPTION");
    page.paragraph(
        "With an environment alone, deploys there. With tasks, runs them and what they need, each once, in parallel \
         where they do not need each other; behind an environment, there. With several environments, does one after \
         the other. Without any name, runs the project's default, or lists what there is.",
    );
    page.paragraph("Names of the project's own beat the commands, which stay reachable as `deploy :list`.");
}

fn commands(command: &Command, page: &mut Page) {
    page.section("COMMANDS");
    for own in command.get_subcommands().filter(|own| own.get_name() != "help") {
        let words = own.get_positionals().map(|word| {
            let shown = word.to_string().replace(['<', '>'], "");
            if word.is_last_set() { "[-- ARGS]".to_owned() } else { shown }
        });
        let usage: Vec<String> = [format!("deploy {}", own.get_name())].into_iter().chain(words).collect();
        page.item(&usage.join(" "), &own.get_about().map(ToString::to_string).unwrap_or_default());
        page.indented(|page| {
            let is_common =
                |option: &&Arg| command.get_arguments().any(|other| other.get_id() == option.get_id());
            for option in own.get_arguments().filter(|option| !option.is_positional() && !is_common(option)) {
                page.item(&term(option), &meaning(option));
            }
            if let Some(more) = own.get_after_help() {
                page.paragraph(&more.to_string());
            }
        });
    }
}

fn options(command: &Command, page: &mut Page) {
    page.section("OPTIONS");
    let mut headings: Vec<Option<&str>> = Vec::new();
    for option in command.get_arguments() {
        if !headings.contains(&option.get_help_heading()) {
            headings.push(option.get_help_heading());
        }
    }
    for heading in headings {
        if let Some(heading) = heading {
            page.heading(heading);
        }
        for option in command.get_arguments().filter(|option| option.get_help_heading() == heading) {
            page.item(&term(option), &meaning(option));
        }
    }
}

/// `-f, --file FILE`
fn term(option: &Arg) -> String {
    let short = option.get_short().map_or_else(String::new, |short| format!("-{short}, "));
    short + &option.to_string().replace(['<', '>'], "")
}

fn meaning(option: &Arg) -> String {
    let mut meaning = option.get_help().map(ToString::to_string).unwrap_or_default();
    let values: Vec<String> =
        option.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    if !values.is_empty() && option.get_action().takes_values() {
        meaning = format!("{meaning} [one of: {}]", values.join(", "));
    }
    meaning
}

fn items(items: &[(&str, &str)], page: &mut Page) {
    for (term, meaning) in items {
        page.item(term, meaning);
    }
}
