//! What can stand somewhere on a command line, with what it is; and how the shells are told.

use std::fmt;

use clap::{Arg, Command};

use super::super::super::session::Session;
use crate::model::parameter::{Kind, Parameter};
use crate::model::project::Project;
use crate::model::task::{Listing, Task};
use crate::state::runs;

/// Words that may stand in a place, whatever of them is there already: the shell chooses those that fit.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    words: Vec<(String, String)>,
    /// Paths that the shell finds itself, behind this.
    paths: Option<(Paths, String)>,
}

/// Which paths.
#[derive(Clone, Copy, Debug)]
pub(super) enum Paths {
    Files,
    Folders,
}

impl Candidates {
    pub(super) fn plain(words: impl IntoIterator<Item = String>, prefix: &str) -> Candidates {
        let words = words.into_iter().map(|word| (format!("{prefix}{word}"), String::new()));
        Candidates { words: words.collect(), paths: None }
    }

    pub(super) fn paths(paths: Paths, prefix: &str) -> Candidates {
        Candidates { words: Vec::new(), paths: Some((paths, prefix.to_owned())) }
    }

    fn add(&mut self, word: impl Into<String>, about: impl Into<String>) {
        self.words.push((word.into(), about.into()));
    }

    /// Environments, tasks and their aliases, as they are listed.
    pub(super) fn names(project: &Project) -> Candidates {
        let mut names = Candidates::environments(project, "");
        let shown = || project.tasks.iter().filter(|task| task.listing == Listing::Shown);
        for task in shown() {
            names.add(&task.name, task.about.clone().unwrap_or_default());
        }
        for task in shown() {
            for (alias, _) in &task.aliases {
                names.add(alias, format!("is {}", task.name));
            }
        }
        names
    }

    pub(super) fn environments(project: &Project, prefix: &str) -> Candidates {
        let mut names = Candidates::default();
        for environment in &project.environments {
            let about = environment.about.as_deref().unwrap_or("an environment");
            names.add(format!("{prefix}{}", environment.name), about);
        }
        names
    }

    pub(super) fn backups(project: &Project) -> Candidates {
        let mut names = Candidates::default();
        for backup in &project.backups {
            names.add(backup.name.clone(), format!("a backup, in {}", backup.store.0));
        }
        names
    }

    /// Adds deploy's own commands; those that a name of the user's hides, and all behind a colon, with one.
    pub(super) fn commands(&mut self, commands: &Command, project: &Project, current: &str) {
        let colon = if current.starts_with(':') { ":" } else { "" };
        for command in commands.get_subcommands() {
            let name = command.get_name();
            if !colon.is_empty() || !project.names.contains_key(name) {
                let about = command.get_about().map(ToString::to_string).unwrap_or_default();
                self.add(format!("{colon}{name}"), about);
            }
        }
    }

    /// Without names that are there already, but the one whose parameters these words may be.
    pub(super) fn without(mut self, named: &[&str], last: Option<&Task>) -> Candidates {
        let is_last = |word: &str| last.is_some_and(|task| task.name == word && !task.params.is_empty());
        self.words.retain(|(word, _)| is_last(word) || !named.contains(&word.as_str()));
        self
    }

    /// The flags of a task, as far as they are not given, and those of deploy that its help shows.
    pub(super) fn flags(task: Option<&Task>, given: &[String], command: &Command) -> Candidates {
        let mut flags = Candidates::default();
        let open = |parameter: &&Parameter| parameter.many || !given.contains(&parameter.name);
        for parameter in task.into_iter().flat_map(|task| &task.params).filter(open) {
            let about = parameter.about.clone().unwrap_or_default();
            flags.add(parameter.flag(), about.clone());
            if parameter.kind == Kind::Bool {
                flags.add(parameter.flag().replacen("--", "--no-", 1), format!("not: {about}"));
            }
            if let Some(short) = parameter.short {
                flags.add(format!("-{short}"), about);
            }
        }
        for option in
            command.get_arguments().filter(|option| !option.is_positional() && !option.is_hide_set())
        {
            let about = option.get_help().map(ToString::to_string).unwrap_or_default();
            if let Some(long) = option.get_long() {
                flags.add(format!("--{long}"), about.clone());
            }
            if let Some(short) = option.get_short() {
                flags.add(format!("-{short}"), about);
            }
        }
        flags
    }

    /// The values that clap knows.
    pub(super) fn possible(argument: &Arg, prefix: &str) -> Candidates {
        let mut values = Candidates::default();
        for value in argument.get_possible_values() {
            let about = value.get_help().map(ToString::to_string).unwrap_or_default();
            values.add(format!("{prefix}{}", value.get_name()), about);
        }
        values
    }

    /// `NAME=` for each variable of the file.
    pub(super) fn variables(project: &Project, prefix: &str) -> Candidates {
        let mut names: Vec<&str> = Vec::new();
        let of_files = project.files.iter().flat_map(|file| &file.vars);
        let of_environments = project.environments.iter().flat_map(|environment| &environment.vars);
        for variable in of_files.chain(of_environments) {
            if !names.contains(&variable.name.as_str()) {
                names.push(&variable.name);
            }
        }
        Candidates::plain(names.into_iter().map(|name| format!("{name}=")), prefix)
    }

    /// Branches and tags.
    pub(super) fn references(session: &Session, prefix: &str) -> Candidates {
        const KINDS: [(&str, &str); 3] =
            [("refs/heads/", "branch"), ("refs/tags/", "tag"), ("refs/remotes/", "branch of a remote")];
        let site = session.site();
        let known = site.repository().ok().and_then(|repository| repository.references().ok());
        let mut references = Candidates::default();
        for reference in known.unwrap_or_default() {
            for (folder, about) in KINDS {
                if let Some(name) = reference.strip_prefix(folder) {
                    references.add(format!("{prefix}{name}"), about);
                }
            }
        }
        references
    }

    /// The runs whose output is kept, newest first.
    pub(super) fn runs(session: &Session) -> Candidates {
        let mut ids = Candidates::default();
        for kept in runs::kept(&session.site().state) {
            let when = super::super::minute(kept.about.began);
            ids.add(kept.about.run.0.clone(), format!("{when}  {}", super::super::logs::what(&kept.about)));
        }
        ids
    }
}

/// A line for each: the word, a tab, what it is. What the shell has to find itself has an empty word: its kind, a tab,
/// and what stands before it.
impl fmt::Display for Candidates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No line of a shell could hold it.
        let fits = |word: &str| !word.is_empty() && !word.contains(char::is_control);
        for (word, about) in self.words.iter().filter(|(word, _)| fits(word)) {
            writeln!(f, "{word}\t{}", about.replace(char::is_control, " ").trim())?;
        }
        match &self.paths {
            Some((Paths::Files, prefix)) => writeln!(f, "\tfile\t{prefix}"),
            Some((Paths::Folders, prefix)) => writeln!(f, "\tdirectory\t{prefix}"),
            None => Ok(()),
        }
    }
}
