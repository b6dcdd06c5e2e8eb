//! Real OpenSSH servers on this machine, as hosts with names: the sandbox's `ssh`, `scp` and `sftp` know them, and all that
//! start those do. Each connection has an sshd of its own, which is given the socket and reads its settings anew: no port
//! is guessed, nobody waits for a start, and a host is one thread. What a session starts ends with its host.

mod host;

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Sandbox;
use host::Host;

/// Where Debian keeps it; not on the PATH of everybody.
const SSHD: &str = "/usr/sbin/sshd";

/// The hosts of a sandbox, until it is dropped. The sandbox's folder holds
///
/// ```text
/// hosts/NAME   the home of who logs in there
/// ssh/NAME     the host's settings, its key and its log
/// ssh          the user's settings and key, and the hosts' keys that are known
/// ```
pub(crate) struct Sshd {
    sandbox: PathBuf,
    hosts: Vec<Host>,
}

impl Sshd {
    /// Hosts of these names, which let the user of the sandbox in, and no one else.
    pub(crate) fn start(sandbox: &Sandbox, names: &[&str]) -> Sshd {
        assert!(
            Path::new(SSHD).exists(),
            "no {SSHD}: apt-get install openssh-server, or tests/run, which does it"
        );
        if rustix::process::geteuid().is_root() {
            // sshd locks its unprivileged half up there; a container without systemd lacks it.
            fs::create_dir_all("/run/sshd").expect("a folder that root may make");
        }
        let mut sshd = Sshd { sandbox: sandbox.path(""), hosts: Vec::new() };
        fs::create_dir_all(sshd.file("")).expect("a folder of ours");
        make_key(&sshd.file("key"));
        for name in names {
            let host = Host::start(&sshd, name);
            sshd.hosts.push(host);
        }
        sshd.settle();
        // ssh looks for its settings where the system says that the home is, not where HOME does.
        for program in ["ssh", "scp", "sftp"] {
            let script =
                format!("#!/bin/sh\nexec {} -F 'SANDBOX/ssh/config' \"$@\"\n", find(program).display());
            sandbox.executable(&format!("bin/{program}"), &script);
        }
        sshd
    }

    /// The user's settings, as `ssh -F` takes them.
    pub(crate) fn config(&self) -> PathBuf {
        self.file("config")
    }

    /// The home of who logs in to a host.
    pub(crate) fn home(&self, name: &str) -> PathBuf {
        self.host(name).home.clone()
    }

    /// What a host wrote of its connections.
    pub(crate) fn log(&self, name: &str) -> String {
        fs::read_to_string(self.host(name).settings.join("log")).unwrap_or_default()
    }

    /// Switches a host off: all that runs there ends at once, and nobody listens any more.
    pub(crate) fn stop(&self, name: &str) {
        self.host(name).close();
    }

    /// Switches a host on again, at the same address.
    pub(crate) fn resume(&self, name: &str) {
        self.host(name).reopen();
    }

    /// Breaks a host's connections. What runs there goes on, and new connections are taken.
    pub(crate) fn cut(&self, name: &str) {
        self.host(name).hang_up();
    }

    /// From now on, whatever is asked of a host, it runs these shell lines; what was asked is `$SSH_ORIGINAL_COMMAND`.
    pub(crate) fn force(&self, name: &str, lines: &str) {
        let host = self.host(name);
        write(&host.settings.join("forced"), &format!("{lines}\n"));
        host.configure(&format!("ForceCommand sh '{}/forced'\n", host.settings.display()));
    }

    /// From now on a host is one for git alone, as platforms are: its folder is the sandbox's `remotes`.
    pub(crate) fn only_git(&self, name: &str) {
        let remotes = self.sandbox.join("remotes");
        self.force(
            name,
            &format!("cd '{}' && exec git-shell -c \"$SSH_ORIGINAL_COMMAND\"", remotes.display()),
        );
    }

    /// Gives a host another key: it is not the host any more that the user knows.
    pub(crate) fn change_key(&self, name: &str) {
        let key = self.host(name).settings.join("key");
        fs::remove_file(&key).expect("the key that it had");
        make_key(&key);
    }

    /// Forgets the keys of all hosts on the user's side.
    pub(crate) fn forget_keys(&self) {
        write(&self.file("known_hosts"), "");
    }

    /// From now on a host lets nobody in.
    pub(crate) fn lock_out(&self, name: &str) {
        write(&self.host(name).settings.join("authorized_keys"), "");
    }

    /// Writes what the user knows of the hosts.
    fn settle(&self) {
        let aliases = self.hosts.iter().map(|Host { name, address, .. }| {
            let (ip, port) = (address.ip(), address.port());
            format!("Host {name}\n    HostName {ip}\n    Port {port}\n    HostKeyAlias {name}\n")
        });
        let known = self.hosts.iter().map(|Host { name, settings, .. }| {
            let key = public(&settings.join("key"));
            format!("{name} {key}")
        });
        let at = self.file("");
        let at = at.display();
        let all = format!(
            "Host *\n    IdentityFile {at}/key\n    IdentitiesOnly yes\n    IdentityAgent none\n    \
             UserKnownHostsFile {at}/known_hosts\n    GlobalKnownHostsFile /dev/null\n    UpdateHostKeys no\n"
        );
        write(&self.file("config"), &aliases.chain([all]).collect::<String>());
        write(&self.file("known_hosts"), &known.collect::<String>());
    }

    fn host(&self, name: &str) -> &Host {
        self.hosts.iter().find(|host| host.name == name).unwrap_or_else(|| panic!("no host `{name}`"))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.sandbox.join("ssh").join(name)
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        for host in &self.hosts {
            host.close();
        }
    }
}

fn make_key(path: &Path) {
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", "a test", "-f"]).arg(path);
    assert!(keygen.status().expect("ssh-keygen starts").success(), "ssh-keygen has to make a key");
}

fn public(key: &Path) -> String {
    fs::read_to_string(key.with_extension("pub")).expect("a public key")
}

fn write(path: &Path, text: &str) {
    let mut file = File::create(path).expect("a file of ours");
    file.write_all(text.as_bytes()).expect("a file of ours");
}

/// The machine's own program of this name.
fn find(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").expect("a PATH with ssh");
    let found = std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.exists());
    found.unwrap_or_else(|| panic!("no {program}: apt-get install openssh-client"))
}
