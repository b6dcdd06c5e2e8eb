//! What decides whether a job's work is done already: all that is said of it, as names and values, and its files.
//! Whether that still is so, is not known here.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::expression;
use super::render::{Env, Renderer, ships};
use super::scope::{Layer, Scope};
use crate::diagnostic::{Diagnostic, Span};
use crate::model::files::{Files, Pattern, SPECIAL, Sense};
use crate::model::step::{Action, Planned, Step};
use crate::model::store::{Address, Keys, Place};
use crate::model::task::{Block, Task};
use crate::model::template::{Expression, Part, Template};
use crate::model::tracking::{Facet, Shown, Tracking};
use crate::model::tree::Digest;

impl<'a> Renderer<'a> {
    /// How a task's block is known to be done; none without `inputs` and `outputs`.
    pub(super) fn tracking(
        &mut self,
        task: &'a Task,
        scope: &Scope<'a>,
        block: &Block,
    ) -> Option<Arc<Tracking>> {
        if task.inputs.patterns.is_empty() && task.outputs.patterns.is_empty() {
            return None;
        }
        if scope.there.is_some() {
            let files = if task.inputs.patterns.is_empty() { &task.outputs } else { &task.inputs };
            self.problems.push(
                Diagnostic::new("files of this machine can't tell whether something is done on a host")
                    .at(files.at, format!("`{}` is called by what is done on hosts", task.name))
                    .help("use `skip_if`, which is asked on the host"),
            );
            return None;
        }
        if ships(self.project, &task.steps, &mut BTreeSet::new()) {
            let files = if task.inputs.patterns.is_empty() { &task.outputs } else { &task.inputs };
            self.problems.push(
                Diagnostic::new("files can't tell whether a release is to be shipped")
                    .at(files.at, format!("`{}` ships", task.name))
                    .help("a commit that is live is not shipped again; put what is built into a task that it needs"),
            );
        }
        let inputs = self.files(scope, &task.inputs);
        let outputs = self.files(scope, &task.outputs);
        let cache = task.cache.as_ref().and_then(|cache| self.cache(scope, cache, block, &outputs));
        let mut facets = Facets::default();
        if let Some(environment) = scope.environment {
            facets.add("environment", environment.name.clone());
        }
        facets.mentioned(task, scope);
        facets.variables(&block.env);
        facets.surroundings(&self.facts.root, block);
        facets.list("inputs", &inputs);
        facets.list("outputs", &outputs);
        facets.steps("step", &block.steps);
        facets.steps("always", &block.always);
        let job = identity(task, scope);
        Some(Arc::new(Tracking {
            job,
            dir: block.dir.clone(),
            inputs,
            outputs,
            cache,
            facets: facets.facets,
        }))
    }

    /// Where a task's outputs are kept. Refused where a secret may be in them, or where they lie outside.
    fn cache(
        &mut self,
        scope: &Scope<'a>,
        cache: &'a Template,
        block: &Block,
        outputs: &Files<Pattern>,
    ) -> Option<Place> {
        if let Some(secret) = block.secrets().first() {
            self.problems.push(
                Diagnostic::new("what a task makes that sees a secret is not kept for others")
                    .at(cache.at, format!("`{}` sees the secret `{secret}`", block.name))
                    .help("leave the secret to another task, or `cache` out"),
            );
        }
        if let Some(pattern) = outputs.outside() {
            self.problems.push(
                Diagnostic::new(format!(
                    "`{pattern}` lies outside of the task's folder, and can't be cached"
                ))
                .at(outputs.at, "such as this one")
                .help("give the task a `dir` that all of its outputs lie in"),
            );
        }
        self.place(scope, cache, "the place of a cache")
    }

    /// What a text names: a store of the project, an address, or a folder.
    pub(in crate::plan) fn place(
        &mut self,
        scope: &Scope<'a>,
        named: &Template,
        what: &str,
    ) -> Option<Place> {
        let at = named.at;
        let named = self.open(scope, named, what)?;
        let store = self.project.stores.iter().find(|store| store.name == named);
        let (url, endpoint, region) = match store {
            Some(store) => (
                self.open(scope, &store.url, "the address of a store")?,
                store.endpoint.as_ref().and_then(|text| self.open(scope, text, "the address of a store")),
                store.region.as_ref().and_then(|text| self.open(scope, text, "a region")),
            ),
            None => (named, None, None),
        };
        let mut keys = Keys::default();
        for (name, secret) in store.into_iter().flat_map(|store| &store.secrets) {
            // That it is wanted is noted where it is looked up.
            self.text(scope, secret);
            keys.secrets.push(name.clone());
        }
        if !keys.secrets.is_empty() {
            keys.environment = scope.environment.map(|environment| environment.name.clone());
        }
        let (what, help) = match Address::parse(&url) {
            Ok(address) => {
                let place = Place { address, endpoint, region, keys };
                let Some((what, help)) = place.unfit() else { return Some(place) };
                (what.to_owned(), help)
            }
            Err(help) => (format!("`{url}` is no store"), help),
        };
        self.problems.push(Diagnostic::new(what).at(at, "here").help(help));
        None
    }

    /// Patterns with their values, in which nothing is special.
    pub(super) fn files(&mut self, scope: &Scope<'a>, files: &Files<Template>) -> Files<Pattern> {
        let mut patterns = Vec::with_capacity(files.patterns.len());
        for template in &files.patterns {
            match template.as_value() {
                Some(_) => self.named(scope, template, &mut patterns),
                None => patterns.push(self.pattern(scope, template)),
            }
        }
        Files { patterns, unless: files.unless, at: files.at }
    }

    /// The files that a value names: as many as its list has words.
    fn named(&mut self, scope: &Scope<'a>, template: &Template, patterns: &mut Vec<Pattern>) {
        // What can't be known, or shown, is told once.
        if self.open(scope, template, "a pattern").is_none() {
            return;
        }
        for word in self.words(scope, template) {
            let mut glob = String::new();
            push_plain(&mut glob, word.as_plain().unwrap_or_default());
            patterns.push(Pattern { sense: Sense::TakesIn, glob });
        }
    }

    fn pattern(&mut self, scope: &Scope<'a>, template: &Template) -> Pattern {
        let mut glob = String::new();
        let mut sense = Sense::TakesIn;
        for (index, part) in template.parts.iter().enumerate() {
            match part {
                Part::Plain(text) => match text.strip_prefix('!').filter(|_| index == 0) {
                    Some(rest) => {
                        sense = Sense::LeavesOut;
                        glob.push_str(rest);
                    }
                    None => glob.push_str(text),
                },
                Part::Value(expression) => {
                    let value = Template::value(expression.clone());
                    push_plain(&mut glob, &self.open(scope, &value, "a pattern").unwrap_or_default());
                }
            }
        }
        Pattern { sense, glob }
    }
}

/// Adds text in which nothing is special.
fn push_plain(glob: &mut String, text: &str) {
    for character in text.chars() {
        if SPECIAL.contains(&character) {
            glob.push('\\');
        }
        glob.push(character);
    }
}

/// The variables that deploy gives to every process.
const OWN: [&str; 6] =
    ["DEPLOY_RUN", "DEPLOY_ENVIRONMENT", "DEPLOY_COMMIT", "DEPLOY_BRANCH", "DEPLOY_RELEASE", "DEPLOY_URL"];

/// A task with what it is given, in its environment.
fn identity(task: &Task, scope: &Scope<'_>) -> String {
    let mut identity = task.name.clone();
    let given = scope.layers.iter().filter_map(|layer| match layer {
        Layer::Given(given) => Some(given),
        Layer::Variables(_) => None,
    });
    for (name, rendered) in given.flat_map(|given| given.iter()) {
        identity.extend([" ", name, "=", &rendered.value.clone().into_text().with_names()]);
    }
    if let Some(environment) = scope.environment {
        identity.extend([" @", &environment.name]);
    }
    identity
}

/// What is said of a task, as it is collected.
#[derive(Default)]
struct Facets {
    facets: Vec<Facet>,
    /// Whether a value is known only when the plan is run; the steps then are, too.
    guessed: bool,
}

impl Facets {
    fn add(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.facets.push(Facet { name: name.into(), value: value.into(), shown: Shown::Yes });
    }

    fn hide(&mut self, name: String, value: &str) {
        self.facets.push(Facet { name, value: Digest::of(value.as_bytes()).to_string(), shown: Shown::No });
    }

    fn guess(&mut self, name: String) {
        self.guessed = true;
        self.facets.push(Facet { name, value: String::new(), shown: Shown::Guessed });
    }

    /// The values that the task's texts mention.
    fn mentioned(&mut self, task: &Task, scope: &Scope<'_>) {
        let names = task.mentions.iter().flat_map(|expression| expression::names(&expression.source));
        for name in names.collect::<BTreeSet<String>>() {
            scope.guessed.set(false);
            // What has no value is told where it stands.
            let Ok(rendered) = scope.value(&Expression { source: name.clone(), at: task.at }) else {
                continue;
            };
            let (called, value) = (format!("`{name}`"), rendered.value.into_text().with_names());
            if scope.guessed.replace(false) {
                self.guess(called);
            } else if name.starts_with("env.") {
                self.hide(called, &value);
            } else {
                self.add(called, value);
            }
        }
    }

    /// The variables of its processes, but deploy's own, which tell of the run.
    fn variables(&mut self, env: &Env) {
        for (name, value) in env.iter().filter(|(name, _)| !OWN.contains(&name.as_str())) {
            self.hide(format!("variable {name}"), &value.with_names());
        }
    }

    /// Where its processes run, and what gets its lines.
    fn surroundings(&mut self, root: &Path, block: &Block) {
        let dir = block.dir.strip_prefix(root).unwrap_or(&block.dir);
        if !dir.as_os_str().is_empty() {
            self.add("folder", dir.to_string_lossy());
        }
        self.add("shell", block.shell.join(" "));
    }

    fn list(&mut self, name: &str, files: &Files<Pattern>) {
        if !files.patterns.is_empty() {
            let patterns: Vec<String> = files.patterns.iter().map(Pattern::to_string).collect();
            self.add(name, format!("{}{}", patterns.join(", "), files.unless.suffix()));
        }
    }

    /// Steps, those of the tasks that they call too.
    fn steps(&mut self, name: &str, steps: &[Step<Planned>]) {
        for (index, step) in steps.iter().enumerate() {
            let name = format!("{name} {}", index + 1);
            if let Action::Task(block) = &step.action {
                self.steps(&format!("{name}, step"), &block.steps);
                self.steps(&format!("{name}, always"), &block.always);
            } else if self.guessed {
                self.guess(name.clone());
            } else {
                self.add(name.clone(), action(&step.action));
            }
            if let Some(dir) = &step.dir {
                self.add(format!("folder of {name}"), dir.with_names());
            }
            for (variable, value) in &step.env {
                self.hide(format!("variable {variable} of {name}"), &value.with_names());
            }
        }
    }
}

/// What a step does, in one line.
fn action(action: &Action<Planned>) -> String {
    match action {
        Action::Run(script) => script.to_string(),
        Action::Exec(words) => serde_json::to_string(words).expect("texts can be written"),
        Action::Task(_)
        | Action::Swap(_)
        | Action::Ship
        | Action::Check(_)
        | Action::Http(_)
        | Action::Put(_)
        | Action::Get(_)
        | Action::Backup(_)
        | Action::Restore(_)
        | Action::PutBack(_)
        | Action::Fleet(_) => {
            let mut value = serde_json::to_value(action).expect("a plan can be written");
            without_places(&mut value);
            value.to_string()
        }
    }
}

/// Where something stands in the file is no part of what it is.
fn without_places(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(entries) => {
            entries
                .retain(|key, value| key != "at" || serde_json::from_value::<Span>(value.clone()).is_err());
            entries.values_mut().for_each(without_places);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(without_places),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_) => {}
    }
}
