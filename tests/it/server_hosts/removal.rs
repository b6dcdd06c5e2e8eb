//! What a deploy takes away when it does not come through: its release, from every host, but never what serves.

use std::fs;
use std::os::unix::fs::symlink;

use rustix::process::Signal;

use super::{HOSTS, at, current, read, releases, second, shop};

#[test]
fn a_stopped_deploy_takes_away_what_was_whole_on_one_host_already() {
    let (sandbox, sshd) = shop(
        r#"
        build = ["""
        [ $DEPLOY_HOST = web2 ] || exit 0
        until grep -q 'is_complete":true' SANDBOX/hosts/web1/srv/shop/.releases/1; do sleep 0.1; done
        echo web1 has it; exec sleep 60
        """]
        "#,
    );
    let running = sandbox.start(["production"]);
    running.wait_for("web2 | web1 has it");
    assert_eq!(releases(&sshd, "web1"), ["1"]);
    running.signal(Signal::INT);
    running.wait().fails_with(130);
    for host in HOSTS {
        assert_eq!(releases(&sshd, host), [""; 0], "{host}");
        assert_eq!(current(&sshd, host), None, "{host}");
    }
}

#[test]
fn a_release_that_serves_because_it_could_not_be_taken_back_is_not_taken_away() {
    let (sandbox, sshd) = shop(
        r#"
        build = ["[ ! -e SANDBOX/tmp/tried ]"]
        reload = "SANDBOX/bin/reload"
        [tasks.deploy]
        steps = [{ ship = true, retry = 2 }]
        "#,
    );
    // Of the second release: web1 has it, web2 fails and has lost it, and then nobody gets at web1, for once.
    sandbox.executable(
        "bin/reload",
        "#!/bin/sh\n\
         grep -q second shop.py || exit 0\n\
         if [ $DEPLOY_HOST = web1 ]; then touch SANDBOX/tmp/switched; exit 0; fi\n\
         until [ -e SANDBOX/tmp/switched ]; do sleep 0.1; done\n\
         rm -r ~/srv/shop/releases/2 ~/srv/shop/.releases/2\n\
         touch SANDBOX/hosts/web1/closed SANDBOX/tmp/tried\n\
         exit 1\n",
    );
    sshd.force(
        "web1",
        r#"cd "$HOME" && if [ -e closed ]; then rm closed; exit 9; fi; exec sh -c "$SSH_ORIGINAL_COMMAND""#,
    );
    sandbox.deploy(["production"]).succeeds();
    second(&sandbox);
    let ended = sandbox.deploy(["production"]);
    ended.fails().says("it could not be taken back whole on web1: look there").says("`build` failed");
    assert_eq!(current(&sshd, "web1").as_deref(), Some("releases/2"));
    assert_eq!(read(&sshd, "web1", "current/shop.py"), "second\n");
    assert_eq!(current(&sshd, "web2").as_deref(), Some("releases/1"));
    assert_eq!(releases(&sshd, "web2"), ["1"]);
}

#[test]
fn a_release_that_somebody_switched_to_by_hand_does_not_go_with_the_old_ones() {
    let (sandbox, sshd) = shop("keep = 2");
    for number in 1..=3 {
        sandbox.commit(&format!("Number {number}"));
        sandbox.deploy(["production"]).succeeds();
    }
    let link = at(&sshd, "web1", "current");
    fs::remove_file(&link).expect("a link");
    symlink("releases/2", &link).expect("a link");
    sandbox.commit("More");
    sandbox.deploy(["production"]).succeeds();
    assert_eq!(releases(&sshd, "web1"), ["2", "3", "4"]);
    assert_eq!(releases(&sshd, "web2"), ["3", "4"]);
}
