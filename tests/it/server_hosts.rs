//! Releases on hosts, over real ssh: sent as a difference, made on all before any switches, and taken back where one fails.

mod removal;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustix::process::Signal;

use crate::examples::copied;
use crate::support::{Sandbox, Sshd, snapshot};

/// A shop on two hosts, each with its releases in the home of who logs in; `keys` are more of the target.
fn shop(keys: &str) -> (Sandbox, Sshd) {
    let sandbox = Sandbox::shop(&format!(
        r#"
        [hosts]
        web1.ssh = "web1"
        web2.ssh = "web2"
        [environments.production]
        hosts = {{ web = ["web1", "web2"] }}
        swap = {{ "requirements.txt" = "-r requirements/production.txt" }}
        [environments.production.target]
        server = "web"
        path = "srv/shop"
        {keys}
        "#
    ));
    let sshd = Sshd::start(&sandbox, &["web1", "web2"]);
    for host in HOSTS {
        // They are one machine, and so would be their homes.
        sshd.force(host, r#"cd "$HOME" && exec sh -c "$SSH_ORIGINAL_COMMAND""#);
    }
    (sandbox, sshd)
}

fn at(sshd: &Sshd, host: &str, path: &str) -> PathBuf {
    sshd.home(host).join("srv/shop").join(path)
}

fn read(sshd: &Sshd, host: &str, path: &str) -> String {
    let path = at(sshd, host, path);
    fs::read_to_string(&path).unwrap_or_else(|error| format!("{}: {error}", path.display()))
}

fn current(sshd: &Sshd, host: &str) -> Option<String> {
    let link = fs::read_link(at(sshd, host, "current")).ok()?;
    Some(link.to_str().expect("a release").to_owned())
}

fn releases(sshd: &Sshd, host: &str) -> Vec<String> {
    let entries = fs::read_dir(at(sshd, host, "releases")).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().into_string().expect("a number")).collect();
    names.sort_unstable();
    names
}

fn second(sandbox: &Sandbox) {
    sandbox.write("shop.py", "second\n");
    sandbox.commit("Second");
}

const HOSTS: [&str; 2] = ["web1", "web2"];

#[test]
fn a_release_is_made_on_all_hosts_switched_and_brought_back() {
    let (sandbox, sshd) = shop(
        r#"
        shared = ["media", "etc/local.ini"]
        build = ["cat requirements.txt > built; echo $DEPLOY_HOST >> built; echo x >> ../../shared/media/builds"]
        reload = "cat shop.py"
        "#,
    );
    let before = sandbox.picture();
    sandbox
        .deploy(["production"])
        .succeeds()
        .says("release 1 is in srv/shop on web1, web2")
        .says("web1: current -> releases/1")
        .says("web2: current -> releases/1")
        .says("production: release 1 is live");
    before.assert_unchanged();
    for host in HOSTS {
        assert_eq!(current(&sshd, host).as_deref(), Some("releases/1"));
        assert_eq!(read(&sshd, host, "current/built"), format!("-r requirements/production.txt\n{host}\n"));
        assert_eq!(read(&sshd, host, "current/shop.py"), "print('shop')\n");
        assert!(!at(&sshd, host, "current/.git").exists());
        let link = fs::read_link(at(&sshd, host, "releases/1/etc/local.ini")).expect("a link");
        assert_eq!(link.to_str(), Some("../../../shared/etc/local.ini"));
    }
    second(&sandbox);
    sandbox.deploy(["production"]).succeeds().shows("web1 | second\n").shows("web2 | second\n");
    for host in HOSTS {
        assert_eq!(read(&sshd, host, "current/media/builds"), "x\nx\n");
        assert_eq!(releases(&sshd, host), ["1", "2"]);
    }
    sandbox.deploy(["rollback", "production"]).succeeds().says("release 1 is live again");
    for host in HOSTS {
        assert_eq!(current(&sshd, host).as_deref(), Some("releases/1"));
    }
}

#[test]
fn files_are_those_of_the_commit_whatever_its_attributes_say() {
    let (sandbox, sshd) = shop("");
    sandbox.write(".gitattributes", "* text=auto eol=crlf\nshop.py export-ignore\nv export-subst\n");
    sandbox.write("v", "$Format:%H$\n");
    sandbox.write("-odd name 'x' $y", "odd\n");
    sandbox.shell("printf 'a\\r\\nb\\n' > mixed; chmod +x mixed; ln -s shop.py link").succeeds();
    sandbox.commit("Odd");
    sandbox.deploy(["production"]).succeeds();
    assert_eq!(read(&sshd, "web1", "current/v"), "$Format:%H$\n");
    assert_eq!(read(&sshd, "web1", "current/-odd name 'x' $y"), "odd\n");
    let head = sandbox.repository().head();
    assert_eq!(read(&sshd, "web1", "current/mixed"), sandbox.repository().file(&head, "mixed"));
    let mode = fs::metadata(at(&sshd, "web1", "current/mixed")).expect("a file").permissions().mode();
    assert_eq!(mode & 0o100, 0o100);
    assert_eq!(fs::read_link(at(&sshd, "web1", "current/link")).expect("a link").to_str(), Some("shop.py"));
    assert_eq!(read(&sshd, "web1", "current/shop.py"), "print('shop')\n");
}

#[test]
fn a_build_that_fails_on_one_host_leaves_all_as_they_were() {
    let (sandbox, sshd) = shop(r#"build = ["test $DEPLOY_HOST != web2 || test ! -e ../../bad"]"#);
    sandbox.deploy(["production"]).succeeds();
    fs::write(at(&sshd, "web2", "bad"), "").expect("a file");
    second(&sandbox);
    snapshot!(sandbox.deploy(["production"]), @r"
    -- stderr
    deploy: web2: `build` failed: test $DEPLOY_HOST != web2 || test ! -e ../../bad
    deploy: failed on 1 of 2 hosts after [time]
      step: ship
        web1  succeeded
        web2  failed with exit code 1
      where: tasks.toml:5
    -- exit 1
    ");
    for host in HOSTS {
        assert_eq!(current(&sshd, host).as_deref(), Some("releases/1"), "{host}");
        assert_eq!(releases(&sshd, host), ["1"], "{host}");
    }
    fs::remove_file(at(&sshd, "web2", "bad")).expect("it is there");
    sandbox.deploy(["production"]).succeeds();
    assert_eq!(read(&sshd, "web2", "current/shop.py"), "second\n");
}

#[test]
fn a_host_that_fails_after_the_switch_brings_all_back() {
    let (sandbox, sshd) =
        shop(r#"reload = "test $DEPLOY_HOST != web2 || test ! -e ../../bad || grep -q print shop.py""#);
    fs::create_dir_all(at(&sshd, "web2", "")).expect("a folder");
    fs::write(at(&sshd, "web2", "bad"), "").expect("a file");
    sandbox.deploy(["production"]).succeeds();
    second(&sandbox);
    sandbox
        .deploy(["production"])
        .fails_with(1)
        .says("web1: back: current -> releases/1")
        .says("web2: back: current -> releases/1");
    for host in HOSTS {
        assert_eq!(read(&sshd, host, "current/shop.py"), "print('shop')\n", "{host}");
    }
    sandbox.deploy(["status"]).succeeds().shows("1");
    fs::remove_file(at(&sshd, "web2", "bad")).expect("it is there");
    sandbox.deploy(["production"]).succeeds();
}

#[test]
fn the_first_release_that_fails_after_the_switch_leaves_no_current() {
    let (sandbox, sshd) = shop(r#"reload = "test $DEPLOY_HOST != web2""#);
    sandbox.deploy(["production"]).fails_with(1);
    assert_eq!((current(&sshd, "web1"), current(&sshd, "web2")), (None, None));
}

#[test]
fn a_host_that_is_not_there_is_told_before_anything_is_made() {
    let (sandbox, sshd) = shop("");
    sandbox.deploy(["production"]).succeeds();
    second(&sandbox);
    sshd.stop("web2");
    sandbox.deploy(["production"]).fails().says("web2");
    assert_eq!(releases(&sshd, "web1"), ["1"]);
    assert_eq!(current(&sshd, "web1").as_deref(), Some("releases/1"));
    sshd.resume("web2");
    sandbox.deploy(["production"]).succeeds();
}

#[test]
fn a_reader_of_current_never_sees_a_gap_or_a_half() {
    let (sandbox, sshd) = shop(r#"build = ["echo end >> page"]"#);
    sandbox.write("page", "begin\n");
    sandbox.commit("Page");
    sandbox.deploy(["production"]).succeeds();
    let pages: Vec<PathBuf> = HOSTS.iter().map(|host| at(&sshd, host, "current/page")).collect();
    let over = AtomicBool::new(false);
    let wrong = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut wrong = Vec::new();
            while !over.load(Ordering::Relaxed) {
                for page in &pages {
                    let text = fs::read_to_string(page).unwrap_or_else(|error| error.to_string());
                    wrong.extend((text != "begin\nend\n").then_some(text));
                }
            }
            wrong
        });
        for number in 0..3 {
            sandbox.commit(&format!("Number {number}"));
            sandbox.deploy(["production"]).succeeds();
        }
        over.store(true, Ordering::Relaxed);
        reader.join().expect("it reads")
    });
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn a_stopped_or_killed_deploy_leaves_nothing_that_a_later_one_could_publish() {
    let (sandbox, sshd) = shop(r#"build = ["echo building; exec sleep 60"]"#);
    for signal in [Signal::INT, Signal::KILL] {
        let running = sandbox.start(["production"]);
        running.wait_for("web1 | building").wait_for("web2 | building").signal(signal);
        let ended = running.wait();
        assert_ne!(ended.code, 0);
        if signal == Signal::INT {
            for host in HOSTS {
                assert_eq!(releases(&sshd, host), [""; 0], "{host}");
            }
        }
    }
    let tasks = sandbox.read("tasks.toml").replace("echo building; exec sleep 60", "true");
    let sandbox = sandbox.tasks(&tasks);
    sandbox.deploy(["production"]).succeeds().says("which an interrupted run left half made");
    for host in HOSTS {
        let names = releases(&sshd, host);
        assert_eq!(names.len(), 1, "{names:?}");
        assert_eq!(current(&sshd, host), Some(format!("releases/{}", names[0])));
    }
}

#[test]
fn old_releases_go_and_what_is_in_the_way_is_told() {
    let (sandbox, sshd) = shop("keep = 2");
    for number in 0..4 {
        sandbox.commit(&format!("Number {number}"));
        sandbox.deploy(["production"]).succeeds();
    }
    assert_eq!(releases(&sshd, "web1"), ["3", "4"]);
    fs::remove_file(at(&sshd, "web2", "current")).expect("a link");
    fs::create_dir(at(&sshd, "web2", "current")).expect("a folder");
    sandbox.commit("More");
    sandbox.deploy(["production"]).fails().says("is not a symlink, so it can't be switched to a release");
    assert_eq!(current(&sshd, "web1").as_deref(), Some("releases/4"));
}

#[test]
fn a_server_that_is_no_host_is_a_mistake() {
    let sandbox = Sandbox::shop(
        "[hosts]\nweb1.ssh = 'web1'\n[environments.production]\ntarget = { server = 'wbe1', path = '/srv/shop' }\n",
    );
    snapshot!(sandbox.deploy(["check"]), @r"
    -- stderr
    error: there is no host or group `wbe1`
     --> tasks.toml:4:21
      |
    4 | target = { server = 'wbe1', path = '/srv/shop' }
      |                     ^^^^^^
      |
      = help: did you mean `web1`?
    -- exit 2
    ");
}

#[test]
fn a_host_without_git_gets_the_whole() {
    let (sandbox, sshd) = shop(r#"build = ["test -x run && cat run > built"]"#);
    fs::create_dir(sandbox.path("few")).expect("a folder of ours");
    let needed = [
        "sh", "cat", "tar", "mkdir", "mv", "rm", "ln", "readlink", "dirname", "mktemp", "sync", "sleep",
        "test",
    ];
    for program in needed {
        let found = sandbox.shell(&format!("command -pv {program} || command -v {program}")).stdout;
        let found = if found.starts_with('/') { found } else { format!("/usr/bin/{program}") };
        sandbox.link(&format!("../few/{program}"), found.trim());
    }
    for host in HOSTS {
        let few = sandbox.path("few");
        let lines = format!(
            "cd \"$HOME\" && export PATH='{}' && exec sh -c \"$SSH_ORIGINAL_COMMAND\"",
            few.display()
        );
        sshd.force(host, &lines);
    }
    sandbox.shell("printf 'ran\\n' > run; chmod +x run; ln -s run link").succeeds();
    sandbox.commit("Run");
    sandbox.deploy(["production"]).succeeds();
    assert_eq!(read(&sshd, "web2", "current/built"), "ran\n");
    assert_eq!(read(&sshd, "web2", "current/link"), "ran\n");
    assert_eq!(read(&sshd, "web2", "current/requirements.txt"), "-r requirements/production.txt\n");
    assert!(!at(&sshd, "web2", ".repository.git").exists());
}

#[test]
fn the_example_serves_both_hosts_and_its_canary_goes_first() {
    let sandbox = Sandbox::new();
    let folder = copied(&sandbox, "server");
    let sandbox = sandbox.git();
    let sshd = Sshd::start(&sandbox, &HOSTS);
    for host in HOSTS {
        sshd.force(host, r#"cd "$HOME" && exec sh -c "$SSH_ORIGINAL_COMMAND""#);
    }
    let tasks = fs::read_to_string(folder.join("tasks.toml")).expect("the example's");
    // Their names are those of the fixture's ssh config.
    let ours = tasks.replace("deploy@web1.example.com", "web1").replace("deploy@web2.example.com", "web2");
    sandbox.write("examples/server/tasks.toml", &ours);
    let within = "examples/server";
    sandbox.deploy_in(within, ["production"]).succeeds().says("release 1 is live");
    for host in HOSTS {
        let page = fs::read_to_string(sshd.home(host).join("srv/site/current/index.html")).expect("a page");
        assert!(page.contains("-r requirements/production.txt"), "{page}");
    }
    sandbox.deploy_in(within, ["production", "restart"]).succeeds();
    sandbox.deploy_in(within, ["production", "uptime"]).succeeds().shows("web1").shows("web2");
    fs::write(sshd.home("web1").join("srv/site/current/index.html"), "broken").expect("a page");
    fs::remove_file(sshd.home("web2").join("srv/site/shared/media/restart")).expect("it was started again");
    sandbox.deploy_in(within, ["production", "restart"]).fails();
    assert!(!sshd.home("web2").join("srv/site/shared/media/restart").exists(), "web1 goes first, alone");
}
