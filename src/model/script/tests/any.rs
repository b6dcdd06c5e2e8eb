//! Any line at all: taken apart or refused, with places, in good time and without a deep stack.

use proptest::prelude::*;

use super::*;

/// All that the lexer knows. The blanks before names keep a value from being read again by `${x…}`.
pub(super) const BITS: &[&str] = &[
    "{{ x }}",
    "{{ x }}",
    "{{ \"{{\" }}",
    "'",
    "\"",
    "`",
    "\\",
    "$",
    "$(",
    "${",
    "$((",
    "((",
    "))",
    "(",
    ")",
    "}",
    "$'",
    "$[",
    "]",
    "[[ ",
    " ]]",
    " -eq ",
    "[",
    "<<E",
    "<<-'E'",
    "\nE\n",
    "\n",
    " ",
    "#",
    ";",
    ";;",
    "&",
    "|",
    "<",
    ">",
    ">&",
    "<<<",
    "case ",
    " in ",
    " esac",
    "eval ",
    "declare -i ",
    " x=",
    " a=(",
    "+=",
    "ü",
    "𝄞",
    "for ",
    "test ",
    "printf ",
    "sh -c ",
    "let ",
    "export ",
    "unset ",
    "trap ",
    " EXIT",
    "[ ",
    " -v ",
    "command ",
    "{ ",
    "do ",
    "f() ",
];
const MORE_BITS: &[&str] =
    &["{{ x", "}}", "{{{", "{{ raw(x) }}", "${{ x }}", "{{range .X}}", "{{end}}", "#!", "x=", "a=("];

/// Code in which all that the lexer knows comes together in every order.
pub(super) fn any_code(bits: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(bits), 0..24).prop_map(|bits| bits.concat())
}

fn any_text() -> impl Strategy<Value = String> {
    let bits: &'static [&'static str] = [BITS, MORE_BITS].concat().leak();
    prop_oneof![4 => any_code(bits), 1 => ".*"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_line_is_taken_apart_or_refused_with_places(text in any_text()) {
        match parse(&text) {
            Ok(script) => {
                for template in script.templates() {
                    let at = template.at;
                    let source = &template.as_value().unwrap().source;
                    prop_assert_eq!(&text[at.start as usize..at.end as usize], source.as_str());
                }
            }
            Err(faults) => {
                prop_assert!(!faults.is_empty());
                for fault in faults {
                    let value = text.get(fault.at.clone());
                    prop_assert!(value.is_some_and(|value| value.starts_with("{{")), "{:?}", fault);
                    prop_assert!(fault.help.is_some_and(|help| !help.is_empty()));
                }
            }
        }
    }
}

#[test]
fn depth_costs_no_stack() {
    for open in ["$(", "${", "\"$(", "$((", "(", "<(", "[[ $(", "a=($("] {
        let text = open.repeat(50_000) + "{{ x }}";
        drop(parse(&text));
    }
}

#[test]
fn values_in_any_depth_are_told_in_good_time() {
    let faults = parse(&"$({{ x }} ".repeat(50_000)).unwrap_err();
    assert_eq!(faults[0].message, "this value stands in too many brackets to tell what a shell makes of it");
    assert!(faults[0].at.start > 1000 && faults.len() < 100, "{}", faults.len());
    assert!(parse(&format!("{}{{{{ x }}}}{}", "$(".repeat(100), ")".repeat(100))).is_ok());
}
