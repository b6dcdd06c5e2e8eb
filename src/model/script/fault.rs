//! What is said about a value that can't be bound, with the line as it could be written.

use std::ops::Range;

use super::command::Hazard;
use super::frame::{Flat, Quotes};
use crate::model::template::Fault;

/// A value in a script for another interpreter.
pub(super) fn interpreter(text: &str, value: Range<usize>) -> Fault {
    let source = inner(text, &value);
    let variable: String = source
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
        .collect();
    let help = format!(
        "add `env = {{ {variable} = \"{}\" }}`, and read `{variable}` in the script",
        &text[value.clone()]
    );
    fault(value, "a script for another interpreter takes its values from the environment", help)
}

/// A value in `flat`, which stands at `place`, its text at `inside`.
pub(super) fn flat(
    text: &str,
    flat: Flat<'_>,
    place: &Range<usize>,
    inside: &Range<usize>,
    value: Range<usize>,
) -> Fault {
    let (open, _) = flat.delimiters();
    let mended = match flat {
        Flat::Quotes if is_simple(&text[inside.clone()]) => {
            edited(text, &[(place.start..inside.start, "\""), (inside.end..place.end, "\"")])
        }
        Flat::Quotes | Flat::Escapes => {
            let before = if value.start == inside.start {
                place.start..inside.start
            } else {
                value.start..value.start
            };
            let after = if value.end == inside.end { inside.end..place.end } else { value.end..value.end };
            let close = if value.start == inside.start { "" } else { "'" };
            let reopen = if value.end == inside.end { "" } else { open };
            edited(text, &[(before, close), (after, reopen)])
        }
        Flat::Backticks if !text[inside.clone()].contains('\\') => {
            edited(text, &[(place.start..inside.start, "$("), (inside.end..place.end, ")")])
        }
        Flat::Comment => edited(text, &[(value.clone(), inner(text, &value))]),
        Flat::Document(heredoc) => edited(text, &[(heredoc.word.clone(), &heredoc.delimiter)]),
        Flat::Backticks => None,
    };
    let (message, otherwise) = match flat {
        Flat::Quotes | Flat::Escapes => {
            ("the shell sees no values inside single quotes", "use double quotes")
        }
        Flat::Backticks => {
            ("no value can be bound inside backticks", "write `$( … )` instead of the backticks")
        }
        Flat::Comment => ("a comment has no use for a value", "leave out the braces"),
        Flat::Document(_) => {
            ("the shell sees no values in a here-document whose word is quoted", "leave the word bare")
        }
    };
    let mut help = mended.map_or_else(|| otherwise.to_owned(), |line| format!("write `{line}`"));
    if let Flat::Document(_) = flat {
        help.push_str(", and a backslash before each `$`, backtick and backslash that is to stay");
    }
    fault(value, message, help)
}

/// A value inside of more brackets than are looked into.
pub(super) fn deep(source: &str, value: Range<usize>) -> Fault {
    let message = "this value stands in too many brackets to tell what a shell makes of it";
    fault(value, message, format!("write `value={source}` before, and `\"$value\"` here"))
}

/// A value as the word that ends a here-document.
pub(super) fn delimiter(value: Range<usize>) -> Fault {
    fault(
        value,
        "the word that ends a here-document can't be a value",
        "write a word such as `EOF`".to_owned(),
    )
}

/// A value right after a backslash.
pub(super) fn escaped(text: &str, backslash: usize, value: Range<usize>) -> Fault {
    let message = "the backslash before it would keep the shell from seeing this value";
    let mended = edited(text, &[(backslash..value.start, "")]);
    let help = mended.map_or_else(|| "leave it out".to_owned(), |line| format!("write `{line}`"));
    fault(value, message, format!("{help}, or two backslashes where the text is to have one"))
}

/// A value where the shell calculates.
pub(super) fn arithmetic(text: &str, value: Range<usize>) -> Fault {
    let message = "the shell calculates here, and bash runs code that it finds in the value";
    let source = inner(text, &value);
    let help = format!(
        "calculate in the braces, as in `{{{{ {source} + 1 }}}}`, or with `$(expr {{{{ {source} }}}} + 1)`"
    );
    fault(value, message, help)
}

/// A value in the test at `place`, in which `operator` makes bash calculate or look for a name.
pub(super) fn test(text: &str, place: Range<usize>, operator: &str, value: Range<usize>) -> Fault {
    let message = format!("with `{operator}` bash runs code that it finds in a value inside `[[ ]]`");
    let both = text.get(place.end.saturating_sub(2)..place.end) == Some("]]");
    let line =
        edited(text, &[(place.start..place.start + 2, "["), (place.end.saturating_sub(2)..place.end, "]")]);
    let single = both && !text[place].contains(['&', '|', '(', '<', '>', '~']);
    let help = match line {
        _ if operator == "-v" || operator == "-R" => "write the name itself".to_owned(),
        Some(line) if single => format!("write `{line}`"),
        Some(_) | None => format!("use `[ … {operator} … ]`"),
    };
    fault(value, &message, help)
}

/// A value inside the `${…}` that begins at `open`.
pub(super) fn expansion(text: &str, open: usize, quotes: Quotes, value: Range<usize>) -> Fault {
    let inside = &text[(open + "${".len()).min(value.start)..value.start];
    let name: String = inside.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    let operator = &inside[name.len()..];
    let takes_text = operator.starts_with([':', '-', '=', '+', '?', '#', '%', '/']) && !name.is_empty();
    let calculates = operator.starts_with(':') && !operator[1..].starts_with(['-', '=', '+', '?']);
    if !takes_text || calculates {
        let message = "bash runs code that it finds in a value here";
        return fault(
            value,
            message,
            "take the part that is meant before, or by a filter in the braces".to_owned(),
        );
    }
    let is_pattern = operator.starts_with(['#', '%', '/']);
    let variable = if is_pattern || quotes == Quotes::None { "\"$value\"" } else { "$value" };
    let line = edited(text, &[(value.clone(), variable)]).unwrap_or_else(|| variable.to_owned());
    let help = format!("write `value={}; {line}`", &text[value.clone()]);
    fault(value, "no value can be bound inside `${…}`", help)
}

/// A value after `>&` or `<&`.
pub(super) fn duplicate(text: &str, value: Range<usize>) -> Fault {
    let message = "bash expands what follows `>&` twice, and runs code that it finds in the value";
    let source = &text[value.clone()];
    fault(
        value,
        message,
        format!("write `> {source} 2>&1` for a file, and the number itself for a descriptor"),
    )
}

/// A value where a command makes something else of it than text.
pub(super) fn hazard(text: &str, hazard: &Hazard, value: Range<usize>) -> Fault {
    let source = &text[value.clone()];
    let (message, help) = match hazard {
        Hazard::Code(command) => (
            format!("`{command}` reads its text as code, and so the value"),
            format!(
                "write `value={source}` before, and `\"$value\"` in single quotes here: `{command} '… \"$value\" …'`"
            ),
        ),
        Hazard::ShellCode(shell) => (
            format!("`{shell}` reads this text as code, and so the value"),
            format!("give it as an argument: `{shell} -c '… \"$1\" …' {shell} {source}`"),
        ),
        Hazard::ShellInput(shell) => (
            format!("`{shell}` reads its input as code, and so the value"),
            format!("write `{shell} -s -- {source} <<'EOF'`, and `\"$1\"` in the text"),
        ),
        Hazard::Remote => (
            "the shell on the other side reads this text as code, and so the value".to_owned(),
            "let the step run there: give it `on` with the host, and only the command in `run`".to_owned(),
        ),
        Hazard::Name(command) => (
            format!("`{command}` takes the name of a variable here, and bash runs code that it finds in one"),
            match command.as_str() {
                "read" | "for" | "select" | "function" | "unset" | "wait" | "printf" => {
                    "write the name itself".to_owned()
                }
                "test" | "[" => "write the operator itself, one value on each side".to_owned(),
                _ => format!("write the name itself: `{command} name={source}`"),
            },
        ),
        Hazard::Assigned => (
            "the name of a variable can't be a value".to_owned(),
            format!("write the name itself, or `env {source}=… command` to set it for one command"),
        ),
        Hazard::Subscript => (
            "bash runs code that it finds in the value of a subscript".to_owned(),
            "write the subscript itself, or pick from a list in the braces: `{{ list[0] }}`".to_owned(),
        ),
        Hazard::Calculated(what) => (
            format!("bash calculates what `{what}` gets, and runs code that it finds in the value"),
            format!(
                "calculate in the braces, or with `$(expr {source} + 1)`, and assign it to another, plain variable"
            ),
        ),
        Hazard::Reread(what) => (
            format!("the shell reads what `{what}` gets once more, and runs code that it finds in the value"),
            "assign it to another, plain variable".to_owned(),
        ),
        Hazard::Format => (
            "a format that begins with a value can be taken for an option".to_owned(),
            format!("write `printf '%s' {source}`"),
        ),
    };
    fault(value, &message, help)
}

fn fault(at: Range<usize>, message: &str, help: String) -> Fault {
    Fault { at, message: message.to_owned(), help: Some(help) }
}

/// The text between the braces at `value`.
fn inner<'a>(text: &'a str, value: &Range<usize>) -> &'a str {
    text[value.start + 2..value.end - 2].trim()
}

/// Whether text means the same in double quotes as in single ones.
fn is_simple(quoted: &str) -> bool {
    !quoted.contains(['$', '`', '"', '\\', '!', '\n', '\''])
}

/// A line of more bytes is not shown again as it could be: nobody would find the difference in it.
const LONGEST_SHOWN: usize = 2000;

/// The line of `text` that `edits` (in order) are in, with them done; nothing if they are on several lines.
fn edited(text: &str, edits: &[(Range<usize>, &str)]) -> Option<String> {
    let (first, last) = (edits.first()?.0.start, edits.last()?.0.end);
    let start = text[..first].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[last..].find('\n').map_or(text.len(), |newline| last + newline);
    if end - start > LONGEST_SHOWN {
        return None;
    }
    let mut line = String::new();
    let mut at = start;
    for (range, new) in edits {
        line.push_str(text.get(at..range.start)?);
        line.push_str(new);
        at = range.end;
    }
    line.push_str(text.get(at..end)?);
    (!line.contains('\n')).then(|| line.trim().to_owned())
}
