//! The command line. The doc comments are the help that users read.

use std::path::PathBuf;

use clap::builder::TypedValueParser;
use clap::{Args, Parser, ValueEnum};

use crate::config::assignment;
use crate::model::project::Output;
use crate::plan::guard::RULES;

/// Options that every command takes, before or after its name.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Common {
    /// The tasks.toml to read, instead of the nearest one here or above
    #[arg(short, long, global = true, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Work as if started in this folder
    #[arg(short = 'C', long, global = true, value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,
    /// The environment to work in
    #[arg(short, long, global = true, value_name = "ENV")]
    pub(crate) environment: Option<String>,
    /// Show what would be done, and do nothing (as `deploy plan`)
    #[arg(short = 'n', long, global = true)]
    pub(crate) dry_run: bool,
    /// How many jobs run at once [default: as many as there are processors]
    #[arg(short, long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: Option<u16>,
    /// After a failure, go on with what does not depend on it
    #[arg(short, long, global = true)]
    pub(crate) keep_going: bool,
    /// After a failure, stop what runs as well
    #[arg(long, global = true, conflicts_with = "keep_going")]
    pub(crate) fail_fast: bool,
    /// Do work that would be left out as already done
    #[arg(long, global = true)]
    pub(crate) force: bool,
    /// Answer yes to every question; a typed confirmation wants --yes=ENV
    #[arg(short, long, global = true, value_name = "ENV", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub(crate) yes: Option<String>,
    /// The commit to ship [default: HEAD]
    #[arg(long = "ref", global = true, value_name = "REF")]
    pub(crate) reference: Option<String>,
    /// Ship a commit although it is live already
    #[arg(long, global = true)]
    pub(crate) rebuild: bool,
    /// Swap files in the working tree, with one commit before the push and one that takes it back
    #[arg(long, global = true)]
    pub(crate) in_place: bool,
    /// Go past a rule of the environment; it is recorded, with --reason
    #[arg(long = "override", global = true, value_name = "RULE", requires = "reason", value_parser = clap::builder::PossibleValuesParser::new(RULES))]
    pub(crate) overrides: Vec<String>,
    /// Why: for --override, rollback, lock and unlock
    #[arg(long, global = true, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Give a value a name; it beats every other value of that name
    #[arg(long, global = true, value_name = "NAME=VALUE", value_parser = parse_assignment)]
    pub(crate) set: Vec<(String, String)>,
    /// How to show what the tasks print
    #[arg(long, global = true, value_name = "HOW", value_parser = output_parser())]
    pub(crate) output: Option<Output>,
    /// Say nothing unless something fails
    #[arg(short, long, global = true, conflicts_with = "output")]
    pub(crate) quiet: bool,
    /// Tell what deploy itself does, for those who debug it
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// When to colour
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t)]
    pub(crate) color: Color,
    /// Run again whenever a file changes that the tasks read; a change during a run waits for its end, or restarts it
    #[arg(long, global = true, value_name = "HOW", value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "queue", conflicts_with = "dry_run")]
    pub(crate) watch: Option<OnChange>,
    /// Run only the named tasks, without what they need
    #[arg(long, global = true)]
    pub(crate) no_deps: bool,
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

/// What becomes of a run during which a file changes that it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnChange {
    /// It goes on; the next one comes behind it.
    Queue,
    /// It is asked to end, and done anew.
    Restart,
}

/// How `graph` shows what needs what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    #[default]
    Tree,
    Dot,
    Mermaid,
    Svg,
}

/// The shells whose completion there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// What to run: an environment, tasks, and what follows `--`.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Words {
    /// An environment, and tasks
    #[arg(value_name = "ENVIRONMENT | TASK")]
    pub(crate) names: Vec<String>,
    /// What the tasks know as `{{ args }}`
    #[arg(last = true, value_name = "ARGS")]
    pub(crate) args: Vec<String>,
    /// The parameters that follow each of the names.
    #[arg(skip)]
    pub(crate) given: Vec<Vec<(String, String)>>,
}

/// `deploy` with names of the user's.
#[derive(Parser, Debug)]
#[command(name = "deploy", version)]
#[command(override_usage = "deploy [OPTIONS] [ENVIRONMENT] [TASK]... [-- ARGS]")]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) words: Words,
}

fn parse_assignment(text: &str) -> Result<(String, String), String> {
    assignment(text).ok_or_else(|| "write it as name=value; a name has letters, digits and `_`".to_owned())
}

fn output_parser() -> impl TypedValueParser<Value = Output> {
    let names = Output::ALL.map(|(name, _)| name);
    clap::builder::PossibleValuesParser::new(names).map(|name| {
        let found = Output::ALL.into_iter().find(|(known, _)| *known == name);
        found.map(|(_, output)| output).expect("clap accepts these names alone")
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Run;
    use crate::config::RESERVED_LETTERS;
    use crate::model::parameter::RESERVED;

    #[test]
    fn tasks_may_not_declare_what_deploy_has() {
        for argument in Run::command().get_arguments() {
            if let Some(long) = argument.get_long() {
                assert!(
                    RESERVED.contains(&long.replace('-', "_").as_str()),
                    "--{long} is missing in RESERVED"
                );
            }
            if let Some(short) = argument.get_short() {
                assert!(RESERVED_LETTERS.contains(short), "-{short} is missing in RESERVED_LETTERS");
            }
        }
    }
}
