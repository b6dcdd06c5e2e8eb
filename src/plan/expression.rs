//! What stands between `{{` and `}}`: mostly a name, which needs no engine; anything more is minijinja's, with
//! exactly the names that it mentions and no others.

use minijinja::value::ValueKind;
use minijinja::{Environment, ErrorKind, UndefinedBehavior};

use super::scope::{Origin, Rendered};
use super::trouble::Trouble;
use crate::model::template::is_identifier;
use crate::model::text::Text;
use crate::model::value::Value;

/// The value of `source`; `lookup` says what a name stands for.
pub(crate) fn evaluate(
    source: &str,
    lookup: &mut dyn FnMut(&str) -> Result<Rendered, Trouble>,
) -> Result<Rendered, Trouble> {
    if is_plain_name(source) {
        match lookup(source) {
            // A variable of that name beats the literal.
            Err(Trouble::Unknown(..)) if LITERALS.contains(&source) => {}
            found => return found,
        }
    }
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let expression =
        environment.compile_expression(source).map_err(|error| Trouble::Wrong(sentence(&error), None))?;
    let mut names: Vec<String> = expression.undeclared_variables(true).into_iter().collect();
    names.extend(sliced(source));
    names.sort_unstable();
    names.dedup();
    let mut origin = Origin::File;
    let mut context = std::collections::BTreeMap::<String, minijinja::Value>::new();
    let mut caller = std::collections::BTreeMap::<String, minijinja::Value>::new();
    for name in names {
        if name == "secret" || name.starts_with("secret.") {
            return Err(transformed());
        }
        if let Some(variable) = name.strip_prefix("env.") {
            origin = Origin::Outside;
            match lookup(&name) {
                Ok(rendered) => drop(caller.insert(variable.to_owned(), engine_value(rendered.value)?)),
                // `env.X | default("…")` is for a variable that is not set.
                Err(Trouble::Unset(_)) if source.contains("default") => {}
                Err(trouble) => return Err(trouble),
            }
        } else if name != "env" {
            match lookup(&name) {
                Ok(rendered) => {
                    origin = origin.and(rendered.origin);
                    context.insert(name, engine_value(rendered.value)?);
                }
                Err(Trouble::Unknown(..)) if is_function(&name) => {}
                Err(trouble) => return Err(trouble),
            }
        }
    }
    context.insert("env".to_owned(), minijinja::Value::from(caller));
    let value = expression
        .eval(minijinja::Value::from(context))
        .map_err(|error| Trouble::Wrong(sentence(&error), None))?;
    Ok(Rendered { value: our_value(source, &value)?, origin })
}

/// The names that an expression mentions, `env.X` and `secret.X` whole; none of one that is none.
pub(crate) fn names(source: &str) -> Vec<String> {
    let source =
        source.strip_prefix("raw(").and_then(|inner| inner.strip_suffix(')')).unwrap_or(source).trim();
    if is_plain_name(source) {
        return vec![source.to_owned()];
    }
    let environment = Environment::new();
    let compiled = environment.compile_expression(source);
    let compiled = compiled.map(|expression| expression.undeclared_variables(true)).unwrap_or_default();
    compiled.into_iter().chain(sliced(source)).collect()
}

/// The names that a `[` follows: of what is sliced, `commit[:7]`, the engine does not say that it is mentioned.
fn sliced(source: &str) -> Vec<String> {
    const WORDS: [&str; 7] = ["in", "is", "not", "and", "or", "if", "else"];
    let mut names = Vec::new();
    let mut quote = None;
    for (at, c) in source.char_indices() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None, '[') => {
                let before = &source[..at];
                let start = before.rfind(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'));
                let name = &before[start
                    .map_or(0, |start| start + before[start..].chars().next().map_or(0, char::len_utf8))..];
                let is_filter = before[..at - name.len()].trim_end().ends_with('|');
                let first = name.split('.').next().unwrap_or(name);
                let whole = if matches!(first, "env" | "secret") { name } else { first };
                if is_identifier(first) && !is_filter && !WORDS.contains(&first) && whole != "env" {
                    names.push(whole.to_owned());
                }
            }
            _ => {}
        }
    }
    names
}

/// A condition's verdict: what minijinja and Python take for true.
pub(crate) fn is_true(value: &Value) -> bool {
    match value {
        Value::Text(text) => text.as_plain() != Some(""),
        Value::Integer(number) => *number != 0,
        Value::Float(number) => *number != 0.0,
        Value::Bool(truth) => *truth,
        Value::List(words) => !words.is_empty(),
    }
}

/// Names that have a meaning of their own in expressions.
const LITERALS: [&str; 6] = ["true", "false", "none", "True", "False", "None"];

/// `name`, `env.NAME` or `secret.NAME`: what needs no engine.
fn is_plain_name(source: &str) -> bool {
    let word = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    match source.split_once('.') {
        Some((first, rest)) => matches!(first, "env" | "secret") && word(rest),
        None => word(source),
    }
}

/// What an expression may call; these are no values of ours.
fn is_function(name: &str) -> bool {
    matches!(name, "range" | "dict" | "namespace" | "debug")
}

fn engine_value(value: Value) -> Result<minijinja::Value, Trouble> {
    let plain = |text: &Text| text.as_plain().map(str::to_owned).ok_or_else(transformed);
    Ok(match value {
        Value::Text(text) => plain(&text)?.into(),
        Value::Integer(number) => number.into(),
        Value::Float(number) => number.into(),
        Value::Bool(truth) => truth.into(),
        Value::List(words) => words.iter().map(plain).collect::<Result<Vec<String>, Trouble>>()?.into(),
    })
}

/// Says that an expression would make another text of a secret, one that no mask would know.
fn transformed() -> Trouble {
    Trouble::Wrong(
        "a secret can't be transformed: what comes out could not be masked".to_owned(),
        Some("use it as it is, `{{ secret.NAME }}`; or keep it in the form that is wanted".to_owned()),
    )
}

fn our_value(source: &str, value: &minijinja::Value) -> Result<Value, Trouble> {
    let no_value = |what: &str| Trouble::Wrong(format!("`{source}` gives {what}"), None);
    match value.kind() {
        ValueKind::Bool => Ok(Value::Bool(value.is_true())),
        ValueKind::Number => Ok(match i64::try_from(value.clone()) {
            Ok(number) if value.is_integer() => Value::Integer(number),
            Ok(_) | Err(_) => {
                Value::Float(f64::try_from(value.clone()).map_err(|_| no_value("no number that fits"))?)
            }
        }),
        ValueKind::String if value.as_str().is_some_and(|text| text.contains('\0')) => {
            Err(no_value("text with a NUL, which no program can be given"))
        }
        ValueKind::String => Ok(Value::text(value.to_string())),
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter().map_err(|error| Trouble::Wrong(sentence(&error), None))?;
            Ok(Value::List(items.map(|item| Text::from(item.to_string())).collect()))
        }
        _ => Err(no_value("nothing that text could hold")),
    }
}

fn sentence(error: &minijinja::Error) -> String {
    let detail = error.detail().unwrap_or_default();
    match error.kind() {
        ErrorKind::SyntaxError => format!("this is not an expression: {detail}"),
        ErrorKind::UnknownFilter
        | ErrorKind::UnknownFunction
        | ErrorKind::UnknownTest
        | ErrorKind::UnknownMethod => {
            format!("there is no such thing in expressions: {detail}")
        }
        kind if detail.is_empty() => format!("this expression has no value: {kind}"),
        kind => format!("this expression has no value: {kind}: {detail}"),
    }
}
