//! Requirements files that read others: what is missing is found before it is shipped, with the way that leads there.

use super::*;

fn refused(world: &World, files: &[SwapFile]) -> Vec<String> {
    let commit = world.source().commit;
    let swap = world.swap(files);
    let shown = |refusal: &crate::release::Refusal| {
        format!("{} | {}", refusal.message, refusal.help.as_deref().unwrap_or("-"))
            .replace(commit.short(), "HEAD")
    };
    swap.refusals.iter().map(shown).collect()
}

#[test]
fn a_chain_that_is_whole_is_fine_however_it_is_written() {
    let world = World::with(&[
        (
            "requirements/staging.txt",
            "-r base.txt\n-c ../constraints.txt\n--requirement=\"with space.txt\"\n",
        ),
        ("requirements/base.txt", "# -r no.txt\ndjango\n-r https://host/x.txt\n-e ./local\n"),
        ("requirements/with space.txt", "-rbase.txt\n"),
        ("constraints.txt", "django==5"),
    ]);
    assert_eq!(world.swap(&[line("requirements.txt", "-r requirements/staging.txt")]).refusals, []);
}

#[test]
fn a_missing_file_is_told_with_the_whole_way_to_it() {
    let world = World::with(&[
        ("requirements/staging.txt", "-r base.txt\n-r more.txt\n"),
        ("requirements/more.txt/x", ""),
    ]);
    world.write("requirements/base.txt", "django");
    assert_eq!(
        refused(&world, &[line("requirements.txt", "-r requirements/staging.txt")]),
        [
            "`requirements/base.txt` is missing (commit HEAD), and the swap needs it: \
             requirements.txt -> requirements/staging.txt -> requirements/base.txt | \
             it is not committed: git add requirements/base.txt && git commit",
            "`requirements/more.txt` is no file (commit HEAD), and the swap needs it: \
             requirements.txt -> requirements/staging.txt -> requirements/more.txt | name a file",
        ]
    );
}

#[test]
fn the_chain_is_read_with_the_swap_applied() {
    let world = World::with(&[("base.txt", "-r gone.txt"), ("other.txt", "x")]);
    let start = line("requirements.txt", "-r base.txt");
    assert_eq!(refused(&world, std::slice::from_ref(&start)).len(), 1);
    assert_eq!(refused(&world, &[start.clone(), text("base.txt", "-r other.txt")]), [""; 0]);
    assert_eq!(
        refused(&world, &[start, remove("base.txt")]),
        [
            "`base.txt` is removed by the swap (commit HEAD), and the swap needs it: requirements.txt -> base.txt | \
             take `base.txt` out of the swap"
        ]
    );
}

#[test]
fn what_leaves_the_tree_or_goes_in_a_loop_is_refused() {
    let world = World::with(&[
        ("a.txt", "-r sub/b.txt"),
        ("sub/b.txt", "-c ../a.txt"),
        ("up.txt", "-r ../x.txt\n-c /etc/x"),
    ]);
    assert_eq!(
        refused(&world, &[line("requirements.txt", "-r a.txt"), line("requirements-up.txt", "-r up.txt")]),
        [
            "`../x.txt` leaves what is shipped: requirements-up.txt -> up.txt -> ../x.txt | \
             move the file into the project's folder, and name it from there",
            "`/etc/x` leaves what is shipped: requirements-up.txt -> up.txt -> /etc/x | \
             move the file into the project's folder, and name it from there",
            "requirements files read each other in a loop: a.txt -> sub/b.txt -> a.txt | take one of these lines out",
        ]
    );
}

#[test]
fn what_only_the_target_knows_is_warned_about_and_other_files_are_not_read() {
    let world = World::with(&[("requirements.txt", "")]);
    let swap =
        world.swap(&[text("requirements.txt", "-r ${WHERE}/x.txt\n"), text("notes.md", "-r is an option\n")]);
    assert_eq!(swap.refusals, []);
    assert_eq!(
        swap.warnings,
        ["`${WHERE}/x.txt` in `requirements.txt` depends on the target's environment; it was not checked"]
    );
}

#[test]
fn a_symlink_on_the_way_is_not_followed_and_not_refused() {
    let world = World::with(&[("real/base.txt", "")]);
    std::os::unix::fs::symlink("real", world.work().join("req")).unwrap();
    std::os::unix::fs::symlink("real/base.txt", world.work().join("base.txt")).unwrap();
    world.commit(&[]);
    assert_eq!(refused(&world, &[text("requirements.txt", "-r req/base.txt\n-r base.txt\n")]), [""; 0]);
}
