//! Questions: asked once, before anything runs; without a terminal and without `--yes` they are refused.

use std::io::{self, BufRead, IsTerminal, Write};

use super::error::{Error, Kind};

/// A question, and the word that must be typed if a plain yes is not enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) text: String,
    pub(crate) typed: Option<String>,
}

/// Asks them one after the other. `yes` is what `--yes` says: nothing, or a word for a typed confirmation.
///
/// # Errors
/// Refused at the first answer that is not yes.
pub(crate) fn ask(questions: &[Question], yes: Option<&str>) -> Result<(), Error> {
    questions.iter().try_for_each(|question| match (&question.typed, yes) {
        (None, Some(_)) => Ok(()),
        (Some(word), Some(given)) if given == word => Ok(()),
        (Some(word), Some(_)) => {
            Err(refused(&question.text).help(format!("this one wants the name: --yes={word}")))
        }
        (typed, None) => read(question, typed.as_deref()),
    })
}

fn read(question: &Question, typed: Option<&str>) -> Result<(), Error> {
    let mut stdin = io::stdin().lock();
    if !stdin.is_terminal() {
        let flag = typed.map_or_else(|| "--yes".to_owned(), |word| format!("--yes={word}"));
        return Err(Error::new(Kind::Refused, format!("there is no terminal to ask: {}", question.text))
            .help(format!("answer it with {flag}")));
    }
    let hint = typed.map_or_else(|| "[y/N]".to_owned(), |word| format!("Type {word} to go on:"));
    let mut stderr = anstream::stderr().lock();
    let asked = write!(stderr, "{} {hint} ", question.text).and_then(|()| stderr.flush());
    let mut answer = String::new();
    let answered = asked.and_then(|()| stdin.read_line(&mut answer));
    let answer = answer.trim();
    let agrees = match typed {
        Some(word) => answer == word,
        None => matches!(answer.to_lowercase().as_str(), "y" | "yes"),
    };
    if answered.is_ok() && agrees { Ok(()) } else { Err(refused(&question.text)) }
}

fn refused(question: &str) -> Error {
    Error::new(Kind::Refused, format!("not confirmed: {question}"))
}
