//! The texts of steps, targets and checks, with their values; what a value can't be found for is noted.

use std::convert::Infallible;
use std::sync::Arc;

use super::super::scope::{Origin, Rendered, Scope};
use super::super::trouble::{Trouble, argument};
use super::super::{Known, Want, expression};
use super::{Env, Renderer};
use crate::diagnostic::{Diagnostic, Span};
use crate::model::environment::Environment;
use crate::model::health::{Health, Version};
use crate::model::script::{Place, Script};
use crate::model::step::{Planned, Written};
use crate::model::swap::{Content, Swap};
use crate::model::target::{CommandTarget, GitTarget, Login, ServerTarget, Target, ZappaTarget};
use crate::model::template::{Expression, Template};
use crate::model::text::Text;
use crate::model::value::Value;

impl<'a> Renderer<'a> {
    pub(in crate::plan) fn target(&mut self, scope: &Scope<'a>, target: &Target<Written>) -> Target<Planned> {
        match target {
            Target::Git(git) => Target::Git(self.branch(scope, git)),
            Target::Server(server) => Target::Server(Box::new(ServerTarget {
                hosts: server.hosts.as_ref().map(|named| self.machines(scope, named)).unwrap_or_default(),
                path: self.plain(scope, &server.path, "a folder"),
                build: server.build.iter().map(|line| self.script(scope, line)).collect(),
                shared: server.shared.clone(),
                reload: server.reload.as_ref().map(|line| self.script(scope, line)),
                keep: server.keep,
                at: server.at,
            })),
            Target::Platform(platform) => Target::Platform(Box::new(self.platform(scope, platform))),
            Target::PythonAnywhere(app) => Target::PythonAnywhere(Box::new(self.web_app(scope, app))),
            Target::Zappa(zappa) => Target::Zappa(Box::new(ZappaTarget {
                stage: self.plain(scope, &zappa.stage, "a stage's name"),
                requirements: self.plain(scope, &zappa.requirements, "a path"),
                python: self.plain(scope, &zappa.python, "a program"),
                at: zappa.at,
            })),
            Target::Command(target) => Target::Command(CommandTarget {
                command: self.program(scope, &target.command),
                rollback: self.program(scope, &target.rollback),
                at: target.at,
            }),
        }
    }

    fn login(&mut self, scope: &Scope<'a>, login: &Login<Written>) -> Login<Planned> {
        let token = self.token(scope, &login.token);
        Login { user: self.plain(scope, &login.user, "a user's name"), token }
    }

    /// What opens something; only a secret may.
    pub(super) fn token(&mut self, scope: &Scope<'a>, token: &Template) -> Text {
        let text = self.text(scope, token);
        if text.as_plain().is_some_and(|plain| !plain.is_empty()) {
            let problem = Diagnostic::new("a token is a secret");
            self.problems.push(
                problem
                    .at(token.at, "none is in it")
                    .help("say where it is kept, in [secrets], and name that: token = \"NAME\""),
            );
        }
        text
    }

    pub(super) fn branch(&mut self, scope: &Scope<'a>, git: &GitTarget<Written>) -> GitTarget<Planned> {
        GitTarget {
            remote: self.plain(scope, &git.remote, "a git remote"),
            branch: self.plain(scope, &git.branch, "a branch"),
            fail_on: git.fail_on.clone(),
            login: git.login.as_ref().map(|login| self.login(scope, login)),
            at: git.at,
        }
    }

    pub(in crate::plan) fn swap(&mut self, scope: &Scope<'a>, swap: &Swap<Written>) -> Swap<Planned> {
        const WHAT: &str = "what is committed or written into the working tree";
        let content = match &swap.content {
            Content::Line(line) => Content::Line(self.plain(scope, line, WHAT)),
            Content::From(path) => Content::From(self.plain(scope, path, "a path")),
            Content::Text(text) => Content::Text(self.plain(scope, text, WHAT)),
            Content::Remove => Content::Remove,
        };
        Swap { path: swap.path.clone(), content, at: swap.at }
    }

    pub(in crate::plan) fn health(&mut self, scope: &Scope<'a>, health: &Health<Written>) -> Health<Planned> {
        Health {
            url: self.text(scope, &health.url),
            status: health.status,
            contains: health.contains.as_ref().map(|text| self.text(scope, text)),
            version: health.version.as_ref().map(|version| self.version(scope, version)),
            within: health.within,
            every: health.every,
            streak: health.streak,
            at: health.at,
        }
    }

    fn version(&mut self, scope: &Scope<'a>, version: &Version<Written>) -> Version<Planned> {
        let text = match scope.text(&version.text) {
            Ok((text, _)) if text.as_plain() == Some("") => {
                self.problems.push(
                    Diagnostic::new("`version` is empty, which every answer would hold")
                        .at(version.text.at, "no text")
                        .help("version = \"{{ commit }}\""),
                );
                text
            }
            Ok((text, _)) => text,
            Err((trouble, at)) => {
                self.trouble(trouble, at);
                Text::default()
            }
        };
        Version { text, header: version.header.clone() }
    }

    pub(in crate::plan) fn script(&mut self, scope: &Scope<'a>, script: &Script<Template>) -> Script<Text> {
        let expanded = script.clone().try_expand(&mut |template, place| {
            Ok::<_, Infallible>(match place {
                Some(place) => self.words_at(scope, &template, place),
                None => vec![self.raw(scope, &template)],
            })
        });
        match expanded {
            Ok(script) => script,
            Err(never) => match never {},
        }
    }

    /// Text to paste into a shell line: only the author of the file may do that.
    pub(super) fn raw(&mut self, scope: &Scope<'a>, template: &Template) -> Text {
        match scope.text(template) {
            Ok((text, Origin::File)) => text,
            Ok((_, Origin::Outside)) => {
                self.problems.push(
                    Diagnostic::new("`raw` pastes only text that stands in this file")
                        .at(template.at, "this value comes from elsewhere, and would become shell syntax")
                        .help("bind it instead, without `raw`"),
                );
                Text::default()
            }
            Err((trouble, at)) => {
                self.trouble(trouble, at);
                Text::default()
            }
        }
    }

    pub(in crate::plan) fn env(
        &mut self,
        scope: &Scope<'a>,
        env: &[(String, Template)],
    ) -> Vec<(String, Text)> {
        env.iter().map(|(name, value)| (name.clone(), self.text(scope, value))).collect()
    }

    /// What every process of a file's tasks gets in an environment: deploy's own variables, those of the settings, then
    /// the environment's.
    pub(super) fn surroundings(&mut self, index: Option<usize>, file: usize) -> Env {
        if let Some(known) = self.surroundings.get(&(index, file)) {
            return Arc::clone(known);
        }
        let mut env = self.own_variables(index);
        env.extend(self.settings_env(index, file));
        if let Some(environment) = index.map(|index| &self.project.environments[index]) {
            let scope = self.scope(index, None, 0);
            env.extend(self.env(&scope, &environment.env));
        }
        let env = Arc::new(env);
        self.surroundings.insert((index, file), Arc::clone(&env));
        env
    }

    /// The variables of the root's settings, and of a file's own.
    pub(in crate::plan) fn settings_env(&mut self, index: Option<usize>, file: usize) -> Vec<(String, Text)> {
        let project = self.project;
        let own = (file != 0).then_some(file);
        let files = [0].into_iter().chain(own).filter(|file| !project.files[*file].env.is_empty());
        let mut env = Vec::new();
        for file in files {
            let scope = self.file_scope(index, file);
            env.extend(self.env(&scope, &project.files[file].env));
        }
        env
    }

    /// Deploy's own variables.
    pub(in crate::plan) fn own_variables(&mut self, index: Option<usize>) -> Vec<(String, Text)> {
        // The outermost run's, so that a deploy inside of a deploy is let in at any depth.
        let outer = self.facts.env.iter().find(|(name, _)| name == "DEPLOY_RUN");
        let run = outer.map_or(self.facts.run.0.as_str().into(), |(_, run)| run.to_string_lossy());
        let mut env = vec![("DEPLOY_RUN".to_owned(), Text::from(&*run))];
        if let Some(environment) = index.map(|index| &self.project.environments[index]) {
            let scope = self.scope(index, None, 0);
            env.push(("DEPLOY_ENVIRONMENT".to_owned(), Text::from(environment.name.as_str())));
            self.release_env(&scope, environment, &mut env);
        }
        env
    }

    fn release_env(&mut self, scope: &Scope<'a>, environment: &Environment, env: &mut Vec<(String, Text)>) {
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
        // Most tasks don't look at it: they need not wait for the team's remote.
        let known = (!scope.delivers).then(|| {
            self.facts.ledgers.get(&environment.name).or_else(|| self.facts.known.get(&environment.name))
        });
        let release = match known {
            Some(Some(standing)) => Some(Text::from(standing.number().to_string())),
            Some(None) => {
                self.wants.insert(Want::Standing(environment.name.clone()));
                None
            }
            None => {
                let release = Expression { source: "release".to_owned(), at: environment.at };
                self.value(scope, &release).map(|release| release.value.into_text())
            }
        };
        env.extend(release.map(|release| ("DEPLOY_RELEASE".to_owned(), release)));
        if let Some(url) = &environment.url {
            env.push(("DEPLOY_URL".to_owned(), self.text(scope, url)));
        }
    }

    pub(in crate::plan) fn holds(&mut self, scope: &Scope<'a>, condition: Option<&Expression>) -> bool {
        let Some(condition) = condition else { return true };
        scope.guessed.set(false);
        let holds = self.value(scope, condition).is_none_or(|rendered| expression::is_true(&rendered.value));
        // What only running can tell is shown as if it were so.
        holds || scope.guessed.get()
    }

    pub(in crate::plan) fn text(&mut self, scope: &Scope<'a>, template: &Template) -> Text {
        match scope.text(template) {
            Ok((text, _)) => text,
            Err((trouble, at)) => {
                self.trouble(trouble, at);
                Text::default()
            }
        }
    }

    /// A text that many can see: `what` it is, for the message if a secret is in it.
    pub(in crate::plan) fn plain(&mut self, scope: &Scope<'a>, template: &Template, what: &str) -> Text {
        let text = self.text(scope, template);
        if text.as_plain().is_none() {
            let problem = Diagnostic::new(format!("a secret can't be in {what}"));
            self.problems.push(
                problem
                    .at(template.at, "holds one")
                    .help("keep it in the environment of the task that needs it: secrets = [\"…\"]"),
            );
        }
        text
    }

    /// The same as a string; nothing if it can't be had yet.
    pub(in crate::plan) fn open(
        &mut self,
        scope: &Scope<'a>,
        template: &Template,
        what: &str,
    ) -> Option<String> {
        self.plain(scope, template, what).as_plain().map(str::to_owned)
    }

    /// A step's folder, which is said from the folder of its file.
    pub(in crate::plan) fn inner_folder(&mut self, scope: &Scope<'a>, dir: &Template) -> Text {
        let dir = self.open(scope, dir, "a folder").unwrap_or_default();
        Text::from(scope.file.folder.join(dir).to_string_lossy().into_owned())
    }

    /// A program and its arguments, which everybody on the machine can read.
    pub(super) fn program(&mut self, scope: &Scope<'a>, words: &[Template]) -> Vec<Text> {
        let mut program = Vec::with_capacity(words.len());
        for word in words {
            let texts = self.words(scope, word);
            if texts.iter().any(|text| text.as_plain().is_none())
                && let Ok(problem) = argument("a program").diagnostic(word.at)
            {
                self.problems.push(problem);
            }
            program.extend(texts);
        }
        program
    }

    /// What processes get with the variables of dotenv files beneath, which the caller's environment beats.
    pub(super) fn beneath(&mut self, scope: &Scope<'a>, env: &Env) -> Env {
        if scope.dotenv.is_empty() {
            return Arc::clone(env);
        }
        let mut all = Vec::new();
        for file in scope.dotenv.iter() {
            match self.facts.dotenv(file) {
                Ok(variables) => {
                    // No host sees the caller's environment.
                    let callers = |name: &str| {
                        scope.there.is_none()
                            && self.facts.env.iter().any(|(known, _)| known.to_str() == Some(name))
                    };
                    let free = variables.iter().filter(|(name, _)| !callers(name));
                    all.extend(free.map(|(name, value)| (name.clone(), Text::from(value.as_str()))));
                }
                Err(trouble) => self.trouble(trouble, file.at),
            }
        }
        all.extend(env.iter().cloned());
        Arc::new(all)
    }

    /// A template that may become several words: a list that stands alone does.
    pub(in crate::plan) fn words(&mut self, scope: &Scope<'a>, template: &Template) -> Vec<Text> {
        match template.as_value().map(|expression| self.value(scope, expression)) {
            Some(Some(Rendered { value: Value::List(words), .. })) => words,
            Some(Some(rendered)) => vec![rendered.value.into_text()],
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

    pub(super) fn value(&mut self, scope: &Scope<'a>, expression: &Expression) -> Option<Rendered> {
        scope.value(expression).map_err(|trouble| self.trouble(trouble, expression.at)).ok()
    }

    pub(in crate::plan) fn trouble(&mut self, trouble: Trouble, at: Span) {
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
        let defines = |environment: &&Environment| {
            let all = environment.vars.iter().chain(environment.inherited.iter().flatten());
            all.into_iter().any(|variable| variable.name == name)
        };
        let defined = self.project.environments.iter().filter(defines);
        let names: Vec<&str> = defined.map(|environment| environment.name.as_str()).collect();
        let first = names.first()?;
        Some(format!("it has one in {}: deploy {first} TASK", names.join(" and ")))
    }
}
