//! Secrets: whence they come, what is told when one can't be had, and who must not have one.

use rustix::process::Signal;

use crate::support::{Running, Sandbox};

fn private(sandbox: &Sandbox, path: &str, text: &str) {
    sandbox.write(path, text);
    sandbox.shell(&format!("chmod 600 {path}")).succeeds();
}

#[test]
fn secrets_come_from_variables_files_commands_and_dotenv_files() {
    let sandbox = Sandbox::new()
        .env("CALLERS", " of the caller ")
        .tasks(
            r#"
            [environments.staging]
            [environments.production]
            [vars]
            folder = "keys"
            [secrets]
            OF_ENV = { env = "CALLERS" }
            OF_FILE = { file = "{{ folder }}/file" }
            OF_HOME = { file = "~/file" }
            OF_COMMAND = { command = ["sh", "-c", "printf 'of %s\n\n' \"$1\"; echo loud >&2", "sh", "{{ environment }}"] }
            OF_DOTENV = { dotenv = "keys/env", key = "KEY" }
            [tasks.show]
            secrets = ["OF_ENV", "OF_FILE", "OF_HOME", "OF_COMMAND", "OF_DOTENV"]
            run = 'printf "<%s>" "$OF_ENV" "$OF_FILE" "$OF_HOME" "$OF_COMMAND" "$OF_DOTENV" > got'
            "#,
        );
    private(&sandbox, "keys/file", "of\na file\r\n");
    private(&sandbox, "keys/env", "KEY=no\nKEY='of a dotenv file'\n");
    private(&sandbox, "../home/file", "of home");
    let ended = sandbox.deploy(["staging", "show"]);
    ended.succeeds().prints("").never_mentions("read").never_mentions("loud");
    let got = "< of the caller ><of\na file><of home><of staging\n><of a dotenv file>";
    assert_eq!(sandbox.read("got"), got);
    sandbox.deploy(["staging", "show", "production", "show"]).succeeds();
    assert_eq!(sandbox.read("got"), got.replace("staging", "production"));
}

#[test]
fn age_decrypts_with_the_identity_that_is_named_first() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [secrets]
        NAMED = { age = "named.age", identity = "~/mine" }
        OTHER = { age = "other.age" }
        [tasks.show]
        run = "printf %s-%s {{ secret.NAMED }} {{ secret.OTHER }} > got"
        [tasks.named]
        run = "printf %s {{ secret.NAMED }} > got"
        "#,
    );
    let made = sandbox.shell(
        r#"
        umask 077; mkdir -p "$HOME/.config/deploy"
        encrypt() { echo "$2" | age -r "$(age-keygen -y "$1")" -o "$3"; }
        for key in mine theirs other; do age-keygen -o "$HOME/$key" 2>/dev/null; done
        encrypt "$HOME/mine" "named one" named.age
        encrypt "$HOME/other" "other one" other.age
        "#,
    );
    made.succeeds();
    sandbox
        .deploy(["show"])
        .fails_with(3)
        .says("the secret `OTHER` can't be had")
        .says(".config/deploy/identity` with an identity of age (the default says so)")
        .says("DEPLOY_AGE_IDENTITY");
    sandbox.shell(r#"cp "$HOME/other" "$HOME/.config/deploy/identity""#).succeeds();
    sandbox.deploy(["show"]).succeeds();
    assert_eq!(sandbox.read("got"), "named one-other one");
    let theirs = sandbox.path("home/theirs").display().to_string();
    let sandbox = sandbox.env("DEPLOY_AGE_IDENTITY", &theirs);
    sandbox
        .deploy(["show"])
        .fails_with(3)
        .says("the secret `OTHER` can't be had")
        .says("no identity matched");
    sandbox.deploy(["named"]).succeeds();
    let other = sandbox.path("home/other").display().to_string();
    sandbox.env("DEPLOY_AGE_IDENTITY", &other).deploy(["show"]).succeeds();
}

#[test]
fn what_can_not_be_had_is_told_all_at_once_before_anything_runs() {
    let sandbox = Sandbox::new()
        .env("GOOD", "hunter2!")
        .env("SHORT", "abc")
        .env("EMPTY", "")
        .file("latin", "KEY=1\n")
        .tasks(
            r#"
            [secrets]
            GOOD = { env = "GOOD" }
            UNSET = { env = "UNSET" }
            SHORT = { env = "SHORT" }
            EMPTY = { env = "EMPTY" }
            GONE = { file = "gone" }
            FAILS = { command = ["sh", "-c", "echo not this; echo \"wrong: $GOOD\" >&2; exit 7"] }
            NUL = { command = ["printf", 'half\000half'] }
            LATIN = { command = ["printf", 'half\377half'] }
            MISSING = { command = ["no-such-program"] }
            KEYLESS = { dotenv = "latin", key = "OTHER" }
            UNUSED = { env = "UNUSED" }
            [tasks.first]
            run = "touch ran"
            require = [{ run = "touch ran" }]
            [tasks.show]
            needs = ["first"]
            secrets = ["GOOD", "UNSET", "SHORT", "EMPTY", "GONE", "FAILS", "NUL", "LATIN", "MISSING", "KEYLESS"]
            run = "touch ran"
            "#,
        );
    let ended = sandbox.deploy(["show"]);
    ended
        .fails_with(3)
        .says("the secret `UNSET` can't be had: the variable `UNSET` is not set")
        .says("tasks.toml:4")
        .says("export UNSET=")
        .says("the secret `SHORT` can't be had: it is too short to mask")
        .says("the secret `EMPTY` can't be had: it is empty")
        .says("the secret `GONE` can't be had: `gone` can't be read: No such file")
        .says("failed with exit code 7: wrong: ***")
        .says("the secret `NUL` can't be had: it has a NUL")
        .says("the secret `LATIN` can't be had: it is no UTF-8")
        .says("there is no program `no-such-program`")
        .says("`latin` has no `OTHER`")
        .never_mentions("UNUSED")
        .never_mentions("not this\n")
        .never_mentions("hunter2!");
    assert!(!sandbox.has("ran") && !sandbox.has(".deploy"));
}

#[test]
fn a_later_part_of_the_command_line_is_asked_for_its_secrets_before_the_first_begins() {
    let sandbox = Sandbox::new().env("STAGING_KEY", "of staging").tasks(
        r#"
        [secrets]
        KEY = { env = "{{ environment | upper }}_KEY" }
        [environments.staging]
        [environments.production]
        [tasks.deploy]
        secrets = ["KEY"]
        run = "touch ran"
        "#,
    );
    sandbox.deploy(["staging", "production"]).fails_with(3).says("can't be had for production");
    assert!(!sandbox.has("ran"));
    sandbox.deploy(["staging"]).succeeds();
}

#[test]
fn commands_that_look_fetch_none() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [secrets]
        KEY = { command = ["touch", "fetched"] }
        [tasks.show]
        secrets = ["KEY"]
        run = "echo {{ secret.KEY }}"
        "#,
    );
    for looking in
        [vec!["plan", "show"], vec!["-n", "show"], vec![":show", "show"], vec!["list"], vec!["check"]]
    {
        Running::start(&mut sandbox.command(env!("CARGO_BIN_EXE_deploy"), &looking)).wait().succeeds();
    }
    assert!(!sandbox.has("fetched"));
    sandbox.deploy(["show"]).fails_with(3).says("it is empty");
    assert!(sandbox.has("fetched"));
}

#[test]
fn a_file_that_others_can_read_is_warned_about_once() {
    let sandbox = Sandbox::new().file("key", "a secret").file("env", "A=a secret\nB=another").tasks(
        r#"
        [secrets]
        FILE = { file = "key" }
        A = { dotenv = "env", key = "A" }
        B = { dotenv = "env", key = "B" }
        [tasks.show]
        secrets = ["FILE", "A", "B"]
        run = "true"
        "#,
    );
    sandbox.shell("chmod 640 key; chmod 604 env").succeeds();
    let ended = sandbox.deploy(["show"]);
    ended.succeeds().says("others can read `key`, which holds a secret: chmod 600 key\n");
    assert_eq!(ended.stderr.matches("chmod 600 env").count(), 1, "{ended}");
    sandbox.shell("chmod 600 key env").succeeds();
    sandbox.deploy(["show"]).succeeds().never_mentions("chmod");
}

#[test]
fn recover_says_which_secret_the_file_has_no_longer() {
    let tasks = r#"
        [tasks.t]
        run = "kill -9 $PPID"
        always = "touch done; test -n {{ secret.TOKEN }}"
        [secrets]
        "#;
    let sandbox =
        Sandbox::new().env("KEPT", "hunter2!").tasks(&format!("{tasks}TOKEN = {{ env = 'KEPT' }}\n"));
    let _killed = sandbox.deploy(["t"]);
    sandbox.write("tasks.toml", "[tasks.t]\nrun = 'true'\n");
    sandbox
        .deploy(["recover"])
        .fails_with(5)
        .says("the secret `TOKEN` is owed to a step, and [secrets] has it no longer");
    assert!(!sandbox.has("done"));
}

#[test]
fn an_interactive_task_sees_secrets_only_if_it_says_so() {
    let tasks = r#"
        [secrets]
        TOKEN = { env = "KEPT" }
        [tasks.console]
        interactive = true
        secrets = ["TOKEN"]
        run = "printf %s \"$TOKEN\" > got"
        [tasks.calls]
        steps = [{ task = "console" }, "echo {{ secret.TOKEN }}"]
        "#;
    let sandbox = Sandbox::new().env("KEPT", "hunter2!").tasks(tasks);
    sandbox
        .deploy(["console"])
        .fails_with(2)
        .says("`console` is interactive, so what it prints can't be masked, and it sees the secret `TOKEN`")
        .says("tasks.toml:4")
        .says("unmasked = true");
    sandbox.deploy(["check"]).fails_with(2).says("`calls` calls an interactive task");
    sandbox.write("tasks.toml", &tasks.replace("interactive = true", "interactive = true\nunmasked = true"));
    sandbox.deploy(["console"]).succeeds();
    assert_eq!(sandbox.read("got"), "hunter2!");
}

#[test]
fn output_is_not_held_back_for_a_letter_that_a_secret_begins_with() {
    let sandbox = Sandbox::new().env("KEPT", "hunter2!hunter2!").tasks(
        r#"
        [secrets]
        TOKEN = { env = "KEPT" }
        [tasks.t]
        secrets = ["TOKEN"]
        run = "printf 'Password: h'; asks; printf 'ush\n'; echo \"$TOKEN\""
        "#,
    );
    let gate = sandbox.gate("asks");
    let running = sandbox.start(["t"]);
    running.wait_for("Password: h");
    gate.open();
    running.wait().succeeds().prints("Password: hush\n***\n");
}

#[test]
fn ctrl_c_ends_a_command_that_is_asked_for_a_secret() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [secrets]
        TOKEN = { command = ["sh", "-c", "exec 9> SANDBOX/tmp/leash; asked"] }
        [tasks.t]
        secrets = ["TOKEN"]
        run = "touch ran"
        "#,
    );
    let (gate, leash) = (sandbox.gate("asked"), sandbox.leash("leash"));
    let running = sandbox.start(["t"]);
    gate.wait_for_arrival();
    running.signal(Signal::INT);
    running.wait().fails_with(130).says("nothing was done");
    leash.wait_for_release();
    assert!(!sandbox.has("ran"));
}
