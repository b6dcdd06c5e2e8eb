//! A temporary folder with a project, a home and nothing of the machine's own settings.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::gate::{Gate, Leash};
use super::picture::Picture;
use super::repository::Repository;
use super::running::{Ended, Running};

/// The program under test.
const DEPLOY: &str = env!("CARGO_BIN_EXE_deploy");

/// When everything was committed: equal ids from run to run.
const COMMITTED: &str = "2026-01-02T03:04:05Z";

/// A sealed place to run `deploy` in.
///
/// ```text
/// sandbox-XXXX/shop      the project; its folder gives it its name
/// sandbox-XXXX/remotes   bare repositories that stand for platforms
/// sandbox-XXXX/bin       commands for steps, first on the PATH
/// sandbox-XXXX/home
/// sandbox-XXXX/hosts     the homes on hosts of the test's own: see Sshd
/// ```
pub(crate) struct Sandbox {
    folder: tempfile::TempDir,
    environment: Vec<(OsString, OsString)>,
}

impl Sandbox {
    /// An empty project folder, not a repository yet.
    pub(crate) fn new() -> Sandbox {
        let folder = tempfile::Builder::new().prefix("sandbox-").tempdir().expect("a temporary folder");
        let at = folder.path().canonicalize().expect("the folder was just made");
        for inside in ["shop", "remotes", "bin", "home", "tmp"] {
            fs::create_dir(at.join(inside)).expect("an empty folder");
        }
        // git's housekeeping in the background would change the repository under our eyes.
        fs::write(at.join("home/.gitconfig"), "[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n")
            .expect("a file");
        let path = std::env::var("PATH").expect("a PATH with git and sh");
        let environment = [
            ("PATH", format!("{}:{path}", at.join("bin").display())),
            ("HOME", at.join("home").display().to_string()),
            ("TMPDIR", at.join("tmp").display().to_string()),
            ("TERM", "dumb".to_owned()),
            ("NO_COLOR", "1".to_owned()),
            ("LC_ALL", "C.UTF-8".to_owned()),
            ("USER", "ada".to_owned()),
            ("GIT_AUTHOR_NAME", "Ada".to_owned()),
            ("GIT_AUTHOR_EMAIL", "ada@example.com".to_owned()),
            ("GIT_COMMITTER_NAME", "Ada".to_owned()),
            ("GIT_COMMITTER_EMAIL", "ada@example.com".to_owned()),
            ("GIT_AUTHOR_DATE", COMMITTED.to_owned()),
            ("GIT_COMMITTER_DATE", COMMITTED.to_owned()),
            ("GIT_CONFIG_NOSYSTEM", "1".to_owned()),
        ];
        let environment = environment.map(|(name, value)| (name.into(), value.into())).into();
        Sandbox { folder, environment }
    }

    /// A shop in a repository, with lists of requirements for each environment, and these tasks.
    pub(crate) fn shop(tasks: &str) -> Sandbox {
        Sandbox::new()
            .file("requirements.txt", "-r requirements/dev.txt\n")
            .file("requirements/base.txt", "django==5.2\n")
            .file("requirements/dev.txt", "-r base.txt\nruff\n")
            .file("requirements/staging.txt", "-r base.txt\nsentry-sdk\n")
            .file("requirements/production.txt", "-r base.txt\ngunicorn\n")
            .file("shop.py", "print('shop')\n")
            .tasks(tasks)
            .git()
    }

    /// Writes tasks.toml. `SANDBOX` in it stands for the sandbox's folder.
    pub(crate) fn tasks(self, text: &str) -> Sandbox {
        self.write("tasks.toml", &self.filled(text));
        self
    }

    /// Writes a file of the project, and the folders on its way.
    pub(crate) fn file(self, path: &str, text: &str) -> Sandbox {
        self.write(path, text);
        self
    }

    /// Makes the project a repository with all its files in a first commit on `main`.
    pub(crate) fn git(self) -> Sandbox {
        let repository = self.repository();
        repository.git(["init", "--quiet", "--initial-branch=main"]);
        self.commit("First");
        self
    }

    /// Makes `remotes/NAME.git`, an empty bare repository, and a remote of this name where the project is a repository.
    pub(crate) fn remote(self, name: &str) -> Sandbox {
        let url = self.path(&format!("remotes/{name}.git"));
        fs::create_dir(&url).expect("an empty folder");
        self.repository_at(&url).git(["init", "--quiet", "--bare", "--initial-branch=main"]);
        if self.path("shop/.git").exists() {
            self.repository().git(["remote", "add", name, &url.display().to_string()]);
        }
        self
    }

    /// Sets a variable of the caller's environment.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Sandbox {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Runs `deploy` in the project's folder and waits for its end.
    pub(crate) fn deploy<const N: usize>(&self, arguments: [&str; N]) -> Ended {
        self.start(arguments).wait()
    }

    /// Runs `deploy` in another folder, as seen from the project's.
    pub(crate) fn deploy_in<const N: usize>(&self, folder: &str, arguments: [&str; N]) -> Ended {
        Running::start(self.command(DEPLOY, &arguments).current_dir(self.root().join(folder))).wait()
    }

    /// Starts `deploy` in the project's folder.
    pub(crate) fn start<const N: usize>(&self, arguments: [&str; N]) -> Running {
        Running::start(&mut self.command(DEPLOY, &arguments))
    }

    /// Starts `deploy` on a terminal of its own. Both streams arrive as one.
    pub(crate) fn start_on_terminal(&self, arguments: &str) -> Running {
        let line = format!("exec '{DEPLOY}' {arguments}");
        let mut command = self.command("script", &["--quiet", "--return", "--command", &line, "/dev/null"]);
        Running::start(command.env("TERM", "xterm").env("SHELL", "/bin/sh").stdin(Stdio::piped()))
    }

    /// Types on a shell that runs on a terminal of its own, once it shows `ready> `. Both streams arrive as one.
    pub(crate) fn type_in_shell(&self, shell: &str, keys: &str) -> Ended {
        let mut command = self.command("script", &["--quiet", "--return", "--command", shell, "/dev/null"]);
        command.env("TERM", "xterm").env("SHELL", "/bin/sh").env("ZDOTDIR", self.path("home"));
        let mut running = Running::start(command.stdin(Stdio::piped()));
        running.wait_for("ready> ");
        running.type_in(keys);
        running.wait()
    }

    /// Makes the program a command of the sandbox, for what looks for it on the PATH. All but its completion is told, word
    /// by word, not done.
    pub(crate) fn program_that_tells_its_words(&self) {
        let script = format!(
            "#!/bin/sh\ncase $1 in :complete | completions) exec '{DEPLOY}' \"$@\" ;; esac\nprintf '<%s>\\n' \"$@\"\n"
        );
        self.executable("bin/deploy", &script);
    }

    /// Runs shell lines in the project's folder; `$DEPLOY` is the program.
    pub(crate) fn shell(&self, lines: &str) -> Ended {
        Running::start(self.command("sh", &["-c", lines]).env("DEPLOY", DEPLOY)).wait()
    }

    /// Writes a file of the project, and the folders on its way.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder for the file");
        fs::write(path, text).expect("a file of the project");
    }

    /// Makes a symbolic link in the project.
    pub(crate) fn link(&self, path: &str, to: &str) {
        symlink(to, self.root().join(path)).expect("a symbolic link");
    }

    /// A file of the project, as text.
    #[track_caller]
    pub(crate) fn read(&self, path: &str) -> String {
        let path = self.root().join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Whether the project has this file.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.root().join(path).symlink_metadata().is_ok()
    }

    /// Commits all that there is; gives the commit's id.
    pub(crate) fn commit(&self, message: &str) -> String {
        let repository = self.repository();
        repository.git(["add", "--all"]);
        repository.git(["commit", "--quiet", "--allow-empty", "--message", message]);
        repository.head()
    }

    /// The project's repository.
    pub(crate) fn repository(&self) -> Repository {
        self.repository_at(&self.root())
    }

    /// The repository `remotes/NAME.git`.
    pub(crate) fn target(&self, name: &str) -> Repository {
        self.repository_at(&self.path(&format!("remotes/{name}.git")))
    }

    /// The project's files and its repository as they are, without what is deploy's own.
    pub(crate) fn picture(&self) -> Picture {
        Picture::take(&self.root(), ".deploy")
    }

    /// A command `NAME` for steps, that waits until the test lets it go.
    pub(crate) fn gate(&self, name: &str) -> Gate {
        let gate = Gate::new(&self.path("tmp"), name);
        self.executable(&format!("bin/{name}"), &gate.script());
        gate
    }

    /// A pipe `SANDBOX/tmp/NAME` that processes hold open for writing, to see when the last of them has ended.
    pub(crate) fn leash(&self, name: &str) -> Leash {
        Leash::new(&self.path("tmp").join(name))
    }

    /// Writes a script of the sandbox. Another process writes it: a descriptor of ours, inherited by a child that another
    /// test starts in this moment, would make the script "busy".
    pub(crate) fn executable(&self, path: &str, text: &str) {
        let mut command = self.command("sh", &["-c", r#"cat > "$1" && chmod 755 "$1""#, "sh"]);
        let mut child = command.arg(self.path(path)).stdin(Stdio::piped()).spawn().expect("sh starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(self.filled(text).as_bytes()).expect("the script is read");
        drop(stdin);
        assert!(child.wait().expect("a child of ours").success(), "{path} was not written");
    }

    /// A command in the project's folder, with the sandbox's environment alone.
    pub(crate) fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.root()).env_clear().envs(self.environment.iter().cloned());
        // The commits of deploy's own must not need the user's dates.
        command.env_remove("GIT_AUTHOR_DATE").env_remove("GIT_COMMITTER_DATE").stdin(Stdio::null());
        command
    }

    /// The project's folder.
    pub(crate) fn root(&self) -> PathBuf {
        self.path("shop")
    }

    /// A path in the sandbox.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().canonicalize().expect("the folder lives as long as we do").join(path)
    }

    fn filled(&self, text: &str) -> String {
        text.replace("SANDBOX", self.path("").display().to_string().trim_end_matches('/'))
    }

    /// A repository in another folder.
    pub(crate) fn repository_at(&self, folder: &Path) -> Repository {
        Repository::new(folder, &self.environment)
    }
}
