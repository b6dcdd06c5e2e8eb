//! A secret in every form, in pieces of any size; and what is no secret comes out as it went in.

use std::io::Write;
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::*;

fn masker(secrets: &[&str]) -> Masker {
    Masker::new(secrets.iter().copied()).expect("there are secrets")
}

/// What comes out when these bytes come in pieces of `size`.
fn in_pieces(masker: &Masker, bytes: &[u8], size: usize) -> String {
    let mut stream = Stream::default();
    let mut shown: Vec<u8> = bytes.chunks(size).flat_map(|piece| stream.push(masker, piece)).collect();
    shown.extend(stream.end(masker));
    String::from_utf8(shown).expect("the rest is text")
}

#[test]
fn a_secret_is_masked_whatever_stands_around_it_and_however_it_is_cut() {
    let masker = masker(&["hunter2!", "hunter2!more", "line one\nline two\r\n", " padded "]);
    for (text, expected) in [
        ("hunter2!", "***"),
        ("a hunter2!b", "a ***b"),
        ("hunter2!hunter2!", "******"),
        ("hunter2!mor", "***mor"),
        ("hunter2!more", "***"),
        ("hunhunter2!", "hun***"),
        ("hunter2", "hunter2"),
        ("line one\nline two\n", "***\n***\n"),
        ("> line two", "> ***"),
        ("padded", "***"),
        ("nothing", "nothing"),
        ("", ""),
    ] {
        assert_eq!(masker.text(text), expected, "{text}");
        for size in 1..=text.len().max(1) {
            assert_eq!(in_pieces(&masker, text.as_bytes(), size), expected, "{text} by {size}");
        }
    }
}

#[test]
fn stretches_of_two_secrets_that_overlap_are_one() {
    let masker = masker(&["abcdefgh", "efghijkl"]);
    for size in 1..20 {
        assert_eq!(in_pieces(&masker, b"-abcdefghijkl-efghijkl", size), "-***-***", "{size}");
    }
}

#[test]
fn what_can_be_no_secret_is_not_held_back() {
    let masker = masker(&["hunter2!hunter2!"]);
    let mut stream = Stream::default();
    assert_eq!(stream.push(&masker, b"Password: "), b"Password: ");
    assert_eq!(stream.push(&masker, b"the h"), b"the ");
    assert!(stream.waits(&masker));
    assert_eq!(stream.quiet(&masker), b"h");
    assert_eq!(stream.quiet(&masker), b"");
    assert_eq!(stream.push(&masker, b"ouse\n"), b"ouse\n");
    assert!(!stream.waits(&masker));
}

#[test]
fn silence_brings_out_no_more_than_a_few_letters_of_a_secret() {
    let masker = masker(&["hunter2!hunter2!"]);
    let mut stream = Stream::default();
    let mut shown = Vec::new();
    for byte in b"a hunter2!hunter2! b" {
        shown.extend(stream.push(&masker, [*byte]));
        shown.extend(stream.quiet(&masker));
    }
    assert_eq!(String::from_utf8(shown).unwrap(), "a hun*** b");
    let short = self::masker(&["abcd"]);
    let mut stream = Stream::default();
    let shown: Vec<u8> = [b"a", b"b", b"c"]
        .iter()
        .flat_map(|byte| [stream.push(&short, *byte), stream.quiet(&short)].concat())
        .collect();
    assert_eq!(shown, b"a");
}

#[test]
fn the_forms_that_programs_print_are_masked() {
    let secret = "pä$$ w'o\"r/d\\&<1>";
    let masker = masker(&[secret]);
    for form in [
        // python3: base64, quote, quote_plus, quote(safe=""), json.dumps with and without ensure_ascii, shlex.quote
        "cMOkJCQgdydvInIvZFwmPDE-",
        "cMOkJCQgdydvInIvZFwmPDE+",
        "p%C3%A4%24%24%20w%27o%22r/d%5C%26%3C1%3E",
        "p%C3%A4%24%24+w%27o%22r%2Fd%5C%26%3C1%3E",
        "p%c3%a4%24%24%20w%27o%22r%2fd%5c%26%3c1%3e",
        r#"p\u00e4$$ w'o\"r/d\\&<1>"#,
        r#"p\u00E4$$ w'o\"r\/d\\&<1>"#,
        r#"pä$$ w'o\"r/d\\&<1>"#,
        // Go
        r#"pä$$ w'o\"r/d\\\u0026\u003c1\u003e"#,
        // sh and bash
        r#"pä$$ w'\''o"r/d\&<1>"#,
        r#"pä$$ w'"'"'o"r/d\&<1>"#,
        r#"pä\$\$ w'o\"r/d\\&<1>"#,
        r#"pä\$\$\ w\'o\"r/d\\\&\<1\>"#,
        r#"pä$$ w\'o"r/d\\&<1>"#,
    ] {
        assert_eq!(masker.text(&format!("<{form}>")), "<***>", "{form}");
    }
}

#[test]
fn a_long_secret_is_masked_where_base64_breaks_it() {
    let secret = (0..20).map(|line| format!("{line:04} the quick brown fox\n")).collect::<Vec<_>>().concat();
    let masker = masker(&[&secret]);
    for columns in ["64", "76"] {
        #[expect(clippy::disallowed_methods, reason = "the oracle is not what is tested")]
        let mut base64 = Command::new("base64")
            .args(["-w", columns])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        base64.stdin.take().unwrap().write_all(secret.as_bytes()).unwrap();
        let encoded = String::from_utf8(base64.wait_with_output().unwrap().stdout).unwrap();
        let shown = masker.text(&encoded);
        assert!(shown.replace("***", "").trim().len() < 8, "{shown}");
    }
}

/// Base64 of secrets inside of other bytes, judged by taking it apart again: none of its own bits are left.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = bytes.iter().map(|byte| format!("{byte:08b}")).collect::<Vec<_>>().concat();
    let six = bits.as_bytes().chunks(6).map(|six| format!("{:0<6}", str::from_utf8(six).unwrap()));
    six.map(|six| char::from(LETTERS[usize::from_str_radix(&six, 2).unwrap()])).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn base64_is_masked_at_every_place(
        before in "[ -~]{0,7}", secret in "[!-~]{4,40}", after in "[ -~]{0,7}",
    ) {
        let shown = masker(&[&secret]).text(&base64(format!("{before}{secret}{after}").as_bytes()));
        // Of the letters that are shared with a neighbour one is left on each side.
        let around = (before.len() + after.len()) * 4 / 3 + 4;
        prop_assert!(shown.contains("***") && shown.replace('*', "").len() <= around, "{}", shown);
    }

    #[test]
    fn no_cut_lets_a_secret_through(
        secrets in prop::collection::vec("[a-c]{4,7}|[a-c\n]{4,9}", 1..4),
        text in "[a-c\n]{0,60}",
        cuts in prop::collection::vec((1..9_usize, any::<bool>()), 1..30),
    ) {
        prop_assume!(secrets.iter().all(|secret| secret.trim().len() >= 4));
        let masker = masker(&secrets.iter().map(String::as_str).collect::<Vec<_>>());
        let whole = masker.text(&text);
        let mut stream = Stream::default();
        let (mut shown, mut rest) = (Vec::new(), text.as_bytes());
        let mut was_quiet = false;
        for (size, quiet) in cuts.iter().cycle() {
            if rest.is_empty() { break; }
            let (piece, tail) = rest.split_at((*size).min(rest.len()));
            shown.extend(stream.push(&masker, piece));
            if *quiet {
                let brought = stream.quiet(&masker);
                was_quiet |= !brought.is_empty();
                shown.extend(brought);
            }
            rest = tail;
        }
        shown.extend(stream.end(&masker));
        let shown = String::from_utf8(shown).unwrap();
        if !was_quiet {
            prop_assert_eq!(&shown, &whole);
        }
        for secret in &secrets {
            prop_assert!(!shown.contains(secret.trim()), "{:?} in {:?}", secret, shown);
        }
    }

    #[test]
    fn what_is_no_secret_comes_out_as_it_went_in(text in "[^h]*", size in 1..50_usize) {
        prop_assert_eq!(in_pieces(&masker(&["hhhhhhhh"]), text.as_bytes(), size), text);
    }
}
