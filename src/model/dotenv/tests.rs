//! Files as people write them, beside what a shell makes of them.

use std::process::Command;

use proptest::prelude::*;

use super::*;

fn variables(text: &str) -> Vec<(String, String)> {
    let outer = |name: &str| (name == "CALLER").then(|| "theirs".to_owned());
    parse(text, &outer).unwrap_or_else(|fault| panic!("{fault:?}"))
}

fn value(text: &str) -> String {
    variables(text).pop().expect("a variable").1
}

fn fault(text: &str) -> String {
    let fault = parse(text, &|_| None).expect_err("it is wrong");
    format!("{}:{}: {}", fault.line, fault.column, fault.why)
}

#[test]
fn names_and_values_are_read_as_people_write_them() {
    for (line, expected) in [
        ("A=one", "one"),
        ("export A=one", "one"),
        ("export=one", "one"),
        ("  A = one two  ", "one two"),
        ("A=", ""),
        ("A= # nothing", ""),
        ("A=one # a comment", "one"),
        ("A=one#two", "one#two"),
        ("A=#fff", "#fff"),
        ("A=it's", "it's"),
        ("A=a=b==", "a=b=="),
        ("A=one\r", "one"),
        ("\u{feff}A=one", "one"),
        ("A='$HOME # \\n'", "$HOME # \\n"),
        ("A='one\ntwo'", "one\ntwo"),
        ("A='one\r\ntwo'\r", "one\ntwo"),
        (r#"A="one\ttwo\n" # a comment"#, "one\ttwo\n"),
        (r#"A="a \"b\" \\ \$c \d""#, r#"a "b" \ $c \d"#),
        ("A=\"one\ntwo\"", "one\ntwo"),
        (r"A=a\nb", r"a\nb"),
        ("A=größe", "größe"),
        ("A=$(touch x) `touch y`", "$(touch x) `touch y`"),
        ("A=5$ $1 $$", "5$ $1 $$"),
    ] {
        assert_eq!(value(line), expected, "{line}");
    }
    let text = "# first\n\nA=1\r\nexport B='2'\n\n  # last\nA.b=3";
    let expected = [("A", "1"), ("B", "2"), ("A.b", "3")].map(|(name, value)| (name.into(), value.into()));
    assert_eq!(variables(text), expected);
}

#[test]
fn a_value_may_name_an_earlier_one_or_one_of_the_caller() {
    for (text, expected) in [
        ("A=one\nB=$A/two", "one/two"),
        ("A=one\nB=\"${A}two\"", "onetwo"),
        ("A=one\nB='$A'", "$A"),
        ("A=one\nB=\\$A", "$A"),
        ("A=${CALLER}", "theirs"),
        ("CALLER=ours\nA=$CALLER", "theirs"),
        ("A=${NONE:-größe} x", "größe x"),
        ("A=${NONE:-}", ""),
        ("A=\nB=${A:-b}", "b"),
        ("A='$CALLER'\nB=$A", "$CALLER"),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn what_can_not_be_read_is_told_with_its_place_and_never_with_its_text() {
    for (text, expected) in [
        ("A=1\nhunter2", "2:8: there is no `=` after the name"),
        ("A=1\n =hunter2", "2:2: a line is NAME=VALUE, and here is no name"),
        ("1A=hunter2", "1:1: a name has letters, digits, `_` and `.`, and begins with no digit"),
        ("A-B=hunter2", "1:2: a name has letters, digits, `_` and `.`, and begins with no digit"),
        ("A B=hunter2", "1:3: there is no `=` after the name"),
        ("A=1\nB=\"hunter2", "2:3: the \" that opens here is never closed"),
        ("A='hun'ter2", "1:8: nothing but a comment may follow the closing '"),
        ("A=\0hunter2", "1:3: a value can't hold a NUL"),
        ("ß=1", "1:1: a line is NAME=VALUE, and here is no name"),
        ("A=ß${hunter2", "1:4: `${` wants NAME} or NAME:-DEFAULT}; `\\$` or single quotes make it text"),
        ("A=${A?x}", "1:3: `${` wants NAME} or NAME:-DEFAULT}; `\\$` or single quotes make it text"),
        (
            "A=\"x $NONE\"",
            "1:6: this name has no value: ${NAME:-} if it may lack one; `\\$` or single quotes make `$` text",
        ),
    ] {
        assert_eq!(fault(text), expected, "{text}");
    }
}

/// What a shell makes of a file.
fn sourced(text: &str) -> String {
    let script = format!("{text}\nprintf %s \"$A\"");
    #[expect(clippy::disallowed_methods, reason = "the oracle is not what is tested")]
    let output = Command::new("sh").args(["-c", &script]).env("CALLER", "theirs").output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in r#"([A-C]=|[ \n\r\t'"\\#${}:=-]|[a-zß]|\PC){0,40}"#) {
        let _read = parse(&text, &|_| None);
    }

    #[test]
    fn what_is_quoted_comes_back(text in "[^\\x00\\r]*") {
        let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$");
        prop_assert_eq!(value(&format!("A=\"{escaped}\"")), text.as_str());
        let single = text.replace('\'', "");
        prop_assert_eq!(value(&format!("A='{single}' # it's")), single);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn simple_files_mean_what_a_shell_makes_of_them(
        bare in "[a-z0-9_./:@%+,=-]{0,12}",
        single in "[a-z $\"#\\\\\n`(){}|&;<>*?]{0,12}",
        double in "[a-z #'\n(){}|&;<>*?]{0,12}",
    ) {
        for text in [
            format!("A={bare}"),
            format!("export A={bare}  # a comment"),
            format!("A='{single}'"),
            format!("A=\"{double}\""),
            format!("B={bare}\nA=\"${{B}}-$CALLER-{double}\""),
            format!("A=${{NONE:-{bare}}}"),
        ] {
            prop_assert_eq!(value(&text), sourced(&text), "{}", text);
        }
    }
}
