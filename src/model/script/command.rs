//! The simple command that is being read, and the places in it whose text a shell takes as code, as a name or as
//! something to calculate: there a bound value is no safer than a pasted one. Tried with bash 5.2 and dash 0.5.

use std::collections::HashMap;

use super::frame::{UNKNOWN, Word};
use crate::model::template::is_identifier;

/// Why a value can't stand at a place of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hazard {
    /// The command runs the text as code.
    Code(String),
    /// A shell is given code on its command line.
    ShellCode(String),
    /// The command takes the name of a variable here, and bash runs what it finds in one's subscript.
    Name(String),
    /// `NAME=`, with a value in the name.
    Assigned,
    /// `NAME[…]`
    Subscript,
    /// bash calculates the value of this variable or command.
    Calculated(String),
    /// bash reads the value of this variable again: as a list, as a reference, as a prompt.
    Reread(String),
    /// `printf {{ x }}`: the value may be `-v`.
    Format,
}

impl Hazard {
    /// Whether also the output of a command would be calculated, and so run.
    pub(super) fn is_deep(&self) -> bool {
        match self {
            Hazard::Subscript | Hazard::Calculated(_) => true,
            Hazard::Code(_) | Hazard::ShellCode(_) | Hazard::Name(_) => false,
            Hazard::Assigned | Hazard::Reread(_) | Hazard::Format => false,
        }
    }
}

/// What a word is in the shell's grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Plain,
    Case,
    Esac,
    Test,
}

/// A simple command as far as it has been read.
#[derive(Debug, Default)]
pub(super) struct Command {
    /// Without its folder; nothing while only assignments and reserved words have been read.
    name: Option<String>,
    operands: usize,
    previous: String,
    /// The letters of all options.
    options: String,
}

/// Variables of this script whose values bash reads again, and how: integers, references, arrays.
pub(super) type Reread = HashMap<String, Hazard>;

/// Words after which a command begins.
const OPENERS: [&str; 10] = ["if", "then", "else", "elif", "while", "until", "do", "!", "{", "time"];
/// Commands that run the command that follows them.
const RUNNERS: [&str; 5] = ["command", "builtin", "exec", "sudo", "nohup"];
const DECLARATIONS: [&str; 5] = ["declare", "typeset", "local", "export", "readonly"];
const SHELLS: [&str; 6] = ["sh", "bash", "dash", "ash", "ksh", "zsh"];
/// Variables that bash calculates when they are set.
const CALCULATED: [&str; 5] = ["OPTIND", "RANDOM", "SRANDOM", "SECONDS", "HISTCMD"];
/// Variables whose value a shell expands as if it were code.
const EXPANDED: [&str; 8] = ["PS0", "PS1", "PS2", "PS4", "PROMPT_COMMAND", "BASH_ENV", "ENV", "MAILPATH"];
/// The letters of `declare` that make bash read a value again: arrays, integers, references.
const REREAD: [char; 4] = ['a', 'A', 'i', 'n'];
/// The options of `read` that take a text or a number.
const READ_OPTIONS: [&str; 6] = ["-p", "-t", "-d", "-N", "-u", "-i"];

impl Command {
    /// Whether a word that begins now would be the command's name, or an assignment before it.
    pub(super) fn is_open(&self) -> bool {
        self.name.is_none()
    }

    /// Whether `((` opens an arithmetic loop here.
    pub(super) fn is_for(&self) -> bool {
        self.name.as_deref() == Some("for") && self.operands == 0
    }

    /// Whether it is `test` or `[`.
    pub(super) fn is_test(&self) -> bool {
        matches!(self.name.as_deref(), Some("test" | "["))
    }

    /// Whether a word `NAME=…` is an assignment now.
    pub(super) fn takes_assignment(&self) -> bool {
        self.name.as_deref().is_none_or(|name| DECLARATIONS.contains(&name))
    }

    /// The shell that would read its standard input as code.
    pub(super) fn reading_shell(&self) -> Option<&str> {
        let name = self.name.as_deref().filter(|name| SHELLS.contains(name))?;
        (self.operands == 0 || self.previous.starts_with('-')).then_some(name)
    }

    /// Takes a word that is complete.
    pub(super) fn add(&mut self, word: &Word, reread: &mut Reread) -> Role {
        let text = word.text.as_str();
        let Some(name) = &self.name else {
            match text {
                _ if word.quoted => {}
                "case" => return Role::Case,
                "esac" => return Role::Esac,
                "[[" => return Role::Test,
                _ if OPENERS.contains(&text) || Target::of(text) != Target::None => return Role::Plain,
                _ => {}
            }
            // No command's name begins with a dash: it is an option of the runner before.
            if RUNNERS.contains(&text) || text.starts_with('-') {
                return Role::Plain;
            }
            self.name = Some(text.rsplit('/').next().unwrap_or(text).to_owned());
            return Role::Plain;
        };
        if name == "function" && text == "{" {
            *self = Command::default();
            return Role::Plain;
        }
        if let Some(letters) = text.strip_prefix(['-', '+']) {
            self.options.push_str(letters);
        } else if DECLARATIONS.contains(&name.as_str()) && self.options.contains(REREAD) {
            let variable = text.split(['=', '+', '[']).next().unwrap_or(text);
            let hazard = if self.options.contains('i') { Hazard::Calculated } else { Hazard::Reread };
            reread.insert(variable.to_owned(), hazard(variable.to_owned()));
        }
        self.operands += 1;
        text.clone_into(&mut self.previous);
        Role::Plain
    }

    /// What is wrong with a value after `prefix` of a word, before `rest`.
    pub(super) fn hazard(&self, prefix: &str, rest: &str, reread: &Reread) -> Option<Hazard> {
        let Some(name) = self.name.as_deref() else {
            return assignment(prefix, rest, reread);
        };
        let owned = || name.to_owned();
        let previous = self.previous.as_str();
        let follows = |options: &[&str]| options.contains(&previous);
        match name {
            "eval" | "trap" | "alias" | "compgen" | "complete" | "fc" => Some(Hazard::Code(owned())),
            "let" => Some(Hazard::Calculated(owned())),
            "unset" | "getopts" | "mapfile" | "readarray" => Some(Hazard::Name(owned())),
            "read" => (!follows(&READ_OPTIONS)).then(|| Hazard::Name(owned())),
            "wait" => follows(&["-p"]).then(|| Hazard::Name(owned())),
            "for" | "select" | "function" => (self.operands == 0).then(|| Hazard::Name(owned())),
            // Of two values next to each other the first could be the `-v` that makes the second a name.
            "test" | "[" => {
                (follows(&["-v", "-R"]) || previous.contains(UNKNOWN)).then(|| Hazard::Name(owned()))
            }
            "printf" if follows(&["-v"]) || prefix.starts_with("-v") => Some(Hazard::Name(owned())),
            "printf" => (self.operands == 0 && prefix.is_empty()).then_some(Hazard::Format),
            _ if SHELLS.contains(&name) => takes_code(previous).then(|| Hazard::ShellCode(owned())),
            _ if DECLARATIONS.contains(&name) => self.declaration(name, prefix, rest, reread),
            _ => None,
        }
    }

    fn declaration(&self, name: &str, prefix: &str, rest: &str, reread: &Reread) -> Option<Hazard> {
        match Target::of(prefix) {
            Target::Variable(_) if self.options.contains('i') => {
                Some(Hazard::Calculated(format!("{name} -i")))
            }
            Target::Variable(_) if self.options.contains(REREAD) => {
                Some(Hazard::Reread(format!("{name} -{}", self.options)))
            }
            Target::Variable(_) | Target::Subscript => assignment(prefix, rest, reread),
            Target::None => Some(Hazard::Name(name.to_owned())),
        }
    }
}

/// What is wrong with a value in the word `prefix…` where an assignment may stand.
fn assignment(prefix: &str, rest: &str, reread: &Reread) -> Option<Hazard> {
    match Target::of(prefix) {
        Target::Subscript => Some(Hazard::Subscript),
        Target::Variable(name) if CALCULATED.contains(&name) => Some(Hazard::Calculated(name.to_owned())),
        Target::Variable(name) if EXPANDED.contains(&name) => Some(Hazard::Reread(name.to_owned())),
        Target::Variable(name) => reread.get(name).cloned(),
        Target::None => {
            let tail = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
            let names = prefix.is_empty() || is_identifier(prefix);
            (names && (tail.starts_with('=') || tail.starts_with("+="))).then_some(Hazard::Assigned)
        }
    }
}

/// Whether an option group such as `-ec` makes the next word code.
fn takes_code(option: &str) -> bool {
    option.starts_with('-') && !option.starts_with("--") && option.contains('c')
}

/// What the beginning of a word assigns to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target<'a> {
    /// `NAME=…`, `NAME+=…`, `NAME[…]=…`
    Variable(&'a str),
    /// `NAME[…`, not yet closed.
    Subscript,
    None,
}

impl<'a> Target<'a> {
    pub(super) fn of(word: &'a str) -> Target<'a> {
        let end = word.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(word.len());
        let (name, rest) = word.split_at(end);
        if !is_identifier(name) {
            return Target::None;
        }
        if rest.starts_with('=') || rest.starts_with("+=") {
            return Target::Variable(name);
        }
        if !rest.starts_with('[') {
            return Target::None;
        }
        if rest.contains("]=") || rest.contains("]+=") { Target::Variable(name) } else { Target::Subscript }
    }
}
