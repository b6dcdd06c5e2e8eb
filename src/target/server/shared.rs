//! `shared`: files and folders that all releases have in common. They lie in `shared/`, and each release has links to
//! them. What is there once is never written over.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::ServerError;
use super::releases::remove_whole;
use crate::state::durable;

/// Replaces each of `names` in a release by a link to `shared/NAME`. One that is not there yet is taken from the
/// release, or is an empty folder.
pub(super) fn link(server: &Path, release: &Path, names: &[String]) -> Result<(), ServerError> {
    for name in names {
        let (common, own) = (server.join("shared").join(name), release.join(name));
        if let Some(link) = link_above(release, name) {
            return Err(ServerError::Outside { name: name.clone(), link: link.to_owned() });
        }
        for folder in [&common, &own].into_iter().filter_map(|path| path.parent()) {
            fs::create_dir_all(folder).map_err(ServerError::io("create", folder))?;
        }
        if fs::symlink_metadata(&common).is_err() {
            // A link would point elsewhere from there.
            if fs::symlink_metadata(&own).is_ok_and(|metadata| !metadata.is_symlink()) {
                durable::publish(&own, &common)?;
            } else {
                fs::create_dir(&common).map_err(ServerError::io("create", &common))?;
            }
        }
        remove_whole(&own)?;
        durable::link(&from_inside(name), &own)?;
    }
    Ok(())
}

/// The way from where the link stands, in `releases/N/`, to `shared/NAME`. Relative: the server's folder can be moved.
fn from_inside(name: &str) -> PathBuf {
    let up = 2 + name.matches('/').count();
    std::iter::repeat_n("..", up).chain(["shared", name]).collect()
}

/// The first folder above a path that is a link.
fn link_above<'n>(release: &Path, name: &'n str) -> Option<&'n str> {
    let mut above = name.match_indices('/').map(|(at, _)| &name[..at]);
    above.find(|above| fs::symlink_metadata(release.join(above)).is_ok_and(|metadata| metadata.is_symlink()))
}
