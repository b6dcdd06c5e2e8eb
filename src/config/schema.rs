//! The JSON Schema of tasks.toml, for editors: what `tables` declares, as draft-07, which they understand best.
//! The reader decides; a test holds this to it.

mod tables;
mod targets;

use serde_json::{Map, Value, json};

use tables::TABLES;
use targets::TARGETS;

/// A table of the language.
struct Table {
    name: &'static str,
    about: &'static str,
    keys: &'static [Key],
    /// Keys that must be there.
    required: &'static [&'static str],
    /// Keys of which exactly one must be there.
    one_of: &'static [&'static str],
}

/// A key, what it is for, and what it holds.
struct Key(&'static str, Kind, &'static str);

/// What a value may be.
enum Kind {
    Text,
    Bool,
    /// `true` alone.
    True,
    Number,
    Integer(i64, i64),
    /// One of these words.
    Word(&'static [&'static str]),
    List(&'static Kind),
    /// A table whose keys are the user's.
    Map(&'static Kind),
    /// A table of [`TABLES`] or [`TARGETS`].
    Table(&'static str),
    Any(&'static [Kind]),
    Anything,
}

/// The whole of it, as text.
pub(crate) fn schema() -> String {
    let mut definitions: Map<String, Value> =
        TABLES.iter().chain(&TARGETS).map(|table| (table.name.to_owned(), table.schema())).collect();
    let root = definitions.remove("file").unwrap_or_default();
    let mut schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "tasks.toml",
        "definitions": definitions,
    });
    if let (Value::Object(schema), Value::Object(root)) = (&mut schema, root) {
        schema.extend(root);
    }
    format!("{schema:#}\n")
}

impl Table {
    fn schema(&self) -> Value {
        let properties: Map<String, Value> = self
            .keys
            .iter()
            .map(|Key(name, kind, about)| ((*name).to_owned(), kind.described(about)))
            .collect();
        let mut schema = json!({
            "type": "object",
            "description": self.about,
            "properties": properties,
            "additionalProperties": false,
        });
        if !self.required.is_empty() {
            schema["required"] = json!(self.required);
        }
        if !self.one_of.is_empty() {
            let required = self.one_of.iter().map(|key| json!({ "required": [key] }));
            schema["oneOf"] = required.collect();
        }
        schema
    }
}

impl Kind {
    fn described(&self, about: &str) -> Value {
        match self {
            // Beside a `$ref`, draft-07 heeds nothing.
            Kind::Table(_) => json!({ "description": about, "allOf": [self.schema()] }),
            Kind::Text
            | Kind::Bool
            | Kind::True
            | Kind::Number
            | Kind::Integer(..)
            | Kind::Word(_)
            | Kind::List(_)
            | Kind::Map(_)
            | Kind::Any(_)
            | Kind::Anything => {
                let mut schema = self.schema();
                schema["description"] = json!(about);
                schema
            }
        }
    }

    fn schema(&self) -> Value {
        match self {
            Kind::Text => json!({ "type": "string" }),
            Kind::Bool => json!({ "type": "boolean" }),
            Kind::True => json!({ "const": true }),
            Kind::Number => json!({ "type": "number", "minimum": 0 }),
            Kind::Integer(min, max) => json!({ "type": "integer", "minimum": min, "maximum": max }),
            Kind::Word(words) => json!({ "enum": words }),
            Kind::List(item) => json!({ "type": "array", "items": item.schema() }),
            Kind::Map(value) => json!({ "type": "object", "additionalProperties": value.schema() }),
            Kind::Table(name) => json!({ "$ref": format!("#/definitions/{name}") }),
            Kind::Any(kinds) => json!({ "anyOf": kinds.iter().map(Kind::schema).collect::<Vec<_>>() }),
            Kind::Anything => json!({}),
        }
    }
}
