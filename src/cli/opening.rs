//! The command line before and after it is known what its words mean: first as much as is needed to find tasks.toml,
//! then, with the project, the whole.

use std::ffi::OsString;
use std::mem::ManuallyDrop;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser};

use super::Stopped;
use super::args::{Common, Run, Words};
use super::built_in::{BuiltIn, Command, Options};
use super::error::{Error, Kind};
use super::flags::{self, Flags};
use super::help;
use super::session::Session;
use super::words::{self, Told};
use crate::diagnostic::nearest;

/// A command line whose words have no meaning yet.
pub(crate) struct Opening {
    /// The options that every command takes, as far as they can be told.
    pub(crate) common: Common,
    /// The first word that is no option.
    pub(crate) first: Option<String>,
    arguments: Vec<OsString>,
    /// Where that word stands.
    place: usize,
    flags: Flags,
}

impl Opening {
    /// Reads the options that are needed before tasks.toml is.
    ///
    /// # Errors
    /// Help, the version, and mistakes of a command line without a word, as clap tells them.
    pub(crate) fn read(arguments: Vec<OsString>) -> Result<Opening, clap::Error> {
        let flags = Flags::common();
        let (ours, first) = flags.among(arguments.get(1..).unwrap_or_default());
        let Some(place) = first.map(|first| first + 1) else {
            // The full parser knows the commands, so its help is the one to show.
            return match Run::try_parse_from(&arguments) {
                Ok(run) => {
                    Ok(Opening { common: run.common, first: None, place: arguments.len(), arguments, flags })
                }
                Err(error) => Err(whole_help(error)),
            };
        };
        let first = arguments.get(place).map(|word| word.to_string_lossy().into_owned());
        Ok(Opening { common: common(ours), first, arguments, place, flags })
    }

    /// The whole line, with names of the user's.
    pub(super) fn run(&self, session: &Session) -> Result<Run, Stopped> {
        let told = self.tell(1, &self.flags, session)?;
        if let Some(names) = names(&told.ours) {
            let words = Words { names, args: Vec::new(), given: told.given };
            return Ok(Run { common: Common::default(), words });
        }
        let ours = self.arguments.iter().take(1).chain(&told.ours);
        let mut run = Run::try_parse_from(ours).map_err(whole_help)?;
        run.words.given = told.given;
        Ok(run)
    }

    /// The whole line, with a command of ours; `:list` is `list`.
    pub(super) fn built_in(&self, session: Option<&Session>) -> Result<BuiltIn, Stopped> {
        let mut arguments = self.arguments.clone();
        let name = self.first.as_ref().map(|first| first.trim_start_matches(':').to_owned());
        if let (Some(name), Some(argument)) = (&name, arguments.get_mut(self.place)) {
            *argument = name.into();
        }
        if let Some(name) = name.as_ref().filter(|name| !Command::is_one(name)) {
            let names = Command::names();
            let near = nearest(name, names.iter().map(String::as_str));
            let error = Error::new(Kind::Usage, format!("there is no command `{name}`"));
            let help = near.map_or("deploy --help shows what there is".to_owned(), |near| {
                format!("did you mean `:{near}`?")
            });
            return Err(error.help(help).into());
        }
        let asked = self.arguments.get(self.place + 1).and_then(|word| word.to_str());
        let task = session.zip(asked).and_then(|(session, word)| session.project.task(word));
        if let (Some("help"), Some(task)) = (name.as_deref(), task) {
            return Err(Stopped::Help(help::task::of(task)));
        }
        let mut given = Vec::new();
        let options = if flags::any(&self.arguments) { Options::There } else { Options::Absent };
        let alone = name.as_deref().and_then(|name| Command::alone(name, options));
        let (command, options) = match alone {
            Some(alone) => (alone, options),
            None => (help::command(), Options::There),
        };
        // It is needed once, and freeing it would take longer than the program has left to do.
        let mut command = ManuallyDrop::new(command);
        let found = name.as_ref().and_then(|name| command.find_subcommand_mut(name));
        if let (Some(found), Some(session)) = (found, session)
            && found.get_positionals().any(|argument| argument.get_id() == "names")
        {
            let flags = Flags::common().and(found);
            let told = self.tell(self.place + 1, &flags, session)?;
            arguments.truncate(self.place + 1);
            arguments.extend(told.ours);
            given = told.given;
        }
        // What help shows is made when help is shown, or a mistake.
        let (matches, options) = match command.try_get_matches_from_mut(&arguments) {
            Ok(matches) => (matches, options),
            Err(_) => (help::command().try_get_matches_from(&arguments)?, Options::There),
        };
        let mut full = match options {
            Options::There => BuiltIn::from_arg_matches(&matches)?,
            Options::Absent => {
                let command = Some(Command::from_arg_matches(&matches)?);
                BuiltIn { common: Common::default(), command }
            }
        };
        if let Some(words) = full.command.as_mut().and_then(|command| command.words()) {
            words.given = given;
        }
        Ok(full)
    }

    /// Tells the words apart from the one at `from` on; help for a task ends it.
    fn tell(&self, from: usize, flags: &Flags, session: &Session) -> Result<Told, Stopped> {
        let arguments = self.arguments.get(from..).unwrap_or_default();
        let told = words::tell(arguments, flags, &session.project, &session.root, &session.here)?;
        match told.help.as_ref().and_then(|name| session.project.task(name)) {
            Some(task) => Err(Stopped::Help(help::task::of(task))),
            None => Ok(told),
        }
    }
}

/// The words of a line that has names alone: clap would say the same of it, and later. Nothing for all other lines.
fn names(words: &[OsString]) -> Option<Vec<String>> {
    let name = |word: &OsString| word.to_str().filter(|word| !flags::is_flag(word)).map(str::to_owned);
    words.iter().map(name).collect()
}

/// The options among these words; what is wrong with one is told when the whole line is read.
pub(super) fn common(ours: Vec<OsString>) -> Common {
    if ours.is_empty() {
        return Common::default();
    }
    let words = [OsString::from("deploy")].into_iter().chain(ours);
    let early = Run::command().ignore_errors(true).try_get_matches_from(words);
    let run = early.ok().and_then(|matches| Run::from_arg_matches(&matches).ok());
    run.map(|run| run.common).unwrap_or_default()
}

/// The help of the whole program, in the place of a part's.
fn whole_help(error: clap::Error) -> clap::Error {
    match error.kind() {
        ErrorKind::DisplayHelp => {
            help::command().try_get_matches_from(["deploy", "--help"]).err().unwrap_or(error)
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::{FromArgMatches, Parser};

    use super::{Command, Common, Options, Run, Words, names};

    #[test]
    fn names_alone_mean_what_clap_reads_in_them() {
        let words: Vec<OsString> = ["staging", "-", "", "a b", "x=y"].map(OsString::from).to_vec();
        let names = names(&words).expect("none of them is a flag");
        let run =
            Run { common: Common::default(), words: Words { names, args: Vec::new(), given: Vec::new() } };
        let program = [OsString::from("deploy")];
        let read = Run::try_parse_from(program.iter().chain(&words)).expect("clap reads them");
        assert_eq!(format!("{run:?}"), format!("{read:?}"));
    }

    #[test]
    fn a_command_without_options_means_what_clap_reads_with_them() {
        let read = |options| {
            let command = Command::alone("logs", options).expect("there is such a command");
            let matches = command.try_get_matches_from(["deploy", "logs", "a1"]).expect("clap reads it");
            format!("{:?}", Command::from_arg_matches(&matches).expect("it was read"))
        };
        assert_eq!(read(Options::Absent), read(Options::There));
    }

    #[test]
    fn a_line_with_a_flag_is_for_clap() {
        for flag in ["--", "-n", "--force", "-j2"] {
            assert_eq!(names(&["a".into(), flag.into()]), None, "{flag}");
        }
    }
}
