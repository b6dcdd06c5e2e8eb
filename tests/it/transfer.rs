//! `put` and `get`: files to hosts and back, with their modes and times, by rsync and without it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use crate::support::{Sandbox, Sshd};

const HOSTS: &str = "[hosts]\nweb1.ssh = 'web1'\nweb2.ssh = 'web2'\n";

fn hosts(tasks: &str) -> (Sandbox, Sshd) {
    let sandbox = Sandbox::new().tasks(&format!("{HOSTS}{tasks}"));
    // What a killed run leaves goes with the sandbox.
    let room = sandbox.path("tmp").display().to_string();
    let sandbox = sandbox.env("XDG_RUNTIME_DIR", &room);
    let sshd = Sshd::start(&sandbox, &["web1", "web2"]);
    (sandbox, sshd)
}

/// A machine without rsync: these programs and no others.
fn without_rsync(sandbox: Sandbox) -> Sandbox {
    fs::create_dir(sandbox.path("few")).expect("a file of ours");
    for program in ["sh", "cat", "tar", "dirname", "mktemp", "rm", "mv", "chmod", "ln", "touch"] {
        let found = sandbox.shell(&format!("command -v {program}")).stdout;
        sandbox.link(&format!("../few/{program}"), found.trim());
    }
    let path = format!("{}:{}", sandbox.path("bin").display(), sandbox.path("few").display());
    sandbox.env("PATH", &path)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("a file of ours").permissions().mode() & 0o7777
}

fn time(path: &Path) -> i64 {
    fs::metadata(path).expect("a file of ours").mtime()
}

const PUT: &str = r#"
[tasks.put]
params = { name = { default = "app" } }
steps = [
  { put = { from = "dist", to = "SANDBOX/hosts/{{ host }}/{{ name }}" }, on = ["web1", "web2"] },
  { put = { from = "conf/site.conf", to = "SANDBOX/hosts/{{ host }}/etc/it's $(id).conf", mode = "640" }, on = "web1" },
  { put = { from = "conf/site.conf", to = "SANDBOX/hosts/{{ host }}/etc/" }, on = "web1" },
]
"#;

fn put(sandbox: &Sandbox, sshd: &Sshd) {
    sandbox.write("dist/a/run", "#!/bin/sh\n");
    sandbox.write("dist/-b", "b\n");
    sandbox.write("conf/site.conf", "conf\n");
    sandbox
        .shell("chmod 751 dist/a/run; ln -s a/run dist/link; touch -d '2020-02-02 02:02:02' dist/-b")
        .succeeds();
    sandbox.deploy(["put"]).succeeds();
    for host in ["web1", "web2"] {
        let home = sshd.home(host);
        assert_eq!(fs::read_to_string(home.join("app/-b")).expect("a file of ours"), "b\n");
        assert_eq!(mode(&home.join("app/a/run")), 0o751);
        assert_eq!(time(&home.join("app/-b")), time(&sandbox.root().join("dist/-b")));
        assert_eq!(fs::read_link(home.join("app/link")).expect("a file of ours"), Path::new("a/run"));
    }
    let odd = sshd.home("web1").join("etc/it's $(id).conf");
    assert_eq!(fs::read_to_string(&odd).expect("a file of ours"), "conf\n");
    assert_eq!(mode(&odd), 0o640);
    assert_eq!(
        fs::read_to_string(sshd.home("web1").join("etc/site.conf")).expect("a file of ours"),
        "conf\n"
    );
    // Nothing is left beside it.
    assert_eq!(fs::read_dir(sshd.home("web1").join("etc")).expect("a file of ours").count(), 2);
}

#[test]
fn files_and_folders_go_to_hosts_as_they_are() {
    let (sandbox, sshd) = hosts(PUT);
    put(&sandbox, &sshd);
    // A value is no option, and none is read by a shell.
    sandbox.deploy(["put", "--name", "a b; touch pwned"]).succeeds();
    assert!(sshd.home("web1").join("a b; touch pwned/-b").exists());
}

#[test]
fn files_and_folders_go_to_hosts_without_rsync_as_well() {
    let (sandbox, sshd) = hosts(PUT);
    put(&without_rsync(sandbox), &sshd);
}

const GET: &str = r#"
[tasks.get]
steps = [
  { get = { from = "SANDBOX/hosts/{{ host }}/log", to = "logs/{{ host }}" }, on = ["web1", "web2"] },
  { get = { from = "SANDBOX/hosts/{{ host }}/log/day", to = "one/" }, on = "web1" },
]
[tasks.missing]
steps = [{ get = { from = "/not/there", to = "x" }, on = "web1" }]
"#;

fn get(sandbox: &Sandbox, sshd: &Sshd) {
    for host in ["web1", "web2"] {
        fs::create_dir_all(sshd.home(host).join("log")).expect("a file of ours");
        sandbox.write(&format!("../hosts/{host}/log/day"), host);
        fs::set_permissions(sshd.home(host).join("log/day"), fs::Permissions::from_mode(0o604))
            .expect("a file of ours");
    }
    sandbox.deploy(["get"]).succeeds();
    assert_eq!(
        (sandbox.read("logs/web1/day"), sandbox.read("logs/web2/day")),
        ("web1".into(), "web2".into())
    );
    assert_eq!(mode(&sandbox.root().join("logs/web1/day")), 0o604);
    assert_eq!(time(&sandbox.root().join("one/day")), time(&sshd.home("web1").join("log/day")));
    assert_eq!(fs::read_dir(sandbox.root().join("one")).expect("a file of ours").count(), 1);
    sandbox.deploy(["missing"]).fails_with(1).says("there is no `/not/there` on web1");
}

#[test]
fn files_and_folders_come_from_hosts_as_they_are() {
    let (sandbox, sshd) = hosts(GET);
    get(&sandbox, &sshd);
}

#[test]
fn files_and_folders_come_from_hosts_without_rsync_as_well() {
    let (sandbox, sshd) = hosts(GET);
    get(&without_rsync(sandbox), &sshd);
}

#[test]
fn what_is_not_there_is_told_and_several_hosts_never_write_to_one_place() {
    let (sandbox, _sshd) =
        hosts("[tasks.put]\nsteps = [{ put = { from = 'no', to = '/tmp/x' }, on = 'web1' }]\n");
    sandbox.deploy(["put"]).fails_with(1).says("can't be put on a host: No such file");
    let one =
        "[tasks.get]\non = ['web1', 'web2']\nsteps = [{ get = { from = '/etc/hostname', to = 'x' } }]\n";
    let sandbox = sandbox.tasks(&format!("{HOSTS}{one}"));
    sandbox.deploy(["get"]).fails_with(2).says("several hosts would write to `x`").says("{{ host }}");
    let none = "[tasks.put]\nsteps = [{ put = { from = 'a', to = 'b' } }]\n";
    sandbox.tasks(none).deploy(["put"]).fails_with(2).says("`put` brings files to hosts");
}
