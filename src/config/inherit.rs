//! `inherits`: an environment that is like another one, but for what it says itself.

use crate::diagnostic::{Diagnostic, Diagnostics, Span, nearest};
use crate::model::environment::Environment;
use crate::model::template::Template;

/// What an environment says about its descent.
#[derive(Clone, Debug)]
pub(crate) struct Heir {
    pub(crate) parent: Option<(String, Span)>,
    /// The keys that it has itself.
    pub(crate) said: Vec<&'static str>,
}

/// Gives every heir what it does not say itself. `vars` lie above those that are inherited, `env` is merged by name.
pub(crate) fn inherit(environments: &mut [Environment], heirs: &[Heir]) -> Diagnostics {
    let mut problems = Diagnostics::default();
    let mut parents = Vec::with_capacity(heirs.len());
    for heir in heirs {
        parents.push(heir.parent.as_ref().and_then(|(name, at)| {
            let found = environments.iter().position(|environment| environment.name == *name);
            if found.is_none() {
                let near = nearest(name, environments.iter().map(|environment| environment.name.as_str()));
                let problem = Diagnostic::new(format!("there is no environment `{name}`")).at(*at, "");
                problems.push(problem.maybe_help(near.map(|near| format!("did you mean `{near}`?"))));
            }
            found
        }));
    }
    let mut done = vec![false; environments.len()];
    for index in 0..environments.len() {
        // From the heir up to the first that is complete, and back down.
        let mut line = vec![index];
        while let Some(parent) = line.last().and_then(|last| parents[*last]) {
            if let Some(first) = line.iter().position(|known| *known == parent) {
                problems.push(ring(environments, heirs, &line[first..]));
                // Told once, and opened, so that nobody walks around it again.
                parents[parent] = None;
                break;
            }
            line.push(parent);
        }
        for pair in line.windows(2).rev() {
            let (heir, parent) = (pair[0], pair[1]);
            if !std::mem::replace(&mut done[heir], true) {
                let parent = environments[parent].clone();
                complete(&mut environments[heir], parent, &heirs[heir].said);
            }
        }
    }
    problems
}

/// Says that environments inherit from each other.
fn ring(environments: &[Environment], heirs: &[Heir], line: &[usize]) -> Diagnostic {
    let names = line.iter().chain(line.first()).map(|index| environments[*index].name.as_str());
    let way = names.collect::<Vec<&str>>().join(" -> ");
    let problem = Diagnostic::new(format!("environments inherit from each other in a loop: {way}"));
    let places =
        line.iter().filter_map(|index| Some((&environments[*index].name, heirs[*index].parent.as_ref()?)));
    let label = |name: &str, parent: &str| format!("`{name}` inherits from `{parent}`");
    places
        .fold(problem, |problem, (name, (parent, at))| problem.at(*at, label(name, parent)))
        .help("take one of them out")
}

fn complete(heir: &mut Environment, parent: Environment, said: &[&str]) {
    let says = |key: &str| said.contains(&key);
    let Environment {
        target,
        swap,
        url,
        vars,
        inherited,
        mut env,
        dotenv,
        hosts,
        needs,
        deploy,
        health,
        on_failure,
        backups,
        keep,
        protect,
        ..
    } = parent;
    heir.inherited = [vars].into_iter().chain(inherited).collect();
    if says("secrets") {
        // What `secrets` named is in `env`; it is taken or left as a whole.
        env.retain(|(name, value)| {
            value.as_value().is_none_or(|value| value.as_name() != Some(&format!("secret.{name}")))
        });
    }
    heir.env = merged(env, std::mem::take(&mut heir.env), |(name, _): &(String, Template)| name.clone());
    if !says("target") {
        heir.target = target;
    }
    if !says("swap") {
        heir.swap = swap;
    }
    if !says("url") {
        heir.url = url;
    }
    if !says("dotenv") {
        heir.dotenv = dotenv;
    }
    if !says("hosts") {
        heir.hosts = hosts;
    }
    if !says("needs") {
        heir.needs = needs;
    }
    if !says("deploy") {
        heir.deploy = deploy;
    }
    if !says("health") {
        heir.health = health;
        heir.on_failure = on_failure;
    }
    if !says("backups") {
        heir.backups = backups;
    }
    if !says("keep") {
        heir.keep = keep;
    }
    if !says("protect") {
        heir.protect = protect;
    }
}

/// The parent's, but for those that the heir has under the same name; then the heir's.
fn merged<T>(parent: Vec<T>, own: Vec<T>, name: impl Fn(&T) -> String) -> Vec<T> {
    let is_own = |item: &T| own.iter().any(|other| name(other) == name(item));
    let kept: Vec<T> = parent.into_iter().filter(|item| !is_own(item)).collect();
    kept.into_iter().chain(own).collect()
}
