//! Targets that are applications at a platform: `{ render = "srv-…", token = "NAME" }` and its like.

use super::reader::{Item, Table};
use super::{secret, target};
use crate::diagnostic::Diagnostic;
use crate::model::platform::{BuildMode, OnStop, PlatformTarget, Service};
use crate::model::step::Written;
use crate::model::target::Target;
use crate::model::template::Template;

/// Where the environments of a Divio application start out: `test` and `live` are what it makes itself.
const DIVIO_ENVIRONMENT: &str = "live";

pub(super) fn render(item: Item<'_, '_>, table: &mut Table<'_, '_>) -> Option<Target<Written>> {
    let service = item.template().map(|service| Service::Render { service });
    let on_stop = on_stop(table);
    platform(item, service, Branch::Wanted, on_stop, table)
}

pub(super) fn digitalocean(item: Item<'_, '_>, table: &mut Table<'_, '_>) -> Option<Target<Written>> {
    let components = table.take("components").map(|item| item.templates()).unwrap_or_default();
    let service = item.template().map(|app| Service::DigitalOcean { app, components });
    let on_stop = on_stop(table);
    platform(item, service, Branch::Needed, on_stop, table)
}

pub(super) fn divio(item: Item<'_, '_>, table: &mut Table<'_, '_>) -> Option<Target<Written>> {
    let environment = table.take("environment").and_then(|item| item.template());
    let environment = environment.unwrap_or_else(|| Template::plain(DIVIO_ENVIRONMENT, item.at()));
    let build_mode = table.take("build_mode").and_then(|item| item.one_of(&BuildMode::WORDS));
    let build_mode = build_mode.unwrap_or(BuildMode::Auto);
    let service = item.template().map(|application| Service::Divio { application, environment, build_mode });
    // Its API knows no way to cancel.
    platform(item, service, Branch::Needed, OnStop::Leave, table)
}

fn on_stop(table: &mut Table<'_, '_>) -> OnStop {
    let cancels = table.take("cancel").and_then(|item| item.boolean());
    if cancels == Some(true) { OnStop::Cancel } else { OnStop::Leave }
}

/// Whether a platform can do without a branch of deploy's own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Branch {
    /// It can be told a commit.
    Wanted,
    /// It builds the head of a branch, whatever that is.
    Needed,
}

fn platform(
    item: Item<'_, '_>,
    service: Option<Service<Written>>,
    branch: Branch,
    on_stop: OnStop,
    table: &mut Table<'_, '_>,
) -> Option<Target<Written>> {
    let token = table.require("token").and_then(secret::one);
    let endpoint = table.take("endpoint").and_then(|item| item.template());
    let push = table.take("push");
    if push.is_none() && branch == Branch::Needed {
        item.problem(
            Diagnostic::new("this platform builds a branch, and can't be told a commit")
                .at(item.key(), "needs `push`, a branch of deploy's own")
                .help("push = { remote = \"origin\", branch = \"deploy/staging\" }"),
        );
    }
    let push = push.and_then(target::push);
    Some(Target::Platform(Box::new(PlatformTarget {
        service: service?,
        token: token?,
        endpoint,
        push,
        on_stop,
        at: item.at(),
    })))
}
