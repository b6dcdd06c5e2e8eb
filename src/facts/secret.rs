//! Secrets are fetched here, and nowhere else: from variables, files, programs, dotenv files and what age encrypted.
//! Programs run side by side. Nothing that goes wrong ends the fetching: all of it is told at once.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::Site;
use crate::diagnostic::Diagnostic;
use crate::model::dotenv;
use crate::model::mask::{Masker, SHORTEST};
use crate::model::path;
use crate::model::project::inside;
use crate::model::secret::{Keeper, Vaults};
use crate::model::step::Planned;
use crate::plan::Hidden;
use crate::process::{self, Command, End, Stop, program};

/// How long a program may take. One that waits for an answer gets none.
const PATIENCE: Duration = Duration::from_mins(1);

/// The most bytes that a secret may have: more is a mistake in a path.
const LONGEST: u64 = 64 * 1024;

/// How much of what a program complains is told: its last lines.
const COMPLAINT_LINES: usize = 5;

/// Names the file with age's identities, where `identity` does not.
const IDENTITY: &str = "DEPLOY_AGE_IDENTITY";

/// What could not be had, and what is to be said all the same.
#[derive(Debug, Default)]
pub(crate) struct Lack {
    /// One for each secret that can't be had.
    pub(crate) missing: Vec<Diagnostic>,
    /// Files that others can read.
    pub(crate) warnings: BTreeSet<String>,
}

impl Site {
    /// Puts those secrets into the vaults that are not there yet. `stop` ends the programs that are asked.
    pub(crate) fn fetch(&self, hidden: &[Hidden], vaults: &mut Vaults, stop: &Stop) -> Lack {
        Fetcher { root: &self.root, env: &self.env, stop }.fetch(hidden, vaults)
    }
}

/// Asks for secrets.
struct Fetcher<'a> {
    root: &'a Path,
    /// The caller's environment.
    env: &'a [(OsString, OsString)],
    stop: &'a Stop,
}

impl Fetcher<'_> {
    fn fetch(&self, hidden: &[Hidden], vaults: &mut Vaults) -> Lack {
        let mut places: Vec<(Place, Vec<&Hidden>)> = Vec::new();
        for hidden in hidden {
            if vaults.of(hidden.environment.as_deref()).value(&hidden.name).is_some() {
                continue;
            }
            let place = self.place(hidden);
            match places.iter_mut().find(|(known, _)| *known == place) {
                Some((_, all)) => all.push(hidden),
                None => places.push((place, vec![hidden])),
            }
        }
        let values: Vec<Result<String, Unhad>> = thread::scope(|scope| {
            let asked: Vec<_> = places.iter().map(|(place, _)| scope.spawn(|| self.value(place))).collect();
            let bug = |_| Err(Unhad::new("deploy itself went wrong", "report it"));
            asked.into_iter().map(|asked| asked.join().unwrap_or_else(bug)).collect()
        });
        let mut lack = Lack::default();
        for ((place, all), value) in places.iter().zip(values) {
            lack.warnings.extend(self.warning(place));
            for hidden in all {
                match &value {
                    Ok(value) => {
                        vaults.insert(hidden.environment.clone(), hidden.name.clone(), value.clone());
                    }
                    Err(unhad) => lack.missing.push(unhad.problem(hidden)),
                }
            }
        }
        // What a program complains may hold what others of them know.
        if let Some(masker) = Masker::new(vaults.values()) {
            lack.missing.iter_mut().for_each(|problem| masker.hide(&mut problem.message));
        }
        lack
    }

    /// Where a secret is kept, on this machine.
    fn place(&self, hidden: &Hidden) -> Place {
        let folder = inside(self.root, &hidden.folder);
        let file = |path: &str| path::near(&folder, self.env, path);
        let keeper: &Keeper<Planned> = &hidden.keeper;
        match keeper {
            Keeper::Env(name) => Place::Env(name.to_string()),
            Keeper::File(path) => Place::File(file(&path.to_string())),
            Keeper::Command(words) => Place::Command {
                folder: folder.clone(),
                words: words.iter().map(ToString::to_string).collect(),
            },
            Keeper::Dotenv { path, key } => {
                Place::Dotenv { path: file(&path.to_string()), key: key.to_string() }
            }
            Keeper::Age { path, identity } => Place::Age {
                path: file(&path.to_string()),
                identity: match (identity, self.variable(IDENTITY)) {
                    (Some(identity), _) => Identity { path: file(&identity.to_string()), said: "`identity`" },
                    (None, Some(path)) => Identity { path: self.root.join(path), said: IDENTITY },
                    (None, None) => Identity { path: file("~/.config/deploy/identity"), said: "the default" },
                },
            },
        }
    }

    fn value(&self, place: &Place) -> Result<String, Unhad> {
        match place {
            Place::Env(name) => match self.variable(name) {
                Some(value) => secret(value.as_encoded_bytes()),
                None => Err(Unhad::new(
                    format!("the variable `{name}` is not set"),
                    format!("export {name}=…, or set it where the CI server keeps its secrets"),
                )),
            },
            Place::File(path) => secret(without_newline(&self.read(path)?)),
            Place::Command { folder, words } => {
                let words: Vec<OsString> = words.iter().map(OsString::from).collect();
                secret(without_newline(&self.output(folder, &words)?))
            }
            Place::Dotenv { path, key } => self.entry(path, key),
            Place::Age { path, identity } => {
                // age would say the same of both, and not whence we have the second.
                self.read(path)?;
                if !identity.path.is_file() {
                    let identity_path = self.shown(&identity.path);
                    return Err(Unhad::new(
                        format!(
                            "there is no file `{identity_path}` with an identity of age ({} says so)",
                            identity.said
                        ),
                        format!(
                            "say where it is: identity = \"…\", or {IDENTITY}; age-keygen makes a new one"
                        ),
                    ));
                }
                let words = ["age".into(), "--decrypt".into(), "--identity".into()];
                let paths = [identity.path.clone().into_os_string(), path.clone().into_os_string()];
                let words: Vec<OsString> = words.into_iter().chain(paths).collect();
                secret(without_newline(&self.output(self.root, &words)?))
            }
        }
    }

    fn entry(&self, path: &Path, key: &str) -> Result<String, Unhad> {
        let bytes = self.read(path)?;
        let shown = self.shown(path);
        let Ok(text) = str::from_utf8(&bytes) else {
            return Err(Unhad::new(format!("`{shown}` is no UTF-8"), "save it as UTF-8"));
        };
        let callers = |name: &str| self.variable(name).map(|value| value.to_string_lossy().into_owned());
        let variables = dotenv::parse(text, &callers).map_err(|fault| {
            let message = format!("{shown}:{}:{}: {}", fault.line, fault.column, fault.why);
            Unhad::new(message, "the line is not shown, since it may hold a secret")
        })?;
        match variables.iter().rev().find(|(name, _)| name == key) {
            Some((_, value)) => secret(value.as_bytes()),
            None => Err(Unhad::new(format!("`{shown}` has no `{key}`"), format!("add it there: {key}=…"))),
        }
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, Unhad> {
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes));
        match read {
            Ok(_) if bytes.len() as u64 > LONGEST => Err(too_long()),
            Ok(_) => Ok(bytes),
            Err(error) => {
                let shown = self.shown(path);
                let help = format!("put it there, for nobody but you to read: chmod 600 {shown}");
                Err(Unhad::new(format!("`{shown}` can't be read: {error}"), help))
            }
        }
    }

    /// What a program prints. Its stdout is told to nobody, its complaints are.
    fn output(&self, folder: &Path, words: &[OsString]) -> Result<Vec<u8>, Unhad> {
        let shown = words.join(OsStr::new(" ")).to_string_lossy().into_owned();
        let by_hand = match self.shown(folder).as_str() {
            "" => "try it by hand, in the folder of tasks.toml".to_owned(),
            folder => format!("try it by hand, in `{folder}`"),
        };
        let Some((program, args)) = words.split_first() else {
            return Err(Unhad::new("its command is empty", "[\"op\", \"read\", \"…\"]"));
        };
        let found = program::find(program, self.variable("PATH"), folder);
        let program = found.map_err(|missing| {
            Unhad::new(missing.to_string(), format!("install it, or {by_hand}: {shown}"))
        })?;
        let command = Command {
            args: args.to_vec(),
            env: Arc::new(self.env.to_vec()),
            timeout: Some(PATIENCE),
            ..Command::new(program, folder)
        };
        let failed = |why: String| Unhad::new(format!("`{shown}` {why}"), by_hand.clone());
        let captured = process::capture(&command, self.stop)
            .map_err(|error| failed(format!("can't be run: {error}")))?;
        match captured.status {
            End::Exited(0) => Ok(captured.stdout),
            End::Exited(code) => {
                let said = complaint(&captured.stderr);
                Err(failed(format!("failed with exit code {code}{said}")))
            }
            End::Signalled(signal) => Err(failed(format!("was ended by signal {signal}"))),
            End::TimedOut => {
                let said = complaint(&captured.stderr);
                Err(failed(format!("took longer than {} s{said}", PATIENCE.as_secs())))
            }
            End::WantsTerminal => Err(failed(
                "wants to ask something on the terminal, and may not: unlock it before".to_owned(),
            )),
            End::Stopped => Err(failed("was stopped".to_owned())),
        }
    }

    /// Says how to close a file that others can read.
    fn warning(&self, place: &Place) -> Option<String> {
        let path = match place {
            Place::File(path) | Place::Dotenv { path, .. } => path,
            Place::Age { identity, .. } => &identity.path,
            Place::Env(_) | Place::Command { .. } => return None,
        };
        let file = path.metadata().ok().filter(std::fs::Metadata::is_file)?;
        let shown = self.shown(path);
        (file.permissions().mode() & 0o077 != 0)
            .then(|| format!("others can read `{shown}`, which holds a secret: chmod 600 {shown}"))
    }

    /// A path as the user would type it.
    fn shown(&self, path: &Path) -> String {
        path.strip_prefix(self.root).unwrap_or(path).display().to_string()
    }

    fn variable(&self, name: &str) -> Option<&OsStr> {
        self.env.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_os_str())
    }
}

/// Where secrets are kept: one place is asked once, however many secrets come from it.
#[derive(PartialEq, Eq)]
enum Place {
    Env(String),
    File(PathBuf),
    Command { folder: PathBuf, words: Vec<String> },
    Dotenv { path: PathBuf, key: String },
    Age { path: PathBuf, identity: Identity },
}

/// A file with identities, and who says that it is the one.
#[derive(PartialEq, Eq)]
struct Identity {
    path: PathBuf,
    said: &'static str,
}

/// Why a secret can't be had, and the mend.
#[derive(Clone)]
struct Unhad {
    why: String,
    help: String,
}

impl Unhad {
    fn new(why: impl Into<String>, help: impl Into<String>) -> Unhad {
        Unhad { why: why.into(), help: help.into() }
    }

    fn problem(&self, hidden: &Hidden) -> Diagnostic {
        let within =
            hidden.environment.as_ref().map_or_else(String::new, |environment| format!(" for {environment}"));
        Diagnostic::new(format!("the secret `{}` can't be had{within}: {}", hidden.name, self.why))
            .at(hidden.at, "it is kept as said here")
            .help(&self.help)
    }
}

/// A value that can be a secret: text that travels in an environment, and long enough to be masked.
fn secret(bytes: &[u8]) -> Result<String, Unhad> {
    let wrong = |why: &str, help: &str| Err(Unhad::new(why, help));
    if bytes.len() as u64 > LONGEST {
        return Err(too_long());
    }
    let Ok(text) = str::from_utf8(bytes) else {
        return wrong("it is no UTF-8", "keep it in base64, and decode it where it is used");
    };
    if text.contains('\0') {
        return wrong(
            "it has a NUL, which no variable can hold",
            "keep it in base64, and decode it where it is used",
        );
    }
    match text.trim().len() {
        0 => wrong("it is empty", "give it a value where it is kept"),
        length if length < SHORTEST => wrong(
            &format!("it is too short to mask: it has fewer than {SHORTEST} bytes"),
            "choose a longer one; what is no secret belongs into `env`",
        ),
        _ => Ok(text.to_owned()),
    }
}

fn too_long() -> Unhad {
    Unhad::new(
        format!("it is longer than {} KiB", LONGEST / 1024),
        "a task that needs so much reads it from a file by itself",
    )
}

fn without_newline(bytes: &[u8]) -> &[u8] {
    let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    line.strip_suffix(b"\r").filter(|_| line.len() < bytes.len()).unwrap_or(line)
}

/// The last lines of what a program said on stderr, after a colon.
fn complaint(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<String> = text
        .lines()
        .map(|line| line.chars().filter(|c| !c.is_control()).collect::<String>())
        .filter(|line| !line.trim().is_empty())
        .collect();
    let last = &lines[lines.len().saturating_sub(COMPLAINT_LINES)..];
    if last.is_empty() { String::new() } else { format!(": {}", last.join("; ")) }
}
