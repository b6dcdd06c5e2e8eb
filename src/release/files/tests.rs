//! What is written is compared with what was committed, byte for byte.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::*;
use crate::target::tests::{World, put, stop};

/// Writes the files of HEAD into `out`.
fn written(world: &World) -> Result<Vec<PathBuf>, FilesError> {
    let head = ObjectId::parse(&world.at("work", &["rev-parse", "HEAD"])).unwrap();
    fs::create_dir(world.path("out")).unwrap();
    world.scratch().write_files(&head, &world.path("out"), &stop())
}

#[test]
fn files_are_written_as_committed_whatever_the_attributes_say() {
    let attributes = "*.txt text eol=crlf ident export-subst filter=shout\ngone export-ignore\n";
    let world = World::with(&[("line.txt", "$Id$\n$Format:%H$\nend\n"), ("gone", "here\n")]);
    // Afterwards, so that they had no part in what was committed.
    world.commit(&[(".gitattributes", attributes), ("sub/.gitattributes", "* eol=crlf\n"), ("sub/a", "a\n")]);
    world.at("work", &["config", "core.autocrlf", "true"]);
    world.at("work", &["config", "filter.shout.smudge", "tr a-z A-Z"]);
    assert_eq!(written(&world).unwrap(), Vec::<PathBuf>::new());
    let read = |path: &str| fs::read_to_string(world.path("out").join(path)).unwrap();
    assert_eq!(read("line.txt"), "$Id$\n$Format:%H$\nend\n");
    assert_eq!(
        (read("gone").as_str(), read("sub/a").as_str(), read(".gitattributes").as_str()),
        ("here\n", "a\n", attributes)
    );
}

#[test]
fn every_kind_of_file_name_and_content_comes_out_as_it_went_in() {
    let world = World::with(&[
        ("empty", ""),
        ("a b", "1"),
        ("q\"u'o\\te", "2"),
        ("line\nbreak", "3"),
        ("é/ü/ñ", "4"),
    ]);
    let work = world.path("work");
    // More than one piece of a pipe, with all that could be taken for the next answer's header.
    let noise = "0123 blob 3\nmissing\0\n".repeat(60_000);
    put(&work.join("noise"), &noise);
    put(&work.join("run"), "#!/bin/sh\n");
    fs::set_permissions(work.join("run"), Permissions::from_mode(0o755)).unwrap();
    symlink("é/ü/ñ", work.join("link")).unwrap();
    symlink("/nowhere at all", work.join("dangling")).unwrap();
    symlink("é", work.join("folder")).unwrap();
    world.commit(&[]);
    let submodule = format!("160000,{},lib/module", world.at("work", &["rev-parse", "HEAD"]));
    world.at("work", &["update-index", "--add", "--cacheinfo", &submodule]);
    world.at("work", &["commit", "-q", "-m", "A submodule"]);

    assert_eq!(written(&world).unwrap(), [Path::new("lib/module")]);
    let out = world.path("out");
    assert_eq!(fs::read_dir(out.join("lib/module")).unwrap().count(), 0);
    for path in ["empty", "a b", "q\"u'o\\te", "line\nbreak", "é/ü/ñ", "noise", "run"] {
        assert!(fs::read(out.join(path)).unwrap() == fs::read(work.join(path)).unwrap(), "{path:?}");
        let is_executable = fs::metadata(out.join(path)).unwrap().permissions().mode() & 0o100 != 0;
        assert_eq!(is_executable, path == "run", "{path:?}");
    }
    for path in ["link", "dangling", "folder"] {
        assert_eq!(fs::read_link(out.join(path)).unwrap(), fs::read_link(work.join(path)).unwrap());
    }
    assert_eq!(fs::read_dir(&out).unwrap().count(), 11);
}

#[test]
fn a_content_that_the_clone_does_not_have_is_named() {
    let world = World::with(&[("a", "1"), ("deep/b", "2"), ("z", "3")]);
    let blob = world.at("work", &["rev-parse", "HEAD:deep/b"]);
    let (folder, file) = blob.split_at(2);
    fs::remove_file(world.path("work/.git/objects").join(folder).join(file)).unwrap();
    let error = written(&world).unwrap_err();
    assert_eq!(error.to_string(), "the content of `deep/b` is not in this clone");
}

#[test]
fn nothing_is_written_through_a_link_or_over_a_file() {
    let world = World::with(&[("name", "mine")]);
    put(&world.path("out/name"), "theirs");
    let head = ObjectId::parse(&world.at("work", &["rev-parse", "HEAD"])).unwrap();
    let error = world.scratch().write_files(&head, &world.path("out"), &stop()).unwrap_err();
    assert!(error.to_string().starts_with("can't write `/"), "{error}");
    assert_eq!(fs::read_to_string(world.path("out/name")).unwrap(), "theirs");

    // A tree that git would never make: a link, and a file inside of the folder of the same name.
    let outside = world.path("outside");
    fs::create_dir(&outside).unwrap();
    let blob = |text: &str| {
        put(&world.path("work/blob"), text);
        world.at("work", &["hash-object", "-w", "blob"])
    };
    let (link, file) = (blob(outside.to_str().unwrap()), blob("escaped"));
    let tree = |records: &str| {
        put(&world.path("work/records"), records);
        world.at("work", &["-c", "alias.tree=!git mktree --missing < records", "tree"])
    };
    let inner = tree(&format!("100644 blob {file}\tinner\n"));
    let outer = tree(&format!("120000 blob {link}\tdir\n040000 tree {inner}\tdir\n"));
    let commit = ObjectId::parse(&world.at("work", &["commit-tree", "-m", "bad", &outer])).unwrap();
    fs::create_dir(world.path("bad")).unwrap();
    assert!(world.scratch().write_files(&commit, &world.path("bad"), &stop()).is_err());
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
}
