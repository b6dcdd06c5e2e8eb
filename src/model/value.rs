//! What a name in `{{ … }}` stands for: values as tasks.toml and `--set` give them.

use std::fmt;

use super::template::Template;
use super::text::Text;
use crate::diagnostic::Span;

/// A value that a name stands for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Text(Text),
    Integer(i64),
    Float(f64),
    Bool(bool),
    List(Vec<Text>),
}

impl Value {
    /// Plain text.
    pub(crate) fn text(text: impl Into<Text>) -> Value {
        Value::Text(text.into())
    }

    /// The value as one text, secrets as secrets; a list's words are joined by blanks.
    pub(crate) fn into_text(self) -> Text {
        match self {
            Value::Text(text) => text,
            Value::List(words) => Text::join(&words, " "),
            Value::Integer(_) | Value::Float(_) | Value::Bool(_) => Text::from(self.to_string()),
        }
    }
}

impl fmt::Display for Value {
    /// As it stands in a sentence or a path; a list's words are joined by blanks.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => write!(f, "{text}"),
            Value::Integer(number) => write!(f, "{number}"),
            Value::Float(number) => write!(f, "{number}"),
            Value::Bool(truth) => write!(f, "{truth}"),
            Value::List(words) => write!(f, "{}", Text::join(words, " ")),
        }
    }
}

/// A variable as a `vars` table defines it.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) definition: Definition,
    pub(crate) at: Span,
}

/// The right-hand side of a variable.
#[derive(Clone, Debug)]
pub(crate) enum Definition {
    Text(Template),
    List(Vec<Template>),
    /// A number or a boolean.
    Plain(Value),
    /// What a program prints, without the newline at its end; it is run when the value is first wanted.
    Command(Vec<Template>),
}

impl Definition {
    /// As one reads it: what stands in the file.
    pub(crate) fn shown(&self) -> String {
        match self {
            Definition::Text(template) => template.shown(),
            Definition::List(templates) => {
                templates.iter().map(Template::shown).collect::<Vec<String>>().join(" ")
            }
            Definition::Plain(value) => value.to_string(),
            Definition::Command(words) => {
                format!(
                    "what `{}` prints",
                    words.iter().map(Template::shown).collect::<Vec<String>>().join(" ")
                )
            }
        }
    }
}
