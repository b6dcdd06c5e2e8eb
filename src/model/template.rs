//! Text as written in tasks.toml: plain text with `{{ expressions }}` in it.
//! Here it is taken apart; what an expression means is not known here.

pub(crate) mod braces;
#[cfg(test)]
mod tests;

use std::ops::Range;

use serde::de::{Deserialize, Deserializer, Error};

use crate::diagnostic::Span;
use braces::Braces;

/// Text with expressions in it. Plain parts are never empty and never neighbours.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Template {
    pub(crate) parts: Vec<Part>,
    pub(crate) at: Span,
}

/// A stretch of a template.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    Plain(String),
    Value(Expression),
}

/// What stands between `{{` and `}}`, blanks trimmed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Expression {
    pub(crate) source: String,
    pub(crate) at: Span,
}

/// Something in a text that can't be accepted, and the mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// In bytes of the text that was given.
    pub(crate) at: Range<usize>,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl Template {
    /// Takes `text` apart; `place` tells where a range of it stands in its source. Fails on a `{{ name` without end.
    pub(crate) fn parse(text: &str, place: &dyn Fn(Range<usize>) -> Span) -> Result<Template, Fault> {
        // Nearly all are one part; a vector that grows makes room for four at once.
        let mut template = Template { parts: Vec::with_capacity(1), at: place(0..text.len()) };
        let (mut copied, mut at) = (0, 0);
        while let Some(found) = braces::first(&text[at..]) {
            let open = at + found;
            match braces::read(text, open)? {
                Braces::Foreign { end } => at = end,
                Braces::Ours { inner, end } => {
                    template.push_plain(&text[copied..open]);
                    match braces::literal(&text[inner.clone()]) {
                        Some(literal) => template.push_plain(literal),
                        None => template.parts.push(Part::Value(Expression::new(text, inner, place))),
                    }
                    (copied, at) = (end, end);
                }
            }
        }
        template.push_plain(&text[copied..]);
        Ok(template)
    }

    /// Text that is taken as it is, braces too.
    pub(crate) fn plain(text: impl Into<String>, at: Span) -> Template {
        let mut template = Template { parts: Vec::with_capacity(1), at };
        template.push_plain(&text.into());
        template
    }

    /// The template that is nothing but `expression`.
    pub(crate) fn value(expression: Expression) -> Template {
        Template { at: expression.at, parts: vec![Part::Value(expression)] }
    }

    /// The text, if there is no expression in it.
    pub(crate) fn as_plain(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Plain(text)] => Some(text),
            [Part::Value(_)] | [_, _, ..] => None,
        }
    }

    /// The expression, if the whole text is one: only then may its value be a list.
    pub(crate) fn as_value(&self) -> Option<&Expression> {
        match self.parts.as_slice() {
            [Part::Value(expression)] => Some(expression),
            [] | [Part::Plain(_)] | [_, _, ..] => None,
        }
    }

    /// As one reads it: what stands in the file, but for braces that stand for themselves.
    pub(crate) fn shown(&self) -> String {
        let parts = self.parts.iter().map(|part| match part {
            Part::Plain(text) => text.clone(),
            Part::Value(expression) => format!("{{{{ {} }}}}", expression.source),
        });
        parts.collect()
    }

    /// The expressions, in the order of the text.
    pub(crate) fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.parts.iter().filter_map(|part| match part {
            Part::Plain(_) => None,
            Part::Value(expression) => Some(expression),
        })
    }

    fn push_plain(&mut self, text: &str) {
        match self.parts.last_mut() {
            Some(Part::Plain(before)) => before.push_str(text),
            Some(Part::Value(_)) | None => {
                if !text.is_empty() {
                    self.parts.push(Part::Plain(text.to_owned()));
                }
            }
        }
    }
}

impl Expression {
    /// The expression that stands at `inner` of `text`.
    pub(crate) fn new(text: &str, inner: Range<usize>, place: &dyn Fn(Range<usize>) -> Span) -> Expression {
        Expression { source: text[inner.clone()].to_owned(), at: place(inner) }
    }

    /// The name, if the expression is nothing else: `tag`, `env.HOME`.
    pub(crate) fn as_name(&self) -> Option<&str> {
        self.source.split('.').all(is_identifier).then_some(&self.source)
    }

    /// For `raw(EXPR)`, the expression inside.
    pub(crate) fn as_raw(&self) -> Option<Expression> {
        let inner = self.source.strip_prefix("raw(")?;
        let end = braces::bracket_end(inner)?;
        let lead = inner[..end].len() - inner[..end].trim_start().len();
        let source = inner[..end].trim();
        if end + 1 != inner.len() || source.is_empty() {
            return None;
        }
        let offset = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
        let start = self.at.start.saturating_add(offset("raw(".len() + lead)).min(self.at.end);
        let end = start.saturating_add(offset(source.len())).min(self.at.end);
        Some(Expression { source: source.to_owned(), at: Span { start, end, ..self.at } })
    }
}

/// Whether `text` can name a variable: `[A-Za-z_][A-Za-z0-9_]*`.
pub(crate) fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// From what a [`Text`](super::text::Text) was written as; places in a source are not kept there.
impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Template, D::Error> {
        let text = String::deserialize(deserializer)?;
        Template::parse(&text, &|_| Span::default()).map_err(|fault| D::Error::custom(fault.message))
    }
}
