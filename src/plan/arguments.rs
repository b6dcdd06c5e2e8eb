//! What a job is given: the values of its task's parameters, and one value of each variable of `each`. Two jobs of one
//! task in one environment are the same if they are given the same.

use std::collections::HashMap;
use std::rc::Rc;

use super::render::Renderer;
use super::scope::{Given, Layer, Origin, Rendered, Scope};
use super::{Known, Want, World};
use crate::diagnostic::{Diagnostic, Span, nearest};
use crate::model::parameter::{Kind, Parameter};
use crate::model::task::Task;
use crate::model::text::Text;
use crate::model::value::{Value, Variable};

/// More jobs of one task than this are a mistake: it needs itself with other parameters, again and again.
pub(crate) const MOST_JOBS: usize = 10_000;

/// What jobs were given, numbered; number 0 is nothing at all.
pub(crate) struct Arguments {
    known: Vec<Given>,
    numbers: HashMap<Vec<(String, Text)>, u32>,
}

impl Default for Arguments {
    fn default() -> Arguments {
        Arguments { known: vec![Rc::new([])], numbers: HashMap::from([(Vec::new(), 0)]) }
    }
}

impl Arguments {
    pub(crate) fn of(&self, number: u32) -> &Given {
        &self.known[number as usize]
    }

    pub(crate) fn number(&mut self, values: Vec<(String, Rendered)>) -> u32 {
        let key = values.iter().map(|(name, rendered)| (name.clone(), rendered.value.clone().into_text()));
        let next = u32::try_from(self.known.len()).expect("fewer than 2^32 sets of parameters");
        let number = *self.numbers.entry(key.collect()).or_insert(next);
        if number == next {
            self.known.push(values.into());
        }
        number
    }
}

/// A value that somebody gives a task.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    pub(crate) name: String,
    pub(crate) rendered: Rendered,
    /// Where it stands in the file; the command line has no place.
    pub(crate) at: Option<Span>,
}

impl Offer {
    /// What the command line gives: words by name, several of one name are a list.
    pub(crate) fn typed(given: &[(String, String)]) -> Vec<Offer> {
        let mut offers: Vec<Offer> = Vec::new();
        for (name, word) in given {
            let word = Text::from(word.as_str());
            match offers.iter_mut().find(|offer| offer.name == *name) {
                Some(Offer { rendered: Rendered { value: Value::List(words), .. }, .. }) => words.push(word),
                Some(offer) => {
                    offer.rendered.value = Value::List(vec![
                        std::mem::replace(&mut offer.rendered.value, Value::Bool(true)).into_text(),
                        word,
                    ]);
                }
                None => offers.push(Offer {
                    name: name.clone(),
                    rendered: Rendered { value: Value::Text(word), origin: Origin::Outside },
                    at: None,
                }),
            }
        }
        offers
    }
}

impl<'a> Renderer<'a> {
    /// What the jobs of a task are given that somebody names: one, or with `each` one for every combination. `outer` is
    /// what the task sees without its own parameters, `at` the place that names it.
    pub(crate) fn arguments(
        &mut self,
        task: &'a Task,
        outer: &Scope<'a>,
        offers: &[Offer],
        at: Option<Span>,
    ) -> Vec<Vec<(String, Rendered)>> {
        if task.params.is_empty() && task.each.is_empty() && offers.is_empty() {
            return vec![Vec::new()];
        }
        let mut given: Vec<(String, Rendered)> = Vec::new();
        for parameter in &task.params {
            // What is missing is told, and nothing else is said of what would follow.
            let Some(rendered) = self.parameter(task, parameter, outer, &given, offers, at) else {
                return Vec::new();
            };
            given.push((parameter.name.clone(), rendered));
        }
        self.further(task, outer, offers, &mut given);
        self.combinations(task, outer, offers, &given)
    }

    /// The value of one parameter, by the strongest who has a say: `--set`, who names the task, the caller's
    /// environment, the default.
    fn parameter(
        &mut self,
        task: &'a Task,
        parameter: &'a Parameter,
        outer: &Scope<'a>,
        given: &[(String, Rendered)],
        offers: &[Offer],
        at: Option<Span>,
    ) -> Option<Rendered> {
        let outside = |text: &str| Rendered { value: Value::text(text), origin: Origin::Outside };
        let set = self.request.set.iter().rev().find(|(name, _)| *name == parameter.name);
        if let Some((_, text)) = set {
            return self.accepted(task, parameter, outside(text), None);
        }
        if let Some(offer) = offers.iter().find(|offer| offer.name == parameter.name) {
            return self.accepted(task, parameter, offer.rendered.clone(), offer.at);
        }
        let caller = parameter.env.as_ref().and_then(|name| {
            let found = self.facts.env.iter().find(|(known, _)| known.to_str() == Some(name))?;
            Some(found.1.to_string_lossy().into_owned())
        });
        if let Some(text) = caller {
            return self.accepted(task, parameter, outside(&text), None);
        }
        if let Some(default) = &parameter.default {
            let mut scope = outer.clone();
            scope.layers.insert(0, Layer::Given(given.into()));
            let variable =
                Variable { name: parameter.name.clone(), definition: default.clone(), at: parameter.at };
            return match scope.defined(&variable) {
                Ok(rendered) => self.accepted(task, parameter, rendered, Some(parameter.at)),
                Err(trouble) => {
                    self.trouble(trouble, parameter.at);
                    None
                }
            };
        }
        if parameter.kind == Kind::Bool {
            return Some(Rendered { value: Value::Bool(false), origin: Origin::File });
        }
        if self.facts.world == World::Assumed && at.is_none() {
            return Some(Rendered { value: sample(parameter), origin: Origin::Outside });
        }
        let problem = Diagnostic::new(format!("task `{}` needs `{}`", task.name, parameter.name));
        let how = if parameter.positional {
            format!("deploy {} {}", task.name, parameter.name.to_uppercase())
        } else {
            format!("deploy {} {} {}", task.name, parameter.flag(), parameter.name.to_uppercase())
        };
        self.problems.push(match at {
            Some(at) => problem
                .at(at, "does not say it")
                .at(parameter.at, "declared here, without a default")
                .help(format!("{{ task = \"{}\", with = {{ {} = \"…\" }} }}", task.name, parameter.name)),
            None => problem.at(parameter.at, "has no default").help(how),
        });
        None
    }

    fn accepted(
        &mut self,
        task: &Task,
        parameter: &Parameter,
        rendered: Rendered,
        at: Option<Span>,
    ) -> Option<Rendered> {
        match parameter.accept(rendered.value) {
            Ok(value) => {
                self.known_to_git(parameter, &value, at);
                Some(Rendered { value, origin: rendered.origin })
            }
            Err((why, help)) => {
                let problem = Diagnostic::new(format!("`{}` of `{}` {why}", parameter.name, task.name));
                let problem = match at {
                    Some(at) if at != parameter.at => problem.at(at, "").at(parameter.at, "declared here"),
                    Some(_) | None => problem.at(parameter.at, "declared here"),
                };
                self.problems.push(problem.maybe_help(help));
                None
            }
        }
    }

    /// Refuses a `git-ref` that git does not know.
    fn known_to_git(&mut self, parameter: &Parameter, value: &Value, at: Option<Span>) {
        if parameter.kind != Kind::GitRef || self.facts.world == World::Assumed {
            return;
        }
        let words = match value {
            Value::List(words) => words.clone(),
            Value::Text(_) | Value::Integer(_) | Value::Float(_) | Value::Bool(_) => {
                vec![value.clone().into_text()]
            }
        };
        for word in words.iter().map(ToString::to_string) {
            match self.facts.commits.get(&word) {
                None => drop(self.wants.insert(Want::Commit(word))),
                Some(Known::Is(()) | Known::NotAsked) => {}
                Some(Known::Absent(reason, help)) => self.problems.push(
                    Diagnostic::new(format!("`{}` is a git-ref: {reason}", parameter.name))
                        .at(at.unwrap_or(parameter.at), "declared here")
                        .maybe_help(help.clone()),
                ),
            }
        }
    }

    /// What `with` gives beside parameters: variables. With parameters there, a name that means nothing is a slip.
    fn further(
        &mut self,
        task: &Task,
        outer: &Scope<'a>,
        offers: &[Offer],
        given: &mut Vec<(String, Rendered)>,
    ) {
        for offer in offers {
            let name = &offer.name;
            if task.params.iter().any(|parameter| parameter.name == *name)
                || task.each.iter().any(|variable| variable.name == *name)
            {
                continue;
            }
            let visible = outer.layers.iter().flat_map(Layer::names).any(|known| known == name);
            if !visible && !task.params.is_empty() {
                let near = nearest(name, task.params.iter().map(|parameter| parameter.name.as_str()));
                let problem = Diagnostic::new(format!("task `{}` has no parameter `{name}`", task.name));
                let problem =
                    offer.at.into_iter().fold(problem, |problem, at| problem.at(at, "unknown name"));
                self.problems.push(problem.maybe_help(near.map(|near| format!("did you mean `{near}`?"))));
                continue;
            }
            let set = self.request.set.iter().rev().find(|(set, _)| set == name);
            let rendered = match set {
                Some((_, text)) => Rendered { value: Value::text(text.as_str()), origin: Origin::Outside },
                None => offer.rendered.clone(),
            };
            given.push((name.clone(), rendered));
        }
    }

    /// One for every combination of what `each` lists.
    fn combinations(
        &mut self,
        task: &'a Task,
        outer: &Scope<'a>,
        offers: &[Offer],
        given: &[(String, Rendered)],
    ) -> Vec<Vec<(String, Rendered)>> {
        let mut all = vec![given.to_vec()];
        for variable in &task.each {
            let Some((words, origin)) = self.each(task, variable, outer, offers, given) else {
                return Vec::new();
            };
            let with = |rest: &Vec<(String, Rendered)>, word: &Text| {
                let rendered = Rendered { value: Value::Text(word.clone()), origin };
                rest.iter().cloned().chain([(variable.name.clone(), rendered)]).collect()
            };
            all = all.iter().flat_map(|rest| words.iter().map(move |word| with(rest, word))).collect();
        }
        all
    }

    /// The values that one variable of `each` has in turn.
    fn each(
        &mut self,
        task: &Task,
        variable: &'a Variable,
        outer: &Scope<'a>,
        offers: &[Offer],
        given: &[(String, Rendered)],
    ) -> Option<(Vec<Text>, Origin)> {
        if let Some((_, text)) = self.request.set.iter().rev().find(|(name, _)| *name == variable.name) {
            return Some((vec![Text::from(text.as_str())], Origin::Outside));
        }
        let mut scope = outer.clone();
        scope.layers.insert(0, Layer::Given(given.into()));
        let rendered = scope.defined(variable).map_err(|trouble| self.trouble(trouble, variable.at)).ok()?;
        let Value::List(words) = rendered.value else {
            let problem = Diagnostic::new(format!("`{}` of `{}` is no list", variable.name, task.name));
            self.problems.push(problem.at(variable.at, format!("it is `{}`", rendered.value)));
            return None;
        };
        let Some(offer) = offers.iter().find(|offer| offer.name == variable.name) else {
            return Some((words, rendered.origin));
        };
        let one = offer.rendered.value.clone().into_text();
        if !words.contains(&one) {
            let known: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
            let problem = Diagnostic::new(format!(
                "`{}` of `{}` is one of {}, not `{one}`",
                variable.name,
                task.name,
                known.join(", ")
            ));
            self.problems.push(problem.at(offer.at.unwrap_or(variable.at), ""));
            return None;
        }
        Some((vec![one], offer.rendered.origin))
    }
}

/// A value that a parameter takes, where nobody has given one: to see what the file would come to.
fn sample(parameter: &Parameter) -> Value {
    let one = match (&parameter.kind, parameter.choices.first()) {
        (Kind::Integer(range), None) => Value::Integer(0.clamp(*range.start(), *range.end())),
        (Kind::Bool, None) => Value::Bool(false),
        (Kind::Text | Kind::Path | Kind::GitRef, None) => Value::text(parameter.name.as_str()),
        (_, Some(choice)) => Value::text(choice.as_str()),
    };
    match (parameter.many, parameter.accept(one.clone())) {
        (_, Ok(value)) => value,
        (true, Err(_)) => Value::List(vec![one.into_text()]),
        (false, Err(_)) => one,
    }
}
