//! What git stores, as data: ids, trees and commits, read from the bytes that `git cat-file` gives.
//! It runs nothing and knows nothing of releases.

use crate::model::release::ObjectId;
use jiff::Timestamp;

/// An object as git gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) id: ObjectId,
    pub(crate) kind: ObjectKind,
    pub(crate) bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ObjectKind {
    Blob,
    Tree,
    Commit,
    Tag,
}

/// What a name in a tree stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    File,
    Executable,
    Symlink,
    Folder,
    Submodule,
}

impl Mode {
    /// As `git fast-import` wants it.
    pub(crate) fn octal(self) -> &'static str {
        match self {
            Mode::File => "100644",
            Mode::Executable => "100755",
            Mode::Symlink => "120000",
            Mode::Folder => "040000",
            Mode::Submodule => "160000",
        }
    }

    /// Old repositories have files of mode 100664 too.
    pub(super) fn of_tree(octal: &[u8]) -> Option<Mode> {
        match octal {
            b"40000" => Some(Mode::Folder),
            b"120000" => Some(Mode::Symlink),
            b"160000" => Some(Mode::Submodule),
            b"100755" => Some(Mode::Executable),
            _ if octal.starts_with(b"100") => Some(Mode::File),
            _ => None,
        }
    }
}

/// The names in a tree, in its order. `id_length` is that of the repository's binary ids: 20 or 32 bytes.
pub(crate) fn tree_entries(bytes: &[u8], id_length: usize) -> Option<Vec<(Vec<u8>, Mode)>> {
    let mut entries = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let space = rest.iter().position(|&byte| byte == b' ')?;
        let nul = rest.iter().position(|&byte| byte == 0)?;
        let name = rest.get(space + 1..nul)?;
        entries.push((name.to_owned(), Mode::of_tree(&rest[..space])?));
        rest = rest.get(nul + 1 + id_length..)?;
    }
    Some(entries)
}

/// A commit's headers and message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Commit {
    pub(crate) tree: ObjectId,
    pub(crate) parents: Vec<ObjectId>,
    pub(crate) author: String,
    /// The committer's time as git wrote it: seconds since 1970 and the zone, `1700000000 +0100`.
    pub(crate) date: String,
    pub(crate) message: String,
}

impl Commit {
    /// Reads a commit object. Bytes that are not UTF-8 are replaced: they are only shown.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Commit> {
        let text = String::from_utf8_lossy(bytes);
        let (headers, message) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
        let values = |key: &'static str| {
            headers.lines().filter_map(move |line| line.strip_prefix(key)?.strip_prefix(' '))
        };
        let (_, date) = values("committer").next()?.rsplit_once('>')?;
        let (author, _) = values("author").next()?.split_once('<')?;
        Some(Commit {
            tree: ObjectId::parse(values("tree").next()?)?,
            parents: values("parent").map(ObjectId::parse).collect::<Option<_>>()?,
            author: author.trim().to_owned(),
            date: date.trim().to_owned(),
            message: message.to_owned(),
        })
    }

    /// When it was committed.
    pub(crate) fn time(&self) -> Option<Timestamp> {
        Timestamp::from_second(self.date.split(' ').next()?.parse().ok()?).ok()
    }

    /// The first line of its message.
    pub(crate) fn subject(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }

    /// The last value of a trailer: a line `Key: value` in the last paragraph.
    pub(crate) fn trailer(&self, key: &str) -> Option<&str> {
        trailers(&self.message).filter(|(have, _)| *have == key).last().map(|(_, value)| value)
    }
}

/// The `Key: value` lines of a message's last paragraph.
pub(crate) fn trailers(message: &str) -> impl Iterator<Item = (&str, &str)> {
    let paragraph = message.trim_end().rsplit("\n\n").next().unwrap_or_default();
    paragraph.lines().filter_map(|line| line.split_once(": "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn an_id_is_40_or_64_lower_case_hex_digits() {
        assert!(ObjectId::parse(ID).is_some());
        assert!(ObjectId::parse(&format!("{ID}{}", &ID[..24])).is_some());
        for wrong in ["", "0123", "HEAD", &ID.to_uppercase(), &ID[1..], &format!("{ID}0")] {
            assert_eq!(ObjectId::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_commit_keeps_what_we_need_and_its_trailers_are_those_of_the_last_paragraph() {
        let text = format!(
            "tree {ID}\nparent {ID}\nauthor Ana <Bo> <ana@x> 1 +0000\ncommitter C <c@x> 1700000000 -0130\n\
             gpgsig -----BEGIN\n tree nonsense\n\nSubject\n\nSource: no\n\nRelease: 1\nRelease: 2\n"
        );
        let commit = Commit::parse(text.as_bytes()).unwrap();
        assert_eq!((commit.author.as_str(), commit.date.as_str()), ("Ana", "1700000000 -0130"));
        assert_eq!(commit.time().unwrap().as_second(), 1_700_000_000);
        assert_eq!(commit.subject(), "Subject");
        assert_eq!((commit.trailer("Release"), commit.trailer("Source")), (Some("2"), None));
    }

    #[test]
    fn a_tree_that_is_cut_anywhere_but_between_names_is_not_misread() {
        let mut bytes = Vec::new();
        for (mode, name) in
            [("100644", "a b"), ("40000", "é"), ("120000", "l"), ("160000", "s"), ("100755", "x")]
        {
            bytes.extend(format!("{mode} {name}\0").bytes());
            bytes.extend([b' '; 20]);
        }
        let entries = tree_entries(&bytes, 20).unwrap();
        let modes: Vec<Mode> = entries.iter().map(|(_, mode)| *mode).collect();
        assert_eq!(modes, [Mode::File, Mode::Folder, Mode::Symlink, Mode::Submodule, Mode::Executable]);
        assert_eq!(entries[1].0, "é".as_bytes());
        for end in 0..bytes.len() {
            let whole = entries.iter().scan(0, |at, (name, mode)| {
                *at += name.len() + 22 + if *mode == Mode::Folder { 5 } else { 6 };
                Some(*at)
            });
            assert_eq!(
                tree_entries(&bytes[..end], 20).is_some(),
                end == 0 || whole.into_iter().any(|at| at == end)
            );
        }
    }
}
