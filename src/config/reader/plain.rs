//! Lines as most files have them, `[a.b]` and `key = "text"`, taken apart without the parser: it would need more time for
//! them than all else that reads a file. What is in any way out of the ordinary is not for here.

use std::iter;

/// A line that needs no parser. All texts are slices of it.
pub(super) enum Line<'a> {
    /// Nothing, or a comment.
    Empty,
    /// `[a.b]`: what stands in the brackets.
    Header(&'a str),
    /// `key = "text"`: the key, and what stands in the quotes.
    Text(&'a str, &'a str),
    /// `key = ["one", "two"]`: the key, and what stands in the brackets.
    Texts(&'a str, &'a str),
}

/// Takes a line apart, its end left out; nothing if that is for the parser.
pub(super) fn read(line: &str) -> Option<Line<'_>> {
    match line.as_bytes() {
        [] => Some(Line::Empty),
        [b'#', comment @ ..] => comment.iter().copied().all(is_printable).then_some(Line::Empty),
        [b'[', .., b']'] => {
            let keys = &line[1..line.len() - 1];
            keys.split('.').all(is_bare).then_some(Line::Header(keys))
        }
        bytes => {
            let (key, value) = line.split_at(bytes.iter().position(|byte| !is_key(*byte))?);
            let value = value.strip_prefix(" = ").filter(|_| !key.is_empty())?;
            if let Some(list) = value.strip_prefix('[') {
                let list = list.strip_suffix(']')?;
                return texts(list).all(|text| text.is_some()).then_some(Line::Texts(key, list));
            }
            let (text, rest) = string(value)?;
            rest.is_empty().then_some(Line::Text(key, text))
        }
    }
}

/// The strings of a list, without their quotes; nothing at the first thing that is for the parser.
pub(super) fn texts(list: &str) -> impl Iterator<Item = Option<&str>> {
    let mut rest = Some(list).filter(|list| !list.is_empty());
    iter::from_fn(move || {
        let Some((text, behind)) = string(rest.take()?) else { return Some(None) };
        rest = behind.strip_prefix(", ");
        Some((behind.is_empty() || rest.is_some()).then_some(text))
    })
}

/// What stands in the quotes that `text` begins with, and what follows them. No string of several lines ends so.
fn string(text: &str) -> Option<(&str, &str)> {
    let quote = text.bytes().next().filter(|byte| matches!(byte, b'"' | b'\''))?;
    let end = 1 + memchr::memchr(quote, &text.as_bytes()[1..])?;
    let inner = &text[1..end];
    inner.bytes().all(|byte| is_printable(byte) && byte != b'\\').then_some((inner, &text[end + 1..]))
}

fn is_bare(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(is_key)
}

/// Whether a byte may be in a key without quotes.
fn is_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// No control character; of a character that is not ASCII, any byte.
fn is_printable(byte: u8) -> bool {
    !byte.is_ascii_control()
}
