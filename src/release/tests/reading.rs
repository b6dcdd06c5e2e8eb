//! The user's repository: what is asked of it, and what it says from odd places.

use super::*;
use crate::release::repository::{Ancestry, DirtyHow, SourceError};

fn refused(error: SourceError) -> String {
    match error {
        SourceError::Refused(refusal) => {
            format!("{} | {}", refusal.message, refusal.help.unwrap_or_default())
        }
        SourceError::Git(error) => panic!("{error}"),
    }
}

#[test]
fn a_commit_is_found_by_any_name_and_knows_its_branch() {
    let world = World::with(&[("a", "1")]);
    world.user(&["branch", "feature/x"]);
    world.user(&["tag", "-a", "-m", "v1", "v1"]);
    let repository = world.repository();
    let id = world.user(&["rev-parse", "HEAD"]);
    for (name, branch) in [
        ("HEAD", Some("main")),
        ("@", Some("main")),
        ("feature/x", Some("feature/x")),
        ("refs/heads/main", Some("main")),
        ("v1", None),
        (id.as_str(), None),
        (&id[..10], None),
    ] {
        let source = repository.source(name).unwrap();
        assert_eq!((source.commit.as_str(), source.branch.as_deref()), (id.as_str(), branch), "{name}");
    }
    let source = repository.source("HEAD").unwrap();
    assert_eq!((source.author.as_str(), source.subject.as_str()), ("Ana", "A change"));
    assert_eq!(source.time.as_second(), 1_700_000_000);
    world.user(&["checkout", "-q", "--detach"]);
    assert_eq!(repository.source("HEAD").unwrap().branch, None);
}

#[test]
fn what_can_not_be_shipped_is_refused_with_what_to_do() {
    let world = World::empty(&[]);
    let repository = world.repository();
    assert_eq!(
        refused(repository.source("HEAD").unwrap_err()),
        "the repository has no commit yet | git add --all && git commit"
    );
    world.commit(&[("a", "1")]);
    assert!(refused(repository.source("gone").unwrap_err()).starts_with("there is no commit `gone` | "));
    for odd in ["", "--all", "a\nb", "HEAD:a", "HEAD^{tree}", "main..main"] {
        refused(repository.source(odd).unwrap_err());
    }
    world.write("new/tasks.toml", "");
    let error = world.repository_at("work/new").source("HEAD").unwrap_err();
    let short = repository.source("HEAD").unwrap().commit.short().to_owned();
    assert_eq!(
        refused(error),
        format!("the folder `new` is not in commit {short} | git add new && git commit")
    );
}

#[test]
fn what_is_not_committed_is_told_for_the_project_s_folder_alone_and_nothing_is_run_or_written() {
    let world = World::with(&[("a", "1"), ("sub/b c", "1"), ("sub/gone", "1"), (".gitignore", "ignored\n")]);
    assert_eq!(world.repository().dirty().unwrap(), []);
    world.write("a", "2");
    world.write("sub/b c", "2");
    world.write("sub/né\nw", "2");
    world.write("sub/ignored", "2");
    fs::remove_file(world.work().join("sub/gone")).unwrap();
    world.scratch();
    world.write("monitor", "#!/bin/sh\ntouch monitored\n");
    world.executable("monitor");
    world.user(&["config", "core.fsmonitor", "./monitor"]);
    let before = snapshot(&world.work());
    let dirty = |folder: &str| {
        let dirty = world.repository_at(folder).dirty().unwrap();
        dirty.into_iter().map(|dirty| (dirty.path, dirty.how)).collect::<Vec<_>>()
    };
    let expected = [("b c", DirtyHow::Changed), ("gone", DirtyHow::Changed), ("né\nw", DirtyHow::Untracked)];
    assert_eq!(dirty("work/sub"), expected.map(|(path, how)| (path.to_owned(), how)));
    assert_eq!(dirty("work").len(), 5);
    assert_eq!(snapshot(&world.work()), before);
}

#[test]
fn a_target_is_a_remote_s_name_a_url_or_a_path() {
    let world = World::with(&[("sub/a", "1")]);
    world.user(&["remote", "add", "paas", "dokku@host:shop"]);
    world.user(&["remote", "add", "both", "https://fetch.example.com/x"]);
    world.user(&["remote", "set-url", "--push", "both", "ssh://push.example.com/x"]);
    world.user(&["remote", "add", "near", "../near.git"]);
    let repository = world.repository_at("work/sub");
    let near = world.work().join("../near.git").display().to_string();
    let written = world.work().join("sub/../near.git").display().to_string();
    for (target, url) in [
        ("paas", "dokku@host:shop"),
        ("both", "ssh://push.example.com/x"),
        ("near", near.as_str()),
        ("../near.git", written.as_str()),
        ("/srv/x.git", "/srv/x.git"),
        ("dokku@other:shop", "dokku@other:shop"),
        ("https://host/x", "https://host/x"),
    ] {
        assert_eq!(repository.url(target).unwrap(), url);
    }
    assert_eq!(
        refused(repository.url("pass").unwrap_err()),
        "the repository has no remote `pass` | it has: both, near, paas; or: git remote add pass URL"
    );
    refused(repository.url("--upload-pack=x").unwrap_err());
}

#[test]
fn history_is_told_as_far_as_the_clone_goes() {
    let world = World::with(&[("a", "1")]);
    let first = world.source().commit;
    world.user(&["checkout", "-q", "-b", "side"]);
    let side = world.commit(&[("b", "1")]);
    world.user(&["checkout", "-q", "main"]);
    let last = world.commit(&[("sub/c", "1")]);
    let repository = world.repository();
    assert_eq!(repository.ancestry(&last, &first).unwrap(), Ancestry::Ancestor);
    assert_eq!(repository.ancestry(&first, &last).unwrap(), Ancestry::Unrelated);
    assert_eq!(repository.ancestry(&last, &side).unwrap(), Ancestry::Unrelated);
    let between = repository.between(&side, &last).unwrap().unwrap();
    let told: Vec<_> = between.commits.iter().map(|(id, commit)| (id.clone(), commit.subject())).collect();
    assert_eq!((told, between.cut), (vec![(last.clone(), "A change")], false));
    assert_eq!(world.repository_at("work/sub").between(&last, &side).unwrap().unwrap().commits, []);

    let url = format!("file://{}", world.work().display());
    world.at(".", &["clone", "-q", "--depth=1", &url, "shallow"]);
    let shallow = world.repository_at("shallow");
    assert_eq!(shallow.ancestry(&last, &first).unwrap(), Ancestry::Unknown);
    assert_eq!(shallow.between(&first, &last).unwrap(), None);
}

#[test]
fn the_user_and_the_way_to_hosts_come_from_their_configuration() {
    let world = World::with(&[("a", "1")]);
    assert_eq!(world.repository().settings().unwrap().user(), None);
    world.user(&["config", "--global", "user.name", "Global"]);
    world.user(&["config", "user.name", "Ana Bo"]);
    assert_eq!(world.repository().settings().unwrap().user(), Some("Ana Bo"));

    world.user(&["config", "http.https://host/.extraheader", "AUTHORIZATION: basic x\ny"]);
    world.user(&["config", "url.ssh://other/.insteadOf", "https://host/"]);
    world.user(&["config", "remote.origin.url", "https://host/x"]);
    let git = world.git.clone().with_env([("GIT_CONFIG_COUNT".into(), "1".into())]);
    let git = world.repository().settings().unwrap().reaching(git);
    let variable = |name: &str| git.env(name).and_then(|value| value.to_str());
    assert_eq!(variable("GIT_CONFIG_COUNT"), Some("3"));
    assert_eq!(variable("GIT_CONFIG_KEY_1"), Some("http.https://host/.extraheader"));
    assert_eq!(variable("GIT_CONFIG_VALUE_1"), Some("AUTHORIZATION: basic x\ny"));
    assert_eq!(variable("GIT_CONFIG_KEY_2"), Some("url.ssh://other/.insteadof"));
    assert!(variable("GIT_SSH_COMMAND").is_some_and(|ssh| ssh.starts_with("ssh -o BatchMode=yes ")));
    world.user(&["config", "core.sshCommand", "ssh -i key"]);
    let git = world.repository().settings().unwrap().reaching(world.git.clone());
    assert_eq!(git.env("GIT_SSH_COMMAND"), None);
}

#[test]
fn pointers_that_the_target_may_not_follow_are_warned_about() {
    let modules =
        "[submodule \"x\"]\n\tpath = backend/vendor/x\n\turl = ../x\n[submodule \"y\"]\n\tpath = other/y\n";
    let world = World::with(&[
        (".gitmodules", modules),
        (".gitattributes", "*.txt text\n# *.no filter=lfs\n"),
        ("backend/.gitattributes", "*.psd filter=lfs diff=lfs merge=lfs -text\n"),
        ("backend/a", "1"),
    ]);
    assert_eq!(
        world.repository_at("work/backend").source("HEAD").unwrap().warnings,
        [
            "`vendor/x` is a submodule: the target gets it only if it can fetch that commit itself",
            "`*.psd` is kept by Git LFS (backend/.gitattributes): the target gets pointers unless it fetches the content itself",
        ]
    );
    assert_eq!(world.source().warnings.len(), 2);
}
