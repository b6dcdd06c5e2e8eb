//! Real pushes to real repositories, whose hooks do what Heroku's, Dokku's and Piku's do.

use std::fs;
use std::net::TcpListener;

use super::*;
use crate::diagnostic::Span;
use crate::model::text::Text;
use crate::target::tests::{Came, World, executable, put, said, stop};

/// A host with a bare repository in `host.git`.
struct Host {
    world: World,
    target: GitTarget<Planned>,
}

impl Host {
    fn new() -> Host {
        let world = World::with(&[("app", "one\n")]);
        world.at(".", &["init", "-q", "--bare", "-b", "main", "host.git"]);
        let url = world.path("host.git");
        let target = GitTarget {
            remote: Text::from(url.to_str().unwrap()),
            branch: Text::from("main"),
            fail_on: Vec::new(),
            login: None,
            at: Span::default(),
        };
        Host { world, target }
    }

    fn hook(&self, name: &str, script: &str) {
        let path = self.world.path("host.git/hooks").join(name);
        put(&path, &format!("#!/bin/sh\n{script}\n"));
        executable(&path);
    }

    fn ship(&self, number: u32, commit: &ObjectId, before: Option<&ObjectId>) -> Came {
        self.ship_under(number, commit, before, &stop())
    }

    fn ship_under(&self, number: u32, commit: &ObjectId, before: Option<&ObjectId>, stop: &Stop) -> Came {
        self.world.ship(number, commit, stop, |shipment, crew| {
            ship(&self.target, &Shipment { before, ..*shipment }, crew)
        })
    }

    /// Ships the first release to the target as it is said: its failure.
    fn fails(&self) -> Failure {
        let commit = self.world.release(1, None);
        let NotShipped { failure, holds } = self.ship(1, &commit, None).result.unwrap_err();
        assert_eq!(holds, Holds::Before);
        failure
    }

    fn contact(&self) -> Contact {
        let (repository, scratch) = (self.world.repository(), self.world.scratch());
        let reach = Reach { repository: &repository, scratch: &scratch, vault: &Vault::default() };
        let source = repository.source("HEAD").unwrap().commit;
        let refs = Refs::new("staging").unwrap();
        contact(&self.target, &refs, &source, reach, &stop(), &mut |_| ()).unwrap()
    }

    /// What the branch holds.
    fn tip(&self) -> String {
        self.world.at("host.git", &["for-each-ref", "--format=%(objectname)", "refs/heads/main"])
    }

    /// Somebody else pushes a commit to the branch.
    fn somebody_pushes(&self) -> ObjectId {
        self.world.at(".", &["clone", "-q", "host.git", "other"]);
        self.world.at("other", &["commit", "-q", "--allow-empty", "-m", "By hand"]);
        self.world.at("other", &["push", "-q", "origin", "HEAD:refs/heads/main"]);
        ObjectId::parse(&self.tip()).unwrap()
    }
}

#[test]
fn releases_reach_the_branch_one_on_top_of_the_other_and_the_hosts_words_are_heard() {
    let host = Host::new();
    host.hook("post-receive", "echo 'building the app'");
    let first = host.world.release(1, None);
    let came = host.ship(1, &first, None);
    assert_eq!(came.result, Ok(()));
    let place = format!("`main` of {}", host.world.path("host.git").display());
    assert_eq!(came.notes, [format!("release 1 is on {place}")]);
    assert!(came.output.contains("remote: building the app"), "{}", came.output);

    host.world.commit(&[("app", "two\n")]);
    let second = host.world.release(2, Some(&first));
    assert_eq!(host.ship(2, &second, Some(&first)).result, Ok(()));
    assert_eq!(host.tip(), second.as_str());
    assert_eq!(host.world.at("host.git", &["show", "main:app"]), "two");

    let again = host.ship(2, &second, Some(&second));
    assert_eq!((again.result, again.notes), (Ok(()), vec![format!("{place} has release 2 already")]));
    let retried = host.ship(2, &second, Some(&first));
    assert_eq!(retried.result, Ok(()), "it arrived, and the ledger does not know it");
}

#[test]
fn a_host_that_declines_fails_the_ship_and_keeps_what_it_had() {
    let host = Host::new();
    let first = host.world.release(1, None);
    assert_eq!(host.ship(1, &first, None).result, Ok(()));
    host.hook("pre-receive", "echo 'no requirements.txt'; exit 1");
    let second = host.world.release(2, Some(&first));
    let came = host.ship(2, &second, Some(&first));
    let NotShipped { failure, holds } = came.result.unwrap_err();
    let (message, help) = said(&failure);
    assert!(message.ends_with("host.git refused release 2: pre-receive hook declined"), "{message}");
    assert_eq!(help, "its own words are above: what failed there, failed before anything went live");
    assert!(came.output.contains("remote: no requirements.txt"));
    assert_eq!((holds, host.tip().as_str()), (Holds::Before, first.as_str()));

    host.hook("pre-receive", "echo 'You are not allowed to push code to protected branches.'; exit 1");
    let failure = host.ship(2, &second, Some(&first)).result.unwrap_err().failure;
    assert!(said(&failure).1.starts_with("let this user push to the branch"));
}

#[test]
fn words_that_mean_failure_fail_a_push_that_worked() {
    let mut host = Host::new();
    host.target.fail_on = vec!["unheard of".into(), r"^-----> Exiting due to .* value: \d+".into()];
    host.hook(
        "post-receive",
        "printf '\\033[31m-----> Exiting due to release command error value: 7\\033[0m\\n'",
    );
    let first = host.world.release(1, None);
    let NotShipped { failure, holds } = host.ship(1, &first, None).result.unwrap_err();
    let (message, _) = said(&failure);
    assert!(
        message.ends_with("and then said `-----> Exiting due to release command error value: 7`"),
        "{message}"
    );
    assert_eq!((holds, host.tip().as_str()), (Holds::Release, first.as_str()));
}

#[test]
fn a_branch_that_somebody_else_moved_is_not_touched() {
    let host = Host::new();
    let first = host.world.release(1, None);
    assert_eq!(host.ship(1, &first, None).result, Ok(()));
    let theirs = host.somebody_pushes();
    let second = host.world.release(2, Some(&first));
    for before in [Some(&first), None] {
        let NotShipped { failure, holds } = host.ship(2, &second, before).result.unwrap_err();
        let expected = before.map_or("nothing", |id| id.short());
        let told = format!("holds {}, and by the ledger it should hold {expected}", theirs.short());
        assert!(said(&failure).0.contains(&told), "{failure:?}");
        assert!(matches!(failure, Failure::Refused { .. }));
        assert_eq!((holds, host.tip().as_str()), (Holds::Foreign, theirs.as_str()));
    }
}

#[test]
fn after_a_push_that_was_cut_off_the_branch_is_looked_at() {
    let mut host = Host::new();
    let cut = "[ \"$1\" = prepared ] || kill -9 $PPID";
    let mut before = None;
    // The hook's parent is what takes the push: before the branch is moved, before the answer, after it.
    for (number, hook, arrives) in
        [(1, "pre-receive", false), (2, "reference-transaction", true), (3, "post-receive", true)]
    {
        host.hook(hook, cut);
        let commit = host.world.release(number, before.as_ref());
        let came = host.ship(number, &commit, before.as_ref());
        fs::remove_file(host.world.path("host.git/hooks").join(hook)).unwrap();
        if arrives {
            assert_eq!(came.result, Ok(()), "{hook}");
            assert!(
                came.notes[0].ends_with("), and the branch has the release all the same"),
                "{:?}",
                came.notes
            );
            assert_eq!(host.tip(), commit.as_str(), "{hook}");
            before = Some(commit);
        } else {
            let NotShipped { failure, holds } = came.result.unwrap_err();
            assert!(said(&failure).0.contains(" was cut off ("), "{failure:?}");
            assert_eq!((holds, host.tip().as_str()), (Holds::Unknown, ""));
        }
    }
    // Whose words are waited for must be heard to their end.
    host.target.fail_on = vec!["error".into()];
    host.hook("post-receive", cut);
    let commit = host.world.release(4, before.as_ref());
    let NotShipped { failure, holds } = host.ship(4, &commit, before.as_ref()).result.unwrap_err();
    assert!(said(&failure).0.ends_with("not all that `fail_on` waits for was heard"), "{failure:?}");
    assert_eq!((holds, host.tip().as_str()), (Holds::Release, commit.as_str()));
}

#[test]
fn a_push_that_is_stopped_leaves_open_what_arrived() {
    let host = Host::new();
    host.hook("pre-receive", "mkfifo never; echo waiting; read x < never");
    let first = host.world.release(1, None);
    let stop = stop();
    let came = host.world.ship(1, &first, &stop, |shipment, crew| {
        let Crew { line, program, hosts, deadline, stop, tell } = crew;
        let mut tell = |told: Told| {
            if matches!(&told, Told::Output(_, bytes) if String::from_utf8_lossy(bytes).contains("waiting")) {
                stop.ask(2);
            }
            tell(told);
        };
        ship(&host.target, shipment, Crew { line, program, hosts, deadline, stop, tell: &mut tell })
    });
    assert_eq!(came.result, Err(NotShipped { failure: Failure::Stopped, holds: Holds::Unknown }));
    assert_eq!(host.tip(), "");
}

#[test]
fn a_target_that_can_not_be_is_refused_with_the_mend() {
    let mut host = Host::new();
    host.world.at("work", &["remote", "add", "evil", "ext::sh -c true"]);
    for (remote, branch, message, help) in [
        ("--upload-pack=x", "main", "`--upload-pack=x` can't be a git remote", "give a URL, or the name"),
        ("ext::sh -c true", "main", "a git target can't be a `ext::` address", "give a URL"),
        ("evil", "main", "a git target can't be a `ext::` address", "give a URL"),
        ("paas", "main", "the repository has no remote `paas`", "it has: evil; or: git remote add paas URL"),
        ("evil", "-x", "`-x` can't be a branch's name", "git check-ref-format"),
        ("evil", "a b", "`a b` can't be a branch's name", "git check-ref-format"),
        ("evil", "refs/heads/main", "`branch` is a branch's name", "branch = \"main\""),
    ] {
        (host.target.remote, host.target.branch) = (Text::from(remote), Text::from(branch));
        let failure = host.fails();
        assert!(matches!(failure, Failure::Refused { .. }), "{failure:?}");
        let (got, mend) = said(&failure);
        assert!(got.starts_with(message) && mend.starts_with(help), "{got} -- {mend}");
    }
}

#[test]
fn a_host_that_can_not_be_used_is_told_apart_by_what_helps() {
    let mut host = Host::new();
    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let path = host.world.path("ssh");
    let ssh = |line: &str| {
        put(&path, &format!("#!/bin/sh\n{line}\nexit 255\n"));
        executable(&path);
    };
    let mut failure = |url: &str| {
        host.target.remote = Text::from(url);
        said(&host.fails()).0.to_owned() + " -- " + said(&host.fails()).1
    };
    let absent = failure("/nowhere/shop.git");
    assert!(
        absent.starts_with("can't reach `main` of /nowhere/shop.git: '/nowhere/shop.git' does not"),
        "{absent}"
    );
    assert!(absent.ends_with("create the repository there first"), "{absent}");
    let refused = failure(&format!("http://bob:hush@{unused}/shop.git"));
    assert!(refused.starts_with("can't reach `main` of http://…@127.0.0.1"), "{refused}");
    assert!(refused.contains("the network there?") && !refused.contains("hush"), "{refused}");
    ssh("echo 'deploy@host: Permission denied (publickey).' >&2");
    assert!(failure("ssh://deploy@host/shop").contains("does not take your ssh key"));
    ssh("echo 'Host key verification failed.' >&2");
    assert!(failure("ssh://deploy@host/shop").contains("compare the host's key"));
    ssh("echo 'ssh: Could not resolve hostname host: Name or service not known' >&2");
    assert!(failure("ssh://deploy@host/shop").contains("is the address right"));
}

#[test]
fn contact_tells_whose_the_branch_is_and_gets_what_it_holds() {
    let host = Host::new();
    assert_eq!(host.contact(), Contact::Empty);
    let source = host.world.at("work", &["rev-parse", "HEAD"]);
    host.world.at("work", &["push", "-q", "../host.git", "HEAD:refs/heads/main"]);
    let Contact::Foreign { tip, commits } = host.contact() else { panic!("pushed by hand") };
    assert_eq!((tip.as_str(), commits.len()), (source.as_str(), 0), "the source has it too");

    let theirs = host.somebody_pushes();
    let Contact::Foreign { tip, commits } = host.contact() else { panic!("not ours") };
    assert_eq!((&tip, commits.len(), commits[0].1.subject()), (&theirs, 1, "By hand"));
    let first = host.world.release(41, Some(&tip));
    assert_eq!(host.ship(41, &first, Some(&tip)).result, Ok(()));

    fs::remove_dir_all(host.world.path("work/.deploy")).unwrap();
    let Contact::Ours { tip, release } = host.contact() else { panic!("ours, by its trailers") };
    assert_eq!((tip, release.number, release.source.as_str()), (first.clone(), 41, source.as_str()));
    let next = host.world.release(42, Some(&first));
    assert_eq!(host.ship(42, &next, Some(&first)).result, Ok(()));
}

#[test]
fn another_environments_release_on_the_branch_is_foreign() {
    let host = Host::new();
    let first = host.world.release(1, None);
    assert_eq!(host.ship(1, &first, None).result, Ok(()));
    let (repository, scratch) = (host.world.repository(), host.world.scratch());
    let refs = Refs::new("production").unwrap();
    let reach = Reach { repository: &repository, scratch: &scratch, vault: &Vault::default() };
    let source = repository.source("HEAD").unwrap().commit;
    let met = contact(&host.target, &refs, &source, reach, &stop(), &mut |_| ()).unwrap();
    let Contact::Foreign { commits, .. } = met else { panic!("staging's") };
    assert_eq!(commits[0].1.subject(), "Release 1 to staging: A change");
}
