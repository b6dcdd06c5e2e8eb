//! `deploy :complete WORDS…`, which the scripts of `completions` call: what may stand in the place of the last word,
//! a candidate a line, with a tab and what it is. It runs nothing of the user's, writes nothing, and tells no error.

mod candidates;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Arg, Command};

use super::super::args::Common;
use super::super::environment;
use super::super::flags::Flags;
use super::super::opening;
use super::super::session::Session;
use super::super::words::{self, Next};
use super::super::{help, is_ours, print};
use crate::engine::Halt;
use crate::model::parameter::{Kind, Parameter};
use crate::model::project::Project;
use crate::model::task::Task;
use candidates::{Candidates, Paths};

/// The word that asks for candidates. No task can be called so.
const ASKED: &str = ":complete";

/// The words of a line that is to be completed, if this is what is asked for.
pub(crate) fn asked(arguments: &[OsString]) -> Option<&[OsString]> {
    let words = arguments.get(1..)?;
    words.split_first().filter(|(first, _)| *first == ASKED).map(|(_, words)| words)
}

pub(crate) fn complete(words: &[OsString]) -> ExitCode {
    let Some((current, before)) = words.split_last() else { return ExitCode::SUCCESS };
    let (ours, first) = Flags::common().among(before);
    // What an empty file means.
    let empty = Project::default();
    let session = session(&opening::common(ours), &empty);
    let line = Line { before, current: &current.to_string_lossy(), session: &session, empty: &empty };
    print(&line.candidates(first).to_string())
}

/// The project; without a good tasks.toml one that has no names.
fn session(common: &Common, empty: &Project) -> Session {
    let env = Arc::new(environment::all());
    Session::load(common, Arc::clone(&env)).unwrap_or_else(|_| {
        let here = common.directory.clone().unwrap_or_else(|| PathBuf::from("."));
        Session {
            root: here.clone(),
            here,
            sources: Vec::new(),
            project: empty.clone(),
            env,
            halt: Halt::default(),
        }
    })
}

/// A command line up to the cursor.
struct Line<'a> {
    before: &'a [OsString],
    current: &'a str,
    session: &'a Session,
    /// For commands behind which the user's names are words like any other.
    empty: &'a Project,
}

impl Line<'_> {
    fn candidates(&self, first: Option<usize>) -> Candidates {
        let commands = help::command();
        let run = Flags::common();
        let name = first.and_then(|at| Some((at, self.before[at].to_str()?)));
        let ours = name.filter(|(_, name)| is_ours(name, Some(self.session)));
        let Some((at, name)) = ours else {
            let next = words::next(self.before, &run, &self.session.project);
            return self.next(&next, &commands, |task, named| {
                let mut names = Candidates::names(&self.session.project);
                if first.is_none() {
                    names.commands(&commands, &self.session.project, self.current);
                }
                names.without(named, task)
            });
        };
        let Some(command) = commands.find_subcommand(name.trim_start_matches(':')) else {
            return Candidates::default();
        };
        let takes_names = command.get_positionals().any(|argument| argument.get_id() == "names");
        let project = if takes_names { &self.session.project } else { self.empty };
        let flags = run.and(command);
        let behind = &self.before[at + 1..];
        let next = words::next(behind, &flags, project);
        self.next(&next, command, |task, named| {
            if takes_names {
                return Candidates::names(project).without(named, task);
            }
            match command.get_positionals().nth(named.len()) {
                Some(argument) => self.positional(command, argument).without(named, None),
                None if command.get_name() == "help" && named.is_empty() => {
                    let mut names = Candidates::default();
                    names.commands(&commands, self.empty, "");
                    names
                }
                None => Candidates::default(),
            }
        })
    }

    /// What fits; `words` are those that are no flags, behind a task and these names.
    fn next(
        &self,
        next: &Next<'_>,
        command: &Command,
        words: impl Fn(Option<&Task>, &[&str]) -> Candidates,
    ) -> Candidates {
        match next {
            Next::Flag(flag) => match option(command, flag) {
                Some(option) => self.value(option, ""),
                None => Candidates::default(),
            },
            Next::Argument => Candidates::paths(Paths::Files, ""),
            Next::Word { task, given, .. } if self.current.starts_with('-') => {
                match self.current.split_once('=') {
                    Some((flag, _)) => self.attached(*task, command, flag),
                    None => Candidates::flags(*task, given, command),
                }
            }
            Next::Parameter(parameter) | Next::Word { positional: Some(parameter), .. } => {
                self.parameter(parameter, "")
            }
            Next::Word { task, positional: None, names, .. } => words(*task, names),
        }
    }

    /// The values of `--flag=`, with that before them.
    fn attached(&self, task: Option<&Task>, command: &Command, flag: &str) -> Candidates {
        let prefix = format!("{flag}=");
        let own = task.and_then(|task| {
            task.params.iter().find(|parameter| match flag.strip_prefix("--") {
                Some(name) => parameter.is_called(name),
                None => parameter.short.is_some_and(|short| flag == format!("-{short}")),
            })
        });
        match (own, option(command, flag)) {
            (Some(parameter), _) => self.parameter(parameter, &prefix),
            (None, Some(option)) => self.value(option, &prefix),
            (None, None) => Candidates::default(),
        }
    }

    fn parameter(&self, parameter: &Parameter, prefix: &str) -> Candidates {
        if !parameter.choices.is_empty() {
            return Candidates::plain(parameter.choices.iter().cloned(), prefix);
        }
        match parameter.kind {
            Kind::Bool => Candidates::plain(["true", "false"].map(str::to_owned), prefix),
            Kind::Path => Candidates::paths(Paths::Files, prefix),
            Kind::GitRef => Candidates::references(self.session, prefix),
            Kind::Text | Kind::Integer(_) => Candidates::default(),
        }
    }

    /// The values of one of deploy's own options.
    fn value(&self, option: &Arg, prefix: &str) -> Candidates {
        let project = &self.session.project;
        match option.get_id().as_str() {
            "file" | "out" => Candidates::paths(Paths::Files, prefix),
            "directory" => Candidates::paths(Paths::Folders, prefix),
            "environment" | "yes" => Candidates::environments(project, prefix),
            "reference" => Candidates::references(self.session, prefix),
            "set" => Candidates::variables(project, prefix),
            _ => Candidates::possible(option, prefix),
        }
    }

    /// The values of a word of one of deploy's own commands.
    fn positional(&self, command: &Command, argument: &Arg) -> Candidates {
        let project = &self.session.project;
        match (command.get_name(), argument.get_id().as_str()) {
            ("show", _) => Candidates::names(project),
            ("status" | "history" | "diff" | "compare" | "lock" | "unlock" | "rollback", _) => {
                Candidates::environments(project, "")
            }
            ("backup" | "backups" | "restore", "name") => Candidates::environments(project, ""),
            ("backup" | "backups", "which") | ("restore", "backup") => Candidates::backups(project),
            ("apply", _) => Candidates::paths(Paths::Files, ""),
            ("logs", _) => Candidates::runs(self.session),
            _ => Candidates::possible(argument, ""),
        }
    }
}

/// The option of deploy's that is written so; of `-nj` the last letter's.
fn option<'a>(command: &'a Command, flag: &str) -> Option<&'a Arg> {
    let takes_values = |option: &&Arg| option.get_action().takes_values() && !option.is_positional();
    command.get_arguments().filter(takes_values).find(|option| match flag.strip_prefix("--") {
        Some(long) => option.get_long() == Some(long),
        None => flag.chars().last().is_some_and(|letter| option.get_short() == Some(letter)),
    })
}
