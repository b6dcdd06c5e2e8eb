//! One commit, in the language of `git fast-import`: text and bytes in, a stream out. It runs nothing.
//! One such process makes blobs, trees, commit and ref at once, at a cost that does not grow with the repository.

use super::object::Mode;
use crate::model::release::ObjectId;

/// Who makes deploy's commits. Fixed, so that the same release has the same id whoever retries it.
const IDENTITY: &str = "deploy <deploy@localhost>";

/// A commit to be made.
pub(crate) struct Stream {
    bytes: Vec<u8>,
}

impl Stream {
    /// A commit that `reference` will name. `date` is as git writes it: seconds since 1970 and the zone.
    pub(crate) fn commit(reference: &str, date: &str, message: &str, parent: Option<&ObjectId>) -> Stream {
        let mut stream = Stream { bytes: Vec::new() };
        stream.line(&format!("commit {reference}\nmark :1\ncommitter {IDENTITY} {date}"));
        stream.data(message.as_bytes());
        if let Some(parent) = parent {
            stream.line(&format!("from {parent}"));
        }
        stream
    }

    /// Begins with this tree instead of the parent's.
    pub(crate) fn tree(&mut self, tree: &ObjectId) {
        self.line(&format!("M {} {tree} ", Mode::Folder.octal()));
    }

    /// Puts a file into the tree.
    pub(crate) fn file(&mut self, path: &str, mode: Mode, content: &[u8]) {
        self.bytes.extend_from_slice(format!("M {} inline ", mode.octal()).as_bytes());
        self.bytes.extend_from_slice(&quoted(path.as_bytes()));
        self.bytes.push(b'\n');
        self.data(content);
    }

    /// Takes a file out of the tree.
    pub(crate) fn remove(&mut self, path: &str) {
        self.bytes.extend_from_slice(b"D ");
        self.bytes.extend_from_slice(&quoted(path.as_bytes()));
        self.bytes.push(b'\n');
    }

    /// The whole stream. git answers it with the commit's id and its tree, for [`answer`].
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.line("\nget-mark :1\nls :1 \ndone");
        self.bytes
    }

    fn line(&mut self, line: &str) {
        self.bytes.extend_from_slice(line.as_bytes());
        self.bytes.push(b'\n');
    }

    fn data(&mut self, content: &[u8]) {
        self.line(&format!("data {}", content.len()));
        self.bytes.extend_from_slice(content);
        self.bytes.push(b'\n');
    }
}

/// The commit and its tree, as git answered a finished stream: `ID`, then `040000 tree ID` and a tab.
pub(crate) fn answer(stdout: &[u8]) -> Option<(ObjectId, ObjectId)> {
    let text = std::str::from_utf8(stdout).ok()?;
    let (commit, tree) = text.split_once('\n')?;
    let tree = tree.trim_end().strip_prefix("040000 tree ")?;
    Some((ObjectId::parse(commit)?, ObjectId::parse(tree)?))
}

/// A path in double quotes, as git reads it back: any byte but NUL may stand in a path.
pub(crate) fn quoted(path: &[u8]) -> Vec<u8> {
    let mut quoted = vec![b'"'];
    for &byte in path {
        match byte {
            b'"' | b'\\' => quoted.extend([b'\\', byte]),
            b'\n' => quoted.extend(b"\\n"),
            _ => quoted.push(byte),
        }
    }
    quoted.push(b'"');
    quoted
}
