//! What a remote says while it takes a push: read line by line as it comes, looked through for `fail_on`, not kept.

use regex::bytes::Regex;

use crate::model::event::Failure;
use crate::target::refused;

/// A line that is longer is looked at in pieces of so many bytes.
const LINE_LIMIT: usize = 64 * 1024;

/// How much of a line is shown.
const SHOWN: usize = 200;

/// What git writes before each line of the remote's.
const PREFIX: &[u8] = b"remote: ";

/// In the words of GitLab, and of others.
const PROTECTED: &[u8] = b"protected branch";

/// A remote's text, line by line.
pub(super) struct Words {
    patterns: Vec<Regex>,
    line: Vec<u8>,
    /// The line is the remote's: it began with git's prefix.
    is_theirs: bool,
    /// The first pattern that matched, and the line.
    found: Option<(String, String)>,
    speaks_of_protection: bool,
}

impl Words {
    /// The patterns were checked when tasks.toml was read.
    pub(super) fn new(patterns: &[String]) -> Result<Words, Failure> {
        let compiled = patterns.iter().map(|pattern| {
            Regex::new(pattern).map_err(|error| refused(error.to_string(), "mend the pattern in `fail_on`"))
        });
        let patterns = compiled.collect::<Result<_, _>>()?;
        Ok(Words { patterns, line: Vec::new(), is_theirs: false, found: None, speaks_of_protection: false })
    }

    /// Takes bytes that may begin and end anywhere. What git and ssh on this side say is among them, and passed over.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| matches!(byte, b'\n' | b'\r')) {
            for part in piece.chunks(LINE_LIMIT) {
                if self.line.len() + part.len() > LINE_LIMIT {
                    self.look();
                }
                self.line.extend_from_slice(part);
            }
            if matches!(piece.last(), Some(b'\n' | b'\r')) {
                self.end();
            }
        }
    }

    /// No more comes to the line that was begun.
    pub(super) fn end(&mut self) {
        self.look();
        self.is_theirs = false;
    }

    /// Looks at what there is of a line.
    fn look(&mut self) {
        let line = anstream::adapter::strip_bytes(&self.line).into_vec();
        self.line.clear();
        let text = line.strip_prefix(PREFIX);
        self.is_theirs |= text.is_some();
        if !self.is_theirs {
            return;
        }
        let text = text.unwrap_or(&line).trim_ascii_end();
        self.speaks_of_protection |= text.windows(PROTECTED.len()).any(|words| words == PROTECTED);
        if self.found.is_none()
            && let Some(pattern) = self.patterns.iter().find(|pattern| pattern.is_match(text))
        {
            let shown =
                String::from_utf8_lossy(text).chars().filter(|c| !c.is_control()).take(SHOWN).collect();
            self.found = Some((pattern.to_string(), shown));
        }
    }

    /// Whether somebody waits for words in it.
    pub(super) fn matter(&self) -> bool {
        !self.patterns.is_empty()
    }

    /// The first pattern of `fail_on` that was met, and the line.
    pub(super) fn found(&self) -> Option<(&str, &str)> {
        self.found.as_ref().map(|(pattern, line)| (pattern.as_str(), line.as_str()))
    }

    /// Whether the host speaks of a branch that only some may push to, as GitLab and others do.
    pub(super) fn speaks_of_protection(&self) -> bool {
        self.speaks_of_protection
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(patterns: &[&str], pieces: &[&[u8]]) -> Option<(String, String)> {
        let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        let mut words = Words::new(&patterns).unwrap();
        for piece in pieces {
            words.take(piece);
        }
        words.end();
        words.found
    }

    #[test]
    fn a_pattern_is_found_wherever_the_text_is_cut() {
        let text = "remote: one\r\nremote: \x1b[1;31mrelease command\x1b[0m error: 7        \nremote: last"
            .as_bytes();
        let expected =
            Some(("^release command error: \\d+$".to_owned(), "release command error: 7".to_owned()));
        for at in 0..text.len() {
            let (one, other) = text.split_at(at);
            assert_eq!(words(&["^release command error: \\d+$"], &[one, other]), expected, "cut at {at}");
        }
        assert_eq!(words(&["last$"], &[text]).unwrap().1, "last");
        assert_eq!(words(&["remote"], &[text]), None);
        assert_eq!(words(&["one.*two"], &[b"remote: one\nremote: two\n"]), None);
    }

    #[test]
    fn the_first_line_that_matches_counts_and_any_byte_may_come() {
        assert_eq!(words(&["b", "(?i)A"], &[b"a\nremote: \xff\x00 a\nremote: b\n"]).unwrap().0, "(?i)A");
        assert_eq!(words(&[], &[b"remote: \xff"]), None);
        assert_eq!(words(&["error"], &[b"error: failed to push\nTo remote: error\n"]), None);
    }

    #[test]
    fn a_line_without_end_is_not_kept() {
        let mut words = Words::new(&["end$".to_owned()]).unwrap();
        words.take(b"remote: ");
        for _ in 0..100 {
            words.take(&b"x".repeat(50_000));
            assert!(words.line.len() <= LINE_LIMIT && words.line.capacity() <= 4 * LINE_LIMIT);
        }
        words.take(&[b"x".repeat(3 * LINE_LIMIT), b" the end\n".to_vec()].concat());
        assert!(words.found().is_some_and(|(_, line)| line.len() <= SHOWN));
    }
}
