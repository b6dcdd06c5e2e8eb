//! Where we are: the folder, the file and what it means, the caller's environment.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::Common;
use super::error::{Error, Kind};
use crate::config::{self, Opened};
use crate::diagnostic::{Diagnostics, Source};
use crate::engine::Halt;
use crate::facts::{self, Site};
use crate::model::project::Project;

/// The file that makes a folder a project.
const FILE: &str = "tasks.toml";

/// As file managers count it.
const MB: u64 = 1_000_000;

/// Enough for some hundred thousand tasks; whatever has more was not meant as a tasks.toml.
const LARGEST: u64 = 16 * MB;

/// A project that was found and read.
pub(crate) struct Session {
    /// The folder of tasks.toml, absolute.
    pub(crate) root: PathBuf,
    /// Where the user stands, or says with `-C`.
    pub(crate) here: PathBuf,
    pub(crate) sources: Vec<Source>,
    pub(crate) project: Project,
    pub(crate) env: Arc<Vec<(OsString, OsString)>>,
    /// By which its run can be asked to end.
    pub(crate) halt: Halt,
}

/// Why there is no session.
pub(crate) enum Unread {
    /// There is no file, or it can't be opened.
    Unfound(Error),
    /// What is wrong in it, and the texts.
    Wrong(Diagnostics, Vec<Source>),
}

impl From<Unread> for Error {
    fn from(unread: Unread) -> Error {
        match unread {
            Unread::Unfound(error) => error,
            Unread::Wrong(problems, sources) => Error::diagnostics(problems, &sources),
        }
    }
}

impl Session {
    /// Finds tasks.toml and reads it.
    ///
    /// # Errors
    /// No file, an unreadable one, or everything that is wrong in it.
    pub(crate) fn load(common: &Common, env: Arc<Vec<(OsString, OsString)>>) -> Result<Session, Unread> {
        let place = place(common).map_err(Unread::Unfound)?;
        let text = read(&place.path).map_err(|error| Unread::Unfound(unreadable(&place.shown, &error)))?;
        let file = fs::canonicalize(&place.path).unwrap_or_else(|_| place.path.clone());
        let source = Source::new(place.shown.clone(), text);
        let root = Opened { source, file, folder: PathBuf::new() };
        let (sources, project) =
            config::read(root, &mut |path| open(&place, path), &|name| facts::zone(name).is_some());
        match project {
            Ok(project) => Ok(Session {
                root: place.root,
                here: place.here,
                sources,
                project,
                env,
                halt: Halt::default(),
            }),
            Err(problems) => Err(Unread::Wrong(problems, sources)),
        }
    }

    /// The project's place on this machine.
    pub(crate) fn site(&self) -> Site {
        Site::new(&self.root, Arc::clone(&self.env), self.project.ledger.clone())
    }

    /// `tasks.toml:12`, the line of a place in the file.
    pub(crate) fn line(&self, span: crate::diagnostic::Span) -> String {
        let source = &self.sources[span.source as usize];
        format!("{}:{}", source.path, source.line(span.start))
    }
}

/// Where a tasks.toml is.
struct Place {
    path: PathBuf,
    root: PathBuf,
    /// The folder that the search began in.
    here: PathBuf,
    /// The path as messages show it.
    shown: String,
}

fn place(common: &Common) -> Result<Place, Error> {
    let here = std::env::current_dir()
        .map_err(|error| Error::new(Kind::Failed, format!("the current folder can't be told: {error}")))?;
    let start = common.directory.as_ref().map_or_else(|| here.clone(), |directory| here.join(directory));
    if !start.is_dir() {
        return Err(Error::new(Kind::Usage, format!("there is no folder `{}`", start.display())));
    }
    let path = match &common.file {
        Some(file) => start.join(file),
        None => start
            .ancestors()
            .map(|folder| folder.join(FILE))
            .find(|path| path.symlink_metadata().is_ok())
            .ok_or_else(|| missing(&start))?,
    };
    let folder = path.parent().unwrap_or(Path::new("/"));
    let root = fs::canonicalize(folder).map_err(|error| unreadable(&path.display().to_string(), &error))?;
    let shown = path.strip_prefix(&here).unwrap_or(&path).display().to_string();
    let here = if folder == start {
        root.clone()
    } else {
        fs::canonicalize(&start).unwrap_or_else(|_| start.clone())
    };
    Ok(Place { path, root, here, shown })
}

/// Opens a file that another one includes; `path` is relative to the root's folder. A folder means its tasks.toml.
fn open(place: &Place, path: &Path) -> Result<Opened, String> {
    let mut shown = Path::new(&place.shown).with_file_name("").join(path);
    let mut path = place.root.join(path);
    if path.is_dir() {
        path.push(FILE);
        shown.push(FILE);
    }
    let text = read(&path).map_err(|error| reason(&error))?;
    let file = fs::canonicalize(&path).map_err(|error| reason(&error))?;
    let folder = file.parent().unwrap_or(Path::new("/"));
    let folder = folder.strip_prefix(&place.root).unwrap_or(folder).to_owned();
    Ok(Opened { source: Source::new(shown.display().to_string(), text), file, folder })
}

/// The text of a file, and of nothing else: a pipe may never end, or never begin.
fn read(path: &Path) -> io::Result<String> {
    let kind = fs::metadata(path)?;
    if !kind.is_file() {
        return Err(io::Error::other(if kind.is_dir() { "it is a folder" } else { "it is no plain file" }));
    }
    if kind.len() > LARGEST {
        let what = format!("it has {} MB, and more than {} MB are not read", kind.len() / MB, LARGEST / MB);
        return Err(io::Error::other(what));
    }
    fs::read_to_string(path)
}

fn missing(start: &Path) -> Error {
    Error::new(Kind::Usage, format!("there is no {FILE} in `{}` or above it", start.display())).help(format!(
        "write one: {FILE} with\n\n  [tasks.hello]\n  run = \"echo hello\"\n\nthen: deploy hello"
    ))
}

fn unreadable(path: &str, error: &io::Error) -> Error {
    Error::new(Kind::Usage, format!("can't read `{path}`: {}", reason(error)))
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
        _ => error.to_string(),
    }
}
