//! `put` and `get`: files to a host and from it, through the run's connection.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::{Hands, exec, host};
use crate::engine::Act;
use crate::model::event::{Failure, Told};
use crate::model::host::There;
use crate::model::step::{Planned, Transfer};
use crate::process::{Command, Stdin, Stop};
use crate::ssh::files::{self, What};
use crate::ssh::{Way, command, far};

/// Runs the lines that tie tar and ssh together here.
const SHELL: &str = "/bin/sh";

/// Files from here to a host.
pub(super) fn put(
    hands: &Hands<'_>,
    act: &Act<'_>,
    files: &Transfer<Planned>,
    stop: &Stop,
    tell: &mut dyn FnMut(Told),
) -> Result<(), Failure> {
    let there = at(act)?;
    let from = hands.root.join(files.from.to_string());
    let what = match fs::metadata(&from) {
        Ok(found) if found.is_dir() => What::Folder,
        Ok(_) => What::File,
        Err(error) => return Err(unmet(format!("`{}` can't be put on a host: {error}", from.display()))),
    };
    if let (What::Folder, Some(_)) = (what, files.mode) {
        return Err(unmet(format!(
            "`mode` is for a file, and `{}` is a folder: take it out",
            from.display()
        )));
    }
    let to = far_path(there, &files.to.to_string(), what, from.file_name());
    let folder = match what {
        What::Folder => to.as_str(),
        What::File => parent(&to),
    };
    let said = asked(hands, act, there, files::PREPARE, folder, stop, tell)?;
    let seat = host::reach(hands, there, stop)?;
    let way = &seat.way;
    if let Some(rsync) = rsync(hands, there, way, &said) {
        let args = files::put(there, way, what, &from, &to, files.mode);
        return here(hands, act, rsync, args, Stdin::Null, stop, tell);
    }
    let (folder, name) = match what {
        What::Folder => (from.as_path(), OsString::from(".")),
        What::File => (
            from.parent().unwrap_or(Path::new("/")),
            [OsStr::new("./"), from.file_name().unwrap_or_default()].into_iter().collect(),
        ),
    };
    let mode = files.mode.map(|mode| format!("{mode:o}")).unwrap_or_default();
    let shown = name.to_string_lossy();
    let lines = format!("{to}\n{}\n{mode}\n", shown.trim_start_matches("./"));
    let words = [folder.into(), name.clone()];
    tarred(hands, act, (there, way), (files::SEND, files::UNPACK), &words, &lines, stop, tell)
}

/// Files from a host.
pub(super) fn get(
    hands: &Hands<'_>,
    act: &Act<'_>,
    files: &Transfer<Planned>,
    stop: &Stop,
    tell: &mut dyn FnMut(Told),
) -> Result<(), Failure> {
    let there = at(act)?;
    let from = far_path(there, &files.from.to_string(), What::Folder, None);
    let said = asked(hands, act, there, files::LOOK, &from, stop, tell)?;
    let what = match said.lines().next() {
        Some("folder") => What::Folder,
        Some("file") => What::File,
        Some(_) | None => return Err(unmet(format!("there is no `{from}` on {} to get", there.host))),
    };
    let name = Path::new(&from).file_name().unwrap_or_default();
    let said_to = files.to.to_string();
    let mut to = hands.root.join(&said_to);
    if what == What::File && said_to.ends_with('/') {
        to.push(name);
    }
    let folder = match what {
        What::Folder => to.as_path(),
        What::File => to.parent().unwrap_or(Path::new("/")),
    };
    fs::create_dir_all(folder)
        .map_err(|error| unmet(format!("`{}` can't be made: {error}", folder.display())))?;
    let seat = host::reach(hands, there, stop)?;
    let way = &seat.way;
    if let Some(rsync) = rsync(hands, there, way, &said) {
        return here(hands, act, rsync, files::get(there, way, what, &from, &to), Stdin::Null, stop, tell);
    }
    let name = match what {
        What::Folder => OsString::from("."),
        What::File => name.to_owned(),
    };
    let words = [to.into_os_string(), name];
    let lines = format!("{from}\n");
    tarred(hands, act, (there, way), (files::RECEIVE, files::PACK), &words, &lines, stop, tell)
}

/// What is in a folder of this machine, to one of a host that is there: by tar, whatever both sides have.
pub(super) fn send(
    hands: &Hands<'_>,
    act: &Act<'_>,
    there: &There,
    from: &Path,
    to: &str,
    stop: &Stop,
    tell: &mut dyn FnMut(Told),
) -> Result<(), Failure> {
    let seat = host::reach(hands, there, stop)?;
    let to = if to.starts_with('/') { to.to_owned() } else { format!("./{to}") };
    let words = [from.into(), OsString::from(".")];
    tarred(
        hands,
        act,
        (there, &seat.way),
        (files::SEND, files::UNPACK),
        &words,
        &format!("{to}\n.\n\n"),
        stop,
        tell,
    )
}

fn at<'a>(act: &Act<'a>) -> Result<&'a There, Failure> {
    host::of(act).ok_or_else(|| Failure::Bug("files travel between machines".to_owned()))
}

/// A path of a host, from its `dir`. It can't be taken for an option.
fn far_path(there: &There, said: &str, what: What, name: Option<&OsStr>) -> String {
    let dir = there.dir.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut path = Path::new(&dir).join(said).to_string_lossy().into_owned();
    if let (What::File, true, Some(name)) = (what, said.ends_with('/'), name) {
        path.push_str(&name.to_string_lossy());
    }
    if path.starts_with('/') { path } else { format!("./{path}") }
}

fn parent(path: &str) -> &str {
    path.trim_end_matches('/')
        .rsplit_once('/')
        .map_or(".", |(folder, _)| if folder.is_empty() { "/" } else { folder })
}

/// What the host answers to a script that is given one path.
fn asked(
    hands: &Hands<'_>,
    act: &Act<'_>,
    there: &There,
    script: &str,
    path: &str,
    stop: &Stop,
    tell: &mut dyn FnMut(Told),
) -> Result<String, Failure> {
    let words = ["sh", "-c", script, "sh", path].map(str::to_owned).to_vec();
    host::answer(hands, act, there, words, stop, tell)
}

/// The rsync of this machine, if the host has one too, and it would run as who logs in there.
fn rsync(hands: &Hands<'_>, there: &There, way: &Way, said: &str) -> Option<PathBuf> {
    let is_there = said.lines().any(|line| line == "rsync") && there.sudo.is_none();
    let is_one_word = !way.ssh.to_string_lossy().contains(char::is_whitespace);
    let path = hands.env.iter().find(|(name, _)| name == "PATH").map(|(_, path)| path.as_os_str());
    let found = || hands.programs.find(OsStr::new("rsync"), path, &hands.root).ok();
    (is_there && is_one_word).then(found).flatten()
}

/// tar on both sides. `lines` is what the other side reads first.
#[expect(clippy::too_many_arguments, reason = "the two ends and what goes between them")]
fn tarred(
    hands: &Hands<'_>,
    act: &Act<'_>,
    (there, way): (&There, &Way),
    (near, far): (&str, &str),
    words: &[OsString],
    lines: &str,
    stop: &Stop,
    tell: &mut dyn FnMut(Told),
) -> Result<(), Failure> {
    let mut args: Vec<OsString> = vec!["-c".into(), near.into(), "sh".into()];
    args.extend(words.iter().cloned());
    args.push(way.ssh.clone().into());
    args.extend(command::session(there, &way.socket, &far::as_user(there, far)));
    let stdin = far::password(there, hands.vaults.of(act.environment)) + lines;
    here(hands, act, PathBuf::from(SHELL), args, Stdin::Bytes(stdin.into_bytes()), stop, tell)
}

/// A program of this machine.
fn here(
    hands: &Hands<'_>,
    act: &Act<'_>,
    program: PathBuf,
    args: Vec<OsString>,
    stdin: Stdin,
    stop: &Stop,
    tell: &mut dyn FnMut(Told),
) -> Result<(), Failure> {
    let timeout = act.limit.map(|limit| limit.at.saturating_duration_since(Instant::now()));
    let env = Arc::clone(&hands.env);
    let command = Command { args, env, stdin, timeout, ..Command::new(program, &hands.root) };
    exec::outcome(exec::watched(&command, stop, tell), act, tell)
}

fn unmet(message: String) -> Failure {
    Failure::Unmet { message, help: None }
}
