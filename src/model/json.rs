//! JSON with texts in it. It stays data until it is written, so that no value can become syntax of it.

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Serialize, Serializer};

use super::step::{Form, Planned};
use super::text::Text;

/// What tasks.toml can say of JSON: all but `null`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[serde(bound(serialize = "F::Text: Serialize", deserialize = "F::Text: Deserialize<'de>"))]
pub(crate) enum Json<F: Form> {
    Text(F::Text),
    Integer(i64),
    /// Never infinite, and always a number.
    Float(f64),
    Bool(bool),
    List(Vec<Json<F>>),
    /// In the order of the file.
    Table(Vec<(String, Json<F>)>),
}

impl Json<Planned> {
    /// Every text in it.
    pub(crate) fn texts(&self) -> Vec<&Text> {
        match self {
            Json::Text(text) => vec![text],
            Json::Integer(_) | Json::Float(_) | Json::Bool(_) => Vec::new(),
            Json::List(items) => items.iter().flat_map(Json::texts).collect(),
            Json::Table(entries) => entries.iter().flat_map(|(_, json)| json.texts()).collect(),
        }
    }

    /// The document, with each text as `show` gives it.
    pub(crate) fn written(&self, show: &dyn Fn(&Text) -> String) -> String {
        serde_json::to_string(&Shown { json: self, show }).expect("texts and finite numbers can be written")
    }
}

struct Shown<'a> {
    json: &'a Json<Planned>,
    show: &'a dyn Fn(&Text) -> String,
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shown = |json| Shown { json, show: self.show };
        match self.json {
            Json::Text(text) => serializer.serialize_str(&(self.show)(text)),
            Json::Integer(number) => serializer.serialize_i64(*number),
            Json::Float(number) => serializer.serialize_f64(*number),
            Json::Bool(truth) => serializer.serialize_bool(*truth),
            Json::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(&shown(item)))?;
                list.end()
            }
            Json::Table(entries) => {
                let mut table = serializer.serialize_map(Some(entries.len()))?;
                entries.iter().try_for_each(|(key, value)| table.serialize_entry(key, &shown(value)))?;
                table.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::secret::Vault;

    proptest! {
        #[test]
        fn a_text_is_the_same_text_when_it_is_read(key in ".*", value in ".*", secret in ".+") {
            let mut text = Text::from(value.as_str());
            text.append(Text::secret("S"));
            let vault = Vault::from_iter([("S".to_owned(), secret)]);
            let json: Json<Planned> = Json::Table(vec![(key.clone(), Json::List(vec![Json::Text(text.clone())]))]);
            let read: serde_json::Value = serde_json::from_str(&json.written(&|text| text.reveal(&vault))).unwrap();
            prop_assert_eq!(&read, &serde_json::json!({ key: [text.reveal(&vault)] }));
        }
    }

    #[test]
    fn secrets_are_shown_only_to_those_who_reveal_them() {
        let json: Json<Planned> = Json::Text(Text::secret("TOKEN"));
        assert_eq!(json.written(&ToString::to_string), r#""***""#);
    }
}
