//! `target = { pythonanywhere = "domain", … }`: a web app, the account it is in, and the folder of its code.

use super::reader::{Item, Table};
use super::{secret, target};
use crate::diagnostic::Diagnostic;
use crate::model::step::Written;
use crate::model::target::{PythonAnywhereTarget, Target};
use crate::model::template::Template;

/// Where the API is for all accounts but those in Europe.
const HOST: &str = "www.pythonanywhere.com";

pub(super) fn read(item: Item<'_, '_>, table: &mut Table<'_, '_>) -> Option<Target<Written>> {
    let user = table.take("user");
    let token = table.require("token").and_then(secret::one);
    let ssh = table.require("ssh");
    let path = table.require("path").and_then(|item| item.template());
    let host = table.take("host");
    let endpoint = table.take("endpoint").and_then(|item| item.template());
    let build = table.take("build").map(target::lines).unwrap_or_default();
    let login = ssh.and_then(|item| item.template());
    let names_nobody = login.as_ref().and_then(Template::as_plain).is_some_and(|login| !login.contains('@'));
    if let (Some(ssh), None, true) = (ssh, user, names_nobody) {
        ssh.problem(
            Diagnostic::new("whose web app it is is not said")
                .at(ssh.at(), "names no user")
                .help("ssh = \"USER@ssh.pythonanywhere.com\"; or user = \"USER\" beside it"),
        );
    }
    let target = PythonAnywhereTarget {
        domain: item.template()?,
        user: match user {
            Some(user) => Some(user.template()?),
            None => None,
        },
        token: token?,
        host: match host {
            Some(host) => host.template()?,
            None => Template::plain(HOST, item.at()),
        },
        endpoint,
        ssh: login?,
        path: path?,
        build,
        at: item.at(),
    };
    Some(Target::PythonAnywhere(Box::new(target)))
}
