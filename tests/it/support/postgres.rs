//! A PostgreSQL cluster of the test's own, on loopback, as a user without rights: what backups dump and restore. It ends
//! with the test, and with its process however that ends, because a script waits for our end of a pipe to go.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// How often a port is tried that somebody else may take at the same moment.
const TRIES: u32 = 3;

/// A cluster that runs until it is dropped. Everybody on this machine is let in as `postgres`, without a password.
pub(crate) struct Postgres {
    script: Child,
    port: u16,
}

impl Postgres {
    /// Starts it; what is missing fails with the line that installs it.
    pub(crate) fn start() -> Postgres {
        let is_there = Path::new("/usr/lib/postgresql").is_dir() && which("pg_dump");
        assert!(
            is_there,
            "no PostgreSQL: apt-get install postgresql postgresql-client, or tests/run, which does it"
        );
        (0..TRIES).find_map(|_| Postgres::started()).expect("a port for the cluster")
    }

    fn started() -> Option<Postgres> {
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its own").port();
        let text = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/postgres.sh");
        let text = std::fs::read_to_string(text).expect("our script");
        // It refuses to be started by root, and need not be able to read our files.
        let mut command = if rustix::process::getuid().is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "/bin/sh"]);
            command
        } else {
            Command::new("/bin/sh")
        };
        command.args(["-c", &text, "postgres.sh"]).arg(port.to_string());
        // A group of its own: what ends the test's group leaves it the time to tidy up.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let mut script = command.spawn().expect("setpriv of util-linux starts the cluster");
        let lines = BufReader::new(script.stdout.take().expect("a pipe")).lines();
        let is_ready = lines.map_while(Result::ok).any(|line| line.starts_with("ready "));
        let postgres = Postgres { script, port };
        is_ready.then_some(postgres)
    }

    /// The address of one of its databases: `postgres` is there from the beginning.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs SQL in a database: the rows, their columns divided by `|`.
    #[track_caller]
    pub(crate) fn sql(&self, database: &str, sql: &str) -> String {
        let mut psql = Command::new("psql");
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]);
        let told = psql.args(["--command", sql]).arg(self.url(database)).output().expect("psql starts");
        assert!(told.status.success(), "{sql}: {}", String::from_utf8_lossy(&told.stderr));
        String::from_utf8(told.stdout).expect("text").trim_end().to_owned()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.script.stdin.take());
        self.script.wait().expect("a child of ours");
    }
}

fn which(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).exists())
}
