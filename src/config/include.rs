//! `include`: other files whose tasks join, under a namespace or without.

use std::path::{Component, Path, PathBuf};

use super::inherit::Heir;
use super::reader::{Item, Reader};
use super::{Open, Opened, project, syntax_errors, value};
use crate::diagnostic::{Diagnostic, Diagnostics, Source, Span};
use crate::model::project::Project;

/// More files than this are nobody's intention.
const MOST_FILES: usize = 1000;

/// Everything that was read so far.
#[derive(Default)]
pub(crate) struct Book {
    pub(crate) project: Project,
    /// Who inherits from whom, for each environment of the project.
    pub(crate) heirs: Vec<Heir>,
    pub(crate) sources: Vec<Source>,
    pub(crate) problems: Diagnostics,
    /// The files that were read, each with its namespace.
    known: Vec<(PathBuf, String)>,
}

/// What a file is to the project.
#[derive(Clone, Debug)]
pub(crate) struct Role {
    /// What stands before the names of its tasks.
    pub(crate) prefix: String,
    /// The files on the way here, the root first, each with the place that includes the next.
    way: Vec<(PathBuf, String, Span)>,
}

impl Role {
    /// The file that is read first.
    pub(crate) fn root() -> Role {
        Role { prefix: String::new(), way: Vec::new() }
    }

    pub(crate) fn is_root(&self) -> bool {
        self.way.is_empty()
    }
}

/// A file that another one wants.
#[derive(Clone, Debug)]
pub(crate) struct Include {
    path: String,
    /// Its namespace.
    name: Option<String>,
    at: Span,
}

impl Book {
    /// Reads a file, and those that it includes.
    pub(crate) fn read(&mut self, opened: Opened, role: &Role, open: &mut Open<'_>) {
        let Opened { source, file, folder } = opened;
        let index = u32::try_from(self.sources.len()).expect("fewer than 2^32 files");
        let mut includes = Vec::new();
        if let Some(reader) = Reader::new(&source, index) {
            includes = project::read(&reader, &folder, role, self);
            self.problems.extend([reader.into_problems()]);
        } else {
            self.problems.extend([syntax_errors(&source, index)]);
            // A file that means nothing has its place all the same: others are counted after it.
            self.project.files.push(crate::model::project::File::default());
        }
        let shown = source.path.clone();
        self.sources.push(source);
        self.known.push((file.clone(), role.prefix.clone()));
        for include in includes {
            let inner = self.inner(&include, &file, &shown, &folder, role, open);
            match inner {
                Ok((opened, role)) => self.read(opened, &role, open),
                Err(problem) => self.problems.push(problem),
            }
        }
    }

    /// The file that an include means, and what it is to the project.
    fn inner(
        &self,
        include: &Include,
        file: &Path,
        shown: &str,
        folder: &Path,
        role: &Role,
        open: &mut Open<'_>,
    ) -> Result<(Opened, Role), Diagnostic> {
        if self.sources.len() >= MOST_FILES {
            return Err(Diagnostic::new(format!("there are more than {MOST_FILES} files in this project"))
                .at(include.at, "one more")
                .help("files that include each other in many ways grow without measure: include each once"));
        }
        let opened = open(&plain(&folder.join(&include.path))).map_err(|why| {
            Diagnostic::new(format!("`{}` can't be included: {why}", include.path)).at(include.at, "")
        })?;
        let mut way = role.way.clone();
        way.push((file.to_owned(), shown.to_owned(), include.at));
        if let Some(first) = way.iter().position(|(file, ..)| *file == opened.file) {
            let names = way[first..].iter().map(|(_, shown, _)| shown.as_str());
            let names: Vec<&str> = names.chain([way[first].1.as_str()]).collect();
            let problem =
                Diagnostic::new(format!("files include each other in a loop: {}", names.join(" -> ")));
            let places = way[first..].iter();
            let problem =
                places.fold(problem, |problem, (_, shown, at)| problem.at(*at, format!("in {shown}")));
            return Err(problem.help("take one of them out"));
        }
        let prefix = match &include.name {
            Some(name) => format!("{}{name}:", role.prefix),
            None => role.prefix.clone(),
        };
        if self.known.contains(&(opened.file.clone(), prefix.clone())) {
            return Err(Diagnostic::new(format!("`{}` is included twice", include.path))
                .at(include.at, "once more here")
                .help("include it once, or give it another namespace with `as`"));
        }
        Ok((opened, Role { prefix, way }))
    }
}

/// `include`: paths, or tables that also give a namespace.
pub(crate) fn includes(item: Item<'_, '_>) -> Vec<Include> {
    item.each("a list of files", include)
}

fn include(item: Item<'_, '_>) -> Option<Include> {
    let Some(mut table) = item.maybe_table("an include") else {
        return Some(Include { path: path(item)?, name: None, at: item.at() });
    };
    let path = table.require("path").and_then(path);
    let name = table.take("as").and_then(|item| {
        let name = item.text()?;
        if !value::is_name(&name) {
            item.problem(
                Diagnostic::new(format!("`{name}` can't be a namespace"))
                    .at(item.at(), "letters, digits, `-`, `_` and `.`; not `-` or `.` first"),
            );
            return None;
        }
        Some(name)
    });
    table.finish();
    Some(Include { path: path?, name, at: item.at() })
}

fn path(item: Item<'_, '_>) -> Option<String> {
    let path = item.text()?;
    if path.is_empty() || path.contains("{{") {
        item.problem(
            Diagnostic::new("an include is the path of a file, as it is")
                .at(item.at(), "no value can stand in it: files are read before values are known"),
        );
        return None;
    }
    Some(path)
}

/// A path without `.`, and without `..` where that leads back to what is known.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => drop(plain.pop()),
            Component::ParentDir | Component::Prefix(_) | Component::RootDir | Component::Normal(_) => {
                plain.push(component);
            }
        }
    }
    plain
}
