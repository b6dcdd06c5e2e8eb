//! `http = { … }`: one request.

use super::reader::{Item, Table, Toml};
use super::value;
use crate::diagnostic::Diagnostic;
use crate::model::http::{Body, Http, Method, fault_of_address, fault_of_header, is_header_value};
use crate::model::json::Json;
use crate::model::step::Written;
use crate::model::template::Template;

const METHODS: [(&str, Method); 6] = [
    ("GET", Method::Get),
    ("POST", Method::Post),
    ("PUT", Method::Put),
    ("PATCH", Method::Patch),
    ("DELETE", Method::Delete),
    ("HEAD", Method::Head),
];

pub(super) fn read(item: Item<'_, '_>) -> Option<Http<Written>> {
    let mut table = item.table("`http`")?;
    let url = table.require("url").and_then(address);
    let method = table.take("method");
    let headers = table.take("headers").map(headers).unwrap_or_default();
    let body = body(&mut table);
    let expect = table.take("expect").map(statuses).unwrap_or_default();
    table.finish();
    let default = if matches!(body, Body::None) { Method::Get } else { Method::Post };
    let given = method.and_then(|item| Some((item, item.one_of(&METHODS)?)));
    if let (Some((item, method)), Body::Json(_) | Body::Text(_)) = (given, &body)
        && method.only_looks()
    {
        item.problem(
            Diagnostic::new(format!("a {method} request carries no body"))
                .at(item.at(), "and there is a `json` or a `body`")
                .help("method = \"POST\", or one of PUT, PATCH, DELETE"),
        );
    }
    let method = given.map_or(default, |(_, method)| method);
    Some(Http { method, url: url?, headers, body, expect, at: item.at() })
}

fn address(item: Item<'_, '_>) -> Option<Template> {
    let url = item.template()?;
    if let Some((reason, help)) = url.as_plain().and_then(fault_of_address) {
        item.problem(Diagnostic::new("this address can't be asked").at(item.at(), reason).help(help));
    }
    Some(url)
}

fn headers(item: Item<'_, '_>) -> Vec<(String, Template)> {
    let Some(table) = item.table("`headers`") else { return Vec::new() };
    table.entries().into_iter().filter_map(|(name, item)| header(name, item)).collect()
}

fn header(name: &str, item: Item<'_, '_>) -> Option<(String, Template)> {
    if let Some(fault) = fault_of_header(name) {
        item.problem(Diagnostic::new(format!("`{name}` can't be a header here")).at(item.key(), fault));
    }
    let value = item.template()?;
    if !value.as_plain().is_none_or(is_header_value) {
        item.problem(Diagnostic::new("a header is one line of text").at(item.at(), "not one line"));
    }
    Some((name.to_owned(), value))
}

fn body(table: &mut Table<'_, '_>) -> Body<Written> {
    match (table.take("json"), table.take("body")) {
        (None, None) => Body::None,
        (Some(item), None) => json(item).map_or(Body::None, Body::Json),
        (None, Some(item)) => item.template().map_or(Body::None, Body::Text),
        (Some(_), Some(item)) => {
            item.problem(
                Diagnostic::new("a request has one body")
                    .at(item.key(), "and there is a `json`")
                    .help("`json` for data, `body` for text as it is"),
            );
            Body::None
        }
    }
}

/// Any value of TOML; a date is a text.
fn json(item: Item<'_, '_>) -> Option<Json<Written>> {
    Some(match item.value() {
        Toml::String(_) => Json::Text(item.template()?),
        Toml::Integer(..) => Json::Integer(item.integer(i64::MIN..=i64::MAX)?),
        Toml::Float(float) => match float.parse() {
            Ok(number) if f64::is_finite(number) => Json::Float(number),
            Ok(_) | Err(_) => {
                item.problem(Diagnostic::new("JSON has no such number").at(item.at(), "not a finite number"));
                return None;
            }
        },
        Toml::Boolean(truth) => Json::Bool(*truth),
        Toml::Datetime(date) => Json::Text(Template::plain(date.as_str(), item.at())),
        Toml::Array(_) => {
            Json::List(item.list("a list").unwrap_or_default().into_iter().filter_map(json).collect())
        }
        Toml::Table(_) => {
            let entries = item.table("`json`")?.entries();
            Json::Table(
                entries.into_iter().filter_map(|(key, item)| Some((key.to_owned(), json(item)?))).collect(),
            )
        }
    })
}

/// A status, or a list of them.
fn statuses(item: Item<'_, '_>) -> Vec<u16> {
    const EXPECTED: &str = "a status such as 200, or a list of them";
    let status = |item: &Item<'_, '_>| item.integer(200..=599).and_then(|status| u16::try_from(status).ok());
    if value::integer(item.value()).is_some() {
        return status(&item).into_iter().collect();
    }
    let items = item.list(EXPECTED);
    if items.as_ref().is_some_and(Vec::is_empty) {
        item.wrong(EXPECTED);
    }
    items.unwrap_or_default().iter().filter_map(status).collect()
}
