//! Stages of Zappa. The real Zappa deploys, updates and goes back at moto's AWS, whose Lambda runs nothing; what it does
//! wrong by itself seldom enough is done by a stand-in, which a `python` of the test's own puts into the virtualenv.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::support::{Ended, Running, Sandbox};

/// How long a deploy may take that fills a virtualenv and packs it, on a machine that has other things to do as well.
const DEPLOYED: Duration = Duration::from_mins(5);

const ZAPPA: &str = "zappa==0.63.0\nflask==3.1.3\n";

const SETTINGS: &str = r#"{ "production": { "app_function": "shop.app", "aws_region": "us-east-1", "profile_name": null,
    "project_name": "shop", "s3_bucket": "zappa-shop", "keep_warm": false, "touch": false } }"#;

const TASKS: &str = "[environments.production]\n\
    target = { zappa = 'production', requirements = 'requirements/production.txt' }\n";

/// AWS on this machine, until it is dropped.
struct Aws {
    _server: Running,
    endpoint: String,
}

impl Aws {
    fn start(sandbox: &Sandbox) -> Aws {
        let python = tool("python/bin/python");
        let mut command = Command::new(python);
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vendors/lambda_server.py"));
        command.env("CODE_IS_GONE", sandbox.path("tmp/gone"));
        let server = Running::start(command.stdin(Stdio::null()));
        let told = server.wait_for("Press CTRL+C").said();
        let (_, rest) = told.split_once("Running on ").expect("where it is");
        let endpoint = rest.lines().next().expect("a line").trim().to_owned();
        Aws { _server: server, endpoint }
    }

    /// What is said of the function; null if there is none.
    fn function(&self) -> Value {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--fail"])
            .arg(format!("{}/2015-03-31/functions/shop-production", self.endpoint));
        curl.args([
            "--header",
            "Authorization: AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/lambda/aws4_request",
        ]);
        serde_json::from_slice(&curl.output().expect("curl").stdout).unwrap_or_default()
    }

    /// A file of the code that the function runs.
    fn file(&self, sandbox: &Sandbox, name: &str) -> String {
        let location = self.function()["Code"]["Location"].as_str().expect("where it is").to_owned();
        let zip = sandbox.path("tmp/code.zip").display().to_string();
        let got = Command::new("curl").args(["--silent", "--fail", "--output", &zip, &location]).status();
        assert!(got.expect("curl").success(), "the code is there");
        let script =
            "import sys, zipfile; print(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]).decode(), end='')";
        let read = Command::new(tool("python/bin/python")).args(["-c", script, &zip, name]).output();
        String::from_utf8(read.expect("Python").stdout).expect("text")
    }

    fn digest(&self) -> String {
        self.function()["Configuration"]["CodeSha256"].as_str().unwrap_or_default().to_owned()
    }
}

fn tool(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools").join(path);
    assert!(path.exists(), "no {}: this installs it: tests/run", path.display());
    path.display().to_string()
}

/// A shop for AWS on this machine. Packages come from a folder, and nothing leads out.
fn shop() -> (Sandbox, Aws) {
    let sandbox = Sandbox::shop(TASKS)
        .file("requirements/production.txt", ZAPPA)
        .file("zappa_settings.json", SETTINGS)
        .file("shop.py", "first = True\n");
    sandbox.commit("The shop");
    let aws = Aws::start(&sandbox);
    let sandbox = sandbox
        .env("AWS_ENDPOINT_URL", &aws.endpoint)
        .env("AWS_ACCESS_KEY_ID", "a")
        .env("AWS_SECRET_ACCESS_KEY", "s3cr3t-of-aws")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("PIP_NO_INDEX", "1")
        .env("PIP_FIND_LINKS", &tool("wheels"))
        .env("PIP_NO_COMPILE", "1")
        .env("HTTPS_PROXY", "http://127.0.0.1:9");
    (sandbox, aws)
}

fn deploy<const N: usize>(sandbox: &Sandbox, words: [&str; N]) -> Ended {
    sandbox.start(words).wait_within(DEPLOYED)
}

#[test]
fn a_stage_is_made_and_updated_and_goes_back_and_further_back() {
    let (sandbox, aws) = shop();
    deploy(&sandbox, ["production"])
        .succeeds()
        .says("a fresh virtualenv gets what `requirements/production.txt` says")
        .says("release 1 is live");
    assert_eq!(aws.file(&sandbox, "shop.py"), "first = True\n");
    let first = aws.digest();
    sandbox.write("shop.py", "second = True\n");
    sandbox.commit("Second");
    sandbox.write("shop.py", "not committed\n");
    deploy(&sandbox, ["production"]).succeeds().never_mentions("s3cr3t-of-aws");
    assert_eq!(aws.file(&sandbox, "shop.py"), "second = True\n");
    let second = aws.digest();
    sandbox.write("shop.py", "third = True\n");
    sandbox.commit("Third");
    deploy(&sandbox, ["production"]).succeeds();

    // By then the newest version is the rolled-back one, and `-n 1` would lead to the third again.
    deploy(&sandbox, ["rollback", "production"]).succeeds().says("release 2 is live again");
    assert_eq!(aws.digest(), second);
    deploy(&sandbox, ["rollback", "production"]).succeeds().says("release 1 is live again");
    assert_eq!(aws.digest(), first);
    assert_eq!(aws.file(&sandbox, "shop.py"), "first = True\n");

    // Lambda does not give the code: Zappa says that it is done.
    sandbox.write("../tmp/gone", "");
    deploy(&sandbox, ["rollback", "production", "3"])
        .fails_with(1)
        .shows("Done!")
        .says("zappa has not brought back code");
    assert_eq!(aws.digest(), first);

    // The virtualenvs of the deploys are gone.
    let zappa = "VIRTUAL_ENV=\"$0\" \"$0/bin/zappa\" undeploy production --yes";
    let mut undeploy = sandbox.command("sh", &["-c", zappa, &tool("vendors")]);
    Running::start(&mut undeploy).wait_within(DEPLOYED).succeeds();
    assert_eq!(aws.function(), Value::Null);
}

/// Stands for Python, for the Zappa in its virtualenv, and for Lambda: `code` has the digest of what runs there, `versions`
/// those of the versions, the newest first, and `does` what Zappa does.
const STAND_IN: &str = r#"#!/bin/sh
there=SANDBOX/there
case $2 in
venv)
    mkdir -p "$3/bin"
    cp "$0" "$3/bin/python"
    [ -e "$there/no-zappa" ] || cp "$there/zappa" "$3/bin/zappa" ;;
pip) ;;
*)
    latest=null
    [ ! -e "$there/code" ] || latest="\"$(cat "$there/code")\""
    printf '{"function":"shop-production","latest":%s,"versions":[%s],"whole":%s}' \
        "$latest" "$(cat "$there/versions")" "$(cat "$there/whole")" ;;
esac
"#;

const ZAPPA_ITSELF: &str = r#"#!/bin/sh
echo "$VIRTUAL_ENV" >SANDBOX/there/virtualenv
echo "zappa $*" >>SANDBOX/there/asked
cd SANDBOX/there && sh ./does
"#;

fn stood_in() -> Sandbox {
    let sandbox = Sandbox::shop(
        "[environments.production]\ntarget = { zappa = 'production', python = 'SANDBOX/there/python' }\n",
    );
    for (name, text) in [("python", STAND_IN), ("zappa", ZAPPA_ITSELF)] {
        sandbox.write(&format!("../there/{name}"), "");
        sandbox.executable(&format!("there/{name}"), text);
    }
    for (name, text) in [("versions", ""), ("whole", "true"), ("does", "echo one >code")] {
        sandbox.write(&format!("../there/{name}"), text);
    }
    sandbox
}

#[test]
fn done_is_believed_only_when_the_code_is_another() {
    let sandbox = stood_in();
    sandbox.write("../there/does", "echo Done!");
    sandbox
        .deploy(["production"])
        .fails_with(1)
        .shows("Done!")
        .says("there is no function `shop-production`");
    sandbox.write("../there/does", "printf one >code; exit 255");
    sandbox.deploy(["production"]).fails_with(255).says("`zappa undeploy production` takes it away");
    sandbox.write("../there/does", "echo Done!");
    sandbox.deploy(["production"]).fails_with(1).says("`shop-production` runs the same code as before");
    sandbox.write("../there/does", "printf two >code");
    sandbox.deploy(["production"]).succeeds().says("`shop-production` runs code two");
    let asked = sandbox.read("../there/asked");
    assert_eq!(
        asked.lines().collect::<Vec<_>>(),
        [
            "zappa deploy production",
            "zappa deploy production",
            "zappa update production",
            "zappa update production"
        ]
    );
    assert!(!Path::new(sandbox.read("../there/virtualenv").trim()).exists(), "nothing is left of it");
}

#[test]
fn what_somebody_else_put_there_is_told_and_what_failed_after_all_is_known() {
    let sandbox = stood_in();
    sandbox.write("../there/does", "printf one >code");
    sandbox.deploy(["production"]).succeeds();
    sandbox.write("../there/code", "theirs");
    sandbox.write("../there/does", "printf two >code; exit 255");
    sandbox.commit("Second");
    sandbox
        .deploy(["production", "--rebuild"])
        .fails_with(255)
        .says("runs code theirs, which deploy did not ship")
        .says("the new code is there all the same");
    sandbox.write("../there/whole", "false");
    sandbox.deploy(["rollback", "production", "1"]).fails_with(3).says("`slim_handler`");
}

#[test]
fn the_way_back_is_counted_as_zappa_counts_it() {
    let sandbox = stood_in();
    for code in ["one", "two", "three"] {
        sandbox.write("../there/does", &format!("printf {code} >code"));
        sandbox.commit(code);
        sandbox.deploy(["production", "--rebuild"]).succeeds();
    }
    sandbox.write("../there/asked", "");
    sandbox.write("../there/versions", r#""three","two","one""#);
    sandbox.write("../there/does", "printf two >code");
    sandbox.deploy(["rollback", "production"]).succeeds().says("`shop-production` runs code two again");
    sandbox.write("../there/versions", r#""two","three","two","one""#);
    sandbox.write("../there/does", "printf three >code");
    sandbox.deploy(["rollback", "production"]).fails_with(1).says("zappa has not brought back code one");
    sandbox.write("../there/does", "printf one >code");
    sandbox.deploy(["rollback", "production", "1"]).succeeds();
    let asked = sandbox.read("../there/asked");
    assert_eq!(
        asked.lines().collect::<Vec<_>>(),
        [
            "zappa rollback production -n 1",
            "zappa rollback production -n 3",
            "zappa rollback production -n 3"
        ]
    );
    // Lambda keeps some versions, not all.
    sandbox.write("../there/versions", r#""one","two""#);
    sandbox.deploy(["rollback", "production", "3"]).fails_with(3).says("has no version with code three");
}

#[test]
fn what_zappa_would_miss_is_refused_before_anything_is_changed() {
    let sandbox = stood_in();
    sandbox.write("../there/no-zappa", "");
    sandbox
        .deploy(["production"])
        .fails_with(3)
        .says("`requirements.txt` does not bring zappa into the virtualenv");
    sandbox.shell("git rm --quiet requirements.txt").succeeds();
    sandbox.commit("Without");
    sandbox.deploy(["production"]).fails_with(3).says("`requirements.txt` is not in the release");
    assert!(!sandbox.has("../there/asked"));
}
