//! The other side: the line that a host's shell gets, and what its stdin says of a step. The line is always the same;
//! words, variables and secrets travel by stdin, as lines that are counted, and are nowhere read as code.

use std::time::Duration;

use crate::model::host::{Sudo, There};
use crate::model::secret::Vault;
use crate::model::template::is_identifier;

/// The program that runs there; `far.sh` says how it is written.
const PROGRAM: &str = include_str!("far.sh");

/// Asks sudo for its password before, which it reads from stdin. One try: no account is locked by a wrong one.
const PASSWORD: &str =
    r#"IFS= read -r p; printf "%s\n" "$p" | sudo -S -p "" -v || exit 1; p=; sudo -n -u "$1" -- sh -c "$0""#;

/// Variables that a shell does not take, or does not hand on.
const OF_SHELLS: [&str; 8] = ["IFS", "LINENO", "OPTIND", "PPID", "PS4", "UID", "EUID", "_"];

/// What is done on a host.
#[derive(Default)]
pub(crate) struct Errand {
    /// The program and its arguments.
    pub(crate) words: Vec<String>,
    /// A script: it becomes a file for as long as it runs, and its path the last word.
    pub(crate) script: Option<String>,
    /// Strongest last.
    pub(crate) env: Vec<(String, String)>,
    pub(crate) dir: Option<String>,
}

/// The line for the user's own shell there, whichever that is.
pub(crate) fn line(there: &There) -> String {
    as_user(there, &program())
}

/// The same for another program, which holds no single quote, and no `!`.
pub(crate) fn as_user(there: &There, program: &str) -> String {
    match &there.sudo {
        None => format!("exec sh -c '{program}'"),
        // A user's name is letters and digits: the file was checked.
        Some(Sudo { user, password: None }) => format!("exec sudo -n -u {user} -- sh -c '{program}'"),
        Some(Sudo { user, password: Some(_) }) => format!("exec sh -c '{PASSWORD}' '{program}' {user}"),
    }
}

/// A word that nobody else knows, so that nobody else can say what the other side says.
///
/// # Errors
/// The system has no randomness.
pub(crate) fn mark() -> Result<String, String> {
    let mut random = [0_u8; 16];
    getrandom::fill(&mut random).map_err(|error| format!("the system gives no random bytes: {error}"))?;
    Ok(format!("deploy:{:032x}", u128::from_be_bytes(random)))
}

/// What stdin says first. `mark` is what the other side tells its own words by.
pub(crate) fn told(there: &There, errand: &Errand, mark: &str, grace: Duration, vault: &Vault) -> Vec<u8> {
    let mut told = password(there, vault);
    told.extend([mark, "\n"]);
    for (index, (name, value)) in errand.env.iter().enumerate() {
        let is_last = errand.env[index + 1..].iter().all(|(other, _)| other != name);
        if is_last && is_identifier(name) && !OF_SHELLS.contains(&name.as_str()) {
            piece(&mut told, &format!("env {name}"), value);
        }
    }
    // After the variables: a folder is looked for as a program would.
    if let Some(dir) = &errand.dir {
        let is_whole = dir.starts_with('/');
        piece(&mut told, "dir -", &if is_whole { dir.clone() } else { format!("./{dir}") });
    }
    for word in &errand.words {
        piece(&mut told, "word -", word);
    }
    if let Some(script) = &errand.script {
        piece(&mut told, "file -", script);
    }
    told.extend(["go ", &grace.as_secs().max(1).to_string(), "\n"]);
    told.into_bytes()
}

/// What stdin says before all else: the password of sudo, where it wants one.
pub(crate) fn password(there: &There, vault: &Vault) -> String {
    let password = there.sudo.as_ref().and_then(|sudo| sudo.password.as_ref());
    // What follows its first line could be taken for something else.
    let first = password.map(|text| text.reveal(vault).lines().next().unwrap_or_default().to_owned());
    first.map_or_else(String::new, |first| first + "\n")
}

/// A text with the number of its lines.
fn piece(told: &mut String, what: &str, text: &str) {
    let lines = text.split('\n').count();
    told.extend([what, " ", &lines.to_string(), "\n", text, "\n"]);
}

/// The program in one line: some login shells take no other.
fn program() -> String {
    let goes_on = ["do", "then", "{", " in", ";;"];
    let mut line = String::new();
    for part in PROGRAM.lines().filter(|part| !part.is_empty() && !part.starts_with('#')) {
        line.push_str(part);
        line.push_str(if goes_on.iter().any(|end| part.ends_with(end)) { " " } else { "; " });
    }
    line.trim_end_matches([';', ' ']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::host::Agent;

    fn web1(sudo: Option<Sudo>) -> There {
        let patience = Duration::from_secs(30);
        There { host: "web1".into(), ssh: "web1".to_owned(), agent: Agent::Kept, patience, dir: None, sudo }
    }

    #[test]
    fn any_login_shell_reads_the_line_as_it_is_meant() {
        let line = line(&web1(None));
        assert_eq!(line.matches('\'').count(), 2, "{line}");
        assert!(!line.contains('\n') && !line.replace("$!", "").contains('!'), "{line}");
    }

    #[test]
    fn nothing_of_a_step_is_in_the_line() {
        let errand = Errand { words: vec!["secret words".to_owned()], ..Errand::default() };
        let told = told(&web1(None), &errand, "mark", Duration::from_secs(10), &Vault::default());
        assert_eq!(String::from_utf8(told).unwrap(), "mark\nword - 1\nsecret words\ngo 10\n");
        assert!(!line(&web1(None)).contains("secret words"));
    }

    #[test]
    fn texts_are_counted_lines_and_the_strongest_variable_counts() {
        let env = [("A", "1"), ("B", "x\ny\n"), ("A", "2"), ("IFS", "z"), ("not a name", "z")];
        let errand = Errand {
            words: vec!["sh".to_owned(), String::new()],
            env: env.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            dir: Some("-".to_owned()),
            ..Errand::default()
        };
        let told = told(&web1(None), &errand, "mark", Duration::from_secs(10), &Vault::default());
        assert_eq!(
            String::from_utf8(told).unwrap(),
            "mark\nenv B 3\nx\ny\n\nenv A 1\n2\ndir - 1\n./-\nword - 1\nsh\nword - 1\n\ngo 10\n"
        );
    }

    #[test]
    fn another_user_is_asked_for_without_a_question() {
        let sudo = Sudo { user: "www-data".to_owned(), password: None };
        assert!(line(&web1(Some(sudo))).starts_with("exec sudo -n -u www-data -- sh -c '"));
    }
}
