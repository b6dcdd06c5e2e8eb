//! Lines that need no shell: which they are, and that the shell makes the same of them.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use proptest::prelude::*;

use super::*;

fn words(line: &str) -> Option<Vec<String>> {
    let words = planned(line, "a value; of *many* $words").bind().words()?;
    Some(words.iter().map(ToString::to_string).collect())
}

#[test]
fn a_program_and_its_words_need_no_shell() {
    for (line, expected) in [
        ("ls", vec!["ls"]),
        ("  cargo build\t--release  ", vec!["cargo", "build", "--release"]),
        ("/usr/bin/env A=b C=d", vec!["/usr/bin/env", "A=b", "C=d"]),
        ("docker run -p 80:80 a/b:1.2@x,y+z%", vec!["docker", "run", "-p", "80:80", "a/b:1.2@x,y+z%"]),
        ("git tag {{ v }}", vec!["git", "tag", "a value; of *many* $words"]),
        ("git --message={{ v }}-x", vec!["git", "--message=a value; of *many* $words-x"]),
        ("git tag \"{{ v }}\"", vec!["git", "tag", "a value; of *many* $words"]),
        ("git add {{ list }} {{ none }}", vec!["git", "add", "a b", "c"]),
    ] {
        assert_eq!(words(line), Some(expected.into_iter().map(str::to_owned).collect()), "{line}");
    }
}

#[test]
fn whatever_a_shell_may_read_otherwise_is_left_to_it() {
    for line in [
        "",
        " ",
        "\n",
        "a\nb",
        "a b\n",
        "a;b",
        "a && b",
        "a | b",
        "a > b",
        "a &",
        "(a)",
        "{ a; }",
        "! a",
        "#a",
        "a #b",
        "a *",
        "a ?",
        "a [b]",
        "a ~",
        "~/a",
        "a {b,c}",
        "a $b",
        "a \"b\"",
        "a 'b'",
        "a \\b",
        "a `b`",
        "A=b",
        "A=b c",
        "true",
        "echo a",
        "cd a",
        "exec a",
        "test a",
        "[ a ]",
        ". a",
        ": a",
        "if",
        "time a",
        "export A",
        "./a",
        "a/b",
        "../a",
        "%1",
        "-a",
        "+a",
        "@a",
        "a é",
        "{{ v }}",
        "{{ v }} a",
        "a{{ v }} b",
        "a \"${_2}\"",
    ] {
        assert_eq!(words(line), None, "{line}");
    }
}

#[expect(clippy::disallowed_methods, reason = "the oracle of this test is a shell, not our way to start one")]
fn output(program: &str, name: &str, args: &[String], bound: &Bound, folder: &Path) -> Output {
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let values = bound.values.iter().map(|(name, text)| (name, text.to_string()));
    let mut command = Command::new(program);
    command
        .arg0(name)
        .args(args)
        .env_clear()
        .env("PATH", path)
        .env("PWD", folder)
        .envs(values)
        .current_dir(folder);
    command.stdin(std::process::Stdio::null()).output().unwrap()
}

/// A program that tells how it was called, and ends in a way of its own.
const WITNESS: &str =
    "#!/bin/sh\nprintf '<%s>' \"$0\" \"$@\"; env | sort\ncase $# in 2) kill -9 $$;; *) exit $#;; esac\n";

#[expect(clippy::disallowed_methods, reason = "a test's file need not survive a crash")]
fn witness(folder: &Path) -> PathBuf {
    let witness = folder.join("witness");
    std::fs::write(&witness, WITNESS).unwrap();
    std::fs::set_permissions(&witness, PermissionsExt::from_mode(0o700)).unwrap();
    witness
}

fn any_line() -> impl Strategy<Value = String> {
    let bit = prop_oneof![
        8 => "[A-Za-z0-9_./=:,@%+-]{1,8}",
        2 => Just("{{ v }}".to_owned()),
        1 => Just("{{ list }}".to_owned()),
        1 => r#"[-$`"'\\*?~!#&|;<>(){}\[\]\n^]"#,
    ];
    let blank = prop_oneof![4 => Just(" "), 2 => Just(""), 1 => Just("\t"), 1 => Just("  ")];
    prop::collection::vec((blank, bit), 0..6).prop_map(|bits| {
        bits.into_iter().fold("witness ".to_owned(), |line, (blank, bit)| line + blank + &bit)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_shell_makes_the_same_of_it(line in any_line(), value in r#"[-$`"'\\ \t\n*?~!#&|;<>(){}\[\]=+%^a0é]{0,12}"#) {
        let bound = parse(&line).ok().map(|_| planned(&line, &value).bind());
        let Some((bound, words)) = bound.and_then(|bound| Some((bound.clone(), bound.words()?))) else { return Ok(()) };
        let folder = tempfile::tempdir().unwrap();
        let witness = witness(folder.path());
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        let direct = output(&witness.display().to_string(), &words[0], &words[1..], &bound, folder.path());
        let args = ["-eu", "-c", &bound.line].map(str::to_owned);
        let shell = output("/bin/sh", "/bin/sh", &args, &bound, folder.path());
        prop_assert_eq!(&direct.stdout, &shell.stdout, "{}", &line);
        // Some shells wait for the program, and tell a signal as a code.
        let code = |output: &Output| output.status.code().or(output.status.signal().map(|signal| 128 + signal));
        prop_assert_eq!(code(&direct), code(&shell), "{}", line);
    }
}
