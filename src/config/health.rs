//! When something is healthy: `health` of an environment, and a `check` step.

use super::reader::{Item, Table};
use crate::diagnostic::Diagnostic;
use crate::model::health::{Health, OnFailure, Version};
use crate::model::http::is_header_name;
use crate::model::step::Written;
use crate::model::template::Template;

/// A check that asks for more good answers in a row than this never ends in time.
const LONGEST_STREAK: i64 = 1000;

/// What an environment must answer, and what becomes of a release that does not.
pub(super) fn of_environment(item: Item<'_, '_>) -> (Option<Health<Written>>, Option<OnFailure>) {
    let Some(mut table) = item.maybe_table("`health`") else { return (plain(item), None) };
    let health = read(item, &mut table);
    let on_failure = table.take("on_failure").and_then(|item| item.one_of(&OnFailure::WORDS));
    table.finish();
    (health, on_failure)
}

/// What a `check` step waits for.
pub(super) fn of_step(item: Item<'_, '_>) -> Option<Health<Written>> {
    let Some(mut table) = item.maybe_table("`check`") else { return plain(item) };
    let health = read(item, &mut table);
    table.finish();
    health
}

/// An address alone.
fn plain(item: Item<'_, '_>) -> Option<Health<Written>> {
    item.template().map(|url| with_defaults(url, item))
}

fn with_defaults(url: Template, item: Item<'_, '_>) -> Health<Written> {
    Health {
        url,
        status: 200,
        contains: None,
        version: None,
        within: Health::<Written>::WITHIN,
        every: Health::<Written>::EVERY,
        streak: 1,
        at: item.at(),
    }
}

fn read(item: Item<'_, '_>, table: &mut Table<'_, '_>) -> Option<Health<Written>> {
    let url = table.require("url").and_then(|item| item.template());
    let status = table
        .take("status")
        .and_then(|item| item.integer(100..=599))
        .and_then(|code| u16::try_from(code).ok());
    let contains = table.take("contains").and_then(|item| item.template());
    let version = version(table);
    let within = table.take("within").and_then(|item| item.duration());
    let every = table.take("every").and_then(|item| item.duration());
    let streak = table
        .take("streak")
        .and_then(|item| item.integer(1..=LONGEST_STREAK))
        .and_then(|n| u32::try_from(n).ok());
    let plain = with_defaults(url?, item);
    let health = Health {
        status: status.unwrap_or(plain.status),
        contains,
        version,
        within: within.unwrap_or(plain.within),
        every: every.unwrap_or(plain.every),
        streak: streak.unwrap_or(plain.streak),
        ..plain
    };
    let least = health.every.saturating_mul(health.streak - 1);
    if least > health.within {
        item.problem(
            Diagnostic::new("this check can't succeed: it ends before so many good answers can come")
                .at(item.at(), format!("{} answers take {}s at least", health.streak, least.as_secs()))
                .help("more `within`, less `every`, or a shorter `streak`"),
        );
    }
    Some(health)
}

/// The version that must answer, and the header that says it.
fn version(table: &mut Table<'_, '_>) -> Option<Version<Written>> {
    let (version, header) = (table.take("version"), table.take("header"));
    if let (None, Some(header)) = (version, header) {
        header.problem(
            Diagnostic::new("`header` says where `version` is looked for, and there is no `version`")
                .at(header.key(), "of which version?")
                .help("version = \"{{ commit }}\""),
        );
    }
    let name = header.and_then(|item| {
        let name = item.text()?;
        if !is_header_name(&name) {
            let problem = Diagnostic::new(format!("`{name}` can't be the name of a header"));
            item.problem(problem.at(item.at(), "letters, digits and `-`").help("header = \"X-Version\""));
        }
        Some(name)
    });
    Some(Version { text: version?.template()?, header: name })
}
