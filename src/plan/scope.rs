//! What a name stands for. Looked up in this order: `--set`; parameters and what `with` gives; the task's `vars`; the
//! environment's; those of the task's file; the project's; the built-in names. No other place.

mod built_in;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use super::expression;
use super::trouble::{Trouble, argument};
use super::{Facts, Request, Want, World};
use crate::diagnostic::{Span, nearest};
use crate::model::environment::Environment;
use crate::model::host::There;
use crate::model::project::{File, Project};
use crate::model::secret::Secret;
use crate::model::step::Action;
use crate::model::task::Presence;
use crate::model::template::{Expression, Part, Template};
use crate::model::text::Text;
use crate::model::value::{Definition, Value, Variable};
use built_in::BUILT_IN;

/// Every name that some text of the project could mean.
pub(crate) fn names(project: &Project) -> BTreeSet<&str> {
    let tables = project.environments.iter().map(|environment| &environment.vars);
    let tables = tables.chain(project.tasks.iter().flat_map(|task| [&task.vars, &task.each]));
    let tables = tables.chain(project.files.iter().map(|file| &file.vars));
    let parameters =
        project.tasks.iter().flat_map(|task| &task.params).map(|parameter| parameter.name.as_str());
    let given =
        project.tasks.iter().flat_map(|task| task.steps.iter().chain(&task.always)).filter_map(|step| {
            match &step.action {
                Action::Task(call) => Some(&call.with),
                Action::Run(_)
                | Action::Exec(_)
                | Action::Swap(_)
                | Action::Ship
                | Action::Check(_)
                | Action::Http(_)
                | Action::Put(_)
                | Action::Get(_)
                | Action::Backup(_)
                | Action::Restore(_)
                | Action::PutBack(_)
                | Action::Fleet(_) => None,
            }
        });
    let variables = tables.chain(given).flatten().map(|variable| variable.name.as_str());
    variables.chain(parameters).chain(BUILT_IN).collect()
}

/// A value, and where it came from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rendered {
    pub(crate) value: Value,
    pub(crate) origin: Origin,
}

/// Whether the author of the file wrote a value: only such a value may be pasted into a shell line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    File,
    /// The command line, the caller's environment, git.
    Outside,
}

impl Origin {
    pub(crate) fn and(self, other: Origin) -> Origin {
        if self == Origin::File { other } else { Origin::Outside }
    }
}

/// The names that a text can see.
#[derive(Clone)]
pub(crate) struct Scope<'a> {
    pub(crate) layers: Vec<Layer<'a>>,
    pub(crate) environment: Option<&'a Environment>,
    /// The file whose task it is.
    pub(crate) file: &'a File,
    pub(crate) files: &'a [File],
    /// The dotenv files that `env.NAME` may come from, the strongest last.
    pub(crate) dotenv: Arc<[EnvFile]>,
    /// Every secret of the project; those that are looked up are noted.
    pub(crate) secrets: &'a [Secret],
    pub(crate) seen: Seen,
    /// Whether a value was looked up that is known only when a plan is run.
    pub(crate) guessed: Rc<Cell<bool>>,
    pub(crate) project: Arc<str>,
    pub(crate) request: &'a Request,
    pub(crate) facts: &'a Facts,
    /// The host that it is seen on, if it is done on one.
    pub(crate) there: Option<Rc<There>>,
    /// Whether the plan makes a release in this environment: `release` is then the new one.
    pub(crate) delivers: bool,
}

/// The secrets that were looked up, each with the environment that it is for.
pub(crate) type Seen = Rc<RefCell<BTreeSet<(Option<String>, String)>>>;

/// Names that are seen together; an earlier layer hides a later one.
#[derive(Clone)]
pub(crate) enum Layer<'a> {
    /// What a job or a called task was given. `--set` has its say before.
    Given(Given),
    Variables(&'a [Variable]),
}

/// Names with values that are known already.
pub(crate) type Given = Rc<[(String, Rendered)]>;

/// A dotenv file, by its path.
#[derive(Clone, Debug)]
pub(crate) struct EnvFile {
    /// Relative to the root's folder.
    pub(crate) path: PathBuf,
    pub(crate) presence: Presence,
    /// Where it is named.
    pub(crate) at: Span,
}

impl Layer<'_> {
    pub(super) fn names(&self) -> Vec<&str> {
        match self {
            Layer::Given(values) => values.iter().map(|(name, _)| name.as_str()).collect(),
            Layer::Variables(variables) => variables.iter().map(|variable| variable.name.as_str()).collect(),
        }
    }
}

impl Scope<'_> {
    /// The value of an expression.
    pub(crate) fn value(&self, expression: &Expression) -> Result<Rendered, Trouble> {
        self.evaluate(&expression.source, &mut Vec::new())
    }

    /// The value of a right-hand side: of a `with` entry, of a parameter's default, of an `each`.
    pub(crate) fn defined(&self, variable: &Variable) -> Result<Rendered, Trouble> {
        self.rendered(variable, &mut Vec::new())
    }

    /// A template as one string.
    pub(crate) fn text(&self, template: &Template) -> Result<(Text, Origin), (Trouble, Span)> {
        self.fill(template, &mut Vec::new())
    }

    fn evaluate(&self, source: &str, open: &mut Vec<(String, usize)>) -> Result<Rendered, Trouble> {
        expression::evaluate(source, &mut |name| self.lookup(name, open))
    }

    /// `open` holds the variables whose definitions we are inside of, each with its layer: a variable that mentions
    /// its own name means the one that it hides.
    fn lookup(&self, name: &str, open: &mut Vec<(String, usize)>) -> Result<Rendered, Trouble> {
        let given = |layer: &Layer<'_>| match layer {
            Layer::Given(values) => {
                values.iter().find(|(given, _)| given == name).map(|(_, value)| value.clone())
            }
            Layer::Variables(_) => None,
        };
        if let Some(value) = self.layers.iter().find_map(given) {
            return Ok(value);
        }
        if let Some((_, value)) = self.request.set.iter().rev().find(|(set, _)| set == name) {
            return Ok(Rendered { value: self.as_defined(name, value)?, origin: Origin::Outside });
        }
        let first = open.last().filter(|(inside, _)| inside == name).map_or(0, |(_, layer)| layer + 1);
        for (index, layer) in self.layers.iter().enumerate().skip(first) {
            if let Layer::Variables(variables) = layer
                && let Some(variable) = variables.iter().find(|variable| variable.name == name)
            {
                return self.define(variable, index, open);
            }
        }
        self.built_in(name, open)
    }

    /// A value of the command line, in the type of the variable that it stands for.
    fn as_defined(&self, name: &str, text: &str) -> Result<Value, Trouble> {
        let mut variables = self.layers.iter().flat_map(|layer| match layer {
            Layer::Given(_) => &[],
            Layer::Variables(variables) => *variables,
        });
        let (value, wanted) = match variables
            .find(|variable| variable.name == name)
            .map(|variable| &variable.definition)
        {
            Some(Definition::Plain(Value::Bool(_))) => (text.parse().map(Value::Bool).ok(), "true or false"),
            Some(Definition::Plain(Value::Integer(_))) => {
                (text.parse().map(Value::Integer).ok(), "a whole number")
            }
            Some(Definition::Plain(Value::Float(_))) => (text.parse().map(Value::Float).ok(), "a number"),
            Some(
                Definition::Plain(Value::Text(_) | Value::List(_))
                | Definition::Text(_)
                | Definition::List(_)
                | Definition::Command(_),
            )
            | None => (Some(Value::text(text)), ""),
        };
        value.ok_or_else(|| Trouble::Wrong(format!("--set {name}={text}: `{name}` is {wanted}"), None))
    }

    fn define(
        &self,
        variable: &Variable,
        layer: usize,
        open: &mut Vec<(String, usize)>,
    ) -> Result<Rendered, Trouble> {
        let here = (variable.name.clone(), layer);
        if open.contains(&here) {
            let names = open.iter().map(|(name, _)| name.clone());
            return Err(Trouble::Loop(names.chain([variable.name.clone()]).collect()));
        }
        open.push(here);
        let rendered = self.rendered(variable, open);
        open.pop();
        rendered
    }

    /// The value of a variable's right-hand side.
    fn rendered(&self, variable: &Variable, open: &mut Vec<(String, usize)>) -> Result<Rendered, Trouble> {
        match &variable.definition {
            Definition::Plain(value) => Ok(Rendered { value: value.clone(), origin: Origin::File }),
            Definition::Command(words) => self.output(variable, words, open),
            Definition::Text(template) => match template.as_value() {
                Some(expression) => self.evaluate(&expression.source, open),
                None => self.fill(template, open).map(as_text).map_err(|(trouble, _)| trouble),
            },
            Definition::List(templates) => templates
                .iter()
                .try_fold((Vec::new(), Origin::File), |(mut words, origin), template| {
                    let (text, from) = self.fill(template, open).map_err(|(trouble, _)| trouble)?;
                    words.push(text);
                    Ok((words, origin.and(from)))
                })
                .map(|(words, origin)| Rendered { value: Value::List(words), origin }),
        }
    }

    /// What a variable's command prints: a fact like others.
    fn output(
        &self,
        variable: &Variable,
        words: &[Template],
        open: &mut Vec<(String, usize)>,
    ) -> Result<Rendered, Trouble> {
        let words: Result<Vec<String>, Trouble> = words
            .iter()
            .map(|word| {
                let (text, _) = self.fill(word, open).map_err(|(trouble, _)| trouble)?;
                let plain = text.as_plain().map(str::to_owned);
                plain.ok_or_else(|| argument(&format!("the command of `{}`", variable.name)))
            })
            .collect();
        // A file's variables are at home in its folder, whoever uses them.
        let command = (self.files[variable.at.source as usize].folder.clone(), words?);
        match self.facts.outputs.get(&command) {
            Some(output) => {
                // Who only looks runs nothing: then this is a word in the place of the value.
                if self.facts.world == World::Looked {
                    self.guessed.set(true);
                }
                Ok(Rendered { value: Value::text(output.as_str()), origin: Origin::Outside })
            }
            None => Err(Trouble::Wants(Want::Output(command.0, command.1))),
        }
    }

    fn fill(
        &self,
        template: &Template,
        open: &mut Vec<(String, usize)>,
    ) -> Result<(Text, Origin), (Trouble, Span)> {
        let mut text = Text::default();
        let mut origin = Origin::File;
        for part in &template.parts {
            match part {
                Part::Plain(plain) => text.push(plain),
                Part::Value(expression) => {
                    let rendered = self
                        .evaluate(&expression.source, open)
                        .map_err(|trouble| (trouble, expression.at))?;
                    origin = origin.and(rendered.origin);
                    text.append(rendered.value.into_text());
                }
            }
        }
        Ok((text, origin))
    }

    fn nearest(&self, name: &str) -> Option<String> {
        let names = self.layers.iter().flat_map(Layer::names).chain(BUILT_IN);
        nearest(name, names).map(str::to_owned)
    }
}

fn as_text((text, origin): (Text, Origin)) -> Rendered {
    Rendered { value: Value::Text(text), origin }
}
