//! A world for the targets' tests: a user's repository, deploy's own, and a run that ships. Real git, real folders.

use std::cell::RefCell;
use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use super::{Crew, Hosts, NotShipped, Shipment};
use crate::model::event::{Failure, Stream, Told};
use crate::model::host::There;
use crate::model::name::RunId;
use crate::model::release::ObjectId;
use crate::model::script::{Piece, Script};
use crate::model::secret::Vault;
use crate::model::text::Text;
use crate::process::{self, Command, End, Stop};
use crate::release::commit::ReleaseCommit;
use crate::release::git::Git;
use crate::release::refs::Refs;
use crate::release::repository::Repository;
use crate::release::scratch::Scratch;
use crate::state::StateDir;
use crate::state::checkout::Checkout;

/// Longer than any test.
const FOREVER: Duration = Duration::from_hours(1);

pub(crate) struct World {
    folder: TempDir,
    pub(crate) git: Git,
    env: Vec<(OsString, OsString)>,
}

/// What a shipment came to.
#[derive(Debug)]
pub(crate) struct Came {
    pub(crate) result: Result<(), NotShipped>,
    pub(crate) notes: Vec<String>,
    pub(crate) output: String,
}

impl World {
    /// A repository with one commit of these files.
    pub(crate) fn with(files: &[(&str, &str)]) -> World {
        let folder = tempfile::tempdir().unwrap();
        let path = std::env::vars_os().find(|(name, _)| name == "PATH");
        let mut env: Vec<(OsString, OsString)> = path.into_iter().collect();
        env.push(("HOME".into(), folder.path().into()));
        for name in ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"] {
            env.push((name.into(), "ana@example.com".into()));
        }
        env.push(("GIT_CONFIG_NOSYSTEM".into(), "1".into()));
        // Nothing leaves this machine; a test may say what ssh does.
        env.push(("GIT_SSH".into(), fs::canonicalize(folder.path()).unwrap().join("ssh").into_os_string()));
        let git = Git::find(env.clone(), folder.path()).unwrap();
        let world = World { folder, git, env };
        world.at(".", &["init", "-q", "-b", "main", "work"]);
        world.commit(files);
        world
    }

    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        fs::canonicalize(self.folder.path()).unwrap().join(inside)
    }

    /// Runs git in a folder of this world: its output.
    pub(crate) fn at(&self, folder: &str, args: &[&str]) -> String {
        self.git.call(&self.path(folder), &[], args).run().unwrap().line().unwrap()
    }

    pub(crate) fn commit(&self, files: &[(&str, &str)]) -> ObjectId {
        for (path, text) in files {
            put(&self.path("work").join(path), text);
        }
        self.at("work", &["add", "--all"]);
        self.at("work", &["commit", "-q", "--allow-empty", "-m", "A change"]);
        ObjectId::parse(&self.at("work", &["rev-parse", "HEAD"])).unwrap()
    }

    pub(crate) fn repository(&self) -> Repository {
        Repository { git: self.git.clone(), checkout: Checkout::discover(&self.path("work")).unwrap() }
    }

    pub(crate) fn scratch(&self) -> Scratch {
        let repository = self.repository();
        let state = StateDir::of(&repository.folder(), Some(&repository.checkout));
        Scratch::open(&state, &repository).unwrap()
    }

    /// Makes release `number` of HEAD.
    pub(crate) fn release(&self, number: u32, parent: Option<&ObjectId>) -> ObjectId {
        let (refs, run) = (Refs::new("staging").unwrap(), RunId("r1".to_owned()));
        let source = self.repository().source("HEAD").unwrap();
        let release = ReleaseCommit { refs: &refs, number, run: &run, source: &source, entries: &[], parent };
        release.make(&self.scratch()).unwrap().commit
    }

    /// Ships something with shell lines that are really run.
    pub(crate) fn ship(
        &self,
        number: u32,
        commit: &ObjectId,
        stop: &Stop,
        ship: impl FnOnce(&Shipment<'_>, Crew<'_>) -> Result<(), NotShipped>,
    ) -> Came {
        let (repository, scratch) = (self.repository(), self.scratch());
        let shipment = Shipment {
            environment: "staging",
            number,
            source: commit,
            commit,
            before: None,
            live: None,
            deployment: None,
            root: &self.path("work"),
            room: &self.path(""),
            state: &StateDir::of(&repository.folder(), Some(&repository.checkout)),
            repository: &repository,
            scratch: &scratch,
            vault: &Vault::default(),
        };
        let (notes, output) = (RefCell::new(Vec::new()), RefCell::new(String::new()));
        let mut tell = |told| match told {
            Told::Note(note) => notes.borrow_mut().push(note),
            Told::Output(_, bytes) => output.borrow_mut().push_str(&String::from_utf8_lossy(&bytes)),
            Told::LeftRunning | Told::OnHost(..) => panic!("nothing is left running, and there are no hosts"),
        };
        let line = |script: &Script<Text>, folder: &Path, tell: &mut dyn FnMut(Told)| {
            let mut command = Command::new("/bin/sh", folder);
            command.args = vec!["-euc".into(), script.bind().line.into()];
            command.env = self.env.clone().into();
            let print = &mut |stream: Stream, bytes| tell(Told::Output(stream, bytes));
            match process::run(&command, stop, print).unwrap().end {
                End::Exited(0) => Ok(()),
                End::Exited(code) => Err(Failure::Exit(code)),
                End::Stopped => Err(Failure::Stopped),
                End::Signalled(_) | End::TimedOut | End::WantsTerminal => panic!("not in these tests"),
            }
        };
        let result = ship(
            &shipment,
            Crew {
                line: &line,
                program: &|_, _, _| panic!("not in these tests"),
                hosts: &NoHosts,
                deadline: None,
                stop,
                tell: &mut tell,
            },
        );
        Came { result, notes: notes.into_inner(), output: output.into_inner() }
    }
}

/// These tests are of this machine.
pub(crate) struct NoHosts;

impl Hosts for NoHosts {
    fn line(
        &self,
        _: &There,
        _: &Script<Text>,
        _: &str,
        _: &Stop,
        _: &mut dyn FnMut(Told),
    ) -> Result<(), Failure> {
        unreachable!("there are no hosts")
    }

    fn ask(&self, _: &There, _: Vec<String>, _: &Stop, _: &mut dyn FnMut(Told)) -> Result<String, Failure> {
        unreachable!("there are no hosts")
    }

    fn send(&self, _: &There, _: &Path, _: &str, _: &Stop, _: &mut dyn FnMut(Told)) -> Result<(), Failure> {
        unreachable!("there are no hosts")
    }

    fn by_git(
        &self,
        _: &There,
        _: &Stop,
        _: &mut dyn FnMut(&str) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        unreachable!("there are no hosts")
    }
}

pub(crate) fn stop() -> Stop {
    Stop::new(FOREVER)
}

pub(crate) fn script(line: &str) -> Script<Text> {
    Script { pieces: vec![Piece::Code(line.to_owned())] }
}

pub(crate) fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::File::create(path).and_then(|mut file| file.write_all(text.as_bytes())).unwrap();
}

pub(crate) fn executable(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// The message and the help of a failure that has them.
pub(crate) fn said(failure: &Failure) -> (&str, &str) {
    match failure {
        Failure::Unmet { message, help } | Failure::Refused { message, help } => {
            (message, help.as_deref().unwrap_or_default())
        }
        other => panic!("a failure without words: {other:?}"),
    }
}
