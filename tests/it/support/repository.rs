//! git repositories as their owners see them: the project's own, and bare ones that stand for platforms.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A repository, in which git runs with the sandbox's environment.
pub(crate) struct Repository {
    folder: PathBuf,
    environment: Vec<(OsString, OsString)>,
}

impl Repository {
    pub(crate) fn new(folder: &Path, environment: &[(OsString, OsString)]) -> Repository {
        Repository { folder: folder.to_owned(), environment: environment.to_owned() }
    }

    /// Runs git, which must succeed; gives its stdout without the last newline.
    #[track_caller]
    pub(crate) fn git<Word: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = Word>) -> String {
        self.git_fed("", arguments)
    }

    /// The commit that is checked out.
    #[track_caller]
    pub(crate) fn head(&self) -> String {
        self.git(["rev-parse", "HEAD"])
    }

    /// The commit of a branch; none if there is no such branch.
    pub(crate) fn tip(&self, branch: &str) -> Option<String> {
        let refs = self.git(["for-each-ref", "--format=%(objectname)", &format!("refs/heads/{branch}")]);
        Some(refs).filter(|refs| !refs.is_empty())
    }

    /// A file of a commit, byte for byte.
    #[track_caller]
    pub(crate) fn file(&self, commit: &str, path: &str) -> String {
        let mut command = self.command();
        let output =
            command.args(["cat-file", "blob", &format!("{commit}:{path}")]).output().expect("git starts");
        assert!(
            output.status.success(),
            "{commit} has no {path}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The paths of a commit, in git's order.
    #[track_caller]
    pub(crate) fn files(&self, commit: &str) -> Vec<String> {
        let list = self.git(["ls-tree", "-r", "-z", "--name-only", commit]);
        list.split_terminator('\0').map(str::to_owned).collect()
    }

    #[track_caller]
    pub(crate) fn parents(&self, commit: &str) -> Vec<String> {
        self.git(["log", "-1", "--format=%P", commit]).split_whitespace().map(str::to_owned).collect()
    }

    /// The value of a trailer of a commit's message; empty if it has none.
    #[track_caller]
    pub(crate) fn trailer(&self, commit: &str, key: &str) -> String {
        self.git(["log", "-1", &format!("--format=%(trailers:key={key},valueonly)"), commit])
            .trim()
            .to_owned()
    }

    /// Puts somebody else's commit, with one file, on top of a branch of a bare repository; gives its id.
    #[track_caller]
    pub(crate) fn foreign_commit(&self, branch: &str) -> String {
        let blob = self.git_fed("not ours\n", ["hash-object", "-w", "--stdin"]);
        let tree = self.git_fed(&format!("100644 blob {blob}\tforeign.txt\n"), ["mktree"]);
        let mut arguments =
            vec!["commit-tree".to_owned(), tree, "-m".to_owned(), "Somebody else's".to_owned()];
        if let Some(tip) = self.tip(branch) {
            arguments.extend(["-p".to_owned(), tip]);
        }
        let commit = self.git(arguments);
        self.git(["update-ref", &format!("refs/heads/{branch}"), &commit]);
        commit
    }

    /// Installs a hook of a bare repository. Another process writes it, as in [`super::Sandbox::executable`].
    pub(crate) fn hook(&self, name: &str, lines: &str) {
        let hook = self.folder.join("hooks").join(name);
        fs::create_dir_all(self.folder.join("hooks")).expect("a folder for the hook");
        let mut command = Command::new("sh");
        command
            .args(["-c", r#"printf '#!/bin/sh\n%s\n' "$2" > "$1" && chmod 755 "$1""#, "sh"])
            .arg(hook)
            .arg(lines);
        assert!(command.status().expect("sh starts").success(), "the hook {name} was not written");
    }

    /// Takes a hook away.
    pub(crate) fn unhook(&self, name: &str) {
        fs::remove_file(self.folder.join("hooks").join(name)).expect("a hook that was installed");
    }

    #[track_caller]
    fn git_fed<Word: AsRef<OsStr>>(&self, input: &str, arguments: impl IntoIterator<Item = Word>) -> String {
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("git starts");
        // git may end without reading what it does not need.
        let _unread = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        let output = child.wait_with_output().expect("a child of ours");
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned()
    }

    fn command(&self) -> Command {
        let mut command = Command::new("git");
        command
            .current_dir(&self.folder)
            .env_clear()
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null());
        command
    }
}
