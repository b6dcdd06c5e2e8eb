//! `deploy why …`: why tasks would run, or why they have nothing to do. It runs nothing of the user's, and writes nothing.

use std::process::ExitCode;

use super::super::args::{Common, Words};
use super::super::error::Error;
use super::super::session::Session;
use super::super::{print, request};
use super::Form;
use crate::facts;
use crate::fresh::Records;
use crate::fresh::survey::Survey;
use crate::report::freshness::Freshness;

pub(crate) fn why(session: &Session, common: &Common, words: &Words, form: Form) -> Result<ExitCode, Error> {
    let requests = request::requests(session, common, words)?;
    let site = session.site();
    let records = Records::read(&site.state);
    let (mut text, mut objects) = (String::new(), Vec::new());
    for request in &requests {
        let (_, plan) = request::planned(session, common, &site, request, facts::Manner::Look)?;
        let (survey, _unwritten) = Survey::of(&plan, &records);
        let freshness = Freshness { plan: &plan, survey: &survey, records: &records };
        match form {
            Form::Text => text += &freshness.text(),
            Form::Json => objects.push(freshness.json()),
        }
    }
    if form == Form::Json {
        text = serde_json::to_string_pretty(&objects).expect("plain data has no map with odd keys") + "\n";
    }
    Ok(print(&text))
}
