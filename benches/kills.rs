//! What `kill -9` breaks: `deploy staging`, and the book's Makefile recipe beside it, killed at evenly spaced points
//! of their run: `cargo bench --bench kills [-- POINTS]`. Ends with 1 if a promise of deploy's is broken.
//! Needs Linux (/proc), make, setsid and git.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it starts what it kills, and prints tables"
)]

#[expect(dead_code, reason = "a kill is not timed")]
mod measure;
#[path = "measure/processes.rs"]
#[expect(dead_code, reason = "another measurement looks at environments")]
mod processes;
#[path = "../tests/it/support/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "a measurement needs a part of the tests' sandbox"
)]
mod support;
#[path = "measure/victim.rs"]
mod victim;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use measure::{count, median, milliseconds};
use support::Sandbox;
use support::gate::Leash;
use victim::{Reach, Victim, points};

/// Staging is reached as over ssh: the server's side of the connection is not on the machine that is killed.
const TASKS: &str = r#"
[environments.staging]
target = { git = "server:SANDBOX/remotes/staging.git" }
swap   = { "requirements.txt" = "-r requirements/staging.txt" }
"#;

/// The book's recipe.
const MAKEFILE: &str = "\
staging:
\techo \"-r requirements/staging.txt\" > requirements.txt
\tgit commit -am staging
\tgit push staging HEAD:main
\techo \"-r requirements/dev.txt\" > requirements.txt
\tgit commit -am dev
";

/// Runs the command that ssh was given, in a session of its own, as a server would.
const SSH: &str = r#"#!/bin/sh
exec 9> "SANDBOX/tmp/server"
: > "SANDBOX/tmp/contacted"
while [ $# -gt 1 ]; do shift; done
exec setsid sh -c "$1"
"#;

/// With the shop's own eight they are fifty.
const FILES: usize = 42;

const POINTS: u32 = 120;

/// Undisturbed runs that say how long one takes.
const REHEARSALS: usize = 7;

/// What is run and killed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Contender {
    Deploy,
    Make,
}

/// How often what was found.
type Tally = BTreeMap<&'static str, u32>;

const DAMAGED: &str = "repositories damaged";
const WORKING_TREE: &str = "  working tree";
const INDEX: &str = "  index";
const HEAD: &str = "  HEAD or a branch";
const LOCK: &str = "  a lock left behind";
const TOUCHED: &str = "any byte of work tree or .git changed";
const OLD: &str = "target has the old release";
const NEW: &str = "target has the new release";
const NEITHER: &str = "target has neither";
const AT_ONCE: &str = "the next run works at once";
const AFTER_RECOVER: &str = "… after `deploy recover`";
const AFTER_UNLOCK: &str = "… after `deploy unlock`";
const NEVER: &str = "… not at all";
const ROWS: [&str; 13] = [
    DAMAGED,
    WORKING_TREE,
    INDEX,
    HEAD,
    LOCK,
    TOUCHED,
    OLD,
    NEW,
    NEITHER,
    AT_ONCE,
    AFTER_RECOVER,
    AFTER_UNLOCK,
    NEVER,
];

fn main() -> ExitCode {
    let number = u32::try_from(count(POINTS as usize)).expect("a number of points");
    println!("kill -9 at {number} evenly spaced points each, in a repository of 50 files\n");
    let mut columns = Vec::new();
    for contender in [Contender::Deploy, Contender::Make] {
        let stage = Stage::new(contender);
        for reach in [Reach::Group, Reach::Session] {
            columns.push(stage.kill_everywhere(reach, number));
        }
    }
    println!("\n{:44} {:>16} {:>16}", "", "deploy staging", "make staging");
    println!("{:44} {:>8}{:>8} {:>8}{:>8}", "killed:", "group", "all", "group", "all");
    for row in ROWS {
        let figures: Vec<String> =
            columns.iter().map(|tally| format!("{:>8}", tally.get(row).unwrap_or(&0))).collect();
        println!("{:44} {}{} {}{}", row, figures[0], figures[1], figures[2], figures[3]);
    }
    let broken = columns[..2]
        .iter()
        .any(|tally| [DAMAGED, TOUCHED, NEITHER, NEVER].iter().any(|row| tally.contains_key(row)));
    if broken { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// A project with a first release on staging and a second commit to ship, that can be had again and again.
struct Stage {
    contender: Contender,
    sandbox: Sandbox,
    /// Held by every process on the server's side.
    server: Leash,
    old: String,
}

impl Stage {
    fn new(contender: Contender) -> Stage {
        let mut sandbox = Sandbox::shop(TASKS).remote("staging");
        for number in 0..FILES {
            sandbox = sandbox.file(&format!("src/{number}.py"), &format!("print({number})\n"));
        }
        sandbox = sandbox.file("Makefile", MAKEFILE);
        sandbox.executable("bin/ssh", SSH);
        let url = format!("server:{}", sandbox.path("remotes/staging.git").display());
        sandbox.repository().git(["remote", "set-url", "staging", &url]);
        sandbox.commit("Fifty files");
        let stage = Stage { contender, old: String::new(), server: sandbox.leash("server"), sandbox };
        let first = stage.start().wait();
        assert!(first.success(), "the first release: {first}");
        stage.sandbox.write("shop.py", "print('new')\n");
        stage.sandbox.commit("New");
        stage.sandbox.shell("mkdir ../saved && cp -a ../shop ../remotes ../saved").succeeds();
        Stage { old: stage.sandbox.target("staging").tip("main").expect("a release"), ..stage }
    }

    fn kill_everywhere(&self, reach: Reach, number: u32) -> Tally {
        let rehearsals: Vec<Duration> = (0..REHEARSALS).map(|_| self.rehearse()).collect();
        let whole = median(&rehearsals);
        println!("{} takes {:.0} ms", self.words().join(" "), milliseconds(whole));
        let mut tally = Tally::new();
        for point in points(whole, number) {
            self.restore();
            self.kill_at(point, reach, &mut tally);
        }
        tally
    }

    /// An undisturbed run.
    fn rehearse(&self) -> Duration {
        self.restore();
        let begin = Instant::now();
        let status = self.start().wait();
        assert!(status.success() && self.is_shipped(), "an undisturbed run: {status}");
        begin.elapsed()
    }

    fn kill_at(&self, after: Duration, reach: Reach, tally: &mut Tally) {
        let before = self.sandbox.picture();
        let content = Content::of(&self.sandbox);
        self.start().kill(after, reach);
        if self.sandbox.path("tmp/contacted").exists() {
            self.server.wait_for_release();
        }

        let mut note = |row| *tally.entry(row).or_default() += 1;
        let changes = before.changes();
        let damage = content.damage(&self.sandbox, &changes);
        if !damage.is_empty() {
            note(DAMAGED);
        }
        damage.into_iter().for_each(&mut note);
        if !changes.is_empty() {
            note(TOUCHED);
        }
        let tip = self.sandbox.target("staging").tip("main");
        note(if tip.as_ref() == Some(&self.old) {
            OLD
        } else if self.is_shipped() {
            NEW
        } else {
            NEITHER
        });
        note(self.next());
    }

    /// Whether the next run delivers, and what had to be done first.
    fn next(&self) -> &'static str {
        let works = || self.start().wait().success() && self.is_shipped();
        if works() {
            return AT_ONCE;
        }
        if self.contender == Contender::Deploy {
            let _tried = self.sandbox.deploy(["recover"]);
            if works() {
                return AFTER_RECOVER;
            }
            let _tried = self.sandbox.deploy(["unlock", "staging", "--reason", "its run was killed"]);
            if works() {
                return AFTER_UNLOCK;
            }
        }
        NEVER
    }

    /// Whether staging has the new commit's files, with staging's requirements.
    fn is_shipped(&self) -> bool {
        let target = self.sandbox.target("staging");
        target.file("main", "shop.py") == "print('new')\n"
            && target.file("main", "requirements.txt") == "-r requirements/staging.txt\n"
    }

    fn words(&self) -> [&'static str; 2] {
        match self.contender {
            Contender::Deploy => [env!("CARGO_BIN_EXE_deploy"), "staging"],
            Contender::Make => ["make", "staging"],
        }
    }

    fn start(&self) -> Victim {
        let [program, argument] = self.words();
        Victim::start(&mut self.sandbox.command("setsid", &[program, argument]))
    }

    fn restore(&self) {
        self.sandbox
            .shell("cd .. && rm -rf shop remotes tmp/contacted && cp -a saved/shop saved/remotes .")
            .succeeds();
    }
}

/// What a developer means by "my repository": what it holds, not which bytes hold it.
struct Content {
    index: String,
    head: String,
}

impl Content {
    fn of(sandbox: &Sandbox) -> Content {
        let repository = sandbox.repository();
        let head = repository.git(["for-each-ref", "--format=%(refname) %(tree)", "refs/heads"]);
        let branch = repository.git(["symbolic-ref", "HEAD"]);
        Content { index: repository.git(["ls-files", "--stage"]), head: format!("{branch}\n{head}") }
    }

    /// What is not any more as it was; `changes` are the paths whose bytes have changed.
    fn damage(&self, sandbox: &Sandbox, changes: &[String]) -> Vec<&'static str> {
        let now = Content::of(sandbox);
        let found = [
            (WORKING_TREE, changes.iter().any(|path| !path.starts_with(".git/") && path != ".git")),
            (INDEX, now.index != self.index),
            (HEAD, now.head != self.head),
            (
                LOCK,
                changes.iter().any(|path| {
                    path.starts_with(".git/") && Path::new(path).extension() == Some("lock".as_ref())
                }),
            ),
        ];
        found.into_iter().filter(|(_, is)| *is).map(|(row, _)| row).collect()
    }
}
