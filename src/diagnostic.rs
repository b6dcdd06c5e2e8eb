//! Bad news about what the user wrote: a place, a sentence, and the mend. All of a file's are collected and
//! shown at once. The only user of the renderer; it knows nothing of TOML or tasks.

use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use anstyle::{AnsiColor, Style};
use serde::{Deserialize, Serialize};

/// How many problems are shown: who has more mends these first, and the rest is mostly their echo.
const SHOWN: usize = 50;

/// A stretch of a source's text, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Span {
    pub(crate) source: u32,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    pub(crate) fn new(source: u32, range: Range<usize>) -> Span {
        let clamp = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Span { source, start: clamp(range.start), end: clamp(range.end) }
    }
}

/// A file that was read: spans point into its text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Source {
    /// The path as the user would type it.
    pub(crate) path: String,
    pub(crate) text: String,
    /// Where its lines end; found when the first line is asked for.
    ends: OnceLock<Vec<usize>>,
}

impl Source {
    pub(crate) fn new(path: impl Into<String>, text: impl Into<String>) -> Source {
        Source { path: path.into(), text: text.into(), ends: OnceLock::new() }
    }

    /// The line and the character in it, both counted from 1, at which byte `offset` stands.
    pub(crate) fn position(&self, offset: u32) -> (usize, usize) {
        let end = inside(&self.text, Span { source: 0, start: offset, end: offset }).start;
        let start = self.text[..end].rfind('\n').map_or(0, |newline| newline + 1);
        (self.line(offset), self.text[start..end].chars().count() + 1)
    }

    /// The line that holds byte `offset`, counted from 1.
    pub(crate) fn line(&self, offset: u32) -> usize {
        let ends = self.ends.get_or_init(|| memchr::memchr_iter(b'\n', self.text.as_bytes()).collect());
        ends.partition_point(|end| *end < offset as usize) + 1
    }
}

/// One problem of a file or a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Diagnostic {
    pub(crate) severity: Severity,
    pub(crate) message: String,
    /// Where, and what is there; the first is the place that is pointed at.
    pub(crate) labels: Vec<(Span, String)>,
    pub(crate) help: Vec<String>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    /// Nothing can be done with such a file.
    Error,
    /// It works, and is hardly what was meant.
    Warning,
}

impl Diagnostic {
    pub(crate) fn new(message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            message: message.into(),
            labels: Vec::new(),
            help: Vec::new(),
        }
    }

    /// Something that works all the same.
    pub(crate) fn warning(message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::new(message) }
    }

    pub(crate) fn at(mut self, span: Span, label: impl Into<String>) -> Diagnostic {
        self.labels.push((span, label.into()));
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help.push(help.into());
        self
    }

    /// Adds the help where there is one.
    pub(crate) fn maybe_help(self, help: Option<String>) -> Diagnostic {
        match help {
            Some(help) => self.help(help),
            None => self,
        }
    }
}

/// Problems, collected; they are shown in the order of their places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Diagnostics {
    problems: Vec<Diagnostic>,
}

impl Diagnostics {
    pub(crate) fn push(&mut self, problem: Diagnostic) {
        self.problems.push(problem);
    }

    /// Adds problems; one that is known already is not told twice.
    pub(crate) fn extend(&mut self, more: impl IntoIterator<Item = Diagnostics>) {
        for problem in more.into_iter().flat_map(|more| more.problems) {
            if !self.is_plenty() && !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
        }
    }

    /// The problems, in the order in which they were found.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.problems.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.problems.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// Whether there are more than will be shown.
    pub(crate) fn is_plenty(&self) -> bool {
        self.problems.len() > SHOWN
    }

    /// `value`, unless there is bad news.
    pub(crate) fn or<T>(self, value: T) -> Result<T, Diagnostics> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }

    /// The problems as a person reads them, each with its lines of source.
    pub(crate) fn render(mut self, sources: &[Source]) -> String {
        self.problems.sort_by_key(|problem| problem.labels.first().map(|(span, _)| *span));
        let renderer = Renderer::styled();
        let more = if self.is_plenty() {
            format!("\n\nThere is more; these are the first {SHOWN} problems.")
        } else {
            String::new()
        };
        self.problems.truncate(SHOWN);
        let shown = self.problems.iter().map(|problem| {
            if problem.labels.is_empty() {
                plain(problem)
            } else {
                renderer.render(&report(problem, sources))
            }
        });
        shown.collect::<Vec<String>>().join("\n\n") + &more
    }
}

/// A problem that is in no file: the renderer would draw the margin of one.
fn plain(problem: &Diagnostic) -> String {
    let mut text = format!("{ERROR}error{ERROR:#}: {}", problem.message);
    for help in &problem.help {
        text.extend(["\n", &format!("{HELP}help{HELP:#}"), ": ", help]);
    }
    text
}

/// How the word `error` looks.
pub(crate) const ERROR: Style = AnsiColor::BrightRed.on_default().bold();
/// How the word `help` looks.
pub(crate) const HELP: Style = AnsiColor::BrightCyan.on_default().bold();

impl From<Diagnostic> for Diagnostics {
    fn from(problem: Diagnostic) -> Diagnostics {
        Diagnostics { problems: vec![problem] }
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let messages: Vec<&str> = self.problems.iter().map(|problem| problem.message.as_str()).collect();
        f.write_str(&messages.join("; "))
    }
}

fn report<'a>(problem: &'a Diagnostic, sources: &'a [Source]) -> Vec<Group<'a>> {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut body = Group::with_title(level.primary_title(&problem.message));
    for (index, source) in sources.iter().enumerate() {
        let labels = problem.labels.iter().enumerate();
        let here: Vec<_> = labels
            .filter(|(_, (span, _))| span.source as usize == index)
            .map(|(position, (span, label))| (position, inside(&source.text, *span), label))
            .collect();
        let (Some(start), Some(end)) =
            (here.iter().map(|(_, at, _)| at.start).min(), here.iter().map(|(_, at, _)| at.end).max())
        else {
            continue;
        };
        // The renderer reads all that it is given, for every problem: so it is given the lines alone.
        let lines = lines(&source.text, start..end);
        let annotations = here.into_iter().map(|(position, at, label)| {
            let kind = if position == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
            kind.span(at.start - lines.start..at.end - lines.start).label(label.as_str())
        });
        let snippet = Snippet::source(&source.text[lines.clone()])
            .line_start(source.line(Span::new(0, lines.clone()).start))
            .path(&source.path)
            .annotations(annotations);
        body = body.element(snippet);
    }
    for help in &problem.help {
        body = body.element(Level::HELP.message(help.as_str()));
    }
    vec![body]
}

/// The whole lines that `at` touches, and the one before: the end of a file can be on none.
fn lines(text: &str, at: Range<usize>) -> Range<usize> {
    let newline_before = |offset: usize| memchr::memrchr(b'\n', &text.as_bytes()[..offset]);
    let first = newline_before(at.start).and_then(newline_before).map_or(0, |newline| newline + 1);
    let rest = &text.as_bytes()[at.end..];
    first..memchr::memchr(b'\n', rest).map_or(text.len(), |newline| at.end + newline + 1)
}

/// The span as a range that lies inside the text, on characters' borders: the renderer panics on anything else.
fn inside(text: &str, span: Span) -> Range<usize> {
    let border = |offset: u32| {
        let mut offset = (offset as usize).min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    };
    let start = border(span.start);
    start..border(span.end).max(start)
}

/// The candidate that `word` was most likely meant to be, if one is near enough.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A third of the letters may be wrong: enough for two slips in `requirements`, too few to take `run` for `env`,
    // and never all of them.
    let length = word.chars().count();
    let bound = (length / 3).max(1).min(length.saturating_sub(1));
    let distance =
        |candidate: &&str| strsim::damerau_levenshtein(&word.to_lowercase(), &candidate.to_lowercase());
    candidates
        .into_iter()
        .map(|candidate| (distance(&candidate), candidate))
        .filter(|(d, _)| *d <= bound)
        .min_by_key(|(d, _)| *d)
        .map(|(_, candidate)| candidate)
}
