//! Secrets: whence they come, who sees them, what is told when one can't be had; and that no output, no file and no
//! command line ever holds one.

use std::fs;
use std::path::Path;

use rustix::process::Signal;

use crate::support::{Ended, Running, Sandbox};

/// What must be nowhere: every form of it is another text.
const SENTINEL: &str = "s3nti/nel \"p@ss'w\u{f6}rd\"?";

/// Prints the secret in all forms that are to be masked, and at last byte by byte.
const FORMS: &str = r#"
import base64, json, os, shlex, sys, urllib.parse
secret = os.environ["TOKEN"]
b64, quote = (lambda s: base64.b64encode(s.encode()).decode()), urllib.parse.quote
for form in [
    secret, f"https://user:{secret}@example.com/", b64(secret), b64("user:" + secret), b64("u:" + secret),
    b64(secret + "\n"), base64.urlsafe_b64encode(secret.encode()).decode().rstrip("="),
    quote(secret), quote(secret, safe=""), quote(secret).lower(), urllib.parse.quote_plus(secret),
    json.dumps({"token": secret}), json.dumps(secret, ensure_ascii=False), json.dumps(secret).replace("/", "\\/"),
    shlex.quote(secret), "'" + secret.replace("'", "'\\''") + "'",
]:
    for stream in sys.stdout, sys.stderr:
        print(form, file=stream, flush=True)
for byte in (secret + "\n").encode():
    os.write(1, bytes([byte]))
"#;

fn at_work(tasks: &str) -> Sandbox {
    Sandbox::new().tasks(tasks).file("forms.py", FORMS).env("KEPT", SENTINEL).env("PYTHONIOENCODING", "utf-8")
}

/// What `forms.py` prints where nobody masks it, without what stands around the secret.
fn forms(sandbox: &Sandbox) -> Vec<String> {
    let ended = Running::start(sandbox.command("python3", &["forms.py"]).env("TOKEN", SENTINEL)).wait();
    let inner = |line: &str| match line.strip_prefix("https://user:") {
        Some(rest) => rest.trim_end_matches("@example.com/").to_owned(),
        // Letters of base64 at the borders belong to the neighbours too.
        None => line.trim_matches(['\'', '"', '=', '{', '}']).trim_start_matches("token\": \"").to_owned(),
    };
    let forms: Vec<String> = ended.stdout.lines().map(inner).collect();
    assert!(forms.len() == 17 && forms.iter().all(|form| form.len() > 20), "{forms:#?}");
    forms
}

#[track_caller]
fn has_none(text: &str, forms: &[String]) {
    for form in forms {
        // Also no large part of it.
        let middle: String = form.chars().skip(6).take(12).collect();
        assert!(!text.contains(&middle), "`{form}` leaked:\n{text}");
    }
}

/// Every file under a folder, as text.
fn all_files(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            text += &all_files(&path);
        } else {
            text += &String::from_utf8_lossy(&fs::read(&path).expect("a readable file"));
        }
    }
    text
}

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
        .env("GOOD", SENTINEL)
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
        .never_mentions("s3nti");
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
fn only_who_names_a_secret_sees_it() {
    let sandbox = at_work(
        r#"
        [secrets]
        TOKEN = { env = "KEPT" }
        [tasks.named]
        secrets = ["TOKEN"]
        run = "env > named"
        [tasks.step]
        steps = [{ run = "env > with", secrets = ["TOKEN"] }, "env > without"]
        [tasks.bound]
        run = ["printf %s {{ secret.TOKEN }} > bound", "env > beside"]
        [tasks.other]
        run = "env > other"
        [tasks.all]
        needs = ["named", "step", "bound", "other"]
        "#,
    );
    sandbox.deploy(["all"]).succeeds();
    assert!(sandbox.read("named").contains(&format!("TOKEN={SENTINEL}\n")));
    assert!(sandbox.read("with").contains(&format!("TOKEN={SENTINEL}\n")));
    assert_eq!(sandbox.read("bound"), SENTINEL);
    for file in ["without", "beside", "other"] {
        assert!(!sandbox.read(file).contains("s3nti"), "{file}");
    }
    assert!(!sandbox.read("named").contains("KEPT="), "who names it has it under its own name alone");
    sandbox.deploy(["other"]).succeeds();
    assert!(!sandbox.read("other").contains("s3nti"), "a task alone has no more");
}

#[test]
fn a_variable_that_keeps_a_secret_is_not_read_as_text() {
    let sandbox = at_work(
        r#"
        [secrets]
        TOKEN = { env = "KEPT" }
        [tasks.t]
        steps = [{ exec = ["echo", "{{ env.KEPT }}"] }]
        [tasks.u]
        run = "echo {{ env.KEPT | default('none') }}"
        "#,
    );
    for task in ["t", "u"] {
        let ended = sandbox.deploy([task]);
        ended.fails_with(2).says("the variable `KEPT` keeps the secret `TOKEN`").says("{{ secret.TOKEN }}");
        ended.never_mentions("s3nti");
    }
}

#[test]
fn a_secret_is_on_no_command_line() {
    let sandbox = at_work(
        r#"
        [secrets]
        TOKEN = { env = "KEPT" }
        [tasks.t]
        secrets = ["TOKEN"]
        run = '''
        true {{ secret.TOKEN }} "and {{ secret.TOKEN }}"
        cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\000' '\n' > seen || true
        '''
        "#,
    );
    sandbox.deploy(["t"]).succeeds();
    let seen = sandbox.read("seen");
    assert!(seen.contains("true \"${_1}\""), "{seen}");
    assert!(!seen.contains("s3nti"), "{seen}");
}

#[test]
fn no_output_shows_a_secret_in_any_form() {
    let sandbox = at_work(
        r#"
        [secrets]
        TOKEN = { env = "KEPT" }
        [tasks.one]
        secrets = ["TOKEN"]
        run = "python3 forms.py"
        [tasks.two]
        secrets = ["TOKEN"]
        run = "python3 forms.py; exit 3"
        always = "python3 forms.py"
        [tasks.both]
        needs = ["one", "two"]
        "#,
    );
    let forms = forms(&sandbox);
    let clean = |ended: &Ended, masks: usize| {
        has_none(&ended.stdout, &forms);
        has_none(&ended.stderr, &forms);
        let found = ended.stdout.matches("***").count() + ended.stderr.matches("***").count();
        assert!(found >= masks, "{found} masks, {masks} expected:\n{ended}");
    };
    clean(sandbox.deploy(["one"]).succeeds(), 33);
    for output in ["stream", "prefixed", "grouped", "quiet", "json"] {
        clean(sandbox.deploy(["both", "-k", "--output", output]).fails_with(3), 33);
        clean(sandbox.deploy(["logs"]).ends(), 99);
    }
    clean(sandbox.deploy(["plan", "both"]).succeeds(), 0);
    clean(sandbox.deploy(["show", "two"]).succeeds(), 0);
    has_none(&all_files(&sandbox.root().join(".deploy")), &forms);
    let sandbox = sandbox.env("GITHUB_ACTIONS", "true");
    clean(sandbox.deploy(["both", "-k"]).fails_with(3), 99);
    has_none(&all_files(&sandbox.root().join(".deploy")), &forms);
}

#[test]
fn no_failure_shows_a_secret_that_came_by_another_way() {
    let sandbox = at_work(
        r#"
        [secrets]
        TOKEN = { env = "KEPT" }
        [tasks.missing]
        secrets = ["TOKEN"]
        steps = [{ exec = ["/none/{{ env.SAME }}"], allow_failure = true }, { exec = ["/none/{{ env.SAME }}"] }]
        [tasks.unmet]
        secrets = ["TOKEN"]
        require = [{ run = "false {{ env.SAME }}" }]
        run = "true"
        [tasks.given]
        params = { token = {} }
        secrets = ["TOKEN"]
        run = "echo {{ token }}; exit 4"
        [tasks.gives]
        needs = [{ task = "given", with = { token = "{{ env.SAME }}" } }]
        "#,
    )
    .env("SAME", SENTINEL);
    let forms = forms(&sandbox);
    for (task, code) in [("missing", 127), ("unmet", 3), ("gives", 4)] {
        let ended = sandbox.deploy([task]);
        ended.fails_with(code).says("***");
        has_none(&format!("{ended}{}", sandbox.deploy(["logs"])), &forms);
    }
    has_none(&all_files(&sandbox.root().join(".deploy")), &forms);
}

#[test]
fn neither_the_ledger_nor_what_a_platform_says_shows_a_secret() {
    let sandbox = Sandbox::shop(
        r#"
        [secrets]
        TOKEN = { env = "KEPT" }
        [environments.staging]
        target = { git = "paas" }
        secrets = ["TOKEN"]
        [tasks.deploy]
        steps = [{ ship = true }, { run = "echo $TOKEN; exit 3", name = "fails" }]
        "#,
    )
    .remote("paas")
    .env("KEPT", SENTINEL)
    .env("PYTHONIOENCODING", "utf-8")
    .file("forms.py", FORMS);
    let forms = forms(&sandbox);
    sandbox.executable(
        "remotes/paas.git/hooks/pre-receive",
        &format!("#!/bin/sh\ncat <<'END'\n{SENTINEL}\nEND\n"),
    );
    let ended = sandbox.deploy(["staging"]);
    ended.fails_with(3).mentions("***");
    has_none(&format!("{ended}"), &forms);
    has_none(&format!("{}", sandbox.deploy(["history", "staging", "--json"])), &forms);
    let objects = sandbox.shell("git --git-dir .deploy/repository.git cat-file --batch-all-objects --batch");
    objects.succeeds().shows("staging");
    has_none(&objects.stdout, &forms);
    has_none(&all_files(&sandbox.root().join(".deploy")), &forms);
}

#[test]
fn a_killed_run_owes_no_secret_and_recover_has_it_again() {
    let sandbox = at_work(
        r#"
        [secrets]
        TOKEN = { command = ["sh", "-c", "cat ../tmp/key"] }
        [environments.staging]
        [tasks.t]
        secrets = ["TOKEN"]
        always = ["printf '%s|' \"$TOKEN\" >> log; python3 forms.py"]
        steps = [
          { run = "true", undo = "printf '%s|' {{ secret.TOKEN }} >> log" },
          { run = "kill -9 $PPID" },
        ]
        [tasks.plain]
        always = ["printf 'plain|' >> log"]
        run = "kill -9 $PPID"
        "#,
    );
    let forms = forms(&sandbox);
    private(&sandbox, "../tmp/key", SENTINEL);
    let _killed = sandbox.deploy(["staging", "t"]);
    let _killed = sandbox.deploy(["plain"]);
    has_none(&all_files(&sandbox.root().join(".deploy")), &forms);
    sandbox.shell("mv ../tmp/key ../tmp/away").succeeds();
    let ended = sandbox.deploy(["recover"]);
    ended
        .fails_with(5)
        .says("the secret `TOKEN` can't be had for staging")
        .says("stays owed, for want of the secret `TOKEN`");
    assert_eq!(sandbox.read("log"), "plain|");
    sandbox.shell("mv ../tmp/away ../tmp/key").succeeds();
    let ended = sandbox.deploy(["recover"]);
    ended.succeeds().shows("***");
    has_none(&format!("{ended}"), &forms);
    assert_eq!(sandbox.read("log"), format!("plain|{SENTINEL}|{SENTINEL}|"));
    has_none(&all_files(&sandbox.root().join(".deploy")), &forms);
    sandbox.deploy(["recover"]).succeeds().prints("nothing is owed: every run has ended\n");
}

#[test]
fn recover_says_which_secret_the_file_has_no_longer() {
    let tasks = r#"
        [tasks.t]
        run = "kill -9 $PPID"
        always = "touch done; test -n {{ secret.TOKEN }}"
        [secrets]
        "#;
    let sandbox = at_work(&format!("{tasks}TOKEN = {{ env = 'KEPT' }}\n"));
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
    let sandbox = at_work(tasks);
    sandbox
        .deploy(["console"])
        .fails_with(2)
        .says("`console` is interactive, so what it prints can't be masked, and it sees the secret `TOKEN`")
        .says("tasks.toml:4")
        .says("unmasked = true");
    sandbox.deploy(["check"]).fails_with(2).says("`calls` calls an interactive task");
    sandbox.write("tasks.toml", &tasks.replace("interactive = true", "interactive = true\nunmasked = true"));
    sandbox.deploy(["console"]).succeeds();
    assert_eq!(sandbox.read("got"), SENTINEL);
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
