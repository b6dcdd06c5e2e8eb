//! The connections of a run: one a host, made when it is first wanted, and closed when the run is over. Each is an ssh
//! that others share by a socket. It reads from us, so that it ends with us even if we are killed.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::command::{self, CONNECTED};
use super::trouble::Unreached;
use crate::model::event::Stream;
use crate::model::host::{Agent, There};
use crate::process::program::Programs;
use crate::process::{self, Command, Level, Stdin, Stop};

/// How long ssh may take beyond its own time-out, which does not count all that it does.
const BEYOND: Duration = Duration::from_secs(5);

/// How often who waits for a connection looks whether the run is stopped.
const LOOK: Duration = Duration::from_millis(50);

/// How long an ssh that is asked to end may take.
const CLOSING: Duration = Duration::from_secs(2);

/// The most that is kept of what ssh says when it fails: a key that has changed needs twenty lines.
const WORDS: usize = 4096;

/// How many calls go through a connection at the same time: sshd takes ten (`MaxSessions`), and the connection's own is
/// one of them.
const SEATS: usize = 9;

/// The longest path of a folder for sockets: the system takes 104 bytes at least, ssh adds 17 while it makes one, and
/// we a name of 12.
const LONGEST_FOLDER: usize = 104 - 17 - 12 - 1;

/// Where sockets go where the user has no folder for such things.
const ROOM: &str = "/tmp";

/// Who may use the folder of the sockets.
const PRIVATE: u32 = 0o700;

/// How a host is got at.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    /// The ssh program.
    pub(crate) ssh: PathBuf,
    pub(crate) socket: PathBuf,
}

/// The way to a host, and the right to go it.
pub(crate) struct Seat {
    pub(crate) way: Way,
    line: Arc<Line>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.line.state().taken -= 1;
        self.line.changed.notify_all();
    }
}

/// The connections of a run.
#[derive(Default)]
pub(crate) struct Connections {
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    /// By what decides where they lead.
    lines: HashMap<(String, Agent), Arc<Line>>,
    folder: Option<PathBuf>,
    threads: Vec<JoinHandle<()>>,
}

/// One connection.
struct Line {
    state: Mutex<Use>,
    changed: Condvar,
    stop: Stop,
    way: Way,
}

/// How it stands with a connection.
struct Use {
    state: State,
    taken: usize,
}

enum State {
    Opening,
    Stands,
    /// It never stood, or does no longer; what was said.
    Down(String),
}

impl Connections {
    /// The way to a host: the first one who asks makes the connection, and all others wait for it. One that is down is
    /// made anew.
    ///
    /// # Errors
    /// In ssh's own words; nothing where the run is stopped meanwhile.
    pub(crate) fn reach(
        &self,
        there: &There,
        env: &Arc<Vec<(OsString, OsString)>>,
        programs: &Programs,
        stop: &Stop,
    ) -> Result<Seat, Option<Unreached>> {
        let line = self.line(there, env, programs).map_err(Some)?;
        let end = Instant::now() + there.patience + BEYOND;
        let mut now = line.state();
        loop {
            match &now.state {
                State::Stands if now.taken < SEATS => {
                    now.taken += 1;
                    return Ok(Seat { way: line.way.clone(), line: Arc::clone(&line) });
                }
                State::Down(words) => return Err(Some(Unreached::of(&there.host, &there.ssh, words))),
                State::Stands | State::Opening if stop.level() >= Level::Ask => return Err(None),
                State::Opening if Instant::now() >= end => {
                    drop(now);
                    line.stop.kill();
                    let seconds = there.patience.as_secs();
                    return Err(Some(Unreached::timed_out(&there.host, &there.ssh, seconds)));
                }
                State::Stands | State::Opening => {
                    let waited = line.changed.wait_timeout(now, LOOK);
                    now = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
    }

    /// The connection to a host, which may not stand yet.
    fn line(
        &self,
        there: &There,
        env: &Arc<Vec<(OsString, OsString)>>,
        programs: &Programs,
    ) -> Result<Arc<Line>, Unreached> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (there.ssh.clone(), there.agent);
        if let Some(line) = open.lines.get(&key)
            && !matches!(line.state().state, State::Down(_))
        {
            return Ok(Arc::clone(line));
        }
        let variable =
            |name: &str| env.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_os_str());
        let ssh = programs.find(OsStr::new("ssh"), variable("PATH"), Path::new("/"));
        let ssh = ssh.map_err(|missing| Unreached::here(missing.to_string()))?;
        let folder = match &open.folder {
            Some(folder) => folder.clone(),
            None => open.folder.insert(folder(variable("XDG_RUNTIME_DIR"))?).clone(),
        };
        let socket = folder.join(open.threads.len().to_string());
        let line = Arc::new(Line {
            state: Mutex::new(Use { state: State::Opening, taken: 0 }),
            changed: Condvar::new(),
            stop: Stop::new(CLOSING),
            way: Way { ssh, socket },
        });
        let command = Command {
            args: command::master(there, &line.way.socket),
            env: Arc::clone(env),
            stdin: Stdin::Open(Vec::new()),
            ..Command::new(&line.way.ssh, "/")
        };
        let of_thread = Arc::clone(&line);
        let thread = thread::Builder::new().spawn(move || of_thread.hold(&command));
        let thread =
            thread.map_err(|error| Unreached::here(format!("no thread for a connection: {error}")))?;
        open.threads.push(thread);
        open.lines.insert(key, Arc::clone(&line));
        Ok(line)
    }
}

impl Line {
    /// Holds the connection until it ends.
    fn hold(&self, command: &Command) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let ended = process::run(command, &self.stop, &mut |stream, bytes| {
            let kept = match stream {
                Stream::Out => &mut out,
                Stream::Err => &mut err,
            };
            let room = WORDS.saturating_sub(kept.len());
            kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
            let stands = || memchr::memmem::find(&out, CONNECTED.as_bytes()).is_some();
            if stream == Stream::Out && matches!(self.state().state, State::Opening) && stands() {
                self.now(State::Stands);
                // What is said from now on is about its end.
                err.clear();
            }
        });
        let words = match ended {
            Ok(_) if err.is_empty() => String::from_utf8_lossy(&out).into_owned(),
            Ok(_) => String::from_utf8_lossy(&err).into_owned(),
            Err(error) => error.to_string(),
        };
        self.now(State::Down(words.replace(CONNECTED, "").trim().to_owned()));
    }

    fn now(&self, state: State) {
        self.state().state = state;
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, Use> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Connections {
    fn drop(&mut self) {
        let open = std::mem::take(self.open.get_mut().unwrap_or_else(PoisonError::into_inner));
        for line in open.lines.values() {
            line.stop.ask(process::signal::Signal::Terminate.number());
        }
        for thread in open.threads {
            // A panic there has been told already.
            drop(thread.join());
        }
        if let Some(folder) = open.folder {
            let _removed = fs::remove_dir_all(folder);
        }
    }
}

/// A new private folder with a short name.
fn folder(runtime: Option<&OsStr>) -> Result<PathBuf, Unreached> {
    let mut random = [0_u8; 4];
    let failed = |error: &dyn std::fmt::Display| {
        Unreached::here(format!("no folder can be made for the sockets of ssh: {error}"))
    };
    getrandom::fill(&mut random).map_err(|error| failed(&error))?;
    let name = format!("deploy-{:08x}", u32::from_be_bytes(random));
    let fits = |room: &&OsStr| {
        // rsync takes blanks for the ends of words.
        let is_one_word = !room.to_string_lossy().contains(char::is_whitespace);
        is_one_word
            && !room.is_empty()
            && room.len() + 1 + name.len() <= LONGEST_FOLDER
            && Path::new(room).is_dir()
    };
    let room = runtime.filter(fits).unwrap_or(OsStr::new(ROOM));
    let folder = Path::new(room).join(name);
    // Never one that is there: it would be somebody else's.
    DirBuilder::new().mode(PRIVATE).create(&folder).map_err(|error| failed(&error))?;
    Ok(folder)
}
