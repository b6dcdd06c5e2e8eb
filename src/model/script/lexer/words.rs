//! Words and operators: where commands begin and end, `case`, brackets, redirections and here-documents.

use super::Lexer;
use super::Limit;
use crate::model::script::command::{Attribute, Command, Role, Target};
use crate::model::script::fault;
use crate::model::script::frame::{Case, Flat, Frame, Heredoc, Kind, Redirect, UNKNOWN, Words};

/// The operators of `[[ ]]` that calculate with their operands, or look for a variable of that name.
const CALCULATING: [&str; 8] = ["-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-v", "-R"];

impl Lexer<'_> {
    /// Reads one character, or one operator, of words.
    pub(super) fn words(&mut self, c: char) {
        let in_word = self.innermost().is_some_and(|words| words.word.is_some());
        match c {
            ' ' | '\t' => {
                self.end_word();
                self.at += 1;
            }
            '\n' => {
                self.end_command();
                self.at += 1;
                self.open_documents();
            }
            '#' if !in_word => self.flat(Flat::Comment, self.limit()),
            '\'' => self.flat(Flat::Quotes, self.limit()),
            '"' => self.open_double(),
            '&' if self.rest().starts_with("&>") => {
                self.end_word();
                self.at += 1;
                self.redirect();
            }
            ';' | '&' | '|' => self.separator(),
            '(' => self.open_bracket(),
            ')' => self.close_bracket(),
            '<' | '>' => self.redirect(),
            _ => {
                self.note(c);
                self.at += c.len_utf8();
            }
        }
    }

    /// Takes the word that was read for what it is.
    pub(super) fn end_word(&mut self) {
        let at = self.at;
        let Some(Frame::Words(words)) = self.stack.last_mut() else { return };
        let Some(word) = words.word.take() else { return };
        if words.redirect.take().is_some() || words.kind == Kind::Array {
            return;
        }
        if words.kind == Kind::Test {
            if CALCULATING.contains(&word.text.as_str()) {
                words.calculates = Some(word.text);
            } else if word.text == "]]" && !word.quoted {
                self.leave_to(self.stack.len() - 1);
            }
            return;
        }
        match words.cases.last_mut() {
            Some(case @ Case::Subject) => *case = Case::In,
            Some(case @ Case::In) => {
                if word.text == "in" {
                    *case = Case::Patterns;
                }
            }
            Some(Case::Patterns) => {
                if word.text == "esac" && !word.quoted {
                    words.cases.pop();
                }
            }
            Some(Case::Body) | None => match words.command.add(&word, &mut self.attributes) {
                Role::Plain => {}
                Role::Case => words.cases.push(Case::Subject),
                Role::Esac => {
                    words.cases.pop();
                }
                Role::Test => {
                    self.stack.push(Frame::Words(Words::new(Kind::Test, at.saturating_sub("[[".len()))));
                }
            },
        }
    }

    /// Reads the bodies of the here-documents that were announced: the lexer is at the beginning of a line.
    pub(super) fn open_documents(&mut self) {
        while let Some(heredoc) = self.innermost().and_then(|words| words.heredocs.pop_front()) {
            let (end, resume) = self.document(&heredoc);
            if !heredoc.quoted {
                self.limits.push(Limit { end, resume, depth: self.stack.len() });
                self.stack.push(Frame::Document { reader: heredoc.reader });
                return;
            }
            self.flat(Flat::Document(&heredoc), end);
            self.at = resume;
        }
    }

    /// Where the body that begins here ends, and the line after its last.
    fn document(&self, heredoc: &Heredoc) -> (usize, usize) {
        let mut at = self.at;
        let mut continued = false;
        for line in self.rest().split_inclusive('\n') {
            let text = line.strip_suffix('\n').unwrap_or(line);
            let word = if heredoc.tabs { text.trim_start_matches('\t') } else { text };
            if !continued && word == heredoc.delimiter {
                return (at, at + line.len());
            }
            let backslashes = text.len() - text.trim_end_matches('\\').len();
            continued = !heredoc.quoted && backslashes % 2 == 1;
            at += line.len();
        }
        (at, at)
    }

    fn innermost(&mut self) -> Option<&mut Words> {
        match self.stack.last_mut() {
            Some(Frame::Words(words)) => Some(words),
            Some(_) | None => None,
        }
    }

    /// Ends the command, unless this is an array or a test, which go on after a newline or an operator.
    fn end_command(&mut self) {
        self.end_word();
        if let Some(words) = self.innermost()
            && words.is_command()
        {
            words.command = Command::default();
            words.redirect = None;
        }
    }

    fn separator(&mut self) {
        self.end_command();
        let operator = self.rest();
        let ends_case = [";;&", ";;", ";&"].into_iter().find(|end| operator.starts_with(end));
        if let (Some(end), Some(case @ Case::Body)) =
            (ends_case, self.innermost().and_then(|words| words.cases.last_mut()))
        {
            *case = Case::Patterns;
            self.at += end.len();
        } else {
            self.at += 1;
        }
    }

    fn open_bracket(&mut self) {
        let open = self.at;
        let doubled = self.rest().starts_with("((");
        let Some(words) = self.innermost() else { return };
        let array = words.word.as_ref().and_then(|word| match Target::of(&word.text) {
            Target::Variable(name) if word.text.ends_with('=') && !word.quoted => Some(name.to_owned()),
            Target::Variable(_) | Target::Subscript | Target::None => None,
        });
        if words.kind == Kind::Array || words.kind == Kind::Test {
            self.end_word();
        } else if let Some(name) = array {
            self.attributes.entry(name).or_insert(Attribute::Array);
            self.stack.push(Frame::Words(Words::new(Kind::Array, open)));
        } else if words.prefix().ends_with(['?', '*', '+', '@', '!']) {
            self.stack.push(Frame::Words(Words::new(Kind::Substitution, open)));
        } else if words.at_patterns() {
            self.end_word();
        } else if doubled && words.word.is_none() && (words.command.is_open() || words.command.is_for()) {
            words.command = Command::default();
            self.stack.push(Frame::Arithmetic { depth: 1, brackets: ('(', ')') });
        } else {
            self.end_word();
            let mut inner = Words::new(Kind::Subshell, open);
            // The next newline begins the here-documents, also one inside.
            if let Some(words) = self.innermost() {
                inner.heredocs = std::mem::take(&mut words.heredocs);
            }
            self.stack.push(Frame::Words(inner));
        }
        self.at += 1;
    }

    fn close_bracket(&mut self) {
        self.end_word();
        self.at += 1;
        let Some(words) = self.innermost() else { return };
        if words.at_patterns() {
            words.cases.pop();
            words.cases.push(Case::Body);
            words.command = Command::default();
            return;
        }
        let (kind, announced) = (words.kind, std::mem::take(&mut words.heredocs));
        if kind == Kind::Top || kind == Kind::Test {
            words.heredocs = announced;
            return;
        }
        self.leave_to(self.stack.len() - 1);
        if kind == Kind::Subshell
            && let Some(words) = self.innermost()
        {
            words.command = Command::default();
        }
        let around = self.stack.iter_mut().rev().find_map(|frame| match frame {
            Frame::Words(words) => Some(words),
            Frame::Double | Frame::Expansion { .. } | Frame::Arithmetic { .. } | Frame::Document { .. } => {
                None
            }
        });
        if let Some(words) = around {
            words.heredocs.extend(announced);
        }
    }

    fn redirect(&mut self) {
        let (open, rest) = (self.at, self.rest());
        let Some(words) = self.innermost() else { return };
        // `2>`: the number belongs to the operator.
        if words.prefix().bytes().all(|byte| byte.is_ascii_digit()) && words.kind != Kind::Test {
            words.word = None;
        }
        self.end_word();
        if self.innermost().is_some_and(|words| words.kind == Kind::Test) {
            self.at += 1;
        } else if rest.starts_with("<(") || rest.starts_with(">(") {
            self.note(UNKNOWN);
            self.at += 2;
            self.stack.push(Frame::Words(Words::new(Kind::Substitution, open)));
        } else if rest.starts_with("<<") && !rest.starts_with("<<<") {
            self.announce();
        } else {
            let length = rest.find(|c| c != '<' && c != '>').unwrap_or(rest.len());
            self.at += length + usize::from(rest[length..].starts_with(['&', '|']));
            let redirect = match &rest[..length] {
                "<<<" => Redirect::Text,
                _ if rest[length..].starts_with('&') => Redirect::Duplicate,
                _ => Redirect::File,
            };
            if let Some(words) = self.innermost() {
                words.redirect = Some(redirect);
            }
        }
    }

    /// Reads `<<WORD`.
    fn announce(&mut self) {
        self.at += "<<".len();
        let tabs = self.rest().starts_with('-');
        self.at += usize::from(tabs);
        while self.rest().starts_with([' ', '\t']) {
            self.at += 1;
        }
        let start = self.at;
        let mut delimiter = String::new();
        let mut quote = None;
        let mut quoted = false;
        while let Some(c) = self.next() {
            if let Some((_, end)) = self.braces(self.at) {
                self.faults.push(fault::delimiter(self.at..end));
                self.at = end;
                continue;
            }
            if quote.is_none() && matches!(c, ' ' | '\t' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')') {
                break;
            }
            self.at += c.len_utf8();
            match c {
                '\'' | '"' if quote.is_none_or(|open| open == c) => {
                    quote = if quote.is_none() { Some(c) } else { None };
                    quoted = true;
                }
                '$' if quote.is_none() && self.rest().starts_with(['\'', '"']) => {}
                '\\' if quote != Some('\'') => {
                    quoted = true;
                    let next = self.next();
                    delimiter.extend(next);
                    self.at += next.map_or(0, char::len_utf8);
                }
                _ => delimiter.push(c),
            }
        }
        let word = start..self.at;
        if let Some(words) = self.innermost() {
            let reader = words.command.reading_shell().map(str::to_owned);
            words.heredocs.push_back(Heredoc { word, delimiter, quoted, tabs, reader });
        }
    }
}
