//! The texts of steps, targets and checks, with their values; what a value can't be found for is noted.

use std::convert::Infallible;
use std::sync::Arc;

use super::super::scope::{Origin, Rendered, Scope, Trouble};
use super::super::{Known, Want, expression};
use super::Renderer;
use crate::diagnostic::{Diagnostic, Span};
use crate::model::environment::Environment;
use crate::model::health::Health;
use crate::model::script::{Place, Script};
use crate::model::step::{Planned, Written};
use crate::model::swap::{Content, Swap};
use crate::model::target::{GitTarget, ServerTarget, Target};
use crate::model::template::{Expression, Template};
use crate::model::text::Text;
use crate::model::value::Value;

impl<'a> Renderer<'a> {
    pub(super) fn target(&mut self, scope: &Scope<'a>, target: &Target<Written>) -> Target<Planned> {
        match target {
            Target::Git(git) => Target::Git(GitTarget {
                remote: self.text(scope, &git.remote),
                branch: self.text(scope, &git.branch),
                fail_on: git.fail_on.clone(),
                at: git.at,
            }),
            Target::Server(server) => Target::Server(Box::new(ServerTarget {
                path: self.text(scope, &server.path),
                build: server.build.iter().map(|line| self.script(scope, line)).collect(),
                shared: server.shared.clone(),
                reload: server.reload.as_ref().map(|line| self.script(scope, line)),
                keep: server.keep,
                at: server.at,
            })),
        }
    }

    pub(in crate::plan) fn swap(&mut self, scope: &Scope<'a>, swap: &Swap<Written>) -> Swap<Planned> {
        let content = match &swap.content {
            Content::Line(line) => Content::Line(self.text(scope, line)),
            Content::From(path) => Content::From(self.text(scope, path)),
            Content::Text(text) => Content::Text(self.text(scope, text)),
            Content::Remove => Content::Remove,
        };
        Swap { path: swap.path.clone(), content, at: swap.at }
    }

    pub(super) fn health(&mut self, scope: &Scope<'a>, health: &Health<Written>) -> Health<Planned> {
        Health {
            url: self.text(scope, &health.url),
            status: health.status,
            contains: health.contains.as_ref().map(|text| self.text(scope, text)),
            within: health.within,
            every: health.every,
            streak: health.streak,
            at: health.at,
        }
    }

    pub(super) fn script(&mut self, scope: &Scope<'a>, script: &Script<Template>) -> Script<Text> {
        let expanded = script.clone().try_expand(&mut |template, place| {
            Ok::<_, Infallible>(match place {
                Some(place) => self.words_at(scope, &template, place),
                None => vec![Text::from(self.raw(scope, &template))],
            })
        });
        match expanded {
            Ok(script) => script,
            Err(never) => match never {},
        }
    }

    /// Text to paste into a shell line: only the author of the file may do that.
    pub(super) fn raw(&mut self, scope: &Scope<'a>, template: &Template) -> String {
        match scope.text(template) {
            Ok((text, Origin::File)) => text,
            Ok((_, Origin::Outside)) => {
                self.problems.push(
                    Diagnostic::new("`raw` pastes only text that stands in this file")
                        .at(template.at, "this value comes from elsewhere, and would become shell syntax")
                        .help("bind it instead, without `raw`"),
                );
                String::new()
            }
            Err((trouble, at)) => {
                self.trouble(trouble, at);
                String::new()
            }
        }
    }

    pub(super) fn env(&mut self, scope: &Scope<'a>, env: &[(String, Template)]) -> Vec<(String, Text)> {
        env.iter().map(|(name, value)| (name.clone(), self.text(scope, value))).collect()
    }

    /// What every process of an environment gets: deploy's own variables, then the environment's.
    pub(super) fn surroundings(&mut self, index: Option<usize>) -> Arc<Vec<(String, Text)>> {
        if let Some(known) = self.surroundings.get(&index) {
            return Arc::clone(known);
        }
        // The outermost run's, so that a deploy inside of a deploy is let in at any depth.
        let outer = self
            .facts
            .env
            .iter()
            .find(|(name, _)| name == "DEPLOY_RUN")
            .map(|(_, run)| run.to_string_lossy());
        let run = outer.unwrap_or(self.facts.run.0.as_str().into());
        let mut env = vec![("DEPLOY_RUN".to_owned(), Text::from(&*run))];
        if let Some(environment) = index.map(|index| &self.project.environments[index]) {
            let scope = self.scope(index, None);
            env.push(("DEPLOY_ENVIRONMENT".to_owned(), Text::from(environment.name.as_str())));
            self.release_env(&scope, environment, &mut env);
            env.extend(self.env(&scope, &environment.env));
        }
        let env = Arc::new(env);
        self.surroundings.insert(index, Arc::clone(&env));
        env
    }

    pub(super) fn release_env(
        &mut self,
        scope: &Scope<'a>,
        environment: &Environment,
        env: &mut Vec<(String, Text)>,
    ) {
        match &self.facts.source {
            Known::NotAsked => drop(self.wants.insert(Want::Source)),
            Known::Absent(..) => {}
            Known::Is(source) => {
                env.push(("DEPLOY_COMMIT".to_owned(), Text::from(source.commit.as_str())));
                if let Some(branch) = &source.branch {
                    env.push(("DEPLOY_BRANCH".to_owned(), Text::from(branch.as_str())));
                }
            }
        }
        let release = Expression { source: "release".to_owned(), at: environment.at };
        if let Some(release) = self.value(scope, &release) {
            env.push(("DEPLOY_RELEASE".to_owned(), Text::from(release.value.to_string().as_str())));
        }
        if let Some(url) = &environment.url {
            env.push(("DEPLOY_URL".to_owned(), self.text(scope, url)));
        }
    }

    pub(super) fn holds(&mut self, scope: &Scope<'a>, condition: Option<&Expression>) -> bool {
        let Some(condition) = condition else { return true };
        self.value(scope, condition).is_none_or(|rendered| expression::is_true(&rendered.value))
    }

    pub(super) fn text(&mut self, scope: &Scope<'a>, template: &Template) -> Text {
        Text::from(self.string(scope, template).as_str())
    }

    /// A template that may become several words: a list that stands alone does.
    pub(super) fn words(&mut self, scope: &Scope<'a>, template: &Template) -> Vec<Text> {
        match template.as_value().map(|expression| self.value(scope, expression)) {
            Some(Some(Rendered { value: Value::List(words), .. })) => {
                words.iter().map(|word| Text::from(word.as_str())).collect()
            }
            Some(Some(rendered)) => vec![Text::from(rendered.value.to_string().as_str())],
            // There is no plan then, but a fact to gather or a problem to tell; one word fits everywhere.
            Some(None) => vec![Text::from("")],
            None => vec![self.text(scope, template)],
        }
    }

    /// The words of a value in a shell line; a place for one word refuses a list.
    pub(super) fn words_at(&mut self, scope: &Scope<'a>, template: &Template, place: Place) -> Vec<Text> {
        let words = self.words(scope, template);
        if let (Some(help), true) = (place.refuses_list(), words.len() != 1) {
            let problem = Diagnostic::new(format!("a list of {} words can't stand here", words.len()));
            self.problems.push(problem.at(template.at, "this is a list").help(help));
        }
        words
    }

    pub(super) fn string(&mut self, scope: &Scope<'a>, template: &Template) -> String {
        match scope.text(template) {
            Ok((text, _)) => text,
            Err((trouble, at)) => {
                self.trouble(trouble, at);
                String::new()
            }
        }
    }

    pub(super) fn value(&mut self, scope: &Scope<'a>, expression: &Expression) -> Option<Rendered> {
        scope.value(expression).map_err(|trouble| self.trouble(trouble, expression.at)).ok()
    }

    pub(super) fn trouble(&mut self, trouble: Trouble, at: Span) {
        if let Trouble::Unknown(name, _) = &trouble
            && let Some(help) = self.elsewhere(name)
        {
            let problem = Diagnostic::new(format!("there is no value `{name}` here"));
            return self.problems.push(problem.at(at, "unknown name").help(help));
        }
        match trouble.diagnostic(at) {
            Ok(problem) => self.problems.push(problem),
            Err(want) => drop(self.wants.insert(want)),
        }
    }

    /// Where a name has a value, if only in environments.
    fn elsewhere(&self, name: &str) -> Option<String> {
        let defines =
            |environment: &&Environment| environment.vars.iter().any(|variable| variable.name == name);
        let defined = self.project.environments.iter().filter(defines);
        let names: Vec<&str> = defined.map(|environment| environment.name.as_str()).collect();
        let first = names.first()?;
        Some(format!("it has one in {}: deploy {first} TASK", names.join(" and ")))
    }
}
