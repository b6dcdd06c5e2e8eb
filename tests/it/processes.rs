//! The processes of a task: in which folder and shell they run, what they are given, and where their output goes.

use crate::support::{Sandbox, snapshot};

#[test]
fn a_program_that_is_not_there_is_named() {
    let sandbox = Sandbox::new().tasks("[tasks.build]\nsteps = [{ exec = ['no-such-program', 'x'] }]\n");
    sandbox.deploy(["build"]).fails().says("no-such-program");
}

#[test]
fn lines_run_in_the_folder_of_the_file_unless_it_says_another() {
    let sandbox = Sandbox::new().file("web/assets/a.txt", "").tasks(
        r#"
        [tasks.here]
        run = "pwd"
        [tasks.there]
        dir = "web"
        run = "pwd"
        [tasks.deeper]
        dir = "web"
        steps = [{ run = "pwd", dir = "web/assets" }]
        [tasks.nowhere]
        dir = "no/such"
        run = "pwd"
        "#,
    );
    let at = |path: &str| format!("{}\n", sandbox.path(path).display());
    sandbox.deploy(["here"]).prints(&at("shop"));
    sandbox.deploy_in("web/assets", ["here"]).prints(&at("shop"));
    sandbox.deploy(["there"]).prints(&at("shop/web"));
    sandbox.deploy(["deeper"]).prints(&at("shop/web/assets"));
    sandbox.deploy(["nowhere"]).fails().says("no/such");
}

#[test]
fn each_line_has_its_own_shell_and_a_script_one() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [tasks.lines]
        run = ["word=kept", "echo ${word-lost}"]
        [tasks.script]
        run = """
        word=kept
        echo ${word-lost}
        """
        "#,
    );
    sandbox.deploy(["lines"]).succeeds().prints("lost\n");
    sandbox.deploy(["script"]).succeeds().prints("kept\n");
}

#[test]
fn another_shell_can_be_chosen() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [settings]
        shell = ["sh", "-c"]
        [tasks.lenient]
        run = "false; echo went on"
        [tasks.strict]
        shell = ["sh", "-eu", "-c"]
        run = "false; echo went on"
        "#,
    );
    sandbox.deploy(["lenient"]).succeeds().prints("went on\n");
    sandbox.deploy(["strict"]).fails_with(1);
}

const SIMPLE: &str = r#"
[vars]
x = "two words"
[tasks.words]
run = "expr {{ x }} : {{ x }}"
[tasks.env]
run = "env"
[tasks.missing]
run = "no-such-program x"
[tasks.barred]
run = "env barred"
[tasks.bare]
run = "bare-script x"
[tasks.code]
run = "expr 1 = 2"
"#;

#[test]
fn a_line_that_is_only_a_program_and_its_words_comes_to_what_a_shell_makes_of_it() {
    let sandbox = Sandbox::new().file("barred", "");
    // A script that does not say who reads it, which only shells start.
    sandbox.executable("bare-script", "echo $# $1\n");
    let path = format!("{}:{}", sandbox.root().display(), std::env::var("PATH").unwrap());
    let sandbox = sandbox.env("PATH", &path);
    for task in ["words", "env", "missing", "barred", "bare", "code"] {
        let [without, with] = ["", "[settings]\nshell = ['sh', '-eu', '-c']\n"].map(|shell| {
            sandbox.write("tasks.toml", &format!("{SIMPLE}{shell}"));
            let ended = sandbox.deploy([task]);
            // But for the number of the run, the time that it took, and the name by which the shell was started.
            let lines = [ended.stdout.lines(), ended.stderr.lines()].into_iter().flatten();
            let lines = lines
                .filter(|line| !line.starts_with("DEPLOY_RUN"))
                .map(|line| line.replace("/usr/bin/sh:", "sh:").replace("/bin/sh:", "sh:"));
            let mut lines: Vec<String> =
                lines.map(|line| line.split(" after ").next().unwrap_or_default().to_owned()).collect();
            lines.sort();
            (ended.code, lines)
        });
        assert_eq!(without, with, "{task}");
    }
}

#[test]
fn a_line_that_is_only_a_program_and_its_words_has_no_shell_unless_the_file_names_one() {
    let sandbox = Sandbox::new().tasks(SIMPLE);
    sandbox.deploy(["-v", "words"]).succeeds().never_mentions("/bin/sh");
    let sandbox = Sandbox::new().tasks(&format!("[settings]\nshell = ['sh', '-eu', '-c']\n{SIMPLE}"));
    sandbox.deploy(["-v", "words"]).succeeds().says("/bin/sh");
}

#[test]
fn exec_starts_a_program_without_a_shell() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [vars]
        list = ["two words", "*"]
        [tasks.exec]
        steps = [{ exec = ["printf", "<%s>", "$HOME", "a  b", "; touch ran", "{{ list }}"] }]
        "#,
    );
    sandbox.deploy(["exec"]).succeeds().prints("<$HOME><a  b><; touch ran><two words><*>");
    assert!(!sandbox.has("ran"));
}

#[test]
fn variables_of_a_process_come_from_the_nearest_place() {
    let sandbox = Sandbox::new().env("SEEN", "caller").env("DEPLOY_ENVIRONMENT", "caller").tasks(
        r#"
        [environments.staging]
        env = { SEEN = "environment" }
        [environments.bare]
        [tasks.plain]
        run = "echo $SEEN"
        [tasks.task]
        env = { SEEN = "task" }
        run = "echo $SEEN"
        [tasks.step]
        env = { SEEN = "task" }
        steps = [{ run = "echo $SEEN", env = { SEEN = "step" } }]
        [tasks.own]
        run = "echo $DEPLOY_ENVIRONMENT"
        [tasks.overridden]
        env = { DEPLOY_ENVIRONMENT = "task" }
        run = "echo $DEPLOY_ENVIRONMENT"
        "#,
    );
    sandbox.deploy(["plain"]).succeeds().prints("caller\n");
    sandbox.deploy(["bare", "plain"]).succeeds().prints("caller\n");
    sandbox.deploy(["staging", "plain"]).succeeds().prints("environment\n");
    sandbox.deploy(["staging", "task"]).succeeds().prints("task\n");
    sandbox.deploy(["staging", "step"]).succeeds().prints("step\n");
    sandbox.deploy(["staging", "own"]).succeeds().prints("staging\n");
    sandbox.deploy(["staging", "overridden"]).succeeds().prints("task\n");
}

#[test]
fn a_process_knows_the_commit_and_the_environment() {
    let sandbox = Sandbox::new()
        .tasks(
            r#"
            [environments.staging]
            [tasks.show]
            run = 'echo "$DEPLOY_ENVIRONMENT $DEPLOY_COMMIT"'
            "#,
        )
        .git();
    let shown = format!("staging {}\n", sandbox.repository().head());
    sandbox.deploy(["staging", "show"]).succeeds().prints(&shown);
    sandbox.deploy(["-e", "staging", "show"]).succeeds().prints(&shown);
    sandbox.deploy(["show", "--environment", "staging"]).succeeds().prints(&shown);
}

#[test]
fn the_streams_of_a_child_stay_apart() {
    let sandbox = Sandbox::new().tasks("[tasks.talk]\nrun = 'echo out; echo err >&2'\n");
    let ended = sandbox.deploy(["talk"]);
    ended.succeeds().prints("out\n").says("err");
    snapshot!(sandbox.deploy(["--quiet", "talk"]), @r"
    -- stdout
    out
    -- stderr
    err
    -- exit 0
    ");
}

#[test]
fn quiet_says_nothing_of_its_own_unless_something_fails() {
    let sandbox = Sandbox::new().tasks("[tasks.good]\nrun = 'true'\n[tasks.bad]\nrun = 'exit 3'\n");
    let good = sandbox.deploy(["-q", "good"]);
    good.succeeds().prints("");
    assert_eq!(good.stderr, "");
    sandbox.deploy(["-q", "bad"]).fails_with(3).says("bad");
}

#[test]
fn lines_of_several_jobs_bear_their_names() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [tasks.lint]
        run = "echo clean"
        [tasks.test]
        run = "echo passed"
        "#,
    );
    let ended = sandbox.deploy(["lint", "test"]);
    ended.succeeds();
    let mut lines: Vec<String> =
        ended.stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    lines.sort();
    assert_eq!(lines, ["lint | clean", "test | passed"]);
}

#[test]
fn what_follows_two_dashes_is_for_the_lines() {
    let sandbox = Sandbox::new().tasks("[tasks.test]\nrun = \"printf '<%s>' {{ args }}\"\n");
    sandbox
        .deploy(["test", "--", "-v", "two words", "$HOME", "--yes"])
        .succeeds()
        .prints("<-v><two words><$HOME><--yes>");
}

#[test]
fn a_step_reads_an_empty_stdin_and_is_not_asked_for_passwords() {
    let sandbox = Sandbox::new().tasks("[tasks.read]\nrun = ['wc -c', 'echo $GIT_TERMINAL_PROMPT']\n");
    let ended = sandbox.shell("echo from the caller | $DEPLOY read");
    ended.succeeds();
    let words: Vec<&str> = ended.stdout.split_whitespace().collect();
    assert_eq!(words, ["0", "0"]);
}

#[test]
fn verbose_tells_which_processes_are_started_and_never_what_they_are_given() {
    let sandbox = Sandbox::new().tasks("[vars]\nx = 'hunter2'\n[tasks.t]\nrun = 'true {{ x }}'\n");
    sandbox.deploy(["-v", "t"]).succeeds().says("/bin/sh").never_mentions("hunter2");
    assert_eq!(sandbox.deploy(["t"]).stderr, "");
}
