//! The commands that deploy has by itself. The doc comments are the help that users read.

use std::mem::ManuallyDrop;
use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand};

use super::args::{Common, GraphFormat, Shell, Words};

/// Ships software to staging and production, from declarative tasks in tasks.toml
#[derive(Parser, Debug)]
#[command(name = "deploy", version)]
#[command(
    override_usage = "deploy [OPTIONS] [ENVIRONMENT] [TASK]... [-- ARGS]\n       deploy [OPTIONS] COMMAND"
)]
pub(crate) struct BuiltIn {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

const GRAPH_HELP: &str = "(after) ends first, if both run; (*) has its needs further up, (below) further down; \
(loop) is a part of a loop, which must be mended before anything of it runs.";

const COMPLETIONS_HELP: &str = "To have it in every shell that you open:
  bash: echo 'eval \"$(deploy completions bash)\"' >> ~/.bashrc
  zsh:  echo 'eval \"$(deploy completions zsh)\"' >> ~/.zshrc, behind compinit
  fish: deploy completions fish > ~/.config/fish/completions/deploy.fish";

/// The commands that deploy has by itself.
#[derive(Subcommand, Clone, Debug)]
pub(crate) enum Command {
    /// Show the environments and tasks
    List {
        /// Say of each task whether it has something to do
        #[arg(long)]
        fresh: bool,
    },
    /// Show what a name of yours means
    Show {
        /// A task or an environment
        name: String,
        /// Show the variables that its processes get, and who gives each
        #[arg(long)]
        env: bool,
    },
    /// Show what needs what
    #[command(after_help = GRAPH_HELP)]
    Graph {
        /// An environment, and tasks [default: all that there is]
        #[arg(value_name = "ENVIRONMENT | TASK")]
        names: Vec<String>,
        /// As a tree; or for graphviz, for Markdown, as a picture
        #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
        format: GraphFormat,
    },
    /// Check tasks.toml, and everything that it refers to
    Check {
        /// As JSON, warnings too
        #[arg(long)]
        json: bool,
    },
    /// Show what `deploy …` would do: commits, swapped files, rules, jobs and steps
    Plan {
        #[command(flatten)]
        words: Words,
        /// As JSON
        #[arg(long)]
        json: bool,
        /// Write it down too, for `deploy apply FILE`
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Show why tasks would run: which file, value or need has changed since they were last done
    Why {
        #[command(flatten)]
        words: Words,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Do what a plan says that was written down; refuse if anything has moved since
    Apply {
        /// What `deploy plan … --out FILE` wrote
        #[arg(value_name = "FILE")]
        plan: PathBuf,
    },
    /// Show what is live where, since when, by whom, and what keeps others away
    Status {
        /// The environment [default: all of them]
        #[arg(value_name = "ENVIRONMENT")]
        name: Option<String>,
        /// Ask each environment's `health` how it is now, and its platform what it has live
        #[arg(long)]
        probe: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Settle what runs that were killed still owe
    Recover,
    /// Bring an earlier release back, and freeze the environment until it is unlocked
    Rollback {
        /// The environment
        #[arg(value_name = "ENVIRONMENT")]
        name: String,
        /// The release's number [default: the newest good one before what is live]
        release: Option<u32>,
    },
    /// Save an environment's data to its stores: what `[backups]` says
    Backup {
        /// The environment
        #[arg(value_name = "ENVIRONMENT")]
        name: String,
        /// Which backups [default: the environment's `backups`, else all]
        #[arg(value_name = "BACKUP")]
        backups: Vec<String>,
    },
    /// Show what is saved of an environment, newest first; asks its stores
    Backups {
        /// The environment
        #[arg(value_name = "ENVIRONMENT")]
        name: String,
        /// Which backups [default: the environment's `backups`, else all]
        #[arg(value_name = "BACKUP")]
        backups: Vec<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Bring back what was saved of an environment, after saving what is there now
    Restore {
        /// The environment
        #[arg(value_name = "ENVIRONMENT")]
        name: String,
        /// The backup
        backup: String,
        /// The id that `deploy backups` shows [default: the newest]
        #[arg(long, value_name = "ID")]
        from: Option<String>,
        /// Do not save what is there now: it is lost
        #[arg(long)]
        no_backup: bool,
    },
    /// Keep everybody from deploying to an environment, until it is unlocked; wants --reason
    Lock {
        /// The environment
        #[arg(value_name = "ENVIRONMENT")]
        name: String,
    },
    /// Open an environment that is locked or frozen, also one that a run holds; wants --reason
    Unlock {
        /// The environment
        #[arg(value_name = "ENVIRONMENT")]
        name: String,
    },
    /// Show the releases of an environment, newest first
    History {
        /// The environment [default: all of them]
        environment: Option<String>,
        /// All that happened there: locks, freezes and rules that were passed over, too
        #[arg(long)]
        events: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show the commits that are not live in an environment yet, newest first
    Diff {
        /// The environment
        environment: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what makes two environments differ: what is live, requirements, swap, variables, rules
    Compare {
        /// An environment
        #[arg(value_name = "ENVIRONMENT")]
        first: String,
        /// Another one
        #[arg(value_name = "ENVIRONMENT")]
        second: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show again what a run printed
    Logs {
        /// The run, or how its id begins [default: the newest]
        run: Option<String>,
        /// Show which runs there are, newest first
        #[arg(long, conflicts_with = "run")]
        list: bool,
        /// The list as JSON; what a run told is JSON with `--output json`
        #[arg(long, requires = "list")]
        json: bool,
    },
    /// Print the manual page: deploy man | man -l -
    Man,
    /// Print the JSON Schema of tasks.toml, for editors
    Schema,
    /// Print what makes a shell complete names, parameters and options
    #[command(after_help = COMPLETIONS_HELP)]
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
}

/// Whether a line has options that every command takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Options {
    Read,
    NotThere,
}

impl Command {
    /// The names of tasks and environments that it takes, if it takes any with their parameters.
    pub(crate) fn words(&mut self) -> Option<&mut Words> {
        match self {
            Command::Plan { words, .. } | Command::Why { words, .. } => Some(words),
            Command::Graph { .. }
            | Command::List { .. }
            | Command::Man
            | Command::Completions { .. }
            | Command::Schema
            | Command::Show { .. }
            | Command::Check { .. }
            | Command::Apply { .. }
            | Command::Status { .. }
            | Command::Recover
            | Command::Rollback { .. }
            | Command::Backup { .. }
            | Command::Backups { .. }
            | Command::Restore { .. }
            | Command::Lock { .. }
            | Command::Unlock { .. }
            | Command::History { .. }
            | Command::Diff { .. }
            | Command::Compare { .. }
            | Command::Logs { .. } => None,
        }
    }

    /// Whether `word` names one of them.
    pub(crate) fn is_one(word: &str) -> bool {
        // clap adds `help` by itself. Building what it parses with would cost more than all else of a short command.
        word == "help" || <Command as Subcommand>::has_subcommand(word)
    }

    /// What clap parses one of them with. It copies the common options into each command that it knows, so it is told of
    /// this one alone, and of them only where there are any.
    pub(crate) fn alone(name: &str, options: Options) -> Option<clap::Command> {
        // All of them are built to get at one. To free them would cost nearly as much again, and the program ends soon.
        let all =
            ManuallyDrop::new(<Command as Subcommand>::augment_subcommands(clap::Command::new("deploy")));
        let own = all.find_subcommand(name)?.clone();
        let program = clap::Command::new("deploy").subcommand(own);
        Some(match options {
            Options::Read => <Common as Args>::augment_args(program),
            Options::NotThere => program,
        })
    }

    /// What they are called.
    pub(crate) fn names() -> Vec<String> {
        let command = BuiltIn::command();
        // clap adds `help` by itself.
        command.get_subcommands().map(clap::Command::get_name).chain(["help"]).map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Command, Options};

    #[test]
    fn every_command_can_be_parsed_alone() {
        for name in Command::names() {
            // clap adds `help` to what has commands.
            for options in [Options::Read, Options::NotThere] {
                assert_eq!(Command::alone(&name, options).is_some(), name != "help", "{name}");
            }
        }
    }
}
