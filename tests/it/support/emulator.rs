//! Object stores that we did not write, on this machine: moto speaks S3 as AWS does, fake-gcs-server as Google, and azurite
//! as Azure. `tests/run` puts them into `target/tools`. Unit tests of `store` have this file too.
#![expect(clippy::disallowed_methods, reason = "what tests start is no part of deploy")]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

/// The account that every azurite has, and its key, which open nothing else.
pub(crate) const AZURE_ACCOUNT: &str = "devstoreaccount1";
pub(crate) const AZURE_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// A server that runs until it is dropped, with an empty bucket `builds`.
pub(crate) struct Emulator {
    server: Child,
    kind: &'static str,
    endpoint: String,
}

impl Emulator {
    pub(crate) fn s3() -> Emulator {
        let program = tool("python/bin/moto_server");
        Emulator::start("s3", &program, &["--host", "127.0.0.1", "--port", "0"], "Running on ")
    }

    pub(crate) fn azure() -> Emulator {
        let words = ["--skipApiVersionCheck", "--loose", "--disableTelemetry", "--inMemoryPersistence"];
        let place = ["--blobHost", "127.0.0.1", "--blobPort", "0"];
        let program = tool("azurite/node_modules/.bin/azurite-blob");
        let mut azure = Emulator::start("azure", &program, &[words, place].concat(), "listens on ");
        azure.endpoint = format!("{}/{AZURE_ACCOUNT}", azure.endpoint);
        azure.act(&["make"]);
        azure
    }

    pub(crate) fn google() -> Emulator {
        let program = tool("stores/bin/fake-gcs-server");
        // It does not tell the port that the system gives it.
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its own").port();
        let port = port.to_string();
        let words = ["-scheme", "http", "-host", "127.0.0.1", "-backend", "memory", "-port", &port];
        Emulator::start("google", &program, &words, "server started at ")
    }

    fn start(kind: &'static str, program: &Path, words: &[&str], marker: &str) -> Emulator {
        // Which of its outputs tells where it is, nobody need know.
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "exec \"$0\" \"$@\" 2>&1"]).arg(program).args(words);
        let server = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut server = server.expect("the emulator starts");
        let mut lines = BufReader::new(server.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
        let told = lines.find_map(|line| Some(line.split_once(marker)?.1.to_owned()));
        thread::spawn(move || lines.for_each(drop));
        let told = told.expect("it says where it is");
        let endpoint = told.trim().trim_end_matches('"').to_owned();
        let emulator = Emulator { server, kind, endpoint };
        if kind != "azure" {
            emulator.act(&["make"]);
        }
        emulator
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The number of its process.
    pub(crate) fn pid(&self) -> u32 {
        self.server.id()
    }

    /// What the vendor's own client finds there: a line an object, with its size and its digest.
    pub(crate) fn found(&self) -> Vec<String> {
        let found = self.client(&[]);
        found.lines().map(str::to_owned).collect()
    }

    /// Has the vendor's own client do something: `put NAME CONTENT`, `delete NAME`.
    pub(crate) fn act(&self, words: &[&str]) {
        self.client(words);
    }

    /// Has it put all objects into a folder.
    pub(crate) fn fetch(&self, folder: &Path) {
        self.client(&["fetch", &folder.display().to_string()]);
    }

    fn client(&self, words: &[&str]) -> String {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vendors/stores_client.py");
        let mut client = Command::new(tool("stores/bin/python"));
        let told =
            client.arg(script).args([self.kind, &self.endpoint]).args(words).output().expect("it starts");
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
        String::from_utf8(told.stdout).expect("text")
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _killed = self.server.kill();
        self.server.wait().expect("a child of ours");
    }
}

fn tool(path: &str) -> PathBuf {
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools").join(path);
    assert!(tool.exists(), "no {}: tests/run installs it", tool.display());
    tool
}
