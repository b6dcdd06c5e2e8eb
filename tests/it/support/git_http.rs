//! A real web server on this machine, for git over http: lighttpd, and git's own program behind it. It is given its
//! socket, which takes connections before it has started: no port is guessed, and nobody waits.

use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// Where Debian keeps it; not on the PATH of everybody.
const LIGHTTPD: &str = "/usr/sbin/lighttpd";

/// Who may do what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody fetches and pushes.
    Write,
    /// Everybody fetches, and nobody pushes: 403, as with a token that may only read.
    Read,
    /// Who says [`USER`] and [`PASSWORD`] fetches and pushes; others get 401.
    Login,
}

pub(crate) const USER: &str = "ada";
pub(crate) const PASSWORD: &str = "pa55w0rd";

/// A server that runs until it is dropped.
pub(crate) struct GitHttp {
    folder: tempfile::TempDir,
    address: SocketAddr,
    server: Child,
}

impl GitHttp {
    /// Serves the repositories in a folder.
    pub(crate) fn start(repositories: &Path, access: Access) -> GitHttp {
        assert!(
            Path::new(LIGHTTPD).exists(),
            "no {LIGHTTPD}: apt-get install lighttpd, or tests/run, which does it"
        );
        let folder = tempfile::Builder::new().prefix("git-http-").tempdir().expect("a temporary folder");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let config = folder.path().join("config");
        fs::write(&config, configuration(folder.path(), repositories, address, access)).expect("a new file");
        fs::write(folder.path().join("users"), format!("{USER}:{PASSWORD}\n")).expect("a new file");
        // As systemd hands a socket over.
        let mut server = Command::new("sh");
        server.args(["-c", r#"LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" -D -f "$1" 3<&0 </dev/null"#, LIGHTTPD]);
        server.arg(&config).stdin(OwnedFd::from(listener)).stdout(Stdio::null()).stderr(Stdio::null());
        let server = server.spawn().expect("sh starts");
        GitHttp { folder, address, server }
    }

    /// The address of a repository in the folder.
    pub(crate) fn url(&self, repository: &str) -> String {
        format!("http://{}/{repository}", self.address)
    }

    /// Ends it, and gives the requests that it answered, one a line: the status, and its first line.
    pub(crate) fn end(mut self) -> String {
        let id = i32::try_from(self.server.id()).ok().and_then(Pid::from_raw).expect("a process of ours");
        // By which it writes what it holds; a kill would lose that.
        kill_process(id, Signal::TERM).expect("a child that was not waited for");
        self.server.wait().expect("a child of ours");
        fs::read_to_string(self.folder.path().join("log")).expect("its log")
    }
}

impl Drop for GitHttp {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _gone = self.server.kill();
        let _ended = self.server.wait();
    }
}

fn configuration(folder: &Path, repositories: &Path, address: SocketAddr, access: Access) -> String {
    let (at, repositories) = (folder.display(), repositories.display());
    let takes_pushes = match access {
        Access::Write | Access::Login => "true",
        Access::Read => "false",
    };
    let backend = exec_path().join("git-http-backend");
    let mut text = format!(
        r#"
        server.modules = ("mod_alias", "mod_setenv", "mod_auth", "mod_authn_file", "mod_cgi", "mod_accesslog")
        server.bind = "{}"
        server.port = {}
        server.systemd-socket-activation = "enable"
        server.document-root = "{at}"
        server.errorlog = "{at}/errors"
        server.upload-dirs = ("{at}")
        accesslog.filename = "{at}/log"
        accesslog.format = "%s %r"
        alias.url = ("/" => "{}/")
        cgi.assign = ("" => "")
        setenv.set-environment = (
            "GIT_PROJECT_ROOT" => "{repositories}",
            "GIT_HTTP_EXPORT_ALL" => "1",
            "GIT_CONFIG_NOSYSTEM" => "1",
            "GIT_CONFIG_COUNT" => "1",
            "GIT_CONFIG_KEY_0" => "http.receivepack",
            "GIT_CONFIG_VALUE_0" => "{takes_pushes}",
            "HOME" => "{at}",
            "PATH" => "{}",
        )
        "#,
        address.ip(),
        address.port(),
        backend.display(),
        std::env::var("PATH").expect("a PATH with git and sh"),
    );
    if access == Access::Login {
        write!(
            text,
            r#"
            auth.backend = "plain"
            auth.backend.plain.userfile = "{at}/users"
            auth.require = ("/" => ("method" => "basic", "realm" => "git", "require" => "valid-user"))
            "#
        )
        .expect("a text takes all");
    }
    text
}

/// The folder of git's own programs.
fn exec_path() -> std::path::PathBuf {
    let told = Command::new("git").arg("--exec-path").output().expect("git starts");
    String::from_utf8_lossy(&told.stdout).trim().into()
}
