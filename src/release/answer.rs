//! What git answered, and how it is read: text, one line, objects, a list of commits. It runs nothing.

use super::git::{GitError, spoken};
use super::object::{Commit, Object, ObjectKind};
use crate::model::release::ObjectId;

/// What a call printed, and its exit code.
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    /// What was asked, for messages.
    pub(super) command: String,
}

impl Answer {
    /// What it printed, if it succeeded.
    pub(crate) fn stdout(self) -> Result<Vec<u8>, GitError> {
        if self.code == 0 { Ok(self.stdout) } else { Err(self.failure()) }
    }

    /// One line that it printed, if it succeeded.
    pub(crate) fn line(self) -> Result<String, GitError> {
        let bytes = self.stdout()?;
        Ok(String::from_utf8_lossy(&bytes).trim_end_matches('\n').to_owned())
    }

    /// The error for a call that should have succeeded.
    pub(crate) fn failure(self) -> GitError {
        let how = format!("failed with exit code {}", self.code);
        GitError::Failed { command: self.command, how, said: spoken(&self.stderr) }
    }

    /// The error for a success whose answer makes no sense.
    pub(crate) fn unreadable(&self) -> GitError {
        let answer = String::from_utf8_lossy(&self.stdout).chars().take(200).collect();
        GitError::Unreadable { command: self.command.clone(), answer }
    }

    /// Reads the output of `rev-list --header`: an id, the commit with its message indented by four, a NUL.
    pub(crate) fn commits(self) -> Result<Vec<(ObjectId, Commit)>, GitError> {
        if self.code != 0 {
            return Err(self.failure());
        }
        let text = String::from_utf8_lossy(&self.stdout);
        let commits = text.split_terminator('\0').map(|record| {
            let (id, commit) = record.split_once('\n')?;
            let (headers, message) = commit.split_once("\n\n").unwrap_or((commit, ""));
            let lines = message.lines().map(|line| line.strip_prefix("    ").unwrap_or(line));
            let commit = format!("{headers}\n\n{}\n", lines.collect::<Vec<_>>().join("\n"));
            Some((ObjectId::parse(id)?, Commit::parse(commit.as_bytes())?))
        });
        commits.collect::<Option<_>>().ok_or_else(|| self.unreadable())
    }

    /// Reads the answers of `cat-file --batch` to `queries`, one each; `None` for what is not there.
    pub(super) fn objects(self, queries: &[String]) -> Result<Vec<Option<Object>>, GitError> {
        if self.code != 0 {
            return Err(self.failure());
        }
        let mut rest = self.stdout.as_slice();
        let read = queries.iter().map(|query| next_object(&mut rest, query)).collect::<Option<Vec<_>>>();
        read.filter(|_| rest.is_empty()).ok_or_else(|| self.unreadable())
    }
}

/// One answer of `cat-file --batch`: `ID KIND SIZE`, the bytes, a newline; or the query again and why not.
/// The outer `None` is for an answer that can't be read.
#[expect(clippy::option_option, reason = "unreadable and absent are two different things")]
fn next_object(rest: &mut &[u8], query: &str) -> Option<Option<Object>> {
    for absent in [" missing\n", " ambiguous\n"] {
        if let Some(after) =
            rest.strip_prefix(query.as_bytes()).and_then(|rest| rest.strip_prefix(absent.as_bytes()))
        {
            *rest = after;
            return Some(None);
        }
    }
    let end = rest.iter().position(|&byte| byte == b'\n')?;
    let header = std::str::from_utf8(&rest[..end]).ok()?;
    *rest = &rest[end + 1..];
    let words: Vec<&str> = header.split(' ').collect();
    let [id, kind, size] = words[..] else {
        // A submodule's commit is not in this repository.
        return matches!(words[..], [_, "submodule" | "missing"]).then_some(None);
    };
    let kind = match kind {
        "blob" => ObjectKind::Blob,
        "tree" => ObjectKind::Tree,
        "commit" => ObjectKind::Commit,
        "tag" => ObjectKind::Tag,
        _ => return None,
    };
    let size: usize = size.parse().ok()?;
    let bytes = rest.get(..size)?.to_owned();
    *rest = rest.get(size..)?.strip_prefix(b"\n")?;
    Some(Some(Object { id: ObjectId::parse(id)?, kind, bytes }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_object_is_told_from_one_whose_name_looks_like_an_answer() {
        let id = "0123456789abcdef0123456789abcdef01234567";
        let out = format!("HEAD:a missing\nb missing\n{id} blob 3\na\nb\n{id} missing\nx ambiguous\n");
        let answer = Answer { code: 0, stdout: out.into_bytes(), stderr: Vec::new(), command: String::new() };
        let queries = ["HEAD:a missing\nb", "HEAD:b", id, "x"].map(str::to_owned);
        let objects = answer.objects(&queries).unwrap();
        assert_eq!(objects.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, false, false]);
        assert_eq!(objects[1].as_ref().unwrap().bytes, b"a\nb");
    }
}
