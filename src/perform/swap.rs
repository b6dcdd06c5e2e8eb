//! Other content for files of the working tree, until the task ends. What they held, and what they are given, is kept
//! on disk before anything is written; afterwards a file gets its own content back only if nobody else changed it.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::Hands;
use crate::diagnostic::Span;
use crate::model::event::Failure;
use crate::model::step::{Action, Kept, Planned, PutBack, Step};
use crate::model::swap::{Content, Swap};
use crate::state::durable;

/// The mode of a file that a swap creates.
const NEW_FILE: u32 = 0o644;

/// The steps that give the files their own content back, newest last. Keeps copies; changes none of the files.
pub(super) fn put_backs(
    hands: &Hands<'_>,
    swaps: &[Swap<Planned>],
    at: Span,
) -> Result<Vec<Step<Planned>>, Failure> {
    swaps.iter().map(|swap| put_back(hands, swap, at)).collect()
}

/// Gives the files their other content.
pub(super) fn swap(hands: &Hands<'_>, swaps: &[Swap<Planned>]) -> Result<(), Failure> {
    swaps.iter().try_for_each(|swap| {
        let path = hands.root.join(&swap.path);
        let mode = read(&path)?.map_or(NEW_FILE, |(_, mode)| mode);
        write(&path, content(hands, swap)?.as_deref(), mode)
    })
}

/// Gives one file its own content back, unless somebody edited it meanwhile.
pub(super) fn restore(hands: &Hands<'_>, owed: &PutBack) -> Result<(), Failure> {
    let path = hands.root.join(&owed.path);
    let (before, after) = (kept(&owed.before)?, kept(&owed.after)?);
    let now = read(&path)?.map(|(bytes, _)| bytes);
    if now == before {
        return Ok(());
    }
    if now == after {
        let mode = if let Kept::Bytes { mode, .. } = owed.before { mode } else { NEW_FILE };
        return write(&path, before.as_deref(), mode);
    }
    let help = match &owed.before {
        Kept::Nothing => format!(
            "there was no such file before; remove it by hand, then: deploy recover\nrm {}",
            owed.path
        ),
        Kept::Bytes { at, .. } => {
            format!("what it held before is in {}; put it right by hand, then: deploy recover", at.display())
        }
    };
    Err(Failure::Unmet {
        message: format!("`{}` was edited while it was swapped, so it was left as it is", owed.path),
        help: Some(help),
    })
}

fn put_back(hands: &Hands<'_>, swap: &Swap<Planned>, at: Span) -> Result<Step<Planned>, Failure> {
    let path = hands.root.join(&swap.path);
    if fs::symlink_metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(Failure::Refused {
            message: format!("`{}` can't be swapped: it is a symlink or a folder", swap.path),
            help: Some("swap the file that it stands for".to_owned()),
        });
    }
    let parent = path.parent().and_then(|parent| fs::canonicalize(parent).ok());
    if !parent.is_some_and(|parent| parent.starts_with(&hands.root)) {
        return Err(Failure::Refused {
            message: format!(
                "`{}` can't be swapped: its folder is missing, or lies outside of the project",
                swap.path
            ),
            help: Some("make the folder in a step before".to_owned()),
        });
    }
    let before = read(&path)?;
    let mode = before.as_ref().map_or(NEW_FILE, |(_, mode)| *mode);
    let after = content(hands, swap)?;
    let put_back = PutBack {
        path: swap.path.clone(),
        before: keep(hands, before.map(|(bytes, _)| bytes), mode)?,
        after: keep(hands, after, mode)?,
    };
    let name = Some(format!("put {} back", swap.path));
    Ok(Step { name, ..Step::bare(Action::PutBack(put_back), at) })
}

/// What the file is to hold; none: it is to be gone.
fn content(hands: &Hands<'_>, swap: &Swap<Planned>) -> Result<Option<Vec<u8>>, Failure> {
    match &swap.content {
        Content::Line(line) => Ok(Some(format!("{line}\n").into_bytes())),
        Content::Text(text) => Ok(Some(text.to_string().into_bytes())),
        Content::Remove => Ok(None),
        Content::From(from) => {
            let from = from.to_string();
            match read(&hands.root.join(&from))? {
                Some((bytes, _)) => Ok(Some(bytes)),
                None => Err(Failure::Unmet {
                    message: format!(
                        "`{}` is to get the content of `{from}`, and there is no such file",
                        swap.path
                    ),
                    help: None,
                }),
            }
        }
    }
}

fn keep(hands: &Hands<'_>, bytes: Option<Vec<u8>>, mode: u32) -> Result<Kept, Failure> {
    let Some(bytes) = bytes else { return Ok(Kept::Nothing) };
    let folder = hands.state.swapped(&hands.run);
    let place = hands
        .state
        .create()
        .and_then(|()| durable::create_folder(&folder))
        .and_then(|()| durable::keep(&folder, &bytes));
    let at = place.map_err(|error| unmet(error.to_string()))?;
    Ok(Kept::Bytes { at, mode })
}

fn kept(kept: &Kept) -> Result<Option<Vec<u8>>, Failure> {
    match kept {
        Kept::Nothing => Ok(None),
        Kept::Bytes { at, .. } => fs::read(at).map(Some).map_err(|error| unreadable(at, &error)),
    }
}

fn read(path: &Path) -> Result<Option<(Vec<u8>, u32)>, Failure> {
    let read = || Ok((fs::read(path)?, fs::metadata(path)?.permissions().mode() & 0o7777));
    match read() {
        Ok(found) => Ok(Some(found)),
        Err(error)
            if matches!(io::Error::kind(&error), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            Ok(None)
        }
        Err(error) => Err(unreadable(path, &error)),
    }
}

fn write(path: &Path, bytes: Option<&[u8]>, mode: u32) -> Result<(), Failure> {
    let written = match bytes {
        Some(bytes) => durable::replace(path, bytes, mode),
        None => durable::remove(path),
    };
    written.map_err(|error| unmet(error.to_string()))
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    unmet(format!("can't read `{}`: {error}", path.display()))
}

fn unmet(message: String) -> Failure {
    Failure::Unmet { message, help: None }
}
