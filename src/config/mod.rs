//! READ: the text of a tasks.toml, and of those that it includes, becomes a [`Project`]. All problems of all files are
//! found at once, each with its place. No file is opened here: the texts are given.

mod backup;
mod check;
mod environment;
mod files;
mod freeze;
mod health;
mod host;
mod http;
mod include;
mod inherit;
mod ledger;
mod names;
mod parameter;
mod platform;
mod project;
mod protect;
mod pythonanywhere;
mod reader;
mod schema;
mod secret;
mod step;
mod store;
mod target;
mod task;
#[cfg(test)]
mod tests;
mod transfer;
mod value;

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use crate::diagnostic::{Diagnostic, Diagnostics, Source, Span};
use crate::model::project::Project;
use include::{Book, Role};

#[cfg(test)]
pub(crate) use parameter::RESERVED_LETTERS;
pub(crate) use schema::schema;
pub(crate) use value::assignment;

/// How many syntax errors are shown: what follows the first few is mostly their echo.
const SYNTAX_ERRORS_SHOWN: usize = 5;

/// A file that was opened for us.
pub(crate) struct Opened {
    pub(crate) source: Source,
    /// What no other file has: its path, without links.
    pub(crate) file: PathBuf,
    /// Where its tasks run: relative to the root's folder, empty for that one; absolute, if it is outside.
    pub(crate) folder: PathBuf,
}

/// Opens the file at a path that is relative to the root's folder, or says why it can't.
pub(crate) type Open<'o> = dyn FnMut(&Path) -> Result<Opened, String> + 'o;

/// Whether this machine knows a time zone of this name.
pub(crate) type IsZone<'z> = dyn Fn(&str) -> bool + 'z;

/// What the root's file and all that it includes mean, and their texts.
///
/// # Errors
/// Every problem of every file.
pub(crate) fn read(
    root: Opened,
    open: &mut Open<'_>,
    is_zone: &IsZone<'_>,
) -> (Vec<Source>, Result<Project, Diagnostics>) {
    let mut book = Book::default();
    book.read(root, &Role::root(), open);
    let (sources, mut problems) = (book.sources, book.problems);
    let mut project = book.project;
    problems.extend([names::resolve(&mut project), inherit::inherit(&mut project.environments, &book.heirs)]);
    problems.extend([check::check(&project, is_zone)]);
    (sources, problems.or(project))
}

/// What a lone file means.
#[cfg(test)]
pub(crate) fn parse(source: &Source) -> Result<Project, Diagnostics> {
    let root = Opened { source: source.clone(), file: PathBuf::new(), folder: PathBuf::new() };
    read(root, &mut |_| Err("there is no such file".to_owned()), &|_| true).1
}

/// Why a text is not valid TOML. The first error of each line: the parser tells the same slip of the pen several times.
fn syntax_errors(source: &Source, index: u32) -> Diagnostics {
    let (_, errors) = DeTable::parse_recoverable(&source.text);
    let mut errors: Vec<(Span, &str)> = errors
        .iter()
        .map(|error| {
            let at = error.span().unwrap_or_else(|| longest_key(&source.text));
            (Span::new(index, at), error.message())
        })
        .collect();
    errors.sort_by_key(|(span, _)| *span);
    errors.dedup_by_key(|(span, _)| source.line(span.start));
    let mut problems = Diagnostics::default();
    if errors.is_empty() {
        // Both read alike, which tests make sure of; if not, a file is refused rather than taken for an empty one.
        let problem = Diagnostic::new("this is not valid TOML");
        problems.push(problem.at(Span::new(index, 0..0), "somewhere in this file"));
    }
    for (span, message) in errors.into_iter().take(SYNTAX_ERRORS_SHOWN) {
        problems.push(Diagnostic::new(format!("this is not valid TOML: {message}")).at(span, "here"));
    }
    problems
}

/// The line with the most dots: the parser gives no place for the one thing that it says of a key of too many parts.
fn longest_key(text: &str) -> Range<usize> {
    let mut start = 0;
    let lines = text.split_inclusive('\n').map(|line| {
        let at = start..start + line.trim_end().len();
        start += line.len();
        (memchr::memchr_iter(b'.', line.as_bytes()).count(), at)
    });
    lines.max_by_key(|(dots, _)| *dots).map_or(0..0, |(_, at)| at)
}
