//! `[stores.NAME]`: places for what is kept outside of the project.

use super::reader::Item;
use super::{secret, value};
use crate::diagnostic::{Diagnostic, nearest};
use crate::model::store::{Address, Keys, Place, Store};
use crate::model::template::Template;

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
    let url = table.require("url");
    let endpoint = table.take("endpoint").and_then(|item| item.template());
    let region = table.take("region").and_then(|item| item.template());
    let secrets = table.take("secrets");
    let named = secrets.map(secret::named).unwrap_or_default();
    table.finish();
    let url = url.and_then(|item| {
        let template = item.template()?;
        // What stands in braces is known later.
        match template.as_plain().map(Address::parse) {
            Some(Err(help)) => {
                item.problem(Diagnostic::new("this is no store").at(item.at(), "here").help(help));
            }
            Some(Ok(address)) => fits(item, &address, endpoint.as_ref(), region.as_ref(), &named),
            None => {}
        }
        Some(template)
    });
    Some(Store { name: name.to_owned(), url: url?, endpoint, region, secrets: named, at: item.key() })
}

/// Refuses what can't be a store's at this address.
fn fits(
    item: Item<'_, '_>,
    address: &Address,
    endpoint: Option<&Template>,
    region: Option<&Template>,
    secrets: &[(String, Template)],
) {
    let plain = |template: Option<&Template>| template.map(|it| it.as_plain().map(str::to_owned));
    // What is said by a variable is said.
    let place =
        |endpoint, region| Place { address: address.clone(), endpoint, region, keys: Keys::default() };
    if let (None | Some(Some(_)), region) = (plain(endpoint), plain(region))
        && let Some((what, help)) =
            place(plain(endpoint).flatten(), region.map(Option::unwrap_or_default)).unfit()
    {
        let at = endpoint.map_or_else(|| item.at(), |endpoint| endpoint.at);
        item.problem(Diagnostic::new(what).at(at, "here").help(help));
    }
    let keys = match address {
        Address::Folder(_) => &[],
        Address::Bucket { service, .. } => service.keys(),
    };
    for (name, template) in secrets.iter().filter(|(name, _)| !keys.contains(&name.as_str())) {
        let help = match nearest(name, keys.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if keys.is_empty() => "a folder has none: take `secrets` out".to_owned(),
            None => format!("it has these: {}", keys.join(", ")),
        };
        let problem = Diagnostic::new(format!("`{name}` is no credential of this store"));
        item.problem(problem.at(template.at, "here").help(help));
    }
}
