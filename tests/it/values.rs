//! Values: where they come from, which counts most, and that none of them ever becomes syntax.

use crate::support::Sandbox;

/// Strings that a shell would act on if they were pasted into a line. Each that does leaves a file `pwned`.
const PAYLOADS: [&str; 22] = [
    "$(touch pwned)",
    "`touch pwned`",
    "; touch pwned",
    "& touch pwned &",
    "| touch pwned",
    "> pwned",
    "\" ; touch pwned ; \"",
    "' ; touch pwned ; '",
    "\\\" ; touch pwned #",
    "\n touch pwned \n",
    "\ntouch pwned",
    "}; touch pwned; {",
    "); touch pwned; (",
    "${x:=$(touch pwned)}",
    "$((x[$(touch pwned)]))",
    "EOF\ntouch pwned\n",
    "\\\ntouch pwned",
    "*",
    "~",
    "a  b\tc",
    "{{ environment }}",
    "# ü € '\" \\",
];

/// Lines that write a value into the file `out`, and what they put around it.
const PLACES: [(&str, &str, &str); 11] = [
    ("printf %s {{ x }} > out", "", ""),
    (r#"printf %s "{{ x }}" > out"#, "", ""),
    (r#"printf %s "before {{ x }} after" > out"#, "before ", " after"),
    ("printf %s pre{{ x }}post > out", "pre", "post"),
    (r#"printf %s "$(printf %s {{ x }}.)" > out"#, "", "."),
    (r#"printf %s "$(printf %s "{{ x }}.")" > out"#, "", "."),
    ("y={{ x }}; printf %s \"$y\" > out", "", ""),
    ("for y in {{ x }}; do printf %s \"$y\" > out; done", "", ""),
    ("case {{ x }} in *) printf %s {{ x }} > out;; esac", "", ""),
    ("if true; then ( printf %s {{ x }} > out ); fi", "", ""),
    ("cat > out <<EOF\n{{ x }}.\nEOF", "", ".\n"),
];

#[test]
fn no_value_becomes_syntax() {
    for (place, before, after) in PLACES {
        let tasks = format!("[vars]\nx = 'unset'\n[tasks.write]\nrun = '''\n{place}\n'''\n");
        let sandbox = Sandbox::new().tasks(&tasks);
        for payload in PAYLOADS {
            sandbox.deploy(["--set", &format!("x={payload}"), "write"]).succeeds();
            assert!(!sandbox.has("pwned"), "{payload:?} was executed in {place:?}");
            assert_eq!(sandbox.read("out"), format!("{before}{payload}{after}"), "in {place:?}");
        }
    }
}

#[test]
fn no_value_of_the_file_becomes_syntax() {
    for payload in PAYLOADS.into_iter().filter(|payload| !payload.contains("{{")) {
        let written =
            payload.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\t', "\\t");
        let sandbox = Sandbox::new().tasks(&format!(
            "[vars]\nx = \"{written}\"\n[tasks.write]\nrun = 'printf %s {{{{ x }}}} > out'\n"
        ));
        sandbox.deploy(["write"]).succeeds();
        assert_eq!(sandbox.read("out"), payload);
        assert!(!sandbox.has("pwned"), "{payload:?} was executed");
    }
}

#[test]
fn values_reach_programs_and_variables_unchanged() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [vars]
        x = "unset"
        [tasks.exec]
        steps = [{ exec = ["printf", "%s", "{{ x }}"] }]
        [tasks.env]
        env = { X = "{{ x }}" }
        run = 'printf %s "$X"'
        [tasks.args]
        run = "printf %s {{ args }}"
        "#,
    );
    for payload in PAYLOADS {
        let set = format!("x={payload}");
        sandbox.deploy(["--set", &set, "exec"]).succeeds().prints(payload);
        sandbox.deploy(["--set", &set, "env"]).succeeds().prints(payload);
        sandbox.deploy(["args", "--", payload]).succeeds().prints(payload);
    }
    assert!(!sandbox.has("pwned"));
}

#[test]
fn a_branch_can_have_any_name() {
    let sandbox = Sandbox::new().tasks("[tasks.show]\nrun = 'printf %s {{ branch }}'\n").git();
    let name = "$(touch${IFS}pwned);touch";
    sandbox.repository().git(["switch", "--quiet", "--create", name]);
    sandbox.deploy(["show"]).succeeds().prints(name);
    assert!(!sandbox.has("pwned"));
}

#[test]
fn a_list_becomes_separate_words() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [vars]
        apps = ["two words", "*", "$HOME"]
        none = []
        [tasks.words]
        run = "printf '<%s>' {{ apps }} end"
        [tasks.none]
        run = "printf '<%s>' begin {{ none }} end"
        "#,
    );
    sandbox.deploy(["words"]).succeeds().prints("<two words><*><$HOME><end>");
    sandbox.deploy(["none"]).succeeds().prints("<begin><end>");
}

#[test]
fn what_is_found_out_when_it_is_wanted_is_one_word() {
    let sandbox = Sandbox::new()
        .tasks(
            r#"
            [vars]
            version = { command = ["echo", "1.2"] }
            [tasks.show]
            run = 'B={{ branch }}; printf "<%s>" v{{ version }} on-{{ commit_short }} "$B"'
            "#,
        )
        .git();
    let short = sandbox.repository().head()[..8].to_owned();
    sandbox.deploy(["check"]).succeeds();
    sandbox.deploy(["show"]).succeeds().prints(&format!("<v1.2><on-{short}><main>"));
}

#[test]
fn the_nearest_variable_counts_and_set_beats_all() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [vars]
        word = "project"
        branch = "a variable beats a built-in name"
        [environments.staging]
        vars = { word = "environment" }
        [tasks.plain]
        run = "echo {{ word }}"
        [tasks.own]
        vars = { word = "task" }
        run = "echo {{ word }}"
        [tasks.built-in]
        run = "echo {{ branch }}"
        "#,
    );
    sandbox.deploy(["plain"]).succeeds().prints("project\n");
    sandbox.deploy(["staging", "plain"]).succeeds().prints("environment\n");
    sandbox.deploy(["staging", "own"]).succeeds().prints("task\n");
    sandbox.deploy(["own"]).succeeds().prints("task\n");
    sandbox.deploy(["--set", "word=set", "staging", "own"]).succeeds().prints("set\n");
    sandbox.deploy(["own", "--set", "word=a=b"]).succeeds().prints("a=b\n");
    sandbox.deploy(["built-in"]).succeeds().prints("a variable beats a built-in name\n");
}

#[test]
fn variables_may_be_made_of_others() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [vars]
        host = "{{ app }}.example.com"
        app = "shop"
        port = 8000
        debug = true
        [environments.staging]
        vars = { app = "staging" }
        url = "https://{{ host }}:{{ port }}/"
        [tasks.show]
        run = "echo {{ url }} {{ debug }}"
        "#,
    );
    sandbox.deploy(["staging", "show"]).succeeds().prints("https://staging.example.com:8000/ true\n");
}

#[test]
fn a_variable_made_of_itself_is_refused() {
    let sandbox = Sandbox::new()
        .tasks("[vars]\na = '{{ b }}'\nb = '{{ a }}'\n[tasks.show]\nrun = ['touch ran', 'echo {{ a }}']\n");
    sandbox.deploy(["show"]).fails_with(2).says("tasks.toml:");
    assert!(!sandbox.has("ran"));
}

#[test]
fn the_built_in_names() {
    let sandbox = Sandbox::new()
        .tasks(
            r#"
            [project]
            name = "bookshop"
            [environments.staging]
            url = "https://staging.example.com"
            [tasks.show]
            run = 'printf "%s\n" {{ environment }} {{ url }} {{ project }} {{ root }} {{ commit }} {{ branch }} {{ env.USER }}'
            [tasks.short]
            run = "echo {{ commit_short }}"
            [tasks.run]
            run = "echo {{ run }}"
            "#,
        )
        .git();
    let (root, head) = (sandbox.root(), sandbox.repository().head());
    let shown =
        format!("staging\nhttps://staging.example.com\nbookshop\n{}\n{head}\nmain\nada\n", root.display());
    sandbox.deploy(["staging", "show"]).succeeds().prints(&shown);
    let short = sandbox.deploy(["short"]);
    short.succeeds();
    let word = short.stdout.trim();
    assert!(word.len() >= 7 && word.len() < 40 && head.starts_with(word), "{word} is not short for {head}");
    assert_ne!(
        sandbox.deploy(["run"]).stdout,
        sandbox.deploy(["run"]).stdout,
        "no two runs have the same id"
    );
}

#[test]
fn a_project_is_named_for_its_folder() {
    let sandbox = Sandbox::new().tasks("[tasks.show]\nrun = 'echo {{ project }}'\n");
    sandbox.deploy(["show"]).succeeds().prints("shop\n");
}

#[test]
fn expressions_have_filters_indexes_and_conditions() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [vars]
        apps = ["catalog", "orders"]
        debug = false
        [environments.staging]
        [tasks.show]
        run = '''printf '%s\n' {{ apps[1] | upper }} {{ "debug" if debug else "quiet" }} {{ environment == "staging" }} {{ apps | length }}'''
        "#,
    );
    sandbox.deploy(["staging", "show"]).succeeds().prints("ORDERS\nquiet\ntrue\n2\n");
}

#[test]
fn an_unknown_name_is_refused_with_its_place_before_anything_runs() {
    let sandbox = Sandbox::new().tasks(
        r#"[vars]
version = "1"
[tasks.first]
run = "touch ran"
[tasks.tag]
needs = ["first"]
run = "git tag {{ verison }}"
"#,
    );
    sandbox.deploy(["tag"]).fails_with(2).says("tasks.toml:7:").says("verison").says("version");
    assert!(!sandbox.has("ran"));
    sandbox.deploy(["--set", "verison=2", "tag"]).fails();
    assert!(!sandbox.has("ran"), "--set of a name that nobody knows is a slip of the pen");
}

#[test]
fn a_variable_of_the_environment_that_is_not_set_is_refused() {
    let sandbox =
        Sandbox::new().tasks("[tasks.show]\nrun = ['touch ran', 'echo {{ env.NOT_SET_ANYWHERE }}']\n");
    sandbox.deploy(["show"]).fails_with(2).says("NOT_SET_ANYWHERE").says("tasks.toml:2");
    assert!(!sandbox.has("ran"));
}

#[test]
fn what_can_not_be_bound_is_refused_with_the_mend() {
    let places = [
        "echo '{{ x }}'",
        "echo 'a {{ x }} b'",
        "echo `echo {{ x }}`",
        "cat <<'EOF'\n{{ x }}\nEOF",
        "cat <<\\EOF\n{{ x }}\nEOF",
        "true # {{ x }}",
        "echo $(( {{ x }} + 1 ))",
        "echo \"$(( {{ x }} + 1 ))\"",
        "(( {{ x }} > 1 ))",
        "[[ {{ x }} -eq 1 ]]",
        "echo ${y:-{{ x }}}",
    ];
    for place in places {
        let sandbox = Sandbox::new().tasks(&format!(
            "[vars]\nx = '1'\n[tasks.bad]\nrun = \"\"\"\ntouch ran\n{}\n\"\"\"\n",
            place.replace('\\', "\\\\").replace('"', "\\\"")
        ));
        let refused = sandbox.deploy(["bad"]);
        refused.fails_with(2).says("tasks.toml:").says("help");
        assert!(!sandbox.has("ran"), "it ran: {place:?}");
        sandbox.deploy(["check"]).fails_with(2).says("tasks.toml:");
    }
}

#[test]
fn raw_pastes_what_stands_in_the_file_and_nothing_else() {
    let sandbox = Sandbox::new().tasks(
        r#"
        [vars]
        pipe = "| tr a-z A-Z"
        [tasks.show]
        run = "echo loud {{ raw(pipe) }}"
        [tasks.branch]
        run = "touch ran; echo {{ raw(branch) }}"
        "#,
    );
    sandbox.deploy(["show"]).succeeds().prints("LOUD\n");
    sandbox.deploy(["--set", "pipe=; touch ran", "show"]).fails_with(2);
    sandbox.deploy(["branch"]).fails_with(2);
    assert!(!sandbox.has("ran"));
}

#[test]
fn text_with_braces_can_be_written() {
    let sandbox = Sandbox::new().tasks(
        "[tasks.show]\nrun = \"echo ${HOME:+{}}\"\n[tasks.awk]\nrun = \"echo a b | awk '{ print $2 }'\"\n",
    );
    sandbox.deploy(["show"]).succeeds().prints("{}\n");
    sandbox.deploy(["awk"]).succeeds().prints("b\n");
}

#[test]
fn a_command_is_run_once_for_a_whole_command_line() {
    let shop = Sandbox::new().tasks(
        r#"
        [vars]
        stamp = { command = ["sh", "-c", "echo x >> ran; wc -l < ran"] }
        idle  = { command = ["sh", "-c", "touch idle"] }
        [environments.one]
        [environments.two]
        [tasks.deploy]
        confirm = "Really?"
        needs = ["other"]
        run = "echo {{ stamp }} in {{ environment }}"
        [tasks.other]
        run = "echo other {{ stamp }}"
        [tasks.left_out]
        only = ["none"]
        run = "echo {{ idle }}"
        [environments.none]
        "#,
    );
    let told = shop.deploy(["one", "two", "--yes", "--output", "stream"]);
    told.succeeds().prints("other 1\n1 in one\nother 1\n1 in two\n");
    assert_eq!(shop.read("ran").lines().count(), 1);
    assert!(!shop.path("shop/idle").exists());
}

#[test]
fn a_slice_of_a_value_is_a_value() {
    let shop = Sandbox::new().tasks(
        r#"
        [vars]
        tag = "v1.2.3"
        list = ["a", "b", "c"]
        [tasks.slices]
        run = "echo {{ tag[1:] }} {{ tag[:2] ~ tag[0] }} {{ list[1:] }} {{ env.WORD[1:3] }} {{ 'a[b' ~ list[0] }}"
        [tasks.unknown]
        run = "echo {{ tga[1:] }}"
        "#,
    );
    let shop = shop.env("WORD", "hello");
    shop.deploy(["slices"]).succeeds().prints("1.2.3 v1v b c el a[ba\n");
    shop.deploy(["unknown"]).fails_with(2).says("there is no value `tga`");
    shop.deploy(["check"]).fails_with(2).never_mentions("never used");
    let braces = Sandbox::new().tasks("[tasks.a]\nif = '{{ 1 == 1 }}'\nrun = 'true'\n");
    braces.deploy(["a"]).fails_with(2).says("without braces").says("if = \"1 == 1\"");
}
