//! The names that need no definition: what deploy knows by itself, the caller's variables, secrets.

use super::super::trouble::Trouble;
use super::super::{Known, Want, World};
use super::{Origin, Rendered, Scope, as_text};
use crate::diagnostic::nearest;
use crate::model::environment::Environment;
use crate::model::release::Source;
use crate::model::secret::{Keeper, Secret};
use crate::model::text::Text;
use crate::model::value::Value;

/// The names that need no definition.
pub(super) const BUILT_IN: [&str; 11] = [
    "host",
    "environment",
    "url",
    "project",
    "root",
    "run",
    "commit",
    "commit_short",
    "branch",
    "release",
    "args",
];

impl Scope<'_> {
    /// The value of such a name.
    pub(super) fn built_in(&self, name: &str, open: &mut Vec<(String, usize)>) -> Result<Rendered, Trouble> {
        let outside = |text: &str| Rendered { value: Value::text(text), origin: Origin::Outside };
        if let Some(variable) = name.strip_prefix("env.") {
            return self.caller(variable);
        }
        if let Some(secret) = name.strip_prefix("secret.") {
            return self.secret(secret);
        }
        match name {
            "host" => {
                let there = self.there.as_ref().ok_or_else(|| {
                    let help = "say where it is done: on = \"…\", hosts or a group of them".to_owned();
                    Trouble::Wrong("`host` has a value only in what is done on hosts".to_owned(), Some(help))
                })?;
                Ok(Rendered { value: Value::text(&*there.host), origin: Origin::File })
            }
            "environment" => self.in_environment(name).map(|environment| Rendered {
                value: Value::text(environment.name.as_str()),
                origin: Origin::File,
            }),
            "url" => {
                let environment = self.in_environment(name)?;
                let Some(url) = &environment.url else {
                    let help = format!("[environments.{}]\nurl = \"https://…\"", environment.name);
                    return Err(Trouble::Wrong(
                        format!("the environment `{}` has no `url`", environment.name),
                        Some(help),
                    ));
                };
                self.fill(url, open).map(as_text).map_err(|(trouble, _)| trouble)
            }
            "project" => Ok(outside(&self.project)),
            "root" => Ok(outside(&self.facts.root.to_string_lossy())),
            "run" => Ok(outside(&self.facts.run.0)),
            "args" => {
                let words = self.request.args.iter().map(|word| Text::from(word.as_str())).collect();
                Ok(Rendered { value: Value::List(words), origin: Origin::Outside })
            }
            "commit" => Ok(outside(self.source()?.commit.as_str())),
            "commit_short" => Ok(outside(self.source()?.commit.short())),
            "branch" => match &self.source()?.branch {
                Some(branch) => Ok(outside(branch)),
                None => Err(Trouble::Wrong(
                    "no branch is checked out (HEAD is detached)".to_owned(),
                    Some("git switch BRANCH, or give it: --set branch=NAME".to_owned()),
                )),
            },
            "release" => {
                let environment = self.in_environment(name)?;
                if let Some(back) = &self.request.back {
                    let number = i64::from(back.content());
                    return Ok(Rendered { value: Value::Integer(number), origin: Origin::Outside });
                }
                let ledger = self.facts.ledgers.get(&environment.name);
                let ledger = ledger.ok_or_else(|| Trouble::Wants(Want::Ledger(environment.name.clone())))?;
                let number = if self.delivers { ledger.next() } else { ledger.number() };
                Ok(Rendered { value: Value::Integer(i64::from(number)), origin: Origin::Outside })
            }
            _ => Err(Trouble::Unknown(name.to_owned(), self.nearest(name))),
        }
    }

    fn in_environment(&self, name: &str) -> Result<&Environment, Trouble> {
        self.environment.ok_or_else(|| {
            let help = "name one: deploy ENVIRONMENT TASK".to_owned();
            Trouble::Wrong(format!("`{name}` has a value only in an environment"), Some(help))
        })
    }

    fn source(&self) -> Result<&Source, Trouble> {
        match &self.facts.source {
            Known::NotAsked => Err(Trouble::Wants(Want::Source)),
            Known::Absent(reason, help) => Err(Trouble::Wrong(reason.clone(), help.clone())),
            Known::Is(source) => Ok(source),
        }
    }

    /// A variable of the caller's environment, or of the dotenv files beneath it.
    fn caller(&self, variable: &str) -> Result<Rendered, Trouble> {
        let found = |text: &str| Rendered { value: Value::text(text), origin: Origin::Outside };
        let keeps = |secret: &&Secret| matches!(&secret.keeper, Keeper::Env(name) if name.as_plain() == Some(variable));
        if let Some(Secret { name, .. }) = self.secrets.iter().find(keeps) {
            return Err(Trouble::Wrong(
                format!("the variable `{variable}` keeps the secret `{name}`, and is not read as text"),
                Some(format!("name the secret: secrets = [\"{name}\"], or {{{{ secret.{name} }}}}")),
            ));
        }
        if let Some((_, value)) = self.facts.env.iter().find(|(name, _)| name == variable) {
            return match value.to_str() {
                Some(value) => Ok(found(value)),
                None => Err(Trouble::Wrong(
                    format!("the environment variable {variable} is not UTF-8: it can't stand in a text"),
                    Some(format!("a program can read it by itself: ${variable}")),
                )),
            };
        }
        for file in self.dotenv.iter().rev() {
            if let Some((_, value)) = self.facts.dotenv(file)?.iter().rev().find(|(name, _)| name == variable)
            {
                return Ok(found(value));
            }
        }
        match self.facts.world {
            World::Assumed => Ok(found("")),
            World::Seen | World::Looked => Err(Trouble::Unset(variable.to_owned())),
        }
    }

    /// A secret by its name. What it is, is not known here.
    fn secret(&self, name: &str) -> Result<Rendered, Trouble> {
        if !self.secrets.iter().any(|secret| secret.name == name) {
            let known = self.secrets.iter().map(|secret| secret.name.as_str());
            return Err(Trouble::NoSecret(name.to_owned(), nearest(name, known).map(str::to_owned)));
        }
        let environment = self.environment.map(|environment| environment.name.clone());
        self.seen.borrow_mut().insert((environment, name.to_owned()));
        Ok(Rendered { value: Value::Text(Text::secret(name)), origin: Origin::Outside })
    }
}
