//! `protect`: the rules of an environment.

use super::freeze;
use super::reader::{Item, Table, Toml};
use crate::model::environment::{Confirm, Older, Protect};
use crate::model::script::Script;
use crate::model::template::Template;

pub(crate) fn read(item: Item<'_, '_>) -> Protect {
    let Some(mut table) = item.table("`protect`") else { return Protect::default() };
    let protect = Protect {
        branches: table.take("branches").map(|item| item.texts()).unwrap_or_default(),
        clean: table.take("clean").and_then(|item| item.boolean()).unwrap_or(false),
        after: table.take("after").and_then(|item| Some((item.text()?, item.at()))),
        pushed: table.take("pushed").and_then(|item| item.boolean()).unwrap_or(false),
        older: match table.take("ancestor").and_then(|item| item.boolean()) {
            Some(false) => Older::Taken,
            Some(true) | None => Older::Refused,
        },
        freeze: table.take("freeze").map(freeze::read).unwrap_or_default(),
        checks: table.take("checks").map(checks).unwrap_or_default(),
        backup: table.take("backup").and_then(|item| item.duration()),
        confirm: confirm(&mut table),
        at: None,
    };
    // An empty table protects from nothing: it is how an heir takes rules off.
    let at = Some(item.key()).filter(|_| !table.said().is_empty());
    table.finish();
    Protect { at, ..protect }
}

fn checks(item: Item<'_, '_>) -> Vec<Script<Template>> {
    let lines = item.list("a list of shell lines");
    lines.unwrap_or_default().iter().filter_map(Item::script).collect()
}

fn confirm(table: &mut Table<'_, '_>) -> Confirm {
    let Some(item) = table.take("confirm") else { return Confirm::No };
    match item.value() {
        Toml::Boolean(true) => Confirm::Ask,
        Toml::Boolean(false) => Confirm::No,
        Toml::String(word) if word == "typed" => Confirm::Typed,
        Toml::String(_)
        | Toml::Integer(..)
        | Toml::Float(_)
        | Toml::Datetime(_)
        | Toml::Array(_)
        | Toml::Table(_) => {
            item.wrong("true, false or \"typed\"");
            Confirm::No
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::parse;
    use crate::diagnostic::Source;

    #[test]
    fn an_empty_table_protects_from_nothing() {
        for (protect, is_protected) in
            [("{}", false), ("{ confirm = false }", true), ("{ ancestor = true }", true)]
        {
            let text = format!("[environments.a]\nprotect = {protect}\n");
            let project = parse(&Source::new("tasks.toml", text)).expect("a good file");
            assert_eq!(project.environments[0].protect.at.is_some(), is_protected, "{protect}");
        }
    }
}
