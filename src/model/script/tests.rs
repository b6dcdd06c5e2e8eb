//! Values in shell lines: where they are bound, where they are refused, and what real shells make of them.

mod any;
mod shells;
mod simple;

use super::*;

fn parse(text: &str) -> Result<Script<Template>, Vec<Fault>> {
    Script::parse(text, &|range| Span::new(0, range))
}

/// The script with every value replaced: by one word, or for `list` by two and for `none` by none.
fn planned(text: &str, value: &str) -> Script<Text> {
    replaced(text, &mut |_| value.to_owned())
}

/// The same, with the word that `word` gives, which is told whether it is bound.
fn replaced(text: &str, word: &mut dyn FnMut(bool) -> String) -> Script<Text> {
    let written = parse(text).unwrap_or_else(|faults| panic!("{text}\n{faults:#?}"));
    let words = written.try_expand(&mut |template, place| {
        Ok::<_, ()>(match template.as_value().map(|expression| expression.source.as_str()) {
            Some("list") => vec![Text::from("a b"), Text::from("c")],
            Some("none") => Vec::new(),
            Some(_) | None => vec![Text::from(word(place.is_some()))],
        })
    });
    words.unwrap()
}

/// The line as it is bound, each value another one; what is pasted is `v`.
fn line(text: &str) -> String {
    let mut number = 0;
    let script = replaced(text, &mut |is_bound| {
        number += 1;
        if is_bound { format!("v{number}") } else { "v".to_owned() }
    });
    script.bind().line
}

#[test]
fn binds_each_value_as_its_place_wants() {
    for (written, bound) in [
        ("git tag {{ tag }}", r#"git tag "${_1}""#),
        ("echo a{{ x }}b{{ y }}", r#"echo a"${_1}"b"${_2}""#),
        (r#"echo "a {{ x }}b""#, r#"echo "a ${_1}b""#),
        ("echo $(cat {{ f }})", r#"echo $(cat "${_1}")"#),
        (r#"echo "$(cat {{ f }} "{{ g }}")""#, r#"echo "$(cat "${_1}" "${_2}")""#),
        ("X={{ x }} cmd", r#"X="${_1}" cmd"#),
        ("export X={{ x }} Y=a:{{ y }}", r#"export X="${_1}" Y=a:"${_2}""#),
        (r#"export "X={{ x }}""#, r#"export "X=${_1}""#),
        ("echo > {{ f }} 2>&1", r#"echo > "${_1}" 2>&1"#),
        ("cat <<< {{ x }}", r#"cat <<< "${_1}""#),
        (
            "cat <<EOF\n{{ x }} '{{ y }}' \"\nEOF\necho {{ z }}",
            "cat <<EOF\n${_1} '${_2}' \"\nEOF\necho \"${_3}\"",
        ),
        ("cat <<-A <<B\n{{ x }}\n\tA\n{{ y }}\nB\n{{ z }}", "cat <<-A <<B\n${_1}\n\tA\n${_2}\nB\n\"${_3}\""),
        ("cat <<EOF\n$(f {{ x }} \"{{ y }}\")\nEOF", "cat <<EOF\n$(f \"${_1}\" \"${_2}\")\nEOF"),
        ("cat <<EOF\na\\\nEOF\n{{ x }}\nEOF", "cat <<EOF\na\\\nEOF\n${_1}\nEOF"),
        ("$(cat <<'E'\n)'\nE\n) {{ x }}", "$(cat <<'E'\n)'\nE\n) \"${_1}\""),
        (
            "cat <<E | (cat; echo {{ x }}\n'\nE\n) {{ y }}",
            "cat <<E | (cat; echo \"${_1}\"\n'\nE\n) \"${_2}\"",
        ),
        ("case {{ x }} in {{ p }}) echo {{ y }};; esac", r#"case "${_1}" in "${_2}") echo "${_3}";; esac"#),
        (
            "$(case x in a) echo;; (b) f;; esac; echo {{ x }}) {{ y }}",
            "$(case x in a) echo;; (b) f;; esac; echo \"${_1}\") \"${_2}\"",
        ),
        ("[[ {{ x }} == a* ]] && [ {{ x }} -eq 1 ]", r#"[[ "${_1}" == a* ]] && [ "${_2}" -eq 1 ]"#),
        ("for f in {{ list }}; do cat {{ f }}; done", r#"for f in "${_1}" "${_2}"; do cat "${_3}"; done"#),
        ("a=({{ list }} [3]={{ x }})", r#"a=("${_1}" "${_2}" [3]="${_3}")"#),
        ("diff <(sort {{ x }}) >(cat {{ y }}) {{ z }}", r#"diff <(sort "${_1}") >(cat "${_2}") "${_3}""#),
        (
            "echo 'it' $'\\'' `date` $((1 + 1)) ${x:-'}'} # '\n{{ x }}",
            "echo 'it' $'\\'' `date` $((1 + 1)) ${x:-'}'} # '\n\"${_1}\"",
        ),
        ("echo a#{{ x }} $# {{ y }}", r#"echo a#"${_1}" $# "${_2}""#),
        ("a[0]={{ x }}", r#"a[0]="${_1}""#),
        ("f() { echo {{ x }}; }", r#"f() { echo "${_1}"; }"#),
        ("env {{ name }}=x make {{ name }}=y", r#"env "${_1}"=x make "${_2}"=y"#),
        ("printf '%s' {{ x }}", r#"printf '%s' "${_1}""#),
        ("sh -c 'echo \"$1\"' sh {{ x }}", r#"sh -c 'echo "$1"' sh "${_1}""#),
        ("read -p {{ question }} x", r#"read -p "${_1}" x"#),
        ("ssh {{ host }} -p {{ port }} uptime", r#"ssh "${_1}" -p "${_2}" uptime"#),
        ("bash --norc -o pipefail deploy.sh {{ x }}", r#"bash --norc -o pipefail deploy.sh "${_1}""#),
        ("bash deploy.sh <<< {{ x }}", r#"bash deploy.sh <<< "${_1}""#),
        ("command -v {{ tool }}", r#"command -v "${_1}""#),
        ("echo {{ raw(flags) }} '{{ raw(x) }}'", "echo v 'v'"),
        ("docker ps --format '{{.Names}}' {{ x }}", r#"docker ps --format '{{.Names}}' "${_1}""#),
        (r#"echo '{{ "{{" }} x }}' {{ x }}"#, r#"echo '{{ x }}' "${_1}""#),
        ("echo \\\\{{ x }} \\' {{ y }}", r#"echo \\"${_1}" \' "${_2}""#),
        ("a\\\n{{ x }} {{ list }}\\\n b", "a\\\n\"${_1}\" \"${_2}\" \"${_3}\"\\\n b"),
    ] {
        assert_eq!(line(written), bound, "{written}");
    }
}

#[test]
fn a_list_becomes_words_where_it_stands_alone() {
    for (written, bound, values) in [
        ("rm {{ list }} x", r#"rm "${_1}" "${_2}" x"#, vec!["a b", "c"]),
        ("rm {{ none }} x", "rm  x", vec![]),
        (r#"echo "{{ list }}" "{{ none }}""#, r#"echo "${_1}" "${_2}""#, vec!["a b c", ""]),
        ("cat <<E\n{{ list }}\nE", "cat <<E\n${_1}\nE", vec!["a b c"]),
    ] {
        let bound_script = planned(written, "v").bind();
        assert_eq!(bound_script.line, bound);
        let texts: Vec<String> = bound_script.values.iter().map(|(_, text)| text.to_string()).collect();
        assert_eq!(texts, values, "{written}");
    }
    for (written, place) in [
        ("f {{ x }}", Place::Bare),
        ("f ({{ x }})", Place::Bare),
        ("f {{ x }};", Place::Bare),
        ("f --x={{ x }}", Place::Part),
        ("f {{ x }}/y", Place::Part),
        ("f ''{{ x }}", Place::Part),
        ("f > {{ x }}", Place::Part),
        ("[ -n {{ x }} ]", Place::Part),
        ("[[ {{ x }} ]]", Place::Part),
        ("case {{ x }} in esac", Place::Part),
        ("x={{ x }}", Place::Assignment),
        ("local x=a{{ x }}", Place::Assignment),
        ("f x={{ x }}", Place::Part),
        ("\"{{ x }}\"", Place::Quoted),
        ("a <<E\n{{ x }}", Place::Heredoc),
    ] {
        let script = parse(written).unwrap();
        let found = script.pieces.iter().find_map(|piece| match piece {
            Piece::Value { place, .. } => Some(*place),
            Piece::Code(_) | Piece::Raw(_) => None,
        });
        assert_eq!(found, Some(place), "{written}");
    }
    assert!(Place::Part.refuses_list().is_some() && Place::Bare.refuses_list().is_none());
}

#[test]
fn refuses_a_place_where_a_value_would_not_stay_one() {
    let mut table = Vec::new();
    for written in REFUSED {
        for fault in parse(written).expect_err(written) {
            let help = fault.help.as_deref().unwrap_or_default();
            table.push(format!("{written}\n    {}: {}\n    {help}", &written[fault.at], fault.message));
        }
    }
    let table = table.join("\n");
    insta::assert_snapshot!(table);
}

/// Each has a value in a place where it can't be bound.
pub(super) const REFUSED: &[&str] = &[
    "echo 'hello {{ x }}'",
    "echo 'hello {{ x }}, $HOME'",
    "awk '{{ x }}\n$1'",
    "echo $'a\\t{{ x }}'",
    "echo `cat {{ x }}`",
    "echo \"`cat {{ x }}`\"",
    "cat <<'EOF'\n{{ x }}\nEOF",
    "cat <<\"EOF\" >f\na\n{{ x }}\nEOF",
    "cat <<\\EOF\n{{ x }}\nEOF",
    "cat <<{{ x }}\nEOF",
    "make # for {{ x }}",
    "echo $(( {{ x }} + 1 ))",
    "echo \"$((1 + $(f {{ x }})))\"",
    "echo $[ {{ x }} ]",
    "(( {{ x }} > 1 )) && y",
    "for ((i = 0; i < {{ x }}; i++)); do y; done",
    "[[ {{ x }} -eq 1 ]]",
    "[[ 1 -lt \"{{ x }}\" && -n y ]]",
    "[[ $(f {{ x }}) -ge 1 ]]",
    "[[ -v {{ x }} ]]",
    "echo ${y:-{{ x }}}",
    "echo \"${y#{{ x }}}\"",
    "echo ${y:{{ x }}}",
    "echo ${y[{{ x }}]}",
    "echo ${!{{ x }}}",
    "{{ x }}=1",
    "a{{ x }}+=1",
    "a[{{ x }}]=1",
    "a[$(f {{ x }})]=1",
    "a=([{{ x }}]=1)",
    "echo \\{{ x }}",
    "echo \"\\{{ x }}\"",
    "cat <<E\n\\{{ x }}\nE",
    "eval \"f {{ x }}\"",
    "\\eval {{ x }}",
    "command eval {{ x }}",
    "trap \"rm {{ x }}\" EXIT",
    "sh -c \"rm {{ x }}\"",
    "sh -c -v {{ x }}",
    "bash -c -o pipefail \"rm {{ x }}\"",
    "sudo /bin/bash -ec \"rm {{ x }}\"",
    "bash -s <<EOF\nrm {{ x }}\nEOF",
    "bash <<< {{ x }}",
    "ssh web \"cd {{ x }}\"",
    "let y={{ x }}",
    "export {{ x }}",
    "export {{ x }}=1",
    "declare -i y={{ x }}",
    "declare -i y\ny={{ x }}",
    "local -A y={{ x }}",
    "y=(1)\ndeclare y={{ x }}",
    "unset {{ x }}",
    "read -r {{ x }}",
    "printf -v {{ x }} 1",
    "printf {{ x }} 1",
    "printf \"{{ x }}: %s\" 1",
    "test -v {{ x }}",
    "[ {{ x }} {{ y }} ]",
    "for {{ x }} in 1; do y; done",
    "function f { eval {{ x }}; }",
    "f() { eval {{ x }}; }",
    "case a in a) eval {{ x }};; esac",
    "echo >&{{ x }}",
    "OPTIND={{ x }}",
    "PS4={{ x }} bash -x f",
    "BASH_ENV={{ x }} bash f",
    "alias l={{ x }}",
    "git tag {{ x",
];

#[test]
fn every_mend_is_accepted() {
    for written in REFUSED {
        for fault in parse(written).expect_err(written) {
            let help = fault.help.unwrap();
            for mend in help.split('`').skip(1).step_by(2).filter(|code| code.contains("{{")) {
                assert!(parse(mend).is_ok(), "{written}: {mend}");
            }
        }
    }
}

#[test]
fn tells_all_faults_at_once() {
    let faults = parse("echo '{{ a }}' `{{ b }}` {{ c }} $(({{ d }}))").unwrap_err();
    let places: Vec<usize> = faults.iter().map(|fault| fault.at.start).collect();
    assert_eq!(places, [6, 16, 36]);
}

#[test]
fn a_script_of_another_interpreter_takes_no_values() {
    let faults = parse("#!/usr/bin/env python3\nprint('{{ tag }}', \"{{ env.HOME }}\")").unwrap_err();
    assert_eq!(faults.len(), 2);
    assert_eq!(faults[0].message, "a script for another interpreter takes its values from the environment");
    assert_eq!(
        faults[0].help.as_deref(),
        Some("add `env = { TAG = \"{{ tag }}\" }`, and read `TAG` in the script")
    );
    assert!(faults[1].help.as_deref().unwrap().contains("ENV_HOME"));
    let text = "#!/usr/bin/env perl\nmy %x = {{ a, b; # it's\n";
    assert_eq!(line(text), text);
    assert_eq!(parse("#!/bin/python\n{{ '$' }} {{ raw(x) }}").unwrap_err().len(), 2);
    assert_eq!(line("#!/bin/python\nf'{{ \"{{\" }}x}}'"), "#!/bin/python\nf'{{x}}'");
}

#[test]
fn a_secret_never_stands_in_the_line() {
    let script = parse("curl -H \"Authorization: {{ secret.TOKEN }}\" {{ raw(secret.TOKEN) }}").unwrap();
    let script = script.try_map(&mut |_| Ok::<_, ()>(Text::secret("TOKEN"))).unwrap();
    let bound = script.bind();
    assert_eq!(bound.line, "curl -H \"Authorization: ${_1}\" \"${_1}\"", "it travels once");
    assert_eq!(bound.values[0].1.to_string(), "***");
    assert_eq!(script.to_string(), "curl -H \"Authorization: ***\" ***");
    let written = serde_json::to_string(&script).unwrap();
    assert!(!format!("{written}{script:?}{bound:?}").contains("hunter2"));
    let read: Script<Template> = serde_json::from_str(&written).unwrap();
    let sources: Vec<&str> =
        read.templates().flat_map(Template::expressions).map(|e| e.source.as_str()).collect();
    assert_eq!(sources, ["secret.TOKEN", "secret.TOKEN"]);
}

#[test]
fn is_shown_as_it_could_be_typed() {
    assert_eq!(planned("git tag {{ x }} \"{{ x }}\"", "v1.0").to_string(), "git tag v1.0 \"v1.0\"");
    assert_eq!(planned("echo {{ x }} \"{{ x }}\"", "it's $1").to_string(), r#"echo 'it'\''s $1' "it's \$1""#);
    assert_eq!(planned("rm {{ list }} {{ x }}", "").to_string(), "rm 'a b' c ''");
}
