//! The examples, deployed for real: releases are built, served, asked over HTTP what they are, and their servers ended
//! again. Each example is a sub-folder of a repository, as it is in ours. Django's needs Python's package index.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::support::{DEADLINE, Ended, Running, Sandbox};

/// How long a deploy may take that fills virtualenvs from the package index, on a machine that has other things to do as well.
const DEPLOYED: Duration = Duration::from_mins(8);

#[test]
fn the_quickstart_serves_both_environments() {
    let sandbox = Sandbox::new();
    needs(&sandbox, "perl -e 1", "apt-get install perl");
    let example = Example::new(sandbox, "quickstart", r#"bin/serve "$home""#);
    let first = example.sandbox.repository().head();
    let [staging, production] = &example.places;
    for (place, theirs, not_theirs) in [
        (staging, "django-debug-toolbar==", "gunicorn=="),
        (production, "gunicorn==", "django-debug-toolbar=="),
    ] {
        example.deploy(place, &[]).succeeds();
        let page = place.ask("/");
        let heading = format!("<h1>{}</h1>", place.environment);
        for part in [&heading, &format!("Release 1, commit {first}"), "Django==", theirs] {
            assert!(page.contains(part), "`{part}` has to be in {page}");
        }
        for part in [not_theirs, "ruff=="] {
            assert!(!page.contains(part), "`{part}` must not be in {page}");
        }
    }

    let second = example.sandbox.commit("Second");
    example.deploy(production, &[]).fails_with(3).says("staging");
    for place in &example.places {
        example.deploy(place, &[]).succeeds();
        assert!(place.ask("/").contains(&format!("Release 2, commit {second}")));
        example.has_live(place, 2, &second);
        example.deploy(place, &["stop"]).succeeds();
        assert!(TcpStream::connect(place.address).is_err(), "its server has ended");
    }
    example.sandbox.shell("git status --porcelain").prints("");
}

#[test]
fn django_is_installed_by_each_environments_requirements() {
    let sandbox = with_pypi(Sandbox::new());
    needs(&sandbox, "python3 -c 'import ensurepip, venv'", "apt-get install python3 python3-venv");
    needs(&sandbox, "ps -o args= -p $$", "apt-get install procps");
    let stop = r#"for release in "$home"/releases/*/; do bin/stop "$release"; done"#;
    let example = Example::new(sandbox, "django", stop);
    let first = example.sandbox.repository().head();
    let [staging, production] = &example.places;
    for (place, theirs, not_theirs) in [
        (staging, "django-debug-toolbar", "python-json-logger"),
        (production, "python-json-logger", "django-debug-toolbar"),
    ] {
        example.deploy(place, &[]).succeeds();
        let health = place.health();
        assert_eq!(health["environment"], place.environment);
        assert_eq!(health["commit"], first);
        let installed = health["installed"].as_object().expect("names with versions");
        for name in ["Django", "gunicorn", theirs] {
            assert!(installed.contains_key(name), "{name} has to be in {health}");
        }
        for name in [not_theirs, "ruff"] {
            assert!(!installed.contains_key(name), "{name} must not be in {health}");
        }
    }

    example.deploy(staging, &["products"]).succeeds();
    let second = example.sandbox.commit("Second");
    example.deploy(staging, &[]).succeeds();
    let health = staging.health();
    assert_eq!((&health["release"], &health["commit"]), (&2.into(), &second.as_str().into()));
    assert_eq!(health["products"], 2, "the data outlives the release");
    assert_eq!(production.health()["commit"], first);
    example.has_live(staging, 2, &second);
    example.has_live(production, 1, &first);

    for place in &example.places {
        example.deploy(place, &["stop"]).succeeds();
        assert!(TcpStream::connect(place.address).is_err(), "its server has ended");
    }
    example.sandbox.shell("git status --porcelain").prints("");
}

/// An example in a repository of its own. No server of it outlives it, however the test ends.
struct Example {
    sandbox: Sandbox,
    folder: PathBuf,
    places: [Place; 2],
    /// The shell line that ends the server which serves `$home`.
    stop: &'static str,
}

/// Where an environment is on this machine.
struct Place {
    environment: &'static str,
    home: String,
    address: SocketAddr,
}

impl Example {
    fn new(sandbox: Sandbox, name: &str, stop: &'static str) -> Example {
        let folder = copied(&sandbox, name);
        // Both are held until both are known, or they could be the same.
        let ports = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
        let addresses = ports.map(|port| port.local_addr().expect("it is bound"));
        let places = ["staging", "production"].into_iter().zip(addresses).map(|(environment, address)| {
            let home = sandbox.path(environment).display().to_string();
            Place { environment, home, address }
        });
        let places = places.collect::<Vec<_>>().try_into().ok().expect("two of them");
        Example { sandbox: sandbox.git(), folder, places, stop }
    }

    /// `deploy ENVIRONMENT`, or a task there.
    fn deploy(&self, place: &Place, task: &[&str]) -> Ended {
        let (home, port) = (format!("home={}", place.home), format!("port={}", place.address.port()));
        let words = [&[place.environment], task, &["--yes", "--set", &home, "--set", &port]].concat();
        let mut command = self.sandbox.command(env!("CARGO_BIN_EXE_deploy"), &words);
        Running::start(command.current_dir(&self.folder)).wait_within(DEPLOYED)
    }

    /// `status` and `history` agree that this release is live there.
    #[track_caller]
    fn has_live(&self, place: &Place, release: u64, commit: &str) {
        let (release, short) = (release.to_string(), &commit[..8]);
        let folder = self.folder.strip_prefix(self.sandbox.root()).expect("it is in the project");
        let folder = folder.display().to_string();
        let first_words = |line: &str| line.split_whitespace().take(3).map(str::to_owned).collect::<Vec<_>>();

        let status = self.sandbox.deploy_in(&folder, ["status"]);
        let line = status.stdout.lines().find(|line| line.starts_with(place.environment));
        assert_eq!(
            line.map(first_words),
            Some([place.environment, &release, short].map(str::to_owned).into()),
            "{status}"
        );
        let history = self.sandbox.deploy_in(&folder, ["history", place.environment]);
        let line = history.stdout.lines().next();
        assert_eq!(
            line.map(first_words),
            Some([&release, short, "live"].map(str::to_owned).into()),
            "{history}"
        );
    }
}

/// Copies an example into the sandbox's repository: what git would commit of it, so that a developer's own releases and
/// virtualenvs are not taken along.
pub(crate) fn copied(sandbox: &Sandbox, name: &str) -> PathBuf {
    let folder = sandbox.root().join("examples").join(name);
    fs::create_dir_all(&folder).expect("an empty folder");
    let copy =
        r#"git ls-files -z --cached --others --exclude-standard | tar --null -T - -cf - | tar -C "$1" -xf -"#;
    let original = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples").join(name);
    let mut copying = Command::new("sh");
    copying.args(["-c", copy, "sh"]).arg(&folder).current_dir(original);
    assert!(copying.status().expect("sh starts").success(), "{name} was not copied");
    folder
}

/// What a server answers, whatever the status: the body.
#[track_caller]
pub(crate) fn ask(address: SocketAddr, path: &str) -> String {
    let mut server = TcpStream::connect_timeout(&address, DEADLINE).expect("a server listens");
    server.set_read_timeout(Some(DEADLINE)).expect("a deadline is not zero");
    write!(server, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").expect("it takes a request");
    let mut answer = String::new();
    server.read_to_string(&mut answer).expect("it answers in time, as text");
    answer.split_once("\r\n\r\n").expect("a body comes after the headers").1.to_owned()
}

impl Drop for Example {
    fn drop(&mut self) {
        for place in &self.places {
            let mut command = self.sandbox.command("sh", &["-c", self.stop]);
            // Mostly there is none any more, and it says so.
            let _ended = command.current_dir(&self.folder).env("home", &place.home).output();
        }
    }
}

impl Place {
    #[track_caller]
    fn ask(&self, path: &str) -> String {
        ask(self.address, path)
    }

    #[track_caller]
    fn health(&self) -> Value {
        let answer = self.ask("/healthz");
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }
}

/// Fails the test with the line that installs what it lacks.
#[track_caller]
fn needs(sandbox: &Sandbox, check: &str, install: &str) {
    let found = sandbox.shell(check);
    assert!(found.code == 0, "this test needs what `{install}` installs: {check}\n{found}");
}

/// The machine's own way to the package index, and what pip has fetched already.
fn with_pypi(mut sandbox: Sandbox) -> Sandbox {
    let home = std::env::var("HOME").unwrap_or_default();
    sandbox = sandbox.env("PIP_CACHE_DIR", &format!("{home}/.cache/pip"));
    for (name, value) in std::env::vars() {
        let leads_there = name.starts_with("PIP_") || name.starts_with("SSL_CERT_");
        if leads_there || name.to_lowercase().ends_with("_proxy") {
            sandbox = sandbox.env(&name, &value);
        }
    }
    sandbox
}
