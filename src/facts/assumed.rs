//! Facts of a world that nobody looked at: for what a file would come to.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::environment::Environment;
use crate::model::name::RunId;
use crate::model::release::{ObjectId, Source, Standing};
use crate::plan::{Facts, Known, World};

/// Facts of a good world, to see what a file would come to in it.
pub(crate) fn assumed(
    root: &Path,
    env: Arc<Vec<(OsString, OsString)>>,
    environments: &[Environment],
) -> Facts {
    const ID: &str = "0000000000000000000000000000000000000000";
    let id = || ObjectId::parse(ID).expect("it is of the right length");
    Facts {
        root: root.to_owned(),
        run: RunId("assumed".to_owned()),
        env,
        source: Known::Is(Source {
            commit: id(),
            tree: id(),
            author: String::new(),
            subject: String::new(),
            time: Timestamp::UNIX_EPOCH,
            date: String::new(),
            branch: Some("main".to_owned()),
            warnings: Vec::new(),
        }),
        ledgers: environments
            .iter()
            .map(|environment| (environment.name.clone(), Standing::default()))
            .collect(),
        known: BTreeMap::new(),
        outputs: BTreeMap::new(),
        dotenvs: BTreeMap::new(),
        commits: BTreeMap::new(),
        world: World::Assumed,
    }
}
