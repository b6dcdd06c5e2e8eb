//! The file of `plan --out`: what would be done, and all that it depends on. `apply` makes the same of what there is then,
//! and compares. It holds no secret: a plan knows only their names.

mod moved;

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::args::{Common, Words};
use super::error::{Error, Kind};
use crate::diagnostic::Source;
use crate::facts;
use crate::model::release::ObjectId;
use crate::release::ledger::Tip;
use crate::state::durable::{self, PRIVATE_FILE};

/// The version of what is written. A file of a newer one is refused, not guessed.
const VERSION: u32 = 1;

/// A plan on paper.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PlanFile {
    version: u32,
    made: Timestamp,
    pub(crate) command: Command,
    /// The files of the project that were read, the root's first.
    files: Vec<FileRead>,
    /// One for each environment of the command line.
    pub(crate) parts: Vec<Part>,
}

/// The words and options that say what is done; not those that say how it is carried out and told.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Command {
    names: Vec<String>,
    given: Vec<Vec<(String, String)>>,
    args: Vec<String>,
    environment: Option<String>,
    force: bool,
    reference: Option<String>,
    rebuild: bool,
    in_place: bool,
    overrides: Vec<String>,
    reason: Option<String>,
    set: Vec<(String, String)>,
    no_deps: bool,
}

/// A file of the project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct FileRead {
    /// As the user would have typed it.
    path: String,
    sha256: String,
}

/// What is done in one environment, or in none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Part {
    /// The commit that is shipped, and the name that stood for it.
    pub(crate) commit: Option<Named>,
    pub(crate) releases: Vec<Ground>,
    /// Of everything that was planned, down to the variables of each process.
    pub(crate) sha256: String,
    /// As `plan --json` shows it.
    pub(crate) plan: Value,
}

/// A commit, by a name that may come to mean another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) id: ObjectId,
}

/// What a release goes on top of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ground {
    pub(crate) environment: String,
    pub(crate) live: Option<Live>,
    /// The newest entry of the ledger.
    pub(crate) ledger: Option<ObjectId>,
}

/// The release that is live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Live {
    pub(crate) number: u32,
    pub(crate) source: ObjectId,
}

impl Ground {
    /// What the ledger of an environment says now.
    pub(crate) fn new(environment: &str, tip: &Tip) -> Ground {
        let live = tip.state.live.as_ref();
        Ground {
            environment: environment.to_owned(),
            live: live.map(|live| Live { number: live.number, source: live.source.clone() }),
            ledger: tip.id.clone(),
        }
    }
}

impl PlanFile {
    pub(crate) fn new(command: Command, sources: &[Source], parts: Vec<Part>) -> PlanFile {
        PlanFile { version: VERSION, made: facts::now(), command, files: read_files(sources), parts }
    }

    /// Writes it, for nobody else to read.
    ///
    /// # Errors
    /// A file that can't be written.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Error> {
        let text = serde_json::to_string_pretty(self).expect("plain data has no map with odd keys") + "\n";
        durable::replace(path, text.as_bytes(), PRIVATE_FILE)
            .map_err(|error| Error::new(Kind::Failed, error.to_string()))
    }

    /// Reads one.
    ///
    /// # Errors
    /// What is none, is damaged, or was written by a newer deploy.
    pub(crate) fn read(path: &Path) -> Result<PlanFile, Error> {
        let shown = path.display();
        let wrong = |why: String| {
            Error::new(Kind::Usage, format!("can't read the plan `{shown}`: {why}"))
                .help("make one: deploy plan ENVIRONMENT --out FILE")
        };
        let bytes = fs::read(path).map_err(|error| wrong(error.to_string()))?;
        let value: Value = serde_json::from_slice(&bytes)
            .map_err(|error| wrong(format!("it is damaged, or no plan of deploy's ({error})")))?;
        match value.get("version").and_then(Value::as_u64) {
            Some(version) if version > u64::from(VERSION) => Err(wrong(format!(
                "it is of version {version}, and this deploy knows version {VERSION}; a newer one wrote it"
            ))),
            Some(_) | None => serde_json::from_value(value)
                .map_err(|error| wrong(format!("it is damaged, or no plan of deploy's ({error})"))),
        }
    }

    /// The files that are not what they were, a sentence each.
    pub(crate) fn changed(&self, sources: &[Source]) -> Vec<String> {
        let now = read_files(sources);
        let told = |file: &FileRead, now: Option<&FileRead>| match now {
            Some(now) if now.sha256 == file.sha256 => None,
            Some(now) => Some(format!(
                "the file `{}` has changed: from {} to {}",
                now.path,
                short(&file.sha256),
                short(&now.sha256)
            )),
            None => Some(format!("the file `{}` is no longer read", file.path)),
        };
        let of_old = self.files.iter().enumerate().filter_map(|(index, file)| told(file, now.get(index)));
        let more = now.iter().skip(self.files.len());
        of_old.chain(more.map(|file| format!("the file `{}` is read now too", file.path))).collect()
    }
}

impl Command {
    pub(crate) fn new(common: &Common, words: &Words) -> Command {
        let (common, words) = (common.clone(), words.clone());
        Command {
            names: words.names,
            given: words.given,
            args: words.args,
            environment: common.environment,
            force: common.force,
            reference: common.reference,
            rebuild: common.rebuild,
            in_place: common.in_place,
            overrides: common.overrides,
            reason: common.reason,
            set: common.set,
            no_deps: common.no_deps,
        }
    }

    /// The same command line again; how it is carried out, told and answered is said by `own`.
    pub(crate) fn restored(&self, own: &Common) -> (Common, Words) {
        let said = self.clone();
        let common = Common {
            environment: said.environment,
            force: said.force,
            reference: said.reference,
            rebuild: said.rebuild,
            in_place: said.in_place,
            overrides: said.overrides,
            reason: said.reason,
            set: said.set,
            no_deps: said.no_deps,
            ..own.clone()
        };
        (common, Words { names: said.names, args: said.args, given: said.given })
    }
}

/// The digest of something, in hex.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().fold(String::new(), |mut hex, byte| {
        let _written = write!(hex, "{byte:02x}");
        hex
    })
}

fn read_files(sources: &[Source]) -> Vec<FileRead> {
    let read =
        |source: &Source| FileRead { path: source.path.clone(), sha256: sha256(source.text.as_bytes()) };
    sources.iter().map(read).collect()
}

/// The first digits of a digest, as people compare them.
fn short(digest: &str) -> &str {
    digest.get(..8).unwrap_or(digest)
}
