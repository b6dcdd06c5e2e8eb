//! An object store that we did not write, on this machine: moto's server, which speaks S3 as AWS does. `tests/run` puts
//! it into `target/tools`.

use std::path::Path;
use std::process::{Command, Stdio};

use super::running::Running;

/// A server that runs until it is dropped.
pub(crate) struct S3 {
    _server: Running,
    endpoint: String,
}

impl S3 {
    /// Starts it, with an empty bucket `builds`.
    pub(crate) fn start() -> S3 {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/python/bin/moto_server");
        assert!(
            program.exists(),
            "no {}: python3 -m venv target/tools/python && target/tools/python/bin/pip install 'moto[server]==5.2.5', \
             or tests/run, which does it",
            program.display()
        );
        let mut command = Command::new(program);
        let server =
            Running::start(command.args(["--host", "127.0.0.1", "--port", "0"]).stdin(Stdio::null()));
        let told = server.wait_for("Press CTRL+C").said();
        let (_, rest) = told.split_once("Running on ").expect("where it is");
        let endpoint = rest.lines().next().expect("a line").trim().to_owned();
        let mut made = Command::new("curl");
        made.args(["--silent", "--fail", "--request", "PUT"]).arg(format!("{endpoint}/builds"));
        assert!(made.stdout(Stdio::null()).status().expect("curl").success(), "no bucket");
        S3 { _server: server, endpoint }
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The names of the objects in the bucket, as the server lists them.
    pub(crate) fn objects(&self) -> Vec<String> {
        let list = Command::new("curl")
            .args(["--silent", "--fail"])
            .arg(format!("{}/builds", self.endpoint))
            .output();
        let list = String::from_utf8(list.expect("curl").stdout).expect("XML");
        let keys = list.split("<Key>").skip(1).filter_map(|rest| rest.split("</Key>").next());
        keys.map(str::to_owned).collect()
    }
}
