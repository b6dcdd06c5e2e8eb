//! `inputs` and `outputs`: patterns of files.

use globset::GlobBuilder;

use super::reader::Item;
use crate::diagnostic::Diagnostic;
use crate::model::files::{Files, SPECIAL, Unless};
use crate::model::template::{Part, Template};

/// A pattern, a list of them, or a table that also says what is kept out.
pub(crate) fn files(item: Item<'_, '_>) -> Files<Template> {
    let Some(mut table) = item.maybe_table("a set of files") else {
        return Files { patterns: patterns(item), unless: Unless::Nothing, at: item.key() };
    };
    let listed = table.require("files").map(patterns).unwrap_or_default();
    let unless = match table.take("gitignore").and_then(|item| item.boolean()) {
        Some(true) => Unless::Ignored,
        Some(false) | None => Unless::Nothing,
    };
    table.finish();
    Files { patterns: listed, unless, at: item.key() }
}

/// A pattern, or a list of them.
pub(crate) fn patterns(item: Item<'_, '_>) -> Vec<Template> {
    let items = match item.value().as_str() {
        Some(_) => vec![item],
        None => match item.list("a pattern such as \"src/**/*.py\", or a list of them") {
            Some(items) => items,
            None => return Vec::new(),
        },
    };
    let mut patterns = Vec::with_capacity(items.len());
    patterns.extend(items.iter().filter_map(pattern));
    if patterns.len() == items.len() && patterns.iter().all(leaves_out) {
        item.problem(
            Diagnostic::new("no pattern takes a file in")
                .at(item.at(), if patterns.is_empty() { "no pattern" } else { "each leaves files out" })
                .help("name what there is first: [\"src/**\", \"!src/**/*.tmp\"]"),
        );
    }
    patterns
}

fn pattern(item: &Item<'_, '_>) -> Option<Template> {
    let template = item.template()?;
    // A value is text and no pattern: any word shows whether the rest is one.
    let glob: String = template
        .parts
        .iter()
        .map(|part| match part {
            Part::Plain(text) => text.as_str(),
            Part::Value(_) => "value",
        })
        .collect();
    let glob = glob.strip_prefix('!').unwrap_or(&glob);
    if glob.is_empty() {
        item.problem(Diagnostic::new("a pattern is empty").at(item.at(), "names no file"));
        return None;
    }
    if glob.contains(SPECIAL)
        && let Err(error) = GlobBuilder::new(glob).build()
    {
        let problem = Diagnostic::new(format!("this is not a pattern: {}", error.kind()));
        item.problem(
            problem
                .at(item.at(), "here")
                .help("a character that means something stands for itself behind `\\\\`, or in `[ ]`"),
        );
        return None;
    }
    Some(template)
}

/// Whether a pattern begins with `!`.
pub(crate) fn leaves_out(template: &Template) -> bool {
    matches!(template.parts.first(), Some(Part::Plain(text)) if text.starts_with('!'))
}
