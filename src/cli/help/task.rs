//! `deploy TASK --help`: a task's own parameters, told as clap tells deploy's.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, Command};

use crate::model::parameter::{Kind, Parameter};
use crate::model::task::Task;
use crate::model::value::{Definition, Value};

/// The help of a task, with its colours.
pub(crate) fn of(task: &Task) -> String {
    trimmed(command(task))
}

/// Without the blanks that clap leaves where there is no text.
fn trimmed(mut command: Command) -> String {
    let help = command.render_help().ansi().to_string();
    let lines = help.lines().map(str::trim_end);
    lines.fold(String::new(), |text, line| text + line + "\n")
}

/// How it is called, and with which parameters.
pub(crate) fn parameters(task: &Task) -> String {
    let plain = command(task).about(None::<&str>).after_help("").disable_help_flag(true);
    trimmed(plain)
}

fn command(task: &Task) -> Command {
    let name = format!("deploy [ENVIRONMENT] {}", task.name);
    let mut command = Command::new(name.clone())
        .bin_name(name)
        .disable_version_flag(true)
        .after_help("deploy's own options may stand here too: deploy --help");
    if let Some(about) = &task.about {
        command = command.about(about.clone());
    }
    let mut place = 0;
    for parameter in &task.params {
        if parameter.positional {
            place += 1;
        }
        command = command.arg(argument(parameter, place));
    }
    command
}

fn argument(parameter: &Parameter, place: usize) -> Arg {
    let mut argument = Arg::new(parameter.name.clone()).help(described(parameter));
    argument = if parameter.positional {
        argument.index(place)
    } else {
        let flag = parameter.flag();
        let name = flag.trim_start_matches("--");
        let argument = argument.long(if is_on(parameter) { format!("no-{name}") } else { name.to_owned() });
        let short = parameter.short.filter(|_| !is_on(parameter));
        short.into_iter().fold(argument, Arg::short)
    };
    if parameter.kind == Kind::Bool {
        return argument.action(ArgAction::SetTrue);
    }
    argument = argument
        .value_name(parameter.name.to_uppercase())
        .required(parameter.default.is_none() && parameter.env.is_none())
        .action(if parameter.many { ArgAction::Append } else { ArgAction::Set });
    if !parameter.choices.is_empty() {
        argument = argument.value_parser(PossibleValuesParser::new(parameter.choices.clone()));
    }
    argument
}

/// What it is for, and what clap can't know: its default, which may be an expression, and its numbers.
fn described(parameter: &Parameter) -> String {
    let mut notes = Vec::new();
    if let Kind::Integer(range) = &parameter.kind {
        notes.extend((*range.start() != i64::MIN).then(|| format!("[min: {}]", range.start())));
        notes.extend((*range.end() != i64::MAX).then(|| format!("[max: {}]", range.end())));
    }
    if is_on(parameter) {
        notes.push("[on by default]".to_owned());
    } else if let Some(default) = parameter.default.as_ref().filter(|_| parameter.kind != Kind::Bool) {
        let default = default.shown();
        if !default.is_empty() {
            notes.push(format!("[default: {default}]"));
        }
    }
    if parameter.positional {
        let short = parameter.short.map(|short| format!("-{short}, ")).unwrap_or_default();
        let flag = if parameter.has_flag() { parameter.flag() } else { String::new() };
        let also = format!("{short}{flag}");
        if !also.is_empty() {
            notes.push(format!("[also: {}]", also.trim_end_matches(", ")));
        }
    }
    notes.extend(parameter.env.as_ref().map(|name| format!("[env: {name}]")));
    let about = parameter.about.iter().cloned();
    about.chain(notes).collect::<Vec<String>>().join(" ")
}

/// Whether it is a flag that is true unless it is turned off.
fn is_on(parameter: &Parameter) -> bool {
    parameter.kind == Kind::Bool && matches!(parameter.default, Some(Definition::Plain(Value::Bool(true))))
}
