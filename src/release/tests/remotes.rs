//! Pushing from deploy's own repository: by fast-forward, fenced, from any clone, on top of anybody's commits.

use std::time::Duration;

use super::*;
use crate::process::Stop;
use crate::release::remote::{Pushed, Remote};

impl World {
    /// A bare repository that receives releases.
    fn target(&self) -> String {
        self.at(".", &["init", "-q", "--bare", "target.git"]);
        self.path().join("target.git").display().to_string()
    }
}

/// Pushes a release: what it came to, and what the target said.
fn push(remote: &Remote, made: &Made, expected: Option<&ObjectId>) -> (Pushed, String) {
    let mut said = Vec::new();
    let mut hear = |bytes: &[u8]| said.extend_from_slice(bytes);
    let pushed = remote.push(&made.commit, expected, &stop(), &mut hear).unwrap();
    (pushed, String::from_utf8(said).unwrap())
}

fn stop() -> Stop {
    Stop::new(Duration::from_secs(5))
}

#[test]
fn a_release_arrives_and_the_next_one_goes_on_top_even_from_a_shallow_clone() {
    let world = World::with(&[("a", "1")]);
    world.commit(&[("a", "2")]);
    let url = world.target();
    let origin = format!("file://{}", world.work().display());
    world.at(".", &["clone", "-q", "--depth=1", &origin, "shallow"]);
    let (repository, scratch) = world.scratch_at("shallow");
    let remote = Remote::new(&scratch, &repository, &url, "refs/heads/main").unwrap();
    assert_eq!(remote.tip(&stop(), &mut |_| ()).unwrap(), None);

    let (refs, run, source) = (refs(), run("r"), repository.source("HEAD").unwrap());
    let make = |number, parent: Option<&ObjectId>| {
        let entries = &[];
        ReleaseCommit { refs: &refs, number, run: &run, source: &source, entries, parent }
            .make(&scratch)
            .unwrap()
    };
    let first = make(1, None);
    assert_eq!(push(&remote, &first, None).0, Pushed::Done);
    assert_eq!(push(&remote, &first, Some(&first.commit)).0, Pushed::UpToDate);
    let second = make(2, Some(&first.commit));
    assert_eq!(push(&remote, &second, Some(&first.commit)).0, Pushed::Done);
    assert_eq!(remote.tip(&stop(), &mut |_| ()).unwrap().as_ref(), Some(&second.commit));
    assert_eq!(world.at("target.git", &["log", "--format=%s", "main"]).lines().count(), 2);
    assert_eq!(world.at("target.git", &["fsck", "--full", "--strict"]), "");
    assert!(!world.path().join("target.git/shallow").exists());
}

#[test]
fn who_expects_something_else_than_the_target_has_changes_nothing() {
    let world = World::with(&[("a", "1")]);
    let url = world.target();
    let (scratch, repository) = (world.scratch(), world.repository());
    let remote = Remote::new(&scratch, &repository, &url, "refs/heads/main").unwrap();
    let first = world.release(1, &[], None);
    push(&remote, &first, None);
    let theirs = world.release(2, &[], Some(&first.commit));
    push(&remote, &theirs, Some(&first.commit));
    let ours = world.release(3, &[], Some(&first.commit));
    for expected in [None, Some(&first.commit)] {
        assert_eq!(push(&remote, &ours, expected).0, Pushed::Moved);
    }
    assert_eq!(remote.tip(&stop(), &mut |_| ()).unwrap(), Some(theirs.commit));
}

#[test]
fn somebody_else_s_commits_are_fetched_and_built_upon() {
    let world = World::with(&[("a", "1")]);
    let url = world.target();
    world.at(".", &["clone", "-q", &url, "theirs"]);
    for _ in 0..2 {
        world.at("theirs", &["commit", "-q", "--allow-empty", "-m", "theirs"]);
    }
    world.at("theirs", &["push", "-q", "origin", "HEAD:main"]);
    let (scratch, repository) = (world.scratch(), world.repository());
    let remote = Remote::new(&scratch, &repository, &url, "refs/heads/main").unwrap();
    let lock = scratch.path().join("refs/deploy/staging/target.lock");
    fs::create_dir_all(lock.parent().unwrap()).unwrap();
    fs::File::create(&lock).unwrap();
    let tip = remote.fetch(&refs().target(), &stop(), &mut |_| ()).unwrap();
    assert_eq!(scratch.commit(&tip).unwrap().unwrap().subject(), "theirs");
    let made = world.release(1, &[], Some(&tip));
    assert_eq!(push(&remote, &made, Some(&tip)).0, Pushed::Done);
    assert_eq!(world.at("target.git", &["rev-list", "--count", "main"]), "3");
}

#[test]
fn what_the_target_says_is_passed_on_and_its_refusal_is_its_own() {
    let world = World::with(&[("a", "1")]);
    let url = world.target();
    world.write(
        "../target.git/hooks/pre-receive",
        "#!/bin/sh\necho building >&2\necho no wheels >&2\nexit 1\n",
    );
    world.executable("../target.git/hooks/pre-receive");
    let (scratch, repository) = (world.scratch(), world.repository());
    let remote = Remote::new(&scratch, &repository, &url, "refs/heads/main").unwrap();
    let (pushed, said) = push(&remote, &world.release(1, &[], None), None);
    assert_eq!(pushed, Pushed::Declined("pre-receive hook declined".to_owned()));
    assert!(said.contains("remote: building") && said.contains("remote: no wheels"), "{said}");
    assert_eq!(remote.tip(&stop(), &mut |_| ()).unwrap(), None);
}

#[test]
fn a_target_that_is_not_there_or_runs_a_program_of_ours_is_an_error_without_credentials() {
    let world = World::with(&[("a", "1")]);
    let (scratch, repository) = (world.scratch(), world.repository());
    let error = |url: &str| {
        let remote = Remote::new(&scratch, &repository, url, "refs/heads/main").unwrap();
        remote.tip(&stop(), &mut |_| ()).unwrap_err().to_string()
    };
    let gone = world.path().join("gone.git").display().to_string();
    assert!(error(&gone).contains("does not appear to be a git repository"), "{}", error(&gone));
    let ext = error("ext::touch ran");
    assert!(ext.contains("transport 'ext' not allowed"), "{ext}");
    let secret = error("https://bob:s3cret@localhost:1/x");
    assert!(!secret.contains("s3cret") && secret.contains("https://…@localhost:1/x"), "{secret}");
}

#[test]
fn a_partial_clone_without_the_content_is_told_how_to_get_it() {
    let world = World::with(&[("a", "1")]);
    let old = world.source().commit;
    world.commit(&[("a", "2")]);
    world.user(&["config", "uploadpack.allowFilter", "true"]);
    let (url, origin) = (world.target(), format!("file://{}", world.work().display()));
    world.at(".", &["clone", "-q", "--filter=blob:none", &origin, "partial"]);
    let (repository, scratch) = world.scratch_at("partial");
    let remote = Remote::new(&scratch, &repository, &url, "refs/heads/main").unwrap();
    let (refs, run) = (refs(), run("r"));
    let ship = |reference: &str| {
        let source = repository.source(reference).unwrap();
        let release =
            ReleaseCommit { refs: &refs, number: 1, run: &run, source: &source, entries: &[], parent: None };
        let made = release.make(&scratch).unwrap();
        remote.push(&made.commit, None, &stop(), &mut |_| ())
    };
    let error = ship(old.as_str()).unwrap_err();
    assert!(error.help().unwrap().contains("git fetch --refetch --no-filter"), "{error}");
    assert_eq!(ship("HEAD").unwrap(), Pushed::Done, "a checkout has its own content");
}
