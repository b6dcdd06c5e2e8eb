//! What the system tells of changes in folders. It says that something may have changed, and not what: who hears it
//! looks. Where the system tells nothing, as of a folder on another machine, one looks now and then.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use rustix::fs::fstatfs;

use super::watch::{Depth, Folder};

/// The numbers by which Linux knows file systems whose changes others make unseen: NFS, SMB, SMB2, CIFS, 9P, FUSE, AFS,
/// shared folders of `VirtualBox` (statfs(2)).
const REMOTE: [u32; 8] =
    [0x6969, 0x517b, 0xfe53_4d42, 0xff53_4d42, 0x0102_1997, 0x6573_5546, 0x5346_414f, 0x786f_4256];

/// While it lives, changes are told.
pub(crate) struct Events {
    _watcher: Option<RecommendedWatcher>,
    pub(crate) folders: BTreeSet<Folder>,
    pub(crate) source: Source,
}

/// By whom changes are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    System,
    /// By nobody, for this reason: one has to look.
    Nobody(String),
}

impl Events {
    /// Listens to what happens in these folders.
    pub(crate) fn listen(folders: BTreeSet<Folder>, tell: impl Fn() + Send + 'static) -> Events {
        if let Some(folder) = folders.iter().find(|folder| is_remote(&folder.path)) {
            let why = format!("the system does not tell what changes in {}", folder.path.display());
            return Events { _watcher: None, folders, source: Source::Nobody(why) };
        }
        match watcher(&folders, tell) {
            Ok(watcher) => Events { _watcher: Some(watcher), folders, source: Source::System },
            Err(error) => Events { _watcher: None, folders, source: Source::Nobody(error.to_string()) },
        }
    }
}

fn watcher(
    folders: &BTreeSet<Folder>,
    tell: impl Fn() + Send + 'static,
) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        // An error, such as that events were lost, is a reason to look as well.
        if event.map_or(true, |event| matters(&event)) {
            tell();
        }
    })?;
    for folder in folders {
        let mode = match folder.depth {
            Depth::Shallow => RecursiveMode::NonRecursive,
            Depth::Whole => RecursiveMode::Recursive,
        };
        watcher.watch(&folder.path, mode)?;
    }
    Ok(watcher)
}

/// That somebody reads a file changes nothing; and what git and deploy keep for themselves is nobody's input.
fn matters(event: &Event) -> bool {
    let is_nobodys = |path: &Path| {
        path.components().any(|part| super::find::NOBODYS.iter().any(|name| part.as_os_str() == *name))
    };
    let reads = matches!(event.kind, EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write));
    !reads && (event.paths.is_empty() || !event.paths.iter().all(|path| is_nobodys(path)))
}

fn is_remote(folder: &Path) -> bool {
    let kind = File::open(folder).ok().and_then(|folder| fstatfs(folder).ok()).map(|told| told.f_type);
    kind.and_then(|kind| u32::try_from(kind & 0xffff_ffff).ok()).is_some_and(|kind| REMOTE.contains(&kind))
}
