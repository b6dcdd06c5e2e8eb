//! Which hosts `on` means in an environment, and what is done on each of them.

use std::rc::Rc;
use std::sync::Arc;

use super::render::Renderer;
use super::scope::Scope;
use crate::diagnostic::{Diagnostic, Span};
use crate::model::host::{Fleet, Host, Member, On, Place, Sudo, There};
use crate::model::project::Project;
use crate::model::step::{Action, Planned, Step};
use crate::model::template::Template;

impl<'a> Renderer<'a> {
    /// What is seen where something is done: on the first host, if it is done on hosts. For who asks before it is clear
    /// on which.
    pub(super) fn on_first(&mut self, scope: &Scope<'a>, place: &Place) -> Scope<'a> {
        let first = place.on.as_ref().and_then(|on| self.hosts(scope, on).into_iter().next());
        first.map_or_else(|| scope.clone(), |host| on_host(scope, host))
    }

    /// What is seen on each of the hosts that `on` means.
    pub(super) fn on_each(&mut self, scope: &Scope<'a>, on: &On) -> Vec<Scope<'a>> {
        self.hosts(scope, on).into_iter().map(|host| on_host(scope, host)).collect()
    }

    /// A step that is done on hosts, of those that `step` gives for each; none where none is to be done.
    pub(super) fn fleet(
        &mut self,
        scope: &Scope<'a>,
        on: &On,
        at: Span,
        mut step: impl FnMut(&mut Renderer<'a>, &Scope<'a>) -> Option<Step<Planned>>,
    ) -> Option<Step<Planned>> {
        if scope.there.is_some() {
            self.problems.push(
                Diagnostic::new("this is done on hosts, and called by what is done on hosts already")
                    .at(on.at, "hosts once more")
                    .help("let the one that calls it need it, or take one `on` out"),
            );
            return None;
        }
        let mut members = Vec::new();
        for inner in self.on_each(scope, on) {
            let there = inner.there.as_deref().cloned();
            members.extend(there.zip(step(self, &inner)).map(|(there, step)| Member { there, step }));
        }
        if members.is_empty() {
            return None;
        }
        let names: Vec<&str> = on.names.iter().map(|(name, _)| name.as_str()).collect();
        let fleet = Fleet {
            name: names.join(", "),
            waves: on.rollout.waves(members.len()),
            has_canary: on.rollout.canary > 0,
            max_failures: on.rollout.max_failures,
            unreachable: on.rollout.unreachable,
            members,
        };
        Some(Step::bare(Action::Fleet(Box::new(fleet)), at))
    }

    /// Where a task or a step on a host is done: as around it, but for what it says itself.
    pub(super) fn there(
        &mut self,
        scope: &Scope<'a>,
        dir: Option<&Template>,
        sudo: Option<&(String, Span)>,
    ) -> Option<There> {
        let mut there = scope.there.as_deref().cloned()?;
        if let Some(dir) = dir {
            there.dir = Some(self.plain(scope, dir, "a folder"));
        }
        if let Some((user, _)) = sudo {
            let host = self.project.hosts.iter().find(|host| *host.name == *there.host);
            let password = host.and_then(|host| host.sudo_password.as_ref());
            let password = password.map(|password| self.text(scope, password));
            there.sudo = Some(Sudo { user: user.clone(), password });
        }
        Some(there)
    }

    /// The hosts, in the order of the file and each once. A name that means nothing here is told.
    fn hosts(&mut self, scope: &Scope<'a>, on: &On) -> Vec<&'a Host> {
        let project = self.project;
        let mut hosts: Vec<&'a Host> = Vec::new();
        for (name, at) in &on.names {
            let groups = scope.environment.map_or(&[][..], |environment| &environment.hosts);
            let group = groups.iter().find(|group| group.name == *name);
            let names = group.map_or(std::slice::from_ref(name), |_| &[]).iter();
            let names = names.chain(group.iter().flat_map(|group| group.hosts.iter().map(|(name, _)| name)));
            let found: Vec<&'a Host> =
                names.filter_map(|name| project.hosts.iter().find(|host| host.name == *name)).collect();
            if found.is_empty() {
                let problem = no_group(project, scope, name).at(*at, "means no host here");
                self.problems.push(problem);
            }
            for host in found {
                if !hosts.iter().any(|known| known.name == host.name) {
                    hosts.push(host);
                }
            }
        }
        hosts
    }
}

/// What is seen on one host.
fn on_host<'a>(scope: &Scope<'a>, host: &Host) -> Scope<'a> {
    let there = There {
        host: Arc::from(host.name.as_str()),
        ssh: host.ssh.clone(),
        agent: host.agent,
        patience: host.patience,
        dir: None,
        sudo: None,
    };
    Scope { there: Some(Rc::new(there)), ..scope.clone() }
}

fn no_group(project: &Project, scope: &Scope<'_>, name: &str) -> Diagnostic {
    let Some(environment) = scope.environment else {
        return Diagnostic::new(format!("`{name}` is a group of hosts, which only an environment has"))
            .help("name one: deploy ENVIRONMENT TASK");
    };
    let known: Vec<&str> = environment.hosts.iter().map(|group| group.name.as_str()).collect();
    let others = project.environments.iter();
    let others = others.filter(|other| other.hosts.iter().any(|group| group.name == name));
    let others: Vec<&str> = others.map(|other| other.name.as_str()).collect();
    let problem =
        Diagnostic::new(format!("there is no group `{name}` in the environment `{}`", environment.name));
    if known.is_empty() {
        return problem.help(format!("[environments.{}]\nhosts = {{ {name} = [\"…\"] }}", environment.name));
    }
    let here = known.join(", ");
    problem.help(format!("it has {here}; `{name}` is one of {}", others.join(" and ")))
}
