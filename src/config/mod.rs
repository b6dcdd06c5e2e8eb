//! READ: the text of a tasks.toml becomes a [`Project`]. All problems of a file are found at once, each with its
//! place. No file is opened here: the text is given.

mod check;
mod environment;
mod http;
mod parameter;
mod project;
mod reader;
mod secret;
mod step;
mod target;
mod task;
mod value;

use crate::diagnostic::{Diagnostic, Diagnostics, Source, Span};
use crate::model::project::Project;
use reader::Reader;
use toml::de::DeTable;

#[cfg(test)]
pub(crate) use parameter::{RESERVED, RESERVED_LETTERS};
pub(crate) use value::assignment;

/// How many syntax errors are shown: what follows the first few is mostly their echo.
const SYNTAX_ERRORS_SHOWN: usize = 5;

/// What `source`, the file number `index` of the project, means.
///
/// # Errors
/// Every problem of the file.
pub(crate) fn parse(source: &Source, index: u32) -> Result<Project, Diagnostics> {
    let (table, errors) = DeTable::parse_recoverable(&source.text);
    if !errors.is_empty() {
        return Err(syntax_errors(source, index, &errors));
    }
    let reader = Reader::new(source, index);
    let project = project::read(&reader, &table);
    check::check(&reader, &project);
    reader.into_problems().or(project)
}

/// The first error of each line: the parser tells the same slip of the pen several times.
fn syntax_errors(source: &Source, index: u32, errors: &[toml::de::Error]) -> Diagnostics {
    let mut errors: Vec<(Span, &str)> = errors
        .iter()
        .map(|error| (Span::new(index, error.span().unwrap_or(0..0)), error.message()))
        .collect();
    errors.sort_by_key(|(span, _)| *span);
    errors.dedup_by_key(|(span, _)| source.line(span.start));
    let mut problems = Diagnostics::default();
    for (span, message) in errors.into_iter().take(SYNTAX_ERRORS_SHOWN) {
        problems.push(Diagnostic::new(format!("this is not valid TOML: {message}")).at(span, "here"));
    }
    problems
}
