//! Real releases in a real folder, built by a real shell.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::*;
use crate::diagnostic::Span;
use crate::model::release::ObjectId;
use crate::model::text::Text;
use crate::process::Stop;
use crate::target::tests::{Came, World, put, said, script, stop};

/// A server in `server/` beside the user's repository.
struct Server {
    world: World,
    target: ServerTarget<Planned>,
    live: Option<u32>,
}

impl Server {
    fn new(files: &[(&str, &str)]) -> Server {
        let world = World::with(files);
        let target = ServerTarget {
            hosts: Vec::new(),
            path: Text::from(world.path("server").to_str().unwrap()),
            build: Vec::new(),
            shared: Vec::new(),
            reload: None,
            keep: 5,
            at: Span::default(),
        };
        Server { world, target, live: None }
    }

    fn building(files: &[(&str, &str)], lines: &[&str]) -> Server {
        let mut server = Server::new(files);
        server.build(lines);
        server
    }

    fn build(&mut self, lines: &[&str]) {
        self.target.build = lines.iter().map(|line| script(line)).collect();
    }

    fn share(&mut self, names: &[&str]) {
        self.target.shared = names.iter().map(|name| (*name).to_owned()).collect();
    }

    fn ship(&self, number: u32) -> Came {
        self.ship_under(number, &stop())
    }

    fn ship_under(&self, number: u32, stop: &Stop) -> Came {
        let commit = self.world.release(number, None);
        self.ship_commit(number, &commit, stop)
    }

    fn ship_commit(&self, number: u32, commit: &ObjectId, stop: &Stop) -> Came {
        self.world.ship(number, commit, stop, |shipment, crew| {
            ship(&self.target, &Shipment { live: self.live, ..*shipment }, crew)
        })
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.world.path("server").join(path))
            .unwrap_or_else(|error| error.kind().to_string())
    }

    fn current(&self) -> String {
        fs::read_link(self.world.path("server/current")).unwrap().to_str().unwrap().to_owned()
    }

    /// The folders of releases, records left out.
    fn releases(&self) -> Vec<String> {
        let entries = fs::read_dir(self.world.path("server/releases")).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| !name.starts_with('.'));
        names.sort_unstable();
        names
    }

    fn records(&self) -> usize {
        fs::read_dir(self.world.path("server/.releases")).unwrap().count()
    }
}

#[test]
fn a_release_is_built_where_it_stays_and_becomes_current_before_it_is_reloaded() {
    let lines = ["pwd > where", "cat app where > built; cat app"];
    let mut server = Server::building(&[("app", "one\n")], &lines);
    server.target.reload = Some(script("readlink ../../current; cat built >> ../../reloaded"));
    let came = server.ship(1);
    assert_eq!(came.result, Ok(()));
    let folder = server.world.path("server/releases/1");
    assert_eq!(
        came.notes,
        [format!("release 1 is in {}", folder.display()), "current -> releases/1".to_owned()]
    );
    assert_eq!(came.output, "one\nreleases/1\n");
    assert_eq!(server.read("reloaded"), format!("one\n{}\n", folder.display()));
    assert_eq!(server.read("current/app"), "one\n");
}

#[test]
fn a_relative_path_starts_at_the_projects_folder() {
    let mut server = Server::new(&[("app", "one\n")]);
    server.target.path = Text::from("../server");
    assert_eq!(last(&server.target, &server.world.path("work")), Ok(None));
    assert_eq!(server.ship(7).result, Ok(()));
    assert_eq!(last(&server.target, &server.world.path("work")), Ok(Some(7)));
    assert_eq!(server.read("current/app"), "one\n");
}

#[test]
fn a_reader_of_current_never_sees_a_gap_or_a_half() {
    let server = Server::building(&[("page", "begin\n")], &["echo middle >> page", "echo end >> page"]);
    assert_eq!(server.ship(1).result, Ok(()));
    let page = server.world.path("server/current/page");
    let done = AtomicBool::new(false);
    let (reads, wrong) = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (mut reads, mut wrong) = (0, Vec::new());
            while !done.load(Ordering::Relaxed) {
                let text = fs::read_to_string(&page).unwrap_or_else(|error| error.to_string());
                reads += 1;
                wrong.extend((text != "begin\nmiddle\nend\n").then_some(text));
            }
            (reads, wrong)
        });
        for number in 2..12 {
            assert_eq!(server.ship(number).result, Ok(()));
        }
        done.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    });
    assert!(wrong.is_empty(), "{} of {reads} reads, the first: {}", wrong.len(), wrong[0]);
    assert!(reads > 10, "{reads}");
}

#[test]
fn a_build_that_fails_leaves_current_and_nothing_of_its_release() {
    let mut server = Server::new(&[("app", "one")]);
    assert_eq!(server.ship(1).result, Ok(()));
    server.build(&["echo x > half", "exit 7", "echo never"]);
    let came = server.ship(2);
    assert_eq!(came.result, Err(Failure::Exit(7).into()));
    assert_eq!((came.output.as_str(), came.notes.len()), ("", 0));
    assert_eq!((server.current().as_str(), server.releases()), ("releases/1", vec!["1".to_owned()]));
    assert_eq!(server.records(), 1);
}

#[test]
fn a_run_that_is_asked_to_end_ends_before_the_switch() {
    let mut server = Server::new(&[("app", "one")]);
    assert_eq!(server.ship(1).result, Ok(()));
    server.build(&["kill -INT $$", "echo never"]);
    let stop = stop();
    let commit = server.world.release(2, None);
    let came = server.world.ship(2, &commit, &stop, |shipment, crew| {
        let line = |_: &_, _: &Path, _: &mut dyn FnMut(_)| {
            // As if the signal had come just after the line's end.
            stop.ask(2);
            Ok(())
        };
        ship(
            &server.target,
            shipment,
            Crew {
                line: &line,
                program: crew.program,
                hosts: crew.hosts,
                deadline: None,
                stop: crew.stop,
                tell: crew.tell,
            },
        )
    });
    assert_eq!(came.result, Err(Failure::Stopped.into()));
    assert_eq!((server.current().as_str(), server.releases()), ("releases/1", vec!["1".to_owned()]));
}

#[test]
fn what_a_killed_run_left_is_removed_and_never_counted() {
    let mut server = Server::building(&[("app", "one")], &["echo built > mark"]);
    server.target.keep = 2;
    assert_eq!(server.ship(1).result, Ok(()));
    let commit = server.world.release(2, None);
    let killed = catch_unwind(AssertUnwindSafe(|| {
        server.world.ship(2, &commit, &stop(), |shipment, crew| {
            let line = |_: &_, _: &Path, _: &mut dyn FnMut(_)| panic!("killed");
            ship(
                &server.target,
                shipment,
                Crew {
                    line: &line,
                    program: crew.program,
                    hosts: crew.hosts,
                    deadline: None,
                    stop: crew.stop,
                    tell: crew.tell,
                },
            )
        })
    }));
    assert!(killed.is_err());
    assert_eq!((server.current().as_str(), server.releases().len()), ("releases/1", 2));
    assert_eq!(last(&server.target, &server.world.path("work")), Ok(Some(2)));
    let came = server.ship(3);
    assert_eq!(came.notes[0], "removed releases/2, which an interrupted run left half made");
    assert_eq!(
        (server.current().as_str(), server.releases()),
        ("releases/3", vec!["1".to_owned(), "3".to_owned()])
    );
    assert_eq!(server.records(), 2);
}

#[test]
fn the_same_number_can_be_tried_again_after_a_killed_run() {
    let server = Server::building(&[("app", "one")], &["cat app > mark"]);
    let commit = server.world.release(1, None);
    let killed = catch_unwind(AssertUnwindSafe(|| {
        server.world.ship(1, &commit, &stop(), |shipment, crew| {
            let line = |_: &_, _: &Path, _: &mut dyn FnMut(_)| panic!("killed");
            ship(
                &server.target,
                shipment,
                Crew {
                    line: &line,
                    program: crew.program,
                    hosts: crew.hosts,
                    deadline: None,
                    stop: crew.stop,
                    tell: crew.tell,
                },
            )
        })
    }));
    assert!(killed.is_err());
    assert_eq!(server.ship_commit(1, &commit, &stop()).result, Ok(()));
    assert_eq!(server.read("current/mark"), "one");
}

#[test]
fn the_oldest_releases_go_but_not_the_live_one_nor_the_one_before() {
    let mut server = Server::new(&[("app", "one")]);
    server.target.keep = 2;
    server.live = Some(1);
    for number in 1..=4 {
        assert_eq!(server.ship(number).result, Ok(()));
    }
    assert_eq!(server.releases(), ["1", "3", "4"], "1 is live by the ledger");
    server.live = Some(4);
    let came = server.ship(5);
    assert_eq!(came.notes[2..], ["removed releases/3: 2 are kept", "removed releases/1: 2 are kept"]);
    assert_eq!(server.releases(), ["4", "5"]);
    durable::link(Path::new("releases/4"), &server.world.path("server/current")).unwrap();
    assert_eq!(server.ship(6).result, Ok(()));
    assert_eq!(server.releases(), ["4", "5", "6"], "4 was current before");
}

#[test]
fn a_reload_that_fails_is_told_with_what_is_current_and_can_be_tried_again() {
    let mut server = Server::building(&[("app", "one")], &["echo x >> ../../builds"]);
    assert_eq!(server.ship(1).result, Ok(()));
    server.target.reload = Some(script("test -e ../../up"));
    let commit = server.world.release(2, None);
    let came = server.ship_commit(2, &commit, &stop());
    assert_eq!(came.result, Err(NotShipped { failure: Failure::Exit(1), holds: Holds::Release }));
    assert_eq!(came.notes.last().unwrap(), "`reload` failed, and `current` is releases/2 already");
    put(&server.world.path("server/up"), "");
    assert_eq!(server.ship_commit(2, &commit, &stop()).result, Ok(()));
    assert_eq!((server.current().as_str(), server.read("builds").as_str()), ("releases/2", "x\nx\n"));
}

#[test]
fn what_is_in_the_way_is_refused_and_left_alone() {
    let server = Server::new(&[("app", "one")]);
    let path = |inside: &str| server.world.path("server").join(inside);
    fs::create_dir_all(path("current")).unwrap();
    let refused = |came: Came, message: &str, help: &str| {
        let NotShipped { failure, holds } = came.result.unwrap_err();
        assert!(matches!(failure, Failure::Refused { .. }) && holds == Holds::Before);
        let (got, mend) = said(&failure);
        assert!(got.ends_with(message), "{got}");
        assert!(mend.ends_with(help), "{mend}");
    };
    refused(
        server.ship(1),
        "/current` is not a symlink, so it can't be switched to a release",
        "/current.old",
    );
    assert!(!path("releases").exists());
    fs::remove_dir(path("current")).unwrap();

    put(&path("releases/1/theirs"), "x");
    refused(server.ship(1), "/releases/1` is there already, and it is another release", "/releases/1.old");
    assert_eq!(server.read("releases/1/theirs"), "x");
    assert_eq!(server.ship(2).result, Ok(()));

    put(&path(".releases/2"), &server.read(".releases/2").replace("staging", "production"));
    refused(server.ship(3), "/server` holds releases of `production`", "give `staging` a `path` of its own");
    put(&path(".releases/2"), "{");
    let came = server.ship(3);
    assert!(said(&came.result.unwrap_err().failure).1.ends_with("/.releases/2"));
    assert_eq!((server.current().as_str(), server.releases()), ("releases/2", vec!["1".into(), "2".into()]));
}

#[test]
fn shared_is_common_to_all_releases_from_before_their_build() {
    let files = [("app", "one"), ("media/first", "f"), ("etc/app.ini", "x=1"), ("etc/other", "o")];
    let mut server = Server::building(&files, &["echo $(cat app) >> data/log; test -e media/first"]);
    server.share(&["data", "media", "etc/app.ini", "var/run/pids"]);
    assert_eq!(server.ship(1).result, Ok(()));
    put(&server.world.path("server/shared/etc/app.ini"), "x=2");
    put(&server.world.path("server/current/media/upload"), "u");
    server.world.commit(&[("app", "two"), ("etc/app.ini", "x=3")]);
    assert_eq!(server.ship(2).result, Ok(()));
    assert_eq!(server.read("shared/data/log"), "one\ntwo\n");
    assert_eq!(server.read("current/etc/app.ini"), "x=2");
    assert_eq!(server.read("current/media/upload"), "u");
    assert_eq!(server.read("current/etc/other"), "o");
    assert!(server.world.path("server/current/var/run/pids").is_dir());
    let link = fs::read_link(server.world.path("server/releases/2/etc/app.ini")).unwrap();
    assert_eq!(link, Path::new("../../../shared/etc/app.ini"));
}

#[test]
fn a_shared_path_behind_a_link_is_refused_before_anything_is_lost() {
    let mut server = Server::new(&[("app", "one")]);
    server.share(&["data"]);
    assert_eq!(server.ship(1).result, Ok(()));
    put(&server.world.path("server/shared/data/inner/file"), "precious");
    server.share(&["data", "data/inner"]);
    let failure = server.ship(2).result.unwrap_err().failure;
    assert!(said(&failure).0.starts_with("`shared` has `data/inner`, and `data` above it is a link"));
    assert_eq!(server.read("shared/data/inner/file"), "precious");
    assert_eq!(server.current(), "releases/1");
}
