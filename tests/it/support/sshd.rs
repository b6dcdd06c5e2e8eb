//! A real OpenSSH server on this machine, for git over ssh. It has keys of its own and lets in whoever runs the tests.
//! Each connection has an sshd of its own, which is given the socket: no port is guessed, and nobody waits for a start.

use std::fs;
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// Where Debian keeps it; not on the PATH of everybody.
const SSHD: &str = "/usr/sbin/sshd";

/// A server that runs until it is dropped; connections end with it.
pub(crate) struct Sshd {
    folder: tempfile::TempDir,
    address: SocketAddr,
    sessions: Arc<Mutex<Vec<Child>>>,
    over: Arc<AtomicBool>,
}

impl Sshd {
    pub(crate) fn start() -> Sshd {
        assert!(
            Path::new(SSHD).exists(),
            "no {SSHD}: apt-get install openssh-server, or tests/run, which does it"
        );
        if rustix::process::geteuid().is_root() {
            // sshd locks its unprivileged half up there; a container without systemd lacks it.
            fs::create_dir_all("/run/sshd").expect("a folder that root may make");
        }
        let folder = tempfile::Builder::new().prefix("sshd-").tempdir().expect("a temporary folder");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        configure(folder.path(), address);
        let server = Sshd { folder, address, sessions: Arc::default(), over: Arc::default() };
        let (sessions, over) = (Arc::clone(&server.sessions), Arc::clone(&server.over));
        let (config, log) = (server.file("config"), server.file("log"));
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let mut sessions = sessions.lock().expect("nobody panics with it");
                if over.load(Ordering::SeqCst) {
                    return;
                }
                // Those that have ended are waited for here.
                sessions.retain_mut(|session| matches!(session.try_wait(), Ok(None)));
                sessions.push(session(connection, &config, &log));
            }
        });
        server
    }

    /// The address of a repository on this machine.
    pub(crate) fn url(&self, repository: &Path) -> String {
        format!("ssh://{}{}", self.address, repository.display())
    }

    /// What `GIT_SSH_COMMAND` has to be: only this server is known, and only this key is shown.
    pub(crate) fn command(&self) -> String {
        self.command_with("key")
    }

    /// The same, with a key that may fetch; a push gets these words of the host, and no more.
    pub(crate) fn reader(&self, words: &str) -> String {
        let script = format!(
            "case $SSH_ORIGINAL_COMMAND in git-upload-pack*) eval \"exec $SSH_ORIGINAL_COMMAND\" ;; esac\n\
             echo '{words}' >&2\nexit 1\n"
        );
        fs::write(self.file("reader.sh"), script).expect("a file of ours");
        self.command_with("reader")
    }

    fn command_with(&self, key: &str) -> String {
        let (key, known) = (self.file(key), self.file("known_hosts"));
        let (key, known) = (key.display(), known.display());
        format!(
            "ssh -F none -i '{key}' -o IdentitiesOnly=yes -o IdentityAgent=none \
             -o UserKnownHostsFile='{known}' -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes -o BatchMode=yes"
        )
    }

    /// What it wrote of its connections.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.file("log")).unwrap_or_default()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let mut sessions = self.sessions.lock().expect("nobody panics with it");
        self.over.store(true, Ordering::SeqCst);
        for session in &mut *sessions {
            // It may have ended by itself.
            let _gone = session.kill();
            let _ended = session.wait();
        }
        drop(sessions);
        // Wakes the thread that waits for a connection; if it is gone already, all is well.
        let _woken = TcpStream::connect(self.address);
    }
}

/// An sshd for one connection.
fn session(connection: TcpStream, config: &Path, log: &Path) -> Child {
    let output = connection.try_clone().expect("a socket of ours");
    let mut sshd = Command::new(SSHD);
    sshd.arg("-i").arg("-f").arg(config).arg("-E").arg(log);
    sshd.stdin(OwnedFd::from(connection)).stdout(OwnedFd::from(output)).stderr(Stdio::null());
    sshd.spawn().expect("sshd starts")
}

/// Makes the keys, and says who is let in and what a session's git sees: nothing of this machine's own settings.
fn configure(folder: &Path, address: SocketAddr) {
    for key in ["host_key", "key", "reader"] {
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", key, "-f"]).arg(folder.join(key));
        assert!(keygen.status().expect("ssh-keygen starts").success(), "ssh-keygen has to make a key");
    }
    let public = |key: &str| fs::read_to_string(folder.join(format!("{key}.pub"))).expect("a public key");
    let write = |name: &str, text: &str| {
        let mut file = fs::File::create(folder.join(name)).expect("a new file");
        file.write_all(text.as_bytes()).expect("a file of ours");
    };
    let reader = format!("restrict,command=\"sh {}/reader.sh\" {}", folder.display(), public("reader"));
    write("authorized_keys", &(public("key") + &reader));
    write("known_hosts", &format!("[{}]:{} {}", address.ip(), address.port(), public("host_key")));
    let (at, path) = (folder.display(), std::env::var("PATH").expect("a PATH with git and sh"));
    write(
        "config",
        &format!(
            "HostKey {at}/host_key\n\
             AuthorizedKeysFile {at}/authorized_keys\n\
             StrictModes no\n\
             UsePAM no\n\
             PermitRootLogin yes\n\
             PasswordAuthentication no\n\
             KbdInteractiveAuthentication no\n\
             PidFile none\n\
             SetEnv \"PATH={path}\" \"HOME={at}\" GIT_CONFIG_NOSYSTEM=1\n"
        ),
    );
}
