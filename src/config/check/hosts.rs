//! Names of hosts and of their groups, and what can't be done on hosts.

use std::collections::{BTreeMap, BTreeSet};

use super::Check;
use crate::diagnostic::{Diagnostic, Span, nearest};
use crate::model::host::Place;
use crate::model::step::{Action, Step, Written};
use crate::model::target::{ServerTarget, Target};
use crate::model::task::Task;

impl Check<'_> {
    /// Every host that a group names, and every host or group that an `on` does.
    pub(super) fn hosts(&self) {
        let hosts: BTreeMap<&str, Span> =
            self.project.hosts.iter().map(|host| (host.name.as_str(), host.at)).collect();
        let mut known: BTreeSet<&str> = hosts.keys().copied().collect();
        for host in &self.project.hosts {
            self.password(host.sudo_password.as_ref());
        }
        for group in self.project.environments.iter().flat_map(|environment| &environment.hosts) {
            if let Some(host) = hosts.get(group.name.as_str()) {
                self.problem(
                    Diagnostic::new(format!("the name `{}` means two things", group.name))
                        .at(group.at, "there is a host of this name")
                        .at(*host, "here")
                        .help("hosts and groups share one set of names: rename one of them"),
                );
            }
            for (name, at) in &group.hosts {
                if !hosts.contains_key(name.as_str()) {
                    self.no_host("host", name, *at, hosts.keys().copied());
                }
            }
        }
        let groups = self.project.environments.iter().flat_map(|environment| &environment.hosts);
        known.extend(groups.map(|group| group.name.as_str()));
        for environment in &self.project.environments {
            if let Some(Target::Server(server)) = &environment.target
                && let Some((name, at)) = &server.hosts
                && !known.contains(name.as_str())
            {
                let here = ServerTarget::<Written>::HERE;
                self.no_host("host or group", name, *at, known.iter().copied().chain([here]));
            }
        }
        for task in &self.project.tasks {
            self.place(&task.place, &known);
            self.steps_on_hosts(task, &task.steps, &known);
            self.steps_on_hosts(task, &task.always, &known);
        }
    }

    fn place(&self, place: &Place, known: &BTreeSet<&str>) {
        for (name, at) in place.on.iter().flat_map(|on| &on.names) {
            if !known.contains(name.as_str()) {
                self.no_host("host or group", name, *at, known.iter().copied());
            }
        }
    }

    fn no_host<'n>(&self, what: &str, name: &str, at: Span, known: impl Iterator<Item = &'n str>) {
        let near = nearest(name, known).map(|near| format!("did you mean `{near}`?"));
        let help = near.unwrap_or_else(|| format!("[hosts.{name}]\nssh = \"user@host.example.com\""));
        self.problem(Diagnostic::new(format!("there is no {what} `{name}`")).at(at, "").help(help));
    }

    fn steps_on_hosts(&self, task: &Task, steps: &[Step<Written>], known: &BTreeSet<&str>) {
        for step in steps {
            self.place(&step.place, known);
            self.step_on_hosts(task, step);
            self.steps_on_hosts(task, &step.undo, known);
        }
    }

    fn step_on_hosts(&self, task: &Task, step: &Step<Written>) {
        let of_task = task.place.on.as_ref();
        let of_step = step.place.on.as_ref();
        if let (Some(of_task), Some(of_step)) = (of_task, of_step) {
            self.problem(
                Diagnostic::new(format!("`{}` is done on hosts already, one by one", task.name))
                    .at(of_step.at, "and this step once more")
                    .at(of_task.at, "here")
                    .help("leave `on` to the task or to its steps"),
            );
        }
        let on = of_step.or(of_task).map(|on| on.at);
        if let Some((_, at)) = step.place.sudo.as_ref().filter(|_| on.is_none()) {
            self.problem(
                Diagnostic::new("`sudo` is for what is done on hosts")
                    .at(*at, "there is no `on` for it")
                    .help("on this machine, say it in the line: sudo -n …"),
            );
        }
        if let Some(on) = of_step.filter(|_| task.interactive) {
            self.problem(
                Diagnostic::new(format!("`{}` is interactive, and a host has no terminal", task.name))
                    .at(on.at, "done on hosts")
                    .help("open it yourself: ssh -t HOST"),
            );
        }
        if let (Some(on), Some(cache)) = (of_step, &task.cache) {
            self.problem(
                Diagnostic::new("what is done on hosts is not kept in a cache")
                    .at(on.at, "done on hosts")
                    .at(cache.at, "kept")
                    .help("put what makes the files into a task that this one needs"),
            );
        }
        let here = match &step.action {
            Action::Ship => "ship",
            Action::Swap(_) => "swap",
            Action::Backup(_) => "backup",
            Action::Restore(_) => "restore",
            Action::Run(_)
            | Action::Exec(_)
            | Action::Task(_)
            | Action::Check(_)
            | Action::Http(_)
            | Action::Put(_)
            | Action::Get(_) => return,
            Action::PutBack(never) | Action::Fleet(never) => match *never {},
        };
        if let Some(on) = on {
            self.problem(
                Diagnostic::new(format!("a `{here}` step is not done on hosts"))
                    .at(step.at, "once, and from here")
                    .at(on, "done on each host")
                    .help("put it into a task of its own"),
            );
        }
    }
}
