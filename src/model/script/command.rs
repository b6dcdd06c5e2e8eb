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
    /// A shell reads its standard input as code.
    ShellInput(String),
    /// `ssh` gives the text to the shell on the other side.
    Remote,
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
        matches!(self, Hazard::Subscript | Hazard::Calculated(_))
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
    /// How many words after the name, and how many of them are neither options nor what an `-o` takes.
    words: usize,
    operands: usize,
    previous: String,
    /// The letters of all options.
    options: String,
}

/// What the script has declared so far that makes bash read a variable's value again.
pub(super) type Attributes = HashMap<String, Attribute>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attribute {
    /// Its value is calculated.
    Integer,
    /// Its value is another variable's name.
    Reference,
    /// Its value is taken for a list, but only by `declare` and its like.
    Array,
}

impl Attribute {
    /// What the letters of `declare` give a variable.
    fn of(options: &str) -> Attribute {
        if options.contains('i') {
            Attribute::Integer
        } else if options.contains('n') {
            Attribute::Reference
        } else {
            Attribute::Array
        }
    }
}

/// Words after which a command begins.
const OPENERS: [&str; 10] = ["if", "then", "else", "elif", "while", "until", "do", "!", "{", "time"];
/// Commands that run the command that follows them.
const RUNNERS: [&str; 6] = ["command", "builtin", "coproc", "exec", "nohup", "sudo"];
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
        self.name.as_deref() == Some("for") && self.words == 0
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
        (self.operands == 0 || self.options.contains('s')).then_some(name)
    }

    /// Takes a word that is complete.
    pub(super) fn add(&mut self, word: &Word, attributes: &mut Attributes) -> Role {
        let text = word.text.as_str();
        let Some(name) = self.name.as_deref() else { return self.begin(word) };
        if name == "function" && text == "{" {
            *self = Command::default();
            return Role::Plain;
        }
        if let Some(letters) = text.strip_prefix(['-', '+']) {
            self.options.push_str(if letters.starts_with('-') { "" } else { letters });
        } else {
            if DECLARATIONS.contains(&name) && self.options.contains(REREAD) {
                let variable = text.split(['=', '+', '[']).next().unwrap_or(text);
                attributes.insert(variable.to_owned(), Attribute::of(&self.options));
            }
            let takes_word = self.previous.starts_with(['-', '+']) && self.previous.ends_with(['o', 'O']);
            self.operands += usize::from(!takes_word);
        }
        self.words += 1;
        text.clone_into(&mut self.previous);
        Role::Plain
    }

    /// Takes a word where the command's name may be.
    fn begin(&mut self, word: &Word) -> Role {
        let text = word.text.as_str();
        match text {
            _ if word.quoted => {}
            "case" => return Role::Case,
            "esac" => return Role::Esac,
            "[[" => return Role::Test,
            _ if OPENERS.contains(&text) || Target::of(text) != Target::None => return Role::Plain,
            _ => {}
        }
        // No command's name begins with a dash: it is an option of the runner before.
        if !RUNNERS.contains(&text) && !text.starts_with('-') {
            self.name = Some(text.rsplit('/').next().unwrap_or(text).to_owned());
        }
        Role::Plain
    }

    /// What is wrong with a value after `prefix` of a word, before `rest`.
    pub(super) fn hazard(&self, prefix: &str, rest: &str, attributes: &Attributes) -> Option<Hazard> {
        let Some(name) = self.name.as_deref() else {
            return assignment(prefix, rest, attributes);
        };
        let owned = || name.to_owned();
        let previous = self.previous.as_str();
        let follows = |options: &[&str]| options.contains(&previous);
        match name {
            "eval" | "trap" | "alias" | "compgen" | "complete" | "fc" => Some(Hazard::Code(owned())),
            "let" => Some(Hazard::Calculated(owned())),
            "unset" | "getopts" | "mapfile" | "readarray" => Some(Hazard::Name(owned())),
            "read" => (!follows(&READ_OPTIONS)).then(|| Hazard::Name(owned())),
            "ssh" => prefix.contains(char::is_whitespace).then_some(Hazard::Remote),
            "wait" => follows(&["-p"]).then(|| Hazard::Name(owned())),
            "for" | "select" | "function" => (self.words == 0).then(|| Hazard::Name(owned())),
            // Of two values next to each other the first could be the `-v` that makes the second a name.
            "test" | "[" => {
                (follows(&["-v", "-R"]) || previous.contains(UNKNOWN)).then(|| Hazard::Name(owned()))
            }
            "printf" if follows(&["-v"]) || prefix.starts_with("-v") => Some(Hazard::Name(owned())),
            "printf" => (self.words == 0 && prefix.is_empty()).then_some(Hazard::Format),
            _ if SHELLS.contains(&name) => {
                (self.options.contains('c') && self.operands == 0).then(|| Hazard::ShellCode(owned()))
            }
            _ if DECLARATIONS.contains(&name) => self.declaration(name, prefix, rest, attributes),
            _ => None,
        }
    }

    fn declaration(&self, name: &str, prefix: &str, rest: &str, attributes: &Attributes) -> Option<Hazard> {
        match Target::of(prefix) {
            Target::Variable(_) if self.options.contains('i') => {
                Some(Hazard::Calculated(format!("{name} -i")))
            }
            Target::Variable(_) if self.options.contains(REREAD) => {
                Some(Hazard::Reread(format!("{name} -{}", self.options)))
            }
            Target::Variable(variable) if attributes.get(variable) == Some(&Attribute::Array) => {
                Some(Hazard::Reread(variable.to_owned()))
            }
            Target::Variable(_) | Target::Subscript => assignment(prefix, rest, attributes),
            Target::None => Some(Hazard::Name(name.to_owned())),
        }
    }
}

/// What is wrong with a value in the word `prefix…` where an assignment may stand.
fn assignment(prefix: &str, rest: &str, attributes: &Attributes) -> Option<Hazard> {
    match Target::of(prefix) {
        Target::Subscript => Some(Hazard::Subscript),
        Target::Variable(name) if CALCULATED.contains(&name) => Some(Hazard::Calculated(name.to_owned())),
        Target::Variable(name) if EXPANDED.contains(&name) => Some(Hazard::Reread(name.to_owned())),
        Target::Variable(name) => match attributes.get(name) {
            Some(Attribute::Integer) => Some(Hazard::Calculated(name.to_owned())),
            Some(Attribute::Reference) => Some(Hazard::Reread(name.to_owned())),
            Some(Attribute::Array) | None => None,
        },
        Target::None => {
            let tail = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
            let names = prefix.is_empty() || is_identifier(prefix);
            (names && (tail.starts_with('=') || tail.starts_with("+="))).then_some(Hazard::Assigned)
        }
    }
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
