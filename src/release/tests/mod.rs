//! A world for each test: a folder with a git repository of the user's, and deploy's own beside it. Real git.

mod chains;
mod commits;
mod ledgers;
mod locks;
mod reading;
mod remotes;
mod requirements;
mod swaps;

use crate::model::release::{ObjectId, Source};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::commit::{Made, ReleaseCommit};
use super::git::Git;
use super::refs::Refs;
use super::repository::Repository;
use super::scratch::Scratch;
use super::swap::{Entry, Swap, SwapContent, SwapFile, resolve};
use crate::model::name::RunId;
use crate::state::StateDir;
use crate::state::checkout::Checkout;

/// A user's machine with one repository, in `work`.
struct World {
    folder: TempDir,
    git: Git,
}

impl World {
    /// An empty repository.
    fn empty(init: &[&str]) -> World {
        let folder = tempfile::tempdir().unwrap();
        let path = std::env::vars_os().find(|(name, _)| name == "PATH");
        let mut env: Vec<(OsString, OsString)> = path.into_iter().collect();
        let home = folder.path().join("home");
        fs::create_dir(&home).unwrap();
        env.push(("HOME".into(), home.into_os_string()));
        for (name, value) in [
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_AUTHOR_NAME", "Ana"),
            ("GIT_AUTHOR_EMAIL", "ana@example.com"),
            ("GIT_AUTHOR_DATE", "1700000000 +0130"),
            ("GIT_COMMITTER_NAME", "Ana"),
            ("GIT_COMMITTER_EMAIL", "ana@example.com"),
            ("GIT_COMMITTER_DATE", "1700000000 +0130"),
            // What a hook would give us; none of it may be followed.
            ("GIT_DIR", "/nowhere"),
            ("GIT_INDEX_FILE", "/nowhere"),
            ("GIT_WORK_TREE", "/nowhere"),
        ] {
            env.push((name.into(), value.into()));
        }
        let git = Git::find(env, folder.path()).unwrap();
        let world = World { folder, git };
        world.at(".", &[&["init", "-q", "-b", "main"], init, &["work"]].concat());
        world
    }

    /// A repository with one commit of these files.
    fn with(files: &[(&str, &str)]) -> World {
        let world = World::empty(&[]);
        world.commit(files);
        world
    }

    fn path(&self) -> PathBuf {
        fs::canonicalize(self.folder.path()).unwrap()
    }

    fn work(&self) -> PathBuf {
        self.path().join("work")
    }

    /// Runs git in a folder of this world: its output.
    fn at(&self, folder: impl AsRef<Path>, args: &[&str]) -> String {
        let answer = self.git.call(&self.path().join(folder), &[], args).run().unwrap();
        answer.line().unwrap()
    }

    /// Runs git in the user's repository.
    fn user(&self, args: &[&str]) -> String {
        self.at("work", args)
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.work().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::File::create(path)
            .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_ref()))
            .unwrap();
    }

    fn commit(&self, files: &[(&str, &str)]) -> ObjectId {
        for (path, text) in files {
            self.write(path, text);
        }
        self.user(&["add", "--all"]);
        self.user(&["commit", "-q", "--allow-empty", "-m", "A change"]);
        ObjectId::parse(&self.user(&["rev-parse", "HEAD"])).unwrap()
    }

    fn executable(&self, path: &str) {
        fs::set_permissions(self.work().join(path), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The repository as seen from a folder of this world.
    fn repository_at(&self, folder: impl AsRef<Path>) -> Repository {
        let checkout = Checkout::discover(&self.path().join(folder)).unwrap();
        Repository { git: self.git.clone(), checkout }
    }

    fn repository(&self) -> Repository {
        self.repository_at("work")
    }

    fn source(&self) -> Source {
        self.repository().source("HEAD").unwrap()
    }

    fn swap(&self, files: &[SwapFile]) -> Swap {
        let repository = self.repository();
        let source = repository.source("HEAD").unwrap();
        resolve(&repository, &source, files).unwrap()
    }

    fn state(&self) -> StateDir {
        let repository = self.repository();
        StateDir::of(&repository.folder(), Some(&repository.checkout))
    }

    fn scratch(&self) -> Scratch {
        Scratch::open(&self.state(), &self.repository()).unwrap()
    }

    /// Makes release `number` of HEAD.
    fn release(&self, number: u32, entries: &[Entry], parent: Option<&ObjectId>) -> Made {
        let (refs, run, source) = (refs(), run("r1"), self.source());
        let release = ReleaseCommit { refs: &refs, number, run: &run, source: &source, entries, parent };
        release.make(&self.scratch()).unwrap()
    }

    /// deploy's repository for a checkout in another folder.
    fn scratch_at(&self, folder: &str) -> (Repository, Scratch) {
        let repository = self.repository_at(folder);
        let state = StateDir::of(&repository.folder(), Some(&repository.checkout));
        let scratch = Scratch::open(&state, &repository).unwrap();
        (repository, scratch)
    }

    /// Makes release 1 of HEAD there, as it is.
    fn release_at(&self, folder: &str) -> (Made, Scratch) {
        let (repository, scratch) = self.scratch_at(folder);
        let (refs, run, source) = (refs(), run("r1"), repository.source("HEAD").unwrap());
        let entries = &[];
        let release =
            ReleaseCommit { refs: &refs, number: 1, run: &run, source: &source, entries, parent: None };
        (release.make(&scratch).unwrap(), scratch)
    }
}

/// `git ls-tree -r` of a release: `MODE PATH: CONTENT`.
fn tree(scratch: &Scratch, id: &ObjectId) -> Vec<String> {
    let listed = scratch.ask(&["ls-tree", "-r", "-z", id.as_str()]).unwrap().stdout().unwrap();
    let listed = String::from_utf8(listed).unwrap();
    let line = |line: &str| {
        let (what, path) = line.split_once('\t').unwrap();
        let words: Vec<&str> = what.split(' ').collect();
        let content = scratch.objects(&[words[2].to_owned()]).unwrap().remove(0);
        let content = content.map(|object| String::from_utf8(object.bytes).unwrap()).unwrap_or_default();
        format!("{} {path}: {content}", words[0])
    };
    listed.split_terminator('\0').map(line).collect()
}

fn refs() -> Refs {
    Refs::new("staging").unwrap()
}

fn run(id: &str) -> RunId {
    RunId(id.to_owned())
}

fn line(path: &str, line: &str) -> SwapFile {
    SwapFile { path: path.to_owned(), content: SwapContent::Line(line.to_owned()) }
}

fn from(path: &str, from: &str) -> SwapFile {
    SwapFile { path: path.to_owned(), content: SwapContent::From(from.to_owned()) }
}

fn text(path: &str, text: &str) -> SwapFile {
    SwapFile { path: path.to_owned(), content: SwapContent::Text(text.to_owned()) }
}

fn remove(path: &str) -> SwapFile {
    SwapFile { path: path.to_owned(), content: SwapContent::Remove }
}

/// Everything below a folder: content, mode and time of change of each file. Two of them are equal only if nothing
/// was written in between.
fn snapshot(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, u32, std::time::SystemTime)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let about = fs::symlink_metadata(&path).unwrap();
            let content = if about.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
            if about.is_dir() {
                folders.push(path.clone());
            }
            found.insert(path, (content, about.permissions().mode(), about.modified().unwrap()));
        }
    }
    found
}
