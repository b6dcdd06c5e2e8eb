//! What is done on hosts, over real ssh: where it runs, what it gets, what is shown of it and how it ends.

use rustix::process::Signal;

use crate::support::{Sandbox, Sshd, snapshot};

const HOSTS: &str = r#"
[hosts]
web1.ssh = "web1"
web2.ssh = "web2"
db1.ssh = "db1"

[environments.staging]
hosts = { web = ["web1", "web2"], all = ["web1", "web2", "db1"] }
"#;

fn hosts(tasks: &str) -> (Sandbox, Sshd) {
    let sandbox = Sandbox::new().tasks(&format!("{HOSTS}{tasks}"));
    // What a killed run leaves goes with the sandbox.
    let room = sandbox.path("tmp").display().to_string();
    let sandbox = sandbox.env("XDG_RUNTIME_DIR", &room);
    let sshd = Sshd::start(&sandbox, &["web1", "web2", "db1"]);
    (sandbox, sshd)
}

#[test]
fn a_step_runs_on_each_host_of_a_group_and_its_lines_have_their_names() {
    let (sandbox, _sshd) = hosts(
        r#"
        [tasks.up]
        steps = [{ run = "echo {{ host }} $DEPLOY_HOST; echo bad >&2", on = "web" }, "echo here"]
        "#,
    );
    let ended = sandbox.deploy(["staging", "up"]);
    ended.succeeds().shows("web1 | web1 web1\n").shows("web2 | web2 web2\n").shows("\nhere\n");
    ended.says("web1 | bad\n").says("web2 | bad\n");
}

#[test]
fn no_value_becomes_syntax_on_a_host_and_none_is_in_a_command_line() {
    let (sandbox, _sshd) = hosts(
        r#"
        [secrets]
        TOKEN = { env = "THE_TOKEN" }
        [tasks.args]
        env = { ODD = "a 'b' \"c\" $(touch SANDBOX/pwned)\nsecond \\ line\n" }
        secrets = ["TOKEN"]
        steps = [
          { run = "printf '<%s>' {{ args }} \"$ODD\"", on = "db1" },
          { exec = ["printf", "(%s)", "{{ args }}"], on = "db1" },
          { run = "tr '\\0' ' ' < /proc/$$/cmdline; tr '\\0' ' ' < /proc/$PPID/cmdline", on = "db1" },
          { run = "printf '%s' \"$TOKEN\" | wc -c", on = "db1" },
          { run = "test -z \"${ONLY_HERE:-}\"", on = "db1" },
        ]
        "#,
    );
    let sandbox = sandbox.env("THE_TOKEN", "hunter2-hunter2").env("ONLY_HERE", "1");
    let odd = "'; touch \"$PWD\"; `id` $(id) \\ \n x";
    let ended = sandbox.deploy(["args", "--", odd, "-n"]);
    ended.succeeds().shows("db1 | <'; touch \"$PWD\"; `id` $(id) \\ \n").shows("db1 | 15\n");
    ended.shows("(-n)").never_mentions("hunter2");
    assert!(!sandbox.path("pwned").exists());
}

#[test]
fn a_folder_and_a_shell_are_those_of_the_host_and_a_script_has_its_interpreter() {
    let (sandbox, sshd) = hosts(
        r##"
        [tasks.where]
        on = "web1"
        dir = "SANDBOX/hosts/web1"
        shell = ["bash", "-c"]
        steps = [
          "pwd; [[ $0 == bash ]] && echo in bash",
          { run = "pwd", dir = "/" },
          { run = """#!/usr/bin/env -S sh -u
case $- in *u*) echo strict ;; esac
""" },
          { run = "pwd", dir = "/not/there" },
        ]
        "##,
    );
    let ended = sandbox.deploy(["where"]);
    let home = sshd.home("web1");
    ended
        .fails_with(127)
        .shows(&format!("web1 | {}\nweb1 | in bash\nweb1 | /\nweb1 | strict\n", home.display()));
    ended.says("there is no folder `/not/there` on web1");
}

#[test]
fn an_exit_code_is_that_of_the_command_also_where_ssh_has_the_same() {
    let (sandbox, _sshd) = hosts(
        r#"
        [tasks.seven]
        steps = [{ run = "exit 7", on = "web1" }]
        [tasks.most]
        steps = [{ run = "exit 255", on = "web1" }]
        "#,
    );
    sandbox.deploy(["seven"]).fails_with(7).says("exit code 7").never_mentions("ssh ");
    sandbox.deploy(["most"]).fails_with(255).says("exit code 255").never_mentions("reached");
}

#[test]
fn why_a_host_cannot_be_reached_is_told_in_the_words_of_ssh_with_the_mend() {
    let (sandbox, sshd) = hosts("[tasks.up]\non = 'web1'\nrun = 'true'\n");
    sshd.lock_out("web1");
    sandbox.deploy(["up"]).fails_with(255).says("Permission denied (publickey)").says("authorized_keys");
    sshd.forget_keys();
    sandbox
        .deploy(["up"])
        .fails_with(255)
        .says("Host key verification failed")
        .says("ssh to it once by hand");
    sshd.stop("web1");
    sandbox.deploy(["up"]).fails_with(255).says("Connection refused").says("is sshd running");
}

#[test]
fn a_key_that_has_changed_is_never_taken() {
    let (sandbox, sshd) = hosts("[tasks.up]\non = 'web1'\nrun = 'touch SANDBOX/ran'\n");
    sshd.change_key("web1");
    sandbox.deploy(["up"]).fails_with(255).says("HAS CHANGED").says("ask who runs the host");
    assert!(!sandbox.path("ran").exists());
}

#[test]
fn all_steps_of_a_run_share_one_connection_a_host_and_nothing_is_left_of_it() {
    let (sandbox, sshd) = hosts(
        r#"
        [tasks.up]
        steps = [{ run = "true", on = "web" }, { run = "true", on = "web" }, { run = "true", on = "web1" }]
        "#,
    );
    let room = sandbox.path("tmp");
    sandbox.deploy(["staging", "up"]).succeeds();
    assert_eq!(sshd.log("web1").matches("Accepted publickey").count(), 1);
    assert_eq!(std::fs::read_dir(room).unwrap().count(), 0, "a socket is left");
}

#[test]
fn more_tasks_than_a_connection_takes_wait_for_one_another() {
    let (sandbox, _sshd) = hosts(
        r#"
        [tasks.one]
        each = { number = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14"] }
        steps = [{ run = "sleep 1; echo on {{ number }}", on = "web1" }]
        "#,
    );
    sandbox.deploy(["-j", "14", "one"]).succeeds().shows("web1 | on 1\n").shows("web1 | on 14\n");
}

#[test]
fn a_failure_on_one_host_is_told_for_each() {
    let (sandbox, _sshd) = hosts(
        r#"
        [tasks.up]
        steps = [{ run = "test {{ host }} != web2 || exit 3", on = "all" }]
        "#,
    );
    snapshot!(sandbox.deploy(["staging", "up"]), @r#"
    -- stderr
    deploy: up: failed on 1 of 3 hosts after [time]
      step: test {{ host }} != web2 || exit 3 on all
        web1  succeeded
        web2  failed with exit code 3
        db1   succeeded
      where: tasks.toml:11
    -- exit 3
    "#);
}

#[test]
fn hosts_go_in_waves_and_none_is_begun_after_a_failure() {
    let (sandbox, _sshd) = hosts(
        r#"
        [tasks.restart]
        on = "all"
        batch = 1
        steps = ["echo {{ host }} >> SANDBOX/order", "test {{ host }} != web2"]
        [tasks.tolerant]
        on = "all"
        batch = "34%"
        max_failures = 1
        steps = ["echo {{ host }} >> SANDBOX/order", "test {{ host }} != web2"]
        [tasks.after]
        needs = ["tolerant"]
        run = "echo after"
        "#,
    );
    snapshot!(sandbox.deploy(["staging", "restart"]), @r#"
    -- stderr
    deploy: restart: failed on 1 of 3 hosts after [time]
      step: restart on all
        web1  succeeded
        web2  failed with exit code 1
        db1   not started
      where: tasks.toml:10
    -- exit 1
    "#);
    assert_eq!(sandbox.read("../order"), "web1\nweb2\n");
    snapshot!(sandbox.deploy(["staging", "after"]), @r#"
    -- stdout
    after    | after
    -- stderr
    deploy: tolerant: `tolerant on all` was not done everywhere
      web1  succeeded
      web2  failed with exit code 1
      db1   succeeded
    deploy: 2 succeeded in [time]
    -- exit 0
    "#);
}

#[test]
fn a_canary_goes_first_with_all_its_steps_and_keeps_the_rest_from_a_mistake() {
    let (sandbox, _sshd) = hosts(
        r#"
        [tasks.restart]
        on = "all"
        canary = 1
        max_failures = 2
        steps = ["echo {{ host }} >> SANDBOX/order", "false"]
        "#,
    );
    sandbox.deploy(["staging", "restart"]).fails_with(1).says("web2  not started");
    assert_eq!(sandbox.read("../order"), "web1\n");
}

#[test]
fn a_host_that_is_down_stops_a_step_or_is_left_out_as_the_file_says() {
    let (sandbox, sshd) = hosts(
        r#"
        [tasks.strict]
        steps = [{ run = "echo there", on = "web" }]
        [tasks.loose]
        steps = [{ run = "echo there", on = "web", unreachable = "skip" }, "echo went on"]
        "#,
    );
    sshd.stop("web2");
    sandbox
        .deploy(["staging", "strict"])
        .fails_with(255)
        .says("web2  got no connection")
        .says("be reached: ssh:");
    let ended = sandbox.deploy(["staging", "loose"]);
    ended.succeeds().shows("web1 | there").shows("went on").says("web2  left out: ");
}

#[test]
fn a_plan_shows_where_and_in_which_order() {
    let (sandbox, _sshd) = hosts(
        r#"
        [tasks.restart]
        on = "all"
        canary = 1
        steps = ["systemctl restart shop", { check = "http://{{ host }}/" }]
        [tasks.up]
        steps = [{ run = "uptime", on = "web" }]
        "#,
    );
    snapshot!(sandbox.deploy(["-n", "staging", "restart", "up"]), @r#"
    -- stdout
    restart (tasks.toml:10)
      restart on all
        first web1
          systemctl restart shop on web1
          check http://web1/
        then web2, db1
          systemctl restart shop on web2
          check http://web2/
          systemctl restart shop on db1
          check http://db1/
    up (tasks.toml:14)
      uptime on web
        on web1, web2
    -- exit 0
    "#);
}

#[test]
fn whichever_shell_one_logs_in_with_is_good() {
    let (sandbox, sshd) = hosts("[tasks.up]\nrun = \"printf '<%s>' {{ args }}\"\non = \"web1\"\n");
    for shell in ["bash", "dash", "zsh", "fish"] {
        sshd.force("web1", &format!("exec {shell} -c \"$SSH_ORIGINAL_COMMAND\""));
        let ended = sandbox.deploy(["up", "--", "it's \"$HOME\"\\n"]);
        ended.succeeds().shows("web1 | <it's \"$HOME\"\\n>");
    }
}

#[test]
fn the_list_and_the_graph_say_which_tasks_are_for_hosts() {
    let (sandbox, _sshd) = hosts(
        r#"
        [tasks.up]
        about = "Whether it is up"
        on = "web"
        run = "uptime"
        [tasks.look]
        steps = ["true", { run = "df", on = ["db1", "web"] }]
        "#,
    );
    sandbox.deploy(["list"]).succeeds().shows("Whether it is up (on web)\n").shows("(on db1, web)\n");
    sandbox.deploy(["graph"]).succeeds().shows("up (on web)\n").shows("look (on db1, web)\n");
}

#[test]
fn what_is_done_on_hosts_is_not_interactive_nor_on_hosts_twice() {
    let (sandbox, _sshd) = hosts(
        r#"
        [tasks.shell]
        interactive = true
        run = "sh"
        [tasks.up]
        on = "web1"
        steps = [{ task = "shell" }]
        [tasks.twice]
        on = "web2"
        steps = [{ task = "up" }]
        "#,
    );
    sandbox.deploy(["up"]).fails_with(2).says("`shell` is interactive, and a host has no terminal");
    sandbox.deploy(["twice"]).fails_with(2).says("called by what is done on hosts already");
}

#[test]
fn programs_learn_the_host_from_json() {
    let (sandbox, _sshd) = hosts("[tasks.up]\nsteps = [{ run = \"echo hi\", on = \"web1\" }]\n");
    let ended = sandbox.deploy(["--output", "json", "up"]);
    ended.succeeds().shows(r#""host":"web1","event":"output""#).shows(r#""text":"hi\n""#);
}

#[test]
fn ctrl_c_ends_what_runs_on_hosts_with_its_children_and_what_is_owed_is_done() {
    let (sandbox, _sshd) = hosts(
        r#"
        [settings]
        grace = "1s"
        [tasks.long]
        on = "web"
        always = "echo cleaned {{ host }}"
        run = "trap 'echo got it; exit 4' INT; sh -c 'exec 9>SANDBOX/tmp/held; echo up; read x < SANDBOX/tmp/never' & wait"
        "#,
    );
    sandbox.shell("mkfifo ../tmp/never").succeeds();
    let leash = sandbox.leash("held");
    let running = sandbox.start(["staging", "long"]);
    running.wait_for("web1 | up").wait_for("web2 | up");
    running.signal(Signal::INT);
    let ended = running.wait();
    ended.fails_with(130).mentions("got it").mentions("cleaned web1").mentions("cleaned web2");
    leash.wait_for_release();
}

#[test]
fn a_timeout_ends_what_runs_on_a_host() {
    let (sandbox, _sshd) = hosts(
        r#"
        [settings]
        grace = "1s"
        [tasks.long]
        steps = [{ run = "trap '' TERM; exec 9>SANDBOX/tmp/held; echo up; while :; do read x < SANDBOX/tmp/never; done", on = "web1", timeout = "1s" }]
        "#,
    );
    sandbox.shell("mkfifo ../tmp/never").succeeds();
    let leash = sandbox.leash("held");
    sandbox.deploy(["long"]).fails_with(124).says("timed out");
    leash.wait_for_release();
}

#[test]
fn what_runs_on_a_host_ends_with_a_deploy_that_is_killed() {
    let (sandbox, _sshd) = hosts(
        "[settings]\ngrace = '1s'\n[tasks.long]\nsteps = [{ run = 'exec 9>SANDBOX/tmp/held; echo up; read x < SANDBOX/tmp/never', on = 'web1' }]\n",
    );
    sandbox.shell("mkfifo ../tmp/never").succeeds();
    let leash = sandbox.leash("held");
    let running = sandbox.start(["long"]);
    running.wait_for("up").signal(Signal::KILL);
    leash.wait_for_release();
    running.wait().fails_with(-9);
}

#[test]
fn a_second_ctrl_c_kills_what_runs_on_a_host() {
    let (sandbox, _sshd) = hosts(
        "[tasks.long]\nsteps = [{ run = \"trap '' INT TERM; exec 9>SANDBOX/tmp/held; echo up; while :; do read x < SANDBOX/tmp/never; done\", on = 'web1' }]\n",
    );
    sandbox.shell("mkfifo ../tmp/never").succeeds();
    let leash = sandbox.leash("held");
    let running = sandbox.start(["long"]);
    running.wait_for("up").signal(Signal::INT).wait_for("stopping").signal(Signal::INT);
    running.wait().fails_with(130);
    leash.wait_for_release();
}

#[test]
fn fail_fast_ends_what_runs_on_hosts() {
    let (sandbox, _sshd) = hosts(
        r#"
        [tasks.long]
        steps = [{ run = "exec 9>SANDBOX/tmp/held; echo up > SANDBOX/tmp/up; read x < SANDBOX/tmp/never", on = "web1" }]
        [tasks.bad]
        run = "read x < SANDBOX/tmp/up; exit 3"
        "#,
    );
    sandbox.shell("mkfifo ../tmp/never ../tmp/up").succeeds();
    let leash = sandbox.leash("held");
    sandbox.deploy(["--fail-fast", "-j", "2", "long", "bad"]).fails_with(3);
    leash.wait_for_release();
}

#[test]
fn a_connection_that_breaks_is_told_and_what_ran_there_ends_by_itself() {
    let (sandbox, sshd) = hosts(
        "[settings]\ngrace = '1s'\n[tasks.long]\nsteps = [{ run = 'exec 9>SANDBOX/tmp/held; echo up; read x < SANDBOX/tmp/never', on = 'web1' }]\n",
    );
    sandbox.shell("mkfifo ../tmp/never").succeeds();
    let leash = sandbox.leash("held");
    let running = sandbox.start(["long"]);
    running.wait_for("up");
    sshd.cut("web1");
    running.wait().fails_with(1).says("the connection to web1 was lost while it ran");
    leash.wait_for_release();
}

#[test]
fn what_a_step_leaves_running_on_a_host_is_told_and_stays() {
    let (sandbox, _sshd) = hosts(
        r#"
        [tasks.start]
        steps = [{ run = "(exec 9>SANDBOX/tmp/held; read x < SANDBOX/tmp/never) & echo started", on = "web1" }]
        "#,
    );
    sandbox.shell("mkfifo ../tmp/never").succeeds();
    let leash = sandbox.leash("held");
    sandbox.deploy(["start"]).succeeds().shows("web1 | started").says("is left running");
    sandbox.shell("echo go > ../tmp/never").succeeds();
    leash.wait_for_release();
}

#[test]
fn tries_and_forgiveness_are_those_of_each_host() {
    let (sandbox, _sshd) = hosts(
        r#"
        [tasks.up]
        steps = [
          { run = "echo x >> SANDBOX/{{ host }}; test {{ host }} = web1 || test $(wc -l < SANDBOX/web2) = 2", on = "web", retry = { times = 3, wait = "1ms" } },
          { run = "exit 5", on = "web", allow_failure = true, if = "host == 'web2'" },
        ]
        "#,
    );
    let ended = sandbox.deploy(["staging", "up"]);
    ended
        .succeeds()
        .says("on web2` failed with exit code 1; try 1 of 3")
        .says("on web2` failed with exit code 5; going on");
    ended.never_mentions("on web1` failed");
    assert_eq!((sandbox.read("../web1"), sandbox.read("../web2")), ("x\n".to_owned(), "x\nx\n".to_owned()));
}

#[test]
fn a_failed_run_takes_back_what_it_did_on_each_host() {
    let (sandbox, _sshd) = hosts(
        r#"
        [tasks.up]
        steps = [
          { run = "touch SANDBOX/hosts/{{ host }}/up", on = "web", undo = "rm SANDBOX/hosts/{{ host }}/up; echo back on $DEPLOY_HOST" },
          "exit 3",
        ]
        "#,
    );
    let ended = sandbox.deploy(["staging", "up"]);
    ended.fails_with(3).mentions("back on web1").mentions("back on web2");
    assert!(!sandbox.path("hosts/web1/up").exists() && !sandbox.path("hosts/web2/up").exists());
}

#[test]
fn what_a_killed_run_owes_on_a_host_is_done_by_recover() {
    let (sandbox, _sshd) = hosts(
        r#"
        [tasks.up]
        on = "web1"
        always = "echo cleaned on $DEPLOY_HOST"
        run = "echo up; read x < SANDBOX/tmp/never"
        "#,
    );
    sandbox.shell("mkfifo ../tmp/never").succeeds();
    let running = sandbox.start(["up"]);
    running.wait_for("up").signal(Signal::KILL);
    running.wait().fails_with(-9);
    sandbox.deploy(["recover"]).succeeds().shows("web1 | cleaned on web1");
}

/// A `sudo` that wants this password: what the real one does, where a test may not make users and their rights.
const SUDO: &str = r#"#!/bin/sh
case "$*" in
"-S -p  -v") read -r given; [ "$given" = hunter2-hunter2 ] && touch SANDBOX/knows || { echo "sudo: 1 incorrect password attempt" >&2; exit 1; } ;;
"-n -u "*" -- sh -c "*) [ -e SANDBOX/knows ] || { echo "sudo: a password is required" >&2; exit 1; }
    user=$3; shift 4; AS=$user exec "$@" ;;
*) echo "sudo: $*" >&2; exit 1 ;;
esac
"#;

#[test]
fn sudo_is_told_its_password_by_stdin_and_says_itself_what_it_refuses() {
    let (sandbox, _sshd) = hosts(
        r#"
        [secrets]
        PASSWORD = { env = "PASSWORD" }
        [hosts.web3]
        ssh = "web1"
        sudo_password = "PASSWORD"
        [tasks.without]
        on = "web1"
        sudo = true
        run = "echo as $AS"
        [tasks.with]
        on = "web3"
        sudo = "www-data"
        steps = ["echo as $AS on {{ host }}; env; tr '\\0' ' ' < /proc/$PPID/cmdline", { run = "echo as $AS", sudo = true }]
        "#,
    );
    sandbox.executable("bin/sudo", SUDO);
    sandbox
        .deploy(["without"])
        .fails_with(1)
        .says("a password is required")
        .says("[hosts.web1] sudo_password");
    let sandbox = sandbox.env("PASSWORD", "wrong-one");
    sandbox.deploy(["with"]).fails_with(1).says("1 incorrect password attempt").says("look at the secret");
    let sandbox = sandbox.env("PASSWORD", "hunter2-hunter2");
    let ended = sandbox.deploy(["with"]);
    ended.succeeds().shows("web3 | as www-data on web3").shows("web3 | as root").never_mentions("hunter2");
}

#[test]
fn a_host_that_never_answers_is_given_up_after_its_time() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let (sandbox, _sshd) = hosts(&format!(
        "[hosts.silent]\nssh = 'ssh://{address}'\ntimeout = '1s'\n[tasks.up]\non = 'silent'\nrun = 'true'\n"
    ));
    sandbox.deploy(["up"]).fails_with(255).says("silent").says("timed out").says("is the host up");
}

#[test]
fn jump_hosts_and_names_are_those_of_the_users_own_settings() {
    let (sandbox, sshd) =
        hosts("[hosts.inner]\nssh = 'behind'\n[tasks.up]\non = 'inner'\nrun = 'echo in {{ host }}'\n");
    let config = std::fs::read_to_string(sshd.config()).unwrap();
    let of_web2 = config.split("Host ").find(|part| part.starts_with("web2\n")).unwrap();
    let behind = of_web2.replacen("web2", "behind", 1) + "    ProxyJump web1\n";
    sandbox.write("../ssh/config", &format!("Host {behind}{config}"));
    sandbox.deploy(["up"]).succeeds().prints("inner | in inner\n");
    assert!(
        sshd.log("web1").contains("Accepted publickey") && sshd.log("web2").contains("Accepted publickey")
    );
}

#[test]
fn so_many_hosts_are_acted_on_at_a_time_as_the_user_says_jobs_run() {
    let (sandbox, _sshd) = hosts(
        r#"
        [tasks.alone]
        steps = [{ run = "mkdir SANDBOX/alone && sleep 0.1 && rmdir SANDBOX/alone", on = "all" }]
        [tasks.together]
        steps = [{ run = """
        touch SANDBOX/here-{{ host }}
        until [ -e SANDBOX/here-web1 ] && [ -e SANDBOX/here-web2 ] && [ -e SANDBOX/here-db1 ]; do sleep 0.1; done
        """, on = "all", timeout = "1m" }]
        "#,
    );
    sandbox.deploy(["-j", "1", "staging", "alone"]).succeeds();
    sandbox.deploy(["staging", "together"]).succeeds();
}
