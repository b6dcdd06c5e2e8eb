//! What help shows, beyond the doc comments in `args`: options under headings, for each command only those that it
//! heeds, examples and exit codes. Nothing here changes what the command line accepts.

pub(super) mod task;

use std::fmt::Write as _;

use clap::builder::Styles;
use clap::{Arg, Command, CommandFactory};

use super::built_in::BuiltIn;

/// How to use it, for those who see it for the first time.
pub(super) const EXAMPLES: [(&str, &str); 7] = [
    ("deploy plan staging", "show what a deploy to staging would do, and do nothing"),
    ("deploy staging", "ship HEAD to staging"),
    ("deploy production --ref v1.2", "ship a commit to production"),
    ("deploy rollback production", "bring the release before back to production"),
    ("deploy lint test", "run two tasks, and what they need"),
    ("deploy staging migrate", "run a task in an environment"),
    ("deploy test -- --verbose", "hand a task its `{{ args }}`"),
];

/// How deploy ends, and why.
pub(super) const EXIT_CODES: [(&str, &str); 8] = [
    ("0", "done"),
    ("2", "the command line or tasks.toml is wrong; nothing was run"),
    ("3", "refused by a rule, by an answer, or by what must be so first"),
    ("4", "another run deploys there, it is locked, or a run that was cut off must be recovered first"),
    ("5", "something is still owed: `deploy recover` does it"),
    ("6", "the release was not healthy, and an earlier one is back"),
    ("70", "deploy itself went wrong: a bug, please report it"),
    ("other", "the failing command's own; 124 after a timeout, 128 + n if signal n ended it"),
];

/// Options by what they are for; the others are for everything.
const HEADINGS: [(&str, &[&str]); 2] = [
    (
        "Running",
        &[
            "dry_run",
            "jobs",
            "keep_going",
            "fail_fast",
            "force",
            "watch",
            "no_deps",
            "yes",
            "set",
            "output",
            "quiet",
        ],
    ),
    ("Shipping", &["reference", "rebuild", "in_place", "overrides", "reason"]),
];

/// Common options that every command heeds.
const ALWAYS: [&str; 5] = ["file", "directory", "verbose", "color", "help"];

/// Common options that a command heeds beside those.
const HEEDED: [(&str, &[&str]); 14] = [
    ("apply", &["dry_run", "jobs", "keep_going", "fail_fast", "yes", "output", "quiet"]),
    ("backup", &["dry_run", "set", "output", "quiet", "overrides", "reason"]),
    ("backups", &["set"]),
    ("compare", &["reference", "set"]),
    ("diff", &["reference"]),
    ("graph", &["environment"]),
    ("list", &["environment", "set"]),
    ("lock", &["reason"]),
    ("logs", &["output", "quiet"]),
    (
        "plan",
        &[
            "environment",
            "force",
            "no_deps",
            "set",
            "reference",
            "rebuild",
            "in_place",
            "overrides",
            "reason",
        ],
    ),
    ("restore", &["dry_run", "yes", "set", "output", "quiet", "overrides", "reason"]),
    ("rollback", &["dry_run", "yes", "set", "output", "quiet", "overrides", "reason"]),
    ("unlock", &["reason"]),
    ("why", &["environment", "no_deps", "set", "reference"]),
];

/// The commands, with all that their help shows.
pub(super) fn command() -> Command {
    let mut command = BuiltIn::command().after_help(after_help());
    for (heading, options) in HEADINGS {
        for option in options {
            command = command.mut_arg(option, |option| option.help_heading(heading));
        }
    }
    let common: Vec<String> = command.get_arguments().map(|arg| arg.get_id().to_string()).collect();
    // Now the commands have the common options too.
    command.build();
    for own in command.get_subcommands_mut() {
        let heeded = HEEDED.iter().find(|(name, _)| *name == own.get_name()).map_or(&[][..], |(_, ids)| *ids);
        let show = |option: Arg| {
            let id = option.get_id().as_str();
            let Some(place) = common.iter().position(|known| known == id) else { return option };
            let matters = ALWAYS.contains(&id) || heeded.contains(&id);
            // Behind the command's own.
            option.hide(!matters).display_order(1 + place)
        };
        *own = std::mem::take(own).mut_args(show);
    }
    command
}

fn after_help() -> String {
    let styles = Styles::styled();
    let header = styles.get_header();
    let mut text = format!("{header}Examples:{header:#}\n");
    rows(&EXAMPLES, &mut text);
    let _written = writeln!(text, "\n{header}Exit codes:{header:#}");
    rows(&EXIT_CODES, &mut text);
    text.push_str("\nYour own names beat these commands, which stay reachable as `deploy :list`.\n");
    text.push_str("All of it as one page: deploy man | man -l -");
    text
}

fn rows(rows: &[(&str, &str)], text: &mut String) {
    let width = rows.iter().map(|(left, _)| left.len()).max().unwrap_or(0);
    for (left, right) in rows {
        let _written = writeln!(text, "  {left:width$}  {right}");
    }
}
