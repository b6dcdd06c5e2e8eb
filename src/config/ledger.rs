//! `[ledger]`: through which git remote a team shares its ledgers, and under which refs.

use super::reader::Item;
use crate::diagnostic::Diagnostic;
use crate::model::ledger::Sharing;

pub(crate) fn read(item: Item<'_, '_>) -> Sharing {
    let mut sharing = Sharing::default();
    let Some(mut table) = item.table("`[ledger]`") else { return sharing };
    sharing.remote = table.take("remote").and_then(|item| item.text());
    if let Some(prefix) = table.take("prefix").and_then(prefix) {
        sharing.prefix = prefix;
    }
    if let Some(timeout) = table.take("timeout").and_then(|item| item.duration()) {
        sharing.timeout = timeout;
    }
    table.finish();
    sharing
}

/// Refuses what git would not take as the beginning of a ref's name; see git-check-ref-format(1).
fn prefix(item: Item<'_, '_>) -> Option<String> {
    let text = item.text()?;
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with(['.', '-'])
            && !part.ends_with('.')
            && part.strip_suffix(".lock").is_none()
            && part.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    let parts: Vec<&str> = text.split('/').collect();
    if parts.len() < 2 || parts[0] != "refs" || !parts.iter().all(|part| is_part(part)) || text.contains("..")
    {
        item.problem(
            Diagnostic::new(format!("`{}` can't be the beginning of a ref's name", text.escape_debug()))
                .at(item.at(), "such as \"refs/deploy\", or \"refs/heads/deploy\" for branches"),
        );
        return None;
    }
    Some(text)
}
