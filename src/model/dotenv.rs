//! The text of a dotenv file: parsed, never run. What is accepted is told in docs/reference.md. A fault names the place
//! and never shows the line: what stands there may be a secret.

use std::iter::Peekable;
use std::str::CharIndices;

/// A line that can't be read, and why; both counts are from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) why: String,
}

/// The variables in their order. `outer` has the values that beat those of the file, where a value names another.
///
/// # Errors
/// The first line that can't be read.
pub(crate) fn parse(
    text: &str,
    outer: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<(String, String)>, Fault> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut parser = Parser { text, rest: text.char_indices().peekable(), outer, variables: Vec::new() };
    match parser.file() {
        Ok(()) => Ok(parser.variables),
        Err((at, why)) => {
            let before = &text[..at];
            let start = before.rfind('\n').map_or(0, |newline| newline + 1);
            let line = before.matches('\n').count() + 1;
            Err(Fault { line, column: before[start..].chars().count() + 1, why: why.into() })
        }
    }
}

/// A byte of the text, and what is wrong there.
type Wrong = (usize, Why);

/// What can be wrong.
enum Why {
    NoName,
    OddName,
    NoEquals,
    Unclosed(char),
    AfterQuote(char),
    Nul,
    OddReference,
    NoValue,
}

impl From<Why> for String {
    fn from(why: Why) -> String {
        match why {
            Why::NoName => "a line is NAME=VALUE, and here is no name".to_owned(),
            Why::OddName => "a name has letters, digits, `_` and `.`, and begins with no digit".to_owned(),
            Why::NoEquals => "there is no `=` after the name".to_owned(),
            Why::Unclosed(quote) => format!("the {quote} that opens here is never closed"),
            Why::AfterQuote(quote) => format!("nothing but a comment may follow the closing {quote}"),
            Why::Nul => "a value can't hold a NUL".to_owned(),
            Why::OddReference => {
                "`${` wants NAME} or NAME:-DEFAULT}; `\\$` or single quotes make it text".to_owned()
            }
            Why::NoValue => {
                "this name has no value: ${NAME:-} if it may lack one; `\\$` or single quotes make `$` text"
                    .to_owned()
            }
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    rest: Peekable<CharIndices<'a>>,
    outer: &'a dyn Fn(&str) -> Option<String>,
    variables: Vec<(String, String)>,
}

impl Parser<'_> {
    fn file(&mut self) -> Result<(), Wrong> {
        loop {
            while self.take_if(char::is_whitespace).is_some() {}
            match self.rest.peek() {
                None => return Ok(()),
                Some((_, '#')) => self.skip_line(),
                Some(_) => self.entry()?,
            }
        }
    }

    fn entry(&mut self) -> Result<(), Wrong> {
        let mut name = self.name()?;
        let blanks = self.blanks();
        if name == "export" && blanks > 0 && self.rest.peek().is_some_and(|(_, c)| *c != '=') {
            name = self.name()?;
            self.blanks();
        }
        let at = self.at();
        if self.take_if(|c| c == '=').is_none() {
            let is_odd = self.rest.peek().is_some_and(|(_, c)| blanks == 0 && !c.is_whitespace());
            return Err((at, if is_odd { Why::OddName } else { Why::NoEquals }));
        }
        let blanks = self.blanks();
        let at = self.at();
        let value = match self.rest.peek() {
            Some((_, quote @ ('\'' | '"'))) => {
                let quote = *quote;
                self.rest.next();
                let value = self.quoted(quote, at)?;
                self.blanks();
                match self.rest.peek() {
                    None | Some((_, '\n' | '\r')) => {}
                    Some((_, '#')) => self.skip_line(),
                    Some((at, _)) => return Err((*at, Why::AfterQuote(quote))),
                }
                value
            }
            Some((_, '#')) if blanks > 0 => {
                self.skip_line();
                String::new()
            }
            Some(_) | None => self.bare()?,
        };
        if value.contains('\0') {
            return Err((at, Why::Nul));
        }
        self.variables.push((name, value));
        Ok(())
    }

    fn name(&mut self) -> Result<String, Wrong> {
        let at = self.at();
        let mut name = String::new();
        while let Some(c) = self.take_if(is_of_name) {
            name.push(c);
        }
        match name.chars().next() {
            None => Err((at, Why::NoName)),
            Some(first) if first.is_ascii_digit() => Err((at, Why::OddName)),
            Some(_) => Ok(name),
        }
    }

    /// Up to the closing quote; line ends are `\n` whatever the file has.
    fn quoted(&mut self, quote: char, opened: usize) -> Result<String, Wrong> {
        let mut value = String::new();
        loop {
            let (at, c) = self.rest.next().ok_or((opened, Why::Unclosed(quote)))?;
            match c {
                _ if c == quote => return Ok(value),
                '\r' if self.rest.peek().is_some_and(|(_, next)| *next == '\n') => {}
                '\\' if quote == '"' => match self.rest.next().ok_or((opened, Why::Unclosed(quote)))?.1 {
                    'n' => value.push('\n'),
                    't' => value.push('\t'),
                    'r' => value.push('\r'),
                    kept @ ('"' | '\\' | '$') => value.push(kept),
                    other => value.extend(['\\', other]),
                },
                '$' if quote == '"' => self.reference(at, &mut value)?,
                _ => value.push(c),
            }
        }
    }

    /// A value without quotes: to the end of the line, or to a `#` after a blank.
    fn bare(&mut self) -> Result<String, Wrong> {
        let mut value = String::new();
        while let Some((at, c)) = self.rest.next_if(|(_, c)| *c != '\n') {
            match c {
                '#' if value.ends_with([' ', '\t']) => {
                    self.skip_line();
                    break;
                }
                '\\' if self.take_if(|next| next == '$').is_some() => value.push('$'),
                '$' => self.reference(at, &mut value)?,
                _ => value.push(c),
            }
        }
        Ok(value.trim().to_owned())
    }

    /// What follows a `$`: `NAME`, `{NAME}` or `{NAME:-DEFAULT}` give a value; before anything else it is text.
    fn reference(&mut self, at: usize, value: &mut String) -> Result<(), Wrong> {
        let is_braced = self.take_if(|c| c == '{').is_some();
        let mut name = String::new();
        while let Some(c) = self.take_if(|c| c == '_' || c.is_ascii_alphanumeric()) {
            name.push(c);
            if !is_braced && name.starts_with(|first: char| first.is_ascii_digit()) {
                break;
            }
        }
        if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
            if is_braced {
                return Err((at, Why::OddReference));
            }
            value.extend(["$", &name]);
            return Ok(());
        }
        let known = self.known(&name);
        if !is_braced {
            value.push_str(&known.ok_or((at, Why::NoValue))?);
            return Ok(());
        }
        let rest = &self.text[self.at()..];
        let line = rest.lines().next().unwrap_or_default();
        let (inside, _) = line.split_once('}').ok_or((at, Why::OddReference))?;
        let known = match (inside, inside.strip_prefix(":-")) {
            ("", _) => known.ok_or((at, Why::NoValue))?,
            (_, Some(default)) => known.filter(|known| !known.is_empty()).unwrap_or(default.to_owned()),
            (_, None) => return Err((at, Why::OddReference)),
        };
        value.push_str(&known);
        // As many characters as stand before the brace, and the brace.
        for _ in 0..=inside.chars().count() {
            self.rest.next();
        }
        Ok(())
    }

    fn known(&self, name: &str) -> Option<String> {
        let earlier = || self.variables.iter().rev().find(|(known, _)| known == name);
        (self.outer)(name).or_else(|| earlier().map(|(_, value)| value.clone()))
    }

    fn blanks(&mut self) -> usize {
        std::iter::from_fn(|| self.take_if(|c| matches!(c, ' ' | '\t'))).count()
    }

    fn skip_line(&mut self) {
        while self.take_if(|c| c != '\n').is_some() {}
    }

    fn take_if(&mut self, is_wanted: impl Fn(char) -> bool) -> Option<char> {
        self.rest.next_if(|(_, c)| is_wanted(*c)).map(|(_, c)| c)
    }

    /// Where we are, in bytes.
    fn at(&mut self) -> usize {
        self.rest.peek().map_or(self.text.len(), |(at, _)| *at)
    }
}

fn is_of_name(c: char) -> bool {
    c == '_' || c == '.' || c.is_ascii_alphanumeric()
}

#[cfg(test)]
mod tests;
