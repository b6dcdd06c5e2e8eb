//! Files in one stream: a tar archive, as every system can read it. Which pack of which backup a file is in, its manifest
//! says; so a file that the store has is not sent again.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use super::manifest::{Filed, Mark, Sealed};
use super::source::Hashed;
use crate::model::tree::{Digest, Kind};

/// A file as it was found, to be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sighted {
    pub(crate) path: String,
    pub(crate) kind: Kind,
    /// Of its content, where that was read; else its mark has to do.
    pub(crate) digest: Option<Digest>,
    pub(crate) mark: Option<Mark>,
}

impl Sighted {
    /// Whether it is what was saved.
    fn is(&self, filed: &Filed) -> bool {
        let is_same = match self.digest {
            Some(digest) => digest == filed.digest,
            None => self.mark.is_some() && self.mark == filed.mark,
        };
        is_same && self.kind == filed.kind
    }
}

/// What a backup of files will hold, and what of it must be sent.
pub(crate) struct Packing {
    /// Packs of earlier backups that are used again.
    pub(crate) packs: Vec<Sealed>,
    /// Files that the store has, each with its pack's place.
    pub(crate) known: Vec<Filed>,
    /// Files that it does not have.
    pub(crate) new: Vec<Sighted>,
}

impl Packing {
    /// By what the newest backup has. Of a pack that is mostly of files which are gone, what is left is sent again: so what nobody
    /// needs can go some day.
    pub(crate) fn new(
        sighted: Vec<Sighted>,
        packs: &[Sealed],
        files: &[Filed],
        is_there: impl Fn(&Sealed) -> bool,
    ) -> Packing {
        let mut packing = Packing { packs: Vec::new(), known: Vec::new(), new: Vec::new() };
        let had: HashMap<&str, &Filed> = files.iter().map(|filed| (filed.path.as_str(), filed)).collect();
        let saved = |file: &Sighted| had.get(file.path.as_str()).copied().filter(|filed| file.is(filed));
        let mut used = vec![0; packs.len()];
        sighted.iter().filter_map(saved).for_each(|filed| used[filed.pack] += 1);
        let stays = |pack: usize| {
            let holds = packs[pack].files.unwrap_or_default();
            used[pack] * 2 >= holds && is_there(&packs[pack])
        };
        let mut places = HashMap::new();
        for file in sighted {
            match saved(&file).filter(|filed| stays(filed.pack)) {
                Some(filed) => {
                    let next = packing.packs.len();
                    let pack = *places.entry(filed.pack).or_insert(next);
                    if pack == next {
                        packing.packs.push(packs[filed.pack].clone());
                    }
                    packing.known.push(Filed { pack, mark: file.mark, ..filed.clone() });
                }
                None => packing.new.push(file),
            }
        }
        packing
    }
}

/// A link that is yet to be made.
pub(crate) struct Link {
    path: PathBuf,
    to: Vec<u8>,
}

/// Makes links, when all else is in its place: nothing was written through one.
pub(crate) fn link(folder: &Path, links: Vec<Link>) -> io::Result<()> {
    // A link where another needs a folder is refused by this.
    for parent in links.iter().filter_map(|link| link.path.parent()) {
        fs::create_dir_all(folder.join(parent))?;
    }
    links.into_iter().try_for_each(|Link { path, to }| {
        symlink(Path::new(std::ffi::OsStr::from_bytes(&to)), folder.join(&path))
            .map_err(|error| io::Error::new(error.kind(), format!("`{}`: {error}", path.display())))
    })
}

/// Puts the files of a pack that `wanted` names into a folder, and compares each with its digest. Links are given back, to be made last.
pub(crate) fn unpack(
    from: impl Read,
    wanted: &[&Filed],
    folder: &Path,
    links: &mut Vec<Link>,
) -> io::Result<()> {
    let mut wanted: HashMap<&Path, &Filed> =
        wanted.iter().map(|filed| (Path::new(filed.path.as_str()), *filed)).collect();
    let mut archive = tar::Archive::new(from);
    let mut made = HashSet::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let Some(Filed { path: name, kind, digest, .. }) = wanted.remove(path.as_path()) else { continue };
        if !is_inside(&path) {
            return Err(io::Error::other(format!("`{name}` would be written outside of the folder")));
        }
        let place = folder.join(&path);
        if let Some(parent) = place.parent()
            && made.insert(parent.to_owned())
        {
            fs::create_dir_all(parent)?;
        }
        let found = match kind {
            Kind::Link => {
                let to = entry.link_name_bytes().map(std::borrow::Cow::into_owned).unwrap_or_default();
                let digest = Digest::of(&to);
                links.push(Link { path, to });
                digest
            }
            Kind::File | Kind::Executable => {
                let mode = entry.header().mode()? & 0o777;
                let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&place)?;
                let mut hashed = Hashed::new(&mut entry);
                io::copy(&mut hashed, &mut file)?;
                let digest = hashed.finish();
                // The umask has its say when a file is made, and this one was made before.
                file.set_permissions(fs::Permissions::from_mode(mode))?;
                let modified = entry
                    .header()
                    .mtime()
                    .map(|seconds| std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds));
                file.set_modified(modified?)?;
                digest
            }
        };
        if found != *digest {
            return Err(io::Error::other(format!("`{name}` is not what was saved")));
        }
    }
    match wanted.into_keys().next() {
        Some(missing) => Err(io::Error::other(format!("`{}` is not in the pack", missing.display()))),
        None => Ok(()),
    }
}

/// Whether a path leads nowhere else.
fn is_inside(path: &Path) -> bool {
    path.components().all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{Filed, Link, link, unpack};
    use crate::model::tree::{Digest, Kind};

    fn filed(path: &str, kind: Kind, content: &[u8]) -> Filed {
        Filed { path: path.to_owned(), kind, digest: Digest::of(content), pack: 0, mark: None }
    }

    /// An archive that somebody made who means harm: a link, then a file beneath it.
    #[test]
    fn a_file_is_not_written_through_a_link_of_the_same_backup() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let to = elsewhere.path().to_string_lossy().into_owned();
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        archive.append_link(&mut header, "a", &to).unwrap();
        let mut header = tar::Header::new_gnu();
        header.set_size(4);
        header.set_mode(0o644);
        archive.append_data(&mut header, "a/x", &b"evil"[..]).unwrap();
        let bytes = archive.into_inner().unwrap();
        let files = [filed("a", Kind::Link, to.as_bytes()), filed("a/x", Kind::File, b"evil")];
        let wanted: Vec<&Filed> = files.iter().collect();
        let mut links = Vec::new();
        unpack(&bytes[..], &wanted, folder.path(), &mut links).unwrap();
        assert!(link(folder.path(), links).is_err(), "there is a folder where the link is to be");
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_link_is_not_made_through_another() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let to = |path: &Path| path.to_string_lossy().into_owned().into_bytes();
        let links = vec![
            Link { path: "a".into(), to: to(elsewhere.path()) },
            Link { path: "a/b".into(), to: b"/etc/passwd".to_vec() },
        ];
        assert!(link(folder.path(), links).is_err());
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_outside_of_the_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.as_gnu_mut().unwrap().name[..4].copy_from_slice(b"../x");
        header.set_size(4);
        header.set_mode(0o644);
        header.set_cksum();
        archive.append(&header, &b"evil"[..]).unwrap();
        let bytes = archive.into_inner().unwrap();
        let file = filed("../x", Kind::File, b"evil");
        let refused = unpack(&bytes[..], &[&file], folder.path(), &mut Vec::new()).unwrap_err();
        assert!(refused.to_string().contains("outside"), "{refused}");
    }
}
