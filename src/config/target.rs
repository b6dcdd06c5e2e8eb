//! `target = { … }`: which kind it is, and that kind's keys.

use super::reader::{Item, Table};
use super::{platform, pythonanywhere, secret, value};
use crate::diagnostic::Diagnostic;
use crate::model::script::Script;
use crate::model::step::Written;
use crate::model::target::{CommandTarget, GitTarget, Login, ServerTarget, Target, ZappaTarget};
use crate::model::template::Template;

/// The branch that a git target gets when the file names none.
const BRANCH: &str = "main";

/// What a Zappa target is filled by when the file doesn't say.
const REQUIREMENTS: &str = "requirements.txt";
const PYTHON: &str = "python3";

/// A kind of target: the key that names it, and what reads the rest.
type Kind = (&'static str, fn(Item<'_, '_>, &mut Table<'_, '_>) -> Option<Target<Written>>);

const KINDS: [Kind; 8] = [
    ("git", git),
    ("server", server),
    ("command", command),
    ("render", platform::render),
    ("digitalocean", platform::digitalocean),
    ("divio", platform::divio),
    ("zappa", zappa),
    ("pythonanywhere", pythonanywhere::read),
];

const EXAMPLES: &str = "{ git = \"URL or remote's name\" }, { server = \"local\", path = \"/srv/shop\" } \
                        or { command = [\"program\", \"argument\"] }";

/// The target of the environment `of`.
pub(crate) fn read(of: &str, item: Item<'_, '_>) -> Option<Target<Written>> {
    let mut table = item.table("a target")?;
    let mut found = Vec::new();
    for (key, read) in KINDS {
        if let Some(item) = table.take(key) {
            found.push((key, item, read));
        }
    }
    let &[(key, kind, read)] = &found[..] else {
        let kinds = KINDS.map(|(key, _)| format!("`{key}`")).join(", ");
        item.problem(
            Diagnostic::new(format!("the target of `{of}` has to be of one kind: {kinds}"))
                .at(item.key(), if found.is_empty() { "no kind that is known" } else { "more than one kind" })
                .help(EXAMPLES),
        );
        return None;
    };
    table.call(format!("the `{key}` target of `{of}`"));
    let target = read(kind, &mut table);
    table.finish();
    target
}

/// `{ remote = "…", branch = "…" }`: a branch that another target builds from.
pub(super) fn push(item: Item<'_, '_>) -> Option<GitTarget<Written>> {
    let mut table = item.table("`push`")?;
    let remote = table.require("remote").and_then(|item| item.template());
    let branch = table.require("branch").and_then(value::branch);
    let login = login(remote.as_ref(), &mut table);
    table.finish();
    Some(GitTarget { remote: remote?, branch: branch?, fail_on: Vec::new(), login, at: item.at() })
}

fn git(item: Item<'_, '_>, table: &mut Table<'_, '_>) -> Option<Target<Written>> {
    let branch = table.take("branch").and_then(value::branch);
    let remote = item.template();
    let login = login(remote.as_ref(), table);
    let fail_on =
        table.take("fail_on").and_then(|item| item.list("a list of regular expressions")).unwrap_or_default();
    Some(Target::Git(GitTarget {
        remote: remote?,
        branch: branch.unwrap_or_else(|| Template::plain(BRANCH, item.at())),
        fail_on: fail_on.into_iter().filter_map(value::pattern).collect(),
        login,
        at: item.at(),
    }))
}

/// `token`, and `user`. Where a remote's name leads is seen when it is gone to.
fn login(remote: Option<&Template>, table: &mut Table<'_, '_>) -> Option<Login<Written>> {
    let (user, token) = (table.take("user"), table.take("token"));
    let Some(token) = token else {
        if let Some(user) = user {
            let problem = Diagnostic::new("`user` is who shows the `token`, and there is none");
            user.problem(
                problem.at(user.key(), "without a token").help("token = \"NAME\", a name of [secrets]"),
            );
        }
        return None;
    };
    let address = remote.and_then(Template::as_plain).filter(|remote| remote.contains([':', '/']));
    if let Some((why, help)) = address.and_then(Login::<Written>::unfit) {
        token.problem(Diagnostic::new(why).at(token.key(), "not for this address").help(help));
    }
    let user = match user {
        Some(user) => user.template()?,
        None => Template::plain(Login::<Written>::USER, token.at()),
    };
    Some(Login { user, token: secret::one(token)? })
}

fn server(item: Item<'_, '_>, table: &mut Table<'_, '_>) -> Option<Target<Written>> {
    let name = item.text()?;
    let hosts = (name != ServerTarget::<Written>::HERE).then(|| (name, item.at()));
    let path = table.require("path").and_then(|item| item.template());
    let target = ServerTarget {
        hosts,
        build: table.take("build").map(lines).unwrap_or_default(),
        shared: table.take("shared").map(inner_paths).unwrap_or_default(),
        reload: table.take("reload").and_then(|item| item.script()),
        keep: keep(table),
        path: path?,
        at: item.at(),
    };
    Some(Target::Server(Box::new(target)))
}

fn command(item: Item<'_, '_>, table: &mut Table<'_, '_>) -> Option<Target<Written>> {
    let rollback = table.take("rollback").and_then(value::program).unwrap_or_default();
    Some(Target::Command(CommandTarget { command: value::program(item)?, rollback, at: item.at() }))
}

fn zappa(item: Item<'_, '_>, table: &mut Table<'_, '_>) -> Option<Target<Written>> {
    let mut or = |key, default| match table.take(key) {
        Some(item) => item.template(),
        None => Some(Template::plain(default, item.at())),
    };
    let (requirements, python) = (or("requirements", REQUIREMENTS), or("python", PYTHON));
    let target =
        ZappaTarget { stage: item.template()?, requirements: requirements?, python: python?, at: item.at() };
    Some(Target::Zappa(Box::new(target)))
}

fn keep(table: &mut Table<'_, '_>) -> usize {
    // The live release and the one before it are what a rollback needs.
    let keep = table.take("keep").and_then(|item| item.integer(2..=i64::MAX));
    keep.and_then(|number| usize::try_from(number).ok()).unwrap_or(ServerTarget::<Written>::KEEP)
}

pub(super) fn lines(item: Item<'_, '_>) -> Vec<Script<Template>> {
    if item.value().as_str().is_some() {
        return item.script().into_iter().collect();
    }
    item.list("a list of shell lines").unwrap_or_default().iter().filter_map(Item::script).collect()
}

fn inner_paths(item: Item<'_, '_>) -> Vec<String> {
    let items = item.list("a list of paths").unwrap_or_default();
    items
        .into_iter()
        .filter_map(|item| value::inner_path(item.text()?.trim_end_matches('/'), item, item.at()))
        .collect()
}
