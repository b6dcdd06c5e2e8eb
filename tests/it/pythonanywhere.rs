//! Web apps of PythonAnywhere: their files get to a real OpenSSH server, and what stands for the API is one that
//! PythonAnywhere's own client can use, too. No request of ours ever reached PythonAnywhere.

use std::collections::BTreeSet;
use std::fs;
use std::sync::{Arc, Mutex};

use rustix::process::Signal;
use serde_json::json;

use crate::support::{Answer, Asked, Sandbox, Sshd, Vendor, asked_by};

const APP: &str = "/api/v0/user/ada/webapps/shop.example.com/";
const LOG: &str = "/api/v0/user/ada/files/path/var/log/shop.example.com.error.log";

/// An account with one web app, its folder on a host and its API.
struct Account {
    sandbox: Sandbox,
    host: Sshd,
    api: Vendor,
    log: Arc<Mutex<String>>,
}

impl Account {
    fn new(keys: &str) -> Account {
        let log = Arc::new(Mutex::new("old trouble\n".to_owned()));
        let kept = Arc::clone(&log);
        let api = Vendor::new(move |asked| answer(asked, &mut kept.lock().expect("nobody panics with it")));
        let url = api.url();
        let sandbox = Sandbox::shop(&format!(
            "[secrets]\nPA_TOKEN = {{ env = 'PA_TOKEN' }}\n\
             [environments.production]\n\
             target = {{ pythonanywhere = 'shop.example.com', user = 'ada', token = 'PA_TOKEN', ssh = 'account', \
             path = 'shop', endpoint = '{url}'{keys} }}\n\
             swap = {{ 'requirements.txt' = '-r requirements/{{{{ environment }}}}.txt' }}\n"
        ))
        .env("PA_TOKEN", "p4t0k3n");
        let host = Sshd::start(&sandbox, &["account"]);
        // The machine's own home is not the test's.
        host.force("account", r#"cd "$HOME" && exec sh -c "$SSH_ORIGINAL_COMMAND""#);
        Account { sandbox, host, api, log }
    }

    /// A file of the web app's folder.
    fn file(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.host.home("account").join("shop").join(name)).ok()
    }

    fn reloads(&self) -> usize {
        self.api.asked().iter().filter(|asked| asked.method == "POST").count()
    }
}

fn answer(asked: &Asked, log: &mut String) -> Answer {
    if asked.authorization.as_deref() != Some("Token p4t0k3n") {
        return Answer::new(401, r#"{"detail":"Invalid token."}"#);
    }
    match asked.line().as_str() {
        line if line == format!("GET {APP}") => {
            Answer::new(200, json!({ "domain_name": "shop.example.com", "enabled": true }).to_string())
        }
        line if line == format!("GET {LOG}") => Answer::new(200, log.as_str()),
        line if line == format!("POST {APP}reload/") => {
            log.push_str("ImportError: no sprockets\n");
            Answer::new(200, r#"{"status":"OK"}"#)
        }
        _ => Answer::new(404, r#"{"detail":"Not found."}"#),
    }
}

#[test]
fn a_release_gets_there_is_built_and_reloaded_and_the_one_before_comes_back() {
    let build = r#", build = ["echo \"$DEPLOY_RELEASE of $DEPLOY_ENVIRONMENT\" >>built"]"#;
    let account = Account::new(build);
    let Account { sandbox, host, .. } = &account;
    sandbox.write("old.py", "old\n");
    sandbox.commit("First with more");
    sandbox
        .deploy(["production"])
        .succeeds()
        .says("PythonAnywhere has reloaded shop.example.com")
        .says("ImportError: no sprockets")
        .never_mentions("old trouble")
        .never_mentions("p4t0k3n");
    assert_eq!(account.file("requirements.txt").as_deref(), Some("-r requirements/production.txt\n"));
    assert_eq!(account.file("built").as_deref(), Some("1 of production\n"));
    assert_eq!(account.reloads(), 1);
    fs::write(host.home("account").join("shop/upload.jpg"), "theirs").expect("a file");

    fs::remove_file(sandbox.root().join("old.py")).expect("it is there");
    sandbox.write("shop.py", "second\n");
    sandbox.commit("Second");
    sandbox.deploy(["production"]).succeeds();
    assert_eq!(account.file("shop.py").as_deref(), Some("second\n"));
    assert_eq!(account.file("old.py"), None);
    assert_eq!(account.file("upload.jpg").as_deref(), Some("theirs"));

    sandbox.deploy(["rollback", "production"]).succeeds().says("release 1 is live again");
    assert_eq!(account.file("shop.py").as_deref(), Some("print('shop')\n"));
    assert_eq!(account.file("old.py").as_deref(), Some("old\n"));
    assert_eq!(account.file("upload.jpg").as_deref(), Some("theirs"));
    assert_eq!(account.file("built").as_deref(), Some("1 of production\n2 of production\n1 of production\n"));
}

#[test]
fn nothing_is_reloaded_before_it_is_built_and_the_earlier_files_come_back() {
    let account = Account::new(", build = ['test ! -e broken']");
    let Account { sandbox, host, api, .. } = &account;
    sandbox.deploy(["production"]).succeeds();
    assert_eq!(account.reloads(), 1);
    sandbox.write("broken", "");
    sandbox.commit("Broken");
    sandbox
        .deploy(["production"])
        .fails_with(1)
        .says("`build` failed: test ! -e broken")
        .says("holds the earlier files again");
    assert_eq!((account.reloads(), account.file("broken")), (0, None));
    sandbox.deploy(["status"]).succeeds().shows("1");

    // What the API refuses was not done either.
    sandbox.shell("git rm --quiet broken").succeeds();
    sandbox.write("shop.py", "third\n");
    sandbox.commit("Third");
    api.instead(
        &format!("POST {APP}reload/"),
        Answer::new(403, r#"{"detail":"You do not have permission."}"#),
    );
    sandbox
        .deploy(["production"])
        .fails_with(1)
        .says("may this token do that?")
        .says("the earlier files again");
    assert_eq!(account.file("shop.py").as_deref(), Some("print('shop')\n"));

    // A token that opens nothing is told before anything is sent.
    let expired = Answer::new(401, r#"{"detail":"Invalid token."}"#);
    api.instead(&format!("GET {APP}"), expired);
    sandbox.deploy(["production"]).fails_with(1).says("is the token right, and not expired?");
    host.stop("account");
    sandbox.deploy(["production"]).fails().says("account");
    assert_eq!(account.reloads(), 1);
}

#[test]
fn a_reload_whose_answer_is_lost_is_asked_for_again_and_a_missing_cname_is_no_failure() {
    let account = Account::new("");
    let Account { sandbox, api, .. } = &account;
    api.loses_answer_to(&format!("POST {APP}reload/"));
    sandbox.deploy(["production"]).succeeds().says("it is asked again").says("has reloaded");
    assert_eq!(account.reloads(), 2);
    sandbox.commit("Second");
    api.instead(&format!("POST {APP}reload/"), Answer::new(409, r#"{"error":"cname_error"}"#));
    sandbox.deploy(["production", "--rebuild"]).succeeds().says("does not lead there (cname_error)");
    let busy = Answer::new(409, r#"{"error":"something else"}"#);
    api.instead(&format!("POST {APP}reload/"), busy);
    sandbox.deploy(["production", "--rebuild"]).fails_with(1).says("something else");
}

#[test]
fn a_deploy_that_was_stopped_or_killed_leaves_nothing_that_the_next_one_does_not_put_right() {
    let account = Account::new(", build = ['SANDBOX/bin/hold']");
    let Account { sandbox, .. } = &account;
    let gate = sandbox.gate("hold");
    let running = sandbox.start(["production"]);
    gate.wait_for_arrival();
    gate.open();
    running.wait().succeeds();
    sandbox.write("half.py", "half\n");
    sandbox.commit("Half");
    let running = sandbox.start(["production"]);
    gate.wait_for_arrival();
    running.signal(Signal::INT);
    running.wait().fails_with(130).says("`shop` holds the earlier files again");
    assert_eq!((account.file("half.py"), account.reloads()), (None, 1));

    let running = sandbox.start(["production"]);
    gate.wait_for_arrival();
    running.signal(Signal::KILL);
    assert_eq!(running.wait().code, -9);
    assert_eq!(account.file("half.py").as_deref(), Some("half\n"));
    sandbox.shell("git rm --quiet half.py").succeeds();
    sandbox.write("shop.py", "third\n");
    sandbox.commit("Third");
    let running = sandbox.start(["production"]);
    gate.wait_for_arrival();
    gate.open();
    running.wait().succeeds();
    assert_eq!((account.file("half.py"), account.file("shop.py").as_deref()), (None, Some("third\n")));
}

#[test]
fn a_folder_of_the_home_may_be_said_as_shells_say_it() {
    let account = Account::new("");
    let tasks = account.sandbox.read("tasks.toml").replace("path = 'shop'", "path = '~/shop'");
    account.sandbox.write("tasks.toml", &tasks);
    account.sandbox.deploy(["production"]).succeeds();
    assert_eq!(account.file("shop.py").as_deref(), Some("print('shop')\n"));
}

#[test]
fn files_of_others_are_not_written_over() {
    let account = Account::new("");
    let shop = account.host.home("account").join("shop");
    fs::create_dir_all(&shop).expect("a folder");
    fs::write(shop.join("shop.py"), "theirs").expect("a file");
    let refused = account.sandbox.deploy(["production"]);
    refused.fails_with(3).says("`shop` at account holds files that deploy did not bring there");
    assert_eq!((account.file("shop.py").as_deref(), account.reloads()), (Some("theirs"), 0));
}

#[test]
fn pythonanywheres_own_client_asks_the_same() {
    let account = Account::new("");
    account.sandbox.deploy(["production"]).succeeds();
    let kinds = |asked: Vec<Asked>| -> BTreeSet<_> {
        asked.into_iter().map(|asked| (asked.line(), asked.authorization, asked.body.to_string())).collect()
    };
    let ours = kinds(account.api.asked());
    let theirs = kinds(asked_by("pythonanywhere_client.py", &account.api, &["ada", "shop.example.com"]));
    assert_eq!(ours, theirs);
    let log = account.log.lock().expect("nobody panics with it");
    assert_eq!(log.matches("sprockets").count(), 2);
}
