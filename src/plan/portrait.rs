//! What an environment is, with its values, for commands that look at it and deploy nothing there.

use std::collections::BTreeMap;

use super::render::Renderer;
use super::scope::Scope;
use super::trouble::Trouble;
use super::{Facts, Hidden, Request, Unplanned, select};
use crate::diagnostic::Span;
use crate::model::environment::{Confirm, Environment, Older, Protect};
use crate::model::freeze::{Freeze, When};
use crate::model::health::{Health, Version};
use crate::model::platform::{OnStop, PlatformTarget, Service};
use crate::model::project::{Named, Project};
use crate::model::script::Script;
use crate::model::step::Planned;
use crate::model::swap::{Content, Swap};
use crate::model::target::{PythonAnywhereTarget, Target, ZappaTarget};
use crate::model::template::{Expression, Template};
use crate::model::text::Text;
use crate::model::value::Variable;

/// What stands for a value that can't be had here, such as that of a variable which only others set.
const NONE_HERE: &str = "(no value here)";

/// What kind of thing is said of an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Group {
    /// What it names of the world and of the file's other parts.
    Environment,
    Target,
    Swap,
    Variables,
    /// What processes get.
    Env,
    Health,
    Rules,
}

/// An environment: all that the file says of it.
#[derive(Clone, Debug)]
pub(crate) struct Portrait {
    pub(crate) swap: Vec<Swap<Planned>>,
    /// What it says under each name; secrets by their names.
    pub(crate) features: BTreeMap<(Group, String), String>,
}

/// An environment's health check.
#[derive(Clone, Debug)]
pub(crate) struct Pulse {
    pub(crate) health: Health<Planned>,
    /// Whether a part of it is known only when something is run.
    pub(crate) guessed: bool,
}

/// An environment's application at a platform.
#[derive(Clone, Debug)]
pub(crate) struct Lodging {
    pub(crate) target: PlatformTarget<Planned>,
    /// The secrets that let us in.
    pub(crate) keys: Vec<Hidden>,
    /// Whether a part of it is known only when something is run.
    pub(crate) guessed: bool,
}

/// The request's environment.
///
/// # Errors
/// As those of a plan, where it could not be deployed to.
pub(crate) fn portrait(project: &Project, request: &Request, facts: &Facts) -> Result<Portrait, Unplanned> {
    let index = index(project, request)?;
    let environment = &project.environments[index];
    let mut renderer = Renderer::new(project, request, facts);
    let scope = renderer.scope(Some(index), None, 0);
    let swap: Vec<Swap<Planned>> = environment.swap.iter().map(|swap| renderer.swap(&scope, swap)).collect();
    let mut features = Features::default();
    features.names(environment);
    if let Some(target) = &environment.target {
        features.target(&renderer.target(&scope, target));
    }
    for swap in &swap {
        features.add(Group::Swap, &swap.path, swapped(&swap.content));
    }
    if let Some(health) = &environment.health {
        features.health(&renderer.health(&scope, health));
    }
    if let Some(then) = environment.on_failure {
        features.add(Group::Health, "on_failure", then.as_str());
    }
    let backups: Vec<String> = environment.backups.iter().map(|(name, _)| name.clone()).collect();
    features.list(Group::Rules, "backups", &backups);
    features.rules(&environment.protect);
    let checks = environment.protect.checks.iter().map(|line| renderer.script(&scope, line).to_string());
    features.list(Group::Rules, "checks", &checks.collect::<Vec<_>>());
    let mut features = features.0;
    features.extend(renderer.values(&scope, environment));
    renderer.finish()?;
    Ok(Portrait { swap, features })
}

/// The health check of the request's environment; none if it has none.
///
/// # Errors
/// As those of a plan.
pub(crate) fn pulse(project: &Project, request: &Request, facts: &Facts) -> Result<Option<Pulse>, Unplanned> {
    let index = index(project, request)?;
    let Some(written) = &project.environments[index].health else { return Ok(None) };
    let mut renderer = Renderer::new(project, request, facts);
    let scope = renderer.scope(Some(index), None, 0);
    scope.guessed.set(false);
    let health = renderer.health(&scope, written);
    let guessed = scope.guessed.get();
    renderer.finish()?;
    Ok(Some(Pulse { health, guessed }))
}

/// The application at a platform that the request's environment is; none if it is none.
///
/// # Errors
/// As those of a plan.
pub(crate) fn lodging(
    project: &Project,
    request: &Request,
    facts: &Facts,
) -> Result<Option<Lodging>, Unplanned> {
    let index = index(project, request)?;
    let environment = &project.environments[index];
    let Some(written) = &environment.target else { return Ok(None) };
    let mut renderer = Renderer::new(project, request, facts);
    let scope = renderer.scope(Some(index), None, 0);
    scope.guessed.set(false);
    let Target::Platform(target) = renderer.target(&scope, written) else { return Ok(None) };
    let names = target.token.secrets().map(|name| (Some(environment.name.clone()), name.to_owned()));
    let keys = renderer.kept(names.collect());
    let guessed = scope.guessed.get();
    renderer.finish()?;
    Ok(Some(Lodging { target: *target, keys, guessed }))
}

fn index(project: &Project, request: &Request) -> Result<usize, Unplanned> {
    let name = request.environment.as_deref().unwrap_or_default();
    match project.names.get(name) {
        Some(Named::Environment(index)) => Ok(*index),
        Some(Named::Task(_)) | None => {
            Err(Unplanned::Wrong(select::unknown(project, "environment", name).into()))
        }
    }
}

impl<'a> Renderer<'a> {
    /// The variables that an environment's texts see, what processes get there, and its dotenv files. What has no value
    /// here is no reason to show none of the others.
    fn values(
        &mut self,
        scope: &Scope<'a>,
        environment: &'a Environment,
    ) -> BTreeMap<(Group, String), String> {
        let root = &self.project.files[0];
        let mut values = BTreeMap::new();
        let variables =
            environment.vars.iter().chain(environment.inherited.iter().flatten()).chain(&root.vars);
        for Variable { name, at, .. } in variables {
            let expression = Expression { source: name.clone(), at: *at };
            let value = scope.value(&expression).map(|rendered| rendered.value.into_text());
            values.insert((Group::Variables, name.clone()), self.shown(value));
        }
        for (name, template) in root.env.iter().chain(&environment.env) {
            values.insert((Group::Env, name.clone()), self.filled(scope, template));
        }
        // What they hold is for processes alone: it may well be secret.
        let files: Vec<String> =
            environment.dotenv.iter().map(|file| self.filled(scope, &file.path)).collect();
        if !files.is_empty() {
            values.insert((Group::Environment, "dotenv".to_owned()), files.join(", "));
        }
        if let Some(url) = &environment.url {
            values.insert((Group::Environment, "url".to_owned()), self.filled(scope, url));
        }
        values
    }

    fn filled(&mut self, scope: &Scope<'a>, template: &Template) -> String {
        let text = scope.text(template).map(|(text, _)| text).map_err(|(trouble, _)| trouble);
        self.shown(text)
    }

    fn shown(&mut self, text: Result<Text, Trouble>) -> String {
        match text.map_err(|trouble| trouble.diagnostic(Span::default())) {
            Ok(text) => text.with_names(),
            Err(Ok(_problem)) => NONE_HERE.to_owned(),
            Err(Err(want)) => {
                self.wants.insert(want);
                String::new()
            }
        }
    }
}

/// What is said of an environment, as it is collected.
#[derive(Default)]
struct Features(BTreeMap<(Group, String), String>);

impl Features {
    fn add(&mut self, group: Group, name: &str, value: impl Into<String>) {
        self.0.insert((group, name.to_owned()), value.into());
    }

    /// What it names of the file's other parts.
    fn names(&mut self, environment: &Environment) {
        if let Some((task, _)) = &environment.deploy {
            self.add(Group::Environment, "deploy", task);
        }
        for group in &environment.hosts {
            let hosts: Vec<&str> = group.hosts.iter().map(|(name, _)| name.as_str()).collect();
            self.add(Group::Environment, &format!("hosts.{}", group.name), hosts.join(", "));
        }
        if !environment.needs.is_empty() {
            let needs: Vec<&str> = environment.needs.iter().map(|need| need.task.as_str()).collect();
            self.add(Group::Environment, "needs", needs.join(", "));
        }
    }

    fn target(&mut self, target: &Target<Planned>) {
        match target {
            Target::Git(git) => {
                self.add(Group::Target, "kind", "git");
                self.add(Group::Target, "git", git.remote.with_names());
                self.add(Group::Target, "branch", git.branch.with_names());
                self.list(Group::Target, "fail_on", &git.fail_on);
                if let Some(login) = &git.login {
                    self.add(Group::Target, "user", login.user.with_names());
                    self.add(Group::Target, "token", login.token.with_names());
                }
            }
            Target::Server(server) => {
                let lines =
                    |scripts: &[Script<Text>]| scripts.iter().map(ToString::to_string).collect::<Vec<_>>();
                self.add(Group::Target, "kind", "server");
                let hosts: Vec<String> = server.hosts.iter().map(|there| there.host.to_string()).collect();
                self.list(Group::Target, "hosts", &hosts);
                self.add(Group::Target, "path", server.path.with_names());
                self.list(Group::Target, "build", &lines(&server.build));
                self.list(Group::Target, "shared", &server.shared);
                self.list(Group::Target, "reload", &lines(server.reload.as_slice()));
                self.add(Group::Target, "keep", server.keep.to_string());
            }
            Target::Platform(platform) => self.platform(platform),
            Target::PythonAnywhere(app) => self.web_app(app),
            Target::Zappa(zappa) => {
                let ZappaTarget { stage, requirements, python, at: _ } = &**zappa;
                self.add(Group::Target, "kind", "zappa");
                self.add(Group::Target, "zappa", stage.with_names());
                self.add(Group::Target, "requirements", requirements.with_names());
                self.add(Group::Target, "python", python.with_names());
            }
            Target::Command(command) => {
                let words = |words: &[Text]| words.iter().map(Text::with_names).collect::<Vec<_>>().join(" ");
                self.add(Group::Target, "kind", "command");
                self.add(Group::Target, "command", words(&command.command));
                self.add(Group::Target, "rollback", words(&command.rollback));
            }
        }
    }

    fn web_app(&mut self, app: &PythonAnywhereTarget<Planned>) {
        let PythonAnywhereTarget { domain, user, token, host, endpoint, ssh, path, build, at: _ } = app;
        self.add(Group::Target, "kind", "pythonanywhere");
        let said = [("user", user), ("endpoint", endpoint)];
        let said = said.iter().filter_map(|(name, text)| Some((*name, text.as_ref()?)));
        let always =
            [("pythonanywhere", domain), ("token", token), ("host", host), ("ssh", ssh), ("path", path)];
        for (name, text) in always.into_iter().chain(said) {
            self.add(Group::Target, name, text.with_names());
        }
        self.list(Group::Target, "build", &build.iter().map(ToString::to_string).collect::<Vec<_>>());
    }

    fn platform(&mut self, platform: &PlatformTarget<Planned>) {
        let PlatformTarget { service, token, endpoint, push, on_stop, at: _ } = platform;
        self.add(Group::Target, "kind", service.key());
        self.add(Group::Target, service.key(), service.name().with_names());
        match service {
            Service::Render { .. } => {}
            Service::DigitalOcean { components, .. } => {
                let components: Vec<String> = components.iter().map(Text::with_names).collect();
                self.list(Group::Target, "components", &components);
            }
            Service::Divio { environment, build_mode, .. } => {
                self.add(Group::Target, "environment", environment.with_names());
                self.add(Group::Target, "build_mode", build_mode.as_str());
            }
        }
        self.add(Group::Target, "token", token.with_names());
        if let Some(endpoint) = endpoint {
            self.add(Group::Target, "endpoint", endpoint.with_names());
        }
        if let Some(push) = push {
            self.add(Group::Target, "push.remote", push.remote.with_names());
            self.add(Group::Target, "push.branch", push.branch.with_names());
        }
        if *on_stop == OnStop::Cancel {
            self.add(Group::Target, "cancel", "true");
        }
    }

    fn health(&mut self, health: &Health<Planned>) {
        let Health { url, status, contains, version, within, every, streak, at: _ } = health;
        self.add(Group::Health, "url", url.with_names());
        self.add(Group::Health, "status", status.to_string());
        if let Some(contains) = contains {
            self.add(Group::Health, "contains", contains.with_names());
        }
        if let Some(Version { text, header }) = version {
            self.add(Group::Health, "version", text.with_names());
            self.list(Group::Health, "header", header.as_slice());
        }
        self.add(Group::Health, "within", format!("{within:?}"));
        self.add(Group::Health, "every", format!("{every:?}"));
        self.add(Group::Health, "streak", streak.to_string());
    }

    fn rules(&mut self, protect: &Protect) {
        let Protect { branches, clean, after, pushed, older, freeze, confirm, backup, checks: _, at: _ } =
            protect;
        self.list(Group::Rules, "branches", branches);
        if *clean {
            self.add(Group::Rules, "clean", "true");
        }
        if let Some((first, _)) = after {
            self.add(Group::Rules, "after", first);
        }
        if *pushed {
            self.add(Group::Rules, "pushed", "true");
        }
        match older {
            Older::Refused => {}
            Older::Taken => self.add(Group::Rules, "ancestor", "false"),
        }
        self.list(Group::Rules, "freeze", &freeze.iter().map(window).collect::<Vec<_>>());
        if let Some(limit) = backup {
            self.add(Group::Rules, "backup", format!("{limit:?}"));
        }
        match confirm {
            Confirm::No => {}
            Confirm::Ask => self.add(Group::Rules, "confirm", "true"),
            Confirm::Typed => self.add(Group::Rules, "confirm", "typed"),
        }
    }

    /// Several words, if there are any.
    fn list(&mut self, group: Group, name: &str, words: &[String]) {
        if !words.is_empty() {
            self.add(group, name, words.join(", "));
        }
    }
}

/// A window of a freeze: on which days, when, by which clock, and why.
fn window(freeze: &Freeze) -> String {
    let days: Vec<String> = freeze.days.iter().map(|day| format!("{day:?}")).collect();
    let when = match &freeze.when {
        When::Once { from, to } => {
            let from = from.map(|from| format!("from {from}"));
            let to = to.map(|to| format!("to {to}"));
            from.into_iter().chain(to).collect::<Vec<_>>().join(" ")
        }
        // Whole days.
        When::Daily { from, to } if from == to && !days.is_empty() => String::new(),
        When::Daily { from, to } => format!("from {} to {}", from.strftime("%H:%M"), to.strftime("%H:%M")),
    };
    let zone = freeze.zone.as_ref().map(|(name, _)| format!("({name})"));
    let reason = freeze.reason.as_ref().map(|reason| format!("`{reason}`"));
    let parts = [days.join(" "), when].into_iter().chain(zone).chain(reason);
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

fn swapped(content: &Content<Planned>) -> String {
    match content {
        Content::Line(line) => line.with_names(),
        Content::From(path) => format!("the content of {}", path.with_names()),
        Content::Text(text) => text.with_names(),
        Content::Remove => "(removed)".to_owned(),
    }
}
