//! The forms in which programs print a secret: as it is, line by line, in base64, in URLs, in JSON, quoted for a shell.
//! What a program transforms in another way no list can have.

use std::collections::BTreeSet;

use super::SHORTEST;

/// Every form of these secrets. Blanks around a secret are not part of it: they are everywhere.
pub(super) fn of<'a>(secrets: impl IntoIterator<Item = &'a str>) -> BTreeSet<Vec<u8>> {
    let mut forms = BTreeSet::new();
    for secret in secrets.into_iter().map(str::trim) {
        let lines: Vec<&str> =
            secret.lines().map(str::trim).filter(|line| line.len() >= SHORTEST && *line != secret).collect();
        // Where every line has a form of its own, a line is not held back until the next one comes.
        let by_lines = secret.lines().all(|line| line.trim().len() >= SHORTEST || line.trim().is_empty());
        for plain in lines.into_iter().chain([secret]) {
            let encoded =
                base64(plain.as_bytes()).chain(urls(plain)).chain(jsons(plain)).chain(shells(plain));
            let new = encoded.chain([plain.to_owned()]).filter(|form| !(by_lines && form.contains('\n')));
            forms.extend(new.filter(|form| form.len() >= SHORTEST).map(String::into_bytes));
        }
    }
    forms
}

/// What programs break base64 after: GNU's and OpenSSL's number of letters.
const BASE64_LINES: [usize; 2] = [76, 64];

/// A piece of a broken line that is shorter may be anything.
const BASE64_PIECE: usize = 8;

/// In both alphabets: with others around it, at each of the three places in a group of three bytes; and alone, with
/// its padding, on one line or on several.
fn base64(bytes: &[u8]) -> impl Iterator<Item = String> {
    const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut forms = Vec::new();
    for alphabet in [STANDARD, URL] {
        for (before, not_its_own) in [(0, 0), (1, 2), (2, 3)] {
            let mut padded = vec![0; before];
            padded.extend_from_slice(bytes);
            let mut letters = encode(&padded, alphabet);
            if !padded.len().is_multiple_of(3) {
                // The last letter depends on what follows.
                letters.pop();
            }
            forms.push(letters.split_off(not_its_own));
        }
        for end in ["", "\n"] {
            let whole = [bytes, end.as_bytes()].concat();
            let letters = encode(&whole, alphabet);
            let padding = "=".repeat((3 - whole.len() % 3) % 3);
            for length in BASE64_LINES {
                let pieces = letters.as_bytes().chunks(length).filter(|piece| piece.len() >= BASE64_PIECE);
                forms.extend(pieces.map(|piece| String::from_utf8_lossy(piece).into_owned()));
            }
            forms.push(format!("{letters}{padding}"));
            forms.push(letters);
        }
    }
    forms.into_iter()
}

fn encode(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut letters = String::with_capacity(bytes.len() * 4 / 3 + 3);
    for group in bytes.chunks(3) {
        let byte = |index: usize| u32::from(group.get(index).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for index in 0..=group.len() {
            letters.push(alphabet[(bits >> (18 - 6 * index) & 63) as usize].into());
        }
    }
    letters
}

/// Percent-encoded, as the usual libraries do it: they differ in what they leave alone, in the case of the digits, and
/// in what becomes of a blank.
fn urls(plain: &str) -> impl Iterator<Item = String> {
    const LEFT_ALONE: [&str; 6] = ["-_.~", "-_.~/", "-_.", "*-_.", "-_.!~*'()", "-_.!~*'();/?:@&=+$,#"];
    const DIGITS: [&[u8; 16]; 2] = [b"0123456789ABCDEF", b"0123456789abcdef"];
    let mut forms = Vec::new();
    for kept in LEFT_ALONE {
        for digits in DIGITS {
            for blank in ["%20", "+"] {
                let mut form = String::new();
                for byte in plain.bytes() {
                    match byte {
                        b' ' => form.push_str(blank),
                        _ if byte.is_ascii_alphanumeric() || kept.as_bytes().contains(&byte) => {
                            form.push(byte.into());
                        }
                        _ => {
                            let digit = |four: u8| char::from(digits[usize::from(four)]);
                            form.extend(['%', digit(byte >> 4), digit(byte & 15)]);
                        }
                    }
                }
                forms.push(form);
            }
        }
    }
    forms.into_iter()
}

/// The inside of a JSON string: `/` may be escaped, what is not ASCII too, and what means something in HTML.
fn jsons(plain: &str) -> impl Iterator<Item = String> {
    let mut forms = Vec::new();
    for slash in ["/", "\\/"] {
        for unicode in [Unicode::AsItIs, Unicode::Lower, Unicode::Upper] {
            for html in ["", "<>&", "<>&'"] {
                let mut form = String::new();
                for c in plain.chars() {
                    match c {
                        '"' => form.push_str("\\\""),
                        '\\' => form.push_str("\\\\"),
                        '/' => form.push_str(slash),
                        '\n' => form.push_str("\\n"),
                        '\r' => form.push_str("\\r"),
                        '\t' => form.push_str("\\t"),
                        '\u{8}' => form.push_str("\\b"),
                        '\u{c}' => form.push_str("\\f"),
                        _ if c.is_ascii_control() || html.contains(c) => unicode.escape(c, &mut form),
                        _ if c.is_ascii() || unicode == Unicode::AsItIs => form.push(c),
                        _ => unicode.escape(c, &mut form),
                    }
                }
                forms.push(form);
            }
        }
    }
    forms.into_iter()
}

/// What a JSON writer does with what is not ASCII.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unicode {
    AsItIs,
    Lower,
    Upper,
}

impl Unicode {
    fn escape(self, c: char, form: &mut String) {
        for unit in c.encode_utf16(&mut [0; 2]) {
            let digits = match self {
                Unicode::AsItIs | Unicode::Lower => format!("{unit:04x}"),
                Unicode::Upper => format!("{unit:04X}"),
            };
            form.extend(["\\u", &digits]);
        }
    }
}

/// The inside of the quotes that shells and their `set -x` put around a word; and without quotes, every odd letter
/// behind a backslash.
fn shells(plain: &str) -> impl Iterator<Item = String> {
    let behind = |is_odd: fn(char) -> bool| {
        plain.chars().fold(String::new(), |mut form, c| {
            form.extend(is_odd(c).then_some('\\'));
            form.push(c);
            form
        })
    };
    let ansi = behind(|c| matches!(c, '\'' | '\\')).replace('\n', "\\n").replace('\t', "\\t");
    [
        plain.replace('\'', "'\\''"),
        plain.replace('\'', "'\"'\"'"),
        behind(|c| matches!(c, '"' | '\\' | '$' | '`')),
        behind(|c| c.is_ascii() && !c.is_ascii_alphanumeric() && !"_-./:=@%+,\n".contains(c)),
        ansi,
    ]
    .into_iter()
}
