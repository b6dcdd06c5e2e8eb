//! Whose each word of the command line is: after a task's name its own parameters are its own, any other flag is
//! deploy's. What is deploy's goes on to clap, in its order.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::error::{Error, Kind};
use super::flags::{Flags, is_flag};
use crate::diagnostic::nearest;
use crate::model::parameter::{Kind as Type, Parameter};
use crate::model::project::{Named, Project};
use crate::model::step::{Action, Step, Written};
use crate::model::task::Task;
use crate::plan::select;

/// The words of a command line, told apart.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// What is deploy's, names of tasks and environments included.
    pub(crate) ours: Vec<OsString>,
    /// The parameters that follow each plain word of `ours`.
    pub(crate) given: Vec<Vec<(String, String)>>,
    /// The task whose help is asked for.
    pub(crate) help: Option<String>,
}

/// Tells the words apart. `here` is where the user stands, from where a path is meant.
///
/// # Errors
/// A flag that neither the task before it nor deploy has, and one without its value.
pub(crate) fn tell(
    arguments: &[OsString],
    flags: &Flags,
    project: &Project,
    root: &Path,
    here: &Path,
) -> Result<Told, Error> {
    let mut telling = Telling::new(arguments, flags, project, root, here);
    telling.all()?;
    Ok(telling.told)
}

/// What a word may be, by those before it.
#[derive(Debug)]
pub(crate) enum Next<'a> {
    /// The value of the flag of deploy's that stands before it.
    Flag(&'a str),
    /// The value of a parameter whose flag stands before it.
    Parameter(&'a Parameter),
    /// A name or a flag, or the value of a parameter that is given by its place.
    Word {
        task: Option<&'a Task>,
        positional: Option<&'a Parameter>,
        given: Vec<String>,
        names: Vec<&'a str>,
    },
    /// What the tasks know as `{{ args }}`.
    Argument,
}

/// What the word behind these may be. What is wrong with them is told when the line is run.
pub(crate) fn next<'a>(arguments: &'a [OsString], flags: &'a Flags, project: &'a Project) -> Next<'a> {
    let mut telling = Telling::new(arguments, flags, project, Path::new(""), Path::new(""));
    while telling.all().is_err() {}
    if let Some(next) = telling.next.take() {
        return next;
    }
    let positional = match telling.task {
        Some((task, Positionals::Taken)) => telling.next_positional(task),
        Some((_, Positionals::NotTaken)) | None => None,
    };
    let given = telling.told.given.last().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    Next::Word { task: telling.task.map(|(task, _)| task), positional, given, names: telling.names }
}

/// Whether the plain words after a name may be parameters.
#[derive(Clone, Copy)]
enum Positionals {
    Taken,
    /// After an environment's name come names of tasks.
    NotTaken,
}

struct Telling<'a> {
    flags: &'a Flags,
    project: &'a Project,
    root: &'a Path,
    here: &'a Path,
    /// The task that was named last, or that the environment runs which was.
    task: Option<(&'a Task, Positionals)>,
    told: Told,
    rest: &'a [OsString],
    /// The plain words that are no parameters.
    names: Vec<&'a str>,
    /// What the line ends before, if that is not a word like any other.
    next: Option<Next<'a>>,
}

impl<'a> Telling<'a> {
    fn new(
        arguments: &'a [OsString],
        flags: &'a Flags,
        project: &'a Project,
        root: &'a Path,
        here: &'a Path,
    ) -> Telling<'a> {
        Telling {
            flags,
            project,
            root,
            here,
            task: None,
            told: Told::default(),
            rest: arguments,
            names: Vec::new(),
            next: None,
        }
    }

    fn all(&mut self) -> Result<(), Error> {
        while let Some((argument, rest)) = self.rest.split_first() {
            self.rest = rest;
            let Some(word) = argument.to_str() else {
                self.told.ours.push(argument.clone());
                continue;
            };
            if word == "--" {
                self.told.ours.push(argument.clone());
                self.told.ours.extend_from_slice(rest);
                self.next = Some(Next::Argument);
                break;
            }
            match (self.task, word) {
                (Some((task, _)), "-h" | "--help") => {
                    self.told.help = Some(task.name.clone());
                    break;
                }
                (Some((task, Positionals::Taken)), word) if self.is_positional(task, word) => {
                    self.positional(task, word);
                }
                (task, word) if is_flag(word) => {
                    let task = task.map(|(task, _)| task);
                    if !self.own(task, word)? {
                        self.deploys(task, argument, word)?;
                    }
                }
                (_, name) => self.name(name),
            }
        }
        Ok(())
    }

    fn name(&mut self, name: &'a str) {
        let project = self.project;
        self.names.push(name);
        self.told.ours.push(name.into());
        self.told.given.push(Vec::new());
        self.task = match project.names.get(name) {
            Some(Named::Task(index)) => Some((&project.tasks[*index], Positionals::Taken)),
            Some(Named::Environment(index)) => {
                select::deploy_task(project, *index).map(|task| (task, Positionals::NotTaken))
            }
            None => None,
        };
    }

    fn give(&mut self, parameter: &Parameter, value: &str) {
        let value = match parameter.kind {
            Type::Path if self.is_elsewhere() && !value.starts_with(['-', '/']) => {
                self.here.join(value).to_string_lossy().into_owned()
            }
            Type::Path | Type::Text | Type::Integer(_) | Type::Bool | Type::GitRef => value.to_owned(),
        };
        let given = self.told.given.last_mut().expect("a task was named before its parameters");
        given.push((parameter.name.clone(), value));
    }

    /// Whether a path that is meant from where one stands may be read elsewhere: the task's folder, or that of one that
    /// it hands the path on to.
    fn is_elsewhere(&self) -> bool {
        let Some((task, _)) = self.task else { return false };
        let hands_on =
            |step: &Step<Written>| matches!(&step.action, Action::Task(call) if !call.with.is_empty());
        self.here != self.root
            || task.dir.is_some()
            || !self.project.file(task.at).folder.as_os_str().is_empty()
            || task.needs.iter().any(|need| !need.with.is_empty())
            || task.steps.iter().any(|step| step.dir.is_some() || hands_on(step))
    }

    /// The parameter that the next plain word is for.
    fn next_positional<'t>(&self, task: &'t Task) -> Option<&'t Parameter> {
        let given = self.told.given.last()?;
        let is_given = |parameter: &Parameter| given.iter().any(|(name, _)| *name == parameter.name);
        let mut positional = task.params.iter().filter(|parameter| parameter.positional);
        positional.find(|parameter| parameter.many || !is_given(parameter))
    }

    fn is_positional(&self, task: &Task, word: &str) -> bool {
        let Some(parameter) = self.next_positional(task) else { return false };
        !is_flag(word) || (is_number(word) && matches!(parameter.kind, Type::Integer(_)))
    }

    fn positional(&mut self, task: &Task, word: &str) {
        if let Some(parameter) = self.next_positional(task) {
            self.give(parameter, word);
        }
    }

    /// Takes a flag that is a parameter of `task`; tells whether it is one.
    fn own(&mut self, task: Option<&'a Task>, word: &str) -> Result<bool, Error> {
        let Some(task) = task else { return Ok(false) };
        let Some(long) = word.strip_prefix("--") else { return self.letters(task, &word[1..]) };
        let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
        if let Some(parameter) = task.params.iter().find(|parameter| parameter.is_called(name)) {
            match (value, &parameter.kind) {
                (Some(value), _) => self.give(parameter, value),
                (None, Type::Bool) => self.give(parameter, "true"),
                (None, Type::Text | Type::Integer(_) | Type::Path | Type::GitRef) => {
                    let value = self.value(task, parameter, &format!("--{name}"))?;
                    self.give(parameter, &value);
                }
            }
            return Ok(true);
        }
        let off = name.strip_prefix("no-").or_else(|| name.strip_prefix("no_"));
        let denied = off.and_then(|off| task.params.iter().find(|parameter| parameter.is_called(off)));
        let Some(parameter) = denied.filter(|parameter| parameter.kind == Type::Bool) else {
            return Ok(false);
        };
        if value.is_some() {
            let message = format!("`--{name}` of `{}` takes no value", task.name);
            return Err(usage(task, message).help(format!("{}=true or {0}=false", parameter.flag())));
        }
        self.give(parameter, "false");
        Ok(true)
    }

    /// Takes `-c`, `-c3`, `-c=3`, and several letters of flags together.
    fn letters(&mut self, task: &'a Task, letters: &str) -> Result<bool, Error> {
        let mut rest = letters.chars();
        while let Some(letter) = rest.next() {
            let parameter = task.params.iter().find(|parameter| parameter.short == Some(letter));
            let Some(parameter) = parameter else {
                let taken = rest.as_str().len() + letter.len_utf8() < letters.len();
                if taken {
                    let message = format!("task `{}` has no flag `-{letter}`, of `-{letters}`", task.name);
                    return Err(usage(task, message));
                }
                return Ok(false);
            };
            if parameter.kind == Type::Bool {
                self.give(parameter, "true");
                continue;
            }
            let value = match rest.as_str() {
                "" => self.value(task, parameter, &format!("-{letter}"))?,
                attached => attached.strip_prefix('=').unwrap_or(attached).to_owned(),
            };
            self.give(parameter, &value);
            return Ok(true);
        }
        Ok(true)
    }

    /// The value of a flag: the next word.
    fn value(&mut self, task: &'a Task, parameter: &'a Parameter, flag: &str) -> Result<String, Error> {
        let wants = || format!("`{flag}` of `{}` wants a value", task.name);
        let Some((value, rest)) = self.rest.split_first() else {
            self.next = Some(Next::Parameter(parameter));
            return Err(usage(task, wants()));
        };
        let Some(value) = value.to_str() else {
            let message = format!("the value of `{flag}` is not UTF-8: {}", value.display());
            return Err(usage(task, message));
        };
        let is_meant = parameter.dashes || (is_number(value) && matches!(parameter.kind, Type::Integer(_)));
        if is_flag(value) && !is_meant {
            let message = format!("{}, and `{value}` looks like another flag", wants());
            return Err(usage(task, message).help(format!("if it is meant, write {flag}={value}")));
        }
        self.rest = rest;
        Ok(value.to_owned())
    }

    /// Passes a flag on that is deploy's, with its value.
    fn deploys(&mut self, task: Option<&Task>, argument: &OsStr, word: &'a str) -> Result<(), Error> {
        if let Some(task) = task.filter(|_| !self.flags.has(word)) {
            let name = word.split('=').next().unwrap_or(word);
            let ours = self.flags.longs().map(|long| format!("--{long}"));
            let known: Vec<String> = task.params.iter().map(Parameter::flag).chain(ours).collect();
            let near =
                nearest(name, known.iter().map(String::as_str)).map(|near| format!("did you mean `{near}`?"));
            let error = usage(task, format!("task `{}` has no parameter `{name}`", task.name));
            let each = task.each.iter().find(|variable| name == format!("--{}", variable.name));
            let each = each.map(|variable| {
                format!("`{0}` is of its `each`, and can be set to one value: --set {0}=VALUE", variable.name)
            });
            return Err(match each.or(near) {
                Some(help) => error.help(help),
                None if task.params.is_empty() => error.maybe_help(None),
                None => error,
            });
        }
        self.told.ours.push(argument.to_owned());
        if self.flags.takes_next(word) {
            match self.rest.split_first() {
                Some((value, rest)) => {
                    self.told.ours.push(value.clone());
                    self.rest = rest;
                }
                None => self.next = Some(Next::Flag(word)),
            }
        }
        Ok(())
    }
}

fn usage(task: &Task, message: String) -> Error {
    Error::new(Kind::Usage, message).help(format!("deploy {} --help", task.name))
}

fn is_number(word: &str) -> bool {
    word.parse::<i64>().is_ok()
}
