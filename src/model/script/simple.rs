//! Lines that say a program and its words and nothing else, so that they need no shell to be read. The rule is narrow
//! on purpose: whatever any shell might read in another way is left to the shell.

use super::Bound;
use crate::model::text::Text;

/// First words that a shell does not look for in `PATH`: reserved words and builtins, of dash, bash, ksh, zsh and the
/// others that call themselves `sh`.
const OWN: &str = " . : alias autoload bg bind break builtin caller case cd chdir command compgen complete compopt \
    continue coproc declare dirs disown do done echo elif else emulate enable esac eval exec exit export false fc fg \
    fi float for foreach function functions getopts global hash help hist history if in integer jobs kill let local \
    logout mapfile nameref newgrp noglob popd print printf pushd pwd read readarray readonly rehash repeat return \
    select set setopt shift shopt sleep source suspend test then time times trap true type typeset ulimit umask \
    unalias unset unsetopt until wait whence where which while ";

impl Bound {
    /// The program and its words, if the line says no more. Words are of letters, digits and `_ - . / = : , @ % +`, or
    /// values of ours; the first is no value, and nothing that a shell has of its own.
    pub(crate) fn words(&self) -> Option<Vec<Text>> {
        let written = || self.line.split([' ', '\t']).filter(|word| !word.is_empty());
        let first = written().next()?;
        // A path that is not from `/` on is told to a script as it is written, which only its folder could do for us.
        let names_program = (first.starts_with('/') || !first.contains('/'))
            && first.starts_with(|c: char| c.is_ascii_alphanumeric() || "/_".contains(c))
            && first.chars().all(|c| is_plain(c) && c != '=')
            && !OWN.contains(&format!(" {first} "));
        if names_program { written().map(|word| self.word(word)).collect() } else { None }
    }

    /// One word: plain characters, and `"${_1}"` for a value that is there.
    fn word(&self, written: &str) -> Option<Text> {
        let mut word = Text::default();
        let mut rest = written;
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix("\"${") {
                let (name, after) = after.split_once("}\"")?;
                let (_, value) = self.values.iter().find(|(known, _)| known == name)?;
                word.append(value.clone());
                rest = after;
            } else {
                let end = rest.find('"').unwrap_or(rest.len());
                let (plain, after) = rest.split_at(end);
                if plain.is_empty() || !plain.chars().all(is_plain) {
                    return None;
                }
                word.push(plain);
                rest = after;
            }
        }
        Some(word)
    }
}

/// Whether a character means itself in every shell, wherever it stands in a word that is not the first.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_-./=:,@%+".contains(c)
}
