//! What a task makes, kept by what it was made of: for other machines, and for the way back. An object is a line that
//! says which files follow, then the files. Nothing is put into the project before all of it was read and agrees; that
//! something is not there, or not to be trusted, costs a run of the task and nothing else.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::fresh::{self, Unreadable};
use crate::model::secret::Vaults;
use crate::model::store::Place;
use crate::model::tracking::Tracking;
use crate::model::tree::{Digest, Entry, Kind, Tree};
use crate::process::Stop;
use crate::state::StateDir;
use crate::state::drafts::Drafts;
use crate::state::durable::{self, DurableError};
use crate::store::{Store, StoreError};

/// What is read and written by this version.
const VERSION: u32 = 1;

/// The longest first line that is read: more is not ours.
const LONGEST: u64 = 64 << 20;

/// What is made on another kind of machine may be no use here.
const MACHINE: [&str; 2] = [std::env::consts::OS, std::env::consts::ARCH];

/// The stores of one run. One that failed is not asked again.
pub(crate) struct Caches {
    root: PathBuf,
    state: StateDir,
    /// What the secrets of the plan are, and what the caller's environment has.
    vaults: Vaults,
    env: Arc<Vec<(OsString, OsString)>>,
    stores: Mutex<HashMap<Place, Kept>>,
}

/// A store of this run; none if it is of no use.
type Kept = Option<Arc<Store>>;

/// The first line of an object.
#[derive(Serialize, Deserialize)]
struct Contents {
    version: u32,
    job: String,
    entries: Vec<Entry>,
    sizes: Vec<u64>,
}

/// Why a cache is no use now.
#[derive(Debug, thiserror::Error)]
enum CacheError {
    #[error(transparent)]
    Store(StoreError),
    #[error("what is in it is damaged: {0}")]
    Damaged(String),
    /// It would be mixed with what is there.
    #[error("`{0}`, which is among the task's `outputs`, is not in it")]
    Besides(String),
    #[error(transparent)]
    Io(io::Error),
    #[error(transparent)]
    Durable(#[from] DurableError),
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
}

impl From<StoreError> for CacheError {
    fn from(error: StoreError) -> CacheError {
        match error {
            StoreError::Fill(error) => CacheError::Io(error),
            error => CacheError::Store(error),
        }
    }
}

/// A store's own word may be in it.
impl From<io::Error> for CacheError {
    fn from(error: io::Error) -> CacheError {
        StoreError::from(error).into()
    }
}

impl Caches {
    pub(crate) fn new(
        root: &Path,
        state: &StateDir,
        vaults: &Vaults,
        env: &Arc<Vec<(OsString, OsString)>>,
    ) -> Caches {
        let (vaults, env) = (vaults.clone(), Arc::clone(env));
        Caches { root: root.to_owned(), state: state.clone(), vaults, env, stores: Mutex::default() }
    }

    /// Puts what was made of these inputs where the task would make it, and tells from where; why not, if one should
    /// know.
    pub(super) fn fetch<'t>(
        &self,
        tracking: &'t Tracking,
        inputs: &Tree,
        stop: &Stop,
    ) -> Result<Option<&'t Place>, String> {
        let fetched = |store: &Store| self.fetched(store, tracking, inputs, stop);
        let is_there = self.using(tracking, fetched)?.unwrap_or(false);
        Ok(tracking.cache.as_ref().filter(|_| is_there))
    }

    /// Keeps what the task made of these inputs; why not, if one should know.
    pub(super) fn keep(&self, tracking: &Tracking, inputs: &Tree, stop: &Stop) -> Result<(), String> {
        self.using(tracking, |store| kept(store, tracking, inputs, stop)).map(drop)
    }

    /// What the task's cache gives, if it has one that is well.
    fn using<T>(
        &self,
        tracking: &Tracking,
        act: impl Fn(&Store) -> Result<T, CacheError>,
    ) -> Result<Option<T>, String> {
        let Some(place) = &tracking.cache else { return Ok(None) };
        let done = self.store(place).and_then(|store| store.as_deref().map(act).transpose());
        match done {
            Err(CacheError::Store(StoreError::Stopped)) => Ok(None),
            done => done.map_err(|error| self.given_up(place, &error)),
        }
    }

    /// The store at a place, opened once.
    fn store(&self, place: &Place) -> Result<Kept, CacheError> {
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = stores.get(place) {
            return Ok(known.clone());
        }
        let keys = |name: &str| place.keys.value(name, &self.vaults, &self.env);
        let opened = Arc::new(Store::open(place, &self.root, &keys)?);
        stores.insert(place.clone(), Some(opened.clone()));
        Ok(Some(opened))
    }

    fn given_up(&self, place: &Place, error: &CacheError) -> String {
        let told = match error {
            // The store is well; this one object is not, or is no use here.
            CacheError::Damaged(_) | CacheError::Besides(_) => {
                format!("the cache {place} is no help: {error}")
            }
            CacheError::Store(_) | CacheError::Io(_) | CacheError::Durable(_) | CacheError::Unreadable(_) => {
                self.stores.lock().unwrap_or_else(PoisonError::into_inner).insert(place.clone(), None);
                format!("the cache {place} is left alone for the rest of this run: {error}")
            }
        };
        told.trim_end().to_owned()
    }

    fn fetched(
        &self,
        store: &Store,
        tracking: &Tracking,
        inputs: &Tree,
        stop: &Stop,
    ) -> Result<bool, CacheError> {
        let Some(object) = store.read(&key(tracking, inputs), stop)? else { return Ok(false) };
        let mut object = BufReader::new(object);
        let mut line = Vec::new();
        (&mut object).take(LONGEST).read_until(b'\n', &mut line)?;
        let contents: Contents =
            serde_json::from_slice(&line).map_err(|_| CacheError::Damaged("its first line".to_owned()))?;
        check(&contents, tracking)?;
        // The task's own command might take it away; who put it there is not known.
        if let Some(path) = fresh::besides(tracking, &contents.entries)? {
            return Err(CacheError::Besides(path));
        }
        let mut drafts = Drafts::new(&self.state)?;
        unpack(&mut object, &contents, &mut drafts)?;
        let entries = contents.entries.iter().zip(&drafts.files);
        entries.into_iter().try_for_each(|(entry, draft)| put(entry, draft, &tracking.dir))?;
        Ok(true)
    }
}

fn kept(store: &Store, tracking: &Tracking, inputs: &Tree, stop: &Stop) -> Result<(), CacheError> {
    let made = fresh::made(tracking)?;
    let sizes: io::Result<Vec<u64>> = made.entries.iter().map(|entry| size(entry, &tracking.dir)).collect();
    let entries = made.entries.iter().map(|entry| Entry { stat: None, ..entry.clone() }).collect();
    let contents = Contents { version: VERSION, job: tracking.job.clone(), entries, sizes: sizes? };
    let mut head = serde_json::to_vec(&contents).expect("plain data can be written");
    head.push(b'\n');
    store.write(&key(tracking, inputs), stop, &mut |object| {
        object.write_all(&head)?;
        for (entry, size) in contents.entries.iter().zip(&contents.sizes) {
            pack(entry, *size, &tracking.dir, object)?;
        }
        Ok(())
    })?;
    Ok(())
}

/// What is made of the same, has the same name.
fn key(tracking: &Tracking, inputs: &Tree) -> String {
    let said = tracking.said().to_string();
    let (inputs, version) = (inputs.digest().to_string(), VERSION.to_string());
    let words = [version.as_str(), &tracking.job, &said, &inputs].into_iter().chain(MACHINE);
    Digest::of_words(words).to_string()
}

/// Refuses what does not belong to this task.
fn check(contents: &Contents, tracking: &Tracking) -> Result<(), CacheError> {
    if contents.version != VERSION || contents.sizes.len() != contents.entries.len() {
        return Err(CacheError::Damaged("it is of another form".to_owned()));
    }
    let paths = contents.entries.iter().map(|entry| entry.path.as_str());
    match fresh::foreign(tracking, paths) {
        Some(path) => Err(CacheError::Damaged(format!("`{path}` is none of the task's `outputs`"))),
        None => Ok(()),
    }
}

/// Reads all files, and compares each with its digest.
fn unpack(object: &mut impl Read, contents: &Contents, drafts: &mut Drafts) -> Result<(), CacheError> {
    for (entry, size) in contents.entries.iter().zip(&contents.sizes) {
        let mode = if entry.kind == Kind::Executable { 0o777 } else { 0o666 };
        let mut file = drafts.add(mode)?;
        let mut hasher = blake3::Hasher::new();
        let mut rest = object.take(*size);
        let mut piece = vec![0; 256 * 1024];
        loop {
            let read = rest.read(&mut piece)?;
            if read == 0 {
                break;
            }
            hasher.update(&piece[..read]);
            file.write_all(&piece[..read])?;
        }
        if Digest::from(hasher.finalize()) != entry.digest {
            return Err(CacheError::Damaged(format!("`{}` is not what was kept", entry.path)));
        }
    }
    Ok(())
}

/// Puts one file where it belongs, at once.
fn put(entry: &Entry, draft: &Path, dir: &Path) -> Result<(), CacheError> {
    let place = dir.join(&entry.path);
    if let Some(folder) = place.parent() {
        std::fs::create_dir_all(folder)?;
    }
    match entry.kind {
        Kind::File | Kind::Executable => Drafts::adopt(draft, &place)?,
        Kind::Link => {
            let to = std::fs::read(draft)?;
            durable::link(Path::new(std::ffi::OsStr::from_bytes(&to)), &place)?;
        }
    }
    Ok(())
}

fn size(entry: &Entry, dir: &Path) -> io::Result<u64> {
    match entry.kind {
        Kind::File | Kind::Executable => Ok(std::fs::metadata(dir.join(&entry.path))?.len()),
        Kind::Link => Ok(std::fs::read_link(dir.join(&entry.path))?.as_os_str().len() as u64),
    }
}

/// Writes one file to the object, which must have all of it: the line before has said how much that is.
fn pack(entry: &Entry, size: u64, dir: &Path, object: &mut dyn Write) -> io::Result<()> {
    let path = dir.join(&entry.path);
    let written = match entry.kind {
        Kind::File | Kind::Executable => io::copy(&mut File::open(path)?.take(size), object)?,
        Kind::Link => {
            let to = std::fs::read_link(path)?;
            object.write_all(to.as_os_str().as_bytes())?;
            size
        }
    };
    if written == size { Ok(()) } else { Err(io::Error::other("a file got smaller while it was read")) }
}
