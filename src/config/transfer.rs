//! `put` and `get`: files that go to hosts, or come from them.

use super::reader::Item;
use crate::diagnostic::Diagnostic;
use crate::model::step::{Transfer, Written};

/// The greatest mode: all bits that `chmod` knows.
const MOST: u32 = 0o7777;

pub(crate) fn put(item: Item<'_, '_>) -> Option<Transfer<Written>> {
    let mut table = item.table("`put`")?;
    let from = table.require("from").and_then(|item| item.template());
    let to = table.require("to").and_then(|item| item.template());
    let mode = table.take("mode").and_then(mode);
    table.finish();
    Some(Transfer { from: from?, to: to?, mode, at: item.at() })
}

pub(crate) fn get(item: Item<'_, '_>) -> Option<Transfer<Written>> {
    let mut table = item.table("`get`")?;
    let from = table.require("from").and_then(|item| item.template());
    let to = table.require("to").and_then(|item| item.template());
    table.finish();
    Some(Transfer { from: from?, to: to?, mode: None, at: item.at() })
}

/// `"640"`, as `chmod` takes it.
fn mode(item: Item<'_, '_>) -> Option<u32> {
    let text = item.text()?;
    let mode = u32::from_str_radix(&text, 8).ok().filter(|mode| *mode <= MOST);
    if mode.is_none() || text.starts_with('+') {
        item.problem(
            Diagnostic::new(format!("`{text}` is no mode"))
                .at(item.at(), "octal digits are wanted")
                .help("as chmod takes it: mode = \"640\""),
        );
        return None;
    }
    mode
}
