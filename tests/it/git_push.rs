//! The example for git-push platforms, deployed for real: over ssh to two hosts with git's own shell, whose hooks build and
//! start what arrives as Dokku's and Piku's do. Only what builds is ours there.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use crate::examples::{ask, copied};
use crate::support::{Ended, Running, Sandbox, Sshd};

/// What both do: the files of a commit into a folder, packages (one of them is to be had nowhere), and the Procfile's own
/// lines. Whoever serves has a lock, which the next one waits for.
const BUILD: &str = r#"
app=$HOME/app new=$HOME/new
read -r before pushed ref
unpack() {
    echo "-----> Python app detected"
    rm -rf "$new" && mkdir "$new" && git archive "$pushed" | tar -x -C "$new"
    python3 "$new/shop.py" requirements.txt | sed 's/^/       /'
    ! grep -rq no-such-package "$new/requirements.txt" "$new/requirements" && cd "$new"
}
release() { sh -c "$(sed -n 's/^release: //p' Procfile)" > /dev/null; }
serve() {
    [ ! -e "$HOME/pid" ] || kill "$(cat "$HOME/pid")"
    rm -rf "$app" && mv "$new" "$app" && cd "$app"
    BIND_ADDRESS=127.0.0.1 PORT=@PORT@ setsid flock -F "$HOME/lock" $(sed -n 's/^web: //p' Procfile) < /dev/null > /dev/null 2>&1 &
    echo $! > "$HOME/pid"
}
"#;

/// Dokku builds before it takes the push, and takes none that fails.
const DOKKU: &str = r#"
unpack || { echo ' !     No matching distribution found for no-such-package' >&2; exit 1; }
release || { echo ' !     release task failed' >&2; exit 1; }
serve
echo "=====> Application deployed"
"#;

/// Piku has taken it before it builds, and serves whatever came of that.
const PIKU: &str = r#"
unpack && release
code=$?
cd "$new" && serve
[ $code = 0 ] || echo "-----> Exiting due to release command error value: $code"
"#;

/// The example, and its two hosts.
struct Shop {
    sandbox: Sandbox,
    folder: PathBuf,
    _hosts: Sshd,
    staging: SocketAddr,
    production: SocketAddr,
}

impl Shop {
    fn new() -> Shop {
        let sandbox = Sandbox::new();
        let folder = copied(&sandbox, "git-push");
        let sandbox = sandbox.git().remote("shop");
        let hosts = Sshd::start(&sandbox, &["piku", "dokku"]);
        // Both are held until both are known, or they could be the same.
        let ports = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
        let [staging, production] = ports.map(|port| port.local_addr().expect("it is bound"));
        for (host, hook, build, address) in
            [("piku", "post-receive", PIKU, staging), ("dokku", "pre-receive", DOKKU, production)]
        {
            let at = hosts.home(host);
            sandbox.shell(&format!("cp -r ../remotes/shop.git {}/shop", at.display())).succeeds();
            let build = BUILD.replace("@PORT@", &address.port().to_string()) + build;
            sandbox.repository_at(&at.join("shop")).hook(hook, &build);
            hosts.force(
                host,
                &format!("cd '{}' && exec git-shell -c \"$SSH_ORIGINAL_COMMAND\"", at.display()),
            );
        }
        Shop { sandbox, folder, _hosts: hosts, staging, production }
    }

    fn staging(&self, words: &[&str]) -> Ended {
        self.deploy(words, "piku", self.staging)
    }

    fn production(&self, words: &[&str]) -> Ended {
        self.deploy(words, "dokku", self.production)
    }

    fn deploy(&self, words: &[&str], host: &str, address: SocketAddr) -> Ended {
        let sets = [format!("paas={host}"), format!("address=http://{address}")];
        let words = [words, &["--yes", "--set", &sets[0], "--set", &sets[1]]].concat();
        let mut command = self.sandbox.command(env!("CARGO_BIN_EXE_deploy"), &words);
        Running::start(command.current_dir(&self.folder)).wait()
    }

    fn commit(&self, path: &str, text: &str) -> String {
        self.sandbox.write(&format!("examples/git-push/{path}"), text);
        self.sandbox.commit("More")
    }
}

#[test]
fn the_example_serves_staging_and_production_from_hosts_that_build_what_is_pushed() {
    let shop = Shop::new();
    let first = shop.sandbox.repository().head();
    shop.production(&["production"]).fails_with(3).says("staging");
    shop.staging(&["staging"])
        .succeeds()
        .says("remote: -----> Python app detected")
        .says("release 1 is live");
    shop.production(&["production"]).succeeds().says("remote: =====> Application deployed");
    let told = ask(shop.staging, "/healthz");
    assert_eq!(told, format!("commit {first}\nflask==3.1.2\nflask-debugtoolbar==0.16.0\n"));
    let told = ask(shop.production, "/healthz");
    assert_eq!(told, format!("commit {first}\nflask==3.1.2\ngunicorn==23.0.0\n"));

    let second = shop.commit("requirements/base.txt", "flask==3.1.3\n");
    shop.staging(&["staging"]).succeeds();
    assert!(ask(shop.staging, "/healthz").contains(&format!("commit {second}\nflask==3.1.3\n")));
    assert!(ask(shop.production, "/healthz").contains(&first));
    shop.production(&["production"]).succeeds();
    shop.production(&["rollback", "production"]).succeeds().says("release 1 is live again, as release 3");
    assert!(ask(shop.production, "/healthz").contains(&format!("commit {first}\nflask==3.1.2\n")));
    shop.sandbox.shell("git status --porcelain").prints("");
}

#[test]
fn what_can_not_be_built_is_declined_by_the_one_host_and_heard_from_the_other() {
    let shop = Shop::new();
    shop.staging(&["staging"]).succeeds();
    shop.production(&["production"]).succeeds();
    let first = shop.sandbox.repository().head();
    shop.commit("requirements/base.txt", "no-such-package==1\n");

    let failed = shop.staging(&["staging"]);
    failed
        .fails_with(1)
        .says("took release 2, and then said `-----> Exiting due to release command error value: 1`");
    shop.staging(&["rollback", "staging"]).succeeds().says("release 1 is live again");
    assert!(ask(shop.staging, "/healthz").contains(&first));

    let past = ["production", "--override", "after", "--reason", "to see it declined"];
    let declined = shop.production(&past);
    declined.fails_with(1).says("remote:  !     No matching distribution found for no-such-package");
    declined.says("pre-receive hook declined");
    assert!(ask(shop.production, "/healthz").contains(&first), "what served goes on");
}
