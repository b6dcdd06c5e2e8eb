//! That no output, no file, no other task and no command line ever holds a secret, in any of its forms.

use std::fs;
use std::path::Path;

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
    sandbox.write("../tmp/key", SENTINEL);
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
