//! A requirements file, line by line, as pip reads it: which files it reads in turn, and what it asks for. It opens no
//! file, and judges no version.

use crate::model::credentials::without_credentials;

/// The options that make pip read another file, long and short.
const OPTIONS: [(&str, Role); 4] = [
    ("--requirement", Role::Wanted),
    ("--constraint", Role::Constraint),
    ("-r", Role::Wanted),
    ("-c", Role::Constraint),
];

/// The endings of files that can be installed.
const ARCHIVES: [&str; 5] = [".whl", ".zip", ".tar.gz", ".tar.bz2", ".tgz"];

/// What a file is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Role {
    /// `-r`: what it lists is installed.
    Wanted,
    /// `-c`: it bounds the versions of what is installed.
    Constraint,
}

/// A line that says something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Reads another file, by this name.
    Reads(Role, String),
    Asks(Asked),
}

/// What is asked for, or an option, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// The package, as its index knows it (PEP 503); none where only the target could tell: a URL, a path, an option.
    pub(super) name: Option<String>,
    /// With its version, extras and marker, in one line, without hashes and passwords.
    pub(super) written: String,
}

/// Where a name in a requirements file leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    Inside(String),
    Outside,
    /// A URL: the target fetches it.
    Elsewhere,
    /// `${NAME}`: pip puts the target's variable there.
    Unknown,
}

/// Whether a file is read as one of requirements: a line that begins with `-r` means nothing elsewhere.
pub(super) fn lists_requirements(path: &str) -> bool {
    let name = file_name(path);
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    name.contains("requirements")
        || name.contains("constraints")
        || matches!(extension, Some("txt" | "in" | "pip"))
}

/// Whether pip is given this file, by the habit of how it is called.
pub(super) fn is_given_to_pip(path: &str) -> bool {
    file_name(path).contains("requirements")
}

/// The files that a requirements file names, in its order.
pub(super) fn included(content: &[u8]) -> Vec<String> {
    let named = |line| match line {
        Line::Reads(_, value) => Some(value),
        Line::Asks(_) => None,
    };
    lines(content).into_iter().filter_map(named).collect()
}

/// What a requirements file says, in its order.
pub(super) fn lines(content: &[u8]) -> Vec<Line> {
    let text = String::from_utf8_lossy(content);
    // pip joins lines that end in a backslash before it looks at them.
    let joined = text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace("\\\n", "");
    let line = |line| {
        let line = without_comment(line).trim();
        match option(line) {
            Some((role, value)) => (!value.is_empty()).then(|| Line::Reads(role, value.to_owned())),
            None => (!line.is_empty()).then(|| Line::Asks(asked(line))),
        }
    };
    joined.lines().filter_map(line).collect()
}

/// Where in the tree a name leads that stands in `file`.
pub(super) fn place(file: &str, value: &str) -> Place {
    let scheme = value.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    if matches!(scheme.as_deref(), Some("http" | "https" | "file")) {
        return Place::Elsewhere;
    }
    if value.contains("${") {
        return Place::Unknown;
    }
    if value.starts_with('/') {
        return Place::Outside;
    }
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in value.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return Place::Outside;
                }
            }
            _ => parts.push(part),
        }
    }
    Place::Inside(parts.join("/"))
}

fn file_name(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase()
}

/// The file that a line reads, and for what; an empty name if it says none.
fn option(line: &str) -> Option<(Role, &str)> {
    let (role, rest) = OPTIONS.iter().find_map(|(option, role)| {
        let rest = line.strip_prefix(option)?;
        // `--requirement=x` and `--requirement x`, `-rx` and `-r x`; but not `--requirements`.
        let is_long = option.starts_with("--");
        let begins = rest.is_empty() || rest.starts_with([' ', '\t']) || !is_long || rest.starts_with('=');
        begins.then(|| (*role, if is_long { rest.strip_prefix('=').unwrap_or(rest) } else { rest }))
    })?;
    let rest = rest.trim_start();
    let value = match rest.chars().next() {
        Some(quote @ ('"' | '\'')) => rest[1..].split(quote).next(),
        Some(_) => rest.split([' ', '\t']).next(),
        None => None,
    };
    Some((role, value.unwrap_or_default()))
}

fn asked(line: &str) -> Asked {
    let words: Vec<&str> = line.split_whitespace().collect();
    let is_option = line.starts_with('-');
    // What follows a requirement are options of its own: hashes, which change with every version.
    let own = words.iter().position(|word| !is_option && word.starts_with("--"));
    let written = words[..own.unwrap_or(words.len())].join(" ");
    let name = if is_option { editable(&words) } else { named(&written) };
    Asked { name: name.map(normalized), written: without_credentials(&written) }
}

/// The package that a requirement begins with; none if it begins with a URL or a path.
fn named(requirement: &str) -> Option<&str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let end = requirement.find(|c| !allowed(c)).unwrap_or(requirement.len());
    let (name, rest) = requirement.split_at(end);
    let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    let goes_on =
        rest.is_empty() || rest.starts_with([' ', '[', '=', '<', '>', '!', '~', ';', '@', ',', '(']);
    let is_archive = ARCHIVES.iter().any(|ending| name.ends_with(ending));
    (begins && goes_on && !is_archive).then_some(name)
}

/// The package of `-e URL#egg=NAME`.
fn editable<'a>(words: &[&'a str]) -> Option<&'a str> {
    matches!(words, ["-e" | "--editable", ..]).then_some(())?;
    let (_, fragment) = words.last()?.split_once('#')?;
    let egg = fragment.split('&').find_map(|part| part.strip_prefix("egg="))?;
    named(egg)
}

/// As PEP 503 compares names: lower case, with one `-` for each run of `-`, `_` and `.`.
fn normalized(name: &str) -> String {
    let parts: Vec<&str> = name.split(['-', '_', '.']).filter(|part| !part.is_empty()).collect();
    parts.join("-").to_ascii_lowercase()
}

/// The line up to a `#` that stands at its beginning or after a blank.
fn without_comment(line: &str) -> &str {
    let mut hashes = line.match_indices('#').map(|(at, _)| at);
    let comment = hashes.find(|&at| at == 0 || line[..at].ends_with([' ', '\t']));
    comment.map_or(line, |at| &line[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pip_reads_is_found() {
        let text = "\u{feff}-r a.txt\r\n-rb.txt # why\n--requirement=c.txt\n--requirement d.txt\n -c  e.txt\n--constraint=\"f g.txt\"\n\
                    -r \\\n  h.txt\n# -r no\n#-r no\ndjango -r no\n--requirements no\n-r\n-i https://x\nx#-r no\n-r i#j.txt\n-e .\n";
        let found = ["a.txt", "b.txt", "c.txt", "d.txt", "e.txt", "f g.txt", "h.txt", "i#j.txt"];
        assert_eq!(included(text.as_bytes()), found);
    }

    #[test]
    fn what_is_asked_for_has_the_name_that_an_index_knows() {
        for (line, name, written) in [
            ("Django==5.2", Some("django"), "Django==5.2"),
            ("zope.interface__x  >= 1 ,<2 # why", Some("zope-interface-x"), "zope.interface__x >= 1 ,<2"),
            (
                "psycopg[binary]==3 ; python_version < '4'",
                Some("psycopg"),
                "psycopg[binary]==3 ; python_version < '4'",
            ),
            ("a==1 \\\n  --hash=sha256:00 \\\n  --hash=sha256:11\n", Some("a"), "a==1"),
            ("shop @ https://ada:pw@host/shop.zip", Some("shop"), "shop @ https://…@host/shop.zip"),
            (
                "-e git+https://host/x.git#egg=My_App&subdirectory=y",
                Some("my-app"),
                "-e git+https://host/x.git#egg=My_App&subdirectory=y",
            ),
            ("-e .", None, "-e ."),
            ("https://host/x.whl", None, "https://host/x.whl"),
            ("./local", None, "./local"),
            ("wheels/x-1.0.whl", None, "wheels/x-1.0.whl"),
            ("x-1.0-py3-none-any.whl", None, "x-1.0-py3-none-any.whl"),
            ("--index-url https://t0ken@host/simple", None, "--index-url https://…@host/simple"),
            ("${NAME}==1", None, "${NAME}==1"),
        ] {
            let asked = Asked { name: name.map(str::to_owned), written: written.to_owned() };
            assert_eq!(lines(line.as_bytes()), [Line::Asks(asked)], "{line}");
        }
        assert_eq!(lines(b"\n  # a word\n\t\n-r\n"), []);
    }

    #[test]
    fn names_are_meant_from_the_file_that_holds_them() {
        for (file, value, place_of) in [
            ("requirements.txt", "requirements/a.txt", Place::Inside("requirements/a.txt".to_owned())),
            ("requirements/a.txt", "base.txt", Place::Inside("requirements/base.txt".to_owned())),
            ("requirements/a.txt", ".././b//c.txt", Place::Inside("b/c.txt".to_owned())),
            ("requirements/a.txt", "../../b.txt", Place::Outside),
            ("a.txt", "/etc/b.txt", Place::Outside),
            ("a.txt", "HTTPS://host/b.txt", Place::Elsewhere),
            ("a.txt", "file:b.txt", Place::Elsewhere),
            ("a.txt", "${WHERE}/b.txt", Place::Unknown),
        ] {
            assert_eq!(place(file, value), place_of, "{value} in {file}");
        }
    }
}
