//! Rendered text that knows which of its parts are secrets, by name alone. So nothing that prints, logs or writes a
//! text down can show one; [`Text::reveal`] puts the values in, and only code that acts has them.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::secret::Vault;
use super::template::{self, Template, is_identifier};

/// What is shown in the place of a secret.
pub(super) const MASK: &str = "***";

/// Text as it will be used.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Text {
    /// Plain parts are never empty and never neighbours.
    parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Part {
    Plain(String),
    /// The name of a secret.
    Secret(String),
}

impl Text {
    /// The secret `name`, whatever its value is.
    pub(crate) fn secret(name: impl Into<String>) -> Text {
        Text { parts: vec![Part::Secret(name.into())] }
    }

    /// Adds plain text.
    pub(crate) fn push(&mut self, plain: &str) {
        match self.parts.last_mut() {
            Some(Part::Plain(before)) => before.push_str(plain),
            Some(Part::Secret(_)) | None => {
                if !plain.is_empty() {
                    self.parts.push(Part::Plain(plain.to_owned()));
                }
            }
        }
    }

    /// Adds `other`, secrets as secrets.
    pub(crate) fn append(&mut self, other: Text) {
        for part in other.parts {
            match part {
                Part::Plain(text) => self.push(&text),
                secret @ Part::Secret(_) => self.parts.push(secret),
            }
        }
    }

    /// The texts one after another, with `separator` between.
    pub(crate) fn join(texts: &[Text], separator: &str) -> Text {
        let mut joined = Text::default();
        for (index, text) in texts.iter().enumerate() {
            if index > 0 {
                joined.push(separator);
            }
            joined.append(text.clone());
        }
        joined
    }

    /// The text, if no part of it is secret.
    pub(crate) fn as_plain(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Plain(text)] => Some(text),
            [Part::Secret(_)] | [_, _, ..] => None,
        }
    }

    /// The names of the secrets in it.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Plain(_) => None,
            Part::Secret(name) => Some(name.as_str()),
        })
    }

    /// The text with the values of its secrets, for the code that acts. Every secret of a plan is in the vault before
    /// its first job starts.
    pub(crate) fn reveal(&self, vault: &Vault) -> String {
        self.with_secrets(|name| vault.value(name).unwrap_or_default())
    }

    /// The text with its secrets by their names, as a file says them: for who compares texts.
    pub(crate) fn with_names(&self) -> String {
        let shown = self.parts.iter().map(|part| match part {
            Part::Plain(text) => text.clone(),
            Part::Secret(name) => format!("{{{{ secret.{name} }}}}"),
        });
        shown.collect()
    }

    fn with_secrets<'a>(&'a self, show: impl Fn(&'a str) -> &'a str) -> String {
        let shown = self.parts.iter().map(|part| match part {
            Part::Plain(text) => text.as_str(),
            Part::Secret(name) => show(name),
        });
        shown.collect()
    }

    /// The template that renders to this text: plain text as it is, `{{ secret.NAME }}` for a secret.
    fn to_template(&self) -> String {
        let mut template = String::new();
        for (index, part) in self.parts.iter().enumerate() {
            match part {
                Part::Plain(text) => {
                    let before_value = index + 1 < self.parts.len();
                    push_escaped(&mut template, text, before_value);
                }
                Part::Secret(name) if is_identifier(name) => {
                    template.extend(["{{ secret.", name, " }}"]);
                }
                Part::Secret(name) => template.extend(["{{ secret[\"", name, "\"] }}"]),
            }
        }
        template
    }
}

/// Adds `text` so that a template reads it as text: runs of `{` and `$` that would mean something stand as `{{ "…" }}`.
fn push_escaped(template: &mut String, text: &str, before_value: bool) {
    let mut rest = text;
    while let Some(start) = rest.find(['{', '$']) {
        let length = rest[start..].find(|c| c != '{' && c != '$').unwrap_or(rest.len() - start);
        let (plain, tail) = rest.split_at(start);
        let (run, tail) = tail.split_at(length);
        template.push_str(plain);
        if run.contains("{{") || (tail.is_empty() && before_value) {
            template.extend(["{{ \"", run, "\" }}"]);
        } else {
            template.push_str(run);
        }
        rest = tail;
    }
    template.push_str(rest);
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.with_secrets(|_| MASK))
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({:?})", self.to_string())
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_template())
    }
}

impl<'de> Deserialize<'de> for Text {
    /// From the template that it was written as.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
        let mut text = Text::default();
        for part in Template::deserialize(deserializer)?.parts {
            match part {
                template::Part::Plain(plain) => text.push(&plain),
                template::Part::Value(expression) => {
                    match expression.as_name().and_then(|name| name.strip_prefix("secret.")) {
                        Some(name) => text.append(Text::secret(name)),
                        None => {
                            return Err(D::Error::custom(format!(
                                "`{}` is not the name of a secret",
                                expression.source
                            )));
                        }
                    }
                }
            }
        }
        Ok(text)
    }
}

impl From<&str> for Text {
    fn from(plain: &str) -> Text {
        let mut text = Text::default();
        text.push(plain);
        text
    }
}

impl From<String> for Text {
    fn from(plain: String) -> Text {
        Text::from(plain.as_str())
    }
}

impl FromIterator<Text> for Text {
    fn from_iter<I: IntoIterator<Item = Text>>(texts: I) -> Text {
        let mut whole = Text::default();
        texts.into_iter().for_each(|text| whole.append(text));
        whole
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::template::{Part as Piece, Template};
    use super::*;
    use crate::diagnostic::Span;

    /// What a template is made of: plain text, or the source of an expression.
    fn pieces(template: &Template) -> Vec<Result<String, String>> {
        let piece = |part: &Piece| match part {
            Piece::Plain(text) => Ok(text.clone()),
            Piece::Value(expression) => Err(expression.source.clone()),
        };
        template.parts.iter().map(piece).collect()
    }

    fn expected(text: &Text) -> Vec<Result<String, String>> {
        let piece = |part: &Part| match part {
            Part::Plain(text) => Ok(text.clone()),
            Part::Secret(name) => Err(format!("secret.{name}")),
        };
        text.parts.iter().map(piece).collect()
    }

    fn any_text() -> impl Strategy<Value = Text> {
        let plain = prop_oneof![".*", r#"[{}$ "'a.\\-]{0,12}"#, Just("{{range .X}}{{end}}".to_owned())];
        let part = prop_oneof![
            3 => plain.prop_map(Text::from),
            1 => "[A-Z_]{1,6}".prop_map(Text::secret),
        ];
        prop::collection::vec(part, 0..6).prop_map(Text::from_iter)
    }

    #[test]
    fn shows_no_secret() {
        let mut text = Text::from("https://user:");
        text.append(Text::secret("TOKEN"));
        text.push("@example.com");
        assert_eq!(text.to_string(), "https://user:***@example.com");
        assert_eq!(format!("{text:?}"), r#"Text("https://user:***@example.com")"#);
        let vault = Vault::from_iter([("TOKEN".to_owned(), "hunter2".to_owned())]);
        assert_eq!(text.reveal(&vault), "https://user:hunter2@example.com");
        assert_eq!(text.as_plain(), None);
        assert_eq!(text.secrets().collect::<Vec<_>>(), ["TOKEN"]);
        let written = serde_json::to_string(&text).unwrap();
        assert_eq!(written, r#""https://user:{{ secret.TOKEN }}@example.com""#);
    }

    #[test]
    fn is_written_so_that_braces_stay_text() {
        for (text, written) in [
            ("{{ name }}", r#"{{ "{{" }} name }}"#),
            ("${{ github.ref }}", r#"{{ "${{" }} github.ref }}"#),
            ("{ a: { b } }", "{ a: { b } }"),
            ("$HOME", "$HOME"),
        ] {
            assert_eq!(Text::from(text).to_template(), written);
        }
        for (before, written) in [("$", r#"{{ "$" }}{{ secret.A }}"#), ("x{", r#"x{{ "{" }}{{ secret.A }}"#)]
        {
            let text: Text = [Text::from(before), Text::secret("A")].into_iter().collect();
            assert_eq!(text.to_template(), written);
        }
        assert_eq!(Text::secret("my-key").to_template(), r#"{{ secret["my-key"] }}"#);
    }

    #[test]
    fn is_joined_with_a_separator_between() {
        let texts = [Text::from("a"), Text::from(""), Text::secret("B")];
        assert_eq!(Text::join(&texts, ", ").to_string(), "a, , ***");
        assert!(Text::join(&[], ", ").to_string().is_empty());
    }

    proptest! {
        #[test]
        fn is_a_template_again_when_written(text in any_text()) {
            let written = serde_json::to_string(&text).unwrap();
            let read: Template = serde_json::from_str(&written).unwrap();
            prop_assert_eq!(pieces(&read), expected(&text), "{}", written);
            let source: String = serde_json::from_str(&written).unwrap();
            let parsed = Template::parse(&source, &|range| Span::new(0, range)).unwrap();
            prop_assert_eq!(pieces(&parsed), expected(&text));
        }
    }
}
