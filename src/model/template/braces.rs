//! Which `{{ … }}` are ours. Go's, GitHub's and Jinja's stand in the same lines and are left alone:
//! `{{.Name}}`, `{{json .}}`, `{{range .List}}…{{end}}`, `${{ github.ref }}`, `{{- trim }}`, `{{{ x }}}`, `{{}}`.

use std::ops::Range;

use super::Fault;

/// What begins at a `{{`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Braces {
    /// An expression: its place without blanks, and the end of the `}}`.
    Ours { inner: Range<usize>, end: usize },
    /// Somebody else's. Nothing before `end` is ours.
    Foreign { end: usize },
}

/// Words that open a block of Go's templates, which lasts to its `{{end}}`.
const GO_BLOCKS: [&str; 5] = ["range", "if", "with", "block", "define"];

/// How deep blocks of Go's templates are looked into: one that is never closed is looked for to the end of the text.
const DEEPEST_BLOCK: usize = 100;

/// Where the first `{{` of `text` is. Most texts have none, and all are asked.
pub(crate) fn first(text: &str) -> Option<usize> {
    memchr::memchr_iter(b'{', text.as_bytes()).find(|at| text.as_bytes().get(at + 1) == Some(&b'{'))
}

/// Reads the `{{` at byte `open` of `text`. Fails if it is ours and has no end.
pub(crate) fn read(text: &str, open: usize) -> Result<Braces, Fault> {
    let run_end = open + text[open..].bytes().take_while(|&byte| byte == b'{').count();
    let foreign = Braces::Foreign { end: run_end };
    if run_end - open > 2 || text[..open].ends_with(['$', '{']) {
        return Ok(foreign);
    }
    let body = &text[run_end..];
    let start = text.len() - body.trim_start().len();
    // `{{- x }}` is how Go and Jinja trim the blanks before; a number has its sign right before it.
    let trims = body.strip_prefix('-').is_some_and(|rest| rest.starts_with(char::is_whitespace));
    if trims || !text[start..].starts_with(begins_expression) {
        return Ok(go_block(text, open).unwrap_or(foreign));
    }
    match scan(&text[start..]) {
        Scan::Ours(end) => {
            let inner = start..start + text[start..start + end].trim_end().len();
            Ok(Braces::Ours { inner, end: start + end + "}}".len() })
        }
        Scan::Go => Ok(go_block(text, open).unwrap_or(foreign)),
        Scan::Unclosed => Err(unclosed(text, open, start)),
    }
}

/// The braces and dollars that an expression like `"{{"` stands for: the way to write them as text.
pub(crate) fn literal(source: &str) -> Option<&str> {
    let quote = source.chars().next().filter(|&c| c == '"' || c == '\'')?;
    let inner = source.strip_prefix(quote)?.strip_suffix(quote)?;
    (!inner.is_empty() && inner.chars().all(|c| c == '{' || c == '$')).then_some(inner)
}

/// Where the bracket that was opened right before `text` is closed.
pub(crate) fn bracket_end(text: &str) -> Option<usize> {
    let mut depth = 1_usize;
    for (offset, c) in outside_quotes(text) {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(offset);
        }
    }
    None
}

enum Scan {
    /// The `}}` begins at this byte.
    Ours(usize),
    Go,
    Unclosed,
}

fn begins_expression(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '"' | '\'' | '(' | '[' | '-')
}

/// Looks for the `}}` outside of quotes and brackets. A word that begins with `.` or `$` is Go's: no expression has one.
fn scan(text: &str) -> Scan {
    let mut closers = Vec::new();
    let mut go = false;
    let mut before = ' ';
    for (offset, c) in outside_quotes(text) {
        let after = text[offset + c.len_utf8()..].chars().next();
        match c {
            '{' if after == Some('{') => return Scan::Unclosed,
            '(' => closers.push(')'),
            '[' => closers.push(']'),
            '{' => closers.push('}'),
            ')' | ']' | '}' if closers.last() == Some(&c) => {
                closers.pop();
            }
            '}' if after == Some('}') && closers.is_empty() => {
                return if go { Scan::Go } else { Scan::Ours(offset) };
            }
            ')' | ']' | '}' => return Scan::Unclosed,
            '.' | '$' if before.is_whitespace() || matches!(before, '(' | ',' | '|') => go = true,
            _ => {}
        }
        before = c;
    }
    Scan::Unclosed
}

/// The characters of `text` that stand outside of `'…'` and `"…"`, and the closing quotes.
fn outside_quotes(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut quote = None;
    let mut escaped = false;
    text.char_indices().filter(move |&(_, c)| {
        if escaped {
            escaped = false;
            return false;
        }
        match quote {
            None => {
                quote = Some(c).filter(|&c| c == '"' || c == '\'');
                quote.is_none()
            }
            Some(open) => {
                escaped = c == '\\';
                if c == open {
                    quote = None;
                }
                quote.is_none()
            }
        }
    })
}

/// From `{{range .List}}` to its `{{end}}` all is Go's, if there is an end.
fn go_block(text: &str, open: usize) -> Option<Braces> {
    let mut depth = 0_usize;
    let mut at = open;
    while let Some(found) = text[at..].find("{{") {
        let start = at + found + "{{".len();
        let trimmed = text[start..].trim_start_matches(|c: char| c == '-' || c.is_whitespace());
        let word = trimmed.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        if depth == 0 && !GO_BLOCKS.contains(&word) || depth > DEEPEST_BLOCK {
            return None;
        }
        let length = text.as_bytes()[start..].windows(2).position(|two| two == b"}}" || two == b"{{")?;
        if text[start + length..].starts_with('{') {
            return None;
        }
        let action = text[start..start + length].trim_matches(|c: char| c == '-' || c.is_whitespace());
        at = start + length + "}}".len();
        if GO_BLOCKS.contains(&word) {
            depth += 1;
        } else if action == "end" {
            depth = depth.saturating_sub(1);
        }
        if depth == 0 {
            return (at > start && word == "end").then_some(Braces::Foreign { end: at });
        }
    }
    None
}

fn unclosed(text: &str, open: usize, start: usize) -> Fault {
    let word: String =
        text[start..].chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '.')).collect();
    let name = if word.is_empty() { "name" } else { &word };
    Fault {
        at: open..open + "{{".len(),
        message: "this `{{` has no `}}` that ends it".to_owned(),
        help: Some(format!(
            "write `{{{{ {name} }}}}` for a value, or `{{{{ \"{{{{\" }}}}` where two braces are meant as text"
        )),
    }
}
