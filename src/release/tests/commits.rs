//! Release commits: exactly the tree, on top of exactly the parent, and nothing of the user's touched.

use super::*;
use crate::release::commit::Told;
use crate::release::scratch::Update;
use crate::release::stream::Stream;

#[test]
fn the_tree_is_the_sources_with_the_swap_and_the_user_s_repository_is_untouched() {
    let world = World::with(&[
        ("requirements.txt", "-r requirements/local.txt\n"),
        ("keep/deep/x", "1"),
        ("run.sh", "2"),
    ]);
    world.executable("run.sh");
    world.commit(&[]);
    // Dirty, staged and untracked files, and a hook that would tell.
    world.write("keep/deep/x", "edited");
    world.write("staged", "s");
    world.user(&["add", "staged"]);
    world.write("untracked", "u");
    world.write(".git/hooks/reference-transaction", "#!/bin/sh\ntouch hooked\n");
    world.executable(".git/hooks/reference-transaction");
    let before = snapshot(&world.work());

    let odd = "ü \"q\" \\ '\n\t";
    let files = [
        line("requirements.txt", "-i https://host"),
        text("run.sh", "4"),
        remove("keep/deep/x"),
        text(odd, "5"),
    ];
    let swap = world.swap(&files);
    assert_eq!(swap.refusals, []);
    let made = world.release(1, &swap.entries, None);

    let scratch = world.scratch();
    let odd_line = format!("100644 {odd}: 5");
    assert_eq!(
        tree(&scratch, &made.commit),
        ["100644 requirements.txt: -i https://host\n", "100755 run.sh: 4", odd_line.as_str()]
    );
    let mut after = snapshot(&world.work());
    after.retain(|path, _| !path.starts_with(world.work().join(".deploy")));
    assert_eq!(after, before);
    assert_eq!(
        world.user(&["status", "--porcelain"]),
        " M keep/deep/x\nA  staged\n M run.sh\n?? untracked".replace(" M run.sh\n", "")
    );
}

#[test]
fn the_commit_says_where_it_is_from_and_the_same_release_has_the_same_id() {
    let world = World::with(&[("a", "1")]);
    let source = world.source();
    let first = world.release(7, &world.swap(&[line("a", "2")]).entries, None);
    assert_eq!(world.release(7, &world.swap(&[line("a", "2")]).entries, None), first);
    let next = world.release(8, &[], Some(&first.commit));

    let scratch = world.scratch();
    let commit = scratch.commit(&first.commit).unwrap().unwrap();
    assert_eq!(commit.date, "1700000000 +0130");
    assert_eq!((commit.tree.clone(), commit.parents.clone()), (first.tree, vec![]));
    insta::assert_snapshot!(commit.message.replace(source.commit.as_str(), "SOURCE").replace(source.commit.short(), "SHORT"), @r"
    Release 7 to staging: A change

    Made by deploy from SHORT (Ana), with a swapped.

    Source: SOURCE
    Environment: staging
    Release: 7
    Run: r1
    ");
    let told = Told { source: source.commit, environment: "staging".to_owned(), number: 7, run: run("r1") };
    assert_eq!(Told::read(&commit), Some(told));
    assert_eq!(scratch.commit(&next.commit).unwrap().unwrap().parents, [first.commit]);
    assert_eq!(next.tree, source.tree);
    assert_eq!(
        scratch.ask(&["rev-parse", "refs/deploy/staging/releases/8"]).unwrap().line().unwrap(),
        next.commit.to_string()
    );
}

#[test]
fn a_release_is_the_same_only_if_commit_and_tree_are() {
    let world = World::with(&[("a", "1"), ("b", "1")]);
    let (scratch, refs, run, source) = (world.scratch(), refs(), run("r1"), world.source());
    let record = |files: &[SwapFile]| {
        let entries = world.swap(files).entries;
        let release = ReleaseCommit {
            refs: &refs,
            number: 1,
            run: &run,
            source: &source,
            entries: &entries,
            parent: None,
        };
        release.record(&release.make(&scratch).unwrap(), "Ana@laptop", source.time)
    };
    let same = |release: &_, files: &[SwapFile]| {
        scratch.is_same(release, &world.source(), &world.swap(files).entries).unwrap()
    };
    let release = record(&[line("a", "2"), remove("b")]);
    assert!(same(&release, &[remove("b"), text("a", "2\n")]));
    for other in
        [&[line("a", "2")][..], &[line("a", "3"), remove("b")], &[line("a", "2"), line("b", "")], &[]]
    {
        assert!(!same(&release, other));
    }
    let plain = record(&[from("a", "b")]);
    assert_eq!(plain.swapped, [""; 0]);
    assert!(same(&plain, &[]));
    world.commit(&[]);
    assert!(!same(&plain, &[]), "another commit with the same tree");
}

#[test]
fn a_sub_folder_is_shipped_as_if_it_were_the_whole() {
    let world =
        World::with(&[("backend/app/main.py", "m"), ("backend/requirements.txt", "r"), ("other/x", "o")]);
    let repository = world.repository_at("work/backend/");
    let source = repository.source("HEAD").unwrap();
    let swap = resolve(&repository, &source, &[line("requirements.txt", "django")]).unwrap();
    let state = StateDir::of(&repository.folder(), Some(&repository.checkout));
    let scratch = Scratch::open(&state, &repository).unwrap();
    let (refs, run) = (refs(), run("r"));
    let release = ReleaseCommit {
        refs: &refs,
        number: 1,
        run: &run,
        source: &source,
        entries: &swap.entries,
        parent: None,
    };
    let made = release.make(&scratch).unwrap();
    assert_eq!(tree(&scratch, &made.commit), ["100644 app/main.py: m", "100644 requirements.txt: django\n"]);
    assert_eq!(state.path(), world.work().join("backend/.deploy"));
}

#[test]
fn sha256_shallow_detached_and_linked_checkouts_work() {
    let world = World::empty(&["--object-format=sha256"]);
    world.commit(&[("a", "1")]);
    let made = world.release(1, &world.swap(&[line("a", "2")]).entries, None);
    assert_eq!(made.commit.as_str().len(), 64);
    assert_eq!(tree(&world.scratch(), &made.commit), ["100644 a: 2\n"]);

    let world = World::with(&[("a", "1")]);
    world.commit(&[("a", "2")]);
    let url = format!("file://{}", world.work().display());
    world.at(".", &["clone", "-q", "--depth=1", &url, "shallow"]);
    world.user(&["worktree", "add", "-q", "--detach", "../linked"]);
    for folder in ["shallow", "linked"] {
        let (made, scratch) = world.release_at(folder);
        assert_eq!(tree(&scratch, &made.commit), ["100644 a: 2"], "{folder}");
    }
    assert!(
        world.work().join(".deploy/repository.git").is_dir(),
        "a linked checkout shares the main one's folder"
    );
    assert!(!world.path().join("linked/.deploy").exists());
}

#[test]
fn odd_sources_make_releases_too() {
    // Nothing left, and a zone that some importer invented.
    let world = World::with(&[("a", "1")]);
    let head = world.user(&["cat-file", "commit", "HEAD"]).replace("+0130", "+051800");
    let call =
        world.git.call(&world.work(), &[], &["hash-object", "-t", "commit", "-w", "--stdin", "--literally"]);
    let id = call.reading(format!("{head}\n").into_bytes()).run().unwrap().line().unwrap();
    world.user(&["update-ref", "refs/heads/main", &id]);
    let made = world.release(1, &world.swap(&[remove("a")]).entries, None);
    let scratch = world.scratch();
    assert_eq!(tree(&scratch, &made.commit), [""; 0]);
    assert_eq!(scratch.commit(&made.commit).unwrap().unwrap().date, "1700000000 +051800");

    let world = World::empty(&["--ref-format=reftable"]);
    world.user(&["config", "--global", "init.defaultRefFormat", "reftable"]);
    world.commit(&[("a", "1")]);
    assert_eq!(world.source().branch.as_deref(), Some("main"));
    world.release(1, &[], None);
    assert!(world.scratch().has_file_of("refs/deploy/staging/releases/1"));
}

#[test]
fn it_goes_on_after_the_project_was_moved_and_with_borrowed_objects() {
    let world = World::with(&[("a", "1")]);
    world.at(".", &["clone", "-q", "--shared", "work", "b\"o:r\nrowed"]);
    let (made, _) = world.release_at("b\"o:r\nrowed");
    durable_move(&world.path().join("b\"o:r\nrowed"), &world.path().join("moved"));
    let (again, scratch) = world.release_at("moved");
    assert_eq!((tree(&scratch, &made.commit), again), (vec!["100644 a: 1".to_owned()], made));
}

#[test]
fn what_killed_runs_leave_behind_is_in_nobody_s_way() {
    let world = World::with(&[("a", "1")]);
    let state = world.state();
    state.create().unwrap();
    // A creation that was killed, and then a commit that was killed while its ref was locked.
    let unfinished = state.path().join("repository.git.0123456789abcdef.tmp");
    fs::create_dir_all(unfinished.join("objects")).unwrap();
    let scratch = world.scratch();
    assert!(!unfinished.exists());
    let releases = scratch.path().join("refs/deploy/staging/releases");
    fs::create_dir_all(&releases).unwrap();
    fs::File::create(releases.join("1.lock")).unwrap();
    fs::File::create(scratch.path().join("objects/pack/tmp_pack_abc")).unwrap();
    let made = world.release(1, &[], None);
    assert_eq!(tree(&scratch, &made.commit), ["100644 a: 1"]);
    assert!(!releases.join("1.lock").exists());
}

#[test]
fn a_commit_that_git_refuses_leaves_no_report_behind() {
    let world = World::with(&[("a", "1")]);
    let scratch = world.scratch();
    let nowhere = ObjectId::parse(&"1".repeat(40)).unwrap();
    let stream = Stream::commit("refs/deploy/staging/releases/1", "0 +0000", "m", Some(&nowhere));
    let error = scratch.import("refs/deploy/staging/releases/1", stream, Update::Replace).unwrap_err();
    assert!(error.to_string().starts_with("`git fast-import` failed with exit code 128: "), "{error}");
    let left = fs::read_dir(scratch.path()).unwrap().flatten();
    assert_eq!(left.filter(|entry| entry.file_name().to_string_lossy().contains("crash")).count(), 0);
}

#[test]
fn many_packs_become_one_and_nothing_is_lost() {
    let world = World::with(&[("a", "1")]);
    let scratch = world.scratch();
    let made: Vec<Made> = (1..=60).map(|number| world.release(number, &[], None)).collect();
    let packs = || {
        fs::read_dir(scratch.path().join("objects/pack"))
            .unwrap()
            .flatten()
            .filter(|entry| entry.path().extension().is_some_and(|ext| ext == "pack"))
            .count()
    };
    assert_eq!(packs(), 60);
    scratch.tidy().unwrap();
    assert_eq!(packs(), 1);
    for made in made {
        assert!(scratch.commit(&made.commit).unwrap().is_some());
    }
}

#[test]
fn a_repository_of_another_kind_of_ids_is_refused_not_mixed() {
    let world = World::with(&[("a", "1")]);
    world.scratch();
    fs::remove_dir_all(world.work().join(".git")).unwrap();
    world.at(".", &["init", "-q", "--object-format=sha256", "work"]);
    let error = Scratch::open(&world.state(), &world.repository()).err().unwrap();
    assert!(error.to_string().contains("another kind of ids"), "{error}");
}

#[expect(clippy::disallowed_methods, reason = "a user moves a folder")]
fn durable_move(from: &Path, to: &Path) {
    fs::rename(from, to).unwrap();
}
