//! A team: machines that are clones of one origin, which they reach as a folder, over ssh by a real sshd, or over http
//! by a real web server.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use crate::support::{Access, GitHttp, Sandbox, Sshd};

/// The program that is measured.
const DEPLOY: &str = env!("CARGO_BIN_EXE_deploy");

/// How the origin is reached.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    File,
    Ssh,
    Http,
}

impl Way {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Way::File => "file",
            Way::Ssh => "ssh",
            Way::Http => "http",
        }
    }
}

/// Machines with one origin. Its server runs until it is dropped.
pub(crate) struct Team {
    pub(crate) sandbox: Sandbox,
    /// Where all find the origin.
    pub(crate) origin: String,
    way: Way,
    _server: (Option<Sshd>, Option<GitHttp>),
}

impl Team {
    /// So many machines, that have what the sandbox's project has.
    pub(crate) fn of(sandbox: Sandbox, way: Way, machines: usize) -> Team {
        let sandbox = sandbox.remote("origin");
        sandbox.repository().git(["push", "--quiet", "origin", "main"]);
        let folder = sandbox.path("remotes/origin.git");
        let ssh = (way == Way::Ssh).then(|| Sshd::start(&sandbox, &["shop"]));
        let http = (way == Way::Http).then(|| GitHttp::start(&sandbox.path("remotes"), Access::Write));
        let origin = match (&ssh, &http) {
            (Some(_), _) => format!("ssh://shop{}", folder.display()),
            (_, Some(server)) => server.url("origin.git"),
            (None, None) => folder.display().to_string(),
        };
        let team = Team { sandbox, origin, way, _server: (ssh, http) };
        for number in 0..machines {
            let clone = team.machine(number);
            let words = [OsStr::new("clone"), OsStr::new("--quiet"), folder.as_os_str(), clone.as_os_str()];
            team.sandbox.repository().git(words);
            let repository = team.sandbox.repository_at(&clone);
            repository.git(["remote", "set-url", "origin", &team.origin]);
            repository.git(["config", "user.name", &name(number)]);
        }
        team
    }

    /// A machine's clone.
    pub(crate) fn machine(&self, number: usize) -> PathBuf {
        self.sandbox.path("machines").join(name(number))
    }

    /// A command on one of the machines; for a shell, `$DEPLOY` is the program.
    pub(crate) fn command(&self, number: usize, program: &str, arguments: &[&str]) -> Command {
        let mut command = self.sandbox.command(program, arguments);
        command.current_dir(self.machine(number)).env("DEPLOY", DEPLOY);
        command
    }

    /// `deploy` on one of the machines.
    pub(crate) fn deploy(&self, number: usize, arguments: &[&str]) -> Command {
        self.command(number, DEPLOY, arguments)
    }

    /// The words by which a shell has a line run where the origin is. The line has no single quotes.
    pub(crate) fn there(&self, line: &str) -> String {
        match self.way {
            Way::File | Way::Http => format!("sh -c '{line}'"),
            Way::Ssh => format!("ssh shop '{line}'"),
        }
    }
}

/// Who is at a machine, and the machine's own name.
pub(crate) fn name(number: usize) -> String {
    format!("m{number}")
}
