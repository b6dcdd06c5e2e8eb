//! `[stores.NAME]`: places for what is kept outside of the project.

use super::reader::Item;
use super::value;
use crate::diagnostic::Diagnostic;
use crate::model::store::{Address, Store};

pub(crate) fn read(item: Item<'_, '_>) -> Vec<Store> {
    let Some(stores) = item.table("`[stores]`") else { return Vec::new() };
    stores.entries().into_iter().filter_map(|(name, item)| store(name, item)).collect()
}

fn store(name: &str, item: Item<'_, '_>) -> Option<Store> {
    if !value::is_name(name) {
        item.problem(
            Diagnostic::new(format!("`{name}` can't be a store's name"))
                .at(item.key(), "letters, digits, `-`, `_` and `.`; not `-` or `.` first"),
        );
        return None;
    }
    let mut table = item.table("a store")?;
    let url = table.require("url").and_then(|item| {
        let template = item.template()?;
        // What stands in braces is known later.
        if let Some(Err(help)) = template.as_plain().map(Address::parse) {
            item.problem(Diagnostic::new("this is no store").at(item.at(), "here").help(help));
        }
        Some(template)
    });
    let endpoint = table.take("endpoint").and_then(|item| item.template());
    let region = table.take("region").and_then(|item| item.template());
    table.finish();
    Some(Store { name: name.to_owned(), url: url?, endpoint, region, at: item.key() })
}
