//! The commands that deploy has by itself. The doc comments are the help that users read.

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
    List(List),
    /// Show what a name of yours means
    Show(Show),
    /// Show what needs what
    #[command(after_help = GRAPH_HELP)]
    Graph(Graph),
    /// Check tasks.toml, and everything that it refers to
    Check(Check),
    /// Show what `deploy …` would do: commits, swapped files, rules, jobs and steps
    Plan(Plan),
    /// Show why tasks would run: which file, value or need has changed since they were last done
    Why(Why),
    /// Do what a plan says that was written down; refuse if anything has moved since
    Apply(Apply),
    /// Show what is live where, since when, by whom, and what keeps others away
    Status(Status),
    /// Settle what runs that were killed still owe
    Recover,
    /// Bring an earlier release back, and freeze the environment until it is unlocked
    Rollback(Rollback),
    /// Save an environment's data to its stores: what `[backups]` says
    Backup(Backup),
    /// Show what is saved of an environment, newest first; asks its stores
    Backups(Backups),
    /// Bring back what was saved of an environment, after saving what is there now
    Restore(Restore),
    /// Keep everybody from deploying to an environment, until it is unlocked; wants --reason
    Lock(Lock),
    /// Open an environment that is locked or frozen, also one that a run holds; wants --reason
    Unlock(Unlock),
    /// Show the releases of an environment, newest first
    History(History),
    /// Show the commits that are not live in an environment yet, newest first
    Diff(Diff),
    /// Show what makes two environments differ: what is live, requirements, swap, variables, rules
    Compare(Compare),
    /// Show again what a run printed
    Logs(Logs),
    /// Print the manual page: deploy man | man -l -
    Man,
    /// Print the JSON Schema of tasks.toml, for editors
    Schema,
    /// Print what makes a shell complete names, parameters and options
    #[command(after_help = COMPLETIONS_HELP)]
    Completions(Completions),
}

#[derive(Args, Clone, Debug)]
pub(crate) struct List {
    /// Say of each task whether it has something to do
    #[arg(long)]
    pub(crate) fresh: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Show {
    /// A task or an environment
    pub(crate) name: String,
    /// Show the variables that its processes get, and who gives each
    #[arg(long)]
    pub(crate) env: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Graph {
    /// An environment, and tasks [default: all that there is]
    #[arg(value_name = "ENVIRONMENT | TASK")]
    pub(crate) names: Vec<String>,
    /// As a tree; or for graphviz, for Markdown, as a picture
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub(crate) format: GraphFormat,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Check {
    /// As JSON, warnings too
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Plan {
    #[command(flatten)]
    pub(crate) words: Words,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Write it down too, for `deploy apply FILE`
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Why {
    #[command(flatten)]
    pub(crate) words: Words,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Apply {
    /// What `deploy plan … --out FILE` wrote
    #[arg(value_name = "FILE")]
    pub(crate) plan: PathBuf,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Status {
    /// The environment [default: all of them]
    #[arg(value_name = "ENVIRONMENT")]
    pub(crate) name: Option<String>,
    /// Ask each environment's `health` how it is now, and its platform what it has live
    #[arg(long)]
    pub(crate) probe: bool,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Rollback {
    /// The environment
    #[arg(value_name = "ENVIRONMENT")]
    pub(crate) name: String,
    /// The release's number [default: the newest good one before what is live]
    pub(crate) release: Option<u32>,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Backup {
    /// The environment
    #[arg(value_name = "ENVIRONMENT")]
    pub(crate) name: String,
    /// Which backups [default: the environment's `backups`, else all]
    #[arg(value_name = "BACKUP")]
    pub(crate) which: Vec<String>,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Backups {
    /// The environment
    #[arg(value_name = "ENVIRONMENT")]
    pub(crate) name: String,
    /// Which backups [default: the environment's `backups`, else all]
    #[arg(value_name = "BACKUP")]
    pub(crate) which: Vec<String>,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Restore {
    /// The environment
    #[arg(value_name = "ENVIRONMENT")]
    pub(crate) name: String,
    /// The backup
    pub(crate) backup: String,
    /// The id that `deploy backups` shows [default: the newest]
    #[arg(long, value_name = "ID")]
    pub(crate) from: Option<String>,
    /// Do not save what is there now: it is lost
    #[arg(long)]
    pub(crate) no_backup: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Lock {
    /// The environment
    #[arg(value_name = "ENVIRONMENT")]
    pub(crate) name: String,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Unlock {
    /// The environment
    #[arg(value_name = "ENVIRONMENT")]
    pub(crate) name: String,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct History {
    /// The environment [default: all of them]
    pub(crate) environment: Option<String>,
    /// All that happened there: locks, freezes and rules that were passed over, too
    #[arg(long)]
    pub(crate) events: bool,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Diff {
    /// The environment
    pub(crate) environment: String,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Compare {
    /// An environment
    #[arg(value_name = "ENVIRONMENT")]
    pub(crate) first: String,
    /// Another one
    #[arg(value_name = "ENVIRONMENT")]
    pub(crate) second: String,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Logs {
    /// The run, or how its id begins [default: the newest]
    pub(crate) run: Option<String>,
    /// Show which runs there are, newest first
    #[arg(long, conflicts_with = "run")]
    pub(crate) list: bool,
    /// The list as JSON; what a run told is JSON with `--output json`
    #[arg(long, requires = "list")]
    pub(crate) json: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

/// Whether a line has options that every command takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Options {
    There,
    Absent,
}

impl Command {
    /// The names of tasks and environments that it takes, if it takes any with their parameters.
    pub(crate) fn words(&mut self) -> Option<&mut Words> {
        match self {
            Command::Plan(Plan { words, .. }) | Command::Why(Why { words, .. }) => Some(words),
            Command::Graph(_)
            | Command::List(_)
            | Command::Man
            | Command::Completions(_)
            | Command::Schema
            | Command::Show(_)
            | Command::Check(_)
            | Command::Apply(_)
            | Command::Status(_)
            | Command::Recover
            | Command::Rollback(_)
            | Command::Backup(_)
            | Command::Backups(_)
            | Command::Restore(_)
            | Command::Lock(_)
            | Command::Unlock(_)
            | Command::History(_)
            | Command::Diff(_)
            | Command::Compare(_)
            | Command::Logs(_) => None,
        }
    }

    /// Whether `word` names one of them.
    pub(crate) fn is_one(word: &str) -> bool {
        // clap adds `help` by itself. Building what it parses with would cost more than all else of a short command.
        word == "help" || <Command as Subcommand>::has_subcommand(word)
    }

    /// What clap parses one of them with. To build all of them for it would take longer than all else of a short command;
    /// and clap copies the common options into each, so it is told of these only where there are any.
    pub(crate) fn alone(name: &str, options: Options) -> Option<clap::Command> {
        let arguments: fn(clap::Command) -> clap::Command = match name {
            "list" => List::augment_args,
            "show" => Show::augment_args,
            "graph" => Graph::augment_args,
            "check" => Check::augment_args,
            "plan" => Plan::augment_args,
            "why" => Why::augment_args,
            "apply" => Apply::augment_args,
            "status" => Status::augment_args,
            "rollback" => Rollback::augment_args,
            "backup" => Backup::augment_args,
            "backups" => Backups::augment_args,
            "restore" => Restore::augment_args,
            "lock" => Lock::augment_args,
            "unlock" => Unlock::augment_args,
            "history" => History::augment_args,
            "diff" => Diff::augment_args,
            "compare" => Compare::augment_args,
            "logs" => Logs::augment_args,
            "completions" => Completions::augment_args,
            "recover" | "man" | "schema" => |command| command,
            _ => return None,
        };
        let own = arguments(clap::Command::new(name.to_owned()));
        let program = clap::Command::new("deploy").subcommand(own);
        Some(match options {
            Options::There => <Common as Args>::augment_args(program),
            Options::Absent => program,
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
    use clap::CommandFactory;

    use super::{BuiltIn, Command, Options};

    #[test]
    fn every_command_is_parsed_alone_as_among_all() {
        let all = BuiltIn::command();
        for name in Command::names() {
            // clap adds `help` to what has commands.
            let among = all.find_subcommand(&name).map(arguments);
            for options in [Options::There, Options::Absent] {
                let alone = Command::alone(&name, options);
                let alone = alone.as_ref().and_then(|program| program.find_subcommand(&name)).map(arguments);
                assert_eq!(alone, among, "{name}");
            }
        }
    }

    /// All that clap knows of a command's own arguments.
    fn arguments(command: &clap::Command) -> Vec<String> {
        command.get_arguments().map(|argument| format!("{argument:?}")).collect()
    }
}
