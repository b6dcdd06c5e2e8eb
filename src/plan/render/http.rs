//! The request of an `http` step, with its values; one that can't be sent is refused here, before anything runs.

use super::super::World;
use super::super::scope::{Rendered, Scope};
use super::Renderer;
use crate::diagnostic::Diagnostic;
use crate::model::http::{Body, Http, fault_of_address, is_header_value};
use crate::model::json::Json;
use crate::model::step::{Planned, Written};
use crate::model::template::Template;
use crate::model::text::Text;
use crate::model::value::Value;

impl<'a> Renderer<'a> {
    pub(super) fn http(&mut self, scope: &Scope<'a>, http: &Http<Written>) -> Http<Planned> {
        let url = self.text(scope, &http.url);
        if let Some((reason, help)) = self.known(scope, &http.url, &url).and_then(fault_of_address) {
            let shown = Diagnostic::new("this address can't be asked").at(http.url.at, reason);
            self.problems.push(shown.help(help));
        }
        Http {
            method: http.method,
            headers: http
                .headers
                .iter()
                .map(|(name, value)| (name.clone(), self.header(scope, value)))
                .collect(),
            body: match &http.body {
                Body::None => Body::None,
                Body::Json(json) => Body::Json(self.json(scope, json)),
                Body::Text(text) => Body::Text(self.text(scope, text)),
            },
            expect: http.expect.clone(),
            url,
            at: http.at,
        }
    }

    fn header(&mut self, scope: &Scope<'a>, template: &Template) -> Text {
        let value = self.text(scope, template);
        if !self.known(scope, template, &value).is_none_or(is_header_value) {
            let problem = Diagnostic::new("a header is one line of text");
            self.problems.push(problem.at(template.at, "this value is not one line"));
        }
        value
    }

    /// The text, where it is what will be sent: no secret in it, no value that is missing or made up.
    fn known<'t>(&self, scope: &Scope<'a>, template: &Template, text: &'t Text) -> Option<&'t str> {
        let is_known = self.facts.world == World::Seen && scope.text(template).is_ok();
        text.as_plain().filter(|_| is_known)
    }

    /// A text stays a text, whatever its values are; a list that stands alone becomes a list.
    fn json(&mut self, scope: &Scope<'a>, json: &Json<Written>) -> Json<Planned> {
        match json {
            Json::Text(template) => {
                let value = template.as_value().map(|expression| scope.value(expression));
                match value {
                    Some(Ok(Rendered { value: Value::List(_), .. })) => {
                        Json::List(self.words(scope, template).into_iter().map(Json::Text).collect())
                    }
                    Some(_) | None => Json::Text(self.text(scope, template)),
                }
            }
            Json::Integer(number) => Json::Integer(*number),
            Json::Float(number) => Json::Float(*number),
            Json::Bool(truth) => Json::Bool(*truth),
            Json::List(items) => Json::List(items.iter().map(|item| self.json(scope, item)).collect()),
            Json::Table(entries) => Json::Table(
                entries.iter().map(|(key, value)| (key.clone(), self.json(scope, value))).collect(),
            ),
        }
    }
}
