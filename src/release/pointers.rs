//! What stands in a tree in place of something else: submodules and files of Git LFS. A target gets the pointer, and
//! must fetch the rest by itself. Read from git's own lists of them, and only told. Pure.

use super::object::Object;

/// The files, seen from the repository's top, that tell of pointers in the folder `prefix`.
pub(super) fn files(prefix: &str) -> Vec<String> {
    let folders = prefix.match_indices('/').map(|(at, _)| &prefix[..at]);
    let below = folders
        .chain((!prefix.is_empty()).then_some(prefix))
        .map(|folder| format!("{folder}/.gitattributes"));
    [".gitmodules".to_owned(), ".gitattributes".to_owned()].into_iter().chain(below).collect()
}

/// What these files tell, as sentences.
pub(super) fn warnings<'f>(
    prefix: &str,
    files: impl Iterator<Item = (&'f str, &'f Option<Object>)>,
) -> Vec<String> {
    let mut warnings = Vec::new();
    for (name, object) in files {
        let text = object.as_ref().map_or("".into(), |object| String::from_utf8_lossy(&object.bytes));
        if name == ".gitmodules" {
            let inside = submodules(&text).filter_map(|path| below(path, prefix));
            warnings.extend(inside.map(|path| {
                format!("`{path}` is a submodule: the target gets it only if it can fetch that commit itself")
            }));
        } else {
            warnings.extend(lfs_patterns(&text).map(|pattern| {
                format!("`{pattern}` is kept by Git LFS ({name}): the target gets pointers unless it fetches the content itself")
            }));
        }
    }
    warnings
}

fn submodules(gitmodules: &str) -> impl Iterator<Item = &str> {
    let values = gitmodules.lines().filter_map(|line| line.split_once('='));
    values.filter(|(key, _)| key.trim() == "path").map(|(_, path)| path.trim().trim_matches('"'))
}

/// The path as seen from the folder, if it is inside.
fn below<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    if folder.is_empty() { Some(path) } else { path.strip_prefix(folder)?.strip_prefix('/') }
}

fn lfs_patterns(gitattributes: &str) -> impl Iterator<Item = &str> {
    let lines = gitattributes.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines
        .filter(|line| line.split_whitespace().any(|word| word == "filter=lfs"))
        .filter_map(|line| line.split_whitespace().next())
}
