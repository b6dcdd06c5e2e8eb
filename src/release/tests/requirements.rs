//! Requirements as pip would see them: through files that read others, with the swap applied.

use super::*;
use crate::release::pip::Role;
use crate::release::requirements::{self, Requirement};
use crate::release::tree::{Objects, Tree};

/// What HEAD with this swap asks for: `FILE: LINE`, constraints with a mark.
fn asked(world: &World, files: &[SwapFile]) -> Vec<String> {
    let (repository, source, swap) = (world.repository(), world.source(), world.swap(files));
    let roots = requirements::roots(&swap.entries);
    let mut tree = Tree::new(Objects::User(&repository), &source.tree);
    let found = requirements::resolve(&mut tree, &swap.entries, &roots).unwrap();
    let line = |Requirement { written, role, file, .. }: &Requirement| match role {
        Role::Wanted => format!("{file}: {written}"),
        Role::Constraint => format!("{file}: {written} (constraint)"),
    };
    found.iter().map(line).collect()
}

#[test]
fn files_are_followed_from_their_own_folders_and_for_what_they_are_named() {
    let world = World::with(&[
        ("requirements.txt", "-r requirements/base.txt\n-c bounds.txt\nshop\n"),
        ("requirements/base.txt", "django\n-r sub/more.txt\n"),
        ("requirements/sub/more.txt", "pillow\n-r ../base.txt\n"),
        // What a constraint reads by `-r` is installed: pip goes by the option, not by the file.
        ("bounds.txt", "django<6\n-c tighter.txt\n-r requirements/extra.txt\n"),
        ("tighter.txt", "pillow<13\n"),
        ("requirements/extra.txt", "ruff\n"),
    ]);
    assert_eq!(
        asked(&world, &[]),
        [
            "requirements.txt: shop",
            "requirements/base.txt: django",
            "bounds.txt: django<6 (constraint)",
            "requirements/sub/more.txt: pillow",
            "tighter.txt: pillow<13 (constraint)",
            "requirements/extra.txt: ruff",
        ]
    );
}

#[test]
fn the_swap_is_applied_wherever_it_stands_in_the_chain() {
    let world = World::with(&[
        ("requirements.txt", "-r dev.txt\n"),
        ("dev.txt", "ruff\n"),
        ("live.txt", "-r base.txt\n"),
        ("base.txt", "django\n"),
        ("app/requirements.txt", "flask\n"),
    ]);
    assert_eq!(asked(&world, &[line("requirements.txt", "-r live.txt")]), ["base.txt: django"]);
    let swap = [line("requirements.txt", "-r live.txt"), text("base.txt", "django==5\n")];
    assert_eq!(asked(&world, &swap), ["base.txt: django==5"]);
    assert_eq!(asked(&world, &[remove("requirements.txt")]), [""; 0]);
    // A swapped file of requirements is a root too; other text is none.
    let swap = [line("app/requirements.txt", "uvicorn"), line("robots.txt", "User-agent: x")];
    assert_eq!(asked(&world, &swap), ["app/requirements.txt: uvicorn", "dev.txt: ruff"]);
}

#[test]
fn what_only_the_target_could_read_is_told_as_written() {
    let world = World::with(&[(
        "requirements.txt",
        "-r https://ada:pw@host/x.txt\n-c ${WHERE}/c.txt\n-r gone.txt\n-r ../up.txt\n-r link.txt\n-r folder\n",
    )]);
    std::os::unix::fs::symlink("real.txt", world.work().join("link.txt")).unwrap();
    world.commit(&[("real.txt", "django\n"), ("folder/x", "")]);
    assert_eq!(
        asked(&world, &[]),
        [
            "requirements.txt: -r https://…@host/x.txt",
            "requirements.txt: -c ${WHERE}/c.txt (constraint)",
            "requirements.txt: -r ../up.txt",
            "requirements.txt: -r gone.txt",
            "requirements.txt: -r link.txt",
            "requirements.txt: -r folder",
        ]
    );
    assert_eq!(asked(&World::with(&[("shop.py", "")]), &[]), [""; 0]);
}

#[test]
fn files_in_which_trees_differ_are_told_with_how() {
    let world = World::with(&[("a", "1"), ("b/c", "1"), ("d", "1")]);
    let before = world.source().tree;
    world.user(&["rm", "-q", "d"]);
    world.commit(&[("b/c", "2"), ("ä\tb", "1")]);
    let (repository, after) = (world.repository(), world.source().tree);
    let objects = Objects::User(&repository);
    let found = objects.differing(&before, &after).unwrap().unwrap();
    let told: Vec<String> = found.iter().map(|file| format!("{:?} {}", file.how, file.path)).collect();
    assert_eq!(told, ["Changed b/c", "Removed d", "Added ä\tb"]);
    assert_eq!(objects.differing(&before, &before).unwrap(), Some(Vec::new()));
    let nowhere = ObjectId::parse(&"0123456789".repeat(4)).unwrap();
    assert_eq!(objects.differing(&nowhere, &after).unwrap(), None);
    assert!(objects.has(&after).unwrap() && !objects.has(&nowhere).unwrap());
}
