//! An application at a platform, with its values: what it is called, what lets us in, where it builds from.

use super::super::scope::Scope;
use super::Renderer;
use crate::diagnostic::Diagnostic;
use crate::model::environment::Environment;
use crate::model::platform::{PlatformTarget, Service};
use crate::model::step::{Planned, Written};
use crate::model::target::{PythonAnywhereTarget, Target};

impl<'a> Renderer<'a> {
    pub(super) fn platform(
        &mut self,
        scope: &Scope<'a>,
        platform: &PlatformTarget<Written>,
    ) -> PlatformTarget<Planned> {
        const NAME: &str = "what an application is called";
        let service = match &platform.service {
            Service::Render { service } => Service::Render { service: self.plain(scope, service, NAME) },
            Service::DigitalOcean { app, components } => Service::DigitalOcean {
                app: self.plain(scope, app, NAME),
                components: components.iter().map(|name| self.plain(scope, name, NAME)).collect(),
            },
            Service::Divio { application, environment, build_mode } => Service::Divio {
                application: self.plain(scope, application, NAME),
                environment: self.plain(scope, environment, NAME),
                build_mode: *build_mode,
            },
        };
        PlatformTarget {
            service,
            token: self.token(scope, &platform.token),
            endpoint: platform.endpoint.as_ref().map(|endpoint| self.plain(scope, endpoint, "an address")),
            push: platform.push.as_ref().map(|push| self.branch(scope, push)),
            on_stop: platform.on_stop,
            at: platform.at,
        }
    }

    pub(super) fn web_app(
        &mut self,
        scope: &Scope<'a>,
        app: &PythonAnywhereTarget<Written>,
    ) -> PythonAnywhereTarget<Planned> {
        PythonAnywhereTarget {
            domain: self.plain(scope, &app.domain, "a domain"),
            user: app.user.as_ref().map(|user| self.plain(scope, user, "a user's name")),
            token: self.token(scope, &app.token),
            host: self.plain(scope, &app.host, "an address"),
            endpoint: app.endpoint.as_ref().map(|endpoint| self.plain(scope, endpoint, "an address")),
            ssh: self.plain(scope, &app.ssh, "an address"),
            path: self.plain(scope, &app.path, "a folder"),
            build: app.build.iter().map(|line| self.script(scope, line)).collect(),
            at: app.at,
        }
    }

    /// A platform that builds from the user's own branch gets the source commit, which has no swap in it.
    pub(super) fn refuse_swap_without_branch(&mut self, environment: &Environment) {
        let Some(Target::Platform(platform)) = &environment.target else { return };
        if let (None, [swap, ..]) = (&platform.push, &environment.swap[..]) {
            let title = platform.service.title();
            self.problems.push(
                Diagnostic::new(format!("{title} can't get a swap without a branch of its own"))
                    .at(swap.at, "this would not be in what it builds")
                    .at(platform.at, "it builds the source commit, from your branch")
                    .help("push = { remote = \"origin\", branch = \"deploy/ENVIRONMENT\" }, and let it build from there"),
            );
        }
    }
}
