//! Environments: what one deploys to, and the rules for it.

use std::time::Duration;

use super::backup::Keep;
use super::freeze::Freeze;
use super::health::{Health, OnFailure};
use super::host::Group;
use super::script::Script;
use super::step::Written;
use super::swap::Swap;
use super::target::Target;
use super::task::{Dotenv, Need};
use super::template::Template;
use super::value::Variable;
use crate::diagnostic::Span;

/// A place that one deploys to.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    pub(crate) name: String,
    pub(crate) about: Option<String>,
    pub(crate) target: Option<Target<Written>>,
    pub(crate) swap: Vec<Swap<Written>>,
    pub(crate) url: Option<Template>,
    pub(crate) vars: Vec<Variable>,
    /// Those of the environments that it inherits from, the nearest first; a variable that mentions its own name means
    /// the one there.
    pub(crate) inherited: Vec<Vec<Variable>>,
    /// Named secrets are in it too.
    pub(crate) env: Vec<(String, Template)>,
    pub(crate) dotenv: Vec<Dotenv>,
    /// Its hosts, in groups.
    pub(crate) hosts: Vec<Group>,
    /// Tasks before any deploy there.
    pub(crate) needs: Vec<Need>,
    /// The task that `deploy NAME` runs, where the file names one.
    pub(crate) deploy: Option<(String, Span)>,
    pub(crate) health: Option<Health<Written>>,
    /// What becomes of a release that is not healthy, where the file says so.
    pub(crate) on_failure: Option<OnFailure>,
    /// What is saved before each release; names of `[backups]`.
    pub(crate) backups: Vec<(String, Span)>,
    /// How many of its backups are kept, where it says so: the backups' own word is for those that don't.
    pub(crate) keep: Option<Keep>,
    pub(crate) protect: Protect,
    /// Its name, in the file.
    pub(crate) at: Span,
}

/// The rules for deploying to an environment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Protect {
    /// Patterns of branches that may be shipped; empty: any.
    pub(crate) branches: Vec<String>,
    /// Whether the working tree must hold no uncommitted change.
    pub(crate) clean: bool,
    /// The environment whose live release must be of the same source.
    pub(crate) after: Option<(String, Span)>,
    /// Whether a branch of a remote must have the commit.
    pub(crate) pushed: bool,
    pub(crate) older: Older,
    /// When nothing is deployed there.
    pub(crate) freeze: Vec<Freeze>,
    /// Shell lines that must succeed first.
    pub(crate) checks: Vec<Script<Template>>,
    /// How old the newest backup may be.
    pub(crate) backup: Option<Duration>,
    pub(crate) confirm: Confirm,
    /// Where the file says so; an unprotected environment has none.
    pub(crate) at: Option<Span>,
}

/// What becomes of a commit that the live release contains already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Older {
    #[default]
    Refused,
    /// `ancestor = false`
    Taken,
}

/// Whether a deploy asks first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Confirm {
    #[default]
    No,
    /// Yes or no.
    Ask,
    /// The environment's name must be typed.
    Typed,
}
