//! What of a release deserves a second look before it goes out: migrations, and what pip would install otherwise than
//! now, or than elsewhere. It is looked at for who looks, and by no run.

use super::{LookError, Site, Survey, file};
use crate::model::release::{ObjectId, Release, Source};
use crate::model::step::Planned;
use crate::model::swap::Swap;
use crate::plan::Delivery;
use crate::release::repository::SourceError;
use crate::release::requirements::{self, Change};
use crate::release::swap::{self, Entry, SwapFile};
use crate::release::tree::{Differing, Objects, Tree};

/// Folders whose files change a database, as frameworks call them.
const MIGRATIONS: [&str; 3] = ["migrations/", "alembic/versions/", "db/migrate/"];

/// What changes from the live release to the new one, as far as it deserves a second look.
#[derive(Debug)]
pub(crate) struct Interest {
    /// By their paths.
    pub(crate) migrations: Vec<Differing>,
    pub(crate) requirements: Vec<Change>,
}

/// In what the requirements of one commit differ in two environments.
#[derive(Debug)]
pub(crate) struct Dissent {
    pub(crate) changes: Vec<Change>,
    /// Why each of them could not be shipped like this.
    pub(crate) refusals: [Vec<String>; 2],
}

impl Site {
    /// In what the requirements of a commit differ, by these two swaps.
    pub(crate) fn dissent(
        &self,
        source: &Source,
        swaps: [&[Swap<Planned>]; 2],
    ) -> Result<Dissent, LookError> {
        let repository = self.repository()?;
        let resolved = |swap: &[Swap<Planned>]| {
            let files: Vec<SwapFile> = swap.iter().map(file).collect();
            swap::resolve(repository, source, &files)
        };
        let (first, second) = (resolved(swaps[0])?, resolved(swaps[1])?);
        let roots = requirements::roots(first.entries.iter().chain(&second.entries));
        let mut tree = Tree::new(Objects::User(repository), &source.tree);
        let before = requirements::resolve(&mut tree, &first.entries, &roots)?;
        let after = requirements::resolve(&mut tree, &second.entries, &roots)?;
        let messages = |swap: &swap::Swap| {
            swap.refusals.iter().map(|refusal| refusal.message.clone()).collect::<Vec<String>>()
        };
        let refusals = [messages(&first), messages(&second)];
        Ok(Dissent { changes: requirements::changes(&before, &after), refusals })
    }

    /// What is of interest about a delivery; none where nothing is live yet, or what is live is not here.
    pub(crate) fn interest(
        &self,
        delivery: &Delivery,
        survey: &Survey,
    ) -> Result<Option<Interest>, LookError> {
        let (Some(live), Some(source), Some(scratch)) =
            (&survey.circumstances.live, &delivery.source, self.scratch()?)
        else {
            return Ok(None);
        };
        let objects = Objects::Own(&scratch);
        let files: Vec<SwapFile> = delivery.swap.iter().map(file).collect();
        let Some((tree, swap)) = self.shipped(live, objects, &files)? else { return Ok(None) };
        // What comes back is the release's own tree, with what was swapped in it.
        let new = delivery.back.as_ref().and_then(|back| back.tree.as_ref()).unwrap_or(&source.tree);
        let Some(mut differing) = objects.differing(&tree, new)? else { return Ok(None) };
        let entries = &survey.swap.entries;
        let is_swapped = |path: &str| {
            live.swapped.iter().any(|swapped| swapped == path)
                || entries.iter().any(|entry| entry.path == path)
        };
        differing.retain(|file| is_migration(&file.path) && !is_swapped(&file.path));
        let roots = requirements::roots(entries.iter().chain(&swap));
        let before = requirements::resolve(&mut Tree::new(objects, &tree), &swap, &roots)?;
        let after = requirements::resolve(&mut Tree::new(objects, new), entries, &roots)?;
        let requirements = requirements::changes(&before, &after);
        Ok(Some(Interest { migrations: differing, requirements }))
    }

    /// What a release has brought to its target: a tree, and what has to be swapped in it. Where the release's own tree is
    /// not here, it is made up from its source.
    fn shipped(
        &self,
        release: &Release,
        objects: Objects<'_>,
        files: &[SwapFile],
    ) -> Result<Option<(ObjectId, Vec<Entry>)>, LookError> {
        if let Some(tree) = &release.tree
            && objects.has(tree)?
        {
            return Ok(Some((tree.clone(), Vec::new())));
        }
        let repository = self.repository()?;
        match repository.source(release.source.as_str()) {
            Ok(source) => {
                let swap = swap::resolve(repository, &source, files)?;
                Ok(Some((source.tree, swap.entries)))
            }
            Err(SourceError::Refused(_)) => Ok(None),
            Err(SourceError::Git(error)) => Err(error.into()),
        }
    }
}

/// Whether a file changes a database when it is deployed.
fn is_migration(path: &str) -> bool {
    let begins = |at: usize| at == 0 || path[..at].ends_with('/');
    let is_in = |folder: &str| path.match_indices(folder).any(|(at, _)| begins(at));
    MIGRATIONS.into_iter().any(is_in) && !path.ends_with("/__init__.py")
}

#[cfg(test)]
mod tests {
    use super::is_migration;

    #[test]
    fn migrations_are_known_by_their_folders() {
        for path in [
            "shop/migrations/0001_initial.py",
            "migrations/V1__shop.sql",
            "alembic/versions/1a2b.py",
            "backend/db/migrate/20260101_shop.rb",
        ] {
            assert!(is_migration(path), "{path}");
        }
        for path in
            ["shop/migrations.py", "shop/migrations/__init__.py", "immigrations/a.py", "versions/1.py"]
        {
            assert!(!is_migration(path), "{path}");
        }
    }
}
