//! Which hosts `on` means in an environment, and what is done on each of them.

use std::rc::Rc;
use std::sync::Arc;

use super::render::Renderer;
use super::scope::Scope;
use crate::diagnostic::{Diagnostic, Span};
use crate::model::host::{Fleet, Host, Member, On, Place, Rollout, Sudo, There};
use crate::model::project::Project;
use crate::model::step::{Action, Planned, Step, Transfer, Written};
use crate::model::template::Template;

/// Which way files go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    There,
    Back,
}

impl<'a> Renderer<'a> {
    /// Files that go to a host, or come from it. A path here is said from the folder of its file.
    pub(super) fn transfer(
        &mut self,
        scope: &Scope<'a>,
        files: &Transfer<Written>,
        way: Way,
    ) -> Transfer<Planned> {
        if scope.there.is_none() {
            let what = match way {
                Way::There => "`put` brings files to hosts",
                Way::Back => "`get` takes files from hosts",
            };
            let problem = Diagnostic::new(format!("{what}, and there is none here")).at(files.at, "no `on`");
            self.problems.push(problem.help("on = \"…\": hosts, or groups of them"));
        }
        let (from, to) = match way {
            Way::There => (self.inner_folder(scope, &files.from), self.plain(scope, &files.to, "a path")),
            Way::Back => (self.plain(scope, &files.from, "a path"), self.inner_folder(scope, &files.to)),
        };
        for (text, template) in [(&from, &files.from), (&to, &files.to)] {
            if text.as_plain().is_some_and(|path| path.is_empty() || path.contains('\n')) {
                let problem =
                    Diagnostic::new("this is no path").at(template.at, "it is empty, or of several lines");
                self.problems.push(problem);
            }
        }
        Transfer { from, to, mode: files.mode, at: files.at }
    }

    /// Refuses what several hosts would write to one place here.
    fn refuse_one_place(&mut self, members: &[Member]) {
        let mut known: Vec<(String, Span)> = Vec::new();
        for member in members {
            let mut places = Vec::new();
            brought(std::slice::from_ref(&member.step), &mut places);
            for (to, at) in places {
                if known.contains(&(to.clone(), at)) {
                    self.problems.push(
                        Diagnostic::new(format!("several hosts would write to `{to}`"))
                            .at(at, "the same place for each")
                            .help("let its name be in it: to = \"…/{{ host }}\""),
                    );
                    return;
                }
                known.push((to, at));
            }
        }
    }

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

    /// The hosts of a server target.
    pub(super) fn machines(&mut self, scope: &Scope<'a>, named: &(String, Span)) -> Vec<There> {
        let on = On { names: vec![named.clone()], rollout: Rollout::default(), at: named.1 };
        self.hosts(scope, &on).into_iter().map(there).collect()
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
        self.refuse_one_place(&members);
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

/// Where the files go that steps take from a host.
fn brought(steps: &[Step<Planned>], places: &mut Vec<(String, Span)>) {
    for step in steps {
        match &step.action {
            Action::Get(files) => {
                let place = (files.to.to_string(), files.at);
                if !places.contains(&place) {
                    places.push(place);
                }
            }
            Action::Task(block) => brought(&block.steps, places),
            Action::Run(_)
            | Action::Exec(_)
            | Action::Swap(_)
            | Action::Ship
            | Action::Check(_)
            | Action::Http(_)
            | Action::Put(_)
            | Action::Backup(_)
            | Action::Restore(_)
            | Action::PutBack(_)
            | Action::Fleet(_) => {}
        }
    }
}

/// What is seen on one host.
fn on_host<'a>(scope: &Scope<'a>, host: &Host) -> Scope<'a> {
    Scope { there: Some(Rc::new(there(host))), ..scope.clone() }
}

fn there(host: &Host) -> There {
    There {
        host: Arc::from(host.name.as_str()),
        ssh: host.ssh.clone(),
        agent: host.agent,
        patience: host.patience,
        dir: None,
        sudo: None,
    }
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
