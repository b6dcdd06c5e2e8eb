//! The shells themselves say what becomes of a value. Needs `/bin/sh` and `/bin/bash`.

use std::path::Path;
use std::process::{Command, Output};

use proptest::prelude::*;

use super::any::{BITS, any_code};
use super::*;

const SHELLS: [&str; 2] = ["/bin/sh", "/bin/bash"];

#[expect(
    clippy::disallowed_methods,
    reason = "the oracle of these tests is a shell, not our way to start one"
)]
fn run(shell: &str, bound: &Bound, dir: &Path) -> Output {
    let values = bound.values.iter().map(|(name, text)| (name, text.to_string()));
    let path = std::env::var("PATH").unwrap();
    let mut command = Command::new(shell);
    command.args(["-c", &bound.line]).env_clear().env("PATH", path).envs(values).current_dir(dir);
    command.stdin(std::process::Stdio::null()).output().unwrap()
}

/// Lines that print their value with an `x` after it, so that the newlines at its end can be seen.
const PRINTERS: [&str; 18] = [
    "printf '%s' {{ v }}x",
    "printf '%s' \"{{ v }}x\"",
    "printf '%s' \"$(printf '%s' {{ v }}; printf x)\"",
    "printf '%s' \"$(printf '%s' \"{{ v }}\"; printf x)\"",
    "y={{ v }}; printf '%s' \"${y}x\"",
    "y=a{{ v }}; y=${y#a}; printf '%s' \"${y}x\"",
    "export y={{ v }}; printf '%s' \"${y}x\"",
    "export \"y={{ v }}\"; printf '%s' \"${y}x\"",
    "readonly r={{ v }}; printf '%s' \"${r}x\"",
    "f() { local y={{ v }}; printf '%s' \"${y}x\"; }; f",
    "y={{ v }} sh -c 'printf %s \"${y}x\"'",
    "sh -c 'printf %s \"$1\"' sh {{ v }}x",
    "for y in {{ v }}; do printf '%s' \"${y}x\"; done",
    "set -- {{ v }}; printf '%s' \"${1}x\"",
    "case {{ v }}x in {{ v }}x) printf '%s' {{ v }}x;; esac",
    "if [ {{ v }}x = \"{{ v }}x\" ]; then printf '%s' {{ v }}x; fi",
    "(y={{ v }}\nprintf '%s' \"${y}x\")",
    "y=$(cat <<EOF\n{{ v }}x\nEOF\n)\nprintf '%s' \"$y\"",
];

/// The same for what only bash knows.
const BASH_PRINTERS: [&str; 9] = [
    "a=({{ v }}); printf '%s' \"${a[0]}x\"",
    "a=([1]={{ v }}); printf '%s' \"${a[1]}x\"",
    "a[2]={{ v }}; printf '%s' \"${a[2]}x\"",
    "declare -r q={{ v }}; printf '%s' \"${q}x\"",
    "declare -a a=({{ v }}); printf '%s' \"${a[0]}x\"",
    "[[ {{ v }} == {{ v }} && x =~ x ]] && printf '%s' {{ v }}x",
    "IFS= read -r -d '' y < <(printf '%s\\0' {{ v }}); printf '%s' \"${y}x\"",
    "y=; y+={{ v }}; printf '%s' \"${y}x\"",
    "printf '%s' $'' $\"{{ v }}x\"",
];

fn any_value() -> impl Strategy<Value = String> {
    let nasty = r#"[-$`"'\\ \t\n*?~!#&|;<>(){}\[\]=+%^a0é]{0,12}"#;
    prop_oneof![nasty, "[^\0]{0,20}", prop::sample::select(PAYLOADS).prop_map(str::to_owned)]
}

/// Values that would do harm if a shell read them as anything but text.
const PAYLOADS: &[&str] = &[
    "$(touch pwned)",
    "`touch pwned`",
    "; touch pwned;",
    "& touch pwned &",
    "| touch pwned",
    "\ntouch pwned\n",
    "'; touch pwned; '",
    "\"; touch pwned; \"",
    "'\"'\"; touch pwned; #",
    "${x:=$(touch pwned)}",
    "a[$(touch pwned)]",
    "a[$(touch pwned)]=1",
    "[$(touch pwned)]=1",
    "($(touch pwned))",
    "([$(touch pwned)]=1)",
    "x=$(touch pwned)",
    "<(touch pwned)",
    "EOF\ntouch pwned\n",
    ") touch pwned;; esac; (",
    "*",
    "~",
    "-v",
    "-n",
    "--",
    "\\",
    "() { :; }; touch pwned",
    "{a,b}",
    "!!",
    "-eq",
    "]]",
    "]",
    "(",
];

#[test]
fn a_payload_does_nothing_and_comes_out_unchanged() {
    let dir = tempfile::tempdir().unwrap();
    for payload in PAYLOADS {
        comes_out_everywhere(payload, dir.path());
    }
}

/// In places whose output is not the value: nothing is run there either.
#[test]
fn a_payload_is_run_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let accepted = [
        "{{ v }}",
        "{{ v }} a=1",
        "echo > {{ v }}",
        "cat < {{ v }}",
        "cat <<< {{ v }}",
        "cat &> {{ v }}",
        "echo ~{{ v }} {{ v }}* {a,{{ v }} }",
        "[ {{ v }} -eq 1 ]",
        "test {{ v }}",
        "[ {{ v }} = {{ v }} -a -n {{ v }} ]",
        "[ ! {{ v }} = {{ v }} ]",
        "[[ -n {{ v }} || a =~ {{ v }} ]]",
        "[[ -t {{ v }} ]]",
        "printf '%d' {{ v }}",
        "printf '%s%*d' {{ v }} {{ v }} {{ v }}",
        "exit {{ v }}",
        "shift {{ v }}",
        "f() { return {{ v }}; }; f",
        "read -t {{ v }} x",
        "cd {{ v }}",
        ". {{ v }}",
        "set {{ v }}",
        "kill {{ v }}",
        "wait {{ v }}",
        "umask {{ v }}",
        "ulimit -n {{ v }}",
        "command -v {{ v }}",
        "exec {{ v }}",
        "env {{ v }}=1 true",
        "sh -c 'echo \"$1\"' sh {{ v }}",
        "expr {{ v }} + 1",
        "echo \"$(echo {{ v }})\" \"{{ v }}\"",
        "case x in {{ v }}) ;; esac",
        "declare -A m=([k]={{ v }})",
        "declare -x y={{ v }}",
        "hash {{ v }}",
        "type {{ v }}",
        "echo {1..{{ v }} }",
    ];
    for payload in PAYLOADS {
        for shell in SHELLS {
            for written in accepted {
                run(shell, &planned(written, payload).bind(), dir.path());
                assert!(!dir.path().join("pwned").exists(), "{shell}: {written}: {payload}");
            }
        }
    }
}

/// Runs all printers in one script; a NUL ends what each prints.
fn comes_out_everywhere(value: &str, dir: &Path) {
    for shell in SHELLS {
        let more = if shell.ends_with("bash") { BASH_PRINTERS.as_slice() } else { &[] };
        let printers = [&PRINTERS, more].concat();
        let whole = printers.join("\nprintf '\\0'\n");
        let output = run(shell, &planned(&whole, value).bind(), dir);
        let printed = String::from_utf8(output.stdout).unwrap();
        for (index, printer) in printers.iter().enumerate() {
            let told = format!("{shell}: {printer}\n{}", String::from_utf8_lossy(&output.stderr));
            assert_eq!(printed.split('\0').nth(index), Some(format!("{value}x").as_str()), "{told}");
        }
        assert!(!dir.join("pwned").exists(), "{shell}: {value:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn any_value_comes_out_unchanged(value in any_value()) {
        let dir = tempfile::tempdir().unwrap();
        comes_out_everywhere(&value, dir.path());
    }

    #[test]
    fn a_payload_is_run_in_no_code_that_is_accepted(code in any_code(BITS)) {
        let Ok(_) = parse(&code) else { return Ok(()) };
        let dir = tempfile::tempdir().unwrap();
        for payload in ["a[$(touch pwned)]", "$(touch pwned)"] {
            for shell in SHELLS {
                run(shell, &planned(&code, payload).bind(), dir.path());
                prop_assert!(!dir.path().join("pwned").exists(), "{}: {:?}", shell, code);
            }
        }
    }

    #[test]
    fn a_list_comes_out_as_its_words(words in prop::collection::vec(any_value(), 0..4)) {
        let dir = tempfile::tempdir().unwrap();
        let script = parse("for y in {{ list }}; do printf '%s\\0' \"$y\"; done").unwrap();
        let all: Vec<Text> = words.iter().map(|word| Text::from(word.as_str())).collect();
        let bound = script.try_expand(&mut |_, _| Ok::<_, ()>(all.clone())).unwrap().bind();
        for shell in SHELLS {
            let expected = words.iter().flat_map(|word| [word, "\0"]).collect::<String>();
            let output = run(shell, &bound, dir.path());
            prop_assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
        }
    }
}
