//! Completion, in the shells themselves: what each offers, and what arrives at the program when it is taken.
//! A shell that is not there fails its test; `tests/run` installs it.

use crate::support::{Ended, Sandbox};

const SHOP: &str = r#"
[vars]
python = "python3"

[environments.staging]
about  = "Where a release is tried out"
target = { git = "x" }

[environments.production]
target = { git = "x" }
deploy = "release"

[tasks.release]
params.slowly = { type = "bool" }
run           = "true"

[tasks.scale]
about   = "Set the number\tof workers"
aliases = ["resize"]
run     = "touch ran"

[tasks.scale.params]
count  = { type = "int", short = "c", about = "How many" }
size   = { choices = ["small one", "it's big", "x:y", "$HOME; touch ran"] }
cache  = { type = "bool" }
dump   = { type = "path" }
base   = { type = "git-ref", positional = true, default = "main" }
colour = { positional = true, choices = ["red", "green"], many = true, default = "red" }

[tasks.status-page]
run = "touch ran"

[tasks.status]
private = true
run     = "touch ran"
"#;

fn shop() -> Sandbox {
    let sandbox = Sandbox::shop(SHOP).file("a file.txt", "").file("tools/tool.txt", "");
    sandbox.program_that_tells_its_words();
    sandbox
}

/// The candidates for the last word, without what they are.
#[track_caller]
fn offered<const N: usize>(sandbox: &Sandbox, words: [&str; N]) -> Vec<String> {
    let words: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let ended = sandbox.shell(&format!("\"$DEPLOY\" :complete {}", words.join(" ")));
    assert_eq!(
        (ended.succeeds().stderr.as_str(), sandbox.has("ran"), sandbox.has(".deploy")),
        ("", false, false)
    );
    ended.stdout.lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned()).collect()
}

#[track_caller]
fn offers<const N: usize>(sandbox: &Sandbox, words: [&str; N], wanted: &[&str]) {
    assert_eq!(offered(sandbox, words), wanted, "{words:?}");
}

#[test]
fn the_first_word_is_a_name_of_the_users_or_a_command() {
    let sandbox = shop();
    let first = sandbox.shell("\"$DEPLOY\" :complete sta");
    first.succeeds().shows("staging\tWhere a release is tried out\nproduction\tan environment\n");
    first
        .shows("scale\tSet the number of workers\n")
        .shows("resize\tis scale\n")
        .shows("\nlist\tShow the env");
    let names = offered(&sandbox, [""]);
    assert!(
        !names.contains(&"status".to_owned()),
        "the user's own name hides the command, and is private: {names:?}"
    );
    assert!(offered(&sandbox, [":"]).contains(&":status".to_owned()));
}

#[test]
fn further_words_are_names_that_are_not_there_yet() {
    let sandbox = shop();
    offers(&sandbox, ["staging", ""], &["production", "release", "scale", "status-page", "resize"]);
    offers(&sandbox, ["plan", "production", ""], &["staging", "release", "scale", "status-page", "resize"]);
    offers(&sandbox, ["graph", "staging", "status-page", "r"], &["production", "release", "scale", "resize"]);
    offers(&sandbox, ["-j", "3", "history", ""], &["staging", "production"]);
    offers(&sandbox, [":status", ""], &["staging", "production"]);
    offers(&sandbox, ["diff", ""], &["staging", "production"]);
    offers(&sandbox, ["compare", ""], &["staging", "production"]);
    offers(&sandbox, ["compare", "staging", ""], &["production"]);
    offers(&sandbox, ["completions", ""], &["bash", "zsh", "fish"]);
    offers(&sandbox, ["history", "staging", ""], &[]);
    assert_eq!(offered(&sandbox, ["show", ""])[..2], ["staging", "production"]);
    assert!(offered(&sandbox, ["help", ""]).contains(&"history".to_owned()));
    offers(&sandbox, ["scale", "--", ""], &[""]);
}

#[test]
fn behind_a_task_come_its_parameters() {
    let sandbox = shop();
    sandbox.repository().git(["branch", "feature/a"]);
    sandbox.repository().git(["tag", "v1"]);
    let flags = offered(&sandbox, ["scale", "-"]);
    let own =
        ["--count", "-c", "--size", "--cache", "--no-cache", "--dump", "--base", "--colour", "--file", "-f"];
    assert_eq!(flags[..own.len()], own);
    assert!(!offered(&sandbox, ["scale", "-c", "3", "-"]).contains(&"--count".to_owned()), "given already");
    assert_eq!(offered(&sandbox, ["production", "-"])[..2], ["--slowly", "--no-slowly"]);
    offers(&sandbox, ["scale", "--size", ""], &["small one", "it's big", "x:y", "$HOME; touch ran"]);
    offers(&sandbox, ["scale", "--cache="], &["--cache=true", "--cache=false"]);
    offers(&sandbox, ["scale", "--count", ""], &[]);
    offers(&sandbox, ["scale", ""], &["feature/a", "main", "v1"]);
    offers(&sandbox, ["scale", "--cache", "main", "green", ""], &["red", "green"]);
    offers(&sandbox, ["plan", "scale", "main", ""], &["red", "green"]);
    let paths = |words: &str| sandbox.shell(&format!("\"$DEPLOY\" :complete {words}"));
    paths("scale --dump ''").succeeds().prints("\tfile\t\n");
    paths("scale --dump=a").succeeds().prints("\tfile\t--dump=\n");
}

#[test]
fn options_of_deploys_have_values() {
    let sandbox = shop();
    offers(&sandbox, ["--color", ""], &["auto", "always", "never"]);
    offers(&sandbox, ["-nke", ""], &["staging", "production"]);
    offers(&sandbox, ["scale", "--yes="], &["--yes=staging", "--yes=production"]);
    let rules = ["branches", "clean", "pushed", "after", "ancestor", "freeze", "ledger", "backup", "checks"];
    offers(&sandbox, ["--override", ""], &rules);
    offers(&sandbox, ["staging", "--ref="], &["--ref=main"]);
    offers(&sandbox, ["--set", ""], &["python="]);
    offers(&sandbox, ["graph", "--format", ""], &["tree", "dot", "mermaid", "svg"]);
    let plan = offered(&sandbox, ["plan", "-"]);
    assert!(plan.contains(&"--json".to_owned()) && !plan.contains(&"--keep-going".to_owned()), "{plan:?}");
    sandbox.shell("\"$DEPLOY\" :complete -C t").succeeds().prints("\tdirectory\t\n");
}

#[test]
fn the_file_that_the_line_names_is_read() {
    let sandbox = shop().file("other/tasks.toml", "[tasks.other]\nrun = 'true'\n");
    for words in [["-C", "other", ""], ["-f", "other/tasks.toml", ""]] {
        let names = offered(&sandbox, words);
        assert!(names.contains(&"other".to_owned()) && !names.contains(&"scale".to_owned()), "{names:?}");
    }
}

#[test]
fn without_a_good_file_there_are_the_commands() {
    for sandbox in [Sandbox::new().tasks("[tasks.broken"), Sandbox::new()] {
        let names = offered(&sandbox, ["l"]);
        assert_eq!(names[..2], ["list", "show"]);
        offers(&sandbox, ["list", ""], &[]);
        offers(&sandbox, ["--color", ""], &["auto", "always", "never"]);
    }
}

#[test]
fn runs_are_named_newest_first_with_what_they_were() {
    let sandbox = Sandbox::new().tasks("[tasks.a]\nneeds = ['b']\nrun = 'true'\n[tasks.b]\nrun = 'true'\n");
    sandbox.deploy(["a"]).succeeds();
    let runs = sandbox.shell("\"$DEPLOY\" :complete logs ''");
    assert_eq!(
        (runs.succeeds().stdout.lines().count(), runs.stdout.trim_end().ends_with("  a")),
        (1, true),
        "{runs}"
    );
}

#[test]
fn the_script_needs_no_project_and_an_unknown_shell_is_told() {
    let sandbox = Sandbox::new();
    sandbox.deploy(["completions", "bash"]).succeeds().shows("complete -F _deploy deploy");
    sandbox.deploy(["completions", "tcsh"]).fails_with(2).says("[possible values: bash, zsh, fish]");
    sandbox.deploy(["completions", "--help"]).succeeds().shows("~/.zshrc").shows("~/.config/fish");
    sandbox.deploy(["--help"]).succeeds().never_mentions(":complete");
}

/// Says what to install where a shell is missing.
#[track_caller]
fn needs(sandbox: &Sandbox, shell: &str) {
    let found = sandbox.shell(&format!("command -v {shell}"));
    assert!(found.code == 0, "{shell} is missing: apt-get install {shell}, or tests/run, which does it");
}

/// What bash would put in the place of the last word; `kind` is what it tells about the key, 63 for a list.
fn bash(sandbox: &Sandbox, line: &str, kind: u8) -> Ended {
    let lines = r#"
        eval "$(deploy completions bash)"
        COMP_WORDBREAKS=$' \t\n"\'><=;|&(:' COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=$2
        _deploy deploy
        ((${#COMPREPLY[@]})) && printf '%s\n' "${COMPREPLY[@]}"
        true"#;
    let arguments = ["--noprofile", "--norc", "-c", lines, "bash", line, &kind.to_string()];
    crate::support::Running::start(&mut sandbox.command("bash", &arguments)).wait()
}

#[test]
fn bash_gets_words_that_it_can_read_again() {
    let sandbox = shop();
    needs(&sandbox, "bash");
    let completes = |line: &str, to: &str| {
        bash(&sandbox, line, 9).succeeds().prints(to);
    };
    completes("deploy stag", "staging\n");
    completes("deploy scale --size s", "small\\ one\n");
    completes("deploy scale --size it\\'s", "it\\'s\\ big\n");
    completes("deploy scale --size \"it's", "it's big\n");
    completes("deploy scale --size=s", "small\\ one\n");
    completes("deploy scale --size=\"s", "small one\n");
    completes("deploy scale --size '$", "$HOME; touch ran\n");
    completes("deploy scale --size \\$", "\\$HOME\\;\\ touch\\ ran\n");
    // What stands before a colon stays.
    completes("deploy scale --size x:", "y\n");
    completes("deploy :hist", "history\n");
    completes("deploy scale --dump a", "a file.txt\n");
    completes("deploy scale --dump=to", "tools\n");
    completes("deploy -C to", "tools\n");
    completes("deploy nothing-like-it", "");
    bash(&sandbox, "deploy sta", 63)
        .succeeds()
        .prints("staging      (Where a release is tried out)\nstatus-page\n");
}

#[test]
fn bash_completes_what_is_typed() {
    let sandbox = shop();
    needs(&sandbox, "bash");
    sandbox.write("rc", "PS1='ready> '\neval \"$(deploy completions bash)\"\n");
    let typed = sandbox.type_in_shell(
        "bash --noprofile --rcfile rc -i",
        "deploy sca\t--si\tsm\t--size=it\t--size x:\t--dump a\t-C to\t --set py\t3 \"mai\t\nexit\n",
    );
    let words =
        ["scale", "--size", "small one", "--size=it's big", "--size", "x:y", "--dump", "a file.txt", "-C"];
    has_words(&typed, &words);
    has_words(&typed, &["tools/", "--set", "python=3", "main"]);
}

#[test]
fn zsh_completes_what_is_typed() {
    let sandbox = shop();
    needs(&sandbox, "zsh");
    let rc = "PS1='ready> '\nautoload -Uz compinit && compinit -u -D\neval \"$(deploy completions zsh)\"\n";
    sandbox.write("../home/.zshrc", rc);
    let typed = sandbox.type_in_shell(
        "zsh -d -i",
        "deploy sca\t--si\tsm\t--size=it\t--size x:\t--dump a\t-C to\t --set py\t3\ndeploy :hist\t\nexit\n",
    );
    let words =
        ["scale", "--size", "small one", "--size=it's big", "--size", "x:y", "--dump", "a file.txt", "-C"];
    has_words(&typed, &words);
    has_words(&typed, &["--set", "python=3"]);
    has_words(&typed, &[":history"]);
}

#[test]
fn fish_offers_names_parameters_and_files() {
    let sandbox = shop();
    needs(&sandbox, "fish");
    let fish = |line: &str| {
        let lines = "deploy completions fish | source; complete --do-complete $argv[1]";
        crate::support::Running::start(
            &mut sandbox.command("fish", &["--no-config", "--command", lines, line]),
        )
        .wait()
    };
    fish("deploy sta").succeeds().prints("staging\tWhere a release is tried out\nstatus-page\n");
    fish("deploy scale --si").succeeds().prints("--size\n");
    fish("deploy scale --size sm").succeeds().prints("small one\n");
    fish("deploy scale --size=sm").succeeds().prints("--size=small one\n");
    fish("deploy scale --size 'it").succeeds().prints("it's big\n");
    fish("deploy :hist").succeeds().shows(":history\t");
    fish("deploy scale --dump a").succeeds().shows("a file.txt");
    fish("deploy scale --dump=a").succeeds().shows("--dump=a file.txt");
    fish("deploy -C to").succeeds().shows("tools/");
    fish("deploy scale --size sm | deploy prod").succeeds().shows("production\t");
}

/// The program was given these words, one after the other.
#[track_caller]
fn has_words(typed: &Ended, words: &[&str]) {
    let wanted = format!("<{}>\r\n", words.join(">\r\n<"));
    assert!(typed.stdout.contains(&wanted), "{wanted}\n{typed}");
}
