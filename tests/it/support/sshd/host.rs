//! One host of the tests: a door that takes connections, a session for each, and an end for all that they started.

use std::fs;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::{SSHD, Sshd, make_key, public, write};
use crate::support::DEADLINE;

/// A host, until it is closed.
pub(super) struct Host {
    pub(super) name: String,
    pub(super) address: SocketAddr,
    /// The folder of its settings.
    pub(super) settings: PathBuf,
    /// By which those that a session started are known.
    pub(super) home: PathBuf,
    /// `None`: it is gone.
    door: Mutex<Option<Door>>,
}

/// What takes connections.
struct Door {
    over: Arc<AtomicBool>,
    sessions: Arc<Mutex<Vec<Session>>>,
    keeper: JoinHandle<()>,
}

/// One connection.
struct Session {
    socket: TcpStream,
    sshd: OwnedFd,
    /// Waits for sshd, and hangs up.
    waiter: JoinHandle<()>,
}

impl Host {
    /// It takes connections from now on.
    pub(super) fn start(sshd: &Sshd, name: &str) -> Host {
        let (settings, home) = (sshd.file(name), sshd.sandbox.join("hosts").join(name));
        for folder in [&settings, &home] {
            fs::create_dir_all(folder).expect("a folder of ours");
        }
        fs::copy(sshd.sandbox.join("home/.gitconfig"), home.join(".gitconfig"))
            .expect("a file of the sandbox");
        make_key(&settings.join("key"));
        write(&settings.join("authorized_keys"), &public(&sshd.file("key")));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let host = Host { name: name.to_owned(), address, settings, home, door: Mutex::default() };
        host.configure("");
        host.open(listener);
        host
    }

    /// Who is let in, and what a session sees: nothing of this machine's own settings.
    pub(super) fn configure(&self, more: &str) {
        let (at, home) = (self.settings.display(), self.home.display());
        let sandbox = self.home.ancestors().nth(2).expect("it is in the sandbox").display();
        let path = std::env::var("PATH").expect("a PATH with git and sh");
        let text = format!(
            "HostKey {at}/key\n\
             AuthorizedKeysFile {at}/authorized_keys\n\
             StrictModes no\n\
             UsePAM no\n\
             PermitRootLogin yes\n\
             PermitUserEnvironment no\n\
             PasswordAuthentication no\n\
             KbdInteractiveAuthentication no\n\
             Subsystem sftp internal-sftp\n\
             PidFile none\n\
             SetEnv \"PATH={sandbox}/bin:{path}\" \"HOME={home}\" GIT_CONFIG_NOSYSTEM=1\n{more}"
        );
        write(&self.settings.join("config"), &text);
    }

    /// Takes connections again, at the same address.
    pub(super) fn reopen(&self) {
        self.open(self.listen());
    }

    /// Breaks the connections that there are.
    pub(super) fn hang_up(&self) {
        let door = self.door.lock().expect("nobody panics with it");
        let sessions = door.as_ref().expect("a host that is on").sessions.lock();
        for session in &*sessions.expect("nobody panics with it") {
            session.hang_up();
        }
    }

    fn open(&self, listener: TcpListener) {
        let mut door = self.door.lock().expect("nobody panics with it");
        assert!(door.is_none(), "{} is on already", self.name);
        *door = Some(Door::open(listener, &self.settings));
    }

    /// Ends all that runs there, and takes no more connections.
    pub(super) fn close(&self) {
        // It may be off already.
        let Some(door) = self.door.lock().expect("nobody panics with it").take() else { return };
        door.over.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a connection.
        let _woken = TcpStream::connect(self.address);
        door.keeper.join().expect("it does not panic");
        let sessions = door.sessions.lock().expect("nobody panics with it").split_off(0);
        for Session { socket, sshd, waiter } in sessions {
            // Either may have ended by itself.
            let _gone = pidfd_send_signal(&sshd, Signal::KILL);
            let _closed = socket.shutdown(Shutdown::Both);
            waiter.join().expect("it does not panic");
        }
        end_all_of(&self.home);
    }

    /// Another program may have the port for a moment, as its end of some connection.
    fn listen(&self) -> TcpListener {
        let end = Instant::now() + DEADLINE;
        loop {
            match TcpListener::bind(self.address) {
                Ok(listener) => return listener,
                Err(error) if Instant::now() > end => panic!("{}: {error}", self.address),
                Err(_) => thread::yield_now(),
            }
        }
    }
}

impl Door {
    fn open(listener: TcpListener, settings: &Path) -> Door {
        let (over, sessions) = (Arc::<AtomicBool>::default(), Arc::<Mutex<Vec<Session>>>::default());
        let settings = settings.to_owned();
        let keeper = thread::spawn({
            let (over, sessions) = (Arc::clone(&over), Arc::clone(&sessions));
            move || {
                for connection in listener.incoming().flatten() {
                    if over.load(Ordering::SeqCst) {
                        return;
                    }
                    let mut sessions = sessions.lock().expect("nobody panics with it");
                    sessions.retain(|session| !session.waiter.is_finished());
                    sessions.push(Session::start(connection, &settings));
                }
            }
        });
        Door { over, sessions, keeper }
    }
}

impl Session {
    fn start(socket: TcpStream, settings: &Path) -> Session {
        let end = || OwnedFd::from(socket.try_clone().expect("a socket of ours"));
        let mut sshd = Command::new(SSHD);
        sshd.arg("-i").arg("-f").arg(settings.join("config")).arg("-E").arg(settings.join("log"));
        let sshd = sshd.stdin(end()).stdout(end()).stderr(Stdio::null()).spawn();
        let mut child = sshd.expect("sshd starts");
        let sshd = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).expect("a child of ours");
        let ours = socket.try_clone().expect("a socket of ours");
        let waiter = thread::spawn(move || {
            child.wait().expect("a child of ours");
            let _closed = ours.shutdown(Shutdown::Both);
        });
        Session { socket, sshd, waiter }
    }

    fn hang_up(&self) {
        // It may have ended by itself.
        let _closed = self.socket.shutdown(Shutdown::Both);
    }
}

/// Ends what the sessions of a host started and left.
fn end_all_of(home: &Path) {
    let mark = format!("HOME={}", home.display());
    let is_of_it = |process: &Path| {
        let variables = fs::read(process.join("environ")).unwrap_or_default();
        variables.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
    };
    let end = Instant::now() + DEADLINE;
    loop {
        let processes = fs::read_dir("/proc").expect("the tests run on Linux").flatten();
        let mut left = processes.map(|process| process.path()).filter(|process| is_of_it(process)).peekable();
        if left.peek().is_none() {
            return;
        }
        assert!(Instant::now() < end, "what was started on {} does not end", home.display());
        for process in left {
            let id = process.file_name().and_then(|id| id.to_str()?.parse().ok()).and_then(Pid::from_raw);
            let handle = id.and_then(|id| pidfd_open(id, PidfdFlags::empty()).ok());
            // Looked at once more: the number may be another's by now.
            if let Some(handle) = handle.filter(|_| is_of_it(&process)) {
                let _gone = pidfd_send_signal(handle, Signal::KILL);
            }
        }
        thread::yield_now();
    }
}
