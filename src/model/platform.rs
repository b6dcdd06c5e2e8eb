//! Platforms that build and run what their API tells them to.

use super::step::Form;
use super::target::GitTarget;
use crate::diagnostic::Span;

/// An application at a platform.
#[derive(Clone, Debug)]
pub(crate) struct PlatformTarget<F: Form> {
    pub(crate) service: Service<F>,
    /// What lets us in: a secret.
    pub(crate) token: F::Text,
    /// Where its API is, if not where everybody's is.
    pub(crate) endpoint: Option<F::Text>,
    /// The branch that gets the release commit first, for the platform to build from.
    pub(crate) push: Option<GitTarget<F>>,
    pub(crate) on_stop: OnStop,
    pub(crate) at: Span,
}

/// Which platform it is, and what it calls the application.
#[derive(Clone, Debug)]
pub(crate) enum Service<F: Form> {
    Render {
        /// `srv-…`.
        service: F::Text,
    },
    DigitalOcean {
        /// Its name or its UUID.
        app: F::Text,
        /// The components that must have been built from our commit; empty: all that say what they were built from.
        components: Vec<F::Text>,
    },
    Divio {
        /// Its UUID.
        application: F::Text,
        /// The slug of one of its environments.
        environment: F::Text,
        build_mode: BuildMode,
    },
}

/// Whether Divio builds what it has built already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BuildMode {
    Auto,
    Adopt,
    Force,
}

/// What becomes of a deployment that is under way when the run is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnStop {
    /// It goes on without us.
    Leave,
    Cancel,
}

impl<F: Form> Service<F> {
    /// The key that names it in a file.
    pub(crate) fn key(&self) -> &'static str {
        match self {
            Service::Render { .. } => "render",
            Service::DigitalOcean { .. } => "digitalocean",
            Service::Divio { .. } => "divio",
        }
    }

    /// As people call it.
    pub(crate) fn title(&self) -> &'static str {
        match self {
            Service::Render { .. } => "Render",
            Service::DigitalOcean { .. } => "DigitalOcean App Platform",
            Service::Divio { .. } => "Divio",
        }
    }

    /// What the application is called there.
    pub(crate) fn name(&self) -> &F::Text {
        match self {
            Service::Render { service: name }
            | Service::DigitalOcean { app: name, .. }
            | Service::Divio { application: name, .. } => name,
        }
    }
}

impl BuildMode {
    /// As a file says it, and as Divio does.
    pub(crate) const WORDS: [(&'static str, BuildMode); 3] =
        [("AUTO", BuildMode::Auto), ("ADOPT", BuildMode::Adopt), ("FORCE", BuildMode::Force)];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            BuildMode::Auto => "AUTO",
            BuildMode::Adopt => "ADOPT",
            BuildMode::Force => "FORCE",
        }
    }
}
